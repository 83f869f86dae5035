//! How long the answer to a turn took, and where the time went.

use dgh_engine::event::UtteranceId;
use dgh_engine::log::Timing;
use dgh_providers::reply::FirstPiece;

use super::clock::Clock;

/// Measures one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch {
    timing: Timing,
    piece: Option<FirstPiece>,
    /// The utterance that answers.
    answer: Option<UtteranceId>,
    running: bool,
}

impl Stopwatch {
    /// A turn that looks whole, or is over.
    pub(super) fn start(turn: u32, speech_ended: Option<u64>, transcript: Option<u64>) -> Self {
        let timing = Timing { turn, speech_ended, transcript, ..Timing::default() };
        Self { timing, piece: None, answer: None, running: true }
    }

    /// The turn is over.
    pub(super) fn turn_over(&mut self, at: u64) {
        self.timing.turn_over.get_or_insert(at);
    }

    /// A model is asked.
    pub(super) fn asked(&mut self, at: u64, piece: Option<FirstPiece>) {
        if self.running && self.timing.asked.is_none() {
            self.timing.asked = Some(at);
            self.piece = piece;
        }
    }

    /// A model's first piece came; for models that are not asked over a stream of pieces.
    pub(super) fn piece(&mut self, at: u64) {
        if self.running {
            self.timing.first_token.get_or_insert(at);
        }
    }

    /// A route is taken.
    pub(super) fn route(&mut self, at: u64) {
        if self.running {
            self.timing.route.get_or_insert(at);
        }
    }

    /// There are words to speak.
    pub(super) fn words(&mut self, utterance: UtteranceId, at: u64) {
        if self.running && self.answer.is_none() {
            self.answer = Some(utterance);
            self.timing.first_sentence = Some(at);
        }
    }

    /// A voice is asked for an utterance. What one was asked for before came to nothing.
    pub(super) fn voice_asked(&mut self, utterance: UtteranceId, at: u64) {
        if self.answer == Some(utterance) {
            self.timing.voice_asked = Some(at);
            self.timing.first_sound = None;
        }
    }

    /// Sound of an utterance came.
    pub(super) fn sound(&mut self, utterance: UtteranceId, at: u64) {
        if self.answer == Some(utterance) {
            self.timing.first_sound.get_or_insert(at);
        }
    }

    /// Its first frame goes out: the answer is timed.
    pub(super) fn frame(&mut self, utterance: UtteranceId, at: u64, clock: &Clock) -> Option<Timing> {
        if !self.running || self.answer != Some(utterance) {
            return None;
        }
        self.running = false;
        self.timing.first_frame = Some(at);
        let piece = self.piece.as_ref().and_then(FirstPiece::at);
        self.timing.first_token = piece.map(|piece| clock.micros_at(piece)).or(self.timing.first_token);
        Some(self.timing)
    }
}
