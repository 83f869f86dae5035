//! What the three APIs have in common: one POST, an event stream back, errors by status. What the
//! events mean is each one's own: see [`Protocol`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_net::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use dgh_net::{Client, Incoming, Method, NetError, NetErrorKind, Request};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use url::Url;

use crate::llm::{Delta, LlmError, LlmErrorKind};
use crate::sse::{Decoder, Frame};

/// Bytes of a whole answer that are read.
pub(crate) const MAX_STREAM_BYTES: usize = 8 << 20;
/// Bytes of an error that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// Letters of a provider's error message that are kept.
const MAX_ERROR_LETTERS: usize = 300;
/// Time to the headers of an answer. Shorter limits are set by who asks: see [`crate::ask`].
const HEADERS_TIMEOUT: Duration = Duration::from_mins(1);

/// What the events of an API mean. One value reads one answer.
pub(crate) trait Protocol: Send + 'static {
    /// Takes an event and adds what it says.
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Delta>) -> Result<(), LlmError>;
    /// Whether the answer is complete; no further event is read then.
    fn is_over(&self) -> bool;
    /// The stream has ended. Adds what was held back; an error when the answer is not complete.
    fn end(&mut self, out: &mut VecDeque<Delta>) -> Result<(), LlmError>;
}

/// An API that can be asked: where, and with which credentials.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Name of the provider, for messages.
    pub(crate) provider: String,
    /// The guarded client.
    pub(crate) client: Client,
    /// Address.
    pub(crate) url: Url,
    /// Headers without secrets.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The header of the key, what stands before the key in it, and the key.
    pub(crate) key: Option<(HeaderName, &'static str, SecretString)>,
}

impl Endpoint {
    /// Posts a body and reads the answer.
    pub(crate) fn ask<P: Protocol>(
        &self,
        body: &Json,
        protocol: P,
    ) -> BoxStream<'static, Result<Delta, LlmError>> {
        let start =
            Asking::Start { endpoint: Arc::new(self.clone()), body: body.to_string().into(), protocol };
        stream::unfold(start, |mut state| async move {
            loop {
                state = match state {
                    Asking::Start { endpoint, body, protocol } => match endpoint.open(body).await {
                        Ok(incoming) => Asking::Reading(Box::new(Reading {
                            endpoint,
                            incoming,
                            decoder: Decoder::default(),
                            protocol,
                            ready: VecDeque::new(),
                        })),
                        Err(error) => return Some((Err(error), Asking::Over)),
                    },
                    Asking::Reading(mut reading) => {
                        if let Some(delta) = reading.ready.pop_front() {
                            return Some((Ok(delta), Asking::Reading(reading)));
                        }
                        match reading.read().await {
                            Ok(true) => Asking::Reading(reading),
                            Ok(false) if reading.ready.is_empty() => Asking::Over,
                            Ok(false) => Asking::Emptying(reading.ready, None),
                            // What came before the error is handed on before it.
                            Err(error) => Asking::Emptying(reading.ready, Some(error)),
                        }
                    }
                    Asking::Emptying(mut ready, error) => match ready.pop_front() {
                        Some(delta) => return Some((Ok(delta), Asking::Emptying(ready, error))),
                        None => match error {
                            Some(error) => return Some((Err(error), Asking::Over)),
                            None => Asking::Over,
                        },
                    },
                    Asking::Over => return None,
                };
            }
        })
        .boxed()
    }

    async fn open(&self, body: Bytes) -> Result<Incoming, LlmError> {
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers = self.headers()?;
        request.body = Some(body);
        request.timeout = HEADERS_TIMEOUT;
        request.max_bytes = MAX_STREAM_BYTES;
        let mut incoming = self.client.open(request).await.map_err(|e| self.network(e))?;
        if (200..300).contains(&incoming.status) {
            return Ok(incoming);
        }
        let error = incoming.status_error();
        let mut text = Vec::new();
        while text.len() < MAX_ERROR_BYTES {
            match incoming.chunk().await {
                Ok(Some(chunk)) => text.extend_from_slice(&chunk),
                _ => break,
            }
        }
        let said = serde_json::from_slice::<Json>(&text).ok().and_then(|json| error_message(&json));
        Err(LlmError {
            retry_after: error.retry_after,
            ..self.error(
                kind_of_status(incoming.status),
                &match said {
                    Some(said) => format!("{} ({})", said, incoming.status),
                    None => error.message,
                },
            )
        })
    }

    fn headers(&self) -> Result<HeaderMap, LlmError> {
        let mut headers: HeaderMap = self.headers.iter().cloned().collect();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some((name, before, key)) = &self.key {
            let value = HeaderValue::from_str(&format!("{before}{}", key.expose_secret().trim()));
            let mut value = value
                .map_err(|_| self.error(LlmErrorKind::Setup, "the key has characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        Ok(headers)
    }

    fn network(&self, error: NetError) -> LlmError {
        let kind = match error.kind {
            NetErrorKind::Timeout => LlmErrorKind::Timeout,
            NetErrorKind::Network => LlmErrorKind::Network,
            NetErrorKind::TooLarge => LlmErrorKind::TooLarge,
            NetErrorKind::BadAnswer => LlmErrorKind::BadAnswer,
            NetErrorKind::Status => error.status.map_or(LlmErrorKind::Unavailable, kind_of_status),
            NetErrorKind::Refused | NetErrorKind::Setup => LlmErrorKind::Setup,
        };
        self.error(kind, &error.message)
    }

    /// An error with the provider's name, from which the key is struck if it was repeated.
    fn error(&self, kind: LlmErrorKind, message: &str) -> LlmError {
        let mut message: String =
            message.chars().filter(|c| !c.is_control()).take(MAX_ERROR_LETTERS).collect();
        if let Some((_, _, key)) = &self.key {
            let key = key.expose_secret().trim();
            if !key.is_empty() {
                message = message.replace(key, "[key]");
            }
        }
        LlmError::new(kind, format!("{}: {message}", self.provider))
    }
}

enum Asking<P> {
    Start { endpoint: Arc<Endpoint>, body: Bytes, protocol: P },
    Reading(Box<Reading<P>>),
    Emptying(VecDeque<Delta>, Option<LlmError>),
    Over,
}

struct Reading<P> {
    endpoint: Arc<Endpoint>,
    incoming: Incoming,
    decoder: Decoder,
    protocol: P,
    ready: VecDeque<Delta>,
}

impl<P: Protocol> Reading<P> {
    /// Reads one piece. Whether there may be more.
    async fn read(&mut self) -> Result<bool, LlmError> {
        let Some(piece) = self.incoming.chunk().await.map_err(|e| self.endpoint.network(e))? else {
            self.finish()?;
            return Ok(false);
        };
        let frames = self.decoder.push(&piece).map_err(|_| {
            self.endpoint.error(LlmErrorKind::TooLarge, "one event of the answer is too long")
        })?;
        for frame in frames {
            self.protocol.frame(&frame, &mut self.ready).map_err(|e| self.named(e))?;
            if self.protocol.is_over() {
                self.finish()?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finish(&mut self) -> Result<(), LlmError> {
        let end = self.protocol.end(&mut self.ready);
        end.map_err(|e| self.named(e))
    }

    fn named(&self, error: LlmError) -> LlmError {
        LlmError { retry_after: error.retry_after, ..self.endpoint.error(error.kind, &error.message) }
    }
}

/// The data of an event as JSON.
pub(crate) fn json(frame: &Frame) -> Result<Json, LlmError> {
    serde_json::from_str(&frame.data)
        .map_err(|_| LlmError::new(LlmErrorKind::BadAnswer, "an event of the answer is not JSON"))
}

/// The value at a place (RFC 6901); null when there is none.
pub(crate) fn at<'a>(json: &'a Json, pointer: &str) -> &'a Json {
    static NOTHING: Json = Json::Null;
    json.pointer(pointer).unwrap_or(&NOTHING)
}

/// The answer stopped before it was complete.
pub(crate) fn cut_off() -> LlmError {
    LlmError::new(LlmErrorKind::Network, "the answer was cut off")
}

/// The arguments of a call: an object, or nothing at all for none.
pub(crate) fn arguments(name: &str, text: &str) -> Result<Json, LlmError> {
    if text.trim().is_empty() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(arguments @ Json::Object(_)) => Ok(arguments),
        _ => Err(LlmError::new(
            LlmErrorKind::BadAnswer,
            format!("the arguments of `{name}` are not a JSON object"),
        )),
    }
}

/// What `{"error": …}` says, in all the forms that servers give it.
pub(crate) fn error_message(json: &Json) -> Option<String> {
    let json = json.as_array().and_then(|list| list.first()).unwrap_or(json);
    let error = json.get("error").unwrap_or(json);
    let message = error.get("message").or_else(|| error.get("detail")).unwrap_or(error);
    message.as_str().map(str::to_owned)
}

/// What an error in the middle of a stream is: providers name it by a status or by a word.
pub(crate) fn streamed_error(error: &Json) -> LlmError {
    let message = error_message(error).unwrap_or_else(|| "the provider reports an error".to_owned());
    let status = error.get("code").and_then(|c| c.as_u64().or_else(|| c.as_str()?.parse().ok()));
    let word = ["type", "code", "status"].iter().find_map(|k| error.get(k)?.as_str()).unwrap_or_default();
    let kind = match (status, word) {
        (Some(status), _) => kind_of_status(u16::try_from(status).unwrap_or(500)),
        (_, "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "RESOURCE_EXHAUSTED") => {
            LlmErrorKind::RateLimited
        }
        (_, "authentication_error" | "permission_error" | "invalid_api_key") => LlmErrorKind::Auth,
        (_, "invalid_request_error" | "not_found_error" | "INVALID_ARGUMENT") => LlmErrorKind::Rejected,
        _ => LlmErrorKind::Unavailable,
    };
    LlmError::new(kind, message)
}

/// What a status that is not success means.
pub(crate) fn kind_of_status(status: u16) -> LlmErrorKind {
    match status {
        401 | 403 => LlmErrorKind::Auth,
        402 | 429 => LlmErrorKind::RateLimited,
        408 | 425 | 500..=599 => LlmErrorKind::Unavailable,
        300..=399 => LlmErrorKind::Setup,
        _ => LlmErrorKind::Rejected,
    }
}
