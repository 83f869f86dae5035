//! Releases: what was published. They never change.

use sqlx::FromRow;

use crate::{AgentId, Conn, OrgId, ReleaseId, StoreError};

/// A release, without its program.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Whose it is.
    #[sqlx(rename = "agent_id")]
    pub agent: AgentId,
    /// Its number among those of the agent, from 1.
    pub number: i64,
    /// The hash of its bundle.
    pub bundle: String,
    /// The file that was compiled.
    pub entry: String,
    /// The name of the agent in it.
    pub part: String,
    /// The SHA-256 of the compiled program.
    pub program_hash: String,
    /// The version of the compiler.
    pub compiler: String,
    /// The profile that it was published to.
    pub profile: String,
    /// Its revision then.
    pub profile_revision: i64,
    /// 1: it came from a folder of this machine's operator.
    pub trusted: i64,
    /// Who published it.
    pub author: Option<String>,
    /// What they said of it.
    pub note: String,
    /// When.
    pub created_at: i64,
}

/// Adds one with its program.
pub async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    release: &Release,
    program: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO releases (id, org_id, agent_id, number, bundle, entry, part, program, program_hash,
           compiler, profile, profile_revision, trusted, author, note, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(release.id.as_str())
    .bind(org.as_str())
    .bind(release.agent.as_str())
    .bind(release.number)
    .bind(&release.bundle)
    .bind(&release.entry)
    .bind(&release.part)
    .bind(program)
    .bind(&release.program_hash)
    .bind(&release.compiler)
    .bind(&release.profile)
    .bind(release.profile_revision)
    .bind(release.trusted)
    .bind(release.author.as_deref())
    .bind(&release.note)
    .bind(release.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one with this number.
pub async fn find(conn: &mut Conn, org: &OrgId, agent: &AgentId, number: i64) -> Result<Release, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, agent_id, number, bundle, entry, part, program_hash, compiler, profile, profile_revision,
           trusted, author, note, created_at
         FROM releases WHERE org_id = $1 AND agent_id = $2 AND number = $3",
    )
    .bind(org.as_str())
    .bind(agent.as_str())
    .bind(number)
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("release"))
}

/// The one with this id.
pub async fn find_by_id(conn: &mut Conn, org: &OrgId, id: &ReleaseId) -> Result<Release, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, agent_id, number, bundle, entry, part, program_hash, compiler, profile, profile_revision,
           trusted, author, note, created_at
         FROM releases WHERE org_id = $1 AND id = $2",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("release"))
}

/// Its program in the wire form.
pub async fn program(conn: &mut Conn, org: &OrgId, id: &ReleaseId) -> Result<Vec<u8>, StoreError> {
    let found: Option<(Vec<u8>,)> =
        sqlx::query_as("SELECT program FROM releases WHERE org_id = $1 AND id = $2")
            .bind(org.as_str())
            .bind(id.as_str())
            .fetch_optional(conn)
            .await?;
    found.map(|(program,)| program).ok_or(StoreError::not_found("release"))
}

/// A page of an agent's, the newest first. `before`: only older ones than this number.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    agent: &AgentId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Release>, StoreError> {
    let all = sqlx::query_as(
        "SELECT id, agent_id, number, bundle, entry, part, program_hash, compiler, profile, profile_revision,
           trusted, author, note, created_at
         FROM releases WHERE org_id = $1 AND agent_id = $2 AND number < $3 ORDER BY number DESC LIMIT $4",
    )
    .bind(org.as_str())
    .bind(agent.as_str())
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Whether a bundle of an agent was published by the operator, so that its draft may be trusted too.
pub async fn is_trusted(
    conn: &mut Conn,
    org: &OrgId,
    agent: &AgentId,
    bundle: &str,
) -> Result<bool, StoreError> {
    let found: Option<(i64,)> = sqlx::query_as(
        "SELECT number FROM releases WHERE org_id = $1 AND agent_id = $2 AND bundle = $3 AND trusted = 1 LIMIT 1",
    )
    .bind(org.as_str())
    .bind(agent.as_str())
    .bind(bundle)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}
