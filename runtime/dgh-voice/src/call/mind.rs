//! What decides: the engine is told facts, and what it wants is done.

use std::sync::Arc;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, StoppedBy, TransferFailureEvent, UtteranceId};
use dgh_engine::log::Voice;
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_engine::{Call, Poll};
use dgh_providers::reply::{self, FirstPiece};

use super::ahead::Ahead;
use super::mouth::{Made, Words};
use super::replies::Replies;
use super::room::Room;
use super::stopwatch::Stopwatch;
use super::{Driver, LONGEST_END_MS, expected, last_words, show};
use crate::answer::Fact;
use crate::line::{Line, LineCommand, Transfer};
use crate::turn::{Heard, Policy, Turn};

/// After so many utterances in a row that no voice could speak to their end, the call ends with words that need
/// none.
const MUTE: u32 = 2;

/// Two clocks speak of the same moment.
const SAME_MOMENT_US: u64 = 500_000;

impl<L: Line> Driver<L> {
    /// Tells the engine a fact, and does what it wants.
    pub(super) fn tell(&mut self, event: Event) {
        // What is prepared belongs to a call to which this did not happen.
        let again = self.ahead.take().map(|ahead| {
            self.forget(&ahead);
            ahead.turn
        });
        self.call.handle(event, self.clock.stamp());
        self.act();
        if let Some(turn) = again {
            self.prepare(turn);
        }
    }

    /// Silence counts from when the caller has the floor; who speaks since before is not silent.
    pub(super) fn tell_who_goes_on(&mut self) {
        if self.turns.caller_speaks() && self.call.call().caller_has_floor() {
            self.tell(Event::CallerSpeaking);
        }
    }

    /// Does what the engine wants.
    pub(super) fn act(&mut self) {
        loop {
            match self.call.poll() {
                Poll::Effect(effect) => self.perform(effect, None),
                Poll::Deadline(at) => {
                    self.engine_due = at;
                    break;
                }
            }
        }
    }

    /// Does something; speaks with these voices, or those here and now.
    fn perform(&mut self, effect: Effect, voices: Option<Vec<Model>>) {
        match effect {
            Effect::StartReply(request) => {
                if let Some(duplex) = &mut self.duplex {
                    self.stopwatch.asked(self.clock.micros(), None);
                    return duplex.speaker.reply(*request, self.clock.now());
                }
                let first = FirstPiece::default();
                self.stopwatch.asked(self.clock.micros(), Some(first.clone()));
                ask(&mut self.replies, &self.setup.models, *request, first);
            }
            Effect::CancelReply { reply } => match &mut self.duplex {
                Some(duplex) => duplex.speaker.cancel(reply),
                None => self.replies.cancel(reply),
            },
            Effect::Speak { utterance, text, masked: _, exact, interruptible, muted, language } => {
                if self.language != language {
                    self.turns.speak(&language);
                    self.language.clone_from(&language);
                }
                if !self.cancels_echo {
                    self.turns.handle(Heard::Saying(text.clone()), self.clock.now());
                }
                let voices = voices.unwrap_or_else(|| self.voices());
                self.speak(&voices, &Words { utterance, text, interruptible, muted, language }, exact);
            }
            Effect::Play { utterance, recording, interruptible } => {
                self.play(utterance, &recording, interruptible);
            }
            Effect::StopSpeech => {
                if let Some(cut) = self.mouth.stop(self.clock.now()) {
                    let (utterance, heard, exact) = (cut.utterance, cut.heard, cut.exact);
                    if let Some(duplex) = &mut self.duplex {
                        duplex.cut(utterance, heard);
                    }
                    // Not `tell`: this happens within one.
                    self.call.handle(Event::SpeechCut { utterance, heard, exact }, self.clock.stamp());
                }
            }
            Effect::CallTool(request) => {
                let answer = self.setup.tools.call(&request, self.clock.stamp());
                self.tools.push((request.call, answer));
            }
            Effect::CancelTool { call } => self.tools.retain(|(id, _)| *id != call),
            Effect::Transfer { number, masked: _, warm, ring_ms, brief } => {
                if self.closed.is_some() {
                    let failure = Some(TransferFailureEvent::Failed);
                    self.call.handle(Event::TransferOutcome { failure }, self.clock.stamp());
                } else {
                    let transfer = Transfer { number, warm, ring_ms, brief };
                    self.line.send(LineCommand::Transfer(&transfer));
                    self.music = Some(Room::waiting(self.rate));
                }
            }
            Effect::PressKeys { keys } => self.line.send(LineCommand::Keys(&keys)),
            // Delivered by whoever keeps the log.
            Effect::Webhook { .. } => {}
            Effect::Emit(record) => self.record(&record),
            Effect::End => {
                self.ended = true;
                let by = self.clock.now() + LONGEST_END_MS;
                self.ending = Some(self.ending.map_or(by, |ending| ending.min(by)));
            }
        }
    }

    fn record(&mut self, record: &Record) {
        match record {
            Record::Route { .. } => self.stopwatch.route(self.clock.micros()),
            Record::Entered { .. } | Record::Value { .. } => self.refresh = true,
            _ => {}
        }
        if let Some(shown) = show::record(record) {
            self.show(&shown);
        }
    }

    /// Shows something to the person, where the line can.
    pub(super) fn show(&mut self, shown: &serde_json::Value) {
        if self.shows {
            self.line.send(LineCommand::Show(shown));
        }
    }

    fn speak(&mut self, voices: &[Model], words: &Words, exact: bool) {
        self.refresh = true;
        let now = self.clock.micros();
        self.stopwatch.words(words.utterance, now);
        if self.speak_by_session(words, exact) {
            return;
        }
        match self.mouth.speak(voices, words) {
            // It was asked when the words were prepared.
            Ok(true) => {}
            Ok(false) => self.stopwatch.voice_asked(words.utterance, now),
            Err(why) => {
                let event = self.unspoken(why, words.utterance);
                // Not `tell`: this happens within one.
                self.call.handle(event, self.clock.stamp());
            }
        }
    }

    fn play(&mut self, utterance: UtteranceId, recording: &str, interruptible: bool) {
        let samples = (self.setup.recordings)(recording, self.rate).unwrap_or_else(|why| {
            self.trouble("recording", why);
            Arc::from([])
        });
        self.mouth.play(utterance, recording, interruptible, &samples);
    }

    /// Words that no voice can speak. Answers what the engine is to be told.
    fn unspoken(&mut self, why: String, utterance: UtteranceId) -> Event {
        self.trouble("tts", why);
        self.mute += 1;
        if self.mute < MUTE || self.ended {
            return Event::SpeechFailed { utterance };
        }
        // The caller hears why nobody answers, and nothing else is done any more: no tool is called, and
        // no words are waited for.
        self.mouth.stop(self.clock.now());
        let sound = last_words::sound(self.rate);
        self.mouth.play(last_words::UTTERANCE, "", false, &sound);
        Event::Stop { by: StoppedBy::Lost }
    }

    /// What a voice made, or that it did not.
    pub(super) fn made(&mut self, made: Made) {
        match made {
            Made::Sound(utterance) => {
                self.mute = 0;
                let now = self.clock.micros();
                self.stopwatch.sound(utterance, now);
                if let Some(ahead) = &mut self.ahead {
                    ahead.stopwatch.sound(utterance, now);
                }
            }
            Made::Complete => {}
            Made::Failed { error, silent, broken_off } => match silent.split_first() {
                None => {
                    self.mute += u32::from(broken_off);
                    self.trouble("tts", error);
                }
                Some((first, others)) => {
                    let event = self.unspoken(error, *first);
                    self.tell(event);
                    for utterance in others {
                        self.tell(Event::SpeechFailed { utterance: *utterance });
                    }
                }
            },
            Made::Note(note) => self.notes.extend(show::spoken(&note)),
        }
    }

    /// The voices here and now.
    pub(super) fn voices(&self) -> Vec<Model> {
        self.voices_of(self.call.call())
    }

    fn voices_of(&self, call: &Call) -> Vec<Model> {
        let own = call.voices();
        if own.is_empty() { self.setup.tts.clone() } else { own }
    }

    /// Reads what the node says about turns. Answers whether it changed.
    pub(super) fn read_policies(&mut self) -> bool {
        let call = self.call.call();
        if self.ear.understands() {
            self.ear.expect(expected::of(call));
        }
        let listening = call.listening();
        if self.listening == Some(listening) {
            return false;
        }
        self.listening = Some(listening);
        let policy = Policy { min_words: listening.min_words, end_after: listening.end_after_ms };
        self.turns.handle(Heard::Policy(policy), self.clock.now());
        if let Some(duplex) = &mut self.duplex {
            duplex.speaker.end_after(listening.end_after_ms);
        }
        true
    }

    /// The turn is over.
    pub(super) fn turn(&mut self, turn: Turn) {
        let now = self.clock.micros();
        match self.ahead.take() {
            Some(mut ahead) if ahead.turn.text == turn.text => {
                ahead.stopwatch.turn_over(now);
                self.call = ahead.call;
                self.stopwatch = ahead.stopwatch;
                self.replies.extend(ahead.replies);
                for (effect, voices) in ahead.effects {
                    self.perform(effect, voices);
                }
                self.act();
                self.wonder(Fact::TurnOver);
            }
            other => {
                if let Some(ahead) = other {
                    self.forget(&ahead);
                }
                self.wonder(Fact::TurnOver);
                self.stopwatch = self.time(&turn);
                self.stopwatch.turn_over(now);
                let Turn { text, confidence, language, .. } = turn;
                self.tell(Event::CallerTurn { text, confidence, language });
            }
        }
    }

    /// Prepares the answer to a turn that may be over.
    pub(super) fn prepare(&mut self, turn: Turn) {
        if let Some(ahead) = self.ahead.take() {
            self.forget(&ahead);
        }
        if self.ended || turn.text.is_empty() || !may_prepare(self.call.call()) {
            return;
        }
        // The copy starts with an empty log: what it adds is the call's when it is the call.
        self.keep_log();
        let mut call = self.call.clone();
        let Turn { text, confidence, language, .. } = turn.clone();
        call.handle(Event::CallerTurn { text, confidence, language }, self.clock.stamp());
        let stopwatch = self.time(&turn);
        self.ahead = Some(Ahead {
            call,
            turn,
            effects: std::collections::VecDeque::new(),
            replies: Replies::default(),
            stopwatch,
            blocked: false,
            speaking: false,
        });
        self.look_ahead();
    }

    /// Tells the copy what came of its reply.
    pub(super) fn tell_ahead(&mut self, event: Event) {
        if let Some(ahead) = &mut self.ahead {
            ahead.call.handle(event, self.clock.stamp());
            self.look_ahead();
        }
    }

    /// Does what costs nobody anything, and keeps the rest.
    fn look_ahead(&mut self) {
        let Some(mut ahead) = self.ahead.take() else { return };
        let now = self.clock.micros();
        while let Poll::Effect(effect) = ahead.call.poll() {
            match effect {
                Effect::StartReply(request) if !ahead.blocked => {
                    let first = FirstPiece::default();
                    ahead.stopwatch.asked(now, Some(first.clone()));
                    ask(&mut ahead.replies, &self.setup.models, *request, first);
                }
                Effect::Speak { utterance, ref text, interruptible, ref muted, ref language, .. } => {
                    ahead.stopwatch.words(utterance, now);
                    // A route may have led to where another voice speaks.
                    let voices = self.voices_of(ahead.call.call());
                    if self.setup.prepare_sound && !ahead.speaking {
                        ahead.speaking = true;
                        let (text, muted, language) = (text.clone(), muted.clone(), language.clone());
                        let words = Words { utterance, text, interruptible, muted, language };
                        if self.mouth.prepare(&voices, &words).is_ok() {
                            ahead.stopwatch.voice_asked(utterance, now);
                        }
                    }
                    ahead.effects.push_back((effect, Some(voices)));
                }
                Effect::Emit(record) => {
                    if matches!(record, Record::Route { .. }) {
                        ahead.stopwatch.route(now);
                    }
                    ahead.effects.push_back((Effect::Emit(record), None));
                }
                other => {
                    ahead.blocked = true;
                    ahead.effects.push_back((other, None));
                }
            }
        }
        self.ahead = Some(ahead);
    }

    /// The caller goes on.
    pub(super) fn discard(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            self.forget(&ahead);
            self.notes.push(Voice::Discarded);
        }
    }

    fn forget(&mut self, ahead: &Ahead) {
        if ahead.speaking {
            self.mouth.forget_prepared();
        }
    }

    fn time(&self, turn: &Turn) -> Stopwatch {
        // Turn taking counts in milliseconds; what was measured is finer, where it is the same
        // moment. Typed words were never heard.
        let finer = |measured: u64, told: u64| {
            let told = told * 1_000;
            if measured.abs_diff(told) < SAME_MOMENT_US { measured } else { told }
        };
        let spoken = finer(self.ear.voice_until, turn.spoke_until);
        let transcript = finer(self.final_at, turn.final_at);
        Stopwatch::start(self.call.call().turns() + 1, Some(spoken), Some(transcript))
    }
}

/// Whether an answer can be prepared: the caller's words would be answered now.
fn may_prepare(call: &Call) -> bool {
    !call.is_over()
}

fn ask(
    replies: &mut Replies,
    models: &Arc<dyn dgh_providers::Models>,
    request: ReplyRequest,
    first: FirstPiece,
) {
    let id = request.id;
    replies.push(id, reply::run_timed(request, Arc::clone(models), first));
}
