//! Speech to speech: a session hears the caller and speaks by itself. The engine still decides:
//! a response is asked for with a node card, and its functions are the engine's.
//!
//! The session never answers on its own: it tells when the caller spoke, or is told, and the driver
//! asks for the response that the engine wants. It knows what it heard and said itself; what it
//! cannot know is told to it.

pub mod gemini;
pub mod openai;
mod pump;
pub(crate) mod sound;

use std::sync::Arc;

use bytes::Bytes;
use dgh_engine::event::{ReplyId, Usage};
use dgh_engine::reply::{Message, ReplyRequest};
use serde_json::Value as Json;
use tokio::sync::mpsc;

use crate::voice::VoiceError;

/// A speech-to-speech model of one provider.
pub trait Realtime: Send + Sync {
    /// Whether its own detector tells when the caller speaks: `SpeechStarted`, `SpeechStopped`.
    /// Without one it is told: `CallerStarted`, `CallerStopped`.
    fn hears_turns(&self) -> bool {
        true
    }

    /// Opens a session for one call, within a tokio runtime. Opening never waits.
    fn open(&self, start: RealtimeStart) -> RealtimeSession;
}

/// What a session starts with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RealtimeStart {
    /// Rate of the line. The session hears and speaks at the nearest rate that the provider has.
    pub rate: u32,
    /// Languages of the agent, the first one first.
    pub languages: Vec<String>,
    /// Words that should be known.
    pub words: Vec<String>,
    /// What was said before; empty, unless another session broke.
    pub history: Vec<Message>,
}

/// A session. The last event before its channel closes is `Failed`, unless it was dropped.
pub struct RealtimeSession {
    /// Rate at which it hears.
    pub hears: u32,
    /// Rate at which it speaks.
    pub speaks: u32,
    /// What it is told.
    pub input: mpsc::Sender<RealtimeInput>,
    /// What it tells.
    pub events: mpsc::Receiver<RealtimeEvent>,
}

/// What a session is told.
#[derive(Debug, Clone)]
pub enum RealtimeInput {
    /// Sound of the caller: 16-bit little-endian PCM of the rate at which it hears.
    Audio(Bytes),
    /// The caller began to speak; for sessions that do not hear it.
    CallerStarted,
    /// The caller stopped, and the turn is over; for sessions that do not hear it.
    CallerStopped,
    /// Answer: the card is the instruction, the functions are the request's. Of the history only
    /// results of tools are read, by the ids of the calls: the rest is the session's own. A response
    /// that still runs is stopped first.
    Respond(Arc<ReplyRequest>),
    /// Stop a response if it still runs, and forget what was not heard of its sound. Its `Done` comes
    /// if it has not come yet.
    Cut {
        /// Which.
        reply: ReplyId,
        /// Milliseconds of its sound that were heard.
        heard_ms: u32,
    },
    /// Words that something else said on the agent's behalf.
    Said(String),
    /// What the caller typed, or the keys that were pressed.
    Typed(String),
}

/// What a session tells.
#[derive(Debug, Clone, PartialEq)]
pub enum RealtimeEvent {
    /// The caller began to speak.
    SpeechStarted,
    /// The caller stopped, and the turn is over.
    SpeechStopped,
    /// The words of the caller's turn; comes after the end of the turn, possibly while a response
    /// runs.
    Caller {
        /// The words; none: they could not be written down, though the session heard them.
        text: Option<String>,
    },
    /// Sound of a response: 16-bit little-endian PCM, whole samples.
    Audio {
        /// Of which.
        reply: ReplyId,
        /// The sound.
        pcm: Bytes,
    },
    /// Words of a response, about when their sound comes; pieces.
    Words {
        /// Of which.
        reply: ReplyId,
        /// The piece.
        text: String,
    },
    /// A complete function call.
    Call {
        /// Of which.
        reply: ReplyId,
        /// The provider's id.
        id: String,
        /// Name of the function.
        name: String,
        /// Its arguments: an object.
        arguments: Json,
    },
    /// A response is over; comes once for each.
    Done {
        /// Which.
        reply: ReplyId,
        /// Why it failed, if it did.
        failure: Option<VoiceError>,
        /// What it used.
        usage: Usage,
    },
    /// The session is broken and nothing more comes.
    Failed(VoiceError),
}
