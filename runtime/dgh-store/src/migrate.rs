//! The tables, one file of SQL for each domain, run in their order and once.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use crate::db::Tx;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// A file of SQL. A released one never changes: what comes later is a file of its own.
struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

/// Numbers, names and texts of `migrations/`, from one list.
macro_rules! migrations {
    ($($version:literal $name:literal)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../migrations/", $name, ".sql")),
        }),*]
    };
}

/// All of them, in their order.
const ALL: &[Migration] = migrations! {
    0 "0000_instance"
    1 "0001_accounts"
    2 "0002_agents"
    3 "0003_calls"
    4 "0004_deliveries"
    5 "0005_knowledge"
    6 "0006_jobs"
};

/// What was run before each, and tells which were.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS dgh_migrations (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
)";

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The names of those that ran now.
    pub ran: Vec<&'static str>,
    /// The version of the tables.
    pub version: i64,
}

/// Runs what is missing, in the transaction.
pub(crate) async fn run(tx: &mut Tx, dialect: Dialect) -> Result<Migrated, StoreError> {
    run_all(tx, dialect, ALL).await
}

async fn run_all(tx: &mut Tx, dialect: Dialect, all: &[Migration]) -> Result<Migrated, StoreError> {
    if let Some(lock) = dialect.lock_migrations() {
        sqlx::raw_sql(lock).execute(&mut **tx).await?;
    }
    sqlx::raw_sql(AssertSqlSafe(dialect.migration(TABLE))).execute(&mut **tx).await?;
    let done: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT version, name, checksum FROM dgh_migrations ORDER BY version")
            .fetch_all(&mut **tx)
            .await?;
    let known = all.last().map_or(-1, |last| last.version);
    if let Some((found, ..)) = done.last().filter(|(found, ..)| *found > known) {
        return Err(StoreError::Newer { found: *found, known });
    }
    for (version, name, sum) in &done {
        let same = |migration: &&Migration| migration.version == *version && checksum(migration) == *sum;
        if !all.iter().any(|migration| same(&migration)) {
            return Err(StoreError::Changed { version: *version, name: name.clone() });
        }
    }
    let mut ran = Vec::new();
    for migration in all.iter().filter(|migration| done.iter().all(|(done, ..)| *done != migration.version)) {
        sqlx::raw_sql(AssertSqlSafe(dialect.migration(migration.text))).execute(&mut **tx).await?;
        sqlx::query("INSERT INTO dgh_migrations (version, name, checksum) VALUES ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(checksum(migration))
            .execute(&mut **tx)
            .await?;
        ran.push(migration.name);
    }
    Ok(Migrated { ran, version: known })
}

fn checksum(migration: &Migration) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(migration.text) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::testing::{on_both, on_both_empty};

    const FIRST: Migration =
        Migration { version: 1, name: "0001_a", text: "CREATE TABLE a (id TEXT PRIMARY KEY, b BLOB);" };
    const SECOND: Migration =
        Migration { version: 2, name: "0002_b", text: "CREATE TABLE b (id TEXT); CREATE TABLE c (id TEXT);" };
    const WRONG: Migration =
        Migration { version: 3, name: "0003_wrong", text: "CREATE TABLE d (id TEXT); CREATE TABEL e;" };

    #[test]
    fn their_numbers_grow_and_are_those_of_their_files() {
        assert!(ALL.is_sorted_by_key(|migration| migration.version));
        for migration in ALL {
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)), "{}", migration.name);
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        assert_eq!(files.count(), ALL.len(), "a file that is not in the list");
    }

    #[tokio::test]
    async fn all_tables_are_made_once() {
        on_both(async |db| {
            let again = db.migrate().await.unwrap();
            assert_eq!(again.ran, Vec::<&str>::new());
            assert_eq!(again.version, ALL.last().unwrap().version);
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_missing_runs_and_what_failed_leaves_nothing() {
        on_both_empty(async |db| {
            let dialect = db.dialect();
            let run = async |all: &[Migration]| {
                let mut tx = db.begin().await?;
                let done = run_all(&mut tx, dialect, all).await?;
                tx.commit().await?;
                Ok::<_, StoreError>(done.ran)
            };
            assert_eq!(run(&[FIRST]).await.unwrap(), ["0001_a"]);
            assert_eq!(run(&[FIRST, SECOND]).await.unwrap(), ["0002_b"]);
            assert!(matches!(run(&[FIRST, SECOND, WRONG]).await, Err(StoreError::Broken(_))));
            assert!(sqlx::query("SELECT id FROM d").fetch_all(db.read()).await.is_err());
            assert!(run(&[FIRST, SECOND]).await.unwrap().is_empty());
            let newer = run(&[FIRST]).await;
            assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1 })), "{newer:?}");
            let edited = Migration { text: "CREATE TABLE a (id TEXT);", ..FIRST };
            let changed = run(&[edited, SECOND]).await;
            assert!(matches!(changed, Err(StoreError::Changed { version: 1, .. })), "{changed:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn several_processes_may_migrate_at_once() {
        on_both_empty(async |db| {
            let all = futures::future::join_all((0..4).map(|_| db.migrate())).await;
            let ran: Vec<_> = all.into_iter().map(|done| done.unwrap().ran.len()).collect();
            assert_eq!(ran.iter().sum::<usize>(), ALL.len(), "{ran:?}");
        })
        .await;
    }
}
