//! Speechmatics' realtime recognition.
//! <https://docs.speechmatics.com/api-ref/realtime-transcription-websocket>
//!
//! `StartRecognition`, and sound only after `RecognitionStarted`. Every piece of sound is
//! acknowledged, so frames are joined. `ForceEndOfUtterance` asks for the final words, and
//! `EndOfUtterance` comes after them.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, HeaderMap};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::llm::LlmErrorKind;
use crate::settings::Settings;
use crate::stt::batch::Batch;
use crate::stt::connection::Told;
use crate::stt::deepgram::words;
use crate::stt::wire::{self, Problem, Protocol, Tell, percent};
use crate::stt::{Connecting, Stt, SttSession, SttStart, session};
use crate::voice::endpoint::{Endpoint, setup};
use crate::voice::{Patience, VoiceError};

/// Pieces of sound.
const PIECE_MS: u32 = 60;
/// Longest wait for words to become final while the caller speaks, in seconds: the least it allows.
const MAX_DELAY: f64 = 0.7;

/// A recogniser of Speechmatics.
#[derive(Clone)]
pub struct Speechmatics {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    model: String,
    language: Option<String>,
    keyterms: Vec<String>,
    max_delay: f64,
}

impl Speechmatics {
    /// Settings: `model`, `url`, and perhaps `language`, `keyterms`, `max_delay`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::for_words(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "Bearer ")?;
        let read = || {
            let settings = Settings::of(model);
            let (name, language) = (settings.required("model")?, settings.text("language")?);
            Ok((name, language, settings.texts("keyterms")?, settings.duration("max_delay")?))
        };
        let (name, language, keyterms, max_delay) = read().map_err(|e| setup(model, &e))?;
        let max_delay = max_delay.map_or(MAX_DELAY, |time| time.as_secs_f64());
        Ok(Self { endpoint: Arc::new(endpoint), headers, model: name, language, keyterms, max_delay })
    }

    fn begin(&self, start: &SttStart) -> Json {
        let language = self.language.as_ref().or(start.languages.first()).map_or("en", String::as_str);
        // Tags with a region are known of few languages; Chinese ones are names of their own.
        let language =
            if language.starts_with("cmn") { language } else { language.split('-').next().unwrap_or("en") };
        let words: Vec<Json> =
            words(&self.keyterms, &start.words).map(|word| json!({ "content": word })).collect();
        let mut config = json!({
            "language": language,
            "operating_point": self.model,
            "enable_partials": true,
            "max_delay": self.max_delay,
            // Without it, nobody tells the end of an utterance, also of a forced one.
            "conversation_config": { "end_of_utterance_silence_trigger": 0.5 },
        });
        if let Some(config) = config.as_object_mut().filter(|_| !words.is_empty()) {
            config.insert("additional_vocab".into(), words.into());
        }
        json!({
            "message": "StartRecognition",
            "audio_format": { "type": "raw", "encoding": "pcm_s16le", "sample_rate": start.rate },
            "transcription_config": config,
        })
    }
}

impl Stt for Speechmatics {
    fn patience(&self) -> Option<Patience> {
        Some(self.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let realtime = Realtime {
            begin: self.begin(&start).to_string(),
            batch: Batch::new(start.rate, PIECE_MS),
            bytes_per_second: f64::from(start.rate) * 2.0,
            sent: 0,
        };
        wire::connect(&self.endpoint, self.endpoint.ws(&[]), self.headers.clone(), realtime)
    }
}

struct Realtime {
    begin: String,
    batch: Batch,
    bytes_per_second: f64,
    /// Pieces of sound so far.
    sent: u64,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow, default)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(default)]
    results: Vec<Word>,
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    reason: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    transcript: Cow<'a, str>,
    #[serde(default)]
    end_time: f64,
}

#[derive(Deserialize)]
struct Word {
    #[serde(default)]
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    confidence: Option<f64>,
    language: Option<String>,
}

impl Incoming<'_> {
    fn problem(&self) -> Problem {
        let kind = match self.kind.as_ref() {
            "not_authorised" | "not_allowed" => LlmErrorKind::Auth,
            "invalid_model" | "invalid_config" | "invalid_audio_type" | "invalid_message" => {
                LlmErrorKind::Rejected
            }
            "quota_exceeded" | "timelimit_exceeded" => LlmErrorKind::RateLimited,
            _ => LlmErrorKind::Unavailable,
        };
        Problem::new(kind, format!("{}: {}", self.kind, self.reason))
    }
}

impl Protocol for Realtime {
    fn hello(&mut self, out: &mut Vec<Message>) {
        out.push(Message::text(std::mem::take(&mut self.begin)));
    }

    fn waits(&self) -> bool {
        true
    }

    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        if let Some(piece) = self.batch.add(&pcm) {
            self.sent += 1;
            out.push(Message::Binary(piece));
        }
    }

    fn speech_ended(&mut self, out: &mut Vec<Message>, _: &mut Tell) {
        if let Some(piece) = self.batch.rest(0) {
            self.sent += 1;
            out.push(Message::Binary(piece));
        }
        out.push(Message::text(r#"{"message":"ForceEndOfUtterance"}"#));
    }

    fn bye(&mut self) -> Option<Message> {
        Some(Message::text(format!(r#"{{"message":"EndOfStream","last_seq_no":{}}}"#, self.sent)))
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let incoming: Incoming<'_> = wire::json(text)?;
        match incoming.message.as_ref() {
            "RecognitionStarted" => told.tell(Told::Ready),
            "AddPartialTranscript" if !incoming.metadata.transcript.trim().is_empty() => {
                told.partial(&incoming.metadata.transcript);
            }
            "AddTranscript" => {
                #[allow(clippy::cast_sign_loss, reason = "a negative number is none")]
                told.tell(Told::Through((incoming.metadata.end_time * self.bytes_per_second) as u64));
                let best = incoming.results.iter().filter_map(|word| word.alternatives.first());
                let sure: Vec<f64> = best.clone().filter_map(|word| word.confidence).collect();
                #[allow(clippy::cast_precision_loss, reason = "an utterance has few words")]
                let confidence = sure.iter().sum::<f64>() / sure.len() as f64;
                let language = best.clone().find_map(|word| word.language.clone());
                told.last(&incoming.metadata.transcript, percent(Some(confidence)), language);
            }
            "EndOfUtterance" => told.tell(Told::Answered),
            "EndOfTranscript" => {
                return Err(Problem::new(LlmErrorKind::Unavailable, "ended the transcript"));
            }
            "Error" => return Err(incoming.problem()),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
