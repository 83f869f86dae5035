//! Values of every shape, from one sentence each.

use super::*;

/// What one wanted value becomes.
fn one(shape: &Shape, about: &str, text: &str) -> Json {
    let scene = Scene::new().missing("value", about, shape.clone()).agent("And the value?");
    notes(&scene.says(text)).get("value").cloned().unwrap_or(Json::Null)
}

fn table(shape: &Shape, about: &str, rows: &[(&str, Json)]) {
    check(rows, |(text, expected)| {
        let found = one(shape, about, text);
        (found == *expected).then_some(()).ok_or_else(|| format!("  {text:?}: {found}, not {expected}"))
    });
}

const NOTHING: Json = Json::Null;

#[test]
fn days() {
    table(
        &Shape::Date,
        "Day the caller wants. Today or later.",
        &[
            ("today", json!("2026-03-01")),
            ("Tomorrow, please.", json!("2026-03-02")),
            ("the day after tomorrow", json!("2026-03-03")),
            ("next Thursday", json!("2026-03-05")),
            ("Thursday", json!("2026-03-05")),
            ("on monday", json!("2026-03-02")),
            ("Sunday", json!("2026-03-08")),
            ("this Sunday", json!("2026-03-01")),
            ("Friday next week", json!("2026-03-06")),
            ("a week from Thursday", json!("2026-03-12")),
            ("Thursday in two weeks", json!("2026-03-12")),
            ("the 5th", json!("2026-03-05")),
            ("the fifth", json!("2026-03-05")),
            ("on the twentieth", json!("2026-03-20")),
            ("by the twenty second", json!("2026-03-22")),
            ("the 1st of next month", json!("2026-04-01")),
            ("at the end of the month", json!("2026-03-31")),
            ("March 5", json!("2026-03-05")),
            ("March the fifth", json!("2026-03-05")),
            ("5th of March", json!("2026-03-05")),
            ("5 march 2027", json!("2027-03-05")),
            ("January 7", json!("2027-01-07")),
            ("may 4", json!("2026-05-04")),
            ("the fourth of May", json!("2026-05-04")),
            ("Monday the 9th", json!("2026-03-09")),
            ("Monday, March 9th", json!("2026-03-09")),
            ("3/5", json!("2026-03-05")),
            ("3/5/2027", json!("2027-03-05")),
            ("12/24/26", json!("2026-12-24")),
            ("24.12.2026", json!("2026-12-24")),
            ("2026-03-05", json!("2026-03-05")),
            ("in two weeks", json!("2026-03-15")),
            ("in 3 days", json!("2026-03-04")),
            ("ten days from now", json!("2026-03-11")),
            ("a week from tomorrow", json!("2026-03-09")),
            ("in a month", json!("2026-04-01")),
            ("make that Thursday", json!("2026-03-05")),
            ("not Monday, Tuesday", json!("2026-03-03")),
            ("Monday, no, wait, Tuesday", json!("2026-03-03")),
            ("Tuesday instead of Monday", json!("2026-03-03")),
            ("Monday doesn't work, Wednesday does", json!("2026-03-04")),
            ("I can't do Monday but Tuesday is fine", json!("2026-03-03")),
            ("how about friday?", json!("2026-03-06")),
            ("do you have anything on Thursday?", json!("2026-03-05")),
            ("tommorow", json!("2026-03-02")),
            // Traps.
            ("I may come by", NOTHING),
            ("may I ask something", NOTHING),
            ("we march on", NOTHING),
            ("one second please", NOTHING),
            ("the second one", NOTHING),
            ("in a second", NOTHING),
            ("next week", NOTHING),
            ("February 30", NOTHING),
            ("my number is 415-555-0100", NOTHING),
            ("9-5", NOTHING),
            ("I sat down", NOTHING),
        ],
    );
}

#[test]
fn days_that_lie_behind() {
    table(
        &Shape::Date,
        "Date of birth of the patient",
        &[
            ("May 4, 1988", json!("1988-05-04")),
            ("the fourth of May nineteen eighty eight", json!("1988-05-04")),
            ("5/4/88", json!("1988-05-04")),
            ("December 24 1999", json!("1999-12-24")),
            ("January first two thousand five", json!("2005-01-01")),
        ],
    );
    table(
        &Shape::Date,
        "The day the accident happened",
        &[
            ("December 24", json!("2025-12-24")),
            ("three days ago", json!("2026-02-26")),
            ("yesterday", json!("2026-02-28")),
        ],
    );
}

#[test]
fn days_in_other_countries_start_with_the_day() {
    let scene = Scene::new().language("en-GB").missing("day", "", Shape::Date);
    assert_eq!(notes(&scene.says("3/5")), json!({ "day": "2026-05-03" }));
    assert_eq!(notes(&scene.says("3/25")), json!({ "day": "2026-03-25" }));
}

#[test]
fn times_of_day() {
    table(
        &Shape::Time,
        "When to call",
        &[
            ("half past nine", json!("09:30")),
            ("at three", json!("15:00")),
            ("three", json!("15:00")),
            ("noon", json!("12:00")),
            ("3pm", json!("15:00")),
            ("3 p.m.", json!("15:00")),
            ("3 am", json!("03:00")),
            ("quarter to ten", json!("09:45")),
            ("a quarter past four", json!("16:15")),
            ("ten past nine", json!("09:10")),
            ("twenty to five", json!("16:40")),
            ("9:30", json!("09:30")),
            ("17:45", json!("17:45")),
            ("09:05", json!("09:05")),
            ("nine thirty", json!("09:30")),
            ("eleven oh five", json!("11:05")),
            ("nine o'clock", json!("09:00")),
            ("seven in the evening", json!("19:00")),
            ("at 8 in the morning", json!("08:00")),
            ("in half an hour", json!("10:30")),
            ("midnight", json!("00:00")),
            ("around two", json!("14:00")),
            ("twelve", json!("12:00")),
            ("make it four instead of three", json!("16:00")),
            ("half nine", json!("09:30")),
            // Traps.
            ("the second one", NOTHING),
            ("no idea", NOTHING),
            ("May 5", NOTHING),
        ],
    );
}

#[test]
fn moments() {
    table(
        &Shape::DateTime,
        "The exact demo time they agreed to, in their time zone.",
        &[
            ("Wednesday at three", json!("2026-03-04T15:00")),
            ("tomorrow at noon", json!("2026-03-02T12:00")),
            ("tomorrow morning at 9", json!("2026-03-02T09:00")),
            ("at half past two on Friday", json!("2026-03-06T14:30")),
            ("March 5, 3:30 pm", json!("2026-03-05T15:30")),
            ("3pm on the 5th", json!("2026-03-05T15:00")),
            ("2026-03-04T15:00", json!("2026-03-04T15:00")),
            ("at eleven", json!("2026-03-01T11:00")),
            ("nine o'clock", json!("2026-03-02T09:00")),
            ("Wednesday 3pm suits me", json!("2026-03-04T15:00")),
            ("tonight at eight", json!("2026-03-01T20:00")),
            ("in two hours", json!("2026-03-01T12:00")),
            ("Wednesday", NOTHING),
            ("sometime", NOTHING),
        ],
    );
}

#[test]
fn half_a_moment_is_completed_by_the_next_turn() {
    let scene = Scene::new()
        .missing("demo_at", "The exact demo time they agreed to", Shape::DateTime)
        .agent("What day and time would you like for the demo?");
    let moves = scene.says("Wednesday would be good");
    assert_eq!(moves, [Move::Say("What time on Wednesday, March 4th?".into())]);
    let scene = scene.caller("Wednesday would be good").agent(&said(&moves));
    assert_eq!(notes(&scene.says("at three")), json!({ "demo_at": "2026-03-04T15:00" }));
    assert_eq!(notes(&scene.says("three thirty")), json!({ "demo_at": "2026-03-04T15:30" }));
}

#[test]
fn durations() {
    table(
        &Shape::Duration,
        "How long it takes",
        &[
            ("ten minutes", json!("10min")),
            ("an hour and a half", json!("90min")),
            ("half an hour", json!("30min")),
            ("90 seconds", json!("90s")),
            ("two hours", json!("2h")),
            ("1h30", json!("90min")),
            ("two hours and 15 minutes", json!("135min")),
            ("about 45 mins", json!("45min")),
            ("a couple of hours", json!("2h")),
            ("three days", json!("72h")),
            ("two years", json!("17520h")),
            ("2.5 hours", json!("150min")),
            ("the second one", NOTHING),
        ],
    );
}

#[test]
fn amounts_of_money() {
    table(
        &money(),
        "Yearly budget in US dollars. Upper end if they give a range.",
        &[
            ("About 20 thousand dollars", json!("20000 USD")),
            ("$15k", json!("15000 USD")),
            ("two hundred", json!("200 USD")),
            ("two fifty", json!("250 USD")),
            ("$1,250.50", json!("1250.5 USD")),
            ("fifty bucks", json!("50 USD")),
            ("between 10 and 20 thousand", json!("20000 USD")),
            ("10 to 20k", json!("20000 USD")),
            ("half a million dollars", json!("500000 USD")),
            ("two and a half thousand", json!("2500 USD")),
            ("a hundred and twenty dollars and fifty cents", json!("120.5 USD")),
            ("twenty five hundred", json!("2500 USD")),
            ("20 grand", json!("20000 USD")),
            ("500 euros", NOTHING),
            ("no, I meant 300 dollars", json!("300 USD")),
            ("not 200, 300", json!("300 USD")),
            // Traps.
            ("I don't have a budget", NOTHING),
            ("for four people", NOTHING),
            ("on March 5", NOTHING),
            ("I'm not sure", NOTHING),
        ],
    );
    assert_eq!(one(&money(), "", "500 euros"), json!("500 EUR"));
    assert_eq!(one(&money(), "", "£300"), json!("300 GBP"));
    assert_eq!(one(&Shape::Money { currency: Some("USD".into()) }, "", "200 euros"), NOTHING);
    let pounds = Scene::new().language("en-GB").missing("amount", "Amount to pay", money());
    assert_eq!(notes(&pounds.says("two hundred")), json!({ "amount": "200 GBP" }));
}

#[test]
fn counts_and_numbers() {
    table(
        &Shape::Int { min: Some(1), max: Some(10) },
        "How many people",
        &[
            ("four", json!(4)),
            ("for 4 people", json!(4)),
            ("there will be six of us", json!(6)),
            ("ten", json!(10)),
            ("a couple", json!(2)),
            ("eleven", NOTHING),
            ("0", NOTHING),
            ("2.5", NOTHING),
            ("one moment please", NOTHING),
        ],
    );
    table(
        &Shape::Number,
        "",
        &[
            ("one point five", json!(1.5)),
            ("3.25", json!(3.25)),
            ("minus five", json!(-5)),
            ("twenty-five", json!(25)),
            ("two thousand five hundred", json!(2500)),
            ("a dozen", json!(12)),
            ("1,200", json!(1200)),
            ("three hundred and twenty-one", json!(321)),
        ],
    );
    table(
        &Shape::Int { min: None, max: None },
        "Year of birth the caller says",
        &[
            ("nineteen eighty-eight", json!(1988)),
            ("1988", json!(1988)),
            ("two thousand five", json!(2005)),
            ("twenty oh four", json!(2004)),
        ],
    );
}

#[test]
fn telephone_numbers() {
    table(
        &Shape::Phone,
        "Number to call back on",
        &[
            ("415-555-0100", json!("+14155550100")),
            ("(415) 555 0100", json!("+14155550100")),
            ("It's 415.555.0100.", json!("+14155550100")),
            ("four one five triple five zero one zero zero", json!("+14155550100")),
            ("four one five, five five five, oh one double oh", json!("+14155550100")),
            ("my number is 1 415 555 0100", json!("+14155550100")),
            ("+49 30 1234567", json!("+49301234567")),
            ("plus four four twenty seven nine four six zero nine five eight", json!("+44279460958")),
            ("four fifteen, five fifty five, zero one hundred", json!("+14155550100")),
            ("555 0100", NOTHING),
            ("I have two phones", NOTHING),
        ],
    );
    let british = Scene::new().language("en-GB").missing("phone", "", Shape::Phone);
    assert_eq!(notes(&british.says("020 7946 0958")), json!({ "phone": "+442079460958" }));
}

#[test]
fn addresses_on_the_net() {
    table(
        &Shape::Email,
        "",
        &[
            ("ann@example.com", json!("ann@example.com")),
            ("It's Ann.Lee@Example.com.", json!("ann.lee@example.com")),
            ("ann at example dot com", json!("ann@example.com")),
            ("my email is ann dot lee at example dot co dot uk", json!("ann.lee@example.co.uk")),
            ("a n n at example dot com", json!("ann@example.com")),
            ("ann underscore lee at my dash company dot org", json!("ann_lee@my-company.org")),
            ("I am at home", NOTHING),
            ("ann at example", NOTHING),
        ],
    );
    table(
        &Shape::Url,
        "",
        &[
            ("https://example.com/a?b=1", json!("https://example.com/a?b=1")),
            ("www.example.com", json!("https://www.example.com")),
            ("example dot com", json!("https://example.com")),
            ("it's example dot com slash prices", json!("https://example.com/prices")),
            ("no website", NOTHING),
        ],
    );
}

#[test]
fn digits() {
    table(
        &Shape::Digits { count: 4 },
        "The last four digits",
        &[
            ("1 2 3 4", json!("1234")),
            ("one two three four", json!("1234")),
            ("nineteen eighty eight", json!("1988")),
            ("double oh seven one", json!("0071")),
            ("one two three", NOTHING),
            ("12345", NOTHING),
        ],
    );
}

#[test]
fn cases_of_enums() {
    table(
        &cases(&["checkup", "pain", "cleaning", "other"]),
        "Why they need the visit",
        &[
            ("a cleaning", json!("cleaning")),
            ("I need my teeth cleaned", json!("cleaning")),
            ("check-up", json!("checkup")),
            ("just a check up", json!("checkup")),
            ("a chekup", json!("checkup")),
            ("it hurts", json!("pain")),
            ("I have a terrible toothache", json!("pain")),
            ("something else", json!("other")),
            ("not a cleaning, a checkup", json!("checkup")),
            ("a cleaning, no sorry, a checkup", json!("checkup")),
            ("purple", NOTHING),
        ],
    );
    table(
        &cases(&["now", "this_quarter", "later"]),
        "When they would like to start.",
        &[
            ("now", json!("now")),
            ("we want to start now", json!("now")),
            ("right away", json!("now")),
            ("as soon as possible", json!("now")),
            ("this quarter", json!("this_quarter")),
            ("next year maybe", json!("later")),
            ("no rush", json!("later")),
            ("not now", json!("later")),
            ("later", json!("later")),
        ],
    );
    table(
        &cases(&["sales", "service", "accounts"]),
        "What the call is about",
        &[
            ("I want to buy a saw", json!("sales")),
            ("my saw is broken and I need it fixed", json!("service")),
            ("a question about an invoice", json!("accounts")),
            ("service", json!("service")),
            ("Sales please", json!("sales")),
            ("my invoice is wrong", json!("accounts")),
        ],
    );
}

#[test]
fn yes_and_no() {
    table(
        &Shape::Bool,
        "Whether they have insurance",
        &[
            ("yes", json!(true)),
            ("Yeah, sure", json!(true)),
            ("no problem", json!(true)),
            ("why not", json!(true)),
            ("of course", json!(true)),
            ("uh huh", json!(true)),
            ("I do", json!(true)),
            ("that works for me", json!(true)),
            ("no", json!(false)),
            ("nope", json!(false)),
            ("not really", json!(false)),
            ("I don't think so", json!(false)),
            ("no thanks", json!(false)),
            ("of course not", json!(false)),
            ("yeah, no", json!(false)),
            ("I don't", json!(false)),
            ("I have insurance", json!(true)),
            ("I don't have any insurance", json!(false)),
            ("I'm not sure", NOTHING),
            ("I don't know", NOTHING),
            ("right now?", NOTHING),
            ("maybe", NOTHING),
        ],
    );
}

#[test]
fn entries_of_a_list() {
    let slots = [
        r#"{"id":"s1","at":"2026-03-02T09:00","dentist":"Dr. Wu"}"#,
        r#"{"id":"s2","at":"2026-03-02T11:00","dentist":"Dr. Roy"}"#,
    ];
    table(
        &options(&slots),
        "The offered slot the caller picked",
        &[
            ("the second one", json!(2)),
            ("The first", json!(1)),
            ("number two", json!(2)),
            ("2", json!(2)),
            ("option one", json!(1)),
            ("the last one", json!(2)),
            ("The one at eleven", json!(2)),
            ("eleven", json!(2)),
            ("9 am", json!(1)),
            ("at nine", json!(1)),
            ("Dr. Roy", json!(2)),
            ("the one with doctor wu please", json!(1)),
            ("the earlier one", json!(1)),
            ("the later one", json!(2)),
            ("not the first, the second", json!(2)),
            ("either is fine", json!(1)),
            ("none of these", NOTHING),
            ("one second", NOTHING),
            ("at four", NOTHING),
            ("hmm", NOTHING),
        ],
    );
    table(
        &options(&["Monday 9:00", "Tuesday 9:00", "Tuesday 14:00"]),
        "",
        &[("the third", json!(3)), ("two o'clock", json!(3)), ("the one in the afternoon", json!(3))],
    );
    assert_eq!(one(&options(&[slots[0]]), "", "yes, that works"), json!(1));
}

#[test]
fn names() {
    table(
        &Shape::Text,
        "Full name of the patient",
        &[
            ("I'm Ann Lee", json!("Ann Lee")),
            ("my name is ann lee", json!("Ann Lee")),
            ("This is Ann Lee speaking", json!("Ann Lee")),
            ("Ann Lee", json!("Ann Lee")),
            ("ann lee", json!("Ann Lee")),
            ("It's Jean-Luc Picard.", json!("Jean-Luc Picard")),
            ("Sure, Bob O'Neil", json!("Bob O'Neil")),
            ("I am calling for Ann", json!("Ann")),
            ("I'm in pain", NOTHING),
            ("I'm not sure", NOTHING),
            ("what?", NOTHING),
            ("yes", NOTHING),
            ("hello", NOTHING),
        ],
    );
}

#[test]
fn messages_and_phrases() {
    table(
        &Shape::Text,
        "What to tell the desk",
        &[
            ("Tell them Ann Lee called", json!("Ann Lee called")),
            ("Please tell them that my saw is broken.", json!("My saw is broken")),
            (
                "Ann Lee called about the invoice of March 5",
                json!("Ann Lee called about the invoice of March 5"),
            ),
            ("Could you let them know I will be late tomorrow?", json!("I will be late tomorrow")),
            ("hold on", NOTHING),
            ("yes", NOTHING),
        ],
    );
    table(
        &Shape::Text,
        "Company of the caller, if they say it",
        &[
            ("Larch and Sons", json!("Larch and Sons")),
            ("I'm from Acme", json!("Acme")),
            ("it's Acme Ltd", json!("Acme Ltd")),
        ],
    );
}

#[test]
fn lists_and_records() {
    assert_eq!(
        one(&Shape::List { of: Box::new(Shape::Date) }, "Days that suit", "Monday, Tuesday and the 12th"),
        json!(["2026-03-02", "2026-03-03", "2026-03-12"])
    );
    assert_eq!(
        one(&Shape::List { of: Box::new(cases(&["red", "green", "blue"])) }, "", "red and blue"),
        json!(["red", "blue"])
    );
    let slot = Shape::Record {
        fields: vec![("day".into(), Shape::Date, false), ("time".into(), Shape::Time, true)],
    };
    assert_eq!(one(&slot, "", "Friday at three"), json!({ "day": "2026-03-06", "time": "15:00" }));
    assert_eq!(one(&slot, "", "Friday"), json!({ "day": "2026-03-06" }));
    assert_eq!(one(&slot, "", "at three"), NOTHING);
}

#[test]
fn an_optional_value_may_be_declined() {
    let scene = Scene::new()
        .optional("customer", "Company of the caller", Shape::Text)
        .agent("What is your company?");
    for text in ["I'd rather not say", "skip that", "no", "I don't have one", "none of your business"] {
        assert_eq!(notes(&scene.says(text)), json!({ "customer": "declined" }), "{text}");
    }
    let needed =
        Scene::new().missing("day", "Day the caller wants", Shape::Date).agent("What day do you want?");
    let moves = needed.says("I'd rather not say");
    assert_eq!(said(&moves), "I am afraid I need that to go on. What day would you like?");
}
