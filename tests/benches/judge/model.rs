//! Models that understand every word, and forget to call their functions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dgh_engine::reply::{Message, Model, Purpose, ReplyRequest};
use dgh_providers::{Delta, Llm, LlmError, Models, card};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde_json::{Value as Json, json};

/// The model that talks, and how long it takes to its first piece.
pub(super) const TALKER: &str = "talker";
const TALKER_MS: u64 = 300;
/// The model that decides.
pub(super) const JUDGE: &str = "judge";
/// Of a hundred calls that it should make, it forgets so many.
const JUDGE_FORGETS: u64 = 1;
/// Letters of a token.
const LETTERS: usize = 4;

/// What the caller says, what it should lead to, and where.
const SAYS: [(&str, &str, &str, &str); 4] = [
    ("I need an appointment, please.", "go", "label", "book"),
    ("I would like to come on March third.", "note", "day", "2026-03-03"),
    ("I have a toothache.", "note", "reason", "toothache"),
    ("Yes, that's fine.", "go", "label", "suits"),
];

/// What the caller wants to say in a node, when these names are known.
pub(super) fn wants(node: &str, known: &BTreeSet<String>) -> &'static str {
    let index = match node {
        "want" => 0,
        "offer" => 3,
        _ => 1 + usize::from(known.contains("day")),
    };
    SAYS[index].0
}

/// A model by its name.
pub(super) fn described(name: &str) -> Model {
    Model { provider: name.into(), protocol: "stub".into(), settings: serde_json::Map::new(), key: None }
}

/// The models of one call.
pub(super) struct Forgetful {
    forgets: u64,
    judge_ms: u64,
    dice: AtomicU64,
    bill: Arc<AtomicU64>,
}

impl Forgetful {
    /// The model that talks forgets so many of a hundred calls of functions, the same ones for the
    /// same number; the judge takes so long.
    pub(super) fn new(forgets: u64, judge_ms: u64, number: u64) -> Self {
        Self { forgets, judge_ms, dice: AtomicU64::new(number << 32), bill: Arc::default() }
    }

    /// Tokens so far: what was read, whether or not the answer was wanted in the end, and what was
    /// written until nobody listened any more.
    pub(super) fn tokens(&self) -> u64 {
        self.bill.load(Ordering::Relaxed)
    }
}

impl Models for Forgetful {
    fn llm(&self, model: &Model) -> Result<Arc<dyn Llm>, LlmError> {
        let judges = model.provider == JUDGE;
        let (wait_ms, forgets) =
            if judges { (self.judge_ms, JUDGE_FORGETS) } else { (TALKER_MS, self.forgets) };
        let forgets = roll(self.dice.fetch_add(1, Ordering::Relaxed)) % 100 < forgets;
        Ok(Arc::new(One { wait_ms, forgets, bill: Arc::clone(&self.bill) }))
    }
}

/// A model for one answer.
struct One {
    wait_ms: u64,
    forgets: bool,
    bill: Arc<AtomicU64>,
}

impl Llm for One {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        let called = called(&request).filter(|_| !self.forgets);
        let goes = called.as_ref().is_some_and(|(name, _)| *name == "go");
        let mut deltas = Vec::new();
        if let Some((name, arguments)) = called {
            deltas.push(Delta::Call { id: "call".into(), name: name.into(), arguments });
        }
        if request.purpose != Purpose::Extract && !goes {
            deltas.push(Delta::Text("I see. And what else can you tell me about it?".into()));
        }
        let bill = Arc::clone(&self.bill);
        bill.fetch_add(tokens(read(&request)), Ordering::Relaxed);
        let wait = tokio::time::sleep(Duration::from_millis(self.wait_ms));
        let deltas = stream::iter(deltas).inspect(move |delta| {
            let letters = match delta {
                Delta::Text(text) => text.len(),
                Delta::Call { name, arguments, .. } => name.len() + arguments.to_string().len(),
                Delta::Usage(_) => 0,
            };
            bill.fetch_add(tokens(letters), Ordering::Relaxed);
        });
        stream::once(wait).filter_map(|()| async { None }).chain(deltas.map(Ok)).boxed()
    }
}

/// What the caller's last words should lead to, if this model may call that.
fn called(request: &ReplyRequest) -> Option<(&'static str, Json)> {
    let words = request.history.iter().rev().find_map(|message| match message {
        Message::Caller(text) => Some(text),
        _ => None,
    })?;
    let (_, name, argument, value) = SAYS.iter().find(|(says, ..)| words.ends_with(says))?;
    let offered = request.may_call && request.functions.iter().any(|function| function.name == *name);
    let fits = match *name {
        "go" => request.card.labels.iter().any(|label| label.name == *value),
        _ => request.card.wanted.iter().any(|wanted| wanted.name == *argument),
    };
    (offered && fits).then(|| (*name, json!({ *argument: value })))
}

/// Letters that the model reads.
fn read(request: &ReplyRequest) -> usize {
    let said = |message: &Message| match message {
        Message::Caller(text) | Message::Agent(text) => text.len(),
        Message::Tools(_) => 0,
    };
    let functions = request.functions.iter();
    let functions = functions.map(|f| f.name.len() + f.description.len() + f.parameters.to_string().len());
    let history: usize = request.history.iter().map(said).sum();
    request.persona.len() + history + card::text(request).len() + functions.sum::<usize>()
}

fn tokens(letters: usize) -> u64 {
    letters.div_ceil(LETTERS) as u64
}

/// A number that looks random and is always the same (splitmix64).
fn roll(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
