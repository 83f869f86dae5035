//! Signatures of deliveries, in the form of Standard Webhooks 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// What a secret of this form begins with.
pub const PREFIX: &str = "whsec_";
/// Bytes of a secret that is made here; the specification wants 24 to 64.
const LENGTH: usize = 32;

/// A secret that is no secret of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret is none: after `{PREFIX}` it is base64")]
pub struct BadSecret;

/// A key that signs.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// The keys that a secret stands for: one, or several with spaces between them while it is
    /// changed. `whsec_` and base64, or base64 alone, as the official libraries take it; a text that
    /// is no base64 is its own bytes.
    pub fn all(secret: &SecretString) -> Result<Vec<Self>, BadSecret> {
        let keys: Vec<Self> =
            secret.expose_secret().split_whitespace().map(Self::one).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(BadSecret) } else { Ok(keys) }
    }

    fn one(text: &str) -> Result<Self, BadSecret> {
        let bytes = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok().filter(|b| !b.is_empty()).ok_or(BadSecret)?,
            None => STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()),
        };
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| BadSecret)
    }
}

/// The value of `webhook-signature`: one signature for each key, with spaces between them.
pub fn signature(keys: &[SigningKey], id: &str, seconds: i64, body: &[u8]) -> String {
    let one = |SigningKey(key): &SigningKey| {
        let mac = key.clone().chain_update(format!("{id}.{seconds}.")).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A secret that nobody guesses.
pub(super) fn fresh() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
        signature(&SigningKey::all(&secret.into()).unwrap(), id, at, body.as_bytes())
    }

    #[test]
    fn the_vector_of_the_official_libraries_holds() {
        // standard-webhooks/libraries: the example of all their tests.
        let signed = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_read_with_and_without_its_prefix() {
        let with = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m", 1, "{}");
        assert_eq!(with, sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m", 1, "{}"));
        assert_ne!(with, sign("correct horse".split(' ').next().unwrap(), "m", 1, "{}"));
        assert!(SigningKey::all(&"whsec_not base64!".into()).is_err());
        assert!(SigningKey::all(&"whsec_".into()).is_err());
        assert!(SigningKey::all(&" ".into()).is_err());
    }

    #[test]
    fn two_secrets_sign_while_one_is_changed_for_the_other() {
        let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let both = sign(&format!("{new} {old}"), "m", 1, "{}");
        assert_eq!(both, format!("{} {}", sign(new, "m", 1, "{}"), sign(old, "m", 1, "{}")));
    }

    #[test]
    fn a_fresh_secret_is_one() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert!(SigningKey::all(&one).is_ok());
        assert_eq!(STANDARD.decode(&one.expose_secret()[PREFIX.len()..]).unwrap().len(), LENGTH);
    }
}
