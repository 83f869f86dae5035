//! Copies of the database: made while it is used, and put back while it is not.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use percent_encoding::percent_decode_str;
use sqlx::{AnyConnection, Connection as _};
use tokio::process::Command;
use url::Url;

use crate::db::Db;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// Databases that are kept when others take their place.
const MOST: u32 = 1_000;

impl Db {
    /// Writes a copy to a file that is not there yet, as of one moment, while others go on writing.
    /// Of Postgres it is an archive of `pg_dump`, which must be installed.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(to).map_err(|source| StoreError::file(to, source))?;
        let done = self.copy(to).await;
        if done.is_err() {
            // Half a copy is worse than none.
            let _ = fs::remove_file(to);
        }
        done
    }

    async fn copy(&self, to: &Path) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => {
                // A connection of its own: those that read may write nothing, and the one that writes
                // must not be kept.
                let mut conn = AnyConnection::connect(self.url().as_str()).await?;
                let copy = sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().into_owned());
                copy.execute(&mut conn).await?;
                conn.close().await?;
                Ok(())
            }
            Dialect::Postgres => {
                postgres(self.url(), "pg_dump", &["--format=custom", "--no-owner", "--file"], to).await
            }
        }
    }
}

/// Puts a copy in the place of a database that nobody uses. Answers where the file of SQLite that
/// was there before is now.
pub async fn restore(url: &str, from: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !from.is_file() {
        let source = std::io::ErrorKind::NotFound.into();
        return Err(StoreError::file(from, source));
    }
    let Some(file) = Db::place(url)? else {
        let url = Url::parse(url).map_err(|error| StoreError::Url(error.to_string()))?;
        let options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"];
        return postgres(&url, "pg_restore", &options, from).await.map(|()| None);
    };
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", file.display()));
    // A copy first, checked there: whatever is wrong with it, what is there stays.
    let new = beside(".restoring");
    let copied = fs::copy(from, &new).map_err(|source| StoreError::file(&new, source));
    let checked = match copied {
        Ok(_) => check(&new).await,
        Err(error) => Err(error),
    };
    if let Err(error) = checked {
        remove(&new);
        return Err(error);
    }
    let mut before = None;
    if file.exists() {
        let free = (1..=MOST).map(|n| beside(&format!(".before-{n}"))).find(|path| !path.exists());
        let Some(kept) = free else { return Err(StoreError::Unsupported("there is no free name".into())) };
        for ending in ["-wal", "-shm", ""] {
            let (from, to) = (beside(ending), PathBuf::from(format!("{}{ending}", kept.display())));
            if from.exists() {
                fs::rename(&from, &to).map_err(|source| StoreError::file(&from, source))?;
            }
        }
        before = Some(kept);
    }
    fs::rename(&new, &file).map_err(|source| StoreError::file(&file, source))?;
    Ok(before)
}

/// Whether a file is a whole database of this version or an older one. Opening it also takes in a
/// log that stands beside it.
async fn check(file: &Path) -> Result<(), StoreError> {
    let db = Db::open(&format!("sqlite:{}", file.display())).await?;
    let found: Result<(String,), _> = sqlx::query_as("PRAGMA integrity_check(1)").fetch_one(db.read()).await;
    let tables: Result<(i64,), _> =
        sqlx::query_as("SELECT COUNT(*) FROM sqlite_master WHERE name = 'dgh_migrations'")
            .fetch_one(db.read())
            .await;
    let pending = db.pending().await;
    db.close().await;
    if found?.0 != "ok" || tables?.0 != 1 {
        return Err(StoreError::Refused("the file is no whole backup of dgh".to_owned()));
    }
    pending.map(drop)
}

fn remove(file: &Path) {
    for ending in ["", "-wal", "-shm"] {
        // What is not there need not go.
        let _ = fs::remove_file(format!("{}{ending}", file.display()));
    }
}

/// Runs a tool of Postgres. The password goes through the environment: arguments are seen by all.
async fn postgres(url: &Url, tool: &str, options: &[&str], file: &Path) -> Result<(), StoreError> {
    let mut open = url.clone();
    let _ = open.set_password(None);
    let mut command = Command::new(tool);
    command.args(options).arg(file).arg("--dbname").arg(open.as_str());
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", percent_decode_str(password).decode_utf8_lossy().as_ref());
    }
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => StoreError::Unsupported(format!(
            "`{tool}` is not installed. Where it is, run: {tool} {} {} --dbname {open}",
            options.join(" "),
            file.display()
        )),
        _ => StoreError::file(Path::new(tool), error),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(StoreError::Refused(said.lines().next().unwrap_or(tool).to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{on_both, postgres_url};

    async fn ids(db: &Db) -> Vec<String> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM vault_keys ORDER BY id").fetch_all(db.read()).await.unwrap();
        rows.into_iter().map(|(id,)| id).collect()
    }

    async fn add(db: &Db, id: &str) {
        let mut tx = db.begin().await.unwrap();
        let add = sqlx::query("INSERT INTO vault_keys (id, created_at) VALUES ($1, 1)").bind(id);
        add.execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_backup_brings_back_what_was_there() {
        if let Ok(bin) = std::env::var("DGH_TEST_POSTGRES") {
            assert!(Path::new(&bin).join("pg_dump").exists(), "no pg_dump in {bin}");
        }
        on_both(async |db| {
            add(&db, "before").await;
            let folder = tempfile::tempdir().unwrap();
            let copy = folder.path().join("copy");
            let open = db.begin().await.unwrap();
            db.backup(&copy).await.unwrap();
            drop(open);
            add(&db, "later").await;
            assert!(matches!(db.backup(&copy).await, Err(StoreError::File { .. })), "nothing is overwritten");
            let target = match db.dialect() {
                Dialect::Sqlite => format!("sqlite:{}", folder.path().join("new.db").display()),
                Dialect::Postgres => postgres_url().await,
            };
            assert_eq!(restore(&target, &copy).await.unwrap(), None);
            let back = Db::open(&target).await.unwrap();
            assert_eq!(ids(&back).await, ["before"]);
            add(&back, "again").await;
            back.close().await;
            let kept = restore(&target, &copy).await.unwrap();
            let back = Db::open(&target).await.unwrap();
            assert_eq!(ids(&back).await, ["before"]);
            back.close().await;
            if let Some(kept) = kept {
                let kept = Db::open(&format!("sqlite:{}", kept.display())).await.unwrap();
                assert_eq!(ids(&kept).await, ["again", "before"]);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_no_backup_changes_nothing() {
        let (folder, db) = crate::testing::sqlite().await;
        add(&db, "here").await;
        let url = format!("sqlite:{}", db.file().unwrap().display());
        db.close().await;
        for (name, bytes) in [("text", &b"hello"[..]), ("empty", b"")] {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            let refused = restore(&url, &file).await;
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{name}: {refused:?}");
        }
        assert!(restore(&url, &folder.path().join("none")).await.is_err());
        assert_eq!(ids(&Db::open(&url).await.unwrap()).await, ["here"]);
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("restoring")), "{left:?}");
    }
}
