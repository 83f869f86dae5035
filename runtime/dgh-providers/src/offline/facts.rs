//! Answers to questions without a model: the date, who is speaking, what the persona states as a
//! fact, what is known; and tools that can find more. What is not there is not made up.

use dgh_engine::reply::{Card, Function, ToolExchange};
use serde_json::{Map, Value as Json, json};

use super::concepts::caller_means;
use super::dates::{Calendar, dates};
use super::hits::meant;
use super::numbers::numbers;
use super::patterns::says;
use super::spoken::{self, data, sentence, words_of};
use super::synonyms::{is_filler, meaning};
use super::wording::{introduction, sentences};
use super::words::{Kind, Words, plain};

/// An answer from what is at hand.
pub(super) fn fact(words: &Words, card: &Card, persona: &str) -> Option<String> {
    let plain_words = plain(words);
    let asks = |phrases: &str| says(&plain_words, phrases);
    if caller_means(&plain_words, "robot") {
        return Some("I am an automated assistant.".to_owned());
    }
    if asks(
        "what day is it|today; what is the date; what is today|todays; what date is it|today; \
         which day is it|today",
    ) {
        return Some(format!("Today is {}.", spoken::day(card.now.date(), card.now)));
    }
    if asks("what time is it; what is the time") {
        return Some(format!("It is {}.", data(&card.now.format("%H:%M").to_string(), card.now)));
    }
    if asks(
        "what is this about|regarding|concerning; what is this call; why are you calling; who are you; who is this|that|calling|speaking; what is your name; \
         who am i speaking|talking; whom? am i speaking|talking; what company|firm is|are|do|you; \
         where are you calling from",
    ) {
        return introduction(persona);
    }
    known(&plain_words, card).or_else(|| stated(words, persona, card.prompt.as_deref().unwrap_or_default()))
}

/// The tool that can answer, and its arguments: all that it needs must be at hand.
pub(super) fn tool(
    words: &Words,
    card: &Card,
    functions: &[Function],
    values: &Map<String, Json>,
) -> Option<(String, Json)> {
    let said = topics(words);
    let usable = functions.iter().filter(|function| card.tools.contains(&function.name));
    let mut best: Option<(usize, String, Json)> = None;
    for function in usable {
        let Some(arguments) = arguments(function, words, card, values) else { continue };
        let searches = arguments.get("query").is_some() || arguments.get("question").is_some();
        let shared =
            |text: &str| topics(&Words::new(text)).iter().filter(|token| said.contains(token)).count();
        let (named, described) = (shared(&words_of(&function.name)), shared(&function.description));
        let computes = arguments.get("expression").is_some();
        let score = (named + described) * 2 + usize::from(searches) + usize::from(computes) * 3;
        // One word of a description is too little to call a tool for.
        let enough = named > 0 || described > 1 || searches || computes;
        if enough && best.as_ref().is_none_or(|(other, ..)| score > *other) {
            best = Some((score, function.name.clone(), arguments));
        }
    }
    best.map(|(_, name, arguments)| (name, arguments))
}

/// What tools answered, in words.
pub(super) fn report(exchanges: &[ToolExchange], question: &str, card: &Card) -> Vec<String> {
    let mut out = Vec::new();
    for exchange in exchanges {
        let failed = exchange
            .result
            .as_object()
            .is_some_and(|result| result.len() == 1 && result.contains_key("error"));
        if failed {
            out.push("I am sorry, I could not look that up.".to_owned());
            continue;
        }
        out.extend(said(&exchange.result, question, card));
    }
    out
}

fn said(result: &Json, question: &str, card: &Card) -> Vec<String> {
    let mut passages = Vec::new();
    texts(result, &mut passages);
    let empty = match result {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::String(text) => text.trim().is_empty(),
        _ => false,
    };
    if empty {
        return vec!["I am sorry, I found nothing about that.".to_owned()];
    }
    // A passage of a document: its sentences that are about the question, two at most.
    if passages.iter().any(|text| text.len() > 80 || sentences(text).len() > 1) {
        let wanted = topics(&Words::new(question));
        let mut ranked: Vec<(usize, usize, String)> = passages
            .iter()
            .flat_map(|text| sentences(text))
            .enumerate()
            .map(|(at, text)| {
                (topics(&Words::new(&text)).iter().filter(|token| wanted.contains(token)).count(), at, text)
            })
            .collect();
        ranked.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        let any = ranked.first().is_some_and(|(score, ..)| *score > 0);
        ranked.truncate(if any { 2 } else { 1 });
        ranked.retain(|(score, ..)| *score > 0 || !any);
        ranked.sort_by_key(|(_, at, _)| *at);
        // What shares no word with the question may still answer it; it is only said what it is.
        let lead = if any { "" } else { "I found this: " };
        return ranked.into_iter().map(|(_, _, text)| sentence(&format!("{lead}{text}"), '.')).collect();
    }
    let lead = match result {
        Json::Array(items) if items.len() > 1 => "This is what I found: ",
        Json::Bool(_) => {
            return vec![if *result == Json::Bool(true) { "Yes.".to_owned() } else { "No.".to_owned() }];
        }
        _ => "I found this: ",
    };
    let short = match result {
        Json::Array(items) if items.len() > 5 => Json::Array(items.iter().take(5).cloned().collect()),
        other => other.clone(),
    };
    vec![sentence(&format!("{lead}{}", spoken::json(&short, card.now)), '.')]
}

fn texts(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Json::Object(fields) => {
            let body = ["text", "content", "passage", "answer"].iter().find_map(|key| fields.get(*key));
            match body {
                Some(body) => texts(body, out),
                None => fields.values().for_each(|item| texts(item, out)),
            }
        }
        _ => {}
    }
}

/// "What day did I say?"
fn known(plain_words: &[String], card: &Card) -> Option<String> {
    let mine = "did i say|tell|give|ask|book|choose; do you have * me|my|for|down|on; \
         what * have|put|got * down|me|so far; what is|was my; am i booked";
    if !says(plain_words, mine) {
        return None;
    }
    let said: Vec<String> =
        plain_words.iter().filter(|word| !is_filler(word)).map(|word| meaning(word)).collect();
    let entry = card.known.iter().filter(|known| !known.value.starts_with('[')).find(|known| {
        let about =
            Words::new(&format!("{} {}", words_of(&known.name), known.about.as_deref().unwrap_or_default()));
        topics(&about).iter().any(|token| said.contains(token))
    })?;
    Some(sentence(&format!("I have {}", data(&entry.value, card.now)), '.'))
}

/// A sentence of the persona or the prompt that states something about what is asked.
fn stated(words: &Words, persona: &str, prompt: &str) -> Option<String> {
    let wanted: Vec<String> = topics(words);
    let mut best: Option<(usize, String)> = None;
    for text in sentences(persona).into_iter().chain(sentences(prompt)) {
        if !is_fact(&text) {
            continue;
        }
        let shared = topics(&Words::new(&text)).iter().filter(|token| wanted.contains(token)).count();
        if shared > 0 && best.as_ref().is_none_or(|(other, _)| shared > *other) {
            best = Some((shared, text));
        }
    }
    best.map(|(_, text)| sentence(&text, '.'))
}

/// Whether a sentence states something for the caller. "Opening hours: nine to five." and "We accept all insurances." are facts; "Never give medical
/// advice." and "You are Ada." are not for the caller.
pub(super) fn is_fact(text: &str) -> bool {
    let words = Words::new(text);
    if text.contains("{{")
        || words.len() < 3
        || words.has(&[
            "you",
            "your",
            "caller",
            "callers",
            "them",
            "they",
            "never",
            "don't",
            "customer",
            "customers",
            "user",
            "patient",
        ])
    {
        return false;
    }
    let first = words.at(0);
    if words.is(1, &[":"]) || words.is(2, &[":"]) || words.is(3, &[":"]) {
        return !matches!(
            first,
            "style"
                | "tone"
                | "rules"
                | "rule"
                | "goal"
                | "role"
                | "task"
                | "persona"
                | "note"
                | "important"
                | "example"
        );
    }
    let states = matches!(
        first,
        "we" | "our"
            | "the"
            | "it"
            | "there"
            | "parking"
            | "opening"
            | "prices"
            | "a"
            | "all"
            | "every"
            | "appointments"
            | "delivery"
            | "shipping"
            | "payment"
    ) || words.capital(0)
        && words.is(1, &["is", "are", "has", "offers", "sells", "opens", "costs", "takes", "accepts", "was"]);
    states && !words.has(&["must", "should", "always"])
}

/// The words that tell what a text is about, by meaning.
pub(super) fn topics(words: &Words) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in plain(words) {
        let token = meaning(&word);
        if word != "," && !is_filler(&word) && word.len() > 1 && !out.contains(&token) {
            out.push(token);
        }
    }
    out
}

/// The arguments of a tool, when all that it requires is at hand.
fn arguments(function: &Function, words: &Words, card: &Card, values: &Map<String, Json>) -> Option<Json> {
    let none = Map::new();
    let properties = function.parameters.get("properties").and_then(Json::as_object).unwrap_or(&none);
    let required: Vec<&str> = function
        .parameters
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let mut out = Map::new();
    for (name, schema) in properties {
        match argument(name, schema, words, card, values) {
            Some(value) => {
                out.insert(name.clone(), value);
            }
            None if required.contains(&name.as_str()) => return None,
            None => {}
        }
    }
    Some(Json::Object(out))
}

fn argument(
    name: &str,
    schema: &Json,
    words: &Words,
    card: &Card,
    values: &Map<String, Json>,
) -> Option<Json> {
    if let Some(value) = values.get(name).filter(|value| !value.is_null()) {
        return Some(value.clone());
    }
    if let Some(known) = card.known.iter().find(|known| known.name == name && !known.value.starts_with('[')) {
        return Some(json!(known.value));
    }
    match name {
        "query" | "question" | "search" | "q" => return Some(json!(words.source().trim())),
        "expression" => return expression(words).map(|text| json!(text)),
        "time_zone" | "timezone" => return None,
        _ => {}
    }
    let cases: Vec<String> = schema
        .get("enum")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect();
    if !cases.is_empty() {
        return super::choices::case(words, &cases).map(|hit| json!(hit.value));
    }
    let kind = schema.get("type").and_then(Json::as_str).unwrap_or_default();
    let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
    let calendar = Calendar { now: card.now, past: false, day_first: false, anchor: None };
    match (kind, format) {
        ("string", "date") => {
            meant(words, dates(words, &calendar)).map(|hit| json!(hit.value.format("%Y-%m-%d").to_string()))
        }
        ("integer" | "number", _) => {
            numbers(words).into_iter().find(|number| !number.ordinal).map(|number| {
                number.whole().map_or_else(
                    || json!(number.value.to_string().parse::<f64>().unwrap_or_default()),
                    |whole| json!(whole),
                )
            })
        }
        _ => None,
    }
}

/// "What is 12 times 7.5?" as `12 * 7.5`.
fn expression(words: &Words) -> Option<String> {
    let mut out: Vec<String> = Vec::new();
    let mut operators = 0;
    let mut place = 0;
    while place < words.len() {
        if let Some(number) = super::numbers::number_at(words, place).filter(|number| !number.ordinal) {
            out.push(number.value.to_string());
            place = number.places.end;
            continue;
        }
        let sign = match words.at(place) {
            "+" | "plus" => Some("+"),
            "-" | "minus" => Some("-"),
            "*" | "times" | "x" | "multiplied" => Some("*"),
            "/" | "divided" | "over" => Some("/"),
            "%" | "percent" => Some("%"),
            "(" => Some("("),
            ")" => Some(")"),
            _ => None,
        };
        // "8 percent of 50" is a product.
        let of = words.at(place) == "of" && out.last().is_some_and(|last| last == "%");
        if let Some(sign) = sign.or(of.then_some("*")) {
            operators += usize::from(!matches!(sign, "(" | ")"));
            out.push(sign.to_owned());
        } else if words.kind(place) == Kind::Letters && !out.is_empty() && !words.is(place, &["by", "and"]) {
            break;
        }
        place += 1;
    }
    let numbers = out.iter().filter(|part| part.starts_with(|char: char| char.is_ascii_digit())).count();
    (operators > 0 && (numbers > 1 || out.iter().any(|part| part == "%"))).then(|| out.join(" "))
}
