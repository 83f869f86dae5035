//! The agent's own words, heard back on a line that does not cancel its echo. Told apart by the
//! words alone: whoever says three words in a row that the agent is saying now, is the agent.

use std::collections::VecDeque;

use super::words::plain;
use crate::Millis;

/// An echo and its recognition come so long after the sound ended.
const TAIL_MS: Millis = 1_500;
/// Words of the agent that are remembered.
const KEEP: usize = 300;
/// So many words in a row are no coincidence.
const CERTAIN: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Echo {
    said: VecDeque<String>,
    ended: Option<Millis>,
}

impl Echo {
    /// The agent says, or will say next, these words.
    pub(super) fn say(&mut self, text: &str, now: Millis) {
        if self.ended.take().is_some_and(|ended| now > ended + TAIL_MS) {
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

    /// Whether an echo may come now.
    pub(super) fn may_come(&self, sounds: bool, now: Millis) -> bool {
        !self.said.is_empty() && (sounds || self.ended.is_some_and(|ended| now <= ended + TAIL_MS))
    }

    /// What was heard, without the echo that it starts with. `voiced`: the detector heard a voice
    /// that is not the agent's, so that one or two words are the caller's.
    pub(super) fn without<'a>(&self, heard: &'a str, voiced: bool) -> &'a str {
        let words = plain(heard);
        let matched = self.prefix(&words);
        if matched == 0 || (matched < CERTAIN && (voiced || matched < words.len())) {
            return heard;
        }
        after_words(heard, matched)
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
    fn three_words_in_a_row_are_an_echo_and_others_are_not() {
        let echo = echo();
        assert_eq!(echo.without("appointment is on Monday", true), "");
        assert_eq!(echo.without("Your appoyntment is on Monday at", true), "");
        assert_eq!(echo.without("is on Tuesday", true), "is on Tuesday");
        assert_eq!(echo.without("book a table", true), "book a table");
        assert_eq!(echo.without("yes", false), "yes");
    }

    #[test]
    fn one_or_two_words_are_the_callers_when_a_voice_was_heard() {
        let echo = echo();
        assert_eq!(echo.without("Monday", true), "Monday");
        assert_eq!(echo.without("Monday", false), "");
    }

    #[test]
    fn words_after_an_echo_are_the_callers() {
        assert_eq!(echo().without("is on Monday at nine no I want a human", true), "no I want a human");
    }

    #[test]
    fn letters_between_words_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("ab", ""), 2);
    }
}
