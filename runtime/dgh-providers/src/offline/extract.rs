//! Which values a turn gives: every shape, several at once, corrections of earlier ones.

use chrono::NaiveDate;
use dgh_engine::reply::{Card, Shape, Wanted};
use serde_json::{Map, Value as Json};

use super::labels::last_question;
use super::patterns::Phrases;
use super::reader::{Evidence, Reader};
use super::spoken::words_of;
use super::synonyms::{is_filler, meaning};
use super::texts::{Purpose, purpose};
use super::words::{Words, plain};

/// What a turn gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Extraction {
    /// Values by name, in the forms of [`Shape`]; null: the caller declines it.
    pub(super) values: Map<String, Json>,
    /// One of them replaces a value that was known.
    pub(super) corrects: bool,
    /// Half of what was asked for.
    pub(super) half: Option<Half>,
    /// Why a day that was named cannot be meant.
    pub(super) impossible: Option<String>,
    /// The caller declines what he may not decline.
    pub(super) refused: bool,
}

/// Half of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Half {
    /// The day of a date with a time.
    Day(NaiveDate),
    /// Several entries of a list that fit what was said, as text.
    Several(Vec<String>),
    /// "next week", where a day is wanted.
    Period(String),
    /// A number outside the bounds.
    Outside,
    /// An amount in another currency than this one.
    Currency(String),
    /// Digits, but not as many as are wanted.
    TooShort,
}

/// The value that the agent's last words ask for.
pub(super) fn focus<'a>(card: &'a Card, asked: &str) -> Option<&'a Wanted> {
    let missing: Vec<&Wanted> = card.wanted.iter().filter(|wanted| wanted.missing).collect();
    if let Some(exact) =
        missing.iter().find(|wanted| wanted.ask.as_deref().is_some_and(|ask| asked.contains(ask.trim())))
    {
        return Some(exact);
    }
    let question = content(last_question(asked));
    let shared = |wanted: &Wanted| topic(wanted).iter().filter(|token| question.contains(token)).count();
    let best = missing.iter().map(|wanted| shared(wanted)).max().unwrap_or(0);
    missing.iter().find(|wanted| shared(wanted) == best).copied()
}

/// Reads the values out of a turn.
pub(super) fn extract(words: &Words, card: &Card, asked: &str) -> Extraction {
    let mut reader = Reader::new(words, card, asked, corrects(words));
    let focus = focus(card, asked);
    let free = focus
        .filter(|wanted| matches!(wanted.shape, Shape::Text) && text_purpose(wanted) == Purpose::Message);
    if let Some(wanted) = free.filter(|_| !reader.corrects) {
        // Whatever a message names belongs to the message.
        reader.read(wanted, Evidence::Asked);
        if !reader.out.values.is_empty() {
            return reader.out;
        }
    }
    for (wanted, evidence) in order(words, card, focus, reader.corrects) {
        if free.is_none_or(|free| free.name != wanted.name || reader.corrects) {
            reader.read(wanted, evidence);
        }
    }
    if let Some(wanted) = focus.filter(|wanted| !reader.out.values.contains_key(&wanted.name)) {
        reader.read_late(wanted);
    }
    reader.out
}

/// Whether the caller changes his mind in this turn.
pub(super) fn corrects(words: &Words) -> bool {
    CUES.within(&plain(words))
}

static CUES: Phrases = Phrases::new(
    "actually; make that|it; i meant|mean; no wait; wait no; change|move|switch|push * to; \
     change|move|switch|correct my|the; instead; rather; correction; scratch that; on second thought; \
     let us|can we|could we make|say|do|change|move; not * but; sorry , i; i said; that should be; \
     should be; better; how|what about; ^ no , i|it|the|my|that|make|on|at|for",
);

/// Named ones first, then what a correction can mean, then what was asked for.
fn order<'a>(
    words: &Words,
    card: &'a Card,
    focus: Option<&Wanted>,
    corrects: bool,
) -> Vec<(&'a Wanted, Evidence)> {
    let said: Vec<String> = words.iter().map(|word| meaning(&word.text)).collect();
    let mut all: Vec<(u8, &Wanted, Evidence)> = card
        .wanted
        .iter()
        .map(|wanted| {
            let evidence = match focus {
                Some(focus) if focus.name == wanted.name => Evidence::Asked,
                _ if wanted.missing => Evidence::Missing,
                _ => Evidence::Other,
            };
            let named = words_of(&wanted.name)
                .split(' ')
                .any(|part| part.len() > 2 && !is_filler(part) && said.contains(&meaning(part)));
            let known = known(card, &wanted.name).is_some();
            let rank = match evidence {
                _ if named => 0,
                Evidence::Other
                    if corrects
                        && known
                        && !matches!(focus.map(|focus| &focus.shape), Some(Shape::Choice { .. })) =>
                {
                    1
                }
                Evidence::Asked => 2,
                Evidence::Missing => 3,
                Evidence::Other if known => 4,
                Evidence::Other => 5,
            };
            (rank, wanted, evidence)
        })
        .collect();
    all.sort_by_key(|(rank, ..)| *rank);
    all.into_iter().map(|(_, wanted, evidence)| (wanted, evidence)).collect()
}

fn text_purpose(wanted: &Wanted) -> Purpose {
    purpose(&wanted.name, wanted.about.as_deref().unwrap_or_default())
}

/// The value that is known, as text.
pub(super) fn known<'a>(card: &'a Card, name: &str) -> Option<&'a str> {
    card.known.iter().find(|known| known.name == name).map(|known| known.value.as_str())
}

fn content(text: &str) -> Vec<String> {
    plain(&Words::new(text))
        .iter()
        .filter(|word| *word != "," && !is_filler(word))
        .map(|word| meaning(word))
        .collect()
}

fn topic(wanted: &Wanted) -> Vec<String> {
    topic_of(&wanted.name, wanted.about.as_deref().unwrap_or_default())
}

pub(super) fn topic_of(name: &str, about: &str) -> Vec<String> {
    content(&format!("{} {about}", words_of(name)))
}
