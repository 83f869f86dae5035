//! Speech without a key and without a network, through programs that are installed on the machine.
//!
//! The voice is a process of `flite` or `espeak-ng` per sentence. The recogniser is PocketSphinx, in
//! processes that stay. What is spoken is private: it goes through pipes and files without a name,
//! never through arguments, which others on the machine see.

// Counts of words and samples are far below what a float holds exactly; levels are positive.
#![allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]

mod english;
mod grammar;
mod pool;
mod program;
mod shape;
mod stt;
mod synth;
mod tts;
mod worker;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use stt::OfflineStt;
pub(crate) use tts::OfflineTts;

/// Longest wait for a program to say that it is there.
const LOOK: Duration = Duration::from_secs(10);

/// What of the offline voice is installed on this machine. What is not says how to get it, in words
/// for the person who runs the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Who speaks: `flite`, or `espeak-ng`.
    pub voice: Result<String, String>,
    /// Who understands: `PocketSphinx` and its version.
    pub recogniser: Result<String, String>,
}

/// Looks what is installed, now. Takes a moment: a program is started to ask it.
pub async fn available() -> Available {
    let voice = synth::Programs::find().voice();
    let recogniser = match worker::python() {
        Ok(python) => match worker::Worker::start(&python, LOOK).await {
            Ok(worker) => Ok(format!("PocketSphinx {}", worker.version)),
            Err(trouble) => Err(stt::words_of(trouble)),
        },
        Err(notice) => Err(notice),
    };
    Available { voice, recogniser }
}

/// Whether a tag is one of English; no tag is.
fn is_english(tag: &str) -> bool {
    tag.is_empty() || crate::tts::language_of(tag).eq_ignore_ascii_case("en")
}
