//! Speech without a key and without a network, through programs that are installed on the machine.
//!
//! The voice is a process of `flite` or `espeak-ng` per sentence. What is spoken is private: it goes
//! through pipes and files without a name, never through arguments, which others on the machine see.

mod program;
mod shape;
mod synth;
mod tts;

#[cfg(test)]
mod tests;

pub(crate) use tts::OfflineTts;

/// What of the offline voice is installed on this machine. What is not says how to get it, in words
/// for the person who runs the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Who speaks: `flite`, or `espeak-ng`.
    pub voice: Result<String, String>,
}

/// Looks what is installed, now.
pub async fn available() -> Available {
    Available { voice: synth::Programs::find().voice() }
}

/// Whether a tag is one of English; no tag is.
fn is_english(tag: &str) -> bool {
    tag.is_empty() || crate::tts::language_of(tag).eq_ignore_ascii_case("en")
}
