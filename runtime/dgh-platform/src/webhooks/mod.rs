//! Webhooks: what the platform tells others about calls, durably.
//!
//! ```text
//! engine ─ Effect::Webhook ─► DueList ─ at_end, in the transaction that ends the call ─► deliveries
//!                                                                                        │ claim: lease, fence
//!   receiver ◄─ courier ◄─ secrets, signature ◄─ unseal ◄─ worker of any node ◄──────────┘
//! ```
//!
//! What is sent is rendered once, when the event happens, and frozen; its secrets are looked up when
//! it leaves. A delivery is sent at least once: whoever gets it twice sees the same delivery id.

mod due;
#[cfg(test)]
mod killed;
mod metrics;
mod redact;
mod schedule;
mod secrets;
mod send;
mod signature;
mod signing;
mod sweep;
mod worker;

use dgh_store::deliveries::{self, NewDelivery};
use dgh_store::{Conn, Db, OrgId, StoreError};
use url::Url;

use crate::vault::{Vault, VaultError};

pub use due::{Due, DueList, Frozen};
pub use metrics::{DELIVERY_SECONDS, DESCRIPTIONS};
pub use schedule::{Jitter, LONGEST, LONGEST_WISH, Schedule, jitter};
pub use secrets::{Owner, Secrets, Surroundings};
pub use signature::{BadSecret, PREFIX, SigningKey, signature};
pub use signing::{NewSecret, OVERLAP, RotateError, rotate};
pub use worker::{Parts, Settings, Worker, serve, start};

/// Why webhooks cannot be kept: nothing of the transaction may be committed then.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The channel on which workers are told that something is due.
pub const CHANNEL: &str = "deliveries";

/// What deliveries are about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The call.
    pub call: &'a str,
    /// The agent that runs it, by its name in addresses.
    pub agent: &'a str,
    /// The profile whose secrets are used.
    pub profile: Option<&'a str>,
    /// A test call: its webhooks are kept and shown, and not sent.
    pub test: bool,
}

/// A call that ends.
#[derive(Debug, Clone, Copy)]
pub struct EndedCall<'a> {
    /// Which.
    pub about: About<'a>,
    /// All its webhooks, from its first event to `call.ended`. Those that were kept before are not
    /// kept again.
    pub due: &'a [Due],
}

/// Keeps what a call that ends has to tell, in the transaction that ends it. Answers how many
/// deliveries are new; call [`wake`] when the transaction is committed.
pub async fn at_end(
    conn: &mut Conn,
    vault: &Vault,
    org: &OrgId,
    ended: &EndedCall<'_>,
    now: i64,
) -> Result<usize, KeepError> {
    keep(conn, vault, org, ended.about, ended.due, now).await
}

/// Keeps webhooks of events while a call goes on, or after it.
pub async fn keep(
    conn: &mut Conn,
    vault: &Vault,
    org: &OrgId,
    about: About<'_>,
    due: &[Due],
    now: i64,
) -> Result<usize, KeepError> {
    let mut kept = 0;
    for one in due {
        let url = Url::parse(&one.request.envelope.url);
        let origin = url.map_or_else(|_| "?".to_owned(), |url| redact::origin(&url));
        let unique_key = format!("{}:{}:{}:{}", about.call, one.webhook, one.event, one.number);
        let request = serde_json::to_string(&one.request).unwrap_or_default();
        let shown = one.shown.as_ref().map(serde_json::Value::to_string);
        let sealed = vault.seal(&context(org, &unique_key), &request)?;
        let new = NewDelivery {
            origin: &origin,
            agent: about.agent,
            profile: about.profile,
            webhook: &one.webhook,
            event: &one.event,
            call: Some(about.call),
            lane: &format!("{}:{}", about.call, one.webhook),
            sealed: &sealed,
            unique_key: &unique_key,
            shown: shown.as_deref(),
            simulated: about.test,
        };
        kept += usize::from(deliveries::enqueue(conn, org, &new, now).await?.is_some());
    }
    metrics::kept(kept);
    Ok(kept)
}

/// Tells the workers of all nodes that something is due. A hint: they look for themselves, too.
pub async fn wake(db: &Db) {
    if let Err(error) = db.notify(CHANNEL, "").await {
        tracing::debug!(%error, "the workers were not told of a delivery");
    }
}

/// What a sealed request belongs to: it opens for this delivery alone.
fn context(org: &OrgId, unique_key: &str) -> String {
    format!("delivery:{org}:{unique_key}")
}

#[cfg(test)]
mod tests;
