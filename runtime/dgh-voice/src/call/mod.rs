//! The driver of a call: one task that moves what the others decide.
//!
//! ```text
//!  line ──frame──► ear ──facts──► turn taking ──turn──► engine ──words──► mouth ──frame──► line
//!                   │                  │ Hold, Cut         │ effects        ▲
//!                   ▼                  └──────────────────►│                │
//!              recogniser                           replies, tools        voices
//! ```
//!
//! It waits for the first of: the line, the recogniser, a voice, a reply, a tool, a message, a
//! deadline; hands it to whom it concerns; and then does all that follows from it.

mod ahead;
mod clock;
mod duplex;
mod ear;
mod expected;
mod last_words;
mod mind;
mod mouth;
pub mod realtime;
mod replies;
mod room;
mod setup;
mod show;
mod skipped;
mod sound;
mod stopwatch;
mod wake;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use dgh_engine::event::{Event, StoppedBy, ToolCallId, ToolFailure};
use dgh_engine::log::{LoggedCall, Voice};
use dgh_providers::stt::SttEvent;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use tokio::time::{Instant, Sleep};

pub use setup::{CallTools, Recordings, Setup, Watch};

use crate::answer::{Classifier, Fact};
use crate::audio::Frame;
use crate::audio::record::Recorder;
use crate::line::{Line, LineCommand, LineEvent};
use crate::playout::Playout;
use crate::turn::{Decision, Heard, TurnTaker};
use ahead::Ahead;
use clock::Clock;
use duplex::Duplex;
use ear::Ear;
use mouth::Mouth;
use replies::Replies;
use room::Room;
use skipped::Skipped;
use stopwatch::Stopwatch;
use wake::Wake;

/// How long a call may go on after its end was decided: what is queued is played, and not more.
pub const LONGEST_END_MS: u64 = 60_000;
/// How long after a hang-up the last request may take.
pub const AFTER_HANGUP_MS: u64 = 15_000;

/// How long the other side may take to say goodbye.
pub const GOODBYE_MS: u64 = 3_000;

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why its line closed, if it did not close by a hang-up.
    pub line: Option<String>,
}

/// Makes a call on a line, from the first word to the hang-up.
pub async fn run<L: Line>(line: L, setup: Setup) -> Ended {
    let mut driver = Driver::new(line, setup);
    driver.begin();
    while !driver.is_over() {
        let wake = driver.next().await;
        driver.take(wake);
        driver.settle();
    }
    driver.finish().await
}

struct Driver<L> {
    line: L,
    rate: u32,
    clock: Clock,
    call: LoggedCall,
    setup: Parts,
    ear: Ear,
    turns: TurnTaker,
    mouth: Mouth,
    /// Of agents with a speech-to-speech model.
    duplex: Option<Duplex>,
    /// While it is not known who answered.
    who: Option<Classifier>,
    room: Option<Room>,
    /// While a transfer rings.
    music: Option<Room>,
    room_due: Option<u64>,
    replies: Replies,
    tools: Vec<(ToolCallId, BoxFuture<'static, Result<Json, ToolFailure>>)>,
    ahead: Option<Ahead>,
    stopwatch: Stopwatch,
    /// Messages of the line that nobody could read.
    skipped: Skipped,
    /// Notes for the log that wait until it is decided which call is the call.
    notes: Vec<Voice>,
    heard: Frame,
    spoken: Frame,
    recording: Option<Recorder>,
    sleep: Pin<Box<Sleep>>,
    due: Option<Instant>,
    playout_due: Option<u64>,
    engine_due: Option<dgh_engine::event::Timestamp>,
    inbox_open: bool,
    /// Where the node was when policies were read.
    listening: Option<dgh_engine::Listening>,
    refresh: bool,
    /// The dialogue is over; what is queued is played.
    ended: bool,
    /// By when the call is over whatever happens.
    ending: Option<u64>,
    closed: Option<Closed>,
    over: bool,
    agent_sounds: bool,
    /// Utterances in a row that no voice could speak.
    mute: u32,
    language: String,
    shows: bool,
    cancels_echo: bool,
    /// When the last final words came: microseconds since the start.
    final_at: u64,
}

/// A line that is gone.
struct Closed {
    /// Why, if nobody hung up.
    why: Option<String>,
}

/// What of the setup is used during the call.
struct Parts {
    models: std::sync::Arc<dyn dgh_providers::Models>,
    tts: Vec<dgh_engine::reply::Model>,
    tools: Box<dyn CallTools>,
    watch: Box<dyn Watch>,
    recordings: std::sync::Arc<Recordings>,
    inbox: tokio::sync::mpsc::Receiver<Event>,
    first: Vec<Event>,
    prepare_sound: bool,
}

impl<L: Line> Driver<L> {
    fn new(line: L, setup: Setup) -> Self {
        let about = line.about().clone();
        let clock = Clock::new(setup.call.log().start.now);
        let duplex = Duplex::open(&setup, about.rate);
        let own = setup.call.call().recognisers();
        let recognisers = match &duplex {
            // The session hears by itself.
            Some(_) => Vec::new(),
            None if own.is_empty() => setup.stt,
            None => own,
        };
        let call = setup.call;
        let (session, troubles) = ear::open(setup.voices.as_ref(), &recognisers, about.rate, call.call());
        let wonders = call.call().wonders_who_answered();
        let seed = call.log().start.call_id.bytes().map(u64::from).sum::<u64>() * 97;
        let room = call.call().ambience().and_then(|ambience| Room::of(&ambience, about.rate, seed));
        let playout = Playout::new(about.rate, about.lead_ms, about.marks);
        let recording = setup.record_to.map(|path| Recorder::create(&path, about.rate));
        let (recording, failed) = match recording {
            Some(Ok(recorder)) => (Some(recorder), None),
            Some(Err(error)) => {
                (None, Some(Voice::Trouble { part: "recording".into(), message: error.to_string() }))
            }
            None => (None, None),
        };
        let notes = troubles.into_iter().chain(failed).collect();
        let language = call.call().language().to_owned();
        Self {
            rate: about.rate,
            ear: Ear::new(&about, call.call(), session),
            duplex,
            who: wonders.then(|| Classifier::new(0)),
            room,
            music: None,
            room_due: None,
            mouth: Mouth::new(playout, setup.voices, about.rate),
            turns: TurnTaker::new(setup.tuning),
            setup: Parts {
                models: setup.models,
                tts: setup.tts,
                tools: setup.tools,
                watch: setup.watch,
                recordings: setup.recordings,
                inbox: setup.inbox,
                first: setup.first,
                prepare_sound: setup.prepare_sound,
            },
            line,
            clock,
            call,
            replies: Replies::default(),
            tools: Vec::new(),
            ahead: None,
            stopwatch: Stopwatch::default(),
            skipped: Skipped::default(),
            notes,
            heard: Frame::default(),
            spoken: Frame::default(),
            recording,
            sleep: Box::pin(tokio::time::sleep_until(Instant::now())),
            due: None,
            playout_due: None,
            engine_due: None,
            inbox_open: true,
            listening: None,
            refresh: true,
            ended: false,
            ending: None,
            closed: None,
            over: false,
            agent_sounds: false,
            mute: 0,
            language,
            shows: about.shows,
            cancels_echo: about.cancels_echo,
            final_at: 0,
        }
    }

    fn begin(&mut self) {
        self.turns.speak(&self.language);
        if self.duplex.is_some() {
            // Its words come when a turn is over: until then a voice is all that is heard.
            self.turns.handle(Heard::Deaf, 0);
        }
        let voices = self.voices();
        if self.duplex.is_some() && voices.is_empty() {
            // The session is the voice.
        } else if let Err(why) = self.mouth.warm(&voices, &self.language.clone()) {
            self.trouble("tts", why);
        }
        for event in std::mem::take(&mut self.setup.first) {
            self.tell(event);
        }
        self.act();
        self.settle();
    }

    fn is_over(&self) -> bool {
        self.over
    }

    /// Hands what came to whom it concerns.
    fn take(&mut self, wake: Wake) {
        let now = self.clock.now();
        match wake {
            Wake::Line(event) => self.line_event(event),
            Wake::Understood(Some(event)) => self.understood(event),
            Wake::Understood(None) => self.go_deaf(),
            Wake::Made(made) => self.made(made),
            Wake::Reply(event) => self.tell(event),
            Wake::Prepared(event) => self.tell_ahead(event),
            Wake::Tool(call, result) => self.tell(Event::ToolResult { call, result }),
            Wake::Session(told) => self.told(told),
            Wake::Told(Some(event)) => self.tell(event),
            Wake::Told(None) => self.inbox_open = false,
            Wake::Due => {
                if self.ear.voice_gone(now) {
                    self.voice(false);
                }
                if let Some(made) = self.mouth.tick(now) {
                    self.made(made);
                }
                self.turns.handle(Heard::Tick, now);
                self.wonder(Fact::Tick);
                if let Some(duplex) = &mut self.duplex {
                    duplex.speaker.tick(now);
                }
                if let Some(recording) = &mut self.recording {
                    recording.tick(now);
                }
                if self.engine_due.is_some_and(|at| at <= self.clock.stamp()) {
                    self.tell(Event::Tick);
                }
            }
        }
    }

    /// Does all that follows, until there is nothing to do but wait.
    fn settle(&mut self) {
        loop {
            let mut idle = true;
            while let Some(decision) = self.turns.poll() {
                idle = false;
                self.decided(decision);
            }
            idle &= !self.pump();
            if self.refresh {
                self.refresh = false;
                idle &= !self.read_policies();
            }
            if idle {
                break;
            }
        }
        if let Some(error) = self.recording.as_mut().and_then(Recorder::trouble) {
            self.trouble("recording", error.to_string());
        }
        self.keep_log();
        let now = self.clock.now();
        let played = self.closed.is_some() || self.mouth.playout.is_idle();
        if (self.ended && played) || self.ending.is_some_and(|by| by <= now) {
            self.line.send(LineCommand::Hangup);
            self.over = true;
        }
    }

    fn line_event(&mut self, event: LineEvent) {
        let now = self.clock.now();
        match event {
            LineEvent::Audio | LineEvent::Lost => self.hear(),
            LineEvent::Key(key) => self.key(key),
            LineEvent::Mark(mark) => self.mouth.playout.marked(mark, now),
            LineEvent::Typed(text) => {
                if let Some(duplex) = &mut self.duplex {
                    duplex.speaker.typed(&text);
                }
                self.turns.handle(Heard::Typed(text), now);
            }
            LineEvent::Skipped(why) => {
                if self.skipped.count(why) {
                    self.trouble("line", format!("a message was skipped: {why}"));
                }
            }
            LineEvent::Stalled(away) => {
                let message = if away { "the network is away" } else { "the network is back" };
                self.trouble("line", message.to_owned());
            }
            LineEvent::AnsweredBy(who) => {
                self.wonder(Fact::Carrier(who));
            }
            LineEvent::Transferred(failure) => {
                self.music = None;
                self.tell(Event::TransferOutcome { failure });
            }
            LineEvent::Closed(why) => self.line_closed(why),
        }
    }

    fn hear(&mut self) {
        let (now, micros) = (self.clock.now(), self.clock.micros());
        if let Some(recording) = &mut self.recording {
            recording.caller(now, &self.heard);
        }
        let noticed = self.ear.hear(&mut self.heard, now, micros);
        if let Some(voice) = noticed.voice {
            self.voice(voice);
        }
        if let Some(duplex) = &mut self.duplex {
            duplex.speaker.hear(&self.heard, self.ear.hears_voice(), now);
        }
        if let Some(key) = noticed.key {
            self.key(key);
        }
        if noticed.beep {
            self.wonder(Fact::Beep);
        }
    }

    /// A voice began or ended.
    fn voice(&mut self, voice: bool) {
        self.wonder(Fact::Voice(voice));
        if self.ear.understands() || self.duplex.is_some() {
            self.turns.handle(Heard::Voice(voice), self.clock.now());
        }
    }

    /// A fact about who answered, as long as that is not known.
    fn wonder(&mut self, fact: Fact) {
        let Some(who) = &mut self.who else { return };
        who.hears(fact, self.clock.now());
        let (greets, verdict) = (who.greets(), who.verdict());
        if greets {
            self.tell(Event::Greeting);
        }
        if let Some(who) = verdict {
            self.tell(Event::AnsweredBy { who });
        }
        if !self.call.call().wonders_who_answered() {
            self.who = None;
            self.ear.knows_who_answered();
        }
    }

    fn key(&mut self, key: char) {
        let keys = key.to_string();
        if self.call.call().takes_keys(&keys) {
            self.tell(Event::Keys { keys });
        }
    }

    fn understood(&mut self, event: SttEvent) {
        match &event {
            SttEvent::Partial { text } => {
                self.setup.watch.partial(text);
                self.wonder(Fact::Partial(text.clone()));
            }
            SttEvent::Final { text, .. } => {
                self.final_at = self.clock.micros();
                self.wonder(Fact::Words(text.clone()));
            }
            SttEvent::MaybeEnd | SttEvent::EndOfTurn => {
                self.final_at = self.clock.micros();
            }
            SttEvent::Failed(error) => {
                self.trouble("stt", error.to_string());
                return self.go_deaf();
            }
            other => self.notes.extend(show::heard(other)),
        }
        if let Some(heard) = ear::heard(event) {
            self.turns.handle(heard, self.clock.now());
        }
    }

    /// Words are not understood any more. A turn that has begun ends with what there is: turn taking is
    /// told nothing more of the voice.
    fn go_deaf(&mut self) {
        let now = self.clock.now();
        self.ear.go_deaf();
        self.turns.handle(Heard::Deaf, now);
        if self.duplex.is_none() {
            self.turns.handle(Heard::Voice(false), now);
        }
    }

    fn line_closed(&mut self, why: Option<String>) {
        if let Some(why) = &why {
            self.trouble("line", why.clone());
        }
        let lost = why.is_some();
        self.closed = Some(Closed { why });
        self.mouth.stop(self.clock.now());
        self.tell(if lost { Event::Stop { by: StoppedBy::Lost } } else { Event::Hangup });
        let by = self.clock.now() + AFTER_HANGUP_MS;
        self.ending = Some(self.ending.map_or(by, |ending| ending.min(by)));
    }

    fn decided(&mut self, decision: Decision) {
        let now = self.clock.now();
        match decision {
            Decision::CallerSpeaking => {
                self.setup.watch.speaking(true);
                if let Some(duplex) = &mut self.duplex {
                    duplex.speaker.voice_began();
                }
                self.tell(Event::CallerSpeaking);
            }
            Decision::Hold => {
                self.mouth.playout.hold(now);
            }
            Decision::Resume => {
                self.mouth.playout.resume(now);
                self.notes.push(Voice::FalseInterruption);
            }
            Decision::Cut => {
                if let Some(cut) = self.mouth.cut(now) {
                    let (utterance, heard, exact) = (cut.utterance, cut.heard, cut.exact);
                    if let Some(duplex) = &mut self.duplex {
                        duplex.cut(utterance, heard);
                    }
                    self.tell(Event::SpeechCut { utterance, heard, exact });
                    self.tell_who_goes_on();
                }
            }
            Decision::Prepare(turn) if self.duplex.is_none() => self.prepare(turn),
            Decision::Discard => self.discard(),
            Decision::Turn(turn) => match &mut self.duplex {
                // The line heard a voice: the session may tell the words yet.
                Some(duplex) if turn.text.is_empty() => duplex.speaker.voice_ended(now),
                _ => self.turn(turn),
            },
            Decision::Prepare(_) => {}
            Decision::Finish => self.ear.finish(),
        }
    }

    fn trouble(&mut self, part: &str, message: String) {
        tracing::warn!(part, %message, "trouble in a call");
        self.notes.push(Voice::Trouble { part: part.to_owned(), message });
    }

    /// Hands what was logged to whoever keeps it.
    fn keep_log(&mut self) {
        if self.ahead.is_some() {
            return;
        }
        let stamp = self.clock.stamp();
        for note in self.notes.drain(..) {
            self.call.note(note, stamp);
        }
        let entries = self.call.drain();
        if !entries.is_empty() {
            self.setup.watch.entries(entries);
        }
    }

    async fn finish(mut self) -> Ended {
        self.ahead = None;
        if self.closed.is_none() {
            let goodbye = poll_fn(|cx| {
                let _ = self.line.poll_flush(cx);
                loop {
                    match self.line.poll_event(cx, &mut self.heard) {
                        Poll::Ready(LineEvent::Closed(_)) => return Poll::Ready(()),
                        Poll::Ready(_) => {}
                        Poll::Pending => return Poll::Pending,
                    }
                }
            });
            // A line that does not say goodbye is left.
            let _ = tokio::time::timeout(Duration::from_millis(GOODBYE_MS), goodbye).await;
        }
        if let Some(recording) = self.recording.take()
            && let Err(error) = recording.finish(self.clock.now()).await
        {
            self.trouble("recording", error.to_string());
        }
        for (why, times) in self.skipped.several() {
            self.trouble("line", format!("{times} messages were skipped in all: {why}"));
        }
        self.keep_log();
        Ended { line: self.closed.and_then(|closed| closed.why) }
    }
}

#[cfg(test)]
mod tests;
