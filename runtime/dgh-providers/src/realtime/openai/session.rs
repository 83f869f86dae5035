//! One session: what it is told becomes client events, server events become what it tells.
//! <https://platform.openai.com/docs/api-reference/realtime>
//!
//! One response runs at a time. The next one is asked for when the one before is over, so that
//! everything that comes belongs to the one that runs.
//!
//! The provider keeps what it has read, as long as it stays the same from the beginning: sound that
//! was kept costs a fraction. So the persona and the functions stand in the session, and the card is
//! the last item of the conversation, in place of the card before. What is read anew is what was said
//! since then.

use std::collections::VecDeque;
use std::sync::Arc;

use dgh_engine::event::{ReplyId, Usage};
use dgh_engine::reply::{Function, Message, Purpose, ReplyRequest};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::card;
use crate::llm::LlmErrorKind;
use crate::realtime::pump::{Dialect, Out};
use crate::realtime::sound::{Decoder, Format};
use crate::realtime::{RealtimeEvent, RealtimeInput};
use crate::voice::VoiceError;
use crate::voice::endpoint::Endpoint;
use crate::wire::{self, at};

/// Milliseconds of the caller's sound that go out at once: two frames, for half the messages.
const BATCH_MS: u64 = 40;
/// Messages that wait for the session to be ready: about ten seconds of sound.
const MAX_HELD: usize = 256;
/// How a message with sound begins.
const SOUND: &str = r#"{"type":"input_audio_buffer.append","audio":""#;
/// Responses that are over and may still be sounding.
const REMEMBERED: usize = 4;

/// A session.
pub(super) struct Session {
    endpoint: Arc<Endpoint>,
    format: Format,
    /// The session to ask for, and what was said before it.
    opening: Vec<String>,
    /// Messages for a session that is not ready yet; none: it is ready.
    held: Option<VecDeque<String>>,
    /// When it has to be ready.
    ready_by: Option<Instant>,
    /// The caller's sound that was not sent yet.
    sound: Vec<u8>,
    /// The persona and the functions that it knows.
    known: Option<(String, Arc<[Function]>)>,
    /// The item that is the card.
    card: Option<String>,
    cards: u32,
    running: Option<Running>,
    /// What is asked for when the running one is over.
    next: Option<Arc<ReplyRequest>>,
    over: VecDeque<(ReplyId, Vec<Item>)>,
    /// Calls of tools that have no answer yet.
    open_calls: Vec<String>,
    /// What the server complained of last; the reason when it closes.
    complaint: Option<VoiceError>,
}

/// The response that runs.
struct Running {
    reply: ReplyId,
    /// The server's name of it, when it is known.
    response: Option<String>,
    items: Vec<Item>,
    /// Names of functions by the item of the call.
    names: Vec<(String, String)>,
    decoder: Decoder,
    /// When the next piece has to be there.
    due: Instant,
    /// It is to be stopped; milliseconds that were heard.
    cut: Option<u32>,
    cancelled: bool,
    failure: Option<VoiceError>,
}

/// Words of a response and how much sound they have.
struct Item {
    id: String,
    pcm_bytes: u64,
}

impl Session {
    pub(super) fn new(endpoint: Arc<Endpoint>, format: Format, session: Json, history: &[Message]) -> Self {
        let update = json!({ "type": "session.update", "event_id": "session", "session": session });
        let opening =
            std::iter::once(update.to_string()).chain(history.iter().flat_map(past).map(create)).collect();
        Self {
            endpoint,
            format,
            opening,
            held: Some(VecDeque::new()),
            ready_by: None,
            sound: Vec::new(),
            known: None,
            card: None,
            cards: 0,
            running: None,
            next: None,
            over: VecDeque::new(),
            open_calls: Vec::new(),
            complaint: None,
        }
    }

    fn send(&mut self, message: String, out: &mut Out) {
        match &mut self.held {
            None => out.send.push(message),
            Some(held) => {
                // The oldest sound is given up, never what was asked for.
                if held.len() >= MAX_HELD
                    && let Some(sound) = held.iter().position(|message| message.starts_with(SOUND))
                {
                    held.remove(sound);
                }
                held.push_back(message);
            }
        }
    }

    fn audio(&mut self, pcm: &[u8], out: &mut Out) {
        self.sound.extend_from_slice(pcm);
        if self.format.millis(self.sound.len() as u64) < BATCH_MS {
            return;
        }
        let mut message = String::with_capacity(self.sound.len() * 4 / 3 + 64);
        message.push_str(SOUND);
        self.format.encode(&self.sound, &mut message);
        message.push_str("\"}");
        self.sound.clear();
        self.send(message, out);
    }

    fn respond(&mut self, request: Arc<ReplyRequest>, now: Instant, out: &mut Out) {
        if let Some(superseded) = self.next.take() {
            out.events.push(done(superseded.id, None, Usage::default()));
        }
        if let Some(running) = &mut self.running {
            // Nobody asks twice without having dropped the first: none of it counts.
            running.cut.get_or_insert(0);
            self.next = Some(request);
            return self.stop(out);
        }
        self.answer_calls(&request, out);
        self.instruct(&request, out);
        self.put_card(&request, out);
        self.send(create_response(&request), out);
        self.running = Some(Running {
            reply: request.id,
            response: None,
            items: Vec::new(),
            names: Vec::new(),
            decoder: Decoder::new(self.format),
            due: now + self.endpoint.patience.first,
            cut: None,
            cancelled: false,
            failure: None,
        });
    }

    /// Every call needs an answer before the model speaks again.
    fn answer_calls(&mut self, request: &ReplyRequest, out: &mut Out) {
        for id in std::mem::take(&mut self.open_calls) {
            let exchanges = request.history.iter().rev().filter_map(|message| match message {
                Message::Tools(exchanges) => Some(exchanges),
                _ => None,
            });
            let answer = exchanges.flatten().find(|exchange| exchange.id == id);
            let missing = || "It was not called: the conversation went on.".to_owned();
            let output = answer.map_or_else(missing, |exchange| text_of(&exchange.result));
            self.send(function_output(&id, &output), out);
        }
    }

    /// Tells what stays the same from answer to answer.
    fn instruct(&mut self, request: &ReplyRequest, out: &mut Out) {
        let known = self.known.as_ref().is_some_and(|(persona, functions)| {
            *persona == request.persona && **functions == *request.functions
        });
        if known {
            return;
        }
        let tools: Vec<_> = request.functions.iter().map(tool).collect();
        let session = json!({ "type": "realtime", "instructions": request.persona, "tools": tools });
        let update = json!({ "type": "session.update", "event_id": "tools", "session": session });
        self.send(update.to_string(), out);
        self.known = Some((request.persona.clone(), Arc::clone(&request.functions)));
    }

    /// Puts the card behind everything that was said, and takes the one before away.
    fn put_card(&mut self, request: &ReplyRequest, out: &mut Out) {
        self.cards += 1;
        let id = format!("card_{}", self.cards);
        if let Some(before) = self.card.replace(id.clone()) {
            self.send(delete(&before), out);
        }
        let mut item = message("system", "input_text", &card::text(request));
        if let Json::Object(item) = &mut item {
            item.insert("id".into(), id.into());
        }
        self.send(create(item), out);
    }

    /// Asks the server to stop the running response.
    fn stop(&mut self, out: &mut Out) {
        let Some(running) = &mut self.running else { return };
        if running.cancelled {
            return;
        }
        running.cancelled = true;
        let mut cancel = json!({ "type": "response.cancel", "event_id": "cancel" });
        if let (Some(response), Json::Object(cancel)) = (&running.response, &mut cancel) {
            cancel.insert("response_id".into(), response.as_str().into());
        }
        self.send(cancel.to_string(), out);
    }

    fn cut(&mut self, reply: ReplyId, heard_ms: u32, out: &mut Out) {
        if self.next.as_ref().is_some_and(|next| next.id == reply) {
            self.next = None;
            return out.events.push(done(reply, None, Usage::default()));
        }
        match &mut self.running {
            Some(running) if running.reply == reply => {
                running.cut = Some(heard_ms);
                self.stop(out);
            }
            _ => {
                let Some(at) = self.over.iter().position(|(over, _)| *over == reply) else { return };
                if let Some((_, items)) = self.over.remove(at) {
                    self.forget(&items, heard_ms, out);
                }
            }
        }
    }

    /// Takes back what was not heard.
    fn forget(&mut self, items: &[Item], heard_ms: u32, out: &mut Out) {
        let mut heard = u64::from(heard_ms);
        for item in items {
            let length = self.format.millis(item.pcm_bytes);
            let message = if heard == 0 {
                delete(&item.id)
            } else if heard < length {
                json!({
                    "type": "conversation.item.truncate", "event_id": "forget",
                    "item_id": item.id, "content_index": 0, "audio_end_ms": heard,
                })
                .to_string()
            } else {
                heard -= length;
                continue;
            };
            heard = 0;
            self.send(message, out);
        }
    }

    /// The running response, if this event is of it.
    fn running(&mut self, event: &Json, now: Instant) -> Option<&mut Running> {
        let next = self.endpoint.patience.next;
        let running = self.running.as_mut()?;
        let response = at(event, "/response_id").as_str();
        if running.response.is_some() && response.is_some() && running.response.as_deref() != response {
            return None;
        }
        running.due = now + next;
        Some(running)
    }

    fn created(&mut self, event: &Json, now: Instant) {
        let next = self.endpoint.patience.first;
        let Some(running) = &mut self.running else { return };
        let named = at(event, "/response/metadata/reply").as_str();
        // Servers that do not repeat the metadata have but this one.
        if named.is_some_and(|named| named != running.reply.0.to_string()) {
            return;
        }
        running.response = at(event, "/response/id").as_str().map(str::to_owned);
        running.due = now + next;
    }

    fn sound(&mut self, event: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        let Some(running) = self.running(event, now) else { return Ok(()) };
        let decoded = at(event, "/delta").as_str().and_then(|delta| running.decoder.decode(delta));
        let reply = running.reply;
        let muted = running.cut.is_some();
        let Some(pcm) = decoded else { return Err(self.garbage("sound that is not base64")) };
        let item = at(event, "/item_id").as_str().unwrap_or_default();
        if let Some(running) = &mut self.running {
            if running.items.last().is_none_or(|last| last.id != item) {
                running.items.push(Item { id: item.to_owned(), pcm_bytes: 0 });
            }
            if let Some(last) = running.items.last_mut() {
                last.pcm_bytes += pcm.len() as u64;
            }
        }
        if !muted && !pcm.is_empty() {
            out.events.push(RealtimeEvent::Audio { reply, pcm });
        }
        Ok(())
    }

    fn words(&mut self, event: &Json, now: Instant, out: &mut Out) {
        let Some(running) = self.running(event, now) else { return };
        let text = at(event, "/delta").as_str().unwrap_or_default();
        if running.cut.is_none() && !text.is_empty() {
            out.events.push(RealtimeEvent::Words { reply: running.reply, text: text.to_owned() });
        }
    }

    fn item_added(&mut self, event: &Json, now: Instant) {
        let Some(running) = self.running(event, now) else { return };
        let text = |pointer| at(event, pointer).as_str().unwrap_or_default().to_owned();
        if at(event, "/item/type") == "function_call" {
            running.names.push((text("/item/id"), text("/item/name")));
        }
    }

    fn call(&mut self, event: &Json, now: Instant, out: &mut Out) {
        let Some(running) = self.running(event, now) else { return };
        let item = at(event, "/item_id").as_str().unwrap_or_default();
        let named = running.names.iter().find(|(id, _)| id == item).map(|(_, name)| name.as_str());
        let name = at(event, "/name").as_str().or(named).unwrap_or_default().to_owned();
        let id = at(event, "/call_id").as_str().unwrap_or_default().to_owned();
        let arguments = wire::arguments(&name, at(event, "/arguments").as_str().unwrap_or_default());
        let (reply, muted) = (running.reply, running.cut.is_some());
        let problem = if name.is_empty() || id.is_empty() {
            Some("a function call has no name or no id".to_owned())
        } else {
            arguments.as_ref().err().map(|e| e.message.clone())
        };
        if let Some(problem) = problem {
            let error = self.endpoint.error(LlmErrorKind::BadAnswer, &problem);
            if let Some(running) = &mut self.running {
                running.failure.get_or_insert(error);
            }
        }
        if id.is_empty() {
            return;
        }
        match arguments {
            Ok(arguments) if !name.is_empty() && !muted => {
                if card::ENGINE_FUNCTIONS.contains(&name.as_str()) {
                    self.send(function_output(&id, "Noted."), out);
                } else {
                    self.open_calls.push(id.clone());
                }
                out.events.push(RealtimeEvent::Call { reply, id, name, arguments });
            }
            _ => self.send(function_output(&id, "It was not called."), out),
        }
    }

    fn response_done(&mut self, event: &Json, now: Instant, out: &mut Out) {
        let response = at(event, "/response");
        let Some(running) = &self.running else { return };
        let id = at(response, "/id").as_str();
        if running.response.is_some() && id.is_some() && running.response.as_deref() != id {
            return;
        }
        let failure = self.failure_of(response);
        self.finish(failure, usage(at(response, "/usage")), now, out);
    }

    /// The running response is over; the next one may begin.
    fn finish(&mut self, failure: Option<VoiceError>, usage: Usage, now: Instant, out: &mut Out) {
        let Some(running) = self.running.take() else { return };
        match running.cut {
            Some(heard_ms) => self.forget(&running.items, heard_ms, out),
            None => {
                self.over.push_back((running.reply, running.items));
                if self.over.len() > REMEMBERED {
                    self.over.pop_front();
                }
            }
        }
        let failure = running.failure.or(failure).filter(|_| running.cut.is_none());
        out.events.push(done(running.reply, failure, usage));
        if let Some(next) = self.next.take() {
            self.respond(next, now, out);
        }
    }

    fn failure_of(&self, response: &Json) -> Option<VoiceError> {
        let details = at(response, "/status_details");
        match (at(response, "/status").as_str(), at(details, "/reason").as_str()) {
            (Some("failed"), _) => {
                let error = wire::streamed_error(at(details, "/error"));
                Some(self.endpoint.error(error.kind, &error.message))
            }
            (Some("incomplete"), Some("content_filter")) => {
                Some(self.endpoint.error(LlmErrorKind::Blocked, "the provider's filter stopped the answer"))
            }
            _ => None,
        }
    }

    fn error(&mut self, event: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        let error = wire::streamed_error(at(event, "/error"));
        let error = self.endpoint.error(error.kind, &error.message);
        let about = at(event, "/error/event_id").as_str().unwrap_or_default();
        if self.held.is_some() {
            // It will not get ready.
            return Err(error);
        }
        let refused = self.running.as_ref().is_some_and(|running| {
            about == event_id(running.reply) || (about.is_empty() && running.response.is_none())
        });
        if refused {
            self.finish(Some(error), Usage::default(), now, out);
        } else if about == "cancel" && self.running.as_ref().is_some_and(|running| running.cut.is_some()) {
            // There was nothing to stop: it was over, or it was never begun.
            self.finish(None, Usage::default(), now, out);
        } else if error.kind != LlmErrorKind::Rejected || at(event, "/error/code") == "session_expired" {
            // The session goes on after most errors; if it does not, this is why.
            self.complaint = Some(error);
        }
        Ok(())
    }

    fn garbage(&self, what: &str) -> VoiceError {
        self.endpoint.error(LlmErrorKind::BadAnswer, what)
    }
}

impl Dialect for Session {
    fn input(&mut self, input: RealtimeInput, now: Instant, out: &mut Out) {
        match input {
            RealtimeInput::Audio(pcm) => self.audio(&pcm, out),
            RealtimeInput::Respond(request) => self.respond(request, now, out),
            RealtimeInput::Cut { reply, heard_ms } => self.cut(reply, heard_ms, out),
            RealtimeInput::Said(text) => self.send(create(message("assistant", "output_text", &text)), out),
            RealtimeInput::Typed(text) => self.send(create(message("user", "input_text", &text)), out),
            // The server hears it.
            RealtimeInput::CallerStarted | RealtimeInput::CallerStopped => {}
        }
    }

    fn opened(&mut self, now: Instant, out: &mut Out) {
        out.send.append(&mut self.opening);
        self.ready_by = Some(now + self.endpoint.patience.first);
    }

    fn message(&mut self, event: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        let Some(kind) = at(event, "/type").as_str() else {
            return Err(self.garbage("a message has no type"));
        };
        match kind {
            "session.updated" => {
                self.ready_by = None;
                out.send.extend(self.held.take().into_iter().flatten());
                // The wait for a response that was asked for before counts from now.
                if let Some(running) = &mut self.running {
                    running.due = now + self.endpoint.patience.first;
                }
            }
            "input_audio_buffer.speech_started" => out.events.push(RealtimeEvent::SpeechStarted),
            "input_audio_buffer.speech_stopped" => out.events.push(RealtimeEvent::SpeechStopped),
            "conversation.item.input_audio_transcription.completed" => {
                let text = at(event, "/transcript").as_str().unwrap_or_default().trim().to_owned();
                out.events.push(RealtimeEvent::Caller { text: Some(text) });
            }
            "conversation.item.input_audio_transcription.failed" => {
                out.events.push(RealtimeEvent::Caller { text: None });
            }
            "response.created" => self.created(event, now),
            // The names of the preview are those of some compatible servers.
            "response.output_audio.delta" | "response.audio.delta" => self.sound(event, now, out)?,
            "response.output_audio_transcript.delta"
            | "response.audio_transcript.delta"
            | "response.output_text.delta"
            | "response.text.delta" => self.words(event, now, out),
            "response.output_item.added" => self.item_added(event, now),
            "response.function_call_arguments.done" => self.call(event, now, out),
            "response.done" => self.response_done(event, now, out),
            "error" => self.error(event, now, out)?,
            _ => {}
        }
        Ok(())
    }

    fn lost(&mut self, error: VoiceError) -> Result<(), VoiceError> {
        Err(self.complaint.take().unwrap_or(error))
    }

    fn due(&self) -> Option<Instant> {
        let running = self.running.as_ref().filter(|_| self.held.is_none()).map(|running| running.due);
        [self.ready_by, running].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        if self.ready_by.is_some_and(|by| by <= now) {
            return Err(self.endpoint.error(LlmErrorKind::Timeout, "did not accept the session in time"));
        }
        let Some(running) = self.running.as_ref().filter(|running| running.due <= now) else {
            return Ok(());
        };
        let what = if running.items.is_empty() {
            "did not begin to answer in time"
        } else {
            "stopped in the middle of its answer"
        };
        let error = self.endpoint.error(LlmErrorKind::Timeout, what);
        self.stop(out);
        self.finish(Some(error), Usage::default(), now, out);
        Ok(())
    }
}

fn done(reply: ReplyId, failure: Option<VoiceError>, usage: Usage) -> RealtimeEvent {
    RealtimeEvent::Done { reply, failure, usage }
}

fn event_id(reply: ReplyId) -> String {
    format!("reply_{}", reply.0)
}

fn create_response(request: &ReplyRequest) -> String {
    let silent = request.purpose == Purpose::Extract;
    let response = json!({
        "output_modalities": if silent { ["text"] } else { ["audio"] },
        "tool_choice": if request.may_call { "auto" } else { "none" },
        "metadata": { "reply": request.id.0.to_string() },
    });
    json!({ "type": "response.create", "event_id": event_id(request.id), "response": response }).to_string()
}

fn tool(function: &Function) -> Json {
    json!({
        "type": "function",
        "name": function.name,
        "description": function.description,
        "parameters": function.parameters,
    })
}

fn create(item: Json) -> String {
    json!({ "type": "conversation.item.create", "event_id": "item", "item": item }).to_string()
}

fn delete(id: &str) -> String {
    json!({ "type": "conversation.item.delete", "event_id": "forget", "item_id": id }).to_string()
}

fn message(role: &str, kind: &str, text: &str) -> Json {
    json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] })
}

fn function_output(id: &str, output: &str) -> String {
    create(json!({ "type": "function_call_output", "call_id": id, "output": output }))
}

/// What was said before the session, as its items.
fn past(said: &Message) -> Vec<Json> {
    match said {
        Message::Caller(text) | Message::Agent(text) if text.trim().is_empty() => Vec::new(),
        Message::Caller(text) => vec![message("user", "input_text", text)],
        Message::Agent(text) => vec![message("assistant", "output_text", text)],
        Message::Tools(exchanges) => exchanges
            .iter()
            .flat_map(|exchange| {
                let arguments = exchange.arguments.to_string();
                let call = json!({
                    "type": "function_call",
                    "call_id": exchange.id, "name": exchange.name, "arguments": arguments,
                });
                let output = text_of(&exchange.result);
                [call, json!({ "type": "function_call_output", "call_id": exchange.id, "output": output })]
            })
            .collect(),
    }
}

fn text_of(result: &Json) -> String {
    match result {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn usage(usage: &Json) -> Usage {
    let tokens = |pointer| at(usage, pointer).as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Usage {
        input_tokens: tokens("/input_tokens"),
        cached_tokens: tokens("/input_token_details/cached_tokens"),
        output_tokens: tokens("/output_tokens"),
        micro_usd: 0,
    }
}
