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
    Ok(sqlx::query_as("SELECT id, created_at, retired_at FROM vault_keys ORDER BY created_at, id")
        .fetch_all(conn)
        .await?)
}

/// A key is used from now on.
pub async fn use_key(conn: &mut Conn, id: &str, now: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO vault_keys (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET retired_at = NULL",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// No row needs the other keys from now on.
pub async fn retire_others(conn: &mut Conn, current: &str, now: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE vault_keys SET retired_at = $2 WHERE id <> $1 AND retired_at IS NULL")
        .bind(current)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// A column of sealed texts that live longer than the key they are sealed with.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    find: &'static str,
    put: &'static str,
}

macro_rules! sealed {
    ($($table:literal $column:literal)*) => {
        &[$(SealedColumn {
            find: concat!(
                "SELECT ", $column, " FROM ", $table, " WHERE ", $column, " IS NOT NULL AND ", $column,
                " NOT LIKE $1 LIMIT $2"
            ),
            put: concat!("UPDATE ", $table, " SET ", $column, " = $2 WHERE ", $column, " = $1"),
        }),*]
    };
}

/// All of them: what is sealed and not in here does not open when an old key is thrown away.
pub const SEALED: &[SealedColumn] = sealed! {
    "secrets" "sealed"
    "deliveries" "sealed"
    "signing_secrets" "sealed"
    "calls" "inputs"
    "call_inbox" "payload"
    "call_keys" "sealed"
};

/// Some values that do not begin like those of the current key.
pub async fn sealed_before(
    conn: &mut Conn,
    column: SealedColumn,
    mark: &str,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    let found: Vec<(String,)> =
        sqlx::query_as(column.find).bind(format!("{mark}%")).bind(most).fetch_all(conn).await?;
    Ok(found.into_iter().map(|(sealed,)| sealed).collect())
}

/// Puts one in the place of another. No two sealed values are alike.
pub async fn put_sealed(
    conn: &mut Conn,
    column: SealedColumn,
    before: &str,
    sealed: &str,
) -> Result<u64, StoreError> {
    Ok(sqlx::query(column.put).bind(before).bind(sealed).execute(conn).await?.rows_affected())
}

/// A row with something sealed, for tests of other crates, which have no SQL.
#[cfg(feature = "testing")]
pub mod testing {
    use crate::{Conn, OrgId, StoreError};

    /// Puts a sealed text where the vault looks for it.
    pub async fn insert_sealed(conn: &mut Conn, org: &OrgId, sealed: &str) -> Result<(), StoreError> {
        let insert = "INSERT INTO signing_secrets (id, org_id, sealed, ending, created_at) VALUES ('s', $1, $2, '', 1)";
        sqlx::query(insert).bind(org.as_str()).bind(sealed).execute(conn).await?;
        Ok(())
    }

    /// And as it is now.
    pub async fn sealed(conn: &mut Conn) -> Result<String, StoreError> {
        let (sealed,): (String,) =
            sqlx::query_as("SELECT sealed FROM signing_secrets WHERE id = 's'").fetch_one(conn).await?;
        Ok(sealed)
    }
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
