//! What the agent has said already, for a caller who asks for it again: "How much do I owe?",
//! "What was it again?"

use dgh_engine::reply::Message;

use super::facts::topics;
use super::patterns::{Phrases, says};
use super::questions::is_question;
use super::wording::sentences;
use super::words::{Kind, Words, plain};

/// The last sentence of the agent that answers the question, if one does.
pub(super) fn repeated(words: &Words, history: &[Message]) -> Option<String> {
    let said = plain(words);
    let stated = history
        .iter()
        .rev()
        .filter_map(|message| match message {
            Message::Agent(text) => Some(sentences(text)),
            _ => None,
        })
        .flat_map(|texts| texts.into_iter().rev())
        .filter(|text| !text.ends_with('?') && !is_courtesy(text));
    if WHAT_WAS_IT.within(&said) {
        return stated.into_iter().next();
    }
    if !is_question(words) {
        return None;
    }
    let wanted = topics(words);
    let amount = says(
        &said,
        "how much|many; what amount|number|price|time|date; when; what is the|my balance|amount|price|total",
    );
    let mut best: Option<(usize, String)> = None;
    for text in stated {
        let sentence = Words::new(&text);
        if amount && !has_number(&sentence) {
            continue;
        }
        let shared = topics(&sentence).iter().filter(|topic| wanted.contains(topic)).count();
        // All that is asked about must be there; of one word, only when a number is asked for.
        let enough = shared * 2 >= wanted.len() && (amount && shared > 0 || shared > 1);
        if enough && best.as_ref().is_none_or(|(other, _)| shared > *other) {
            best = Some((shared, text));
        }
    }
    best.map(|(_, text)| text)
}

static WHAT_WAS_IT: Phrases = Phrases::new(
    "what was|is it|that again; what was it|that $; remind me $; say it again; tell me again; \
     one more time; could|can you repeat it|that",
);

fn has_number(words: &Words) -> bool {
    (0..words.len()).any(|place| words.kind(place) == Kind::Digits)
        || !super::numbers::numbers(words).is_empty()
}

/// "Thank you." and "I see." state nothing that anybody would want to hear again.
fn is_courtesy(text: &str) -> bool {
    let words = Words::new(text);
    words.iter().filter(|word| word.kind != Kind::Mark).count() < 3
        || words.is(0, &["thank", "thanks", "sorry", "of", "please", "hello"])
        || words.stands(0, &["i", "am", "sorry"])
        || words.stands(0, &["i", "am", "afraid"])
}
