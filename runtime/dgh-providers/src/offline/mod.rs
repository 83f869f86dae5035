//! A model without a network: it reads the card with plain rules. It lets anybody talk to an
//! agent with no key, and always answers the same request in the same way.
//!
//! It understands dates, amounts, names and common intents of English; it does not converse. What
//! it does not understand it says so; it never guesses.

mod adapter;
mod answers;
mod bounds;
mod choices;
mod concepts;
mod contacts;
mod cues;
mod dates;
mod extract;
mod facts;
mod grammar;
mod hits;
mod labels;
mod money;
mod numbers;
mod open;
mod patterns;
mod questions;
mod reader;
mod repeats;
mod slips;
mod small_talk;
mod spoken;
mod synonyms;
mod texts;
mod times;
mod turn;
mod wording;
mod words;

#[cfg(test)]
mod tests;

use dgh_engine::reply::{Purpose, ReplyRequest};
use serde_json::{Map, Value as Json};

pub use adapter::Offline;

/// What a person who talks to this model should know; for the driver to show once.
pub const NOTICE: &str = "You are talking to the built-in offline model. It is simple: it follows the agent's questions and routes in plain English, with no network and no key. Choose a real model with `--llm`.";

/// One thing that the model does.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Says a sentence.
    Say(String),
    /// Chooses a label.
    Go(String),
    /// Learns values, by name, in the forms of [`dgh_engine::reply::Shape`]; `"declined"` where
    /// the caller does not want to tell.
    Note(Map<String, Json>),
    /// Answers the read-back.
    Confirm(bool),
    /// Did not understand.
    Unclear,
    /// Uses a tool.
    UseTool {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Json,
    },
}

/// Answers a request. The same request has the same answer.
pub fn answer(request: &ReplyRequest) -> Vec<Move> {
    let moves = match request.purpose {
        Purpose::Turn => turn::turn(request),
        Purpose::Extract => turn::learn(request),
        Purpose::Opening => open::opening(request),
        Purpose::Tell => open::tell(request),
        Purpose::AfterTools => open::after_tools(request),
        Purpose::Resume => open::resume(request),
    };
    moves.into_iter().filter(|one| request.may_call || matches!(one, Move::Say(_))).collect()
}
