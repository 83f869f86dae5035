//! Profiles: where agents run. Each change is a revision, and calls pin one.

use sqlx::FromRow;

use crate::{Conn, OrgId, ProfileId, StoreError};

/// A profile in its newest revision.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its name.
    pub name: String,
    /// The number of its newest revision, from 1.
    pub revision: i64,
    /// How often its secrets changed.
    pub secrets: i64,
    /// What it says, as JSON.
    pub settings: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed.
    pub updated_at: i64,
}

/// Adds one, in its first revision. False: there is one of that name.
pub async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
    settings: &str,
    author: Option<&str>,
    now: i64,
) -> Result<bool, StoreError> {
    let id = ProfileId::fresh();
    let made = sqlx::query(
        "INSERT INTO profiles (id, org_id, name, revision, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4)
         ON CONFLICT (org_id, name) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(org.as_str())
    .bind(name)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    if made.rows_affected() == 1 {
        keep(conn, org, &id, 1, settings, author, now).await?;
    }
    Ok(made.rows_affected() == 1)
}

/// Gives one a new revision, if it still has this one. None: somebody was faster.
pub async fn revise(
    conn: &mut Conn,
    org: &OrgId,
    id: &ProfileId,
    was: i64,
    settings: &str,
    author: Option<&str>,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let done = sqlx::query(
        "UPDATE profiles SET revision = revision + 1, updated_at = $4
         WHERE org_id = $1 AND id = $2 AND revision = $3",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .bind(was)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    keep(conn, org, id, was + 1, settings, author, now).await?;
    Ok(Some(was + 1))
}

async fn keep(
    conn: &mut Conn,
    org: &OrgId,
    id: &ProfileId,
    revision: i64,
    settings: &str,
    author: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO profile_revisions (profile_id, org_id, revision, settings, author, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.as_str())
    .bind(org.as_str())
    .bind(revision)
    .bind(settings)
    .bind(author)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one with this name.
pub async fn find(conn: &mut Conn, org: &OrgId, name: &str) -> Result<Profile, StoreError> {
    let found = sqlx::query_as(
        "SELECT p.id, p.name, p.revision, p.secrets, v.settings, p.created_at, p.updated_at
         FROM profiles p JOIN profile_revisions v ON v.profile_id = p.id AND v.revision = p.revision
         WHERE p.org_id = $1 AND p.name = $2",
    )
    .bind(org.as_str())
    .bind(name)
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("profile"))
}

/// How often the secrets of one changed; none: it is not there any more.
pub async fn changes(conn: &mut Conn, org: &OrgId, id: &ProfileId) -> Result<Option<i64>, StoreError> {
    let found: Option<(i64,)> = sqlx::query_as("SELECT secrets FROM profiles WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(found.map(|(changes,)| changes))
}

/// A page of them, by name.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Profile>, StoreError> {
    let all = sqlx::query_as(
        "SELECT p.id, p.name, p.revision, p.secrets, v.settings, p.created_at, p.updated_at
         FROM profiles p JOIN profile_revisions v ON v.profile_id = p.id AND v.revision = p.revision
         WHERE p.org_id = $1 AND p.name > $2 ORDER BY p.name LIMIT $3",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// What it said in a revision.
pub async fn revision(
    conn: &mut Conn,
    org: &OrgId,
    id: &ProfileId,
    revision: i64,
) -> Result<String, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT settings FROM profile_revisions WHERE org_id = $1 AND profile_id = $2 AND revision = $3",
    )
    .bind(org.as_str())
    .bind(id.as_str())
    .bind(revision)
    .fetch_optional(conn)
    .await?;
    found.map(|(settings,)| settings).ok_or(StoreError::not_found("revision"))
}

/// Whether something is answered in it: traffic, routes, an agent's own name.
pub async fn is_used(conn: &mut Conn, org: &OrgId, name: &str) -> Result<bool, StoreError> {
    let found: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM traffic WHERE org_id = $1 AND profile = $2
         UNION ALL SELECT 1 FROM routes WHERE org_id = $1 AND profile = $2
         UNION ALL SELECT 1 FROM agents WHERE org_id = $1 AND profile = $2 AND archived_at IS NULL
         LIMIT 1",
    )
    .bind(org.as_str())
    .bind(name)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Removes one with its revisions and secrets.
pub async fn remove(conn: &mut Conn, org: &OrgId, id: &ProfileId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM profiles WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(id.as_str())
        .execute(conn)
        .await?;
    Ok(())
}
