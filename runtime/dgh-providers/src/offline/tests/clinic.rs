//! The clinic, as its first callers meet it.

use super::*;

const SLOTS: [&str; 3] = [
    r#"{"id":"s1","at":"2026-03-02T09:00","dentist":"Dr. Wu"}"#,
    r#"{"id":"s2","at":"2026-03-02T11:00","dentist":"Dr. Roy"}"#,
    r#"{"id":"s3","at":"2026-03-02T15:30","dentist":"Dr. Wu"}"#,
];

fn reasons() -> Shape {
    cases(&["checkup", "pain", "cleaning", "other"])
}

fn base() -> Scene {
    Scene::new().persona("You are Ada, the receptionist of Bright Dental. Opening hours: Monday to Friday, eight to six. Today is 2026-03-01. Never give medical advice.")
}

fn anywhere(scene: Scene) -> Scene {
    scene
        .label("emergency", "Severe bleeding, swelling, or an accident")
        .label("human", "They ask for a person")
}

fn welcome() -> Scene {
    anywhere(
        base()
            .prompt("Find out whether they want to book, ask about a bill, or report an emergency.")
            .wanted("patient", "Full name of the patient", Shape::Text, false, true)
            .noted("day", "Day the caller wants. Today or later.", Shape::Date)
            .noted("reason", "Why they need the visit", reasons())
            .label("books", "They want an appointment")
            .label("bill", "They ask about a bill or insurance"),
    )
    .agent("Bright Dental, this is Ada, the automated assistant. This call is recorded. For appointments, press 1 or tell me what you need. For billing, press 2.")
}

fn request() -> Scene {
    anywhere(
        base()
            .prompt("Collect what is missing. Do not ask again for what you already know.")
            .optional("patient", "Full name of the patient", Shape::Text)
            .missing("day", "Day the caller wants. Today or later.", Shape::Date)
            .missing("reason", "Why they need the visit", reasons()),
    )
}

fn choose() -> Scene {
    anywhere(
        base()
            .prompt("Offer at most three of these: [{\"id\":\"s1\"}]. Let the caller pick one.")
            .missing("choice", "The offered slot the caller picked", options(&SLOTS))
            .known("day", "Day the caller wants. Today or later.", Shape::Date, "2026-03-02")
            .known("reason", "Why they need the visit", reasons(), "cleaning")
            .label("other_day", "None of these suits them"),
    )
    .agent("I have 3 to choose from. Which one would you like?")
}

#[test]
fn the_first_turn_says_what_it_is_about() {
    let rows: &[(&str, &str, Json)] = &[
        ("I need a cleaning tomorrow", "books", json!({ "day": "2026-03-02", "reason": "cleaning" })),
        ("A checkup on Monday", "books", json!({ "day": "2026-03-02", "reason": "checkup" })),
        ("I'd like an appointment", "books", json!({})),
        (
            "Hi, this is Ann Lee, I want to book a cleaning for next Thursday",
            "books",
            json!({ "patient": "Ann Lee", "day": "2026-03-05", "reason": "cleaning" }),
        ),
        ("can I come in on Friday?", "books", json!({ "day": "2026-03-06" })),
        ("I have a question about my bill", "bill", json!({})),
        ("it's about insurance", "bill", json!({})),
        ("do you take my insurance?", "bill", json!({})),
        ("my mouth won't stop bleeding", "emergency", json!({})),
        ("I had an accident and my face is swollen", "emergency", json!({})),
        ("I can't breathe", "emergency", json!({})),
        ("let me talk to a person", "human", json!({})),
        ("operator", "human", json!({})),
        ("I think I need a dentist", "books", json!({})),
        ("i have a toothache", "books", json!({ "reason": "pain" })),
        ("can I see Dr. Roy on Friday?", "books", json!({ "day": "2026-03-06" })),
        ("do you have anything next week?", "books", json!({})),
        (
            "I need a checkup for my daughter Lena Ott on March 12",
            "books",
            json!({ "patient": "Lena Ott", "day": "2026-03-12", "reason": "checkup" }),
        ),
        ("can i get an apointment for tommorow", "books", json!({ "day": "2026-03-02" })),
        (
            "I want a checkup on Friday, my number is 415 555 0100",
            "books",
            json!({ "day": "2026-03-06", "reason": "checkup" }),
        ),
        ("Something else, on Friday", "books", json!({ "day": "2026-03-06" })),
        ("a question about my insurence", "bill", json!({})),
        ("I dont want to talk to a robot", "human", json!({})),
        ("I do not want to speak with a machine", "human", json!({})),
    ];
    check(rows, |(text, label, values)| {
        let moves = welcome().says(text);
        (gone(&moves) == Some(label) && notes(&moves) == *values && said(&moves).is_empty())
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn a_question_is_not_taken_for_a_wish() {
    let rows: &[(&str, &str)] = &[
        ("how much is a cleaning?", "I am sorry, I do not know that. "),
        ("are you open on saturday?", "Opening hours: Monday to Friday, eight to six. "),
        ("is this a real person?", "I am an automated assistant. "),
        ("I want to cancel my appointment", "Sorry, I did not understand that. "),
        ("I do not want to talk to a person", "Sorry, I did not understand that. "),
        ("I don't need a real person", "Sorry, I did not understand that. "),
        ("yes", "Which one, please? "),
        ("what can you do?", "Of course. "),
        ("goodbye", "Goodbye!"),
    ];
    let scene = welcome().agent("Do you want to book, ask about a bill, or report an emergency?");
    check(rows, |(text, start)| {
        let moves = scene.says(text);
        (said(&moves).starts_with(start) && gone(&moves).is_none() && notes(&moves) == json!({}))
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn what_fits_twice_is_asked_back() {
    let moves = choose().says("Dr. Wu");
    assert_eq!(
        said(&moves),
        "Which one: Monday, March 2nd at 9 AM, Dr. Wu; or Monday, March 2nd at 3:30 PM, Dr. Wu?"
    );
    let scene = choose().caller("Dr. Wu").agent(&said(&moves));
    assert_eq!(notes(&scene.says("the later one")), json!({ "choice": 3 }));
}

#[test]
fn it_asks_for_one_value_after_the_other() {
    let scene = request();
    let opening = scene.clone().purpose(Purpose::Opening).caller("an appointment please").answer();
    assert_eq!(said(&opening), "What is the full name of the patient?");
    let scene = scene.agent(&said(&opening));
    let rows: &[(&str, Json, &str)] = &[
        ("Ann Lee", json!({ "patient": "Ann Lee" }), "What day would you like?"),
        (
            "Tomorrow, for a cleaning. I'm Ann Lee.",
            json!({ "patient": "Ann Lee", "day": "2026-03-02", "reason": "cleaning" }),
            "",
        ),
        (
            "It's for Ann Lee, my tooth hurts",
            json!({ "patient": "Ann Lee", "reason": "pain" }),
            "What day would you like?",
        ),
        ("I'd rather not say", json!({ "patient": "declined" }), "What day would you like?"),
    ];
    check(rows, |(text, values, question)| {
        let moves = scene.says(text);
        (notes(&moves) == *values && said(&moves).ends_with(question) && gone(&moves).is_none())
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn it_corrects_a_date_before_it_was_used() {
    let scene = base()
        .prompt("Collect what is missing.")
        .missing("reason", "Why they need the visit", reasons())
        .known("day", "Day the caller wants. Today or later.", Shape::Date, "2026-03-02")
        .agent("Thank you. Why do you need the visit: checkup, pain, cleaning or something else?");
    let moves = scene.says("Actually, make that Thursday");
    assert_eq!(notes(&moves), json!({ "day": "2026-03-05" }));
    // Whether it holds is not known yet: the words come with the next request.
    assert_eq!(said(&moves), "");
    let mut next = scene.clone().caller("Actually, make that Thursday").purpose(Purpose::Resume);
    next.request.card.wanted.clear();
    assert_eq!(said(&next.answer()), "Why do you need the visit: checkup, pain, cleaning or something else?");
    next.request.card.remarks = vec!["Not accepted: `day` is in use and cannot be changed any more.".into()];
    assert!(said(&next.answer()).starts_with("I am sorry, I cannot change the day any more. Why do you"));
    assert_eq!(
        notes(&scene.says("A checkup, and make it Friday instead")),
        json!({ "reason": "checkup", "day": "2026-03-06" })
    );
    let mut refused = scene.clone();
    refused.request.card.remarks =
        vec!["Not accepted: `day` is in use and cannot be changed any more.".into()];
    let moves = refused.says("I said make it Thursday");
    assert!(
        notes(&moves) == json!({})
            && said(&moves).starts_with("I am sorry, I cannot change the day any more."),
        "{moves:?}"
    );
    let named = base()
        .missing("day", "Day the caller wants.", Shape::Date)
        .known("patient", "Full name of the patient", Shape::Text, "Ann Lee")
        .agent("What day would you like?");
    assert_eq!(notes(&named.says("actually make it Ann Leigh")), json!({ "patient": "Ann Leigh" }));
    assert_eq!(notes(&scene.says("Monday is fine, it hurts")), json!({ "reason": "pain" }));
}

#[test]
fn it_offers_and_lets_pick() {
    let opening = choose().purpose(Purpose::Opening).answer();
    assert_eq!(
        said(&opening),
        "I have 3 to choose from on Monday, March 2nd: first, 9 AM, Dr. Wu; second, 11 AM, Dr. Roy; third, 3:30 PM, Dr. Wu. Which one would you like?"
    );
    let rows: &[(&str, Json, Option<&str>)] = &[
        ("The one at eleven", json!({ "choice": 2 }), None),
        ("the second", json!({ "choice": 2 }), None),
        ("Dr. Roy", json!({ "choice": 2 }), None),
        ("half past three", json!({ "choice": 3 }), None),
        ("the last one please", json!({ "choice": 3 }), None),
        ("the afternoon one", json!({ "choice": 3 }), None),
        ("none of these works for me", json!({}), Some("other_day")),
        ("do you have another day?", json!({}), Some("other_day")),
        ("Actually, make that Thursday", json!({ "day": "2026-03-05" }), None),
        ("no, none of those. How about Thursday?", json!({ "day": "2026-03-05" }), None),
        ("do you have anything on Friday?", json!({ "day": "2026-03-06" }), None),
        ("Dr. Wu", json!({}), None),
        ("the first one is too early", json!({}), None),
        ("can you do later in the day?", json!({}), None),
        ("what about the day after?", json!({ "day": "2026-03-03" }), None),
        ("the following Monday please", json!({ "day": "2026-03-09" }), None),
        ("a week later", json!({ "day": "2026-03-09" }), None),
        ("which ones do you have in the morning?", json!({}), None),
        ("no", json!({}), Some("other_day")),
        ("any of them", json!({ "choice": 1 }), None),
        ("this is ridiculous, let me talk to a human", json!({}), Some("human")),
        ("my gums are bleeding badly", json!({}), Some("emergency")),
    ];
    check(rows, |(text, values, label)| {
        let moves = choose().says(text);
        (notes(&moves) == *values && gone(&moves) == *label)
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn a_read_back_is_confirmed_refused_or_corrected() {
    let scene = anywhere(
        base()
            .prompt("Offer at most three of these. Let the caller pick one.")
            .known(
                "choice",
                "The offered slot the caller picked",
                options(&SLOTS),
                r#"{"at":"2026-03-02T11:00","dentist":"Dr. Roy"}"#,
            )
            .known("day", "Day the caller wants.", Shape::Date, "2026-03-02")
            .label("other_day", "None of these suits them"),
    )
    .read_back("I have: Monday, March 2nd at 11 AM, Dr. Roy. Is that right?");
    for text in [
        "Yes",
        "yes that is right",
        "correct",
        "sounds good",
        "No, that's right",
        "perfect, thanks",
        "that's fine",
        "Yes, please.",
    ] {
        assert_eq!(scene.says(text), [Move::Confirm(true)], "{text}");
    }
    for text in ["No", "nope", "that's wrong", "not really"] {
        assert_eq!(scene.says(text)[0], Move::Confirm(false), "{text}");
        assert!(said(&scene.says(text)).starts_with("Sorry about that."), "{text}");
    }
    assert_eq!(
        scene.says("no, the first one"),
        [Move::Note(json!({ "choice": 1 }).as_object().unwrap().clone())]
    );
    assert_eq!(notes(&scene.says("no, make that Thursday")), json!({ "day": "2026-03-05" }));
    assert_eq!(notes(&scene.says("the one at nine instead")), json!({ "choice": 1 }));
    assert_eq!(gone(&scene.says("I want to talk to a person")), Some("human"));
    let scene = scene.wanted("patient", "Full name of the patient", Shape::Text, false, true);
    let name = json!({ "patient": "Ann Leigh" });
    assert_eq!(
        scene.says("yes but my name is Ann Leigh"),
        [Move::Note(name.as_object().unwrap().clone()), Move::Confirm(true)]
    );
    assert_eq!(said(&scene.says("is parking free?")), "I am sorry, I do not know that. Is that right?");
    assert_eq!(
        said(&scene.says("could you repeat that?")),
        "Of course. I have: Monday, March 2nd at 11 AM, Dr. Roy. Is that right?"
    );
    assert_eq!(scene.says("hmm")[0], Move::Unclear);
    assert!(said(&scene.says("hmm")).ends_with("Is that right?"));
}

#[test]
fn a_question_in_between_is_answered_or_not_known_and_the_thread_is_kept() {
    let scene = request().agent("What day would you like?");
    let rows: &[(&str, &str)] = &[
        ("When are you open?", "Opening hours: Monday to Friday, eight to six. What day would you like?"),
        ("Are you a robot?", "I am an automated assistant. "),
        ("Who am I speaking to?", "I am Ada, the receptionist of Bright Dental. "),
        ("What day is it today?", "Today is Sunday, March 1st. "),
        ("Is there a parking lot?", "I am sorry, I do not know that. "),
        ("How much does it cost?", "I am sorry, I do not know that. "),
        ("hello", "Hello! "),
        ("thank you", "You are welcome. "),
        ("what did you say?", "Of course. "),
        ("hold on", "Of course, take your time."),
    ];
    check(rows, |(text, start)| {
        let moves = scene.says(text);
        (said(&moves).starts_with(start) && gone(&moves).is_none() && notes(&moves) == json!({}))
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn an_angry_caller_hears_that_there_is_a_person() {
    let scene = request().agent("What is the full name of the patient?");
    for text in ["this is ridiculous", "are you kidding me", "you are useless", "I'm sick of this crap"] {
        let moves = scene.says(text);
        assert!(
            said(&moves).starts_with(
                "I am sorry about the trouble. If you would rather talk to a person, just say so."
            ),
            "{text}: {moves:?}"
        );
    }
}

#[test]
fn what_is_not_understood_is_not_guessed() {
    let scene = request().agent("What day would you like?");
    for text in ["purple monkey dishwasher", "blah", "asdf", "42 42"] {
        let moves = scene.says(text);
        assert_eq!(notes(&moves), json!({}), "{text}");
        assert_eq!(moves[0], Move::Unclear, "{text}");
        assert!(said(&moves).starts_with("Sorry, I did not understand that."), "{text}: {moves:?}");
    }
    let again =
        scene.clone().caller("blah").agent("Sorry, I did not understand that. What day would you like?");
    assert_eq!(again.says("blah"), [Move::Unclear]);
    assert!(said(&scene.says("")).starts_with("Sorry, I could not hear you."));
}

#[test]
fn a_name_and_nothing_else_is_a_name() {
    let scene = base()
        .prompt("The desk is busy. Ask for a name and a message, promise a call back today.")
        .optional("patient", "Full name of the patient", Shape::Text);
    assert_eq!(
        said(&scene.clone().purpose(Purpose::Opening).answer()),
        "What is the full name of the patient?"
    );
    let scene = scene.agent("What is the full name of the patient?");
    for text in ["ann lee", "Ann Lee, thanks", "my name's Ann Lee", "it's Ann Lee", "Ann Lee please"] {
        assert_eq!(notes(&scene.says(text)), json!({ "patient": "Ann Lee" }), "{text}");
    }
}
