//! One voice out of a list of models: who speaks, who takes over, when to connect again.
//!
//! ```text
//! sentence 1 ──► first ── sound ── done
//! sentence 2 ──► first ── no sound in time, or an error ──► the same sentence ──► second ── sound
//! sentence 3 ──► second ── sound ── error: the rest is lost, Failed{3} ──► sentence 4 ──► third
//! pause      ──► first, once it had time to recover
//! ```
//!
//! The first model is connected ahead of its first sentence and again when its connection ends.
//! All models speak at one rate: one that all of them have, near the line's. If they have none in
//! common, it is one of the first model's, and what another says is resampled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dgh_engine::reply::Model;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::tts::resample::Resampler;
use crate::tts::socket::until;
use crate::tts::{Tts, TtsEvent, TtsInput, TtsSession, TtsStart, nearest};
use crate::voice::{EVENT_QUEUE, INPUT_QUEUE, VoiceError, Voices};

/// Time to the first sound of a sentence after which the next model is asked, if there is one.
pub const FIRST_SOUND: Duration = Duration::from_millis(2_500);
/// Shortest and longest rest of a model that failed while another one can speak.
const REST: [Duration; 2] = [Duration::from_secs(10), Duration::from_mins(2)];
/// The same when there is no other.
const REST_ALONE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];
/// A connection that ends before it is that old, with nothing to speak, has failed; an older one
/// has just been idle too long.
const SETTLED: Duration = Duration::from_secs(10);

/// A voice that other models stand behind.
pub struct Failover {
    voices: Arc<[Arc<dyn Tts>]>,
    rates: Vec<u32>,
    first_sound: Duration,
}

impl Failover {
    /// The voice of a list of models, the preferred one first. Models that are not set up are passed
    /// over; without any that is, the first one's error.
    pub fn of(models: &[Model], voices: &dyn Voices) -> Result<Self, VoiceError> {
        let (mut made, mut error) = (Vec::new(), None);
        for model in models {
            match voices.tts(model) {
                Ok(voice) => made.push(voice),
                Err(failure) => error = error.or(Some(failure)),
            }
        }
        if made.is_empty() {
            return Err(error.unwrap_or_else(|| VoiceError {
                provider: "tts".into(),
                kind: LlmErrorKind::Setup,
                message: "no voice is given".into(),
            }));
        }
        Ok(Self::new(made))
    }

    /// The voice of these, the preferred one first.
    pub fn new(voices: Vec<Arc<dyn Tts>>) -> Self {
        let own = voices.first().map(|first| first.rates().to_vec()).unwrap_or_default();
        let shared = |rate: &u32| voices.iter().all(|voice| voice.rates().contains(rate));
        let common: Vec<u32> = own.iter().copied().filter(shared).collect();
        let rates = if common.is_empty() { own } else { common };
        Self { voices: voices.into(), rates, first_sound: FIRST_SOUND }
    }

    /// With another time to the first sound.
    pub fn first_sound(self, first_sound: Duration) -> Self {
        Self { first_sound, ..self }
    }
}

impl Tts for Failover {
    fn provider(&self) -> &str {
        self.voices.first().map(|first| first.provider()).unwrap_or_default()
    }

    fn rates(&self) -> &[u32] {
        &self.rates
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let (input, commands) = mpsc::channel(INPUT_QUEUE);
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let rate = nearest(&self.rates, start.rate);
        let switch = Switch {
            voices: Arc::clone(&self.voices),
            start: TtsStart { rate, ..start },
            first_sound: self.first_sound,
            live: None,
            health: self.voices.iter().map(|_| Health::default()).collect(),
            requests: VecDeque::new(),
            told: VecDeque::new(),
            failed: None,
            turn: Instant::now(),
        };
        tokio::spawn(switch.run(commands, events));
        TtsSession { rate, input, events: receiver }
    }
}

struct Switch {
    voices: Arc<[Arc<dyn Tts>]>,
    start: TtsStart,
    first_sound: Duration,
    live: Option<Live>,
    /// By model.
    health: Vec<Health>,
    /// What is not over, in order.
    requests: VecDeque<Request>,
    /// What is to be told.
    told: VecDeque<TtsEvent>,
    /// Who failed last and was not replaced yet, and why.
    failed: Option<(usize, VoiceError)>,
    /// Since when the first request is at its turn.
    turn: Instant,
}

/// The model that speaks.
struct Live {
    index: usize,
    session: TtsSession,
    resampler: Option<Resampler>,
    since: Instant,
}

#[derive(Debug, Clone, Default)]
struct Health {
    /// In a row.
    failures: u32,
    /// Rests until then.
    rests: Option<Instant>,
    /// Cannot recover within a call: no key, or a wrong one.
    gone: bool,
}

struct Request {
    id: u32,
    text: String,
    language: String,
    /// Whether the model that speaks was given it.
    given: bool,
    sounded: bool,
    /// By model, whether it failed with this.
    tried: Vec<bool>,
    /// Whether the only model gets another try on a new connection.
    retried: bool,
}

/// What happens next.
enum Turn {
    Told(TtsInput),
    Event(Option<TtsEvent>),
    Late,
    Sent,
    Rested,
    Closed,
}

impl Switch {
    async fn run(mut self, mut commands: mpsc::Receiver<TtsInput>, events: mpsc::Sender<TtsEvent>) {
        loop {
            self.choose();
            self.give();
            if self.told.is_empty() && self.health.iter().all(|health| health.gone) {
                let none = self.error(LlmErrorKind::Setup, "no voice is left".into());
                let error = self.failed.map_or(none, |(_, error)| error);
                let _ = events.send(TtsEvent::Failed { id: None, error }).await;
                return;
            }
            let (waiting, late, rested) = (!self.told.is_empty(), self.late(), self.rested());
            let turn = tokio::select! {
                command = commands.recv() => command.map_or(Turn::Closed, Turn::Told),
                permit = events.reserve(), if waiting => match (permit, self.told.pop_front()) {
                    (Ok(permit), Some(event)) => { permit.send(event); Turn::Sent }
                    (Ok(_), None) => Turn::Sent,
                    (Err(_), _) => Turn::Closed,
                },
                event = next(&mut self.live), if !waiting => Turn::Event(event),
                () = until(late), if !waiting => Turn::Late,
                () = until(rested), if !waiting => Turn::Rested,
            };
            match turn {
                Turn::Told(TtsInput::Speak { id, text, language }) => self.speak(id, text, language),
                Turn::Told(TtsInput::Cancel { id }) => self.cancel(id),
                Turn::Event(Some(event)) => self.event(event),
                Turn::Event(None) => self.broken(None),
                Turn::Late => {
                    let message = format!("no sound within {} ms", self.first_sound.as_millis());
                    let error = self.error(LlmErrorKind::Timeout, message);
                    self.fail(error, false);
                }
                Turn::Sent | Turn::Rested => {}
                Turn::Closed => return,
            }
        }
    }

    fn speak(&mut self, id: u32, text: String, language: String) {
        if self.requests.is_empty() {
            self.turn = Instant::now();
        }
        let tried = vec![false; self.voices.len()];
        let (given, sounded, retried) = (false, false, false);
        self.requests.push_back(Request { id, text, language, given, sounded, tried, retried });
    }

    fn cancel(&mut self, id: u32) {
        let Some(place) = self.requests.iter().position(|request| request.id == id) else { return };
        let Some(request) = self.requests.remove(place) else { return };
        self.told.retain(|event| event.request() != Some(id));
        if place == 0 {
            self.turn = Instant::now();
        }
        if let Some(live) = self.live.as_ref().filter(|_| request.given)
            && live.session.input.try_send(TtsInput::Cancel { id }).is_err()
        {
            // It takes nothing any more; the next sentence goes over another connection.
            self.replace();
        }
    }

    /// Connects the model that is to speak next, if it is not connected.
    fn choose(&mut self) {
        loop {
            let now = Instant::now();
            let idle = self.requests.is_empty() && self.told.is_empty();
            let current = self.live.as_ref().map(|live| live.index);
            let ready =
                |(_, health): &(usize, &Health)| !health.gone && health.rests.is_none_or(|at| at <= now);
            let best = self.health.iter().enumerate().find(ready).map(|(index, _)| index);
            let chosen = match (current, self.requests.front()) {
                (Some(current), _) if !idle || best.is_none_or(|best| best >= current) => return,
                (_, None) => best,
                (_, Some(front)) => {
                    let left = || (0..self.voices.len()).filter(|i| front.tried.get(*i) == Some(&false));
                    let rested =
                        left().find(|index| self.health.get(*index).is_some_and(|h| ready(&(*index, h))));
                    // Better one that may not have recovered than none.
                    rested.or_else(|| left().find(|index| self.health.get(*index).is_some_and(|h| !h.gone)))
                }
            };
            if let Some((index, voice)) = chosen.and_then(|index| Some((index, self.voices.get(index)?))) {
                let session = voice.open(self.start.clone());
                let resampler =
                    (session.rate != self.start.rate).then(|| Resampler::new(session.rate, self.start.rate));
                if let Some((_, error)) = self.failed.take_if(|(failed, _)| *failed != index) {
                    self.told.push_back(TtsEvent::Switched { error, to: voice.provider().to_owned() });
                }
                self.live = Some(Live { index, session, resampler, since: now });
                self.turn = now;
                self.requests.iter_mut().for_each(|request| request.given = false);
                return;
            }
            // Everybody failed with it.
            if self.health.iter().all(|health| health.gone) {
                return;
            }
            let Some(front) = self.requests.pop_front() else { return };
            let error = self.failed.as_ref().map(|(_, error)| error.clone());
            let error =
                error.unwrap_or_else(|| self.error(LlmErrorKind::Unavailable, "no voice can speak".into()));
            self.told.push_back(TtsEvent::Failed { id: Some(front.id), error });
        }
    }

    /// Hands on what the model that speaks was not given yet.
    fn give(&mut self) {
        let Some(live) = &self.live else { return };
        for request in self.requests.iter_mut().filter(|request| !request.given) {
            let (id, text, language) = (request.id, request.text.clone(), request.language.clone());
            if live.session.input.try_send(TtsInput::Speak { id, text, language }).is_err() {
                return;
            }
            request.given = true;
        }
    }

    /// When the sentence at its turn is late, if somebody else could speak it.
    fn late(&self) -> Option<Instant> {
        let current = self.live.as_ref()?.index;
        let front = self.requests.front().filter(|front| front.given && !front.sounded)?;
        let other = |(index, health): (usize, &Health)| {
            index != current && !health.gone && front.tried.get(index) == Some(&false)
        };
        self.health.iter().enumerate().any(other).then_some(self.turn + self.first_sound)
    }

    /// When there is somebody better to connect, while nothing is spoken.
    fn rested(&self) -> Option<Instant> {
        if !self.requests.is_empty() {
            return None;
        }
        let better = self.live.as_ref().map_or(self.health.len(), |live| live.index);
        self.health.iter().take(better).filter(|health| !health.gone).filter_map(|health| health.rests).min()
    }

    fn event(&mut self, event: TtsEvent) {
        let Some(live) = &mut self.live else { return };
        match event {
            TtsEvent::Failed { id: None, error } => return self.broken(Some(error)),
            TtsEvent::Connected { .. } | TtsEvent::Switched { .. } => return self.told.push_back(event),
            _ => {}
        }
        // What was cancelled may still come.
        let Some(front) = self.requests.front_mut().filter(|front| event.request() == Some(front.id)) else {
            return;
        };
        match event {
            TtsEvent::Audio { id, mut pcm } => {
                front.sounded = true;
                if let Some(resampler) = &mut live.resampler {
                    pcm = resampler.push(pcm);
                }
                if !pcm.is_empty() {
                    self.told.push_back(TtsEvent::Audio { id, pcm });
                }
            }
            TtsEvent::Started { .. } => {
                if let Some(resampler) = &mut live.resampler {
                    resampler.reset();
                }
                self.told.push_back(event);
            }
            TtsEvent::Done { id } => {
                let end = live.resampler.as_mut().map(Resampler::finish).filter(|end| !end.is_empty());
                self.told.extend(end.map(|pcm| TtsEvent::Audio { id, pcm }));
                self.told.push_back(event);
                if let Some(health) = self.health.get_mut(live.index).filter(|_| front.sounded) {
                    *health = Health::default();
                }
                self.requests.pop_front();
                self.turn = Instant::now();
            }
            TtsEvent::Failed { error, .. } => self.fail(error, false),
            other => self.told.push_back(other),
        }
    }

    /// The session of the model that speaks is over.
    fn broken(&mut self, error: Option<VoiceError>) {
        let error = error.unwrap_or_else(|| self.error(LlmErrorKind::Network, "the session ended".into()));
        let settled = self.live.as_ref().is_some_and(|live| live.since.elapsed() >= SETTLED);
        if self.requests.is_empty() && settled && !is_final(&error) {
            self.replace();
        } else {
            let cut = error.kind == LlmErrorKind::Network && settled;
            self.fail(error, cut);
        }
    }

    /// Another connection, and nobody is to blame.
    fn replace(&mut self) {
        self.live = None;
        self.requests.iter_mut().for_each(|request| request.given = false);
    }

    /// The model that speaks has failed. `stale`: its connection was cut, and may have been dead
    /// before the sentence came.
    fn fail(&mut self, error: VoiceError, stale: bool) {
        let Some(live) = self.live.take() else { return };
        if let Some(health) = self.health.get_mut(live.index) {
            let [shortest, longest] = if self.voices.len() > 1 { REST } else { REST_ALONE };
            let rest = shortest.saturating_mul(1 << health.failures.min(8)).min(longest);
            health.failures += 1;
            health.rests = Some(Instant::now() + rest);
            health.gone = is_final(&error);
        }
        let alone = self.health.iter().filter(|health| !health.gone).count() <= 1;
        self.requests.iter_mut().skip(1).for_each(|request| request.given = false);
        match self.requests.front_mut() {
            Some(front) if front.sounded => {
                let id = Some(front.id);
                self.requests.pop_front();
                self.told.push_back(TtsEvent::Failed { id, error: error.clone() });
            }
            Some(front) if front.given => {
                front.given = false;
                if stale && alone && !front.retried {
                    front.retried = true;
                } else if let Some(tried) = front.tried.get_mut(live.index) {
                    *tried = true;
                }
            }
            _ => {}
        }
        self.failed = Some((live.index, error));
    }

    fn error(&self, kind: LlmErrorKind, message: String) -> VoiceError {
        let voice = self.live.as_ref().and_then(|live| self.voices.get(live.index)).or(self.voices.first());
        VoiceError {
            provider: voice.map(|voice| voice.provider().to_owned()).unwrap_or_default(),
            kind,
            message,
        }
    }
}

async fn next(live: &mut Option<Live>) -> Option<TtsEvent> {
    match live {
        Some(live) => live.session.events.recv().await,
        None => std::future::pending().await,
    }
}

/// Whether an error stays for the length of a call.
fn is_final(error: &VoiceError) -> bool {
    matches!(error.kind, LlmErrorKind::Setup | LlmErrorKind::Auth)
}

#[cfg(test)]
mod tests;
