//! Phrases of several words, found in plain text, and which words stand under a "not".
//!
//! A phrase is words with spaces: `a|b` is either, `a?` may be missing, `*` is up to three words
//! of the same clause, `$` is the end of a clause, `^` is its start. `; ` is between two phrases.

use std::ops::Range;
use std::sync::OnceLock;

/// Several phrases that mean the same, read when they are first looked for.
pub(super) struct Phrases {
    text: &'static str,
    read: OnceLock<Vec<Vec<Part<'static>>>>,
}

impl Phrases {
    /// Phrases with `; ` between them.
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, read: OnceLock::new() }
    }

    /// Whether one of them stands anywhere.
    pub(super) fn within(&self, plain: &[String]) -> bool {
        (0..plain.len()).any(|at| self.at(plain, at).is_some())
    }

    /// Where the longest that stands at a word ends.
    pub(super) fn at(&self, plain: &[String], at: usize) -> Option<usize> {
        self.phrases().iter().filter_map(|parts| from(plain, at, parts)).max()
    }

    /// All that stand at a word: where they end.
    pub(super) fn all_at(&self, plain: &[String], at: usize) -> impl Iterator<Item = usize> {
        self.phrases().iter().filter_map(move |parts| from(plain, at, parts))
    }

    /// Whether a word is part of one of them.
    pub(super) fn holds(&self, word: &str) -> bool {
        self.text.split([' ', '|', ';', '?']).any(|part| part == word)
    }

    fn phrases(&self) -> &[Vec<Part<'static>>] {
        self.read
            .get_or_init(|| self.text.split("; ").filter(|phrase| !phrase.is_empty()).map(parts).collect())
    }
}

/// Where a phrase first stands.
pub(super) fn find(plain: &[String], phrase: &str) -> Option<Range<usize>> {
    let parts = parts(phrase);
    (0..plain.len()).find_map(|at| from(plain, at, &parts).map(|end| at..end))
}

/// Whether one of a few phrases stands anywhere.
pub(super) fn says(plain: &[String], phrases: &str) -> bool {
    phrases.split("; ").any(|phrase| find(plain, phrase).is_some())
}

enum Part<'a> {
    Start,
    End,
    Gap,
    Word { any: Vec<&'a str>, optional: bool },
}

fn parts(phrase: &str) -> Vec<Part<'_>> {
    let part = |word| match word {
        "^" => Part::Start,
        "$" => Part::End,
        "*" => Part::Gap,
        _ => {
            let bare: &str = word;
            let words = bare.strip_suffix('?').unwrap_or(bare);
            Part::Word { any: words.split('|').collect(), optional: words.len() < bare.len() }
        }
    };
    phrase.split_whitespace().map(part).collect()
}

fn from(plain: &[String], at: usize, parts: &[Part<'_>]) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let here = plain.get(at).map(String::as_str);
    match part {
        Part::End => (here.is_none() || here == Some(",")).then(|| from(plain, at, rest)).flatten(),
        Part::Start => {
            let start =
                at.checked_sub(1).and_then(|before| plain.get(before)).is_none_or(|before| before == ",");
            start.then(|| from(plain, at, rest)).flatten()
        }
        Part::Gap => {
            let clause =
                |gap: usize| (at..at + gap).all(|place| plain.get(place).is_some_and(|word| word != ","));
            (0..=3).filter(|gap| clause(*gap)).find_map(|gap| from(plain, at + gap, rest))
        }
        Part::Word { any, optional } => {
            let taken = here.filter(|word| any.contains(word)).and_then(|_| from(plain, at + 1, rest));
            taken.or_else(|| optional.then(|| from(plain, at, rest)).flatten())
        }
    }
}

/// For each word whether it is denied: "I do not want an appointment" denies "want" and
/// "appointment". "No problem", "why not" and a "no" that only answers deny nothing.
pub(super) fn denied(plain: &[String]) -> Vec<bool> {
    let mut out = vec![false; plain.len()];
    let mut scope = 0_usize;
    let mut place = 0;
    while let Some(word) = plain.get(place) {
        if let Some(end) = HARMLESS.at(plain, place) {
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
            "refuse" | "refuses" | "decline" | "declines" | "unable" | "unwilling" | "disagree" | "stop"
            | "quit" | "reject" | "rejects" => {
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
        // "I do not want to talk to a real person": small words take no part of the reach.
        if !matches!(word.as_str(), "a" | "an" | "the" | "to" | "any" | "your" | "with") {
            scope = scope.saturating_sub(1);
        }
        place += 1;
    }
    out
}

static HARMLESS: Phrases = Phrases::new(
    "no problem|worries|rush|doubt|hurry|trouble|offense|matter; not a problem; why not; not only; \
     do not worry|mind|hesitate; not at all; can not wait; no matter; do not know if|whether; if not; \
     or not; do not you; can not you|we; could not you|we; is not it|that|there; are not you|there; \
     will not you",
);

/// A "no" that answers and denies nothing behind it: "no I want a person".
fn answers(plain: &[String], place: usize) -> bool {
    let starts = place == 0 || plain.get(place - 1).is_some_and(|before| before == ",");
    let next = plain.get(place + 1).map_or(",", String::as_str);
    starts
        && matches!(
            next,
            "," | "i"
                | "it"
                | "that"
                | "we"
                | "thank"
                | "thanks"
                | "he"
                | "she"
                | "this"
                | "they"
                | "you"
                | "make"
                | "just"
                | "actually"
                | "let"
                | "please"
                | "not"
                | "wait"
                | "sorry"
                | "but"
                | "the"
                | "my"
                | "sir"
                | "no"
                | "on"
                | "at"
                | "is"
                | "can"
                | "do"
                | "what"
                | "never"
        )
}
