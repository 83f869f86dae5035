//! Which release answers a caller: the shares of a profile, and the same one for the same caller.

use dgh_store::agents::traffic::{self, Share};
use dgh_store::agents::{self, Agent, releases};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, ReleaseId};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::error::BundleError;
use super::profiles;

/// Releases by number with their shares of a hundred.
pub type Shares = Vec<(i64, i64)>;

/// Releases that may answer side by side.
const MAX_SHARES: usize = 10;

/// Sets who answers in a profile; nobody when there are no shares.
pub async fn set_shares(
    conn: &mut Conn,
    org: &OrgId,
    slug: &str,
    profile: &str,
    shares: &[(i64, i64)],
    by: &Actor,
    now: i64,
) -> Result<Vec<Share>, BundleError> {
    let agent = agents::find(conn, org, slug).await?;
    agents::lock(conn, org, &agent.id, now).await?;
    profiles::find_or_make(conn, org, profile, now).await?;
    set(conn, org, &agent, profile, shares, by, now).await
}

/// Lets a release answer `percent` of a hundred callers in a profile. The others share the rest as
/// they did before. With 100 it is also the way back to an earlier release.
pub async fn serve(
    conn: &mut Conn,
    org: &OrgId,
    slug: &str,
    number: i64,
    (profile, percent): (&str, i64),
    by: &Actor,
    now: i64,
) -> Result<Vec<Share>, BundleError> {
    let agent = agents::find(conn, org, slug).await?;
    agents::lock(conn, org, &agent.id, now).await?;
    profiles::find_or_make(conn, org, profile, now).await?;
    let before = traffic::of(conn, org, &agent.id, profile).await?;
    let shares = with(&before, number, percent)?;
    set(conn, org, &agent, profile, &shares, by, now).await
}

pub(super) async fn set(
    conn: &mut Conn,
    org: &OrgId,
    agent: &Agent,
    profile: &str,
    shares: &[(i64, i64)],
    by: &Actor,
    now: i64,
) -> Result<Vec<Share>, BundleError> {
    check(shares)?;
    let mut rows: Vec<(ReleaseId, i64)> = Vec::new();
    for (number, percent) in shares {
        let release = releases::find(conn, org, &agent.id, *number).await?;
        rows.push((release.id, *percent));
    }
    let before = traffic::of(conn, org, &agent.id, profile).await?;
    traffic::set(conn, org, &agent.id, profile, &rows).await?;
    let after = traffic::of(conn, org, &agent.id, profile).await?;
    let shown = |all: &[Share]| -> Vec<_> {
        all.iter().map(|share| json!({ "release": share.number, "percent": share.percent })).collect()
    };
    let detail = json!({
        "slug": agent.slug, "profile": profile, "was": shown(&before), "is": shown(&after),
    });
    audit::write(conn, org, by, "agent.traffic", agent.id.as_str(), &detail, now).await?;
    Ok(after)
}

fn check(shares: &[(i64, i64)]) -> Result<(), BundleError> {
    if shares.len() > MAX_SHARES {
        return Err(BundleError::invalid(
            "shares",
            format!("at most {MAX_SHARES} releases answer side by side"),
        ));
    }
    let twice = shares
        .iter()
        .enumerate()
        .any(|(at, (number, _))| shares.iter().take(at).any(|(other, _)| other == number));
    if twice {
        return Err(BundleError::invalid("shares", "each release is named once"));
    }
    if shares.iter().any(|(_, percent)| !(1..=100).contains(percent)) {
        return Err(BundleError::invalid("shares", "a share is 1 to 100"));
    }
    let sum: i64 = shares.iter().map(|(_, percent)| percent).sum();
    if !shares.is_empty() && sum != 100 {
        return Err(BundleError::invalid("shares", format!("the shares make 100, and these make {sum}")));
    }
    Ok(())
}

/// The shares when one release gets so many, and the others what is left in their old proportion.
pub(super) fn with(before: &[Share], number: i64, percent: i64) -> Result<Shares, BundleError> {
    if !(1..=100).contains(&percent) {
        return Err(BundleError::invalid("percent", "a share is 1 to 100"));
    }
    let others: Vec<&Share> = before.iter().filter(|share| share.number != number).collect();
    let whole: i64 = others.iter().map(|share| share.percent).sum();
    if percent == 100 {
        return Ok(vec![(number, 100)]);
    }
    if whole == 0 {
        let why = "nothing else answers in this profile, so it gets 100";
        return Err(BundleError::invalid("percent", why));
    }
    let rest = 100 - percent;
    let mut shares: Shares = others.iter().map(|s| (s.number, s.percent * rest / whole)).collect();
    // What rounding left goes to the largest, which notices it least.
    let lost = rest - shares.iter().map(|(_, percent)| percent).sum::<i64>();
    if let Some(largest) = shares.iter_mut().max_by_key(|(_, percent)| *percent) {
        largest.1 += lost;
    }
    shares.retain(|(_, percent)| *percent > 0);
    shares.push((number, percent));
    Ok(shares)
}

/// The release that answers: by chance, or always the same one for the same key. Who has the newest
/// keeps it when its share grows.
pub(super) fn pick<'a>(shares: &'a [Share], agent: &str, key: Option<&str>) -> Option<&'a Share> {
    let point = i64::from(match key {
        Some(key) => point(agent, key),
        None => chance(),
    });
    let mut sorted: Vec<&Share> = shares.iter().collect();
    sorted.sort_by_key(|share| std::cmp::Reverse(share.number));
    let mut upto = 0;
    let found = sorted.iter().find(|share| {
        upto += share.percent;
        point < upto
    });
    found.or(sorted.last()).copied()
}

/// 0 to 99. The agent is part of it, so that nobody is the first to try everything.
fn point(agent: &str, key: &str) -> u8 {
    let digest = Sha256::new().chain_update(agent).chain_update([0]).chain_update(key).finalize();
    let mut first = [0; 8];
    first.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    (u64::from_be_bytes(first) % 100) as u8
}

fn chance() -> u8 {
    let mut bytes = [0; 8];
    // Without random numbers the newest answers all.
    let _ = getrandom::fill(&mut bytes);
    (u64::from_be_bytes(bytes) % 100) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shares(all: &[(i64, i64)]) -> Vec<Share> {
        let share = |(number, percent): &(i64, i64)| Share {
            profile: "production".to_owned(),
            release: ReleaseId::fresh(),
            number: *number,
            percent: *percent,
        };
        all.iter().map(share).collect()
    }

    fn answered(shares: &[Share], number: i64) -> Vec<u32> {
        let is = |caller: &u32| {
            pick(shares, "desk", Some(&format!("+1415555{caller:04}"))).unwrap().number == number
        };
        (0..10_000).filter(is).collect()
    }

    #[test]
    fn the_same_caller_gets_the_same_release_and_each_release_its_share() {
        let split = shares(&[(3, 10), (2, 90)]);
        let first = answered(&split, 3);
        assert!((800..1_200).contains(&first.len()), "{}", first.len());
        assert_eq!(answered(&split, 3), first);
        // Who was answered by the newest stays there when its share grows.
        let more = answered(&shares(&[(2, 70), (3, 30)]), 3);
        assert!(first.iter().all(|caller| more.contains(caller)));
        assert!(pick(&[], "desk", None).is_none());
        let by_chance = (0..1_000).filter(|_| pick(&split, "desk", None).unwrap().number == 3).count();
        assert!((30..250).contains(&by_chance), "{by_chance}");
    }

    #[test]
    fn the_others_keep_their_proportion_and_all_make_a_hundred() {
        let before = shares(&[(3, 20), (2, 80)]);
        assert_eq!(with(&before, 4, 100).unwrap(), [(4, 100)]);
        assert_eq!(with(&before, 4, 10).unwrap(), [(3, 18), (2, 72), (4, 10)]);
        assert_eq!(with(&before, 3, 50).unwrap(), [(2, 50), (3, 50)]);
        assert_eq!(
            with(&shares(&[(1, 33), (2, 33), (3, 34)]), 4, 1).unwrap().iter().map(|s| s.1).sum::<i64>(),
            100
        );
        assert!(with(&[], 1, 10).is_err() && with(&before, 4, 0).is_err());
        for wrong in [vec![(1, 50)], vec![(1, 50), (1, 50)], vec![(1, 0), (2, 100)]] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
        assert!(check(&[]).is_ok());
    }
}
