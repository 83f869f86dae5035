//! What is kept secret at rest: sealed with AES-256-GCM, each value with a key of its own that is
//! sealed with the key of the installation (an envelope). So a new key of the installation seals the
//! small keys again, and nothing else.
//!
//! A sealed value is a text that names its key: `v1.KEY.BASE64`. What a value is about, such as its
//! row, is authenticated with it: moved to another row it does not open.

mod keyring;

use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use thiserror::Error;

pub use keyring::{KEY_FILE, KeyringError};
use keyring::{Key, Keyring};

/// The form of sealed values.
const VERSION: &str = "v1";
/// What seals the small keys is about.
const WRAP: &[u8] = b"dgh v1 key of a value";
const NONCE: usize = 12;
/// A small key, sealed: its nonce, 32 bytes, the tag.
const WRAPPED: usize = NONCE + 32 + 16;

/// Why something cannot be sealed or opened.
#[derive(Debug, Error)]
pub enum VaultError {
    /// It was sealed with a key that is not here.
    #[error("it was sealed with the key {0}, which is not here")]
    UnknownKey(String),
    /// It is no sealed value, it was changed, or it is about something else.
    #[error("it is no sealed value of this place, or it was changed")]
    Damaged,
    /// The system has no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Seals and opens what is kept secret, and signs what is given away. Clones share their keys.
#[derive(Clone)]
pub struct Vault {
    keyring: Arc<RwLock<Keyring>>,
}

impl Vault {
    /// With keys that stand in the environment, separated by commas, the first of which seals.
    pub fn from_text(keys: &SecretString) -> Result<Self, KeyringError> {
        Ok(Self::of(Keyring::from_text(keys.expose_secret())?))
    }

    /// With the keys in a folder, which are made when there are none. Answers whether they were.
    pub fn in_folder(folder: &std::path::Path) -> Result<(Self, bool), KeyringError> {
        let (keyring, made) = Keyring::in_folder(folder)?;
        Ok((Self::of(keyring), made))
    }

    fn of(keyring: Keyring) -> Self {
        Self { keyring: Arc::new(RwLock::new(keyring)) }
    }

    /// The fingerprint of the key that seals.
    pub fn current(&self) -> String {
        self.read().current().id.clone()
    }

    /// Whether what was sealed with this key can be opened.
    pub fn holds(&self, id: &str) -> bool {
        self.key(id).is_some()
    }

    /// Where its keys are: a file, or the environment.
    pub fn place(&self) -> String {
        self.read().place()
    }

    /// Seals a text, or bytes. `about` says what it is: the same must be said to open it.
    pub fn seal(&self, about: &str, value: impl AsRef<[u8]>) -> Result<String, VaultError> {
        let key = self.read().current().clone();
        let small: [u8; 32] = random()?;
        let mut sealed = encrypt(&key.sealing(), WRAP, &small)?;
        sealed.extend(encrypt(&small, about.as_bytes(), value.as_ref())?);
        Ok(format!("{VERSION}.{}.{}", key.id, BASE64.encode(sealed)))
    }

    /// Opens a text.
    pub fn open(&self, about: &str, sealed: &str) -> Result<SecretString, VaultError> {
        let bytes = self.open_bytes(about, sealed)?;
        Ok(String::from_utf8(bytes).map_err(|_| VaultError::Damaged)?.into())
    }

    /// Opens bytes.
    pub fn open_bytes(&self, about: &str, sealed: &str) -> Result<Vec<u8>, VaultError> {
        let (key, wrapped, value) = self.parts(sealed)?;
        let small = decrypt(&key.sealing(), WRAP, &wrapped)?;
        let small: [u8; 32] = small.try_into().map_err(|_| VaultError::Damaged)?;
        decrypt(&small, about.as_bytes(), &value)
    }

    /// The same value sealed with the current key; nothing if it is already.
    pub fn reseal(&self, sealed: &str) -> Result<Option<String>, VaultError> {
        let (old, wrapped, value) = self.parts(sealed)?;
        let key = self.read().current().clone();
        if old.id == key.id {
            return Ok(None);
        }
        let mut again = encrypt(&key.sealing(), WRAP, &decrypt(&old.sealing(), WRAP, &wrapped)?)?;
        again.extend(value);
        Ok(Some(format!("{VERSION}.{}.{}", key.id, BASE64.encode(again))))
    }

    /// What values begin with that are sealed with the current key.
    pub fn mark(&self) -> String {
        format!("{VERSION}.{}.", self.current())
    }

    /// A signature that nobody else can make: HMAC-SHA256, with a key for each purpose.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> String {
        BASE64.encode(mac(self.read().current(), purpose, message).finalize().into_bytes())
    }

    /// Whether a signature is ours. What older keys signed is still good.
    pub fn verify(&self, purpose: &str, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature) else { return false };
        // Compared in constant time.
        self.read().all().iter().any(|key| mac(key, purpose, message).verify_slice(&signature).is_ok())
    }

    /// Makes a new key, which seals from now on; older ones still open. Processes that run notice
    /// when they meet it. Answers nothing when the keys stand in the environment, where only the
    /// operator can add one.
    pub fn add_key(&self) -> Result<Option<String>, KeyringError> {
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        keyring.add()
    }

    /// A key by its fingerprint. Another process may have made it a moment ago: look again.
    fn key(&self, id: &str) -> Option<Key> {
        if let Some(key) = self.read().find(id) {
            return Some(key.clone());
        }
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = keyring.look_again() {
            tracing::warn!(%error, "the keys cannot be read again");
        }
        keyring.find(id).cloned()
    }

    fn parts(&self, sealed: &str) -> Result<(Key, Vec<u8>, Vec<u8>), VaultError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(VERSION), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VaultError::Damaged);
        };
        let key = self.key(id).ok_or_else(|| VaultError::UnknownKey(id.chars().take(16).collect()))?;
        let mut wrapped = BASE64.decode(body).map_err(|_| VaultError::Damaged)?;
        if wrapped.len() < WRAPPED {
            return Err(VaultError::Damaged);
        }
        let value = wrapped.split_off(WRAPPED);
        Ok((key, wrapped, value))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("current", &self.current()).finish_non_exhaustive()
    }
}

/// A random nonce, then what it seals. 96 random bits serve for 2^32 values of one key (NIST SP
/// 800-38D, 8.3): a small key seals one, and the key of the installation seals small keys.
fn encrypt(key: &[u8; 32], about: &[u8], text: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce: [u8; NONCE] = random()?;
    let sealed = Aes256Gcm::new(key.into()).encrypt(&Nonce::from(nonce), Payload { msg: text, aad: about });
    Ok([nonce.as_slice(), &sealed.map_err(|_| VaultError::Damaged)?].concat())
}

fn decrypt(key: &[u8; 32], about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError::Damaged)?;
    let opened = Aes256Gcm::new(key.into()).decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: about });
    opened.map_err(|_| VaultError::Damaged)
}

fn mac(key: &Key, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
    keyring::hmac(&key.signing(purpose)).chain_update(message)
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(VaultError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
