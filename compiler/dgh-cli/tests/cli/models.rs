//! Commands that talk to a model, against a server that speaks chat completions over a socket.

use std::process::{Output, Stdio};
use std::sync::Arc;

use dgh_net::testing::{Received, Reply, Server};
use dgh_providers::double::{data_events, in_pieces};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{CLEAN, bundle, code, command, read, text};

/// The key of the models here: nothing that is printed or written may hold it.
pub const KEY: &str = "sk-planted-0123456789";

/// What an agent says when its program is broken, and how the model is to be told.
fn broken() -> String {
    CLEAN.replace("-> end noted", "-> end notd")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_written_from_a_sentence() {
    let server = Server::start(|_, _| says(&fence(&CLEAN.replace("  ask", "ask")))).await;
    let folder = bundle(&[]);
    let out = with_model(&folder, &server, &["new", "notes", "--from", "An agent that takes notes"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(read(&folder, "notes/agent.dgh"), CLEAN, "formatted, without its fence");
    for args in [&["check", "--deny-warnings", "notes"][..], &["test", "notes"]] {
        let out = with_model(&folder, &server, args);
        assert_eq!(code(&out), 0, "{args:?}: {}", text(&out));
    }
    let [asked] = server.received().try_into().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let body = asked.json();
    assert_eq!((&body["model"], &body["stream"]), (&json!("test-model"), &json!(true)));
    assert!(
        body["messages"][0]["content"].as_str().unwrap().contains("collect"),
        "the cheat sheet goes along"
    );
    let [question] = said(&asked, "user").try_into().unwrap();
    assert!(question.contains("An agent that takes notes"), "{question}");
    assert!(!question.contains("spoken aloud"), "the rules of a call are not for a program: {question}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_told_its_errors_and_failing_tests_and_mends_them() {
    let failing = CLEAN.replace("outcome == noted and", "outcome == gave_up and");
    let answers = Arc::new([broken(), failing, CLEAN.to_owned()]);
    let server = Server::start(move |n, _| says(&fence(&answers[n]))).await;
    let folder = bundle(&[]);
    let out = with_model(&folder, &server, &["new", "notes", "--from", "Takes notes"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(read(&folder, "notes/agent.dgh"), CLEAN);
    assert!(text(&out).contains("1 error"), "{}", text(&out));
    assert!(text(&out).contains("1 failing test"), "{}", text(&out));
    let asked = server.received();
    assert_eq!(asked.len(), 3);
    assert_eq!(said(&asked[1], "assistant"), [fence(&broken())], "it sees its own program");
    let told = said(&asked[1], "user");
    assert!(told[1].contains("E0109") && told[1].contains("agent.dgh:15"), "{}", told[1]);
    let told = said(&asked[2], "user");
    assert!(told[2].contains("test \"a note\", line 21"), "{}", told[2]);
    assert!(told[2].contains("gave_up"), "{}", told[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_cannot_mend_its_program_leaves_no_folder() {
    let server = Server::start(|_, _| says(&fence(&broken()))).await;
    let folder = bundle(&[]);
    let out = with_model(&folder, &server, &["new", "notes", "--from", "Takes notes"]);
    assert_eq!(code(&out), 2, "{}", text(&out));
    assert_eq!(server.received().len(), 4);
    assert!(text(&out).contains("in 4 rounds") && text(&out).contains("-> end notd"), "{}", text(&out));
    assert!(!folder.path().join("notes").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_tests_fail_to_the_end_is_kept() {
    let failing = CLEAN.replace("outcome == noted and", "outcome == gave_up and");
    let expected = failing.clone();
    let server = Server::start(move |_, _| says(&fence(&failing))).await;
    let folder = bundle(&[]);
    let out = with_model(&folder, &server, &["new", "notes", "--from", "Takes notes"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("tests of it still fail"), "{}", text(&out));
    assert_eq!(read(&folder, "notes/agent.dgh"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_model_is_asked_again() {
    let server = Server::start(|n, _| match n {
        0 => Reply::head(429, &[("retry-after", "0"), ("content-length", "0")]),
        // Cut off in the middle of the answer.
        1 => Reply::pieces("text/event-stream", [data_events([delta(&json!({ "content": "dgh" }))])]),
        _ => says(&fence(CLEAN)),
    })
    .await;
    let folder = bundle(&[]);
    // One answer gets two attempts: the second failure is the last.
    let out = with_model(&folder, &server, &["new", "notes", "--from", "Takes notes"]);
    assert_eq!(code(&out), 2, "{}", text(&out));
    assert!(text(&out).contains("cut off"), "{}", text(&out));
    let out = with_model(&folder, &server, &["new", "notes", "--from", "Takes notes"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert_eq!(read(&folder, "notes/agent.dgh"), CLEAN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_not_answer_is_named_with_its_reason() {
    let refused = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}"), "type": "invalid_request_error", "code": "invalid_api_key" } });
    let denies = Server::start(move |_, _| Reply::new(401, "application/json", refused.to_string())).await;
    let stalls =
        Server::start(|_, _| Reply::head(200, &[("content-type", "text/event-stream")]).stall()).await;
    let nobody = Server::start(|_, _| Reply::default()).await.url("/v1");
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let cases = [
        (denies.url("/v1"), "Incorrect API key provided: [key] (401)"),
        (stalls.url("/v1"), "did not begin to answer in time"),
        (nobody, "127.0.0.1"),
    ];
    for (url, reason) in cases {
        let ask =
            |args: &[&str]| at_url(&folder, &url, Some(KEY), &[args, &["--llm-timeout", "0.4"]].concat());
        let new = ask(&["new", "notes", "--from", "Takes notes"]);
        let live = ask(&["test", "--live"]);
        let run = ask(&["run", "--say", "buy milk", "--say", ":hangup"]);
        for (command, out, exit) in [("new", &new, 2), ("test", &live, 1), ("run", &run, 0)] {
            assert_eq!(code(out), exit, "{command} {url}: {}", text(out));
            assert!(text(out).contains(reason), "{command}: {reason}: {}", text(out));
            assert!(!text(out).contains(KEY), "{command}: {}", text(out));
        }
        assert!(!folder.path().join("notes").exists());
    }
}

#[test]
fn a_key_that_is_missing_is_told_before_anything_is_asked() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    for args in
        [&["new", "notes", "--from", "Takes notes"][..], &["test", "--live"], &["run", "--say", "hello"]]
    {
        let out = at_url(&folder, "http://127.0.0.1:9/v1", None, args);
        assert_eq!(code(&out), 2, "{args:?}: {}", text(&out));
        assert!(text(&out).contains("OPENAI_API_KEY"), "{args:?}: {}", text(&out));
    }
}

#[test]
fn a_model_that_makes_no_sense_is_wrong_usage() {
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    for (llm, told) in [
        ("gpt", "PROVIDER/MODEL"),
        ("opnai/gpt", "openai"),
        ("offline/", "another one"),
        ("a b/c", "not the name of a provider"),
    ] {
        let out = command(folder.path(), &["new", "notes", "--from", "Takes notes", "--llm", llm])
            .output()
            .unwrap();
        assert_eq!(code(&out), 2, "{llm}: {}", text(&out));
        assert!(text(&out).contains(told), "{llm}: {}", text(&out));
    }
    for args in [
        &["new", "notes", "--from", "  ", "--llm", "openai/x"][..],
        &["new", "notes", "--from", "Takes notes"],
        &["run", "--llm-timeout", "never"],
        &["test", "--llm", "openai/x", "--llm-timeout", "0"],
        &["test", "--live"],
    ] {
        let out = command(folder.path(), args).output().unwrap();
        assert_eq!(code(&out), 2, "{args:?}: {}", text(&out));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_as_the_script_says_passes_live() {
    let server = Server::start(|_, _| calls(&[("note", json!({ "note": "Buy milk" }))])).await;
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = with_model(&folder, &server, &["test", "--live"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("1 passed, 0 failed"), "{}", text(&out));
    let [asked] = server.received().try_into().unwrap();
    let turn = said(&asked, "user").pop().unwrap();
    assert!(turn.starts_with("Buy milk") && turn.contains("What to write down"), "{turn}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_differs_from_the_script_is_reported() {
    let server = Server::start(|_, _| calls(&[("note", json!({ "note": "bread" }))])).await;
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = with_model(&folder, &server, &["test", "--live", "--junit", "report.xml"]);
    assert_eq!(code(&out), 1, "{}", text(&out));
    assert!(text(&out).contains("differs agent.dgh:20"), "{}", text(&out));
    assert!(
        text(&out).contains("the test means note = buy milk, the model did note = bread"),
        "{}",
        text(&out)
    );
    // The script goes on, so the test itself holds.
    assert!(text(&out).contains("the model differs on 1 turn\n"), "{}", text(&out));
    assert!(text(&out).contains("1 passed, 0 failed"), "{}", text(&out));
    assert!(read(&folder, "report.xml").contains("note = bread"), "{}", read(&folder, "report.xml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_of_the_agent_are_asked_when_none_is_named() {
    let server = Server::start(|_, _| calls(&[("note", json!({ "note": "Buy milk" }))])).await;
    let llm = format!("agent desk {{\n  llm: openai(\"own\", url: \"{}\")", server.url("/v1"));
    let folder = bundle(&[("agent.dgh", &CLEAN.replace("agent desk {", &llm))]);
    for (args, told) in [
        (&["test", "--live"][..], "1 passed, 0 failed"),
        (&["run", "--llm", "agent", "--say", "buy milk"], "I wrote: Buy milk."),
    ] {
        let out =
            command(folder.path(), args).env("OPENAI_API_KEY", KEY).stdin(Stdio::null()).output().unwrap();
        assert_eq!(code(&out), 0, "{}", text(&out));
        assert!(text(&out).contains(told), "{args:?}: {}", text(&out));
    }
    let models: Vec<Json> = server.received().iter().map(|asked| asked.json()["model"].clone()).collect();
    assert_eq!(models, ["own", "own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_with_a_model_speaks_its_words() {
    let server = Server::start(|n, _| match n {
        0 => says("Sure — what exactly? Take your time."),
        _ => calls(&[("note", json!({ "note": "Milk, für Zoë" }))]),
    })
    .await;
    let folder = bundle(&[("agent.dgh", CLEAN)]);
    let out = with_model(&folder, &server, &["run", "--say", "hm", "--say", "milk for Zoë"]);
    assert_eq!(code(&out), 0, "{}", text(&out));
    assert!(text(&out).contains("Sure — what exactly?"), "{}", text(&out));
    assert!(text(&out).contains("I wrote: Milk, für Zoë."), "{}", text(&out));
}

/// A command with the model of this server.
pub fn with_model(folder: &TempDir, server: &Server, args: &[&str]) -> Output {
    at_url(folder, &server.url("/v1"), Some(KEY), args)
}

fn at_url(folder: &TempDir, url: &str, key: Option<&str>, args: &[&str]) -> Output {
    let asks = args.contains(&"--from") || !["check", "new"].contains(&args[0]);
    let model: &[&str] = if asks { &["--llm", "openai/test-model", "--llm-url", url] } else { &[] };
    let mut command = command(folder.path(), &[args, model].concat());
    command.env_remove("OPENAI_API_KEY").envs(key.map(|key| ("OPENAI_API_KEY", key)));
    command.stdin(Stdio::null()).output().unwrap()
}

/// An answer in words, cut anywhere.
pub fn says(text: &str) -> Reply {
    let (a, b) = text.split_at(text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at));
    answer(
        [json!({ "role": "assistant", "content": "" }), json!({ "content": a }), json!({ "content": b })],
        "stop",
    )
}

/// An answer that calls functions, their arguments in two pieces each.
pub fn calls(all: &[(&str, Json)]) -> Reply {
    let pieces = all.iter().enumerate().flat_map(|(index, (name, arguments))| {
        let arguments = arguments.to_string();
        let (a, b) = arguments.split_at(1);
        let piece = |function: Json| json!({ "tool_calls": [{ "index": index, "function": function }] });
        let mut first = piece(json!({ "name": name, "arguments": a }));
        first["tool_calls"][0]["id"] = json!(format!("call_{index}"));
        first["tool_calls"][0]["type"] = json!("function");
        [first, piece(json!({ "arguments": b }))]
    });
    answer(pieces, "tool_calls")
}

/// What a side has said in a request, in order.
pub fn said(asked: &Received, role: &str) -> Vec<String> {
    let body = asked.json();
    let messages = body["messages"].as_array().unwrap().iter();
    messages
        .filter(|m| m["role"] == role)
        .map(|m| m["content"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn answer(deltas: impl IntoIterator<Item = Json>, reason: &str) -> Reply {
    let mut last = delta(&json!({}));
    last["choices"][0]["finish_reason"] = json!(reason);
    let mut usage = delta(&json!({}));
    usage["choices"] = json!([]);
    usage["usage"] = json!({ "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120 });
    let chunks = deltas.into_iter().map(|d| delta(&d)).chain([last, usage]);
    in_pieces(&(data_events(chunks) + "data: [DONE]\n\n"), 61)
}

fn delta(delta: &Json) -> Json {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_772_000_000,
        "model": "test-model",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": null }],
    })
}

fn fence(program: &str) -> String {
    format!("Here it is:\n\n```dgh\n{program}```\n")
}
