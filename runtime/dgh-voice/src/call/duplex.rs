//! The part of the driver for agents with a speech-to-speech model: one session is the ear, the
//! model and, but for exact words, the voice.

use std::collections::VecDeque;

use dgh_engine::event::{Event, UNWRITTEN, UtteranceId};
use dgh_providers::realtime::RealtimeStart;

use super::mouth::Words;
use super::realtime::{Speaker, Told};
use super::{Driver, Setup};
use crate::answer::Fact;
use crate::line::Line;
use crate::turn::{Heard, Turn, clean};

/// A speech-to-speech session, and what others said beside it.
pub(super) struct Duplex {
    pub(super) speaker: Speaker,
    /// Words that a voice speaks: the session is told when they were heard.
    others: VecDeque<(UtteranceId, String)>,
}

impl Duplex {
    /// A session, for agents that name one.
    pub(super) fn open(setup: &Setup, rate: u32) -> Option<Self> {
        let call = setup.call.call();
        let models = call.realtime();
        if models.is_empty() {
            return None;
        }
        let (languages, words) = (call.languages().to_vec(), call.vocabulary().to_vec());
        let start = RealtimeStart { rate, languages, words, ..RealtimeStart::default() };
        let speaker = Speaker::new(std::sync::Arc::clone(&setup.voices), models, start);
        Some(Self { speaker, others: VecDeque::new() })
    }

    /// An utterance was played to its end.
    pub(super) fn finished(&mut self, utterance: UtteranceId) {
        self.speaker.finished(utterance);
        while let Some((_, text)) = self.others.pop_front_if(|(id, _)| *id <= utterance) {
            self.speaker.said(&text);
        }
    }

    /// The caller spoke over an utterance.
    pub(super) fn cut(&mut self, utterance: UtteranceId, heard: u32) {
        self.speaker.cut(utterance, heard);
        for (id, text) in std::mem::take(&mut self.others) {
            let heard = if id < utterance { text.len() } else { heard as usize };
            if id <= utterance
                && let Some(text) = text.get(..heard)
            {
                self.speaker.said(text);
            }
        }
    }
}

impl<L: Line> Driver<L> {
    /// What comes of the session.
    pub(super) fn told(&mut self, told: Told) {
        match told {
            Told::Engine(event) => {
                if let Event::ReplySentence { .. } = &event {
                    self.stopwatch.piece(self.clock.micros());
                }
                self.tell(event);
            }
            Told::Caller(text) => {
                self.final_at = self.clock.micros();
                let now = self.clock.now();
                let text = if text == UNWRITTEN { text } else { clean(&text) };
                if text.is_empty() || text == UNWRITTEN {
                    let turn = Turn { text, spoke_until: now, final_at: now, ..Turn::default() };
                    return self.turn(turn);
                }
                // Whether they interrupt, or are a nod, is decided there.
                self.wonder(Fact::Words(text.clone()));
                self.turns.handle(Heard::Final { text, confidence: None, language: None }, now);
                self.turns.handle(Heard::EndOfTurn, now);
            }
            Told::Late(text) => self.tell(Event::LateWords { text }),
            Told::Sound(utterance, samples) => {
                self.mouth.playout.sound(utterance, &samples);
                self.stopwatch.sound(utterance, self.clock.micros());
            }
            Told::Complete(utterance) => self.mouth.playout.complete(utterance),
            Told::Trouble(message) => self.trouble("realtime", message),
        }
    }

    /// Speaks words in a call with a session. Answers whether they are taken care of.
    pub(super) fn speak_by_session(&mut self, words: &Words, exact: bool) -> bool {
        let has_voice = !self.voices().is_empty();
        let now = self.clock.now();
        let Some(duplex) = &mut self.duplex else { return false };
        let own = duplex.speaker.speak(words.utterance, &words.text, exact);
        if own || (!has_voice && duplex.speaker.recite(words.utterance, &words.text, now)) {
            let Words { utterance, text, interruptible, muted, .. } = words;
            self.mouth.playout.queue(*utterance, text, *interruptible, muted);
            self.stopwatch.voice_asked(*utterance, self.clock.micros());
            return true;
        }
        duplex.others.push_back((words.utterance, words.text.clone()));
        false
    }
}
