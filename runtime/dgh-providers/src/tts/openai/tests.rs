//! OpenAI's speech on the wire, and what holds for every voice that is asked by requests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use dgh_net::testing::{Received, Reply, Server};
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use crate::LlmErrorKind;
use crate::tts::tests::{listen, model, next, open, say, tone};
use crate::tts::{TtsEvent, TtsInput};

fn posts(server: &Server) -> Vec<Received> {
    server.received().into_iter().filter(|request| request.method == "POST").collect()
}

fn texts(server: &Server) -> Vec<String> {
    posts(server).iter().map(|post| post.json()["input"].as_str().unwrap().to_owned()).collect()
}

/// A server that answers by the text; requests that warm the connection get nothing.
async fn server(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |_, request| match request.method.as_str() {
        "POST" => answer(request.json()["input"].as_str().unwrap()),
        _ => Reply::new(404, "text/plain", ""),
    })
    .await
}

fn pieces(sound: &[u8], size: usize) -> Reply {
    Reply::pieces("audio/pcm", sound.chunks(size)).end()
}

fn openai(server: &Server) -> dgh_engine::reply::Model {
    model("openai", &server.url("/v1"), json!({ "model": "tts-1", "voice": "coral" }))
}

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    let sound = tone(24_000, 500);
    let server = {
        let sound = sound.clone();
        server(move |_| pieces(&sound, 333)).await
    };
    let settings = json!({
        "model": "gpt-4o-mini-tts", "voice": "coral", "instructions": "Softly.", "speed": 1.5
    });
    let mut session = open(&model("openai", &server.url("/v1"), settings), 8_000, "en");
    assert_eq!(session.rate, 24_000);
    say(&session, 1, "Hello.").await;
    let heard = listen(&mut session, 1).await;
    assert!(heard.pcm == sound && heard.by.as_deref() == Some("openai"));
    let post = &posts(&server)[0];
    assert_eq!(
        (post.target.as_str(), post.header("authorization")),
        ("/v1/audio/speech", Some("Bearer hush"))
    );
    let body: Json = json!({
        "model": "gpt-4o-mini-tts", "voice": "coral", "response_format": "pcm",
        "instructions": "Softly.", "speed": 1.5, "input": "Hello."
    });
    assert_eq!(post.json(), body);
}

#[tokio::test]
async fn a_server_of_ones_own_needs_no_key_and_may_send_a_file() {
    let sound = tone(24_000, 100);
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\xff\xff\xff\xff".to_vec();
    file.extend_from_slice(&sound);
    let server = server(move |_| pieces(&file, 7)).await;
    let mut kokoro = model("kokoro", &server.url("/v1"), json!({ "voice": "af_heart" }));
    kokoro.key = None;
    let mut session = open(&kokoro, 16_000, "en");
    say(&session, 1, "Hello.").await;
    assert!(listen(&mut session, 1).await.pcm == sound);
    let post = &posts(&server)[0];
    assert_eq!(post.header("authorization"), None);
    assert_eq!((&post.json()["model"], &post.json()["voice"]), (&json!("kokoro"), &json!("af_heart")));
}

#[tokio::test]
async fn the_connection_is_made_before_the_first_sentence() {
    let server = server(|_| pieces(&tone(24_000, 100), 640)).await;
    let mut session = open(&openai(&server), 24_000, "en");
    let Some(TtsEvent::Connected { provider, .. }) = next(&mut session).await else {
        panic!("not connected")
    };
    assert_eq!(provider, "openai");
    let received = server.received();
    assert_eq!((received.len(), received[0].method.as_str(), received[0].target.as_str()), (1, "HEAD", "/"));
    assert_eq!(received[0].header("authorization"), None);
}

#[tokio::test]
async fn sentences_come_in_order_and_the_next_is_asked_for_while_one_sounds() {
    let gate = Arc::new(Notify::new());
    let server = {
        let gate = Arc::clone(&gate);
        server(move |text| {
            let half = tone(24_000, 50);
            match text {
                "One." => Reply::pieces("audio/pcm", [&half]).wait(&gate).piece(&half).end(),
                _ => pieces(&tone(24_000, 200), 640),
            }
        })
        .await
    };
    let mut session = open(&openai(&server), 24_000, "en");
    for (id, text) in [(1, "One."), (2, "Two."), (3, "Three.")] {
        say(&session, id, text).await;
    }
    while texts(&server).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(texts(&server), ["One.", "Two."]);
    gate.notify_one();
    assert_eq!(listen(&mut session, 1).await.ms(24_000), 100);
    assert_eq!(listen(&mut session, 2).await.ms(24_000), 200);
    assert_eq!(listen(&mut session, 3).await.ms(24_000), 200);
}

#[tokio::test]
async fn what_is_cancelled_is_not_heard_and_its_connection_is_closed() {
    let server = server(|text| match text {
        "Stop me." => Reply::pieces("audio/pcm", [tone(24_000, 50)]).stall(),
        _ => pieces(&tone(24_000, 200), 640),
    })
    .await;
    let mut session = open(&openai(&server), 24_000, "en");
    say(&session, 1, "Stop me.").await;
    while !matches!(next(&mut session).await, Some(TtsEvent::Audio { id: 1, .. })) {}
    session.input.send(TtsInput::Cancel { id: 1 }).await.unwrap();
    say(&session, 2, "Go on.").await;
    assert_eq!(listen(&mut session, 2).await.ms(24_000), 200);
}

#[tokio::test]
async fn a_failure_is_of_one_sentence_and_repeats_nothing_private() {
    let json = |status, message: &str| {
        Reply::new(status, "application/json", json!({ "error": { "message": message } }).to_string())
    };
    let cases: [(&str, Reply, LlmErrorKind, &str); 9] = [
        ("status", json(400, "cannot say Müller, hush"), LlmErrorKind::Rejected, "cannot say …, [key] (400)"),
        ("key", json(401, "wrong key"), LlmErrorKind::Auth, "wrong key (401)"),
        ("busy", json(429, "slow down"), LlmErrorKind::RateLimited, "slow down (429)"),
        ("page", Reply::new(200, "text/html", "<html>"), LlmErrorKind::BadAnswer, "answered with text/html instead of raw sound"),
        ("json", json(200, "no"), LlmErrorKind::BadAnswer, "answered with application/json instead of raw sound"),
        ("mp3", Reply::new(200, "audio/mpeg", "ID3"), LlmErrorKind::BadAnswer, "answered with audio/mpeg instead of raw sound"),
        ("empty", Reply::new(200, "audio/pcm", ""), LlmErrorKind::BadAnswer, "answered without sound"),
        (
            "rate",
            Reply::new(200, "audio/wav", b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\xff\xff\xff\xff"),
            LlmErrorKind::BadAnswer,
            "sends sound of 16000 Hz instead of 24000 Hz",
        ),
        ("cut", Reply::pieces("audio/pcm", [tone(24_000, 50)]), LlmErrorKind::Network, ""),
    ];
    for (name, reply, kind, message) in cases {
        let server = server(move |text| match text {
            "Mr. Müller." => reply.clone(),
            _ => pieces(&tone(24_000, 200), 640),
        })
        .await;
        let mut session = open(&openai(&server), 24_000, "en");
        say(&session, 1, "Mr. Müller.").await;
        say(&session, 2, "Bye.").await;
        let error = listen(&mut session, 1).await.error.unwrap();
        assert_eq!(error.kind, kind, "{name}: {error}");
        assert!(message.is_empty() || error.message == message, "{name}: {error}");
        assert_eq!(listen(&mut session, 2).await.ms(24_000), 200, "{name}");
    }
}

#[tokio::test]
async fn a_sentence_that_stops_sounding_fails_in_time() {
    for first in [Reply::default().stall(), Reply::pieces("audio/pcm", [tone(24_000, 50)]).stall()] {
        let server = server(move |_| first.clone()).await;
        let mut session = open(&openai(&server), 24_000, "en");
        say(&session, 1, "Hello.").await;
        let error = listen(&mut session, 1).await.error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::Timeout, "no sound came in time"));
    }
}
