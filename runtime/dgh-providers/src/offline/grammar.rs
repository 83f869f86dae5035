//! The little English that turns what an author wrote about the caller ("Whether they have
//! insurance", "Why they need the visit") into what is said to the caller.

/// Words of an author's text; a mark at the end of a word stays with it.
pub(super) fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Where the caller is the subject, and how many words that takes: "they", "the caller".
pub(super) fn subject(words: &[String]) -> Option<(usize, usize)> {
    words.iter().enumerate().find_map(|(at, word)| {
        let word = word.to_lowercase();
        if matches!(word.as_str(), "they" | "he" | "she" | "you") {
            return Some((at, 1));
        }
        let next = words.get(at + 1).map(|next| next.to_lowercase()).unwrap_or_default();
        if word == "the" && is_caller(&next) {
            return Some((at, 2));
        }
        (at > 0 && is_caller(&word) && word != "patient").then_some((at, 1))
    })
}

/// A statement about the caller as a question to the caller: "they have insurance" becomes
/// "Do you have insurance?".
pub(super) fn ask(statement: &str) -> String {
    let words = split(statement);
    if let Some((0, length)) = subject(&words) {
        capital(&inverted("", words.get(length..).unwrap_or_default()))
    } else {
        let thing = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
        if matches!(thing.as_str(), "that" | "it" | "this" | "everything" | "anything") {
            let verb = words.get(1).map(String::as_str).unwrap_or_default();
            let rest = to_you(&words.get(2..).unwrap_or_default().join(" "));
            let (aux, base) = if is_auxiliary(verb) {
                (verb.to_owned(), String::new())
            } else {
                ("does".to_owned(), base(verb))
            };
            return mark(&capital(&[aux, thing, base, rest].join(" ")));
        }
        mark(&format!("Is it right that {}", to_you(statement)))
    }
}

/// The question "{head} do you {rest}?", with the auxiliary that the rest asks for.
pub(super) fn inverted(head: &str, rest: &[String]) -> String {
    let said = rest.first().map(|verb| verb.to_lowercase()).unwrap_or_default();
    // "they are, from 1 to 5": the comma stays behind the one who is asked.
    let verb = said.trim_end_matches([',', ';', ':']).to_owned();
    let stop = said.get(verb.len()..).unwrap_or_default();
    let tail = to_you(&rest.get(1..).unwrap_or_default().join(" "));
    let participle = rest.get(1).is_some_and(|next| {
        next == "been" || next == "had" || next.ends_with("ed") || next == "ever" || next == "already"
    });
    let text = match verb.as_str() {
        "is" | "are" | "am" | "'re" => format!("{head} are you{stop} {tail}"),
        "was" | "were" => format!("{head} were you{stop} {tail}"),
        "has" | "have" if participle => format!("{head} have you{stop} {tail}"),
        "would" | "will" | "can" | "could" | "should" | "must" | "may" | "might" | "did" => {
            format!("{head} {verb} you{stop} {tail}")
        }
        "do" | "does" => format!("{head} do you{stop} {tail}"),
        _ => match past(&verb) {
            Some(base) => format!("{head} did you {base}{stop} {tail}"),
            None => format!("{head} do you {}{stop} {tail}", base(&verb)),
        },
    };
    mark(&text)
}

/// A text about the caller as a text to the caller.
pub(super) fn to_you(text: &str) -> String {
    let words = split(text);
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let bare = word.trim_end_matches(|char: char| !char.is_alphanumeric());
        let end = word.get(bare.len()..).unwrap_or_default();
        let lower = bare.to_lowercase();
        let next = words.get(at + 1).map(|next| next.to_lowercase()).unwrap_or_default();
        let next_bare = next.trim_end_matches(|char: char| !char.is_alphanumeric());
        let next_end = next.get(next_bare.len()..).unwrap_or_default().to_owned();
        if lower == "the" && (is_caller(next_bare) || next_bare.strip_suffix("'s").is_some_and(is_caller)) {
            out.push(if next_bare.ends_with("'s") { "your".to_owned() } else { format!("you{next_end}") });
            at += 2;
            // "the caller wants" becomes "you want"
            if let Some(verb) = words.get(at).filter(|verb| {
                !next_bare.ends_with("'s") && verb.len() > 2 && verb.ends_with('s') && next_end.is_empty()
            }) {
                out.push(match verb.as_str() {
                    "is" => "are".to_owned(),
                    "was" => "were".to_owned(),
                    verb => base(verb),
                });
                at += 1;
            }
            continue;
        }
        let you = match lower.as_str() {
            "they" | "them" => Some("you"),
            "their" => Some("your"),
            "theirs" => Some("yours"),
            "themselves" => Some("yourself"),
            _ => None,
        };
        out.push(you.map_or_else(|| word.clone(), |you| format!("{you}{end}")));
        at += 1;
    }
    out.join(" ")
}

/// The plain form of a verb: "needs", "wants", "tries".
pub(super) fn base(verb: &str) -> String {
    match verb {
        "has" => return "have".to_owned(),
        "is" => return "be".to_owned(),
        "does" => return "do".to_owned(),
        "goes" => return "go".to_owned(),
        _ => {}
    }
    if let Some(stem) = verb.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "shes", "ches", "xes", "zes"] {
        if verb.ends_with(end) {
            return verb.get(..verb.len() - 2).unwrap_or(verb).to_owned();
        }
    }
    match verb.strip_suffix('s').filter(|stem| !stem.ends_with('s') && stem.len() > 1) {
        Some(stem) => stem.to_owned(),
        None => verb.to_owned(),
    }
}

/// Whether a noun names the one we speak with.
pub(super) fn is_caller(noun: &str) -> bool {
    matches!(
        noun,
        "caller"
            | "customer"
            | "client"
            | "user"
            | "person"
            | "guest"
            | "lead"
            | "prospect"
            | "member"
            | "tenant"
            | "visitor"
            | "callee"
            | "contact"
    )
}

/// A sentence as a question.
pub(super) fn mark(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    super::spoken::sentence(&text, '?')
}

pub(super) fn capital(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), chars.as_str()))
}

fn is_auxiliary(verb: &str) -> bool {
    matches!(verb, "is" | "are" | "was" | "were" | "would" | "will" | "can" | "could" | "should" | "has")
}

/// The plain form of a verb in the past.
fn past(verb: &str) -> Option<String> {
    let irregular = [
        ("heard", "hear"),
        ("found", "find"),
        ("bought", "buy"),
        ("came", "come"),
        ("got", "get"),
        ("gave", "give"),
        ("said", "say"),
        ("told", "tell"),
        ("went", "go"),
        ("saw", "see"),
        ("paid", "pay"),
        ("had", "have"),
        ("chose", "choose"),
        ("made", "make"),
        ("took", "take"),
        ("met", "meet"),
        ("left", "leave"),
        ("lost", "lose"),
        ("sent", "send"),
        ("spoke", "speak"),
        ("wrote", "write"),
        ("began", "begin"),
        ("felt", "feel"),
        ("knew", "know"),
        ("thought", "think"),
        ("brought", "bring"),
        ("sold", "sell"),
        ("saw", "see"),
    ];
    if let Some((_, base)) = irregular.iter().find(|(form, _)| *form == verb) {
        return Some((*base).to_owned());
    }
    let stem = verb.strip_suffix("ed").filter(|stem| stem.len() > 1 && *stem != "ne" && *stem != "fe")?;
    // "preferred" doubles, "agreed" and "moved" keep an e, "tried" has a y.
    let bytes = stem.as_bytes();
    if let Some(head) = stem.strip_suffix('i') {
        return Some(format!("{head}y"));
    }
    let last = bytes.last().copied().unwrap_or_default();
    let before = bytes.len().checked_sub(2).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
    if last == before && !matches!(last, b'l' | b's' | b'e' | b'f' | b'z') {
        return stem.get(..stem.len() - 1).map(str::to_owned);
    }
    let silent = stem.ends_with("re")
        || matches!(last, b'v' | b'c' | b's' | b'z' | b'u') && !stem.ends_with("ss")
        || stem.ends_with("at")
        || stem.ends_with("ag")
        || stem.ends_with("ir") && stem.len() > 3
        || last == b'e';
    Some(if silent { format!("{stem}e") } else { stem.to_owned() })
}
