//! Telnyx media streaming, both ways (`stream_bidirectional_mode: rtp`).
//!
//! Source: Telnyx' pages "Stream call media over WebSocket" and "Media Streaming over Websockets".
//! In come `connected`, `start`, `media`, `mark`, `dtmf`, `error` and `stop`; out go `media`, `mark`
//! and `clear`. Sound comes as the call has it, PCMU or PCMA, and is wanted as
//! `stream_bidirectional_codec` says: PCMU unless the custom parameter `spoken_codec` is `PCMA`.
//! The order of sound is not promised; what comes after its time is dropped.

use std::borrow::Cow;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::wire::{self, Number};
use super::{Carrier, Encoding, Format, Garbage, Handshake, Heard, Place, Spoken, Written};
use crate::socket::SocketMessage;

/// Telnyx' protocol.
#[derive(Debug, Default)]
pub(super) struct Telnyx {
    started: bool,
}

impl Carrier for Telnyx {
    fn name(&self) -> &'static str {
        "telnyx"
    }

    fn read(&mut self, message: &SocketMessage, sound: &mut Vec<u8>) -> Result<Heard, Garbage> {
        let incoming: Incoming<'_> = wire::json(message)?;
        match incoming.event.as_ref() {
            "connected" => return Ok(Heard::Nothing),
            "start" => return self.start(incoming),
            "error" => {
                let fault = incoming.payload.unwrap_or_default();
                return Ok(Heard::Complaint(format!("{} {}", fault.code, fault.title)));
            }
            _ if !self.started => return Err(Garbage::new("a message before `start`")),
            _ => {}
        }
        match incoming.event.as_ref() {
            "media" => {
                let media = incoming.media.ok_or(Garbage::new("`media` without sound"))?;
                if media.track == "outbound" {
                    return Ok(Heard::Nothing);
                }
                wire::unpack(&media.payload, sound)?;
                Ok(Heard::Sound(Place { chunk: media.chunk.0, at_ms: media.timestamp.0 }))
            }
            "mark" => {
                let mark = incoming.mark.ok_or(Garbage::new("`mark` without a name"))?;
                Ok(mark.name.parse().map_or(Heard::Nothing, Heard::Mark))
            }
            "dtmf" => {
                let dtmf = incoming.dtmf.ok_or(Garbage::new("`dtmf` without a key"))?;
                wire::key(&dtmf.digit).map(Heard::Key)
            }
            "stop" => Ok(Heard::Stop),
            _ => Ok(Heard::Nothing),
        }
    }

    fn write(&self, spoken: Spoken<'_>, into: &mut BytesMut) -> Written {
        match spoken {
            Spoken::Sound(sound) => {
                into.extend_from_slice(br#"{"event":"media","media":{"payload":""#);
                wire::pack(sound, into);
                into.extend_from_slice(b"\"}}");
            }
            Spoken::Mark(mark) => {
                into.extend_from_slice(br#"{"event":"mark","mark":{"name":""#);
                wire::decimal(mark, into);
                into.extend_from_slice(b"\"}}");
            }
            Spoken::Clear => into.extend_from_slice(br#"{"event":"clear"}"#),
        }
        Written::Text
    }
}

impl Telnyx {
    fn start(&mut self, incoming: Incoming<'_>) -> Result<Heard, Garbage> {
        let start = incoming.start.ok_or(Garbage::new("`start` without the call"))?;
        if self.started {
            return Err(Garbage::new("a second `start`"));
        }
        let format = start.format.unwrap_or_default();
        let heard = match (format.encoding.as_str(), format.rate.0) {
            ("PCMU" | "", None | Some(8_000)) => Encoding::Mulaw,
            ("PCMA", None | Some(8_000)) => Encoding::Alaw,
            (other, _) => {
                let why = format!("Telnyx sends `{other}` here: ask for `stream_codec` PCMU or PCMA");
                return Ok(Heard::Unusable(why));
            }
        };
        let parameters = wire::texts(start.parameters);
        let spoken = match parameters.get("spoken_codec").map(String::as_str) {
            None | Some("PCMU") => Encoding::Mulaw,
            Some("PCMA") => Encoding::Alaw,
            Some(other) => {
                return Ok(Heard::Unusable(format!("`spoken_codec` is PCMU or PCMA, not `{other}`")));
            }
        };
        self.started = true;
        let handshake = Handshake {
            carrier: self.name(),
            call: wire::filled(&start.call),
            stream: wire::filled(&incoming.stream),
            account: wire::filled(&start.user),
            from: wire::filled(&start.from),
            to: wire::filled(&start.to),
            format: Format { heard, spoken, rate: 8_000 },
            ..Handshake::default()
        };
        Ok(Heard::Start(Box::new(handshake.with_parameters(parameters))))
    }
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, rename = "stream_id", default)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    mark: Option<Mark<'a>>,
    #[serde(borrow)]
    dtmf: Option<Dtmf<'a>>,
    start: Option<Start>,
    payload: Option<Fault>,
}

#[derive(Deserialize)]
struct Media<'a> {
    #[serde(borrow, default)]
    track: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(default)]
    chunk: Number,
    #[serde(default)]
    timestamp: Number,
}

#[derive(Deserialize)]
struct Mark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Start {
    #[serde(rename = "call_control_id", default)]
    call: String,
    #[serde(rename = "user_id", default)]
    user: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(rename = "custom_parameters", default)]
    parameters: Map<String, Json>,
    #[serde(rename = "media_format")]
    format: Option<MediaFormat>,
}

#[derive(Deserialize, Default)]
struct MediaFormat {
    #[serde(default)]
    encoding: String,
    #[serde(rename = "sample_rate", default)]
    rate: Number,
}

#[derive(Deserialize, Default)]
struct Fault {
    #[serde(default)]
    code: Json,
    #[serde(default)]
    title: String,
}
