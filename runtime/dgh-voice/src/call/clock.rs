//! The time of a call. The one place where it is read.

use dgh_engine::event::Timestamp;
use tokio::time::Instant;

use crate::Millis;

/// A clock that runs since the start of the call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    stamp: Timestamp,
}

impl Clock {
    /// It is this time now.
    pub(super) fn new(stamp: Timestamp) -> Self {
        Self { began: Instant::now(), stamp }
    }

    /// Milliseconds since the start.
    pub(super) fn now(&self) -> Millis {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Microseconds since the start.
    pub(super) fn micros(&self) -> u64 {
        self.micros_at(Instant::now())
    }

    /// Microseconds from the start to a moment.
    pub(super) fn micros_at(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// The time on the wall.
    pub(super) fn stamp(&self) -> Timestamp {
        Timestamp(self.stamp.0.saturating_add(i64::try_from(self.now()).unwrap_or(i64::MAX)))
    }

    /// When this time on the wall is.
    pub(super) fn instant(&self, stamp: Timestamp) -> Instant {
        let ms = u64::try_from(stamp.0.saturating_sub(self.stamp.0)).unwrap_or(0);
        self.at(ms)
    }

    /// When so many milliseconds will have passed. A year is far enough for anybody.
    pub(super) fn at(&self, ms: Millis) -> Instant {
        self.began + std::time::Duration::from_millis(ms.min(YEAR_MS))
    }
}

const YEAR_MS: u64 = 366 * 24 * 3_600 * 1_000;
