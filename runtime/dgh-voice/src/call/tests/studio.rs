//! A call with a line, a recogniser and a voice that do as they are told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dgh_compile::Memory;
use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, Timestamp, ToolFailure};
use dgh_engine::log::{Entry, Log, LoggedCall, Timing, Voice, What};
use dgh_engine::reply::Model;
use dgh_engine::{CallStart, Direction, Prepared};
use dgh_ir::Channel;
use dgh_providers::double::{Script, model};
use dgh_providers::realtime::Realtime;
use dgh_providers::stt::{Stt, SttEvent, SttSession, SttStart};
use dgh_providers::tts::{Tts, TtsEvent, TtsInput, TtsSession, TtsStart};
use dgh_providers::{LlmErrorKind, VoiceError, Voices};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::audio::{Frame, signals};
use crate::call::{CallTools, Ended, Setup, run};
use crate::line::{Line, LineAbout, LineCommand, LineEvent};
use crate::turn::Tuning;

/// How a voice behaves.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum VoiceMood {
    /// First sound after 120 ms, the rest at once; 50 ms for a character.
    Fine,
    /// Every request fails.
    Broken,
    /// The first request fails.
    FailsOnce,
    /// Nothing ever comes.
    Hangs,
}

/// Where a call takes place.
pub(super) struct Scene {
    pub(super) mood: VoiceMood,
    /// There is no voice but a session's.
    pub(super) mute: bool,
    pub(super) tools: Box<dyn CallTools>,
    pub(super) direction: Direction,
    /// For agents with a speech-to-speech model.
    pub(super) realtime: Option<Arc<dyn Realtime>>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            mood: VoiceMood::Fine,
            mute: false,
            tools: Box::new(NoTools),
            direction: Direction::Inbound,
            realtime: None,
        }
    }
}

/// A call that is going on.
pub(super) struct Studio {
    began: Instant,
    line: mpsc::UnboundedSender<Incoming>,
    sent: Arc<Mutex<Sent>>,
    stt: Arc<Mutex<Option<mpsc::Sender<SttEvent>>>>,
    entries: mpsc::UnboundedReceiver<Entry>,
    call: JoinHandle<Ended>,
    prepared: Arc<Prepared>,
    start: CallStart,
    voice_at: usize,
    inbox: mpsc::Sender<Event>,
    spoken: Spoken,
}

/// Which voice was asked for which words, and when.
pub(super) type Spoken = Arc<Mutex<Vec<(u64, String, String)>>>;

/// A call that is over.
pub(super) struct Over {
    pub(super) records: Vec<Record>,
    pub(super) entries: Vec<Entry>,
    pub(super) frames: Vec<u64>,
    pub(super) line: Option<String>,
    pub(super) prepared: Arc<Prepared>,
    start: CallStart,
}

#[derive(Default)]
struct Sent {
    frames: Vec<u64>,
    cleared: Vec<u64>,
    marks: Vec<(u64, u32)>,
    hung_up: bool,
}

enum Incoming {
    Frame(Vec<i16>),
    Event(LineEvent),
}

impl Studio {
    pub(super) async fn call(program: &str, script: Script) -> Self {
        Self::with_voice(program, script, VoiceMood::Fine).await
    }

    pub(super) async fn with_voice(program: &str, script: Script, mood: VoiceMood) -> Self {
        Self::in_scene(program, script, Scene { mood, ..Scene::default() }).await
    }

    pub(super) async fn in_scene(program: &str, script: Script, scene: Scene) -> Self {
        let world = Memory::new([("agent.dgh", program.to_owned())]);
        let compiled = dgh_compile::compile(&world, "agent.dgh");
        let errors: Vec<_> =
            compiled.diagnostics.iter().filter(|d| d.severity() == dgh_diag::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let prepared = Prepared::new(Arc::new(compiled.program));
        let mut start = CallStart::new("call", Channel::Phone, Timestamp(1_772_000_000_000));
        start.models = vec![model("first")];
        start.direction = scene.direction;
        let call = LoggedCall::new(Arc::clone(&prepared), "a", start.clone()).unwrap();
        let (line, incoming) = mpsc::unbounded_channel();
        let (watch, entries) = mpsc::unbounded_channel();
        let (facts, inbox) = mpsc::channel(1);
        let (sent, stt, spoken) = (Arc::default(), Arc::default(), Spoken::default());
        let began = Instant::now();
        let cast = Cast {
            mood: scene.mood,
            stt: Arc::clone(&stt),
            realtime: scene.realtime,
            spoken: Arc::clone(&spoken),
            began,
        };
        let setup = Setup {
            call,
            first: Vec::new(),
            models: Arc::new(script),
            voices: Arc::new(cast),
            stt: vec![model("ear")],
            tts: if scene.mute { Vec::new() } else { vec![model("mouth")] },
            tools: scene.tools,
            watch: Box::new(watch),
            recordings: Arc::new(|_, _| Err("none".to_owned())),
            record_to: None,
            inbox,
            tuning: Tuning::default(),
            prepare_sound: true,
        };
        let line_end = TestLine {
            about: LineAbout {
                kind: "test",
                rate: 8_000,
                marks: false,
                lead_ms: 0,
                cancels_echo: true,
                shows: false,
                keys_as_sound: false,
            },
            incoming,
            sent: Arc::clone(&sent),
            began,
        };
        let call = tokio::spawn(run(line_end, setup));
        tokio::time::sleep(Duration::from_millis(1)).await;
        Self { began, line, sent, stt, entries, call, prepared, start, voice_at: 0, inbox: facts, spoken }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    /// Silence on the line for so long.
    pub(super) async fn wait(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / 20 {
            self.frame(vec![0; 160]).await;
        }
    }

    /// Waits until the agent has been quiet for a moment.
    pub(super) async fn agent_finishes(&mut self) {
        for _ in 0..3_000 {
            self.frame(vec![0; 160]).await;
            let last = self.sent.lock().unwrap().frames.last().copied();
            if last.is_some_and(|last| self.now() > last + 100) {
                return;
            }
        }
        panic!("the agent never finishes");
    }

    /// Real speech for so long.
    pub(super) async fn caller_speaks(&mut self, time: Duration) {
        let speech = signals::speech();
        // The recording starts with a moment of silence.
        let loud =
            speech.chunks(160).position(|frame| frame.iter().any(|s| s.unsigned_abs() > 3_000)).unwrap()
                * 160;
        let speech = &speech[loud..];
        for _ in 0..time.as_millis() / 20 {
            let at = self.voice_at % (speech.len() - 160);
            self.frame(speech[at..at + 160].to_vec()).await;
            self.voice_at += 160;
        }
    }

    /// The recogniser tells final words, 150 ms later.
    pub(super) async fn understood(&mut self, text: &str) {
        self.wait(Duration::from_millis(160)).await;
        self.hears(SttEvent::Final { text: text.to_owned(), confidence: Some(90), language: None }).await;
    }

    /// Speaks, and is understood.
    pub(super) async fn caller_says(&mut self, text: &str) {
        self.caller_speaks(Duration::from_millis(1_400)).await;
        self.understood(text).await;
    }

    pub(super) async fn break_recogniser(&mut self) {
        let error = VoiceError {
            provider: "ear".to_owned(),
            kind: LlmErrorKind::Network,
            message: "stt is broken".to_owned(),
        };
        self.hears(SttEvent::Failed(error)).await;
    }

    /// The line tells something.
    pub(super) async fn line_tells(&mut self, event: LineEvent) {
        self.line.send(Incoming::Event(event)).ok();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Somebody else tells the call something.
    pub(super) async fn is_told(&mut self, event: Event) {
        self.inbox.send(event).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Which voice was asked for which words, and when; what was asked for later as well.
    pub(super) fn spoken(&self) -> Spoken {
        Arc::clone(&self.spoken)
    }

    /// This sound on the line.
    pub(super) async fn sounds(&mut self, samples: &[i16]) {
        for frame in samples.chunks_exact(160) {
            self.frame(frame.to_vec()).await;
        }
    }

    /// When the agent's first frame went out.
    pub(super) fn first_frame(&self) -> Option<u64> {
        self.sent.lock().unwrap().frames.first().copied()
    }

    pub(super) async fn hang_up(&mut self) {
        self.line.send(Incoming::Event(LineEvent::Closed(None))).ok();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    pub(super) async fn lose(&mut self, why: &str) {
        self.line.send(Incoming::Event(LineEvent::Closed(Some(why.to_owned())))).ok();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// When sound was first cleared.
    pub(super) fn cleared_at(&self) -> Option<u64> {
        self.sent.lock().unwrap().cleared.first().copied()
    }

    /// Whether the call is over.
    pub(super) fn is_over(&self) -> bool {
        self.call.is_finished()
    }

    /// Silence until the call is over.
    pub(super) async fn ends(mut self) -> Over {
        for _ in 0..60 * 50 {
            if self.call.is_finished() {
                break;
            }
            self.frame(vec![0; 160]).await;
        }
        assert!(self.call.is_finished(), "the call is stuck");
        let ended = self.call.await.unwrap();
        let mut entries = Vec::new();
        while let Ok(entry) = self.entries.try_recv() {
            entries.push(entry);
        }
        let records = entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Effect(Effect::Emit(record)) => Some(record.clone()),
                _ => None,
            })
            .collect();
        let frames = self.sent.lock().unwrap().frames.clone();
        assert!(self.sent.lock().unwrap().hung_up, "the line is hung up");
        Over { records, entries, frames, line: ended.line, prepared: self.prepared, start: self.start }
    }

    async fn frame(&mut self, samples: Vec<i16>) {
        self.line.send(Incoming::Frame(samples)).ok();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// The recogniser tells something.
    pub(super) async fn hears(&mut self, event: SttEvent) {
        let stt = self.stt.lock().unwrap().clone().unwrap();
        stt.send(event).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Over {
    pub(super) fn log(&self) -> Log {
        Log {
            engine: dgh_engine::log::ENGINE.to_owned(),
            program: None,
            agent: "a".to_owned(),
            start: self.start.clone(),
            entries: self.entries.clone(),
        }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.pick(|what| match what {
            What::Event(event) => Some(event.clone()),
            _ => None,
        })
    }

    pub(super) fn voice(&self) -> Vec<Voice> {
        self.pick(|what| match what {
            What::Voice(voice) => Some(voice.clone()),
            _ => None,
        })
    }

    pub(super) fn timings(&self) -> Vec<Timing> {
        self.voice()
            .into_iter()
            .filter_map(|voice| match voice {
                Voice::Timing(timing) => Some(timing),
                _ => None,
            })
            .collect()
    }

    pub(super) fn troubles(&self) -> Vec<String> {
        self.voice()
            .into_iter()
            .filter_map(|voice| match voice {
                Voice::Trouble { part, message } => Some(format!("{part}: {message}")),
                _ => None,
            })
            .collect()
    }

    pub(super) fn agent_words(&self) -> Vec<String> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Agent { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    fn pick<T>(&self, of: impl Fn(&What) -> Option<T>) -> Vec<T> {
        self.entries.iter().filter_map(|entry| of(&entry.what)).collect()
    }
}

struct TestLine {
    about: LineAbout,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    sent: Arc<Mutex<Sent>>,
    began: Instant,
}

impl Line for TestLine {
    fn about(&self) -> &LineAbout {
        &self.about
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent> {
        if self.sent.lock().unwrap().hung_up {
            return Poll::Ready(LineEvent::Closed(None));
        }
        self.incoming.poll_recv(cx).map(|incoming| match incoming {
            Some(Incoming::Frame(samples)) => {
                frame.copy_from(&samples);
                LineEvent::Audio
            }
            Some(Incoming::Event(event)) => event,
            None => LineEvent::Closed(None),
        })
    }

    fn send(&mut self, command: LineCommand<'_>) {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        let mut sent = self.sent.lock().unwrap();
        match command {
            LineCommand::Audio(_) => sent.frames.push(at),
            LineCommand::Mark(mark) => sent.marks.push((at, mark)),
            LineCommand::Clear => sent.cleared.push(at),
            LineCommand::Hangup => sent.hung_up = true,
            LineCommand::Keys(_) | LineCommand::Show(_) | LineCommand::Transfer(_) => {}
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

struct NoTools;

impl CallTools for NoTools {
    fn call(
        &mut self,
        _: &dgh_engine::effect::ToolRequest,
        _: Timestamp,
    ) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        async { Err(ToolFailure { kind: "refused".to_owned(), message: "none".to_owned() }) }.boxed()
    }
}

/// The recogniser and the voice.
struct Cast {
    mood: VoiceMood,
    stt: Arc<Mutex<Option<mpsc::Sender<SttEvent>>>>,
    realtime: Option<Arc<dyn Realtime>>,
    spoken: Spoken,
    began: Instant,
}

impl Voices for Cast {
    fn stt(&self, _: &Model) -> Result<Arc<dyn Stt>, VoiceError> {
        Ok(Arc::new(Recogniser(Arc::clone(&self.stt))))
    }

    fn tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError> {
        Ok(Arc::new(Speaker {
            name: model.provider.clone(),
            mood: self.mood,
            failed: Arc::default(),
            spoken: Arc::clone(&self.spoken),
            began: self.began,
        }))
    }

    fn realtime(&self, _: &Model) -> Result<Arc<dyn Realtime>, VoiceError> {
        self.realtime.clone().ok_or_else(broken)
    }
}

fn broken() -> VoiceError {
    VoiceError { provider: "mouth".to_owned(), kind: LlmErrorKind::Network, message: "broken".to_owned() }
}

struct Recogniser(Arc<Mutex<Option<mpsc::Sender<SttEvent>>>>);

impl Stt for Recogniser {
    fn open(&self, _: SttStart) -> SttSession {
        let (input, mut heard) = mpsc::channel(64);
        let (tell, events) = mpsc::channel(64);
        *self.0.lock().unwrap() = Some(tell);
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
        SttSession { input, events }
    }
}

struct Speaker {
    name: String,
    spoken: Spoken,
    began: Instant,
    mood: VoiceMood,
    failed: Arc<AtomicBool>,
}

impl Tts for Speaker {
    fn provider(&self) -> &'static str {
        "mouth"
    }

    fn rates(&self) -> &[u32] {
        &[8_000]
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let (input, mut asked) = mpsc::channel(64);
        let (tell, events) = mpsc::channel(64);
        let (mood, failed) = (self.mood, Arc::clone(&self.failed));
        let (name, spoken, began) = (self.name.clone(), Arc::clone(&self.spoken), self.began);
        tokio::spawn(async move {
            while let Some(input) = asked.recv().await {
                let TtsInput::Speak { id, text, .. } = input else { continue };
                let at = u64::try_from(began.elapsed().as_millis()).unwrap();
                spoken.lock().unwrap().push((at, name.clone(), text.clone()));
                if mood == VoiceMood::Hangs {
                    continue;
                }
                let fails = match mood {
                    VoiceMood::FailsOnce => !failed.swap(true, Ordering::Relaxed),
                    mood => mood == VoiceMood::Broken,
                };
                if fails {
                    let _ = tell.send(TtsEvent::Failed { id: Some(id), error: broken() }).await;
                    continue;
                }
                tokio::time::sleep(Duration::from_millis(120)).await;
                for _ in text.chars() {
                    let pcm = Bytes::from(vec![1; 8_000 / 20 * 2]);
                    let _ = tell.send(TtsEvent::Audio { id, pcm }).await;
                }
                let _ = tell.send(TtsEvent::Done { id }).await;
            }
        });
        TtsSession { rate: start.rate.min(8_000), input, events }
    }
}
