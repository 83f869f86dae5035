//! The caller's activity: where it begins and ends on the wire, and the sound that waits meanwhile.
//!
//! While the model speaks, the beginning of an activity would cut it. Whether the caller interrupts
//! is decided elsewhere, so the sound is held until the answer is over or was cut.

use std::collections::VecDeque;

use serde_json::json;

use crate::realtime::sound::Format;

/// Sound before the caller was heard to speak that belongs to the turn.
const BEFORE_MS: u64 = 300;
/// Sound that waits for the model to be ready or to be done.
const HELD_MS: u64 = 15_000;
/// Sound that goes out at once.
const BATCH_MS: u64 = 40;

/// The caller's side of a session.
pub(super) struct Activity {
    format: Format,
    caller: Caller,
    /// The activity began on the wire.
    sent: bool,
    /// Sound that was not sent.
    held: VecDeque<u8>,
}

/// What the caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nothing.
    Silent,
    /// Speaks.
    Speaks,
    /// Has spoken, and waits for an answer.
    Waits,
}

impl Activity {
    pub(super) fn new(format: Format) -> Self {
        Self { format, caller: Caller::Silent, sent: false, held: VecDeque::new() }
    }

    pub(super) fn caller(&self) -> Caller {
        self.caller
    }

    pub(super) fn started(&mut self, may_send: bool, out: &mut Vec<String>) {
        self.caller = Caller::Speaks;
        self.flush(may_send, out);
    }

    pub(super) fn stopped(&mut self, may_send: bool, out: &mut Vec<String>) {
        if self.caller == Caller::Speaks {
            self.caller = Caller::Waits;
            self.flush(may_send, out);
            if self.sent {
                self.send_held(out);
            }
        }
    }

    pub(super) fn sound(&mut self, pcm: &[u8], may_send: bool, out: &mut Vec<String>) {
        self.held.extend(pcm);
        let keep = match self.caller {
            Caller::Speaks if self.sent => {
                if self.format.millis(self.held.len() as u64) >= BATCH_MS {
                    self.send_held(out);
                }
                return;
            }
            Caller::Speaks => HELD_MS,
            // What came between a turn and its answer is silence, or the beginning of more.
            Caller::Waits if !self.sent => HELD_MS,
            Caller::Silent | Caller::Waits => BEFORE_MS,
        };
        let keep = usize::try_from(keep * u64::from(self.format.rate()) / 500).unwrap_or(usize::MAX) & !1;
        let beyond = self.held.len().saturating_sub(keep);
        self.held.drain(..beyond);
        self.flush(may_send, out);
    }

    /// Begins the activity on the wire if the caller spoke and nothing speaks against it.
    pub(super) fn flush(&mut self, may_send: bool, out: &mut Vec<String>) {
        if !may_send || self.caller == Caller::Silent || self.sent {
            return;
        }
        out.push(json!({ "realtimeInput": { "activityStart": {} } }).to_string());
        self.sent = true;
        self.send_held(out);
    }

    /// Ends the activity with a text, or makes one of it alone. The model answers.
    pub(super) fn end(&mut self, text: &str, out: &mut Vec<String>) {
        if self.caller != Caller::Silent {
            self.flush(true, out);
        }
        if !self.sent {
            out.push(json!({ "realtimeInput": { "activityStart": {} } }).to_string());
        }
        out.push(json!({ "realtimeInput": { "text": text } }).to_string());
        out.push(json!({ "realtimeInput": { "activityEnd": {} } }).to_string());
        self.sent = false;
        if self.caller == Caller::Waits {
            self.caller = Caller::Silent;
        }
    }

    /// The connection is another one: nothing of an activity is on its wire.
    pub(super) fn anew(&mut self) {
        self.sent = false;
    }

    fn send_held(&mut self, out: &mut Vec<String>) {
        if self.held.is_empty() {
            return;
        }
        let mut message = String::with_capacity(self.held.len() * 4 / 3 + 96);
        message.push_str(r#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate="#);
        message.push_str(&self.format.rate().to_string());
        message.push_str(r#"","data":""#);
        self.format.encode(self.held.make_contiguous(), &mut message);
        message.push_str("\"}}}");
        self.held.clear();
        out.push(message);
    }
}
