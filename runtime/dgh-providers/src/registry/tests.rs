//! Whole replies out of real servers of all three APIs: what fails, who takes over.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_engine::Event;
use dgh_net::Policy;
use dgh_net::testing::{Reply, Server};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::*;
use crate::double::{self, data_events, in_pieces, named_events};
use crate::reply;

fn registry() -> Registry {
    let secrets: HashMap<String, SecretString> =
        HashMap::from([("KEY".to_owned(), "hush".to_owned().into())]);
    Registry::new(Client::new(Policy::with_private()).unwrap(), Arc::new(secrets))
}

fn model(protocol: &str, server: &Server, more: Json) -> Model {
    let mut settings = json!({ "model": "m", "url": server.url("") }).as_object().unwrap().clone();
    settings.extend(more.as_object().unwrap().clone());
    Model { provider: protocol.into(), protocol: protocol.into(), settings, key: Some("KEY".into()) }
}

fn openai(text: &str) -> String {
    data_events([
        json!({ "choices": [{ "delta": { "content": text } }] }),
        json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }),
    ])
}

fn anthropic(text: &str) -> String {
    named_events([
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }),
        json!({ "type": "message_stop" }),
    ])
}

fn google(text: &str) -> String {
    data_events([
        json!({ "candidates": [{ "content": { "parts": [{ "text": text }] }, "finishReason": "STOP" }] }),
    ])
}

async fn told(models: Vec<Model>) -> Vec<String> {
    let mut request = double::request();
    request.models = models;
    let events: Vec<_> = reply::run(request, Arc::new(registry())).collect().await;
    let show = |event: &Event| match event {
        Event::ReplySentence { text, .. } => text.clone(),
        Event::ReplyCall { name, .. } => format!("calls {name}"),
        Event::ReplyClosed { failure, .. } => format!("{failure:?}"),
        other => panic!("{other:?}"),
    };
    events.iter().map(show).collect()
}

#[tokio::test]
async fn each_api_gives_a_reply() {
    for (protocol, stream) in [
        ("openai_chat", openai("Grüß Gott. Was darf es sein?")),
        ("anthropic", anthropic("Grüß Gott. Was darf es sein?")),
        ("google", google("Grüß Gott. Was darf es sein?")),
    ] {
        let server = Server::start(move |_, _| in_pieces(&stream, 5)).await;
        let told = told(vec![model(protocol, &server, json!({}))]).await;
        assert_eq!(told, ["Grüß Gott.", "Was darf es sein?", "None"], "{protocol}");
    }
}

#[tokio::test]
async fn whatever_fails_the_next_model_answers_in_the_same_reply() {
    let failures: Vec<(&str, Reply, Json)> = vec![
        ("a stall before the first word", Reply::default().stall(), json!({ "timeout": 0.05 })),
        ("a stall after the headers", Reply::head(200, &[]).stall(), json!({ "timeout": 0.05 })),
        ("too many requests", Reply::head(429, &[("retry-after", "60"), ("content-length", "0")]), json!({})),
        ("an error of the server", Reply::new(500, "text/plain", "oops"), json!({})),
        (
            "a cut connection",
            Reply::pieces(
                "text/event-stream",
                ["data: {\"choices\":[{\"delta\":{\"content\":\"Half a\"}}]}\n\n"],
            ),
            json!({}),
        ),
        ("no HTTP at all", Reply::default().send("SSH-2.0\r\n"), json!({})),
        ("JSON that is none", in_pieces("data: {\"choices\": [nonsense\n\n", 7), json!({})),
        (
            "a wrong key",
            Reply::new(401, "application/json", r#"{"error":{"message":"wrong key hush"}}"#),
            json!({}),
        ),
    ];
    for (name, reply, settings) in failures {
        let bad = Server::start(move |_, _| reply.clone()).await;
        let good = Server::start(|_, _| in_pieces(&anthropic("Here I am."), 3)).await;
        let models = vec![model("openai_chat", &bad, settings), model("anthropic", &good, json!({}))];
        assert_eq!(told(models).await, ["Here I am.", "None"], "{name}");
        assert!(!bad.received().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_recovers_is_asked_again() {
    let server = Server::start(|n, _| match n {
        0 => Reply::head(503, &[("retry-after", "0"), ("content-length", "0")]),
        _ => in_pieces(&google("Back again."), 4),
    })
    .await;
    assert_eq!(told(vec![model("google", &server, json!({}))]).await, ["Back again.", "None"]);
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn when_all_fail_the_reply_says_why_and_shows_no_key() {
    let first = Server::start(|_, _| {
        Reply::new(401, "application/json", r#"{"error":{"message":"wrong key: hush"}}"#)
    })
    .await;
    let second =
        Server::start(|_, _| Reply::new(404, "application/json", r#"{"error":{"message":"no model m"}}"#))
            .await;
    let models = vec![model("openai_chat", &first, json!({})), model("google", &second, json!({}))];
    assert_eq!(
        told(models).await,
        [r#"Some("openai_chat: wrong key: [key] (401); google: no model m (404)")"#]
    );
}

#[tokio::test]
async fn after_the_first_sentence_a_cut_connection_is_a_failure() {
    let cut = Reply::pieces(
        "text/event-stream",
        ["data: {\"choices\":[{\"delta\":{\"content\":\"One moment. Let\"}}]}\n\n"],
    );
    let bad = Server::start(move |_, _| cut.clone()).await;
    let good = Server::start(|_, _| panic!("must not be asked")).await;
    let told = told(vec![model("openai_chat", &bad, json!({})), model("anthropic", &good, json!({}))]).await;
    assert_eq!(told[0], "One moment.");
    assert!(told[1].starts_with("Some(\"openai_chat: the answer of 127.0.0.1"), "{told:?}");
    assert!(good.received().is_empty());
}

#[tokio::test]
async fn the_same_description_is_the_same_model_and_an_unknown_one_says_so() {
    let server = Server::start(|_, _| Reply::default()).await;
    let registry = registry();
    let (one, two) =
        (model("google", &server, json!({})), model("google", &server, json!({ "temperature": 1 })));
    assert!(Arc::ptr_eq(&registry.llm(&one).unwrap(), &registry.llm(&one).unwrap()));
    assert!(!Arc::ptr_eq(&registry.llm(&one).unwrap(), &registry.llm(&two).unwrap()));
    let error = registry.llm(&model("telepathy", &server, json!({}))).err().unwrap();
    assert_eq!(error.message, "telepathy: this runtime does not speak the protocol `telepathy`");
    let offline = Model { protocol: "offline".into(), key: None, ..one };
    assert!(registry.llm(&offline).is_ok(), "the offline model needs neither key nor address");
}
