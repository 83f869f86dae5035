//! Where the words of a request are in its sound. Providers tell the words as they speak them,
//! which need not be those of the text: "$20" is spoken "twenty dollars". Marks are places in the
//! text, so the two are laid beside each other as they come.

use std::mem;

use crate::tts::WordMark;

/// Words of the text that are looked ahead for one that was spoken.
const AHEAD: usize = 8;
/// Spoken words that fit nothing and are kept; a provider that speaks something else has no marks.
const MAX_UNPLACED: usize = 64;

/// Lays spoken words beside one text.
#[derive(Default)]
pub(super) struct Aligner {
    /// Words of the text that are not marked yet, from the last to the first.
    rest: Vec<Word>,
    /// Spoken words with no place yet: when they start.
    unplaced: Vec<u32>,
    /// Letters of a word that may go on, and when it starts.
    letters: String,
    letters_start: u32,
    last_start: u32,
}

struct Word {
    /// Its letters and digits, in lower case.
    key: String,
    /// Where it ends, with its punctuation.
    end: u32,
}

impl Aligner {
    pub(super) fn new(text: &str) -> Self {
        let mut rest = words_of(text);
        rest.reverse();
        Self { rest, ..Self::default() }
    }

    /// A spoken word, and the marks that it settles.
    pub(super) fn word(&mut self, word: &str, start_ms: u32, marks: &mut Vec<WordMark>) {
        for part in words_of(word) {
            self.place(&part.key, start_ms, marks);
        }
    }

    /// A spoken letter; words are cut at spaces. Scripts without spaces have a mark per letter.
    pub(super) fn letter(&mut self, letter: char, start_ms: u32, marks: &mut Vec<WordMark>) {
        if letter.is_whitespace() || stands_alone(letter) {
            self.end_of_letters(marks);
        }
        if letter.is_whitespace() {
            return;
        }
        if self.letters.is_empty() {
            self.letters_start = start_ms;
        }
        self.letters.push(letter);
    }

    /// No more is spoken.
    pub(super) fn finish(&mut self, marks: &mut Vec<WordMark>) {
        self.end_of_letters(marks);
        let count = self.rest.len();
        self.spread(count, marks);
    }

    fn end_of_letters(&mut self, marks: &mut Vec<WordMark>) {
        let letters = mem::take(&mut self.letters);
        self.word(&letters, self.letters_start, marks);
    }

    fn place(&mut self, key: &str, start_ms: u32, marks: &mut Vec<WordMark>) {
        // The more was spoken that fits nothing, the more of the text it may stand for.
        let ahead = (2 * self.unplaced.len() + 2).min(AHEAD);
        let starts = self.rest.last().filter(|word| word.key.starts_with(key)).map(|_| 0);
        let found = self.rest.iter().rev().take(ahead).position(|word| word.key == key).or(starts);
        let Some(skipped) = found else {
            if self.unplaced.len() < MAX_UNPLACED {
                self.unplaced.push(start_ms);
            }
            return;
        };
        self.spread(skipped, marks);
        let Some(word) = self.rest.last_mut() else { return };
        if word.key.len() > key.len() {
            // Part of a word that the provider speaks as several: "twenty-one".
            word.key.drain(..key.len());
            self.unplaced.push(start_ms);
            return;
        }
        let start_ms = self.unplaced.first().copied().unwrap_or(start_ms);
        self.unplaced.clear();
        self.mark(start_ms, marks);
    }

    /// Gives the next words of the text, which were spoken differently, the times of what was spoken.
    fn spread(&mut self, count: usize, marks: &mut Vec<WordMark>) {
        if count == 0 {
            return;
        }
        let times = mem::take(&mut self.unplaced);
        for index in 0..count {
            match times.get(index * times.len() / count) {
                Some(start) => self.mark(*start, marks),
                None => drop(self.rest.pop()),
            }
        }
    }

    fn mark(&mut self, start_ms: u32, marks: &mut Vec<WordMark>) {
        if let Some(word) = self.rest.pop() {
            self.last_start = self.last_start.max(start_ms);
            marks.push(WordMark { end: word.end, start_ms: self.last_start });
        }
    }
}

/// The words of a text. A word is what stands between spaces; a letter of a script without spaces
/// is one of its own. Punctuation belongs to the word that it touches; if it touches two, to the first.
fn words_of(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut open, mut touches) = (false, false);
    for (at, letter) in text.char_indices() {
        let end = u32::try_from(at + letter.len_utf8()).unwrap_or(u32::MAX);
        if letter.is_whitespace() {
            (open, touches) = (false, false);
        } else if letter.is_alphanumeric() {
            let alone = stands_alone(letter);
            match words.last_mut() {
                Some(word) if open && !alone => {
                    word.key.extend(letter.to_lowercase());
                    word.end = end;
                }
                _ => words.push(Word { key: letter.to_lowercase().collect(), end }),
            }
            (open, touches) = (!alone, true);
        } else if let Some(word) = words.last_mut().filter(|_| touches) {
            word.end = end;
        }
    }
    words
}

/// Whether a letter is of a script that is written without spaces: Thai, Lao, Burmese, Khmer, kana
/// and Han.
fn stands_alone(letter: char) -> bool {
    matches!(u32::from(letter), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests;
