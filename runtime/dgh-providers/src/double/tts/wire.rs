//! What the four protocols look like from the server's side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dgh_net::socket::Message;
use serde_json::{Value as Json, json};
use url::Url;

use crate::double::tts::speak::Timed;
use crate::wire::at;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Cartesia,
    ElevenLabs,
    Deepgram,
    Rime,
}

/// One connection: its protocol, and what was said but not yet asked for.
pub(super) struct Wire {
    api: Api,
    rate: u32,
    buffer: String,
    context: String,
    sequence: u32,
}

/// What a message means.
pub(super) enum Heard {
    Speak {
        context: String,
        text: String,
    },
    /// Of one context, or of all.
    Cancel(Option<String>),
    Answer(Json),
}

/// Speaks for one context.
#[derive(Clone)]
pub(super) struct Voice {
    api: Api,
    pub(super) rate: u32,
    context: String,
    sequence: u32,
}

impl Wire {
    pub(super) fn of(target: &str) -> Option<Self> {
        let url = Url::parse("ws://host").ok()?.join(target).ok()?;
        let path = url.path();
        let api = if path.ends_with("/tts/websocket") {
            Api::Cartesia
        } else if path.ends_with("/multi-stream-input") {
            Api::ElevenLabs
        } else if path.ends_with("/speak") {
            Api::Deepgram
        } else if path.ends_with("/ws3") {
            Api::Rime
        } else {
            return None;
        };
        let query = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let rate = query("sample_rate").or_else(|| query("samplingRate")).or_else(|| {
            query("output_format").and_then(|format| Some(format.strip_prefix("pcm_")?.to_owned()))
        });
        let rate = rate.and_then(|rate| rate.parse().ok()).unwrap_or(24_000);
        Some(Self { api, rate, buffer: String::new(), context: String::new(), sequence: 0 })
    }

    pub(super) fn is_parallel(&self) -> bool {
        matches!(self.api, Api::Cartesia | Api::ElevenLabs)
    }

    pub(super) fn voice(&self, context: String) -> Voice {
        let (context, rate) = match context.split_once('@') {
            Some((context, rate)) => (context.to_owned(), rate.parse().unwrap_or(self.rate)),
            None => (context, self.rate),
        };
        Voice { api: self.api, rate, context, sequence: self.sequence }
    }

    pub(super) fn hear(&mut self, json: &Json) -> Vec<Heard> {
        let text = |place: &str| at(json, place).as_str().map(str::to_owned);
        let is = |place: &str| at(json, place).as_bool() == Some(true);
        match self.api {
            Api::Cartesia => {
                let context = text("/context_id").unwrap_or_default();
                if is("/cancel") {
                    return vec![Heard::Cancel(Some(context))];
                }
                if let Some(rate) = at(json, "/output_format/sample_rate").as_u64() {
                    self.rate = u32::try_from(rate).unwrap_or(self.rate);
                }
                vec![Heard::Speak { context, text: text("/transcript").unwrap_or_default() }]
            }
            Api::ElevenLabs => {
                let context = text("/context_id").unwrap_or_default();
                if context != self.context {
                    self.buffer.clear();
                    self.context = context.clone();
                }
                self.buffer.push_str(&text("/text").unwrap_or_default());
                let speak = is("/flush") && !self.buffer.trim().is_empty();
                let text =
                    if speak { std::mem::take(&mut self.buffer).trim().to_owned() } else { String::new() };
                speak.then_some(Heard::Speak { context, text }).into_iter().collect()
            }
            Api::Deepgram => match text("/type").as_deref() {
                Some("Speak") => {
                    self.buffer.push_str(&text("/text").unwrap_or_default());
                    Vec::new()
                }
                Some("Flush") => {
                    let text = std::mem::take(&mut self.buffer);
                    self.sequence += 1;
                    vec![Heard::Speak { context: self.sequence.to_string(), text }]
                }
                Some("Clear") => {
                    self.buffer.clear();
                    let answer = json!({ "type": "Cleared", "sequence_id": self.sequence });
                    vec![Heard::Cancel(None), Heard::Answer(answer)]
                }
                _ => Vec::new(),
            },
            Api::Rime => match text("/operation").as_deref() {
                Some("flush") => {
                    let text = std::mem::take(&mut self.buffer);
                    vec![Heard::Speak { context: self.context.clone(), text }]
                }
                Some("clear") => {
                    self.buffer.clear();
                    vec![Heard::Cancel(None)]
                }
                Some(_) => Vec::new(),
                None => {
                    self.buffer.push_str(&text("/text").unwrap_or_default());
                    self.context = text("/contextId").unwrap_or_default();
                    Vec::new()
                }
            },
        }
    }
}

impl Voice {
    pub(super) fn sound(&self, pcm: Bytes, from_ms: u32, words: &[Timed]) -> Vec<Message> {
        let data = || STANDARD.encode(&pcm);
        let times = || {
            let seconds = |ms: u32| f64::from(ms) / 1_000.0;
            let starts: Vec<f64> = words.iter().map(|(_, at)| seconds(*at)).collect();
            let ends: Vec<f64> = words.iter().map(|(_, at)| seconds(at + 1)).collect();
            let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            json!({ "words": words, "start": starts, "end": ends })
        };
        match self.api {
            Api::Deepgram => vec![Message::binary(pcm)],
            Api::Cartesia => {
                let mut out = vec![
                    json!({ "type": "chunk", "data": data(), "done": false, "status_code": 206, "step_time": 1.5, "context_id": self.context }),
                ];
                if !words.is_empty() {
                    out.push(json!({ "type": "timestamps", "done": false, "status_code": 206, "context_id": self.context, "word_timestamps": times() }));
                }
                texts(out)
            }
            Api::Rime => {
                let mut out = vec![json!({ "type": "chunk", "data": data(), "contextId": self.context })];
                if !words.is_empty() {
                    out.push(json!({ "type": "timestamps", "word_timestamps": times(), "contextId": self.context }));
                }
                texts(out)
            }
            Api::ElevenLabs => {
                let letters: Vec<(char, u32)> = words
                    .iter()
                    .flat_map(|(word, at)| {
                        word.chars().chain([' ']).map(move |c| (c, at.saturating_sub(from_ms)))
                    })
                    .collect();
                let alignment = if letters.is_empty() {
                    Json::Null
                } else {
                    json!({
                        "chars": letters.iter().map(|(c, _)| c.to_string()).collect::<Vec<_>>(),
                        "charStartTimesMs": letters.iter().map(|(_, at)| *at).collect::<Vec<_>>(),
                        "charDurationsMs": letters.iter().map(|_| 1).collect::<Vec<_>>(),
                    })
                };
                texts([
                    json!({ "audio": data(), "contextId": self.context, "alignment": alignment, "normalizedAlignment": alignment }),
                ])
            }
        }
    }

    pub(super) fn done(&self) -> Vec<Message> {
        texts([match self.api {
            Api::Cartesia => {
                json!({ "type": "done", "done": true, "status_code": 206, "context_id": self.context })
            }
            Api::ElevenLabs => json!({ "isFinal": true, "contextId": self.context }),
            Api::Deepgram => json!({ "type": "Flushed", "sequence_id": self.sequence }),
            Api::Rime => json!({ "type": "done", "contextId": self.context }),
        }])
    }

    pub(super) fn error(&self, message: &str) -> Vec<Message> {
        texts([match self.api {
            Api::Cartesia => {
                json!({ "type": "error", "done": true, "title": "Bad request", "message": message, "error_code": "bad", "status_code": 400, "context_id": self.context })
            }
            Api::ElevenLabs => {
                json!({ "message": message, "error": "bad", "code": 1008, "contextId": self.context })
            }
            Api::Deepgram => json!({ "type": "Error", "description": message, "code": "DATA-0000" }),
            Api::Rime => json!({ "type": "error", "message": message }),
        }])
    }
}

fn texts(messages: impl IntoIterator<Item = Json>) -> Vec<Message> {
    messages.into_iter().map(|json| Message::text(json.to_string())).collect()
}
