//! What an expression may see while it is evaluated, and why it may have no value.

use std::borrow::Cow;

use crate::expr::{Builtin, Probe};
use crate::program::SlotId;
use crate::value::{Currency, Value};

/// The world of an expression: the slots of its dialogue or the parameters of its tool, and the
/// facts of the call. Secrets are not part of it: only what sends a request may resolve them.
pub trait Scope {
    /// The value of a slot; none: unset. A `T?` that is known to be missing is [`Value::None`].
    fn slot(&self, id: SlotId) -> Option<&Value>;

    /// The name of a slot, for messages and for the `[name]` that stands for a private value.
    fn slot_name(&self, id: SlotId) -> &str;

    /// The value of a name that is always there; [`Value::None`] when it is missing.
    fn builtin(&self, name: Builtin) -> Value;

    /// `env.NAME`; none: the profile does not set it.
    fn env(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Language tag of the call, for phrases and for how values are spoken.
    fn language(&self) -> &str;

    /// What a test asks. Nothing but a test has an answer.
    fn probe(&self, probe: &Probe) -> Value {
        let _ = probe;
        Value::None
    }
}

/// Why an expression has no value. Its text never holds a value, so that a message cannot give a
/// private one away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A name without a value, or a value that is missing.
    #[error("`{0}` has no value")]
    Missing(String),
    /// `x / 0`
    #[error("this divides by zero")]
    DivisionByZero,
    /// A number, date or duration outside of what can be held.
    #[error("the result is too large")]
    Overflow,
    /// Money of two currencies.
    #[error("an amount in {} and one in {} do not go together", .0.code(), .1.code())]
    Currencies(Currency, Currency),
    /// The wrong sort of value.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What fits, with its article.
        expected: &'static str,
        /// What it is, with its article.
        found: &'static str,
    },
    /// Two values that an operator does not take.
    #[error("`{op}` does not go with {left} and {right}")]
    Operands {
        /// The operator.
        op: &'static str,
        /// The sort of the left one.
        left: &'static str,
        /// The sort of the right one.
        right: &'static str,
    },
    /// A date moved by a part of a day.
    #[error("a date moves by whole days; use a datetime for hours")]
    PartOfDay,
    /// A `match` without an arm for the value.
    #[error("no arm of the match fits the value")]
    NoArm,
    /// A secret where no request is sent.
    #[error("`secret.{0}` is filled in only where a request is sent")]
    Secret(String),
    /// An `env` name that the profile does not set.
    #[error("`env.{0}` is not set")]
    Env(String),
    /// An `env` name whose text does not fit its type.
    #[error("`env.{name}` does not hold {expected}")]
    BadEnv {
        /// Which.
        name: String,
        /// What fits.
        expected: String,
    },
    /// A range outside of `in`.
    #[error("a range has no value of its own; it stands behind `in`")]
    Range,
    /// A value that cannot be written in a text.
    #[error("{0} cannot be written in a text; name one of its fields")]
    NoText(&'static str),
    /// Nested deeper than [`crate::MAX_EXPR_DEPTH`].
    #[error("this is nested too deeply")]
    TooDeep,
    /// A place that did not compile.
    #[error("this did not compile")]
    Hole,
}

impl Value {
    /// What sort of value it is, with its article: "a date".
    pub fn sort(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a yes or no",
            Self::Int(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Money(..) => "an amount of money",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::DateTime(_) => "a date with a time",
            Self::Duration(_) => "a length of time",
            Self::Case(_) => "a case",
            Self::Record(_) => "a record",
            Self::List(_) => "a list",
        }
    }
}
