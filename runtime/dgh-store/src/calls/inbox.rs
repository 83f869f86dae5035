//! What happens to a call elsewhere: a row each, taken by the node that owns the call.

use sqlx::{FromRow, Row as _};

use crate::{CallId, Conn, InboxId, NodeId, OrgId, StoreError};

/// A message to a call.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its id.
    pub id: InboxId,
    /// The call.
    pub call: CallId,
    /// `hangup`, `say`, `set`, `transfer`, `whisper`, `status`, …
    pub kind: String,
    /// Sealed JSON.
    pub payload: String,
    /// The teller's name of it: told twice, done once.
    pub external: Option<String>,
    /// Who told it.
    pub by_whom: Option<String>,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Message {
    /// Its id.
    pub id: InboxId,
    /// The organisation.
    pub org_id: OrgId,
    /// The call.
    pub call_id: CallId,
    /// What it is.
    pub kind: String,
    /// Sealed JSON.
    pub payload: String,
    /// Who told it.
    pub by_whom: Option<String>,
    /// When.
    pub created_at: i64,
}

/// Leaves a message. False: it was left before.
pub async fn post(conn: &mut Conn, org: &OrgId, new: &NewMessage, now: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO call_inbox (id, org_id, call_id, kind, payload, external, by_whom, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (call_id, external) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(&new.id)
        .bind(org)
        .bind(&new.call)
        .bind(&new.kind)
        .bind(&new.payload)
        .bind(new.external.as_deref())
        .bind(new.by_whom.as_deref())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the messages to the calls of a node, the oldest first. Each is taken once.
pub async fn take_unscoped(conn: &mut Conn, node: &NodeId, now: i64) -> Result<Vec<Message>, StoreError> {
    // The order of what RETURNING answers is nobody's promise.
    let sql = "UPDATE call_inbox SET taken_at = $2 WHERE taken_at IS NULL AND call_id IN \
               (SELECT c.id FROM calls c WHERE c.node = $1 AND c.state <> 'ended') \
               RETURNING id, org_id, call_id, kind, payload, by_whom, created_at";
    let mut all: Vec<Message> = sqlx::query_as(sql).bind(node).bind(now).fetch_all(conn).await?;
    all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(all)
}

/// Says what became of a message.
pub async fn finish_message_unscoped(conn: &mut Conn, id: &InboxId, done: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE call_inbox SET done = $2 WHERE id = $1").bind(id).bind(done).execute(conn).await?;
    Ok(())
}

/// What became of a message; none: there is none. The inner none: nothing yet.
#[allow(clippy::option_option, reason = "no message, and no word of it yet, are two things")]
pub async fn told(
    conn: &mut Conn,
    org: &OrgId,
    call: &CallId,
    id: &InboxId,
) -> Result<Option<Option<String>>, StoreError> {
    let sql = "SELECT done FROM call_inbox WHERE org_id = $1 AND call_id = $2 AND id = $3";
    let row = sqlx::query(sql).bind(org).bind(call).bind(id).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get("done")).transpose()?)
}

/// How many messages wait for the calls of a node.
pub async fn waiting_unscoped(conn: &mut Conn, node: &NodeId) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) AS waiting FROM call_inbox i JOIN calls c ON c.id = i.call_id \
               WHERE i.taken_at IS NULL AND c.node = $1 AND c.state <> 'ended'";
    Ok(sqlx::query(sql).bind(node).fetch_one(conn).await?.try_get("waiting")?)
}

/// Forgets what was said in messages whose calls have ended: they were for their calls alone.
pub async fn forget_sealed_messages_unscoped(conn: &mut Conn, now: i64) -> Result<u64, StoreError> {
    let sql = "UPDATE call_inbox SET payload = NULL, taken_at = COALESCE(taken_at, $1), \
               done = COALESCE(done, 'gone') WHERE payload IS NOT NULL AND call_id IN \
               (SELECT i.call_id FROM call_inbox i JOIN calls c ON c.id = i.call_id \
                WHERE c.state = 'ended' AND i.payload IS NOT NULL)";
    Ok(sqlx::query(sql).bind(now).execute(conn).await?.rows_affected())
}
