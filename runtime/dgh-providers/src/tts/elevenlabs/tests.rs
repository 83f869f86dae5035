//! ElevenLabs' protocol on the wire.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_net::testing::{Reply, Server};
use serde_json::json;

use super::*;
use crate::double::tts::{Delivery, TtsServer};
use crate::tts::TtsEvent;
use crate::tts::tests::{listen, model, next, open, say, say_in, tone};

const ADAM: &str = "pNInz6obpgDQGcFmaJgB";

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let settings = json!({
        "model": "flash-2.5", "voice": ADAM, "speed": 1.1, "stability": 0.4, "similarity": 0.8, "style": 0
    });
    let mut session = open(&model("elevenlabs", &server.url("/v1"), settings), 16_000, "de-AT");
    say(&session, 1, "Grüß Gott, Zoë!").await;
    let heard = listen(&mut session, 1).await;
    assert_eq!(heard.words, [(6, 0), (12, 300), (18, 600)]);
    assert_eq!(heard.ms(16_000), 900);
    let handshake = &server.handshakes()[0];
    assert!(handshake.target.starts_with(&format!("/v1/text-to-speech/{ADAM}/multi-stream-input?")));
    assert_eq!(handshake.header("xi-api-key"), Some("hush"));
    assert!(!handshake.target.contains("hush"));
    for (name, value) in [
        ("model_id", "eleven_flash_v2_5"),
        ("output_format", "pcm_16000"),
        ("language_code", "de"),
        ("auto_mode", "true"),
        ("sync_alignment", "true"),
        ("inactivity_timeout", "180"),
    ] {
        assert_eq!(handshake.query(name), [value]);
    }
    let messages = server.log().messages;
    let context = messages[0]["context_id"].clone();
    assert_eq!(
        messages,
        [
            json!({ "text": " ", "context_id": context, "voice_settings":
                { "speed": 1.1, "stability": 0.4, "similarity_boost": 0.8, "style": 0 } }),
            json!({ "text": "Grüß Gott, Zoë! ", "context_id": context, "flush": true }),
            json!({ "context_id": context, "close_context": true }),
        ]
    );
}

#[tokio::test]
async fn another_language_is_another_connection_for_models_that_are_told_it() {
    for (name, connections) in [("flash-2.5", 2), ("multilingual-2", 1)] {
        let server = TtsServer::start(|_, _| Delivery::at_once()).await;
        let settings = json!({ "model": name, "voice": ADAM });
        let mut session = open(&model("elevenlabs", &server.url("/v1"), settings), 16_000, "en-US");
        for (id, language) in [(1, "en-GB"), (2, "es-ES"), (3, "es-MX")] {
            say_in(&session, id, "Hola.", language).await;
        }
        for id in 1..4 {
            assert_eq!(listen(&mut session, id).await.ms(16_000), 300);
        }
        assert_eq!(server.handshakes().len(), connections, "{name}");
    }
}

#[tokio::test]
async fn a_voice_is_found_by_name_once_for_all_calls() {
    let voices = json!({ "voices": [
        { "voice_id": "21m00Tcm4TlvDq8ikWAM", "name": "Rachel" },
        { "voice_id": ADAM, "name": "Adam - Dominant, Firm" },
    ] });
    for (name, id) in
        [(json!("adam"), ADAM), (json!("Adam - dominant, firm"), ADAM), (json!(null), "21m00Tcm4TlvDq8ikWAM")]
    {
        let voices = voices.clone();
        let server = Server::start(move |_, request| match request.target.as_str() {
            "/v1/voices" => Reply::json(&voices),
            _ => Reply::new(404, "text/plain", ""),
        })
        .await;
        let model = model("elevenlabs", &server.url("/v1"), json!({ "model": "flash-2.5", "voice": name }));
        let voice = crate::voice::Voices::tts(&crate::tts::tests::registry(), &model).unwrap();
        for _ in 0..2 {
            // The server opens no socket: it is the address that counts.
            let mut session = voice.open(TtsStart { rate: 8_000, language: String::new() });
            assert!(matches!(next(&mut session).await, Some(TtsEvent::Failed { id: None, .. })));
        }
        let targets: Vec<_> = server
            .received()
            .into_iter()
            .map(|r| (r.target.clone(), r.header("xi-api-key").map(str::to_owned)))
            .collect();
        assert_eq!(targets.len(), 3, "one look-up and two sockets");
        assert_eq!(targets[0], ("/v1/voices".into(), Some("hush".into())));
        assert!(
            targets[1].0.starts_with(&format!("/v1/text-to-speech/{id}/")) && targets[2].0 == targets[1].0
        );
    }
}

#[tokio::test]
async fn a_voice_that_is_not_there_is_named() {
    let server = Server::start(|_, _| Reply::json(&json!({ "voices": [] }))).await;
    for (voice, message) in
        [(json!("eve"), "the account has no voice `eve`"), (json!(null), "the account has no voice")]
    {
        let settings = json!({ "model": "flash-2.5", "voice": voice });
        let mut session = open(&model("elevenlabs", &server.url("/v1"), settings), 8_000, "en");
        let Some(TtsEvent::Failed { id: None, error }) = next(&mut session).await else {
            panic!("it was found")
        };
        assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::Setup, message));
    }
}

#[tokio::test]
async fn the_third_version_is_asked_by_requests() {
    let sound = tone(24_000, 250);
    let server = {
        let sound = sound.clone();
        Server::start(move |_, _| Reply::new(200, "audio/pcm", &sound)).await
    };
    let settings = json!({ "model": "v3", "voice": ADAM, "stability": 0.5 });
    let mut session = open(&model("elevenlabs", &server.url("/v1"), settings), 48_000, "de");
    assert_eq!(session.rate, 24_000);
    say(&session, 1, "Hallo.").await;
    assert!(listen(&mut session, 1).await.pcm == sound);
    let received = server.received();
    let request = received.iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(request.target, format!("/v1/text-to-speech/{ADAM}/stream?output_format=pcm_24000"));
    assert_eq!(request.header("xi-api-key"), Some("hush"));
    let body = json!({
        "text": "Hallo.", "model_id": "eleven_v3", "voice_settings": { "stability": 0.5 }, "language_code": "de"
    });
    assert_eq!(request.json(), body);
}

#[test]
fn names_of_models_are_read_as_they_are_spoken() {
    for (name, id) in [
        ("flash-2.5", "eleven_flash_v2_5"),
        ("turbo-2", "eleven_turbo_v2"),
        ("multilingual-2", "eleven_multilingual_v2"),
        ("v3", "eleven_v3"),
        ("eleven_flash_v2_5", "eleven_flash_v2_5"),
        ("some-new-model", "some-new-model"),
    ] {
        assert_eq!(id_of_model(name), id);
    }
}
