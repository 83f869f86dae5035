//! What a reply is asked with. A driver turns it into one streaming request of a model; the
//! offline model reads the card itself.

use std::sync::Arc;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::event::ReplyId;

/// A reply that is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplyRequest {
    /// Which.
    pub id: ReplyId,
    /// What it is for.
    pub purpose: Purpose,
    /// The persona: the system message.
    pub persona: String,
    /// What was said, as heard.
    pub history: Vec<Message>,
    /// The last message.
    pub card: Card,
    /// All functions of the agent, the same list in the same order for the whole call.
    pub functions: Arc<[Function]>,
    /// Whether functions may be called at all; false for wording alone.
    pub may_call: bool,
    /// Models in order of fallback.
    pub models: Vec<Model>,
    /// A small fast model that decides beside them, in order of fallback; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judge: Vec<Model>,
}

/// What a reply is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Answer the caller's turn.
    Turn,
    /// The first words in a node.
    Opening,
    /// One utterance: `tell`. The instruction is on the card.
    Tell,
    /// After tools: their results are in the history.
    AfterTools,
    /// Ask again after a `detour` or an empty reply.
    Resume,
    /// After hang-up: learn from the last turn, say nothing.
    Extract,
}

/// A message of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The caller said.
    Caller(String),
    /// The agent said, as far as it was heard.
    Agent(String),
    /// The model used tools and they answered.
    Tools(Vec<ToolExchange>),
}

/// A tool that the model used, and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolExchange {
    /// The provider's id of the call.
    pub id: String,
    /// Name of the function.
    pub name: String,
    /// Its arguments.
    pub arguments: Json,
    /// The answer, or what failed.
    pub result: Json,
}

/// The node card: what is to be done now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the node.
    pub node: String,
    /// The node's `prompt`, rendered.
    pub prompt: Option<String>,
    /// An instruction for this one reply: of a `tell`, or of the engine.
    pub instruction: Option<String>,
    /// What is known, masked.
    pub known: Vec<Known>,
    /// What may be noted now.
    pub wanted: Vec<Wanted>,
    /// Labels that may be chosen now.
    pub labels: Vec<Label>,
    /// The read-back that waits for a yes or no, as it was spoken.
    pub read_back: Option<String>,
    /// Names of the `use` functions that may be called now.
    pub tools: Vec<String>,
    /// Whether `unclear()` may be called.
    pub may_unclear: bool,
    /// What was refused since the last card, for the model.
    pub remarks: Vec<String>,
    /// Local time of the agent.
    pub now: NaiveDateTime,
    /// Language tag of the call now.
    pub language: String,
}

/// A value that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Name of the variable.
    pub name: String,
    /// What it is.
    pub about: Option<String>,
    /// The value as text, or `[name]`.
    pub value: String,
}

/// A value that may be noted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Name of the variable: a property of `note`.
    pub name: String,
    /// What it is.
    pub about: Option<String>,
    /// What fits.
    pub shape: Shape,
    /// Still to be asked for: of the node's `collect`, and not filled.
    pub missing: bool,
    /// Whether the caller may decline it.
    pub optional: bool,
    /// The exact words of the question, when the author wrote them.
    pub ask: Option<String>,
}

/// What values fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Any text.
    Text,
    /// Yes or no.
    Bool,
    /// A whole number, perhaps within bounds.
    Int {
        /// Smallest.
        min: Option<i64>,
        /// Largest.
        max: Option<i64>,
    },
    /// A number.
    Number,
    /// Money: `"20000 USD"`; the currency when only one fits.
    Money {
        /// ISO 4217.
        currency: Option<String>,
    },
    /// `2026-03-01`
    Date,
    /// `09:30`
    Time,
    /// `2026-03-01T09:30`
    DateTime,
    /// `90s`, `5min`, `2h`
    Duration,
    /// E.164
    Phone,
    /// An address with `@`
    Email,
    /// A web address
    Url,
    /// So many digits
    Digits {
        /// How many.
        count: u32,
    },
    /// One of these cases.
    Enum {
        /// The cases.
        cases: Vec<String>,
    },
    /// One of a list, by its number from 1.
    Choice {
        /// The entries, as text.
        options: Vec<String>,
    },
    /// A list of such values.
    List {
        /// Of what.
        of: Box<Shape>,
    },
    /// A record.
    Record {
        /// Field, what fits, whether it may be missing.
        fields: Vec<(String, Shape, bool)>,
    },
}

/// A route that the model may choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The argument of `go`.
    pub name: String,
    /// When it applies.
    pub sentence: String,
    /// Examples that match.
    pub like: Vec<String>,
    /// Examples that do not.
    pub unlike: Vec<String>,
}

/// A function of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// `go`, `note`, `confirm`, `unclear`, or the name of a `use` tool.
    pub name: String,
    /// What the model reads.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Json,
}

/// A model, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Name of the provider: `openai`.
    pub provider: String,
    /// How it is spoken to: `openai_chat`, `anthropic`, `google`, `offline`.
    pub protocol: String,
    /// Settings and arguments by name: `model`, `url`, `temperature`, …
    pub settings: serde_json::Map<String, Json>,
    /// Name of the environment variable or secret with the key.
    pub key: Option<String>,
}
