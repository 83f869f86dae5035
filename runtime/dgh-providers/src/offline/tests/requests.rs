//! The other purposes of a request: opening, telling, tools, resuming, learning after the end.

use super::*;

#[test]
fn an_instruction_becomes_an_utterance() {
    let rows: &[(&str, &str)] = &[
        ("Thank them and say goodbye.", "Thank you. Goodbye!"),
        ("Thank the caller for their patience.", "Thank you for your patience."),
        ("Apologise for the delay.", "I am sorry for the delay."),
        ("Tell them that we will call them back today.", "We will call you back today."),
        ("Explain that the office is closed on Sundays.", "The office is closed on Sundays."),
        ("Say \"We are closed today.\"", "We are closed today."),
        ("Ask whether they have been here before.", "Have you been here before?"),
        ("Ask if they are a new patient", "Are you a new patient?"),
        ("Ask for their date of birth.", "May I have your date of birth?"),
        ("Ask them to hold the line.", "Could you hold the line, please?"),
        (
            "Let them know that their order is on its way, then wish them a nice day.",
            "Your order is on its way. Have a nice day!",
        ),
        ("Promise a call back tomorrow.", "We will call you back tomorrow."),
        ("Introduce yourself.", "I am Ada, the receptionist of Bright Dental."),
        ("Close the call politely.", "Thank you for your time. Goodbye!"),
        ("Ask how the visit was.", "How was the visit?"),
        ("Ask what they need.", "What do you need?"),
        ("Apologise for the trouble and identify the card.", "I am sorry for the trouble."),
        ("Thank them, then transfer the call.", "Thank you."),
        ("Be kind. Never mention money.", "All right."),
        ("Congratulate them on the new house.", "Congratulations on the new house!"),
    ];
    check(rows, |(instruction, expected)| {
        let mut scene = Scene::new().purpose(Purpose::Tell);
        scene.request.card.instruction = Some((*instruction).into());
        scene.request.may_call = false;
        let found = said(&scene.answer());
        (found == *expected).then_some(()).ok_or_else(|| format!("  {instruction:?}: {found:?}"))
    });
}

#[test]
fn a_prompt_becomes_the_first_words() {
    let rows: &[(&str, &str)] = &[
        (
            "Find out whether they want to book, ask about a bill, or report an emergency.",
            "Do you want to book, ask about a bill, or report an emergency?",
        ),
        (
            "Ask if they can pay today or in up to three parts. Listen first.",
            "Can you pay today or in up to three parts?",
        ),
        ("Ask whether that solves it.", "Does that solve it?"),
        ("Offer a tour of the house.", "Would you like a tour of the house?"),
        ("Greet the caller and ask what they are calling about.", "Hello! What are you calling about?"),
        ("Be patient. Do not give advice.", "How can I help you?"),
        ("", "How can I help you?"),
    ];
    check(rows, |(prompt, expected)| {
        let found = said(&Scene::new().prompt(prompt).purpose(Purpose::Opening).answer());
        (found == *expected).then_some(()).ok_or_else(|| format!("  {prompt:?}: {found:?}"))
    });
}

#[test]
fn no_instruction_is_read_out() {
    let scene = Scene::new()
        .persona("You are Ada. Never say {{ secret }}. Be brief.")
        .prompt("Never mention {{ price }}. Use short sentences. If they ask, refuse.");
    for purpose in [Purpose::Opening, Purpose::Resume, Purpose::Tell, Purpose::AfterTools] {
        let text = said(&scene.clone().purpose(purpose).caller("what is the secret price?").answer());
        assert!(
            !text.is_empty()
                && !text.contains("{{")
                && !text.contains("Never")
                && !text.contains("short sentences"),
            "{text}"
        );
    }
}

#[test]
fn tools_are_used_when_their_arguments_are_at_hand() {
    let scene = Scene::new()
        .prompt("Help the caller.")
        .tool("calculator", "Computes an arithmetic expression exactly.", json!({ "type": "object", "properties": { "expression": { "type": "string" } }, "required": ["expression"] }))
        .tool("calendar__list_holidays", "Lists the public holidays.", json!({ "type": "object", "properties": {} }))
        .tool("weather", "The weather on a day.", json!({ "type": "object", "properties": { "day": { "type": "string", "format": "date" } }, "required": ["day"] }))
        .agent("How can I help you?");
    let used = |text: &str| {
        scene.says(text).into_iter().find_map(|one| match one {
            Move::UseTool { name, args } => Some((name, args)),
            _ => None,
        })
    };
    assert_eq!(
        used("What is 12 times 7.5?"),
        Some(("calculator".into(), json!({ "expression": "12 * 7.5" })))
    );
    assert_eq!(
        used("what is eight percent of fifty?"),
        Some(("calculator".into(), json!({ "expression": "8 % * 50" })))
    );
    assert_eq!(used("Which holidays are coming up?"), Some(("calendar__list_holidays".into(), json!({}))));
    assert_eq!(
        used("What is the weather tomorrow?"),
        Some(("weather".into(), json!({ "day": "2026-03-02" })))
    );
    assert_eq!(used("What is the weather like?"), None);
    assert_eq!(used("how tall are you?"), None);
}

#[test]
fn what_tools_answer_is_reported() {
    let report = |result: Json| {
        let mut scene = Scene::new()
            .purpose(Purpose::AfterTools)
            .agent("How can I help?")
            .caller("Which holidays are there?");
        scene.request.history.push(Message::Tools(vec![dgh_engine::reply::ToolExchange {
            id: "1".into(),
            name: "x".into(),
            arguments: json!({}),
            result,
        }]));
        said(&scene.answer())
    };
    assert_eq!(report(json!(["Easter", "Labour Day"])), "This is what I found: Easter and Labour Day.");
    assert_eq!(report(json!(90.0)), "I found this: 90.0.");
    assert_eq!(
        report(json!({ "id": 4, "at": "2026-03-05T11:00", "dentist": "Dr. Roy" })),
        "I found this: Thursday, March 5th at 11 AM, Dr. Roy."
    );
    assert_eq!(report(json!({ "error": "timeout" })), "I am sorry, I could not look that up.");
    assert_eq!(report(json!([])), "I am sorry, I found nothing about that.");
    assert_eq!(report(json!(true)), "Yes.");
}

#[test]
fn after_the_end_it_only_learns() {
    let scene = Scene::new()
        .missing("day", "Day the caller wants", Shape::Date)
        .label("human", "They ask for a person")
        .agent("What day?")
        .purpose(Purpose::Extract);
    assert_eq!(
        scene.says("tomorrow, or give me a person"),
        [Move::Note(json!({ "day": "2026-03-02" }).as_object().unwrap().clone())]
    );
    assert_eq!(scene.says("bye"), []);
}

#[test]
fn a_refused_value_is_explained() {
    let mut scene = Scene::new()
        .prompt("Agree on an amount.")
        .agent("What amount do you promise to pay?")
        .caller("five thousand")
        .purpose(Purpose::Resume);
    scene.request.card.remarks =
        vec!["Not accepted: `amount`: They cannot promise more than they owe.".into()];
    assert_eq!(
        said(&scene.answer()),
        "You cannot promise more than you owe. What amount do you promise to pay?"
    );
    scene.request.card.remarks = vec!["Not accepted: `amount` takes an amount with its currency.".into()];
    assert_eq!(said(&scene.answer()), "What amount do you promise to pay?");
}

#[tokio::test]
async fn its_moves_become_the_pieces_of_a_model() {
    use crate::llm::{Delta, Llm};
    use futures::StreamExt;

    let scene = Scene::new()
        .missing("day", "Day the caller wants", Shape::Date)
        .missing("reason", "Why they need the visit", cases(&["checkup", "pain"]))
        .agent("What day would you like?")
        .caller("tomorrow");
    let deltas: Vec<_> = super::super::Offline.stream(Arc::new(scene.request)).collect().await;
    let deltas: Vec<Delta> = deltas.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        deltas,
        [
            Delta::Call {
                id: "offline-0".into(),
                name: "note".into(),
                arguments: json!({ "day": "2026-03-02" })
            },
            Delta::Text("Got it.\n".into()),
            Delta::Text("Why do you need the visit: checkup or pain?\n".into()),
        ]
    );

    let scene = Scene::new().read_back("I have: Monday. Is that right?").caller("yes");
    let deltas: Vec<_> = super::super::Offline.stream(Arc::new(scene.request)).collect().await;
    assert_eq!(
        deltas,
        [Ok(Delta::Call {
            id: "offline-0".into(),
            name: "confirm".into(),
            arguments: json!({ "answer": "yes" })
        })]
    );
}
