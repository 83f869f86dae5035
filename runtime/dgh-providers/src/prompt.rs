//! A reply request as a conversation between two sides, in the form that all three APIs share:
//! it starts with the user, sides alternate, and the node card is the last thing the user says.
//!
//! The caller's words and the card stand in one user message, as two parts: chat templates of open
//! models refuse two user messages in a row.

use dgh_engine::reply::{Message, ReplyRequest, ToolExchange};
use serde_json::Value as Json;

use crate::card;

/// A request in the shared form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prompt {
    /// The persona; may be empty.
    pub(crate) system: String,
    /// The turns; the last one is the user's and ends with the card.
    pub(crate) turns: Vec<Turn>,
}

/// One side's turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Turn {
    /// The caller, the runtime.
    User(Vec<String>),
    /// The agent; never empty.
    Assistant(String),
    /// The agent called tools and they answered.
    Tools(Vec<Called>),
}

/// A tool that was called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    /// Unique in the request. Ids of the providers are not repeated: each has rules of its own for
    /// them, and the tools may have been called through another one.
    pub(crate) id: String,
    /// Name of the function.
    pub(crate) name: String,
    /// An object.
    pub(crate) arguments: Json,
    /// The answer.
    pub(crate) result: Json,
}

/// What the user says when the agent speaks first: no API lets the assistant begin.
const BEGINNING: &str = "[The call begins.]";
/// A caller turn in which nothing was understood.
const NOTHING: &str = "[The caller said nothing that could be understood.]";

impl Prompt {
    /// Puts a request into the shared form.
    pub(crate) fn of(request: &ReplyRequest) -> Self {
        let mut turns = Vec::new();
        let mut calls = 0;
        for message in &request.history {
            match message {
                Message::Caller(text) => {
                    say(&mut turns, if text.trim().is_empty() { NOTHING } else { text });
                }
                Message::Agent(text) if text.trim().is_empty() => {}
                Message::Agent(text) => {
                    begin(&mut turns);
                    match turns.last_mut() {
                        Some(Turn::Assistant(before)) => {
                            before.push(' ');
                            before.push_str(text);
                        }
                        _ => turns.push(Turn::Assistant(text.clone())),
                    }
                }
                Message::Tools(exchanges) => {
                    begin(&mut turns);
                    let exchanges: Vec<_> = exchanges.iter().map(|e| called(e, &mut calls)).collect();
                    if !exchanges.is_empty() {
                        turns.push(Turn::Tools(exchanges));
                    }
                }
            }
        }
        // A text beside any call has no node, and so no card: see [`crate::write`].
        if request.card.node.is_empty() {
            begin(&mut turns);
        } else {
            say(&mut turns, &card::text(request));
        }
        Self { system: request.persona.clone(), turns }
    }
}

fn say(turns: &mut Vec<Turn>, text: &str) {
    match turns.last_mut() {
        Some(Turn::User(parts)) => parts.push(text.to_owned()),
        _ => turns.push(Turn::User(vec![text.to_owned()])),
    }
}

fn begin(turns: &mut Vec<Turn>) {
    if turns.is_empty() {
        say(turns, BEGINNING);
    }
}

fn called(exchange: &ToolExchange, calls: &mut u32) -> Called {
    *calls += 1;
    let arguments = match &exchange.arguments {
        arguments @ Json::Object(_) => arguments.clone(),
        _ => Json::Object(serde_json::Map::new()),
    };
    Called {
        id: format!("call_{calls}"),
        name: exchange.name.clone(),
        arguments,
        result: exchange.result.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use serde_json::json;

    use super::*;
    use crate::double;

    #[test]
    fn the_user_begins_the_sides_alternate_and_the_card_is_last() {
        let mut request = double::request();
        let exchange = |name: &str| ToolExchange {
            id: "x/y".into(),
            name: name.into(),
            arguments: json!(null),
            result: json!(1),
        };
        request.history = vec![
            Message::Agent("Hello.".into()),
            Message::Agent("  ".into()),
            Message::Agent("Who is there?".into()),
            Message::Caller("Ann.".into()),
            Message::Caller(String::new()),
            Message::Tools(vec![exchange("a"), exchange("b")]),
            Message::Tools(vec![]),
            Message::Tools(vec![exchange("c")]),
        ];
        let prompt = Prompt::of(&request);
        let call = |id: &str, name: &str| Called {
            id: id.into(),
            name: name.into(),
            arguments: json!({}),
            result: json!(1),
        };
        assert_eq!(
            prompt.turns[..5],
            [
                Turn::User(vec![BEGINNING.into()]),
                Turn::Assistant("Hello. Who is there?".into()),
                Turn::User(vec!["Ann.".into(), NOTHING.into()]),
                Turn::Tools(vec![call("call_1", "a"), call("call_2", "b")]),
                Turn::Tools(vec![call("call_3", "c")]),
            ]
        );
        assert_eq!(prompt.turns[5], Turn::User(vec![card::text(&request)]));
        assert_eq!(prompt.turns.len(), 6);
    }

    #[test]
    fn the_callers_words_and_the_card_are_two_parts_of_one_turn() {
        let mut request = double::request();
        request.history = vec![Message::Caller("Tomorrow.".into())];
        assert_eq!(Prompt::of(&request).turns, [Turn::User(vec!["Tomorrow.".into(), card::text(&request)])]);
    }
}
