//! One of several: the case of an enum, an entry of a list.

use std::ops::Range;

use chrono::Timelike;

use super::answers::answer;
use super::dates::{Calendar, dates};
use super::hits::{Hit, meant, refused};
use super::numbers::numbers;
use super::patterns::Phrases;
use super::spoken::{Entry, entry, words_of};
use super::synonyms::{is_filler, meaning};
use super::times::times;
use super::words::{Kind, Words, count, listed, plain, stem};

/// The case that is named. Unsure where only a related word was said, or one that is said for
/// many reasons ("now", "later", "other").
pub(super) fn case(words: &Words, cases: &[String]) -> Option<Hit<String>> {
    let mut named: Vec<Hit<String>> = Vec::new();
    for case in cases {
        named.extend(named_case(words, case));
    }
    named.sort_by_key(|hit| (hit.places.start, std::cmp::Reverse(hit.places.len())));
    let mut kept: Vec<Hit<String>> = Vec::new();
    for hit in named {
        if !kept.iter().any(|other| other.overlaps(&hit.places)) {
            kept.push(hit);
        }
    }
    if let Some(hit) = meant(words, kept) {
        return Some(hit);
    }
    related_case(words, cases)
}

/// The entry that is picked, as its number from 1.
pub(super) fn entry_of(words: &Words, options: &[String], calendar: &Calendar) -> Option<Hit<usize>> {
    let whole = 0..words.len();
    let plain_words = plain(words);
    if options.is_empty() || NONE_OF.within(&plain_words) {
        return None;
    }
    let entries: Vec<Entry> = options.iter().map(|option| entry(option)).collect();
    if let Some(hit) = position(words, &entries, calendar) {
        return Some(hit);
    }
    if let Some(hit) = by_content(words, &entries, calendar) {
        return Some(hit);
    }
    if ANY_OF.within(&plain_words) {
        return Some(Hit { value: 1, places: whole, sure: false });
    }
    let only = options.len() == 1 && answer(words).is_some_and(|answer| answer.yes);
    only.then_some(Hit { value: 1, places: whole, sure: false })
}

/// The entries that are meant when several fit, as numbers from 1: "Dr. Wu", who has two.
pub(super) fn several(words: &Words, options: &[String], calendar: &Calendar) -> Vec<usize> {
    let entries: Vec<Entry> = options.iter().map(|option| entry(option)).collect();
    let (numbers, _) = described(words, &entries, calendar);
    if numbers.len() > 1 && numbers.len() < options.len() { numbers } else { Vec::new() }
}

static NONE_OF: Phrases = Phrases::new(
    "none of|works|work|suits|fits; neither; nothing|anything else; \
     another|other|different day|date|time|one|option|slot; not * any of",
);
static ANY_OF: Phrases = Phrases::new(
    "any of|one|is|works|will|time|slot $?; either; whichever|whatever; does not|no matter; \
     do not mind|care; you choose|decide|pick; first available; soonest|earliest possible; \
     all the same",
);

fn named_case(words: &Words, case: &str) -> Vec<Hit<String>> {
    let parts: Vec<String> = words_of(case).split(' ').map(stem).collect();
    let common = parts.len() == 1 && listed(COMMON, case);
    let mut found = Vec::new();
    for place in 0..words.len() {
        let mut at = place;
        let mut all = true;
        for part in &parts {
            while at < words.len() && at > place && words.kind(at) == Kind::Mark {
                at += 1;
            }
            let near = close(words.at(at), part);
            // "check-up" and "check up" are `checkup`.
            let joined = [words.at(at), words.at(at + 1)].concat();
            let split = words.kind(at + 1) == Kind::Letters
                && words.at(at).len() > 2
                && !joined.is_empty()
                && stem(&joined) == *part;
            let hyphened =
                words.at(at + 1) == "-" && stem(&[words.at(at), words.at(at + 2)].concat()) == *part;
            at += match (near, split, hyphened) {
                (true, _, _) => 1,
                (_, true, _) => 2,
                (_, _, true) => 3,
                _ => {
                    all = false;
                    break;
                }
            };
        }
        if all && at > place {
            found.push(Hit { value: case.to_owned(), places: place..at, sure: !common });
        }
    }
    found
}

/// Cases that are words of every conversation.
const COMMON: &str = "now later other yes no new this none good well right call help question today tomorrow first \
     second one two in out open back never soon unknown high low service general";

/// The same stem, or one slip of the keyboard in a long word.
fn close(word: &str, part: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let stemmed = stem(word);
    stemmed == *part || (word.len() >= 6 && part.len() >= 5 && strsim::osa_distance(&stemmed, part) == 1)
}

/// How sure a phrase makes a case, and a yes or no.
const PHRASE: f64 = 0.9;
const POLAR: f64 = 1.0;

fn related_case(words: &Words, cases: &[String]) -> Option<Hit<String>> {
    let plain_words = plain(words);
    let said = answer(words);
    let mut best: Option<(f64, String, Range<usize>)> = None;
    let mut tie = false;
    for case in cases {
        let mut score = 0.0_f64;
        let mut places = 0..words.len();
        for part in words_of(case).split(' ') {
            let phrase = RELATED.iter().any(|(name, phrases)| {
                (listed(name, part) || *name == case.as_str()) && phrases.within(&plain_words)
            });
            if phrase {
                score = score.max(PHRASE);
            }
            if is_filler(part) {
                continue;
            }
            let wanted = meaning(part);
            let place = (0..words.len())
                .find(|place| meaning(words.at(*place)) == wanted && !is_filler(words.at(*place)));
            if let Some(place) = place.filter(|place| !refused(words, &(*place..place + 1))) {
                score = score.max(0.7);
                places = place..place + 1;
            }
        }
        let polar = match case.as_str() {
            "yes" | "y" => said.is_some_and(|answer| answer.yes),
            "no" | "n" => said.is_some_and(|answer| !answer.yes),
            _ => false,
        };
        if polar {
            score = POLAR;
        }
        match &best {
            _ if score <= 0.0 => {}
            Some((other, _, _)) if (other - score).abs() < 0.05 => tie = true,
            Some((other, _, _)) if *other > score => {}
            _ => {
                tie = false;
                best = Some((score, case.clone(), places));
            }
        }
    }
    best.filter(|_| !tie).map(|(score, value, places)| {
        let sure = score >= PHRASE && !listed(COMMON, &value) && !value.contains('_');
        Hit { value, places, sure }
    })
}

/// Ways to say a case that share no word with it.
static RELATED: [(&str, Phrases); 24] = [
    (
        "now",
        Phrases::new(
            "right away|now; as soon as possible; asap; immediately; straight away; at once; today; \
         this week|month; right now; soon as we|i|you can; yesterday",
        ),
    ),
    ("soon", Phrases::new("next week|month; in a few days|weeks; shortly; as soon as possible; asap")),
    (
        "later",
        Phrases::new(
            "not yet; some other time|day; some day; next year; in * year|years; in the future; \
         eventually; down the road; no rush|hurry; not any time soon; not soon|now; \
         in a few|couple months|years|of; in a while; six|6 months; far off|away",
        ),
    ),
    (
        "this_quarter",
        Phrases::new(
            "this quarter; next|coming few|couple|two|2 weeks|months|of; in * weeks|month; next month; \
         by the end of the quarter; within * months|quarter; next few weeks|months",
        ),
    ),
    (
        "other",
        Phrases::new(
            "something|anything else; none of these|those|them; another reason|thing|topic; \
         different reason|topic; neither",
        ),
    ),
    ("none", Phrases::new("none; nothing; not any; ^ no $")),
    ("unknown", Phrases::new("do not know; not sure; no idea")),
    ("never", Phrases::new("not ever; at no time")),
    ("morning", Phrases::new("before noon|lunch; early; a m; am")),
    ("afternoon", Phrases::new("after lunch|noon; p m; pm")),
    ("evening", Phrases::new("after work|five|six; tonight; at night")),
    (
        "checkup",
        Phrases::new("check up; check * teeth; routine; regular visit; annual; look at my teeth; exam"),
    ),
    (
        "pain",
        Phrases::new(
            "hurts|hurt|aches|aching|sore; toothache; tooth ache; killing me; broken|cracked|chipped tooth",
        ),
    ),
    ("sales", Phrases::new("buy|buying|order|purchase; new customer; get a quote; interested in")),
    (
        "service",
        Phrases::new(
            "not working; does|do|did|will|can not start|work|turn|run|open|charge; stopped working; broke|broken; \
         repair|fix|fixed|maintenance; technician",
        ),
    ),
    ("accounts", Phrases::new("bill|invoice|payment|refund|charged; my account")),
    ("billing", Phrases::new("bill|invoice|payment|refund|charged|charge")),
    ("support", Phrases::new("not working; problem|issue|help|trouble with; does not work")),
    ("technical", Phrases::new("not working; does not work; error|crash|broken|bug")),
    ("new", Phrases::new("first time|visit; never been; not * before; new patient|customer|client")),
    (
        "existing",
        Phrases::new("been * before; already a|am; regular|returning; current customer|patient|client"),
    ),
    ("cash", Phrases::new("in cash")),
    ("business", Phrases::new("company|office|firm|work")),
    ("personal private", Phrases::new("for myself|me; at home")),
];

/// "the second one", "number two", "option 3", "the last", "the earliest".
fn position(words: &Words, entries: &[Entry], calendar: &Calendar) -> Option<Hit<usize>> {
    let count = entries.len();
    let mut found: Vec<Hit<usize>> = Vec::new();
    let days = dates(words, calendar);
    for number in numbers(words) {
        let Some(value) = number
            .whole()
            .and_then(|value| usize::try_from(value).ok())
            .filter(|value| (1..=count).contains(value))
        else {
            continue;
        };
        let inside_date = days.iter().any(|day| day.sure && day.overlaps(&number.places));
        if inside_date {
            continue;
        }
        let before = words.before(number.places.start);
        let after = words.at(number.places.end);
        let counted = matches!(before, "number" | "option" | "choice" | "slot" | "#" | "no");
        let unit = matches!(
            after,
            "second"
                | "seconds"
                | "minutes"
                | "hours"
                | "pm"
                | "am"
                | "o'clock"
                | ":"
                | "p"
                | "thirty"
                | "fifteen"
                | "weeks"
                | "days"
        );
        let bare = (0..words.len()).all(|place| {
            number.places.contains(&place) || words.kind(place) == Kind::Mark || is_filler(words.at(place))
        });
        let timed = matches!(before, "at" | "around" | "by" | "after" | "before")
            || entries
                .iter()
                .any(|entry| entry.times.iter().any(|time| time.hour() % 12 == (value as u32) % 12));
        let fits = if number.ordinal { !matches!(after, "of") } else { counted || (bare && !timed && !unit) };
        if fits {
            found.push(Hit { value, places: number.places, sure: number.ordinal || counted });
        }
    }
    for place in 0..words.len() {
        let pick = match words.at(place) {
            "last" | "latter" if matches!(words.before(place), "the") => Some(count),
            "latest" => extreme(entries, true).or(Some(count)),
            "later" if words.before(place) == "the" => extreme(entries, true),
            "earliest" | "soonest" => extreme(entries, false).or(Some(1)),
            "earlier" if words.before(place) == "the" => extreme(entries, false),
            "former" => Some(1),
            "middle" if count == 3 => Some(2),
            "top" => Some(1),
            "bottom" => Some(count),
            "one" if words.stands(place.saturating_sub(1), &["one"]) && words.len() == 1 => Some(1),
            _ => None,
        };
        if let Some(value) = pick {
            found.push(Hit { value, places: place..place + 1, sure: true });
        }
    }
    found.sort_by_key(|hit| hit.places.start);
    meant(words, found)
}

fn extreme(entries: &[Entry], last: bool) -> Option<usize> {
    let key = |entry: &Entry| Some((entry.days.first().copied(), entry.times.first().copied()?));
    let mut dated: Vec<_> =
        entries.iter().enumerate().filter_map(|(at, entry)| Some((key(entry)?, at + 1))).collect();
    dated.sort();
    if last { dated.last() } else { dated.first() }.map(|(_, number)| *number)
}

/// "the one at eleven", "Dr. Roy", "Monday".
fn by_content(words: &Words, entries: &[Entry], calendar: &Calendar) -> Option<Hit<usize>> {
    let (best, places) = described(words, entries, calendar);
    match best.as_slice() {
        [one] => Some(Hit { value: *one, places, sure: true }),
        _ => None,
    }
}

/// The entries that fit the description best, as numbers from 1, and the words that describe them.
fn described(words: &Words, entries: &[Entry], calendar: &Calendar) -> (Vec<usize>, Range<usize>) {
    let days: Vec<_> =
        dates(words, calendar).into_iter().filter(|hit| !refused(words, &hit.places)).collect();
    let times: Vec<_> = times(words, calendar.now)
        .into_iter()
        .filter(|hit| !refused(words, &hit.places) && !days.iter().any(|day| day.overlaps(&hit.places)))
        .collect();
    let stems: Vec<(usize, String)> = (0..words.len())
        .filter(|place| words.kind(*place) != Kind::Mark)
        .map(|place| (place, stem(words.at(place.to_owned()))))
        .collect();
    let mut scores: Vec<f64> = Vec::new();
    for entry in entries {
        let mut score = 0.0;
        for day in &days {
            if entry.days.is_empty() {
                continue;
            }
            if entry.days.contains(&day.value) {
                score += 1.0;
            } else if day.sure {
                score -= 2.0;
            }
        }
        for time in &times {
            let same = entry.times.iter().any(|own| {
                *own == time.value
                    || (own.hour() % 12 == time.value.hour() % 12 && own.minute() == time.value.minute())
            });
            if same {
                score += 1.0;
            } else if time.sure && !entry.times.is_empty() {
                score -= 1.0;
            }
        }
        if words.has(&["morning"]) && entry.times.iter().any(|time| time.hour() < 12)
            || words.has(&["afternoon"]) && entry.times.iter().any(|time| (12..18).contains(&time.hour()))
            || words.has(&["evening"]) && entry.times.iter().any(|time| time.hour() >= 17)
        {
            score += 0.6;
        }
        for own in &entry.words {
            let own_stem = stem(own);
            if is_filler(own) && own.len() < 4 || matches!(own.as_str(), "dr" | "mr" | "mrs" | "ms") {
                continue;
            }
            let shared =
                entries.iter().filter(|other| other.words.iter().any(|word| stem(word) == own_stem)).count();
            let said = stems.iter().any(|(place, word)| {
                (*word == own_stem || own.len() >= 5 && strsim::osa_distance(word, &own_stem) == 1)
                    && !refused(words, &(*place..place + 1))
            });
            if said && shared < entries.len() {
                score += 1.0 / count(shared);
            }
        }
        scores.push(score);
    }
    let best = scores.iter().copied().fold(0.0, f64::max);
    let fits = |score: f64| best > 0.0 && (score - best).abs() < 1e-9;
    let numbers =
        scores.iter().zip(1..).filter(|(score, _)| fits(**score)).map(|(_, number)| number).collect();
    let used = || days.iter().map(|hit| &hit.places).chain(times.iter().map(|hit| &hit.places));
    let places = used().map(|places| places.start).min().unwrap_or(0)
        ..used().map(|places| places.end).max().unwrap_or(0);
    (numbers, places)
}
