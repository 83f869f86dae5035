//! How an attempt went. Everything here shows the fence of its claim, and writes nothing when that is
//! old: somebody else has the delivery now.

use crate::{Conn, OrgId, Query, StoreError};

/// A claim on a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket<'a> {
    /// The delivery.
    pub id: &'a str,
    /// The fence that came with it.
    pub fence: i64,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Its organisation.
    pub org: &'a OrgId,
    /// Its number, from 1.
    pub number: i64,
    /// When it began.
    pub at: i64,
    /// How long it took.
    pub took_ms: i64,
    /// The status, if there was an answer.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: &'a str,
}

/// The receivers have these, and answered this status. Answers how many were still ours.
pub async fn delivered_unscoped(
    conn: &mut Conn,
    tickets: &[Ticket<'_>],
    status: i64,
    now: i64,
) -> Result<u64, StoreError> {
    if tickets.is_empty() {
        return Ok(0);
    }
    let mut query = Query::new(
        "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, tries = tries + 1, error = NULL, \
         parked_for = NULL, due_at = NULL, lease_until = 0, status = ",
    );
    query.bind(status).push(", done_at = ").bind(now);
    ours(&mut query, tickets);
    query.run(conn).await
}

/// An attempt failed and another one follows. False: it is no longer ours.
pub async fn retry_unscoped(
    conn: &mut Conn,
    ticket: &Ticket<'_>,
    attempt: &Attempt<'_>,
    due_at: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE deliveries SET attempts = $3, tries = tries + 1, status = $4, error = $5, due_at = $6, \
               lease_until = 0 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done = sqlx::query(sql)
        .bind(ticket.id)
        .bind(ticket.fence)
        .bind(attempt.number)
        .bind(attempt.status)
        .bind(attempt.error)
        .bind(due_at)
        .execute(&mut *conn)
        .await?;
    keep(conn, ticket, attempt, done.rows_affected()).await
}

/// An attempt failed for good, or was the last one. False: it is no longer ours.
pub async fn dead_unscoped(
    conn: &mut Conn,
    ticket: &Ticket<'_>,
    attempt: &Attempt<'_>,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE deliveries SET state = 'dead', attempts = $3, tries = tries + 1, status = $4, error = $5, \
               due_at = NULL, lease_until = 0, done_at = $6 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done = sqlx::query(sql)
        .bind(ticket.id)
        .bind(ticket.fence)
        .bind(attempt.number)
        .bind(attempt.status)
        .bind(attempt.error)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    keep(conn, ticket, attempt, done.rows_affected()).await
}

/// It cannot be sent as long as this is missing; nothing was sent. False: it is no longer ours.
pub async fn park_unscoped(
    conn: &mut Conn,
    ticket: &Ticket<'_>,
    parked_for: &str,
    error: &str,
) -> Result<bool, StoreError> {
    let sql = "UPDATE deliveries SET state = 'parked', parked_for = $3, error = $4, due_at = NULL, \
               lease_until = 0 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done = sqlx::query(sql)
        .bind(ticket.id)
        .bind(ticket.fence)
        .bind(parked_for)
        .bind(error)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Gives claims back unused: nothing was sent.
pub async fn release_unscoped(
    conn: &mut Conn,
    tickets: &[Ticket<'_>],
    due_at: i64,
) -> Result<u64, StoreError> {
    if tickets.is_empty() {
        return Ok(0);
    }
    let mut query = Query::new("UPDATE deliveries SET lease_until = 0, due_at = ");
    query.bind(due_at);
    ours(&mut query, tickets);
    query.run(conn).await
}

fn ours(query: &mut Query, tickets: &[Ticket<'_>]) {
    query.push(" WHERE state = 'pending' AND (id, fence) IN (VALUES ");
    for (number, ticket) in tickets.iter().enumerate() {
        query.push(if number == 0 { "(CAST(" } else { ", (CAST(" });
        query.bind(ticket.id).push(" AS TEXT), CAST(").bind(ticket.fence).push(" AS BIGINT))");
    }
    query.push(")");
}

async fn keep(
    conn: &mut Conn,
    ticket: &Ticket<'_>,
    attempt: &Attempt<'_>,
    changed: u64,
) -> Result<bool, StoreError> {
    if changed == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO delivery_attempts (delivery_id, org_id, number, at, took_ms, status, error) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (delivery_id, number) DO NOTHING";
    sqlx::query(sql)
        .bind(ticket.id)
        .bind(attempt.org.as_str())
        .bind(attempt.number)
        .bind(attempt.at)
        .bind(attempt.took_ms)
        .bind(attempt.status)
        .bind(attempt.error)
        .execute(conn)
        .await?;
    Ok(true)
}
