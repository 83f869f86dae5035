//! The realtime API of OpenAI as a server speaks it: it listens with a detector of its own, refuses
//! what the real one refuses, and answers by a script, piece by piece and when it is time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_net::socket::Message;
use dgh_net::testing::{Handshake, ServerSocket, SocketServer, Welcome};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::lock;
use crate::wire::at;

/// Milliseconds of sound of a letter.
pub const LETTER_MS: u64 = 60;
/// Milliseconds of sound in a piece.
pub const PIECE_MS: u64 = 200;
/// Milliseconds of loudness that begin a turn.
const ONSET_MS: u64 = 60;
/// Mean of the samples above which it is loud.
const LOUD: u64 = 500;

/// What the server does, and when.
#[derive(Debug, Clone)]
pub struct RealtimeScript {
    /// Answers, one for each response that is asked for. Then it says "All right.".
    pub answers: VecDeque<Vec<Does>>,
    /// What it writes down of the caller's turns; none: it fails to. Then it writes "Hello.".
    pub hears: VecDeque<Option<String>>,
    /// What is answered to a handshake.
    pub welcome: Welcome,
    /// Whether it accepts a session.
    pub accepts: bool,
    /// From the session's wish to its acceptance.
    pub ready: Duration,
    /// From the end of a turn to its words.
    pub written: Duration,
    /// From the wish for a response to its first piece.
    pub first: Duration,
    /// Between pieces.
    pub piece: Duration,
}

impl Default for RealtimeScript {
    fn default() -> Self {
        Self {
            answers: VecDeque::new(),
            hears: VecDeque::new(),
            welcome: Welcome::Open,
            accepts: true,
            ready: Duration::ZERO,
            written: Duration::ZERO,
            first: Duration::ZERO,
            piece: Duration::ZERO,
        }
    }
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Does {
    /// Speaks: a tone, [`LETTER_MS`] for each letter.
    Say(String),
    /// Calls a function with these arguments, as text.
    Call(String, String),
    /// Says nothing more.
    Stall,
    /// Sends this, whatever it is.
    Raw(String),
    /// Cuts the connection without a word.
    Drop,
    /// Ends the response as failed: type, code, message.
    Fail(&'static str, &'static str, &'static str),
    /// Refuses the wish for a response, with an error event: type, code, message. The first part, alone.
    Refuse(&'static str, &'static str, &'static str),
}

/// A server of this kind.
pub struct RealtimeServer {
    server: SocketServer,
    seen: Arc<Mutex<Vec<Json>>>,
}

impl RealtimeServer {
    /// Starts a server. Every connection follows the script anew, but for the answers and words that
    /// were used up.
    pub async fn start(script: RealtimeScript) -> Self {
        let seen = Arc::<Mutex<Vec<Json>>>::default();
        let messages = Arc::clone(&seen);
        let welcome = script.welcome;
        let script = Arc::new(Mutex::new(script));
        let serve = move |_: Handshake, socket: ServerSocket| {
            let talk = Talk::new(Arc::clone(&script), Arc::clone(&messages));
            talk.serve(socket)
        };
        Self { server: SocketServer::start(move |_| welcome, serve).await, seen }
    }

    /// `ws://127.0.0.1:PORT` with a path behind it.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The handshakes so far.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.server.handshakes()
    }

    /// What clients sent, but for sound.
    pub fn received(&self) -> Vec<Json> {
        lock(&self.seen).iter().filter(|m| at(m, "/type") != "input_audio_buffer.append").cloned().collect()
    }

    /// What clients sent of one type.
    pub fn received_of(&self, kind: &str) -> Vec<Json> {
        lock(&self.seen).iter().filter(|m| at(m, "/type") == kind).cloned().collect()
    }
}

/// One connection.
struct Talk {
    script: Arc<Mutex<RealtimeScript>>,
    seen: Arc<Mutex<Vec<Json>>>,
    /// What will be done, in the order of time.
    plan: BTreeMap<(Instant, u64), Act>,
    planned: u64,
    session: Json,
    response: Option<Response>,
    items: Vec<(String, u64)>,
    /// Calls that wait for an answer.
    calls: Vec<String>,
    detector: Detector,
}

struct Response {
    id: String,
    metadata: Json,
}

enum Act {
    Send(Json),
    /// Of the response that runs: dropped when it is cancelled.
    Piece(Json),
    Raw(String),
    Drop,
    /// The response ends so.
    End(Json),
}

#[derive(Default)]
struct Detector {
    loud_ms: u64,
    quiet_ms: u64,
    speaking: bool,
}

impl Talk {
    fn new(script: Arc<Mutex<RealtimeScript>>, seen: Arc<Mutex<Vec<Json>>>) -> Self {
        Self {
            script,
            seen,
            plan: BTreeMap::new(),
            planned: 0,
            session: Json::Null,
            response: None,
            items: Vec::new(),
            calls: Vec::new(),
            detector: Detector::default(),
        }
    }

    async fn serve(mut self, mut socket: ServerSocket) {
        self.after(
            Duration::ZERO,
            Act::Send(json!({ "type": "session.created", "session": { "type": "realtime" } })),
        );
        loop {
            let due = self.plan.keys().next().map(|(at, _)| *at);
            let waiting = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = socket.next() => {
                    let Some(Ok(message)) = message else { return };
                    let Message::Text(text) = message else { continue };
                    let message = serde_json::from_str(&text).unwrap_or(Json::Null);
                    self.told(&message);
                    lock(&self.seen).push(message);
                }
                () = waiting => {
                    let Some((_, act)) = self.plan.pop_first() else { continue };
                    let text = match act {
                        Act::Send(event) => event.to_string(),
                        Act::Piece(event) => {
                            self.calls.extend(at(&event, "/call_id").as_str().map(str::to_owned));
                            event.to_string()
                        }
                        Act::Raw(text) => text,
                        Act::Drop => return,
                        Act::End(event) => {
                            self.response = None;
                            event.to_string()
                        }
                    };
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn told(&mut self, message: &Json) {
        match at(message, "/type").as_str().unwrap_or_default() {
            "session.update" => self.update(message),
            "input_audio_buffer.append" => self.hear(message),
            "response.create" => self.create(message),
            "response.cancel" => self.cancel(message),
            "conversation.item.create" => self.item(message),
            "conversation.item.truncate" => self.truncate(message),
            "conversation.item.delete" => self.delete(message),
            other => self.refuse(
                message,
                "invalid_request_error",
                "invalid_value",
                &format!("Invalid value: '{other}'."),
            ),
        }
    }

    fn update(&mut self, message: &Json) {
        if at(message, "/session/type") != "realtime" {
            return self.refuse(
                message,
                "invalid_request_error",
                "missing_required_parameter",
                "Missing required parameter: 'session.type'.",
            );
        }
        if self.session.is_null() {
            self.session = at(message, "/session").clone();
        } else {
            let update = at(message, "/session").as_object().cloned().unwrap_or_default();
            if let Json::Object(session) = &mut self.session {
                session.extend(update);
            }
        }
        let (accepts, ready) = {
            let script = lock(&self.script);
            (script.accepts, script.ready)
        };
        if accepts {
            let session = self.session.clone();
            self.after(ready, Act::Send(json!({ "type": "session.updated", "session": session })));
        }
    }

    fn hear(&mut self, message: &Json) {
        let Ok(bytes) = STANDARD.decode(at(message, "/audio").as_str().unwrap_or("*")) else {
            return self.refuse(
                message,
                "invalid_request_error",
                "invalid_value",
                "Invalid 'audio'. Expected base64-encoded audio bytes.",
            );
        };
        let samples: Vec<i16> = if self.is_ulaw("/audio/input/format/type") {
            bytes.iter().map(|byte| decode_ulaw(*byte)).collect()
        } else {
            bytes.as_chunks::<2>().0.iter().map(|s| i16::from_le_bytes(*s)).collect()
        };
        let per_ms = if self.is_ulaw("/audio/input/format/type") { 8 } else { 24 };
        let ms = samples.len() as u64 / per_ms;
        let sum: u64 = samples.iter().map(|s| u64::from(s.unsigned_abs())).sum();
        let loud = sum / (samples.len() as u64).max(1) > LOUD;
        let pause =
            at(&self.session, "/audio/input/turn_detection/silence_duration_ms").as_u64().unwrap_or(500);
        let heard = &mut self.detector;
        if loud {
            heard.loud_ms += ms;
            heard.quiet_ms = 0;
        } else {
            heard.quiet_ms += ms;
            heard.loud_ms = if heard.speaking { heard.loud_ms } else { 0 };
        }
        if !heard.speaking && heard.loud_ms >= ONSET_MS {
            heard.speaking = true;
            let event = json!({ "type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_caller" });
            self.after(Duration::ZERO, Act::Send(event));
        } else if heard.speaking && heard.quiet_ms >= pause {
            self.detector = Detector::default();
            self.turn();
        }
    }

    /// The caller's turn is over: it is written down.
    fn turn(&mut self) {
        let (words, written) = {
            let mut script = lock(&self.script);
            (script.hears.pop_front().unwrap_or_else(|| Some("Hello.".into())), script.written)
        };
        for kind in ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed"] {
            self.after(Duration::ZERO, Act::Send(json!({ "type": kind, "item_id": "item_caller" })));
        }
        let event = match words {
            Some(words) => json!({
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": "item_caller", "content_index": 0, "transcript": words,
            }),
            None => json!({
                "type": "conversation.item.input_audio_transcription.failed",
                "item_id": "item_caller", "content_index": 0,
                "error": { "type": "transcription_error", "message": "no" },
            }),
        };
        self.after(written, Act::Send(event));
    }

    fn create(&mut self, message: &Json) {
        if self.response.is_some() {
            return self.refuse(
                message,
                "invalid_request_error",
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress.",
            );
        }
        if let Some(call) = self.calls.first() {
            let text = format!("No tool output found for function call {call}.");
            return self.refuse(message, "invalid_request_error", "missing_output", &text);
        }
        let (answer, first, piece) = {
            let mut script = lock(&self.script);
            let answer = script.answers.pop_front().unwrap_or_else(|| vec![Does::Say("All right.".into())]);
            (answer, script.first, script.piece)
        };
        if let Some(Does::Refuse(kind, code, text)) = answer.first() {
            return self.refuse(message, kind, code, text);
        }
        self.planned += 1;
        let id = format!("resp_{}", self.planned);
        let metadata = at(message, "/response/metadata").clone();
        let response = json!({ "id": id, "status": "in_progress", "metadata": metadata });
        self.after(Duration::ZERO, Act::Send(json!({ "type": "response.created", "response": response })));
        self.response = Some(Response { id, metadata });
        let speaks = at(message, "/response/output_modalities/0") != "text";
        let mut when = first;
        for part in answer {
            let over = matches!(part, Does::Stall | Does::Drop | Does::Fail(..));
            self.part(part, speaks, &mut when, piece);
            if over {
                return;
            }
        }
        let done = self.done("completed", &Json::Null);
        self.after(when, Act::End(done));
    }

    fn part(&mut self, part: Does, speaks: bool, when: &mut Duration, piece: Duration) {
        let Some(response) = self.response.as_ref().map(|r| r.id.clone()) else { return };
        self.planned += 1;
        let item = format!("item_{}", self.planned);
        match part {
            Does::Say(text) => {
                let added = json!({
                    "type": "response.output_item.added", "response_id": response, "output_index": 0,
                    "item": { "id": item, "type": "message", "role": "assistant", "content": [] },
                });
                self.after(*when, Act::Piece(added));
                let letters = text.chars().count() as u64;
                self.items.push((item.clone(), if speaks { letters * LETTER_MS } else { 0 }));
                let mut left = letters * LETTER_MS;
                let mut words = text.split_inclusive(' ');
                let per_piece = PIECE_MS / LETTER_MS;
                while left > 0 {
                    // About as many letters as sound.
                    let mut told = String::new();
                    while told.chars().count() as u64 <= per_piece {
                        let Some(word) = words.next() else { break };
                        told.push_str(word);
                    }
                    if left <= PIECE_MS {
                        words.by_ref().for_each(|word| told.push_str(word));
                    }
                    let of = |kind: &str, delta: String| {
                        json!({
                            "type": kind, "response_id": response, "item_id": item,
                            "output_index": 0, "content_index": 0, "delta": delta,
                        })
                    };
                    let kind = if speaks {
                        "response.output_audio_transcript.delta"
                    } else {
                        "response.output_text.delta"
                    };
                    if !told.is_empty() {
                        self.after(*when, Act::Piece(of(kind, told)));
                    }
                    let ms = left.min(PIECE_MS);
                    if speaks {
                        self.after(*when, Act::Piece(of("response.output_audio.delta", self.tone(ms))));
                    }
                    *when += piece;
                    left -= ms;
                }
            }
            Does::Call(name, arguments) => {
                let call = format!("call_{}", self.planned);
                let added = json!({
                    "type": "response.output_item.added", "response_id": response, "output_index": 1,
                    "item": { "id": item, "type": "function_call", "name": name, "call_id": call, "arguments": "" },
                });
                self.after(*when, Act::Piece(added));
                let called = json!({
                    "type": "response.function_call_arguments.done", "response_id": response,
                    "item_id": item, "output_index": 1, "call_id": call, "name": name, "arguments": arguments,
                });
                self.after(*when, Act::Piece(called));
            }
            Does::Raw(text) => self.after(*when, Act::Raw(text)),
            Does::Drop => self.after(*when, Act::Drop),
            Does::Fail(kind, code, message) => {
                let details =
                    json!({ "type": "failed", "error": { "type": kind, "code": code, "message": message } });
                let done = self.done("failed", &details);
                self.after(*when, Act::End(done));
            }
            Does::Stall | Does::Refuse(..) => {}
        }
    }

    fn cancel(&mut self, message: &Json) {
        if self.response.is_none() {
            return self.refuse(
                message,
                "invalid_request_error",
                "response_cancel_not_active",
                "Cancellation failed: no active response found",
            );
        }
        self.plan.retain(|_, act| !matches!(act, Act::Piece(_) | Act::End(_)));
        let done = self.done("cancelled", &json!({ "type": "cancelled", "reason": "client_cancelled" }));
        self.after(Duration::ZERO, Act::Send(done));
        self.response = None;
    }

    fn item(&mut self, message: &Json) {
        let item = at(message, "/item");
        if at(item, "/type") == "function_call_output" {
            let call = at(item, "/call_id").as_str().unwrap_or_default().to_owned();
            let Some(known) = self.calls.iter().position(|c| *c == call) else {
                let text = format!("Tool call ID '{call}' not found in conversation.");
                return self.refuse(message, "invalid_request_error", "invalid_tool_call_id", &text);
            };
            self.calls.remove(known);
        }
        if let Some(id) = at(item, "/id").as_str() {
            if self.items.iter().any(|(known, _)| known == id) {
                let text = format!("Error adding item: an item with ID '{id}' already exists.");
                return self.refuse(message, "invalid_request_error", "item_create_duplicate_item_id", &text);
            }
            self.items.push((id.to_owned(), 0));
        }
        self.after(Duration::ZERO, Act::Send(json!({ "type": "conversation.item.added", "item": item })));
    }

    fn truncate(&mut self, message: &Json) {
        let id = at(message, "/item_id").as_str().unwrap_or_default();
        let wanted = at(message, "/audio_end_ms").as_u64().unwrap_or(u64::MAX);
        let Some((_, length)) = self.items.iter_mut().find(|(known, _)| known == id) else {
            return self.refuse(
                message,
                "invalid_request_error",
                "item_truncate_invalid_item_id",
                "There is no such item.",
            );
        };
        if wanted > *length {
            let text = format!("Audio content of {length}ms is already shorter than {wanted}ms");
            return self.refuse(message, "invalid_request_error", "invalid_value", &text);
        }
        *length = wanted;
        self.after(
            Duration::ZERO,
            Act::Send(json!({ "type": "conversation.item.truncated", "item_id": id })),
        );
    }

    fn delete(&mut self, message: &Json) {
        let id = at(message, "/item_id").as_str().unwrap_or_default();
        let Some(known) = self.items.iter().position(|(known, _)| known == id) else {
            return self.refuse(
                message,
                "invalid_request_error",
                "item_delete_invalid_item_id",
                "There is no such item.",
            );
        };
        self.items.remove(known);
        self.after(Duration::ZERO, Act::Send(json!({ "type": "conversation.item.deleted", "item_id": id })));
    }

    fn done(&self, status: &str, details: &Json) -> Json {
        let (id, metadata) =
            self.response.as_ref().map(|r| (r.id.clone(), r.metadata.clone())).unwrap_or_default();
        json!({
            "type": "response.done",
            "response": {
                "id": id, "status": status, "status_details": details, "metadata": metadata, "output": [],
                "usage": {
                    "total_tokens": 120, "input_tokens": 100, "output_tokens": 20,
                    "input_token_details": { "cached_tokens": 64 },
                },
            },
        })
    }

    fn refuse(&mut self, message: &Json, kind: &str, code: &str, text: &str) {
        let error = json!({
            "type": kind, "code": code, "message": text, "param": null, "event_id": at(message, "/event_id"),
        });
        self.after(
            Duration::ZERO,
            Act::Send(json!({ "type": "error", "event_id": "event_1", "error": error })),
        );
    }

    fn after(&mut self, delay: Duration, act: Act) {
        self.planned += 1;
        self.plan.insert((Instant::now() + delay, self.planned), act);
    }

    fn is_ulaw(&self, format: &str) -> bool {
        at(&self.session, format) == "audio/pcmu"
    }

    /// A tone of 500 Hz.
    fn tone(&self, ms: u64) -> String {
        let ulaw = self.is_ulaw("/audio/output/format/type");
        let rate = if ulaw { 8_000 } else { 24_000 };
        let half = rate / 1_000;
        let samples = (0..ms * rate / 1_000).map(|n| if (n / half) % 2 == 0 { 6_000_i16 } else { -6_000 });
        if ulaw {
            STANDARD.encode(samples.map(encode_ulaw).collect::<Vec<u8>>())
        } else {
            STANDARD.encode(samples.flat_map(i16::to_le_bytes).collect::<Vec<u8>>())
        }
    }
}
