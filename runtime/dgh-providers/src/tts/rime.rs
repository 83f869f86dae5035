//! Voices of Rime over their JSON socket. It clears everything at once, so one sentence is under way
//! at a time. <https://docs.rime.ai/docs/websockets>

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::AUTHORIZATION;
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets, Socket};
use serde_json::{Value as Json, json};

use crate::llm::{LlmError, LlmErrorKind};
use crate::settings::Settings;
use crate::tts::contexts::Contexts;
use crate::tts::socket::{self, Problem, Protocol, Said};
use crate::tts::{Tts, TtsSession, TtsStart, language_of, nearest, pcm};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};
use crate::wire::at;

/// Rates of raw sound.
const RATES: &[u32] = &[8_000, 16_000, 24_000, 48_000];
/// Milliseconds by which the first word of a message may seem to start before the last one ended.
const OVERLAP_MS: u32 = 50;

/// A voice of Rime.
pub(crate) struct Rime {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    /// What every connection asks for.
    query: Vec<(&'static str, String)>,
}

impl Rime {
    /// Settings: `model`, `voice`, `url`, and perhaps `speed`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let query = query(&Settings::of(model)).map_err(|e| setup(model, &e))?;
        Ok(Self { shared: Arc::new(Shared { endpoint, query }) })
    }
}

impl Tts for Rime {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let rate = nearest(RATES, start.rate);
        let wire = Wire {
            shared: Arc::clone(&self.shared),
            rate,
            language: String::new(),
            contexts: Contexts::default(),
            base_ms: 0,
            end_ms: 0,
        };
        socket::open(wire, rate, start.language)
    }
}

fn query(settings: &Settings) -> Result<Vec<(&'static str, String)>, LlmError> {
    let model = settings.required("model")?;
    let speed = settings.number("speed", 0.5, 2.0)?.and_then(|speed| speed.as_f64());
    // Both count how long speech takes: less is faster.
    let stretch = if model.starts_with("mist") { "speedAlpha" } else { "timeScaleFactor" };
    let mut query = vec![
        ("speaker", settings.required("voice")?),
        ("modelId", model),
        ("audioFormat", "pcm".into()),
        // Nothing is spoken before it is flushed, and then all of it.
        ("segment", "never".into()),
    ];
    query.extend(speed.map(|speed| (stretch, format!("{:.3}", 1.0 / speed))));
    Ok(query)
}

/// The three letters (ISO 639-2) that Rime's older models want; others are passed on.
fn language_code(tag: &str) -> &str {
    match language_of(tag) {
        "en" => "eng",
        "es" => "spa",
        "fr" => "fra",
        "de" => "ger",
        "pt" => "por",
        "hi" => "hin",
        "ja" => "jpn",
        "ar" => "ara",
        "he" => "heb",
        "ta" => "tam",
        other => other,
    }
}

struct Wire {
    shared: Arc<Shared>,
    rate: u32,
    /// Of the connection.
    language: String,
    contexts: Contexts,
    /// Times of words begin anew with each stretch of speech: where this one begins, where it ends.
    base_ms: u32,
    end_ms: u32,
}

impl Protocol for Wire {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn connect(&mut self, language: &str) -> Result<Socket, VoiceError> {
        self.contexts.clear();
        language_code(language).clone_into(&mut self.language);
        let endpoint = &self.shared.endpoint;
        let mut url = endpoint.ws(&[]);
        url.query_pairs_mut()
            .extend_pairs(&self.shared.query)
            .append_pair("samplingRate", &self.rate.to_string());
        if !self.language.is_empty() {
            url.query_pairs_mut().append_pair("lang", &self.language);
        }
        endpoint.socket(url, endpoint.key_header(AUTHORIZATION, "Bearer ")?).await
    }

    fn is_worn(&self, language: &str) -> bool {
        let language = language_code(language);
        !language.is_empty() && language != self.language
    }

    fn is_free(&self) -> bool {
        self.contexts.is_empty()
    }

    fn speak(&mut self, id: u32, text: &str, _language: &str, out: &mut Vec<Message>) {
        (self.base_ms, self.end_ms) = (0, 0);
        let context = self.contexts.open(id);
        out.push(Message::text(json!({ "text": text, "contextId": context }).to_string()));
        out.push(Message::text(json!({ "operation": "flush" }).to_string()));
    }

    fn cancel(&mut self, id: u32, out: &mut Vec<Message>) -> bool {
        if self.contexts.close(id).is_some() {
            out.push(Message::text(json!({ "operation": "clear" }).to_string()));
        }
        false
    }

    fn read(&mut self, message: &Message, said: &mut Vec<Said>) -> Result<(), Problem> {
        let message: Json = match message {
            Message::Text(text) => serde_json::from_str(text).map_err(|_| Problem::garbage())?,
            _ => return Err(Problem::garbage()),
        };
        let id = match at(&message, "/contextId").as_str() {
            Some(name) => self.contexts.find(name),
            None => self.contexts.only(),
        };
        match at(&message, "/type").as_str().ok_or_else(Problem::garbage)? {
            "chunk" => {
                let data = at(&message, "/data").as_str().ok_or_else(Problem::garbage)?;
                let sound = pcm::decode(data).ok_or_else(Problem::garbage)?;
                said.extend(id.map(|id| Said::Sound(id, sound)));
            }
            "timestamps" => {
                if let Some(id) = id {
                    said.push(Said::Words(id, self.words(at(&message, "/word_timestamps"))));
                }
            }
            "done" => {
                if let Some(id) = id {
                    self.contexts.close(id);
                    said.push(Said::Done(id));
                }
            }
            "error" => {
                let text = at(&message, "/message").as_str().unwrap_or("reports an error");
                return Err(Problem::new(LlmErrorKind::Unavailable, text));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Wire {
    fn words(&mut self, times: &Json) -> Vec<(String, u32)> {
        let mut words = pcm::words(times);
        let first = words.first().map_or(0, |(_, start)| *start);
        if self.base_ms + first + OVERLAP_MS < self.end_ms {
            self.base_ms = self.end_ms;
        }
        for (_, start) in &mut words {
            *start += self.base_ms;
        }
        let last = at(times, "/end").as_array().and_then(|ends| ends.last()?.as_f64());
        self.end_ms = self.base_ms + last.map_or(0, |seconds| pcm::milliseconds(seconds * 1_000.0));
        words
    }
}

#[cfg(test)]
mod tests;
