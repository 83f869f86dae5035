//! Tests of queries, on both databases: a file of SQLite, and a database of a real Postgres that is
//! started once for a process.

mod gate;
mod postgres;

pub use gate::Gate;
pub use postgres::postgres_url;

use tempfile::TempDir;

use crate::db::Db;

/// Runs a test on a fresh, migrated database of each kind: `on_both(async |db| { … }).await`.
///
/// # Panics
/// When the test does, or there is no Postgres.
pub async fn on_both(test: impl AsyncFn(Db)) {
    on_both_empty(async |db| {
        migrate(&db).await;
        test(db).await;
    })
    .await;
}

/// The same without tables.
///
/// # Panics
/// When the test does, or there is no Postgres.
pub async fn on_both_empty(test: impl AsyncFn(Db)) {
    let (folder, sqlite) = open_sqlite().await;
    // Shown when the test fails.
    eprintln!("on SQLite");
    test(sqlite.clone()).await;
    sqlite.close().await;
    drop(folder);
    eprintln!("on Postgres");
    let postgres = open_postgres().await;
    test(postgres.clone()).await;
    postgres.close().await;
}

/// A fresh, migrated file of SQLite, and the folder that it is in.
///
/// # Panics
/// When it cannot be made.
pub async fn sqlite() -> (TempDir, Db) {
    let (folder, db) = open_sqlite().await;
    migrate(&db).await;
    (folder, db)
}

/// A fresh, migrated database of Postgres.
///
/// # Panics
/// When there is no Postgres.
pub async fn postgres() -> Db {
    let db = open_postgres().await;
    migrate(&db).await;
    db
}

/// Makes a database look as if a newer version had used it.
///
/// # Panics
/// When it cannot be written.
pub async fn pretend_newer(db: &Db) {
    let mut tx = db.begin().await.expect("a transaction");
    let newer = "INSERT INTO dgh_migrations (version, name, checksum) VALUES (9999, '9999_later', '')";
    sqlx::query(newer).execute(&mut *tx).await.expect("it is written");
    tx.commit().await.expect("it is kept");
}

async fn open_sqlite() -> (TempDir, Db) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let url = format!("sqlite:{}", folder.path().join("dgh.db").display());
    (folder, Db::open(&url).await.expect("a file of SQLite"))
}

async fn open_postgres() -> Db {
    Db::open_with(&postgres_url().await, 8).await.expect("a database of Postgres")
}

async fn migrate(db: &Db) {
    db.migrate().await.expect("the migrations run");
}
