//! Which releases answer for an agent in a profile, and how many of a hundred callers each gets.

use sqlx::FromRow;

use crate::{AgentId, Conn, OrgId, ReleaseId, StoreError};

/// A release and its share.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Share {
    /// In which profile.
    pub profile: String,
    /// The release.
    #[sqlx(rename = "release_id")]
    pub release: ReleaseId,
    /// Its number.
    pub number: i64,
    /// Of a hundred.
    pub percent: i64,
}

/// The shares of an agent in a profile, the newest release first.
pub async fn of(
    conn: &mut Conn,
    org: &OrgId,
    agent: &AgentId,
    profile: &str,
) -> Result<Vec<Share>, StoreError> {
    let all = sqlx::query_as(
        "SELECT t.profile, t.release_id, r.number, t.percent FROM traffic t JOIN releases r ON r.id = t.release_id
         WHERE t.org_id = $1 AND t.agent_id = $2 AND t.profile = $3 ORDER BY r.number DESC",
    )
    .bind(org.as_str())
    .bind(agent.as_str())
    .bind(profile)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// The shares of an agent in all profiles.
pub async fn all(conn: &mut Conn, org: &OrgId, agent: &AgentId) -> Result<Vec<Share>, StoreError> {
    let all = sqlx::query_as(
        "SELECT t.profile, t.release_id, r.number, t.percent FROM traffic t JOIN releases r ON r.id = t.release_id
         WHERE t.org_id = $1 AND t.agent_id = $2 ORDER BY t.profile, r.number DESC",
    )
    .bind(org.as_str())
    .bind(agent.as_str())
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Sets the shares of an agent in a profile; none: nobody answers there.
pub async fn set(
    conn: &mut Conn,
    org: &OrgId,
    agent: &AgentId,
    profile: &str,
    shares: &[(ReleaseId, i64)],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM traffic WHERE org_id = $1 AND agent_id = $2 AND profile = $3")
        .bind(org.as_str())
        .bind(agent.as_str())
        .bind(profile)
        .execute(&mut *conn)
        .await?;
    for (release, percent) in shares {
        sqlx::query(
            "INSERT INTO traffic (org_id, agent_id, profile, release_id, percent) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(org.as_str())
        .bind(agent.as_str())
        .bind(profile)
        .bind(release.as_str())
        .bind(*percent)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
