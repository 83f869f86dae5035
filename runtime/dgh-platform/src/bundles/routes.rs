//! Numbers and triggers that lead to agents.

use dgh_store::agents::routes::{self, Route};
use dgh_store::agents::{self, releases};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, RouteId, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::BundleError;
use super::profiles;

/// What a route leads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// A telephone number, in E.164.
    Number,
    /// A name that others start calls by.
    Trigger,
}

/// A route that somebody wants.
#[derive(Debug, Clone)]
pub struct NewRoute {
    /// What it leads from.
    pub kind: RouteKind,
    /// The number, or the name.
    pub address: String,
    /// The agent's name in addresses.
    pub agent: String,
    /// The profile in which it is answered; none: where the agent's own name is.
    pub profile: Option<String>,
    /// The one release that answers; none: those that answer in the profile.
    pub release: Option<i64>,
}

impl RouteKind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Trigger => "trigger",
        }
    }
}

/// Adds a route.
pub async fn add_route(
    conn: &mut Conn,
    org: &OrgId,
    new: NewRoute,
    by: &Actor,
    now: i64,
) -> Result<Route, BundleError> {
    check_address(new.kind, &new.address)?;
    let agent = agents::find(conn, org, &new.agent).await?;
    let profile = new.profile.unwrap_or_else(|| agent.profile.clone());
    profiles::find_or_make(conn, org, &profile, now).await?;
    let release = match new.release {
        Some(number) => Some(releases::find(conn, org, &agent.id, number).await?),
        None => None,
    };
    let route = Route {
        id: RouteId::fresh(),
        kind: new.kind.word().to_owned(),
        address: new.address,
        agent: agent.id,
        slug: agent.slug,
        profile,
        number: release.as_ref().map(|release| release.number),
        release: release.map(|release| release.id),
        created_at: now,
    };
    match routes::insert(conn, org, &route).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(BundleError::Taken(format!(
                "the {} `{}` leads somewhere already",
                route.kind, route.address
            )));
        }
        done => done?,
    }
    let detail = json!({
        "kind": route.kind, "address": route.address, "agent": route.slug, "profile": route.profile,
        "release": route.number,
    });
    audit::write(conn, org, by, "route.create", route.id.as_str(), &detail, now).await?;
    Ok(route)
}

/// Removes a route.
pub async fn remove_route(
    conn: &mut Conn,
    org: &OrgId,
    id: &RouteId,
    by: &Actor,
    now: i64,
) -> Result<(), BundleError> {
    routes::remove(conn, org, id).await?;
    audit::write(conn, org, by, "route.remove", id.as_str(), &json!({}), now).await?;
    Ok(())
}

fn check_address(kind: RouteKind, address: &str) -> Result<(), BundleError> {
    let (fits, why) = match kind {
        // E.164: up to fifteen digits, of which the first is none of 0.
        RouteKind::Number => {
            let digits = address.strip_prefix('+').unwrap_or_default();
            let good = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            (good && !digits.starts_with('0'), "a number is written as +14155550100")
        }
        RouteKind::Trigger => {
            let good = address.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
            (good && (1..=64).contains(&address.len()), "a trigger has 1 to 64 letters, digits, `_` and `-`")
        }
    };
    if fits { Ok(()) } else { Err(BundleError::invalid("address", why)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_triggers_are_written_in_one_way() {
        for good in ["+14155550100", "+4930123456"] {
            assert!(check_address(RouteKind::Number, good).is_ok(), "{good}");
        }
        for bad in ["", "14155550100", "+0415555010", "+1 415 555 0100", "+1", "+12345678901234567"] {
            assert!(check_address(RouteKind::Number, bad).is_err(), "{bad}");
        }
        assert!(check_address(RouteKind::Trigger, "orders-2026").is_ok());
        for bad in ["", "a b", "a/b", &"x".repeat(65)] {
            assert!(check_address(RouteKind::Trigger, bad).is_err(), "{bad}");
        }
    }
}
