//! The time of a call in text: it runs while work is done, jumps over silence, moves on while words
//! are spoken, and stands still while a person types.

use std::time::{Duration, Instant};

use dgh_engine::event::Timestamp;

/// Characters that are spoken in a second: 150 words of six characters in a minute.
const CHARACTERS_A_SECOND: u64 = 15;

/// A clock that starts at a given time.
pub struct Clock {
    time: Timestamp,
    /// Since when real time was not added yet.
    since: Instant,
    /// What was handed to speech and is not played yet.
    speaking_ms: i64,
}

impl Clock {
    /// A clock that shows this time.
    pub fn new(start: Timestamp) -> Self {
        Self { time: start, since: Instant::now(), speaking_ms: 0 }
    }

    /// The time now.
    pub fn now(&mut self) -> Timestamp {
        let real = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0);
        self.since += Duration::from_millis(real);
        self.time.0 += i64::try_from(real).unwrap_or(0);
        self.time
    }

    /// The time at the last look.
    pub fn shown(&self) -> Timestamp {
        self.time
    }

    /// Back to an earlier time.
    pub fn set(&mut self, time: Timestamp) {
        self.time = time;
        self.speaking_ms = 0;
        self.resume();
    }

    /// Goes on after a pause that does not count.
    pub fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// Moves to a time, never back.
    pub fn jump_to(&mut self, time: Timestamp) {
        self.time = self.time.max(time);
    }

    /// So many characters are going to be spoken.
    pub fn speak(&mut self, characters: usize) {
        self.speaking_ms += i64::try_from(characters as u64 * 1000 / CHARACTERS_A_SECOND).unwrap_or(0);
    }

    /// What was going to be spoken, was.
    pub fn advance_spoken(&mut self) {
        self.time.0 += std::mem::take(&mut self.speaking_ms);
    }

    /// How long until a deadline; a day when there is none.
    pub fn until(&mut self, deadline: Option<Timestamp>) -> Duration {
        let now = self.now();
        let left = deadline.map_or(86_400_000, |due| due.0.saturating_sub(now.0));
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}
