//! What nobody names any more: bundles that were drafts, contents that were sent for none.

use crate::{Conn, StoreError};

/// Removes bundles older than `bundles` that are no draft and no release, then contents older than
/// `blobs` that are in no bundle. Answers how many of each.
pub async fn sweep_unscoped(conn: &mut Conn, bundles: i64, blobs: i64) -> Result<(u64, u64), StoreError> {
    let gone = sqlx::query(
        "DELETE FROM bundles WHERE created_at < $1
           AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.org_id = bundles.org_id AND a.draft = bundles.hash)
           AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.org_id = bundles.org_id AND r.bundle = bundles.hash)",
    )
    .bind(bundles)
    .execute(&mut *conn)
    .await?;
    let loose = sqlx::query(
        "DELETE FROM blobs WHERE created_at < $1 AND NOT EXISTS (
           SELECT 1 FROM bundle_files f WHERE f.org_id = blobs.org_id AND f.blob = blobs.sha256)",
    )
    .bind(blobs)
    .execute(conn)
    .await?;
    Ok((gone.rows_affected(), loose.rows_affected()))
}
