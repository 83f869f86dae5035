//! What opens something, and what is kept of it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::AccessError;

/// What a key begins with, so that people and scanners of secrets recognise one.
const KEY: &str = "dgh_";
/// Random bytes of a key or a token: 160 bits. So many need no slow hash.
const RANDOM: usize = 20;
/// Letters of a key that are kept to recognise it by.
const SHOWN: usize = KEY.len() + 6;

/// A key that nobody has yet.
pub(super) fn fresh_key() -> Result<String, AccessError> {
    Ok(format!("{KEY}{}", fresh_token()?))
}

/// A token that nobody has yet.
pub(super) fn fresh_token() -> Result<String, AccessError> {
    let mut bytes = [0_u8; RANDOM];
    getrandom::fill(&mut bytes)
        .map_err(|error| AccessError::System(format!("the system has no random numbers: {error}")))?;
    Ok(hex(&bytes))
}

/// A password for somebody who has none, in groups that can be typed.
pub(super) fn fresh_password() -> Result<String, AccessError> {
    let token = fresh_token()?;
    let groups: Vec<&str> = (0..5).filter_map(|n| token.get(n * 4..n * 4 + 4)).collect();
    Ok(groups.join("-"))
}

/// What is kept of a key or a token.
pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The letters to recognise a key by.
pub(super) fn prefix(key: &str) -> String {
    key.chars().take(SHOWN).collect()
}

/// Whether a text could be a key. What could not is not looked for.
pub fn is_key(text: &str) -> bool {
    text.strip_prefix(KEY).is_some_and(is_token)
}

pub(super) fn is_token(text: &str) -> bool {
    text.len() == 2 * RANDOM && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_recognised_and_kept_as_hashes() {
        let key = fresh_key().unwrap();
        assert!(is_key(&key) && key != fresh_key().unwrap());
        assert_eq!((key.len(), prefix(&key).len()), (44, 10));
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for wrong in ["", "dgh_", "dgh_x", &key[..43], &key.to_uppercase(), &format!("{key}0")] {
            assert!(!is_key(wrong), "{wrong}");
        }
        assert_eq!(fresh_password().unwrap().len(), 24);
    }
}
