//! The offline voice: sentences in order, the next one made while one sounds.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use dgh_engine::reply::Model;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::offline_voice::synth::{Programs, Synth};
use crate::settings::Settings;
use crate::tts::{Tts, TtsEvent, TtsInput, TtsSession, TtsStart, is_speakable, nearest};
use crate::voice::endpoint::setup;
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, VoiceError};

/// Any rate can be made; these are those of lines.
const RATES: &[u32] = &[8_000, 16_000, 24_000, 48_000];
/// Sentences that are made at once: the one whose turn it is, and the next.
const UNDER_WAY: usize = 2;
/// Length of the pieces in which sound is told.
const PIECE_MS: u32 = 200;

/// The voice of programs on this machine.
pub(crate) struct OfflineTts {
    synth: Arc<Synth>,
}

impl OfflineTts {
    /// Settings: perhaps `voice` and `speed`. An error says what to install.
    pub(crate) fn new(model: &Model) -> Result<Self, VoiceError> {
        Self::with(model, Programs::find())
    }

    /// The same with other programs.
    pub(super) fn with(model: &Model, programs: Programs) -> Result<Self, VoiceError> {
        let settings = Settings::of(model);
        let voice = settings.text("voice").map_err(|e| setup(model, &e))?.filter(|voice| !voice.is_empty());
        let speed = settings.number("speed", 0.5, 2.0).map_err(|e| setup(model, &e))?;
        let wrong = |message: &str| VoiceError {
            provider: model.provider.clone(),
            kind: LlmErrorKind::Setup,
            message: message.to_owned(),
        };
        let is_name = |voice: &String| voice.chars().all(|c| c.is_ascii_alphanumeric() || "+-_".contains(c));
        if voice.as_ref().is_some_and(|voice| !is_name(voice) || voice.starts_with('-')) {
            return Err(wrong("`voice` must be the name of a voice of flite or espeak-ng"));
        }
        programs.voice().map_err(|notice| wrong(&notice))?;
        let speed = speed.and_then(|speed| speed.as_f64()).unwrap_or(1.0);
        Ok(Self { synth: Arc::new(Synth { provider: model.provider.clone(), programs, voice, speed }) })
    }
}

impl Tts for OfflineTts {
    fn provider(&self) -> &str {
        &self.synth.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let (input, commands) = mpsc::channel(INPUT_QUEUE);
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let rate = nearest(RATES, start.rate);
        let session = Session {
            synth: Arc::clone(&self.synth),
            rate,
            language: start.language,
            requests: VecDeque::new(),
            told: VecDeque::new(),
            free_since: Instant::now(),
        };
        tokio::spawn(session.run(commands, events));
        TtsSession { rate, input, events: receiver }
    }
}

struct Session {
    synth: Arc<Synth>,
    rate: u32,
    /// Of the call, for sentences that do not say.
    language: String,
    /// What was not told, in order.
    requests: VecDeque<Request>,
    /// Of the request that was first.
    told: VecDeque<TtsEvent>,
    /// When all before the first request had been told.
    free_since: Instant,
}

struct Request {
    id: u32,
    text: String,
    language: String,
    asked: Instant,
    making: Option<Making>,
}

/// A sentence on its way; its process ends with this.
struct Making(JoinHandle<Result<Bytes, VoiceError>>);

impl Drop for Making {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What happens next.
enum Turn {
    Told(TtsInput),
    Made(Result<Bytes, VoiceError>),
    Sent,
    Closed,
}

impl Session {
    async fn run(mut self, mut commands: mpsc::Receiver<TtsInput>, events: mpsc::Sender<TtsEvent>) {
        let provider = self.synth.provider.clone();
        self.told.push_back(TtsEvent::Connected { provider, ms: 0 });
        loop {
            self.make();
            let waiting = !self.told.is_empty();
            let turn = tokio::select! {
                command = commands.recv() => command.map_or(Turn::Closed, Turn::Told),
                permit = events.reserve(), if waiting => match (permit, self.told.pop_front()) {
                    (Ok(permit), Some(event)) => { permit.send(event); Turn::Sent }
                    (Ok(_), None) => Turn::Sent,
                    (Err(_), _) => Turn::Closed,
                },
                () = events.closed() => Turn::Closed,
                made = first(&mut self.requests), if !waiting => Turn::Made(made),
            };
            match turn {
                Turn::Told(TtsInput::Speak { id, text, language }) => self.speak(id, text, language),
                Turn::Told(TtsInput::Cancel { id }) => {
                    self.requests.retain(|request| request.id != id);
                    self.told.retain(|event| event.request() != Some(id));
                }
                Turn::Made(made) => self.made(made),
                Turn::Sent if self.told.is_empty() => self.free_since = Instant::now(),
                Turn::Sent => {}
                Turn::Closed => return,
            }
        }
    }

    fn speak(&mut self, id: u32, text: String, language: String) {
        let language = if language.is_empty() { self.language.clone() } else { language };
        self.requests.push_back(Request { id, text, language, asked: Instant::now(), making: None });
    }

    /// Starts what can be started.
    fn make(&mut self) {
        for request in self.requests.iter_mut().take(UNDER_WAY).filter(|request| request.making.is_none()) {
            let (synth, rate) = (Arc::clone(&self.synth), self.rate);
            let (text, language) = (std::mem::take(&mut request.text), request.language.clone());
            request.making = Some(Making(tokio::spawn(async move {
                if is_speakable(&text) { synth.speak(&text, &language, rate).await } else { Ok(Bytes::new()) }
            })));
        }
    }

    /// The first request is made, or is not.
    fn made(&mut self, made: Result<Bytes, VoiceError>) {
        let Some(Request { id, asked, .. }) = self.requests.pop_front() else { return };
        match made {
            Ok(mut sound) => {
                if !sound.is_empty() {
                    let since = asked.max(self.free_since);
                    let ms = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
                    let provider = self.synth.provider.clone();
                    self.told.push_back(TtsEvent::Started { id, provider, ms });
                }
                let piece = (self.rate * PIECE_MS / 1_000 * 2) as usize;
                while !sound.is_empty() {
                    let pcm = sound.split_to(piece.min(sound.len()));
                    self.told.push_back(TtsEvent::Audio { id, pcm });
                }
                self.told.push_back(TtsEvent::Done { id });
            }
            Err(error) => self.told.push_back(TtsEvent::Failed { id: Some(id), error }),
        }
    }
}

/// The sound of the first request.
async fn first(requests: &mut VecDeque<Request>) -> Result<Bytes, VoiceError> {
    match requests.front_mut().and_then(|request| request.making.as_mut()) {
        // The task is ended by nobody else, and does not panic.
        Some(making) => (&mut making.0).await.unwrap_or_else(|_| Ok(Bytes::new())),
        None => std::future::pending().await,
    }
}
