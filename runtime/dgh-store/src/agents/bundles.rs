//! Bundles: paths and the contents that stand there. A bundle never changes.

use sqlx::FromRow;

use crate::{Conn, OrgId, StoreError};

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct File {
    /// Its path, with `/`.
    pub path: String,
    /// The SHA-256 of its content.
    pub blob: String,
    /// Bytes.
    pub size: i64,
}

/// Adds a bundle; one that is there stays as it is. Its contents must be there.
pub async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    hash: &str,
    files: &[File],
    now: i64,
) -> Result<(), StoreError> {
    let made = sqlx::query(
        "INSERT INTO bundles (org_id, hash, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (org_id, hash) DO UPDATE SET created_at = excluded.created_at",
    )
    .bind(org.as_str())
    .bind(hash)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    debug_assert_eq!(made.rows_affected(), 1, "it is made, or it is new again");
    for file in files {
        sqlx::query(
            "INSERT INTO bundle_files (org_id, bundle, path, blob, size) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (org_id, bundle, path) DO NOTHING",
        )
        .bind(org.as_str())
        .bind(hash)
        .bind(&file.path)
        .bind(&file.blob)
        .bind(file.size)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Its files, by path.
pub async fn files(conn: &mut Conn, org: &OrgId, hash: &str) -> Result<Vec<File>, StoreError> {
    let all = sqlx::query_as(
        "SELECT path, blob, size FROM bundle_files WHERE org_id = $1 AND bundle = $2 ORDER BY path",
    )
    .bind(org.as_str())
    .bind(hash)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// The contents of its files that the compiler reads: sources, `dgh.toml`, `dgh.lock`.
pub async fn texts(conn: &mut Conn, org: &OrgId, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let all = sqlx::query_as(
        "SELECT f.path, b.content FROM bundle_files f
         JOIN blobs b ON b.org_id = f.org_id AND b.sha256 = f.blob
         WHERE f.org_id = $1 AND f.bundle = $2
           AND (f.path LIKE '%.dgh' OR f.path IN ('dgh.toml', 'dgh.lock'))
         ORDER BY f.path",
    )
    .bind(org.as_str())
    .bind(hash)
    .fetch_all(conn)
    .await?;
    Ok(all)
}
