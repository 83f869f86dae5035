//! Live transcription against a server that speaks OpenAI's protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::stt::testing::{
    finals, frame, is_answered, is_failed, next, recogniser, refused, server, speak, start, text, until,
};
use crate::stt::{SttEvent, SttInput};

fn live(more: Json) -> Json {
    let mut settings = json!({ "live": true, "model": "gpt-4o-transcribe" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

fn answer(json: &Json) -> Vec<Message> {
    let of = |kind: &str| format!("conversation.item.input_audio_transcription.{kind}");
    match json["type"].as_str().unwrap() {
        "session.update" => vec![
            text(json!({ "type": "session.created", "session": {} })),
            text(json!({ "type": "session.updated", "session": {} })),
        ],
        "input_audio_buffer.commit" => vec![
            text(json!({ "type": "input_audio_buffer.committed", "item_id": "a" })),
            text(json!({ "type": "conversation.item.added", "item": {} })),
            text(json!({ "type": of("delta"), "item_id": "a", "delta": "I am" })),
            text(json!({ "type": of("delta"), "item_id": "a", "delta": " late." })),
            text(
                json!({ "type": of("completed"), "item_id": "a", "transcript": "I am late. ", "usage": {} }),
            ),
        ],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_turn_is_committed_when_the_caller_stopped_and_told_piece_by_piece() {
    let (server, mut told) = server(Vec::new(), answer).await;
    let stt = recogniser("openai_transcribe", &server.url("/v1"), live(json!({ "keyterms": ["Kim"] })));
    let mut session = stt.open(start(8_000));
    speak(&session, 600, 200).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert!(matches!(events[0], SttEvent::Connected { .. }));
    assert_eq!(events[1], SttEvent::Partial { text: "I am".into() });
    assert_eq!(events[2], SttEvent::Partial { text: "I am late.".into() });
    assert_eq!(finals(&events), ["I am late."]);
    let handshake = &server.handshakes()[0];
    assert_eq!(handshake.target, "/v1/realtime?intent=transcription");
    assert_eq!(handshake.header("authorization"), Some("Bearer hush"));
    let mut json = Vec::new();
    while let Ok(Message::Text(text)) = told.try_recv() {
        json.push(serde_json::from_str::<Json>(&text).unwrap());
    }
    let input = json!({
        "format": { "type": "audio/pcmu" }, "turn_detection": null,
        "transcription": { "model": "gpt-4o-transcribe", "language": "en", "prompt": "Kim, Zürich" },
    });
    assert_eq!(json[0]["session"], json!({ "type": "transcription", "audio": { "input": input } }));
    let sound: Vec<&str> = json.iter().filter_map(|j| j["audio"].as_str()).collect();
    assert_eq!(sound.len(), 40);
    assert_eq!(STANDARD.decode(sound[0]).unwrap().len(), 160, "a byte for each sample");
    // Silence that lasts is withheld, and a question about it is answered here.
    speak(&session, 0, 5_000).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    assert_eq!(finals(&until(&mut session, is_answered).await), [""]);
    let mut more = 0;
    while let Ok(Message::Text(text)) = told.try_recv() {
        assert!(text.contains("append"), "{text}");
        more += 1;
    }
    assert!(more <= 50, "a second of it goes with the speech before: {more}");
}

#[tokio::test]
async fn wide_sound_is_sent_at_the_rate_that_sessions_have() {
    let (server, mut told) = server(Vec::new(), answer).await;
    let more = live(json!({ "model": "gpt-live-transcribe", "language": "de-AT" }));
    let mut session = recogniser("openai_transcribe", &server.url("/v1"), more).open(start(16_000));
    next(&mut session).await;
    for _ in 0..100 {
        session.input.send(frame(900)).await.unwrap();
    }
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    until(&mut session, is_answered).await;
    let mut bytes = 0;
    while let Ok(Message::Text(text)) = told.try_recv() {
        let json: Json = serde_json::from_str(&text).unwrap();
        if let Some(transcription) = json.pointer("/session/audio/input/transcription") {
            let wanted = json!({ "model": "gpt-live-transcribe", "language": "de", "keywords": ["Zürich"] });
            assert_eq!(transcription, &wanted);
            assert_eq!(json.pointer("/session/audio/input/format/rate"), Some(&json!(24_000)));
        }
        bytes += json["audio"].as_str().map_or(0, |audio| STANDARD.decode(audio).unwrap().len());
    }
    let sent = 100 * 320;
    assert!((sent * 3 / 2 - 100..=sent * 3 / 2 + 100).contains(&bytes), "{bytes} for {sent}");
}

#[tokio::test]
async fn pieces_that_are_told_out_of_order_are_all_told() {
    let done = |item: &str, words: &str| {
        let kind = "conversation.item.input_audio_transcription.completed";
        text(json!({ "type": kind, "item_id": item, "transcript": words }))
    };
    let commits = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let answer = move |json: &Json| match json["type"].as_str().unwrap() {
        "session.update" => vec![text(json!({ "type": "session.updated" }))],
        "input_audio_buffer.commit" => {
            let item = ["a", "b"][commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed)];
            let mut messages = vec![text(json!({ "type": "input_audio_buffer.committed", "item_id": item }))];
            if item == "b" {
                messages.extend([done("b", "second"), done("a", "first")]);
            }
            messages
        }
        _ => Vec::new(),
    };
    let (server, _told) = server(Vec::new(), answer).await;
    let mut session = recogniser("openai_transcribe", &server.url("/v1"), live(json!({}))).open(start(8_000));
    for _ in 0..2 {
        speak(&session, 400, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
    }
    let mut events = until(&mut session, is_answered).await;
    events.extend(until(&mut session, is_answered).await);
    assert_eq!(finals(&events), ["second", "first"]);
}

#[tokio::test]
async fn errors_are_told_and_an_empty_piece_is_none() {
    let failing = |error: Json| {
        move |json: &Json| match json["type"].as_str().unwrap() {
            "session.update" => vec![text(json!({ "type": "session.updated" }))],
            "input_audio_buffer.commit" => vec![text(json!({ "type": "error", "error": error.clone() }))],
            _ => Vec::new(),
        }
    };
    for (error, kind) in [
        (
            json!({ "type": "invalid_request_error", "code": "x", "message": "no hush" }),
            LlmErrorKind::Rejected,
        ),
        (
            json!({ "type": "invalid_request_error", "code": "invalid_api_key", "message": "no hush" }),
            LlmErrorKind::Auth,
        ),
        (json!({ "type": "server_error", "code": null, "message": "no hush" }), LlmErrorKind::Unavailable),
    ] {
        let (server, _told) = server(Vec::new(), failing(error)).await;
        let mut session =
            recogniser("openai_transcribe", &server.url("/v1"), live(json!({}))).open(start(8_000));
        speak(&session, 400, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_failed).await;
        let Some(SttEvent::Failed(error)) = events.last() else { panic!() };
        assert_eq!((error.kind, error.message.as_str()), (kind, "no [key]"));
    }
    let empty =
        json!({ "type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "x" });
    let (server, _told) = server(Vec::new(), failing(empty)).await;
    let mut session = recogniser("openai_transcribe", &server.url("/v1"), live(json!({}))).open(start(8_000));
    speak(&session, 400, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    assert_eq!(finals(&until(&mut session, is_answered).await), [""]);
    let error = refused("openai_transcribe", json!({ "live": "yes" }));
    assert_eq!(error.message, "`live` must be true or false");
}
