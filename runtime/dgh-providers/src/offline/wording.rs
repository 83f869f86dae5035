//! From what an author tells a model to do ("Ask whether they can pay today. Listen first.") to
//! what is said ("Can you pay today?"). What is no instruction to speak is not spoken.

use super::grammar::{ask, capital, mark, split, subject, to_you};
use super::spoken::sentence;
use super::words::listed;

/// What an instruction comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Worded {
    /// What is stated.
    pub(super) statements: Vec<String>,
    /// What is promised: for the end of a conversation, not for its start.
    pub(super) promises: Vec<String>,
    /// What is asked.
    pub(super) questions: Vec<String>,
    /// Words of goodbye: they come last.
    pub(super) farewell: Option<String>,
    /// The caller's question is to be answered.
    pub(super) answers: bool,
    /// Something is to be told that another sentence holds: "Tell them."
    pub(super) tells: bool,
    /// Sentences that order nothing and state something for the caller: "We have one pizza."
    pub(super) facts: Vec<String>,
}

impl Worded {
    /// All of it in the order in which it is said.
    pub(super) fn all(self) -> Vec<String> {
        self.statements.into_iter().chain(self.promises).chain(self.questions).chain(self.farewell).collect()
    }
}

/// Words an instruction. `persona` tells who speaks.
pub(super) fn word(instruction: &str, persona: &str) -> Worded {
    let mut worded = Worded::default();
    for text in sentences(instruction) {
        if super::facts::is_fact(&text) {
            worded.facts.push(sentence(&text, '.'));
            continue;
        }
        for part in parts(&text) {
            act(&part, persona, &mut worded);
        }
    }
    if worded.tells {
        worded.statements.splice(0..0, worded.facts.iter().cloned());
    }
    worded
}

/// "You are Ada, the receptionist of Bright Dental." said by Ada.
pub(super) fn introduction(persona: &str) -> Option<String> {
    let first = sentences(persona).into_iter().find(|text| {
        text.to_lowercase().starts_with("you are ") || text.to_lowercase().starts_with("you're ")
    })?;
    let rest = first.split_once(' ').and_then(|(_, rest)| rest.strip_prefix("are ").or(Some(rest)))?;
    (!rest.is_empty()
        && rest.chars().next().is_some_and(|first| {
            first.is_uppercase()
                || rest.starts_with("a ")
                || rest.starts_with("an ")
                || rest.starts_with("the ")
        }))
    .then(|| sentence(&format!("I am {rest}"), '.'))
}

/// Sentences of a text; quoted text stays whole.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut quoted = false;
    for (at, char) in text.char_indices() {
        if char == '"' || char == '\u{201c}' || char == '\u{201d}' {
            quoted = !quoted;
        }
        let next = text.get(at + char.len_utf8()..).and_then(|rest| rest.chars().next());
        let before = text.get(from..at).unwrap_or_default();
        let title = ["Dr", "Mr", "Mrs", "Ms", "St", "e.g", "i.e"].iter().any(|title| before.ends_with(title));
        let stop = matches!(char, '.' | '!' | '?') && next.is_none_or(char::is_whitespace) && !title;
        if !quoted
            && (stop
                || char == '\n' && next.is_none_or(|next| next == '\n' || next == '-' || next.is_uppercase()))
        {
            out.push(text.get(from..at + char.len_utf8()).unwrap_or_default().to_owned());
            from = at + char.len_utf8();
        }
    }
    out.push(text.get(from..).unwrap_or_default().to_owned());
    out.into_iter()
        .map(|text| {
            text.trim().trim_start_matches(['-', '*', ' ']).split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .filter(|text| !text.is_empty())
        .collect()
}

/// Cuts "Thank them and say goodbye" where another instruction begins.
fn parts(text: &str) -> Vec<String> {
    let words = split(text);
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    let mut quoted = false;
    for (at, word) in words.iter().enumerate() {
        let bare = word.trim_end_matches(',').to_lowercase();
        let joint = matches!(bare.as_str(), "and" | "then") || word.ends_with(',');
        let next = words.get(at + 1).map(|next| next.to_lowercase()).unwrap_or_default();
        let next = if next == "then" || next == "and" {
            words.get(at + 2).map(|next| next.to_lowercase()).unwrap_or_default()
        } else {
            next
        };
        quoted ^= word.matches('"').count() % 2 == 1;
        // "whether they want to book, ask about a bill" lists what they want; nothing new begins.
        let listing = parts.last().is_some_and(|part| {
            part.iter().any(|word| matches!(word.as_str(), "whether" | "if"))
                && part.iter().any(|word| word == "to" || word == "can")
        });
        let begins = joint
            && !quoted
            && is_order(next.trim_end_matches(['.', ',', ':']))
            && !(listing && (word.ends_with(',') || bare == "and"));
        let begins = begins
            || listing
                && word.ends_with(',')
                && !quoted
                && bare != "and"
                && matches!(next.as_str(), "thank" | "apologise" | "apologize");
        if begins {
            if !matches!(bare.as_str(), "and" | "then") {
                push(&mut parts, word.trim_end_matches(','));
            }
            parts.push(Vec::new());
        } else if !(matches!(bare.as_str(), "and" | "then") && parts.last().is_some_and(Vec::is_empty)) {
            push(&mut parts, word);
        }
    }
    parts
        .into_iter()
        .map(|words| words.join(" ").trim_end_matches(['.', ',', ';']).trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

fn push(parts: &mut [Vec<String>], word: &str) {
    if let Some(last) = parts.last_mut() {
        last.push(word.to_owned());
    }
}

fn is_order(word: &str) -> bool {
    listed(ORDERS, word)
}

/// Verbs with which an instruction begins.
const ORDERS: &str = "ask say tell thank explain offer promise apologise apologize wish find let agree confirm \
     invite answer greet welcome introduce mention remind inform close end wrap congratulate \
     take collect summarise summarize repeat warn assure reassure listen wait identify verify \
     check get make book give help keep do note transfer route connect describe provide share \
     discuss decide continue proceed move schedule arrange gather record write read send try \
     use be stay avoid never accept respond reply speak guide encourage handle address \
     clarify determine figure learn understand qualify negotiate resolve recommend suggest \
     propose present";

fn act(part: &str, persona: &str, worded: &mut Worded) {
    if let Some(quote) = quoted(part) {
        let speaks = [
            "say", "ask", "tell", "greet", "answer", "open", "start", "begin", "close", "end", "reply",
            "respond",
        ]
        .iter()
        .any(|verb| part.to_lowercase().starts_with(verb));
        if speaks && !part.to_lowercase().starts_with("never") {
            if quote.ends_with('?') {
                worded.questions.push(quote);
            } else {
                worded.statements.push(sentence_or(&quote));
            }
        }
        return;
    }
    let words = split(part);
    let first = words
        .first()
        .map(|word| word.to_lowercase().trim_end_matches([',', ':']).to_owned())
        .unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    match first.as_str() {
        "ask" => asked(rest, worded),
        "find" if rest.first().is_some_and(|word| word == "out") => {
            found_out(rest.get(1..).unwrap_or_default(), worded);
        }
        "offer" => {
            let text = to_you(&without_person(rest).join(" "));
            worded.questions.push(mark(&if text.starts_with("to ") {
                format!("shall I {}", text.trim_start_matches("to "))
            } else {
                format!("would you like {text}")
            }));
        }
        "invite" => {
            let text = to_you(&without_person(rest).join(" "));
            worded.questions.push(mark(&format!("would you like {text}")));
        }
        "say" | "tell" | "explain" | "inform" | "mention" | "remind" | "let" | "warn" | "assure"
        | "reassure" | "confirm" | "state" | "announce" | "add" => told(&first, rest, worded),
        "thank" => {
            let reason =
                after(rest, "for").map(|reason| format!(" for {}", to_you(&reason))).unwrap_or_default();
            worded.statements.push(format!("Thank you{reason}."));
        }
        "apologise" | "apologize" => {
            let reason = after(rest, "for")
                .or_else(|| after(rest, "that"))
                .map(|reason| format!(" for {}", to_you(&reason)))
                .unwrap_or_default();
            let reason = if rest.iter().any(|word| word == "that") {
                reason.replacen(" for ", " that ", 1)
            } else {
                reason
            };
            worded.statements.push(format!("I am sorry{reason}."));
        }
        "promise" => worded.promises.push(promised(rest)),
        "greet" | "welcome" => worded.statements.push("Hello!".to_owned()),
        "introduce" => worded
            .statements
            .push(introduction(persona).unwrap_or_else(|| "I am an automated assistant.".to_owned())),
        "congratulate" => {
            let reason = after(rest, "on")
                .or_else(|| after(rest, "for"))
                .map(|reason| format!(" on {}", to_you(&reason)))
                .unwrap_or_default();
            worded.statements.push(format!("Congratulations{reason}!"));
        }
        "wish" => {
            let wish = without_person(rest).join(" ");
            let wish = wish.strip_prefix("well").map_or(wish.as_str(), |_| "a good day");
            worded.farewell = Some(sentence(&format!("Have {wish}"), '!'));
        }
        "close" | "end" | "wrap" | "finish" => {
            worded.farewell = Some("Thank you for your time. Goodbye!".to_owned());
        }
        "answer" => worded.answers = true,
        _ => {}
    }
}

fn asked(rest: &[String], worded: &mut Worded) {
    let rest = without_person(rest);
    let word = rest.first().map(|word| word.to_lowercase()).unwrap_or_default();
    let tail = rest.get(1..).unwrap_or_default();
    let question = match word.as_str() {
        "if" | "whether" => ask(&tail.join(" ")),
        "for" => mark(&format!("may I have {}", yours(tail))),
        "about" => mark(&format!("could you tell me about {}", yours(tail))),
        "to" => mark(&format!("could you {}, please", to_you(&tail.join(" ")))),
        "what" | "why" | "when" | "where" | "who" | "which" | "how" => asked_wh(rest),
        "again" | "one" | "first" | "" => return,
        _ => mark(&format!("could you tell me {}", yours(rest))),
    };
    worded.questions.push(question);
}

fn asked_wh(words: &[String]) -> String {
    if let Some((at, length)) = subject(words).filter(|(at, _)| *at > 0) {
        capital(&super::grammar::inverted(
            &words.get(..at).unwrap_or_default().join(" "),
            words.get(at + length..).unwrap_or_default(),
        ))
    } else {
        // "Ask how the visit was"
        let verb =
            words.iter().position(|word| matches!(word.trim_end_matches(','), "is" | "are" | "was" | "were"));
        match verb.filter(|verb| *verb > 1) {
            Some(verb) => {
                let head = words.first().map(String::as_str).unwrap_or_default();
                let thing = to_you(&words.get(1..verb).unwrap_or_default().join(" "));
                let rest = to_you(&words.get(verb + 1..).unwrap_or_default().join(" "));
                mark(&format!(
                    "{head} {} {thing} {rest}",
                    words.get(verb).map(String::as_str).unwrap_or_default()
                ))
            }
            None => mark(&to_you(&words.join(" "))),
        }
    }
}

fn found_out(rest: &[String], worded: &mut Worded) {
    let word = rest.first().map(|word| word.to_lowercase()).unwrap_or_default();
    worded.questions.push(match word.as_str() {
        "if" | "whether" => ask(&rest.get(1..).unwrap_or_default().join(" ")),
        "what" | "why" | "when" | "where" | "who" | "which" | "how" => asked_wh(rest),
        _ => mark(&format!("could you tell me {}", yours(rest))),
    });
}

fn told(verb: &str, rest: &[String], worded: &mut Worded) {
    let rest = if verb == "let" {
        rest.iter()
            .position(|word| word == "know")
            .map_or(&[][..], |know| rest.get(know + 1..).unwrap_or_default())
    } else {
        without_person(rest)
    };
    let text = rest.join(" ");
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "" | "so" | "that" | "this" | "it" | "about it" | "about this" | "the answer")
    {
        worded.tells = true;
        return;
    }
    if lower.starts_with("goodbye") || lower.starts_with("bye") || lower.starts_with("farewell") {
        worded.farewell = Some("Goodbye!".to_owned());
    } else if lower.starts_with("hello") || lower.starts_with("hi ") {
        worded.statements.push("Hello!".to_owned());
    } else if lower.starts_with("thank") || lower.starts_with("sorry") {
        worded.statements.push(if lower.starts_with("sorry") {
            "I am sorry.".to_owned()
        } else {
            "Thank you.".to_owned()
        });
    } else if let Some(clause) = text.strip_prefix("that ") {
        worded.statements.push(sentence(&to_you(clause), '.'));
    } else if let Some(clause) = text.strip_prefix(": ").or_else(|| text.strip_prefix("about ")) {
        worded.statements.push(sentence(&format!("it is about {}", to_you(clause)), '.'));
    } else if matches!(verb, "say" | "tell" | "let" | "inform" | "mention" | "remind")
        && subject(&split(&text)).is_some_and(|(at, _)| at == 0)
    {
        worded.statements.push(sentence(&to_you(&text), '.'));
    }
}

fn promised(rest: &[String]) -> String {
    let text = without_person(rest).join(" ");
    if let Some(when) = text.strip_prefix("a call back").or_else(|| text.strip_prefix("a callback")) {
        return sentence(&format!("we will call you back{when}"), '.');
    }
    if let Some(action) = text.strip_prefix("to ") {
        return sentence(&format!("we will {}", to_you(action)), '.');
    }
    if let Some(clause) = text.strip_prefix("that ") {
        return sentence(&to_you(clause), '.');
    }
    sentence(&format!("I promise you {}", to_you(&text)), '.')
}

/// "a name and a message" said to the one who has them.
fn yours(words: &[String]) -> String {
    let text = to_you(&words.join(" "));
    text.strip_prefix("a ")
        .filter(|rest| {
            rest.starts_with("name")
                || rest.starts_with("phone")
                || rest.starts_with("number")
                || rest.starts_with("date of birth")
        })
        .map_or(text.clone(), |rest| format!("your {rest}"))
}

fn without_person(words: &[String]) -> &[String] {
    let first = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    let second = words.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
    if matches!(first.as_str(), "them" | "him" | "her" | "caller" | "callers") {
        words.get(1..).unwrap_or_default()
    } else if first == "the"
        && (super::grammar::is_caller(second.trim_end_matches(',')) || second == "patient")
    {
        words.get(2..).unwrap_or_default()
    } else {
        words
    }
}

fn after(words: &[String], word: &str) -> Option<String> {
    let at = words.iter().position(|other| other == word)?;
    let rest = words.get(at + 1..).unwrap_or_default().join(" ");
    (!rest.is_empty()).then_some(rest)
}

fn quoted(part: &str) -> Option<String> {
    let open = part.find(['"', '\u{201c}'])?;
    let rest = part.get(open..)?.trim_start_matches(['"', '\u{201c}']);
    let close = rest.find(['"', '\u{201d}'])?;
    let text = rest.get(..close)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn sentence_or(quote: &str) -> String {
    if quote.ends_with(['.', '!', '?']) { quote.to_owned() } else { format!("{quote}.") }
}
