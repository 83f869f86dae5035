//! What words tell about turns: whether they are a backchannel, and whether they ask for more.
//! Languages without a table have what all have: hums, punctuation, digits.

pub(crate) use dgh_engine::phrases::plain;

use super::tables::{Table, phrases, table};

/// Whether words are nothing but a sign of listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backchannel {
    /// They are not.
    No,
    /// With more words they may become one: `I` of `I see`.
    Begins,
    /// They are.
    Yes,
}

/// How words end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As a sentence or an answer does.
    Complete,
    /// Not to be told.
    Open,
    /// More is to come.
    Unfinished,
}

/// Without the marks of sounds that are not words (`[laughter]`, `(coughs)`), single spaces.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut closing = None;
    for c in text.chars() {
        match closing {
            Some(end) if c == end => closing = None,
            Some(_) => {}
            None => match c {
                '[' => closing = Some(']'),
                '(' => closing = Some(')'),
                '<' => closing = Some('>'),
                '*' => closing = Some('*'),
                '♪' => {}
                c if c.is_whitespace() => {
                    if !clean.is_empty() && !clean.ends_with(' ') {
                        clean.push(' ');
                    }
                }
                c => clean.push(c),
            },
        }
    }
    let end = clean.trim_end().len();
    clean.truncate(end);
    if clean.chars().any(char::is_alphanumeric) { clean } else { String::new() }
}

/// Whether two texts have the same words, whatever their punctuation.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || plain(a) == plain(b)
}

/// Whether words are a backchannel in a language.
pub(super) fn backchannel(text: &str, language: &str) -> Backchannel {
    let words = plain(text);
    let list = table(language).map_or("", |table| table.backchannels);
    let mut rest = words.as_slice();
    'next: while let Some((first, others)) = rest.split_first() {
        if is_hum(first) {
            rest = others;
            continue;
        }
        let mut begins = false;
        let mut longest = 0;
        for phrase in phrases(list) {
            let len = phrase.split(' ').count();
            let same = phrase.split(' ').zip(rest).take_while(|(a, b)| a == b).count();
            if same == len {
                longest = longest.max(len);
            } else if same == rest.len() {
                begins = true;
            }
        }
        if longest > 0 {
            rest = rest.get(longest..).unwrap_or_default();
            continue 'next;
        }
        return if begins { Backchannel::Begins } else { Backchannel::No };
    }
    if words.is_empty() { Backchannel::No } else { Backchannel::Yes }
}

/// How words end in a language.
pub(super) fn ending(text: &str, language: &str) -> Ending {
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '”' | '»' | ')'));
    let words = plain(text);
    let stop = text.ends_with(['.', '!', '。', '！']) && !text.ends_with("..");
    if text.ends_with(['?', '？']) {
        return Ending::Complete;
    }
    if text.ends_with([',', '-', '–', '—', ':', ';', '…', '、']) || text.ends_with("..") {
        return Ending::Unfinished;
    }
    let table = table(language);
    let ends = |list: fn(&Table) -> &'static str| {
        table.is_some_and(|table| phrases(list(table)).any(|phrase| ends_with(&words, phrase)))
    };
    let hums = words.len() > 1 && words.last().is_some_and(|word| is_hum(word));
    if ends(|table| table.joining) || hums {
        return Ending::Unfinished;
    }
    if let Some(ending) = dictated(&words, table) {
        return ending;
    }
    if stop {
        return Ending::Complete;
    }
    if ends(|table| table.leading) {
        return Ending::Unfinished;
    }
    let whole = words.join(" ");
    let answer = table.is_some_and(|table| phrases(table.answers).any(|answer| answer == whole));
    if answer { Ending::Complete } else { Ending::Open }
}

/// How a number ends that is dictated digit by digit, or in groups; none: there is none.
fn dictated(words: &[String], table: Option<&Table>) -> Option<Ending> {
    let digits_of = |word: &String| -> Option<usize> {
        if table.is_some_and(|table| phrases(table.digits).any(|digit| digit == word)) {
            return Some(1);
        }
        word.chars().all(|c| c.is_ascii_digit()).then_some(word.len())
    };
    let tail: Vec<usize> = words.iter().rev().map_while(digits_of).collect();
    let digits: usize = tail.iter().sum();
    let before = words.get(..words.len() - tail.len()).unwrap_or_default();
    let asked = table.is_some_and(|table| phrases(table.dictating).any(|phrase| ends_with(before, phrase)));
    let groups = tail.len() > 1 || (tail.len() == 1 && digits > 2 && (before.is_empty() || asked));
    // A day and a year.
    let date = tail.first() == Some(&4)
        && tail.len() == 2
        && words.last().is_some_and(|year| year.starts_with("19") || year.starts_with("20"));
    if !groups || date || digits > 9 {
        return None;
    }
    Some(if digits < 7 { Ending::Unfinished } else { Ending::Open })
}

fn ends_with(words: &[String], phrase: &str) -> bool {
    let mut words = words.iter().rev();
    phrase.rsplit(' ').all(|part| words.next().is_some_and(|word| word == part))
}

/// `hm`, `mhm`, `uh`, `um`, `huh`, `haha`, in any spelling and language.
fn is_hum(word: &str) -> bool {
    let letters = |set: &str| word.chars().all(|c| set.contains(c));
    (letters("mhuä") && word.contains(['m', 'h'])) || (word.len() > 2 && letters("hae") && word.contains('h'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_listening_are_backchannels_and_words_are_not() {
        let is = |text, language| backchannel(text, language);
        for text in
            ["Mm-hm.", "uh huh", "Yeah.", "yeah yeah", "Okay, right.", "I see", "Hmm, I see, okay", "haha"]
        {
            assert_eq!(is(text, "en"), Backchannel::Yes, "{text}");
        }
        for text in ["No.", "Stop", "yeah but", "I want", "okay wait", "right now", "human", "Hum ho"] {
            assert_eq!(is(text, "en"), Backchannel::No, "{text}");
        }
        assert_eq!(is("I", "en-US"), Backchannel::Begins);
        assert_eq!(is("okay that makes", "en"), Backchannel::Begins);
        assert_eq!(is("", "en"), Backchannel::No);
        assert_eq!(is("ja genau", "de"), Backchannel::Yes);
        assert_eq!(is("ach so", "de"), Backchannel::Yes);
        assert_eq!(is("d’accord", "fr-FR"), Backchannel::Yes);
        assert_eq!(is("sí, claro", "es"), Backchannel::Yes);
        assert_eq!(is("va bene", "it"), Backchannel::Yes);
        assert_eq!(is("tá bom", "pt-BR"), Backchannel::Yes);
        assert_eq!(is("ja, klopt", "nl"), Backchannel::Yes);
        assert_eq!(is("nein", "de"), Backchannel::No);
        // A language without a table knows hums alone.
        assert_eq!(is("mhm", "sv"), Backchannel::Yes);
        assert_eq!(is("yeah", "sv"), Backchannel::No);
    }

    #[test]
    fn punctuation_and_last_words_tell_how_a_turn_ends() {
        use Ending::{Complete, Open, Unfinished};
        for (text, language, ending) in [
            ("I want to book an appointment.", "en", Complete),
            ("What is it for?", "en", Complete),
            ("yes", "en", Complete),
            ("No, thank you", "en", Complete),
            ("tomorrow morning", "en", Open),
            ("I want to book an appointment and", "en", Unfinished),
            ("I want to book and.", "en", Unfinished),
            ("It is, um.", "en", Unfinished),
            ("Well,", "en", Unfinished),
            ("I was thinking...", "en", Unfinished),
            ("my number is", "en", Unfinished),
            ("My number is.", "en", Complete),
            ("I would like to go to", "en", Unfinished),
            ("That's what it is for.", "en", Complete),
            ("Ich heiße", "de", Unfinished),
            ("Ich möchte einen Termin, weil", "de", Unfinished),
            ("nein danke", "de", Complete),
            ("je voudrais", "fr", Unfinished),
            ("Quiero una cita para el lunes y", "es", Unfinished),
            ("vorrei", "it", Unfinished),
            ("meu nome é", "pt", Unfinished),
            ("ik wil graag", "nl", Unfinished),
            ("予約をお願いします。", "ja", Complete),
            ("jag vill boka", "sv", Open),
        ] {
            assert_eq!(super::ending(text, language), ending, "{text}");
        }
    }

    #[test]
    fn a_number_that_is_being_dictated_is_unfinished() {
        use Ending::{Complete, Open, Unfinished};
        for (text, ending) in [
            ("five five five", Unfinished),
            ("415", Unfinished),
            ("My number is 415.", Unfinished),
            ("It's 415-555.", Unfinished),
            ("415 555 12", Open),
            ("It's 415-555-1234.", Complete),
            ("4155551234", Open),
            ("25", Open),
            ("at 4:30", Open),
            ("I am 25.", Complete),
            ("On June 5, 2024.", Complete),
            ("I have 200.", Complete),
        ] {
            assert_eq!(super::ending(text, "en"), ending, "{text}");
        }
        assert_eq!(super::ending("null eins sieben", "de"), Unfinished);
    }

    #[test]
    fn sounds_that_are_not_words_are_left_out() {
        assert_eq!(clean("[laughter] well  (coughs) yes "), "well yes");
        assert_eq!(clean("<noise>"), "");
        assert_eq!(clean(" ... "), "");
        assert!(same("Yes, please.", "yes please"));
        assert!(!same("yes", "yes please"));
    }
}
