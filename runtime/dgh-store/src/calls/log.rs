//! The sealed log of a call while it goes on: what its owner has flushed.

use sqlx::FromRow;

use crate::{CallId, Conn, OrgId, StoreError};

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LogPart {
    /// Its number, from 0.
    pub number: i64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Adds a part. Written twice is written once: a part is tried again when it is not known whether
/// it arrived.
pub async fn append_unscoped(
    conn: &mut Conn,
    org: &OrgId,
    call: &CallId,
    part: &LogPart,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_log (call_id, org_id, number, bytes) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (call_id, number) DO NOTHING";
    sqlx::query(sql).bind(call).bind(org).bind(part.number).bind(part.bytes.as_slice()).execute(conn).await?;
    Ok(())
}

/// The parts behind a number, in order; behind -1: all.
pub async fn parts_after(
    conn: &mut Conn,
    org: &OrgId,
    call: &CallId,
    number: i64,
) -> Result<Vec<LogPart>, StoreError> {
    let sql = "SELECT number, bytes FROM call_log WHERE org_id = $1 AND call_id = $2 AND number > $3 \
               ORDER BY number";
    Ok(sqlx::query_as(sql).bind(org).bind(call).bind(number).fetch_all(conn).await?)
}

/// The log so far, up to the first part that is missing.
pub async fn whole_log(conn: &mut Conn, org: &OrgId, call: &CallId) -> Result<Vec<u8>, StoreError> {
    let parts = parts_after(conn, org, call, -1).await?;
    let whole = parts.into_iter().zip(0_i64..).take_while(|(part, number)| part.number == *number);
    Ok(whole.flat_map(|(part, _)| part.bytes).collect())
}

/// Forgets the parts: the log is a file now.
pub async fn forget_log(conn: &mut Conn, org: &OrgId, call: &CallId) -> Result<(), StoreError> {
    let sql = "DELETE FROM call_log WHERE org_id = $1 AND call_id = $2";
    sqlx::query(sql).bind(org).bind(call).execute(conn).await?;
    Ok(())
}
