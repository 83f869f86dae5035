//! Gemini Live. <https://ai.google.dev/api/live>
//!
//! The model answers by itself when the caller's activity ends, and its instruction and functions
//! are fixed when a connection begins. So its own detector is off, and the end of the activity is
//! held back until the engine asks for the answer: the node card is then the last thing in the
//! activity, as text. Without a caller's turn the card is an activity of its own; after tools it
//! stands in their answer. One channel for everything: the API gives no order between the others.

mod activity;
mod session;

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{HeaderMap, HeaderName};
use dgh_net::{Client, Secrets};
use serde_json::{Map, Value as Json, json};

use crate::llm::LlmError;
use crate::realtime::pump::{self, Plan};
use crate::realtime::sound::Format;
use crate::realtime::{Realtime, RealtimeSession, RealtimeStart};
use crate::settings::Settings;
use crate::voice::VoiceError;
use crate::voice::endpoint::{self, Endpoint};

use session::Session;

/// The service behind the address.
const SERVICE: &str = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
/// What it hears.
const HEARS: Format = Format::Pcm(16_000);
/// What it speaks.
const SPEAKS: Format = Format::Pcm(24_000);

/// A model behind this API.
pub struct GeminiLive {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    model: String,
    generation: Map<String, Json>,
}

impl GeminiLive {
    /// Settings: `model`, `url`, and perhaps `voice`, `temperature`, `language`, `max_tokens`,
    /// `thinking`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let headers = endpoint.key_header(HeaderName::from_static("x-goog-api-key"), "")?;
        Self::read(&Settings::of(model), endpoint, headers).map_err(|e| endpoint::setup(model, &e))
    }

    fn read(settings: &Settings<'_>, mut endpoint: Endpoint, headers: HeaderMap) -> Result<Self, LlmError> {
        let name = settings.required("model")?;
        let mut generation = Map::new();
        generation.insert("responseModalities".into(), json!(["AUDIO"]));
        generation.extend(settings.number("temperature", 0.0, 2.0)?.map(|t| ("temperature".to_owned(), t)));
        let most = settings.whole("max_tokens", 1, 1_000_000)?;
        generation.extend(most.map(|most| ("maxOutputTokens".to_owned(), most.into())));
        if let Some(level) = settings.text("thinking")? {
            generation.insert("thinkingConfig".into(), json!({ "thinkingLevel": level }));
        }
        let mut speech = Map::new();
        if let Some(voice) = settings.text("voice")? {
            speech.insert("voiceConfig".into(), json!({ "prebuiltVoiceConfig": { "voiceName": voice } }));
        }
        speech.extend(settings.text("language")?.map(|tag| ("languageCode".to_owned(), tag.into())));
        if !speech.is_empty() {
            generation.insert("speechConfig".into(), Json::Object(speech));
        }
        endpoint.patience.first = settings.duration("timeout")?.unwrap_or(endpoint.patience.first);
        let model = format!("models/{}", name.trim_start_matches("models/"));
        Ok(Self { endpoint: Arc::new(endpoint), headers, model, generation })
    }
}

impl Realtime for GeminiLive {
    fn hears_turns(&self) -> bool {
        false
    }

    fn open(&self, start: RealtimeStart) -> RealtimeSession {
        let plan = Plan {
            endpoint: Arc::clone(&self.endpoint),
            url: self.endpoint.ws(&[SERVICE]),
            headers: self.headers.clone(),
            hears: HEARS.rate(),
            speaks: SPEAKS.rate(),
        };
        let session = Session::new(Arc::clone(&self.endpoint), self.setup(), &start);
        pump::start(plan, session)
    }
}

impl GeminiLive {
    /// What every connection of a session begins with, but for the instruction and the functions.
    fn setup(&self) -> Map<String, Json> {
        let mut setup = Map::new();
        setup.insert("model".into(), self.model.as_str().into());
        setup.insert("generationConfig".into(), Json::Object(self.generation.clone()));
        let detection = json!({ "automaticActivityDetection": { "disabled": true } });
        setup.insert("realtimeInputConfig".into(), detection);
        setup.insert("inputAudioTranscription".into(), json!({}));
        setup.insert("outputAudioTranscription".into(), json!({}));
        // A call lives longer than a connection and than the window.
        setup.insert("contextWindowCompression".into(), json!({ "slidingWindow": {} }));
        setup
    }
}

#[cfg(test)]
mod tests;
