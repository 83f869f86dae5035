//! What the knowledge of a release is made of.

use sqlx::FromRow;

use crate::{Conn, DocumentId, OrgId, ReleaseId, StoreError};

/// A file or page that a knowledge of a release is made of.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Source {
    /// Its name in the program.
    pub knowledge: String,
    /// Its place in the program.
    pub position: i64,
    /// `file` or `url`.
    pub kind: String,
    /// The path or the address.
    pub source: String,
    /// What it held.
    #[sqlx(rename = "document_id")]
    pub document: DocumentId,
    /// `pdf`, `docx`, `html`, `markdown`, `csv`, `text`.
    pub format: String,
    /// How many passages it has.
    pub passages: i64,
    /// When it was read.
    pub indexed_at: i64,
}

/// All of a release, in the order of its program.
pub async fn of_release(
    conn: &mut Conn,
    org: &OrgId,
    release: &ReleaseId,
) -> Result<Vec<Source>, StoreError> {
    let all = sqlx::query_as(
        "SELECT s.knowledge, s.position, s.kind, s.source, s.document_id, d.format, d.passages, s.indexed_at
         FROM knowledge_sources s JOIN documents d ON d.id = s.document_id AND d.org_id = s.org_id
         WHERE s.org_id = $1 AND s.release_id = $2 ORDER BY s.position, s.knowledge, s.source",
    )
    .bind(org.as_str())
    .bind(release.as_str())
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Writes down what a release is made of.
pub async fn put_source(
    conn: &mut Conn,
    org: &OrgId,
    release: &ReleaseId,
    (knowledge, position): (&str, i64),
    (kind, source): (&str, &str),
    document: &DocumentId,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO knowledge_sources
             (org_id, release_id, knowledge, position, kind, source, document_id, indexed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (release_id, knowledge, source) DO NOTHING",
    )
    .bind(org.as_str())
    .bind(release.as_str())
    .bind(knowledge)
    .bind(position)
    .bind(kind)
    .bind(source)
    .bind(document.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// A page holds something else now. Answers whether the release has such a page.
pub async fn swap(
    conn: &mut Conn,
    org: &OrgId,
    release: &ReleaseId,
    url: &str,
    document: &DocumentId,
    now: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE knowledge_sources SET document_id = $1, indexed_at = $2
         WHERE org_id = $3 AND release_id = $4 AND kind = 'url' AND source = $5",
    )
    .bind(document.as_str())
    .bind(now)
    .bind(org.as_str())
    .bind(release.as_str())
    .bind(url)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes documents that no release is made of and that were cut before a moment.
pub async fn sweep_unscoped(conn: &mut Conn, before: i64) -> Result<u64, StoreError> {
    let gone = sqlx::query(
        "DELETE FROM documents WHERE created_at < $1
         AND NOT EXISTS (SELECT 1 FROM knowledge_sources s WHERE s.document_id = documents.id)",
    )
    .bind(before)
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
