//! What was answered to a create, for whoever asks the same again: a client that heard no answer must
//! be able to repeat it without making two things.

use sqlx::FromRow;

use crate::{Conn, OrgId, StoreError};

/// What is known of a key of a request.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Stored {
    /// The hash of the request that came with it.
    pub request: String,
    /// The status of the answer.
    pub status: i64,
    /// The answer, sealed.
    pub answer: String,
}

/// Takes the key for this transaction. A conflict: another request has it, or had it; see [`get`].
/// On Postgres this waits for a transaction that holds the key at the moment.
pub async fn claim(
    conn: &mut Conn,
    org: &OrgId,
    key: &str,
    request: &str,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency WHERE org_id = $1 AND key = $2 AND expires_at <= $3")
        .bind(org.as_str())
        .bind(key)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO idempotency (org_id, key, request, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(org.as_str())
        .bind(key)
        .bind(request)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the answer, in the same transaction.
pub async fn answer(
    conn: &mut Conn,
    org: &OrgId,
    key: &str,
    status: i64,
    answer: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE idempotency SET status = $3, answer = $4 WHERE org_id = $1 AND key = $2")
        .bind(org.as_str())
        .bind(key)
        .bind(status)
        .bind(answer)
        .execute(conn)
        .await?;
    Ok(())
}

/// What was answered.
pub async fn get(conn: &mut Conn, org: &OrgId, key: &str) -> Result<Option<Stored>, StoreError> {
    let found = sqlx::query_as(
        "SELECT request, status, answer FROM idempotency WHERE org_id = $1 AND key = $2 AND answer IS NOT NULL",
    )
    .bind(org.as_str())
    .bind(key)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Forgets what is over.
pub async fn tidy_unscoped(conn: &mut Conn, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency WHERE expires_at <= $1").bind(now).execute(conn).await?;
    Ok(())
}
