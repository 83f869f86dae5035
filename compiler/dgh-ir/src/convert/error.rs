//! Why a JSON value does not fit a type.

use serde_json::Value as Json;

use crate::program::Program;
use crate::types::Kind;

/// A value that does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertError {
    /// Where inside the value: `slots[0].at`; empty: the value itself.
    pub path: String,
    /// What fits, with its article: `a date, like 2026-03-01`.
    pub expected: String,
    /// What is there: `the text "tomorrow"`; for a private place only the sort.
    pub found: String,
}

impl std::fmt::Display for ConvertError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for ConvertError {}

/// What a value of this kind looks like, for a person who has to write one.
pub fn expected(program: &Program, kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".into(),
        Kind::Bool => "true or false".into(),
        Kind::Int => "a whole number".into(),
        Kind::Number => "a number".into(),
        Kind::Money(None) => "an amount of money with its currency, like 20 USD".into(),
        Kind::Money(Some(currency)) => format!("an amount in {}", currency.code()),
        Kind::Date => "a date, like 2026-03-01".into(),
        Kind::Time => "a time, like 09:30".into(),
        Kind::DateTime => "a date with a time, like 2026-03-01T09:30".into(),
        Kind::Duration => "a length of time, like 90s or 5min".into(),
        Kind::Phone => "a phone number with its country code, like +14155550100".into(),
        Kind::Email => "an e-mail address".into(),
        Kind::Url => "a web address".into(),
        Kind::Digits(1) => "one digit".into(),
        Kind::Digits(count) => format!("{count} digits"),
        Kind::IntRange(low, high) => format!("a whole number from {low} to {high}"),
        Kind::Enum(id) => match program.enums.get(*id) {
            Some(def) => format!("one of {}", def.cases.join(", ")),
            None => "a case".into(),
        },
        Kind::Record(id) => match program.records.get(*id) {
            Some(def) => format!("an object with the fields of {}", def.name),
            None => "an object".into(),
        },
        Kind::List(_) => "a list".into(),
        Kind::Nothing => "nothing".into(),
        Kind::Json | Kind::Hole => "any value".into(),
        Kind::Range(_) | Kind::Secret => "no value".into(),
    }
}

/// What is there. A private value shows its sort alone.
pub(super) fn found(json: &Json, private: bool) -> String {
    match json {
        Json::Null => "nothing".into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
        Json::Bool(_) if private => "a yes or no".into(),
        Json::Number(_) if private => "a number".into(),
        Json::String(_) if private => "a text".into(),
        Json::Bool(value) => value.to_string(),
        Json::Number(value) => format!("the number {value}"),
        Json::String(text) if text.is_empty() => "an empty text".into(),
        Json::String(text) => {
            let short: String = text.chars().take(40).collect();
            let dots = if short.len() < text.len() { "…" } else { "" };
            format!("the text {:?}", format!("{short}{dots}"))
        }
    }
}
