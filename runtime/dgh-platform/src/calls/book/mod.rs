//! The book of calls: what the database knows of them, so that any node can answer for any call, and
//! end those of a node that died.
//!
//! ```text
//! create ── one transaction ──► a place, a row, an owner
//! run    ── writer, behind the call ──► live, progress, parts of the log, webhooks, the end
//! duties ── one task for a node ──► heartbeat · messages from elsewhere · what the dead left
//! ```

mod duties;
mod files;
mod lost;
mod page;
mod writer;

use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dgh_engine::log::KEY_LENGTH;
use dgh_store::calls::{self, Created, Limits, Message, Node, Owner};
use dgh_store::{ArtifactId, CallId, Conn, Db, InboxId, NodeId, OrgId, StoreError, artifacts};
use futures::future::BoxFuture;
use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

pub(crate) use duties::start;
pub use files::{ByteRange, Files, OpenedFile};
pub(crate) use lost::never_connected;
pub use page::{Follower, Line, PageError};
pub(crate) use writer::{Ending, Whose, Writer};

use crate::Agent;
use crate::platform::Platform;
use crate::vault::VaultError;

/// The channel on which nodes are told that a message waits.
pub const INBOX: &str = "call_inbox";
/// People who watch calls on one node at a time: each of them asks the database now and then.
const MAX_WATCHERS: usize = 200;
/// The log of a call, sealed.
pub const LOG: &str = "log";
/// Both sides of a call.
pub const RECORDING: &str = "recording";
/// Who said what, masked.
pub const TRANSCRIPT: &str = "transcript";

/// How the book is kept.
#[derive(Debug, Clone)]
pub struct BookSettings {
    /// For people.
    pub name: String,
    /// How long others leave the calls of a node alone that says nothing.
    pub lease: Duration,
    /// How often a node says that it is alive.
    pub beat: Duration,
    /// How often it looks for messages when no hint comes.
    pub poll: Duration,
    /// How many calls may go on where no row says so.
    pub limits: Limits,
    /// Files are taken to the objects of the platform; else they stay in the data folder.
    pub files_elsewhere: bool,
}

impl Default for BookSettings {
    fn default() -> Self {
        Self {
            name: "node".to_owned(),
            lease: Duration::from_secs(30),
            beat: Duration::from_secs(5),
            poll: Duration::from_millis(500),
            limits: Limits::default(),
            files_elsewhere: false,
        }
    }
}

/// The book of calls of this process.
pub struct Book {
    pub(crate) platform: Arc<Platform>,
    pub(crate) db: Db,
    pub(crate) node: NodeId,
    pub(crate) writer: Writer,
    pub(crate) settings: BookSettings,
    /// The organisation of calls that name none: those of the call page.
    pub(crate) home: OrgId,
    pub(crate) files: Files,
    watchers: Arc<Semaphore>,
    /// The key that opens logs.
    pub(crate) key: [u8; KEY_LENGTH],
}

/// Finds the agent that a call is pinned to.
pub trait Roster: Send + Sync {
    /// The agent, with the very program that the call was made with; none: it is not there any more.
    fn pinned<'a>(&'a self, call: &'a calls::CallRow) -> BoxFuture<'a, Option<Arc<Agent>>>;
}

/// A file that a call leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Option<i64>,
    /// It is in the folder of this node alone.
    pub(crate) spooled: bool,
    pub(crate) spool: String,
}

impl Book {
    /// Opens the book: this process is a node from here on. Logs are sealed with `key`, unless there is
    /// one that other nodes use.
    pub async fn open(
        platform: Arc<Platform>,
        home: OrgId,
        key: [u8; KEY_LENGTH],
        settings: BookSettings,
    ) -> anyhow::Result<Arc<Self>> {
        let elsewhere = settings.files_elsewhere.then(|| Arc::clone(&platform.objects));
        let files = Files::new(&platform.data, elsewhere)?;
        let (db, node) = (platform.db.clone(), platform.node.clone());
        let writer = Writer::start(Arc::clone(&platform));
        let watchers = Arc::new(Semaphore::new(MAX_WATCHERS));
        let key = shared_key(&platform, key).await?;
        let book = Self { platform, db, node, writer, settings, home, files, watchers, key };
        book.join().await?;
        Ok(Arc::new(book))
    }

    /// Writes everything down that waits, and leaves: what this node still owns, others end at once.
    pub(crate) async fn close(&self, patience: Duration) {
        let last = async {
            self.writer.flush().await;
            if let Err(error) = files::store_waiting(self).await {
                tracing::warn!(error = format!("{error:#}"), "files of calls wait for the next start");
            }
            let mut tx = self.db.begin().await?;
            calls::leave_unscoped(&mut tx, &self.node).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(())
        };
        match timeout(patience, last).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the other nodes do not hear that this one leaves"),
            Err(_) => tracing::error!("the database is away: what it does not know is ended from the logs"),
        }
    }

    /// The key that seals and opens logs.
    pub fn key(&self) -> [u8; KEY_LENGTH] {
        self.key
    }

    /// The id of this node.
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// The organisation of calls that name none.
    pub fn home(&self) -> &OrgId {
        &self.home
    }

    /// Creates a call, if there is a place for it.
    pub async fn create(&self, org: &OrgId, new: &calls::NewCall, now: i64) -> Result<Created, StoreError> {
        let mut tx = self.db.begin().await?;
        let created = calls::create(&mut tx, org, new, self.settings.limits, now).await?;
        tx.commit().await?;
        Ok(created)
    }

    /// Creates a call in a transaction of the caller's.
    pub async fn create_in(
        &self,
        conn: &mut Conn,
        org: &OrgId,
        new: &calls::NewCall,
        now: i64,
    ) -> Result<Created, StoreError> {
        calls::create(conn, org, new, self.settings.limits, now).await
    }

    /// Leaves a message for whoever owns the call; call [`Self::hint`] when the transaction is
    /// committed. None: it was left before.
    pub async fn post(
        &self,
        conn: &mut Conn,
        org: &OrgId,
        call: &CallId,
        told: Told,
        now: i64,
    ) -> Result<Option<InboxId>, StoreError> {
        let id = InboxId::fresh();
        let new = calls::NewMessage {
            id: id.clone(),
            call: call.clone(),
            kind: told.kind.to_owned(),
            payload: self.seal(&format!("inbox:{id}"), &told.payload.to_string())?,
            external: told.external,
            by_whom: told.by_whom,
        };
        Ok(calls::post(conn, org, &new, now).await?.then_some(id))
    }

    /// Tells the nodes that a message waits. A hint: they look for themselves, too.
    pub async fn hint(&self, call: &CallId) {
        if let Err(error) = self.db.notify(INBOX, call.as_str()).await {
            tracing::debug!(%error, "a node was not told of a message; it looks for itself");
        }
    }

    /// A place among those who watch calls on this node; none: there are too many.
    pub fn watch(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.watchers).try_acquire_owned().ok()
    }

    /// Seals a text that is kept in a row.
    pub fn seal(&self, about: &str, text: &str) -> Result<String, StoreError> {
        self.platform.vault.seal(about, text).map_err(|error| sealed(&error))
    }

    /// Opens a text that was kept in a row.
    pub fn unseal(&self, about: &str, text: &str) -> Result<String, StoreError> {
        let bytes = self.platform.vault.open_bytes(about, text).map_err(|error| sealed(&error))?;
        String::from_utf8(bytes).map_err(|error| StoreError::Value(error.to_string()))
    }

    /// The inputs that a call was created with.
    pub fn inputs(&self, row: &calls::CallRow) -> Result<Vec<(String, Json)>, StoreError> {
        let Some(sealed) = &row.inputs else { return Ok(Vec::new()) };
        let text = self.unseal(&format!("inputs:{}", row.id), sealed)?;
        serde_json::from_str(&text).map_err(|error| StoreError::Value(error.to_string()))
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<impl DerefMut<Target = Conn> + Send, StoreError> {
        Ok(self.db.read().acquire().await?)
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Files of calls.
    pub fn files(&self) -> &Files {
        &self.files
    }

    pub(crate) fn payload(&self, message: &Message) -> Result<Json, StoreError> {
        let text = self.unseal(&format!("inbox:{}", message.id), &message.payload)?;
        serde_json::from_str(&text).map_err(|error| StoreError::Value(error.to_string()))
    }

    pub(crate) async fn join(&self) -> Result<(), StoreError> {
        let now = now();
        let node = Node {
            id: self.node.clone(),
            name: self.settings.name.clone(),
            started_at: now,
            lease_until: now + millis(self.settings.lease),
        };
        let mut tx = self.db.begin().await?;
        calls::join_unscoped(&mut tx, &node).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The key of the logs that all nodes use.
async fn shared_key(platform: &Platform, own: [u8; KEY_LENGTH]) -> anyhow::Result<[u8; KEY_LENGTH]> {
    let about = "call-key:log";
    let sealed = platform.vault.seal(about, own)?;
    let mut tx = platform.db.begin().await?;
    let sealed = calls::shared_key_unscoped(&mut tx, "log", &sealed, now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    let key = platform.vault.open_bytes(about, &sealed)?;
    key.try_into().map_err(|_| anyhow::anyhow!("the key of the logs is none"))
}

/// A message to a call.
pub struct Told {
    /// `operator`, `hangup`, `status`.
    pub kind: &'static str,
    /// What.
    pub payload: Json,
    /// The teller's name of it: told twice, done once.
    pub external: Option<String>,
    /// Who told it.
    pub by_whom: Option<String>,
}

impl Kept {
    pub(crate) fn row(&self, owner: &Owner, now: i64, delete_at: Option<i64>) -> artifacts::Artifact {
        artifacts::Artifact {
            id: ArtifactId::fresh(),
            org_id: owner.org.clone(),
            call_id: owner.call.clone(),
            kind: self.kind.to_owned(),
            path: self.path.clone(),
            media_type: self.media_type.to_owned(),
            bytes: self.bytes,
            state: if self.spooled { "spooled" } else { "stored" }.to_owned(),
            spool: self.spooled.then(|| self.spool.clone()),
            created_at: now,
            delete_at,
        }
    }
}

/// Where the sound and the words of a call are on the disk of a node.
pub(crate) fn path_of(folder: &std::path::Path, call: &str, ending: &str) -> PathBuf {
    folder.join("calls").join(format!("{call}.{ending}"))
}

pub(crate) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn sealed(error: &VaultError) -> StoreError {
    StoreError::Value(format!("it cannot be sealed or opened: {error}"))
}

#[cfg(test)]
mod tests;
