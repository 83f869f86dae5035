//! Voices of Cartesia over their socket, one context per sentence.
//! <https://docs.cartesia.ai/api-reference/tts/websocket>

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{HeaderName, HeaderValue};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets, Socket};
use serde_json::{Map, Value as Json, json};

use crate::llm::LlmErrorKind;
use crate::settings::Settings;
use crate::tts::contexts::Contexts;
use crate::tts::socket::{self, Problem, Protocol, Said};
use crate::tts::{Tts, TtsSession, TtsStart, language_of, nearest, pcm};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};
use crate::wire::{at, kind_of_status};

/// The version of the API that is spoken.
const VERSION: &str = "2025-04-16";
/// Rates of raw sound. They have others, between these, that no line has.
const RATES: &[u32] = &[8_000, 16_000, 24_000, 48_000];
/// The voice of their own examples.
const VOICE: &str = "6ccbfb76-1fc6-48f7-b71d-91ac6298247b";

/// A voice of Cartesia.
pub(crate) struct Cartesia {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    /// What every request repeats.
    fixed: Map<String, Json>,
}

impl Cartesia {
    /// Settings: `model`, `url`, and perhaps `voice`, `speed`, `emotion`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let fixed = fixed(&Settings::of(model)).map_err(|e| setup(model, &e))?;
        Ok(Self { shared: Arc::new(Shared { endpoint, fixed }) })
    }
}

impl Tts for Cartesia {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let rate = nearest(RATES, start.rate);
        let wire = Wire { shared: Arc::clone(&self.shared), rate, contexts: Contexts::default() };
        socket::open(wire, rate, start.language)
    }
}

fn fixed(settings: &Settings) -> Result<Map<String, Json>, crate::LlmError> {
    let model = settings.required("model")?;
    let mut voice = json!({ "mode": "id", "id": settings.text("voice")?.unwrap_or_else(|| VOICE.into()) });
    let speed = settings.number("speed", 0.6, 1.5)?.and_then(|speed| speed.as_f64());
    let emotion = settings.text("emotion")?;
    let mut fixed = Map::new();
    if speed.is_some() || emotion.is_some() {
        let mut controls = Map::new();
        // Models before sonic-3 count speed from their own, -1 to 1, and know lists of emotions.
        let old = ["sonic-2", "sonic-turbo", "sonic-english", "sonic-multilingual"];
        if old.iter().any(|name| model.starts_with(name)) || model == "sonic" {
            controls.extend(speed.map(|speed| ("speed".into(), (speed - 1.0).into())));
            controls.extend(emotion.map(|emotion| ("emotion".into(), json!([emotion]))));
            if let Some(voice) = voice.as_object_mut() {
                voice.insert("__experimental_controls".into(), controls.into());
            }
        } else {
            controls.extend(speed.map(|speed| ("speed".into(), speed.into())));
            controls.extend(emotion.map(|emotion| ("emotion".into(), emotion.into())));
            fixed.insert("generation_config".into(), controls.into());
        }
    }
    fixed.insert("model_id".into(), model.into());
    fixed.insert("voice".into(), voice);
    fixed.insert("add_timestamps".into(), true.into());
    fixed.insert("use_normalized_timestamps".into(), false.into());
    // Sentences come whole: nothing is gained by waiting for more.
    fixed.insert("max_buffer_delay_ms".into(), 0.into());
    fixed.insert("continue".into(), false.into());
    Ok(fixed)
}

struct Wire {
    shared: Arc<Shared>,
    rate: u32,
    contexts: Contexts,
}

impl Protocol for Wire {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn connect(&mut self, _language: &str) -> Result<Socket, VoiceError> {
        self.contexts.clear();
        let endpoint = &self.shared.endpoint;
        let mut headers = endpoint.key_header(HeaderName::from_static("x-api-key"), "")?;
        headers.insert(HeaderName::from_static("cartesia-version"), HeaderValue::from_static(VERSION));
        endpoint.socket(endpoint.ws(&["tts", "websocket"]), headers).await
    }

    fn speak(&mut self, id: u32, text: &str, language: &str, out: &mut Vec<Message>) {
        let mut request = self.shared.fixed.clone();
        request.insert("context_id".into(), self.contexts.open(id).into());
        request.insert("transcript".into(), text.into());
        let language = language_of(language);
        if !language.is_empty() {
            request.insert("language".into(), language.into());
        }
        request.insert(
            "output_format".into(),
            json!({ "container": "raw", "encoding": "pcm_s16le", "sample_rate": self.rate }),
        );
        out.push(Message::text(Json::Object(request).to_string()));
    }

    fn cancel(&mut self, id: u32, out: &mut Vec<Message>) -> bool {
        if let Some(name) = self.contexts.close(id) {
            out.push(Message::text(json!({ "context_id": name, "cancel": true }).to_string()));
        }
        false
    }

    fn read(&mut self, message: &Message, said: &mut Vec<Said>) -> Result<(), Problem> {
        let message: Json = match message {
            Message::Text(text) => serde_json::from_str(text).map_err(|_| Problem::garbage())?,
            _ => return Err(Problem::garbage()),
        };
        let name = at(&message, "/context_id").as_str();
        let id = name.and_then(|name| self.contexts.find(name));
        match at(&message, "/type").as_str().ok_or_else(Problem::garbage)? {
            "error" => {
                let problem = problem(&message);
                match (id, name) {
                    (Some(id), _) => {
                        self.contexts.close(id);
                        said.push(Said::Failed(id, problem));
                    }
                    // Of a request that nobody waits for.
                    (None, Some(_)) => {}
                    (None, None) => return Err(problem),
                }
            }
            "chunk" => {
                let data = at(&message, "/data").as_str().ok_or_else(Problem::garbage)?;
                let sound = pcm::decode(data).ok_or_else(Problem::garbage)?;
                said.extend(id.map(|id| Said::Sound(id, sound)));
            }
            "timestamps" => {
                let words = pcm::words(at(&message, "/word_timestamps"));
                said.extend(id.map(|id| Said::Words(id, words)));
            }
            "done" => {
                if let Some(id) = id {
                    self.contexts.close(id);
                    said.push(Said::Done(id));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn problem(message: &Json) -> Problem {
    let words = ["/title", "/message", "/error"].map(|place| at(message, place).as_str());
    let words: Vec<_> = words.into_iter().flatten().collect();
    let status = at(message, "/status_code").as_u64().and_then(|code| u16::try_from(code).ok());
    let kind = status.map_or(LlmErrorKind::Unavailable, kind_of_status);
    let words = if words.is_empty() { "reports an error".to_owned() } else { words.join(": ") };
    Problem::new(kind, words)
}

#[cfg(test)]
mod tests;
