//! The front desk, the lead and the collection agent.

use super::intents::greet;
use super::*;

#[test]
fn the_front_desk_routes_and_takes_a_message() {
    let hello = Scene::new()
        .persona("You are Kim at Larch & Sons. Friendly, short sentences.")
        .missing("topic", "What the call is about", cases(&["sales", "service", "accounts"]))
        .wanted("customer", "Company of the caller, if they say it", Shape::Text, false, true)
        .noted("message", "What to tell the desk", Shape::Text)
        .label_like("human", "They ask for a person", &["a real person", "an agent"], &[])
        .agent("Larch and Sons, this is Kim, an AI assistant. What can I do for you?");
    let rows: &[(&str, Json)] = &[
        ("I want to buy a saw", json!({ "topic": "sales" })),
        ("I'm calling from Acme, our saw is broken", json!({ "topic": "service", "customer": "Acme" })),
        ("It's about an invoice", json!({ "topic": "accounts" })),
        ("service please", json!({ "topic": "service" })),
        ("someone has to fix my machine", json!({ "topic": "service" })),
        ("my saw doesn't start", json!({ "topic": "service" })),
        ("I need help with my bill", json!({ "topic": "accounts" })),
        ("it's John from Acme, I want a quote", json!({ "topic": "sales", "customer": "Acme" })),
    ];
    check(rows, |(text, values)| {
        let moves = hello.says(text);
        (notes(&moves) == *values && said(&moves).is_empty())
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
    assert_eq!(gone(&hello.says("a real person please")), Some("human"));
    assert_eq!(
        said(&hello.says("good morning")),
        "Hello! What is the call about: sales, service or accounts?"
    );

    let message = Scene::new()
        .prompt("Take a short message and promise a call back today.")
        .missing("message", "What to tell the desk", Shape::Text)
        .noted("topic", "What the call is about", cases(&["sales", "service", "accounts"]));
    assert_eq!(said(&message.clone().purpose(Purpose::Opening).answer()), "What should I tell the desk?");
    let message = message.agent("What should I tell the desk?");
    assert_eq!(
        message.says("Tell them Ann Lee called about the invoice"),
        [Move::Note(json!({ "message": "Ann Lee called about the invoice" }).as_object().unwrap().clone())]
    );
    let read = Scene::new()
        .known("message", "What to tell the desk", Shape::Text, "Ann Lee called")
        .read_back("I have: Ann Lee called. Is that right?");
    assert_eq!(read.says("Yes, that is right"), [Move::Confirm(true)]);
    assert_eq!(notes(&read.says("No, tell them Bob Lee called")), json!({ "message": "Bob Lee called" }));
}

#[test]
fn a_lead_is_qualified() {
    let qualify = Scene::new()
        .prompt("Find out budget and timing. Accept rough answers.")
        .missing("budget", "Yearly budget in US dollars. Upper end if they give a range.", money())
        .missing("timeline", "When they would like to start.", cases(&["now", "this_quarter", "later"]))
        .noted("demo_at", "The exact demo time they agreed to, in their time zone.", Shape::DateTime)
        .label("refuses", "They will not share budget or timing")
        .label("question", "They ask about Acme Solar or its products")
        .label("stop", "They ask not to be called again");
    assert_eq!(
        said(&qualify.clone().purpose(Purpose::Opening).caller("sure").answer()),
        "What is your yearly budget in US dollars?"
    );
    let qualify = qualify.agent("What is your yearly budget in US dollars?");
    assert_eq!(
        qualify.says("About 20 thousand dollars, and we want to start now"),
        [Move::Note(json!({ "budget": "20000 USD", "timeline": "now" }).as_object().unwrap().clone())]
    );
    let partly = qualify.says("maybe 15k");
    assert_eq!(notes(&partly), json!({ "budget": "15000 USD" }));
    assert!(
        said(&partly).ends_with("When would you like to start: now, this quarter or later?"),
        "{partly:?}"
    );
    let lost = qualify.says("I don't have a budget");
    assert_eq!(notes(&lost), json!({}));

    let book = Scene::new()
        .prompt("Offer a 20 minute demo this week and agree on one exact time.")
        .missing("demo_at", "The exact demo time they agreed to, in their time zone.", Shape::DateTime)
        .label("declines", "They do not want a demo");
    assert_eq!(
        said(&book.clone().purpose(Purpose::Opening).answer()),
        "What day and time would you like for the demo?"
    );
    let book = book.agent("What day and time would you like for the demo?");
    assert_eq!(notes(&book.says("Wednesday at three")), json!({ "demo_at": "2026-03-04T15:00" }));
    for text in ["I don't want a demo", "no thanks", "not interested", "no"] {
        assert_eq!(gone(&book.says(text)), Some("declines"), "{text}");
    }
    let read = Scene::new()
        .known("demo_at", "The exact demo time they agreed to", Shape::DateTime, "2026-03-04T15:00")
        .label("declines", "They do not want a demo")
        .read_back("I have: Wednesday, March 4th at 3 PM. Is that right?");
    assert_eq!(notes(&read.says("no, at four")), json!({ "demo_at": "2026-03-04T16:00" }));
    assert_eq!(notes(&read.says("make that Thursday")), json!({ "demo_at": "2026-03-05T15:00" }));
    assert_eq!(read.says("Yes, that is right"), [Move::Confirm(true)]);
    assert_eq!(read.says("no")[0], Move::Confirm(false));
}

#[test]
fn a_question_does_not_lose_the_thread() {
    let answers = Scene::new()
        .persona("You are Maya, an AI assistant calling for Acme Solar. Warm and brief.")
        .prompt("Answer the question in one sentence, then ask if that helps.")
        .tool("faq", "Look something up in `faq` before you answer a question about it.", json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] }))
        .label("helped", "The question is answered")
        .agent("Hi, this is Maya from Acme Solar. Do you have two minutes?");
    let opening = answers.clone().purpose(Purpose::Opening).caller("What panels do you sell?").answer();
    assert_eq!(
        opening,
        [Move::UseTool { name: "faq".into(), args: json!({ "query": "What panels do you sell?" }) }]
    );
    let mut found = answers.clone().purpose(Purpose::AfterTools).caller("What panels do you sell?");
    found.request.history.push(Message::Tools(vec![dgh_engine::reply::ToolExchange {
        id: "1".into(),
        name: "faq".into(),
        arguments: json!({}),
        result: json!([{ "text": "Acme was founded in 1999. We sell glass panels and roof panels. Our office is in Dover.", "source": "faq.pdf" }]),
    }]));
    assert_eq!(said(&found.answer()), "We sell glass panels and roof panels. Does that help?");
    let who = answers.clone().purpose(Purpose::Opening).caller("Who are you people?").answer();
    assert_eq!(said(&who), "I am Maya, an AI assistant calling for Acme Solar. Does that help?");

    let mut without = answers.clone().purpose(Purpose::Opening).caller("What panels do you sell?");
    without.request.card.tools.clear();
    assert_eq!(said(&without.answer()), "I am sorry, I do not know that. Does that help?");

    let back = greet()
        .caller("Who are you people?")
        .agent("I am Maya. Does that help?")
        .caller("Yes")
        .purpose(Purpose::Resume)
        .answer();
    assert_eq!(said(&back), "Do you have two minutes?");
}

#[test]
fn a_promise_is_taken() {
    let plan = Scene::new()
        .prompt("Agree on an amount and a date within 30 days.")
        .missing("amount", "Amount the customer promises to pay", money())
        .missing("pay_on", "Date they promise to pay. Within 30 days.", Shape::Date)
        .label("stop", "They ask us to stop calling")
        .label("lawyer", "They say a lawyer represents them");
    assert_eq!(said(&plan.clone().purpose(Purpose::Opening).answer()), "What amount do you promise to pay?");
    let plan = plan.agent("What amount do you promise to pay?");
    let rows: &[(&str, Json, Option<&str>)] = &[
        ("Two hundred, by the twentieth", json!({ "amount": "200 USD", "pay_on": "2026-03-20" }), None),
        ("fifty on Friday", json!({ "amount": "50 USD", "pay_on": "2026-03-06" }), None),
        (
            "Fine, fifty on Friday, but never call again",
            json!({ "amount": "50 USD", "pay_on": "2026-03-06" }),
            Some("stop"),
        ),
        ("by the end of the month", json!({ "pay_on": "2026-03-31" }), None),
        ("my lawyer will call you", json!({}), Some("lawyer")),
    ];
    check(rows, |(text, values, label)| {
        let moves = plan.says(text);
        (notes(&moves) == *values && gone(&moves) == *label)
            .then_some(())
            .ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
    let read = Scene::new()
        .known("amount", "Amount the customer promises to pay", money(), "200 USD")
        .known("pay_on", "Date they promise to pay. Within 30 days.", Shape::Date, "2026-03-20")
        .read_back("Let me repeat. amount: 200 dollars; pay on: Friday, March 20th. Is that right?");
    assert_eq!(read.says("Yes, correct"), [Move::Confirm(true)]);
    assert_eq!(notes(&read.says("no, 100 dollars")), json!({ "amount": "100 USD" }));
    assert_eq!(notes(&read.says("no, on the 25th")), json!({ "pay_on": "2026-03-25" }));
    assert_eq!(said(&read.says("no")), "Sorry about that. What should I change?");
}

#[test]
fn a_table_is_reserved() {
    let hello = Scene::new()
        .persona("You are Rosa from Trattoria Rosa.")
        .noted("guests", "How many people will come", Shape::Int { min: Some(1), max: Some(12) })
        .noted("at", "When they want to come", Shape::DateTime)
        .label("reserve", "They want to reserve a table")
        .label("cancel", "They want to cancel a reservation")
        .label("hours", "They ask about opening hours")
        .agent("How can I help you?");
    let moves = hello.says("a table for four tomorrow at eight");
    assert_eq!(
        (gone(&moves), notes(&moves)),
        (Some("reserve"), json!({ "guests": 4, "at": "2026-03-02T20:00" }))
    );
    assert_eq!(gone(&hello.says("I need to cancel my reservation")), Some("cancel"));
    assert_eq!(gone(&hello.says("when are you open?")), Some("hours"));
    assert_eq!(gone(&hello.says("do you have a table free tonight?")), Some("reserve"));

    let rate = Scene::new()
        .missing(
            "rating",
            "How they rate their stay, from one to five",
            Shape::Int { min: Some(1), max: Some(5) },
        )
        .missing("nights", "Number of nights they stayed", Shape::Int { min: None, max: None })
        .missing("again", "Whether they would come again", Shape::Bool)
        .agent("How do you rate your stay, from one to five?");
    assert_eq!(notes(&rate.says("five out of five")), json!({ "rating": 5 }));
    assert_eq!(notes(&rate.says("4, and I stayed for three nights")), json!({ "rating": 4, "nights": 3 }));

    let address = Scene::new()
        .missing("address", "The e-mail address, as they spell it", Shape::Email)
        .label_like(
            "refuses",
            "They do not want to give an e-mail address",
            &["I'd rather not", "I don't have one"],
            &[],
        )
        .agent("What is your e-mail address?");
    assert_eq!(
        address.says("ann.lee@example.com"),
        [Move::Note(json!({ "address": "ann.lee@example.com" }).as_object().unwrap().clone())]
    );
    assert_eq!(gone(&address.says("I don't have one")), Some("refuses"));
}

#[test]
fn a_known_value_changes_only_when_the_caller_says_so() {
    let scene = Scene::new()
        .missing("length", "How long they want to save", Shape::Duration)
        .known("plan", "The plan they are interested in", cases(&["basic", "plus", "family_pack"]), "plus")
        .known("birth", "Their date of birth", Shape::Date, "1988-05-04")
        .agent("How long do you want to save?");
    let rows: &[(&str, Json)] = &[
        ("two years", json!({ "length": "17520h" })),
        ("I would like the family pack, for two years", json!({ "plan": "family_pack", "length": "17520h" })),
        ("a basic answer: two years", json!({ "length": "17520h" })),
        ("is the family pack cheaper?", json!({})),
        ("actually basic", json!({ "plan": "basic" })),
        ("sorry, I was born on the fifth of May", json!({ "birth": "1988-05-05" })),
    ];
    check(rows, |(text, values)| {
        let moves = scene.says(text);
        (notes(&moves) == *values).then_some(()).ok_or_else(|| format!("  {text:?}: {moves:?}"))
    });
}
