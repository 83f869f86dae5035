//! Vonage Voice API websockets: sound as bytes, everything else as text.
//!
//! Source: Vonage's pages "WebSockets in the Vonage Voice API" and "NCCO reference".
//! In come `websocket:connected` (with the headers of the endpoint), sound, `websocket:dtmf`,
//! `websocket:notify` and `websocket:cleared`; out go sound and the actions `clear` and `notify`.
//! Sound is L16 of 8 or 16 kHz, low byte first, in messages of exactly 20 ms. The end is told by
//! closing the socket. Sound without a `websocket:connected` before it is taken as 16 kHz.

use std::borrow::Cow;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::wire;
use super::{Carrier, Encoding, Format, Garbage, Handshake, Heard, Place, Spoken, Written};
use crate::socket::SocketMessage;

/// Vonage's protocol.
#[derive(Debug, Default)]
pub(super) struct Vonage {
    started: bool,
}

impl Carrier for Vonage {
    fn name(&self) -> &'static str {
        "vonage"
    }

    fn read(&mut self, message: &SocketMessage, sound: &mut Vec<u8>) -> Result<Heard, Garbage> {
        if let SocketMessage::Binary(bytes) = message {
            if bytes.len() % Encoding::L16.width() != 0 {
                return Err(Garbage::new("half a sample"));
            }
            sound.extend_from_slice(bytes);
            let first = !std::mem::replace(&mut self.started, true);
            return Ok(if first { start(Map::new(), 16_000) } else { Heard::Sound(Place::default()) });
        }
        let incoming: Incoming<'_> = wire::json(message)?;
        match incoming.event.as_ref() {
            "websocket:connected" if self.started => Err(Garbage::new("a second `websocket:connected`")),
            "websocket:connected" => {
                let mut headers: Map<String, Json> = wire::json(message)?;
                headers.remove("event");
                let kind = headers.remove("content-type").unwrap_or_default();
                let kind = kind.as_str().unwrap_or("audio/l16;rate=16000").replace(' ', "");
                let rate = match kind.as_str() {
                    "audio/l16;rate=16000" => 16_000,
                    "audio/l16;rate=8000" => 8_000,
                    other => return Ok(Heard::Unusable(format!("Vonage sends `{other}` here"))),
                };
                self.started = true;
                Ok(start(headers, rate))
            }
            "websocket:dtmf" => {
                // Older accounts send `{"dtmf":{"digit":…}}`.
                let nested = incoming.dtmf.map(|dtmf| dtmf.digit);
                let digit = if incoming.digit.is_empty() { nested } else { Some(incoming.digit) };
                wire::key(&digit.unwrap_or_default()).map(Heard::Key)
            }
            "websocket:notify" => {
                let mark = incoming.payload.and_then(|payload| payload.mark);
                Ok(mark.map_or(Heard::Nothing, Heard::Mark))
            }
            _ => Ok(Heard::Nothing),
        }
    }

    fn write(&self, spoken: Spoken<'_>, into: &mut BytesMut) -> Written {
        match spoken {
            Spoken::Sound(sound) => {
                into.extend_from_slice(sound);
                return Written::Binary;
            }
            Spoken::Mark(mark) => {
                into.extend_from_slice(br#"{"action":"notify","payload":{"mark":"#);
                wire::decimal(mark, into);
                into.extend_from_slice(b"}}");
            }
            Spoken::Clear => into.extend_from_slice(br#"{"action":"clear"}"#),
        }
        Written::Text
    }
}

/// The call, out of the headers that the author of the NCCO chose.
fn start(headers: Map<String, Json>, rate: u32) -> Heard {
    let headers = wire::texts(headers);
    let named = |names: &[&str]| names.iter().find_map(|name| headers.get(*name).cloned());
    let handshake = Handshake {
        carrier: "vonage",
        call: named(&["uuid", "call_uuid", "call"]),
        stream: named(&["conversation_uuid"]),
        format: Format { heard: Encoding::L16, spoken: Encoding::L16, rate },
        ..Handshake::default()
    };
    Heard::Start(Box::new(handshake.with_parameters(headers)))
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    digit: Cow<'a, str>,
    #[serde(borrow)]
    dtmf: Option<Dtmf<'a>>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Payload {
    mark: Option<u32>,
}
