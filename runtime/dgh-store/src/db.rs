//! A database that is open: connections to read, and transactions to write.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Once};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _};
use tokio::time::{Instant, sleep};
use tracing::log::LevelFilter;
use url::Url;

use crate::dialect::{Dialect, Hub, Listener};
use crate::error::StoreError;
use crate::migrate::{self, Migrated};

/// A transaction. It is rolled back unless it is committed.
pub type Tx = sqlx::Transaction<'static, sqlx::Any>;
/// A connection, in a transaction or not: `&mut *tx`.
pub type Conn = sqlx::AnyConnection;

/// Connections that read from SQLite at once; more wait for the same file.
const READERS: u32 = 4;
/// Connections to Postgres of one process, unless it is told otherwise.
pub const CONNECTIONS: u32 = 16;
/// How long a query waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that nobody used for so long is asked whether it lives. Asking each time would
/// double the round trips of small queries.
const PING_AFTER: Duration = Duration::from_secs(5);
/// A query that takes longer is told to the log.
const SLOW: Duration = Duration::from_secs(1);
/// Pauses between two attempts.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// What stands in the path of a URL as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A database. Clones share their connections.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    dialect: Dialect,
    url: Url,
    /// The file, of SQLite.
    file: Option<PathBuf>,
    readers: AnyPool,
    /// SQLite has one writer at a time: a pool of one makes them wait in line instead of polling
    /// for the lock of the file. Postgres uses its one pool for everything.
    writers: AnyPool,
    hub: Hub,
}

impl Db {
    /// Opens `sqlite:FILE`, which is made when it is not there, or `postgres://…`. Connects once, so
    /// that a wrong address is known at once.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, CONNECTIONS).await
    }

    /// Opens it with so many connections at most, if it is Postgres.
    pub async fn open_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        drivers();
        let place = Place::read(url)?;
        if let Some(file) = &place.file {
            make_file(file)?;
        }
        try_out(&place).await?;
        let (readers, writers) = match &place.file {
            Some(_) => {
                // The first connection turns the write-ahead log on, so the writer comes first.
                let writers = pool(&place, 1, "").await?;
                (pool(&place, READERS, "PRAGMA query_only = 1;").await?, writers)
            }
            None => {
                let all = pool(&place, connections.max(2), "").await?;
                (all.clone(), all)
            }
        };
        let Place { dialect, url, file } = place;
        let hub = Hub::new(dialect, url.clone());
        Ok(Self { inner: Arc::new(Inner { dialect, url, file, readers, writers, hub }) })
    }

    /// Brings its tables up to this version. Several processes may do so at once.
    pub async fn migrate(&self) -> Result<Migrated, StoreError> {
        let mut tx = self.begin().await?;
        let done = migrate::run(&mut tx, self.inner.dialect).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// What a migration would do, without doing it.
    pub async fn pending(&self) -> Result<Migrated, StoreError> {
        let mut tx = self.begin().await?;
        migrate::run(&mut tx, self.inner.dialect).await
    }

    /// The file that an address names; none of Postgres.
    pub(crate) fn place(url: &str) -> Result<Option<PathBuf>, StoreError> {
        Ok(Place::read(url)?.file)
    }

    /// Which kind it is.
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// The file of SQLite.
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// Its address, without the password.
    pub fn shown(&self) -> String {
        without_password(&self.inner.url)
    }

    /// For single queries that only read.
    pub fn read(&self) -> &AnyPool {
        &self.inner.readers
    }

    /// Begins a transaction that may write. On SQLite there is one at a time, and the others wait:
    /// nobody may wait for something else in the meantime, least of all for another transaction.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self.inner.dialect {
            // At once, as a reader that wants to write later may be refused (SQLITE_BUSY_SNAPSHOT).
            Dialect::Sqlite => self.inner.writers.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.inner.writers.begin().await?,
        })
    }

    /// Does it again, with growing pauses, as long as the database is away; for so long at most.
    /// What it does must be one transaction, or do no harm twice.
    pub async fn patiently<T>(
        &self,
        patience: Duration,
        mut work: impl AsyncFnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let end = Instant::now() + patience;
        let mut pause = BACKOFF.0;
        loop {
            match work().await {
                Err(error) if error.is_passing() && Instant::now() + pause < end => {
                    tracing::debug!(%error, "the database is away; trying again");
                    sleep(pause.mul_f64(0.5 + jitter())).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
                done => return done,
            }
        }
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.inner.readers).await?;
        Ok(())
    }

    /// What time it is where the database is; nothing when that is here.
    pub async fn clock(&self) -> Result<Option<i64>, StoreError> {
        let Some(text) = self.inner.dialect.clock() else { return Ok(None) };
        let (now,): (i64,) = sqlx::query_as(text).fetch_one(&self.inner.readers).await?;
        Ok(Some(now))
    }

    /// Tells whoever listens on a channel, on any node, that there is something to do. A hint: it
    /// may be lost, and what it is about must be in the tables already.
    pub async fn notify(&self, channel: &str, payload: &str) -> Result<(), StoreError> {
        self.inner.hub.notify(&self.inner.writers, channel, payload).await
    }

    /// Listens on a channel.
    pub fn listen(&self, channel: &str) -> Listener {
        self.inner.hub.listen(channel)
    }

    /// Closes its connections when they are no longer used.
    pub async fn close(&self) {
        self.inner.hub.close();
        if self.inner.dialect == Dialect::Sqlite {
            // What was learned about the tables, for the plans of the next start.
            let _ = sqlx::query("PRAGMA optimize").execute(&self.inner.writers).await;
        }
        self.inner.readers.close().await;
        self.inner.writers.close().await;
    }

    pub(crate) fn url(&self) -> &Url {
        &self.inner.url
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("at", &self.shown()).finish_non_exhaustive()
    }
}

/// A number from 0 to 1, so that not all come back at the same moment.
fn jitter() -> f64 {
    let mut byte = [0];
    // Without random numbers there is no jitter, and no harm.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

/// An address as it was understood.
struct Place {
    dialect: Dialect,
    url: Url,
    file: Option<PathBuf>,
}

impl Place {
    fn read(text: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = percent_decode_str(path).decode_utf8_lossy();
                if path.is_empty() || path.contains('?') || path == ":memory:" {
                    return Err(StoreError::Url("write the file of SQLite as sqlite:/path/to/dgh.db".into()));
                }
                let file = std::path::absolute(Path::new(path.as_ref()))
                    .map_err(|source| StoreError::file(Path::new(path.as_ref()), source))?;
                let encoded = utf8_percent_encode(&file.to_string_lossy(), PATH).to_string();
                let url = Url::parse(&format!("sqlite://{encoded}")).map_err(bad_url)?;
                Ok(Self { dialect: Dialect::Sqlite, url, file: Some(file) })
            }
            "postgres" | "postgresql" => {
                let url = Url::parse(text).map_err(bad_url)?;
                Ok(Self { dialect: Dialect::Postgres, url, file: None })
            }
            _ => Err(StoreError::Url(
                // The text may hold a password, so it is not repeated.
                "a database is written sqlite:/path/to/dgh.db or postgres://user:password@host/name".into(),
            )),
        }
    }
}

fn bad_url(error: url::ParseError) -> StoreError {
    StoreError::Url(format!("this is no address of a database: {error}"))
}

/// An address without its password; nothing of one that is none.
pub fn shown(url: &str) -> String {
    Place::read(url).map_or_else(|_| "that was named".to_owned(), |place| without_password(&place.url))
}

fn without_password(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    url.set_query(None);
    percent_decode_str(url.as_str()).decode_utf8_lossy().into_owned()
}

/// A file that its owner alone may read, in a folder that is theirs alone. SQLite gives the files
/// beside it the same mode.
fn make_file(file: &Path) -> Result<(), StoreError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        let mut maker = fs::DirBuilder::new();
        maker.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
        maker.create(folder).map_err(|source| StoreError::file(folder, source))?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop).map_err(|source| StoreError::file(file, source))
}

fn drivers() {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
}

/// Connects once: a pool would go on trying for a while, and then not say why.
async fn try_out(place: &Place) -> Result<(), StoreError> {
    let mut conn = AnyConnection::connect(place.url.as_str()).await?;
    conn.execute(sqlx::raw_sql(place.dialect.setup())).await?;
    conn.execute(sqlx::raw_sql(place.dialect.try_out())).await?;
    conn.close().await?;
    Ok(())
}

async fn pool(place: &Place, connections: u32, more: &'static str) -> Result<AnyPool, StoreError> {
    let options = AnyConnectOptions::from_str(place.url.as_str())?
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW);
    let setup = place.dialect.setup();
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                // A connection that does not answer is closed, and another one is made.
                Ok(about.idle_for < PING_AFTER || connection.ping().await.is_ok())
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in [setup, more] {
                    if !statement.is_empty() {
                        connection.execute(sqlx::raw_sql(statement)).await?;
                    }
                }
                Ok(())
            })
        });
    Ok(pool.connect_with(options).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_address_is_refused_without_repeating_it() {
        for text in
            ["", "mysql://root:hunter2@host/x", "hunter2", "sqlite:", "sqlite::memory:", "postgres://:x"]
        {
            let Err(error) = Place::read(text) else { panic!("{text}") };
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn files_of_any_name_are_reached_and_passwords_are_not_shown() {
        let place = Place::read("sqlite:/data/a b?c%25 ü.db");
        assert!(place.is_err(), "settings of SQLite are ours");
        let place = Place::read("sqlite:/data/a b#ü.db").unwrap();
        assert_eq!(place.file.unwrap(), Path::new("/data/a b#ü.db"));
        assert_eq!(place.url.as_str(), "sqlite:///data/a%20b%23%C3%BC.db");
        let place = Place::read("postgres://kim:hunter2@db.example.org/dgh?sslmode=require").unwrap();
        assert_eq!(without_password(&place.url), "postgres://kim@db.example.org/dgh");
    }
}
