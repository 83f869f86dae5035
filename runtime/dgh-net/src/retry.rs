//! When to ask again.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

/// The first pause; each further one is twice as long.
pub const FIRST_DELAY: Duration = Duration::from_millis(200);
/// The longest pause.
pub const MAX_DELAY: Duration = Duration::from_secs(2);
/// The longest pause that a server may ask for; one that asks for more is not asked again.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);

/// How a pause is made. A test's pause is over at once and writes down how long it was to be.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// Pauses by the clock.
pub fn sleep() -> Pause {
    Arc::new(|delay| tokio::time::sleep(delay).boxed())
}

/// The pause before attempt `attempt` (from 1), with jitter; what the server asks for wins. None:
/// it asks for more than [`MAX_RETRY_AFTER`].
pub fn delay(attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
    if let Some(asked) = retry_after {
        return (asked <= MAX_RETRY_AFTER).then_some(asked);
    }
    let full = FIRST_DELAY
        .saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(MAX_DELAY);
    // Between a half and the whole: clients that failed together do not come back together.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let share = u32::try_from(random % 512).unwrap_or(0);
    Some(full / 2 + full.saturating_mul(share) / 1024)
}

/// Reads a `Retry-After` header: seconds, or a date (RFC 9110, 10.2.3).
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some(date.signed_duration_since(DateTime::<Utc>::from(now)).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_stay_above_half() {
        for (attempt, full) in [(1, 200), (2, 400), (3, 800), (4, 1600), (5, 2000), (60, 2000)] {
            let delay = delay(attempt, None).unwrap().as_millis();
            assert!((full / 2..=full).contains(&delay), "attempt {attempt}: {delay} ms");
        }
    }

    #[test]
    fn the_server_may_ask_for_ten_seconds_at_most() {
        assert_eq!(delay(1, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(delay(1, Some(Duration::from_secs(11))), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::from(DateTime::parse_from_rfc3339("2015-10-21T07:28:00Z").unwrap());
        assert_eq!(parse_retry_after(" 3 ", now), Some(Duration::from_secs(3)));
        assert_eq!(parse_retry_after("Wed, 21 Oct 2015 07:28:05 GMT", now), Some(Duration::from_secs(5)));
        assert_eq!(parse_retry_after("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("soon", now), None);
        assert_eq!(parse_retry_after("-1", now), None);
    }
}
