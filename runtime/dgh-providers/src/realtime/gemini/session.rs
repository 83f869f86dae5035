//! One session over as many connections as it takes.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use dgh_engine::event::{ReplyId, Usage};
use dgh_engine::reply::{Function, Message, ReplyRequest};
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::activity::{Activity, Caller};
use super::{HEARS, SPEAKS};
use crate::card;
use crate::llm::LlmErrorKind;
use crate::realtime::pump::{Dialect, Out};
use crate::realtime::sound::Decoder;
use crate::realtime::{RealtimeEvent, RealtimeInput, RealtimeStart};
use crate::voice::VoiceError;
use crate::voice::endpoint::Endpoint;
use crate::wire::at;

/// Words of the caller that pause so long are all.
const WORDS_PAUSE: Duration = Duration::from_millis(200);
/// Words of an answer may come so much later than its last sound.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Connections in a row that may be lost before the model was ready.
const MAX_LOST: u32 = 2;
/// Answers that are over and may still be sounding.
const REMEMBERED: usize = 4;
/// What the notes are, for the model: it has but one instruction for the whole connection.
const STEERING: &str = "You are told what to do by notes in square brackets that come as text with each \
turn. Follow the newest notes alone. Never read them aloud and never answer them. Speak only of what they ask for.";

/// A session.
pub(super) struct Session {
    endpoint: Arc<Endpoint>,
    /// What every connection is set up with.
    setup: Map<String, Json>,
    words: Vec<String>,
    stage: Stage,
    /// Instruction and functions of the connection.
    fixed: Option<(String, Arc<[Function]>)>,
    /// Takes the session up on another connection.
    handle: Option<String>,
    /// The server is about to close the connection.
    going: bool,
    lost: u32,
    ready_by: Option<Instant>,
    activity: Activity,
    /// What the model has to know with the next notes.
    news: Vec<String>,
    /// An answer that is asked for when the connection is ready.
    wanted: Option<Arc<ReplyRequest>>,
    running: Option<Running>,
    over: VecDeque<Spoken>,
    /// What is still to come of an answer that is over for the call.
    leftover: Leftover,
    open_calls: Vec<(String, String)>,
    /// What was written down of the caller's turn.
    heard: String,
    heard_by: Option<Instant>,
    /// An answer that the loss of a connection broke.
    broken: Option<(ReplyId, VoiceError)>,
}

/// Where the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Closed,
    /// It stands, and nothing was said on it.
    Open,
    /// Its setup was sent.
    Setting,
    /// It was accepted.
    Ready,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leftover {
    Nothing,
    /// Sound and words, until its end.
    Everything,
    /// Its end alone.
    End,
}

struct Running {
    spoken: Spoken,
    begun: bool,
    decoder: Decoder,
    due: Instant,
    /// All its sound is here; when it counts as over.
    ends: Option<Instant>,
    usage: Usage,
    failure: Option<VoiceError>,
}

struct Spoken {
    reply: ReplyId,
    text: String,
    pcm_bytes: u64,
}

impl Session {
    pub(super) fn new(endpoint: Arc<Endpoint>, setup: Map<String, Json>, start: &RealtimeStart) -> Self {
        let past = history(&start.history);
        Self {
            endpoint,
            setup,
            words: start.words.clone(),
            stage: Stage::Closed,
            fixed: None,
            handle: None,
            going: false,
            lost: 0,
            ready_by: None,
            activity: Activity::new(HEARS),
            news: past.into_iter().collect(),
            wanted: None,
            running: None,
            over: VecDeque::new(),
            leftover: Leftover::Nothing,
            open_calls: Vec::new(),
            heard: String::new(),
            heard_by: None,
            broken: None,
        }
    }

    /// Whether the caller's activity may begin: the model listens and does not speak.
    fn may_send(&self) -> bool {
        self.stage == Stage::Ready && self.running.is_none()
    }

    fn respond(&mut self, request: Arc<ReplyRequest>, now: Instant, out: &mut Out) {
        if let Some(superseded) = self.wanted.take() {
            out.events.push(done(superseded.id, None, Usage::default()));
        }
        if let Some(running) = &self.running {
            // Nobody asks twice without having dropped the first.
            self.cut(running.spoken.reply, 0, out);
        }
        let fits = self.fixed.as_ref().is_some_and(|(persona, functions)| {
            *persona == request.persona && **functions == *request.functions
        });
        if !fits {
            let anew = matches!(self.stage, Stage::Setting | Stage::Ready);
            if anew && self.handle.is_none() {
                self.news.extend(history(&request.history));
            }
            self.fixed = Some((request.persona.clone(), Arc::clone(&request.functions)));
            if anew {
                self.stage = Stage::Closed;
                out.reconnect = true;
            } else {
                self.set_up(now, out);
            }
        }
        if self.stage == Stage::Ready {
            self.answer(&request, now, out);
        } else {
            self.wanted = Some(request);
        }
    }

    /// Sends the setup, if the connection stands and what it fixes is known.
    fn set_up(&mut self, now: Instant, out: &mut Out) {
        let Some((persona, functions)) = self.fixed.as_ref().filter(|_| self.stage == Stage::Open) else {
            return;
        };
        let mut instruction = format!("{persona}\n\n{STEERING}");
        if !self.words.is_empty() {
            let _ = write!(instruction, "\n\nNames and words that may come up: {}.", self.words.join(", "));
        }
        let mut setup = self.setup.clone();
        setup.insert("systemInstruction".into(), json!({ "parts": [{ "text": instruction.trim() }] }));
        if !functions.is_empty() {
            let declared = functions.iter().map(|f| {
                json!({
                    "name": f.name, "description": f.description, "parametersJsonSchema": f.parameters,
                    // It must not speak of what a function has not answered yet.
                    "behavior": "BLOCKING",
                })
            });
            setup.insert("tools".into(), json!([{ "functionDeclarations": declared.collect::<Vec<_>>() }]));
        }
        let resume = self.handle.as_ref().map_or_else(|| json!({}), |handle| json!({ "handle": handle }));
        setup.insert("sessionResumption".into(), resume);
        out.send.push(json!({ "setup": setup }).to_string());
        self.stage = Stage::Setting;
        self.ready_by = Some(now + self.endpoint.patience.first);
    }

    /// Asks for an answer on a connection that is ready.
    fn answer(&mut self, request: &ReplyRequest, now: Instant, out: &mut Out) {
        let calls = std::mem::take(&mut self.open_calls);
        let result = |id: &str| {
            let mut exchanges = request.history.iter().rev().filter_map(|message| match message {
                Message::Tools(exchanges) => exchanges.iter().find(|exchange| exchange.id == id),
                _ => None,
            });
            exchanges.next().map(|exchange| exchange.result.clone())
        };
        if calls.is_empty() || self.activity.caller() != Caller::Silent {
            // The caller's activity takes the place of the answer to the functions.
            for (id, name) in &calls {
                if let Some(result) = result(id) {
                    self.news.push(format!("`{name}` answered: {result}"));
                }
            }
            let notes = self.notes(request);
            self.activity.end(&notes, &mut out.send);
        } else {
            let notes = self.notes(request);
            let last = calls.len();
            let responses = calls.iter().enumerate().map(|(at, (id, name))| {
                let mut response = Map::new();
                response.insert("result".into(), result(id).unwrap_or_else(|| "Noted.".into()));
                if at + 1 == last {
                    response.insert("notes".into(), notes.as_str().into());
                }
                json!({ "id": id, "name": name, "response": response })
            });
            let responses: Vec<_> = responses.collect();
            out.send.push(json!({ "toolResponse": { "functionResponses": responses } }).to_string());
            // What comes now is the same answer to the server, and its end is the end of this one.
            self.leftover = Leftover::Nothing;
        }
        self.running = Some(Running {
            spoken: Spoken { reply: request.id, text: String::new(), pcm_bytes: 0 },
            begun: false,
            decoder: Decoder::new(SPEAKS),
            due: now + self.endpoint.patience.first,
            ends: None,
            usage: Usage::default(),
            failure: None,
        });
    }

    fn notes(&mut self, request: &ReplyRequest) -> String {
        let mut notes = String::new();
        for news in self.news.drain(..) {
            let _ = writeln!(notes, "[{news}]");
        }
        notes.push_str(&card::text(request));
        notes
    }

    fn cut(&mut self, reply: ReplyId, heard_ms: u32, out: &mut Out) {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.id == reply) {
            self.wanted = None;
            return out.events.push(done(reply, None, Usage::default()));
        }
        if self.running.as_ref().is_some_and(|running| running.spoken.reply == reply) {
            let Some(running) = self.running.take() else { return };
            self.leftover = if running.ends.is_some() { Leftover::End } else { Leftover::Everything };
            out.events.push(done(reply, None, running.usage));
            self.unheard(&running.spoken, heard_ms);
        } else if let Some(at) = self.over.iter().position(|spoken| spoken.reply == reply) {
            let Some(spoken) = self.over.remove(at) else { return };
            self.unheard(&spoken, heard_ms);
        }
    }

    /// The server cannot be told what was heard; the model can.
    fn unheard(&mut self, spoken: &Spoken, heard_ms: u32) {
        let (whole, heard) = (SPEAKS.millis(spoken.pcm_bytes), u64::from(heard_ms));
        if spoken.text.trim().is_empty() || heard >= whole {
            return;
        }
        let letters = spoken.text.chars().count() as u64 * heard / whole.max(1);
        let kept: String = spoken.text.chars().take(usize::try_from(letters).unwrap_or(usize::MAX)).collect();
        // Half a word was not heard.
        let kept = kept.rfind(' ').map_or("", |end| kept.get(..end).unwrap_or_default()).trim();
        self.news.push(if kept.is_empty() {
            "The caller did not hear what you said last.".to_owned()
        } else {
            format!("The caller interrupted you and heard only this of what you said last: \"{kept}\"")
        });
    }

    fn content(&mut self, content: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        if let Some(text) = at(content, "/inputTranscription/text").as_str() {
            self.heard.push_str(text);
            self.heard_by = Some(now + WORDS_PAUSE);
        }
        if at(content, "/inputTranscription/finished") == true {
            self.heard_by = Some(now);
        }
        let parts = at(content, "/modelTurn/parts").as_array();
        let words = at(content, "/outputTranscription/text").as_str();
        if parts.is_some() || words.is_some() {
            self.spoken(parts, words, now, out)?;
        }
        if at(content, "/generationComplete") == true {
            match (&mut self.running, self.leftover) {
                (_, Leftover::Everything) => self.leftover = Leftover::End,
                (Some(running), _) if running.begun => running.ends = Some(now + LAST_WORDS),
                _ => {}
            }
        }
        let interrupted = at(content, "/interrupted") == true;
        let complete = at(content, "/turnComplete") == true;
        if interrupted || complete {
            self.fail_by(at(content, "/turnCompleteReason"));
            self.ended(complete, out);
        }
        Ok(())
    }

    /// Sound and words of the model.
    fn spoken(
        &mut self,
        parts: Option<&Vec<Json>>,
        words: Option<&str>,
        now: Instant,
        out: &mut Out,
    ) -> Result<(), VoiceError> {
        if self.leftover == Leftover::Everything {
            return Ok(());
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        running.begun = true;
        running.due = now + self.endpoint.patience.next;
        self.leftover = Leftover::Nothing;
        let reply = running.spoken.reply;
        for part in parts.into_iter().flatten() {
            let Some(data) = at(part, "/inlineData/data").as_str() else { continue };
            let Some(pcm) = running.decoder.decode(data) else {
                return Err(self.endpoint.error(LlmErrorKind::BadAnswer, "sound that is not base64"));
            };
            running.spoken.pcm_bytes += pcm.len() as u64;
            if !pcm.is_empty() {
                out.events.push(RealtimeEvent::Audio { reply, pcm });
            }
        }
        if let Some(text) = words.filter(|text| !text.is_empty()) {
            running.spoken.text.push_str(text);
            out.events.push(RealtimeEvent::Words { reply, text: text.to_owned() });
        }
        Ok(())
    }

    fn fail_by(&mut self, reason: &Json) {
        let kind = match reason.as_str() {
            Some("MALFORMED_FUNCTION_CALL") => LlmErrorKind::BadAnswer,
            Some("RESPONSE_REJECTED") => LlmErrorKind::Blocked,
            _ => return,
        };
        let message = format!("the model stopped: {}", reason.as_str().unwrap_or_default());
        let error = self.endpoint.error(kind, &message);
        if let Some(running) = &mut self.running {
            running.failure.get_or_insert(error);
        }
    }

    /// An answer is over for the server; for which, see `leftover`.
    fn ended(&mut self, complete: bool, out: &mut Out) {
        if self.leftover != Leftover::Nothing {
            self.leftover = if complete { Leftover::Nothing } else { Leftover::End };
            return;
        }
        self.finish(None, if complete { Leftover::Nothing } else { Leftover::End }, out);
    }

    /// An answer is over for the call.
    fn finish(&mut self, failure: Option<VoiceError>, leftover: Leftover, out: &mut Out) {
        let Some(running) = self.running.take() else { return };
        self.leftover = leftover;
        out.events.push(done(running.spoken.reply, running.failure.or(failure), running.usage));
        self.over.push_back(running.spoken);
        if self.over.len() > REMEMBERED {
            self.over.pop_front();
        }
        if self.going && self.activity.caller() == Caller::Silent {
            out.reconnect = true;
            self.stage = Stage::Closed;
        }
    }

    fn calls(&mut self, calls: &Json, out: &mut Out) {
        let calls: Vec<_> = calls.as_array().into_iter().flatten().collect();
        let text = |call, pointer| at(call, pointer).as_str().unwrap_or_default().to_owned();
        let muted = self.leftover == Leftover::Everything || self.running.is_none();
        let mut asked = Vec::new();
        for call in calls {
            let (id, name) = (text(call, "/id"), text(call, "/name"));
            let arguments = match at(call, "/args") {
                Json::Null => Json::Object(Map::new()),
                arguments => arguments.clone(),
            };
            if let Some(running) = self.running.as_mut().filter(|_| !muted) {
                running.begun = true;
                let reply = running.spoken.reply;
                if name.is_empty() || !arguments.is_object() {
                    let error =
                        self.endpoint.error(LlmErrorKind::BadAnswer, "a function call makes no sense");
                    running.failure.get_or_insert(error);
                } else {
                    out.events.push(RealtimeEvent::Call {
                        reply,
                        id: id.clone(),
                        name: name.clone(),
                        arguments,
                    });
                }
            }
            asked.push((id, name));
        }
        // Notes are taken at once, and the model speaks on. After a `go` and for a tool it waits for
        // what the engine decides: the answer comes with the next notes.
        let goes_on =
            asked.iter().all(|(_, name)| name != "go" && card::ENGINE_FUNCTIONS.contains(&name.as_str()));
        if muted || goes_on {
            let result = if muted { "It was not called: the conversation went on." } else { "Noted." };
            let responses: Vec<_> = asked
                .iter()
                .map(|(id, name)| json!({ "id": id, "name": name, "response": { "result": result } }))
                .collect();
            out.send.push(json!({ "toolResponse": { "functionResponses": responses } }).to_string());
        } else {
            self.open_calls.extend(asked);
            self.finish(None, Leftover::End, out);
        }
    }

    fn tell_heard(&mut self, out: &mut Out) {
        self.heard_by = None;
        let text = std::mem::take(&mut self.heard).trim().to_owned();
        if !text.is_empty() {
            out.events.push(RealtimeEvent::Caller { text: Some(text) });
        }
    }
}

impl Dialect for Session {
    fn input(&mut self, input: RealtimeInput, now: Instant, out: &mut Out) {
        let may_send = self.may_send();
        match input {
            RealtimeInput::Audio(pcm) => self.activity.sound(&pcm, may_send, &mut out.send),
            RealtimeInput::CallerStarted => self.activity.started(may_send, &mut out.send),
            RealtimeInput::CallerStopped => {
                self.activity.stopped(may_send, &mut out.send);
                self.heard_by = Some(now + WORDS_PAUSE);
            }
            RealtimeInput::Respond(request) => self.respond(request, now, out),
            RealtimeInput::Cut { reply, heard_ms } => self.cut(reply, heard_ms, out),
            RealtimeInput::Said(text) => self.news.push(format!("Another voice said for you: \"{text}\"")),
            RealtimeInput::Typed(text) => self.news.push(format!("The caller typed: \"{text}\"")),
        }
        let may_send = self.may_send();
        self.activity.flush(may_send, &mut out.send);
    }

    fn opened(&mut self, now: Instant, out: &mut Out) {
        self.stage = Stage::Open;
        self.going = false;
        self.leftover = Leftover::Nothing;
        self.open_calls.clear();
        self.activity.anew();
        if let Some((reply, error)) = self.broken.take() {
            out.events.push(done(reply, Some(error), Usage::default()));
        }
        self.set_up(now, out);
    }

    fn message(&mut self, message: &Json, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        if !message.is_object() {
            return Err(self.endpoint.error(LlmErrorKind::BadAnswer, "a message is no object"));
        }
        if message.get("setupComplete").is_some() {
            self.stage = Stage::Ready;
            self.ready_by = None;
            self.lost = 0;
            self.activity.flush(true, &mut out.send);
            if let Some(wanted) = self.wanted.take() {
                self.answer(&wanted, now, out);
            }
        }
        if let (Some(running), usage @ Json::Object(_)) = (&mut self.running, at(message, "/usageMetadata")) {
            running.usage = read_usage(usage);
        }
        let update = at(message, "/sessionResumptionUpdate");
        if at(update, "/resumable") == true {
            self.handle = at(update, "/newHandle").as_str().filter(|h| !h.is_empty()).map(str::to_owned);
        }
        for id in at(message, "/toolCallCancellation/ids").as_array().into_iter().flatten() {
            self.open_calls.retain(|(open, _)| Some(open.as_str()) != id.as_str());
        }
        self.content(at(message, "/serverContent"), now, out)?;
        let calls = at(message, "/toolCall/functionCalls");
        if calls.is_array() {
            self.calls(calls, out);
        }
        if message.get("goAway").is_some() {
            self.going = true;
            if self.running.is_none() && self.activity.caller() == Caller::Silent {
                out.reconnect = true;
                self.stage = Stage::Closed;
            }
        }
        let may_send = self.may_send();
        self.activity.flush(may_send, &mut out.send);
        Ok(())
    }

    fn lost(&mut self, error: VoiceError) -> Result<(), VoiceError> {
        self.lost += 1;
        let error = if error.message.to_lowercase().contains("quota") {
            VoiceError { kind: LlmErrorKind::RateLimited, ..error }
        } else {
            error
        };
        let passes =
            matches!(error.kind, LlmErrorKind::Network | LlmErrorKind::Unavailable | LlmErrorKind::Timeout);
        if self.handle.is_none() || !passes || self.lost > MAX_LOST {
            return Err(error);
        }
        self.stage = Stage::Closed;
        self.ready_by = None;
        self.broken = self.running.take().map(|running| (running.spoken.reply, error));
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        let running = self.running.as_ref().map(|running| running.ends.unwrap_or(running.due));
        let heard = self.heard_by.filter(|_| self.activity.caller() != Caller::Speaks);
        [self.ready_by, running, heard].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Instant, out: &mut Out) -> Result<(), VoiceError> {
        if self.ready_by.is_some_and(|by| by <= now) {
            return Err(self.endpoint.error(LlmErrorKind::Timeout, "did not accept the session in time"));
        }
        if self.heard_by.is_some_and(|by| by <= now) && self.activity.caller() != Caller::Speaks {
            self.tell_heard(out);
        }
        if let Some(running) = &self.running {
            if running.ends.is_some_and(|ends| ends <= now) {
                self.finish(None, Leftover::End, out);
            } else if running.ends.is_none() && running.due <= now {
                let what = if running.begun {
                    "stopped in the middle of its answer"
                } else {
                    "did not begin to answer in time"
                };
                let error = self.endpoint.error(LlmErrorKind::Timeout, what);
                self.finish(Some(error), Leftover::Everything, out);
            }
        }
        let may_send = self.may_send();
        self.activity.flush(may_send, &mut out.send);
        Ok(())
    }
}

fn done(reply: ReplyId, failure: Option<VoiceError>, usage: Usage) -> RealtimeEvent {
    RealtimeEvent::Done { reply, failure, usage }
}

/// What was said, as news for a model that knows nothing of it.
fn history(said: &[Message]) -> Option<String> {
    let mut text = String::new();
    for message in said {
        match message {
            Message::Caller(words) => drop(writeln!(text, "Caller: {words}")),
            Message::Agent(words) => drop(writeln!(text, "You: {words}")),
            Message::Tools(exchanges) => {
                for exchange in exchanges {
                    let _ = writeln!(text, "`{}` answered: {}", exchange.name, exchange.result);
                }
            }
        }
    }
    (!text.is_empty()).then(|| format!("The call so far:\n{}", text.trim_end()))
}

fn read_usage(usage: &Json) -> Usage {
    let tokens =
        |name: &str| usage.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Usage {
        input_tokens: tokens("promptTokenCount"),
        cached_tokens: tokens("cachedContentTokenCount"),
        output_tokens: tokens("responseTokenCount").saturating_add(tokens("thoughtsTokenCount")),
        micro_usd: 0,
    }
}
