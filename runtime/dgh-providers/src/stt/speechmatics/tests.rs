//! Speechmatics' client against a server that speaks its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::stt::testing::{finals, is_answered, next, recogniser, server, speak, start, text, until};
use crate::stt::{SttEvent, SttInput};

fn transcript(message: &str, text_: &str, confidence: f64) -> Message {
    let alternatives = json!([{ "content": "x", "confidence": confidence, "language": "en" }]);
    text(json!({
        "message": message, "format": "2.9",
        "metadata": { "transcript": text_, "start_time": 0.0, "end_time": 0.1 },
        "results": [{ "type": "word", "alternatives": alternatives }],
    }))
}

fn answer(json: &Json) -> Vec<Message> {
    match json["message"].as_str() {
        Some("StartRecognition") => vec![
            text(json!({ "message": "Info", "type": "recognition_quality", "reason": "x" })),
            text(json!({ "message": "RecognitionStarted", "id": "x" })),
        ],
        Some("ForceEndOfUtterance") => vec![
            transcript("AddPartialTranscript", "", 1.0),
            transcript("AddPartialTranscript", "I want", 1.0),
            transcript("AddTranscript", "I want ", 0.5),
            transcript("AddTranscript", "to book. ", 1.0),
            transcript("AddTranscript", "", 1.0),
            text(json!({ "message": "EndOfUtterance", "metadata": { "start_time": 0.1, "end_time": 0.1 } })),
        ],
        Some(_) => Vec::new(),
        None => vec![text(json!({ "message": "AudioAdded", "seq_no": 1 }))],
    }
}

#[tokio::test]
async fn an_utterance_is_told_in_pieces_and_ends_when_the_caller_stopped() {
    let (server, mut told) = server(Vec::new(), answer).await;
    let more = json!({ "model": "enhanced", "keyterms": ["Kim"], "max_delay": 1.5 });
    let mut session = recogniser("speechmatics_realtime", &server.url("/v2"), more).open(start(8_000));
    speak(&session, 100, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert!(matches!(events[0], SttEvent::Connected { .. }));
    assert_eq!(events[1], SttEvent::Partial { text: "I want".into() });
    let first = SttEvent::Final { text: "I want".into(), confidence: Some(50), language: Some("en".into()) };
    assert_eq!(events[2], first);
    assert_eq!(finals(&events), ["I want", "to book."]);
    let Some(Message::Text(begin)) = told.recv().await else { panic!() };
    assert_eq!(
        serde_json::from_str::<Json>(&begin).unwrap(),
        json!({
            "message": "StartRecognition",
            "audio_format": { "type": "raw", "encoding": "pcm_s16le", "sample_rate": 8_000 },
            "transcription_config": {
                "language": "en", "operating_point": "enhanced", "enable_partials": true, "max_delay": 1.5,
                "conversation_config": { "end_of_utterance_silence_trigger": 0.5 },
                "additional_vocab": [{ "content": "Kim" }, { "content": "Zürich" }],
            },
        })
    );
    assert_eq!([told.recv().await.unwrap().len(), told.recv().await.unwrap().len()], [960, 640]);
    assert_eq!(told.recv().await.unwrap(), Message::text(r#"{"message":"ForceEndOfUtterance"}"#));
    assert_eq!(server.handshakes()[0].header("authorization"), Some("Bearer hush"));
    drop(session);
    assert_eq!(told.recv().await.unwrap(), Message::text(r#"{"message":"EndOfStream","last_seq_no":2}"#));
}

#[tokio::test]
async fn errors_have_their_kinds() {
    for (name, kind) in [
        ("not_authorised", LlmErrorKind::Auth),
        ("invalid_model", LlmErrorKind::Rejected),
        ("quota_exceeded", LlmErrorKind::RateLimited),
        ("job_error", LlmErrorKind::Unavailable),
    ] {
        let error = text(json!({ "message": "Error", "type": name, "reason": "no hush" }));
        let (server, _told) = server(Vec::new(), move |_| vec![error.clone()]).await;
        let mut session =
            recogniser("speechmatics_realtime", &server.url("/v2"), json!({ "language": "cmn_en" }))
                .open(start(8_000));
        let SttEvent::Failed(error) = next(&mut session).await else { panic!() };
        assert_eq!((error.kind, error.message), (kind, format!("{name}: no [key]")));
    }
}
