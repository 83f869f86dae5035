//! The end of a call: what is kept of it for lists and figures. Everything else is in its log.

use sqlx::FromRow;

use super::Owner;
use crate::{CallId, Conn, OrgId, StoreError};

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct End {
    /// When.
    pub at: i64,
    /// Its outcome.
    pub outcome: Option<String>,
    /// Who or what ended it.
    pub ended_by: String,
    /// What went wrong.
    pub why: Option<String>,
    /// What answered.
    pub answered_by: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// The node it ended in.
    pub at_node: Option<String>,
    /// Turns of the caller.
    pub turns: i64,
    /// What it cost, as far as prices are known.
    pub micro_usd: Option<i64>,
    /// Median times of a turn, JSON.
    pub timings: Option<String>,
    /// What went wrong in it, counted.
    pub troubles: i64,
    /// What was learned, as a record may show it.
    pub values: Vec<(String, String)>,
    /// What providers did.
    pub usage: Vec<Usage>,
}

/// What a provider did for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Usage {
    /// `llm`, `stt`, `tts`, `realtime`, `carrier`.
    pub part: String,
    /// The provider.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// Requests.
    pub requests: i64,
    /// Tokens read.
    pub input_tokens: i64,
    /// Of them, from the provider's cache.
    pub cached_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Characters spoken.
    pub characters: i64,
    /// Milliseconds heard or connected.
    pub millis: i64,
    /// What it cost; none: no price is known.
    pub micro_usd: Option<i64>,
}

/// Ends a call. False: it had ended, or the fence is old; nothing was written.
pub async fn end(conn: &mut Conn, owner: &Owner, end: &End) -> Result<bool, StoreError> {
    let sql = "UPDATE calls SET state = 'ended', ended_at = $4, \
               duration_ms = CASE WHEN live_at IS NULL OR live_at > $4 THEN 0 ELSE $4 - live_at END, \
               outcome = $5, ended_by = $6, why = $7, answered_by = COALESCE($8, answered_by), \
               language = COALESCE($9, language), at_node = COALESCE($10, at_node), turns = $11, \
               micro_usd = $12, timings = $13, troubles = $14, due_at = NULL, ticket = NULL, \
               ticket_until = NULL, inputs = NULL \
               WHERE org_id = $1 AND id = $2 AND fence = $3 AND state <> 'ended'";
    let done = sqlx::query(sql)
        .bind(&owner.org)
        .bind(&owner.call)
        .bind(owner.fence)
        .bind(end.at)
        .bind(end.outcome.as_deref())
        .bind(&end.ended_by)
        .bind(end.why.as_deref())
        .bind(end.answered_by.as_deref())
        .bind(end.language.as_deref())
        .bind(end.at_node.as_deref())
        .bind(end.turns)
        .bind(end.micro_usd)
        .bind(end.timings.as_deref())
        .bind(end.troubles)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    keep_values(conn, owner, &end.values).await?;
    for usage in &end.usage {
        keep_usage(conn, owner, usage).await?;
    }
    Ok(true)
}

/// What was learned in a call, as a record may show it.
pub async fn values_of(
    conn: &mut Conn,
    org: &OrgId,
    call: &CallId,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT name, shown FROM call_values WHERE org_id = $1 AND call_id = $2 ORDER BY name";
    Ok(sqlx::query_as(sql).bind(org).bind(call).fetch_all(conn).await?)
}

/// What providers did for a call.
pub async fn usage_of(conn: &mut Conn, org: &OrgId, call: &CallId) -> Result<Vec<Usage>, StoreError> {
    let sql = "SELECT part, provider, model, requests, input_tokens, cached_tokens, output_tokens, characters, \
               millis, micro_usd FROM call_usage WHERE org_id = $1 AND call_id = $2 ORDER BY part, provider, model";
    Ok(sqlx::query_as(sql).bind(org).bind(call).fetch_all(conn).await?)
}

async fn keep_values(conn: &mut Conn, owner: &Owner, values: &[(String, String)]) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_values (call_id, org_id, name, shown) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (call_id, name) DO UPDATE SET shown = excluded.shown";
    for (name, shown) in values {
        sqlx::query(sql)
            .bind(&owner.call)
            .bind(&owner.org)
            .bind(name)
            .bind(shown)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn keep_usage(conn: &mut Conn, owner: &Owner, usage: &Usage) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_usage (call_id, org_id, part, provider, model, requests, input_tokens, \
               cached_tokens, output_tokens, characters, millis, micro_usd) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (call_id, part, provider, model) DO NOTHING";
    sqlx::query(sql)
        .bind(&owner.call)
        .bind(&owner.org)
        .bind(&usage.part)
        .bind(&usage.provider)
        .bind(&usage.model)
        .bind(usage.requests)
        .bind(usage.input_tokens)
        .bind(usage.cached_tokens)
        .bind(usage.output_tokens)
        .bind(usage.characters)
        .bind(usage.millis)
        .bind(usage.micro_usd)
        .execute(conn)
        .await?;
    Ok(())
}
