//! Expressions, typed; and templates, the texts with `{{ }}`.
//!
//! The scope that gives meaning to [`ExprKind::Slot`] is the place: the dialogue's slots in a
//! dialogue and its webhooks, the parameters in a tool, the other agent's inputs nowhere.

use crate::program::{AgentId, KnowledgeId, NodeId, PhraseId, SlotId, ToolRef, WebhookId};
use crate::source_map::Origin;
use crate::types::Type;
use crate::value::Value;

/// An expression with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; `private` if any leaf is, but for `reveal`.
    pub ty: Type,
    /// Where it stands.
    pub origin: Origin,
}

/// What an expression is. Conditions on a `T?` are lowered to [`ExprKind::IsSet`].
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal, an enum case, the value of a `const`.
    Const(Value),
    /// An input, variable, binding or parameter.
    Slot(SlotId),
    /// `now`, `call.id`, …
    Builtin(Builtin),
    /// `env.NAME`
    Env(String),
    /// `secret.NAME`
    Secret(String),
    /// `recording.NAME`
    Recording(String),
    /// A phrase, in the language of the call.
    Phrase(PhraseId),
    /// A text with interpolations.
    Template(Template),
    /// A field of a record; `.count`, `.first`, `.empty` of a list; `.date`, `.time`.
    Field(Box<Expr>, String),
    /// `x?`: the value, or missing; the name may still be unset.
    Maybe(Box<Expr>),
    /// `a ?? b`
    Coalesce(Box<Expr>, Box<Expr>),
    /// Whether a `T?`, or a name that may be unset, has a value.
    IsSet(Box<Expr>),
    /// `and`
    And(Box<Expr>, Box<Expr>),
    /// `or`
    Or(Box<Expr>, Box<Expr>),
    /// `not`
    Not(Box<Expr>),
    /// `-x`
    Neg(Box<Expr>),
    /// A comparison.
    Cmp(CmpOp, Box<Expr>, Box<Expr>),
    /// Arithmetic.
    Math(MathOp, Box<Expr>, Box<Expr>),
    /// `x in y`: y a range or a list.
    In(Box<Expr>, Box<Expr>),
    /// `a..b`, both ends included for whole numbers; a time range may cross midnight.
    Range(Box<Expr>, Box<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ key: value }`; a field whose value is missing is left out.
    Record(Vec<(String, Expr)>),
    /// `match x { case -> value, else -> value }`
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// The arms in order.
        arms: Vec<MatchArm>,
        /// The `else` arm.
        otherwise: Option<Box<Expr>>,
    },
    /// `reveal(x)`: open the sink in which it stands to a private value.
    Reveal(Box<Expr>),
    /// Something only a test can ask.
    Probe(Probe),
    /// Did not resolve; already reported.
    Hole,
}

/// An arm of a `match`.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchArm {
    /// Equal to the subject.
    pub pattern: Expr,
    /// The value then.
    pub value: Expr,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CmpOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MathOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

/// A name that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Builtin {
    /// `now`: datetime
    Now,
    /// `caller.phone`: phone?
    CallerPhone,
    /// `caller.language`: text
    CallerLanguage,
    /// `call.id`: text
    CallId,
    /// `call.outcome`: the enum of the agent's outcomes, `?`
    CallOutcome,
    /// `call.ended_by`: enum
    CallEndedBy,
    /// `call.duration`: duration
    CallDuration,
    /// `call.answered_by`: enum
    CallAnsweredBy,
    /// `call.transcript_url`: url?
    CallTranscriptUrl,
    /// `call.recording_url`: url?
    CallRecordingUrl,
    /// `call.summary`: text?
    CallSummary,
}

/// A text with interpolations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// As it is.
    Text(String),
    /// `{{ expr as format }}`
    Value {
        /// What is filled in.
        expr: Expr,
        /// How.
        format: Option<Format>,
    },
}

/// How a value is written in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// As a person says it.
    Spoken,
    /// The date of a date or datetime.
    Date,
    /// The time of a time or datetime.
    Time,
    /// Digit by digit.
    Digits,
    /// ISO 8601, E.164, plain numbers.
    Iso,
}

/// What `expect` may ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// `outcome`
    Outcome,
    /// `ended_by`
    EndedBy,
    /// `turns`: caller turns
    Turns,
    /// `visited(a, b)`: all of them, in this order
    Visited(Vec<(AgentId, NodeId)>),
    /// `said("…")`: the words were spoken by the agent; case and spaces do not matter
    Said(String),
    /// `sent(webhook)`
    Sent(AgentId, WebhookId),
    /// `called(tool)`: how often
    Called(ToolRef),
    /// `searched(knowledge)`: how often
    Searched(KnowledgeId),
}

impl Expr {
    /// A hole at a place.
    pub fn hole(origin: Origin) -> Self {
        Self { kind: ExprKind::Hole, ty: Type::hole(), origin }
    }
}

impl Template {
    /// A text without interpolations.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// The text, if it has no interpolations.
    pub fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}
