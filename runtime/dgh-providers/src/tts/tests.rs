//! What holds for every voice, on the wire; and what the tests of each share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod declared;
mod sessions;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::{Client, Policy};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::*;
use crate::voice::{VoiceError, VoiceRegistry, Voices};

/// No test waits longer for what must come.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn registry() -> VoiceRegistry {
    let secrets: HashMap<String, SecretString> =
        HashMap::from([("KEY".to_owned(), "hush".to_owned().into())]);
    VoiceRegistry::new(Client::new(Policy::with_private()).unwrap(), Arc::new(secrets))
}

/// A model of a provider, as the standard library declares it, at another address.
pub(crate) fn model(provider: &str, url: &str, more: Json) -> Model {
    let protocol = match provider {
        "elevenlabs" | "cartesia" | "rime" => format!("{provider}_stream"),
        "deepgram" => "deepgram_speak".into(),
        "azure" => "azure_speech".into(),
        _ => "openai_speech".into(),
    };
    let mut settings = json!({ "url": url }).as_object().unwrap().clone();
    settings.extend(more.as_object().unwrap().clone());
    Model { provider: provider.into(), protocol, settings, key: Some("KEY".into()) }
}

pub(crate) fn open(model: &Model, rate: u32, language: &str) -> TtsSession {
    registry().tts(model).unwrap().open(TtsStart { rate, language: language.into() })
}

pub(crate) async fn say(session: &TtsSession, id: u32, text: &str) {
    say_in(session, id, text, "en").await;
}

pub(crate) async fn say_in(session: &TtsSession, id: u32, text: &str, language: &str) {
    let language = if language == "en" { String::new() } else { language.into() };
    session.input.send(TtsInput::Speak { id, text: text.into(), language }).await.unwrap();
}

/// What was heard of a request.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) pcm: Vec<u8>,
    /// End and start of each word.
    pub(crate) words: Vec<(u32, u32)>,
    /// Who spoke.
    pub(crate) by: Option<String>,
    pub(crate) error: Option<VoiceError>,
    /// Who failed before, and who came then.
    pub(crate) switched: Vec<(String, String)>,
}

impl Heard {
    pub(crate) fn ms(&self, rate: u32) -> u32 {
        self.pcm.len() as u32 / 2 * 1_000 / rate
    }
}

/// Listens until a request is over. Nothing of any other may come before.
pub(crate) async fn listen(session: &mut TtsSession, wanted: u32) -> Heard {
    let mut heard = Heard::default();
    loop {
        match next(session).await.expect("the session goes on") {
            TtsEvent::Connected { .. } => {}
            TtsEvent::Started { id, provider, .. } => {
                assert_eq!(id, wanted);
                assert!(heard.pcm.is_empty());
                heard.by = Some(provider);
            }
            TtsEvent::Switched { error, to } => heard.switched.push((error.provider, to)),
            TtsEvent::Audio { id, pcm } => {
                assert_eq!(id, wanted);
                assert!(pcm.len().is_multiple_of(2) && !pcm.is_empty());
                heard.pcm.extend_from_slice(&pcm);
            }
            TtsEvent::Words { id, words } => {
                assert_eq!(id, wanted);
                heard.words.extend(words.iter().map(|w| (w.end, w.start_ms)));
            }
            TtsEvent::Done { id } => {
                assert_eq!(id, wanted);
                return heard;
            }
            TtsEvent::Failed { id, error } => {
                assert!(id.is_none_or(|id| id == wanted));
                heard.error = Some(error);
                return heard;
            }
        }
    }
}

/// The next event; none: the session is over.
pub(crate) async fn next(session: &mut TtsSession) -> Option<TtsEvent> {
    tokio::time::timeout(LIMIT, session.events.recv()).await.expect("something comes in time")
}

/// A tone of so many milliseconds, as PCM.
pub(crate) fn tone(rate: u32, ms: u32) -> Bytes {
    let sample = |n: u32| (8_000.0 * (f64::from(n) * 0.2).sin()) as i16;
    (0..rate * ms / 1_000).flat_map(|n| sample(n).to_le_bytes()).collect()
}

#[test]
fn the_nearest_rate_loses_nothing_if_it_can() {
    assert_eq!(nearest(&[8_000, 16_000, 24_000], 16_000), 16_000);
    assert_eq!(nearest(&[16_000, 24_000], 8_000), 16_000);
    assert_eq!(nearest(&[8_000, 24_000], 48_000), 24_000);
    assert_eq!(nearest(&[], 8_000), 8_000);
}
