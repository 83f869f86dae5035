//! An utterance on its way out.

use dgh_engine::event::UtteranceId;

use super::heard::{Length, Words};
use super::sound::Sound;
use crate::Millis;

pub(super) struct Utterance {
    pub(super) id: UtteranceId,
    pub(super) interruptible: bool,
    pub(super) words: Words,
    /// Bytes of its text that no recording may hold.
    muted: Vec<(u32, u32)>,
    pub(super) sound: Sound,
    /// All its sound is there.
    pub(super) complete: bool,
    /// That it started was told.
    pub(super) started: bool,
    /// Samples sent, and of them played.
    pub(super) sent: u64,
    pub(super) played: u64,
    /// When what was sent will have been played.
    pub(super) sent_until: Millis,
    /// Samples before its last mark.
    pub(super) marked: u64,
    /// It was sent to its end.
    pub(super) ends: Option<End>,
}

/// The end of an utterance.
pub(super) struct End {
    /// When it is played.
    pub(super) at: Millis,
    /// The mark behind it.
    pub(super) mark: Option<u32>,
    /// The mark came back.
    pub(super) played: bool,
}

impl Utterance {
    pub(super) fn new(id: UtteranceId, text: &str, interruptible: bool, muted: &[(u32, u32)]) -> Self {
        Self {
            id,
            interruptible,
            words: Words::new(text),
            muted: muted.to_vec(),
            sound: Sound::default(),
            complete: false,
            started: false,
            sent: 0,
            played: 0,
            sent_until: 0,
            marked: 0,
            ends: None,
        }
    }

    /// Samples that are there and were not sent.
    pub(super) fn unsent(&self) -> u64 {
        self.sound.end().saturating_sub(self.sent)
    }

    /// Whether it has so many samples, or all it will ever have.
    pub(super) fn fills(&self, samples: u64) -> bool {
        self.complete || self.unsent() >= samples
    }

    pub(super) fn length(&self, per_ms: u64) -> Length {
        Length { ms: self.sound.end() / per_ms, complete: self.complete }
    }

    /// Whether the next samples hold sound that no recording may hold.
    pub(super) fn is_muted(&self, samples: u64, per_ms: u64) -> bool {
        let (from, to) = (self.sent / per_ms, (self.sent + samples).div_ceil(per_ms));
        self.muted.iter().any(|range| {
            let (start, end) = self.words.time_of(*range, self.length(per_ms));
            start < to && from < end
        })
    }
}
