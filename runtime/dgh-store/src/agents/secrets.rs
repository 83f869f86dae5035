//! Secrets of profiles, sealed. Nothing here can open one.

use sqlx::FromRow;

use crate::{Conn, OrgId, ProfileId, StoreError};

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// How often it was set.
    pub version: i64,
    /// When it was first set.
    pub created_at: i64,
    /// When it was set last.
    pub updated_at: i64,
    /// By whom.
    pub updated_by: Option<String>,
}

/// A secret as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Sealed {
    /// Its name.
    pub name: String,
    /// What only the vault opens.
    pub sealed: String,
}

/// Sets one; answers which version it is.
pub async fn set(
    conn: &mut Conn,
    org: &OrgId,
    profile: &ProfileId,
    name: &str,
    sealed: &str,
    by: Option<&str>,
    now: i64,
) -> Result<i64, StoreError> {
    let (version,): (i64,) = sqlx::query_as(
        "INSERT INTO secrets (profile_id, org_id, name, sealed, version, created_at, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, 1, $5, $5, $6)
         ON CONFLICT (profile_id, name) DO UPDATE SET sealed = excluded.sealed, version = secrets.version + 1,
           updated_at = excluded.updated_at, updated_by = excluded.updated_by
         RETURNING version",
    )
    .bind(profile.as_str())
    .bind(org.as_str())
    .bind(name)
    .bind(sealed)
    .bind(now)
    .bind(by)
    .fetch_one(&mut *conn)
    .await?;
    changed(conn, org, profile).await?;
    Ok(version)
}

/// Removes one.
pub async fn remove(conn: &mut Conn, org: &OrgId, profile: &ProfileId, name: &str) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM secrets WHERE org_id = $1 AND profile_id = $2 AND name = $3")
        .bind(org.as_str())
        .bind(profile.as_str())
        .bind(name)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::not_found("secret"));
    }
    changed(conn, org, profile).await
}

/// A page of what may be told, by name.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    profile: &ProfileId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Secret>, StoreError> {
    let all = sqlx::query_as(
        "SELECT name, version, created_at, updated_at, updated_by FROM secrets
         WHERE org_id = $1 AND profile_id = $2 AND name > $3 ORDER BY name LIMIT $4",
    )
    .bind(org.as_str())
    .bind(profile.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// All of a profile, as they are kept.
pub async fn sealed(conn: &mut Conn, org: &OrgId, profile: &ProfileId) -> Result<Vec<Sealed>, StoreError> {
    let all = sqlx::query_as("SELECT name, sealed FROM secrets WHERE org_id = $1 AND profile_id = $2")
        .bind(org.as_str())
        .bind(profile.as_str())
        .fetch_all(conn)
        .await?;
    Ok(all)
}

async fn changed(conn: &mut Conn, org: &OrgId, profile: &ProfileId) -> Result<(), StoreError> {
    sqlx::query("UPDATE profiles SET secrets = secrets + 1 WHERE org_id = $1 AND id = $2")
        .bind(org.as_str())
        .bind(profile.as_str())
        .execute(conn)
        .await?;
    Ok(())
}
