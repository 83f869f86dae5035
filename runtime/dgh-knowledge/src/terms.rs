//! The words that a text is found by: in lower case, without endings and accents. The same function
//! reads documents and questions, for every database, so that all of them find the same.

use rust_stemmers::{Algorithm, Stemmer};

/// Letters of a word that count.
const LONGEST: usize = 40;

/// The words of a text in a language (`en-US`); those of a language that is not known keep their
/// endings.
pub fn terms(text: &str, language: &str) -> Vec<String> {
    let stemmer = algorithm(language).map(Stemmer::create);
    let mut found = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric() && !is_inside(c)) {
        // In "it's" and "l'eau" the parts are words; the ending alone is none.
        for word in run.split(is_inside).filter(|word| !word.is_empty()) {
            push(&mut found, word, stemmer.as_ref());
        }
    }
    found
}

fn is_inside(c: char) -> bool {
    matches!(c, '\'' | '’')
}

fn push(found: &mut Vec<String>, word: &str, stemmer: Option<&Stemmer>) {
    let mut letters = String::new();
    let mut rest = word.chars().peekable();
    while let Some(first) = rest.next_if(|c| !is_unspaced(*c)) {
        letters.extend(first.to_lowercase());
    }
    if !letters.is_empty() {
        let letters: String = letters.chars().take(LONGEST).collect();
        let stem = stemmer.map_or_else(|| letters.clone(), |stemmer| stemmer.stem(&letters).into_owned());
        let plain: String = stem.chars().flat_map(fold).filter(|c| c.is_alphanumeric()).collect();
        if !plain.is_empty() {
            found.push(plain);
        }
    }
    // Where words have no spaces between them, two letters in a row are what can be looked for.
    let mut pairs: Vec<char> = Vec::new();
    while let Some(letter) = rest.next_if(|c| is_unspaced(*c)) {
        pairs.push(letter);
    }
    match pairs.as_slice() {
        [] => {}
        [one] => found.push(one.to_string()),
        all => found.extend(all.windows(2).map(|two| two.iter().collect())),
    }
    let rest: String = rest.collect();
    if !rest.is_empty() {
        push(found, &rest, stemmer);
    }
}

/// Thai and Lao, kana, ideographs.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Latin letters without their accents.
fn fold(c: char) -> Vec<char> {
    let is_latin = matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    match deunicode::deunicode_char(c).filter(|_| is_latin) {
        Some(plain) => plain.to_lowercase().chars().collect(),
        None => vec![c],
    }
}

fn algorithm(language: &str) -> Option<Algorithm> {
    Some(match language.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "en" => Algorithm::English,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_its_forms_and_without_its_accents() {
        assert_eq!(terms("Opening HOURS, opened!", "en-US"), ["open", "hour", "open"]);
        assert_eq!(terms("Öffnungszeiten", "de"), terms("Offnungszeiten", "de"));
        assert_eq!(terms("Straße 12b", "xx"), ["strasse", "12b"]);
        assert_eq!(terms("the doctor's note", "en"), ["the", "doctor", "s", "note"]);
    }

    #[test]
    fn where_words_have_no_spaces_letters_are_looked_for_in_pairs() {
        assert_eq!(terms("営業時間 PDF2時", "ja"), ["営業", "業時", "時間", "pdf2", "時"]);
    }

    #[test]
    fn a_word_of_any_length_is_a_word() {
        let long = "a".repeat(10_000);
        assert_eq!(terms(&long, "xx"), ["a".repeat(LONGEST)]);
        assert!(terms("—!? ''", "en").is_empty());
    }
}
