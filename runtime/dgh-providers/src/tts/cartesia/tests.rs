//! Cartesia's protocol on the wire.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use crate::LlmErrorKind;
use crate::double::tts::{Delivery, Fault, TtsServer};
use crate::tts::tests::{Heard, listen, model, open, say};

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let model = model(
        "cartesia",
        &server.url(""),
        json!({ "model": "sonic-3", "voice": "v-1", "speed": 1.2, "emotion": "calm" }),
    );
    let mut session = open(&model, 16_000, "de-AT");
    say(&session, 1, "Grüß Gott, Zoë!").await;
    let heard = listen(&mut session, 1).await;
    assert_eq!(heard.words, [(6, 0), (12, 300), (18, 600)]);
    assert_eq!(heard.ms(16_000), 900);
    let handshake = &server.handshakes()[0];
    assert_eq!(handshake.target, "/tts/websocket");
    assert_eq!(
        (handshake.header("x-api-key"), handshake.header("cartesia-version")),
        (Some("hush"), Some("2025-04-16"))
    );
    let mut message = server.log().messages[0].clone();
    let context = message.as_object_mut().unwrap().remove("context_id").unwrap();
    assert!(!context.as_str().unwrap().is_empty());
    assert_eq!(
        message,
        json!({
            "model_id": "sonic-3", "voice": { "mode": "id", "id": "v-1" }, "transcript": "Grüß Gott, Zoë!",
            "language": "de", "generation_config": { "speed": 1.2, "emotion": "calm" },
            "output_format": { "container": "raw", "encoding": "pcm_s16le", "sample_rate": 16_000 },
            "add_timestamps": true, "use_normalized_timestamps": false, "max_buffer_delay_ms": 0, "continue": false,
        })
    );
}

#[tokio::test]
async fn older_models_count_speed_from_their_own() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let model = model(
        "cartesia",
        &server.url(""),
        json!({ "model": "sonic-2", "speed": 1.25, "emotion": "anger:low" }),
    );
    let mut session = open(&model, 8_000, "");
    say(&session, 1, "Hello.").await;
    listen(&mut session, 1).await;
    let message = server.log().messages[0].clone();
    assert_eq!(
        message["voice"]["__experimental_controls"],
        json!({ "speed": 0.25, "emotion": ["anger:low"] })
    );
    assert_eq!((message.get("generation_config"), message.get("language")), (None, None));
}

#[tokio::test]
async fn an_error_of_one_sentence_leaves_the_next_one_alone() {
    let server = TtsServer::start(|n, _| match n {
        0 => Delivery::at_once().fault(Fault::Error { after_ms: 0, message: "cannot say 4711".into() }),
        _ => Delivery::at_once(),
    })
    .await;
    let mut session = open(&model("cartesia", &server.url(""), json!({ "model": "sonic-3" })), 16_000, "en");
    say(&session, 1, "Your code is 4711.").await;
    say(&session, 2, "Bye.").await;
    let Heard { error, .. } = listen(&mut session, 1).await;
    let error = error.unwrap();
    assert_eq!((error.kind, error.message.as_str()), (LlmErrorKind::Rejected, "Bad request: cannot say …"));
    assert_eq!(listen(&mut session, 2).await.ms(16_000), 300);
}
