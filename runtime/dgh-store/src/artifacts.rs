//! Files of calls: where they are, who may open them, how long they are kept.

use sqlx::{FromRow, Row as _};

use crate::{ArtifactId, CallId, Conn, OrgId, Query, StoreError};

/// A file of a call.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// The organisation.
    pub org_id: OrgId,
    /// The call.
    pub call_id: CallId,
    /// `recording`, `transcript`, `log`.
    pub kind: String,
    /// Where it is among the objects.
    pub path: String,
    /// What it is.
    pub media_type: String,
    /// How long it is.
    pub bytes: Option<i64>,
    /// `spooled`: in the folder of one node alone; `stored`; `deleted`.
    pub state: String,
    /// Which folder.
    pub spool: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it is deleted.
    pub delete_at: Option<i64>,
}

/// A link that anybody may open.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Link {
    /// SHA-256 of its word.
    pub token: String,
    /// The file.
    pub artifact_id: ArtifactId,
    /// When it was made.
    pub created_at: i64,
    /// By whom.
    pub created_by: Option<String>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
}

/// How many days files of a kind are kept.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Rule {
    /// The agent; empty: all that have no rule of their own.
    pub agent: String,
    /// `recording`, `transcript`, `log`, `call`.
    pub kind: String,
    /// Days.
    pub days: i64,
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

macro_rules! columns {
    () => {
        "id, org_id, call_id, kind, path, media_type, bytes, state, spool, created_at, delete_at"
    };
}

/// Keeps a file. Told twice, the first one stays.
pub async fn insert(conn: &mut Conn, org: &OrgId, new: &Artifact) -> Result<(), StoreError> {
    let sql = concat!(
        "INSERT INTO artifacts (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (call_id, kind) DO NOTHING"
    );
    sqlx::query(sql)
        .bind(&new.id)
        .bind(org)
        .bind(&new.call_id)
        .bind(&new.kind)
        .bind(&new.path)
        .bind(&new.media_type)
        .bind(new.bytes)
        .bind(&new.state)
        .bind(new.spool.as_deref())
        .bind(new.created_at)
        .bind(new.delete_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// The files of a call that are there.
pub async fn of_call(conn: &mut Conn, org: &OrgId, call: &CallId) -> Result<Vec<Artifact>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts WHERE org_id = $1 AND call_id = $2 AND state <> 'deleted' ORDER BY kind"
    );
    Ok(sqlx::query_as(sql).bind(org).bind(call).fetch_all(conn).await?)
}

/// A file of the organisation.
pub async fn get(conn: &mut Conn, org: &OrgId, id: &ArtifactId) -> Result<Option<Artifact>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts WHERE org_id = $1 AND id = $2 AND state <> 'deleted'"
    );
    Ok(sqlx::query_as(sql).bind(org).bind(id).fetch_optional(conn).await?)
}

/// The file of a link that nobody took back. The word of the link is all that is shown.
pub async fn by_link_unscoped(conn: &mut Conn, token: &str) -> Result<Option<Artifact>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts WHERE state <> 'deleted' AND id = \
         (SELECT artifact_id FROM artifact_links WHERE token = $1 AND revoked_at IS NULL)"
    );
    Ok(sqlx::query_as(sql).bind(token).fetch_optional(conn).await?)
}

/// A file by its id, behind a checked signature.
pub async fn get_unscoped(conn: &mut Conn, id: &ArtifactId) -> Result<Option<Artifact>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM artifacts WHERE id = $1 AND state <> 'deleted'");
    Ok(sqlx::query_as(sql).bind(id).fetch_optional(conn).await?)
}

/// Files that wait in a folder to be stored.
pub async fn spooled_unscoped(conn: &mut Conn, spool: &str, most: i64) -> Result<Vec<Artifact>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts WHERE spool = $1 AND state = 'spooled' ORDER BY created_at, id LIMIT $2"
    );
    Ok(sqlx::query_as(sql).bind(spool).bind(most).fetch_all(conn).await?)
}

/// A file is where all nodes find it.
pub async fn stored_unscoped(conn: &mut Conn, id: &ArtifactId, bytes: i64) -> Result<(), StoreError> {
    let sql = "UPDATE artifacts SET state = 'stored', spool = NULL, bytes = $2 \
               WHERE id = $1 AND state = 'spooled'";
    sqlx::query(sql).bind(id).bind(bytes).execute(conn).await?;
    Ok(())
}

/// A file is gone.
pub async fn deleted_unscoped(conn: &mut Conn, id: &ArtifactId) -> Result<(), StoreError> {
    let sql = "UPDATE artifacts SET state = 'deleted', spool = NULL WHERE id = $1";
    sqlx::query(sql).bind(id).execute(conn).await?;
    Ok(())
}

/// A file is deleted with the next round.
pub async fn delete_soon(conn: &mut Conn, org: &OrgId, id: &ArtifactId, now: i64) -> Result<(), StoreError> {
    let sql = "UPDATE artifacts SET delete_at = $3 WHERE org_id = $1 AND id = $2";
    sqlx::query(sql).bind(org).bind(id).bind(now).execute(conn).await?;
    Ok(())
}

/// Files whose time is over.
pub async fn due_unscoped(conn: &mut Conn, now: i64, most: i64) -> Result<Vec<Artifact>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM artifacts WHERE delete_at <= $1 AND state <> 'deleted' ORDER BY delete_at, id LIMIT $2"
    );
    Ok(sqlx::query_as(sql).bind(now).bind(most).fetch_all(conn).await?)
}

/// Makes a link.
pub async fn link(
    conn: &mut Conn,
    org: &OrgId,
    artifact: &ArtifactId,
    token: &str,
    by: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO artifact_links (token, org_id, artifact_id, created_at, created_by) \
               VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql).bind(token).bind(org).bind(artifact).bind(now).bind(by).execute(conn).await?;
    Ok(())
}

/// Takes all links of a file back; answers how many there were.
pub async fn revoke_links(
    conn: &mut Conn,
    org: &OrgId,
    artifact: &ArtifactId,
    now: i64,
) -> Result<u64, StoreError> {
    let sql = "UPDATE artifact_links SET revoked_at = $3 \
               WHERE org_id = $1 AND artifact_id = $2 AND revoked_at IS NULL";
    Ok(sqlx::query(sql).bind(org).bind(artifact).bind(now).execute(conn).await?.rows_affected())
}

/// The rules of an organisation.
pub async fn rules(conn: &mut Conn, org: &OrgId) -> Result<Vec<Rule>, StoreError> {
    let sql = "SELECT agent, kind, days FROM retention WHERE org_id = $1 ORDER BY agent, kind";
    Ok(sqlx::query_as(sql).bind(org).fetch_all(conn).await?)
}

/// Sets or removes a rule, also for the files that are there.
pub async fn set_rule(
    conn: &mut Conn,
    org: &OrgId,
    agent: &str,
    kind: &str,
    days: Option<i64>,
) -> Result<(), StoreError> {
    match days {
        Some(days) => {
            let sql = "INSERT INTO retention (org_id, agent, kind, days) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (org_id, agent, kind) DO UPDATE SET days = excluded.days";
            sqlx::query(sql).bind(org).bind(agent).bind(kind).bind(days).execute(&mut *conn).await?;
        }
        None => {
            let sql = "DELETE FROM retention WHERE org_id = $1 AND agent = $2 AND kind = $3";
            sqlx::query(sql).bind(org).bind(agent).bind(kind).execute(&mut *conn).await?;
        }
    }
    apply_rules(conn, org, kind).await
}

/// When a new file of this kind is deleted.
pub async fn delete_at(
    conn: &mut Conn,
    org: &OrgId,
    agent: &str,
    kind: &str,
    created_at: i64,
) -> Result<Option<i64>, StoreError> {
    // The agent's own rule sorts behind the empty name.
    let sql = "SELECT days FROM retention WHERE org_id = $1 AND kind = $3 AND agent IN ('', $2) \
               ORDER BY agent DESC LIMIT 1";
    let row = sqlx::query(sql).bind(org).bind(agent).bind(kind).fetch_optional(conn).await?;
    let days: Option<i64> = row.map(|row| row.try_get("days")).transpose()?;
    Ok(days.map(|days| created_at.saturating_add(days.saturating_mul(DAY))))
}

async fn apply_rules(conn: &mut Conn, org: &OrgId, kind: &str) -> Result<(), StoreError> {
    let sql = "UPDATE artifacts SET delete_at = created_at + 86400000 * (SELECT r.days FROM retention r \
               JOIN calls c ON c.id = artifacts.call_id WHERE r.org_id = $1 AND r.kind = $2 \
               AND r.agent IN ('', c.agent) ORDER BY r.agent DESC LIMIT 1) \
               WHERE org_id = $1 AND kind = $2 AND state <> 'deleted'";
    sqlx::query(sql).bind(org).bind(kind).execute(conn).await?;
    Ok(())
}

/// Ended calls whose time is over, with everything that is kept of them: how many were deleted.
/// Those whose files are still there wait for them.
pub async fn delete_old_calls_unscoped(conn: &mut Conn, now: i64, most: i64) -> Result<u64, StoreError> {
    let mut query = Query::new(
        "DELETE FROM calls WHERE id IN (SELECT c.id FROM calls c WHERE c.state = 'ended' \
         AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.call_id = c.id AND a.state <> 'deleted') \
         AND c.created_at + 86400000 * (SELECT r.days FROM retention r WHERE r.org_id = c.org_id \
         AND r.kind = 'call' AND r.agent IN ('', c.agent) ORDER BY r.agent DESC LIMIT 1) <= ",
    );
    query.bind(now).push(" LIMIT ").bind(most).push(")");
    query.run(conn).await
}
