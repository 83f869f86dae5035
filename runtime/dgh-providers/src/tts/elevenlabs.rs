//! Voices of ElevenLabs: over their socket for many contexts, one context per sentence; v3, which
//! has no such socket, over requests.
//! <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input>

use std::sync::Arc;

use dgh_engine::reply::Model;
use dgh_net::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use dgh_net::socket::Message;
use dgh_net::{Client, Method, Request, Secrets, Socket};
use serde_json::{Map, Value as Json, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::llm::{LlmError, LlmErrorKind};
use crate::settings::Settings;
use crate::tts::contexts::Contexts;
use crate::tts::post::{self, Recipe};
use crate::tts::socket::{self, Problem, Protocol, Said};
use crate::tts::{Tts, TtsSession, TtsStart, language_of, nearest, pcm};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};
use crate::wire::at;

/// Rates of raw sound that every plan has.
const RATES: &[u32] = &[8_000, 16_000, 24_000];
/// The longest time without a message that can be asked for, in seconds.
const INACTIVITY: &str = "180";
/// Letters of the id of a voice.
const ID_LETTERS: usize = 20;
/// Bytes of the list of voices; an account may have made many.
const MAX_VOICES_BYTES: usize = 8 << 20;

/// A voice of ElevenLabs.
pub(crate) struct ElevenLabs {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    /// As ElevenLabs names it.
    model: String,
    /// A name or an id; none: the first voice of the account.
    voice: Option<String>,
    /// The id, once it is known: one look-up serves all calls.
    id: OnceCell<String>,
    settings: Map<String, Json>,
}

impl ElevenLabs {
    /// Settings: `model`, `url`, and perhaps `voice`, `speed`, `stability`, `similarity`, `style`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let read = |settings: Settings| -> Result<Shared, LlmError> {
            let numbers = [
                ("speed", settings.number("speed", 0.7, 1.2)?),
                ("stability", settings.number("stability", 0.0, 1.0)?),
                ("similarity_boost", settings.number("similarity", 0.0, 1.0)?),
                ("style", settings.number("style", 0.0, 1.0)?),
            ];
            Ok(Shared {
                endpoint,
                model: id_of_model(&settings.required("model")?),
                voice: settings.text("voice")?.filter(|voice| !voice.is_empty()),
                id: OnceCell::new(),
                settings: numbers.into_iter().filter_map(|(name, n)| Some((name.to_owned(), n?))).collect(),
            })
        };
        let shared = read(Settings::of(model)).map_err(|e| setup(model, &e))?;
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Tts for ElevenLabs {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let (shared, rate) = (Arc::clone(&self.shared), nearest(RATES, start.rate));
        if shared.model.starts_with("eleven_v3") {
            return post::open(Requests { shared }, rate, start.language);
        }
        let wire = Wire { shared, rate, language: String::new(), contexts: Contexts::default() };
        socket::open(wire, rate, start.language)
    }
}

/// `flash-2.5` is `eleven_flash_v2_5`; their own names stay what they are.
fn id_of_model(name: &str) -> String {
    let (family, version) = match name.rsplit_once('-') {
        Some((family @ ("flash" | "turbo" | "multilingual" | "english"), version)) => (family, version),
        _ if name == "v3" => return "eleven_v3".into(),
        _ => return name.into(),
    };
    // The first models for English are called monolingual.
    let family = if family == "english" { "monolingual" } else { family };
    format!("eleven_{family}_v{}", version.replace('.', "_"))
}

impl Shared {
    fn headers(&self) -> Result<HeaderMap, VoiceError> {
        self.endpoint.key_header(HeaderName::from_static("xi-api-key"), "")
    }

    /// The language, for the models that take one.
    fn language<'a>(&self, tag: &'a str) -> Option<&'a str> {
        let takes = ["eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_v3"];
        let takes = takes.iter().any(|model| self.model.starts_with(model));
        takes.then(|| language_of(tag)).filter(|language| !language.is_empty())
    }

    async fn id(&self) -> Result<&str, VoiceError> {
        let known = self.id.get_or_try_init(|| async {
            match &self.voice {
                Some(id) if is_id(id) => Ok(id.clone()),
                name => self.find(name.as_deref()).await,
            }
        });
        known.await.map(String::as_str)
    }

    async fn find(&self, name: Option<&str>) -> Result<String, VoiceError> {
        let mut request = Request::new(Method::GET, self.endpoint.http(&["voices"]));
        request.headers = self.headers()?;
        request.timeout = self.endpoint.patience.connect;
        request.max_bytes = MAX_VOICES_BYTES;
        let answer = self.endpoint.client.send(request).await.and_then(dgh_net::Answer::success);
        let answer = answer.map_err(|e| self.endpoint.network(&e))?;
        let list: Json = serde_json::from_slice(&answer.body)
            .map_err(|_| self.endpoint.error(LlmErrorKind::BadAnswer, "the list of voices is not JSON"))?;
        let voices = at(&list, "/voices").as_array().map(Vec::as_slice).unwrap_or_default();
        let found = match name {
            None => voices.first(),
            Some(name) => voices
                .iter()
                .find(|voice| title(voice).eq_ignore_ascii_case(name))
                .or_else(|| voices.iter().find(|voice| short(title(voice)).eq_ignore_ascii_case(name))),
        };
        found.and_then(|voice| at(voice, "/voice_id").as_str()).map(str::to_owned).ok_or_else(|| {
            let message = match name {
                Some(name) => format!("the account has no voice `{name}`"),
                None => "the account has no voice".to_owned(),
            };
            self.endpoint.error(LlmErrorKind::Setup, &message)
        })
    }
}

fn is_id(voice: &str) -> bool {
    voice.len() == ID_LETTERS && voice.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn title(voice: &Json) -> &str {
    at(voice, "/name").as_str().unwrap_or_default()
}

/// `Adam` of `Adam - Dominant, Firm`.
fn short(title: &str) -> &str {
    title.split(" - ").next().unwrap_or_default().trim()
}

struct Wire {
    shared: Arc<Shared>,
    rate: u32,
    /// Of the connection.
    language: String,
    contexts: Contexts,
}

impl Protocol for Wire {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn connect(&mut self, language: &str) -> Result<Socket, VoiceError> {
        self.contexts.clear();
        let shared = Arc::clone(&self.shared);
        let language = shared.language(language).unwrap_or_default();
        language.clone_into(&mut self.language);
        let id = shared.id().await?;
        let mut url = shared.endpoint.ws(&["text-to-speech", id, "multi-stream-input"]);
        let format = format!("pcm_{}", self.rate);
        let query = [
            ("model_id", shared.model.as_str()),
            ("output_format", &format),
            ("auto_mode", "true"),
            ("sync_alignment", "true"),
            ("inactivity_timeout", INACTIVITY),
        ];
        url.query_pairs_mut().extend_pairs(query);
        if !language.is_empty() {
            url.query_pairs_mut().append_pair("language_code", language);
        }
        shared.endpoint.socket(url, shared.headers()?).await
    }

    fn is_worn(&self, language: &str) -> bool {
        self.shared.language(language).is_some_and(|language| language != self.language)
    }

    fn speak(&mut self, id: u32, text: &str, _language: &str, out: &mut Vec<Message>) {
        let context = self.contexts.open(id);
        let mut first = json!({ "text": " ", "context_id": context });
        if let Some(first) = first.as_object_mut().filter(|_| !self.shared.settings.is_empty()) {
            first.insert("voice_settings".into(), self.shared.settings.clone().into());
        }
        out.extend([
            Message::text(first.to_string()),
            Message::text(
                json!({ "text": format!("{text} "), "context_id": context, "flush": true }).to_string(),
            ),
            // What was flushed is still spoken; the end of it is told only of a context that is closed.
            Message::text(json!({ "context_id": context, "close_context": true }).to_string()),
        ]);
    }

    fn cancel(&mut self, id: u32, _out: &mut Vec<Message>) -> bool {
        // The context is closed already: there is nothing more to save.
        self.contexts.close(id);
        false
    }

    fn keep_alive(&self) -> Message {
        Message::text(json!({ "text": "" }).to_string())
    }

    fn read(&mut self, message: &Message, said: &mut Vec<Said>) -> Result<(), Problem> {
        let message: Json = match message {
            Message::Text(text) => serde_json::from_str(text).map_err(|_| Problem::garbage())?,
            _ => return Err(Problem::garbage()),
        };
        let name = at(&message, "/contextId").as_str();
        let id = match name {
            Some(name) => self.contexts.find(name),
            None => self.contexts.only(),
        };
        if let Some(problem) = problem(&message) {
            return match (id, name) {
                (Some(id), Some(_)) => {
                    self.contexts.close(id);
                    said.push(Said::Failed(id, problem));
                    Ok(())
                }
                // Of a request that nobody waits for.
                (None, Some(_)) => Ok(()),
                (_, None) => Err(problem),
            };
        }
        let Some(id) = id else { return Ok(()) };
        let letters = match letters(at(&message, "/alignment")) {
            letters if letters.is_empty() => self::letters(at(&message, "/normalizedAlignment")),
            letters => letters,
        };
        if !letters.is_empty() {
            said.push(Said::Letters(id, letters));
        }
        if let Some(audio) = at(&message, "/audio").as_str().filter(|audio| !audio.is_empty()) {
            said.push(Said::Sound(id, pcm::decode(audio).ok_or_else(Problem::garbage)?));
        }
        if ["/isFinal", "/is_final"].iter().any(|place| at(&message, place).as_bool() == Some(true)) {
            self.contexts.close(id);
            said.push(Said::Done(id));
        }
        Ok(())
    }
}

/// Letters with their times from the start of the message's sound.
fn letters(alignment: &Json) -> Vec<(char, u32)> {
    let list = |place| at(alignment, place).as_array().map(Vec::as_slice).unwrap_or_default();
    list("/chars")
        .iter()
        .zip(list("/charStartTimesMs"))
        .filter_map(|(letters, start)| Some((letters.as_str()?, pcm::milliseconds(start.as_f64()?))))
        .flat_map(|(letters, start)| letters.chars().map(move |letter| (letter, start)))
        .collect()
}

fn problem(message: &Json) -> Option<Problem> {
    let word = ["/error", "/status", "/code"].iter().find_map(|place| at(message, place).as_str());
    let text = ["/message", "/error", "/reason"].iter().find_map(|place| at(message, place).as_str());
    let text = text.filter(|_| at(message, "/audio").is_null() && word.is_some())?;
    let word = word.unwrap_or_default();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let kind = if has(&["quota", "max_active", "rate", "too_many", "busy"]) {
        LlmErrorKind::RateLimited
    } else if has(&["api_key", "auth", "permission"]) {
        LlmErrorKind::Auth
    } else if has(&["invalid", "not_found", "does_not_exist", "unsupported"]) {
        LlmErrorKind::Rejected
    } else {
        LlmErrorKind::Unavailable
    };
    Some(Problem::new(kind, text))
}

struct Requests {
    shared: Arc<Shared>,
}

impl Recipe for Requests {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn request(&self, text: &str, language: &str, rate: u32) -> Result<Request, VoiceError> {
        let shared = &self.shared;
        let mut url: Url = shared.endpoint.http(&["text-to-speech", shared.id().await?, "stream"]);
        url.query_pairs_mut().append_pair("output_format", &format!("pcm_{rate}"));
        let mut body = json!({ "text": text, "model_id": shared.model });
        if let Some(body) = body.as_object_mut() {
            if !shared.settings.is_empty() {
                body.insert("voice_settings".into(), shared.settings.clone().into());
            }
            if let Some(language) = shared.language(language) {
                body.insert("language_code".into(), language.into());
            }
        }
        let mut request = Request::new(Method::POST, url);
        request.headers = shared.headers()?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Some(body.to_string().into());
        Ok(request)
    }
}

#[cfg(test)]
mod tests;
