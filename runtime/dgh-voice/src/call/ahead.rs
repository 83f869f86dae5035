//! An answer that is prepared while it is not sure that the caller has finished.
//!
//! A call is a value, so it is copied, told the turn, and its reply is asked for. When the turn turns
//! out to be over, the copy is the call, and what it wants done is done; when the caller goes on, the
//! copy is dropped. Nothing but a request of a model and of a voice leaves before that.

use std::collections::VecDeque;

use dgh_engine::Effect;
use dgh_engine::log::LoggedCall;
use dgh_engine::reply::Model;

use super::replies::Replies;
use super::stopwatch::Stopwatch;
use crate::turn::Turn;

/// A prepared answer.
pub(super) struct Ahead {
    /// The call as it will be.
    pub(super) call: LoggedCall,
    /// The turn that it answers.
    pub(super) turn: Turn,
    /// What is to be done when the turn is over; words with the voices that speak there.
    pub(super) effects: VecDeque<(Effect, Option<Vec<Model>>)>,
    pub(super) replies: Replies,
    pub(super) stopwatch: Stopwatch,
    /// Something must happen outside before anything else can be asked for.
    pub(super) blocked: bool,
    /// Whether words are being made into sound.
    pub(super) speaking: bool,
}
