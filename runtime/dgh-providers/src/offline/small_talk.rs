//! What a caller says that is not about the matter: greetings, thanks, anger, "say again", "one
//! moment".

use dgh_engine::reply::Label;

use super::concepts::{caller_means, of_author};
use super::patterns::Phrases;
use super::questions::Asking;
use super::words::{Words, plain};

/// An answer to small talk, and how the open question is asked behind it, if at all.
pub(super) fn small_talk(words: &Words, labels: &[Label]) -> Option<(&'static str, Option<Asking>)> {
    let said = plain(words);
    let answer = if AGAIN.within(&said) {
        ("Of course.", Some(Asking::First))
    } else if WAIT.within(&said) {
        ("Of course, take your time.", None)
    } else if caller_means(&said, "robot") {
        ("I am an automated assistant.", Some(Asking::Open))
    } else if caller_means(&said, "angry") {
        (sorry(labels), Some(Asking::Open))
    } else if HOW_ARE_YOU.within(&said) {
        ("I am fine, thank you.", Some(Asking::Open))
    } else if HELLO.within(&said) {
        ("Hello!", Some(Asking::Open))
    } else if THANKS.within(&said) {
        ("You are welcome.", Some(Asking::Open))
    } else if STILL_THERE.within(&said) {
        ("Yes, I am here.", Some(Asking::Open))
    } else {
        return None;
    };
    Some(answer)
}

static AGAIN: Phrases = Phrases::new(
    "^ what $; pardon; excuse me $; come again; say|repeat * again|that; repeat; \
     did|can|could not hear|catch|understand|get you?; ^ sorry $; ^ huh $; speak|talk slower|louder|up; \
     what did you say|ask; what was the question|that; what are the|my options|choices|times|slots",
);
static WAIT: Phrases = Phrases::new(
    "one|just|a|wait moment|second|minute|sec; hold|hang on; ^ wait $; let me think|see|check|look|get|find; \
     give me a",
);
static HOW_ARE_YOU: Phrases = Phrases::new("how are you; how is it going; how do you do");
static HELLO: Phrases =
    Phrases::new("^ hello|hi|hey|hiya there? $; ^ good morning|afternoon|evening|day; ^ howdy $");
static THANKS: Phrases = Phrases::new("^ thanks|thank; thank you $");
static STILL_THERE: Phrases = Phrases::new("are you there; can you hear me; anyone|anybody there; you there");

/// A caller who is angry may have a person, where the agent has one.
fn sorry(labels: &[Label]) -> &'static str {
    let human = |label: &Label| {
        of_author(&plain(&Words::new(&label.sentence))).iter().any(|concept| concept.name == "human")
    };
    if labels.iter().any(human) {
        "I am sorry about the trouble. If you would rather talk to a person, just say so."
    } else {
        "I am sorry about the trouble."
    }
}
