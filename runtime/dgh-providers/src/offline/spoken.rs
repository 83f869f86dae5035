//! How dates, times and data are said: `2026-03-02T09:00` is "Monday, March 2nd at 9 AM".

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use dgh_ir::render::value_text;
use dgh_ir::{Kind, Purpose, Value};
use serde_json::Value as Json;

use super::words::{self, Words};

/// "Monday, March 2nd"; with the year when it is another one.
pub(super) fn day(date: NaiveDate, now: NaiveDateTime) -> String {
    said(&Value::Date(date), &Kind::Date, now).unwrap_or_else(|| date.to_string())
}

fn said(value: &Value, kind: &Kind, now: NaiveDateTime) -> Option<String> {
    value_text(value, kind, Purpose::Speech, "en", Some(now)).ok()
}

/// A value as text, as people say it: `{"id":"s1","at":"2026-03-02T09:00","dentist":"Dr. Wu"}` is
/// "Monday, March 2nd at 9 AM, Dr. Wu".
pub(super) fn data(text: &str, now: NaiveDateTime) -> String {
    match serde_json::from_str::<Json>(text.trim()) {
        Ok(value @ (Json::Object(_) | Json::Array(_))) => json(&value, now),
        _ => humane(text, now),
    }
}

/// JSON as people say it. Names of things stay, keys and identifiers do not.
pub(super) fn json(value: &Json, now: NaiveDateTime) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => humane(text, now),
        Json::Array(items) => list(&items.iter().map(|item| json(item, now)).collect::<Vec<_>>(), "and"),
        Json::Object(fields) => {
            let shown: Vec<String> = fields
                .iter()
                .filter(|(key, value)| !is_key(key) && !value.is_null() && !value.is_boolean())
                .map(|(key, value)| field(key, value, now))
                .filter(|text| !text.is_empty())
                .collect();
            shown.join(", ")
        }
    }
}

/// "a, b and c"
pub(super) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} {last} {second}"),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}

/// A name of the program as words: `this_quarter`, `demo_at`, `dayOfVisit`.
pub(super) fn words_of(name: &str) -> String {
    let mut out = String::new();
    for (at, char) in name.chars().enumerate() {
        if char == '_' || char == '-' || char == '.' {
            out.push(' ');
        } else if char.is_uppercase() && at > 0 {
            out.push(' ');
            out.extend(char.to_lowercase());
        } else {
            out.extend(char.to_lowercase());
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes the first letter large and ends with the mark.
pub(super) fn sentence(text: &str, mark: char) -> String {
    let text = text.trim().trim_end_matches(['.', '?', '!', ',', ';', ':']);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}{mark}", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

fn field(key: &str, value: &Json, now: NaiveDateTime) -> String {
    let said = json(value, now);
    // A bare number says nothing without its name.
    if value.is_number() && !said.is_empty() { format!("{} {said}", words_of(key)) } else { said }
}

fn is_key(key: &str) -> bool {
    let key = key.to_lowercase();
    matches!(
        key.as_str(),
        "id" | "key" | "uuid" | "guid" | "url" | "link" | "hash" | "token" | "score" | "source"
    ) || key.ends_with("_id")
        || key.ends_with("_url")
}

/// Replaces written dates and times in a text by spoken ones; drops braces and quotes of data.
fn humane(text: &str, now: NaiveDateTime) -> String {
    let mut out: Vec<String> = Vec::new();
    for chunk in text.split_whitespace() {
        let inner = chunk
            .trim_matches(|mark: char| matches!(mark, ',' | '"' | '{' | '}' | '[' | ']' | ';' | '(' | ')'));
        let said = spoken_chunk(inner, now);
        match said {
            Some(said) => out.push(chunk.replace(inner, &said).replace(['"', '{', '}'], "")),
            None => out.push(chunk.replace(['{', '}'], "")),
        }
    }
    out.retain(|chunk| !chunk.is_empty());
    out.join(" ")
}

fn spoken_chunk(chunk: &str, now: NaiveDateTime) -> Option<String> {
    if let Some(both) = iso_moment(chunk) {
        return said(&Value::DateTime(both), &Kind::DateTime, now);
    }
    if let Ok(date) = NaiveDate::parse_from_str(chunk, "%Y-%m-%d") {
        return Some(day(date, now));
    }
    if chunk.len() == 5 {
        let time = NaiveTime::parse_from_str(chunk, "%H:%M").ok()?;
        return said(&Value::Time(time), &Kind::Time, now);
    }
    None
}

fn iso_moment(chunk: &str) -> Option<NaiveDateTime> {
    let local = chunk.trim_end_matches('Z');
    let local = match local.get(19..) {
        Some(offset) if offset.starts_with(['+', '-', '.']) => local.get(..19)?,
        _ => local,
    };
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(local, form).ok())
}

/// What an entry of a list holds: to find the one that a caller describes.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// Its days.
    pub(super) days: Vec<NaiveDate>,
    /// Its times.
    pub(super) times: Vec<NaiveTime>,
    /// Its words, in lower case.
    pub(super) words: Vec<String>,
}

/// Reads an entry as it came: text or JSON.
pub(super) fn entry(text: &str) -> Entry {
    let mut entry = Entry::default();
    let parsed = serde_json::from_str::<Json>(text.trim()).ok();
    let mut leaves = Vec::new();
    match &parsed {
        Some(value @ (Json::Object(_) | Json::Array(_))) => collect(value, &mut leaves),
        _ => leaves.extend(text.split_whitespace().map(str::to_owned)),
    }
    for leaf in leaves {
        for chunk in leaf.split_whitespace() {
            let inner = chunk.trim_matches(|mark: char| ",\"{}[]();".contains(mark));
            if let Some(both) = iso_moment(inner) {
                entry.days.push(both.date());
                entry.times.push(both.time());
            } else if let Ok(date) = NaiveDate::parse_from_str(inner, "%Y-%m-%d") {
                entry.days.push(date);
            } else if let Some(time) =
                NaiveTime::parse_from_str(inner, "%H:%M").ok().filter(|_| inner.len() == 5)
            {
                entry.times.push(time);
            } else {
                let words = Words::new(inner);
                entry.words.extend(
                    words.iter().filter(|word| word.kind != words::Kind::Mark).map(|word| word.text.clone()),
                );
            }
        }
    }
    entry
}

fn collect(value: &Json, leaves: &mut Vec<String>) {
    match value {
        Json::String(text) => leaves.push(text.clone()),
        Json::Number(number) => leaves.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, leaves)),
        Json::Object(fields) => {
            fields.iter().filter(|(key, _)| !is_key(key)).for_each(|(_, item)| collect(item, leaves));
        }
        Json::Null | Json::Bool(_) => {}
    }
}
