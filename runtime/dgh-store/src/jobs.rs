//! Work that is done later, by any node: claimed with a lease, tried again, given up.
//!
//! Whoever writes how a job went shows the fence of its claim; one that is not the newest writes
//! nothing.

use sqlx::FromRow;

use crate::{Conn, Dialect, JobId, OrgId, StoreError, claiming};

/// A job that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob<'a> {
    /// Who does it.
    pub kind: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// Asked for twice, done once.
    pub unique_key: &'a str,
    /// What it needs to know; no secrets.
    pub payload: &'a str,
    /// Not before this.
    pub due_at: i64,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its organisation.
    pub org_id: OrgId,
    /// Who does it.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What it needs to know.
    pub payload: String,
    /// `pending`, `done`, `dead`.
    pub state: String,
    /// Attempts so far, this one left out.
    pub attempts: i64,
    /// Since when it is wanted.
    pub queued_at: i64,
    /// What whoever writes about it has to show.
    pub fence: i64,
    /// What went wrong last.
    pub error: Option<String>,
}

/// Wants a job, in the transaction of what it is about; nothing if it was wanted before.
pub async fn add(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewJob<'_>,
    now: i64,
) -> Result<Option<JobId>, StoreError> {
    let sql = "INSERT INTO jobs (id, org_id, kind, subject, unique_key, payload, state, queued_at, due_at, \
               created_at) VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $7) \
               ON CONFLICT (org_id, unique_key) DO NOTHING";
    let id = JobId::fresh();
    let done = sqlx::query(sql)
        .bind(id.as_str())
        .bind(org.as_str())
        .bind(new.kind)
        .bind(new.subject)
        .bind(new.unique_key)
        .bind(new.payload)
        .bind(now)
        .bind(new.due_at)
        .execute(conn)
        .await?;
    Ok((done.rows_affected() > 0).then_some(id))
}

/// Claims up to `most` jobs of a kind that are due, the longest waiting first.
pub async fn claim_unscoped(
    conn: &mut Conn,
    kind: &str,
    node: &str,
    most: i64,
    lease_until: i64,
    now: i64,
) -> Result<Vec<Job>, StoreError> {
    let sql = claiming!(
        Dialect::of(conn),
        "WITH due AS MATERIALIZED (SELECT j.id FROM jobs j WHERE j.state = 'pending' AND j.kind = $1 \
         AND j.due_at <= $2 AND j.lease_until <= $2 ORDER BY j.due_at LIMIT $3",
        ") UPDATE jobs SET node = $4, fence = fence + 1, lease_until = $5 WHERE id IN (SELECT id FROM due) \
         RETURNING id, org_id, kind, subject, payload, state, attempts, queued_at, fence, error"
    );
    let rows =
        sqlx::query_as(sql).bind(kind).bind(now).bind(most).bind(node).bind(lease_until).fetch_all(conn);
    Ok(rows.await?)
}

/// Whether one of a kind is due.
pub async fn any_due_unscoped(conn: &mut Conn, kind: &str, now: i64) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM jobs WHERE state = 'pending' AND kind = $1 AND due_at <= $2 \
               AND lease_until <= $2 LIMIT 1";
    let found = sqlx::query_scalar::<_, String>(sql).bind(kind).bind(now).fetch_optional(conn).await?;
    Ok(found.is_some())
}

/// Still working on it. False: somebody else has it now.
pub async fn renew_unscoped(conn: &mut Conn, job: &Job, lease_until: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done = sqlx::query(sql).bind(job.id.as_str()).bind(job.fence).bind(lease_until).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// It is done, in the transaction of what it made. False: somebody else has it now, and nothing of
/// the transaction may be committed.
pub async fn done_unscoped(conn: &mut Conn, job: &Job, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET state = 'done', attempts = attempts + 1, error = NULL, due_at = NULL, \
               lease_until = 0, done_at = $3 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done = sqlx::query(sql).bind(job.id.as_str()).bind(job.fence).bind(now).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// It failed and is tried again. False: somebody else has it now.
pub async fn retry_unscoped(
    conn: &mut Conn,
    job: &Job,
    error: &str,
    due_at: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET attempts = attempts + 1, error = $3, due_at = $4, lease_until = 0 \
               WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done =
        sqlx::query(sql).bind(job.id.as_str()).bind(job.fence).bind(error).bind(due_at).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// It failed for good. False: somebody else has it now.
pub async fn dead_unscoped(conn: &mut Conn, job: &Job, error: &str, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET state = 'dead', attempts = attempts + 1, error = $3, due_at = NULL, \
               lease_until = 0, done_at = $4 WHERE id = $1 AND fence = $2 AND state = 'pending'";
    let done =
        sqlx::query(sql).bind(job.id.as_str()).bind(job.fence).bind(error).bind(now).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// The jobs about something, the oldest first.
pub async fn about(conn: &mut Conn, org: &OrgId, subject: &str) -> Result<Vec<Job>, StoreError> {
    let sql = "SELECT id, org_id, kind, subject, payload, state, attempts, queued_at, fence, error FROM jobs \
               WHERE org_id = $1 AND subject = $2 ORDER BY id";
    Ok(sqlx::query_as(sql).bind(org.as_str()).bind(subject).fetch_all(conn).await?)
}

/// Ends all leases: for a process that knows that it is the only one.
pub async fn clear_leases_unscoped(conn: &mut Conn) -> Result<u64, StoreError> {
    let sql = "UPDATE jobs SET lease_until = 0 WHERE state = 'pending' AND lease_until > 0";
    Ok(sqlx::query(sql).execute(conn).await?.rows_affected())
}

/// Deletes what was done or given up before this time, at most `limit`. Answers how many went.
pub async fn delete_done_unscoped(conn: &mut Conn, before: i64, limit: i64) -> Result<u64, StoreError> {
    let sql =
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE done_at < $1 ORDER BY done_at LIMIT $2)";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
