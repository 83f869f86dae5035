//! Turn taking: who speaks, and when a turn is over. A pure state machine: facts with their time
//! go in, decisions come out. It never hears sound; detectors and recognisers tell it.
//!
//! Its timelines are drawn in `TURNS.md`; each is a test.

mod detector;
mod echo;
mod policy;
mod speech;
mod tables;
mod taker;
#[cfg(test)]
mod tests;
mod words;

pub use policy::{Policy, Tuning};
pub use taker::TurnTaker;
pub(crate) use words::{clean, plain};

use crate::Millis;

/// A fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// The detector: the caller's sound became speech (true) or stopped being speech (false). Told at
    /// once, without hang-over: smoothing is done here.
    Voice(bool),
    /// Words so far, since the last final ones.
    Partial(String),
    /// Words that will not change.
    Final {
        /// The words; may be empty.
        text: String,
        /// Percent.
        confidence: Option<u8>,
        /// Language tag.
        language: Option<String>,
    },
    /// The recogniser: the turn may be over.
    MaybeEnd,
    /// It was not.
    Resumed,
    /// The recogniser: the turn is over.
    EndOfTurn,
    /// The recogniser is broken, and there is none: turns are told by the detector alone, empty.
    Deaf,
    /// The agent's sound began or goes on (true: the caller may talk over it) or, none, has ended.
    /// Sound that is held has not ended.
    Agent(Option<bool>),
    /// The words that the agent is saying, or will say next; heard back, they are its echo. For lines
    /// that do not cancel their echo.
    Saying(String),
    /// What the node wants now.
    Policy(Policy),
    /// Typed words: a turn at once.
    Typed(String),
    /// Nothing but the time.
    Tick,
}

/// A decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The caller speaks: the silence counter stops. Always followed by a `Turn`.
    CallerSpeaking,
    /// Stop the agent's sound where it is, and keep the rest: this may be an interruption. Always
    /// followed by `Resume` or `Cut`.
    Hold,
    /// It was none (a noise, a backchannel): go on where it stopped.
    Resume,
    /// It is one: drop what was held, or what sounds. Comes without a `Hold` when words decide.
    Cut,
    /// This looks like a whole turn: an answer can be prepared. Replaces what was prepared.
    Prepare(Turn),
    /// The caller goes on: drop what was prepared.
    Discard,
    /// The turn is over. If its text is that of the last `Prepare`, what was prepared holds: where
    /// only the punctuation changed, it is.
    Turn(Turn),
    /// The recogniser should give its last words now.
    Finish,
}

/// What the caller said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// The words; empty: speech that nobody understood.
    pub text: String,
    /// Percent: the lowest of its parts.
    pub confidence: Option<u8>,
    /// Language tag.
    pub language: Option<String>,
    /// When the caller's last word ended, as the detector heard it.
    pub spoke_until: Millis,
    /// When its last words were final.
    pub final_at: Millis,
}
