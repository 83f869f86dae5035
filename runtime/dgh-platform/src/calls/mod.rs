//! Live calls: begun, counted, watched, ended. What is said is in memory, in a log and in a recording;
//! what others must know of them is in the book.

pub mod book;
pub mod dial;
mod journal;
mod live;
mod metrics;
pub mod prices;
mod roster;
mod slot;
mod tally;
mod transfers;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use dgh_engine::event::{AnsweredBy, Event, Timestamp};
use dgh_engine::log::{KEY_LENGTH, LoggedCall};
use dgh_engine::{CallStart, Caller, Direction};
use dgh_ir::program::Channel;
use dgh_store::calls::{self as rows, Created, Owner, Scope};
use dgh_store::{CallId, StoreError};
use dgh_voice::call::Setup;
use dgh_voice::line::Line;
use dgh_voice::turn::Tuning;
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

pub use live::{Live, State, Summary};
pub use metrics::{CALL_SECONDS, DESCRIPTIONS, Kind, SECONDS};

use crate::{Agent, keys};
use book::{Book, Roster, Whose};
use journal::{Journal, Sink};
use slot::{Account, Place, Slot};
use transfers::MockedTransfers;

/// Calls at a time when nobody says.
pub const MAX_CALLS: usize = 500;
/// How long calls that were told to end may take for it: for their last words, and for the line's
/// goodbye.
pub const LAST_WORDS: Duration = Duration::from_secs(10);
const _: () = assert!(LAST_WORDS.as_secs() * 1_000 > dgh_engine::LAST_WORDS_MS.unsigned_abs());
/// How long what calls left may take to be written down when the process ends.
const LAST_WRITES: Duration = Duration::from_secs(10);
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
    /// Where calls are written down for others; none: nowhere.
    pub book: Option<Arc<Book>>,
    /// Where this server is reached: what agents name as the address of a transcript begins with it.
    pub address: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max: MAX_CALLS,
            data: None,
            record: false,
            tuning: Tuning::default(),
            book: None,
            address: None,
        }
    }
}

/// All calls of this process.
pub struct Calls {
    settings: Settings,
    journal: Option<Journal>,
    list: Mutex<List>,
    draining: AtomicBool,
    count: watch::Sender<usize>,
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
    /// What else is known of it.
    pub about: About,
}

/// What is known of a call besides its agent and its line.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Who called whom; none: the agent calls if that is what it is for.
    pub direction: Option<Direction>,
    /// Our side's number.
    pub number: Option<String>,
    /// Whether it is a test.
    pub test: bool,
    /// The campaign.
    pub campaign: Option<String>,
    /// Its row is there, and this node took it.
    pub owner: Option<Owner>,
}

/// Why a call is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There are as many as there may be.
    #[error("{0} calls go on, and no more are taken at a time")]
    Full(usize),
    /// The organisation, the agent or the campaign has as many as it may have.
    #[error("{what} has {max} calls at a time, and no more")]
    NoPlace {
        /// Whose limit it is.
        what: String,
        /// How many.
        max: i64,
    },
    /// The database did not take it.
    #[error("the call cannot be written down: {0}")]
    Store(#[from] StoreError),
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
        }))
    }

    /// Does the duties of a node for its calls from here on: messages from elsewhere, and what dead
    /// nodes left. Without a book there are none.
    pub fn serve(self: &Arc<Self>, roster: Arc<dyn Roster>) {
        if let Some(book) = &self.settings.book {
            book::start(Arc::clone(book), Arc::downgrade(self), roster);
        }
    }

    /// Takes a call, whose line is on its way. It counts from here on.
    pub async fn begin(self: &Arc<Self>, new: NewCall) -> Result<Pending, Refused> {
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
        let id = new.about.owner.as_ref().map_or_else(CallId::fresh, |owner| owner.call.clone());
        // What cannot start is told before anything rings.
        if let Err(error) = self.logged(&new, id.as_str(), Timestamp(now)) {
            return refused(Refused::Start(error), "start");
        }
        let key = match keys::secret_name() {
            Ok(key) => key,
            Err(error) => return refused(Refused::Start(error), "start"),
        };
        let summary = Summary {
            id: id.to_string(),
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
        let Some(place) = self.place(&live) else {
            return refused(Refused::Full(self.settings.max), "full");
        };
        let whose = match self.write_down(&new, &id, now).await {
            Ok(whose) => whose,
            Err(why) => return refused(why, "no_place"),
        };
        if let Some(whose) = &whose {
            live.owned_by(whose.owner.clone());
        }
        let account = Account::new(&new.agent.name, now);
        Ok(Pending { slot: Slot::new(place, live, whose, account, new), inbox })
    }

    /// Where calls are written down.
    pub fn book(&self) -> Option<&Arc<Book>> {
        self.settings.book.as_ref()
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
    /// `patience`, with words. Answers how many did not even end then.
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
        if let Some(book) = &self.settings.book {
            book.close(LAST_WRITES).await;
        }
        self.count()
    }

    async fn empty(&self) {
        // The sender is in `self`: it lasts as long as this waits.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The calls of this node that have a row, with the right to change it.
    pub(crate) fn owned(&self) -> Vec<(Owner, Arc<Live>)> {
        let list = self.list();
        list.live.values().filter_map(|live| Some((live.owner()?.clone(), Arc::clone(live)))).collect()
    }

    /// Whether a call goes on here.
    pub(crate) fn goes_on(&self, id: &str) -> bool {
        self.list().live.contains_key(id)
    }

    /// Waits until the logs of calls are on the disk, so far.
    pub(crate) async fn flush_logs(&self) {
        if let Some(journal) = &self.journal {
            journal.flush().await;
        }
    }

    /// A place among those of this process; none: there is none.
    fn place(self: &Arc<Self>, live: &Arc<Live>) -> Option<Place> {
        let mut list = self.list();
        if list.live.len() >= self.settings.max {
            return None;
        }
        let id = live.summary().id;
        list.live.insert(id.clone(), Arc::clone(live));
        self.counted(list.live.len());
        drop(list);
        Some(Place { calls: Arc::clone(self), id })
    }

    /// Writes a call down that has no row yet.
    async fn write_down(&self, new: &NewCall, id: &CallId, now: i64) -> Result<Option<Whose>, Refused> {
        let Some(book) = &self.settings.book else { return Ok(None) };
        let pinned = new.agent.pinned.as_ref();
        let owner = match &new.about.owner {
            Some(owner) => owner.clone(),
            None => {
                let org = pinned.map_or_else(|| book.home().clone(), |pinned| pinned.org.clone());
                let row = new.row(id, Some(book.node().clone()));
                match book.create(&org, &row, now).await? {
                    Created::New | Created::Already(_) => Owner { call: id.clone(), org, fence: 1 },
                    Created::Full { scope, max } => {
                        let what = match scope {
                            Scope::Org => "the organisation".to_owned(),
                            Scope::Agent => format!("agent `{}`", new.id),
                            Scope::Campaign => "the campaign".to_owned(),
                        };
                        return Err(Refused::NoPlace { what, max });
                    }
                }
            }
        };
        let profile = pinned.map(|pinned| pinned.profile.clone());
        Ok(Some(Whose { owner, agent: new.id.clone(), profile, test: new.about.test }))
    }

    fn logged(&self, new: &NewCall, id: &str, now: Timestamp) -> anyhow::Result<LoggedCall> {
        let mut start = CallStart::new(id, new.channel, now);
        start.direction = new.direction();
        start.caller = new.caller.clone();
        if let Some(address) = &self.settings.address {
            let of = |kind: &str| format!("{address}/api/v1/calls/{id}/files/{kind}");
            start.transcript_url = Some(of(book::TRANSCRIPT));
            start.recording_url = self.settings.record.then(|| of(book::RECORDING));
        }
        new.agent.call(start, new.inputs.iter().cloned())
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

impl NewCall {
    /// Who called whom.
    pub(crate) fn direction(&self) -> Direction {
        let usual = if self.agent.outbound { Direction::Outbound } else { Direction::Inbound };
        self.about.direction.unwrap_or(usual)
    }

    /// As it is written down.
    pub fn row(&self, id: &CallId, node: Option<dgh_store::NodeId>) -> rows::NewCall {
        let About { number, test, campaign, .. } = &self.about;
        let pinned = self.agent.pinned.as_ref();
        let release = pinned.and_then(|pinned| pinned.release.as_ref()).map(|(id, _)| id.to_string());
        let version = match (&release, pinned) {
            (Some(_), _) => "published",
            (None, Some(_)) => "draft",
            (None, None) => "folder",
        };
        let outbound = self.direction() == Direction::Outbound;
        let (ours, theirs) = (number.clone(), self.caller.phone.clone());
        let (caller, called) = if outbound { (ours, theirs) } else { (theirs, ours) };
        rows::NewCall {
            id: id.clone(),
            agent: self.id.clone(),
            version: version.to_owned(),
            release,
            profile: pinned.map(|pinned| pinned.profile.clone()),
            profile_revision: pinned.map(|pinned| pinned.profile_revision),
            program: self.agent.hash().to_owned(),
            direction: if outbound { "outbound" } else { "inbound" },
            channel: live::channel_name(self.channel),
            line: self.line.to_owned(),
            test: *test,
            campaign: campaign.clone(),
            caller,
            called,
            inputs: None,
            node,
            due_at: None,
            ticket: None,
            carrier_call: None,
            tags: self.agent.tags.clone(),
        }
    }
}

/// A call that waits for its line. Dropped, it never connected.
pub struct Pending {
    slot: Slot,
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
        let Self { mut slot, inbox } = self;
        let Some(new) = slot.take_new() else { return };
        let now = Timestamp(Utc::now().timestamp_millis());
        let calls = Arc::clone(slot.calls());
        let id = slot.id().to_owned();
        let call = match calls.logged(&new, &id, now) {
            Ok(call) => call,
            Err(error) => return slot.live.ended_by("error", format!("{error:#}")),
        };
        let book = calls.settings.book.clone().zip(slot.whose.clone());
        let journal = calls.journal.clone().zip(calls.file(&id, "log"));
        let journal = journal.map(|(journal, path)| {
            let sink = book.as_ref().map(|(book, whose)| Sink::new(book.writer.clone(), whose.owner.clone()));
            journal.begin(&id, path, call.log().clone(), sink);
            slot.logged = true;
            journal
        });
        slot.live.talking();
        if let Some((book, whose)) = &book {
            book.writer.live(&whose.owner, now.0);
        }
        tracing::info!(call = id, agent = new.id, line = new.line, "a call began");
        let agent = &new.agent;
        let outbound = call.log().start.direction == Direction::Outbound;
        let record_to = calls.settings.record.then(|| calls.file(&id, "wav")).flatten();
        slot.recorded = record_to.is_some();
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
            watch: Box::new(live::Watcher::new(
                id,
                Arc::clone(&slot.live),
                journal,
                Arc::clone(&slot.account),
                book,
            )),
            recordings: agent.recordings(),
            record_to,
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
