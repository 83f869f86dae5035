//! What carriers say over a websocket, one file each.
//!
//! A [`Carrier`] is a protocol and nothing else: a message in, what it means out. It holds no
//! socket, no clock and no sound longer than a message. The next carrier is a file here and a line
//! in [`named`].

mod plivo;
mod telnyx;
mod twilio;
mod vonage;
mod wire;

use std::collections::BTreeMap;

use bytes::BytesMut;

use crate::socket::SocketMessage;

/// The carriers that [`named`] knows.
pub const NAMES: &[&str] = &["twilio", "telnyx", "plivo", "vonage"];

/// The protocol of this name, for one call.
pub fn named(name: &str) -> Option<Box<dyn Carrier>> {
    Some(match name {
        "twilio" => Box::new(twilio::Twilio::default()),
        "telnyx" => Box::new(telnyx::Telnyx::default()),
        "plivo" => Box::new(plivo::Plivo::default()),
        "vonage" => Box::new(vonage::Vonage::default()),
        _ => return None,
    })
}

/// A carrier's protocol, for one call.
pub trait Carrier: Send {
    /// Its name: one of [`NAMES`].
    fn name(&self) -> &'static str;

    /// Reads a message. Sound is added to `sound` as the carrier codes it.
    fn read(&mut self, message: &SocketMessage, sound: &mut Vec<u8>) -> Result<Heard, Garbage>;

    /// Writes what says this into `into`, which is empty.
    fn write(&self, spoken: Spoken<'_>, into: &mut BytesMut) -> Written;
}

/// What a message means.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Nothing for us.
    Nothing,
    /// The call is known. May come with sound.
    Start(Box<Handshake>),
    /// The call is known, and cannot be taken: why.
    Unusable(String),
    /// Sound, and where it belongs.
    Sound(Place),
    /// A key was pressed.
    Key(char),
    /// Everything before this mark was played, or cleared.
    Mark(u32),
    /// The carrier complains.
    Complaint(String),
    /// The call is over.
    Stop,
}

/// Where sound belongs, as far as the carrier tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Number of the message among those with sound.
    pub chunk: Option<u64>,
    /// Milliseconds from the start of the stream.
    pub at_ms: Option<u64>,
}

/// What is to be said to the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken<'a> {
    /// Play this, coded as [`Format::spoken`] tells.
    Sound(&'a [u8]),
    /// Tell me when everything before was played.
    Mark(u32),
    /// Drop what was not played.
    Clear,
}

/// The kind of message that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

/// A message that is not of the protocol: what is wrong with it. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}", .at.map_or_else(String::new, |at| format!(", at byte {at}")))]
pub struct Garbage {
    /// One of a few texts.
    pub kind: &'static str,
    /// The byte of the message.
    pub at: Option<usize>,
}

impl Garbage {
    const fn new(kind: &'static str) -> Self {
        Self { kind, at: None }
    }
}

/// What is known of a call before its first sound.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handshake {
    /// The carrier.
    pub carrier: &'static str,
    /// The carrier's id of the call. Vonage tells none unless it is asked to in the headers.
    pub call: Option<String>,
    /// The carrier's id of the stream.
    pub stream: Option<String>,
    /// The carrier's id of the account.
    pub account: Option<String>,
    /// Who calls: told by the carrier, or the parameter `from`.
    pub from: Option<String>,
    /// Who is called: told by the carrier, or the parameter `to`.
    pub to: Option<String>,
    /// What the carrier was told to hand on.
    pub parameters: BTreeMap<String, String>,
    /// How sound is coded.
    pub format: Format,
}

impl Handshake {
    /// Fills what the carrier did not tell from parameters of the usual names.
    fn with_parameters(mut self, parameters: BTreeMap<String, String>) -> Self {
        let named = |name: &str| {
            let mut all = parameters.iter();
            all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        self.from = self.from.or_else(|| named("from"));
        self.to = self.to.or_else(|| named("to"));
        self.parameters = parameters;
        self
    }
}

/// How sound is coded. One channel, the same rate both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// What comes in.
    pub heard: Encoding,
    /// What goes out.
    pub spoken: Encoding,
    /// 8,000 or 16,000 samples a second.
    pub rate: u32,
}

impl Default for Format {
    fn default() -> Self {
        Self { heard: Encoding::Mulaw, spoken: Encoding::Mulaw, rate: 8_000 }
    }
}

/// A coding of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 µ-law.
    Mulaw,
    /// G.711 A-law.
    Alaw,
    /// 16 bit, low byte first.
    L16,
}

impl Encoding {
    /// Bytes of a sample.
    pub const fn width(self) -> usize {
        match self {
            Self::Mulaw | Self::Alaw => 1,
            Self::L16 => 2,
        }
    }
}
