//! Azure's client against a server that speaks its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{ServerSocket, SocketServer, Welcome};
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;

use super::*;
use crate::stt::testing::{finals, is_answered, is_failed, model, recogniser, registry, speak, start, until};
use crate::stt::{SttEvent, SttInput};
use crate::voice::Voices;

fn said(path: &str, body: Json) -> Message {
    Message::text(format!(
        "X-RequestId:1\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n{body}"
    ))
}

/// A server that answers the piece of silence that ends an utterance.
async fn server(answer: Vec<Message>) -> (SocketServer, mpsc::UnboundedReceiver<Message>) {
    let (tell, told) = mpsc::unbounded_channel();
    let serve = move |_, mut socket: ServerSocket| {
        let (answer, tell) = (answer.clone(), tell.clone());
        async move {
            while let Some(Ok(message)) = socket.next().await {
                let ends = matches!(&message, Message::Binary(bytes) if bytes.len() > 5_000);
                let _ = tell.send(message);
                for message in answer.iter().filter(|_| ends) {
                    socket.send(message.clone()).await.unwrap();
                }
            }
        }
    };
    (SocketServer::start(|_| Welcome::Open, serve).await, told)
}

/// The headers of a binary message, and what is behind them.
fn sound(message: &Message) -> (String, &[u8]) {
    let Message::Binary(bytes) = message else { panic!("{message:?}") };
    let end = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    (String::from_utf8(bytes[2..end].to_vec()).unwrap(), &bytes[end..])
}

#[tokio::test]
async fn an_utterance_is_ended_with_silence_that_nobody_waits_for() {
    let phrase = json!({
        "RecognitionStatus": "Success", "Offset": 100_000, "Duration": 2_000_000,
        "NBest": [{ "Confidence": 0.91, "Lexical": "a", "Display": "I would like to cancel." }, { "Display": "x" }],
    });
    let (server, mut told) = server(vec![
        said("turn.start", json!({ "context": { "serviceTag": "x" } })),
        said("speech.startDetected", json!({ "Offset": 1 })),
        said("speech.hypothesis", json!({ "Text": "I would", "Offset": 1, "Duration": 2 })),
        said("speech.endDetected", json!({ "Offset": 1 })),
        said("speech.phrase", phrase),
    ])
    .await;
    let stt = recogniser("azure_recognition", &server.url(""), json!({ "keyterms": ["Kim"], "pause": 0.4 }));
    let mut session = stt.open(start(8_000));
    speak(&session, 100, 0).await;
    session.input.send(SttInput::SpeechEnded).await.unwrap();
    let events = until(&mut session, is_answered).await;
    assert_eq!(events[1], SttEvent::Partial { text: "I would".into() });
    let words =
        SttEvent::Final { text: "I would like to cancel.".into(), confidence: Some(91), language: None };
    assert_eq!(events[2], words);

    let handshake = &server.handshakes()[0];
    assert!(handshake.target.starts_with("/speech/recognition/conversation/cognitiveservices/v1?"));
    assert_eq!(
        (handshake.query("language"), handshake.query("format")),
        (vec!["en-US".into()], vec!["detailed".into()])
    );
    assert_eq!(handshake.header("ocp-apim-subscription-key"), Some("hush"));
    assert_eq!(handshake.header("x-connectionid").unwrap().len(), 32);
    let mut request = String::new();
    for path in ["speech.config", "speech.context"] {
        let Some(Message::Text(text)) = told.recv().await else { panic!() };
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(headers.starts_with(&format!("Path: {path}\r\nX-RequestId: ")), "{headers}");
        assert!(headers.ends_with("\r\nContent-Type: application/json"), "{headers}");
        request = headers.lines().nth(1).unwrap().to_owned();
        let body: Json = serde_json::from_str(body).unwrap();
        if path == "speech.context" {
            assert_eq!(body["dgi"]["groups"][0]["items"], json!([{ "text": "Kim" }, { "text": "Zürich" }]));
            let segmentation = json!({ "mode": "Custom", "segmentationSilenceTimeoutMs": 400 });
            assert_eq!(body["phraseDetection"]["conversation"]["segmentation"], segmentation);
        }
    }
    let sizes = [44, 960, 640, 600 * 16];
    for size in sizes {
        let message = told.recv().await.unwrap();
        let (headers, pcm) = sound(&message);
        assert!(headers.starts_with("Path: audio\r\n") && headers.contains(&request), "{headers}");
        assert!(headers.ends_with("Content-Type: audio/x-wav\r\n"), "{headers}");
        assert_eq!(pcm.len(), size);
    }
    drop(session);
    let end = told.recv().await.unwrap();
    assert!(sound(&end).1.is_empty());
}

#[tokio::test]
async fn what_is_not_understood_has_an_empty_answer_and_errors_are_told() {
    let status = |status: &str| vec![said("speech.phrase", json!({ "RecognitionStatus": status }))];
    for (answer, kind) in [
        (status("NoMatch"), None),
        (status("InitialSilenceTimeout"), None),
        (status("TooManyRequests"), Some(LlmErrorKind::RateLimited)),
        (status("Forbidden"), Some(LlmErrorKind::Auth)),
        (status("Error"), Some(LlmErrorKind::Unavailable)),
        (vec![said("turn.end", json!({}))], Some(LlmErrorKind::Unavailable)),
        (vec![Message::text("{}")], Some(LlmErrorKind::BadAnswer)),
        (vec![Message::text("No: path\r\n\r\n{}")], Some(LlmErrorKind::BadAnswer)),
        (vec![Message::text("Path: speech.phrase\r\n\r\n[")], Some(LlmErrorKind::BadAnswer)),
    ] {
        let (server, _told) = server(answer).await;
        let mut session = recogniser("azure_recognition", &server.url(""), json!({})).open(start(8_000));
        speak(&session, 400, 0).await;
        session.input.send(SttInput::SpeechEnded).await.unwrap();
        let events = until(&mut session, |e| is_answered(e) || is_failed(e)).await;
        match (events.last().unwrap(), kind) {
            (SttEvent::Failed(error), Some(kind)) => assert_eq!(error.kind, kind),
            (SttEvent::Answered { .. }, None) => assert_eq!(finals(&events), [""]),
            (other, _) => panic!("{other:?} for {kind:?}"),
        }
    }
}

#[test]
fn a_region_is_an_address() {
    let of = |region: Json| {
        let mut model = model("it", "azure_recognition", "", json!({ "region": region }));
        model.settings.shift_remove("url");
        locate(&model).map(|model| model.settings["url"].clone())
    };
    assert_eq!(of(json!("eastus")).unwrap(), "wss://eastus.stt.speech.microsoft.com");
    for wrong in [json!("evil.example/"), json!(""), json!(null)] {
        assert_eq!(of(wrong).unwrap_err().message, "it: `region` must be the name of a region, as `eastus`");
    }
    let _ = registry().stt(&model("it", "azure_recognition", "ws://127.0.0.1/", json!({}))).ok().unwrap();
}
