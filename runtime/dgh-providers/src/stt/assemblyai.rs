//! AssemblyAI's streaming recognition, version 3.
//! <https://www.assemblyai.com/docs/streaming/universal-streaming/message-sequence>
//!
//! Sound is binary, in pieces of at least 50 ms. A `Turn` holds all words of the turn so far;
//! `ForceEndpoint` ends it, which we ask for when our detector hears that the caller stopped.

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

/// Pieces of sound; shorter ones than 50 ms close the stream.
const PIECE_MS: u32 = 60;
/// The shortest that may be sent.
const LEAST_MS: u32 = 50;

/// A recogniser of AssemblyAI.
#[derive(Clone)]
pub struct AssemblyAi {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    model: String,
    keyterms: Vec<String>,
    format: bool,
    /// The other parameters, as they are sent.
    fixed: Vec<(&'static str, String)>,
}

impl AssemblyAi {
    /// Settings: `model`, `url`, and perhaps `keyterms`, `format`, `end_of_turn_threshold`,
    /// `min_silence`, `max_silence`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::for_words(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "")?;
        let read = || {
            let settings = Settings::of(model);
            let ms = |name| settings.duration(name).map(|time| time.map(|time| time.as_millis().to_string()));
            let threshold = settings.number("end_of_turn_threshold", 0.0, 1.0)?;
            let fixed = [
                ("end_of_turn_confidence_threshold", threshold.map(|number: Json| number.to_string())),
                ("min_turn_silence", ms("min_silence")?),
                ("max_turn_silence", ms("max_silence")?),
            ];
            let format = settings.flag("format")?.unwrap_or(false);
            Ok((settings.required("model")?, settings.texts("keyterms")?, format, fixed))
        };
        let (name, keyterms, format, fixed) = read().map_err(|e| setup(model, &e))?;
        let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(Self { endpoint: Arc::new(endpoint), headers, model: name, keyterms, format, fixed })
    }

    fn url(&self, start: &SttStart) -> url::Url {
        let mut url = self.endpoint.ws(&[]);
        let mut query = url.query_pairs_mut();
        query
            .append_pair("speech_model", &self.model)
            .append_pair("encoding", "pcm_s16le")
            .append_pair("sample_rate", &start.rate.to_string())
            .append_pair("format_turns", if self.format { "true" } else { "false" });
        for (name, value) in &self.fixed {
            query.append_pair(name, value);
        }
        let words: Vec<&str> = words(&self.keyterms, &start.words).collect();
        if !words.is_empty() {
            query.append_pair("keyterms_prompt", &json!(words).to_string());
        }
        drop(query);
        url
    }
}

impl Stt for AssemblyAi {
    fn patience(&self) -> Option<Patience> {
        Some(self.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let streaming = Streaming {
            batch: Batch::new(start.rate, PIECE_MS),
            least: Batch::bytes(start.rate, LEAST_MS),
            bytes_per_ms: f64::from(start.rate) / 500.0,
            format: self.format,
        };
        wire::connect(&self.endpoint, self.url(&start), self.headers.clone(), streaming)
    }
}

struct Streaming {
    batch: Batch,
    least: usize,
    bytes_per_ms: f64,
    /// Final words come twice; those with punctuation count.
    format: bool,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    transcript: Cow<'a, str>,
    #[serde(default)]
    end_of_turn: bool,
    #[serde(default)]
    turn_is_formatted: bool,
    #[serde(borrow, default)]
    words: Vec<Word<'a>>,
    #[serde(borrow)]
    language_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Word<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    confidence: Option<f64>,
    #[serde(default)]
    end: f64,
}

impl Streaming {
    fn turn(&self, turn: &Incoming<'_>, told: &mut Tell) {
        if !turn.end_of_turn || (self.format && !turn.turn_is_formatted) {
            // `transcript` lacks the words that may still change.
            let words: Vec<&str> = turn.words.iter().map(|word| word.text.as_ref()).collect();
            let text = if words.is_empty() { turn.transcript.to_string() } else { words.join(" ") };
            if !text.trim().is_empty() {
                told.partial(&text);
            }
            return;
        }
        if let Some(last) = turn.words.last() {
            #[allow(clippy::cast_sign_loss, reason = "a negative number is none")]
            told.tell(Told::Through((last.end * self.bytes_per_ms) as u64));
        }
        let sure: Vec<f64> = turn.words.iter().filter_map(|word| word.confidence).collect();
        #[allow(clippy::cast_precision_loss, reason = "a turn has few words")]
        let confidence = sure.iter().sum::<f64>() / sure.len() as f64;
        told.last(
            &turn.transcript,
            percent(Some(confidence)),
            turn.language_code.as_deref().map(str::to_owned),
        );
        told.tell(Told::Answered);
    }
}

impl Protocol for Streaming {
    fn waits(&self) -> bool {
        true
    }

    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        out.extend(self.batch.add(&pcm).map(Message::Binary));
    }

    fn speech_ended(&mut self, out: &mut Vec<Message>, _: &mut Tell) {
        out.extend(self.batch.rest(self.least).map(Message::Binary));
        out.push(Message::text(r#"{"type":"ForceEndpoint"}"#));
    }

    fn bye(&mut self) -> Option<Message> {
        Some(Message::text(r#"{"type":"Terminate"}"#))
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let incoming: Incoming<'_> = wire::json(text)?;
        if let Some(error) = incoming.error {
            return Err(Problem::new(LlmErrorKind::Unavailable, error));
        }
        match incoming.kind.as_ref() {
            "Begin" => told.tell(Told::Ready),
            "Turn" => self.turn(&incoming, told),
            "Termination" => {
                return Err(Problem::new(LlmErrorKind::Unavailable, "ended the session"));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
