//! Doubles for tests: a request, models that follow a script, and the three APIs as a server
//! speaks them, byte by byte.

mod realtime;
mod realtime_gemini;
pub mod stt;

pub mod tts;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Card, Function, Label, Model, Purpose, ReplyRequest, Shape, Wanted};
use dgh_net::testing::Reply;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::{Value as Json, json};

use crate::llm::{Delta, Llm, LlmError, LlmErrorKind};
use crate::registry::Models;
use crate::voice::VoiceRegistry;

pub use realtime::{Does, LETTER_MS, PIECE_MS, RealtimeScript, RealtimeServer};
pub use realtime_gemini::{GeminiDoes, GeminiScript, GeminiServer};
pub use stt::SttServer;

/// A caller turn in a node that books an appointment: two routes, two values, one tool.
pub fn request() -> ReplyRequest {
    let function = |name: &str, properties: Json| Function {
        name: name.into(),
        description: format!("What {name} does."),
        parameters: json!({ "type": "object", "properties": properties }),
    };
    let wanted = |name: &str, about: &str, shape: Shape| Wanted {
        name: name.into(),
        about: Some(about.into()),
        shape,
        missing: true,
        optional: false,
        ask: None,
    };
    let label = |name: &str, sentence: &str, like: &[&str], unlike: &[&str]| Label {
        name: name.into(),
        sentence: sentence.into(),
        like: like.iter().map(|s| (*s).to_owned()).collect(),
        unlike: unlike.iter().map(|s| (*s).to_owned()).collect(),
    };
    ReplyRequest {
        id: ReplyId(7),
        purpose: Purpose::Turn,
        persona: "You are Kim of a dental clinic.".into(),
        history: Vec::new(),
        card: Card {
            node: "book".into(),
            prompt: Some("Find a time that suits the patient.".into()),
            instruction: None,
            known: Vec::new(),
            wanted: vec![
                wanted("day", "The day of the visit", Shape::Date),
                wanted(
                    "reason",
                    "Why they come",
                    Shape::Enum { cases: vec!["cleaning".into(), "pain".into()] },
                ),
            ],
            labels: vec![
                label(
                    "human",
                    "They ask for a person",
                    &["a real person"],
                    &["my person in charge is my wife"],
                ),
                label("cancel", "They do not want to come", &[], &[]),
            ],
            read_back: None,
            tools: vec!["find_slots".into()],
            may_unclear: true,
            remarks: Vec::new(),
            now: NaiveDate::from_ymd_opt(2026, 3, 2)
                .and_then(|d| d.and_hms_opt(10, 0, 0))
                .unwrap_or_default(),
            language: "en-US".into(),
        },
        functions: vec![
            function("go", json!({ "label": { "type": "string", "enum": ["human", "cancel"] } })),
            function("note", json!({ "day": { "type": "string" }, "reason": { "type": "string" } })),
            function("confirm", json!({ "answer": { "type": "string", "enum": ["yes", "no"] } })),
            function("unclear", json!({})),
            function("find_slots", json!({ "day": { "type": "string" } })),
        ]
        .into(),
        may_call: true,
        models: vec![model("first"), model("second")],
        judge: Vec::new(),
    }
}

/// A model by the name of its provider; [`Script`] goes by that name.
pub fn model(provider: &str) -> Model {
    Model {
        provider: provider.into(),
        protocol: "double".into(),
        settings: serde_json::Map::new(),
        key: None,
    }
}

/// Recognisers, voices and speech-to-speech models that may be on this machine, without keys.
///
/// # Panics
/// If no client can be made.
#[allow(clippy::expect_used, reason = "a test without a client has failed")]
pub fn voices() -> VoiceRegistry {
    let client = dgh_net::Client::new(dgh_net::Policy::with_private()).expect("a client");
    VoiceRegistry::new(client, Arc::new(HashMap::<String, secrecy::SecretString>::new()))
}

/// What a scripted model does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Lets time pass.
    Wait(Duration),
    /// Writes.
    Text(&'static str),
    /// Calls a function.
    Call(&'static str, Json),
    /// Says what it used: tokens in and out.
    Usage(u32, u32),
    /// Fails.
    Fail(LlmErrorKind),
    /// Fails, and asks for a pause.
    FailFor(LlmErrorKind, Duration),
    /// Never says anything again.
    Stall,
}

/// Models that follow a script: per provider, one list of steps for each time it is asked.
#[derive(Clone, Default)]
pub struct Script {
    answers: Arc<Mutex<HashMap<String, VecDeque<Vec<Step>>>>>,
    asked: Arc<Mutex<Vec<(String, ReplyRequest)>>>,
}

impl Script {
    /// Adds what a provider's model does the next time it is asked.
    pub fn answer(self, provider: &str, steps: impl Into<Vec<Step>>) -> Self {
        lock(&self.answers).entry(provider.to_owned()).or_default().push_back(steps.into());
        self
    }

    /// Who was asked so far, and what.
    pub fn asked(&self) -> Vec<(String, ReplyRequest)> {
        lock(&self.asked).clone()
    }

    /// Who was asked so far.
    pub fn order(&self) -> Vec<String> {
        self.asked().into_iter().map(|(name, _)| name).collect()
    }
}

impl Models for Script {
    fn llm(&self, model: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        Ok(Arc::new(Scripted { name: model.provider.clone(), script: self.clone() }))
    }
}

struct Scripted {
    name: String,
    script: Script,
}

impl Llm for Scripted {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        lock(&self.script.asked).push((self.name.clone(), (*request).clone()));
        let steps = lock(&self.script.answers).get_mut(&self.name).and_then(VecDeque::pop_front);
        let steps = steps.unwrap_or_else(|| vec![Step::Fail(LlmErrorKind::Setup)]);
        let name = self.name.clone();
        stream::iter(steps.into_iter().enumerate())
            .filter_map(move |(index, step)| {
                let name = name.clone();
                async move { step.act(index, &name).await }
            })
            .boxed()
    }
}

impl Step {
    async fn act(self, index: usize, name: &str) -> Option<Result<Delta, LlmError>> {
        Some(match self {
            Self::Wait(time) => {
                tokio::time::sleep(time).await;
                return None;
            }
            Self::Stall => std::future::pending().await,
            Self::Text(text) => Ok(Delta::Text(text.to_owned())),
            Self::Call(function, arguments) => {
                Ok(Delta::Call { id: format!("{name}-{index}"), name: function.to_owned(), arguments })
            }
            Self::Usage(input_tokens, output_tokens) => Ok(Delta::Usage(dgh_engine::event::Usage {
                input_tokens,
                output_tokens,
                ..Default::default()
            })),
            Self::Fail(kind) => Err(LlmError::new(kind, format!("{name} failed"))),
            Self::FailFor(kind, pause) => {
                Err(LlmError { retry_after: Some(pause), ..LlmError::new(kind, format!("{name} failed")) })
            }
        })
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Events of `data:` alone, as OpenAI and Google send them.
pub fn data_events(chunks: impl IntoIterator<Item = Json>) -> String {
    chunks.into_iter().fold(String::new(), |events, chunk| events + &format!("data: {chunk}\n\n"))
}

/// Events with their names, as Anthropic sends them.
pub fn named_events(chunks: impl IntoIterator<Item = Json>) -> String {
    let event = |chunk: Json| {
        format!("event: {}\ndata: {chunk}\n\n", chunk.get("type").and_then(Json::as_str).unwrap_or_default())
    };
    chunks.into_iter().map(event).collect()
}

/// A stream of events that reaches the reader in pieces of so many bytes: events, lines and
/// characters are cut anywhere.
pub fn in_pieces(events: &str, bytes: usize) -> Reply {
    Reply::pieces("text/event-stream", events.as_bytes().chunks(bytes.max(1))).end()
}

/// Everything that a model answers: pieces, and the error that ended it. Words are joined, so that
/// it does not matter where they were cut; of usage only the last counts.
pub async fn answer(llm: &dyn Llm, request: ReplyRequest) -> (Vec<Delta>, Option<LlmError>) {
    let mut stream = llm.stream(Arc::new(request));
    let (mut deltas, mut usage) = (Vec::new(), None);
    let mut error = None;
    while let Some(piece) = stream.next().await {
        match (piece, deltas.last_mut()) {
            (Ok(Delta::Text(more)), Some(Delta::Text(text))) => text.push_str(&more),
            (Ok(Delta::Usage(used)), _) => usage = Some(used),
            (Ok(delta), _) => deltas.push(delta),
            (Err(failure), _) => error = Some(failure),
        }
    }
    deltas.extend(usage.map(Delta::Usage));
    (deltas, error)
}
