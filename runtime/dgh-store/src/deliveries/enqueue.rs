//! New deliveries, in the transaction of what they are about.

use super::DeliveryState;
use crate::{Conn, DeliveryId, EndpointId, OrgId, StoreError};

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery<'a> {
    /// Scheme, host and port of where it goes.
    pub origin: &'a str,
    /// The agent.
    pub agent: &'a str,
    /// Whose secrets are used.
    pub profile: Option<&'a str>,
    /// The webhook.
    pub webhook: &'a str,
    /// `call.ended`, …
    pub event: &'a str,
    /// The call that it is about.
    pub call: Option<&'a str>,
    /// Told twice, kept once.
    pub unique_key: &'a str,
    /// Deliveries of one lane go one after another.
    pub lane: &'a str,
    /// Request and body, sealed.
    pub sealed: &'a str,
    /// The body, as a record may show it.
    pub shown: Option<&'a str>,
    /// Whether it is shown and not sent.
    pub simulated: bool,
}

/// Keeps a delivery; nothing if the organisation has one with this key already. One to an endpoint
/// that is disabled is parked, one to an endpoint that is blocked is due when that is over.
pub async fn enqueue(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewDelivery<'_>,
    now: i64,
) -> Result<Option<DeliveryId>, StoreError> {
    // Nearly always the endpoint is known: one round trip.
    if let Some(id) = insert(conn, org, new, now).await? {
        return Ok(Some(id));
    }
    let made = "INSERT INTO endpoints (id, org_id, agent, webhook, origin, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id, agent, webhook, origin) DO NOTHING";
    let made = sqlx::query(made)
        .bind(EndpointId::fresh().as_str())
        .bind(org.as_str())
        .bind(new.agent)
        .bind(new.webhook)
        .bind(new.origin)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    // It was there, perhaps since a moment ago: asked once more, the delivery is there or is kept.
    if made.rows_affected() > 0 || !is_known(conn, org, new.unique_key).await? {
        return insert(conn, org, new, now).await;
    }
    Ok(None)
}

async fn is_known(conn: &mut Conn, org: &OrgId, unique_key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM deliveries WHERE org_id = $1 AND unique_key = $2";
    let found = sqlx::query_scalar::<_, String>(sql).bind(org.as_str()).bind(unique_key);
    Ok(found.fetch_optional(conn).await?.is_some())
}

async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewDelivery<'_>,
    now: i64,
) -> Result<Option<DeliveryId>, StoreError> {
    let sql = "INSERT INTO deliveries (id, org_id, endpoint_id, agent, profile, webhook, event, call_id, \
               unique_key, lane, sealed, shown, state, parked_for, queued_at, due_at, created_at, done_at) \
               SELECT $1, $2, e.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
               CASE WHEN $13 = 'simulated' THEN 'simulated' WHEN e.disabled_at IS NULL THEN 'pending' \
               ELSE 'parked' END, \
               CASE WHEN $13 <> 'simulated' AND e.disabled_at IS NOT NULL THEN 'endpoint' END, $14, \
               CASE WHEN $13 = 'simulated' OR e.disabled_at IS NOT NULL THEN NULL \
               WHEN e.blocked_until > $14 THEN e.blocked_until ELSE $14 END, $14, \
               CASE WHEN $13 = 'simulated' THEN $14 END \
               FROM endpoints e WHERE e.org_id = $2 AND e.agent = $4 AND e.webhook = $6 AND e.origin = $3 \
               ON CONFLICT (org_id, unique_key) DO NOTHING";
    let id = DeliveryId::fresh();
    let state = if new.simulated { DeliveryState::Simulated } else { DeliveryState::Pending };
    let done = sqlx::query(sql)
        .bind(id.as_str())
        .bind(org.as_str())
        .bind(new.origin)
        .bind(new.agent)
        .bind(new.profile)
        .bind(new.webhook)
        .bind(new.event)
        .bind(new.call)
        .bind(new.unique_key)
        .bind(new.lane)
        .bind(new.sealed)
        .bind(new.shown)
        .bind(state.name())
        .bind(now)
        .execute(conn)
        .await?;
    Ok((done.rows_affected() > 0).then_some(id))
}
