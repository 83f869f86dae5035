//! The installation: its id, and the keys that its rows are sealed with.

use crate::db::Conn;
use crate::error::StoreError;

/// A key that rows are sealed with.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct VaultKey {
    /// Its fingerprint.
    pub id: String,
    /// When it was first used.
    pub created_at: i64,
    /// Since when no row needs it.
    pub retired_at: Option<i64>,
}

/// Makes the row of the installation, and answers whether it was not there yet. Of several processes
/// that start at once one makes it, and the others wait for the end of its transaction.
pub async fn begin(conn: &mut Conn, id: &str, now: i64) -> Result<bool, StoreError> {
    let made = sqlx::query(
        "INSERT INTO instance (one, id, created_at) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// The keys that rows are or were sealed with.
pub async fn keys(conn: &mut Conn) -> Result<Vec<VaultKey>, StoreError> {
    Ok(sqlx::query_as("SELECT id, created_at, retired_at FROM vault_key ORDER BY created_at, id")
        .fetch_all(conn)
        .await?)
}

/// A key is used from now on.
pub async fn use_key(conn: &mut Conn, id: &str, now: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO vault_key (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET retired_at = NULL",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// No row needs the other keys from now on.
pub async fn retire_others(conn: &mut Conn, current: &str, now: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE vault_key SET retired_at = $2 WHERE id <> $1 AND retired_at IS NULL")
        .bind(current)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::on_both;

    #[tokio::test]
    async fn an_installation_begins_once_and_remembers_its_keys() {
        on_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            assert!(begin(&mut tx, "a", 1).await.unwrap());
            assert!(!begin(&mut tx, "b", 2).await.unwrap());
            use_key(&mut tx, "k1", 1).await.unwrap();
            use_key(&mut tx, "k2", 2).await.unwrap();
            retire_others(&mut tx, "k2", 3).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = db.begin().await.unwrap();
            let all = keys(&mut tx).await.unwrap();
            assert_eq!(all.iter().map(|key| key.retired_at).collect::<Vec<_>>(), [Some(3), None]);
            use_key(&mut tx, "k1", 4).await.unwrap();
            assert_eq!(keys(&mut tx).await.unwrap().first().unwrap().retired_at, None);
        })
        .await;
    }
}
