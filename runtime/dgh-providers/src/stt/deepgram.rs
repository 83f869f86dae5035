//! Deepgram's live recognition: `/v1/listen` with the Nova models and their like.
//! <https://developers.deepgram.com/reference/speech-to-text/listen-streaming>
//!
//! Sound is binary, control is JSON. Final words come piece by piece (`is_final`); `Finalize` asks
//! for the rest at once, and is answered with `from_finalize`. Models whose name begins with `flux`
//! speak another protocol: see [`crate::stt::flux`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, HeaderMap};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets};
use serde::Deserialize;
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::settings::Settings;
use crate::stt::connection::Told;
use crate::stt::wire::{self, Problem, Protocol, Tell, json, percent};
use crate::stt::{Connecting, Stt, SttSession, SttStart, flux, session};
use crate::voice::endpoint::{Endpoint, setup};
use crate::voice::{Patience, VoiceError};

/// Words that are sent with the address.
const MAX_WORDS: usize = 100;
/// Letters of them.
const MAX_WORD_LETTERS: usize = 2_000;
/// Silence after which a stream without sound is said to live: Deepgram waits for ten seconds.
const IDLE: Duration = Duration::from_secs(4);
/// A message that comes sooner after a question was sent before it was read.
const ON_ITS_WAY: Duration = Duration::from_millis(500);
/// Silence after which words are final, when the settings do not say.
const ENDPOINTING: Duration = Duration::from_millis(300);

/// A recogniser of Deepgram.
#[derive(Clone)]
pub struct Deepgram {
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    model: String,
    language: Option<String>,
    keyterms: Vec<String>,
    endpointing: Duration,
}

/// The client that the model's name asks for.
pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Arc<dyn Stt>, VoiceError> {
    let settings = Settings::of(model);
    let name = settings.required("model").map_err(|e| setup(model, &e))?;
    if name.starts_with("flux") {
        return Ok(Arc::new(flux::Flux::new(model, client, secrets)?));
    }
    Ok(Arc::new(Deepgram::new(model, client, secrets)?))
}

impl Deepgram {
    /// Settings: `model`, `url`, and perhaps `language`, `keyterms`, `endpointing`, `timeout`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::for_words(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "Token ")?;
        let read = || {
            let settings = Settings::of(model);
            for other in ["eot_threshold", "eager_eot_threshold", "eot_timeout"] {
                if settings.duration(other)?.is_some() {
                    return Err(settings.setup(format!("`{other}` is for flux models alone")));
                }
            }
            let (name, language) = (settings.required("model")?, settings.text("language")?);
            Ok((name, language, settings.texts("keyterms")?, settings.duration("endpointing")?))
        };
        let (name, language, keyterms, endpointing) = read().map_err(|e| setup(model, &e))?;
        let endpointing = endpointing.unwrap_or(ENDPOINTING);
        Ok(Self { endpoint: Arc::new(endpoint), headers, model: name, language, keyterms, endpointing })
    }

    fn url(&self, start: &SttStart) -> url::Url {
        let mut url = self.endpoint.ws(&[]);
        let language = self.language.clone().or_else(|| language(&start.languages));
        let mut query = url.query_pairs_mut();
        query
            .append_pair("model", &self.model)
            .append_pair("encoding", "linear16")
            .append_pair("sample_rate", &start.rate.to_string())
            .append_pair("channels", "1")
            .append_pair("interim_results", "true")
            .append_pair("smart_format", "true")
            // Without it, numbers are held back until something follows them.
            .append_pair("no_delay", "true")
            .append_pair("endpointing", &self.endpointing.as_millis().to_string())
            .append_pair("utterance_end_ms", "1000");
        if let Some(language) = language {
            query.append_pair("language", &language);
        }
        // Nova 3 takes terms; the older ones take words with a weight.
        let parameter = if self.model.starts_with("nova-3") { "keyterm" } else { "keywords" };
        for word in words(&self.keyterms, &start.words) {
            query.append_pair(parameter, word);
        }
        drop(query);
        url
    }
}

impl Stt for Deepgram {
    fn patience(&self) -> Option<Patience> {
        Some(self.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let protocol = Listen { bytes_per_second: f64::from(start.rate) * 2.0, asked: None };
        wire::connect(&self.endpoint, self.url(&start), self.headers.clone(), protocol)
    }
}

/// One language is told; of several, that there are several.
fn language(languages: &[String]) -> Option<String> {
    match languages {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some("multi".to_owned()),
    }
}

/// The words of the settings and of the agent, as many as fit into an address.
pub(crate) fn words<'a>(own: &'a [String], agents: &'a [String]) -> impl Iterator<Item = &'a str> {
    let mut letters = 0;
    let fits = move |word: &&str| {
        letters += word.len();
        letters <= MAX_WORD_LETTERS
    };
    let some = |word: &&str| !word.is_empty();
    own.iter().chain(agents).map(|word| word.trim()).filter(some).take(MAX_WORDS).take_while(fits)
}

struct Listen {
    bytes_per_second: f64,
    /// When the rest was asked for, until it came.
    asked: Option<Instant>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Incoming<'a> {
    #[serde(borrow)]
    Results(Results<'a>),
    UtteranceEnd,
    Error(Failure<'a>),
    /// `Metadata`, `SpeechStarted`, and what is new.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    channel: Channel<'a>,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    #[serde(default)]
    start: f64,
    #[serde(default)]
    duration: f64,
}

#[derive(Deserialize)]
struct Channel<'a> {
    #[serde(borrow)]
    alternatives: Vec<Alternative<'a>>,
}

#[derive(Deserialize, Default)]
struct Alternative<'a> {
    #[serde(borrow, default)]
    transcript: Cow<'a, str>,
    confidence: Option<f64>,
    #[serde(default)]
    languages: Vec<String>,
}

/// What Deepgram says before it closes.
#[derive(Deserialize)]
pub(crate) struct Failure<'a> {
    #[serde(borrow, default)]
    code: Cow<'a, str>,
    #[serde(borrow, default)]
    variant: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

impl Failure<'_> {
    pub(crate) fn problem(&self) -> Problem {
        let said = [&self.code, &self.variant, &self.description, &self.message];
        let said: Vec<&str> =
            said.into_iter().map(AsRef::as_ref).filter(|text: &&str| !text.is_empty()).collect();
        Problem::new(LlmErrorKind::Unavailable, said.join(": "))
    }
}

impl Protocol for Listen {
    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        out.push(Message::Binary(pcm));
    }

    fn speech_ended(&mut self, out: &mut Vec<Message>, _: &mut Tell) {
        self.asked = Some(Instant::now());
        out.push(Message::text(r#"{"type":"Finalize"}"#));
    }

    fn idle(&self) -> Duration {
        IDLE
    }

    fn keep_alive(&mut self) -> Message {
        Message::text(r#"{"type":"KeepAlive"}"#)
    }

    fn bye(&mut self) -> Option<Message> {
        Some(Message::text(r#"{"type":"CloseStream"}"#))
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let results = match json::<Incoming<'_>>(text)? {
            Incoming::Results(results) => results,
            // A second went by without words. `Finalize` may stay without an answer when there were
            // none; one that was on its way before the question is none either.
            Incoming::UtteranceEnd => {
                if self.asked.take_if(|at| at.elapsed() >= ON_ITS_WAY).is_some() {
                    told.tell(Told::Answered);
                }
                return Ok(());
            }
            Incoming::Error(failure) => return Err(failure.problem()),
            Incoming::Other => return Ok(()),
        };
        let best = results.channel.alternatives.into_iter().next().unwrap_or_default();
        if results.is_final {
            #[allow(clippy::cast_sign_loss, reason = "a negative number is none")]
            let through = ((results.start + results.duration) * self.bytes_per_second) as u64;
            told.tell(Told::Through(through));
            told.last(&best.transcript, percent(best.confidence), best.languages.into_iter().next());
        } else if !best.transcript.is_empty() {
            told.partial(&best.transcript);
        }
        if results.from_finalize {
            self.asked = None;
            told.tell(Told::Answered);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
