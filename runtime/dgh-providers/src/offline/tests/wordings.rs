//! Questions from descriptions.

use super::super::questions::{Asking, is_question, question_for};
use super::super::words::Words;
use super::*;

fn asked(name: &str, about: &str, shape: Shape) -> String {
    let scene = Scene::new().missing(name, about, shape);
    let card = &scene.request.card;
    question_for(&card.wanted[0], "", card.now, Asking::First)
}

#[test]
fn a_description_becomes_a_question() {
    let text = || Shape::Text;
    let rows: &[(&str, &str, Shape, &str)] = &[
        ("day", "Day the caller wants. Today or later.", Shape::Date, "What day would you like?"),
        ("patient", "Full name of the patient", text(), "What is the full name of the patient?"),
        (
            "reason",
            "Why they need the visit",
            cases(&["checkup", "pain", "cleaning", "other"]),
            "Why do you need the visit: checkup, pain, cleaning or something else?",
        ),
        ("callback", "Number to call back on", Shape::Phone, "What is the number to call back on?"),
        ("amount", "Amount the customer promises to pay", money(), "What amount do you promise to pay?"),
        (
            "pay_on",
            "Date they promise to pay. Within 30 days.",
            Shape::Date,
            "What date do you promise to pay?",
        ),
        (
            "topic",
            "What the call is about",
            cases(&["sales", "service"]),
            "What is the call about: sales or service?",
        ),
        ("customer", "Company of the caller, if they say it", text(), "What is your company?"),
        ("message", "What to tell the desk", text(), "What should I tell the desk?"),
        (
            "budget",
            "Yearly budget in US dollars. Upper end if they give a range.",
            money(),
            "What is your yearly budget in US dollars?",
        ),
        (
            "timeline",
            "When they would like to start.",
            cases(&["now", "this_quarter", "later"]),
            "When would you like to start: now, this quarter or later?",
        ),
        (
            "demo_at",
            "The exact demo time they agreed to, in their time zone.",
            Shape::DateTime,
            "What day and time would you like for the demo?",
        ),
        (
            "said_year",
            "Year of birth the caller says",
            Shape::Int { min: None, max: None },
            "What is your year of birth?",
        ),
        (
            "number",
            "The phone number, with its area code",
            Shape::Phone,
            "What is the phone number, with its area code?",
        ),
        ("address", "The e-mail address, as they spell it", Shape::Email, "What is the e-mail address?"),
        ("name", "Their first and last name, as they spell it", text(), "What is your first and last name?"),
        ("day", "The day they name", Shape::Date, "What is your day?"),
        (
            "rating",
            "How satisfied they are, from 1 to 5",
            Shape::Int { min: Some(1), max: Some(5) },
            "How satisfied are you, from 1 to 5?",
        ),
        ("remark", "Anything else they want to say", text(), "Is there anything else you want to say?"),
        ("extra", "Something to add", text(), "Is there anything to add?"),
        ("again", "Whether they would come again", Shape::Bool, "Would you come again?"),
        ("insured", "Whether they have insurance", Shape::Bool, "Do you have insurance?"),
        ("new", "True if they are a new patient", Shape::Bool, "Are you a new patient?"),
        ("been", "Whether they have been here before", Shape::Bool, "Have you been here before?"),
        ("source", "How they heard about us", text(), "How did you hear about us?"),
        ("guests", "Number of guests", Shape::Int { min: Some(1), max: Some(20) }, "How many guests?"),
        ("party", "How many people", Shape::Int { min: None, max: None }, "How many people?"),
        ("address", "Address to deliver to", text(), "What is the address to deliver to?"),
        ("size", "A size that fits", text(), "Could you give me a size that fits?"),
        (
            "last4",
            "Last four digits of their card",
            Shape::Digits { count: 4 },
            "What are your last four digits of your card?",
        ),
        ("birth", "Their date of birth", Shape::Date, "What is your date of birth?"),
        ("better", "What we could do better", text(), "What could we do better?"),
        (
            "rating",
            "How they rate their stay, from one to five",
            Shape::Int { min: Some(1), max: Some(5) },
            "How do you rate your stay, from one to five?",
        ),
        ("at", "When they want to come", Shape::DateTime, "When do you want to come?"),
        ("day", "", Shape::Date, "What day would you like?"),
        ("demo_at", "", Shape::DateTime, "What day and time would you like for the demo?"),
        ("email", "", Shape::Email, "What is your e-mail address?"),
        ("name", "", text(), "What is your name?"),
        ("phone", "", Shape::Phone, "What is your phone number, with the area code?"),
        ("tickets", "", Shape::Int { min: None, max: None }, "How many tickets?"),
        ("budget", "", money(), "How much is the budget?"),
        ("color", "What color do you like?", text(), "What color do you like?"),
    ];
    check(rows, |(name, about, shape, expected)| {
        let found = asked(name, about, shape.clone());
        (found == *expected).then_some(()).ok_or_else(|| format!("  {about:?}: {found:?}, not {expected:?}"))
    });
}

#[test]
fn a_question_of_the_author_is_asked_as_it_is() {
    let mut scene = Scene::new().missing("day", "Day the caller wants", Shape::Date);
    scene.request.card.wanted[0].ask = Some("Which day suits you best?".into());
    let scene = scene.purpose(Purpose::Opening);
    assert_eq!(said(&scene.answer()), "Which day suits you best?");
}

#[test]
fn what_one_may_have_is_asked_so() {
    let scene =
        Scene::new().optional("wishes", "Special wishes or allergies", Shape::Text).purpose(Purpose::Opening);
    assert_eq!(said(&scene.answer()), "Do you have any special wishes or allergies?");
}

#[test]
fn a_list_is_offered() {
    let offered = |texts: &[&str], prompt: &str| {
        let scene = Scene::new().prompt(prompt).missing("choice", "The one they pick", options(texts));
        said(&scene.purpose(Purpose::Opening).answer())
    };
    assert_eq!(
        offered(&["red", "green", "blue"], "Offer at most two of these."),
        "I have 2 to choose from: first, red; second, green. Which one would you like?"
    );
    assert_eq!(
        offered(&["2026-03-02T09:00", "2026-03-03T09:00"], ""),
        "I have 2 to choose from: first, Monday, March 2nd at 9 AM; second, Tuesday, March 3rd at 9 AM. Which one would you like?"
    );
    assert_eq!(offered(&["red"], ""), "I have red. Would you like that one?");
    assert_eq!(
        offered(&["a", "b", "c", "d", "e", "f"], "Offer them."),
        "I have 4 to choose from: first, a; second, b; third, c; fourth, d. Which one would you like?"
    );
}

#[test]
fn a_request_without_a_question_mark_is_repeated() {
    let scene = Scene::new().agent("Please type your number on the keypad.");
    assert_eq!(said(&scene.says("what?")), "Of course. Please type your number on the keypad.");
}

#[test]
fn a_second_time_it_says_what_fits() {
    let scene =
        Scene::new().missing("day", "Day the caller wants", Shape::Date).agent("What day would you like?");
    assert_eq!(
        said(&scene.says("blah")),
        "Sorry, I did not understand that. What day would you like? You can say, for example, \"next Tuesday\" or \"March 5\"."
    );
    let count = Scene::new()
        .missing("guests", "Number of guests", Shape::Int { min: Some(1), max: Some(8) })
        .agent("How many guests?");
    assert_eq!(said(&count.says("twelve")), "How many guests? Any whole number from 1 to 8.");
    let phone = Scene::new()
        .missing("phone", "", Shape::Phone)
        .agent("What is your phone number, with the area code?");
    assert!(said(&phone.says("555 0100")).starts_with("I think some digits are missing."));
    let week =
        Scene::new().missing("day", "Day the caller wants", Shape::Date).agent("What day would you like?");
    assert_eq!(said(&week.says("sometime next week")), "Which day next week?");
}

#[test]
fn a_request_is_no_question() {
    for text in [
        "Who are you?",
        "how much is it",
        "Are you open on Sunday?",
        "can you tell me about your prices",
        "I have a question",
        "I was wondering how long it takes",
        "do you take cards?",
    ] {
        assert!(is_question(&Words::new(text)), "{text}");
    }
    for text in [
        "can you call me back tomorrow",
        "could I get an appointment?",
        "how about Thursday?",
        "what about three?",
        "I need a cleaning",
        "would you mind repeating that",
        "yes",
        "can we make it Friday?",
    ] {
        assert!(!is_question(&Words::new(text)), "{text}");
    }
}
