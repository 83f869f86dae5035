//! What everything shares: the database, the keys, the data folder, the files of calls, the clock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dgh_store::{CONNECTIONS, Db, Dialect, NodeId, StoreError, Tx, instance};
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use secrecy::SecretString;
use url::Url;

use crate::access::{self, FirstOwner};
use crate::fault::Fault;
use crate::vault::{KEY_FILE, Vault};

/// The file of SQLite, in the data folder.
pub const DATABASE_FILE: &str = "dgh.db";
/// Files of calls, in the data folder.
const OBJECTS_FOLDER: &str = "objects";
/// Held by the process that uses the file of SQLite.
const LOCK_FILE: &str = "lock";
/// Who owns everything at first, unless it is said.
pub const OWNER: &str = "owner@localhost";
/// Rows that are sealed anew in one transaction.
const RESEAL: i64 = 200;

/// Milliseconds since 1970, UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What everything shares.
pub struct Platform {
    /// The database.
    pub db: Db,
    /// Seals what is secret, signs what is given away.
    pub vault: Vault,
    /// Where everything is that is not in the database.
    pub data: PathBuf,
    /// Files of calls.
    pub objects: Arc<dyn ObjectStore>,
    /// What time it is.
    pub clock: Clock,
    /// This process.
    pub node: NodeId,
    /// Given back when the process ends, however it ends.
    _lock: Option<File>,
}

/// How it is set up.
pub struct Settings {
    /// Where everything is that is not in the database; made when it is not there.
    pub data: PathBuf,
    /// `postgres://…`, `sqlite:FILE`; none: a file in the data folder.
    pub database: Option<String>,
    /// Connections to Postgres at most.
    pub connections: u32,
    /// Keys that stand in the environment; none: a file in the data folder.
    pub keys: Option<SecretString>,
    /// Where files of calls go: `s3://bucket/prefix`; none: the data folder.
    pub artifacts: Option<Url>,
    /// Who owns everything at first, and with which password; none: one is made up.
    pub owner: (String, Option<String>),
    /// What time it is.
    pub clock: Clock,
}

impl Settings {
    /// Everything in this folder.
    pub fn in_folder(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            database: None,
            connections: CONNECTIONS,
            keys: None,
            artifacts: None,
            owner: (OWNER.to_owned(), None),
            clock: Arc::new(now),
        }
    }

    /// The address of the database.
    pub fn database_url(&self) -> String {
        match &self.database {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data.join(DATABASE_FILE).display()),
        }
    }
}

/// Whether it was there before.
#[derive(Debug)]
pub enum FirstStart {
    /// It begins now: what is told once.
    Made(FirstOwner),
    /// It was there.
    Known,
}

impl Platform {
    /// Opens what is there, or makes it: the data folder, the tables, the keys, the first owner.
    pub async fn open(settings: Settings) -> Result<(Self, FirstStart), Fault> {
        make_folder(&settings.data)?;
        let alone = settings.database_url().starts_with("sqlite:");
        let lock = if alone { Some(lock(&settings.data)?) } else { None };
        Self::open_with(settings, lock).await
    }

    /// The same beside a server that may be running: for commands that take a moment.
    pub async fn beside(settings: Settings) -> Result<(Self, FirstStart), Fault> {
        Self::open_with(settings, None).await
    }

    async fn open_with(settings: Settings, lock: Option<File>) -> Result<(Self, FirstStart), Fault> {
        let url = settings.database_url();
        let db = open_database(&url, settings.connections).await?;
        let failed = |error: StoreError| Fault::store(&error, &db.shown());
        db.migrate().await.map_err(failed)?;
        let objects = objects(&settings)?;
        let mut tx = db.begin().await.map_err(failed)?;
        let vault = open_vault(&settings, &mut tx).await?;
        let (node, now) = (NodeId::fresh(), (settings.clock)());
        let made = instance::begin(&mut tx, node.as_str(), now).await.map_err(failed)?;
        let first = if made {
            let (email, password) = settings.owner;
            let made = access::first_owner(&mut tx, &email, password, now).await;
            FirstStart::Made(made.map_err(|error| {
                Fault::new(
                    "bad_owner",
                    format!("the first owner: {error}"),
                    "See --owner and DGH_OWNER_PASSWORD.",
                )
            })?)
        } else {
            FirstStart::Known
        };
        instance::use_key(&mut tx, &vault.current(), now).await.map_err(failed)?;
        tx.commit().await.map_err(|error| failed(error.into()))?;
        let Settings { data, clock, .. } = settings;
        Ok((Self { db, vault, data, objects, clock, node, _lock: lock }, first))
    }

    /// What time it is: milliseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Makes a new key when the keys are in a file, and seals all rows with the one that seals now.
    /// Answers how many rows were sealed anew. While it goes on, and after, older keys still open.
    pub async fn rotate(&self) -> Result<u64, anyhow::Error> {
        self.vault.add_key()?;
        let current = self.vault.current();
        let mut tx = self.db.begin().await?;
        instance::use_key(&mut tx, &current, self.now()).await?;
        tx.commit().await?;
        let mut count = 0;
        for place in instance::SEALED {
            loop {
                let mut tx = self.db.begin().await?;
                let old = instance::sealed_before(&mut tx, *place, &self.vault.mark(), RESEAL).await?;
                if old.is_empty() {
                    break;
                }
                for sealed in &old {
                    if let Some(again) = self.vault.reseal(sealed)? {
                        count += instance::put_sealed(&mut tx, *place, sealed, &again).await?;
                    }
                }
                tx.commit().await?;
            }
        }
        let mut tx = self.db.begin().await?;
        instance::retire_others(&mut tx, &current, self.now()).await?;
        tx.commit().await?;
        Ok(count)
    }
}

/// Opens the database that a server would use, and nothing else.
pub async fn open_database(url: &str, connections: u32) -> Result<Db, Fault> {
    let opened = Db::open_with(url, connections).await;
    opened.map_err(|error| Fault::store(&error, &dgh_store::shown(url)))
}

/// Makes sure that no server uses the file of SQLite in a folder, as long as the answer lives.
pub fn lock(data: &Path) -> Result<File, Fault> {
    let path = data.join(LOCK_FILE);
    let file = private(fs::OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
    let file = file.map_err(|error| Fault::file(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Fault::new(
            "in_use",
            format!("another dgh uses {}", data.display()),
            "Stop it, or name another folder with --data.",
        )),
        Err(fs::TryLockError::Error(error)) => Err(Fault::file(&path, &error)),
    }
}

/// The time of the system.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A folder for its owner alone, which version control leaves alone.
fn make_folder(folder: &Path) -> Result<(), Fault> {
    let failed = |error| Fault::file(folder, &error);
    if !folder.is_dir() {
        let mut maker = fs::DirBuilder::new();
        maker.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
        maker.create(folder).map_err(failed)?;
    }
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(|error| Fault::file(&ignore, &error))?;
    }
    Ok(())
}

/// The keys. None are made when the database is sealed with others.
async fn open_vault(settings: &Settings, tx: &mut Tx) -> Result<Vault, Fault> {
    let used = instance::keys(tx).await.map_err(|error| Fault::store(&error, "of this server"))?;
    let needed = || used.iter().filter(|key| key.retired_at.is_none());
    let file = settings.data.join(KEY_FILE);
    let vault = match &settings.keys {
        Some(keys) => Vault::from_text(keys),
        None if file.exists() || needed().next().is_none() => {
            Vault::in_folder(&settings.data).map(|(vault, _)| vault)
        }
        None => {
            let missing = needed().next().map(|key| key.id.clone()).unwrap_or_default();
            return Err(Fault::other_keys(&missing, &file.display().to_string()));
        }
    };
    let vault = vault.map_err(|error| Fault::keyring(&error))?;
    match needed().find(|key| !vault.holds(&key.id)) {
        Some(missing) => Err(Fault::other_keys(&missing.id, &vault.place())),
        None => Ok(vault),
    }
}

fn objects(settings: &Settings) -> Result<Arc<dyn ObjectStore>, Fault> {
    let bad = |error: object_store::Error| {
        Fault::new("bad_artifacts", format!("files of calls: {error}"), "--artifacts is s3://bucket/prefix.")
    };
    let Some(url) = &settings.artifacts else {
        let folder = settings.data.join(OBJECTS_FOLDER);
        make_folder(&folder)?;
        return Ok(Arc::new(LocalFileSystem::new_with_prefix(&folder).map_err(bad)?));
    };
    // The region and the keys are those of the AWS tools: AWS_REGION, AWS_ACCESS_KEY_ID, …
    let bucket = AmazonS3Builder::from_env().with_url(url.as_str()).build().map_err(bad)?;
    Ok(Arc::new(PrefixStore::new(bucket, url.path().trim_matches('/'))))
}

fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Whether a database is the kind that several processes share.
pub fn is_shared(db: &Db) -> bool {
    db.dialect() == Dialect::Postgres
}

#[cfg(test)]
mod tests;
