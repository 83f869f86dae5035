//! What is known when a call starts. Together with the events it is all that a call depends on.

use std::sync::Arc;

use dgh_ir::Channel;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::event::Timestamp;
use crate::reply::Model;

/// What a call starts with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallStart {
    /// Name of the call, unique; part of every idempotency key.
    pub call_id: String,
    /// When it started.
    pub now: Timestamp,
    /// How the caller is reached.
    pub channel: Channel,
    /// Who called.
    pub direction: Direction,
    /// The other side.
    #[serde(default)]
    pub caller: Caller,
    /// Inputs of the agent by name, as JSON of their types.
    #[serde(default)]
    pub inputs: IndexMap<String, Json>,
    /// `env` of the profile.
    #[serde(default)]
    pub env: IndexMap<String, String>,
    /// Language models for agents that name none, in order of fallback.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Judges for agents that name none.
    #[serde(default)]
    pub judge: Vec<Model>,
    /// Knowledge whose whole text a model gets (`mode: full`), by its key.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub knowledge: IndexMap<String, Arc<str>>,
    /// Where the transcript will be found.
    #[serde(default)]
    pub transcript_url: Option<String>,
    /// Where the recording will be found.
    #[serde(default)]
    pub recording_url: Option<String>,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The person called, wrote, or opened the page.
    Inbound,
    /// The agent called.
    Outbound,
}

/// The other side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Caller {
    /// E.164.
    #[serde(default)]
    pub phone: Option<String>,
    /// Language tag, when it is known before a word was said.
    #[serde(default)]
    pub language: Option<String>,
}

impl CallStart {
    /// A call that only names itself: inbound, with nothing given.
    pub fn new(call_id: impl Into<String>, channel: Channel, now: Timestamp) -> Self {
        Self {
            call_id: call_id.into(),
            now,
            channel,
            direction: Direction::Inbound,
            caller: Caller::default(),
            inputs: IndexMap::new(),
            env: IndexMap::new(),
            models: Vec::new(),
            judge: Vec::new(),
            knowledge: IndexMap::new(),
            transcript_url: None,
            recording_url: None,
        }
    }
}

/// Why a call cannot start. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The agent is not one of the program.
    #[error("the program has no such agent")]
    NoAgent,
    /// The agent has no `start`.
    #[error("agent `{0}` has no node to start with")]
    NoStart(String),
    /// An input without a value.
    #[error("input `{0}` is missing")]
    MissingInput(String),
    /// An input that the agent does not declare.
    #[error("the agent has no input `{0}`")]
    UnknownInput(String),
    /// An input of another type.
    #[error("input `{name}` takes {expected}")]
    BadInput {
        /// Which.
        name: String,
        /// What fits.
        expected: String,
    },
}
