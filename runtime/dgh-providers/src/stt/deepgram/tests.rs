//! Nova against servers that speak its protocol, well and badly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{SocketServer, close, in_frames};
use serde_json::{Value as Json, json};

use super::*;
use crate::double::SttServer;
use crate::double::stt::{SttFault, SttScript};
use crate::stt::testing::{
    finals, is_answered, is_failed, next, recogniser, refused, server, speak, start, text, until,
};
use crate::stt::{SttEvent, SttInput};

fn script(words: &[&str]) -> SttScript {
    SttScript { words: words.iter().map(|w| (*w).to_owned()).collect(), ..SttScript::default() }
}

fn result(transcript: &str, marks: Json) -> Message {
    let mut json = json!({
        "type": "Results", "start": 0.0, "duration": 0.5,
        "channel": { "alternatives": [{ "transcript": transcript, "confidence": 0.876 }] },
    });
    json.as_object_mut().unwrap().extend(marks.as_object().unwrap().clone());
    text(json)
}

async fn failure(session: &mut SttSession) -> VoiceError {
    match until(session, is_failed).await.pop() {
        Some(SttEvent::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_caller_says_is_told_while_and_after_he_speaks() {
    let server = SttServer::start(script(&["book me a cleaning", "on friday"])).await;
    let stt = recogniser("deepgram_listen", &server.url(), json!({ "model": "nova-3" }));
    let mut session = stt.open(start(8_000));
    assert!(matches!(next(&mut session).await, SttEvent::Connected { provider, .. } if provider == "it"));
    speak(&session, 1_000, 100).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert!(events.contains(&SttEvent::Partial { text: "book me".into() }), "{events:?}");
    assert_eq!(finals(&events), ["book me a cleaning"]);
    let SttEvent::Answered { ms, .. } = events.last().unwrap() else { panic!() };
    assert!((50..1_000).contains(ms), "{ms}: the words come 150 ms after the sound");
    // The endpoint of the server is as good as a question.
    speak(&session, 400, 600).await;
    let events = until(&mut session, |e| matches!(e, SttEvent::Final { .. })).await;
    assert_eq!(finals(&events), ["on friday"]);
    let SttEvent::Final { confidence, .. } = events.last().unwrap() else { panic!() };
    assert_eq!(*confidence, Some(98));
    // And a question without words has an empty answer.
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    assert_eq!(finals(&until(&mut session, is_answered).await), [""]);
    let heard = &server.heard()[0];
    assert_eq!((heard.bytes, heard.frames), (105 * 320, 105), "frames go as they come");
    drop(session);
    for _ in 0..100 {
        if server.heard()[0].controls == ["Finalize", "Finalize", "CloseStream"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", server.heard());
}

#[tokio::test]
async fn settings_are_parameters_of_the_address_and_the_key_a_header() {
    let server = SttServer::start(script(&["x"])).await;
    let more = json!({ "model": "nova-3", "keyterms": ["Müller & Söhne"], "endpointing": 0.2 });
    let mut session = recogniser("deepgram_listen", &server.url(), more).open(start(8_000));
    next(&mut session).await;
    let more = json!({ "model": "nova-2", "language": "de" });
    let languages = vec!["de".into(), "fr".into()];
    let wide = SttStart { rate: 16_000, languages: languages.clone(), words: vec!["Kim".into()] };
    let mut session = recogniser("deepgram_listen", &server.url(), more).open(wide.clone());
    next(&mut session).await;
    let mut session = recogniser("deepgram_listen", &server.url(), json!({ "model": "nova-3" })).open(wide);
    next(&mut session).await;
    let [first, second, third] = &server.handshakes()[..] else { panic!() };
    assert_eq!(first.header("authorization"), Some("Token hush"));
    assert!(!first.target.contains("hush"));
    for (name, values) in [
        ("model", &["nova-3"][..]),
        ("encoding", &["linear16"]),
        ("sample_rate", &["8000"]),
        ("interim_results", &["true"]),
        ("endpointing", &["200"]),
        ("utterance_end_ms", &["1000"]),
        ("smart_format", &["true"]),
        ("language", &["en-US"]),
        ("keyterm", &["Müller & Söhne", "Zürich"]),
        ("keywords", &[]),
    ] {
        assert_eq!(first.query(name), values, "{name}");
    }
    assert_eq!((second.query("language"), second.query("keywords")), (vec!["de".into()], vec!["Kim".into()]));
    assert_eq!(
        (second.query("sample_rate"), third.query("language")),
        (vec!["16000".into()], vec!["multi".into()])
    );
}

#[tokio::test]
async fn a_wrong_key_says_so_and_is_not_shown() {
    for (status, kind) in [
        (401, LlmErrorKind::Auth),
        (402, LlmErrorKind::RateLimited),
        (400, LlmErrorKind::Rejected),
        (503, LlmErrorKind::Unavailable),
    ] {
        let faults = vec![Some(SttFault::Refuse(status))];
        let server = SttServer::start(SttScript { faults, ..script(&["x"]) }).await;
        let mut session = recogniser("deepgram_listen", &server.url(), json!({})).open(start(8_000));
        let error = failure(&mut session).await;
        assert_eq!((error.kind, error.provider.as_str()), (kind, "it"));
        assert!(!error.to_string().contains("hush"), "{error}");
        assert!(session.events.recv().await.is_none(), "nothing comes after it");
    }
}

#[tokio::test]
async fn messages_may_be_cut_anywhere_and_others_come_between() {
    let long = json!({
        "type": "Results", "start": 0, "duration": 1, "is_final": true, "from_finalize": true, "new": [1, {}],
        "channel": { "alternatives": [{ "transcript": "Grüße aus Köln \u{1F600} \"ja\"", "confidence": null, "languages": ["de"] }] },
    });
    let pieces = in_frames(&long.to_string(), 3);
    let answer = move |json: &Json| match json["type"].as_str() {
        Some("Finalize") => {
            let mut messages = vec![
                text(json!({ "type": "Metadata", "models": ["x"] })),
                text(json!({ "type": "SomethingNew" })),
                Message::Ping(vec![1].into()),
                Message::Binary(vec![0, 159, 146].into()),
                result("", json!({ "is_final": false })),
            ];
            messages.extend(pieces.clone());
            messages
        }
        _ => Vec::new(),
    };
    let (server, _told) = server(vec![text(json!({ "type": "Metadata" }))], answer).await;
    let mut session = recogniser("deepgram_listen", &server.url("/"), json!({})).open(start(8_000));
    speak(&session, 600, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    let words = SttEvent::Final {
        text: "Grüße aus Köln \u{1F600} \"ja\"".into(),
        confidence: None,
        language: Some("de".into()),
    };
    assert!(matches!(events[0], SttEvent::Connected { .. }));
    assert_eq!(events[1], words);
    assert_eq!(events.len(), 3, "{events:?}");
}

#[tokio::test]
async fn words_come_in_pieces_and_an_utterance_may_end_without_an_answer() {
    let answer = |json: &Json| match json["type"].as_str() {
        Some("Finalize") => vec![
            result("well", json!({ "is_final": false })),
            result("well", json!({ "is_final": false })),
            result("Well yes", json!({ "is_final": true, "speech_final": false })),
            result("indeed", json!({ "is_final": true, "from_finalize": true })),
            // Long before the next question: no answer to it.
            text(json!({ "type": "UtteranceEnd", "last_word_end": 1.0 })),
        ],
        _ => Vec::new(),
    };
    let (server, _told) = server(Vec::new(), answer).await;
    let mut session = recogniser("deepgram_listen", &server.url("/"), json!({})).open(start(8_000));
    speak(&session, 600, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(events[1], SttEvent::Partial { text: "well".into() });
    assert_eq!(finals(&events), ["Well yes", "indeed"]);
    assert_eq!(events.len(), 5, "an unchanged partial is told once: {events:?}");
}

#[test]
fn an_end_of_utterance_answers_a_question_that_has_waited() {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(
        async {
            let mut listen = Listen { bytes_per_second: 16_000.0, asked: None };
            let (mut out, end) = (Vec::new(), r#"{"type":"UtteranceEnd"}"#);
            let mut told = Tell::default();
            listen.read(end, &mut told).ok().unwrap();
            listen.speech_ended(&mut out, &mut told);
            listen.read(end, &mut told).ok().unwrap();
            assert_eq!(told.take(), [], "it was on its way before the question");
            tokio::time::advance(ON_ITS_WAY).await;
            listen.read(end, &mut told).ok().unwrap();
            assert_eq!(told.take(), [Told::Answered]);
            listen.read(end, &mut told).ok().unwrap();
            assert_eq!(told.take(), []);
            assert_eq!(listen.keep_alive(), Message::text(r#"{"type":"KeepAlive"}"#));
        },
    );
}

#[tokio::test]
async fn what_is_not_the_protocol_is_a_bad_answer_and_a_reason_is_told() {
    for (what, kind, message) in [
        (
            Message::text("{\"type\": \"Results\""),
            LlmErrorKind::BadAnswer,
            "a message is not what the protocol says",
        ),
        (Message::text("[]"), LlmErrorKind::BadAnswer, "a message is not what the protocol says"),
        (
            text(json!({ "type": "Results", "channel": 7 })),
            LlmErrorKind::BadAnswer,
            "a message is not what the protocol says",
        ),
        (
            text(
                json!({ "type": "Error", "variant": "V", "description": "no hush for you", "message": "m" }),
            ),
            LlmErrorKind::Unavailable,
            "V: no [key] for you: m",
        ),
        (
            close(1011, "NET-0001 no sound"),
            LlmErrorKind::Unavailable,
            "closed the socket (1011): NET-0001 no sound",
        ),
        (close(1008, "DATA-0000"), LlmErrorKind::Auth, "closed the socket (1008): DATA-0000"),
        (close(1000, ""), LlmErrorKind::Network, "closed the socket (1000)"),
        (
            Message::text("x".repeat(dgh_net::socket::MAX_MESSAGE_BYTES + 1)),
            LlmErrorKind::TooLarge,
            "a message is too long",
        ),
    ] {
        let (server, _told) = server(vec![what], |_| Vec::new()).await;
        let mut session = recogniser("deepgram_listen", &server.url("/"), json!({})).open(start(8_000));
        let error = failure(&mut session).await;
        assert_eq!((error.kind, error.message.as_str()), (kind, message));
    }
}

#[tokio::test]
async fn a_recogniser_that_never_opens_or_never_answers_is_given_up() {
    let silent = SocketServer::silent().await;
    let model = crate::stt::testing::model("it", "deepgram_listen", &silent.url("/"), json!({}));
    let secrets: std::collections::HashMap<String, secrecy::SecretString> =
        std::collections::HashMap::from([("KEY".to_owned(), "hush".to_owned().into())]);
    let client = Client::new(dgh_net::Policy::with_private()).unwrap();
    let mut stt = Deepgram::new(&model, client, &secrets).ok().unwrap();
    Arc::get_mut(&mut stt.endpoint).unwrap().patience.connect = Duration::from_millis(100);
    let error = failure(&mut stt.open(start(8_000))).await;
    assert_eq!(error.kind, LlmErrorKind::Timeout);

    for fault in [SttFault::Mute, SttFault::NoFinal] {
        let server =
            SttServer::start(SttScript { faults: vec![Some(fault.clone())], ..script(&["x y z"]) }).await;
        let stt = recogniser("deepgram_listen", &server.url(), json!({ "timeout": 0.1 }));
        let mut session = stt.open(start(8_000));
        speak(&session, 800, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_failed).await;
        let Some(SttEvent::Failed(error)) = events.last() else { panic!() };
        assert_eq!(error.message, "no final words within 100 ms after the end of speech", "{fault:?}");
        let kept: &[&str] = if fault == SttFault::NoFinal { &["x y"] } else { &[] };
        assert_eq!(finals(&events), kept, "half-understood words are better than none");
    }
}

#[tokio::test]
async fn a_cough_that_nobody_answers_is_no_failure() {
    let server = SttServer::start(SttScript { faults: vec![Some(SttFault::Mute)], ..script(&["x"]) }).await;
    let stt = recogniser("deepgram_listen", &server.url(), json!({ "timeout": 0.1 }));
    let mut session = stt.open(start(8_000));
    speak(&session, 200, 200).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    assert_eq!(finals(&until(&mut session, is_answered).await), [""]);
}

#[test]
fn settings_that_make_no_sense_are_errors() {
    for (more, message) in [
        (json!({ "model": null }), "`model` is not set"),
        (json!({ "keyterms": "x" }), "`keyterms` must be a list of texts"),
        (json!({ "endpointing": "soon" }), "`endpointing` must be a number of seconds"),
        (json!({ "timeout": 0 }), "`timeout` must be a number of seconds"),
        (json!({ "model": "nova-3", "eot_threshold": 0.7 }), "`eot_threshold` is for flux models alone"),
        (
            json!({ "model": "flux-general-en", "endpointing": 0.7 }),
            "`endpointing` is not for flux models: use `eot_timeout`",
        ),
        (
            json!({ "model": "flux-general-en", "eot_threshold": 7 }),
            "`eot_threshold` must be a number from 0.5 to 1",
        ),
    ] {
        let error = refused("deepgram_listen", more);
        assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::Setup, message));
    }
}
