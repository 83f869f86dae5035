//! When a delivery is tried again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest that a delivery may be tried for.
pub const LONGEST: Duration = Duration::from_hours(72);
/// The longest that a receiver may ask to be left alone.
pub const LONGEST_WISH: Duration = Duration::from_hours(6);
/// The shortest pause, whatever a receiver asks for.
const SHORTEST: Duration = Duration::from_secs(1);

/// A number from 0 to 1, so that those that failed together do not come back together.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// How a delivery is tried: after the first pause, then after one twice as long each time, up to the
/// longest, until it was tried for as long as `give_up_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// From when it was queued to when it is given up.
    pub give_up_after: Duration,
}

impl Default for Schedule {
    /// 5 s, 10 s, 20 s, … up to 4 h, for a day.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_hours(4),
            give_up_after: Duration::from_hours(24),
        }
    }
}

impl Schedule {
    /// The schedule within its limits: what is wrong with it, in words.
    pub fn checked(self) -> Result<Self, String> {
        if self.first < SHORTEST {
            return Err("the first pause between two attempts is at least a second".to_owned());
        }
        if self.longest < self.first {
            return Err("the longest pause between two attempts is shorter than the first".to_owned());
        }
        if self.give_up_after > LONGEST {
            return Err("a webhook is tried for 72 hours at most".to_owned());
        }
        Ok(self)
    }

    /// The pause after so many attempts that failed (from 1), between a half and the whole of it;
    /// a receiver's own wish is granted within bounds. None: it is given up.
    ///
    /// `waited` is how long it has been tried for.
    pub fn pause(
        &self,
        failed: u32,
        wish: Option<Duration>,
        waited: Duration,
        jitter: &Jitter,
    ) -> Option<Duration> {
        let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(doubled).min(self.longest);
        let own = full.mul_f64(0.5 + jitter().clamp(0.0, 1.0) / 2.0);
        // A receiver that asks for less than our own pause gets that much: it knows best.
        let pause = wish.map_or(own, |wish| wish.clamp(SHORTEST, LONGEST_WISH));
        (waited + pause <= self.give_up_after).then_some(pause)
    }
}

/// Jitter by the random numbers of the system.
pub fn jitter() -> Jitter {
    Arc::new(|| {
        let mut bytes = [0; 4];
        // Without random numbers all come back in the middle, and no harm is done.
        getrandom::fill(&mut bytes)
            .map_or(0.5, |()| f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn fixed(at: f64) -> Jitter {
        Arc::new(move || at)
    }

    fn pauses(schedule: Schedule, jitter: &Jitter) -> Vec<u64> {
        let (mut waited, mut all) = (Duration::ZERO, Vec::new());
        for failed in 1.. {
            let Some(pause) = schedule.pause(failed, None, waited, jitter) else { break };
            waited += pause;
            all.push(pause.as_secs());
        }
        all
    }

    #[test]
    fn pauses_double_up_to_the_longest_until_it_is_given_up() {
        let schedule = Schedule {
            first: Duration::from_secs(30),
            longest: Duration::from_mins(10),
            give_up_after: Duration::from_mins(40),
        };
        assert_eq!(pauses(schedule, &fixed(1.0)), [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(pauses(schedule, &fixed(0.0))[..4], [15, 30, 60, 120]);
    }

    #[test]
    fn the_usual_schedule_lasts_a_day_and_none_more_than_three() {
        let all = pauses(Schedule::default(), &fixed(1.0));
        assert_eq!(all[..5], [5, 10, 20, 40, 80]);
        let total: u64 = all.iter().sum();
        assert!((20 * 3_600..=24 * 3_600).contains(&total), "{total} s in {} attempts", all.len());
        let three = Schedule { give_up_after: LONGEST, ..Schedule::default() };
        assert!(three.checked().is_ok());
        let more = Schedule { give_up_after: LONGEST + Duration::from_secs(1), ..three };
        assert!(more.checked().unwrap_err().contains("72 hours"));
        let crossed = Schedule { longest: Duration::from_secs(1), ..three };
        assert!(crossed.checked().unwrap_err().contains("shorter"));
        let none = Schedule { first: Duration::ZERO, ..three };
        assert!(none.checked().unwrap_err().contains("a second"));
    }

    #[test]
    fn a_receiver_may_ask_for_a_pause_within_bounds() {
        let schedule = Schedule::default();
        let asked = |seconds| {
            let wish = Some(Duration::from_secs(seconds));
            schedule.pause(1, wish, Duration::ZERO, &fixed(0.5)).map(|pause| pause.as_secs())
        };
        assert_eq!(asked(120), Some(120));
        assert_eq!(asked(0), Some(1));
        assert_eq!(asked(1_000_000), Some(LONGEST_WISH.as_secs()));
        let late = schedule.give_up_after.saturating_sub(Duration::from_mins(1));
        let wish = Some(Duration::from_mins(2));
        assert_eq!(schedule.pause(9, wish, late, &fixed(0.5)), None, "it would be too late then");
    }

    #[test]
    fn the_jitter_of_the_system_stays_in_its_bounds() {
        let jitter = jitter();
        let all: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(all.iter().all(|n| (0.0..=1.0).contains(n)));
        assert!(all.iter().any(|n| (n - all.first().unwrap()).abs() > 0.01), "it varies");
        assert_eq!(
            Schedule::default().pause(u32::MAX, None, Duration::ZERO, &fixed(9.0)).unwrap(),
            Schedule::default().longest
        );
    }
}
