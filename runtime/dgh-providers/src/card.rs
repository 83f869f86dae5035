//! The node card as a model reads it: what to do now, what is known, what is missing, what may be
//! called. Written in plain English whatever the language of the call: models follow it best so.

use std::fmt::Write as _;

use dgh_engine::reply::{Card, Label, Purpose, ReplyRequest, Shape, Wanted};

/// The functions that the engine itself offers; every other one is a tool.
pub const ENGINE_FUNCTIONS: [&str; 4] = ["go", "note", "confirm", "unclear"];

/// The card of a request as text.
pub fn text(request: &ReplyRequest) -> String {
    let card = &request.card;
    let may = Callable::of(request);
    let mut out =
        String::from("[Notes for your next reply. The caller did not say this and does not see it.]\n");
    let _ = writeln!(
        out,
        "It is {}. Speak {}.",
        card.now.format("%A, %-d %B %Y, %H:%M"),
        language(&card.language)
    );
    if let Some(prompt) = &card.prompt {
        section(&mut out, "What to do now", prompt.trim());
    }
    if let Some(instruction) = &card.instruction {
        section(&mut out, "Just now", instruction.trim());
    }
    list(&mut out, "What you know", card.known.iter().map(|k| about(&k.name, k.about.as_deref(), &k.value)));
    let (missing, other): (Vec<_>, Vec<_>) = card.wanted.iter().partition(|w| w.missing);
    list(&mut out, "What you still have to find out", missing.iter().map(|w| wanted(w)));
    if may.note {
        list(
            &mut out,
            "What you may also note, or correct, if the caller says it; do not ask for it",
            other.iter().map(|w| wanted(w)),
        );
    }
    if let Some(read_back) = &card.read_back {
        section(&mut out, "You read this back and wait for a yes or no", &format!("\"{read_back}\""));
    }
    if may.go {
        list(&mut out, "Labels for `go`", card.labels.iter().map(label));
    }
    list(&mut out, "Mind", card.remarks.iter().cloned());
    list(&mut out, "How to reply", rules(request, &may, card).into_iter());
    out
}

/// What may be called in this reply.
struct Callable {
    go: bool,
    note: bool,
    confirm: bool,
    unclear: bool,
    tools: Vec<String>,
}

impl Callable {
    fn of(request: &ReplyRequest) -> Self {
        let card = &request.card;
        let has = |name: &str| request.may_call && request.functions.iter().any(|f| f.name == name);
        Self {
            go: has("go") && !card.labels.is_empty(),
            note: has("note") && !card.wanted.is_empty(),
            confirm: has("confirm") && card.read_back.is_some(),
            unclear: has("unclear") && card.may_unclear,
            tools: card.tools.iter().filter(|t| has(t)).cloned().collect(),
        }
    }

    fn names(&self) -> Vec<String> {
        let own =
            [(self.go, "go"), (self.note, "note"), (self.confirm, "confirm"), (self.unclear, "unclear")];
        let own = own.iter().filter(|(may, _)| *may).map(|(_, name)| format!("`{name}`"));
        own.chain(self.tools.iter().map(|t| format!("`{t}`"))).collect()
    }
}

fn rules(request: &ReplyRequest, may: &Callable, card: &Card) -> Vec<String> {
    let silent = request.purpose == Purpose::Extract;
    let mut rules = Vec::new();
    let mut rule = |text: &str| rules.push(text.to_owned());
    match request.purpose {
        Purpose::Turn => {}
        Purpose::Opening => {
            rule("You speak now: open with what has to be done here. Do not greet again if you have.");
        }
        Purpose::Tell => {
            rule("Say one short utterance that does what stands under \"Just now\", and nothing else.");
        }
        Purpose::AfterTools => {
            rule("Your functions have answered, see above: go on from their answers. Never invent one.");
        }
        Purpose::Resume => rule("Take up your last open question again, in a few words."),
        Purpose::Extract => {
            rule("Say nothing at all. Only call functions for what the caller's last words tell.");
        }
    }
    if may.go {
        rule(if silent {
            "If a label fits what the caller just said or wants, call `go` with it, once. If none clearly fits, do not."
        } else {
            "If a label fits what the caller just said or wants, call `go` with it, once, and say nothing. If none clearly fits, do not call `go`."
        });
    }
    if may.note {
        rule(if silent {
            "Call `note` with every value that the caller told, all in one call. Never note what the caller did not say."
        } else {
            "If the caller told you values, call `note` with all of them in one call, in this same reply, and speak. Never note what the caller did not say."
        });
        if card.wanted.iter().any(|w| w.optional) {
            rule(
                "Note a value that may be declined as \"declined\" when the caller does not want to give it.",
            );
        }
    }
    if may.confirm {
        rule(
            "If the caller agrees with what you read back, call `confirm` with yes; if not, with no, and `note` what they correct.",
        );
    }
    if may.unclear {
        rule(
            "If the caller's words make no sense at all, or were not meant for you, call `unclear` alone and say nothing.",
        );
    }
    if !may.tools.is_empty() {
        rule("Call a tool when you need what it gives. Say nothing about its answer before you have it.");
    }
    let names = may.names();
    rules.push(if names.is_empty() {
        "Call no function.".to_owned()
    } else {
        format!(
            "You may call {} now, and no other function. Never speak of functions or labels.",
            names.join(", ")
        )
    });
    if !silent {
        if card.wanted.iter().any(|w| w.missing) {
            rules.push("Ask for one missing thing at a time, unless they belong together. If exact words are given for a question, use them.".to_owned());
        }
        rules.push("Your words are spoken aloud: one to three short sentences, no lists, no headings, no emoji, no stage directions.".to_owned());
        rules.push("State only what is written here, was said, or a tool answered. A value in [brackets] is kept from you; do not ask for it or guess it.".to_owned());
    }
    rules
}

fn section(out: &mut String, title: &str, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "\n{title}:\n{text}\n");
    }
}

fn list(out: &mut String, title: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        let _ = write!(out, "\n{title}:\n");
    }
    for entry in entries {
        let _ = writeln!(out, "- {entry}");
    }
}

fn about(name: &str, about: Option<&str>, value: &str) -> String {
    match about {
        Some(about) => format!("{name} ({about}): {value}"),
        None => format!("{name}: {value}"),
    }
}

fn wanted(wanted: &Wanted) -> String {
    let mut out = about(&wanted.name, wanted.about.as_deref(), &shape(&wanted.shape));
    if wanted.optional {
        out.push_str("; may be declined");
    }
    if let Some(ask) = wanted.ask.as_deref().filter(|_| wanted.missing) {
        let _ = write!(out, "; ask: \"{ask}\"");
    }
    out
}

fn label(label: &Label) -> String {
    let mut out = format!("{}: {}", label.name, label.sentence.trim());
    let has_examples = !label.like.is_empty() || !label.unlike.is_empty();
    if has_examples && !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    for (title, examples) in [("For example", &label.like), ("But not", &label.unlike)] {
        if !examples.is_empty() {
            let quoted: Vec<_> = examples.iter().map(|e| format!("\"{e}\"")).collect();
            let _ = write!(out, " {title}: {}.", quoted.join(", "));
        }
    }
    out
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Int { min: Some(min), max: Some(max) } => format!("a whole number from {min} to {max}"),
        Shape::Int { min: Some(min), max: None } => format!("a whole number, {min} or more"),
        Shape::Int { min: None, max: Some(max) } => format!("a whole number, {max} or less"),
        Shape::Int { min: None, max: None } => "a whole number".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Money { currency: Some(currency) } => format!("an amount as \"20000 {currency}\""),
        Shape::Money { currency: None } => "an amount with its currency, as \"20000 USD\"".to_owned(),
        Shape::Date => "a date as 2026-03-01".to_owned(),
        Shape::Time => "a time as 09:30".to_owned(),
        Shape::DateTime => "a date and time as 2026-03-01T09:30".to_owned(),
        Shape::Duration => "a length of time as 90s, 5min or 2h".to_owned(),
        Shape::Phone => "a phone number with its country code, as +14155550100".to_owned(),
        Shape::Email => "an e-mail address".to_owned(),
        Shape::Url => "a web address".to_owned(),
        Shape::Digits { count } => format!("exactly {count} digits, as text"),
        Shape::Enum { cases } => format!("one of {}", cases.join(", ")),
        Shape::Choice { options } => {
            let numbered: Vec<_> =
                options.iter().enumerate().map(|(i, o)| format!("{} = {o}", i + 1)).collect();
            format!("the number of one of these: {}", numbered.join("; "))
        }
        Shape::List { of } => format!("a list, each {}", self::shape(of)),
        Shape::Record { fields } => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, shape, optional)| {
                    format!("{name}{}: {}", if *optional { " (if told)" } else { "" }, self::shape(shape))
                })
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// The languages that agents most often speak, by name; a model knows the tags of the others.
fn language(tag: &str) -> String {
    let name = match tag.split(['-', '_']).next().unwrap_or_default() {
        "en" => "English",
        "de" => "German",
        "es" => "Spanish",
        "fr" => "French",
        "it" => "Italian",
        "pt" => "Portuguese",
        "nl" => "Dutch",
        "pl" => "Polish",
        "sv" => "Swedish",
        "da" => "Danish",
        "nb" | "nn" | "no" => "Norwegian",
        "fi" => "Finnish",
        "cs" => "Czech",
        "ro" => "Romanian",
        "hu" => "Hungarian",
        "el" => "Greek",
        "tr" => "Turkish",
        "ru" => "Russian",
        "uk" => "Ukrainian",
        "ar" => "Arabic",
        "he" => "Hebrew",
        "hi" => "Hindi",
        "bn" => "Bengali",
        "ta" => "Tamil",
        "th" => "Thai",
        "vi" => "Vietnamese",
        "id" => "Indonesian",
        "ja" => "Japanese",
        "ko" => "Korean",
        "zh" => "Chinese",
        _ => return format!("the language \"{tag}\""),
    };
    format!("{name} ({tag})")
}

#[cfg(test)]
mod tests;
