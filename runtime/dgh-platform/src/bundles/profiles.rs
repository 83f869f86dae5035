//! Profiles of an organisation: values for `env.NAME`, default models. Each change is a revision.

use dgh_store::agents::profiles::{self, Profile};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, StoreError};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::drafts::author;
use super::error::BundleError;
use crate::models::{self, Server};

/// Those that are there without being made.
pub const DEFAULTS: [&str; 3] = ["dev", "staging", "production"];
/// The one that drafts are tried in.
pub const DEV: &str = "dev";
/// The one that callers meet.
pub const PRODUCTION: &str = "production";

/// Values of a profile.
pub const MAX_VALUES: usize = 200;
/// Bytes of a value.
pub const MAX_VALUE_BYTES: usize = 8 << 10;
/// Letters of a name of a value or a secret.
pub const MAX_KEY: usize = 100;
/// Models of a list.
pub const MAX_MODELS: usize = 10;

/// What a profile says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Values of `env.NAME`; over those of the bundle's `dgh.toml`.
    pub env: IndexMap<String, String>,
    /// Models for agents that name none.
    pub models: DefaultModels,
}

/// Models for agents that name none, `provider/model`, in order of fallback.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefaultModels {
    /// Language models.
    pub llm: Vec<String>,
    /// Recognisers.
    pub stt: Vec<String>,
    /// Voices.
    pub tts: Vec<String>,
}

impl Settings {
    /// As they are kept.
    pub fn of(profile: &Profile) -> Result<Self, BundleError> {
        serde_json::from_str(&profile.settings).map_err(BundleError::system)
    }

    fn check(&self) -> Result<(), BundleError> {
        if self.env.len() > MAX_VALUES {
            return Err(BundleError::invalid("env", format!("a profile has at most {MAX_VALUES} values")));
        }
        for (name, value) in &self.env {
            check_key(name).map_err(|why| BundleError::invalid(format!("env.{}", short(name)), why))?;
            if value.len() > MAX_VALUE_BYTES || value.contains('\0') {
                let why = format!("a value has at most {MAX_VALUE_BYTES} bytes, and no NUL");
                return Err(BundleError::invalid(format!("env.{name}"), why));
            }
        }
        let lists = [("llm", &self.models.llm), ("stt", &self.models.stt), ("tts", &self.models.tts)];
        for (kind, list) in lists {
            if list.len() > MAX_MODELS {
                return Err(BundleError::invalid(
                    format!("models.{kind}"),
                    format!("a list has at most {MAX_MODELS} models"),
                ));
            }
            for (index, text) in list.iter().enumerate() {
                let found = match kind {
                    "llm" => models::model(text, Server::default()),
                    _ => models::speech(kind, text),
                };
                found
                    .map_err(|e| BundleError::invalid(format!("models.{kind}[{index}]"), format!("{e:#}")))?;
            }
        }
        Ok(())
    }
}

/// The one with this name. One of the defaults is made when it is not there.
pub async fn find_or_make(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
    now: i64,
) -> Result<Profile, BundleError> {
    match profiles::find(conn, org, name).await {
        Err(StoreError::NotFound { .. }) if DEFAULTS.contains(&name) => {
            profiles::insert(conn, org, name, "{}", None, now).await?;
            Ok(profiles::find(conn, org, name).await?)
        }
        found => Ok(found?),
    }
}

/// Makes the defaults that are not there.
pub async fn make_defaults(conn: &mut Conn, org: &OrgId, now: i64) -> Result<(), BundleError> {
    for name in DEFAULTS {
        find_or_make(conn, org, name, now).await?;
    }
    Ok(())
}

/// Makes one that says nothing, if there is none of this name.
pub(super) async fn make(conn: &mut Conn, org: &OrgId, name: &str, now: i64) -> Result<(), BundleError> {
    check_name(name)?;
    profiles::insert(conn, org, name, "{}", None, now).await?;
    Ok(())
}

/// Writes one: makes it, or gives it a new revision. `was` is the revision that was read; none: it
/// does not matter.
pub async fn put(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
    was: Option<i64>,
    settings: &Settings,
    by: &Actor,
    now: i64,
) -> Result<Profile, BundleError> {
    check_name(name)?;
    settings.check()?;
    let text = serde_json::to_string(settings).map_err(BundleError::system)?;
    let author = author(by);
    match profiles::find(conn, org, name).await {
        Ok(old) if was.is_some_and(|was| was != old.revision) => {
            return Err(BundleError::Stale { current: old.revision.to_string() });
        }
        Ok(old) if Settings::of(&old)? == *settings => return Ok(old),
        Ok(old) => {
            let done =
                profiles::revise(conn, org, &old.id, old.revision, &text, author.as_deref(), now).await?;
            if done.is_none() {
                let current = profiles::find(conn, org, name).await?.revision.to_string();
                return Err(BundleError::Stale { current });
            }
        }
        Err(StoreError::NotFound { .. }) => {
            profiles::insert(conn, org, name, &text, author.as_deref(), now).await?;
        }
        Err(error) => return Err(error.into()),
    }
    let profile = profiles::find(conn, org, name).await?;
    // Names alone: values may be what only editors should see.
    let detail = json!({
        "name": name, "revision": profile.revision, "env": settings.env.keys().collect::<Vec<_>>(),
        "models": settings.models,
    });
    audit::write(conn, org, by, "profile.put", profile.id.as_str(), &detail, now).await?;
    Ok(profile)
}

/// Removes one in which nothing is answered.
pub async fn remove(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
    by: &Actor,
    now: i64,
) -> Result<(), BundleError> {
    let profile = profiles::find(conn, org, name).await?;
    if DEFAULTS.contains(&name) {
        return Err(BundleError::Taken(format!("`{name}` is always there")));
    }
    if profiles::is_used(conn, org, name).await? {
        return Err(BundleError::Taken(format!("agents are answered in `{name}`")));
    }
    profiles::remove(conn, org, &profile.id).await?;
    audit::write(conn, org, by, "profile.remove", profile.id.as_str(), &json!({ "name": name }), now).await?;
    Ok(())
}

/// What is wrong with a name of a value or a secret.
pub(crate) fn check_key(name: &str) -> Result<(), String> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let fits = name.len() <= MAX_KEY && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if first && fits {
        return Ok(());
    }
    Err(format!("a name has 1 to {MAX_KEY} letters, digits and `_`, and begins with no digit"))
}

fn check_name(name: &str) -> Result<(), BundleError> {
    let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if name.is_empty() || name.len() > 64 || !fits {
        return Err(BundleError::invalid(
            "profile",
            "a name of a profile has 1 to 64 letters, digits, `_` and `-`",
        ));
    }
    Ok(())
}

fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}
