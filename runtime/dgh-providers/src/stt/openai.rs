//! OpenAI's live transcription: a realtime session that only writes down.
//! <https://platform.openai.com/docs/guides/realtime-transcription>
//!
//! Sound is base64 in JSON. Turns are cut by our detector: `input_audio_buffer.commit` when the
//! caller stopped, and the words of that piece follow. Long silence is withheld. Servers that have
//! no such sessions get each utterance as a file: see [`crate::stt::openai_file`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::header::{AUTHORIZATION, HeaderMap};
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::llm::LlmErrorKind;
use crate::realtime::sound::Format;
use crate::settings::Settings;
use crate::stt::connection::Told;
use crate::stt::deepgram::words;
use crate::stt::gate::Gate;
use crate::stt::openai_file::OpenAiFile;
use crate::stt::wire::{self, Problem, Protocol, Tell};
use crate::stt::{Connecting, Stt, SttSession, SttStart, session};
use crate::tts::resample::Resampler;
use crate::voice::endpoint::{Endpoint, setup};
use crate::voice::{Patience, VoiceError};

/// The one rate of PCM that sessions have.
const RATE: u32 = 24_000;
/// Less sound than this is not taken.
const LEAST_MS: u64 = 100;
/// Pieces whose words are on their way. Whoever speaks so much more has no words from before.
const MAX_PIECES: usize = 16;

/// Settings of both clients.
pub(crate) struct Common {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) headers: HeaderMap,
    pub(crate) model: String,
    pub(crate) language: Option<String>,
    pub(crate) keyterms: Vec<String>,
}

/// The client that fits: sessions where OpenAI's own server has them, or where the settings say so.
pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Arc<dyn Stt>, VoiceError> {
    let common = Common::new(model, client, secrets)?;
    let live = Settings::of(model).flag("live").map_err(|e| setup(model, &e))?;
    let own = common.endpoint.url.host_str().is_some_and(|host| host.ends_with("api.openai.com"));
    Ok(if live.unwrap_or(own && common.model != "whisper-1") {
        Arc::new(OpenAiLive { common: Arc::new(common) })
    } else {
        Arc::new(OpenAiFile::new(common))
    })
}

impl Common {
    /// Settings: `model`, `url`, and perhaps `language`, `keyterms`, `live`, `timeout`.
    fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::for_words(model, client, secrets)?;
        let headers = endpoint.key_header(AUTHORIZATION, "Bearer ")?;
        let read = || {
            let settings = Settings::of(model);
            Ok((settings.required("model")?, settings.text("language")?, settings.texts("keyterms")?))
        };
        let (model, language, keyterms) = read().map_err(|e| setup(model, &e))?;
        Ok(Self { endpoint: Arc::new(endpoint), headers, model, language, keyterms })
    }

    /// The language as it is told: two letters, and none when the agent has several.
    pub(crate) fn language(&self, start: &SttStart) -> Option<String> {
        let only = || (start.languages.len() == 1).then(|| start.languages.first()).flatten();
        let tag = self.language.as_ref().or_else(only)?;
        tag.split('-').next().map(str::to_owned)
    }

    /// The words as a text that might have come before: models take their spelling from it.
    pub(crate) fn prompt(&self, start: &SttStart) -> Option<String> {
        let words: Vec<&str> = words(&self.keyterms, &start.words).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// A recogniser of OpenAI that listens live.
#[derive(Clone)]
struct OpenAiLive {
    common: Arc<Common>,
}

impl OpenAiLive {
    fn session(&self, start: &SttStart, format: Format) -> Json {
        let mut transcription = json!({ "model": self.common.model });
        if let Some(fields) = transcription.as_object_mut() {
            if let Some(language) = self.common.language(start) {
                fields.insert("language".into(), language.into());
            }
            let words: Vec<&str> = words(&self.common.keyterms, &start.words).collect();
            let model = self.common.model.as_str();
            if words.is_empty() || model.starts_with("gpt-realtime-whisper") {
                // This one takes none.
            } else if matches!(model, "gpt-transcribe" | "gpt-live-transcribe") {
                fields.insert("keywords".into(), json!(words));
            } else {
                fields.insert("prompt".into(), words.join(", ").into());
            }
        }
        let format = match format {
            Format::Ulaw => json!({ "type": "audio/pcmu" }),
            Format::Pcm(rate) => json!({ "type": "audio/pcm", "rate": rate }),
        };
        let input = json!({ "format": format, "transcription": transcription, "turn_detection": null });
        json!({
            "type": "session.update",
            "session": { "type": "transcription", "audio": { "input": input } },
        })
    }
}

impl Stt for OpenAiLive {
    fn patience(&self) -> Option<Patience> {
        Some(self.common.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.common.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        // A telephone line has no more than µ-law anyway; it is a sixth of the bytes.
        let format = if start.rate <= 8_000 { Format::Ulaw } else { Format::Pcm(RATE) };
        let mut url = self.common.endpoint.ws(&["realtime"]);
        url.query_pairs_mut().append_pair("intent", "transcription");
        let live = Live {
            begin: self.session(&start, format).to_string(),
            format,
            resampler: Resampler::new(start.rate, if format == Format::Ulaw { start.rate } else { RATE }),
            gate: Gate::new(start.rate * 2),
            bytes_per_ms: u64::from(start.rate) / 500,
            heard: 0,
            pending: 0,
            pieces: VecDeque::new(),
            partial: String::new(),
        };
        wire::connect(&self.common.endpoint, url, self.common.headers.clone(), live)
    }
}

struct Live {
    begin: String,
    format: Format,
    resampler: Resampler,
    gate: Gate,
    bytes_per_ms: u64,
    /// Bytes of sound so far, withheld ones included.
    heard: u64,
    /// Bytes that were sent and not committed.
    pending: u64,
    /// Where the pieces end whose words are on their way, in order; an id, once it is known.
    pieces: VecDeque<Piece>,
    /// Words of the piece that is being told.
    partial: String,
}

struct Piece {
    through: u64,
    item: Option<String>,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    item_id: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Cow<'a, str>,
    #[serde(borrow, default)]
    transcript: Cow<'a, str>,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

impl Failure<'_> {
    fn problem(&self) -> Problem {
        let (kind, code) =
            (self.kind.as_deref().unwrap_or_default(), self.code.as_deref().unwrap_or_default());
        let kind = match (kind, code) {
            (_, "invalid_api_key") | ("authentication_error", _) => LlmErrorKind::Auth,
            (_, "rate_limit_exceeded" | "insufficient_quota") | ("rate_limit_error", _) => {
                LlmErrorKind::RateLimited
            }
            ("invalid_request_error", _) => LlmErrorKind::Rejected,
            _ => LlmErrorKind::Unavailable,
        };
        Problem::new(kind, self.message.as_deref().unwrap_or("reports an error"))
    }
}

impl Live {
    /// The words of a piece are there, or there are none.
    fn over(&mut self, item: &str, told: &mut Tell) {
        // Pieces are transcribed beside each other: a later one may be told first. Its words are
        // told at once, and its sound is let go with the pieces before it.
        let at = self.pieces.iter().position(|piece| piece.item.as_deref() == Some(item)).unwrap_or(0);
        if let Some(piece) = self.pieces.remove(at) {
            if at == 0 {
                told.tell(Told::Through(piece.through));
            } else {
                told.tell(Told::Through(0));
            }
        }
        self.partial.clear();
    }
}

impl Protocol for Live {
    fn hello(&mut self, out: &mut Vec<Message>) {
        out.push(Message::text(std::mem::take(&mut self.begin)));
    }

    fn waits(&self) -> bool {
        true
    }

    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>) {
        self.heard += pcm.len() as u64;
        let Self { gate, resampler, format, pending, .. } = self;
        gate.pass(pcm, |pcm| {
            *pending += pcm.len() as u64;
            let pcm = resampler.push(pcm);
            out.push(append(*format, &pcm));
        });
    }

    fn speech_ended(&mut self, out: &mut Vec<Message>, told: &mut Tell) {
        let loud = self.gate.take_loud() > 0;
        if !loud || self.pending < LEAST_MS * self.bytes_per_ms {
            // Nothing to write down since the last piece; what is on its way answers for itself.
            if self.pieces.is_empty() {
                told.tell(Told::Answered);
            }
            return;
        }
        let end = self.resampler.finish();
        if !end.is_empty() {
            out.push(append(self.format, &end));
        }
        self.pending = 0;
        if self.pieces.len() == MAX_PIECES {
            self.pieces.pop_front();
        }
        self.pieces.push_back(Piece { through: self.heard, item: None });
        out.push(Message::text(r#"{"type":"input_audio_buffer.commit"}"#));
    }

    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem> {
        let incoming: Incoming<'_> = wire::json(text)?;
        match incoming.kind.as_ref() {
            // The second name is that of servers that still speak the older dialect.
            "session.updated" | "transcription_session.updated" => told.tell(Told::Ready),
            "input_audio_buffer.committed" => {
                if let Some(piece) = self.pieces.iter_mut().find(|piece| piece.item.is_none()) {
                    piece.item = Some(incoming.item_id.into_owned());
                }
            }
            "conversation.item.input_audio_transcription.delta" => {
                self.partial.push_str(&incoming.delta);
                told.partial(&self.partial);
            }
            "conversation.item.input_audio_transcription.completed" => {
                self.over(&incoming.item_id, told);
                told.last(&incoming.transcript, None, None);
                told.tell(Told::Answered);
            }
            "conversation.item.input_audio_transcription.failed" => {
                return Err(incoming.error.map_or_else(
                    || Problem::new(LlmErrorKind::Unavailable, "could not write an utterance down"),
                    |error| error.problem(),
                ));
            }
            "error" => {
                let Some(error) = incoming.error else {
                    return Err(Problem::new(LlmErrorKind::Unavailable, "reports an error"));
                };
                if error.code.as_deref() != Some("input_audio_buffer_commit_empty") {
                    return Err(error.problem());
                }
                self.pieces.pop_back();
                told.tell(Told::Answered);
            }
            _ => {}
        }
        Ok(())
    }
}

fn append(format: Format, pcm: &[u8]) -> Message {
    let mut text = String::with_capacity(pcm.len() * 4 / 3 + 64);
    text.push_str(r#"{"type":"input_audio_buffer.append","audio":""#);
    format.encode(pcm, &mut text);
    text.push_str("\"}");
    Message::text(text)
}

#[cfg(test)]
mod tests;
