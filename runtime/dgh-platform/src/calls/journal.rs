//! Logs of calls on disk, written as the calls go on. One thread seals and writes for all calls, so
//! that no call waits for a disk.
//!
//! A crash of the process loses at most the lines that were on their way; they are not synced one
//! by one, so that a loss of power may cost the last seconds.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use dgh_engine::log::{Entry, KEY_LENGTH, Log, Sealer};
use tokio::sync::oneshot;

use crate::keys;

/// Lists of entries that may wait for the disk. A disk that is stuck must not fill the memory.
const MAX_WAITING: usize = 20_000;

/// Where logs go.
#[derive(Clone)]
pub(crate) struct Journal {
    send: Sender<Message>,
    waiting: Arc<AtomicUsize>,
}

enum Message {
    Begin { id: String, path: PathBuf, log: Box<Log> },
    Entries { id: String, entries: Vec<Entry> },
    End { id: String },
    Flush(oneshot::Sender<()>),
}

impl Journal {
    /// A thread that writes, with the key of the logs.
    pub(crate) fn start(key: [u8; KEY_LENGTH]) -> anyhow::Result<Self> {
        let (send, messages) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        thread::Builder::new().name("dgh-journal".to_owned()).spawn(move || write(&messages, &key, &left))?;
        Ok(Self { send, waiting })
    }

    /// A call begins.
    pub(crate) fn begin(&self, id: &str, path: PathBuf, log: Log) {
        self.send(Message::Begin { id: id.to_owned(), path, log: Box::new(log) });
    }

    /// What was added.
    pub(crate) fn entries(&self, id: &str, entries: Vec<Entry>) {
        if self.waiting.load(Ordering::Relaxed) > MAX_WAITING {
            metrics::counter!("dgh_log_lost_total").increment(1);
            tracing::error!(call = id, "the disk does not follow: lines of a log are lost");
            return;
        }
        self.send(Message::Entries { id: id.to_owned(), entries });
    }

    /// A call is over.
    pub(crate) fn end(&self, id: &str) {
        self.send(Message::End { id: id.to_owned() });
    }

    /// Waits until everything so far is written.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.send(Message::Flush(done));
        // The thread lives as long as this does.
        let _ = written.await;
    }

    fn send(&self, message: Message) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The thread lives as long as this does.
        let _ = self.send.send(message);
    }
}

/// A log that is being written; none: it failed, and the rest of it is dropped.
type Open = HashMap<String, Option<(Sealer, File)>>;

fn write(messages: &Receiver<Message>, key: &[u8; KEY_LENGTH], waiting: &AtomicUsize) {
    let mut open: Open = HashMap::new();
    for message in messages {
        waiting.fetch_sub(1, Ordering::Relaxed);
        match message {
            Message::Begin { id, path, log } => {
                let begun = begin(&path, &log, key).inspect_err(|error| failed(&id, error)).ok();
                open.insert(id, begun);
            }
            Message::Entries { id, entries } => {
                let Some(slot) = open.get_mut(&id) else { continue };
                let Some((sealer, file)) = slot else { continue };
                let written = sealer.entries(&entries).map_err(anyhow::Error::from);
                if let Err(error) = written.and_then(|bytes| Ok(file.write_all(&bytes)?)) {
                    failed(&id, &error);
                    *slot = None;
                }
            }
            Message::End { id } => {
                open.remove(&id);
            }
            Message::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

fn begin(path: &PathBuf, log: &Log, key: &[u8; KEY_LENGTH]) -> anyhow::Result<(Sealer, File)> {
    let (sealer, head) = Sealer::begin(log, key, &keys::fresh_nonce()?, &keys::fresh_key()?)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&head)?;
    Ok((sealer, file))
}

fn failed(id: &str, error: &anyhow::Error) {
    metrics::counter!("dgh_log_lost_total").increment(1);
    tracing::error!(call = id, %error, "the log of a call cannot be written");
}
