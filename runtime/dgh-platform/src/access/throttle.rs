//! How often somebody may try. Counted in rows, for the account and for the address it is tried from,
//! so that neither many nodes nor many accounts are a way around. An attempt counts as failed before
//! the password is looked at: a thousand at the same moment are a thousand failures.

use dgh_store::accounts::throttles::{self, Throttle};
use dgh_store::{Conn, Db};
use sha2::{Digest as _, Sha256};

use super::{AccessError, commit};

/// What may go wrong before anything is slowed down: of one account, and of all from one address.
const FREE: (i64, i64) = (5, 30);
/// The first pause; each failure doubles it.
const PAUSE: i64 = 1_000;
/// The longest: an attacker gets some hundred guesses a day, an owner waits a quarter of an hour.
const LONGEST: i64 = 15 * 60 * 1_000;
/// Failures are forgotten when nothing was tried for so long.
const FORGOTTEN: i64 = 24 * 60 * 60 * 1_000;

/// An attempt that counts as failed until it says otherwise.
pub(super) struct Attempt {
    account: String,
    address: Option<String>,
}

/// Begins an attempt, or says how long to wait.
pub(super) async fn begin(
    db: &Db,
    email: &str,
    address: Option<&str>,
    now: i64,
) -> Result<Attempt, AccessError> {
    let attempt = Attempt { account: account(email), address: address.map(network) };
    let mut tx = db.begin().await?;
    let mut wait = 0;
    let subjects = [(Some(&attempt.account), FREE.0), (attempt.address.as_ref(), FREE.1)];
    for (subject, free) in subjects.into_iter().filter_map(|(subject, free)| Some((subject?, free))) {
        let known = throttles::lock_unscoped(&mut tx, subject, now).await?;
        if known.blocked_until > now {
            wait = wait.max(known.blocked_until - now);
        } else {
            throttles::set_unscoped(&mut tx, subject, failed(known, free, now)).await?;
        }
    }
    if wait > 0 {
        // Rolled back: who is told to wait has not tried.
        return Err(AccessError::Throttled(u64::try_from(wait).unwrap_or_default().div_ceil(1_000)));
    }
    commit(tx).await?;
    Ok(attempt)
}

/// Forgets the failures of an account.
pub(super) async fn forget(conn: &mut Conn, email: &str) -> Result<(), AccessError> {
    Ok(throttles::clear_unscoped(conn, &account(email)).await?)
}

impl Attempt {
    /// It was the right password: the account starts anew. The address has only not failed this once;
    /// who knows one password must not get free guesses at those of others.
    pub(super) async fn succeeded(self, db: &Db) -> Result<(), AccessError> {
        let mut tx = db.begin().await?;
        throttles::clear_unscoped(&mut tx, &self.account).await?;
        if let Some(address) = &self.address {
            throttles::forgive_unscoped(&mut tx, address).await?;
        }
        Ok(commit(tx).await?)
    }
}

fn failed(known: Throttle, free: i64, now: i64) -> Throttle {
    let before = if now - known.updated_at > FORGOTTEN { 0 } else { known.failures };
    let failures = before + 1;
    let over = failures - free;
    let pause = match over {
        i64::MIN..=-1 => 0,
        0..=20 => (PAUSE << over).min(LONGEST),
        _ => LONGEST,
    };
    Throttle { failures, blocked_until: now + pause, updated_at: now }
}

/// The subject of an account. Hashed: whoever types a password into the wrong field leaves none here.
fn account(email: &str) -> String {
    let hash = Sha256::digest(email.as_bytes());
    hash.iter().take(16).fold("account:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The subject of an address: of IPv6 the network, as one customer has 2^64 of them.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => format!("address:{v4}"),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        _ => format!("address:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_the_longest() {
        let mut known = Throttle::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            known = failed(known, 5, 1_000);
            pauses.push(known.blocked_until - 1_000);
        }
        assert_eq!(pauses.get(..7), Some([0, 0, 0, 0, 1_000, 2_000, 4_000].as_slice()));
        assert_eq!(pauses.last(), Some(&LONGEST));
        let later = failed(known, 5, 2_000 + FORGOTTEN);
        assert_eq!(later.failures, 1, "a day later it is forgotten");
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
