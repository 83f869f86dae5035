//! What the JSON protocols of carriers have in common. Nothing here allocates for sound: text is
//! borrowed from the message, base64 goes straight into and out of buffers that are kept.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::BytesMut;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::Value as Json;

use super::Garbage;
use crate::socket::SocketMessage;

/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads the JSON of a text message.
pub(super) fn json<'a, T: Deserialize<'a>>(message: &'a SocketMessage) -> Result<T, Garbage> {
    let SocketMessage::Text(text) = message else {
        return Err(Garbage::new("bytes, where this carrier sends text"));
    };
    serde_json::from_slice(text).map_err(|error| {
        // The text of the error quotes the message, which may hold what a caller typed.
        let kind = match error.classify() {
            serde_json::error::Category::Data => "JSON, but not of this protocol",
            _ => "no JSON",
        };
        Garbage { kind, at: Some(error.column()) }
    })
}

/// Adds the bytes of a base64 text; all of them or none.
pub(super) fn unpack(base64: &str, into: &mut Vec<u8>) -> Result<(), Garbage> {
    let before = into.len();
    BASE64.decode_vec(base64, into).map_err(|_| {
        into.truncate(before);
        Garbage::new("sound that is not base64")
    })
}

/// Adds bytes as base64.
pub(super) fn pack(bytes: &[u8], into: &mut BytesMut) {
    let before = into.len();
    into.resize(before + base64::encoded_len(bytes.len(), true).unwrap_or(0), 0);
    let room = into.get_mut(before..).unwrap_or_default();
    let written = BASE64.encode_slice(bytes, room).unwrap_or(0);
    into.truncate(before + written);
}

/// The text as JSON, with its quotes.
pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A mark's number as text.
pub(super) fn decimal(mark: u32, into: &mut BytesMut) {
    use std::fmt::Write as _;
    // Writing into memory cannot fail.
    let _ = write!(into, "{mark}");
}

/// Parameters as texts, whatever JSON they are.
pub(super) fn texts(values: serde_json::Map<String, Json>) -> BTreeMap<String, String> {
    let text = |value: Json| match value {
        Json::String(text) => text,
        other => other.to_string(),
    };
    values.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// A text that is not empty.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The one key of a text.
pub(super) fn key(digit: &str) -> Result<char, Garbage> {
    let mut letters = digit.chars();
    match (letters.next(), letters.next()) {
        (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Ok(key),
        _ => Err(Garbage::new("a key that no telephone has")),
    }
}

/// A number that some write as a number and some as a text; none when it is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Number(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(u64::try_from(number).ok()))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Number, E> {
                Ok(Number(None))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
