//! A call in memory: what it is, where it stands, and what people who look on are told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, StoppedBy, UtteranceId};
use dgh_engine::log::{Entry, Voice, What};
use dgh_ir::program::Channel;
use dgh_store::calls::Owner;
use dgh_voice::call::Watch;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, watch};

use super::book::{Book, Whose};
use super::journal::Journal;
use super::metrics;
use super::slot::Account;
use crate::latency::Turn;

/// What is remembered for those who begin to look on, in lines and in bytes.
const MAX_LINES: usize = 400;
const MAX_BYTES: usize = 128 << 10;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its line is not there yet.
    Connecting,
    /// It goes on.
    Talking,
    /// It is over.
    Ended,
}

/// A call, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The agent, by its name in addresses.
    pub agent: String,
    /// `phone`, `web`, `chat`.
    pub channel: &'static str,
    /// `webrtc`, `twilio`, …
    pub line: &'static str,
    /// Milliseconds since 1970.
    pub started: i64,
    /// Where it stands.
    pub state: State,
    /// The node it is in.
    pub node: Option<String>,
    /// Turns of the caller.
    pub turns: u32,
    /// Its outcome.
    pub outcome: Option<String>,
    /// Who or what ended it.
    pub ended_by: Option<String>,
    /// What went wrong, if something did.
    pub why: Option<String>,
}

/// A call.
pub struct Live {
    key: String,
    watched: bool,
    inbox: mpsc::Sender<Event>,
    owner: OnceLock<Owner>,
    shown: Mutex<Shown>,
    told: watch::Sender<u64>,
}

struct Shown {
    summary: Summary,
    lines: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
    next: u64,
}

impl Live {
    pub(super) fn new(summary: Summary, key: String, watched: bool, inbox: mpsc::Sender<Event>) -> Self {
        let shown = Shown { summary, lines: VecDeque::new(), bytes: 0, next: 1 };
        Self {
            key,
            watched,
            inbox,
            owner: OnceLock::new(),
            shown: Mutex::new(shown),
            told: watch::Sender::new(0),
        }
    }

    /// What it is and where it stands.
    pub fn summary(&self) -> Summary {
        self.shown().summary.clone()
    }

    /// Whoever has this made the call, or was told of it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this is the key of the call; takes the same time for all that are not.
    pub fn is_key(&self, key: &str) -> bool {
        let (ours, theirs) = (self.key.as_bytes(), key.as_bytes());
        let differs = ours.iter().zip(theirs).fold(0, |differs, (a, b)| differs | (a ^ b));
        ours.len() == theirs.len() && differs == 0
    }

    /// Ends it from outside. The caller hears that it has to end.
    pub fn stop(&self) {
        // A call that is so stuck that it does not read is ended by its own limits.
        let _ = self.inbox.try_send(Event::Stop { by: StoppedBy::Operator });
    }

    /// Tells the dialogue of something. False: it is so stuck that it takes nothing.
    pub(crate) fn tell_event(&self, event: Event) -> bool {
        self.inbox.try_send(event).is_ok()
    }

    /// The right to change its row.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        self.owner.get()
    }

    pub(super) fn owned_by(&self, owner: Owner) {
        // It is owned once.
        let _ = self.owner.set(owner);
    }

    /// The caller hung up by other means than the line.
    pub fn hang_up(&self) {
        let _ = self.inbox.try_send(Event::Hangup);
    }

    /// Tells those who look on.
    pub fn tell(&self, mut line: Json) {
        if !self.watched {
            return;
        }
        let mut shown = self.shown();
        let number = shown.next;
        shown.next += 1;
        if let Some(object) = line.as_object_mut() {
            object.insert("n".to_owned(), number.into());
        }
        let text: Arc<str> = line.to_string().into();
        shown.bytes += text.len();
        shown.lines.push_back((number, text));
        while shown.lines.len() > MAX_LINES || shown.bytes > MAX_BYTES {
            let Some((_, old)) = shown.lines.pop_front() else { break };
            shown.bytes -= old.len();
        }
        drop(shown);
        self.told.send_replace(number);
    }

    /// What was told after this line, as far as it is remembered; and whether more will come.
    pub fn after(&self, number: u64) -> (Vec<(u64, Arc<str>)>, bool) {
        let shown = self.shown();
        let lines = shown.lines.iter().filter(|(at, _)| *at > number).cloned().collect();
        (lines, shown.summary.state != State::Ended)
    }

    /// Changes whenever something is told.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    pub(super) fn talking(&self) {
        self.shown().summary.state = State::Talking;
        self.tell(json!({ "type": "state", "state": State::Talking }));
    }

    /// The end. The last line that is told.
    pub(super) fn ended(&self, why: Option<String>) -> Summary {
        let summary = {
            let mut shown = self.shown();
            shown.summary.why = shown.summary.why.take().or(why);
            let by = &mut shown.summary.ended_by;
            if by.is_none() {
                *by = Some("lost".to_owned());
            }
            shown.summary.clone()
        };
        let Summary { outcome, ended_by, why, .. } = &summary;
        self.tell(json!({ "type": "ended", "outcome": outcome, "ended_by": ended_by, "why": why }));
        self.shown().summary.state = State::Ended;
        // Who waits for the next line sees that there is none.
        self.told.send_modify(|_| {});
        self.summary()
    }

    pub(super) fn ended_by(&self, by: &str, why: String) {
        let mut shown = self.shown();
        shown.summary.ended_by = Some(by.to_owned());
        shown.summary.why = Some(why);
    }

    fn record(&self, record: &Record) {
        {
            let mut shown = self.shown();
            let summary = &mut shown.summary;
            match record {
                Record::Entered { node, .. } => summary.node = Some(node.clone()),
                Record::Caller { .. } => summary.turns += 1,
                Record::Ended { outcome, ended_by } => {
                    summary.outcome.clone_from(outcome);
                    summary.ended_by = Some(ended_by.clone());
                }
                _ => {}
            }
        }
        match record {
            // It stands where the caller's last words do.
            Record::Late { text } => self.tell(json!({ "type": "late", "text": text })),
            record if self.watched => self.tell(json!({ "type": "record", "record": record })),
            _ => {}
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a channel.
pub(super) fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Phone => "phone",
        Channel::Web => "web",
        Channel::Chat => "chat",
    }
}

/// Watches a call: its log, the figures, those who look on.
pub(super) struct Watcher {
    id: String,
    live: Arc<Live>,
    journal: Option<Journal>,
    account: Arc<Mutex<Account>>,
    book: Option<(Arc<Book>, Whose)>,
    /// Words that wait to be spoken, masked.
    queued: VecDeque<(UtteranceId, String)>,
}

/// Utterances that wait; an agent queues a handful.
const MAX_QUEUED: usize = 64;

impl Watcher {
    pub(super) fn new(
        id: String,
        live: Arc<Live>,
        journal: Option<Journal>,
        account: Arc<Mutex<Account>>,
        book: Option<(Arc<Book>, Whose)>,
    ) -> Self {
        Self { id, live, journal, account, book, queued: VecDeque::new() }
    }
}

impl Watch for Watcher {
    fn entries(&mut self, entries: Vec<Entry>) {
        for entry in &entries {
            match &entry.what {
                What::Effect(Effect::Emit(record)) => self.live.record(record),
                What::Effect(Effect::Speak { utterance, masked, .. }) => self.queue(*utterance, masked),
                What::Event(event) => self.event(event),
                What::Voice(voice) => self.voice(voice),
                What::Effect(_) => {}
            }
        }
        let flush = self.account_for(&entries);
        if let Some(journal) = &self.journal {
            journal.entries(&self.id, entries, flush);
        }
    }

    fn partial(&mut self, text: &str) {
        if self.live.watched {
            self.live.tell(json!({ "type": "partial", "text": text }));
        }
    }

    fn speaking(&mut self, caller: bool) {
        if self.live.watched {
            self.live.tell(json!({ "type": "speaking", "who": if caller { "caller" } else { "agent" } }));
        }
    }
}

impl Watcher {
    /// Adds up what the call comes to, and writes down what others must know of it now. Answers
    /// whether the log must be safe from here on: at each turn, around what tools change, at the end.
    fn account_for(&self, entries: &[Entry]) -> bool {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let before = account.tally.progress().1;
        let (mut flush, mut moved) = (false, false);
        for entry in entries {
            account.tally.take(entry);
            match &entry.what {
                What::Effect(effect) => {
                    account.due.see(effect);
                    flush |= match effect {
                        Effect::CallTool(request) => request.idempotency_key.is_some(),
                        Effect::End | Effect::Webhook { .. } => true,
                        _ => false,
                    };
                    moved |= matches!(effect, Effect::Emit(Record::Entered { .. }));
                }
                What::Event(event) => flush |= matches!(event, Event::ToolResult { .. }),
                What::Voice(_) => {}
            }
        }
        let Some((book, whose)) = &self.book else { return flush };
        let (at_node, turns) = account.tally.progress();
        flush |= turns > before;
        if moved || turns > before {
            book.writer.progress(&whose.owner, at_node, turns);
        }
        // Those of its end are kept with it.
        if account.due.all().len() > account.handed && !account.tally.has_ended() {
            let fresh = account.due.all().get(account.handed..).unwrap_or_default().to_vec();
            account.handed = account.due.all().len();
            book.writer.webhooks(whose, fresh, account.tally.last());
        }
        flush
    }

    fn queue(&mut self, utterance: UtteranceId, masked: &str) {
        if self.live.watched && self.queued.len() < MAX_QUEUED {
            self.queued.push_back((utterance, masked.to_owned()));
        }
    }

    /// Words are shown while they sound, and their record follows when they were heard.
    fn event(&mut self, event: &Event) {
        match event {
            Event::SpeechStarted { utterance } => {
                while let Some((queued, text)) = self.queued.pop_front() {
                    if queued == *utterance {
                        self.live.tell(json!({ "type": "speech", "utterance": utterance, "text": text }));
                        break;
                    }
                }
            }
            Event::SpeechCut { utterance, heard, .. } => {
                self.queued.clear();
                self.live.tell(json!({ "type": "cut", "utterance": utterance, "heard": heard }));
            }
            _ => {}
        }
    }

    fn voice(&self, voice: &Voice) {
        metrics::voice(voice);
        if !self.live.watched {
            return;
        }
        match voice {
            Voice::Timing(timing) => {
                self.live.tell(json!({ "type": "timing", "timing": Turn::from(timing) }));
            }
            Voice::Trouble { part, message } => {
                self.live.tell(json!({ "type": "trouble", "part": part, "message": message }));
            }
            _ => {}
        }
    }
}
