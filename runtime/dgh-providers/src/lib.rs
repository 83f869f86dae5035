//! Language models behind one trait, and the piece that turns a reply request into events.

pub mod llm;
pub mod sentences;
mod sse;

pub use llm::{Delta, Llm, LlmError, LlmErrorKind};
