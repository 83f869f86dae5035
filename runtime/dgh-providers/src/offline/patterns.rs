//! Phrases of several words, found in plain text, and which words stand under a "not".
//!
//! A pattern is words with spaces: `a|b` is either, `a?` may be missing, `*` is up to three words
//! of the same clause, `$` is the end of a clause, `^` is its start.

use std::ops::Range;

/// Where the pattern first stands.
pub(super) fn find(plain: &[String], pattern: &str) -> Option<Range<usize>> {
    (0..plain.len()).find_map(|at| stands(plain, at, pattern).map(|end| at..end))
}

/// Where the pattern ends, when it stands at a word.
pub(super) fn stands(plain: &[String], at: usize, pattern: &str) -> Option<usize> {
    let parts: Vec<&str> = pattern.split(' ').collect();
    from(plain, at, &parts)
}

fn from(plain: &[String], at: usize, parts: &[&str]) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let here = plain.get(at).map(String::as_str);
    match *part {
        "$" => return (here.is_none() || here == Some(",")).then(|| from(plain, at, rest)).flatten(),
        "^" => {
            let start = at.checked_sub(1).and_then(|before| plain.get(before)).is_none_or(|before| before == ",");
            return start.then(|| from(plain, at, rest)).flatten();
        }
        "*" => {
            for gap in 0..=3 {
                if let Some(end) = from(plain, at + gap, rest) {
                    return Some(end);
                }
                if plain.get(at + gap).is_none_or(|word| word == ",") {
                    return None;
                }
            }
            return None;
        }
        _ => {}
    }
    if let Some(optional) = part.strip_suffix('?') {
        let taken = here.filter(|word| optional.split('|').any(|one| one == *word)).and_then(|_| from(plain, at + 1, rest));
        return taken.or_else(|| from(plain, at, rest));
    }
    here.filter(|word| part.split('|').any(|one| one == *word)).and_then(|_| from(plain, at + 1, rest))
}

/// For each word whether it is denied: "I do not want an appointment" denies "want" and
/// "appointment". "No problem", "why not" and a "no" that only answers deny nothing.
pub(super) fn denied(plain: &[String]) -> Vec<bool> {
    let mut out = vec![false; plain.len()];
    let mut scope = 0_usize;
    let mut place = 0;
    while let Some(word) = plain.get(place) {
        if let Some(end) = HARMLESS.iter().find_map(|pattern| stands(plain, place, pattern)) {
            place = end;
            scope = 0;
            continue;
        }
        match word.as_str() {
            "," | "because" | "since" | "so" => scope = 0,
            "not" | "never" | "without" | "nothing" | "nobody" | "neither" | "nor" | "cannot" => scope = 6,
            // "It won't stop bleeding"
            "stop" | "quit" if scope > 0 => {
                scope = 0;
                place += 1;
                continue;
            }
            "refuse" | "refuses" | "decline" | "declines" | "unable" | "unwilling" | "disagree" | "stop" | "quit" | "reject" | "rejects" => {
                scope = 5;
                place += 1;
                continue;
            }
            "no" if answers(plain, place) => scope = 0,
            "no" | "none" => scope = 3,
            _ => {}
        }
        if let Some(slot) = out.get_mut(place) {
            *slot = scope > 0;
        }
        scope = scope.saturating_sub(1);
        place += 1;
    }
    out
}

const HARMLESS: &[&str] = &[
    "no problem|worries|rush|doubt|hurry|trouble|offense|matter",
    "not a problem",
    "why not",
    "not only",
    "do not worry|mind|hesitate",
    "not at all",
    "can not wait",
    "no matter",
    "do not know if|whether",
    "if not",
    "or not",
    "do not you",
    "can not you|we",
    "could not you|we",
    "is not it|that|there",
    "are not you|there",
    "will not you",
];

/// A "no" that answers and denies nothing behind it: "no I want a person".
fn answers(plain: &[String], place: usize) -> bool {
    let starts = place == 0 || plain.get(place - 1).is_some_and(|before| before == ",");
    let next = plain.get(place + 1).map_or(",", String::as_str);
    starts
        && matches!(
            next,
            "," | "i" | "it" | "that" | "we" | "thank" | "thanks" | "he" | "she" | "this" | "they" | "you" | "make" | "just" | "actually" | "let" | "please" | "not" | "wait" | "sorry" | "but" | "the" | "my" | "sir" | "no" | "on" | "at" | "is" | "can" | "do" | "what" | "never"
        )
}
