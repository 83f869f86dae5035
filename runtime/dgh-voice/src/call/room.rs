//! The sound that goes on while nobody speaks: the room behind the agent, the music while a transfer
//! rings.

use dgh_engine::Ambience;

use crate::audio::Frame;
use crate::audio::mix::Loop;
use crate::{FRAME_MS, Millis};

/// Sound of a room that is sent ahead: what waits there is heard before the agent's first word.
const LEAD_MS: u64 = 20;
/// How loud music is.
const MUSIC: f32 = 0.5;
/// How late frames may be made up for; after a longer stop it just goes on.
const CATCH_UP_MS: u64 = 100;

/// A room, and what of it was sent.
pub(super) struct Room {
    sound: Loop,
    rate: u32,
    /// When the next frame without words is to be heard.
    next: Millis,
}

impl Room {
    /// The room of this agent; none: it has none, or one that does not exist.
    pub(super) fn of(ambience: &Ambience, rate: u32, seed: u64) -> Option<Self> {
        let room = ambience.room.parse().ok()?;
        let volume = f32::from(ambience.percent) / 100.0;
        // Calls that begin at once are not in the same second of the room.
        let start = u32::try_from(seed % 10_000).unwrap_or(0);
        Some(Self { sound: Loop::room(room, rate, volume, start), rate, next: 0 })
    }

    /// Music to wait with.
    pub(super) fn waiting(rate: u32) -> Self {
        Self { sound: Loop::hold_music(rate, MUSIC), rate, next: 0 }
    }

    /// Adds the room to a frame of words that is heard at this time.
    pub(super) fn behind(&mut self, frame: &mut Frame, plays_at: Millis) {
        self.sound.mix_into(frame.samples_mut());
        self.next = plays_at + FRAME_MS;
    }

    /// Fills a frame without words, if one is due.
    pub(super) fn alone(&mut self, now: Millis, frame: &mut Frame) -> bool {
        if now + LEAD_MS < self.next {
            return false;
        }
        if self.next + CATCH_UP_MS < now {
            self.next = now;
        }
        frame.silence(self.rate);
        self.sound.mix_into(frame.samples_mut());
        self.next += FRAME_MS;
        true
    }

    /// When the next frame without words is due.
    pub(super) fn due(&self) -> Millis {
        self.next.saturating_sub(LEAD_MS)
    }
}
