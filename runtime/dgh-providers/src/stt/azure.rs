//! Azure's recognition over its websocket.
//! <https://learn.microsoft.com/azure/ai-services/speech-service/> and the sources of Microsoft's SDK
//!
//! Messages have headers, as HTTP has; sound goes behind its own in binary ones, as a WAV file
//! without an end. An utterance ends with silence alone: when our detector hears that the caller
//! stopped, the silence that ends it is sent at once, and nobody waits for it.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{BufMut as _, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use dgh_engine::reply::Model;
use dgh_net::header::{HeaderMap, HeaderName, HeaderValue};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::llm::{LlmError, LlmErrorKind};
use crate::settings::Settings;
use crate::stt::batch::Batch;
use crate::stt::connection::Told;
use crate::stt::deepgram::words;
use crate::stt::openai_file::wav_head;
use crate::stt::wire::{self, Problem, Protocol, Tell, percent};
use crate::stt::{Connecting, Stt, SttSession, SttStart, session};
use crate::voice::endpoint::{Endpoint, setup};
use crate::voice::{Patience, VoiceError};

/// Pieces of sound.
const PIECE_MS: u32 = 60;
/// Silence that ends an utterance, when the settings do not say.
const PAUSE: Duration = Duration::from_millis(500);
/// Sound is counted in these: a ten-millionth of a second.
const TICKS: f64 = 10_000_000.0;

/// A recogniser of Azure.
#[derive(Clone)]
pub struct Azure {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    language: Option<String>,
    keyterms: Vec<String>,
    pause: Duration,
}

impl Azure {
    /// Settings: `region` or `url`, and perhaps `language`, `keyterms`, `pause`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let located = locate(model).map_err(|e| setup(model, &e))?;
        let endpoint = Endpoint::for_words(&located, client, secrets)?;
        let headers = endpoint.key_header(HeaderName::from_static("ocp-apim-subscription-key"), "")?;
        let read = || {
            let settings = Settings::of(model);
            Ok((settings.text("language")?, settings.texts("keyterms")?, settings.duration("pause")?))
        };
        let (language, keyterms, pause) = read().map_err(|e| setup(model, &e))?;
        let pause = pause.unwrap_or(PAUSE);
        Ok(Self { endpoint: Arc::new(endpoint), headers, language, keyterms, pause })
    }

    fn context(&self, start: &SttStart) -> Json {
        let segmentation = json!({ "mode": "Custom", "segmentationSilenceTimeoutMs": u64::try_from(self.pause.as_millis()).ok() });
        let mut context = json!({
            "phraseDetection": { "mode": "Conversation", "conversation": { "segmentation": segmentation } },
        });
        let items: Vec<Json> =
            words(&self.keyterms, &start.words).map(|word| json!({ "text": word })).collect();
        if let Some(context) = context.as_object_mut().filter(|_| !items.is_empty()) {
            context.insert("dgi".into(), json!({ "groups": [{ "type": "Generic", "items": items }] }));
        }
        context
    }
}

impl Stt for Azure {
    fn patience(&self) -> Option<Patience> {
        Some(self.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let mut url = self.endpoint.ws(&["speech", "recognition", "conversation", "cognitiveservices", "v1"]);
        let language = self.language.as_ref().or(start.languages.first()).map_or("en-US", String::as_str);
        url.query_pairs_mut().append_pair("language", language).append_pair("format", "detailed");
        let mut headers = self.headers.clone();
        let connection = HeaderValue::try_from(id());
        headers.extend(connection.ok().map(|id| (HeaderName::from_static("x-connectionid"), id)));
        // Longer than the pause by what the service may take for speech of the end of a word.
        let silence_ms = u32::try_from(self.pause.as_millis()).unwrap_or(u32::MAX).saturating_add(200);
        let conversation = Conversation {
            request: id(),
            context: self.context(&start).to_string(),
            batch: Batch::new(start.rate, PIECE_MS),
            silence: Bytes::from(vec![0; Batch::bytes(start.rate, silence_ms.min(10_000))]),
            head: Some(wav_head(start.rate, 0)),
            added: 0,
            asked: false,
            bytes_per_second: f64::from(start.rate) * 2.0,
        };
        wire::connect(&self.endpoint, url, headers, conversation)
    }
}

/// The model with the address of its region, unless it has one.
fn locate(model: &Model) -> Result<Model, LlmError> {
    let settings = Settings::of(model);
    let region = settings.text("region")?;
    if settings.text("url")?.is_some() {
        return Ok(model.clone());
    }
    let is_name = |r: &String| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let Some(region) = region.filter(is_name) else {
        return Err(settings.setup("`region` must be the name of a region, as `eastus`".into()));
    };
    let mut located = model.clone();
    located.settings.insert("url".into(), format!("wss://{region}.stt.speech.microsoft.com").into());
    Ok(located)
}

/// An id that no other connection has.
fn id() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2))
}

struct Conversation {
    request: String,
    context: String,
    batch: Batch,
    /// What ends an utterance.
    silence: Bytes,
    /// The head of the file, until it was sent.
    head: Option<Bytes>,
    /// Bytes of silence that were sent between the sound.
    added: u64,
    /// The words of an utterance are wanted.
    asked: bool,
    bytes_per_second: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    recognition_status: Cow<'a, str>,
    #[serde(borrow, default)]
    display_text: Cow<'a, str>,
    #[serde(borrow, default, rename = "NBest")]
    best: Vec<Best<'a>>,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    duration: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Best<'a> {
    confidence: Option<f64>,
    #[serde(borrow, default)]
    display: Cow<'a, str>,
}

impl Conversation {
    fn headers(&self, path: &str, kind: &str) -> String {
        let now = DateTime::<Utc>::from(SystemTime::now()).format("%Y-%m-%dT%H:%M:%S%.3fZ");
        format!(
            "Path: {path}\r\nX-RequestId: {}\r\nX-Timestamp: {now}\r\nContent-Type: {kind}\r\n",
            self.request
        )
    }

    fn text(&self, path: &str, body: &str) -> Message {
        Message::text(format!("{}\r\n{body}", self.headers(path, "application/json")))
    }

    fn sound(&self, pcm: &[u8]) -> Message {
        let headers = self.headers("audio", "audio/x-wav");
        let mut message = BytesMut::with_capacity(2 + headers.len() + pcm.len());
        message.put_u16(u16::try_from(headers.len()).unwrap_or(u16::MAX));
        message.put_slice(headers.as_bytes());
        message.put_slice(pcm);
        Message::Binary(message.freeze())
    }

    fn phrase(&mut self, phrase: &Body<'_>, told: &mut Tell) -> Result<(), Problem> {
        #[allow(clippy::cast_sign_loss, reason = "a negative number is none")]
        let through = ((phrase.offset + phrase.duration) / TICKS * self.bytes_per_second) as u64;
        match phrase.recognition_status.as_ref() {
            "Success" => {
                told.tell(Told::Through(through.saturating_sub(self.added)));
                match phrase.best.first() {
                    Some(best) => told.last(&best.display, percent(best.confidence), None),
                    None => told.last(&phrase.display_text, None, None),
                }
            }
            "Error" | "TooManyRequests" | "BadRequest" | "Forbidden" => {
                let kind = match phrase.recognition_status.as_ref() {
                    "TooManyRequests" => LlmErrorKind::RateLimited,
                    "BadRequest" => LlmErrorKind::Rejected,
                    "Forbidden" => LlmErrorKind::Auth,
                    _ => LlmErrorKind::Unavailable,
                };
                return Err(Problem::new(kind, format!("could not listen: {}", phrase.recognition_status)));
            }
            // `NoMatch`, `InitialSilenceTimeout`, `BabbleTimeout`: there were no words.
            _ => {}
        }
        if std::mem::take(&mut self.asked) {
            told.tell(Told::Answered);
        }
        Ok(())
    }
}

impl Protocol for Conversation {
    fn hello(&mut self, out: &mut Vec<Message>) {
        let system = json!({ "name": "dgh", "version": env!("CARGO_PKG_VERSION") });
        let config = json!({ "context": { "system": system, "audio": { "source": { "type": "Stream" } } } });
        out.push(self.text("speech.config", &config.to_string()));
        out.push(self.text("speech.context", &self.context));
    }

    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        if let Some(head) = self.head.take() {
            out.push(self.sound(&head));
        }
        if let Some(piece) = self.batch.add(&pcm) {
            out.push(self.sound(&piece));
        }
    }

    fn speech_ended(&mut self, out: &mut Vec<Message>, _: &mut Tell) {
        if let Some(piece) = self.batch.rest(0) {
            out.push(self.sound(&piece));
        }
        if self.head.is_none() {
            self.added += self.silence.len() as u64;
            out.push(self.sound(&self.silence));
        }
        self.asked = true;
    }

    fn bye(&mut self) -> Option<Message> {
        // A piece without sound is the end of it.
        Some(self.sound(&[]))
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let bad = || Problem::new(LlmErrorKind::BadAnswer, "a message is not what the protocol says");
        let (headers, body) = text.split_once("\r\n\r\n").ok_or_else(bad)?;
        let mut headers = headers.lines().filter_map(|line| line.split_once(':'));
        let path = headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("path")).ok_or_else(bad)?.1;
        match path.trim() {
            "speech.hypothesis" | "speech.fragment" => {
                let hypothesis: Body<'_> = wire::json(body)?;
                if !hypothesis.text.trim().is_empty() {
                    told.partial(&hypothesis.text);
                }
                Ok(())
            }
            "speech.phrase" => self.phrase(&wire::json(body)?, told),
            "turn.end" => Err(Problem::new(LlmErrorKind::Unavailable, "ended the conversation")),
            // `turn.start`, `speech.startDetected`, `speech.endDetected`, and what is new.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
