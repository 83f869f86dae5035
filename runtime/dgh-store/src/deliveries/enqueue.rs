//! New deliveries, in the transaction of what they are about.

use super::DeliveryState;
use crate::{Conn, DeliveryId, EndpointId, OrgId, StoreError};

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint<'a> {
    /// The agent whose webhook it is.
    pub agent: &'a str,
    /// The webhook.
    pub webhook: &'a str,
    /// Scheme, host and port.
    pub origin: &'a str,
}

/// What is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery<'a> {
    /// Where to.
    pub endpoint: &'a EndpointId,
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

/// The endpoint with this address; made when it is not there.
pub async fn target(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewEndpoint<'_>,
    now: i64,
) -> Result<EndpointId, StoreError> {
    let find = "SELECT id FROM endpoints WHERE org_id = $1 AND agent = $2 AND webhook = $3 AND origin = $4";
    let make = "INSERT INTO endpoints (id, org_id, agent, webhook, origin, created_at) \
                VALUES ($5, $1, $2, $3, $4, $6) ON CONFLICT (org_id, agent, webhook, origin) DO NOTHING";
    let found = async |conn: &mut Conn| {
        sqlx::query_scalar(find)
            .bind(org.as_str())
            .bind(new.agent)
            .bind(new.webhook)
            .bind(new.origin)
            .fetch_optional(conn)
            .await
    };
    if let Some(id) = found(conn).await? {
        return Ok(id);
    }
    sqlx::query(make)
        .bind(org.as_str())
        .bind(new.agent)
        .bind(new.webhook)
        .bind(new.origin)
        .bind(EndpointId::fresh().as_str())
        .bind(now)
        .execute(&mut *conn)
        .await?;
    found(conn).await?.ok_or(StoreError::not_found("endpoint"))
}

/// Keeps a delivery; nothing if the organisation has one with this key already. One to an endpoint
/// that is disabled is parked, one to an endpoint that is blocked is due when that is over.
pub async fn enqueue(
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
               FROM endpoints e WHERE e.id = $3 AND e.org_id = $2 \
               ON CONFLICT (org_id, unique_key) DO NOTHING";
    let id = DeliveryId::fresh();
    let state = if new.simulated { DeliveryState::Simulated } else { DeliveryState::Pending };
    let done = sqlx::query(sql)
        .bind(id.as_str())
        .bind(org.as_str())
        .bind(new.endpoint.as_str())
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
