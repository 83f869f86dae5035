//! What a caller said, as words. Everything that understands text works on these, so that
//! "9:30", "$15k", "5th" and "don't" are cut in one place and in one way.

use std::ops::Range;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A count, for a score.
pub(super) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// The stem of a lower-case English word.
pub(super) fn stem(word: &str) -> String {
    ENGLISH.stem(word).into_owned()
}

/// What a word is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, perhaps with an apostrophe inside.
    Letters,
    /// Digits alone.
    Digits,
    /// One mark: `.`, `$`, `@`.
    Mark,
}

/// One word, number or mark.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// In lower case, with straight apostrophes.
    pub(super) text: String,
    /// What it is made of.
    pub(super) kind: Kind,
    /// Bytes of the source.
    pub(super) bytes: Range<usize>,
    /// No space before it.
    pub(super) glued: bool,
}

/// A text, cut.
#[derive(Debug, Clone)]
pub(super) struct Words {
    source: String,
    list: Vec<Word>,
}

impl Words {
    /// Cuts a text.
    pub(super) fn new(source: &str) -> Self {
        let source =
            source.replace(['\u{2019}', '\u{2018}', '`'], "'").replace(['\u{2013}', '\u{2014}'], "-");
        let mut list: Vec<Word> = Vec::new();
        let mut rest = source.char_indices().peekable();
        let mut end_before = 0;
        while let Some((start, first)) = rest.next() {
            if first.is_whitespace() {
                continue;
            }
            let mut end = start + first.len_utf8();
            let kind = if first.is_alphabetic() {
                Kind::Letters
            } else if first.is_ascii_digit() {
                Kind::Digits
            } else {
                Kind::Mark
            };
            while let Some(&(at, next)) = rest.peek() {
                let apostrophe = next == '\'' && kind == Kind::Letters && letter_after(&source, at + 1);
                let same = match kind {
                    Kind::Letters => next.is_alphabetic() || apostrophe,
                    Kind::Digits => next.is_ascii_digit(),
                    Kind::Mark => false,
                };
                if !same {
                    break;
                }
                end = at + next.len_utf8();
                rest.next();
            }
            let text = source.get(start..end).unwrap_or_default().to_lowercase();
            list.push(Word { text, kind, bytes: start..end, glued: start == end_before && start > 0 });
            end_before = end;
        }
        Self { source, list }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is nothing to understand.
    pub(super) fn is_blank(&self) -> bool {
        self.list.iter().all(|word| word.kind == Kind::Mark)
    }

    /// The word at a place, in lower case; empty past the end.
    pub(super) fn at(&self, place: usize) -> &str {
        self.list.get(place).map_or("", |word| word.text.as_str())
    }

    /// The word before a place; empty at the start.
    pub(super) fn before(&self, place: usize) -> &str {
        place.checked_sub(1).map_or("", |place| self.at(place))
    }

    /// What a word is made of; a mark past the end.
    pub(super) fn kind(&self, place: usize) -> Kind {
        self.list.get(place).map_or(Kind::Mark, |word| word.kind)
    }

    /// Whether no space stands before the word.
    pub(super) fn glued(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|word| word.glued)
    }

    /// Whether the word is written with a capital.
    pub(super) fn capital(&self, place: usize) -> bool {
        self.raw(place..place + 1).chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether the word at a place is one of these.
    pub(super) fn is(&self, place: usize, any: &[&str]) -> bool {
        any.contains(&self.at(place))
    }

    /// Whether these words stand at a place.
    pub(super) fn stands(&self, place: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.at(place + offset) == *word)
    }

    /// How many words it takes, when this text begins at a place.
    pub(super) fn begins(&self, place: usize, text: &str) -> Option<usize> {
        let mut count = 0;
        text.split(' ')
            .all(|word| {
                count += 1;
                self.at(place + count - 1) == word
            })
            .then_some(count)
    }

    /// Whether one of the words stands anywhere.
    pub(super) fn has(&self, any: &[&str]) -> bool {
        self.list.iter().any(|word| any.contains(&word.text.as_str()))
    }

    /// The source of a run of words, as it was written.
    pub(super) fn raw(&self, places: Range<usize>) -> &str {
        let first = self.list.get(places.start);
        let last = places.end.checked_sub(1).and_then(|last| self.list.get(last));
        match (first, last) {
            (Some(first), Some(last)) if first.bytes.start <= last.bytes.end => {
                self.source.get(first.bytes.start..last.bytes.end).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// The whole source.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Its words.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Word> {
        self.list.iter()
    }

    /// The place of the word that holds a byte of the source, or of the first one after it.
    pub(super) fn place_of(&self, byte: usize) -> usize {
        self.list.iter().position(|word| word.bytes.end > byte).unwrap_or(self.list.len())
    }

    /// Where the clause around a place starts: behind the last stop, comma or "but".
    pub(super) fn clause_start(&self, place: usize) -> usize {
        (0..place.min(self.len())).rev().find(|at| self.is_break(*at)).map_or(0, |at| at + 1)
    }

    /// Whether a clause ends here. A dot or comma inside a number does not count.
    pub(super) fn is_break(&self, place: usize) -> bool {
        let inner = self.glued(place) && self.glued(place + 1) && place + 1 < self.len();
        match self.at(place) {
            "." | "," => !inner,
            "!" | "?" | ";" | "but" => true,
            _ => false,
        }
    }
}

/// Whether a list of words with spaces between them holds a word.
pub(super) fn listed(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split(' ').any(|one| one == word)
}

fn letter_after(source: &str, byte: usize) -> bool {
    source.get(byte..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphabetic)
}

/// The text in plain words: contractions written out, marks dropped but for the breaks between
/// clauses, which become `,`.
pub(super) fn plain(words: &Words) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for place in 0..words.len() {
        if words.kind(place) == Kind::Mark {
            if words.is_break(place) && out.last().is_some_and(|last| last != ",") {
                out.push(",".to_owned());
            }
            continue;
        }
        if words.is_break(place) && out.last().is_some_and(|last| last != ",") {
            out.push(",".to_owned());
        }
        write_out(words.at(place), &mut out);
    }
    out
}

fn write_out(word: &str, out: &mut Vec<String>) {
    let whole: &[&str] = match word {
        "can't" | "cant" | "cannot" => &["can", "not"],
        "won't" | "wont" => &["will", "not"],
        "shan't" => &["shall", "not"],
        "ain't" | "aint" => &["is", "not"],
        "dont" => &["do", "not"],
        "doesnt" => &["does", "not"],
        "didnt" => &["did", "not"],
        "isnt" => &["is", "not"],
        "wasnt" => &["was", "not"],
        "arent" => &["are", "not"],
        "wouldnt" => &["would", "not"],
        "couldnt" => &["could", "not"],
        "havent" => &["have", "not"],
        "im" => &["i", "am"],
        "ive" => &["i", "have"],
        "thats" => &["that", "is"],
        "whats" => &["what", "is"],
        "let's" | "lets" => &["let", "us"],
        "gonna" => &["going", "to"],
        "wanna" => &["want", "to"],
        "gimme" => &["give", "me"],
        "lemme" => &["let", "me"],
        "dunno" => &["do", "not", "know"],
        "nobody" | "noone" => &["no", "one"],
        "ok" | "okey" | "k" => &["okay"],
        "alright" => &["all", "right"],
        "e-mail" => &["email"],
        _ => &[],
    };
    if !whole.is_empty() {
        out.extend(whole.iter().map(|word| (*word).to_owned()));
        return;
    }
    for (end, more) in
        [("n't", "not"), ("'m", "am"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would")]
    {
        if let Some(head) = word.strip_suffix(end) {
            out.push(head.to_owned());
            out.push(more.to_owned());
            return;
        }
    }
    if let Some(head) = word.strip_suffix("'s") {
        out.push(head.to_owned());
        if matches!(
            head,
            "it" | "that"
                | "what"
                | "he"
                | "she"
                | "who"
                | "there"
                | "here"
                | "where"
                | "how"
                | "when"
                | "name"
                | "this"
        ) {
            out.push("is".to_owned());
        }
        return;
    }
    out.push(word.to_owned());
}
