//! Voices of OpenAI, and of servers that speak like it: Kokoro, Speaches.
//! <https://platform.openai.com/docs/api-reference/audio/createSpeech>

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use dgh_net::{Client, Method, Request, Secrets};
use serde_json::{Map, Value as Json};

use crate::llm::LlmError;
use crate::settings::Settings;
use crate::tts::post::{self, Recipe};
use crate::tts::{Tts, TtsSession, TtsStart, nearest};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};

/// The one rate of raw sound.
const RATES: &[u32] = &[24_000];
/// The voice when none is named, as OpenAI and Kokoro have it.
const VOICE: &str = "alloy";
/// The model when a provider has only one.
const MODEL: &str = "kokoro";

/// A voice of OpenAI.
pub(crate) struct OpenAiSpeech {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    /// What every request repeats.
    fixed: Map<String, Json>,
}

impl OpenAiSpeech {
    /// Settings: `url`, and perhaps `model`, `voice`, `instructions`, `speed`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let fixed = fixed(&Settings::of(model)).map_err(|e| setup(model, &e))?;
        Ok(Self { shared: Arc::new(Shared { endpoint, fixed }) })
    }
}

impl Tts for OpenAiSpeech {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        post::open(Requests { shared: Arc::clone(&self.shared) }, nearest(RATES, start.rate), start.language)
    }
}

fn fixed(settings: &Settings) -> Result<Map<String, Json>, LlmError> {
    let mut fixed = Map::new();
    fixed.insert("model".into(), settings.text("model")?.unwrap_or_else(|| MODEL.into()).into());
    fixed.insert("voice".into(), settings.text("voice")?.unwrap_or_else(|| VOICE.into()).into());
    fixed.insert("response_format".into(), "pcm".into());
    fixed.extend(settings.text("instructions")?.map(|how| ("instructions".into(), how.into())));
    fixed.extend(settings.number("speed", 0.25, 4.0)?.map(|speed| ("speed".into(), speed)));
    Ok(fixed)
}

struct Requests {
    shared: Arc<Shared>,
}

impl Recipe for Requests {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn request(&self, text: &str, _language: &str, _rate: u32) -> Result<Request, VoiceError> {
        let endpoint = &self.shared.endpoint;
        let mut body = self.shared.fixed.clone();
        body.insert("input".into(), text.into());
        let mut request = Request::new(Method::POST, endpoint.http(&["audio", "speech"]));
        request.headers = endpoint.key_header(AUTHORIZATION, "Bearer ")?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Some(Json::Object(body).to_string().into());
        Ok(request)
    }
}

#[cfg(test)]
mod tests;
