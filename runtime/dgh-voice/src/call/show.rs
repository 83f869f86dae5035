//! What the person on the line is shown of the call: the transcript and where it stands.

use dgh_engine::effect::Record;
use dgh_engine::log::{Timing, Voice};
use dgh_providers::stt::SttEvent;
use dgh_providers::tts::TtsEvent;
use serde_json::{Value as Json, json};

/// A record, if it is for the person's eyes. Records are masked already.
pub(super) fn record(record: &Record) -> Option<Json> {
    let shown = match record {
        Record::Caller { .. }
        | Record::Late { .. }
        | Record::Agent { .. }
        | Record::Keys { .. }
        | Record::Entered { .. }
        | Record::Route { .. }
        | Record::Value { .. }
        | Record::Tool { .. }
        | Record::ToolDone { .. }
        | Record::Raised { .. }
        | Record::Ended { .. } => serde_json::to_value(record).ok()?,
        Record::Completed { .. }
        | Record::Refused { .. }
        | Record::Policy { .. }
        | Record::Operator { .. }
        | Record::Webhook { .. } => return None,
    };
    Some(json!({ "type": "record", "record": shown }))
}

/// How long an answer took.
pub(super) fn timing(timing: &Timing) -> Json {
    json!({
        "type": "timing",
        "turn": timing.turn,
        "voice_to_voice_us": timing.voice_to_voice(),
        "own_us": timing.own(),
        "recogniser_us": timing.recogniser(),
        "model_us": timing.model(),
        "voice_us": timing.voice(),
        "endpointing_us": timing.endpointing(),
    })
}

/// What a voice tells for the log.
pub(super) fn spoken(event: &TtsEvent) -> Option<Voice> {
    match event {
        TtsEvent::Connected { provider, ms } => Some(connected("tts", provider, *ms)),
        TtsEvent::Switched { error, to } => Some(switched("tts", &error.to_string(), to)),
        _ => None,
    }
}

/// What a recogniser tells for the log.
pub(super) fn heard(event: &SttEvent) -> Option<Voice> {
    match event {
        SttEvent::Connected { provider, ms } => Some(connected("stt", provider, *ms)),
        SttEvent::Switched { error, to, .. } => Some(switched("stt", &error.to_string(), to)),
        _ => None,
    }
}

fn connected(part: &str, provider: &str, ms: u32) -> Voice {
    Voice::Provider { part: part.to_owned(), provider: provider.to_owned(), connect_ms: ms.into() }
}

fn switched(part: &str, error: &str, to: &str) -> Voice {
    Voice::Trouble { part: part.to_owned(), message: format!("{error}; {to} takes over") }
}
