//! One attempt: from a frozen request to what became of it.

use std::time::Duration;

use dgh_net::header::{HeaderName, HeaderValue};
use dgh_net::{Courier, NetError, NetErrorKind, Prepared, Receipt};
use dgh_store::deliveries::Claimed;
use secrecy::SecretString;

use super::due::Frozen;
use super::redact;
use super::secrets::Surroundings;
use super::signature::{SigningKey, signature};

/// Characters of an error that are kept.
const LONGEST_ERROR: usize = 2_000;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Delivered(u16),
    /// It does not.
    Failed {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// What went wrong; no path, no header, no body of ours.
        error: String,
        /// What follows.
        next: Next,
    },
    /// Nothing was sent: a secret is missing, or is none that signs.
    Parked {
        /// Its name.
        secret: String,
        /// What is wrong.
        error: String,
    },
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt, after the pause that the receiver asked for.
    Retry(Option<Duration>),
    /// Nothing: the same would fail again.
    GiveUp,
    /// Nothing, ever, for this endpoint: 410.
    Gone,
}

/// A delivery that can leave.
pub(super) struct Letter<'a> {
    /// Which.
    pub(super) claimed: &'a Claimed,
    /// What is sent.
    pub(super) frozen: &'a Frozen,
    /// Its secrets.
    pub(super) surroundings: &'a Surroundings,
    /// What the organisation signs with.
    pub(super) own_keys: &'a [SigningKey],
    /// The time, in milliseconds.
    pub(super) now: i64,
}

/// The names of the secrets that it needs.
pub(super) fn secrets(frozen: &Frozen) -> impl Iterator<Item = &str> {
    frozen.envelope.secrets().chain(frozen.sign.as_deref())
}

/// Fills a delivery in and signs it; what became of it if it cannot be sent.
pub(super) fn prepare(letter: &Letter<'_>) -> Result<Prepared, Outcome> {
    let Letter { claimed, frozen, surroundings, own_keys, now } = letter;
    let known = &surroundings.secrets;
    if let Some(missing) = secrets(frozen).find(|name| !known.contains_key(*name)) {
        return Err(Outcome::Parked {
            secret: missing.to_owned(),
            error: format!("`secret.{missing}` is not set"),
        });
    }
    let keys = match &frozen.sign {
        None => own_keys.to_vec(),
        Some(name) => keys(name, known.get(name))?,
    };
    let body = frozen.body.clone().map(Into::into);
    let mut prepared = Prepared::of(&frozen.envelope, body, known).map_err(|error| failed(&error))?;
    let seconds = now / 1_000;
    let attempt = claimed.attempts + 1;
    // These say which delivery it is: they stand over whatever the program says.
    set(&mut prepared, "webhook-id", &claimed.id);
    set(&mut prepared, "webhook-timestamp", &seconds.to_string());
    if !keys.is_empty() {
        let signature = signature(&keys, &claimed.id, seconds, prepared.body());
        set(&mut prepared, "webhook-signature", &signature);
    }
    set(&mut prepared, "x-dgh-delivery-id", &claimed.id);
    set(&mut prepared, "x-dgh-event", &claimed.event);
    set(&mut prepared, "x-dgh-attempt", &attempt.to_string());
    if let Some(call) = &claimed.call_id {
        set(&mut prepared, "x-dgh-call-id", call);
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        let shown = claimed.shown.as_deref().and_then(|shown| serde_json::from_str(shown).ok());
        tracing::debug!(
            delivery = claimed.id,
            attempt,
            method = prepared.method.name(),
            to = redact::origin(prepared.url()),
            headers = %redact::headers(prepared.headers()),
            payload = shown.as_ref().map(redact::payload),
            "a webhook is sent"
        );
    }
    Ok(prepared)
}

/// Sends it.
pub(super) async fn send(courier: &Courier, prepared: Prepared, timeout: Duration) -> Outcome {
    match courier.send(prepared, timeout).await {
        Ok(receipt) => answered(&receipt),
        Err(error) => failed(&error),
    }
}

fn keys(name: &str, secret: Option<&SecretString>) -> Result<Vec<SigningKey>, Outcome> {
    let read = secret.map(SigningKey::all).and_then(Result::ok);
    read.ok_or_else(|| Outcome::Parked {
        secret: name.to_owned(),
        error: format!("`secret.{name}` signs nothing: after `whsec_` it is base64"),
    })
}

/// What a status means.
fn answered(receipt: &Receipt) -> Outcome {
    let next = match receipt.status {
        200..=299 => return Outcome::Delivered(receipt.status),
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Next::Retry(receipt.retry_after),
        410 => Next::Gone,
        _ => Next::GiveUp,
    };
    let excerpt = if receipt.excerpt.is_empty() { String::new() } else { format!(": {}", receipt.excerpt) };
    Outcome::Failed {
        status: Some(receipt.status),
        error: shortened(&format!("HTTP {}{excerpt}", receipt.status)),
        next,
    }
}

/// What it means that there is no answer.
fn failed(error: &NetError) -> Outcome {
    let passes = matches!(error.kind, NetErrorKind::Timeout | NetErrorKind::Network) || error.is_transient();
    let next = if passes { Next::Retry(error.retry_after) } else { Next::GiveUp };
    // A status here is a redirect, or that of the server of tokens.
    Outcome::Failed { status: error.status, error: shortened(&error.message), next }
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_ERROR).collect()
}

fn set(prepared: &mut Prepared, name: &'static str, value: &str) {
    // Ids, numbers, base64 and names of events hold nothing that a header cannot.
    if let Ok(value) = HeaderValue::from_str(value) {
        prepared.header(HeaderName::from_static(name), value);
    }
}
