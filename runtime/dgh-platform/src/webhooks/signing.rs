//! What an organisation signs with, where a webhook names no secret of its own.

use std::time::Duration;

use dgh_store::deliveries;
use dgh_store::{Conn, Db, OrgId, SecretId, StoreError};
use secrecy::{ExposeSecret as _, SecretString};

use super::signature::{SigningKey, fresh};
use crate::vault::{Vault, VaultError};

/// How long the secret before signs on, while receivers change over.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// Secrets that sign at once.
const AT_ONCE: usize = 2;
/// Letters of a secret that it is recognised by.
const ENDING: usize = 4;

/// A secret that was made now. This is the one time that it is shown.
pub struct NewSecret {
    /// Its id.
    pub id: SecretId,
    /// The secret.
    pub secret: SecretString,
    /// Its last letters.
    pub ending: String,
}

/// Why there is no new secret.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Two sign already.
    #[error("two secrets sign already; one of them has to retire first")]
    TwoAlready,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Makes a new secret, which signs from now on. The one before signs beside it for a while.
pub async fn rotate(
    conn: &mut Conn,
    vault: &Vault,
    org: &OrgId,
    overlap: Duration,
    now: i64,
) -> Result<NewSecret, RotateError> {
    if deliveries::signing_secrets(conn, org, now).await?.len() >= AT_ONCE {
        return Err(RotateError::TwoAlready);
    }
    let secret = fresh().map_err(VaultError::Random)?;
    let text = secret.expose_secret();
    let ending = text.get(text.len().saturating_sub(ENDING)..).unwrap_or_default().to_owned();
    let id = SecretId::fresh();
    let sealed = vault.seal(&context(org, &id), text)?;
    let until = now.saturating_add(i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX));
    deliveries::add_signing_secret(conn, org, &id, &sealed, &ending, until, now).await?;
    Ok(NewSecret { id, secret, ending })
}

/// The keys that an organisation signs with now, the newest first.
pub(super) async fn keys(
    db: &Db,
    vault: &Vault,
    org: &OrgId,
    now: i64,
) -> Result<Vec<SigningKey>, StoreError> {
    let mut conn = db.read().acquire().await?;
    let sealed = deliveries::valid_signing_secrets(&mut conn, org, now).await?;
    let mut keys = Vec::with_capacity(sealed.len());
    for (id, sealed) in sealed {
        let opened = vault.open(&context(org, &id), &sealed);
        match opened.ok().and_then(|secret| SigningKey::all(&secret).ok()) {
            Some(mut opened) => keys.append(&mut opened),
            None => tracing::error!(%org, secret = %id, "a signing secret cannot be opened"),
        }
    }
    Ok(keys)
}

fn context(org: &OrgId, id: &SecretId) -> String {
    format!("signing:{org}:{id}")
}
