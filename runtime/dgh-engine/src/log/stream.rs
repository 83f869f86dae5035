//! A log that is written while the call goes on, sealed piece by piece: what a crash leaves behind
//! can be opened up to its last whole piece.
//!
//! ```text
//! head  8   `dghlog`, version 2
//! nonce 12
//! key   48  the key of this log, sealed with the key of the logs
//! then pieces, each
//!   4   length of what follows, low byte first
//!   n   JSON, sealed: first the log without its entries, then lists of entries
//! ```
//!
//! Each log has a key of its own, so that the number of a piece is a nonce that is never used
//! twice, and no piece can be left out, moved or taken from another log.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{AeadCore, Aes256Gcm, KeyInit, Nonce};
use serde::Serialize;

use super::seal::{KEY_LENGTH, NONCE_LENGTH, OpenError, SealError};
use super::{Entry, Log};

/// What such a log begins with.
pub(super) const HEAD: &[u8; 8] = b"dghlog\x00\x02";
/// Bytes of the sealed key: the key and its tag.
const SEALED_KEY: usize = KEY_LENGTH + 16;
/// Longest piece that is read: a length that lies must not take all memory.
const MAX_PIECE: usize = 64 << 20;

/// Seals a log as it grows.
pub struct Sealer {
    cipher: Aes256Gcm,
    pieces: u64,
}

impl Sealer {
    /// Begins a log: the sealer, and the first bytes. `own` is a fresh random key for this log
    /// alone, `nonce` was never used with `key`. Entries of `log` are not written.
    pub fn begin(
        log: &Log,
        key: &[u8; KEY_LENGTH],
        nonce: &[u8; NONCE_LENGTH],
        own: &[u8; KEY_LENGTH],
    ) -> Result<(Self, Vec<u8>), SealError> {
        let sealed = Aes256Gcm::new(key.into())
            .encrypt(&Nonce::from(*nonce), Payload { msg: own, aad: HEAD })
            .map_err(|_| SealError::TooLarge)?;
        let mut sealer = Self { cipher: Aes256Gcm::new(own.into()), pieces: 0 };
        let mut bytes = [HEAD.as_slice(), nonce, &sealed].concat();
        let start = Log { entries: Vec::new(), ..log.clone() };
        bytes.extend(sealer.piece(&start)?);
        Ok((sealer, bytes))
    }

    /// The bytes that add these entries.
    pub fn entries(&mut self, entries: &[Entry]) -> Result<Vec<u8>, SealError> {
        self.piece(entries)
    }

    fn piece<T: Serialize + ?Sized>(&mut self, what: &T) -> Result<Vec<u8>, SealError> {
        let text = serde_json::to_vec(what)?;
        let sealed = self
            .cipher
            .encrypt(&number(self.pieces), Payload { msg: &text, aad: HEAD })
            .map_err(|_| SealError::TooLarge)?;
        let length = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= MAX_PIECE);
        let length = length.ok_or(SealError::TooLarge)?;
        self.pieces += 1;
        Ok([length.to_le_bytes().as_slice(), &sealed].concat())
    }
}

/// Opens what stands behind the head. A last piece that is not whole is left out: the writer was
/// stopped in the middle of it.
pub(super) fn open(rest: &[u8], key: &[u8; KEY_LENGTH]) -> Result<Log, OpenError> {
    let mut opener = Opener::new(*key);
    opener.waiting.extend_from_slice(HEAD);
    let entries = opener.feed(rest)?;
    let log = opener.log.ok_or(OpenError::NotALog)?;
    Ok(Log { entries, ..log })
}

/// Opens a log while it grows, from the bytes that were written so far.
pub struct Opener {
    key: [u8; KEY_LENGTH],
    /// Bytes that are no whole piece yet.
    waiting: Vec<u8>,
    cipher: Option<Aes256Gcm>,
    pieces: u64,
    log: Option<Log>,
}

impl Opener {
    /// Nothing yet.
    pub fn new(key: [u8; KEY_LENGTH]) -> Self {
        Self { key, waiting: Vec::new(), cipher: None, pieces: 0, log: None }
    }

    /// Takes the next bytes. Answers the entries that are whole now.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Entry>, OpenError> {
        self.waiting.extend_from_slice(bytes);
        let mut at = 0;
        if self.cipher.is_none() {
            let Some((cipher, length)) = head(&self.waiting, &self.key)? else { return Ok(Vec::new()) };
            self.cipher = Some(cipher);
            at = length;
        }
        let mut entries = Vec::new();
        while let Some((length, rest)) = self.waiting.get(at..).and_then(<[u8]>::split_first_chunk::<4>) {
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_PIECE {
                return Err(OpenError::Sealed);
            }
            let Some(sealed) = rest.get(..length) else { break };
            let cipher = self.cipher.as_ref().ok_or(OpenError::NotALog)?;
            let text = cipher
                .decrypt(&number(self.pieces), Payload { msg: sealed, aad: HEAD })
                .map_err(|_| OpenError::Sealed)?;
            if self.log.is_none() {
                self.log = Some(serde_json::from_slice(&text)?);
            } else {
                entries.extend(serde_json::from_slice::<Vec<Entry>>(&text)?);
            }
            self.pieces += 1;
            at += 4 + length;
        }
        self.waiting.drain(..at);
        Ok(entries)
    }

    /// What the log began with, without its entries; none: it has not come yet.
    pub fn start(&self) -> Option<&Log> {
        self.log.as_ref()
    }
}

/// The cipher of a log and the length of its head; none: it is not whole.
fn head(bytes: &[u8], key: &[u8; KEY_LENGTH]) -> Result<Option<(Aes256Gcm, usize)>, OpenError> {
    let begins = bytes.get(..HEAD.len()).unwrap_or(bytes);
    if !HEAD.starts_with(begins) {
        return Err(OpenError::NotALog);
    }
    let rest = bytes.get(HEAD.len()..).unwrap_or_default();
    let Some((nonce, rest)) = rest.split_first_chunk::<NONCE_LENGTH>() else { return Ok(None) };
    let Some((sealed, _)) = rest.split_first_chunk::<SEALED_KEY>() else { return Ok(None) };
    let own = Aes256Gcm::new(key.into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: HEAD })
        .map_err(|_| OpenError::Sealed)?;
    let own: [u8; KEY_LENGTH] = own.try_into().map_err(|_| OpenError::NotALog)?;
    Ok(Some((Aes256Gcm::new(&own.into()), HEAD.len() + NONCE_LENGTH + SEALED_KEY)))
}

fn number(piece: u64) -> Nonce<<Aes256Gcm as AeadCore>::NonceSize> {
    let mut nonce = [0; NONCE_LENGTH];
    let (_, low) = nonce.split_at_mut(NONCE_LENGTH - 8);
    low.copy_from_slice(&piece.to_be_bytes());
    Nonce::from(nonce)
}
