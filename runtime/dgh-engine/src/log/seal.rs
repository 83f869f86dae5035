//! Sealing a log: AES-256-GCM, a key for each call, passed in with the nonce.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};

use super::{Log, stream};

/// Bytes of a key.
pub const KEY_LENGTH: usize = 32;
/// Bytes of a nonce. Never use one twice with a key.
pub const NONCE_LENGTH: usize = 12;

/// What a sealed log begins with: what it is, and the version of its form. It is authenticated.
const HEAD: &[u8; 8] = b"dghlog\x00\x01";

/// Why a log could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The log could not be written as JSON.
    #[error("the log cannot be written: {0}")]
    Write(#[from] serde_json::Error),
    /// It is too large for one seal.
    #[error("the log is too large to be sealed")]
    TooLarge,
}

/// Why a sealed log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// These bytes are something else.
    #[error("this is no sealed log")]
    NotALog,
    /// It was sealed by a newer version.
    #[error("this log has another form than this version reads")]
    Version,
    /// The key is another one, or the bytes were changed.
    #[error("the key does not open this log, or the log was changed")]
    Sealed,
    /// What was inside is no log.
    #[error("the log cannot be read: {0}")]
    Read(#[from] serde_json::Error),
}

/// Seals a log.
pub fn seal(log: &Log, key: &[u8; KEY_LENGTH], nonce: &[u8; NONCE_LENGTH]) -> Result<Vec<u8>, SealError> {
    let text = serde_json::to_vec(log)?;
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&Nonce::from(*nonce), Payload { msg: &text, aad: HEAD })
        .map_err(|_| SealError::TooLarge)?;
    Ok([HEAD.as_slice(), nonce, &sealed].concat())
}

/// Opens a sealed log, also one that is still written or that a crash left behind.
pub fn open(sealed: &[u8], key: &[u8; KEY_LENGTH]) -> Result<Log, OpenError> {
    let (head, rest) = sealed.split_first_chunk::<8>().ok_or(OpenError::NotALog)?;
    if head.split_last().map(|(_, name)| name) != HEAD.split_last().map(|(_, name)| name) {
        return Err(OpenError::NotALog);
    }
    if head == stream::HEAD {
        return stream::open(rest, key);
    }
    if head != HEAD {
        return Err(OpenError::Version);
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(OpenError::NotALog)?;
    let text = Aes256Gcm::new(key.into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: rest, aad: HEAD })
        .map_err(|_| OpenError::Sealed)?;
    Ok(serde_json::from_slice(&text)?)
}
