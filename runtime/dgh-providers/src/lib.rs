//! Language models, recognisers, voices and speech-to-speech models behind four traits, and the
//! piece that turns a reply request into events.

pub mod anthropic;
pub mod ask;
pub mod card;
#[cfg(any(test, feature = "testing"))]
pub mod double;
pub mod google;
mod judge;
pub mod llm;
pub mod offline;
pub mod offline_voice;
pub mod openai;
mod prompt;
pub mod realtime;
pub mod registry;
pub mod reply;
pub mod sentences;
mod settings;
mod sse;
pub mod stt;
mod think;
pub mod tts;
pub mod voice;
mod wire;
pub mod write;

pub use llm::{Delta, Llm, LlmError, LlmErrorKind};
pub use registry::{Models, Registry};
pub use voice::{VoiceError, VoiceRegistry, Voices};
