//! Endpoints: whether anything is sent to them, and why not.

use serde::Serialize;
use sqlx::FromRow;

use crate::{Conn, EndpointId, OrgId, Query, StoreError};

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The agent whose webhook it is.
    pub agent: String,
    /// The webhook.
    pub webhook: String,
    /// Scheme, host and port.
    pub origin: String,
    /// Since when nothing is sent to it, until somebody enables it.
    pub disabled_at: Option<i64>,
    /// Why.
    pub disabled_why: Option<String>,
    /// Failures in a row.
    pub failures: i64,
    /// How often its breaker tripped since it last worked.
    pub trips: i64,
    /// Until when nothing is sent to it.
    pub blocked_until: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When.
    pub failed_at: Option<i64>,
    /// When it last took a delivery, told within a minute.
    pub delivered_at: Option<i64>,
    /// When the first delivery to it was made.
    pub created_at: i64,
    /// Deliveries that wait for it.
    #[sqlx(default)]
    pub waiting: i64,
}

/// Which endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointFilter<'a> {
    /// Of this agent.
    pub agent: Option<&'a str>,
    /// Only those that get nothing now (true), or those that do.
    pub stopped: Option<bool>,
}

const COLUMNS: &str = "SELECT id, agent, webhook, origin, disabled_at, disabled_why, failures, trips, blocked_until, \
     last_error, failed_at, delivered_at, created_at, (SELECT COUNT(*) FROM deliveries d WHERE \
     d.endpoint_id = endpoints.id AND d.state IN ('pending', 'parked')) AS waiting FROM endpoints WHERE org_id = ";

/// The endpoints of an organisation behind `after`, the oldest first.
pub async fn endpoints(
    conn: &mut Conn,
    org: &OrgId,
    filter: &EndpointFilter<'_>,
    after: Option<&str>,
    limit: i64,
    now: i64,
) -> Result<Vec<Endpoint>, StoreError> {
    let mut query = Query::new(COLUMNS);
    query.bind(org.as_str());
    if let Some(agent) = filter.agent {
        query.push(" AND agent = ").bind(agent);
    }
    match filter.stopped {
        Some(true) => {
            query.push(" AND (disabled_at IS NOT NULL OR blocked_until > ").bind(now).push(")");
        }
        Some(false) => {
            query.push(" AND disabled_at IS NULL AND blocked_until <= ").bind(now);
        }
        None => {}
    }
    if let Some(after) = after {
        query.push(" AND id > ").bind(after);
    }
    query.push(" ORDER BY id LIMIT ").bind(limit);
    query.all(conn).await
}

/// One endpoint.
pub async fn endpoint(conn: &mut Conn, org: &OrgId, id: &EndpointId) -> Result<Endpoint, StoreError> {
    let mut query = Query::new(COLUMNS);
    query.bind(org.as_str()).push(" AND id = ").bind(id.as_str());
    query.optional(conn).await?.ok_or(StoreError::not_found("endpoint"))
}

/// How these endpoints do.
pub async fn health_unscoped(conn: &mut Conn, ids: &[&str]) -> Result<Vec<Endpoint>, StoreError> {
    let mut query = Query::new(
        "SELECT id, agent, webhook, origin, disabled_at, disabled_why, failures, trips, blocked_until, \
         last_error, failed_at, delivered_at, created_at, CAST(0 AS BIGINT) AS waiting FROM endpoints WHERE id IN (",
    );
    query.bind_all(ids.iter().copied()).push(")");
    query.all(conn).await
}

/// Sends to it again: its breaker is reset and what was parked for it is due. False: there is no
/// such endpoint.
pub async fn enable(conn: &mut Conn, org: &OrgId, id: &EndpointId, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE endpoints SET disabled_at = NULL, disabled_why = NULL, failures = 0, trips = 0, \
               blocked_until = 0 WHERE org_id = $1 AND id = $2";
    let done = sqlx::query(sql).bind(org.as_str()).bind(id.as_str()).execute(&mut *conn).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let parked = "UPDATE deliveries SET state = 'pending', parked_for = NULL, due_at = $2, queued_at = $2, \
                  tries = 0 WHERE endpoint_id = $1 AND state = 'parked' AND parked_for = 'endpoint'";
    sqlx::query(parked).bind(id.as_str()).bind(now).execute(&mut *conn).await?;
    pull(conn, id.as_str(), now).await?;
    Ok(true)
}

/// Sends nothing to it any more, and parks what waits for it, but for what somebody is sending.
pub async fn disable_unscoped(conn: &mut Conn, id: &str, why: &str, now: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE endpoints SET disabled_at = $2, disabled_why = $3 WHERE id = $1 AND disabled_at IS NULL";
    sqlx::query(sql).bind(id).bind(now).bind(why).execute(&mut *conn).await?;
    let park = "UPDATE deliveries SET state = 'parked', parked_for = 'endpoint', due_at = NULL \
                WHERE endpoint_id = $1 AND state = 'pending' AND lease_until <= $2";
    sqlx::query(park).bind(id).bind(now).execute(conn).await?;
    Ok(())
}

/// When a breaker trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// After so many failures in a row.
    pub threshold: i64,
    /// How long nothing is sent then, in milliseconds; twice as long each further time …
    pub first_pause: i64,
    /// … but no longer than this.
    pub longest_pause: i64,
}

/// It failed once more. If that trips its breaker, as the failure of a `probe` does, nothing is sent
/// to it for a while. Answers until when, if it is blocked now.
pub async fn failed_unscoped(
    conn: &mut Conn,
    id: &str,
    error: &str,
    breaker: Breaker,
    probe: bool,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let sql = "UPDATE endpoints SET failures = failures + 1, last_error = $2, failed_at = $3 WHERE id = $1 \
               RETURNING failures, trips, blocked_until";
    let row: Option<(i64, i64, i64)> =
        sqlx::query_as(sql).bind(id).bind(error).bind(now).fetch_optional(&mut *conn).await?;
    let Some((failures, trips, blocked)) = row else { return Ok(None) };
    // What was on its way when it tripped fails, too: that is no new trip.
    if !probe && (failures < breaker.threshold || blocked > now) {
        return Ok((blocked > now).then_some(blocked));
    }
    let doubled = breaker.first_pause.saturating_mul(1_i64 << trips.clamp(0, 40));
    let until = now.saturating_add(doubled.min(breaker.longest_pause));
    let trip = "UPDATE endpoints SET trips = trips + 1, blocked_until = $2 WHERE id = $1";
    sqlx::query(trip).bind(id).bind(until).execute(&mut *conn).await?;
    push(conn, id, until).await?;
    Ok(Some(until))
}

/// It asked to be left alone until then.
pub async fn pause_unscoped(conn: &mut Conn, id: &str, until: i64) -> Result<(), StoreError> {
    let sql = "UPDATE endpoints SET blocked_until = $2 WHERE id = $1 AND blocked_until < $2";
    let done = sqlx::query(sql).bind(id).bind(until).execute(&mut *conn).await?;
    if done.rows_affected() > 0 {
        push(conn, id, until).await?;
    }
    Ok(())
}

/// Takes the one attempt that an endpoint gets after its breaker tripped. False: somebody else did.
pub async fn probe_unscoped(conn: &mut Conn, id: &str, until: i64, now: i64) -> Result<bool, StoreError> {
    let sql =
        "UPDATE endpoints SET blocked_until = $2 WHERE id = $1 AND blocked_until <= $3 AND failures > 0";
    let done = sqlx::query(sql).bind(id).bind(until).bind(now).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// It works again. What never was tried does not wait any longer.
pub async fn recovered_unscoped(conn: &mut Conn, id: &str, now: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE endpoints SET failures = 0, trips = 0, blocked_until = 0, delivered_at = $2 WHERE id = $1";
    sqlx::query(sql).bind(id).bind(now).execute(&mut *conn).await?;
    pull(conn, id, now).await
}

async fn push(conn: &mut Conn, id: &str, until: i64) -> Result<(), StoreError> {
    let sql =
        "UPDATE deliveries SET due_at = $2 WHERE endpoint_id = $1 AND state = 'pending' AND due_at < $2";
    sqlx::query(sql).bind(id).bind(until).execute(conn).await?;
    Ok(())
}

async fn pull(conn: &mut Conn, id: &str, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET due_at = $2 WHERE endpoint_id = $1 AND state = 'pending' AND due_at > $2 \
               AND tries = 0";
    sqlx::query(sql).bind(id).bind(now).execute(conn).await?;
    Ok(())
}
