//! The event log: what happened, in order, and all that the engine asked for. It is the one
//! source of truth of a call, holds values in the clear, and is therefore kept sealed; what people
//! see is made of [`Record`](crate::effect::Record)s, which are masked.

mod difference;
mod functions;
mod replay;
mod seal;
mod stream;
mod voice;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::{Call, Poll};
use crate::effect::Effect;
use crate::event::{Event, Timestamp};
use crate::prepared::Prepared;
use crate::start::{CallStart, StartError};

use functions::Functions;
pub use replay::{Divergence, ReplayError, Replayed, replay};
pub use seal::{KEY_LENGTH, NONCE_LENGTH, OpenError, SealError, open, seal};
pub use stream::{Opener, Sealer};
pub use voice::{Timing, Voice};

/// The log of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Version of the engine that wrote it.
    pub engine: String,
    /// The program, where its driver says so.
    #[serde(default)]
    pub program: Option<ProgramRef>,
    /// The agent that took the call.
    pub agent: String,
    /// What the call started with.
    pub start: CallStart,
    /// What happened and what was asked for, in order.
    pub entries: Vec<Entry>,
}

/// Which program a call was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRef {
    /// Where its source is.
    pub path: String,
    /// Its content hash.
    pub hash: String,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the line, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// A fact from outside, or what the engine asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A fact.
    Event(Event),
    /// What the engine asked for. The functions of a reply, the same for the whole call, stand in
    /// the first one alone.
    Effect(Effect),
    /// What the voice measured or met.
    Voice(Voice),
}

/// Version of the engine: a log is replayed bit for bit by the same one.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// A call that keeps its log.
#[derive(Clone)]
pub struct LoggedCall {
    call: Call,
    log: Log,
    now: Timestamp,
    seq: u64,
    functions: Functions,
}

impl LoggedCall {
    /// A call of the agent with this name.
    pub fn new(prepared: Arc<Prepared>, agent: &str, start: CallStart) -> Result<Self, StartError> {
        let id = prepared.program().agent(agent).ok_or(StartError::NoAgent)?;
        let log = Log {
            engine: ENGINE.into(),
            program: None,
            agent: agent.into(),
            start: start.clone(),
            entries: Vec::new(),
        };
        let now = start.now;
        let call = Call::of(prepared, id, start)?;
        Ok(Self { call, log, now, seq: 0, functions: Functions::default() })
    }

    /// Says in the log which program this is.
    pub fn with_program(mut self, program: ProgramRef) -> Self {
        self.log.program = Some(program);
        self
    }

    /// [`Call::handle`], logged.
    pub fn handle(&mut self, event: Event, now: Timestamp) {
        self.now = now.max(self.now);
        self.push(What::Event(event.clone()));
        self.call.handle(event, now);
    }

    /// [`Call::poll`], logged.
    pub fn poll(&mut self) -> Poll {
        let poll = self.call.poll();
        if let Poll::Effect(effect) = &poll {
            let logged = self.functions.once(effect.clone());
            self.push(What::Effect(logged));
        }
        poll
    }

    /// Keeps what the voice measured or met.
    pub fn note(&mut self, voice: Voice, now: Timestamp) {
        self.now = now.max(self.now);
        self.push(What::Voice(voice));
    }

    /// The call.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The log so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Takes the entries out that were made since the last time, to be kept elsewhere: a call of an
    /// hour needs no more memory than one of a minute.
    pub fn drain(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.log.entries)
    }

    /// The log, when the call is done with.
    pub fn into_log(self) -> Log {
        self.log
    }

    fn push(&mut self, what: What) {
        self.seq += 1;
        self.log.entries.push(Entry { seq: self.seq, at: self.now, what });
    }
}
