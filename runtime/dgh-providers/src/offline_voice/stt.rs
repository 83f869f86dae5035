//! The offline recogniser: an utterance is kept until our detector hears that the caller stopped.
//! At the first short pause it is recognised on trial, so that the words are there when the pause
//! turns out to be the end, and are told as partial words meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use dgh_engine::reply::Model;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::offline_voice::is_english;
use crate::offline_voice::pool::Pool;
use crate::offline_voice::worker::{Heard, Trouble, python};
use crate::settings::Settings;
use crate::stt::connection::{Connection, Told};
use crate::stt::gate::Gate;
use crate::stt::session::{self, Member};
use crate::stt::{Connecting, Expected, Stt, SttEvent, SttInput, SttSession, SttStart};
use crate::voice::endpoint::setup;
use crate::voice::{Patience, VoiceError};

/// The rate of the acoustic model.
const RATE: u32 = 16_000;
/// Longest utterance: of a longer one the beginning is written down while the caller goes on.
const MAX_MS: usize = 20_000;
/// Less loud sound is a click.
const LEAST_LOUD_MS: usize = 60;
/// A pause after which it is tried.
const PAUSE_MS: usize = 120;
/// Loud sound after which it is tried without a pause.
const TRY_MS: usize = 1_200;
/// Quiet after which an utterance is over that our detector did not take for speech.
const QUIET_MS: usize = 3_000;
/// Utterances that wait for the one before.
const MAX_WAITING: usize = 8;

const ONLY_ENGLISH: &str = "the offline recogniser understands English alone";

/// The recogniser of programs on this machine.
#[derive(Clone)]
pub(crate) struct OfflineStt {
    provider: String,
    pool: Arc<Pool>,
    patience: Patience,
}

impl OfflineStt {
    /// Settings: perhaps `timeout`. An error says what to install.
    pub(crate) fn new(model: &Model) -> Result<Self, VoiceError> {
        let python = python();
        Self::with(model, |_| python.map(Pool::new))
    }

    /// The same with other processes.
    pub(super) fn with(
        model: &Model,
        pool: impl FnOnce(&Model) -> Result<Arc<Pool>, String>,
    ) -> Result<Self, VoiceError> {
        let mut patience = Patience { first: std::time::Duration::from_secs(10), ..Patience::default() };
        if let Some(first) = Settings::of(model).duration("timeout").map_err(|e| setup(model, &e))? {
            patience.first = first;
        }
        let provider = model.provider.clone();
        match pool(model) {
            Ok(pool) => Ok(Self { provider, pool, patience }),
            Err(message) => Err(VoiceError { provider, kind: LlmErrorKind::Setup, message }),
        }
    }
}

impl Stt for OfflineStt {
    fn rate(&self, _line: u32) -> u32 {
        RATE
    }

    fn patience(&self) -> Option<Patience> {
        Some(self.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        let stt = Arc::new(self.clone());
        let member = Member { name: self.provider.clone(), stt, patience: self.patience };
        session::open(vec![member], start, false)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let this = self.clone();
        let connecting = async move {
            if let Some(first) = start.languages.first().filter(|first| !is_english(first)) {
                let message = format!("{ONLY_ENGLISH}, and the agent speaks {first}");
                return Err(VoiceError { provider: this.provider, kind: LlmErrorKind::Setup, message });
            }
            this.pool.prepare(None).await.map_err(|trouble| error(&this.provider, trouble))?;
            let ears: Box<dyn Connection> = Box::new(Ears::new(this, &start));
            Ok(ears)
        };
        connecting.boxed()
    }
}

struct Ears {
    stt: OfflineStt,
    expected: Arc<Expected>,
    gate: Gate,
    /// Sound so far, withheld one included.
    heard: u64,
    /// The utterance so far.
    sound: BytesMut,
    /// Loud bytes at its beginning, and of all sound so far.
    loud_before: usize,
    loud: usize,
    /// Quiet bytes since the last loud ones.
    quiet: usize,
    /// How much was loud when it was last tried.
    tried: usize,
    /// What a trial found.
    found: Option<(usize, Heard)>,
    waiting: VecDeque<Utterance>,
    running: Option<Running>,
    told: VecDeque<Told>,
    told_at: Instant,
}

struct Utterance {
    expected: Arc<Expected>,
    /// None: there was nothing to recognise.
    sound: Option<Bytes>,
    /// How much had been loud at its end.
    loud: usize,
    /// Where it ends in the sound.
    through: u64,
    /// Whether the caller had stopped.
    ended: bool,
}

struct Running {
    heard: BoxFuture<'static, Result<Heard, Trouble>>,
    /// How much had been loud at the end of its sound.
    loud: usize,
    /// None: it is a trial.
    utterance: Option<Utterance>,
}

impl Ears {
    fn new(stt: OfflineStt, start: &SttStart) -> Self {
        Self {
            stt,
            expected: Arc::new(Expected::default()),
            gate: Gate::new(start.rate * 2),
            heard: 0,
            sound: BytesMut::new(),
            loud_before: 0,
            loud: 0,
            quiet: 0,
            tried: 0,
            found: None,
            waiting: VecDeque::new(),
            running: None,
            told: VecDeque::from([Told::Ready]),
            told_at: Instant::now(),
        }
    }

    fn hear(&mut self, pcm: Bytes) -> Result<(), VoiceError> {
        let length = pcm.len();
        self.heard += length as u64;
        let Self { gate, sound, .. } = self;
        gate.pass(pcm, |pcm| sound.extend_from_slice(&pcm));
        let loud = self.gate.take_loud();
        self.loud += loud;
        self.quiet = if loud > 0 { 0 } else { self.quiet + length };
        if self.sound.is_empty() {
            return Ok(());
        }
        if self.sound.len() >= bytes(MAX_MS) || self.quiet >= bytes(QUIET_MS) {
            return self.cut(false);
        }
        let fresh = self.loud - self.tried.max(self.loud_before);
        let paused = fresh >= bytes(LEAST_LOUD_MS) && self.quiet >= bytes(PAUSE_MS);
        if (paused || fresh >= bytes(TRY_MS)) && self.running.is_none() && self.waiting.is_empty() {
            self.tried = self.loud;
            let heard = self.recognise(Arc::clone(&self.expected), Bytes::copy_from_slice(&self.sound));
            self.running = Some(Running { heard, loud: self.loud, utterance: None });
        }
        Ok(())
    }

    /// The utterance so far is one.
    fn cut(&mut self, ended: bool) -> Result<(), VoiceError> {
        if self.waiting.len() == MAX_WAITING {
            let message = "is slower than the caller speaks".to_owned();
            return Err(VoiceError {
                provider: self.stt.provider.clone(),
                kind: LlmErrorKind::Timeout,
                message,
            });
        }
        let spoken = self.loud - self.loud_before >= bytes(LEAST_LOUD_MS);
        let sound = std::mem::take(&mut self.sound).freeze();
        self.loud_before = self.loud;
        self.waiting.push_back(Utterance {
            expected: Arc::clone(&self.expected),
            sound: spoken.then_some(sound),
            loud: self.loud,
            through: self.heard,
            ended,
        });
        Ok(())
    }

    fn recognise(&self, expected: Arc<Expected>, sound: Bytes) -> BoxFuture<'static, Result<Heard, Trouble>> {
        let pool = Arc::clone(&self.stt.pool);
        async move { pool.recognise(expected, sound).await }.boxed()
    }

    fn done(&mut self, utterance: &Utterance, heard: Option<Heard>) {
        self.told_at = Instant::now();
        self.found = None;
        if let Some(Heard { text, sure }) = heard {
            self.told.push_back(Told::Through(utterance.through));
            if !text.is_empty() {
                let confidence = Some((sure * 100.0).round().clamp(0.0, 100.0) as u8);
                let language = Some("en".to_owned());
                self.told.push_back(Told::Event(SttEvent::Final { text, confidence, language }));
            }
        }
        self.told.extend(utterance.ended.then_some(Told::Answered));
    }

    /// What was tried was recognised.
    fn tried(&mut self, loud: usize, heard: Heard) {
        self.told_at = Instant::now();
        if loud > self.loud_before && !heard.text.is_empty() {
            let text = heard.text.clone();
            self.told.push_back(Told::Event(SttEvent::Partial { text }));
        }
        self.found = Some((loud, heard));
    }

    /// Takes up the next utterance. Whether there was one.
    fn next(&mut self) -> bool {
        let Some(front) = self.waiting.front() else { return false };
        if let Some(running) = &self.running {
            // A trial of all its sound is as good; of less, it is in the way.
            if running.utterance.is_some() || running.loud == front.loud {
                return false;
            }
            self.running = None;
        }
        let Some(mut utterance) = self.waiting.pop_front() else { return false };
        match (utterance.sound.take(), self.found.take()) {
            (None, _) => self.done(&utterance, None),
            (Some(_), Some((loud, heard))) if loud == utterance.loud => self.done(&utterance, Some(heard)),
            (Some(sound), _) => {
                let heard = self.recognise(Arc::clone(&utterance.expected), sound);
                self.running = Some(Running { heard, loud: utterance.loud, utterance: Some(utterance) });
            }
        }
        true
    }
}

impl Connection for Ears {
    fn push(&mut self, input: SttInput) -> Result<(), VoiceError> {
        match input {
            SttInput::Audio(pcm) => self.hear(pcm),
            SttInput::SpeechEnded => self.cut(true),
            SttInput::Expect(expected) => {
                if !is_english(&expected.language) {
                    let message = format!("{ONLY_ENGLISH}, and the call is in {}", expected.language);
                    let provider = self.stt.provider.clone();
                    return Err(VoiceError { provider, kind: LlmErrorKind::Setup, message });
                }
                let pool = Arc::clone(&self.stt.pool);
                self.expected = Arc::clone(&expected);
                self.found = None;
                // Learned while the agent speaks; what goes wrong is told by what is recognised.
                tokio::spawn(async move { pool.prepare(Some(expected)).await });
                Ok(())
            }
        }
    }

    fn is_clear(&self) -> bool {
        true
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, VoiceError>> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Poll::Ready(Ok(told));
            }
            if self.next() {
                continue;
            }
            let Some(running) = &mut self.running else { return Poll::Pending };
            let heard = std::task::ready!(running.heard.poll_unpin(context));
            let heard = heard.map_err(|trouble| error(&self.stt.provider, trouble))?;
            match self.running.take() {
                Some(Running { utterance: Some(utterance), .. }) => self.done(&utterance, Some(heard)),
                Some(Running { loud, .. }) => self.tried(loud, heard),
                None => {}
            }
        }
    }

    fn told_at(&self) -> Instant {
        self.told_at
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

/// Bytes of sound.
fn bytes(ms: usize) -> usize {
    RATE as usize / 1_000 * 2 * ms
}

/// What is told of a trouble.
pub(super) fn words_of(trouble: Trouble) -> String {
    match trouble {
        Trouble::Missing(notice) => notice,
        Trouble::Hung => "the offline recogniser does not answer".to_owned(),
        Trouble::Broken(why) => format!("the offline recogniser is broken: {why}"),
    }
}

fn error(provider: &str, trouble: Trouble) -> VoiceError {
    let kind = match trouble {
        Trouble::Missing(_) => LlmErrorKind::Setup,
        Trouble::Hung => LlmErrorKind::Timeout,
        Trouble::Broken(_) => LlmErrorKind::Unavailable,
    };
    VoiceError { provider: provider.to_owned(), kind, message: words_of(trouble) }
}
