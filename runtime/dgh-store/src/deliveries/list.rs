//! Deliveries as people and operators see them: lists, dead letters, sending again.

use serde::Serialize;
use sqlx::FromRow;

use super::DeliveryState;
use crate::{Conn, DeliveryId, EndpointId, OrgId, Query, StoreError};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint_id: EndpointId,
    /// Scheme, host and port of that.
    pub origin: String,
    /// The agent.
    pub agent: String,
    /// The profile.
    pub profile: Option<String>,
    /// The webhook.
    pub webhook: String,
    /// The event.
    pub event: String,
    /// The call.
    pub call_id: Option<String>,
    /// The body, as a record may show it.
    pub shown: Option<String>,
    /// Where it stands.
    pub state: String,
    /// What it waits for.
    pub parked_for: Option<String>,
    /// Attempts.
    pub attempts: i64,
    /// When it is tried next.
    pub due_at: Option<i64>,
    /// The status of the last answer.
    pub status: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it was delivered or given up.
    pub done_at: Option<i64>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Failed {
    /// Its number, from 1.
    pub number: i64,
    /// When it began.
    pub at: i64,
    /// How long it took.
    pub took_ms: i64,
    /// The status, if there was an answer.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: String,
}

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter<'a> {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Of this agent.
    pub agent: Option<&'a str>,
    /// Of this webhook.
    pub webhook: Option<&'a str>,
    /// Of this event.
    pub event: Option<&'a str>,
    /// About this call.
    pub call: Option<&'a str>,
    /// To this endpoint.
    pub endpoint: Option<&'a str>,
    /// Whose last answer had this status.
    pub status: Option<i64>,
    /// Made at or behind this time.
    pub since: Option<i64>,
    /// Made before this time.
    pub until: Option<i64>,
    /// With this in the id, the call, the origin or the error, whatever the case of its letters.
    pub search: Option<&'a str>,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Waiting {
    /// Deliveries that are pending.
    pub pending: i64,
    /// Deliveries that are parked.
    pub parked: i64,
    /// When the longest overdue one was due.
    pub oldest_due: Option<i64>,
}

const COLUMNS: &str = "SELECT d.id, d.endpoint_id, e.origin, d.agent, d.profile, d.webhook, d.event, d.call_id, \
     d.shown, d.state, d.parked_for, d.attempts, d.due_at, d.status, d.error, d.created_at, d.done_at \
     FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id WHERE d.org_id = ";

/// The deliveries of an organisation that are older than `after`, the newest first.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    filter: &Filter<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let mut query = Query::new(COLUMNS);
    query.bind(org.as_str());
    matching(&mut query, filter);
    if let Some(after) = after {
        query.push(" AND d.id < ").bind(after);
    }
    query.push(" ORDER BY d.id DESC LIMIT ").bind(limit);
    query.all(conn).await
}

/// One delivery.
pub async fn get(conn: &mut Conn, org: &OrgId, id: &DeliveryId) -> Result<Delivery, StoreError> {
    let mut query = Query::new(COLUMNS);
    query.bind(org.as_str()).push(" AND d.id = ").bind(id.as_str());
    query.optional(conn).await?.ok_or(StoreError::not_found("delivery"))
}

/// Its attempts that failed, the newest first.
pub async fn attempts(
    conn: &mut Conn,
    org: &OrgId,
    id: &DeliveryId,
    limit: i64,
) -> Result<Vec<Failed>, StoreError> {
    let sql = "SELECT number, at, took_ms, status, error FROM delivery_attempts \
               WHERE org_id = $1 AND delivery_id = $2 ORDER BY number DESC LIMIT $3";
    Ok(sqlx::query_as(sql).bind(org.as_str()).bind(id.as_str()).bind(limit).fetch_all(conn).await?)
}

/// Sends one again that is dead, delivered or parked, with the same id. False: it is none of these.
pub async fn replay(conn: &mut Conn, org: &OrgId, id: &DeliveryId, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE deliveries SET state = 'pending', parked_for = NULL, due_at = $3, queued_at = $3, \
               tries = 0, done_at = NULL, lease_until = 0 \
               WHERE org_id = $1 AND id = $2 AND state IN ('dead', 'delivered', 'parked')";
    let done = sqlx::query(sql).bind(org.as_str()).bind(id.as_str()).bind(now).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// Sends all dead ones again that the filter names, at most `limit`, the oldest first. Answers how
/// many.
pub async fn replay_all(
    conn: &mut Conn,
    org: &OrgId,
    filter: &Filter<'_>,
    limit: i64,
    now: i64,
) -> Result<u64, StoreError> {
    let mut query =
        Query::new("UPDATE deliveries SET state = 'pending', tries = 0, done_at = NULL, due_at = ");
    query.bind(now).push(", queued_at = ").bind(now);
    query.push(
        " WHERE state = 'dead' AND id IN (SELECT d.id FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id \
         WHERE d.org_id = ",
    );
    query.bind(org.as_str());
    matching(&mut query, &Filter { state: Some(DeliveryState::Dead), ..filter.clone() });
    query.push(" ORDER BY d.id LIMIT ").bind(limit).push(")");
    query.run(conn).await
}

/// Secrets that deliveries wait for: organisation, agent, profile, `secret:NAME`.
pub async fn parked_for_secrets_unscoped(
    conn: &mut Conn,
) -> Result<Vec<(OrgId, String, Option<String>, String)>, StoreError> {
    let sql = "SELECT DISTINCT org_id, agent, profile, parked_for FROM deliveries \
               WHERE state = 'parked' AND parked_for LIKE 'secret:%'";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// What these deliveries waited for is there.
pub async fn unpark_unscoped(
    conn: &mut Conn,
    org: &OrgId,
    agent: &str,
    profile: Option<&str>,
    parked_for: &str,
    now: i64,
) -> Result<u64, StoreError> {
    let sql = "UPDATE deliveries SET state = 'pending', parked_for = NULL, due_at = $5, queued_at = $5, tries = 0 \
               WHERE org_id = $1 AND agent = $2 AND COALESCE(profile, '') = COALESCE($3, '') \
               AND parked_for = $4 AND state = 'parked'";
    let done = sqlx::query(sql)
        .bind(org.as_str())
        .bind(agent)
        .bind(profile)
        .bind(parked_for)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// How much waits, in all.
pub async fn backlog_unscoped(conn: &mut Conn) -> Result<Waiting, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0) AS BIGINT) AS pending, \
               CAST(COALESCE(SUM(CASE WHEN state = 'parked' THEN 1 ELSE 0 END), 0) AS BIGINT) AS parked, \
               MIN(due_at) AS oldest_due FROM deliveries WHERE state IN ('pending', 'parked')";
    Ok(sqlx::query_as(sql).fetch_one(conn).await?)
}

/// Deletes what was done before this time, at most `limit`. Answers how many went.
pub async fn delete_done_unscoped(conn: &mut Conn, before: i64, limit: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM deliveries WHERE id IN \
               (SELECT id FROM deliveries WHERE done_at < $1 ORDER BY done_at LIMIT $2)";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}

/// Deletes all about a call.
pub async fn forget_call(conn: &mut Conn, org: &OrgId, call: &str) -> Result<u64, StoreError> {
    let sql = "DELETE FROM deliveries WHERE org_id = $1 AND call_id = $2";
    Ok(sqlx::query(sql).bind(org.as_str()).bind(call).execute(conn).await?.rows_affected())
}

fn matching(query: &mut Query, filter: &Filter<'_>) {
    let texts = [
        (" AND d.state = ", filter.state.map(DeliveryState::name)),
        (" AND d.agent = ", filter.agent),
        (" AND d.webhook = ", filter.webhook),
        (" AND d.event = ", filter.event),
        (" AND d.call_id = ", filter.call),
        (" AND d.endpoint_id = ", filter.endpoint),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            query.push(condition).bind(value);
        }
    }
    let numbers = [
        (" AND d.status = ", filter.status),
        (" AND d.created_at >= ", filter.since),
        (" AND d.created_at < ", filter.until),
    ];
    for (condition, value) in numbers {
        if let Some(value) = value {
            query.push(condition).bind(value);
        }
    }
    if let Some(search) = filter.search {
        let escaped = search.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = format!("%{escaped}%");
        query.push(" AND (d.id LIKE ").bind(pattern.clone());
        query.push(" ESCAPE '\\' OR d.call_id LIKE ").bind(pattern.clone());
        query.push(" ESCAPE '\\' OR LOWER(e.origin) LIKE ").bind(pattern.clone());
        query.push(" ESCAPE '\\' OR LOWER(COALESCE(d.error, '')) LIKE ").bind(pattern);
        query.push(" ESCAPE '\\')");
    }
}
