//! A language model as a server: it does what a test has it do with what it is asked.

use std::sync::Arc;
use std::time::Duration;

use dgh_net::testing::{Received, Reply, Server};
use dgh_providers::double::data_events;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

/// A server that speaks OpenAI's protocol. It stops when it is dropped.
pub(crate) struct Model {
    server: Server,
}

/// What it does.
pub(crate) enum Does {
    /// Takes a route.
    Go(&'static str),
    /// Says this.
    Say(&'static str),
    /// Says this, and the connection breaks before the sentence is over.
    Break(&'static str),
    /// Says this, after so long.
    Late(Duration, &'static str),
    /// Never begins.
    Stall,
    /// Refuses, as a provider that is down.
    Refuse,
}

/// What it is asked.
pub(crate) struct Asked {
    /// The last words of the caller, and what can be done with them.
    pub(crate) card: String,
    /// How often it was asked before.
    pub(crate) before: usize,
}

impl Asked {
    /// Whether it may take a route now.
    pub(crate) fn offers(&self, label: &str) -> bool {
        self.card.contains(&format!("- {label}: "))
    }
}

impl Model {
    pub(crate) async fn start(does: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> Self {
        let server = Server::start(move |before, request| answer(&does(&asked(request, before))));
        Self { server: server.await }
    }

    /// It, as an agent names it that waits so long for its first word.
    pub(crate) fn named(&self, patience: &str) -> String {
        format!("openai(\"stub\", url: \"{}\", timeout: {patience})", self.server.url("/v1"))
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.server.received().len()
    }
}

fn asked(request: &Received, before: usize) -> Asked {
    let body = request.json();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let last = messages.iter().rev().find(|message| message["role"] == "user");
    let card = last.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned();
    Asked { card, before }
}

fn answer(does: &Does) -> Reply {
    let says = |text: &str| delta(&json!({ "role": "assistant", "content": text }));
    let head = Reply::pieces("text/event-stream", [""; 0]);
    match does {
        Does::Go(label) => {
            let arguments = json!({ "label": label }).to_string();
            let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "go", "arguments": arguments } });
            let call = delta(&json!({ "role": "assistant", "tool_calls": [call] }));
            head.piece(call + &over("tool_calls")).end()
        }
        Does::Say(text) => head.piece(says(text) + &over("stop")).end(),
        Does::Late(time, text) => {
            let (gate, time) = (Arc::new(Notify::new()), *time);
            let opens = Arc::clone(&gate);
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                opens.notify_one();
            });
            head.wait(&gate).piece(says(text) + &over("stop")).end()
        }
        Does::Break(text) => head.piece(says(text)),
        Does::Stall => head.stall(),
        Does::Refuse => Reply::new(503, "application/json", r#"{"error":{"message":"down"}}"#),
    }
}

fn delta(delta: &Json) -> String {
    data_events([json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })])
}

fn over(why: &str) -> String {
    data_events([json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": why }] })])
        + "data: [DONE]\n\n"
}
