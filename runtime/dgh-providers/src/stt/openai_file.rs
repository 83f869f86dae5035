//! Transcription of files, as OpenAI's API has it and many servers speak it: faster-whisper,
//! Speaches, vLLM, LocalAI. <https://platform.openai.com/docs/api-reference/audio/createTranscription>
//!
//! There is no stream: an utterance is kept until our detector hears that the caller stopped, and
//! sent as a WAV file. There are no words before that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use dgh_net::header::{CONTENT_TYPE, HeaderValue};
use dgh_net::{Method, Request};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use serde::Deserialize;
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::stt::connection::{Connection, Told};
use crate::stt::gate::Gate;
use crate::stt::openai::Common;
use crate::stt::{Connecting, Stt, SttEvent, SttInput, SttSession, SttStart, session};
use crate::voice::{Patience, VoiceError};
use crate::wire::{error_message, kind_of_status};

/// Longest utterance: of a longer one the beginning is written down while the caller goes on.
const MAX_MS: usize = 30_000;
/// Less loud sound is a click: models make words up for it.
const LEAST_LOUD_MS: usize = 60;
/// Utterances that wait for the one before.
const MAX_WAITING: usize = 8;
/// Bytes of an answer.
const MAX_ANSWER: usize = 64 << 10;
/// What stands between the parts of the form. It does not occur in text, and in sound only by a
/// chance of one in 2^128.
const BOUNDARY: &str = "dgh-5d1c7a0be8f94c23a6b07e31d94f2c88";

/// A recogniser that is sent files.
#[derive(Clone)]
pub(crate) struct OpenAiFile {
    common: Arc<Common>,
}

impl OpenAiFile {
    pub(crate) fn new(common: Common) -> Self {
        Self { common: Arc::new(common) }
    }
}

impl Stt for OpenAiFile {
    fn patience(&self) -> Option<Patience> {
        Some(self.common.endpoint.patience)
    }

    fn open(&self, start: SttStart) -> SttSession {
        session::alone(&self.common.endpoint, Arc::new(self.clone()), start)
    }

    fn connect(&self, start: SttStart) -> Connecting {
        let files: Box<dyn Connection> = Box::new(Files {
            form: form(&self.common, &start),
            common: Arc::clone(&self.common),
            gate: Gate::new(start.rate * 2),
            rate: start.rate,
            sound: BytesMut::new(),
            loud: 0,
            heard: 0,
            waiting: VecDeque::new(),
            running: None,
            told: VecDeque::from([Told::Ready]),
            told_at: Instant::now(),
        });
        ready(Ok(files)).boxed()
    }
}

struct Files {
    common: Arc<Common>,
    /// The form up to the sound.
    form: Bytes,
    gate: Gate,
    rate: u32,
    /// The utterance so far.
    sound: BytesMut,
    /// Bytes of it that are loud.
    loud: usize,
    /// Bytes of sound so far, withheld ones included.
    heard: u64,
    waiting: VecDeque<Utterance>,
    /// The utterance that is being written down; its form is gone.
    running: Option<(BoxFuture<'static, Result<String, VoiceError>>, Utterance)>,
    told: VecDeque<Told>,
    told_at: Instant,
}

struct Utterance {
    /// The form with the sound in it; none: there was nothing to write down.
    form: Option<Bytes>,
    /// Where it ends in the sound.
    through: u64,
    /// Whether the caller had stopped.
    ended: bool,
}

impl Files {
    fn bytes(&self, ms: usize) -> usize {
        self.rate as usize * 2 * ms / 1_000
    }

    /// The utterance so far is one.
    fn cut(&mut self, ended: bool) -> Result<(), VoiceError> {
        self.loud += self.gate.take_loud();
        let spoken = std::mem::take(&mut self.loud) >= self.bytes(LEAST_LOUD_MS);
        let form = spoken.then(|| filled(&self.form, &self.sound, self.rate));
        self.sound.clear();
        if self.waiting.len() == MAX_WAITING {
            return Err(self
                .common
                .endpoint
                .error(LlmErrorKind::Timeout, "is slower than the caller speaks"));
        }
        self.waiting.push_back(Utterance { form, through: self.heard, ended });
        Ok(())
    }
}

impl Connection for Files {
    fn push(&mut self, input: SttInput) -> Result<(), VoiceError> {
        match input {
            SttInput::Audio(pcm) => {
                self.heard += pcm.len() as u64;
                let Self { gate, sound, .. } = self;
                gate.pass(pcm, |pcm| sound.extend_from_slice(&pcm));
                if self.sound.len() >= self.bytes(MAX_MS) {
                    self.cut(false)?;
                }
                Ok(())
            }
            SttInput::SpeechEnded => self.cut(true),
            SttInput::Expect(_) => Ok(()),
        }
    }

    fn is_clear(&self) -> bool {
        true
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, VoiceError>> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Poll::Ready(Ok(told));
            }
            let text = match &mut self.running {
                Some((running, _)) => Some(std::task::ready!(running.poll_unpin(context))?),
                None => None,
            };
            if let (Some(text), Some((_, utterance))) = (text, self.running.take()) {
                self.told_at = Instant::now();
                self.told.push_back(Told::Through(utterance.through));
                let text = text.trim().to_owned();
                if !text.is_empty() {
                    let words = SttEvent::Final { text, confidence: None, language: None };
                    self.told.push_back(Told::Event(words));
                }
                self.told.extend(utterance.ended.then_some(Told::Answered));
                continue;
            }
            let Some(mut next) = self.waiting.pop_front() else { return Poll::Pending };
            match next.form.take() {
                Some(form) => self.running = Some((transcribe(Arc::clone(&self.common), form).boxed(), next)),
                None => self.told.extend(next.ended.then_some(Told::Answered)),
            }
        }
    }

    fn told_at(&self) -> Instant {
        self.told_at
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

#[derive(Deserialize)]
struct Transcription {
    text: String,
}

async fn transcribe(common: Arc<Common>, form: Bytes) -> Result<String, VoiceError> {
    let endpoint = &common.endpoint;
    let mut request = Request::new(Method::POST, endpoint.http(&["audio", "transcriptions"]));
    request.headers.clone_from(&common.headers);
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={BOUNDARY}"));
    request.headers.extend(kind.ok().map(|kind| (CONTENT_TYPE, kind)));
    request.body = Some(form);
    request.timeout = endpoint.patience.first;
    request.max_bytes = MAX_ANSWER;
    let answer = endpoint.client.send(request).await.map_err(|e| endpoint.network(&e))?;
    if !(200..300).contains(&answer.status) {
        let said = serde_json::from_slice(&answer.body).ok().and_then(|json| error_message(&json));
        let message = format!("{} ({})", said.as_deref().unwrap_or("did not write it down"), answer.status);
        return Err(endpoint.error(kind_of_status(answer.status), &message));
    }
    match serde_json::from_slice::<Transcription>(&answer.body) {
        Ok(transcription) => Ok(transcription.text),
        Err(_) => Err(endpoint.error(LlmErrorKind::BadAnswer, "the answer is not a transcription")),
    }
}

/// The parts of the form before the sound (RFC 7578).
fn form(common: &Common, start: &SttStart) -> Bytes {
    let field = |name: &str, value: &str| {
        format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut form = field("model", &common.model) + &field("response_format", "json");
    if let Some(language) = common.language(start) {
        form += &field("language", &language);
    }
    if let Some(prompt) = common.prompt(start) {
        form += &field("prompt", &prompt);
    }
    form += "--";
    form += BOUNDARY;
    form += "\r\ncontent-disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\n";
    form += "content-type: audio/wav\r\n\r\n";
    form.into()
}

/// What stands before the sound in a WAV file: PCM, one channel.
pub(crate) fn wav_head(rate: u32, length: u32) -> Bytes {
    let mut head = BytesMut::with_capacity(44);
    head.put_slice(b"RIFF");
    head.put_u32_le(length.saturating_add(36));
    head.put_slice(b"WAVEfmt ");
    head.put_u32_le(16);
    head.put_u16_le(1);
    head.put_u16_le(1);
    head.put_u32_le(rate);
    head.put_u32_le(rate * 2);
    head.put_u16_le(2);
    head.put_u16_le(16);
    head.put_slice(b"data");
    head.put_u32_le(length);
    head.freeze()
}

/// The form with the sound in it, as a WAV file.
fn filled(form: &[u8], sound: &[u8], rate: u32) -> Bytes {
    let length = u32::try_from(sound.len()).unwrap_or(u32::MAX);
    let mut body = BytesMut::with_capacity(form.len() + sound.len() + 128);
    body.put_slice(form);
    body.put_slice(&wav_head(rate, length));
    body.put_slice(sound);
    body.put_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body.freeze()
}

#[cfg(test)]
mod tests;
