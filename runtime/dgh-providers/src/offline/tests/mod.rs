//! Tables of what is said and what is understood. The day is Sunday, 2026-03-01, ten o'clock.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod clinic;
mod examples;
mod intents;
mod newcomers;
mod requests;
mod values;
mod wordings;

use std::sync::Arc;

use chrono::NaiveDate;
use dgh_engine::event::ReplyId;
use dgh_engine::reply::{Card, Function, Known, Label, Message, Purpose, ReplyRequest, Shape, Wanted};
use serde_json::{Map, Value as Json, json};

use super::{Move, answer};

/// A request under construction.
#[derive(Clone)]
struct Scene {
    request: ReplyRequest,
}

impl Scene {
    fn new() -> Self {
        let card = Card {
            node: "node".into(),
            prompt: None,
            instruction: None,
            known: Vec::new(),
            wanted: Vec::new(),
            labels: Vec::new(),
            read_back: None,
            tools: Vec::new(),
            may_unclear: true,
            remarks: Vec::new(),
            now: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap().and_hms_opt(10, 0, 0).unwrap(),
            language: "en-US".into(),
        };
        let request = ReplyRequest {
            id: ReplyId(1),
            purpose: Purpose::Turn,
            persona: "You are Ada, the receptionist of Bright Dental.".into(),
            history: Vec::new(),
            card,
            functions: Vec::new().into(),
            may_call: true,
            models: Vec::new(),
            judge: Vec::new(),
        };
        Self { request }
    }

    fn persona(mut self, text: &str) -> Self {
        self.request.persona = text.into();
        self
    }

    fn prompt(mut self, text: &str) -> Self {
        self.request.card.prompt = Some(text.into());
        self
    }

    fn language(mut self, tag: &str) -> Self {
        self.request.card.language = tag.into();
        self
    }

    fn missing(self, name: &str, about: &str, shape: Shape) -> Self {
        self.wanted(name, about, shape, true, false)
    }

    fn optional(self, name: &str, about: &str, shape: Shape) -> Self {
        self.wanted(name, about, shape, true, true)
    }

    fn noted(self, name: &str, about: &str, shape: Shape) -> Self {
        self.wanted(name, about, shape, false, false)
    }

    fn wanted(mut self, name: &str, about: &str, shape: Shape, missing: bool, optional: bool) -> Self {
        let about = (!about.is_empty()).then(|| about.to_owned());
        self.request.card.wanted.push(Wanted {
            name: name.into(),
            about,
            shape,
            missing,
            optional,
            ask: None,
        });
        self
    }

    fn known(mut self, name: &str, about: &str, shape: Shape, value: &str) -> Self {
        self.request.card.known.push(Known {
            name: name.into(),
            about: Some(about.into()),
            value: value.into(),
        });
        self.noted(name, about, shape)
    }

    fn label(self, name: &str, sentence: &str) -> Self {
        self.label_like(name, sentence, &[], &[])
    }

    fn label_like(mut self, name: &str, sentence: &str, like: &[&str], unlike: &[&str]) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        self.request.card.labels.push(Label {
            name: name.into(),
            sentence: sentence.into(),
            like: texts(like),
            unlike: texts(unlike),
        });
        self
    }

    fn read_back(mut self, text: &str) -> Self {
        self.request.card.read_back = Some(text.into());
        self.agent(text)
    }

    fn tool(mut self, name: &str, description: &str, parameters: Json) -> Self {
        self.request.card.tools.push(name.into());
        let mut functions = self.request.functions.to_vec();
        functions.push(Function { name: name.into(), description: description.into(), parameters });
        self.request.functions = functions.into();
        self
    }

    fn agent(mut self, text: &str) -> Self {
        self.request.history.push(Message::Agent(text.into()));
        self
    }

    fn caller(mut self, text: &str) -> Self {
        self.request.history.push(Message::Caller(text.into()));
        self
    }

    fn purpose(mut self, purpose: Purpose) -> Self {
        self.request.purpose = purpose;
        self
    }

    fn answer(&self) -> Vec<Move> {
        answer(&self.request)
    }

    /// What the model does after one more turn.
    fn says(&self, text: &str) -> Vec<Move> {
        self.clone().caller(text).answer()
    }
}

fn notes(moves: &[Move]) -> Json {
    let mut all = Map::new();
    for one in moves {
        if let Move::Note(values) = one {
            all.extend(values.clone());
        }
    }
    Json::Object(all)
}

fn gone(moves: &[Move]) -> Option<&str> {
    moves.iter().find_map(|one| match one {
        Move::Go(label) => Some(label.as_str()),
        _ => None,
    })
}

fn said(moves: &[Move]) -> String {
    let texts: Vec<&str> = moves
        .iter()
        .filter_map(|one| match one {
            Move::Say(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join(" ")
}

fn cases(names: &[&str]) -> Shape {
    Shape::Enum { cases: names.iter().map(|name| (*name).to_owned()).collect() }
}

fn options(texts: &[&str]) -> Shape {
    Shape::Choice { options: texts.iter().map(|text| (*text).to_owned()).collect() }
}

fn money() -> Shape {
    Shape::Money { currency: None }
}

/// Runs a table and reports every row that differs.
fn check<T>(rows: &[T], run: impl Fn(&T) -> Result<(), String>) {
    let wrong: Vec<String> = rows.iter().filter_map(|row| run(row).err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_same_request_has_the_same_answer() {
    let scene = Scene::new()
        .missing("day", "Day the caller wants. Today or later.", Shape::Date)
        .agent("What day do you want?")
        .caller("next Thursday");
    let first = scene.answer();
    assert!((0..5).all(|_| scene.answer() == first));
    assert_eq!(Arc::strong_count(&Arc::new(first)), 1);
}

#[test]
fn without_functions_it_only_speaks() {
    let mut scene = Scene::new()
        .missing("day", "Day the caller wants.", Shape::Date)
        .label("human", "They ask for a person");
    scene.request.may_call = false;
    for text in ["tomorrow", "a person please", "mumble mumble", ""] {
        let moves = scene.says(text);
        assert!(moves.iter().all(|one| matches!(one, Move::Say(_))), "{text}: {moves:?}");
    }
    assert_eq!(notes(&scene.says("tomorrow")), json!({}));
}

#[test]
fn no_text_makes_it_panic() {
    let scene = Scene::new()
        .prompt("Ask \"")
        .missing("day", ", if", Shape::Date)
        .missing("who", "the", Shape::Text)
        .missing("at", "When", Shape::DateTime)
        .missing("n", "of the caller", Shape::Int { min: Some(1), max: Some(3) })
        .missing("list", "", Shape::List { of: Box::new(Shape::Phone) })
        .missing("choice", "", options(&["", "{", "2026-03-02T09:00"]))
        .label("", "")
        .label_like("x", "They", &[""], &["  "]);
    let pieces = [
        " ",
        "$",
        "+",
        "the",
        "of",
        "-",
        "’",
        "\u{0}é",
        "日本",
        "1",
        "99999999999999999999999999999",
        "half",
        "quarter to",
        "double",
        "@ at",
        "dot a",
        "in",
        "99999 weeks",
        "March 99",
        "31/31",
        "not",
        "minus",
        "two hundred thousand million billion million",
        "no,“",
    ];
    for first in pieces {
        for second in pieces {
            let text = format!("{first} {second}");
            let scene = scene.clone().agent(&text).caller(&text);
            let _ = scene.answer();
            let _ = scene.clone().read_back(&text).answer();
        }
        for purpose in
            [Purpose::Opening, Purpose::Tell, Purpose::AfterTools, Purpose::Resume, Purpose::Extract]
        {
            let mut scene = scene
                .clone()
                .prompt(&format!("Ask {first}, and tell {first}. Thank {first}"))
                .agent(first)
                .caller(first)
                .purpose(purpose);
            scene.request.card.instruction = Some(format!("Offer {first}"));
            let _ = scene.answer();
        }
    }
}
