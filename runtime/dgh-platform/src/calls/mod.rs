//! Live calls: begun, counted, watched, ended. In memory; what they leave behind is a log and a
//! recording each.

mod journal;
mod live;
mod metrics;
mod transfers;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{TimeZone as _, Utc};
use dgh_engine::event::{AnsweredBy, Event, Timestamp};
use dgh_engine::log::{KEY_LENGTH, LoggedCall};
use dgh_engine::{CallStart, Caller, Direction};
use dgh_ir::program::Channel;
use dgh_voice::call::Setup;
use dgh_voice::line::Line;
use dgh_voice::turn::Tuning;
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

pub use live::{Live, State, Summary};
pub use metrics::{CALL_SECONDS, DESCRIPTIONS, Kind, SECONDS};

use crate::{Agent, keys};
use journal::Journal;
use transfers::MockedTransfers;

/// Calls at a time when nobody says.
pub const MAX_CALLS: usize = 500;
/// How long calls that were told to end may take for it.
pub const LAST_WORDS: Duration = Duration::from_secs(10);
/// Calls that are remembered after their end, for those who ask how it went.
const REMEMBERED: usize = 100;
/// Facts from outside that may wait for a call.
const INBOX: usize = 16;

/// Where the logs and recordings of calls go.
#[derive(Clone)]
pub struct Data {
    /// The folder; calls have one of their own in it.
    pub folder: PathBuf,
    /// The key that seals logs.
    pub key: [u8; KEY_LENGTH],
}

/// How calls are kept.
#[derive(Clone)]
pub struct Settings {
    /// Calls at a time.
    pub max: usize,
    /// Where logs and recordings go; none: nowhere.
    pub data: Option<Data>,
    /// Whether both sides are recorded.
    pub record: bool,
    /// How turns are taken.
    pub tuning: Tuning,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max: MAX_CALLS, data: None, record: false, tuning: Tuning::default() }
    }
}

/// All calls of this process.
pub struct Calls {
    settings: Settings,
    journal: Option<Journal>,
    list: Mutex<List>,
    draining: AtomicBool,
    count: watch::Sender<usize>,
    number: AtomicU64,
}

#[derive(Default)]
struct List {
    live: HashMap<String, Arc<Live>>,
    ended: VecDeque<Arc<Live>>,
}

/// A call that is wanted.
pub struct NewCall {
    /// The agent's name in addresses.
    pub id: String,
    /// The agent.
    pub agent: Arc<Agent>,
    /// How the caller is reached.
    pub channel: Channel,
    /// `webrtc`, `twilio`, …
    pub line: &'static str,
    /// Who calls.
    pub caller: Caller,
    /// What is given to inputs.
    pub inputs: Vec<(String, Json)>,
    /// Whether somebody looks on.
    pub watched: bool,
}

/// Why a call is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There are as many as there may be.
    #[error("{0} calls go on, and no more are taken at a time")]
    Full(usize),
    /// No new calls: this process is about to end.
    #[error("no new calls are taken: the server is about to stop")]
    Draining,
    /// The agent cannot speak, and the line has no screen.
    #[error("agent `{0}` has no voice here, and callers on a telephone cannot read")]
    NoVoice(String),
    /// It cannot start like this.
    #[error("{0:#}")]
    Start(anyhow::Error),
}

impl Calls {
    /// No calls yet. Makes the data folder.
    pub fn new(settings: Settings) -> anyhow::Result<Arc<Self>> {
        let journal = match &settings.data {
            Some(Data { folder, key }) => {
                make_folder(folder).with_context(|| format!("cannot write {}", folder.display()))?;
                Some(Journal::start(*key)?)
            }
            None => None,
        };
        Ok(Arc::new(Self {
            settings,
            journal,
            list: Mutex::default(),
            draining: AtomicBool::new(false),
            count: watch::Sender::new(0),
            number: AtomicU64::new(0),
        }))
    }

    /// Takes a call, whose line is on its way. It counts from here on.
    pub fn begin(self: &Arc<Self>, new: NewCall) -> Result<Pending, Refused> {
        let refused = |why: Refused, reason| {
            metrics::refused(reason);
            Err(why)
        };
        if self.is_draining() {
            return refused(Refused::Draining, "draining");
        }
        if new.agent.chosen.uses.tts.is_none() && new.line != "webrtc" {
            return refused(Refused::NoVoice(new.id), "no_voice");
        }
        let now = Utc::now().timestamp_millis();
        let id = self.fresh_id(now);
        // What cannot start is told before anything rings.
        if let Err(error) = logged(&new, &id, Timestamp(now)) {
            return refused(Refused::Start(error), "start");
        }
        let key = match keys::secret_name() {
            Ok(key) => key,
            Err(error) => return refused(Refused::Start(error), "start"),
        };
        let summary = Summary {
            id: id.clone(),
            agent: new.id.clone(),
            channel: live::channel_name(new.channel),
            line: new.line,
            started: now,
            state: State::Connecting,
            node: None,
            turns: 0,
            outcome: None,
            ended_by: None,
            why: None,
        };
        let (send, inbox) = mpsc::channel(INBOX);
        let live = Arc::new(Live::new(summary, key, new.watched, send));
        {
            let mut list = self.list();
            if list.live.len() >= self.settings.max {
                drop(list);
                return refused(Refused::Full(self.settings.max), "full");
            }
            list.live.insert(id.clone(), Arc::clone(&live));
            self.counted(list.live.len());
        }
        let slot = Slot { calls: Arc::clone(self), id, live, since: Instant::now(), logged: false };
        Ok(Pending { slot, new, inbox })
    }

    /// The calls that go on, the oldest first.
    pub fn live(&self) -> Vec<Summary> {
        let mut all: Vec<Summary> = self.list().live.values().map(|live| live.summary()).collect();
        all.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
        all
    }

    /// A call that goes on, or ended not long ago.
    pub fn get(&self, id: &str) -> Option<Arc<Live>> {
        let list = self.list();
        let ended = || list.ended.iter().find(|live| live.summary().id == id);
        list.live.get(id).or_else(ended).cloned()
    }

    /// How many go on.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Whether no new calls are taken.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Takes no new calls, waits for those that go on, and ends those that are still there after
    /// `patience`. Answers how many did not even end then.
    pub async fn drain(&self, patience: Duration) -> usize {
        self.draining.store(true, Ordering::Relaxed);
        if timeout(patience, self.empty()).await.is_err() {
            let all: Vec<Arc<Live>> = self.list().live.values().cloned().collect();
            tracing::warn!(calls = all.len(), "calls are ended: they took too long");
            for live in all {
                live.stop();
            }
            let _ = timeout(LAST_WORDS, self.empty()).await;
        }
        if let Some(journal) = &self.journal {
            journal.flush().await;
        }
        self.count()
    }

    async fn empty(&self) {
        // The sender is in `self`: it lasts as long as this waits.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// An id that sorts by time, and is the name of the files.
    fn fresh_id(&self, now: i64) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed) % 1_000_000;
        let time = Utc.timestamp_millis_opt(now).single().unwrap_or_default();
        format!("{}-{:06}", time.format("%Y%m%dT%H%M%S%3f"), number)
    }

    fn file(&self, id: &str, ending: &str) -> Option<PathBuf> {
        Some(self.settings.data.as_ref()?.folder.join("calls").join(format!("{id}.{ending}")))
    }

    fn counted(&self, calls: usize) {
        metrics::live(calls);
        self.count.send_replace(calls);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for its line. Dropped, it never connected.
pub struct Pending {
    slot: Slot,
    new: NewCall,
    inbox: mpsc::Receiver<Event>,
}

impl Pending {
    /// What others see of it.
    pub fn live(&self) -> &Arc<Live> {
        &self.slot.live
    }

    /// Its line never came.
    pub fn fail(self, why: String) {
        self.slot.live.ended_by("not_connected", why);
    }

    /// Makes the call, to its end.
    pub async fn run<L: Line>(self, line: L) {
        let Self { mut slot, new, inbox } = self;
        let now = Timestamp(Utc::now().timestamp_millis());
        let call = match logged(&new, &slot.id, now) {
            Ok(call) => call,
            Err(error) => return slot.live.ended_by("error", format!("{error:#}")),
        };
        let calls = Arc::clone(&slot.calls);
        let journal = calls.journal.clone().zip(calls.file(&slot.id, "log"));
        let journal = journal.map(|(journal, path)| {
            journal.begin(&slot.id, path, call.log().clone());
            slot.logged = true;
            journal
        });
        slot.live.talking();
        tracing::info!(call = slot.id, agent = new.id, line = new.line, "a call began");
        let agent = &new.agent;
        let outbound = call.log().start.direction == Direction::Outbound;
        let setup = Setup {
            call,
            // Who opens a page and presses the button is a person.
            first: if outbound && new.watched {
                vec![Event::AnsweredBy { who: AnsweredBy::Human }]
            } else {
                Vec::new()
            },
            models: Arc::clone(&agent.chosen.models),
            voices: Arc::clone(&agent.chosen.voices),
            stt: agent.chosen.stt.clone(),
            tts: agent.chosen.tts.clone(),
            tools: Box::new(agent.tools()),
            watch: Box::new(live::Watcher::new(slot.id.clone(), Arc::clone(&slot.live), journal)),
            recordings: agent.recordings(),
            record_to: calls.settings.record.then(|| calls.file(&slot.id, "wav")).flatten(),
            inbox,
            tuning: calls.settings.tuning.clone(),
            prepare_sound: true,
        };
        let line = MockedTransfers::new(line, agent.tools());
        let ended = dgh_voice::call::run(line, setup).await;
        if let Some(why) = ended.line {
            slot.live.ended(Some(why));
        }
    }
}

/// The place of a call among those that go on. Given back when it is dropped, whatever happened.
struct Slot {
    calls: Arc<Calls>,
    id: String,
    live: Arc<Live>,
    since: Instant,
    logged: bool,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let why = std::thread::panicking().then(|| "an internal error".to_owned());
        let summary = match self.live.summary() {
            ended if ended.state == State::Ended => ended,
            _ => self.live.ended(why),
        };
        let Summary { outcome, ended_by, why, .. } = &summary;
        let (outcome, ended_by) = (outcome.as_deref().unwrap_or("-"), ended_by.as_deref().unwrap_or("-"));
        tracing::info!(call = self.id, outcome, ended_by, why = why.as_deref(), "a call ended");
        metrics::ended(&summary, self.since.elapsed().as_secs_f64());
        if let Some(journal) = self.calls.journal.as_ref().filter(|_| self.logged) {
            journal.end(&self.id);
        }
        let mut list = self.calls.list();
        list.live.remove(&self.id);
        list.ended.push_back(Arc::clone(&self.live));
        if list.ended.len() > REMEMBERED {
            list.ended.pop_front();
        }
        self.calls.counted(list.live.len());
    }
}

fn logged(new: &NewCall, id: &str, now: Timestamp) -> anyhow::Result<LoggedCall> {
    let mut start = CallStart::new(id, new.channel, now);
    start.direction = if new.agent.outbound { Direction::Outbound } else { Direction::Inbound };
    start.caller = new.caller.clone();
    new.agent.call(start, new.inputs.iter().cloned())
}

/// Readable by its owner alone, and by no version control.
fn make_folder(data: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data.join("calls"))?;
    let ignored = data.join(".gitignore");
    if !ignored.exists() {
        fs::write(ignored, "*\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
