//! How much one may ask: a bucket for each key and each user, and for each address one that everybody
//! without either draws from. The buckets are in memory, of this node: they keep one program from
//! taking the server away from the others. What must hold on all nodes together, such as guesses at
//! passwords, is counted in rows (`dgh_platform::access`).

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use super::problem::Problem;
use super::who::Who;

/// Requests a second of one key or one user, when nobody says how many.
pub(crate) const KNOWN: u32 = 100;
/// Requests a second of one address that shows nothing, or nothing good.
const STRANGERS: u32 = 5;
/// How many seconds' worth may come at once.
const BURST: u32 = 2;
/// And of strangers, who load a page with all its parts.
const STRANGERS_BURST: u32 = 60;
/// Buckets after which those that are full again are thrown away.
const MANY: usize = 10_000;

/// The buckets.
pub(crate) struct Limits {
    known: Option<DefaultKeyedRateLimiter<String>>,
    strangers: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
}

impl Limits {
    /// With so many requests a second for each key and user; 0: as many as anybody likes.
    pub(crate) fn new(known: u32) -> Self {
        let of_strangers = NonZeroU32::new(if known == 0 { 0 } else { STRANGERS });
        Self {
            known: NonZeroU32::new(known)
                .map(|rate| RateLimiter::keyed(quota(rate, known.saturating_mul(BURST)))),
            strangers: of_strangers.map(|rate| RateLimiter::keyed(quota(rate, STRANGERS_BURST))),
            clock: DefaultClock::default(),
        }
    }

    /// One request of somebody.
    pub(crate) fn known(&self, who: &Who) -> Result<(), Problem> {
        let Some(known) = &self.known else { return Ok(()) };
        let key = who.key.as_ref().map(AsRef::as_ref).or(who.user.as_ref().map(AsRef::as_ref));
        let Some(key) = key else { return Ok(()) };
        if known.len() > MANY {
            known.retain_recent();
        }
        known.check_key(&str::to_owned(key)).map_err(|over| {
            self.refuse(over, "this key has asked too often").hint(
                "The limit is for each key and user; \
                `--api-rate` says how many requests a second.",
            )
        })
    }

    /// One request of a stranger.
    pub(crate) fn stranger(&self, caller: &Caller) -> Result<(), Problem> {
        let (Some(strangers), Some(address)) = (&self.strangers, caller.address) else { return Ok(()) };
        if strangers.len() > MANY {
            strangers.retain_recent();
        }
        strangers
            .check_key(&network(address))
            .map_err(|over| self.refuse(over, "too many requests without a key from this address"))
    }

    fn refuse(&self, over: governor::NotUntil<governor::clock::QuantaInstant>, detail: &str) -> Problem {
        let wait = over.wait_time_from(self.clock.now());
        Problem::too_many("too_many_requests", detail, wait.as_secs() + 1)
    }
}

fn quota(rate: NonZeroU32, burst: u32) -> Quota {
    Quota::per_second(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate))
}

/// Of IPv6 the network: one customer has 2^64 addresses of it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::header;
    use axum::response::IntoResponse as _;
    use dgh_platform::access::{Role, Scopes};
    use dgh_store::{ApiKeyId, OrgId};

    use super::*;

    fn who() -> Who {
        Who {
            org: OrgId::fresh(),
            user: None,
            key: Some(ApiKeyId::fresh()),
            session: None,
            role: Role::Viewer,
            scopes: Scopes::ALL,
            address: None,
        }
    }

    #[test]
    fn a_key_that_asks_too_often_waits_and_others_do_not() {
        let limits = Limits::new(3);
        let (greedy, other) = (who(), who());
        let refused = (0..20).find_map(|_| limits.known(&greedy).err()).unwrap();
        let answer = refused.into_response();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[header::RETRY_AFTER]),
            (429, &"1".parse().unwrap())
        );
        assert!(limits.known(&other).is_ok());
        let free = Limits::new(0);
        assert!((0..10_000).all(|_| free.known(&greedy).is_ok()));
    }

    #[test]
    fn strangers_share_the_bucket_of_their_network() {
        let limits = Limits::new(3);
        let from = |text: &str| Caller { address: Some(text.parse().unwrap()), browser: None };
        let refused = (0..200).any(|_| limits.stranger(&from("2001:db8::1")).is_err());
        assert!(refused);
        assert!(limits.stranger(&from("2001:db8::2")).is_err());
        assert!(limits.stranger(&from("2001:db8:1::2")).is_ok());
    }
}
