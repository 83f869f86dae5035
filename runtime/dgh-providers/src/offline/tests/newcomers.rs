//! What newcomers tried first, and tripped over.

use super::*;

fn day_scene() -> Scene {
    Scene::new()
        .missing("day", "Day the caller wants. Today or later.", Shape::Date)
        .agent("What day would you like?")
}

#[test]
fn no_name_is_guessed() {
    let rows: &[(&str, Json)] = &[
        ("its me, Ann Lee", json!({ "patient": "Ann Lee" })),
        ("it's Ann Lee", json!({ "patient": "Ann Lee" })),
        ("it's ann lee", json!({ "patient": "Ann Lee" })),
        ("ann lee", json!({ "patient": "Ann Lee" })),
        ("Manning", json!({ "patient": "Manning" })),
        ("no name", json!({})),
        ("it is raining", json!({})),
        ("raining", json!({})),
        ("its about my last bill, it is too high", json!({})),
        ("too high", json!({})),
        ("both", json!({})),
        ("Both", json!({})),
        ("me", json!({})),
        ("very expensive", json!({})),
        ("I'm cold", json!({})),
    ];
    let scene = Scene::new()
        .missing("patient", "Full name of the patient", Shape::Text)
        .agent("What is the full name of the patient?");
    check(rows, |(text, values)| {
        let moves = scene.says(text);
        (notes(&moves) == *values).then_some(()).ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}

#[test]
fn what_is_ruled_out_is_not_picked() {
    let scene = Scene::new()
        .missing("choice", "The one they pick", options(&["red", "green", "blue"]))
        .agent("Which one would you like?");
    for text in ["anything but the second", "any but green", "all but the last one"] {
        assert_eq!(notes(&scene.says(text)), json!({}), "{text}");
    }
    assert_eq!(notes(&scene.says("not the first but the second")), json!({ "choice": 2 }));
}

#[test]
fn another_currency_is_refused_in_words() {
    let scene = Scene::new()
        .missing("budget", "Yearly budget in US dollars.", money())
        .agent("What is your yearly budget in US dollars?");
    let moves = scene.says("20000 euros");
    assert_eq!(notes(&moves), json!({}));
    assert_eq!(said(&moves), "I can only take that in US dollars. What is your yearly budget in US dollars?");
    let scene = scene.caller("20000 euros").agent(&said(&moves));
    assert_eq!(notes(&scene.says("make it 2")), json!({}));
    assert_eq!(notes(&scene.says("make it 22000")), json!({ "budget": "22000 USD" }));
}

#[test]
fn a_day_that_cannot_be_is_refused_in_words() {
    let past = "That day is past. What day would you like?";
    let rows: &[(&str, Json, &str)] = &[
        ("yesterday", json!({}), past),
        ("February 20th, 2026", json!({}), past),
        ("last Friday", json!({}), past),
        ("not yesterday, tomorrow", json!({ "day": "2026-03-02" }), ""),
        ("yesterday it hurt, so tomorrow", json!({ "day": "2026-03-02" }), ""),
        ("today", json!({ "day": "2026-03-01" }), ""),
    ];
    check(rows, |(text, values, words)| {
        let moves = day_scene().says(text);
        (notes(&moves) == *values && said(&moves) == *words)
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
    let pay = Scene::new()
        .missing("pay_on", "Date they promise to pay. Within 30 days.", Shape::Date)
        .agent("What date do you promise to pay?");
    let moves = pay.says("July 1st");
    assert_eq!(
        said(&moves),
        "That day is more than 30 days away. What date do you promise to pay?",
        "{moves:?}"
    );
    assert_eq!(notes(&moves), json!({}));
    assert_eq!(notes(&pay.says("March 20")), json!({ "pay_on": "2026-03-20" }));
}

#[test]
fn a_past_day_changes_no_known_one() {
    let scene = Scene::new()
        .known("day", "Day the caller wants. Today or later.", Shape::Date, "2026-03-05")
        .read_back("Thursday, March 5th. Is that right?");
    let moves = scene.says("no, yesterday");
    assert_eq!(notes(&moves), json!({}), "{moves:?}");
    assert!(said(&moves).starts_with("That day is past."), "{moves:?}");
}

fn pizza() -> Scene {
    Scene::new()
        .persona("You take orders for a pizzeria.")
        .prompt("We have one pizza, small for 9 and large for 14 dollars. Tell them, then ask if that helps.")
        .noted("size", "Size of the pizza", cases(&["small", "large"]))
        .label("knows", "They know what they need")
}

#[test]
fn a_node_that_tells_says_its_facts() {
    let opening = pizza().purpose(Purpose::Opening).caller("what do you have?").answer();
    assert_eq!(
        said(&opening),
        "We have one pizza, small for 9 and large for 14 dollars. Does that help?",
        "{opening:?}"
    );
    let scene = pizza().caller("what do you have?").agent(&said(&opening));
    for text in ["yes", "thanks", "ok", "Yes, thank you", "that helps", "great"] {
        assert_eq!(gone(&scene.says(text)), Some("knows"), "{text}: {:?}", scene.says(text));
    }
    let moves = scene.says("I'll take a large one");
    assert_eq!((gone(&moves), notes(&moves)), (Some("knows"), json!({ "size": "large" })), "{moves:?}");
    assert_eq!(gone(&scene.says("no")), None);
}

#[test]
fn thanks_leave_a_node_that_answers() {
    for sentence in [
        "They know now",
        "Their question is answered",
        "They have no more questions",
        "They have what they need",
    ] {
        let scene = Scene::new()
            .prompt("We open at nine. Answer their question, then ask if that helps.")
            .label("back", sentence)
            .caller("when do you open?")
            .agent("We open at nine. Does that help?");
        for text in ["yes", "thanks", "ok"] {
            assert_eq!(gone(&scene.says(text)), Some("back"), "{sentence}: {text}");
        }
        assert_eq!(gone(&scene.says("no")), None, "{sentence}: {:?}", scene.says("no"));
    }
    let more = Scene::new()
        .prompt("Answer their question.")
        .label("back", "They have no more questions")
        .agent("Do you have any more questions?");
    assert_eq!(gone(&more.says("no")), Some("back"));
    assert_eq!(gone(&more.says("yes")), None);
}

#[test]
fn what_was_said_is_said_again() {
    let scene = Scene::new()
        .missing("amount", "Amount the customer promises to pay", money())
        .agent("Hello. You owe 240 dollars since March 1st. What amount do you promise to pay?");
    let rows = ["how much do I owe?", "how much do i owe again", "what was it again?", "what is my balance?"];
    check(&rows, |text| {
        let moves = scene.says(text);
        (said(&moves) == "You owe 240 dollars since March 1st. What amount do you promise to pay?")
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
    let moves = scene.says("how much is a pizza?");
    assert!(said(&moves).starts_with("I am sorry, I do not know that."), "{moves:?}");
}

#[test]
fn a_change_ends_with_the_open_question() {
    let open = Scene::new()
        .missing("choice", "The one they pick", options(&["red", "green"]))
        .wanted("name", "Their name", Shape::Text, false, true)
        .agent("Which one would you like?");
    let moves = open.says("actually my name is Anna Lee");
    assert_eq!(notes(&moves), json!({ "name": "Anna Lee" }));
    assert!(said(&moves).ends_with("Which one would you like?"), "{moves:?}");
    let label = Scene::new()
        .prompt("Find out whether they want to book or ask about a bill.")
        .wanted("name", "Their name", Shape::Text, false, true)
        .label("books", "They want an appointment")
        .agent("Tell me what you need.");
    let moves = label.says("actually my name is Anna Lee");
    assert!(said(&moves).ends_with('?'), "{moves:?}");
    let told = open.caller("actually my name is Anna Lee").purpose(Purpose::Tell).answer();
    assert!(said(&told).ends_with("Which one would you like?"), "{told:?}");
}

#[test]
fn a_plea_stays_open_as_a_question_does() {
    let scene = Scene::new().agent("To protect your privacy, please type the year you were born.");
    let moves = scene.says("how much do I owe?");
    assert_eq!(
        said(&moves),
        "I am sorry, I do not know that. To protect your privacy, please type the year you were born."
    );
}

#[test]
fn an_amount_is_corrected_without_its_currency() {
    let scene = Scene::new()
        .known("budget", "Yearly budget in US dollars.", money(), "20000 USD")
        .missing("timeline", "When they want to start.", options(&["now", "later"]))
        .agent("When would you like to start: now or later?");
    assert_eq!(notes(&scene.says("actually make it 30 thousand")), json!({ "budget": "30000 USD" }));
    assert_eq!(notes(&scene.says("we have 30 thousand customers")), json!({}));
    assert_eq!(notes(&scene.says("actually make it 11")), json!({}), "an hour, perhaps");
    let two = scene.known("discount", "Discount in US dollars.", money(), "500 USD");
    assert_eq!(notes(&two.says("actually make it 600")), json!({}), "which of the two?");
}
