//! The wire form of a program: JSON that is kept, sent and loaded by later versions.
//!
//! Places in the sources are no part of it, so programs that differ in white space and comments
//! have the same bytes and the same hash. Loading checks everything that the rest of the crate
//! takes for granted: references, depth, numbers.

mod keys;
mod read;
mod read_dialogue;
mod read_expr;
pub mod v1;
mod write;
mod write_dialogue;
mod write_expr;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::program::Program;

pub use read::from_wire;
pub use write::to_wire;

/// The largest document that is read.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// How deep the JSON may nest. An expression at [`crate::MAX_EXPR_DEPTH`] stays below.
pub const MAX_DEPTH: usize = 700;

/// Why a document is no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// No JSON, or not of this shape.
    #[error("this is no compiled program: {0}")]
    Shape(String),
    /// Without `format`.
    #[error("this is no compiled program: it has no `format` number")]
    NoFormat,
    /// A format that this version does not know.
    #[error("format {0} is newer than this version of dgh reads, which is {format}; update dgh", format = v1::FORMAT)]
    UnknownFormat(u64),
    /// Larger than [`MAX_BYTES`].
    #[error("the document has {0} bytes; the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Nested deeper than [`MAX_DEPTH`], or an expression deeper than
    /// [`crate::MAX_EXPR_DEPTH`].
    #[error("the document is nested too deeply")]
    TooDeep,
    /// A reference to what is not there.
    #[error("{place}: there is no {what} `{name}`")]
    Unknown {
        /// Kind of thing.
        what: &'static str,
        /// What it is referred to by.
        name: String,
        /// Where.
        place: String,
    },
    /// Two things with one name and no key.
    #[error("there are two {what}s `{name}`")]
    Twice {
        /// Kind of thing.
        what: &'static str,
        /// Their name.
        name: String,
    },
    /// A value that cannot be read.
    #[error("{place}: `{found}` is not {expected}")]
    Value {
        /// What fits.
        expected: &'static str,
        /// What is there.
        found: String,
        /// Where.
        place: String,
    },
    /// A place that did not compile.
    #[error("{0}: this was compiled with errors and cannot be run")]
    Hole(String),
}

/// The canonical bytes of a program: the same for the same program, always.
pub fn to_bytes(program: &Program) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&to_wire(program)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The SHA-256 of the canonical bytes, in hexadecimal: the identity of a program.
pub fn content_hash(program: &Program) -> String {
    use std::fmt::Write as _;
    Sha256::digest(to_bytes(program)).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The program in a document of any format that was ever released.
pub fn from_bytes(bytes: &[u8]) -> Result<Program, WireError> {
    from_wire(&upgrade(bytes)?)
}

/// A document of any released format in the newest one.
pub fn upgrade(bytes: &[u8]) -> Result<v1::Program, WireError> {
    #[derive(Deserialize)]
    struct Head {
        format: Option<serde_json::Value>,
    }
    if bytes.len() > MAX_BYTES {
        return Err(WireError::TooLarge(bytes.len()));
    }
    if depth(bytes) > MAX_DEPTH {
        return Err(WireError::TooDeep);
    }
    let head: Head = parse(bytes)?;
    let format = head.format.ok_or(WireError::NoFormat)?;
    match format.as_u64() {
        Some(1) => parse(bytes),
        Some(newer) if newer > u64::from(v1::FORMAT) => Err(WireError::UnknownFormat(newer)),
        _ => Err(WireError::Shape(format!("its `format` is {format}, which never was one"))),
    }
}

/// The JSON Schema of the newest format.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(v1::Program).to_value()
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    let shape = |error: serde_json::Error| WireError::Shape(error.to_string());
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The depth was checked before: against our limit, not against serde_json's of 128.
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader).map_err(shape)?;
    reader.end().map_err(shape)?;
    Ok(value)
}

/// How deep the brackets of a JSON text nest, whatever else is wrong with it.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in bytes {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
