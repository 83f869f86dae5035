//! What is said over the data channel, as JSON texts. Pure.
//!
//! Out goes what is shown, as the voice loop makes it, and `{"type":"hangup"}` at the end. In come
//! `{"type":"text","text":…}`, `{"type":"key","key":"1"}` and `{"type":"hangup"}`.

use dgh_voice::line::LineEvent;
use serde::Deserialize;

/// Longest message that is read.
pub(super) const MAX_BYTES: usize = 16 << 10;
/// Longest text that is typed, in characters.
pub(super) const MAX_TYPED: usize = 4_000;

/// What the person did.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Tell the call.
    Event(LineEvent),
    /// They hung up.
    Hangup,
}

/// Reads a message. None: it is not one of ours.
pub(super) fn read(bytes: &[u8]) -> Option<Said> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    match serde_json::from_slice(bytes).ok()? {
        Message::Text { text } => {
            let text = text.trim();
            (!text.is_empty() && text.chars().count() <= MAX_TYPED)
                .then(|| Said::Event(LineEvent::Typed(text.to_owned())))
        }
        Message::Key { key } => {
            matches!(key, '0'..='9' | '*' | '#').then_some(Said::Event(LineEvent::Key(key)))
        }
        Message::Hangup => Some(Said::Hangup),
    }
}

/// The message that tells the person's side that the call is over.
pub(super) const HANGUP: &str = r#"{"type":"hangup"}"#;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Message {
    Text { text: String },
    Key { key: char },
    Hangup,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_typed_and_pressed_is_read() {
        let typed = |text: &str| Some(Said::Event(LineEvent::Typed(text.to_owned())));
        assert_eq!(read(br#"{"type":"text","text":" hello \n"}"#), typed("hello"));
        assert_eq!(read(br##"{"type":"key","key":"#"}"##), Some(Said::Event(LineEvent::Key('#'))));
        assert_eq!(read(HANGUP.as_bytes()), Some(Said::Hangup));
    }

    #[test]
    fn anything_else_is_nothing() {
        let long = format!(r#"{{"type":"text","text":"{}"}}"#, "x".repeat(MAX_TYPED + 1));
        let longer = format!(r#"{{"type":"text","text":"{}"}}"#, "x".repeat(MAX_BYTES));
        for message in [
            "",
            "hello",
            "{}",
            r#"{"type":"key","key":"12"}"#,
            r#"{"type":"key","key":"x"}"#,
            r#"{"type":"text","text":"  "}"#,
            r#"{"type":"text"}"#,
            r#"{"type":"reboot"}"#,
            &long,
            &longer,
        ] {
            assert_eq!(read(message.as_bytes()), None, "{message}");
        }
        assert_eq!(read(&[0xff, 0xfe]), None);
    }
}
