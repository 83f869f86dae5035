//! Against a server that speaks as Google's does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use dgh_engine::reply::{Message, ToolExchange};
use dgh_net::Policy;
use dgh_net::testing::{Reply, Server};
use secrecy::SecretString;

use super::*;
use crate::double::{self, answer, data_events, in_pieces};

fn model(server: &Server, name: &str) -> Google {
    let settings = json!({ "model": name, "url": server.url("/v1beta"), "temperature": 1, "max_tokens": 300, "thinking": 0 });
    let model = Model {
        provider: "google".into(),
        protocol: "google".into(),
        settings: settings.as_object().unwrap().clone(),
        key: Some("THE_KEY".into()),
    };
    let secrets: HashMap<String, SecretString> =
        HashMap::from([("THE_KEY".to_owned(), "hush".to_owned().into())]);
    Google::new(&model, Client::new(Policy::with_private()).unwrap(), &secrets).unwrap()
}

fn chunk(parts: Json, finish: Option<&str>) -> Json {
    json!({ "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": finish }], "usageMetadata": {
        "promptTokenCount": 400, "cachedContentTokenCount": 100, "candidatesTokenCount": 9, "thoughtsTokenCount": 3,
    } })
}

fn whole_answer() -> String {
    data_events([
        chunk(json!([{ "text": "secret plan", "thought": true }, { "text": "Здравствуйте, " }]), None),
        chunk(json!([{ "text": "मैं यहाँ हूँ।" }, { "functionCall": { "name": "note", "args": { "day": "x" } }, "thoughtSignature": "abc" }]), None),
        chunk(json!([{ "functionCall": { "name": "unclear", "id": "f7" } }]), Some("STOP")),
    ])
    .replace('\n', "\r\n")
}

#[tokio::test]
async fn an_answer_is_the_same_however_its_bytes_are_cut() {
    for bytes in [1, 2, 3, 13, 100_000] {
        let server = Server::start(move |_, _| in_pieces(&whole_answer(), bytes)).await;
        let (deltas, error) = answer(&model(&server, "gemini-test"), double::request()).await;
        assert_eq!(error, None);
        assert_eq!(
            deltas,
            [
                Delta::Text("Здравствуйте, मैं यहाँ हूँ।".into()),
                Delta::Call { id: "call_0".into(), name: "note".into(), arguments: json!({ "day": "x" }) },
                Delta::Call { id: "f7".into(), name: "unclear".into(), arguments: json!({}) },
                Delta::Usage(Usage {
                    input_tokens: 400,
                    cached_tokens: 100,
                    output_tokens: 12,
                    micro_usd: 0
                }),
            ],
            "pieces of {bytes} bytes"
        );
    }
}

#[tokio::test]
async fn the_request_is_what_the_api_takes() {
    let server = Server::start(|_, _| in_pieces(&whole_answer(), 1_000)).await;
    let mut request = double::request();
    let exchange = |result: Json| ToolExchange {
        id: "x".into(),
        name: "find_slots".into(),
        arguments: json!({}),
        result,
    };
    request.history = vec![
        Message::Agent("Good morning.".into()),
        Message::Caller("Is tomorrow free?".into()),
        Message::Tools(vec![exchange(json!(["nine"])), exchange(json!({ "free": true }))]),
    ];
    answer(&model(&server, "models/gemini-3-flash"), request.clone()).await;
    request.may_call = false;
    answer(&model(&server, "gemini-2.5-flash"), request).await;
    let received = server.received();
    assert_eq!(received[0].target, "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse");
    assert_eq!(received[0].header("x-goog-api-key"), Some("hush"));
    let body = received[0].json();
    assert_eq!(
        body["systemInstruction"],
        json!({ "parts": [{ "text": "You are Kim of a dental clinic." }] })
    );
    assert_eq!(
        body["generationConfig"],
        json!({ "temperature": 1, "maxOutputTokens": 300, "thinkingConfig": { "thinkingBudget": 0 } })
    );
    assert_eq!(body["toolConfig"]["functionCallingConfig"]["mode"], "AUTO");
    assert_eq!(body["tools"][0]["functionDeclarations"][4]["name"], "find_slots");
    let contents = body["contents"].as_array().unwrap();
    let roles: Vec<_> = contents.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "model", "user", "model", "user", "user"]);
    assert_eq!(
        contents[3]["parts"],
        json!([
            { "functionCall": { "name": "find_slots", "args": {} }, "thoughtSignature": NO_SIGNATURE },
            { "functionCall": { "name": "find_slots", "args": {} } },
        ])
    );
    assert_eq!(
        contents[4]["parts"],
        json!([
            { "functionResponse": { "name": "find_slots", "response": { "result": ["nine"] } } },
            { "functionResponse": { "name": "find_slots", "response": { "free": true } } },
        ])
    );
    let body = received[1].json();
    assert_eq!(body["toolConfig"]["functionCallingConfig"]["mode"], "NONE");
    assert!(!body.to_string().contains(NO_SIGNATURE));
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    use LlmErrorKind::{Auth, BadAnswer, Blocked, Network, RateLimited, Rejected, Unavailable};
    let finishing = |reason: &str| in_pieces(&data_events([chunk(json!([]), Some(reason))]), 30);
    let cases: Vec<(&str, Reply, LlmErrorKind)> = vec![
        ("ends too early", in_pieces(&data_events([chunk(json!([{ "text": "Hel" }]), None)]), 30), Network),
        (
            "blocked request",
            in_pieces(&data_events([json!({ "promptFeedback": { "blockReason": "SAFETY" } })]), 30),
            Blocked,
        ),
        ("blocked answer", finishing("PROHIBITED_CONTENT"), Blocked),
        ("a call that failed", finishing("MALFORMED_FUNCTION_CALL"), BadAnswer),
        ("stopped", finishing("OTHER"), Unavailable),
        (
            "an error event",
            in_pieces(
                "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n\n",
                30,
            ),
            Unavailable,
        ),
        (
            "quota",
            Reply::new(
                429,
                "application/json",
                r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
            ),
            RateLimited,
        ),
        ("wrong key", Reply::new(403, "application/json", r#"{"error":{"message":"key not valid"}}"#), Auth),
        (
            "wrong request",
            Reply::new(400, "application/json", r#"{"error":{"message":"unknown field"}}"#),
            Rejected,
        ),
        (
            "arguments of another sort",
            in_pieces(
                &data_events([chunk(
                    json!([{ "functionCall": { "name": "note", "args": "x" } }]),
                    Some("STOP"),
                )]),
                30,
            ),
            BadAnswer,
        ),
        (
            "a call without a name",
            in_pieces(&data_events([chunk(json!([{ "functionCall": {} }]), Some("STOP"))]), 30),
            BadAnswer,
        ),
    ];
    for (name, reply, kind) in cases {
        let server = Server::start(move |_, _| reply.clone()).await;
        let error = answer(&model(&server, "gemini-test"), double::request()).await.1.expect(name);
        assert_eq!(error.kind, kind, "{name}: {error}");
    }
}
