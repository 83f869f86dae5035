//! The model of a test: it does what `means` says, and guesses nothing.

use dgh_ir::Value;
use dgh_ir::test::Meaning;
use serde_json::{Map, Value as Json, json};

use crate::functions::{CONFIRM, DECLINED, GO, NOTE};
use crate::reply::{Card, Purpose, ReplyRequest, Shape, Wanted};

/// Calls of functions, in order.
pub(super) type Calls = Vec<(String, Json)>;

/// What `means` comes to on this card, or what does not fit.
pub(super) fn meant(meaning: &Meaning, card: &Card) -> Result<Calls, String> {
    let mut calls = Calls::new();
    if !meaning.notes.is_empty() {
        let mut notes = Map::new();
        for note in &meaning.notes {
            if !card.wanted.iter().any(|wanted| wanted.name == note.name) {
                return Err(format!(
                    "`{}` cannot be learned in node `{}`{}",
                    note.name,
                    card.node,
                    list("; here it can be ", card.wanted.iter().map(|w| w.name.as_str())),
                ));
            }
            let value = match &note.value {
                Value::None => Json::String(DECLINED.into()),
                value => dgh_ir::to_json(value),
            };
            notes.insert(note.name.clone(), value);
        }
        calls.push((NOTE.into(), notes.into()));
    }
    if let Some(label) = &meaning.label {
        if !card.labels.iter().any(|offered| offered.name == *label) {
            return Err(format!(
                "`{label}` cannot be chosen in node `{}`{}",
                card.node,
                list("; here it can be ", card.labels.iter().map(|l| l.name.as_str())),
            ));
        }
        calls.push((GO.into(), json!({ "label": label })));
    }
    Ok(calls)
}

/// What plain words come to: a yes or no to a read-back, a `like` sentence, an enum case, a yes
/// or no, a number. Anything else would be a guess.
pub(super) fn understood(text: &str, card: &Card) -> Result<Calls, String> {
    let words = plain(text);
    if card.read_back.is_some()
        && let Some(answer) = yes_or_no(&words)
    {
        let answer = if answer { "yes" } else { "no" };
        return Ok(vec![(CONFIRM.into(), json!({ "answer": answer }))]);
    }
    let like = card.labels.iter().find(|l| l.like.iter().any(|like| plain(like) == words));
    if let Some(label) = like {
        return Ok(vec![(GO.into(), json!({ "label": label.name }))]);
    }
    let missing = || card.wanted.iter().filter(|wanted| wanted.missing);
    let fitting: Vec<(&Wanted, Json)> =
        missing().filter_map(|wanted| Some((wanted, value_of(&words, &wanted.shape)?))).collect();
    match fitting.as_slice() {
        [(wanted, value)] => {
            let mut notes = Map::new();
            notes.insert(wanted.name.clone(), value.clone());
            Ok(vec![(NOTE.into(), notes.into())])
        }
        [] => Err(format!(
            "nothing says what \"{text}\" means here; add `means` with{}{} or `means nothing`",
            list(" a label: ", card.labels.iter().map(|label| label.name.as_str())),
            list(" a value: ", card.wanted.iter().map(|wanted| wanted.name.as_str())),
        )),
        several => Err(format!(
            "\"{text}\" could be{}; say which with `means`",
            list(" ", several.iter().map(|(wanted, _)| wanted.name.as_str())),
        )),
    }
}

/// Whether a reply with these calls has no words: what follows speaks.
pub(super) fn is_silent(request: &ReplyRequest, calls: &Calls) -> bool {
    request.purpose == Purpose::Extract || calls.iter().any(|(name, _)| name == GO)
}

/// The words of a reply with these calls, if it has any; `fixed`: those that the test gives it.
pub(super) fn words(request: &ReplyRequest, calls: &Calls, fixed: Option<&str>) -> Option<String> {
    match (fixed, request.purpose) {
        _ if is_silent(request, calls) => None,
        (Some(words), _) => Some(words.to_owned()),
        // The turn itself is answered by what follows: the next node, the `ask:`, one more
        // request.
        (None, Purpose::Turn | Purpose::Extract) => None,
        (None, _) => calls.is_empty().then(|| stand_in(request)),
    }
}

/// What stands for the model's words when a test does not fix them.
fn stand_in(request: &ReplyRequest) -> String {
    let missing: Vec<_> =
        request.card.wanted.iter().filter(|w| w.missing).map(|w| w.name.replace('_', " ")).collect();
    match (&request.card.instruction, missing.as_slice()) {
        (Some(instruction), _) => format!("(says: {instruction})"),
        (None, []) => format!("(speaks in {})", request.card.node),
        (None, missing) => format!("(asks for {})", missing.join(", ")),
    }
}

fn value_of(words: &str, shape: &Shape) -> Option<Json> {
    match shape {
        Shape::Bool => yes_or_no(words).map(Json::Bool),
        Shape::Enum { cases } => {
            let case = cases.iter().find(|case| plain(&case.replace('_', " ")) == words)?;
            Some(Json::String(case.clone()))
        }
        Shape::Int { .. } => words.parse::<i64>().ok().map(Json::from),
        Shape::Choice { options } => {
            let number = words.parse::<usize>().ok()?;
            (1..=options.len()).contains(&number).then(|| Json::from(number))
        }
        Shape::Number => words.parse::<rust_decimal::Decimal>().ok().map(|n| Json::String(n.to_string())),
        Shape::Digits { count } => {
            let digits = words.len() == *count as usize && words.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| Json::String(words.to_owned()))
        }
        _ => None,
    }
}

/// Words without capitals, punctuation and double spaces.
fn plain(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '.' | '-');
    let text: String = text.chars().map(|c| if kept(c) { c } else { ' ' }).collect();
    let words = text.split_whitespace().map(|word| word.trim_matches(['.', '-', '\'']));
    let words: Vec<String> = words.filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    words.join(" ")
}

fn yes_or_no(words: &str) -> Option<bool> {
    const YES: &[&str] = &[
        "yes", "yeah", "yep", "yup", "sure", "correct", "right", "exactly", "ok", "okay", "sí", "si", "oui",
        "ja", "sim", "sì",
    ];
    const NO: &[&str] = &["no", "nope", "nah", "wrong", "incorrect", "non", "nein", "não", "nee"];
    let first = words.split(' ').next()?;
    if YES.contains(&first) {
        Some(true)
    } else if NO.contains(&first) {
        Some(false)
    } else {
        None
    }
}

fn list<'a>(intro: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => format!("{intro}{only}"),
        [first @ .., last] => format!("{intro}{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_yes_or_no_counts_as_one() {
        assert_eq!(yes_or_no(&plain("Yes, that is right")), Some(true));
        assert_eq!(yes_or_no(&plain("No.")), Some(false));
        assert_eq!(yes_or_no(&plain("I think yes")), None);
    }

    #[test]
    fn a_case_is_said_with_spaces_for_its_underscores() {
        let shape = Shape::Enum { cases: vec!["this_quarter".into()] };
        assert_eq!(value_of(&plain("This quarter!"), &shape), Some(json!("this_quarter")));
        assert_eq!(value_of(&plain("this quarter or next"), &shape), None);
    }
}
