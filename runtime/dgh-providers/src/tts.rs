//! Text to speech: a session per call and voice. Sentences go in, sound comes out as it is made.
//!
//! A session is opened before its first word is needed and kept from turn to turn. Opening never
//! waits. To drop the session is to close it.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::voice::VoiceError;

/// A voice of one provider.
pub trait Tts: Send + Sync {
    /// Opens a session for one call, within a tokio runtime.
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
        /// Language tag.
        language: String,
    },
    /// Nothing of this request is wanted any more. Sound that is on its way may still come.
    Cancel {
        /// Which.
        id: u32,
    },
}

/// What a session makes.
#[derive(Debug, Clone, PartialEq)]
pub enum TtsEvent {
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

/// A word in the sound of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordMark {
    /// Where it ends in the text of the request: UTF-8 bytes.
    pub end: u32,
    /// When its sound starts, in milliseconds from the first sound of the request.
    pub start_ms: u32,
}
