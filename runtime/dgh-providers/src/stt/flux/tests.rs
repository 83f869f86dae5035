//! Flux against a server that speaks its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::llm::LlmErrorKind;
use crate::stt::SttInput;
use crate::stt::testing::{
    finals, is_answered, is_failed, next, recogniser, server, speak, start, text, until,
};

fn info(event: &str, transcript: &str) -> Message {
    text(json!({
        "type": "TurnInfo", "request_id": "r", "sequence_id": 1, "event": event, "turn_index": 0,
        "audio_window_start": 0.0, "audio_window_end": 0.4, "transcript": transcript,
        "words": [{ "word": "x", "confidence": 0.9 }, { "word": "y", "confidence": 0.7 }],
        "end_of_turn_confidence": 0.5, "languages": ["de"],
    }))
}

#[tokio::test]
async fn turns_are_told_as_the_model_sees_them() {
    let turn = vec![
        info("Update", ""),
        info("StartOfTurn", "I want"),
        info("EagerEndOfTurn", "I want to cancel"),
        info("TurnResumed", "I want to cancel my"),
        info("Update", "I want to cancel my visit"),
        info("Update", "I want to cancel my visit"),
        info("EagerEndOfTurn", "I want to cancel my visit."),
        info("EndOfTurn", "I want to cancel my visit."),
    ];
    let said = std::sync::Mutex::new(Some(turn));
    let said = Arc::new(said);
    let answer = move |json: &Json| {
        if json.is_null() { said.lock().unwrap().take().unwrap_or_default() } else { Vec::new() }
    };
    let (server, _told) = server(vec![text(json!({ "type": "Connected", "sequence_id": 0 }))], answer).await;
    let stt = recogniser("deepgram_listen", &server.url("/v1/listen"), json!({ "model": "flux-general-en" }));
    assert!(stt.ends_turns());
    let mut session = stt.open(start(8_000));
    next(&mut session).await;
    speak(&session, 600, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let mut events = until(&mut session, |e| *e == SttEvent::EndOfTurn).await;
    let partial = |text: &str| SttEvent::Partial { text: text.into() };
    let last = SttEvent::Final {
        text: "I want to cancel my visit.".into(),
        confidence: Some(80),
        language: Some("de".into()),
    };
    events.retain(|event| !is_answered(event));
    assert_eq!(
        events,
        [
            partial("I want"),
            partial("I want to cancel"),
            SttEvent::MaybeEnd,
            partial("I want to cancel my"),
            SttEvent::Resumed,
            partial("I want to cancel my visit"),
            partial("I want to cancel my visit."),
            SttEvent::MaybeEnd,
            last,
            SttEvent::EndOfTurn,
        ]
    );
    let handshake = &server.handshakes()[0];
    assert!(handshake.target.starts_with("/v2/listen?"), "{}", handshake.target);
    assert_eq!(handshake.header("authorization"), Some("Token hush"));
}

#[tokio::test]
async fn settings_are_parameters_of_the_address() {
    let (server, _told) = server(Vec::new(), |_| Vec::new()).await;
    let more = json!({
        "model": "flux-general-multi", "eot_threshold": 0.8, "eager_eot_threshold": "0.40", "eot_timeout": 3,
        "keyterms": ["Kim"], "language": "de-DE",
    });
    let mut session = recogniser("deepgram_listen", &server.url("/eu/v1/listen"), more).open(start(16_000));
    next(&mut session).await;
    let handshake = &server.handshakes()[0];
    assert!(handshake.target.starts_with("/eu/v2/listen?"));
    for (name, values) in [
        ("model", &["flux-general-multi"][..]),
        ("encoding", &["linear16"]),
        ("sample_rate", &["16000"]),
        ("eot_threshold", &["0.8"]),
        ("eot_timeout_ms", &["3000"]),
        ("keyterm", &["Kim", "Zürich"]),
        ("language_hint", &["de"]),
    ] {
        assert_eq!(handshake.query(name), values, "{name}");
    }
    assert_eq!(handshake.query("eager_eot_threshold").len(), 1);
}

#[tokio::test]
async fn while_a_turn_is_open_withheld_silence_is_made_up_for() {
    let answer = |json: &Json| if json.is_null() { vec![info("StartOfTurn", "Hello")] } else { Vec::new() };
    let (server, mut told) = server(Vec::new(), answer).await;
    let mut session =
        recogniser("deepgram_listen", &server.url("/v1/listen"), json!({ "model": "flux-general-en" }))
            .open(start(8_000));
    next(&mut session).await;
    speak(&session, 20, 0).await;
    // The sound itself, and then silence that nobody has sent.
    for loud in [true, false, false, false] {
        let Some(Message::Binary(pcm)) = told.recv().await else { panic!() };
        assert_eq!(pcm.iter().any(|byte| *byte != 0), loud);
    }
}

#[tokio::test]
async fn an_open_turn_may_take_longer_than_patience_and_a_dead_server_not() {
    // It goes on telling for 400 ms, and patience is 150.
    let answer = |_: &Json| vec![info("Update", "wait for it")];
    let (server, _told) = server(Vec::new(), answer).await;
    let more = json!({ "model": "flux-general-en", "timeout": 0.15 });
    let mut session = recogniser("deepgram_listen", &server.url("/v1/listen"), more).open(start(8_000));
    speak(&session, 600, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    for _ in 0..20 {
        speak(&session, 0, 20).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let events = until(&mut session, is_failed).await;
    let Some(SttEvent::Failed(error)) = events.last() else { panic!() };
    assert_eq!(error.kind, LlmErrorKind::Timeout);
    assert_eq!(finals(&events), ["wait for it"], "what was understood is kept");
}

#[tokio::test]
async fn an_error_is_told_with_its_code() {
    let error = text(
        json!({ "type": "Error", "sequence_id": 3, "code": "INTERNAL_SERVER_ERROR", "description": "oops" }),
    );
    let (server, _told) = server(vec![error], |_| Vec::new()).await;
    let mut session =
        recogniser("deepgram_listen", &server.url("/v1/listen"), json!({ "model": "flux-general-en" }))
            .open(start(8_000));
    let events = until(&mut session, is_failed).await;
    let Some(SttEvent::Failed(error)) = events.last() else { panic!() };
    assert_eq!(error.message, "INTERNAL_SERVER_ERROR: oops");
}
