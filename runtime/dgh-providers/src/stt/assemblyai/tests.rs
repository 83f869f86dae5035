//! AssemblyAI's client against a server that speaks its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::close;

use super::*;
use crate::stt::testing::{
    finals, is_answered, is_failed, next, recogniser, refused, server, speak, start, text, until,
};
use crate::stt::{SttEvent, SttInput};

fn begin() -> Vec<Message> {
    vec![text(json!({ "type": "Begin", "id": "x", "expires_at": 1 }))]
}

fn turn(transcript: &str, words: &[&str], end: bool, formatted: bool) -> Message {
    let words: Vec<Json> = words
        .iter()
        .enumerate()
        .map(|(i, w)| json!({ "text": w, "start": i * 100, "end": i * 100 + 90, "confidence": 0.5, "word_is_final": end }))
        .collect();
    text(json!({
        "type": "Turn", "turn_order": 0, "turn_is_formatted": formatted, "end_of_turn": end,
        "transcript": transcript, "end_of_turn_confidence": 0.9, "words": words,
    }))
}

fn answer(json: &Json) -> Vec<Message> {
    match json["type"].as_str() {
        Some("ForceEndpoint") => vec![
            text(json!({ "type": "SpeechStarted" })),
            turn("", &["my"], false, false),
            turn("my", &["my", "tooth"], false, false),
            turn("my tooth hurts", &["my", "tooth", "hurts"], true, false),
            turn("My tooth hurts.", &["My", "tooth", "hurts."], true, true),
        ],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_turn_is_told_word_by_word_and_ends_when_the_caller_stopped() {
    for (format, words) in [(false, "my tooth hurts"), (true, "My tooth hurts.")] {
        let (server, mut told) = server(begin(), answer).await;
        let more = json!({
            "model": "universal-streaming-english", "keyterms": ["Kim"], "format": format,
            "end_of_turn_threshold": 0.5, "min_silence": 0.2, "max_silence": 1.5,
        });
        let mut session = recogniser("assemblyai_stream", &server.url("/v3/ws"), more).open(start(8_000));
        speak(&session, 100, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_answered).await;
        assert!(matches!(events[0], SttEvent::Connected { .. }));
        assert_eq!(events[1], SttEvent::Partial { text: "my".into() });
        assert_eq!(events[2], SttEvent::Partial { text: "my tooth".into() });
        assert_eq!(finals(&events), [words]);
        // Five frames: a piece of 60 ms, and the rest filled to the 50 that are taken.
        let sizes: Vec<usize> = [told.recv().await, told.recv().await].map(|m| m.unwrap().len()).into();
        assert_eq!(sizes, [960, 800]);
        assert_eq!(told.recv().await.unwrap(), Message::text(r#"{"type":"ForceEndpoint"}"#));
        let handshake = &server.handshakes()[0];
        assert_eq!(handshake.header("authorization"), Some("hush"));
        for (name, value) in [
            ("speech_model", "universal-streaming-english"),
            ("encoding", "pcm_s16le"),
            ("sample_rate", "8000"),
            ("format_turns", if format { "true" } else { "false" }),
            ("keyterms_prompt", r#"["Kim","Zürich"]"#),
            ("end_of_turn_confidence_threshold", "0.5"),
            ("min_turn_silence", "200"),
            ("max_turn_silence", "1500"),
        ] {
            assert_eq!(handshake.query(name), [value], "{name}");
        }
        drop(session);
        assert_eq!(told.recv().await.unwrap(), Message::text(r#"{"type":"Terminate"}"#));
    }
}

#[tokio::test]
async fn sound_waits_for_the_beginning() {
    let (server, mut told) = server(Vec::new(), answer).await;
    let mut session = recogniser("assemblyai_stream", &server.url("/"), json!({})).open(start(8_000));
    speak(&session, 400, 0).await;
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), told.recv()).await;
    assert!(waited.is_err(), "{waited:?}");
    drop(server);
    let events = until(&mut session, is_failed).await;
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn errors_and_ends_are_told() {
    let rejected = text(json!({ "type": "Error", "error_code": 3006, "error": "Invalid hush" }));
    for (message, kind, said) in [
        (rejected, LlmErrorKind::Unavailable, "Invalid [key]"),
        (text(json!({ "error": "no credit" })), LlmErrorKind::Unavailable, "no credit"),
        (text(json!({ "type": "Termination" })), LlmErrorKind::Unavailable, "ended the session"),
        (close(1008, "Not authorized"), LlmErrorKind::Auth, "closed the socket (1008): Not authorized"),
        (
            close(3009, "Too many sessions"),
            LlmErrorKind::RateLimited,
            "closed the socket (3009): Too many sessions",
        ),
        (Message::text("<html>"), LlmErrorKind::BadAnswer, "a message is not what the protocol says"),
    ] {
        let (server, _told) = server(vec![message], answer).await;
        let mut session = recogniser("assemblyai_stream", &server.url("/"), json!({})).open(start(8_000));
        let SttEvent::Failed(error) = next(&mut session).await else { panic!() };
        assert_eq!((error.kind, error.message.as_str()), (kind, said));
    }
    let error = refused("assemblyai_stream", json!({ "format": "yes" }));
    assert_eq!(error.message, "`format` must be true or false");
}
