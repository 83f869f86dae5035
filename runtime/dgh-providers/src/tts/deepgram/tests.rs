//! Deepgram's protocol on the wire.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::double::tts::{Delivery, TtsServer};
use crate::tts::tests::{listen, model, open, say};

#[tokio::test]
async fn a_sentence_is_asked_for_as_the_protocol_says() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let model = model("deepgram", &server.url("/v1/speak"), json!({ "voice": "aura-2-thalia-en" }));
    let mut session = open(&model, 48_000, "en-US");
    assert_eq!(session.rate, 48_000);
    say(&session, 1, "Hello there.").await;
    assert_eq!(listen(&mut session, 1).await.ms(48_000), 600);
    let handshake = &server.handshakes()[0];
    assert_eq!(handshake.target, "/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=48000");
    assert_eq!(handshake.header("authorization"), Some("Token hush"));
    let asked = [json!({ "type": "Speak", "text": "Hello there." }), json!({ "type": "Flush" })];
    assert_eq!(server.log().messages, asked);
}

#[tokio::test]
async fn a_connection_that_had_its_flushes_is_replaced() {
    let server = TtsServer::start(|_, _| Delivery::at_once()).await;
    let model = model("deepgram", &server.url("/v1/speak"), json!({ "voice": "aura-2-thalia-en" }));
    let mut session = open(&model, 8_000, "en");
    for id in 0..45 {
        say(&session, id, "Go.").await;
        assert_eq!(listen(&mut session, id).await.ms(8_000), 300);
    }
    assert_eq!(server.handshakes().len(), 3);
}

/// What is read, as `sound 1`, `done 1`.
fn read(wire: &mut Wire, message: Message) -> Vec<String> {
    let mut said = Vec::new();
    wire.read(&message, &mut said).unwrap();
    let show = |said: &Said| match said {
        Said::Sound(id, _) => format!("sound {id}"),
        Said::Done(id) => format!("done {id}"),
        _ => "else".into(),
    };
    said.iter().map(show).collect()
}

fn wire() -> Wire {
    let model = model("deepgram", "ws://127.0.0.1:1/v1/speak", json!({ "voice": "v" }));
    let client = Client::new(dgh_net::Policy::with_private()).unwrap();
    let secrets = std::collections::HashMap::from([("KEY".to_owned(), secrecy::SecretString::from("hush"))]);
    let shared = Deepgram::new(&model, client, &secrets).unwrap().shared;
    Wire { shared, rate: 8_000, asked: VecDeque::new(), flushes: VecDeque::new(), clearing: 0, stale: 0 }
}

fn sound() -> Message {
    Message::binary(vec![0, 0])
}

fn text(kind: &str) -> Message {
    Message::text(json!({ "type": kind, "sequence_id": 0 }).to_string())
}

#[test]
fn what_comes_after_a_clear_is_of_before_until_it_is_confirmed() {
    let (mut wire, mut out) = (wire(), Vec::new());
    wire.speak(1, "One.", "", &mut out);
    wire.speak(2, "Two.", "", &mut out);
    assert_eq!(read(&mut wire, sound()), ["sound 1"]);
    assert!(wire.cancel(1, &mut out), "the second one is lost as well");
    wire.speak(2, "Two.", "", &mut out);
    // Flushes of before may be confirmed before the clear is, after it, or never.
    for message in [sound(), text("Flushed"), sound(), text("Cleared"), text("Flushed")] {
        assert_eq!(read(&mut wire, message), [""; 0]);
    }
    assert_eq!(read(&mut wire, sound()), ["sound 2"]);
    assert_eq!(read(&mut wire, text("Flushed")), ["done 2"]);
}

#[test]
fn the_second_one_is_not_cleared_while_the_first_sounds() {
    let (mut wire, mut out) = (wire(), Vec::new());
    wire.speak(1, "One.", "", &mut out);
    wire.speak(2, "Two.", "", &mut out);
    out.clear();
    assert!(!wire.cancel(2, &mut out) && out.is_empty());
    assert_eq!(read(&mut wire, sound()), ["sound 1"]);
    assert_eq!(read(&mut wire, text("Flushed")), ["done 1"]);
    assert_eq!(read(&mut wire, sound()), [""; 0]);
    assert_eq!(read(&mut wire, text("Flushed")), [""; 0]);
    assert_eq!(read(&mut wire, text("Metadata")), [""; 0]);
}
