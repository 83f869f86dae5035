//! Against a server that speaks as OpenAI and its likes do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use dgh_engine::reply::{Message, ToolExchange};
use dgh_net::Policy;
use dgh_net::testing::{Reply, Server};
use secrecy::SecretString;

use super::*;
use crate::double::{self, answer, data_events, in_pieces};

fn secrets() -> HashMap<String, SecretString> {
    HashMap::from([("THE_KEY".to_owned(), "sk-hush-hush".to_owned().into())])
}

fn described(url: &str) -> Model {
    let settings =
        json!({ "model": "gpt-test", "url": url, "temperature": 0.3, "max_tokens": 200, "reasoning": null });
    Model {
        provider: "openai".into(),
        protocol: "openai_chat".into(),
        settings: settings.as_object().unwrap().clone(),
        key: Some("THE_KEY".into()),
    }
}

fn model(server: &Server) -> OpenAi {
    OpenAi::new(&described(&server.url("/v1/")), Client::new(Policy::with_private()).unwrap(), &secrets())
        .unwrap()
}

fn chunk(delta: Json) -> Json {
    json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn finish(reason: &str) -> Json {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

fn call_piece(index: u64, head: Option<(&str, &str)>, arguments: &str) -> Json {
    let mut call = json!({ "index": index, "function": { "arguments": arguments } });
    if let Some((id, name)) = head {
        call["id"] = id.into();
        call["type"] = "function".into();
        call["function"]["name"] = name.into();
    }
    chunk(json!({ "tool_calls": [call] }))
}

fn call(id: &str, name: &str, arguments: Json) -> Delta {
    Delta::Call { id: id.into(), name: name.into(), arguments }
}

fn whole_answer() -> String {
    let usage = json!({ "choices": [], "usage": {
        "prompt_tokens": 900, "completion_tokens": 21, "prompt_tokens_details": { "cached_tokens": 768 },
    } });
    let chunks = [
        chunk(json!({ "role": "assistant", "content": "" })),
        chunk(json!({ "content": "Grüß Gott, " })),
        chunk(json!({ "content": "您好 👋 one moment." })),
        call_piece(0, Some(("call_a", "note")), ""),
        call_piece(0, None, "{\"day\":\"2026-"),
        call_piece(0, None, "03-03\"}"),
        call_piece(1, Some(("call_b", "find_slots")), "{}"),
        finish("tool_calls"),
        usage,
    ];
    format!(": OPENROUTER PROCESSING\n\n{}data: [DONE]\n\n", data_events(chunks))
}

#[tokio::test]
async fn an_answer_is_the_same_however_its_bytes_are_cut() {
    let events = whole_answer();
    let crlf = events.replace('\n', "\r\n");
    for bytes in [1, 2, 3, 7, 64, 100_000] {
        for events in [&events, &crlf] {
            let events = events.clone();
            let server = Server::start(move |_, _| in_pieces(&events, bytes)).await;
            let (deltas, error) = answer(&model(&server), double::request()).await;
            assert_eq!(error, None);
            let usage = Usage { input_tokens: 900, cached_tokens: 768, output_tokens: 21, micro_usd: 0 };
            assert_eq!(
                deltas,
                [
                    Delta::Text("Grüß Gott, 您好 👋 one moment.".into()),
                    call("call_a", "note", json!({ "day": "2026-03-03" })),
                    call("call_b", "find_slots", json!({})),
                    Delta::Usage(usage),
                ],
                "pieces of {bytes} bytes"
            );
        }
    }
}

#[tokio::test]
async fn the_request_is_what_the_api_takes() {
    let server = Server::start(|_, _| in_pieces(&whole_answer(), 100)).await;
    let mut request = double::request();
    request.history = vec![
        Message::Agent("Good morning.".into()),
        Message::Caller("Is tomorrow free?".into()),
        Message::Tools(vec![ToolExchange {
            id: "toolu_1".into(),
            name: "find_slots".into(),
            arguments: json!({ "day": "x" }),
            result: json!([1]),
        }]),
    ];
    answer(&model(&server), request.clone()).await;
    request.may_call = false;
    answer(&model(&server), request).await;
    let received = server.received();
    assert_eq!((received[0].method.as_str(), received[0].target.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(received[0].header("authorization"), Some("Bearer sk-hush-hush"));
    let body = received[0].json();
    assert_eq!(body["model"], "gpt-test");
    assert_eq!(body["temperature"], 0.3);
    assert_eq!(body["max_tokens"], 200, "only OpenAI's own server gets max_completion_tokens");
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    assert_eq!(body["tool_choice"], "auto");
    assert!(body.get("reasoning_effort").is_none());
    assert_eq!(body["tools"].as_array().unwrap().len(), 5);
    assert_eq!(body["tools"][0]["function"]["name"], "go");
    let roles: Vec<_> =
        body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "tool", "user"]);
    let calls = &body["messages"][4]["tool_calls"][0];
    assert_eq!(
        (calls["id"].as_str(), calls["function"]["arguments"].as_str()),
        (Some("call_1"), Some("{\"day\":\"x\"}"))
    );
    assert_eq!(body["messages"][5], json!({ "role": "tool", "tool_call_id": "call_1", "content": "[1]" }));
    assert!(body["messages"][6]["content"].as_str().unwrap().contains("Find a time that suits the patient."));
    let wording = received[1].json();
    assert_eq!(wording["tool_choice"], "none", "the functions stay, so that the cache holds");
    assert_eq!(wording["tools"], body["tools"]);
}

#[tokio::test]
async fn openais_own_server_gets_its_own_name_for_the_limit() {
    let mut described = described("https://api.openai.com/v1");
    described.settings.insert("reasoning".into(), "low".into());
    let model = OpenAi::new(&described, Client::new(Policy::public()).unwrap(), &secrets()).unwrap();
    let body = model.body(&double::request());
    assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(200), None));
    assert_eq!(body["reasoning_effort"], "low");
}

#[tokio::test]
async fn a_go_is_there_before_the_answer_ends() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&gate);
    let server = Server::start(move |_, _| {
        let begin =
            data_events([call_piece(0, Some(("a", "go")), "{\"label\":"), call_piece(0, None, "\"human\"}")]);
        let end = data_events([finish("tool_calls")]);
        Reply::pieces("text/event-stream", [begin]).wait(&told).piece(end).end()
    })
    .await;
    let llm = model(&server);
    let mut stream = llm.stream(Arc::new(double::request()));
    let first = futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
    assert_eq!(first, call("a", "go", json!({ "label": "human" })));
    gate.notify_one();
    assert!(futures::StreamExt::next(&mut stream).await.is_none());
}

#[tokio::test]
async fn the_dialects_of_other_servers_are_understood() {
    let id = |piece: Json, id: &str| {
        let mut piece = piece;
        piece["choices"][0]["delta"]["tool_calls"][0]["id"] = id.into();
        piece
    };
    let whole = |calls: Json| chunk(json!({ "tool_calls": calls }));
    let cases: [(&str, Vec<Json>, Vec<Delta>); 6] = [
        (
            "no index, no id, arguments as an object",
            vec![
                whole(
                    json!([{ "function": { "name": "note", "arguments": { "day": "x" } } }, { "function": { "name": "unclear" } }]),
                ),
                finish("stop"),
            ],
            vec![call("call_0", "note", json!({ "day": "x" })), call("call_1", "unclear", json!({}))],
        ),
        (
            "every call has index 0 and an id of its own",
            vec![
                call_piece(0, Some(("a", "note")), "{\"day\":\"x\"}"),
                call_piece(0, Some(("b", "unclear")), "{}"),
                finish("tool_calls"),
            ],
            vec![call("a", "note", json!({ "day": "x" })), call("b", "unclear", json!({}))],
        ),
        (
            "the id is repeated in every piece",
            vec![
                call_piece(0, Some(("a", "note")), "{\"day\""),
                id(call_piece(0, None, ":\"x\"}"), "a"),
                finish("tool_calls"),
            ],
            vec![call("a", "note", json!({ "day": "x" }))],
        ),
        (
            "an empty object comes first",
            vec![call_piece(0, Some(("a", "note")), "{}"), finish("stop")],
            vec![call("a", "note", json!({}))],
        ),
        (
            "thinking in the text",
            vec![
                chunk(json!({ "content": "<thi" })),
                chunk(json!({ "content": "nk>They want…</think>\n\nHello." })),
                finish("stop"),
            ],
            vec![Delta::Text("Hello.".into())],
        ),
        (
            "usage of Groq, price of OpenRouter",
            vec![
                json!({ "choices": [{ "delta": { "content": "Hi." }, "finish_reason": "stop" }], "x_groq": { "usage": { "prompt_tokens": 5, "completion_tokens": 2, "cost": 0.00012 } } }),
            ],
            vec![
                Delta::Text("Hi.".into()),
                Delta::Usage(Usage { input_tokens: 5, output_tokens: 2, micro_usd: 120, ..Usage::default() }),
            ],
        ),
    ];
    for (name, chunks, expected) in cases {
        let events = data_events(chunks);
        // No `[DONE]`: the reason to finish is enough.
        let server = Server::start(move |_, _| in_pieces(&events, 40)).await;
        assert_eq!(answer(&model(&server), double::request()).await, (expected, None), "{name}");
    }
}

#[tokio::test]
async fn what_goes_wrong_in_the_stream_is_told_apart() {
    use LlmErrorKind::{BadAnswer, Blocked, Network, RateLimited, TooLarge, Unavailable};
    let text = || data_events([chunk(json!({ "content": "Good mor" }))]);
    let cases: Vec<(&str, Reply, LlmErrorKind)> = vec![
        ("ends too early", in_pieces(&text(), 9), Network),
        ("cut in the middle", Reply::pieces("text/event-stream", [text()]), Network),
        ("not JSON", in_pieces("data: {\"choices\":[\n\n", 9), BadAnswer),
        ("a web page", Reply::new(200, "text/html", "<html>Sign in</html>"), Network),
        (
            "broken arguments",
            in_pieces(&data_events([call_piece(0, Some(("a", "note")), "{\"day\":"), finish("length")]), 50),
            BadAnswer,
        ),
        (
            "arguments of another sort",
            in_pieces(&data_events([call_piece(0, Some(("a", "note")), "[1]"), finish("stop")]), 50),
            BadAnswer,
        ),
        (
            "a call without a name",
            in_pieces(&data_events([call_piece(0, None, "{}"), finish("stop")]), 50),
            BadAnswer,
        ),
        ("filtered", in_pieces(&data_events([finish("content_filter")]), 50), Blocked),
        (
            "an error event",
            in_pieces("data: {\"error\":{\"message\":\"overloaded\",\"code\":502}}\n\n", 50),
            Unavailable,
        ),
        (
            "an error event by word",
            in_pieces(
                "data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_exceeded\"}}\n\n",
                50,
            ),
            RateLimited,
        ),
        ("an endless line", Reply::new(200, "text/event-stream", "x".repeat(2 << 20)), TooLarge),
    ];
    for (name, reply, kind) in cases {
        let server = Server::start(move |_, _| reply.clone()).await;
        let (_, error) = answer(&model(&server), double::request()).await;
        let error = error.expect(name);
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert!(error.message.starts_with("openai: "), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_by_status_says_what_the_provider_says_and_never_the_key() {
    use LlmErrorKind::{Auth, RateLimited, Rejected, Unavailable};
    let cases = [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-hush-hush."}}"#,
            Auth,
            "openai: Incorrect API key provided: [key]. (401)",
        ),
        (403, "no", Auth, "answered 403"),
        (
            404,
            r#"{"error":{"message":"The model `gpt-test` does not exist","code":"model_not_found"}}"#,
            Rejected,
            "does not exist (404)",
        ),
        (400, r#"{"detail":"bad"}"#, Rejected, "openai: bad (400)"),
        (429, r#"[{"error":{"message":"Quota exceeded"}}]"#, RateLimited, "openai: Quota exceeded (429)"),
        (402, r#"{"error":"credit"}"#, RateLimited, "openai: credit (402)"),
        (500, "", Unavailable, "answered 500"),
        (503, "<html>", Unavailable, "answered 503"),
    ];
    for (status, body, kind, message) in cases {
        let server = Server::start(move |_, _| {
            Reply::head(status, &[("retry-after", "2"), ("content-length", &body.len().to_string())])
                .send(body)
        })
        .await;
        let error = answer(&model(&server), double::request()).await.1.unwrap();
        assert_eq!(error.kind, kind, "{status}");
        assert!(error.message.contains(message), "{status}: {error}");
        assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(2)));
        assert!(!format!("{error:?}").contains("hush"));
    }
}

#[tokio::test]
async fn a_model_that_is_not_set_up_says_what_is_missing() {
    let client = || Client::new(Policy::public()).unwrap();
    let fails = |change: &dyn Fn(&mut Model)| {
        let mut model = described("https://example.com/v1");
        change(&mut model);
        OpenAi::new(&model, client(), &secrets()).err().map(|e| e.message)
    };
    assert_eq!(fails(&|_| ()), None);
    assert_eq!(
        fails(&|m| m.key = Some("NOT_THERE".into())).unwrap(),
        "openai: no key: set NOT_THERE in the environment, or under the profile's secrets"
    );
    let set = |name: &'static str, value: Json| {
        move |m: &mut Model| drop(m.settings.insert(name.into(), value.clone()))
    };
    assert_eq!(fails(&set("model", Json::Null)).unwrap(), "openai: `model` is not set");
    assert_eq!(
        fails(&set("url", "no address".into())).unwrap(),
        "openai: `url` must be an http or https address"
    );
    assert_eq!(
        fails(&set("temperature", json!(3))).unwrap(),
        "openai: `temperature` must be a number from 0 to 2"
    );
    assert_eq!(
        fails(&set("max_tokens", json!(-1))).unwrap(),
        "openai: `max_tokens` must be a whole number from 1 to 1000000"
    );
    assert_eq!(fails(&|m| m.key = None), None, "a server of one's own needs no key");
}

#[tokio::test]
async fn an_address_on_the_inside_is_refused() {
    let server = Server::start(|_, _| Reply::new(200, "text/plain", "")).await;
    let llm = OpenAi::new(&described(&server.url("/v1")), Client::new(Policy::public()).unwrap(), &secrets())
        .unwrap();
    let error = answer(&llm, double::request()).await.1.unwrap();
    assert_eq!(error.kind, LlmErrorKind::Setup);
    assert!(server.received().is_empty());
}
