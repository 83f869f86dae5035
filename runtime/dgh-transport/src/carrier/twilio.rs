//! Twilio Media Streams, both ways (`<Connect><Stream>`).
//!
//! Source: Twilio's pages "Media Streams - WebSocket messages" and "TwiML Voice: `<Stream>`".
//! In come `connected`, `start`, `media`, `mark`, `dtmf` and `stop`; out go `media`, `mark` and
//! `clear`. Sound is µ-law of 8 kHz. Twilio plays what it gets in order, out of a buffer without a
//! stated bound; after `clear` it sends back the marks that were waiting.

use std::borrow::Cow;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::wire::{self, Number};
use super::{Carrier, Encoding, Format, Garbage, Handshake, Heard, Place, Spoken, Written};
use crate::socket::SocketMessage;

/// Twilio's protocol.
#[derive(Debug, Default)]
pub(super) struct Twilio {
    /// Of the stream; empty before `start`.
    stream: String,
    /// What every message of sound begins with.
    media: String,
    /// What every mark begins with.
    mark: String,
    /// The whole message that clears.
    clear: String,
}

impl Carrier for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn read(&mut self, message: &SocketMessage, sound: &mut Vec<u8>) -> Result<Heard, Garbage> {
        let incoming: Incoming<'_> = wire::json(message)?;
        let event = incoming.event.as_ref();
        if event == "connected" {
            return Ok(Heard::Nothing);
        }
        if event == "start" {
            return self.start(incoming);
        }
        if self.stream.is_empty() {
            return Err(Garbage::new("a message before `start`"));
        }
        if incoming.stream != self.stream {
            return Err(Garbage::new("a message of another stream"));
        }
        match event {
            "media" => {
                let media = incoming.media.ok_or(Garbage::new("`media` without sound"))?;
                if media.track != "inbound" && !media.track.is_empty() {
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
            // Events that are new are no fault.
            _ => Ok(Heard::Nothing),
        }
    }

    fn write(&self, spoken: Spoken<'_>, into: &mut BytesMut) -> Written {
        match spoken {
            Spoken::Sound(sound) => {
                into.extend_from_slice(self.media.as_bytes());
                wire::pack(sound, into);
                into.extend_from_slice(b"\"}}");
            }
            Spoken::Mark(mark) => {
                into.extend_from_slice(self.mark.as_bytes());
                wire::decimal(mark, into);
                into.extend_from_slice(b"\"}}");
            }
            Spoken::Clear => into.extend_from_slice(self.clear.as_bytes()),
        }
        Written::Text
    }
}

impl Twilio {
    fn start(&mut self, incoming: Incoming<'_>) -> Result<Heard, Garbage> {
        let start = incoming.start.ok_or(Garbage::new("`start` without the call"))?;
        let stream = if incoming.stream.is_empty() { start.stream } else { incoming.stream.into_owned() };
        if stream.is_empty() {
            return Err(Garbage::new("`start` without a streamSid"));
        }
        if !self.stream.is_empty() {
            return Err(Garbage::new("a second `start`"));
        }
        let format = start.format.unwrap_or_default();
        if !matches!(format.encoding.as_str(), "" | "audio/x-mulaw")
            || !matches!(format.rate.0, None | Some(8_000))
        {
            return Ok(Heard::Unusable(format!(
                "Twilio sends `{}` here, not µ-law of 8 kHz",
                format.encoding
            )));
        }
        let name = wire::quoted(&stream);
        self.media = format!(r#"{{"event":"media","streamSid":{name},"media":{{"payload":""#);
        self.mark = format!(r#"{{"event":"mark","streamSid":{name},"mark":{{"name":""#);
        self.clear = format!(r#"{{"event":"clear","streamSid":{name}}}"#);
        self.stream.clone_from(&stream);
        let handshake = Handshake {
            carrier: self.name(),
            call: wire::filled(&start.call),
            stream: Some(stream),
            account: wire::filled(&start.account),
            format: Format { heard: Encoding::Mulaw, spoken: Encoding::Mulaw, rate: 8_000 },
            ..Handshake::default()
        };
        Ok(Heard::Start(Box::new(handshake.with_parameters(wire::texts(start.parameters)))))
    }
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, rename = "streamSid", default)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    mark: Option<Mark<'a>>,
    #[serde(borrow)]
    dtmf: Option<Dtmf<'a>>,
    start: Option<Start>,
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
    #[serde(rename = "streamSid", default)]
    stream: String,
    #[serde(rename = "callSid", default)]
    call: String,
    #[serde(rename = "accountSid", default)]
    account: String,
    #[serde(rename = "customParameters", default)]
    parameters: Map<String, Json>,
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
