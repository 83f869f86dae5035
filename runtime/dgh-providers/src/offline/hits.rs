//! What was recognised in a text, and which of several is meant: "not Monday, Tuesday",
//! "Monday… no, wait, Tuesday".

use std::ops::Range;

use super::words::Words;

/// Something recognised, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hit<T> {
    /// What.
    pub(super) value: T,
    /// The words it takes.
    pub(super) places: Range<usize>,
    /// The words alone say what it is: "March 5", "3 pm"; not a bare "three".
    pub(super) sure: bool,
}

impl<T> Hit<T> {
    /// Whether both take a word.
    pub(super) fn overlaps(&self, other: &Range<usize>) -> bool {
        self.places.start < other.end && other.start < self.places.end
    }
}

/// The hit that is meant: not one that is refused; the last one when the caller corrects himself
/// between them, else the first.
pub(super) fn meant<T>(words: &Words, mut hits: Vec<Hit<T>>) -> Option<Hit<T>> {
    hits.retain(|hit| !refused(words, &hit.places));
    if hits.is_empty() {
        return None;
    }
    let first = hits.first().map_or(0, |hit| hit.places.end);
    let last = hits.last().map_or(0, |hit| hit.places.start);
    let at = if hits.len() > 1 && corrects_between(words, first..last) { hits.len() - 1 } else { 0 };
    Some(hits.swap_remove(at))
}

/// Drops hits inside a longer one and orders the rest as they stand.
pub(super) fn longest<T>(mut hits: Vec<Hit<T>>) -> Vec<Hit<T>> {
    hits.sort_by_key(|hit| (std::cmp::Reverse(hit.places.len()), hit.places.start));
    let mut kept: Vec<Hit<T>> = Vec::new();
    for hit in hits {
        if !kept.iter().any(|other| other.overlaps(&hit.places)) {
            kept.push(hit);
        }
    }
    kept.sort_by_key(|hit| hit.places.start);
    kept
}

/// Whether the caller says that it is not this.
pub(super) fn refused(words: &Words, places: &Range<usize>) -> bool {
    refused_before(words, places.start) || refused_after(words, places.end)
}

fn refused_before(words: &Words, start: usize) -> bool {
    let clause = words.clause_start(start);
    // "anything but the second"
    if words.before(clause) == "but"
        && clause > 1
        && words.is(clause - 2, &["anything", "any", "all", "everything", "anyone", "either", "one"])
        && start <= clause + 1
    {
        return true;
    }
    for place in (clause.max(start.saturating_sub(6))..start).rev() {
        match words.at(place) {
            "until" | "till" | "only" | "later" | "if" | "to" | "rather" if words.at(place + 1) != "than" => {
                return false;
            }
            "not" | "isn't" | "except" | "besides" => return true,
            "instead" | "than" if words.is(place, &["than"]) || words.at(place + 1) == "of" => return true,
            "don't" | "can't" | "cannot" | "won't" | "couldn't" | "doesn't" | "wasn't" | "dont" | "cant" => {
                return !words.is(place + 1, &["you", "we", "it", "there", "they"]);
            }
            // "from Monday to Tuesday" is about Tuesday when something is moved.
            "from" if place + 1 == start => {
                return words.at(start + 1) == "to"
                    && words.has(&["change", "move", "switch", "reschedule", "push"]);
            }
            _ => {}
        }
    }
    false
}

fn refused_after(words: &Words, end: usize) -> bool {
    // "the first one is too early"
    let end = if words.is(end, &["one", "option", "slot", "choice"]) { end + 1 } else { end };
    if words.is_break(end) {
        return false;
    }
    let negated = |at: usize| {
        words.is(at, &["doesn't", "don't", "won't", "isn't", "can't", "doesnt", "wont", "isnt"])
            || (words.is(at, &["does", "will", "is", "do", "would", "could"]) && words.at(at + 1) == "not")
            || (words.is(at, &["is", "was"])
                && words.is(at + 1, &["bad", "no", "impossible", "wrong", "terrible", "out", "too"]))
    };
    negated(end)
}

fn corrects_between(words: &Words, between: Range<usize>) -> bool {
    between.clone().any(|place| {
        words.is(
            place,
            &[
                "no",
                "sorry",
                "actually",
                "wait",
                "rather",
                "make",
                "mean",
                "meant",
                "instead",
                "scratch",
                "correction",
                "better",
                "oops",
            ],
        )
    })
}
