//! What an organisation signs its webhooks with. Two are valid at once while receivers change over.

use serde::Serialize;
use sqlx::FromRow;

use crate::{Conn, OrgId, SecretId, StoreError};

/// A signing secret, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct SigningSecret {
    /// Its id.
    pub id: SecretId,
    /// Its last letters.
    pub ending: String,
    /// When it was made.
    pub created_at: i64,
    /// Until when it signs; none: until another takes its place.
    pub retires_at: Option<i64>,
}

/// Adds one, sealed. Those that are there sign on until `others_until` at most.
pub async fn add_signing_secret(
    conn: &mut Conn,
    org: &OrgId,
    id: &SecretId,
    sealed: &str,
    ending: &str,
    others_until: i64,
    now: i64,
) -> Result<(), StoreError> {
    let retire = "UPDATE signing_secrets SET retires_at = $2 WHERE org_id = $1 \
                  AND (retires_at IS NULL OR retires_at > $2)";
    sqlx::query(retire).bind(org.as_str()).bind(others_until).execute(&mut *conn).await?;
    let forget = "DELETE FROM signing_secrets WHERE org_id = $1 AND retires_at <= $2";
    sqlx::query(forget).bind(org.as_str()).bind(now).execute(&mut *conn).await?;
    let add =
        "INSERT INTO signing_secrets (id, org_id, sealed, ending, created_at) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(add)
        .bind(id.as_str())
        .bind(org.as_str())
        .bind(sealed)
        .bind(ending)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Those that sign now, the newest first.
pub async fn signing_secrets(
    conn: &mut Conn,
    org: &OrgId,
    now: i64,
) -> Result<Vec<SigningSecret>, StoreError> {
    let sql = "SELECT id, ending, created_at, retires_at FROM signing_secrets \
               WHERE org_id = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY id DESC";
    Ok(sqlx::query_as(sql).bind(org.as_str()).bind(now).fetch_all(conn).await?)
}

/// Those that sign now, sealed, with their ids, the newest first.
pub async fn valid_signing_secrets(
    conn: &mut Conn,
    org: &OrgId,
    now: i64,
) -> Result<Vec<(SecretId, String)>, StoreError> {
    let sql = "SELECT id, sealed FROM signing_secrets \
               WHERE org_id = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY id DESC";
    Ok(sqlx::query_as(sql).bind(org.as_str()).bind(now).fetch_all(conn).await?)
}

/// It signs no more. False: there is none like this.
pub async fn retire(conn: &mut Conn, org: &OrgId, id: &SecretId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM signing_secrets WHERE org_id = $1 AND id = $2";
    let done = sqlx::query(sql).bind(org.as_str()).bind(id.as_str()).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}
