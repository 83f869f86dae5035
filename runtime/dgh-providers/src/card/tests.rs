//! How a card reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use dgh_engine::reply::Known;

use super::*;
use crate::double;

#[test]
fn a_card_says_what_to_do_what_is_missing_and_what_may_be_called() {
    let mut request = double::request();
    request.card.known = vec![
        Known { name: "patient".into(), about: Some("Full name".into()), value: "Ann Lee".into() },
        Known { name: "pin".into(), about: None, value: "[pin]".into() },
    ];
    request.card.wanted[0].missing = false;
    request.card.wanted[1].ask = Some("What brings you to us?".into());
    request.card.wanted[1].optional = true;
    request.card.remarks = vec!["`day` was not changed: it lies in the past.".into()];
    assert_eq!(
        text(&request),
        r#"[Notes for your next reply. The caller did not say this and does not see it.]
It is Monday, 2 March 2026, 10:00. Speak English (en-US).

What to do now:
Find a time that suits the patient.

What you know:
- patient (Full name): Ann Lee
- pin: [pin]

What you still have to find out:
- reason (Why they come): one of cleaning, pain; may be declined; ask: "What brings you to us?"

What you may also note, or correct, if the caller says it; do not ask for it:
- day (The day of the visit): a date as 2026-03-01

Labels for `go`:
- human: They ask for a person. For example: "a real person". But not: "my person in charge is my wife".
- cancel: They do not want to come

Mind:
- `day` was not changed: it lies in the past.

How to reply:
- If a label fits what the caller just said or wants, call `go` with it, once, and say nothing. If none clearly fits, do not call `go`.
- If the caller told you values, call `note` with all of them in one call, in this same reply, and speak. Never note what the caller did not say.
- Note a value that may be declined as "declined" when the caller does not want to give it.
- If the caller's words make no sense at all, or were not meant for you, call `unclear` alone and say nothing.
- Call a tool when you need what it gives. Say nothing about its answer before you have it.
- You may call `go`, `note`, `unclear`, `find_slots` now, and no other function. Never speak of functions or labels.
- Ask for one missing thing at a time, unless they belong together. If exact words are given for a question, use them.
- Your words are spoken aloud: one to three short sentences, no lists, no headings, no emoji, no stage directions.
- State only what is written here, was said, or a tool answered. A value in [brackets] is kept from you; do not ask for it or guess it.
"#
    );
}

#[test]
fn a_card_offers_only_what_may_be_called() {
    let mut request = double::request();
    request.may_call = false;
    request.purpose = Purpose::Tell;
    request.card.instruction = Some("Say that we close at six.".into());
    let card = text(&request);
    assert!(card.contains("\nJust now:\nSay that we close at six.\n"), "{card}");
    assert!(card.contains("- Call no function.\n"), "{card}");
    for absent in ["Labels for", "call `go`", "call `note`", "`find_slots`"] {
        assert!(!card.contains(absent), "{absent} in {card}");
    }
}

#[test]
fn each_purpose_has_its_own_rule() {
    let card = |purpose: Purpose| {
        let mut request = double::request();
        request.purpose = purpose;
        text(&request)
    };
    assert!(card(Purpose::Opening).contains("You speak now"));
    assert!(card(Purpose::AfterTools).contains("Your functions have answered"));
    assert!(card(Purpose::Resume).contains("your last open question"));
    let silent = card(Purpose::Extract);
    assert!(silent.contains("Say nothing at all") && !silent.contains("spoken aloud"), "{silent}");
    assert!(silent.contains("call `go` with it, once. If"), "{silent}");
}

#[test]
fn a_read_back_waits_for_an_answer() {
    let mut request = double::request();
    request.card.read_back = Some("Tuesday at nine?".into());
    let card = text(&request);
    assert!(card.contains("You read this back and wait for a yes or no:\n\"Tuesday at nine?\""), "{card}");
    assert!(card.contains("call `confirm` with yes; if not, with no"), "{card}");
}

#[test]
fn every_shape_is_described() {
    let fields = vec![
        ("name".to_owned(), Shape::Text, false),
        ("age".to_owned(), Shape::Int { min: Some(0), max: None }, true),
    ];
    for (given, words) in [
        (Shape::Bool, "true or false"),
        (Shape::Int { min: Some(1), max: Some(5) }, "a whole number from 1 to 5"),
        (Shape::Int { min: None, max: Some(5) }, "a whole number, 5 or less"),
        (Shape::Int { min: None, max: None }, "a whole number"),
        (Shape::Number, "a number"),
        (Shape::Money { currency: Some("EUR".into()) }, "an amount as \"20000 EUR\""),
        (Shape::Money { currency: None }, "an amount with its currency, as \"20000 USD\""),
        (Shape::Time, "a time as 09:30"),
        (Shape::DateTime, "a date and time as 2026-03-01T09:30"),
        (Shape::Duration, "a length of time as 90s, 5min or 2h"),
        (Shape::Phone, "a phone number with its country code, as +14155550100"),
        (Shape::Email, "an e-mail address"),
        (Shape::Url, "a web address"),
        (Shape::Digits { count: 4 }, "exactly 4 digits, as text"),
        (
            Shape::Choice { options: vec!["nine".into(), "ten".into()] },
            "the number of one of these: 1 = nine; 2 = ten",
        ),
        (Shape::List { of: Box::new(Shape::Date) }, "a list, each a date as 2026-03-01"),
        (Shape::Record { fields }, "{ name: text, age (if told): a whole number, 0 or more }"),
    ] {
        assert_eq!(shape(&given), words);
    }
}

#[test]
fn languages_have_names_and_others_their_tag() {
    assert_eq!(language("de-AT"), "German (de-AT)");
    assert_eq!(language("pt_BR"), "Portuguese (pt_BR)");
    assert_eq!(language("tlh"), "the language \"tlh\"");
}
