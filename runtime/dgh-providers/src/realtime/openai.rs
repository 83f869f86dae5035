//! Realtime models of OpenAI, and of Azure, which differs in its address and the header of its key.
//! <https://platform.openai.com/docs/guides/realtime-websocket>
//!
//! The server's detector tells where the caller's turns are and answers none of them
//! (`create_response: false`), nor does it cut a response (`interrupt_response: false`): whether
//! somebody interrupts is decided by who hears the line.

mod session;

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, HeaderMap, HeaderName};
use dgh_net::{Client, Secrets};
use serde_json::{Map, Value as Json, json};
use url::Url;

use crate::llm::{LlmError, LlmErrorKind};
use crate::realtime::pump::{self, Plan};
use crate::realtime::sound::Format;
use crate::realtime::{Realtime, RealtimeSession, RealtimeStart};
use crate::settings::Settings;
use crate::voice::VoiceError;
use crate::voice::endpoint::{self, Endpoint};

use session::Session;

/// What writes the caller's words down, unless the model says.
const TRANSCRIBE: &str = "gpt-4o-mini-transcribe";

/// A realtime model behind this API.
pub struct OpenAiRealtime {
    endpoint: Arc<Endpoint>,
    url: Url,
    headers: HeaderMap,
    fixed: Fixed,
}

/// What every session of the model has.
#[derive(Debug, Clone, Default)]
struct Fixed {
    voice: Option<String>,
    speed: Option<Json>,
    reasoning: Option<String>,
    max_tokens: Option<u32>,
    transcribe: Option<String>,
    turns: Map<String, Json>,
}

impl OpenAiRealtime {
    /// Settings: `model`, `url`, and perhaps those of every session.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let name = required(model, "model")?;
        let endpoint = Endpoint::new(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "Bearer ")?;
        let url = endpoint.ws(&[]);
        Self::at(model, endpoint, url, &name, headers)
    }

    /// On Azure. Settings: `deployment`, `url` (the address of the resource), and those of every
    /// session.
    pub fn azure(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let name = required(model, "deployment")?;
        let endpoint = Endpoint::new(model, client, secrets)?;
        let headers = endpoint.key_header(HeaderName::from_static("api-key"), "")?;
        let url = endpoint.ws(&["openai", "v1", "realtime"]);
        Self::at(model, endpoint, url, &name, headers)
    }

    fn at(
        model: &Model,
        mut endpoint: Endpoint,
        mut url: Url,
        name: &str,
        headers: HeaderMap,
    ) -> Result<Self, VoiceError> {
        url.query_pairs_mut().append_pair("model", name);
        let fixed = Fixed::of(&Settings::of(model)).map_err(|e| endpoint::setup(model, &e))?;
        let timeout = Settings::of(model).duration("timeout").map_err(|e| endpoint::setup(model, &e))?;
        endpoint.patience.first = timeout.unwrap_or(endpoint.patience.first);
        Ok(Self { endpoint: Arc::new(endpoint), url, headers, fixed })
    }
}

impl Realtime for OpenAiRealtime {
    fn open(&self, start: RealtimeStart) -> RealtimeSession {
        // The one rate that a telephone has, or the one of the model.
        let format = if start.rate <= 8_000 { Format::Ulaw } else { Format::Pcm(24_000) };
        let plan = Plan {
            endpoint: Arc::clone(&self.endpoint),
            url: self.url.clone(),
            headers: self.headers.clone(),
            hears: format.rate(),
            speaks: format.rate(),
        };
        let opening = self.fixed.session(&start, format);
        pump::start(plan, Session::new(Arc::clone(&self.endpoint), format, opening, &start.history))
    }
}

impl Fixed {
    fn of(settings: &Settings<'_>) -> Result<Self, LlmError> {
        let eagerness = settings.text("eagerness")?;
        let pause = settings.duration("pause")?;
        if eagerness.is_some() && pause.is_some() {
            return Err(LlmError::new(
                LlmErrorKind::Setup,
                "`eagerness` lets the words end a turn, `pause` the silence: set one of them",
            ));
        }
        let mut turns = Map::new();
        turns.insert("type".into(), if eagerness.is_some() { "semantic_vad" } else { "server_vad" }.into());
        turns.insert("create_response".into(), false.into());
        turns.insert("interrupt_response".into(), false.into());
        turns.extend(eagerness.map(|eagerness| ("eagerness".to_owned(), eagerness.into())));
        let pause = pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        turns.extend(pause.map(|ms| ("silence_duration_ms".to_owned(), ms.into())));
        Ok(Self {
            voice: settings.text("voice")?,
            speed: settings.number("speed", 0.25, 1.5)?,
            reasoning: settings.text("reasoning")?,
            max_tokens: settings.whole("max_tokens", 1, 4_096)?,
            transcribe: settings.text("transcribe")?,
            turns,
        })
    }

    /// The session as it is asked for.
    fn session(&self, start: &RealtimeStart, format: Format) -> Json {
        let format = match format {
            Format::Pcm(rate) => json!({ "type": "audio/pcm", "rate": rate }),
            Format::Ulaw => json!({ "type": "audio/pcmu" }),
        };
        let mut transcription = Map::new();
        let model = self.transcribe.as_deref().unwrap_or(TRANSCRIBE);
        transcription.insert("model".into(), model.into());
        // With more than one language it has to find out which.
        if let [language] = &start.languages[..] {
            let language = language.split(['-', '_']).next().unwrap_or_default();
            transcription.insert("language".into(), language.into());
        }
        if !start.words.is_empty() {
            let words = start.words.join(", ");
            // Whisper takes a list, the later ones a sentence.
            let prompt =
                if model.starts_with("whisper") { words } else { format!("Expect these words: {words}.") };
            transcription.insert("prompt".into(), prompt.into());
        }
        let mut output = Map::new();
        output.insert("format".into(), format.clone());
        output.extend(self.voice.as_ref().map(|voice| ("voice".to_owned(), Json::from(voice.as_str()))));
        output.extend(self.speed.clone().map(|speed| ("speed".to_owned(), speed)));
        let mut session = Map::new();
        session.insert("type".into(), "realtime".into());
        session.insert("output_modalities".into(), json!(["audio"]));
        session.insert(
            "audio".into(),
            json!({
                "input": { "format": format, "transcription": transcription, "turn_detection": self.turns },
                "output": output,
            }),
        );
        session.extend(self.max_tokens.map(|most| ("max_output_tokens".to_owned(), most.into())));
        session.extend(self.reasoning.as_ref().map(|r| ("reasoning".to_owned(), json!({ "effort": r }))));
        Json::Object(session)
    }
}

fn required(model: &Model, name: &str) -> Result<String, VoiceError> {
    Settings::of(model).required(name).map_err(|e| endpoint::setup(model, &e))
}

#[cfg(test)]
mod tests;
