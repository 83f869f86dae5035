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
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use dgh_engine::log::{Entry, KEY_LENGTH, Log, Sealer};
use dgh_store::calls::Owner;
use tokio::sync::oneshot;

use super::book::Writer;
use crate::keys;

/// Lists of entries that may wait for the disk. A disk that is stuck must not fill the memory.
const MAX_WAITING: usize = 20_000;

/// How long a line may be on this disk alone. Whoever watches the call on another node sees it then.
const ALONE: Duration = Duration::from_millis(800);

/// Where a log goes besides the disk: where other nodes find it.
pub(crate) struct Sink {
    writer: Writer,
    owner: Owner,
    number: i64,
    waiting: Vec<u8>,
    since: Option<Instant>,
    /// Something did not fit: what comes after it is of no use.
    torn: bool,
}

impl Sink {
    pub(crate) fn new(writer: Writer, owner: Owner) -> Self {
        Self { writer, owner, number: 0, waiting: Vec::new(), since: None, torn: false }
    }

    fn add(&mut self, bytes: &[u8], flush: bool) {
        if self.torn {
            return;
        }
        self.waiting.extend_from_slice(bytes);
        self.since.get_or_insert_with(Instant::now);
        if flush {
            self.flush();
        }
    }

    fn flush_if_due(&mut self) {
        if self.since.is_some_and(|since| since.elapsed() >= ALONE) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.since = None;
        if self.waiting.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.waiting);
        self.torn = !self.writer.part(&self.owner, self.number, bytes);
        self.number += 1;
    }
}

/// Where logs go.
#[derive(Clone)]
pub(crate) struct Journal {
    send: Sender<Message>,
    waiting: Arc<AtomicUsize>,
}

enum Message {
    Begin { id: String, path: PathBuf, log: Box<Log>, sink: Option<Sink> },
    Entries { id: String, entries: Vec<Entry>, flush: bool },
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
    pub(crate) fn begin(&self, id: &str, path: PathBuf, log: Log, sink: Option<Sink>) {
        self.send(Message::Begin { id: id.to_owned(), path, log: Box::new(log), sink });
    }

    /// What was added, and whether it must be safe soon.
    pub(crate) fn entries(&self, id: &str, entries: Vec<Entry>, flush: bool) {
        if self.waiting.load(Ordering::Relaxed) > MAX_WAITING {
            metrics::counter!("dgh_log_lost_total").increment(1);
            tracing::error!(call = id, "the disk does not follow: lines of a log are lost");
            return;
        }
        self.send(Message::Entries { id: id.to_owned(), entries, flush });
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

/// A log that is being written.
struct Open {
    sealer: Sealer,
    /// None: the disk failed, and the rest goes to the sink alone.
    file: Option<File>,
    sink: Option<Sink>,
}

impl Open {
    fn add(&mut self, id: &str, bytes: &[u8], flush: bool) {
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write_all(bytes)) {
            failed(id, &error.into());
            self.file = None;
        }
        if let Some(sink) = &mut self.sink {
            sink.add(bytes, flush);
        }
    }
}

fn write(messages: &Receiver<Message>, key: &[u8; KEY_LENGTH], waiting: &AtomicUsize) {
    let mut open: HashMap<String, Open> = HashMap::new();
    let mut looked = Instant::now();
    loop {
        let message = match messages.recv_timeout(ALONE) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if message.is_some() {
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
        match message {
            Some(Message::Begin { id, path, log, sink }) => match begin(&log, key) {
                Ok((sealer, head)) => {
                    let file = create(&path).inspect_err(|error| failed(&id, error)).ok();
                    let mut log = Open { sealer, file, sink };
                    log.add(&id, &head, true);
                    open.insert(id, log);
                }
                Err(error) => failed(&id, &error),
            },
            Some(Message::Entries { id, entries, flush }) => {
                let Some(log) = open.get_mut(&id) else { continue };
                match log.sealer.entries(&entries) {
                    Ok(bytes) => log.add(&id, &bytes, flush),
                    Err(error) => {
                        failed(&id, &error.into());
                        open.remove(&id);
                    }
                }
            }
            Some(Message::End { id }) => {
                if let Some(Open { sink: Some(mut sink), .. }) = open.remove(&id) {
                    sink.flush();
                }
            }
            Some(Message::Flush(done)) => {
                let _ = done.send(());
            }
            None => {}
        }
        if looked.elapsed() >= ALONE / 2 {
            looked = Instant::now();
            open.values_mut().filter_map(|log| log.sink.as_mut()).for_each(Sink::flush_if_due);
        }
    }
}

fn begin(log: &Log, key: &[u8; KEY_LENGTH]) -> anyhow::Result<(Sealer, Vec<u8>)> {
    Ok(Sealer::begin(log, key, &keys::fresh_nonce()?, &keys::fresh_key()?)?)
}

fn create(path: &PathBuf) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}

fn failed(id: &str, error: &anyhow::Error) {
    metrics::counter!("dgh_log_lost_total").increment(1);
    tracing::error!(call = id, %error, "the log of a call cannot be written");
}
