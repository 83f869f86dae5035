//! Plivo audio streaming, both ways (`<Stream bidirectional="true">`).
//!
//! Source: Plivo's pages "The Stream element", "playAudio", "checkpoint" and "clearAudio".
//! In come `start`, `media`, `dtmf`, `playedStream` and `clearedAudio`; out go `playAudio`,
//! `checkpoint` and `clearAudio`. Sound is µ-law of 8 kHz or L16 of 8 or 16 kHz, as the
//! `contentType` of the element says. The end is told by closing the socket; some accounts send
//! `stop` first. Custom parameters are the element's `extraHeaders`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::Value as Json;

use super::wire::{self, Number};
use super::{Carrier, Encoding, Format, Garbage, Handshake, Heard, Place, Spoken, Written};
use crate::socket::SocketMessage;

/// Plivo's protocol.
#[derive(Debug, Default)]
pub(super) struct Plivo {
    started: bool,
    /// What every message of sound begins with, and ends with.
    media: (String, String),
    mark: String,
    clear: String,
}

impl Carrier for Plivo {
    fn name(&self) -> &'static str {
        "plivo"
    }

    fn read(&mut self, message: &SocketMessage, sound: &mut Vec<u8>) -> Result<Heard, Garbage> {
        let incoming: Incoming<'_> = wire::json(message)?;
        match incoming.event.as_ref() {
            "start" => {
                // Plivo repeats the headers in every message; only these are read.
                let Headers { extra_headers } = wire::json(message)?;
                self.start(incoming, headers(extra_headers))
            }
            _ if !self.started => Err(Garbage::new("a message before `start`")),
            "media" => {
                let media = incoming.media.ok_or(Garbage::new("`media` without sound"))?;
                if media.track == "outbound" {
                    return Ok(Heard::Nothing);
                }
                wire::unpack(&media.payload, sound)?;
                // Plivo's timestamps are of the clock on the wall, not of the stream; only the
                // distance between them is used.
                Ok(Heard::Sound(Place { chunk: media.chunk.0, at_ms: media.timestamp.0 }))
            }
            "playedStream" | "played" => Ok(incoming.name.parse().map_or(Heard::Nothing, Heard::Mark)),
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
                into.extend_from_slice(self.media.0.as_bytes());
                wire::pack(sound, into);
                into.extend_from_slice(self.media.1.as_bytes());
            }
            Spoken::Mark(mark) => {
                into.extend_from_slice(self.mark.as_bytes());
                wire::decimal(mark, into);
                into.extend_from_slice(b"\"}");
            }
            Spoken::Clear => into.extend_from_slice(self.clear.as_bytes()),
        }
        Written::Text
    }
}

impl Plivo {
    fn start(
        &mut self,
        incoming: Incoming<'_>,
        parameters: BTreeMap<String, String>,
    ) -> Result<Heard, Garbage> {
        let start = incoming.start.ok_or(Garbage::new("`start` without the call"))?;
        if start.stream.is_empty() {
            return Err(Garbage::new("`start` without a streamId"));
        }
        if self.started {
            return Err(Garbage::new("a second `start`"));
        }
        let format = start.format.unwrap_or_default();
        let (encoding, rate) = match (format.encoding.as_str(), format.rate.0.unwrap_or(8_000)) {
            ("audio/x-mulaw" | "", 8_000) => (Encoding::Mulaw, 8_000),
            ("audio/x-l16", 8_000) => (Encoding::L16, 8_000),
            ("audio/x-l16", 16_000) => (Encoding::L16, 16_000),
            (other, rate) => {
                return Ok(Heard::Unusable(format!("Plivo sends `{other}` of {rate} Hz here")));
            }
        };
        let kind = if encoding == Encoding::L16 { "audio/x-l16" } else { "audio/x-mulaw" };
        let name = wire::quoted(&start.stream);
        self.media = (
            format!(
                r#"{{"event":"playAudio","media":{{"contentType":"{kind}","sampleRate":{rate},"payload":""#
            ),
            format!(r#""}},"streamId":{name}}}"#),
        );
        self.mark = format!(r#"{{"event":"checkpoint","streamId":{name},"name":""#);
        self.clear = format!(r#"{{"event":"clearAudio","streamId":{name}}}"#);
        self.started = true;
        let handshake = Handshake {
            carrier: self.name(),
            call: wire::filled(&start.call),
            stream: Some(start.stream),
            account: wire::filled(&start.account),
            from: wire::filled(&start.from),
            to: wire::filled(&start.to),
            format: Format { heard: encoding, spoken: encoding, rate },
            ..Handshake::default()
        };
        Ok(Heard::Start(Box::new(handshake.with_parameters(parameters))))
    }
}

/// `a=1;b=2` or `a=1,b=2`, a JSON object as a text, or a JSON object.
fn headers(extra: Option<Json>) -> BTreeMap<String, String> {
    match extra {
        Some(Json::Object(object)) => wire::texts(object),
        Some(Json::String(text)) => match serde_json::from_str(&text) {
            Ok(Json::Object(object)) => wire::texts(object),
            _ => {
                let pairs = text.split([';', ',']).filter_map(|pair| pair.split_once('='));
                pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
            }
        },
        _ => BTreeMap::new(),
    }
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    dtmf: Option<Dtmf<'a>>,
    start: Option<Start>,
}

#[derive(Deserialize)]
struct Headers {
    #[serde(default)]
    extra_headers: Option<Json>,
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
struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Start {
    #[serde(rename = "streamId", default)]
    stream: String,
    #[serde(rename = "callId", default)]
    call: String,
    #[serde(rename = "accountId", default)]
    account: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(rename = "mediaFormat")]
    format: Option<MediaFormat>,
}

#[derive(Deserialize, Default)]
struct MediaFormat {
    #[serde(default)]
    encoding: String,
    #[serde(rename = "sampleRate", default)]
    rate: Number,
}
