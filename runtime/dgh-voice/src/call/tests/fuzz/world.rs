//! All that is outside of a call: its line, recogniser, voice, models and tools. They play a test,
//! and from the moment of the injection on do what it says.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::effect::ToolRequest;
use dgh_engine::event::{Event, StoppedBy, Timestamp, ToolFailure};
use dgh_engine::log::{Entry, LoggedCall};
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_engine::{CallStart, Direction};

use dgh_engine::testing::Scene;
use dgh_providers::double::model;
use dgh_providers::llm::{Delta, Llm, LlmError};
use dgh_providers::realtime::Realtime;
use dgh_providers::stt::{Stt, SttEvent, SttInput, SttSession, SttStart};
use dgh_providers::tts::{Tts, TtsEvent, TtsInput, TtsSession, TtsStart};
use dgh_providers::{LlmErrorKind, Models, VoiceError, Voices};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, sleep_until};

use super::examples::Case;
use super::injection::{AWAY_MS, Injection, Kind, LATE_MS};
use crate::audio::Frame;
use crate::call::{CallTools, Ended, Setup, run};
use crate::line::{Line, LineAbout, LineCommand, LineEvent};
use crate::turn::Tuning;

pub(super) const FRAME_MS: u64 = crate::FRAME_MS;
/// Final words come so long after the last sound.
const RECOGNISER_MS: u64 = 150;
/// A model's first word.
const MODEL_MS: u64 = 300;
/// A tool's answer.
const TOOL_MS: u64 = 400;
/// The other side of a transfer picks up, or does not.
const RING_MS: u64 = 2_000;
/// A voice's first sound.
const VOICE_MS: u64 = 120;
/// What providers' own clients wait for sound.
const PATIENCE: Duration = Duration::from_secs(4);
/// A character sounds so long.
const LETTER_MS: u64 = 50;
/// Sound comes in pieces of so many characters, so much apart: five times as fast as it plays.
const PIECE: usize = 20;
const PIECE_EVERY_MS: u64 = 200;

/// The world of a call.
pub(super) struct World {
    began: Instant,
    pub(super) start: CallStart,
    pub(super) injection: Option<Injection>,
    scene: Mutex<Scene>,
    line: mpsc::UnboundedSender<Incoming>,
    facts: mpsc::Sender<Event>,
    stt: Mutex<Option<mpsc::Sender<SttEvent>>>,
    /// Providers that work: models, tools, transfers, voices.
    busy: AtomicU32,
    /// Final words on their way.
    pending: AtomicU32,
    speaks_until: AtomicU64,
    speaks_again: Notify,
    person: Mutex<Option<AbortHandle>>,
    seen: Mutex<Seen>,
    over_at: AtomicU64,
}

/// What was seen of a call from outside.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// When frames of the agent went out.
    pub(super) frames: Vec<u64>,
    /// From when to when the caller spoke.
    pub(super) caller: Vec<(u64, u64)>,
    /// From when to when tools ran and transfers rang.
    pub(super) tools: Vec<(u64, u64)>,
    /// When the line closed or was hung up.
    pub(super) closed: Option<u64>,
    pub(super) hung_up: Option<u64>,
    /// What happened: when, who, what.
    pub(super) told: Vec<(u64, &'static str, String)>,
    /// What must not happen.
    pub(super) wrong: Vec<String>,
}

enum Incoming {
    Frame(Arc<[i16]>),
    Event(LineEvent),
}

/// A provider that works, until this is dropped.
struct Busy {
    world: Arc<World>,
    tool_since: Option<u64>,
}

impl World {
    /// Opens a call, within a runtime.
    pub(super) fn open(
        case: &Case,
        injection: Option<Injection>,
    ) -> (Arc<Self>, JoinHandle<Ended>, mpsc::UnboundedReceiver<Entry>) {
        let scene = case.scene.clone();
        let mut start = scene.start();
        start.models = vec![model("first")];
        let (line, incoming) = mpsc::unbounded_channel();
        let (watch, kept) = mpsc::unbounded_channel();
        let (facts, inbox) = mpsc::channel(1);
        let call = LoggedCall::new(Arc::clone(&case.prepared), &case.agent, start.clone()).unwrap();
        let world = Arc::new(Self {
            began: Instant::now(),
            start,
            injection,
            scene: Mutex::new(scene),
            line,
            facts,
            stt: Mutex::default(),
            busy: AtomicU32::default(),
            pending: AtomicU32::default(),
            speaks_until: AtomicU64::default(),
            speaks_again: Notify::new(),
            person: Mutex::default(),
            seen: Mutex::default(),
            over_at: AtomicU64::default(),
        });
        let setup = Setup {
            call,
            first: Vec::new(),
            models: Arc::new(Party(Arc::clone(&world))),
            voices: Arc::new(Party(Arc::clone(&world))),
            stt: vec![model("ear")],
            tts: vec![model("mouth")],
            tools: Box::new(Party(Arc::clone(&world))),
            watch: Box::new(watch),
            recordings: Arc::new(|_, _| Err("none".to_owned())),
            record_to: None,
            inbox,
            tuning: Tuning::default(),
            prepare_sound: true,
        };
        let about = LineAbout { kind: "test", rate: 8_000, cancels_echo: true, ..LineAbout::default() };
        let line = WorldLine { about, incoming, world: Arc::clone(&world) };
        let call = tokio::spawn(run(line, setup));
        (world, call, kept)
    }

    pub(super) fn now(&self) -> u64 {
        match self.over_at.load(Ordering::Relaxed) {
            0 => u64::try_from(self.began.elapsed().as_millis()).unwrap(),
            at => at,
        }
    }

    pub(super) fn at(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms)
    }

    pub(super) fn is_over(&self) {
        self.over_at.store(self.now().max(1), Ordering::Relaxed);
    }

    pub(super) fn is_outbound(&self) -> bool {
        self.start.direction == Direction::Outbound
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn tell(&self, who: &'static str, what: String) {
        let now = self.now();
        self.seen.lock().unwrap().told.push((now, who, what));
    }

    pub(super) fn person(&self, person: AbortHandle) {
        *self.person.lock().unwrap() = Some(person);
    }

    /// An operator ends the call.
    pub(super) fn stops(&self) {
        let _ = self.facts.try_send(Event::Stop { by: StoppedBy::Operator });
    }

    /// The caller leaves the script, in the middle of a word if need be.
    pub(super) fn person_stops(&self) {
        if let Some(person) = self.person.lock().unwrap().take() {
            person.abort();
        }
        let now = self.now();
        if self.speaks_until.swap(now, Ordering::Relaxed) > now
            && let Some((_, until)) = self.seen.lock().unwrap().caller.last_mut()
        {
            *until = now;
        }
    }

    /// The caller speaks for so long from now on.
    pub(super) fn speak(&self, ms: u64) {
        let now = self.now();
        self.speaks_until.fetch_max(now + ms, Ordering::Relaxed);
        self.seen.lock().unwrap().caller.push((now, now + ms));
        self.speaks_again.notify_one();
    }

    pub(super) fn speaks_until(&self) -> u64 {
        self.speaks_until.load(Ordering::Relaxed)
    }

    pub(super) async fn speaks_again(&self) {
        self.speaks_again.notified().await;
    }

    pub(super) fn reach(&self, step: usize) {
        self.scene.lock().unwrap().reach(step);
    }

    pub(super) fn frame(&self, samples: &Arc<[i16]>) {
        if !self.is_away() {
            let _ = self.line.send(Incoming::Frame(Arc::clone(samples)));
        }
    }

    pub(super) fn line(&self, event: LineEvent) {
        self.tell("line", format!("{event:?}"));
        if matches!(event, LineEvent::Key(_)) {
            // Who presses keys does something, too.
            let now = self.now();
            self.seen.lock().unwrap().caller.push((now, now));
        }
        let _ = self.line.send(Incoming::Event(event));
    }

    /// What was said until then is understood a moment later.
    pub(super) fn will_understand(self: &Arc<Self>, ms: u64, words: &str) {
        let late = if self.after(Kind::LateWords, self.now() + ms) { LATE_MS } else { 0 };
        let event = SttEvent::Final { text: words.to_owned(), confidence: Some(95), language: None };
        self.will_hear(ms + RECOGNISER_MS + late, event);
    }

    /// The recogniser tells something in so many milliseconds, if the sound reached it, and if the
    /// caller goes on so long.
    pub(super) fn will_hear(self: &Arc<Self>, ms: u64, event: SttEvent) {
        let world = Arc::clone(self);
        let spoken = self.speaks_until();
        let last = u32::from(matches!(event, SttEvent::Final { .. }));
        self.pending.fetch_add(last, Ordering::Relaxed);
        tokio::spawn(async move {
            sleep(Duration::from_millis(ms)).await;
            world.pending.fetch_sub(last, Ordering::Relaxed);
            if world.speaks_until() >= spoken && !world.is_away() {
                world.hears(event);
            }
        });
    }

    pub(super) fn hears(&self, event: SttEvent) {
        let shown = match &event {
            SttEvent::Partial { text } => format!("… {text}"),
            SttEvent::Final { text, .. } => text.clone(),
            other => format!("{other:?}"),
        };
        if !shown.is_empty() {
            self.tell("ear", shown);
        }
        if let Some(stt) = &*self.stt.lock().unwrap() {
            let _ = stt.try_send(event);
        }
    }

    /// Whether the agent was heard a moment ago.
    pub(super) fn agent_sounds(&self) -> bool {
        let now = self.now();
        self.seen.lock().unwrap().frames.last().is_some_and(|last| last + 100 > now)
    }

    /// Whether an answer is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    fn busy(self: &Arc<Self>, tool: bool) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy { world: Arc::clone(self), tool_since: tool.then(|| self.now()) }
    }

    /// Whether this injection has happened by then.
    fn after(&self, kind: Kind, at: u64) -> bool {
        self.injection.is_some_and(|injection| injection.kind == kind && injection.at <= at)
    }

    fn is_away(&self) -> bool {
        let now = self.now();
        self.after(Kind::NetworkAway, now) && !self.after(Kind::NetworkAway, now.saturating_sub(AWAY_MS))
    }

    /// Works for so long. Answers whether it failed: `fails` from the injection on, `once` if it falls
    /// into this time, and with `hangs` it never answers.
    async fn works(&self, ms: u64, hangs: Kind, fails: Kind, once: Option<Kind>) -> bool {
        let (began, until) = (self.now(), self.now() + ms);
        let at = self.injection.map_or(0, |injection| injection.at);
        if self.after(hangs, until) {
            std::future::pending::<()>().await;
        }
        let once = once.is_some_and(|once| self.after(once, until)) && at >= began;
        let failed = once || self.after(fails, until);
        // What breaks breaks at that moment, and what is broken soon.
        let until = if failed { at.max(began + 20) } else { until };
        sleep_until(self.at(until)).await;
        failed
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.world.busy.fetch_sub(1, Ordering::Relaxed);
        if let Some(since) = self.tool_since {
            let now = self.world.now();
            self.world.seen.lock().unwrap().tools.push((since, now));
        }
    }
}

pub(super) fn broken(provider: &str) -> VoiceError {
    let message = format!("{provider} is broken");
    VoiceError { provider: provider.to_owned(), kind: LlmErrorKind::Network, message }
}

struct WorldLine {
    about: LineAbout,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    world: Arc<World>,
}

impl Line for WorldLine {
    fn about(&self) -> &LineAbout {
        &self.about
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent> {
        self.incoming.poll_recv(cx).map(|incoming| match incoming {
            Some(Incoming::Frame(samples)) => {
                frame.copy_from(&samples);
                LineEvent::Audio
            }
            Some(Incoming::Event(event)) => {
                if matches!(event, LineEvent::Closed(_)) {
                    let now = self.world.now();
                    let mut seen = self.world.seen.lock().unwrap();
                    // After a hang-up it is no news.
                    seen.closed = seen.hung_up.is_none().then_some(now);
                }
                event
            }
            None => LineEvent::Closed(None),
        })
    }

    fn send(&mut self, command: LineCommand<'_>) {
        let now = self.world.now();
        if let LineCommand::Transfer(transfer) = command {
            self.world.tell("line", format!("transfer to {}", transfer.number));
            return self.transfer();
        }
        let mut seen = self.world.seen.lock().unwrap();
        match command {
            LineCommand::Audio(_) => {
                if seen.hung_up.is_some() || seen.closed.is_some() {
                    seen.wrong.push(format!("sound after the end (at {now})"));
                }
                seen.frames.push(now);
            }
            LineCommand::Clear => seen.told.push((now, "line", "clear".to_owned())),
            LineCommand::Hangup => {
                if seen.hung_up.replace(now).is_some() {
                    seen.wrong.push(format!("hung up twice (at {now})"));
                }
                seen.told.push((now, "line", "hang up".to_owned()));
                let _ = self.world.line.send(Incoming::Event(LineEvent::Closed(None)));
            }
            LineCommand::Keys(keys) => seen.told.push((now, "line", format!("keys {keys}"))),
            LineCommand::Mark(_) | LineCommand::Show(_) | LineCommand::Transfer(_) => {}
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl WorldLine {
    fn transfer(&self) {
        let (world, busy) = (Arc::clone(&self.world), self.world.busy(true));
        let end = self.world.scene.lock().unwrap().transfer();
        // What the test does not say goes well.
        let failure = end.and_then(Result::err);
        tokio::spawn(async move {
            sleep(Duration::from_millis(RING_MS)).await;
            world.line(LineEvent::Transferred(failure));
            drop(busy);
        });
    }
}

/// Everybody whom the call asks.
#[derive(Clone)]
struct Party(Arc<World>);

impl Models for Party {
    fn llm(&self, _: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Llm for Party {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        let (world, busy) = (Arc::clone(&self.0), self.0.busy(false));
        let answer = async move {
            let failed =
                world.works(MODEL_MS, Kind::ModelStalls, Kind::ModelFails, Some(Kind::ModelFailsOnce)).await;
            drop(busy);
            if failed {
                return vec![Err(LlmError::new(LlmErrorKind::Unavailable, "the model is broken"))];
            }
            let reply = world.scene.lock().unwrap().reply(&request);
            let text = reply.sentences.into_iter().map(Delta::Text);
            let calls = reply.calls.into_iter().enumerate().map(|(index, (name, arguments))| {
                let id = format!("call_{}_{index}", request.id.0);
                Delta::Call { id, name, arguments }
            });
            text.chain(calls).map(Ok).collect()
        };
        answer.into_stream().flat_map(stream::iter).boxed()
    }
}

impl CallTools for Party {
    fn call(&mut self, request: &ToolRequest, _: Timestamp) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let (world, busy) = (Arc::clone(&self.0), self.0.busy(true));
        let answer = world.scene.lock().unwrap().tool(request);
        let answer = answer.unwrap_or_else(|| {
            Err(ToolFailure { kind: "refused".to_owned(), message: "the test does not say".to_owned() })
        });
        async move {
            let failed = world.works(TOOL_MS, Kind::ToolsStall, Kind::ToolsFail, None).await;
            drop(busy);
            if failed {
                return Err(ToolFailure {
                    kind: "network".to_owned(),
                    message: "the tool is broken".to_owned(),
                });
            }
            answer
        }
        .boxed()
    }
}

impl Voices for Party {
    fn stt(&self, _: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        Ok(Arc::new(self.clone()))
    }

    fn tts(&self, _: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        Ok(Arc::new(self.clone()))
    }

    fn realtime(&self, _: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        Err(broken("realtime"))
    }
}

impl Stt for Party {
    fn open(&self, _: SttStart) -> SttSession {
        let (input, mut heard) = mpsc::channel(64);
        let (tell, events) = mpsc::channel(64);
        if self.0.after(Kind::Deaf, self.0.now()) {
            let _ = tell.try_send(SttEvent::Failed(broken("ear")));
        } else {
            *self.0.stt.lock().unwrap() = Some(tell);
        }
        let world = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Some(input) = heard.recv().await {
                if input == SttInput::SpeechEnded && world.pending.load(Ordering::Relaxed) == 0 {
                    world.hears(SttEvent::Final { text: String::new(), confidence: None, language: None });
                }
            }
        });
        SttSession { input, events }
    }
}

impl Tts for Party {
    fn provider(&self) -> &'static str {
        "mouth"
    }

    fn rates(&self) -> &[u32] {
        &[8_000]
    }

    fn open(&self, _: TtsStart) -> TtsSession {
        let (input, asked) = mpsc::channel(64);
        let (tell, events) = mpsc::channel(64);
        tokio::spawn(speaker(Arc::clone(&self.0), asked, tell));
        TtsSession { rate: 8_000, input, events }
    }
}

async fn speaker(world: Arc<World>, mut asked: mpsc::Receiver<TtsInput>, tell: mpsc::Sender<TtsEvent>) {
    let opened = world.now();
    let mut waiting = Vec::new();
    loop {
        while let Ok(input) = asked.try_recv() {
            take(&world, &mut waiting, input);
        }
        if waiting.is_empty() {
            let Some(input) = asked.recv().await else { return };
            take(&world, &mut waiting, input);
            continue;
        }
        let (id, text, busy) = waiting.remove(0);
        let spoken = tokio::select! {
            spoken = sounds(&world, opened, id, &text, &tell) => spoken,
            () = cancelled(&world, &mut waiting, &mut asked, id) => Ok(()),
        };
        drop(busy);
        let told = match spoken {
            Ok(()) => Ok(()),
            Err(Some(id)) => tell.send(TtsEvent::Failed { id: Some(id), error: broken("mouth") }).await,
            Err(None) => {
                let _ = tell.send(TtsEvent::Failed { id: None, error: broken("mouth") }).await;
                return;
            }
        };
        if told.is_err() {
            return;
        }
    }
}

type Waiting = Vec<(u32, String, Busy)>;

fn take(world: &Arc<World>, waiting: &mut Waiting, input: TtsInput) {
    match input {
        TtsInput::Speak { id, text, .. } => waiting.push((id, text, world.busy(false))),
        TtsInput::Cancel { id } => waiting.retain(|(other, ..)| *other != id),
    }
}

/// Waits until a request is cancelled, or nobody listens.
async fn cancelled(world: &Arc<World>, waiting: &mut Waiting, asked: &mut mpsc::Receiver<TtsInput>, id: u32) {
    while let Some(input) = asked.recv().await {
        if input == (TtsInput::Cancel { id }) {
            return;
        }
        take(world, waiting, input);
    }
}

/// Makes the sound of a request, or says what failed: it, or all.
async fn sounds(
    world: &Arc<World>,
    opened: u64,
    id: u32,
    text: &str,
    tell: &mpsc::Sender<TtsEvent>,
) -> Result<(), Option<u32>> {
    let mut wait = VOICE_MS;
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(PIECE) {
        if world.after(Kind::VoiceStalls, world.now() + wait) {
            sleep(PATIENCE).await;
            return Err(Some(id));
        }
        if world.works(wait, Kind::VoiceHangs, Kind::VoiceFails, None).await {
            return Err(Some(id));
        }
        // One that is made in the same moment is made after it.
        let broke = world.injection.is_some_and(|injection| injection.at > opened);
        if broke && world.after(Kind::VoiceBreaks, world.now()) {
            return Err(None);
        }
        let samples = piece.len() * usize::try_from(LETTER_MS).unwrap() * 8;
        let sent = tell.send(TtsEvent::Audio { id, pcm: Bytes::from(vec![1; samples * 2]) }).await;
        if sent.is_err() {
            return Ok(());
        }
        wait = PIECE_EVERY_MS;
    }
    let _ = tell.send(TtsEvent::Done { id }).await;
    Ok(())
}
