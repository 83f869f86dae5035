//! The offline model behind the trait of all models.

use std::sync::Arc;

use dgh_engine::functions::{CONFIRM, GO, NOTE, UNCLEAR};
use dgh_engine::reply::ReplyRequest;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value as Json, json};

use super::{Move, answer};
use crate::llm::{Delta, Llm, LlmError};

/// The offline model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

impl Llm for Offline {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        let deltas: Vec<_> =
            answer(&request).into_iter().enumerate().map(|(at, one)| Ok(delta(at, one))).collect();
        stream::iter(deltas).boxed()
    }
}

fn delta(at: usize, one: Move) -> Delta {
    let call = |name: &str, arguments: Json| Delta::Call {
        id: format!("offline-{at}"),
        name: name.to_owned(),
        arguments,
    };
    match one {
        // The break keeps a sentence apart from the next one.
        Move::Say(text) => Delta::Text(format!("{text}\n")),
        Move::Go(label) => call(GO, json!({ "label": label })),
        Move::Note(values) => call(NOTE, Json::Object(values)),
        Move::Confirm(yes) => call(CONFIRM, json!({ "answer": if yes { "yes" } else { "no" } })),
        Move::Unclear => call(UNCLEAR, json!({})),
        Move::UseTool { name, args } => call(&name, args),
    }
}
