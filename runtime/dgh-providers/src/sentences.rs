//! Streamed text, cut into sentences as soon as they are complete, so that the first one can be
//! spoken while the second is being written.
//!
//! Only a full stop needs a look ahead: whether it ends a sentence depends on the word before and
//! on the letter behind it. In doubt two sentences stay one; a sentence is never cut in two, but
//! for one that is longer than anybody says at a time.

/// Letters and digits of the shortest sentence; a shorter one is spoken with the next.
pub const MIN_LETTERS: usize = 4;
/// Letters and digits of the shortest clause with which an answer may begin to be spoken. The first
/// words decide how long a caller waits; a voice makes a pause at a comma anyway.
pub const MIN_FIRST_LETTERS: usize = 8;
/// Bytes after which a text without any end is cut at its last comma or space.
pub const MAX_BYTES: usize = 400;

/// Words with a full stop that never ends a sentence: a name or number follows.
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "mx", "dr", "prof", "st", "rev", "gen", "col", "capt", "lt", "sgt", "sen", "rep",
    "gov", "messrs", "vs", "nos", "vol", "fig", "approx", "ca", "e.g", "i.e", "cf", "dept", "est", "ext",
    "tel", "ave", "blvd", "hr", "fr", "nr", "str", "z.b", "d.h", "bzw", "inkl", "evtl", "ggf", "u.a", "dipl",
    "mme", "mlle", "sra", "srta", "dña", "ud", "uds", "avda", "núm", "dott", "ecc", "p.ej", "jan", "feb",
    "apr", "aug", "sept", "oct", "okt", "nov", "dec", "dez",
];
/// Words with a full stop that may end a sentence: a capital letter behind decides.
const MAYBE_LAST: &[&str] = &[
    "etc", "a.m", "p.m", "inc", "ltd", "co", "corp", "jr", "sr", "bros", "usw", "u.s", "u.k", "u.s.a", "e.u",
    "d.c", "ph.d", "min", "max", "incl",
];

/// The cutter.
#[derive(Debug, Default)]
pub struct Sentences {
    text: String,
    /// Bytes of `text` in which no end was found; ends only move right.
    scanned: usize,
    /// Something was given already.
    begun: bool,
}

impl Sentences {
    /// Takes more text and gives the sentences that it completes.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.text.push_str(text);
        let mut complete = Vec::new();
        while let Some(end) = self.next_end() {
            let rest = self.text.split_off(end);
            let sentence = std::mem::replace(&mut self.text, rest);
            self.scanned = 0;
            complete.extend(tidy(&sentence));
        }
        if !self.begun && complete.is_empty() {
            complete.extend(self.first_clause());
        }
        self.begun |= !complete.is_empty();
        complete
    }

    /// The text is over: what is left of it.
    pub fn finish(&mut self) -> Option<String> {
        self.scanned = 0;
        tidy(&std::mem::take(&mut self.text))
    }

    /// The clause with which the answer begins, when its end is there and that of the sentence is not.
    fn first_clause(&mut self) -> Option<String> {
        let ends = self.text.match_indices([',', ';', ':', '–', '—', '，', '；']);
        let mut ends = ends.map(|(at, mark)| at + mark.len());
        let end = ends.find(|end| {
            let (head, rest) = self.text.split_at(*end);
            rest.starts_with(char::is_whitespace) && letters(head) >= MIN_FIRST_LETTERS
        })?;
        let rest = self.text.split_off(end);
        self.scanned = 0;
        tidy(&std::mem::replace(&mut self.text, rest))
    }

    fn next_end(&mut self) -> Option<usize> {
        let start = self.scanned;
        let candidates = self.text.char_indices().filter(|(at, _)| *at >= start);
        for (at, c) in candidates {
            let verdict = match c {
                '\n' => Verdict::End(at + 1),
                '。' | '！' | '？' | '｡' | '．' => wide_end(&self.text, at + c.len_utf8()),
                '.' | '!' | '?' | '…' | '؟' | '।' | '۔' | '։' | '።' | '‽' => {
                    narrow_end(&self.text, at, c)
                }
                _ => Verdict::No,
            };
            match verdict {
                Verdict::No => {}
                // The letter behind is not there yet: look again from here.
                Verdict::Wait => {
                    self.scanned = at;
                    return self.too_long();
                }
                Verdict::End(end) => {
                    if long_enough(self.text.get(..end).unwrap_or_default()) {
                        return Some(end);
                    }
                }
            }
        }
        self.scanned = self.text.len();
        self.too_long()
    }

    fn too_long(&self) -> Option<usize> {
        if self.text.len() <= MAX_BYTES {
            return None;
        }
        let limit = (0..=MAX_BYTES).rev().find(|i| self.text.is_char_boundary(*i))?;
        let head = self.text.get(..limit)?;
        let comma =
            head.rmatch_indices([',', ';', ':', '，', '、', '；']).map(|(i, m)| i + m.len()).find(|i| {
                // A comma within a number is none.
                *i >= MAX_BYTES / 4
                    && !self.text.get(*i..).is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
            });
        comma
            .or_else(|| head.rfind(char::is_whitespace).map(|i| i + 1).filter(|i| *i >= MAX_BYTES / 4))
            .or(Some(limit))
    }
}

enum Verdict {
    No,
    Wait,
    End(usize),
}

/// Marks of languages that set no space behind a sentence; only closing marks belong to it.
fn wide_end(text: &str, after: usize) -> Verdict {
    let rest = text.get(after..).unwrap_or_default();
    let closing: usize = rest.chars().take_while(|c| is_closing(*c) || is_mark(*c)).map(char::len_utf8).sum();
    // A closing mark may still come: 」
    if rest.is_empty() { Verdict::Wait } else { Verdict::End(after + closing) }
}

fn narrow_end(text: &str, at: usize, mark: char) -> Verdict {
    let rest = text.get(at + mark.len_utf8()..).unwrap_or_default();
    let tail: usize = rest.chars().take_while(|c| is_mark(*c) || is_closing(*c)).map(char::len_utf8).sum();
    let end = at + mark.len_utf8() + tail;
    let behind = rest.get(tail..).unwrap_or_default();
    let marks = text.get(at..end).unwrap_or_default();
    let Some(space) = behind.chars().next() else { return Verdict::Wait };
    if !space.is_whitespace() {
        return Verdict::No;
    }
    if space == '\n' {
        return Verdict::End(end);
    }
    // "!" and "?" end a sentence; a full stop and an ellipsis may not.
    if !marks.starts_with(['.', '…']) || marks.contains(['!', '?']) {
        return Verdict::End(end);
    }
    let Some(next) = behind.chars().find(|c| !c.is_whitespace() && !is_opening(*c)) else {
        return Verdict::Wait;
    };
    if next.is_lowercase() {
        return Verdict::No;
    }
    let dots = marks.chars().filter(|c| *c == '.').count();
    if dots > 1 || marks.contains('…') {
        return Verdict::End(end);
    }
    if full_stop_ends(text.get(..at).unwrap_or_default(), next) { Verdict::End(end) } else { Verdict::No }
}

fn full_stop_ends(before: &str, next: char) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || is_opening(c)).next().unwrap_or_default();
    let lower = word.to_lowercase();
    // "No. 5" is a number, "No. I do not" is an answer.
    if lower == "no" {
        return !next.is_ascii_digit();
    }
    if TITLES.contains(&lower.as_str()) {
        return false;
    }
    if MAYBE_LAST.contains(&lower.as_str()) {
        return next.is_uppercase();
    }
    let mut letters = word.chars();
    if let (Some(only), None) = (letters.next(), letters.next()) {
        // An initial; "I" is a word.
        if only.is_uppercase() && only != 'I' {
            return false;
        }
    }
    // "1. Apples", "am 3. März": a number with a stop of its own, at the start or before a letter
    // in languages that write ordinals so. "It is 5. Then" stays one sentence, which does no harm.
    word.is_empty() || !word.chars().all(|c| c.is_ascii_digit()) || (word.len() > 2 && next.is_uppercase())
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '‽')
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '】' | '*' | '_')
}

fn is_opening(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '‘' | '«' | '(' | '[' | '„' | '¿' | '¡' | '「' | '『' | '*' | '_')
}

fn long_enough(text: &str) -> bool {
    letters(text) >= MIN_LETTERS
}

fn letters(text: &str) -> usize {
    // A letter of a script without spaces is about a syllable or a word.
    let weight = |c: char| if c as u32 >= 0x2e80 { 2 } else { 1 };
    text.chars().filter(|c| c.is_alphanumeric()).map(weight).sum()
}

/// The sentence without spaces around it; none if there is nothing to say in it.
fn tidy(text: &str) -> Option<String> {
    let text = text.trim();
    text.chars().any(char::is_alphanumeric).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn an_answer_begins_with_its_first_clause() {
        let mut cut = Sentences::default();
        let tokens =
            ["Certainly", ",", " I", " can,", " of course,", " help. ", "So, ", "let us", " see, ok."];
        let mut said: Vec<_> = tokens.iter().flat_map(|token| cut.push(token)).collect();
        said.extend(cut.finish());
        assert_eq!(said, ["Certainly,", "I can, of course, help.", "So, let us see, ok."]);
        // Too short, within a number, or the whole sentence is there.
        let mut cut = Sentences::default();
        assert_eq!(cut.push("Yes, it costs 1,000,000 dollars"), Vec::<String>::new());
        assert_eq!(Sentences::default().push("Certainly, sir. A"), ["Certainly, sir."]);
    }

    fn cut(text: &str) -> Vec<String> {
        let mut cutter = Sentences { begun: true, ..Sentences::default() };
        let mut all = cutter.push(text);
        all.extend(cutter.finish());
        all
    }

    fn check(expected: &[&str]) {
        let text = expected.join(" ");
        assert_eq!(cut(&text), expected);
        for at in (0..text.len()).filter(|i| text.is_char_boundary(*i)) {
            let mut cutter = Sentences { begun: true, ..Sentences::default() };
            let mut all = cutter.push(&text[..at]);
            all.extend(cutter.push(&text[at..]));
            all.extend(cutter.finish());
            assert_eq!(all, expected, "cut at {at}");
        }
        let mut cutter = Sentences { begun: true, ..Sentences::default() };
        let mut all: Vec<_> = text.chars().flat_map(|c| cutter.push(&c.to_string())).collect();
        all.extend(cutter.finish());
        assert_eq!(all, expected, "letter by letter");
    }

    #[test]
    fn sentences_end_where_people_pause() {
        check(&["Good morning!", "How can I help you?", "I am listening."]);
        check(&["He said “Come in.”", "Then he left."]);
        check(&["Really?!", "Yes, really..."]);
    }

    #[test]
    fn abbreviations_initials_and_numbers_end_nothing() {
        check(&["Dr. Lee is in at 9.30 today.", "Mr. J. Smith and Mrs. Jones are not."]);
        check(&["The price is 3.50 dollars, i.e. less than No. 5 costs.", "Right?"]);
        check(&["Write to ann.lee@example.com or see www.example.com today.", "Thanks."]);
        check(&["We open at 9 a.m. and close at 5 p.m. every day.", "Come by."]);
        check(&["We close at 5 p.m.", "Come before that."]);
        check(&["Bring your card, photo, etc. to the desk.", "That is all."]);
        check(&["Wir sehen uns am 3. März um 9 Uhr, z.B. bei Hr. Weber.", "Passt das?"]);
    }

    #[test]
    fn an_answer_of_one_word_goes_with_the_next_sentence() {
        check(&["No. I do not think so.", "Fine."]);
        assert_eq!(cut("Yes. Sure thing."), ["Yes. Sure thing."]);
        assert_eq!(cut("Ok."), ["Ok."]);
    }

    #[test]
    fn an_ellipsis_before_a_small_letter_is_a_pause() {
        check(&["Let me see... that should work.", "Hmmm…", "One moment."]);
        check(&["Let me see… yes, it works.", "Good."]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_too() {
        let text = "您好！请问您要预约哪一天？我们明天有空。「はい。」と彼は言った。";
        let mut cutter = Sentences { begun: true, ..Sentences::default() };
        let mut all: Vec<_> = text.chars().flat_map(|c| cutter.push(&c.to_string())).collect();
        all.extend(cutter.finish());
        assert_eq!(all, ["您好！", "请问您要预约哪一天？", "我们明天有空。", "「はい。」", "と彼は言った。"]);
        check(&["नमस्ते।", "आप कैसे हैं?"]);
        check(&["مرحبا بك؟", "نعم بالتأكيد."]);
        check(&["¿Qué día le conviene?", "¡Perfecto!", "Hasta mañana."]);
    }

    #[test]
    fn a_line_end_ends_a_sentence() {
        assert_eq!(
            cut("First thing\nSecond thing\n\n- \nThird"),
            ["First thing", "Second thing", "- \nThird"]
        );
    }

    #[test]
    fn a_sentence_is_there_before_the_next_one_is() {
        let mut cutter = Sentences { begun: true, ..Sentences::default() };
        assert!(cutter.push("Good morning").is_empty());
        assert!(cutter.push("!").is_empty(), "a quotation mark may follow");
        assert_eq!(cutter.push(" "), ["Good morning!"]);
        assert!(cutter.push("It is open. ").is_empty(), "a small letter may follow");
        assert_eq!(cutter.push("W"), ["It is open."]);
        assert_eq!(cutter.finish().as_deref(), Some("W"));
        assert_eq!(cutter.finish(), None);
    }

    #[test]
    fn a_text_without_an_end_is_cut_at_a_comma_and_loses_nothing() {
        let text = "one thousand words, ".repeat(200);
        let all = cut(&text);
        assert!(all.len() > 5 && all.iter().all(|s| s.len() <= MAX_BYTES), "{all:?}");
        assert!(all[0].ends_with(','));
        assert_eq!(all.join(" "), text.trim());
        let solid = "ü".repeat(1_000);
        assert_eq!(cut(&solid).concat(), solid);
    }

    #[test]
    fn what_cannot_be_spoken_is_dropped() {
        assert_eq!(cut("  \n\n ... \n"), Vec::<String>::new());
        assert_eq!(cut(""), Vec::<String>::new());
    }
}
