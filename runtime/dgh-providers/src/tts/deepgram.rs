//! Aura voices of Deepgram over their socket. It has one stream of sound and no names for requests:
//! they are told apart by their order.
//! <https://developers.deepgram.com/docs/streaming-text-to-speech>

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dgh_engine::reply::Model;
use dgh_net::header::AUTHORIZATION;
use dgh_net::socket::Message;
use dgh_net::{Client, Secrets, Socket};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::settings::Settings;
use crate::tts::socket::{self, Problem, Protocol, Said};
use crate::tts::{Tts, TtsSession, TtsStart, nearest};
use crate::voice::VoiceError;
use crate::voice::endpoint::{Endpoint, setup};
use crate::wire::at;

/// Rates of raw sound.
const RATES: &[u32] = &[8_000, 16_000, 24_000, 48_000];
/// Flushes that a connection takes in a minute. A sentence is one; a connection that has had them is
/// replaced. <https://developers.deepgram.com/docs/tts-ws-flush>
const MAX_FLUSHES: usize = 20;
/// The time over which they are counted.
const FLUSH_WINDOW: Duration = Duration::from_mins(1);

/// A voice of Deepgram.
pub(crate) struct Deepgram {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    voice: String,
}

impl Deepgram {
    /// Settings: `voice`, `url`.
    pub(crate) fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, VoiceError> {
        let endpoint = Endpoint::new(model, client, secrets)?;
        let voice = Settings::of(model).required("voice").map_err(|e| setup(model, &e))?;
        Ok(Self { shared: Arc::new(Shared { endpoint, voice }) })
    }
}

impl Tts for Deepgram {
    fn provider(&self) -> &str {
        &self.shared.endpoint.provider
    }

    fn rates(&self) -> &[u32] {
        RATES
    }

    fn open(&self, start: TtsStart) -> TtsSession {
        let rate = nearest(RATES, start.rate);
        let shared = Arc::clone(&self.shared);
        let wire =
            Wire { shared, rate, asked: VecDeque::new(), flushes: VecDeque::new(), clearing: 0, stale: 0 };
        socket::open(wire, rate, start.language)
    }
}

struct Wire {
    shared: Arc<Shared>,
    rate: u32,
    asked: VecDeque<Asked>,
    /// When this connection was told to flush.
    flushes: VecDeque<Instant>,
    /// Clears that were not confirmed: what comes until then is of before.
    clearing: usize,
    /// Flushes of before a clear that may still be confirmed.
    stale: usize,
}

struct Asked {
    id: u32,
    wanted: bool,
    sounded: bool,
}

impl Protocol for Wire {
    fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    async fn connect(&mut self, _language: &str) -> Result<Socket, VoiceError> {
        self.asked.clear();
        self.flushes.clear();
        (self.clearing, self.stale) = (0, 0);
        let endpoint = &self.shared.endpoint;
        let mut url = endpoint.ws(&[]);
        let rate = self.rate.to_string();
        let query = [("model", self.shared.voice.as_str()), ("encoding", "linear16"), ("sample_rate", &rate)];
        url.query_pairs_mut().extend_pairs(query);
        endpoint.socket(url, endpoint.key_header(AUTHORIZATION, "Token ")?).await
    }

    fn is_worn(&self, _language: &str) -> bool {
        self.flushes.len() >= MAX_FLUSHES
            && self.flushes.front().is_some_and(|at| at.elapsed() < FLUSH_WINDOW)
    }

    fn speak(&mut self, id: u32, text: &str, _language: &str, out: &mut Vec<Message>) {
        self.flushes.push_back(Instant::now());
        if self.flushes.len() > MAX_FLUSHES {
            self.flushes.pop_front();
        }
        self.asked.push_back(Asked { id, wanted: true, sounded: false });
        out.push(Message::text(json!({ "type": "Speak", "text": text }).to_string()));
        out.push(Message::text(json!({ "type": "Flush" }).to_string()));
    }

    fn cancel(&mut self, id: u32, out: &mut Vec<Message>) -> bool {
        if self.asked.front().is_some_and(|front| front.id == id) {
            self.stale += self.asked.len();
            self.clearing += 1;
            self.asked.clear();
            out.push(Message::text(json!({ "type": "Clear" }).to_string()));
            return true;
        }
        // To clear would cut what sounds before it.
        self.asked.iter_mut().filter(|asked| asked.id == id).for_each(|asked| asked.wanted = false);
        false
    }

    fn read(&mut self, message: &Message, said: &mut Vec<Said>) -> Result<(), Problem> {
        let text = match message {
            Message::Binary(sound) => {
                self.sound(sound, said);
                return Ok(());
            }
            Message::Text(text) => text,
            _ => return Err(Problem::garbage()),
        };
        let message: Json = serde_json::from_str(text).map_err(|_| Problem::garbage())?;
        match at(&message, "/type").as_str().ok_or_else(Problem::garbage)? {
            "Flushed" if self.clearing > 0 => self.stale = self.stale.saturating_sub(1),
            // A sentence without a sound is not over: this is one that was cleared.
            "Flushed" if self.stale > 0 && self.asked.front().is_some_and(|front| !front.sounded) => {
                self.stale -= 1;
            }
            "Flushed" => {
                let done = self.asked.pop_front().filter(|asked| asked.wanted);
                said.extend(done.map(|asked| Said::Done(asked.id)));
            }
            "Cleared" => self.clearing = self.clearing.saturating_sub(1),
            "Error" => {
                let text =
                    ["/description", "/err_msg", "/message"].iter().find_map(|p| at(&message, p).as_str());
                let code = at(&message, "/code").as_str().or_else(|| at(&message, "/err_code").as_str());
                let kind = if code.is_some_and(|code| code.starts_with("DATA")) {
                    LlmErrorKind::Rejected
                } else {
                    LlmErrorKind::Unavailable
                };
                return Err(Problem::new(kind, text.unwrap_or("reports an error")));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Wire {
    fn sound(&mut self, sound: &Bytes, said: &mut Vec<Said>) {
        if self.clearing > 0 {
            return;
        }
        if let Some(front) = self.asked.front_mut() {
            front.sounded = true;
            said.extend(front.wanted.then(|| Said::Sound(front.id, sound.clone())));
        }
    }
}

#[cfg(test)]
mod tests;
