//! Slips of the keyboard in the words that routes are chosen by: "apointment", "insurence".

use dgh_engine::reply::Label;

use super::concepts::is_concept_word;
use super::synonyms::is_filler;
use super::words::{Words, listed, plain};

/// The words of a turn, with one slip in a long word put right, where a word that decides is
/// meant: one of the labels, or one that callers often say.
pub(super) fn known_words(said: Vec<String>, labels: &[Label]) -> Vec<String> {
    let of_labels: Vec<String> = labels
        .iter()
        .flat_map(|label| label.like.iter().chain([&label.sentence]))
        .flat_map(|text| plain(&Words::new(text)))
        .filter(|word| word.len() >= SHORTEST && !is_filler(word))
        .collect();
    said.into_iter().map(|word| put_right(&word, &of_labels).unwrap_or(word)).collect()
}

/// In shorter words one slip makes another word.
const SHORTEST: usize = 5;

fn put_right(word: &str, of_labels: &[String]) -> Option<String> {
    let right = word.len() < SHORTEST
        || is_filler(word)
        || is_concept_word(word)
        || listed(OFTEN, word)
        || of_labels.iter().any(|label| super::words::stem(label) == super::words::stem(word));
    if right {
        return None;
    }
    // The first letter is seldom wrong, and another one often makes another word: "filling".
    let near =
        |known: &&str| known.chars().next() == word.chars().next() && strsim::osa_distance(known, word) == 1;
    OFTEN.split(' ').find(near).or_else(|| of_labels.iter().map(String::as_str).find(near)).map(str::to_owned)
}

/// Long words that routes are often chosen by.
const OFTEN: &str = "appointment appointments booking reservation reschedule schedule cancel insurance invoice \
     billing payment refund emergency accident bleeding swelling dentist doctor person human operator \
     agent representative receptionist manager supervisor lawyer attorney question checkup cleaning \
     interested address delivery support service problem complaint wrong number";
