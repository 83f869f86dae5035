//! Failed attempts, counted for a subject: an account, an address. An attempt counts as failed before
//! it is looked at, so that many at the same time are no way around; what succeeds takes that back.

use sqlx::FromRow;

use crate::{Conn, StoreError};

/// What is known of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Throttle {
    /// Attempts that failed, or are being looked at.
    pub failures: i64,
    /// Nothing is looked at before.
    pub blocked_until: i64,
    /// When it was tried last.
    pub updated_at: i64,
}

/// What is known. The row is there afterwards and locked until the transaction ends.
pub async fn lock_unscoped(conn: &mut Conn, subject: &str, now: i64) -> Result<Throttle, StoreError> {
    let known = sqlx::query_as(
        "INSERT INTO throttles (subject, failures, blocked_until, updated_at) VALUES ($1, 0, 0, $2)
         ON CONFLICT (subject) DO UPDATE SET failures = throttles.failures
         RETURNING failures, blocked_until, updated_at",
    )
    .bind(subject)
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(known)
}

/// Writes down what is known now.
pub async fn set_unscoped(conn: &mut Conn, subject: &str, throttle: Throttle) -> Result<(), StoreError> {
    sqlx::query("UPDATE throttles SET failures = $2, blocked_until = $3, updated_at = $4 WHERE subject = $1")
        .bind(subject)
        .bind(throttle.failures)
        .bind(throttle.blocked_until)
        .bind(throttle.updated_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// It was the right one: nothing has failed.
pub async fn clear_unscoped(conn: &mut Conn, subject: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM throttles WHERE subject = $1").bind(subject).execute(conn).await?;
    Ok(())
}

/// One attempt did not fail after all; those before it did.
pub async fn forgive_unscoped(conn: &mut Conn, subject: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE throttles SET failures = failures - 1 WHERE subject = $1 AND failures > 0")
        .bind(subject)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets what was long ago.
pub async fn tidy_unscoped(conn: &mut Conn, before: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM throttles WHERE updated_at < $1").bind(before).execute(conn).await?;
    Ok(())
}
