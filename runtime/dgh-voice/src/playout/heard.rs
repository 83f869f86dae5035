//! Which words of an utterance were heard when so much of its sound was played, and which part of
//! its sound holds some of its words. Exact where the provider told where its words are, else in
//! proportion to time.

use dgh_providers::tts::WordMark;

/// Most that a word takes; what is longer until the next one is a pause. The longest words of
/// speech at an ordinary rate (150 words a minute is 400 ms a word) stay under it.
const LONGEST_WORD_MS: u64 = 900;
/// A character of speech whose length is not known yet: 15 characters a second.
const CHARACTER_MS: u64 = 65;
/// The fastest and the slowest speech that is reckoned with where nothing may be missed.
const FASTEST_CHARACTER_MS: u64 = 35;
const SLOWEST_CHARACTER_MS: u64 = 130;
/// Around the words that must not be in a recording.
const EXACT_MARGIN_MS: u64 = 120;
const LOOSE_MARGIN_MS: u64 = 500;

/// The words of an utterance and what is known of their sound.
#[derive(Default)]
pub(super) struct Words {
    text: String,
    marks: Vec<WordMark>,
}

/// How long the sound of an utterance is.
#[derive(Clone, Copy)]
pub(super) struct Length {
    /// Milliseconds that are there.
    pub(super) ms: u64,
    /// Whether that is all.
    pub(super) complete: bool,
}

impl Words {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), marks: Vec::new() }
    }

    /// More marks. What is not in order or not in the text is not believed.
    pub(super) fn add(&mut self, words: &[WordMark]) {
        for word in words {
            let fits =
                self.marks.last().is_none_or(|last| last.end <= word.end && last.start_ms <= word.start_ms);
            if fits && word.end as usize <= self.text.len() && self.text.is_char_boundary(word.end as usize) {
                self.marks.push(*word);
            }
        }
    }

    /// Bytes of the text that were heard, and whether that is exact.
    pub(super) fn heard(&self, played_ms: u64, length: Length) -> (u32, bool) {
        if played_ms == 0 {
            return (0, true);
        }
        if length.complete && played_ms >= length.ms {
            return (bytes(self.text.len()), true);
        }
        let Some(last) = self.marks.last() else {
            return (self.proportional(0, played_ms, length), false);
        };
        let last_start = u64::from(last.start_ms);
        if played_ms > last_start + LONGEST_WORD_MS && !self.text_after(last.end).trim().is_empty() {
            // The provider told only where the first words are.
            let base = last_start + LONGEST_WORD_MS / 2;
            let rest = Length { ms: length.ms.saturating_sub(base), complete: length.complete };
            return (self.proportional(last.end as usize, played_ms - base, rest), false);
        }
        let mut heard = 0;
        for (word, next) in self.each() {
            let start = u64::from(word.start_ms);
            let until = match next {
                Some(next) => u64::from(next.start_ms),
                None if self.text_after(word.end).trim().is_empty() => length.ms.max(start),
                None => start + self.characters(heard as usize, word.end as usize) * CHARACTER_MS,
            };
            let len = until.saturating_sub(start).clamp(1, LONGEST_WORD_MS);
            if played_ms < start + len.div_ceil(2) {
                break;
            }
            heard = word.end;
        }
        (heard, true)
    }

    /// When the word that sounds at this time began; none: not known.
    pub(super) fn word_start(&self, played_ms: u64) -> Option<u64> {
        let begun = self.marks.iter().take_while(|word| u64::from(word.start_ms) <= played_ms);
        let start = u64::from(begun.last()?.start_ms);
        (played_ms < start + LONGEST_WORD_MS).then_some(start)
    }

    /// The time in which these bytes sound, with a margin; wide where it is not known.
    pub(super) fn time_of(&self, range: (u32, u32), length: Length) -> (u64, u64) {
        let (from, to) = range;
        let known_from = self.marks.iter().find(|word| word.end > from).map(|word| u64::from(word.start_ms));
        let start = match known_from {
            Some(ms) => ms.saturating_sub(EXACT_MARGIN_MS),
            None => self.reckon(from, FASTEST_CHARACTER_MS, length, |ms| ms.saturating_sub(margin(ms))),
        };
        let mut after = self.marks.iter().skip_while(|word| word.end < to);
        let last = after.next();
        let end = match (last, after.next()) {
            (Some(_), Some(next)) => u64::from(next.start_ms) + EXACT_MARGIN_MS,
            (Some(last), None) if self.text_after(last.end).trim().is_empty() => u64::MAX,
            _ => self.reckon(to, SLOWEST_CHARACTER_MS, length, |ms| ms + margin(ms)),
        };
        (start, end)
    }

    fn reckon(&self, at: u32, character_ms: u64, length: Length, loosen: fn(u64) -> u64) -> u64 {
        let before = self.characters(0, at as usize);
        if length.complete {
            let all = self.characters(0, self.text.len()).max(1);
            return loosen(length.ms * before / all);
        }
        if character_ms == SLOWEST_CHARACTER_MS {
            return before * character_ms + LOOSE_MARGIN_MS;
        }
        (before * character_ms).saturating_sub(LOOSE_MARGIN_MS)
    }

    /// Bytes heard of the text from a position, in proportion to time: words of which most was played.
    fn proportional(&self, from: usize, played_ms: u64, length: Length) -> u32 {
        let all = self.characters(from, self.text.len());
        let total = if length.complete { length.ms } else { length.ms.max(all * CHARACTER_MS) };
        let reached = all * played_ms.min(total) / total.max(1);
        let mut characters = 0;
        let mut heard = from;
        for (start, end) in words(self.text.get(from..).unwrap_or_default()) {
            let len = self.characters(from + start, from + end);
            let gap = self.characters(heard, from + start);
            if reached < characters + gap + len.div_ceil(2) {
                break;
            }
            characters += gap + len;
            heard = from + end;
        }
        bytes(heard)
    }

    fn characters(&self, from: usize, to: usize) -> u64 {
        self.text.get(from..to).map_or(0, |text| text.chars().count() as u64)
    }

    fn text_after(&self, end: u32) -> &str {
        self.text.get(end as usize..).unwrap_or_default()
    }

    fn each(&self) -> impl Iterator<Item = (WordMark, Option<WordMark>)> + '_ {
        self.marks.iter().enumerate().map(|(index, word)| (*word, self.marks.get(index + 1).copied()))
    }
}

fn margin(ms: u64) -> u64 {
    LOOSE_MARGIN_MS.max(ms * 15 / 100)
}

fn bytes(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The words of a text, as bytes from and to. Where words are not parted by spaces, each character
/// is one.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let (start, first) = rest.next()?;
        let mut end = start + first.len_utf8();
        if !stands_alone(first) {
            while let Some((at, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && !stands_alone(*c)) {
                end = at + c.len_utf8();
            }
        }
        Some((start, end))
    })
}

/// Thai, kana, Han: scripts without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0E7F | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    const ALL: Length = Length { ms: 2_000, complete: true };
    const SOME: Length = Length { ms: 500, complete: false };

    fn marked(text: &str, marks: &[(u32, u32)]) -> Words {
        let mut words = Words::new(text);
        let marks: Vec<_> =
            marks.iter().map(|(end, start_ms)| WordMark { end: *end, start_ms: *start_ms }).collect();
        words.add(&marks);
        words
    }

    #[test]
    fn a_word_was_heard_when_most_of_it_was_played() {
        let words = marked("one two three", &[(3, 0), (7, 400), (13, 1_000)]);
        assert_eq!(words.heard(0, ALL), (0, true));
        assert_eq!(words.heard(150, ALL), (0, true));
        assert_eq!(words.heard(250, ALL), (3, true));
        assert_eq!(words.heard(650, ALL), (3, true));
        assert_eq!(words.heard(750, ALL), (7, true));
        assert_eq!(words.heard(1_460, ALL), (13, true));
        assert_eq!(words.heard(2_000, ALL), (13, true));
    }

    #[test]
    fn a_pause_after_a_word_does_not_make_it_longer() {
        let words = marked("one. two", &[(4, 0), (8, 1_900)]);
        assert_eq!(words.heard(500, ALL), (4, true));
    }

    #[test]
    fn without_marks_the_words_follow_the_time() {
        let words = Words::new("aaaa bbbb cccc dddd");
        assert_eq!(words.heard(100, ALL), (0, false));
        assert_eq!(words.heard(500, ALL), (4, false));
        assert_eq!(words.heard(1_000, ALL), (9, false));
        assert_eq!(words.heard(2_000, ALL), (19, true));
    }

    #[test]
    fn without_marks_and_end_an_ordinary_rate_is_taken() {
        let words = Words::new("Your appointment is on Monday at nine in the morning.");
        let (heard, exact) = words.heard(500, SOME);
        assert!(!exact);
        assert_eq!(heard, 4);
        assert_eq!(words.heard(1_200, Length { ms: 1_300, complete: false }).0, 19);
    }

    #[test]
    fn marks_of_the_first_words_alone_are_gone_on_from() {
        let words = marked("one two three four five six seven", &[(3, 0), (7, 300)]);
        assert_eq!(words.heard(600, ALL), (7, true));
        let (heard, exact) = words.heard(1_600, ALL);
        assert!(!exact && heard > 7 && heard < 33, "{heard}");
    }

    #[test]
    fn marks_that_cannot_be_are_not_believed() {
        let words = marked("zwölf Uhr", &[(3, 0), (6, 10), (99, 20), (10, 5), (10, 500)]);
        assert_eq!(words.marks.len(), 2);
        assert_eq!(words.heard(700, ALL).0, 6);
    }

    #[test]
    fn scripts_without_spaces_are_cut_between_characters() {
        let words = Words::new("明日の午後三時に予約");
        let (heard, _) = words.heard(1_000, ALL);
        assert_eq!(heard, 15);
    }

    #[test]
    fn the_word_that_sounds_is_where_to_go_on() {
        let words = marked("one two", &[(3, 100), (7, 500)]);
        assert_eq!(words.word_start(50), None);
        assert_eq!(words.word_start(450), Some(100));
        assert_eq!(words.word_start(700), Some(500));
        assert_eq!(words.word_start(1_800), None);
    }

    #[test]
    fn private_words_are_muted_with_a_margin_and_widely_where_time_is_not_known() {
        let words =
            marked("your code is 1234 thanks", &[(4, 0), (9, 300), (12, 700), (17, 900), (24, 1_600)]);
        assert_eq!(words.time_of((13, 17), ALL), (780, 1_720));
        let last = marked("code is 1234", &[(4, 0), (7, 300), (12, 700)]);
        assert_eq!(last.time_of((8, 12), ALL).1, u64::MAX);

        let plain = Words::new("your code is 1234 thanks");
        let (from, to) = plain.time_of((13, 17), ALL);
        assert!(from < 1_083 && to > 1_416, "{from} {to}");
        let (from, to) = plain.time_of((13, 17), SOME);
        assert!(from < 13 * 50 && to > 17 * 100, "{from} {to}");
    }
}
