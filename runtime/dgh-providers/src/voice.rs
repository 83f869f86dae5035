//! What recognisers, voices and speech-to-speech models share: their errors, and the registry
//! that hands them out.
//!
//! Sound is always 16-bit little-endian PCM, one channel; each session says at which rate.

pub(crate) mod endpoint;
mod registry;

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::reply::Model;

use crate::llm::LlmErrorKind;
use crate::realtime::Realtime;
use crate::stt::Stt;
use crate::tts::Tts;

pub use registry::VoiceRegistry;

/// Sound pieces and commands that may wait for a provider; more than a second of frames. What does
/// not fit means that the provider is stuck: the session fails, the caller's sound is not queued.
pub const INPUT_QUEUE: usize = 64;
/// Events that may wait for the call. A session that is not read waits.
pub const EVENT_QUEUE: usize = 64;

/// Why a recogniser, a voice or a speech-to-speech model failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {message}")]
pub struct VoiceError {
    /// Name of the provider, as the program names it.
    pub provider: String,
    /// What went wrong; the kinds of language models.
    pub kind: LlmErrorKind,
    /// For the log and the person who set it up; holds no secret.
    pub message: String,
}

/// Hands out recognisers, voices and speech-to-speech models. The same description gives the same.
pub trait Voices: Send + Sync {
    /// A recogniser.
    fn stt(&self, model: &Model) -> Result<Arc<dyn Stt>, VoiceError>;
    /// A voice.
    fn tts(&self, model: &Model) -> Result<Arc<dyn Tts>, VoiceError>;
    /// A speech-to-speech model.
    fn realtime(&self, model: &Model) -> Result<Arc<dyn Realtime>, VoiceError>;
}

/// How long each part of a session may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To connect, encryption and handshake included.
    pub connect: Duration,
    /// From the request to the first sound, or from the end of speech to the final words.
    pub first: Duration,
    /// Between two pieces of an answer that has begun.
    pub next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(4), first: Duration::from_secs(4), next: Duration::from_secs(4) }
    }
}
