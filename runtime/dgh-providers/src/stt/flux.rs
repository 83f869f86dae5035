//! Deepgram's Flux: `/v2/listen`, a recogniser that knows when a turn is over.
//! <https://developers.deepgram.com/reference/speech-to-text/listen-flux>
//!
//! Every message is a `TurnInfo` with all words of the turn so far. When our detector hears that the
//! caller stopped, nothing is asked for: the model decides. It needs sound to decide, so silence is
//! sent for as long as a turn is open and no sound comes.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, HeaderMap};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::settings::Settings;
use crate::stt::connection::Told;
use crate::stt::deepgram::{Failure, words};
use crate::stt::wire::{self, Problem, Protocol, Tell, json, percent};
use crate::stt::{Connecting, Stt, SttEvent, SttSession, SttStart, session};
use crate::voice::endpoint::{Endpoint, setup};
use crate::voice::{Patience, VoiceError};

/// Silence is sent in pieces of so long.
const SILENCE: Duration = Duration::from_millis(80);
/// Between turns, that the stream lives is said so often.
const IDLE: Duration = Duration::from_secs(4);

/// A recogniser of Deepgram that ends turns.
#[derive(Clone)]
pub struct Flux {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    model: String,
    language: Option<String>,
    keyterms: Vec<String>,
    /// `eot_threshold` and the like, as they are sent.
    thresholds: Vec<(&'static str, String)>,
}

impl Flux {
    /// Settings: `model`, `url`, and perhaps `language`, `keyterms`, `eot_threshold`,
    /// `eager_eot_threshold`, `eot_timeout`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::for_words(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "Token ")?;
        let read = || {
            let settings = Settings::of(model);
            if settings.duration("endpointing")?.is_some() {
                return Err(settings.setup("`endpointing` is not for flux models: use `eot_timeout`".into()));
            }
            let number = |json: Option<Json>| json.map(|number| number.to_string());
            let timeout = settings.duration("eot_timeout")?.map(|time| time.as_millis().to_string());
            let thresholds = [
                ("eot_threshold", number(settings.number("eot_threshold", 0.5, 1.0)?)),
                ("eager_eot_threshold", number(settings.number("eager_eot_threshold", 0.3, 0.9)?)),
                ("eot_timeout_ms", timeout),
            ];
            let (name, language) = (settings.required("model")?, settings.text("language")?);
            Ok((name, language, settings.texts("keyterms")?, thresholds))
        };
        let (name, language, keyterms, thresholds) = read().map_err(|e| setup(model, &e))?;
        let thresholds = thresholds.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(Self { endpoint: Arc::new(endpoint), headers, model: name, language, keyterms, thresholds })
    }

    fn url(&self, start: &SttStart) -> url::Url {
        let mut url = self.endpoint.ws(&[]);
        // The address of the settings is that of both protocols.
        if let Some(path) = url.path().strip_suffix("/v1/listen").map(|path| format!("{path}/v2/listen")) {
            url.set_path(&path);
        }
        let mut query = url.query_pairs_mut();
        query
            .append_pair("model", &self.model)
            .append_pair("encoding", "linear16")
            .append_pair("sample_rate", &start.rate.to_string());
        for (name, value) in &self.thresholds {
            query.append_pair(name, value);
        }
        if self.model.contains("multi") {
            let languages = self.language.as_slice().iter().filter(|language| *language != "multi");
            for language in languages.chain(start.languages.iter().filter(|_| self.language.is_none())) {
                query.append_pair("language_hint", language.split('-').next().unwrap_or_default());
            }
        }
        for word in words(&self.keyterms, &start.words) {
            query.append_pair("keyterm", word);
        }
        drop(query);
        url
    }
}

impl Stt for Flux {
    fn ends_turns(&self) -> bool {
        true
    }

    fn patience(&self) -> Option<Patience> {
        Some(self.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let bytes = start.rate as usize * 2 * SILENCE.as_millis() as usize / 1_000;
        let turns = Turns {
            bytes_per_second: f64::from(start.rate) * 2.0,
            silence: Bytes::from(vec![0; bytes]),
            added: 0,
            open: false,
        };
        wire::connect(&self.endpoint, self.url(&start), self.headers.clone(), turns)
    }
}

struct Turns {
    bytes_per_second: f64,
    /// A piece of silence.
    silence: Bytes,
    /// Bytes of silence that were sent between the sound.
    added: u64,
    /// A turn is open.
    open: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Incoming<'a> {
    #[serde(borrow)]
    TurnInfo(Info<'a>),
    Error(Failure<'a>),
    /// `Connected`, and what is new.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    transcript: Cow<'a, str>,
    #[serde(default)]
    words: Vec<Word>,
    #[serde(default)]
    audio_window_end: f64,
    #[serde(default)]
    languages: Vec<String>,
}

#[derive(Deserialize)]
struct Word {
    confidence: Option<f64>,
}

impl Info<'_> {
    fn confidence(&self) -> Option<u8> {
        let sum: f64 = self.words.iter().filter_map(|word| word.confidence).sum();
        #[allow(clippy::cast_precision_loss, reason = "a turn has few words")]
        let mean = sum / self.words.len() as f64;
        percent(Some(mean))
    }
}

impl Protocol for Turns {
    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        out.push(Message::Binary(pcm));
    }

    fn idle(&self) -> Duration {
        if self.open { SILENCE * 2 } else { IDLE }
    }

    fn keep_alive(&mut self) -> Message {
        if !self.open {
            return Message::Ping(Bytes::new());
        }
        self.added += self.silence.len() as u64;
        Message::Binary(self.silence.clone())
    }

    fn bye(&mut self) -> Option<Message> {
        Some(Message::text(r#"{"type":"CloseStream"}"#))
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let info = match json::<Incoming<'_>>(text)? {
            Incoming::TurnInfo(info) => info,
            Incoming::Error(failure) => return Err(failure.problem()),
            Incoming::Other => return Ok(()),
        };
        if info.event == "EndOfTurn" {
            self.open = false;
            #[allow(clippy::cast_sign_loss, reason = "a negative number is none")]
            let through = (info.audio_window_end * self.bytes_per_second) as u64;
            told.tell(Told::Through(through.saturating_sub(self.added)));
            told.last(&info.transcript, info.confidence(), info.languages.first().cloned());
            told.event(SttEvent::EndOfTurn);
            told.tell(Told::Answered);
            return Ok(());
        }
        if !info.transcript.is_empty() {
            told.partial(&info.transcript);
        }
        match info.event.as_ref() {
            "StartOfTurn" => self.open = true,
            "EagerEndOfTurn" => told.event(SttEvent::MaybeEnd),
            "TurnResumed" => told.event(SttEvent::Resumed),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
