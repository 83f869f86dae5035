//! Who sends what: a node claims what is due, and nobody else takes it while its lease lasts.

use sqlx::FromRow;

use crate::{Conn, Dialect, OrgId, StoreError, claiming};

/// A delivery that is ours to send.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Claimed {
    /// Its id.
    pub id: String,
    /// Its organisation.
    pub org_id: OrgId,
    /// Where to.
    pub endpoint_id: String,
    /// The agent.
    pub agent: String,
    /// Whose secrets are used.
    pub profile: Option<String>,
    /// The webhook.
    pub webhook: String,
    /// The event.
    pub event: String,
    /// The call.
    pub call_id: Option<String>,
    /// What it is told apart by; its request is sealed for it.
    pub unique_key: String,
    /// Request and body, sealed.
    pub sealed: String,
    /// The body, as a record may show it.
    pub shown: Option<String>,
    /// Attempts before this one.
    pub attempts: i64,
    /// Attempts before this one, since it was queued or replayed.
    pub tries: i64,
    /// Since when it is tried.
    pub queued_at: i64,
    /// What whoever writes about it has to show.
    pub fence: i64,
}

/// Claims up to `most` deliveries that are due, the longest waiting first: not behind another one of
/// their lane, not to an endpoint that is blocked or disabled, and not to one of `not_to`.
pub async fn claim_unscoped(
    conn: &mut Conn,
    node: &str,
    most: i64,
    not_to: &[String],
    lease_until: i64,
    now: i64,
) -> Result<Vec<Claimed>, StoreError> {
    // A list of ids as JSON would need a function that the two databases call differently.
    let not_to = not_to.join(" ");
    let sql = claiming!(
        Dialect::of(conn),
        "WITH due AS MATERIALIZED (SELECT d.id FROM deliveries d WHERE d.state = 'pending' AND d.due_at <= $1 \
         AND d.lease_until <= $1 \
         AND NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.id = d.endpoint_id \
         AND (e.blocked_until > $1 OR e.disabled_at IS NOT NULL)) \
         AND NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.lane = d.lane AND b.org_id = d.org_id AND b.id < d.id \
         AND b.state IN ('pending', 'parked')) \
         AND ($2 = '' OR REPLACE($2, d.endpoint_id, '') = $2) \
         ORDER BY d.due_at LIMIT $3",
        ") UPDATE deliveries SET node = $4, fence = fence + 1, lease_until = $5 \
         WHERE id IN (SELECT id FROM due) \
         RETURNING id, org_id, endpoint_id, agent, profile, webhook, event, call_id, unique_key, sealed, shown, \
         attempts, tries, queued_at, fence"
    );
    let rows =
        sqlx::query_as(sql).bind(now).bind(not_to).bind(most).bind(node).bind(lease_until).fetch_all(conn);
    Ok(rows.await?)
}

/// Whether anything is due, blocked or not.
pub async fn any_due_unscoped(conn: &mut Conn, now: i64) -> Result<bool, StoreError> {
    let sql =
        "SELECT id FROM deliveries WHERE state = 'pending' AND due_at <= $1 AND lease_until <= $1 LIMIT 1";
    Ok(sqlx::query_scalar::<_, String>(sql).bind(now).fetch_optional(conn).await?.is_some())
}

/// Ends all leases: for a process that knows that it is the only one.
pub async fn clear_leases_unscoped(conn: &mut Conn) -> Result<u64, StoreError> {
    let sql = "UPDATE deliveries SET lease_until = 0 WHERE state = 'pending' AND lease_until > 0";
    Ok(sqlx::query(sql).execute(conn).await?.rows_affected())
}
