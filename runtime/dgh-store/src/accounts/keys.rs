//! API keys. They belong to the organisation; only their hashes are kept.

use sqlx::FromRow;

use super::{Role, Scopes};
use crate::{ApiKeyId, Conn, OrgId, StoreError, UserId};

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApiKey {
    /// Its id, which opens nothing.
    pub id: ApiKeyId,
    /// Whose things it opens.
    #[sqlx(rename = "org_id")]
    pub org: OrgId,
    /// What it is for.
    pub name: String,
    /// Its first letters.
    pub prefix: String,
    /// As what.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// And to which parts.
    #[sqlx(try_from = "String")]
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: i64,
    /// Until when it is good.
    pub expires_at: Option<i64>,
    /// When it was used last, to a minute.
    pub used_at: Option<i64>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
}

/// Adds one, with the hash of the key.
pub async fn insert(conn: &mut Conn, org: &OrgId, key: &ApiKey, hash: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_keys (id, org_id, name, prefix, hash, role, scopes, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(key.id.as_str())
    .bind(org.as_str())
    .bind(&key.name)
    .bind(&key.prefix)
    .bind(hash)
    .bind(key.role.word())
    .bind(key.scopes.to_string())
    .bind(key.created_by.as_ref().map(UserId::as_str))
    .bind(key.created_at)
    .bind(key.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one with this hash, when it is still good.
pub async fn find_unscoped(conn: &mut Conn, hash: &str, now: i64) -> Result<Option<ApiKey>, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, org_id, name, prefix, role, scopes, created_by, created_at, expires_at, used_at, revoked_at
         FROM api_keys WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(hash)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// It was used.
pub async fn touch_unscoped(conn: &mut Conn, key: &ApiKeyId, now: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE api_keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)")
        .bind(key.as_str())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of them, revoked ones too, the newest first.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ApiKey>, StoreError> {
    let all = sqlx::query_as(
        "SELECT id, org_id, name, prefix, role, scopes, created_by, created_at, expires_at, used_at, revoked_at
         FROM api_keys WHERE org_id = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// One of them.
pub async fn get(conn: &mut Conn, org: &OrgId, key: &ApiKeyId) -> Result<ApiKey, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, org_id, name, prefix, role, scopes, created_by, created_at, expires_at, used_at, revoked_at
         FROM api_keys WHERE org_id = $1 AND id = $2",
    )
    .bind(org.as_str())
    .bind(key.as_str())
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("key"))
}

/// Takes one back. False: it was already.
pub async fn revoke(conn: &mut Conn, org: &OrgId, key: &ApiKeyId, now: i64) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE api_keys SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(org.as_str())
    .bind(key.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes back all that a user made. Answers which.
pub async fn revoke_of(
    conn: &mut Conn,
    org: &OrgId,
    user: &UserId,
    now: i64,
) -> Result<Vec<ApiKeyId>, StoreError> {
    let all = sqlx::query_scalar(
        "UPDATE api_keys SET revoked_at = $3 WHERE org_id = $1 AND created_by = $2 AND revoked_at IS NULL
         RETURNING id",
    )
    .bind(org.as_str())
    .bind(user.as_str())
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(all)
}
