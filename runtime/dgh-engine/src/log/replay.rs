//! Does a call again from its log.

use std::sync::Arc;

use super::difference::{describe, path};
use super::functions::Functions;
use super::{Log, What};
use crate::call::{Call, Poll};
use crate::effect::{Effect, Record};
use crate::event::Timestamp;
use crate::prepared::Prepared;
use crate::start::StartError;

/// A call that went as its log says.
#[derive(Debug)]
pub struct Replayed {
    /// The call as it stands at the end of the log.
    pub call: Call,
    /// Its records.
    pub records: Vec<Record>,
    /// Effects that were the same.
    pub effects: usize,
}

/// Where a call went another way than its log.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// Line of the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What the log says; none: nothing.
    pub expected: Option<Box<Effect>>,
    /// What happened; none: nothing.
    pub got: Option<Box<Effect>>,
}

/// Why a log could not be replayed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReplayError {
    /// The program has no such agent, or other inputs.
    #[error("the call of this log cannot start with this program")]
    Start(#[from] StartError),
    /// The call goes another way.
    #[error("{0}")]
    Diverged(Box<Divergence>),
}

/// Replays a log. With the program it was made with the effects are the same, bit for bit; with
/// another one, the first difference is named.
pub fn replay(prepared: &Arc<Prepared>, log: &Log) -> Result<Replayed, ReplayError> {
    let agent = prepared.program().agent(&log.agent).ok_or(StartError::NoAgent)?;
    let mut call = Call::of(Arc::clone(prepared), agent, log.start.clone())?;
    let mut records = Vec::new();
    let mut effects = 0;
    let mut functions = Functions::default();
    for entry in &log.entries {
        let diverged = |expected: Option<Box<Effect>>, got: Option<Box<Effect>>| {
            let (seq, at) = (entry.seq, entry.at);
            Err(ReplayError::Diverged(Box::new(Divergence { seq, at, expected, got })))
        };
        match &entry.what {
            What::Event(event) => call.handle(event.clone(), entry.at),
            What::Voice(_) => {}
            What::Effect(expected) => match call.poll().map(|effect| functions.once(effect)) {
                Poll::Effect(got) if got == *expected => {
                    effects += 1;
                    if let Effect::Emit(record) = got {
                        records.push(record);
                    }
                }
                Poll::Effect(got) => {
                    return diverged(Some(Box::new(expected.clone())), Some(Box::new(got)));
                }
                Poll::Deadline(_) => return diverged(Some(Box::new(expected.clone())), None),
            },
        }
    }
    Ok(Replayed { call, records, effects })
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of the log: ", self.seq)?;
        match (&self.expected, &self.got) {
            (Some(expected), Some(got)) => {
                let (was, is) = (describe(expected), describe(got));
                if was == is {
                    write!(f, "{was} differs at `{}`", path(expected, got))
                } else {
                    write!(f, "the call asked for {was}; now it asks for {is}")
                }
            }
            (Some(expected), None) => {
                write!(f, "the call asked for {}; now it asks for nothing", describe(expected))
            }
            (None, Some(got)) => write!(f, "now the call also asks for {}", describe(got)),
            (None, None) => f.write_str("nothing differs"),
        }
    }
}
