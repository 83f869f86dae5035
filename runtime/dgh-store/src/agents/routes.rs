//! What leads to an agent besides its own name: numbers, trigger paths.

use sqlx::FromRow;

use crate::{AgentId, Conn, OrgId, ReleaseId, RouteId, StoreError};

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// `number`, `trigger`.
    pub kind: String,
    /// The number in E.164, or the name of the trigger.
    pub address: String,
    /// Whose it is.
    #[sqlx(rename = "agent_id")]
    pub agent: AgentId,
    /// The agent's name in addresses.
    pub slug: String,
    /// The profile in which it is answered.
    pub profile: String,
    /// The one release that answers; none: those that answer in the profile.
    #[sqlx(rename = "release_id")]
    pub release: Option<ReleaseId>,
    /// Its number.
    pub number: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

/// Adds one.
pub async fn insert(conn: &mut Conn, org: &OrgId, route: &Route) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO routes (id, org_id, kind, address, agent_id, profile, release_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(route.id.as_str())
    .bind(org.as_str())
    .bind(&route.kind)
    .bind(&route.address)
    .bind(route.agent.as_str())
    .bind(&route.profile)
    .bind(route.release.as_ref().map(ReleaseId::as_str))
    .bind(route.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one that leads from an address.
pub async fn find(
    conn: &mut Conn,
    org: &OrgId,
    kind: &str,
    address: &str,
) -> Result<Option<Route>, StoreError> {
    let found = sqlx::query_as(
        "SELECT t.id, t.kind, t.address, t.agent_id, a.slug, t.profile, t.release_id, r.number, t.created_at
         FROM routes t JOIN agents a ON a.id = t.agent_id LEFT JOIN releases r ON r.id = t.release_id
         WHERE t.org_id = $1 AND t.kind = $2 AND t.address = $3",
    )
    .bind(org.as_str())
    .bind(kind)
    .bind(address)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// A page of them, in the order in which they were made.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Route>, StoreError> {
    let all = sqlx::query_as(
        "SELECT t.id, t.kind, t.address, t.agent_id, a.slug, t.profile, t.release_id, r.number, t.created_at
         FROM routes t JOIN agents a ON a.id = t.agent_id LEFT JOIN releases r ON r.id = t.release_id
         WHERE t.org_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Removes one.
pub async fn remove(conn: &mut Conn, org: &OrgId, id: &RouteId) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM routes WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .execute(conn)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::not_found("route")) }
}
