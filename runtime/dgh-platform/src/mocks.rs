//! The mocked tools of a profile: `[[profiles.NAME.mocks.TOOL]]`.

use std::time::Duration;

use dgh_compile::manifest::MockCase;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// The mocks of one call, and how often each case answered.
pub struct Mocks {
    cases: IndexMap<String, Vec<(MockCase, u32)>>,
}

/// What a mock answers, and after how long.
pub struct Answer {
    /// The answer, or why there is none.
    pub result: Result<Json, String>,
    /// How long it takes.
    pub delay: Duration,
}

impl Mocks {
    /// Those of a profile.
    pub fn new(mocks: &IndexMap<String, Vec<MockCase>>) -> Self {
        let fresh = |cases: &Vec<MockCase>| cases.iter().map(|case| (case.clone(), 0)).collect();
        Self { cases: mocks.iter().map(|(tool, cases)| (tool.clone(), fresh(cases))).collect() }
    }

    /// The answer of the first case that fits and is not used up; none when the tool has no mock.
    pub fn answer(&mut self, tool: &str, arguments: &Json) -> Option<Answer> {
        let cases = self.cases.get_mut(tool)?;
        let fits = |case: &MockCase, used: u32| {
            case.times.is_none_or(|times| used < times)
                && case.when.iter().all(|(name, value)| arguments.get(name) == Some(value))
        };
        let Some((case, used)) = cases.iter_mut().find(|(case, used)| fits(case, *used)) else {
            let result = Err(format!("no mock of `{tool}` fits these arguments"));
            return Some(Answer { result, delay: Duration::ZERO });
        };
        *used += 1;
        let result = case.answer.clone().map(|answer| fill(answer, arguments));
        Some(Answer { result, delay: Duration::from_millis(case.delay_ms) })
    }
}

/// Replaces `{{ parameter }}` in the texts of an answer by the argument.
fn fill(answer: Json, arguments: &Json) -> Json {
    match answer {
        Json::String(text) => Json::String(fill_text(&text, arguments)),
        Json::Array(items) => Json::Array(items.into_iter().map(|item| fill(item, arguments)).collect()),
        Json::Object(fields) => {
            Json::Object(fields.into_iter().map(|(name, value)| (name, fill(value, arguments))).collect())
        }
        other => other,
    }
}

fn fill_text(text: &str, arguments: &Json) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match arguments.get(name.trim()) {
            Some(Json::String(text)) => out.push_str(text),
            Some(other) => out.push_str(&other.to_string()),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use dgh_diag::{FileId, Place, Span};
    use serde_json::json;

    use super::*;

    fn case(when: &[(&str, Json)], answer: Result<Json, &str>, times: Option<u32>) -> MockCase {
        MockCase {
            when: when.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            answer: answer.map_err(str::to_owned),
            delay_ms: 0,
            times,
            place: Place { file: FileId(0), span: Span::at(0) },
        }
    }

    fn mocks(cases: Vec<MockCase>) -> Mocks {
        Mocks::new(&IndexMap::from([("tool".to_owned(), cases)]))
    }

    #[test]
    fn the_first_case_that_fits_answers() {
        let mut mocks = mocks(vec![
            case(&[("day", json!("2026-03-01"))], Err("timeout"), None),
            case(&[], Ok(json!({ "at": "{{ day }}T09:00", "text": "{{ none }}{{ open" })), None),
        ]);
        let failed = mocks.answer("tool", &json!({ "day": "2026-03-01" })).unwrap();
        assert_eq!(failed.result, Err("timeout".to_owned()));
        let answered = mocks.answer("tool", &json!({ "day": "2026-03-02" })).unwrap();
        assert_eq!(answered.result, Ok(json!({ "at": "2026-03-02T09:00", "text": "{{ open" })));
    }

    #[test]
    fn a_case_is_used_up_after_its_times() {
        let mut mocks =
            mocks(vec![case(&[], Ok(json!(false)), Some(1)), case(&[], Ok(json!(true)), Some(1))]);
        let mut next = || mocks.answer("tool", &json!({})).unwrap().result;
        assert_eq!([next(), next()], [Ok(json!(false)), Ok(json!(true))]);
        assert!(next().unwrap_err().contains("fits"));
    }

    #[test]
    fn a_tool_without_a_mock_has_no_answer() {
        assert!(mocks(Vec::new()).answer("other", &json!({})).is_none());
    }
}
