//! Speech to text: a stream per call. Sound goes in as it comes, words come out.
//!
//! A session is opened when the call starts, before the first word, and lives as long as the call.
//! Opening never waits: what is sent before the connection stands is kept for it. To drop the
//! session is to close it.

pub mod assemblyai;
pub mod azure;
mod batch;
pub(crate) mod connection;
pub mod deepgram;
pub mod failover;
pub mod flux;
pub(crate) mod gate;
pub mod openai;
pub(crate) mod openai_file;
pub(crate) mod session;
mod sound;
pub mod speechmatics;
#[cfg(test)]
pub(crate) mod testing;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::mpsc;

use crate::voice::{Patience, VoiceError};

pub use connection::{Connection, Told};
pub use failover::failover;

/// A recogniser of one provider.
pub trait Stt: Send + Sync {
    /// The rate that it hears best, of those that lines have: 8,000 or 16,000.
    fn rate(&self, line: u32) -> u32 {
        if line <= 8_000 { 8_000 } else { 16_000 }
    }

    /// Whether it tells by itself that a turn is over (`EndOfTurn`, `MaybeEnd`, `Resumed`).
    fn ends_turns(&self) -> bool {
        false
    }

    /// How long its parts may take, when its settings say so.
    fn patience(&self) -> Option<Patience> {
        None
    }

    /// Opens a stream for one call, within a tokio runtime. It does not reconnect: see [`failover`].
    fn open(&self, start: SttStart) -> SttSession;

    /// Opens a connection without a task of its own: what [`failover`] drives.
    fn connect(&self, start: SttStart) -> Connecting {
        let opened: Box<dyn Connection> = Box::new(connection::Opened::new(self.open(start)));
        ready(Ok(opened)).boxed()
    }
}

/// A connection on its way.
pub type Connecting = BoxFuture<'static, Result<Box<dyn Connection>, VoiceError>>;

/// What a stream starts with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SttStart {
    /// Rate of the sound: what [`Stt::rate`] answered.
    pub rate: u32,
    /// Languages of the agent, the first one first; empty: not known.
    pub languages: Vec<String>,
    /// Words that should be known, from the agent's `words`.
    pub words: Vec<String>,
}

/// A stream. The last event before its channel closes is `Failed`, unless it was dropped.
pub struct SttSession {
    /// What it hears. Full: see [`crate::voice::INPUT_QUEUE`].
    pub input: mpsc::Sender<SttInput>,
    /// What it understood.
    pub events: mpsc::Receiver<SttEvent>,
}

/// What goes into a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum SttInput {
    /// Sound: 16-bit little-endian PCM of the session's rate, one channel.
    Audio(Bytes),
    /// The caller stopped speaking, as our detector hears it: words that are pending are wanted now.
    SpeechEnded,
    /// What fits here, for recognisers that take a grammar; others ignore it.
    Expect(Arc<Expected>),
}

/// What a stream tells.
#[derive(Debug, Clone, PartialEq)]
pub enum SttEvent {
    /// Words so far since the last `Final`; each replaces the one before.
    Partial {
        /// The words.
        text: String,
    },
    /// Words that will not change. A turn is all its final words, joined by spaces. May be empty
    /// after `SpeechEnded`: there was nothing to understand.
    Final {
        /// The words.
        text: String,
        /// Percent that the recogniser gives itself.
        confidence: Option<u8>,
        /// Language tag, when it tells it.
        language: Option<String>,
    },
    /// The turn may be over; an answer can be prepared.
    MaybeEnd,
    /// It was not over.
    Resumed,
    /// The turn is over.
    EndOfTurn,
    /// All words from before the last `SpeechEnded` have been told.
    Answered {
        /// Who recognised them.
        provider: String,
        /// Milliseconds since that `SpeechEnded`.
        ms: u32,
    },
    /// A provider is connected and listens.
    Connected {
        /// Which.
        provider: String,
        /// Milliseconds that it took.
        ms: u32,
    },
    /// A provider failed, and another one, or the same again, goes on from the last `Final`. The
    /// sound since then is told to it, so that no word is lost.
    Switched {
        /// Which failed.
        from: String,
        /// Which takes over.
        to: String,
        /// Why.
        error: VoiceError,
    },
    /// The stream is broken and nothing more comes.
    Failed(VoiceError),
}

/// What the caller is expected to say now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Expected {
    /// Sentences and words that fit: examples of routes, cases of enums, yes and no.
    pub phrases: Vec<String>,
    /// When routes apply, in the words of the agent's author: "They ask about a bill".
    pub topics: Vec<String>,
    /// Numbers, digits, dates, times or sums of money fit.
    pub numbers: bool,
    /// Anything else fits as well: names, reasons.
    pub open: bool,
    /// Language tag.
    pub language: String,
}

#[cfg(test)]
mod tests;
