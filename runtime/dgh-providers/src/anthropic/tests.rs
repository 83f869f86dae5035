//! Against a server that speaks as Anthropic's does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use dgh_engine::reply::{Message, ToolExchange};
use dgh_net::Policy;
use dgh_net::testing::{Reply, Server};
use secrecy::SecretString;

use super::*;
use crate::double::{self, answer, in_pieces, named_events};

fn model(server: &Server) -> Anthropic {
    let settings = json!({ "model": "claude-test", "url": server.url("/v1"), "temperature": 0.5 });
    let model = Model {
        provider: "anthropic".into(),
        protocol: "anthropic".into(),
        settings: settings.as_object().unwrap().clone(),
        key: Some("THE_KEY".into()),
    };
    let secrets: HashMap<String, SecretString> =
        HashMap::from([("THE_KEY".to_owned(), "sk-hush".to_owned().into())]);
    Anthropic::new(&model, Client::new(Policy::with_private()).unwrap(), &secrets).unwrap()
}

fn start() -> Json {
    json!({ "type": "message_start", "message": { "usage": {
        "input_tokens": 30, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 70, "output_tokens": 1,
    } } })
}

fn text(index: u64, text: &str) -> Json {
    json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": text } })
}

fn begin_call(index: u64, id: &str, name: &str) -> Json {
    json!({ "type": "content_block_start", "index": index, "content_block": { "type": "tool_use", "id": id, "name": name, "input": {} } })
}

fn piece(index: u64, json: &str) -> Json {
    json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": json } })
}

fn stop(index: u64) -> Json {
    json!({ "type": "content_block_stop", "index": index })
}

fn end(reason: &str) -> [Json; 2] {
    [
        json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 44 } }),
        json!({ "type": "message_stop" }),
    ]
}

fn whole_answer() -> String {
    let chunks = [
        start(),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "Hm." } }),
        stop(0),
        json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        text(1, "Très bien, "),
        text(1, "voilà 👍"),
        stop(1),
        begin_call(2, "toolu_a", "note"),
        piece(2, ""),
        piece(2, "{\"day\": \"2026-"),
        piece(2, "03-03\"}"),
        stop(2),
        begin_call(3, "toolu_b", "unclear"),
        stop(3),
        json!({ "type": "something_new", "x": 1 }),
    ];
    named_events(chunks.into_iter().chain(end("tool_use")))
}

#[tokio::test]
async fn an_answer_is_the_same_however_its_bytes_are_cut() {
    for bytes in [1, 2, 3, 11, 100_000] {
        let server = Server::start(move |_, _| in_pieces(&whole_answer(), bytes)).await;
        let (deltas, error) = answer(&model(&server), double::request()).await;
        assert_eq!(error, None);
        assert_eq!(
            deltas,
            [
                Delta::Text("Très bien, voilà 👍".into()),
                Delta::Call {
                    id: "toolu_a".into(),
                    name: "note".into(),
                    arguments: json!({ "day": "2026-03-03" })
                },
                Delta::Call { id: "toolu_b".into(), name: "unclear".into(), arguments: json!({}) },
                Delta::Usage(Usage {
                    input_tokens: 900,
                    cached_tokens: 800,
                    output_tokens: 44,
                    micro_usd: 0
                }),
            ],
            "pieces of {bytes} bytes"
        );
    }
}

#[tokio::test]
async fn the_request_is_what_the_api_takes_and_marks_what_stays() {
    let server = Server::start(|_, _| in_pieces(&whole_answer(), 1_000)).await;
    let mut request = double::request();
    request.history = vec![
        Message::Agent("Good morning.".into()),
        Message::Caller("Is tomorrow free?".into()),
        Message::Tools(vec![ToolExchange {
            id: "call_x".into(),
            name: "find_slots".into(),
            arguments: json!({}),
            result: json!("none"),
        }]),
    ];
    answer(&model(&server), request.clone()).await;
    request.history.pop();
    request.may_call = false;
    request.persona.clear();
    answer(&model(&server), request).await;
    let received = server.received();
    assert_eq!((received[0].method.as_str(), received[0].target.as_str()), ("POST", "/v1/messages"));
    assert_eq!(received[0].header("x-api-key"), Some("sk-hush"));
    assert_eq!(received[0].header("anthropic-version"), Some("2023-06-01"));
    let body = received[0].json();
    let mark = json!({ "type": "ephemeral" });
    assert_eq!(
        (&body["model"], &body["max_tokens"], &body["stream"]),
        (&json!("claude-test"), &json!(1024), &json!(true))
    );
    assert_eq!(
        body["system"],
        json!([{ "type": "text", "text": "You are Kim of a dental clinic.", "cache_control": mark }])
    );
    assert_eq!(body["tool_choice"], json!({ "type": "auto" }));
    assert_eq!(body["tools"][1]["input_schema"]["type"], "object");
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    assert_eq!(
        messages[3]["content"][0],
        json!({ "type": "tool_use", "id": "call_1", "name": "find_slots", "input": {} })
    );
    assert_eq!(
        messages[4]["content"][0],
        json!({ "type": "tool_result", "tool_use_id": "call_1", "content": "none", "cache_control": mark })
    );
    assert!(
        messages[4]["content"][1]["text"].as_str().unwrap().contains("Find a time that suits the patient.")
    );
    assert!(messages[4]["content"][1].get("cache_control").is_none(), "the card changes");

    let body = received[1].json();
    assert_eq!(body["tool_choice"], json!({ "type": "none" }));
    assert!(body.get("system").is_none());
    assert_eq!(body["tools"][4]["cache_control"], mark, "without a persona the functions end the prefix");
    assert_eq!(body["messages"][2]["content"][0]["text"], "Is tomorrow free?");
    assert_eq!(body["messages"][2]["content"][0]["cache_control"], mark);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    use LlmErrorKind::{BadAnswer, Blocked, Network, RateLimited, Unavailable};
    let error = |kind: &str| json!({ "type": "error", "error": { "type": kind, "message": "said so" } });
    let cases: Vec<(&str, Reply, LlmErrorKind)> = vec![
        ("ends too early", in_pieces(&named_events([start(), text(0, "Hel")]), 30), Network),
        (
            "ends in a call",
            in_pieces(
                &named_events([start(), begin_call(0, "a", "note"), json!({ "type": "message_stop" })]),
                30,
            ),
            Network,
        ),
        ("overloaded", in_pieces(&named_events([start(), error("overloaded_error")]), 30), Unavailable),
        ("limited", in_pieces(&named_events([error("rate_limit_error")]), 30), RateLimited),
        ("refused", in_pieces(&named_events([start()].into_iter().chain(end("refusal"))), 30), Blocked),
        (
            "broken arguments",
            in_pieces(&named_events([start(), begin_call(0, "a", "note"), piece(0, "{\"d"), stop(0)]), 30),
            BadAnswer,
        ),
        ("not JSON", in_pieces("event: ping\ndata: nonsense\n\n", 30), BadAnswer),
        (
            "529",
            Reply::new(
                529,
                "application/json",
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ),
            Unavailable,
        ),
        ("429", Reply::new(429, "application/json", r#"{"error":{"message":"slow down"}}"#), RateLimited),
    ];
    for (name, reply, kind) in cases {
        let server = Server::start(move |_, _| reply.clone()).await;
        let error = answer(&model(&server), double::request()).await.1.expect(name);
        assert_eq!(error.kind, kind, "{name}: {error}");
    }
}
