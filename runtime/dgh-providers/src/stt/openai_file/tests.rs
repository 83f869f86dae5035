//! Files against a server that speaks OpenAI's API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{Received, Reply, Server};
use serde_json::json;

use super::*;
use crate::stt::failover;
use crate::stt::testing::{finals, is_answered, is_failed, next, recogniser, speak, start, until};

/// The parts of a form: name, and content.
fn parts(request: &Received) -> Vec<(String, Vec<u8>)> {
    let kind = request.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let mark = format!("--{boundary}").into_bytes();
    let body = &request.body;
    let at: Vec<usize> = (0..body.len()).filter(|i| body[*i..].starts_with(&mark)).collect();
    assert_eq!(&body[*at.last().unwrap()..], format!("--{boundary}--\r\n").as_bytes());
    at.windows(2)
        .map(|pair| {
            let part = &body[pair[0] + mark.len() + 2..pair[1] - 2];
            let head = part.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
            let text = String::from_utf8(part[..head].to_vec()).unwrap();
            let name = text.split("name=\"").nth(1).unwrap().split('"').next().unwrap();
            (name.to_owned(), part[head + 4..].to_vec())
        })
        .collect()
}

#[tokio::test]
async fn an_utterance_is_sent_as_a_file_when_the_caller_stopped() {
    let server = Server::start(|_, _| Reply::json(&json!({ "text": " Grüß Gott. ", "usage": {} }))).await;
    let more = json!({ "model": "whisper-1", "keyterms": ["Kim"] });
    let mut session = recogniser("openai_transcribe", &server.url("/v1"), more).open(start(8_000));
    assert!(matches!(next(&mut session).await, SttEvent::Connected { .. }));
    speak(&session, 600, 200).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), ["Grüß Gott."]);
    let request = &server.received()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/audio/transcriptions"));
    assert_eq!(request.header("authorization"), Some("Bearer hush"));
    let parts = parts(request);
    let texts: Vec<(&str, String)> = parts[..4]
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8(value.clone()).unwrap()))
        .collect();
    assert_eq!(
        texts,
        [
            ("model", "whisper-1".into()),
            ("response_format", "json".into()),
            ("language", "en".into()),
            ("prompt", "Kim, Zürich".into())
        ]
    );
    let (name, wav) = &parts[4];
    assert_eq!((name.as_str(), wav.len()), ("file", 44 + 40 * 320));
    assert_eq!((&wav[..4], &wav[8..16], &wav[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
    assert_eq!(u32::from_le_bytes(wav[24..28].try_into().unwrap()), 8_000);
    assert_eq!(u32::from_le_bytes(wav[40..44].try_into().unwrap()), 40 * 320);
    assert_eq!(i16::from_le_bytes(wav[44..46].try_into().unwrap()), 900);
}

#[tokio::test]
async fn silence_is_not_sent_and_long_speech_is_cut() {
    let server = Server::start(|n, _| Reply::json(&json!({ "text": format!("part {n}") }))).await;
    let mut session = recogniser("openai_transcribe", &server.url("/v1"), json!({})).open(start(8_000));
    speak(&session, 0, 3_000).await;
    speak(&session, 40, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    assert_eq!(finals(&until(&mut session, is_answered).await), [""], "a click has no words");
    assert!(server.received().is_empty());
    speak(&session, 31_000, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(finals(&events), ["part 0", "part 1"]);
    assert_eq!(parts(&server.received()[0]).last().unwrap().1.len(), 44 + 480_000);
}

#[tokio::test]
async fn failures_have_their_kinds_and_another_one_hears_the_utterance() {
    let error = |status, text| {
        Reply::new(status, "application/json", json!({ "error": { "message": text } }).to_string())
    };
    for (reply, kind, said) in [
        (error(401, "wrong key hush"), LlmErrorKind::Auth, "wrong key [key] (401)"),
        (error(429, "slow down"), LlmErrorKind::RateLimited, "slow down (429)"),
        (Reply::new(500, "text/html", "<oops>"), LlmErrorKind::Unavailable, "did not write it down (500)"),
        (
            Reply::new(200, "text/plain", "words"),
            LlmErrorKind::BadAnswer,
            "the answer is not a transcription",
        ),
        (Reply::json(&json!({ "text": 7 })), LlmErrorKind::BadAnswer, "the answer is not a transcription"),
    ] {
        let bad = Server::start(move |_, _| reply.clone()).await;
        let mut session = recogniser("openai_transcribe", &bad.url("/v1"), json!({})).open(start(8_000));
        speak(&session, 600, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, is_failed).await;
        let Some(SttEvent::Failed(failure)) = events.last() else { panic!() };
        assert_eq!((failure.kind, failure.message.as_str()), (kind, said));

        let good = Server::start(|_, _| Reply::json(&json!({ "text": "all of it" }))).await;
        let list = [&bad, &good]
            .map(|s| ("x".to_owned(), recogniser("openai_transcribe", &s.url("/v1"), json!({}))));
        let mut session = failover(list.into()).unwrap().open(start(8_000));
        speak(&session, 600, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        assert_eq!(finals(&until(&mut session, is_answered).await), ["all of it"]);
        assert_eq!(parts(&good.received()[0]).last().unwrap().1.len(), 44 + 30 * 320);
    }
    let slow = Server::start(|_, _| Reply::default().stall()).await;
    let mut session =
        recogniser("openai_transcribe", &slow.url("/v1"), json!({ "timeout": 0.1 })).open(start(8_000));
    speak(&session, 600, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_failed).await;
    let Some(SttEvent::Failed(failure)) = events.last() else { panic!() };
    assert_eq!(failure.kind, LlmErrorKind::Timeout);
}
