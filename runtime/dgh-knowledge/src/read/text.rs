//! Plain text: its letters, its line ends.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::ReadError;

/// Bytes that are looked at to find out whether it is a text.
const LOOKED_AT: usize = 8_192;

/// Bytes as text: by the mark at their beginning, else UTF-8, else the letters that Windows wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<String, ReadError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default());
        return Ok(text.into_owned());
    }
    if bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0) {
        return Err(ReadError::Broken("is no text".to_owned()));
    }
    match UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text.into_owned()),
        None => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()),
    }
}

/// Without what nobody reads: spaces at the ends of lines, more than one empty line, characters that
/// control something or that no database keeps.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let line = line.trim_end();
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

/// Letters of a place.
const PLACE: usize = 200;

/// A text on one line, and not a long one.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= PLACE { line } else { line.chars().take(PLACE - 1).chain(['…']).collect() }
}
