//! What the tests of recognisers share: models, sound, and ears.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::socket::Message;
use dgh_net::testing::{Handshake, ServerSocket, SocketServer, Welcome};
use dgh_net::{Client, Policy};
use futures::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::stt::{Stt, SttEvent, SttInput, SttSession, SttStart};
use crate::voice::{VoiceError, VoiceRegistry, Voices};

/// A registry whose only key is `hush`.
pub(crate) fn registry() -> VoiceRegistry {
    let secrets: HashMap<String, SecretString> =
        HashMap::from([("KEY".to_owned(), "hush".to_owned().into())]);
    VoiceRegistry::new(Client::new(Policy::with_private()).unwrap(), Arc::new(secrets))
}

pub(crate) fn model(provider: &str, protocol: &str, url: &str, more: Json) -> Model {
    let mut settings = serde_json::json!({ "model": "m", "url": url }).as_object().unwrap().clone();
    settings.extend(more.as_object().unwrap().clone());
    Model { provider: provider.into(), protocol: protocol.into(), settings, key: Some("KEY".into()) }
}

pub(crate) fn recogniser(protocol: &str, url: &str, more: Json) -> Arc<dyn Stt> {
    registry().stt(&model("it", protocol, url, more)).unwrap()
}

/// The error of settings that make no sense.
pub(crate) fn refused(protocol: &str, more: Json) -> VoiceError {
    registry().stt(&model("it", protocol, "ws://127.0.0.1:1/", more)).err().unwrap()
}

pub(crate) fn start(rate: u32) -> SttStart {
    SttStart { rate, languages: vec!["en-US".into()], words: vec!["Zürich".into()] }
}

/// 20 ms of sound of 8,000 Hz.
pub(crate) fn frame(level: i16) -> SttInput {
    SttInput::Audio(std::iter::repeat_n(level.to_le_bytes(), 160).flatten().collect::<Bytes>())
}

/// So many milliseconds of speech, then of silence, as fast as they are taken.
pub(crate) async fn speak(session: &SttSession, loud: u32, quiet: u32) {
    for index in 0..(loud + quiet) / 20 {
        let level = if index < loud / 20 { 900 } else { 0 };
        session.input.send(frame(level)).await.unwrap();
    }
}

/// The next event, or a failure of the test.
pub(crate) async fn next(session: &mut SttSession) -> SttEvent {
    let next = tokio::time::timeout(Duration::from_secs(10), session.events.recv());
    next.await.expect("an event in time").expect("the session lives")
}

/// All events up to the first that fits, which is the last.
pub(crate) async fn until(session: &mut SttSession, fits: impl Fn(&SttEvent) -> bool) -> Vec<SttEvent> {
    let mut events = Vec::new();
    loop {
        events.push(next(session).await);
        if events.last().is_some_and(&fits) {
            return events;
        }
    }
}

/// The final words among events.
pub(crate) fn finals(events: &[SttEvent]) -> Vec<&str> {
    let found = events.iter().filter_map(|event| match event {
        SttEvent::Final { text, .. } => Some(text.as_str()),
        _ => None,
    });
    found.collect()
}

pub(crate) fn is_answered(event: &SttEvent) -> bool {
    matches!(event, SttEvent::Answered { .. })
}

pub(crate) fn is_failed(event: &SttEvent) -> bool {
    matches!(event, SttEvent::Failed(_))
}

/// A server that answers each text message, and the first sound, by what `answer` says.
pub(crate) async fn server(
    greeting: Vec<Message>,
    answer: impl Fn(&Json) -> Vec<Message> + Clone + Send + Sync + 'static,
) -> (SocketServer, tokio::sync::mpsc::UnboundedReceiver<Message>) {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let serve = move |_: Handshake, mut socket: ServerSocket| {
        let (greeting, answer, tell) = (greeting.clone(), answer.clone(), tell.clone());
        async move {
            for message in greeting {
                socket.send(message).await.unwrap();
            }
            while let Some(Ok(message)) = socket.next().await {
                let json = match &message {
                    Message::Text(text) => serde_json::from_str(text).unwrap(),
                    Message::Binary(_) => Json::Null,
                    _ => continue,
                };
                let _ = tell.send(message);
                for message in answer(&json) {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    (SocketServer::start(|_| Welcome::Open, serve).await, told)
}

/// A message of JSON.
pub(crate) fn text(json: Json) -> Message {
    Message::text(json.to_string())
}
