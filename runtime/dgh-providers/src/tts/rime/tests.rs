//! Rime's protocol on the wire.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::double::tts::{Delivery, TtsServer};
use crate::tts::tests::{listen, model, open, say, say_in};

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    for (name, stretch) in [("mistv2", "speedAlpha"), ("arcana", "timeScaleFactor")] {
        let server = TtsServer::start(|_, _| Delivery::at_once()).await;
        let settings = json!({ "model": name, "voice": "cove", "speed": 1.25 });
        let mut session = open(&model("rime", &server.url("/ws3"), settings), 8_000, "de-DE");
        say(&session, 1, "Grüß Gott, Zoë!").await;
        let heard = listen(&mut session, 1).await;
        assert_eq!((heard.ms(8_000), heard.words), (900, vec![(6, 0), (12, 300), (18, 600)]));
        let handshake = &server.handshakes()[0];
        assert_eq!(
            handshake.target,
            format!(
                "/ws3?speaker=cove&modelId={name}&audioFormat=pcm&segment=never&{stretch}=0.800&samplingRate=8000&lang=ger"
            )
        );
        assert_eq!(handshake.header("authorization"), Some("Bearer hush"));
        let messages = server.log().messages;
        assert_eq!(messages[0]["text"], "Grüß Gott, Zoë!");
        assert!(messages[0]["contextId"].as_str().is_some_and(|name| !name.is_empty()));
        assert_eq!(messages[1..], [json!({ "operation": "flush" })]);
    }
}

#[tokio::test]
async fn another_language_is_another_connection() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let settings = json!({ "model": "mistv2", "voice": "cove" });
    let mut session = open(&model("rime", &server.url("/ws3"), settings), 8_000, "en-US");
    for (id, language) in [(1, "en-GB"), (2, "fr-FR"), (3, "fr-CA")] {
        say_in(&session, id, "Bonjour.", language).await;
        listen(&mut session, id).await;
    }
    let languages: Vec<_> = server.handshakes().iter().map(|h| h.query("lang").concat()).collect();
    assert_eq!(languages, ["eng", "fra"]);
}

#[test]
fn times_that_begin_anew_go_on() {
    let model = model("rime", "ws://127.0.0.1:1/ws3", json!({ "model": "m", "voice": "v" }));
    let client = Client::new(dgh_net::Policy::with_private()).unwrap();
    let secrets = std::collections::HashMap::from([("KEY".to_owned(), secrecy::SecretString::from("hush"))]);
    let shared = Rime::new(&model, client, &secrets).unwrap().shared;
    let mut wire = Wire {
        shared,
        rate: 8_000,
        language: String::new(),
        contexts: Contexts::default(),
        base_ms: 0,
        end_ms: 0,
    };
    let mut starts = |start: [f64; 2], end: [f64; 2]| {
        let words = wire.words(&json!({ "words": ["a", "b"], "start": start, "end": end }));
        words.into_iter().map(|(_, at)| at).collect::<Vec<_>>()
    };
    assert_eq!(starts([0.0, 0.5], [0.5, 1.0]), [0, 500]);
    // Either they count from the start of the sentence, or of the stretch.
    assert_eq!(starts([1.0, 1.5], [1.5, 2.0]), [1_000, 1_500]);
    assert_eq!(starts([0.1, 0.5], [0.5, 1.0]), [2_100, 2_500]);
}
