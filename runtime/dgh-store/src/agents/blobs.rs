//! Contents of files, each kept once in an organisation.

use std::collections::BTreeSet;

use crate::{Conn, OrgId, Query, StoreError};

/// Keeps a content; the same one twice is one. It counts as new again, so that it is not swept away
/// before a bundle names it.
pub async fn put(
    conn: &mut Conn,
    org: &OrgId,
    sha256: &str,
    content: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO blobs (org_id, sha256, size, content, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (org_id, sha256) DO UPDATE SET created_at = excluded.created_at",
    )
    .bind(org.as_str())
    .bind(sha256)
    .bind(i64::try_from(content.len()).unwrap_or(i64::MAX))
    .bind(content)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// A content.
pub async fn get(conn: &mut Conn, org: &OrgId, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let found: Option<(Vec<u8>,)> =
        sqlx::query_as("SELECT content FROM blobs WHERE org_id = $1 AND sha256 = $2")
            .bind(org.as_str())
            .bind(sha256)
            .fetch_optional(conn)
            .await?;
    found.map(|(content,)| content).ok_or(StoreError::not_found("file"))
}

/// Contents asked for at once.
const AT_ONCE: usize = 500;

/// Which of these are there, with their sizes.
pub async fn sizes(
    conn: &mut Conn,
    org: &OrgId,
    wanted: &BTreeSet<&str>,
) -> Result<Vec<(String, i64)>, StoreError> {
    let wanted: Vec<&str> = wanted.iter().copied().collect();
    let mut found = Vec::new();
    for some in wanted.chunks(AT_ONCE) {
        let mut query = Query::new("SELECT sha256, size FROM blobs WHERE org_id = ");
        query.bind(org.as_str()).push(" AND sha256 IN (").bind_all(some.iter().copied()).push(")");
        found.extend(query.all::<(String, i64)>(conn).await?);
    }
    Ok(found)
}
