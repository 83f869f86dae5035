//! Speech to speech: a session hears the caller and speaks by itself. The engine still decides:
//! a response is asked for with a node card, and its functions are the engine's.
//!
//! The session never answers on its own: its detector of turns tells when the caller spoke, and the
//! driver asks for the response that the engine wants.

use std::sync::Arc;

use bytes::Bytes;
use dgh_engine::event::{ReplyId, Usage};
use dgh_engine::reply::ReplyRequest;
use serde_json::Value as Json;
use tokio::sync::mpsc;

use crate::voice::VoiceError;

/// A speech-to-speech model of one provider.
pub trait Realtime: Send + Sync {
    /// Opens a session for one call, within a tokio runtime.
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
    /// Answer: the card is the instruction, the functions are the request's. History up to here is
    /// the session's own; what it cannot know (exact words that a voice spoke, results of tools) is
    /// told with `Heard` and in the request's history.
    Respond(Arc<ReplyRequest>),
    /// Stop the response and forget what was not heard of it.
    Cancel {
        /// Which.
        reply: ReplyId,
    },
    /// The caller spoke over it: so much of its sound was heard.
    Truncate {
        /// Which.
        reply: ReplyId,
        /// Milliseconds of its sound.
        heard_ms: u32,
    },
    /// Words that something else said on the agent's behalf.
    Said(String),
}

/// What a session tells.
#[derive(Debug, Clone, PartialEq)]
pub enum RealtimeEvent {
    /// The caller began to speak.
    SpeechStarted,
    /// The caller stopped, and the turn is over.
    SpeechStopped,
    /// The words of the caller's turn; comes after `SpeechStopped`, possibly while a response runs.
    Caller {
        /// The words.
        text: String,
    },
    /// Sound of a response: 16-bit little-endian PCM.
    Audio {
        /// Of which.
        reply: ReplyId,
        /// The sound.
        pcm: Bytes,
    },
    /// Words of a response, as they are spoken; pieces.
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
        /// Its arguments.
        arguments: Json,
    },
    /// A response is over.
    Done {
        /// Which.
        reply: ReplyId,
        /// Why it failed, if it did.
        failure: Option<String>,
        /// What it used.
        usage: Usage,
    },
    /// The session is broken and nothing more comes.
    Failed(VoiceError),
}
