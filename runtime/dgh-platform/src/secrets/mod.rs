//! Secrets of profiles: sealed where they are kept, opened where they are used, told to nobody.
//!
//! A call holds no secret: it holds a [`ProfileSecrets`], which opens one when a request needs it.
//! So a secret that is set anew is used from the next request on, in calls that go on as well.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dgh_net::Secrets;
use dgh_store::agents::profiles::{self, Profile};
use dgh_store::agents::secrets;
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, ProfileId, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::Vault;
use crate::bundles::BundleError;
use crate::bundles::profiles::{check_key, find_or_make};

/// Bytes of a secret.
pub const MAX_SECRET_BYTES: usize = 32 << 10;
/// Secrets of a profile.
pub const MAX_SECRETS: i64 = 500;

/// Sets a secret of a profile. Answers which version it is now.
pub async fn set(
    conn: &mut Conn,
    vault: &Vault,
    org: &OrgId,
    (profile, name): (&str, &str),
    value: &SecretString,
    by: &Actor,
    now: i64,
) -> Result<i64, BundleError> {
    check_key(name).map_err(|why| BundleError::invalid("name", why))?;
    let bytes = value.expose_secret().len();
    if bytes == 0 || bytes > MAX_SECRET_BYTES {
        return Err(BundleError::invalid("value", format!("a secret has 1 to {MAX_SECRET_BYTES} bytes")));
    }
    let profile = find_or_make(conn, org, profile, now).await?;
    let others = secrets::list(conn, org, &profile.id, None, MAX_SECRETS).await?;
    if i64::try_from(others.len()).is_ok_and(|many| many >= MAX_SECRETS)
        && !others.iter().any(|secret| secret.name == name)
    {
        return Err(BundleError::invalid("name", format!("a profile has at most {MAX_SECRETS} secrets")));
    }
    let sealed =
        vault.seal(&about(org, &profile.id, name), value.expose_secret()).map_err(BundleError::system)?;
    let author = by.user.as_ref().map(ToString::to_string).or(by.key.as_ref().map(ToString::to_string));
    let version = secrets::set(conn, org, &profile.id, name, &sealed, author.as_deref(), now).await?;
    let detail = json!({ "profile": profile.name, "name": name, "version": version });
    audit::write(conn, org, by, "secret.set", profile.id.as_str(), &detail, now).await?;
    Ok(version)
}

/// Removes a secret of a profile.
pub async fn remove(
    conn: &mut Conn,
    org: &OrgId,
    (profile, name): (&Profile, &str),
    by: &Actor,
    now: i64,
) -> Result<(), StoreError> {
    secrets::remove(conn, org, &profile.id, name).await?;
    let detail = json!({ "profile": profile.name, "name": name });
    audit::write(conn, org, by, "secret.remove", profile.id.as_str(), &detail, now).await
}

/// What a secret is about: moved to another name, profile or organisation it does not open.
fn about(org: &OrgId, profile: &ProfileId, name: &str) -> String {
    format!("secret {org} {profile} {name}")
}

/// The secrets of a profile, as they are now.
pub struct ProfileSecrets {
    vault: Vault,
    org: OrgId,
    profile: ProfileId,
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    /// How often they had changed when they were read. Before the first time: less than ever.
    seen: Option<i64>,
    sealed: HashMap<String, String>,
}

impl ProfileSecrets {
    /// Those of a profile, none of which is known yet.
    pub fn new(vault: Vault, org: OrgId, profile: ProfileId) -> Arc<Self> {
        Arc::new(Self { vault, org, profile, kept: RwLock::default() })
    }

    /// Reads them again, if they changed since. Those that are known stay when that fails.
    pub async fn refresh(&self, conn: &mut Conn, changes: i64) -> Result<(), StoreError> {
        let seen = self.kept.read().unwrap_or_else(PoisonError::into_inner).seen;
        if seen == Some(changes) {
            return Ok(());
        }
        let all = secrets::sealed(conn, &self.org, &self.profile).await?;
        let sealed = all.into_iter().map(|secret| (secret.name, secret.sealed)).collect();
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept { seen: Some(changes), sealed };
        Ok(())
    }

    /// Reads them again, if they changed since.
    pub(crate) async fn look_again(&self, conn: &mut Conn) -> Result<(), StoreError> {
        match profiles::changes(conn, &self.org, &self.profile).await? {
            Some(changes) => self.refresh(conn, changes).await,
            // The profile was removed, and its secrets with it.
            None => {
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept::default();
                Ok(())
            }
        }
    }

    /// Whether there is one of this name, whatever it is.
    pub fn has(&self, name: &str) -> bool {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).sealed.contains_key(name)
    }
}

impl Secrets for ProfileSecrets {
    fn secret(&self, name: &str) -> Option<SecretString> {
        let sealed = self.kept.read().unwrap_or_else(PoisonError::into_inner).sealed.get(name)?.clone();
        match self.vault.open(&about(&self.org, &self.profile, name), &sealed) {
            Ok(secret) => Some(secret),
            Err(error) => {
                tracing::error!(secret = name, profile = %self.profile, %error, "a secret cannot be opened");
                None
            }
        }
    }
}

/// The secrets of a profile, and behind them what a folder's own settings name: its environment, its
/// files.
pub(crate) struct WithFallback {
    pub(crate) first: Arc<ProfileSecrets>,
    pub(crate) then: Arc<dyn Secrets>,
}

impl Secrets for WithFallback {
    fn secret(&self, name: &str) -> Option<SecretString> {
        // One that is there and does not open is no reason to use another one.
        if self.first.has(name) { self.first.secret(name) } else { self.then.secret(name) }
    }
}
