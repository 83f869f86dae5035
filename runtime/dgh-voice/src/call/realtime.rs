//! A call with a speech-to-speech model: one session hears the caller, answers when the engine asks,
//! and speaks. It takes the place of the recogniser, of the language model and, but for exact words,
//! of the voice.
//!
//! ```text
//!  frame ─────► session ──words of the caller──► turn taking ──turn──► engine
//!                 ▲  │                                                   │
//!                 │  ├─ sentences, calls, closed ───────────────────────►│
//!                 │  └─ sound, held until the engine speaks the sentence ┴► playout
//!                 └──── the card, what was heard of an answer, what another voice said
//! ```
//!
//! - It speaks by itself, but nothing sounds that the engine does not speak: sound waits for its
//!   sentence. Where a sentence ends in the sound is reckoned from its letters, so no position is exact.
//! - A `go` is told when what was said with it was played to its end, or was cut.
//! - Turn taking hears the line's detector alone (`Heard::Deaf`) until the session tells the words of
//!   a turn that is over, [`Told::Caller`]: it says when the caller speaks, what holds and cuts the
//!   agent's sound, and what is a nod. A turn of it without words is the session's to fill.
//! - Exact words are spoken by the agent's voice, and the session is told of them ([`Speaker::said`]);
//!   without a voice it recites the engine's own ([`Speaker::recite`]).
//! - A session that breaks is replaced by the next of the list. An answer of which nothing was told
//!   is asked for again.

mod speech;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, BytesMut};
use dgh_engine::event::{Event, ReplyId, UNWRITTEN, Usage, UtteranceId};
use dgh_engine::reply::{Message, Model, Purpose, ReplyRequest};
use dgh_providers::llm::LlmErrorKind;
use dgh_providers::realtime::{RealtimeEvent, RealtimeInput, RealtimeSession, RealtimeStart};
use dgh_providers::{VoiceError, Voices};
use tokio::sync::mpsc::error::TrySendError;

use crate::audio::Frame;
use crate::audio::resample::Resampler;
use crate::{FRAME_MS, Millis};
use speech::Speech;

/// How long the words of a turn are waited for. Then the turn goes on without them: the session
/// heard it.
pub const WORDS_MS: Millis = 1_000;
/// A voice that lasts so long is the caller's, for sessions without a detector.
const ONSET_MS: Millis = 120;
/// Silence that ends a turn there, unless the node says.
const END_AFTER_MS: Millis = 700;
/// Frames that a session may refuse before it counts as broken.
const STUCK: u32 = 50;
/// Sessions that may break in a row.
const MAX_BROKEN: usize = 3;
/// Answers whose sound is kept.
const MAX_SPEECHES: usize = 4;

/// What comes of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A fact for the engine: a sentence, a call or the end of a reply.
    Engine(Event),
    /// The caller's turn is over, with these words; a recogniser would say `Final`, then `EndOfTurn`.
    /// Without words: the line heard a voice, the session none.
    Caller(String),
    /// The words of a turn that went on without them; for the record.
    Late(String),
    /// Sound of an utterance, at the rate of the line.
    Sound(UtteranceId, Vec<i16>),
    /// An utterance has all its sound.
    Complete(UtteranceId),
    /// Something for the log.
    Trouble(String),
}

/// A session of a call, and those that replace it.
pub struct Speaker {
    voices: Arc<dyn Voices>,
    models: Vec<Model>,
    /// Of `models`: which is asked.
    at: usize,
    broken: usize,
    start: RealtimeStart,
    open: Option<Open>,
    /// The reply that runs.
    running: Option<Arc<ReplyRequest>>,
    /// The request of the last reply, and of how many recitals.
    last: Option<Arc<ReplyRequest>>,
    recitals: u32,
    speeches: VecDeque<Speech>,
    told: VecDeque<Told>,
    turn: TurnEnd,
    end_after: Millis,
    now: Millis,
}

/// An open session.
struct Open {
    session: RealtimeSession,
    hears_turns: bool,
    ear: Option<Resampler>,
    mouth: Option<Resampler>,
    frame: Frame,
    bytes: BytesMut,
    stuck: u32,
}

/// The end of the caller's turn.
#[derive(Default)]
struct TurnEnd {
    /// How long a voice is there, and how long it is not.
    voice_ms: Millis,
    quiet_ms: Millis,
    /// A session without a detector was told that the caller speaks.
    started: bool,
    /// Words that came before the end of the turn.
    words: Option<String>,
    /// Until when words are waited for.
    words_by: Option<Millis>,
    /// Words that are still owed by a turn that went on without them.
    owed: u32,
    /// The session hears the caller speak; and whether it has, since the line heard a voice.
    speaks: bool,
    noticed: bool,
    /// By when the session should have heard what the line heard.
    noise_by: Option<Millis>,
}

impl Speaker {
    /// Opens the first of these models that can be made. `start.rate` is that of the line.
    pub fn new(voices: Arc<dyn Voices>, models: Vec<Model>, start: RealtimeStart) -> Self {
        let mut speaker = Self {
            voices,
            models,
            at: 0,
            broken: 0,
            start,
            open: None,
            running: None,
            last: None,
            recitals: 0,
            speeches: VecDeque::new(),
            told: VecDeque::new(),
            turn: TurnEnd::default(),
            end_after: END_AFTER_MS,
            now: 0,
        };
        speaker.connect();
        speaker
    }

    /// Silence that ends a turn in this node; none: as usual. Sessions with a detector decide it
    /// themselves.
    pub fn end_after(&mut self, ms: Option<Millis>) {
        self.end_after = ms.unwrap_or(END_AFTER_MS);
    }

    /// Hears a frame of the line. `voice`: whether the line's detector hears a voice in it.
    pub fn hear(&mut self, frame: &Frame, voice: bool, now: Millis) {
        self.now = now;
        let Some(open) = &mut self.open else { return };
        let stuck = open.hear(frame);
        let hears_turns = open.hears_turns;
        if stuck {
            let error = VoiceError {
                provider: self.provider(),
                kind: LlmErrorKind::Timeout,
                message: "takes no more sound".to_owned(),
            };
            return self.lose(&error);
        }
        if !hears_turns {
            self.detect(voice);
        }
    }

    /// Asks for a reply.
    pub fn reply(&mut self, request: ReplyRequest, now: Millis) {
        self.now = now;
        let request = Arc::new(request);
        self.make_room();
        self.speeches.push_back(Speech::new(request.id, self.start.rate));
        self.running = Some(Arc::clone(&request));
        self.last = Some(Arc::clone(&request));
        if self.open.is_none() {
            self.connect();
        }
        if !self.say(RealtimeInput::Respond(request)) && self.open.is_none() {
            self.close(Some("no speech-to-speech model can be reached".to_owned()), Usage::default());
        }
    }

    /// Drops a reply. What of it sounds already goes on.
    pub fn cancel(&mut self, reply: ReplyId) {
        if self.running.as_ref().is_some_and(|running| running.id == reply) {
            self.running = None;
        }
        let Some(speech) = self.speeches.iter_mut().find(|speech| speech.reply == reply) else { return };
        speech.calls.clear();
        speech.closed = None;
        if speech.cut {
            return;
        }
        speech.cut = true;
        let heard_ms = speech.given_ms();
        speech.drop_rest(&mut self.told);
        self.say(RealtimeInput::Cut { reply, heard_ms });
    }

    /// The engine speaks. Answers whether the sound is the session's: exact words are not, and need a
    /// voice.
    pub fn speak(&mut self, utterance: UtteranceId, text: &str, exact: bool) -> bool {
        if exact {
            return false;
        }
        let bound = self.speeches.iter_mut().any(|speech| speech.bind(utterance, text));
        self.give();
        bound
    }

    /// Has the session speak exact words, for agents without a voice: those of the engine and of the
    /// library, as an author's own need one. It may stray from them, and nobody can tell. Answers
    /// whether it was asked: not before its first reply, nor while it gives one.
    pub fn recite(&mut self, utterance: UtteranceId, text: &str, now: Millis) -> bool {
        self.now = now;
        let Some(last) = self.last.as_ref().filter(|_| self.running.is_none() && self.open.is_some()) else {
            return false;
        };
        let mut request = ReplyRequest::clone(last);
        // From the other end of the numbers that the engine counts up.
        request.id = ReplyId(u32::MAX - self.recitals);
        self.recitals += 1;
        request.purpose = Purpose::Tell;
        request.may_call = false;
        let card = &mut request.card;
        (card.prompt, card.read_back) = (None, None);
        card.known.clear();
        card.wanted.clear();
        card.labels.clear();
        card.tools.clear();
        card.remarks.clear();
        card.instruction = Some(format!("Say exactly these words, and not one more: \"{text}\""));
        self.make_room();
        self.speeches.push_back(Speech::reciting(request.id, self.start.rate, utterance, text));
        self.say(RealtimeInput::Respond(Arc::new(request)))
    }

    /// Words that a voice spoke, as far as they were heard.
    pub fn said(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.say(RealtimeInput::Said(text.to_owned()));
        }
    }

    /// What the caller typed or pressed, as the engine was told.
    pub fn typed(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.say(RealtimeInput::Typed(text.trim().to_owned()));
        }
    }

    /// An utterance was played to its end.
    pub fn finished(&mut self, utterance: UtteranceId) {
        if let Some(speech) = self.speeches.iter_mut().find(|speech| speech.holds(utterance)) {
            speech.finished(utterance);
        }
    }

    /// The caller spoke over an utterance: so many bytes of its text were heard. Everything behind it
    /// never sounded. It may be another voice's, with words of the session behind it.
    pub fn cut(&mut self, utterance: UtteranceId, heard: u32) {
        let concerned = |speech: &Speech| speech.holds(utterance) || speech.follows(utterance);
        let Some(at) = self.speeches.iter().position(concerned) else { return };
        for (index, speech) in self.speeches.iter_mut().enumerate().skip(at) {
            let heard_ms = if index == at { speech.heard_ms(utterance, heard) } else { 0 };
            let is_running = speech.closed.is_none() && !speech.cut;
            speech.cut = true;
            speech.stop();
            let input = RealtimeInput::Cut { reply: speech.reply, heard_ms };
            if let Some(open) = &self.open {
                // A session that takes nothing is found out by its sound.
                let _ = open.session.input.try_send(input);
            }
            if is_running {
                // What was wanted before the cut is still wanted; its end comes with `Done`.
                speech.sentences_over();
            }
        }
    }

    /// The line's detector: the caller speaks.
    pub fn voice_began(&mut self) {
        self.turn.noise_by = None;
        self.turn.noticed = self.turn.speaks;
    }

    /// The line's detector: the caller's turn is over. What the session did not hear at all is told as
    /// a turn that nobody understood: the engine waits for one.
    pub fn voice_ended(&mut self, now: Millis) {
        if !self.turn.noticed {
            self.turn.noise_by = Some(now + WORDS_MS);
        }
    }

    /// When [`Self::tick`] is due.
    pub fn deadline(&self) -> Option<Millis> {
        [self.turn.words_by, self.turn.noise_by].into_iter().flatten().min()
    }

    /// That time may have come.
    pub fn tick(&mut self, now: Millis) {
        self.now = now;
        if self.turn.words_by.is_some_and(|by| by <= now) {
            self.turn.words_by = None;
            self.turn.owed += 1;
            self.told.push_back(Told::Caller(UNWRITTEN.to_owned()));
        }
        if self.turn.noise_by.is_some_and(|by| by <= now) {
            self.turn.noise_by = None;
            self.told.push_back(Told::Caller(String::new()));
        }
    }

    /// What comes next; to be heeded before the next one is asked for. Never ends.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Millis) -> Poll<Told> {
        self.now = now;
        loop {
            if self.told.is_empty() {
                // Whatever was told before was heeded: what is not spoken by now is not to be.
                self.settle();
            }
            if let Some(told) = self.told.pop_front() {
                return Poll::Ready(told);
            }
            let Some(open) = &mut self.open else { return Poll::Pending };
            match open.session.events.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(event)) => self.event(event),
                Poll::Ready(None) => {
                    let message = "the session ended".to_owned();
                    let error =
                        VoiceError { provider: self.provider(), kind: LlmErrorKind::Network, message };
                    self.lose(&error);
                }
            }
        }
    }

    fn event(&mut self, event: RealtimeEvent) {
        match event {
            // The line's own detector is quicker, and decides what an interruption is.
            RealtimeEvent::SpeechStarted => self.turn.notice(true),
            RealtimeEvent::SpeechStopped => self.turn_over(),
            RealtimeEvent::Caller { text } => self.words(text),
            RealtimeEvent::Audio { reply, pcm } => {
                let Some(open) = &mut self.open else { return };
                if let Some(speech) = self.speeches.iter_mut().find(|s| s.reply == reply && !s.cut) {
                    let samples: Vec<i16> =
                        pcm.as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect();
                    match &mut open.mouth {
                        Some(resampler) => resampler.push(&samples, &mut speech.sound),
                        None => speech.sound.extend(samples),
                    }
                    self.give();
                }
            }
            RealtimeEvent::Words { reply, text } => {
                if let Some(speech) = self.speeches.iter_mut().find(|s| s.reply == reply && !s.cut) {
                    speech.words(&text, &mut self.told);
                    self.give();
                }
            }
            RealtimeEvent::Call { reply, id, name, arguments } => {
                if let Some(speech) = self.speeches.iter_mut().find(|s| s.reply == reply) {
                    speech.calls.push(Event::ReplyCall { reply, id, name, arguments });
                }
            }
            RealtimeEvent::Done { reply, failure, usage } => self.done(reply, failure, usage),
            RealtimeEvent::Failed(error) => self.lose(&error),
        }
    }

    fn done(&mut self, reply: ReplyId, failure: Option<VoiceError>, usage: Usage) {
        let running = self.running.as_ref().is_some_and(|running| running.id == reply);
        if let Some(error) = failure.as_ref().filter(|_| running && self.may_ask_again(reply)) {
            return self.lose(error);
        }
        if failure.is_none() {
            self.broken = 0;
        }
        let Some(speech) = self.speeches.iter_mut().find(|speech| speech.reply == reply) else { return };
        speech.over(&mut self.told);
        if let Some(error) = failure.as_ref().filter(|_| speech.recites()) {
            self.told.push_back(Told::Trouble(error.to_string()));
        }
        if running {
            self.close(failure.map(|error| error.to_string()), usage);
        }
        self.give();
    }

    /// The running reply is over; it is told when what was said with a `go` was played.
    fn close(&mut self, failure: Option<String>, usage: Usage) {
        let Some(running) = self.running.take() else { return };
        let closed = Event::ReplyClosed { reply: running.id, failure, usage };
        match self.speeches.iter_mut().find(|speech| speech.reply == running.id) {
            Some(speech) => speech.closed = Some(closed),
            None => self.told.push_back(Told::Engine(closed)),
        }
    }

    /// Tells of replies that are over what was held back.
    fn settle(&mut self) {
        for speech in &mut self.speeches {
            if speech.closed.is_some() && (!speech.goes() || speech.is_played()) {
                let calls = std::mem::take(&mut speech.calls);
                self.told.extend(calls.into_iter().map(Told::Engine));
                self.told.extend(speech.closed.take().map(Told::Engine));
            }
        }
    }

    /// Hands on sound whose sentence is spoken.
    fn give(&mut self) {
        for speech in &mut self.speeches {
            speech.give(&mut self.told);
        }
    }

    fn make_room(&mut self) {
        if self.speeches.len() >= MAX_SPEECHES {
            self.speeches.pop_front();
        }
    }

    /// Without a detector of the session: where the caller's turn is.
    fn detect(&mut self, voice: bool) {
        let turn = &mut self.turn;
        if voice {
            turn.voice_ms += FRAME_MS;
            turn.quiet_ms = 0;
        } else {
            turn.quiet_ms += FRAME_MS;
            if !turn.started {
                turn.voice_ms = 0;
            }
        }
        if !turn.started && turn.voice_ms >= ONSET_MS {
            turn.started = true;
            turn.notice(true);
            self.say(RealtimeInput::CallerStarted);
        } else if turn.started && turn.quiet_ms >= self.end_after {
            (turn.started, turn.voice_ms) = (false, 0);
            self.say(RealtimeInput::CallerStopped);
            self.turn_over();
        }
    }

    fn turn_over(&mut self) {
        self.turn.notice(false);
        match self.turn.words.take() {
            Some(words) => self.told.push_back(Told::Caller(words)),
            None => self.turn.words_by = Some(self.now + WORDS_MS),
        }
    }

    fn words(&mut self, text: Option<String>) {
        if self.turn.words_by.take().is_some() {
            return self.told.push_back(Told::Caller(text.unwrap_or_else(|| UNWRITTEN.to_owned())));
        }
        if self.turn.owed > 0 {
            self.turn.owed -= 1;
            self.told.extend(text.map(Told::Late));
        } else {
            self.turn.words = text;
        }
    }

    /// Whether another session may give this reply: nothing of it was told.
    fn may_ask_again(&self, reply: ReplyId) -> bool {
        let untold =
            self.speeches.iter().any(|speech| speech.reply == reply && speech.is_untold() && !speech.cut);
        untold && self.broken < MAX_BROKEN
    }

    /// The session is broken: the next one takes over.
    fn lose(&mut self, error: &VoiceError) {
        self.open = None;
        self.broken += 1;
        self.told.push_back(Told::Trouble(error.to_string()));
        let again = self.running.clone().filter(|running| self.may_ask_again(running.id));
        if self.broken <= MAX_BROKEN {
            self.at += 1;
            if let Some(last) = &self.last {
                self.start.history.clone_from(&last.history);
            }
            // What the lost session said since then.
            let said = self.speeches.back().map(Speech::text).filter(|_| again.is_none());
            self.start.history.extend(said.filter(|text| !text.is_empty()).map(Message::Agent));
            self.connect();
        }
        for speech in self.speeches.iter_mut().filter(|speech| speech.recites()) {
            speech.over(&mut self.told);
        }
        // A turn that was heard by the lost session is over, and nobody writes it down any more.
        if self.turn.words_by.is_some() {
            self.turn.words_by = Some(self.now);
        }
        self.turn.owed = 0;
        if self.turn.speaks {
            // Unless the next session hears the rest of it.
            self.turn.speaks = false;
            self.turn.started = false;
            self.turn.noise_by = Some(self.now + WORDS_MS);
        }
        match again {
            Some(request) if self.open.is_some() => {
                if let Some(speech) = self.speeches.iter_mut().find(|speech| speech.reply == request.id) {
                    *speech = Speech::new(request.id, self.start.rate);
                }
                self.say(RealtimeInput::Respond(request));
            }
            _ => {
                let reply = self.running.as_ref().map(|running| running.id);
                if let Some(speech) = self.speeches.iter_mut().find(|speech| Some(speech.reply) == reply) {
                    speech.over(&mut self.told);
                }
                self.close(Some(error.to_string()), Usage::default());
                self.give();
            }
        }
    }

    /// Opens the model whose turn it is, or one behind it.
    fn connect(&mut self) {
        for _ in 0..self.models.len() {
            let Some(model) = self.models.get(self.at % self.models.len().max(1)) else { return };
            match self.voices.realtime(model) {
                Ok(realtime) => {
                    let session = realtime.open(self.start.clone());
                    self.open = Some(Open::new(session, realtime.hears_turns(), self.start.rate));
                    return;
                }
                Err(error) => {
                    self.told.push_back(Told::Trouble(error.to_string()));
                    self.at += 1;
                }
            }
        }
    }

    /// Whether it was taken.
    fn say(&mut self, input: RealtimeInput) -> bool {
        let sent = self.open.as_ref().map(|open| open.session.input.try_send(input));
        match sent {
            Some(Ok(())) => true,
            // Its last event says why.
            Some(Err(TrySendError::Closed(_))) | None => false,
            Some(Err(TrySendError::Full(_))) => {
                let message = "takes nothing more".to_owned();
                self.lose(&VoiceError { provider: self.provider(), kind: LlmErrorKind::Timeout, message });
                false
            }
        }
    }

    fn provider(&self) -> String {
        let model = self.models.get(self.at % self.models.len().max(1));
        model.map(|model| model.provider.clone()).unwrap_or_default()
    }
}

impl TurnEnd {
    /// The session hears the caller begin or stop.
    fn notice(&mut self, speaks: bool) {
        self.speaks = speaks;
        self.noticed = true;
        self.noise_by = None;
    }
}

impl Open {
    fn new(session: RealtimeSession, hears_turns: bool, rate: u32) -> Self {
        let between = |from: u32, to: u32| (from != to).then(|| Resampler::new(from, to));
        Self {
            ear: between(rate, session.hears),
            mouth: between(session.speaks, rate),
            session,
            hears_turns,
            frame: Frame::default(),
            bytes: BytesMut::new(),
            stuck: 0,
        }
    }

    /// Whether it has not taken any sound for long.
    fn hear(&mut self, frame: &Frame) -> bool {
        let samples = match &mut self.ear {
            Some(resampler) => {
                resampler.push_frame(frame, &mut self.frame);
                self.frame.samples()
            }
            None => frame.samples(),
        };
        for sample in samples {
            self.bytes.put_i16_le(*sample);
        }
        match self.session.input.try_send(RealtimeInput::Audio(self.bytes.split().freeze())) {
            Ok(()) => self.stuck = 0,
            Err(TrySendError::Full(_)) => self.stuck += 1,
            Err(TrySendError::Closed(_)) => {}
        }
        self.stuck >= STUCK
    }
}

#[cfg(test)]
mod tests;
