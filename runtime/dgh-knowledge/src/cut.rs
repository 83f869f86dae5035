//! Sections cut into passages: long enough to answer a question, short enough to be read aloud to a
//! model in the middle of a call.

use std::ops::Range;

use text_splitter::{ChunkConfig, TextSplitter};

use crate::read::Section;

/// Grows when documents are cut in another way: what was cut before is then cut anew.
pub const CUTTER: i64 = 1;

/// Letters of a passage: as many as the splitter is content with, and at most.
const LETTERS: Range<usize> = 500..1_200;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its number in the document, from 1.
    pub number: i64,
    /// Where it stands: `page 3`, `Opening hours > Holidays`, `rows 2–9`.
    pub place: String,
    /// Its words.
    pub text: String,
}

/// Cuts the sections of a document, at paragraphs and sentences where it can.
pub fn cut(sections: &[Section]) -> Vec<Passage> {
    let splitter = TextSplitter::new(ChunkConfig::new(LETTERS));
    let mut passages: Vec<Passage> = Vec::new();
    let mut push = |place: String, text: &str| {
        let number = i64::try_from(passages.len() + 1).unwrap_or(i64::MAX);
        passages.push(Passage { number, place, text: text.to_owned() });
    };
    let mut rows = Rows::default();
    for section in sections {
        if let Some(row) = section.place.strip_prefix("row ").and_then(|row| row.parse().ok()) {
            if rows.text.len() + section.text.len() > LETTERS.start {
                rows.flush(&splitter, &mut push);
            }
            rows.add(row, &section.text);
            continue;
        }
        for text in splitter.chunks(&section.text) {
            push(section.place.clone(), text);
        }
    }
    rows.flush(&splitter, &mut push);
    passages
}

/// Rows of a table that go into one passage.
#[derive(Default)]
struct Rows {
    first: usize,
    last: usize,
    text: String,
}

impl Rows {
    fn add(&mut self, row: usize, text: &str) {
        if self.text.is_empty() {
            self.first = row;
        } else {
            self.text.push('\n');
        }
        self.last = row;
        self.text.push_str(text);
    }

    fn flush(
        &mut self,
        splitter: &TextSplitter<text_splitter::Characters>,
        push: &mut impl FnMut(String, &str),
    ) {
        let Self { first, last, text } = std::mem::take(self);
        let place = if first == last { format!("row {first}") } else { format!("rows {first}–{last}") };
        for text in splitter.chunks(&text) {
            push(place.clone(), text);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    fn section(place: &str, text: &str) -> Section {
        Section { place: place.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_long_section_is_cut_between_sentences_and_nothing_is_lost() {
        let sentence = "The garden of the museum opens one hour before the house does. ";
        let text = sentence.repeat(60);
        let passages = cut(&[section("Garden", &text), section("Shop", "It sells books.")]);
        assert!(passages.len() > 3, "{}", passages.len());
        for passage in &passages[..passages.len() - 1] {
            assert!(
                passage.text.chars().count() <= LETTERS.end && passage.text.ends_with('.'),
                "{passage:?}"
            );
            assert_eq!(passage.place, "Garden");
        }
        let words: usize = passages.iter().map(|passage| passage.text.split_whitespace().count()).sum();
        assert_eq!(words, text.split_whitespace().count() + 3);
        let numbers: Vec<i64> = passages.iter().map(|passage| passage.number).collect();
        assert_eq!(numbers, (1..=i64::try_from(passages.len()).unwrap_or(0)).collect::<Vec<_>>());
    }

    #[test]
    fn rows_go_together_until_a_passage_is_full() {
        let rows: Vec<Section> = (2..40)
            .map(|row| section(&format!("row {row}"), &format!("name: n{row}; price: {row} EUR")))
            .collect();
        let passages = cut(&rows);
        assert!(passages[0].place.starts_with("rows 2–"), "{}", passages[0].place);
        assert!(passages.len() > 1 && passages.iter().all(|passage| passage.text.len() <= LETTERS.end));
        assert!(passages.last().is_some_and(|last| last.text.ends_with("name: n39; price: 39 EUR")));
    }
}
