//! A model beside the script: for `--live`, `caller` and `judge`.
//!
//! With a script the model is asked what it would do on every turn, the difference is noted, and
//! the script goes on: so each turn is compared for itself. Without one the model decides.

use dgh_ir::test::{TestStep, TestStepKind};
use serde_json::Value as Json;

use super::model::Calls;
use super::{Difference, TestFailure};
use crate::effect::Record;
use crate::functions::{CONFIRM, GO, NOTE};
use crate::reply::ReplyRequest;

/// What a driver with a model can do for a test. An error ends the test.
pub trait Live {
    /// What the model makes of a request.
    fn reply(&mut self, request: &ReplyRequest) -> Result<LiveReply, String>;

    /// What a simulated person says next; none: they hang up.
    fn person(&mut self, who: &str, dialogue: &[Record]) -> Result<Option<String>, String>;

    /// How far an opinion about a call holds, in percent, and why.
    fn judge(&mut self, opinion: &str, dialogue: &[Record]) -> Result<(u32, String), String>;
}

/// A reply of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveReply {
    /// Its sentences.
    pub sentences: Vec<String>,
    /// Its calls of functions: name and arguments.
    pub calls: Vec<(String, Json)>,
}

/// Turns that a simulated person takes at the most.
pub const MOST_TURNS: usize = 40;

/// Percent from which an opinion holds when a `judge` does not say.
pub const HOLDS_FROM: u32 = 80;

/// Why a test cannot run without a model.
pub(super) fn needs_model(steps: &[TestStep]) -> Option<&'static str> {
    steps.iter().find_map(|step| match step.kind {
        TestStepKind::Caller(_) => Some("a simulated caller needs a model"),
        TestStepKind::Judge(..) => Some("a judge needs a model"),
        _ => None,
    })
}

/// Where the model does something else than the script says.
pub(super) fn difference(at: &TestFailure, scripted: &Calls, model: &LiveReply) -> Option<Difference> {
    let (expected, got) = (said(scripted), said(&model.calls));
    let missing = expected.iter().any(|call| !got.contains(call));
    let route = |calls: &[String]| calls.iter().find(|call| call.starts_with(GO)).cloned();
    if !missing && route(&expected) == route(&got) {
        return None;
    }
    let list = |calls: &[String]| if calls.is_empty() { "nothing".to_owned() } else { calls.join(", ") };
    Some(Difference { origin: at.origin, expected: list(&expected), got: list(&got) })
}

/// What calls come to, one line for each route, value and answer.
fn said(calls: &Calls) -> Vec<String> {
    let mut all = Vec::new();
    for (name, arguments) in calls {
        match (name.as_str(), arguments) {
            (NOTE, Json::Object(values)) => {
                all.extend(values.iter().map(|(name, value)| format!("{name} = {}", plain(value))));
            }
            (GO, _) => all.push(format!("{GO} {}", plain(arguments.get("label").unwrap_or(&Json::Null)))),
            (CONFIRM, _) => {
                all.push(format!("{CONFIRM} {}", plain(arguments.get("answer").unwrap_or(&Json::Null))));
            }
            (other, _) => all.push(other.to_owned()),
        }
    }
    all.sort();
    all
}

/// A value as both sides would write it: models write numbers as texts and the other way round.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.trim().to_lowercase(),
        Json::Object(fields) if fields.contains_key("amount") => {
            let part = |name: &str| fields.get(name).map(plain).unwrap_or_default();
            format!("{} {}", part("amount"), part("currency"))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use dgh_ir::Origin;
    use serde_json::json;

    use super::*;

    fn at() -> TestFailure {
        TestFailure { origin: Origin::NONE, message: String::new() }
    }

    fn calls(all: &[(&str, Json)]) -> Calls {
        all.iter().map(|(name, arguments)| ((*name).to_owned(), arguments.clone())).collect()
    }

    fn reply(all: &[(&str, Json)]) -> LiveReply {
        LiveReply { sentences: Vec::new(), calls: calls(all) }
    }

    #[test]
    fn values_written_otherwise_are_the_same() {
        let script = calls(&[(NOTE, json!({ "budget": { "amount": 20000, "currency": "USD" }, "n": 3 }))]);
        let model = reply(&[(NOTE, json!({ "budget": "20000 usd", "n": "3", "more": true }))]);
        assert_eq!(difference(&at(), &script, &model), None);
    }

    #[test]
    fn another_route_is_a_difference_and_so_is_one_too_many() {
        let script = calls(&[(GO, json!({ "label": "busy" }))]);
        let other = reply(&[(GO, json!({ "label": "agrees" }))]);
        let found = difference(&at(), &script, &other);
        assert_eq!(found.map(|d| (d.expected, d.got)), Some(("go busy".to_owned(), "go agrees".to_owned())));
        let unasked = difference(&at(), &Calls::new(), &other);
        assert_eq!(unasked.map(|d| d.expected), Some("nothing".to_owned()));
    }

    #[test]
    fn a_value_that_the_model_missed_is_a_difference() {
        let script = calls(&[(NOTE, json!({ "day": "2026-03-02" }))]);
        let found = difference(&at(), &script, &reply(&[]));
        assert_eq!(found.map(|d| d.got), Some("nothing".to_owned()));
    }
}
