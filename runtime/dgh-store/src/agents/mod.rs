//! Agents: their drafts, releases, traffic, profiles and secrets.

pub mod blobs;
pub mod bundles;
pub mod profiles;
pub mod releases;
pub mod routes;
pub mod secrets;
pub mod sweep;
pub mod traffic;

use sqlx::FromRow;

use crate::{AgentId, Conn, OrgId, StoreError};

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The file that is compiled, where the bundle does not say.
    pub entry: Option<String>,
    /// Which agent of the file is meant, where it has several.
    pub part: Option<String>,
    /// The profile in which its own name is answered.
    pub profile: String,
    /// Who writes it: `api`, `folder`, `example`.
    pub source: String,
    /// The hash of the draft's bundle.
    pub draft: String,
    /// Who wrote the draft.
    pub draft_by: Option<String>,
    /// When.
    pub draft_at: i64,
    /// The number of the newest release; 0: there is none.
    pub releases: i64,
    /// When it was made.
    pub created_at: i64,
    /// When anything of it changed.
    pub updated_at: i64,
    /// When it was put away.
    pub archived_at: Option<i64>,
}

/// Adds one.
pub async fn insert(conn: &mut Conn, org: &OrgId, agent: &Agent) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO agents (id, org_id, slug, name, entry, part, profile, source, draft, draft_by, draft_at,
           releases, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(agent.id.as_str())
    .bind(org.as_str())
    .bind(&agent.slug)
    .bind(&agent.name)
    .bind(agent.entry.as_deref())
    .bind(agent.part.as_deref())
    .bind(&agent.profile)
    .bind(&agent.source)
    .bind(&agent.draft)
    .bind(agent.draft_by.as_deref())
    .bind(agent.draft_at)
    .bind(agent.releases)
    .bind(agent.created_at)
    .bind(agent.updated_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one with this name, also when it was put away.
pub async fn find_any(conn: &mut Conn, org: &OrgId, slug: &str) -> Result<Option<Agent>, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, slug, name, entry, part, profile, source, draft, draft_by, draft_at, releases, created_at,
           updated_at, archived_at
         FROM agents WHERE org_id = $1 AND slug = $2",
    )
    .bind(org.as_str())
    .bind(slug)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// The one with this name.
pub async fn find(conn: &mut Conn, org: &OrgId, slug: &str) -> Result<Agent, StoreError> {
    let found = find_any(conn, org, slug).await?;
    found.filter(|agent| agent.archived_at.is_none()).ok_or(StoreError::not_found("agent"))
}

/// The one with this id, also when it was put away: its calls still name it.
pub async fn find_by_id(conn: &mut Conn, org: &OrgId, id: &AgentId) -> Result<Agent, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, slug, name, entry, part, profile, source, draft, draft_by, draft_at, releases, created_at,
           updated_at, archived_at
         FROM agents WHERE org_id = $1 AND id = $2",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("agent"))
}

/// A page of them, by name.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Agent>, StoreError> {
    let all = sqlx::query_as(
        "SELECT id, slug, name, entry, part, profile, source, draft, draft_by, draft_at, releases, created_at,
           updated_at, archived_at
         FROM agents WHERE org_id = $1 AND archived_at IS NULL AND slug > $2 ORDER BY slug LIMIT $3",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Sets the draft, if it is still the one that was read. False: somebody was faster.
pub async fn set_draft(
    conn: &mut Conn,
    org: &OrgId,
    id: &AgentId,
    (was, is): (&str, &str),
    by: Option<&str>,
    now: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE agents SET draft = $4, draft_by = $5, draft_at = $6, updated_at = $6
         WHERE org_id = $1 AND id = $2 AND draft = $3 AND archived_at IS NULL",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .bind(was)
    .bind(is)
    .bind(by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets what is said of it: name, entry, part, profile, source.
pub async fn set_about(conn: &mut Conn, org: &OrgId, agent: &Agent, now: i64) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE agents SET name = $3, entry = $4, part = $5, profile = $6, source = $7, updated_at = $8
         WHERE org_id = $1 AND id = $2",
    )
    .bind(org.as_str())
    .bind(agent.id.as_str())
    .bind(&agent.name)
    .bind(agent.entry.as_deref())
    .bind(agent.part.as_deref())
    .bind(&agent.profile)
    .bind(&agent.source)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whoever changes what answers for it goes first here, so that two do not mix.
pub async fn lock(conn: &mut Conn, org: &OrgId, id: &AgentId, now: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE agents SET updated_at = $3 WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The number of its next release, which nobody else gets.
pub async fn next_release(conn: &mut Conn, org: &OrgId, id: &AgentId, now: i64) -> Result<i64, StoreError> {
    let number: Option<(i64,)> = sqlx::query_as(
        "UPDATE agents SET releases = releases + 1, updated_at = $3
         WHERE org_id = $1 AND id = $2 AND archived_at IS NULL RETURNING releases",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .bind(now)
    .fetch_optional(conn)
    .await?;
    number.map(|(number,)| number).ok_or(StoreError::not_found("agent"))
}

/// Puts it away, or takes it out again. What leads to it goes with it; releases stay.
pub async fn set_archived(
    conn: &mut Conn,
    org: &OrgId,
    id: &AgentId,
    archived: bool,
    now: i64,
) -> Result<(), StoreError> {
    if archived {
        for text in [
            "DELETE FROM traffic WHERE org_id = $1 AND agent_id = $2",
            "DELETE FROM routes WHERE org_id = $1 AND agent_id = $2",
        ] {
            sqlx::query(text).bind(org.as_str()).bind(id.as_str()).execute(&mut *conn).await?;
        }
    }
    sqlx::query("UPDATE agents SET archived_at = $3, updated_at = $4 WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .bind(archived.then_some(now))
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
