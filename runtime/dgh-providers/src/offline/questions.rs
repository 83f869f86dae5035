//! Questions: whether the caller asks one, and how to ask for a value by its description.

use chrono::NaiveDateTime;
use dgh_engine::reply::{Shape, Wanted};

use super::grammar::{ask, base, capital, inverted, is_caller, mark, split, subject, to_you};
use super::patterns::Phrases;
use super::spoken::{data, list, sentence, words_of};
use super::texts::{Purpose, purpose};
use super::words::{Words, plain};

/// Whether the caller asks for information; a request ("can you call me back") is none.
pub(super) fn is_question(words: &Words) -> bool {
    let plain = plain(words);
    let starts = |phrases: &Phrases| {
        (0..plain.len())
            .filter(|at| {
                *at == 0
                    || plain.get(at - 1).is_some_and(|word| {
                        word == ","
                            || matches!(
                                word.as_str(),
                                "and" | "but" | "so" | "well" | "wait" | "hey" | "okay" | "sorry" | "first"
                            )
                    })
            })
            .any(|at| phrases.at(&plain, at).is_some())
    };
    if starts(&REQUESTS) || starts(&PROPOSALS) {
        return false;
    }
    starts(&QUESTIONS) || ASKS.within(&plain) || words.source().trim_end().ends_with('?') && plain.len() > 2
}

static QUESTIONS: Phrases = Phrases::new(
    "who|whose|what|which|when|where|why|how; do|does|did you|i|we|they|it|he|she|the|your|that|this; \
     are|is|was|were you|there|it|that|this|the|your|i|they|we; \
     can|could|will|would|should you|i|we|it|they tell|explain|say|know|help|do|take|use|pay|park|eat|bring|expect|get; \
     have|has you|it|the|anyone; am i; will it|there|this|that|the; \
     tell me about|more|what|who|how|why|when|where|if",
);
static ASKS: Phrases = Phrases::new(
    "have|had|got a|another|one|some question|questions; want|like|need to know|ask|find; \
     wondering|wonder if|what|how|whether|about; do not know|understand what|how|why",
);
static REQUESTS: Phrases = Phrases::new(
    "can|could|would|will you please? tell|let|inform|ask them|him|her|the|my; \
     can|could|would|will you please? call|repeat|transfer|connect|put|hold|wait|stop|send|book|give|change|make|cancel|speak|say|move; \
     can|could|may i|we please? have|book|get|make|speak|talk|come|change|cancel|reschedule|see|schedule|move|do|take|start|pay; \
     would you mind; do you mind; do i have to",
);
static PROPOSALS: Phrases =
    Phrases::new("how|what about; why not|do; how would; what if; can|could we|you do|make|say|try|manage");

/// How often a question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Not yet, or the caller wants to hear it again.
    First,
    /// It is open; something else came in between.
    Open,
    /// The answer was not understood: it says more about what fits.
    Again,
}

/// The question for a value.
pub(super) fn question_for(wanted: &Wanted, prompt: &str, now: NaiveDateTime, asking: Asking) -> String {
    if let Shape::Choice { options } = &wanted.shape {
        let one = options.len() == 1;
        let which = if one { "Would you like that one?" } else { "Which one would you like?" };
        let question = wanted.ask.as_deref().unwrap_or(which);
        return match asking {
            Asking::First => format!("{} {question}", offer(options, prompt, now)),
            Asking::Open => question.to_owned(),
            Asking::Again if one => format!("{question} Please say yes or no."),
            Asking::Again => format!("{question} You can say \"the first one\", for example."),
        };
    }
    let question = wanted.ask.clone().unwrap_or_else(|| question(wanted));
    match (asking == Asking::Again).then(|| hint(&wanted.shape)).flatten() {
        Some(hint) => format!("{question} {hint}"),
        None => question,
    }
}

/// The entries of a list, said: at most as many as the prompt allows.
pub(super) fn offer(options: &[String], prompt: &str, now: NaiveDateTime) -> String {
    let most = most_offered(prompt).min(options.len()).min(ORDINALS.len());
    let said: Vec<String> = options.iter().take(most).map(|option| data(option, now)).collect();
    match said.as_slice() {
        [] => "I am afraid there is nothing to offer.".to_owned(),
        [one] => format!("I have {one}."),
        many => {
            let (shared, many) = shared_day(many);
            let numbered: Vec<String> =
                many.iter().zip(ORDINALS).map(|(option, place)| format!("{place}, {option}")).collect();
            format!("I have {most} to choose from{shared}: {}.", numbered.join("; "))
        }
    }
}

/// " on Thursday, March 5th", when all entries begin with that day; and the entries without it.
fn shared_day(said: &[String]) -> (String, Vec<String>) {
    let split: Option<Vec<(&str, &str)>> = said.iter().map(|text| text.split_once(" at ")).collect();
    let split = split.unwrap_or_default();
    match split.first() {
        Some((day, _)) if !day.contains(';') && split.iter().all(|(other, _)| other == day) => {
            (format!(" on {day}"), split.iter().map(|(_, rest)| (*rest).to_owned()).collect())
        }
        _ => (String::new(), said.to_vec()),
    }
}

const ORDINALS: [&str; 8] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/// What kind of answer fits, for a caller who was not understood.
fn hint(shape: &Shape) -> Option<String> {
    Some(match shape {
        Shape::Date => "You can say, for example, \"next Tuesday\" or \"March 5\".".to_owned(),
        Shape::Time => "You can say, for example, \"half past nine\" or \"3 PM\".".to_owned(),
        Shape::DateTime => "You can say, for example, \"Wednesday at 3 PM\".".to_owned(),
        Shape::Money { .. } => "A rough amount is enough.".to_owned(),
        Shape::Int { min: Some(min), max: Some(max) } => format!("Any whole number from {min} to {max}."),
        Shape::Int { .. } | Shape::Number => "Please say a number.".to_owned(),
        Shape::Duration => "You can say, for example, \"two hours\".".to_owned(),
        Shape::Phone => "Please give all digits, with the area code.".to_owned(),
        Shape::Digits { count } => format!("I need {count} digits."),
        Shape::Email => "You can say, for example, \"ann at example dot com\".".to_owned(),
        Shape::Bool => "Please say yes or no.".to_owned(),
        Shape::Enum { cases } if cases.len() > MANY => format!("You can say {}.", cases_of(cases)),
        _ => return None,
    })
}

/// More cases than one can listen to.
const MANY: usize = 6;

fn question(wanted: &Wanted) -> String {
    let about = wanted.about.as_deref().map(first_part).filter(|about| !about.is_empty());
    let question = match about {
        Some(about) => from_about(&about, &wanted.shape),
        None => from_name(&wanted.name, &wanted.shape),
    };
    // What one may have, or not: "Special wishes or allergies".
    let question = match question.strip_prefix("What are your ").filter(|_| wanted.optional) {
        Some(things) => format!("Do you have any {things}"),
        None => question,
    };
    match &wanted.shape {
        Shape::Enum { cases } if cases.len() <= MANY && cases.len() > 1 => {
            format!("{}: {}?", question.trim_end_matches('?'), cases_of(cases))
        }
        _ => question,
    }
}

/// "checkup, pain or something else"
fn cases_of(cases: &[String]) -> String {
    let said: Vec<String> = cases
        .iter()
        .map(|case| if case == "other" { "something else".to_owned() } else { words_of(case) })
        .collect();
    list(&said, "or")
}

fn most_offered(prompt: &str) -> usize {
    let words = Words::new(prompt);
    let most = super::numbers::numbers(&words)
        .into_iter()
        .find(|number| {
            number.places.start > 1
                && (words.stands(number.places.start - 2, &["at", "most"])
                    || words.stands(number.places.start - 2, &["up", "to"]))
                || words.before(number.places.start) == "only"
        })
        .and_then(|number| number.whole());
    most.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0).unwrap_or(4)
}

/// The first sentence, without what is meant for the model alone: "…, if they say it".
fn first_part(about: &str) -> String {
    let about = about.trim();
    let end = about.find(". ").or_else(|| about.find('\n')).unwrap_or(about.len());
    let mut text = about.get(..end).unwrap_or(about).trim_end_matches(['.', ' ']).to_owned();
    for cut in [
        ", if ",
        " if they say",
        " if known",
        ", as ",
        " (",
        ", in their",
        ", for example",
        ", e.g.",
        " e.g.",
        "; ",
    ] {
        if let Some(at) = text.find(cut) {
            text.truncate(at);
        }
    }
    text.trim().to_owned()
}

fn from_about(about: &str, shape: &Shape) -> String {
    if about.ends_with('?') {
        return capital(about);
    }
    let words = split(about);
    let first = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    if matches!(shape, Shape::Bool) || matches!(first.as_str(), "whether" | "if" | "true") {
        return yes_or_no(&words);
    }
    match first.as_str() {
        "what" | "why" | "when" | "where" | "who" | "which" | "how" => wh(&words),
        "anything" | "something" => anything(&words),
        _ => noun(&words, shape),
    }
}

/// "Anything else they want to say", "Something to add".
fn anything(words: &[String]) -> String {
    let rest = to_you(&words.get(1..).unwrap_or_default().join(" "));
    mark(&format!("is there anything {rest}"))
}

/// "Whether they have insurance", "True if they are new".
fn yes_or_no(words: &[String]) -> String {
    let start = words
        .iter()
        .position(|word| matches!(word.to_lowercase().as_str(), "whether" | "if"))
        .map_or(0, |at| at + 1);
    let rest = words.get(start..).unwrap_or_default();
    if start == 0 && subject(rest).is_none_or(|(at, _)| at > 0) {
        return format!("{}: yes or no?", capital(&to_you(&rest.join(" "))));
    }
    ask(&rest.join(" "))
}

/// "Why they need the visit", "What the call is about", "What to tell the desk".
fn wh(words: &[String]) -> String {
    if let Some((at, length)) = subject(words).filter(|(at, _)| *at > 0) {
        let head = words.get(..at).unwrap_or_default().join(" ");
        return capital(&inverted(&head, words.get(at + length..).unwrap_or_default()));
    }
    if let [head, we, verb, rest @ ..] = words
        && matches!(we.as_str(), "we" | "I" | "it")
        && matches!(verb.as_str(), "can" | "could" | "should" | "may" | "will" | "would" | "is" | "are")
    {
        return mark(&format!("{head} {verb} {we} {}", to_you(&rest.join(" "))));
    }
    if let Some(to) = words.iter().position(|word| word == "to").filter(|to| *to > 0 && *to < 4) {
        let head = words.get(..to).unwrap_or_default().join(" ");
        return mark(&format!(
            "{head} should I {}",
            to_you(&words.get(to + 1..).unwrap_or_default().join(" "))
        ));
    }
    if let Some(verb) = words
        .iter()
        .position(|word| matches!(word.as_str(), "is" | "are" | "was" | "were"))
        .filter(|verb| *verb > 1)
    {
        let thing = to_you(&words.get(1..verb).unwrap_or_default().join(" "));
        let rest = to_you(&words.get(verb + 1..).unwrap_or_default().join(" "));
        let head = words.first().map(String::as_str).unwrap_or_default();
        let verb = words.get(verb).map(String::as_str).unwrap_or_default();
        return mark(&format!("{head} {verb} {thing} {rest}"));
    }
    mark(&to_you(&words.join(" ")))
}

/// "Day the caller wants", "Full name of the patient", "Yearly budget".
fn noun(words: &[String], shape: &Shape) -> String {
    let Some((at, length)) = subject(words).filter(|(at, _)| *at > 0) else {
        return plain_noun(words, shape);
    };
    let link = words.get(at - 1).map(|word| word.to_lowercase()).unwrap_or_default();
    if matches!(
        link.as_str(),
        "if" | "as"
            | "when"
            | "where"
            | "once"
            | "while"
            | "unless"
            | "because"
            | "for"
            | "from"
            | "by"
            | "to"
            | "with"
    ) {
        return plain_noun(words.get(..at - 1).unwrap_or_default(), shape);
    }
    if link == "of" {
        // "Company of the caller"
        let head = bare(words.get(..at - 1).unwrap_or_default());
        return mark(&format!(
            "what is your {} {}",
            head,
            to_you(&words.get(at + length..).unwrap_or_default().join(" "))
        ));
    }
    let head_end = if matches!(link.as_str(), "that" | "which") { at - 1 } else { at };
    let head = bare(words.get(..head_end).unwrap_or_default());
    let rest = words.get(at + length..).unwrap_or_default();
    let verb = base(&rest.first().map(|verb| verb.to_lowercase()).unwrap_or_default());
    match verb.as_str() {
        "say" | "said" | "give" | "gave" | "mention" | "mentioned" | "tell" | "told" | "state" | "stated"
        | "type" | "typed" | "name" | "named" | "provide" | "provided" | "spell" | "have" | "use" | "be"
        | "called" => mark(&format!("what is your {head}")),
        "want" | "wanted" | "prefer" | "preferred" | "choose" | "chose" | "pick" | "picked" | "agree"
        | "agreed" | "select" | "selected" | "requested" | "request" | "like" | "liked" | "would"
        | "booked" | "book" | "settled" => wished(&head, shape),
        _ => capital(&inverted(&format!("what {head}"), rest)),
    }
}

fn wished(head: &str, shape: &Shape) -> String {
    if matches!(shape, Shape::DateTime) {
        let thing =
            head.trim_end_matches("date and time").trim_end_matches("time").trim_end_matches("date").trim();
        return if thing.is_empty() {
            "What day and time would you like?".to_owned()
        } else {
            format!("What day and time would you like for the {thing}?")
        };
    }
    mark(&format!("what {head} would you like"))
}

fn plain_noun(words: &[String], shape: &Shape) -> String {
    let first = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    let text = to_you(&words.join(" ")).trim_end_matches([',', ';', ':']).to_owned();
    let lower = lowered(&text);
    let of = words.iter().position(|word| word == "of").is_some_and(|at| {
        words.get(at + 1).is_some_and(|next| {
            matches!(next.as_str(), "the" | "a" | "an" | "this")
                && !words.get(at + 2).is_some_and(|noun| is_caller(&noun.to_lowercase()))
        })
    });
    let to = words.iter().any(|word| word == "to");
    if matches!(first.as_str(), "a" | "an" | "one" | "some" | "any") {
        return mark(&format!("could you give me {lower}"));
    }
    let verb = if head_is_plural(words) { "are" } else { "is" };
    if first == "their" || first == "your" || first == "the" {
        return mark(&format!("what {verb} {lower}"));
    }
    let article = if of || to { "the" } else { "your" };
    if matches!(shape, Shape::Int { .. }) && head_is_plural(words) && !of {
        let lower = lower.strip_prefix("number of ").unwrap_or(&lower);
        return mark(&format!("how many {lower}"));
    }
    if let Some(counted) = lower.strip_prefix("number of ").filter(|_| matches!(shape, Shape::Int { .. })) {
        return mark(&format!("how many {counted}"));
    }
    mark(&format!("what {verb} {article} {lower}"))
}

fn head_is_plural(words: &[String]) -> bool {
    let head = words
        .iter()
        .take_while(|word| !matches!(word.as_str(), "of" | "for" | "in" | "to" | "with" | "that" | "on"))
        .last()
        .map(|word| word.to_lowercase())
        .unwrap_or_default();
    head.len() > 3
        && head.ends_with('s')
        && !head.ends_with("ss")
        && !head.ends_with("us")
        && !head.ends_with("address")
}

/// A noun without its article and without "exact", in small letters.
fn bare(words: &[String]) -> String {
    let kept: Vec<&str> = words
        .iter()
        .map(|word| word.trim_end_matches(','))
        .filter(|word| {
            !matches!(word.to_lowercase().as_str(), "the" | "a" | "an" | "exact" | "their" | "offered")
        })
        .collect();
    lowered(&kept.join(" "))
}

/// Small first letter, but for names like "ID" and "US".
fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_uppercase() => text.to_owned(),
        (Some(first), _) => format!("{}{}", first.to_lowercase(), chars.as_str()),
        _ => String::new(),
    }
}

/// A question for a value without a description.
fn from_name(name: &str, shape: &Shape) -> String {
    let name = words_of(name);
    let thing = ["at", "on", "date", "time", "day", "when"]
        .iter()
        .fold(name.as_str(), |name, end| name.strip_suffix(end).map_or(name, str::trim_end));
    let plural = name.len() > 3 && name.ends_with('s') && !name.ends_with("ss");
    match shape {
        Shape::Date if thing.is_empty() => "What day would you like?".to_owned(),
        Shape::Date => format!("What day would you like for the {thing}?"),
        Shape::Time if thing.is_empty() => "What time would you like?".to_owned(),
        Shape::Time => format!("What time would you like for the {thing}?"),
        Shape::DateTime if thing.is_empty() => "What day and time would you like?".to_owned(),
        Shape::DateTime => format!("What day and time would you like for the {thing}?"),
        Shape::Email => "What is your e-mail address?".to_owned(),
        Shape::Phone => "What is your phone number, with the area code?".to_owned(),
        Shape::Money { .. } => format!("How much is the {name}?"),
        Shape::Int { .. } if plural => format!("How many {name}?"),
        Shape::Bool => format!("{}, yes or no?", capital(&name)),
        Shape::Text => match purpose(&name, "") {
            Purpose::Name => "What is your name?".to_owned(),
            Purpose::Message if name.contains("message") => "What would you like me to pass on?".to_owned(),
            _ => sentence(&format!("what is the {name}"), '?'),
        },
        _ if plural => sentence(&format!("what are the {name}"), '?'),
        _ => sentence(&format!("what is the {name}"), '?'),
    }
}
