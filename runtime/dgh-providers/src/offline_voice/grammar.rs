//! What the caller may say at a node, as sentences from which the recogniser learns which word
//! follows which.
//!
//! A grammar in the strict sense would be JSGF. PocketSphinx searches one whose parts repeat, such
//! as a number or a date within a sentence, ten to a hundred times slower than real time; from
//! sentences it learns about the same in a quarter of a second, and hears the rest of a sentence when
//! one word of it is foreign.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::offline_voice::english;
use crate::stt::Expected;

/// Sentences that are made; more do not make it better, and take longer to learn.
const SENTENCES: usize = 4_000;
/// Of these, share of other talk.
const OTHER_SENTENCES: usize = SENTENCES / 4;
/// Sentences and words of the agent that are used; what is beyond would not be told apart.
const MAX_PHRASES: usize = 300;
/// Words of a phrase that are used.
const MAX_WORDS: usize = 20;
/// Of its words, one in so many may be foreign.
const FOREIGN: usize = 3;

/// What may be said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grammar {
    /// The same for the same.
    pub(super) id: String,
    pub(super) sentences: Vec<String>,
    /// Whether anything else may be said as well.
    pub(super) open: bool,
    own: HashSet<String>,
}

impl Grammar {
    /// What is expected, and how it is said.
    pub(super) fn new(expected: &Expected) -> Self {
        let mut hasher = DefaultHasher::new();
        expected.hash(&mut hasher);
        let phrases = phrases(&expected.phrases);
        let topics: Vec<Vec<String>> = expected.topics.iter().flat_map(|topic| nouns(topic)).collect();
        let mut dice = Dice(0x5eed);
        let mut thing = |dice: &mut Dice| {
            let kinds = [!phrases.is_empty(), !topics.is_empty(), expected.numbers];
            let possible: Vec<usize> = (0..3).filter(|kind| kinds.get(*kind) == Some(&true)).collect();
            match possible.get(dice.below(possible.len())) {
                Some(0) => part(dice, &phrases),
                Some(1) => format!("{} {}", english::article(dice), part(dice, &topics)),
                Some(_) => english::value(dice),
                None => "yes".to_owned(),
            }
        };
        let mut sentences: Vec<String> = phrases.iter().chain(&topics).map(|words| words.join(" ")).collect();
        while sentences.len() < SENTENCES {
            sentences.push(english::sentence(&mut dice, &mut thing));
        }
        let own = sentences.iter().flat_map(|s| s.split_whitespace()).map(str::to_owned).collect();
        for _ in 0..OTHER_SENTENCES {
            let other: Vec<&str> = (0..6).map(|_| dice.pick(english::OTHER)).collect();
            sentences.push(other.join(" "));
        }
        Self {
            id: format!("{:016x}", hasher.finish()),
            sentences,
            open: expected.open || (phrases.is_empty() && topics.is_empty() && !expected.numbers),
            own,
        }
    }

    /// What was said, without words of other talk; none: it was other talk.
    pub(super) fn sort<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let said: Vec<&str> = text.split_whitespace().collect();
        let own: Vec<&str> = said.iter().copied().filter(|word| self.own.contains(*word)).collect();
        let foreign = said.len() - own.len();
        let meant = !own.is_empty() && foreign * FOREIGN < said.len();
        meant.then_some(own)
    }
}

/// A phrase, or now and then a part of a long one: callers do not read sentences out.
fn part(dice: &mut Dice, phrases: &[Vec<String>]) -> String {
    let Some(phrase) = phrases.get(dice.below(phrases.len())) else { return String::new() };
    if phrase.len() < 3 || dice.below(3) > 0 {
        return phrase.join(" ");
    }
    let start = dice.below(phrase.len() - 1);
    let end = start + 2 + dice.below(phrase.len() - start - 1);
    phrase.get(start..end).unwrap_or(phrase).join(" ")
}

fn phrases(texts: &[String]) -> Vec<Vec<String>> {
    let spoken = texts.iter().take(MAX_PHRASES).map(|text| {
        let mut words = english::words(text);
        words.truncate(MAX_WORDS);
        words
    });
    spoken.filter(|words| !words.is_empty()).collect()
}

/// What a sentence such as "They ask about a bill or insurance" is about.
fn nouns(sentence: &str) -> Vec<Vec<String>> {
    let parts = sentence.split([',', '.', ';', ':']).flat_map(|part| part.split(" or "));
    parts
        .flat_map(|part| part.split(" and "))
        .filter_map(|part| {
            let words = english::words(part);
            let tail = words.iter().rposition(|word| FRAME.contains(&word.as_str())).map_or(0, |at| at + 1);
            let words: Vec<String> = words.into_iter().skip(tail).take(4).collect();
            (!words.is_empty()).then_some(words)
        })
        .collect()
}

/// Words with which an author leads to what a caller wants.
const FRAME: &[&str] = &[
    "they",
    "the",
    "caller",
    "a",
    "an",
    "want",
    "wants",
    "need",
    "needs",
    "ask",
    "asks",
    "asking",
    "for",
    "about",
    "to",
    "say",
    "says",
    "report",
    "reports",
    "has",
    "have",
    "is",
    "are",
    "someone",
    "something",
    "their",
    "of",
    "mention",
    "mentions",
    "would",
    "like",
    "that",
    "it",
    "them",
    "these",
    "none",
];

/// Numbers that are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// One below a limit; 0 for a limit of 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize;
        high.checked_rem(limit).unwrap_or_default()
    }

    /// One of a list.
    pub(super) fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list.get(self.below(list.len())).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(phrases: &[&str], topics: &[&str], numbers: bool) -> Expected {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Expected { phrases: own(phrases), topics: own(topics), numbers, ..Expected::default() }
    }

    #[test]
    fn the_same_gives_the_same_and_everything_that_fits_is_in_it() {
        let wanted =
            expected(&["Dr. Roy at 11:30", "I'm in pain"], &["They ask about a bill or insurance"], true);
        let grammar = Grammar::new(&wanted);
        assert_eq!(grammar, Grammar::new(&wanted));
        let has = |words: &str| grammar.sentences.iter().any(|sentence| sentence.contains(words));
        for words in [
            "doctor roy at eleven thirty",
            "i'm in pain",
            "bill",
            "insurance",
            "next tuesday",
            "dollars",
            "yes please",
        ] {
            assert!(has(words), "{words}");
        }
        assert_ne!(grammar.id, Grammar::new(&expected(&["other"], &[], true)).id);
        assert!(!grammar.open);
        assert!(Grammar::new(&Expected::default()).open, "nothing is known of what may be said");
    }

    #[test]
    fn other_talk_is_sorted_out() {
        let grammar = Grammar::new(&expected(&["cleaning"], &[], true));
        assert_eq!(
            grammar.sort("tuesday mountain at three cleaning"),
            Some(vec!["tuesday", "at", "three", "cleaning"])
        );
        assert_eq!(grammar.sort("the weather mountain love today"), None);
        assert_eq!(grammar.sort("weather"), None);
        assert_eq!(grammar.sort(""), None);
    }

    #[test]
    fn huge_expectations_are_bounded() {
        let many: Vec<String> = (0..5_000).map(|n| format!("phrase {n} {}", "word ".repeat(900))).collect();
        let grammar = Grammar::new(&Expected { phrases: many, ..Expected::default() });
        assert!(grammar.sentences.len() <= SENTENCES + OTHER_SENTENCES);
        assert!(grammar.sentences.iter().all(|sentence| sentence.len() < 500));
        assert_eq!(
            english::words("7 Zürich 42 at 10:00, 1234!").join(" "),
            "seven zurich forty two at ten o'clock one two three four"
        );
    }
}
