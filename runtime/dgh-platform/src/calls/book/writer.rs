//! Writes what happens in calls to the database, behind their backs: no call waits for it. While the
//! database is away everything waits here, in order, within bounds; nothing that ends a call is
//! ever dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dgh_store::calls::{self, CallState, End, LogPart, Owner};
use dgh_store::{Conn, InboxId, StoreError, artifacts};
use metrics::{counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::Kept;
use crate::platform::Platform;
use crate::vault::Vault;
use crate::webhooks::{self, About, Due, EndedCall, KeepError};

/// Bytes of logs that may wait. What does not fit is on the disk of this node alone.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// Writes that go into one transaction.
const BATCH: usize = 256;
/// Pauses while the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where writes go.
#[derive(Clone)]
pub(crate) struct Writer {
    send: mpsc::UnboundedSender<Write>,
    bytes: Arc<AtomicUsize>,
}

/// Whose call it is, for its webhooks.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub(crate) owner: Owner,
    pub(crate) agent: String,
    pub(crate) profile: Option<String>,
    pub(crate) test: bool,
}

/// A call that ended.
pub(crate) struct Ending {
    pub(crate) whose: Whose,
    pub(crate) end: End,
    /// All its webhooks.
    pub(crate) due: Vec<Due>,
    /// The files that it leaves behind.
    pub(crate) files: Vec<Kept>,
}

/// Something to write.
enum Write {
    Live { owner: Owner, at: i64 },
    Progress { owner: Owner, at_node: Option<String>, turns: i64 },
    Part { owner: Owner, part: LogPart },
    Webhooks { whose: Whose, due: Vec<Due>, at: i64 },
    Done { message: InboxId, what: &'static str },
    End(Box<Ending>),
    Flush(oneshot::Sender<()>),
}

impl Writer {
    /// Begins to write.
    pub(crate) fn start(platform: Arc<Platform>) -> Self {
        let (send, writes) = mpsc::unbounded_channel();
        let bytes = Arc::new(AtomicUsize::new(0));
        tokio::spawn(write_all(writes, platform, Arc::clone(&bytes)));
        Self { send, bytes }
    }

    /// A call is live.
    pub(crate) fn live(&self, owner: &Owner, at: i64) {
        self.send(Write::Live { owner: owner.clone(), at });
    }

    /// Where a call is.
    pub(crate) fn progress(&self, owner: &Owner, at_node: Option<&str>, turns: i64) {
        self.send(Write::Progress { owner: owner.clone(), at_node: at_node.map(str::to_owned), turns });
    }

    /// A part of a log. False: it does not fit, and none after it must be given.
    pub(crate) fn part(&self, owner: &Owner, number: i64, bytes: Vec<u8>) -> bool {
        if self.bytes.load(Ordering::Relaxed).saturating_add(bytes.len()) > MAX_WAITING_BYTES {
            counter!("dgh_store_dropped_total").increment(1);
            return false;
        }
        self.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        self.send(Write::Part { owner: owner.clone(), part: LogPart { number, bytes } });
        true
    }

    /// Webhooks of a call that goes on.
    pub(crate) fn webhooks(&self, whose: &Whose, due: Vec<Due>, at: i64) {
        self.send(Write::Webhooks { whose: whose.clone(), due, at });
    }

    /// What became of a message.
    pub(crate) fn done(&self, message: InboxId, what: &'static str) {
        self.send(Write::Done { message, what });
    }

    /// A call ended.
    pub(crate) fn end(&self, ending: Ending) {
        self.send(Write::End(Box::new(ending)));
    }

    /// Waits until everything so far is written.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.send(Write::Flush(done));
        // The task lives as long as this does.
        let _ = written.await;
    }

    fn send(&self, write: Write) {
        gauge!("dgh_store_waiting").increment(1);
        // The task lives as long as this does.
        let _ = self.send.send(write);
    }
}

async fn write_all(
    mut writes: mpsc::UnboundedReceiver<Write>,
    platform: Arc<Platform>,
    bytes: Arc<AtomicUsize>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while writes.recv_many(&mut batch, BATCH).await > 0 {
        let batch = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
        write_batch(&platform, &batch).await;
        let ended = batch.iter().any(|write| matches!(write, Write::End(_) | Write::Webhooks { .. }));
        #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
        gauge!("dgh_store_waiting").decrement(batch.len() as f64);
        for write in batch {
            match write {
                Write::Part { part, .. } => {
                    bytes.fetch_sub(part.bytes.len(), Ordering::Relaxed);
                }
                Write::Flush(done) => {
                    let _ = done.send(());
                }
                _ => {}
            }
        }
        if ended {
            webhooks::wake(&platform.db).await;
        }
    }
}

/// Writes as many as it takes, and waits while the database is away.
async fn write_batch(platform: &Platform, batch: &[Write]) {
    let begun = Instant::now();
    match patiently(platform, batch).await {
        Ok(()) => {}
        // One of them cannot be written: the others are.
        Err(error) if batch.len() > 1 => {
            tracing::debug!(%error, "a batch is written one by one");
            for write in batch {
                if let Err(error) = patiently(platform, std::slice::from_ref(write)).await {
                    lost(write, &error);
                }
            }
        }
        Err(error) => batch.iter().for_each(|write| lost(write, &error)),
    }
    histogram!("dgh_store_write_seconds").record(begun.elapsed().as_secs_f64());
}

async fn patiently(platform: &Platform, batch: &[Write]) -> Result<(), StoreError> {
    let (mut pause, mut away) = (FIRST_PAUSE, None);
    loop {
        match transaction(platform, batch).await {
            Err(error) if error.is_passing() || matches!(error, StoreError::Full | StoreError::ReadOnly) => {
                if away.is_none() {
                    tracing::error!(%error, "the database is away; calls go on, and what they leave waits");
                    counter!("dgh_store_away_total").increment(1);
                }
                away.get_or_insert_with(Instant::now);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => {
                if let Some(since) = away {
                    let seconds = since.elapsed().as_secs();
                    tracing::warn!(seconds, "the database is back");
                }
                return done;
            }
        }
    }
}

async fn transaction(platform: &Platform, batch: &[Write]) -> Result<(), StoreError> {
    let mut tx = platform.db.begin().await?;
    for write in batch {
        apply(&mut tx, &platform.vault, write).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn apply(conn: &mut Conn, vault: &Vault, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Live { owner, at } => {
            calls::advance(conn, owner, CallState::Live, *at).await?;
        }
        Write::Progress { owner, at_node, turns } => {
            calls::progress(conn, owner, at_node.as_deref(), *turns).await?;
        }
        Write::Part { owner, part } => calls::append_unscoped(conn, &owner.org, &owner.call, part).await?,
        Write::Webhooks { whose, due, at } => {
            webhooks::keep(conn, vault, &whose.owner.org, whose.about(), due, *at).await.map_err(unkept)?;
        }
        Write::Done { message, what } => calls::finish_message_unscoped(conn, message, what).await?,
        Write::End(ending) => {
            end(conn, vault, ending).await?;
        }
        Write::Flush(_) => {}
    }
    Ok(())
}

/// The end of a call, in one transaction. False: it was ended by somebody else, and nothing is
/// written.
pub(crate) async fn end(conn: &mut Conn, vault: &Vault, ending: &Ending) -> Result<bool, StoreError> {
    let Ending { whose, end, due, files } = ending;
    if !calls::end(conn, &whose.owner, end).await? {
        let call = whose.owner.call.as_str();
        tracing::warn!(call, "a call was ended by another node: what this one knows of its end is not kept");
        counter!("dgh_calls_fenced_total").increment(1);
        return Ok(false);
    }
    let org = &whose.owner.org;
    for file in files {
        let delete_at = artifacts::delete_at(conn, org, &whose.agent, file.kind, end.at).await?;
        artifacts::insert(conn, org, &file.row(&whose.owner, end.at, delete_at)).await?;
    }
    if files.iter().any(|file| file.kind == super::LOG && !file.spooled) {
        calls::forget_log(conn, org, &whose.owner.call).await?;
    }
    let ended = EndedCall { about: whose.about(), due };
    webhooks::at_end(conn, vault, org, &ended, end.at).await.map_err(unkept)?;
    Ok(true)
}

fn unkept(error: KeepError) -> StoreError {
    match error {
        KeepError::Store(error) => error,
        KeepError::Vault(error) => super::sealed(&error),
    }
}

impl Whose {
    fn about(&self) -> About<'_> {
        About {
            call: self.owner.call.as_str(),
            agent: &self.agent,
            profile: self.profile.as_deref(),
            test: self.test,
        }
    }
}

fn lost(write: &Write, error: &StoreError) {
    counter!("dgh_store_lost_total").increment(1);
    let (what, call) = match write {
        Write::Live { owner, .. } => ("that it is live", owner.call.as_str()),
        Write::Progress { owner, .. } => ("where it is", owner.call.as_str()),
        Write::Part { owner, .. } => ("a part of its log", owner.call.as_str()),
        Write::Webhooks { whose, .. } => ("its webhooks", whose.owner.call.as_str()),
        Write::Done { .. } => ("what became of a message", "-"),
        Write::End(ending) => ("its end", ending.whose.owner.call.as_str()),
        Write::Flush(_) => return,
    };
    tracing::error!(call, what, %error, "the database did not take what a call left");
}
