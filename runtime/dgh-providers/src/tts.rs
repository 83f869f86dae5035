//! Text to speech: a session per call and voice. Sentences go in, sound comes out as it is made.
//!
//! A session is opened before its first word is needed and kept from turn to turn. Opening never
//! waits. To drop the session is to close it.
//!
//! A client here is one connection to one model: it fails when its connection does. Who comes next,
//! and when to connect again, is decided by [`failover`], through which calls use all of them.
//!
//! What is spoken may hold private values: it is never logged, and no error repeats it.

pub(crate) mod azure;
pub(crate) mod cartesia;
mod contexts;
pub(crate) mod deepgram;
pub(crate) mod elevenlabs;
pub mod failover;
mod line;
pub(crate) mod openai;
mod pcm;
mod post;
mod private;
pub mod resample;
pub(crate) mod rime;
mod socket;
pub(crate) mod wav;
mod words;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::voice::VoiceError;

/// A voice of one provider.
pub trait Tts: Send + Sync {
    /// Name of the provider, as the program names it.
    fn provider(&self) -> &str;

    /// The rates that it speaks at, in rising order.
    fn rates(&self) -> &[u32];

    /// Opens a session for one call, within a tokio runtime. It speaks at the [`nearest`] rate.
    fn open(&self, start: TtsStart) -> TtsSession;
}

/// What a session starts with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TtsStart {
    /// Rate of the line: 8,000, 16,000, 24,000 or 48,000. The session speaks at the nearest rate that
    /// the provider has, and says at which.
    pub rate: u32,
    /// Language tag of the call.
    pub language: String,
}

/// A session. The last event before its channel closes is `Failed` without an id, unless it was
/// dropped.
pub struct TtsSession {
    /// Rate of the sound.
    pub rate: u32,
    /// What it is told.
    pub input: mpsc::Sender<TtsInput>,
    /// What it makes.
    pub events: mpsc::Receiver<TtsEvent>,
}

/// What a session is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TtsInput {
    /// Speak a sentence. Requests are spoken in order; the next is asked for while one sounds.
    Speak {
        /// Counts up, never used again in this session.
        id: u32,
        /// The words.
        text: String,
        /// Language tag; empty: the call's.
        language: String,
    },
    /// Nothing of this request is wanted any more. Sound that is on its way may still come, `Done`
    /// does not.
    Cancel {
        /// Which.
        id: u32,
    },
}

/// What a session makes.
#[derive(Debug, Clone, PartialEq)]
pub enum TtsEvent {
    /// The connection stands. For metrics.
    Connected {
        /// To whom.
        provider: String,
        /// How long that took.
        ms: u32,
    },
    /// The first sound of a request follows. For metrics.
    Started {
        /// Of which request.
        id: u32,
        /// Who speaks it.
        provider: String,
        /// From the moment when the provider was asked, and had nothing before it to speak.
        ms: u32,
    },
    /// A model failed and the next one takes over, with the same sentence if none of it has sounded.
    Switched {
        /// Who failed, and why.
        error: VoiceError,
        /// Who speaks now.
        to: String,
    },
    /// Sound: 16-bit little-endian PCM of the session's rate, one channel, whole samples.
    Audio {
        /// Of which request.
        id: u32,
        /// The sound.
        pcm: Bytes,
    },
    /// Where words are in the sound of a request, in order; only from providers that tell.
    Words {
        /// Of which request.
        id: u32,
        /// The words.
        words: Vec<WordMark>,
    },
    /// All sound of a request was told.
    Done {
        /// Which.
        id: u32,
    },
    /// A request, or without an id the session, is broken. Nothing more comes for it.
    Failed {
        /// Which request; none: the session.
        id: Option<u32>,
        /// Why.
        error: VoiceError,
    },
}

impl TtsEvent {
    /// The request that it is about.
    pub fn request(&self) -> Option<u32> {
        match self {
            Self::Started { id, .. }
            | Self::Audio { id, .. }
            | Self::Words { id, .. }
            | Self::Done { id } => Some(*id),
            Self::Failed { id, .. } => *id,
            Self::Connected { .. } | Self::Switched { .. } => None,
        }
    }
}

/// A word in the sound of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordMark {
    /// Where it ends in the text of the request: UTF-8 bytes.
    pub end: u32,
    /// When its sound starts, in milliseconds from the first sound of the request.
    pub start_ms: u32,
}

/// The rate of a list in rising order that fits a line: its own, else the next higher one, else the
/// highest.
pub fn nearest(rates: &[u32], line: u32) -> u32 {
    rates.iter().find(|rate| **rate >= line).or(rates.last()).copied().unwrap_or(line)
}

/// The language of a tag without its region: `en` of `en-US`.
pub(crate) fn language_of(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or_default()
}

/// Whether there is anything to speak in a text: a letter or a digit.
pub(crate) fn is_speakable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
pub(crate) mod tests;
