//! What a caller says that is not about the matter: greetings, thanks, anger, "say again", "one
//! moment".

use dgh_engine::reply::Label;

use super::answers::answer;
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
    } else if ANY.within(&said) {
        ("Please choose one.", Some(Asking::Open))
    } else if caller_means(&said, "robot") {
        ("I am an automated assistant.", Some(Asking::Open))
    } else if caller_means(&said, "angry") {
        (sorry(labels), Some(Asking::Open))
    } else if caller_means(&said, "human") {
        ("I am sorry, I cannot put you through to a person.", Some(Asking::Open))
    } else if HOW_ARE_YOU.within(&said) {
        ("I am fine, thank you.", Some(Asking::Open))
    } else if HELLO.within(&said) {
        ("Hello!", Some(Asking::Open))
    } else if GOODBYE.within(&said) {
        ("Goodbye!", None)
    } else if THANKS.within(&said) {
        ("You are welcome.", Some(Asking::Open))
    } else if answer(words).is_some_and(|answer| !answer.yes && answer.alone) {
        ("I see.", Some(Asking::Open))
    } else if UNSURE.within(&said) {
        ("That is all right.", Some(Asking::Again))
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
     what did you say|ask; what was the question|that; what are|were the|my options|choices|times|slots; \
     ^ help $; what can you|i do|say|ask|help; what do you do; how does this|it work; what do i do|say",
);
static WAIT: Phrases = Phrases::new(
    "one|just|a|wait moment|second|minute|sec; hold|hang on; ^ wait $; let me think|see|check|look|get|find; \
     give me a",
);
static HOW_ARE_YOU: Phrases = Phrases::new("how are you; how is it going; how do you do");
static HELLO: Phrases =
    Phrases::new("^ hello|hi|hey|hiya there? $; ^ good morning|afternoon|evening|day; ^ howdy $");
static THANKS: Phrases = Phrases::new("^ thanks|thank; thank you $");
static GOODBYE: Phrases =
    Phrases::new("^ bye|goodbye|ciao; bye|goodbye $; see you later|soon|then $; i have to go");
static ANY: Phrases = Phrases::new(
    "^ any|anything $; any day|time|one|of; whenever; whatever; whichever; does not|no matter; do not|not care|mind; \
     you choose|decide|pick; up to you; all the same; i am flexible|easy",
);
static UNSURE: Phrases =
    Phrases::new("not sure|certain; do not know; no idea; hard to say; ^ maybe|perhaps $");
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
