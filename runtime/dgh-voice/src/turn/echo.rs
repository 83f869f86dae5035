//! The agent's own words, heard back on a line that does not cancel its echo. Told apart by the
//! words: whoever says four words in a row that the agent is saying now, is the agent. Fewer may be
//! an answer in the agent's words (`Tuesday at ten`), so that the detector decides.

use std::collections::VecDeque;

use super::words::plain;
use crate::Millis;

/// An echo begins at the latest so long after the sound ended.
const TAIL_MS: Millis = 300;
/// Its words may be told so much later.
const FORGET_MS: Millis = 1_500;
/// Words of the agent that are remembered.
const KEEP: usize = 300;
/// So many words in a row are no coincidence.
const CERTAIN: usize = 4;

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    /// The caller's: these, after an echo or without one.
    Callers(&'a str),
    /// Words of the agent, but too few to be sure.
    Doubtful,
}

#[derive(Debug, Default)]
pub(super) struct Echo {
    said: VecDeque<String>,
    ended: Option<Millis>,
}

impl Echo {
    /// The agent says, or will say next, these words.
    pub(super) fn say(&mut self, text: &str, now: Millis) {
        if self.ended.take().is_some_and(|ended| now > ended + FORGET_MS) {
            self.said.clear();
        }
        self.said.extend(plain(text));
        while self.said.len() > KEEP {
            self.said.pop_front();
        }
    }

    /// The agent's sound ended.
    pub(super) fn end(&mut self, now: Millis) {
        self.ended = Some(now);
    }

    /// Whether what began at a time may be an echo.
    pub(super) fn may_be(&self, sounds: bool, began: Millis) -> bool {
        !self.said.is_empty() && (sounds || self.ended.is_some_and(|ended| began <= ended + TAIL_MS))
    }

    /// Whose words these are.
    pub(super) fn whose<'a>(&self, heard: &'a str) -> Whose<'a> {
        let words = plain(heard);
        match self.prefix(&words) {
            matched if matched >= CERTAIN => Whose::Callers(after_words(heard, matched)),
            matched if matched > 0 && matched == words.len() => Whose::Doubtful,
            _ => Whose::Callers(heard),
        }
    }

    /// How many words from the first one the agent said in a row. A word in five may be misheard.
    fn prefix(&self, words: &[String]) -> usize {
        let mut best = 0;
        for start in 0..self.said.len() {
            let (mut missed, mut matched, mut row) = (0, 0, 0);
            for (index, (said, heard)) in self.said.iter().skip(start).zip(words).enumerate() {
                if alike(said, heard) {
                    row += 1;
                    // One word alone after a misheard one may be chance.
                    if missed == 0 || row > 1 {
                        matched = index + 1;
                    }
                } else {
                    row = 0;
                    missed += 1;
                    if missed * 5 > index + 1 {
                        break;
                    }
                }
            }
            best = best.max(matched);
        }
        best
    }
}

/// The rest of a text after so many plain words.
pub(super) fn after_words(text: &str, count: usize) -> &str {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && plain(text.get(..at).unwrap_or_default()).len() >= count {
            return text.get(at..).unwrap_or_default().trim_start();
        }
        from = at + c.len_utf8();
    }
    text.get(from..).unwrap_or_default()
}

/// Whether two words sound alike: one letter in four differs at most.
fn alike(a: &str, b: &str) -> bool {
    a == b || {
        let longest = a.chars().count().max(b.chars().count());
        longest >= 4 && distance(a, b) * 4 <= longest
    }
}

/// Letters to insert, remove or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            *cell = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            (diagonal, left) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> Echo {
        let mut echo = Echo::default();
        echo.say("Your appointment is on Monday at nine. Shall I book it?", 0);
        echo
    }

    #[test]
    fn four_words_in_a_row_are_an_echo_and_fewer_may_be() {
        let echo = echo();
        assert_eq!(echo.whose("appointment is on Monday"), Whose::Callers(""));
        assert_eq!(echo.whose("Your appoyntment is on Monday at"), Whose::Callers(""));
        assert_eq!(echo.whose("on Monday at"), Whose::Doubtful);
        assert_eq!(echo.whose("Monday"), Whose::Doubtful);
        assert_eq!(echo.whose("is on Tuesday"), Whose::Callers("is on Tuesday"));
        assert_eq!(echo.whose("book a table"), Whose::Callers("book a table"));
        assert_eq!(echo.whose("yes"), Whose::Callers("yes"));
    }

    #[test]
    fn words_after_an_echo_are_the_callers() {
        let heard = "is on Monday at nine no I want a human";
        assert_eq!(echo().whose(heard), Whose::Callers("no I want a human"));
    }

    #[test]
    fn an_echo_begins_with_the_sound_or_soon_after_it() {
        let mut echo = echo();
        assert!(echo.may_be(true, 5_000));
        echo.end(6_000);
        assert!(echo.may_be(false, 6_200));
        assert!(!echo.may_be(false, 6_400));
    }

    #[test]
    fn letters_between_words_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("ab", ""), 2);
    }
}
