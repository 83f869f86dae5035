#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use indexmap::IndexMap;
use serde_json::json;

use super::*;
use crate::fixture::*;
use crate::types::Type;
use crate::{CmpOp, Origin, PhraseId, RecordId, shape};

fn say_as(value: Value, kind: Kind, format: Option<Format>, language: &'static str) -> String {
    let mut world = World::new(&[("x", Some(value))]);
    world.language = language;
    let text = template(vec![Err((slot(0, Type::of(kind)), format))]);
    render(&types(), &text, &world, Purpose::Speech).unwrap().text
}

fn say(value: Value, kind: Kind) -> String {
    say_as(value, kind, None, "en-US")
}

fn day(text: &str) -> Value {
    Value::Date(shape::date(text).unwrap())
}

fn time(text: &str) -> Value {
    Value::Time(shape::time(text).unwrap())
}

fn moment(text: &str) -> Value {
    Value::DateTime(at(text))
}

#[test]
fn a_spoken_date_has_its_year_only_when_it_is_another() {
    assert_eq!(say(day("2026-03-05"), Kind::Date), "Thursday, March 5th");
    assert_eq!(say(day("2027-03-05"), Kind::Date), "Friday, March 5, 2027");
    let written = |d: &str| say_as(day(d), Kind::Date, Some(Format::Date), "en");
    assert_eq!(written("2026-03-05"), "Thursday, March 5, 2026");
    for (date, end) in [("01", "1st"), ("02", "2nd"), ("03", "3rd"), ("11", "11th"), ("22", "22nd")] {
        assert!(say(day(&format!("2026-03-{date}")), Kind::Date).ends_with(end), "{date}");
    }
}

#[test]
fn a_spoken_time_is_that_of_a_clock_on_the_wall() {
    for (at, spoken) in [
        ("11:00", "11 AM"),
        ("11:30", "11:30 AM"),
        ("0:00", "midnight"),
        ("0:05", "12:05 AM"),
        ("12:00", "noon"),
        ("12:30", "12:30 PM"),
        ("23:59", "11:59 PM"),
    ] {
        assert_eq!(say(time(at), Kind::Time), spoken);
    }
    assert_eq!(say(moment("2026-03-05T11:00"), Kind::DateTime), "Thursday, March 5th at 11 AM");
    let only = |format| say_as(moment("2026-03-05T11:00"), Kind::DateTime, Some(format), "en");
    assert_eq!(only(Format::Time), "11 AM");
    assert_eq!(only(Format::Date), "Thursday, March 5, 2026");
    assert_eq!(only(Format::Iso), "2026-03-05T11:00");
}

#[test]
fn spoken_money_has_words() {
    for (amount, spoken) in [
        ("420", "420 dollars"),
        ("1", "1 dollar"),
        ("1.5", "1 dollar and 50 cents"),
        ("0.01", "1 cent"),
        ("0", "0 dollars"),
        ("-5.25", "minus 5 dollars and 25 cents"),
        ("-0.001", "0 dollars"),
        ("12000", "12,000 dollars"),
        ("2.999", "3 dollars"),
    ] {
        assert_eq!(say(usd(amount), Kind::Money(None)), spoken, "{amount}");
    }
    assert_eq!(say(eur("2.20"), Kind::Money(None)), "2 euros and 20 cents");
    let other = |code: &[u8; 3], amount: &str| {
        say(Value::Money(dec(amount), crate::Currency(*code)), Kind::Money(None))
    };
    assert_eq!(other(b"JPY", "1200.4"), "1200 yen");
    assert_eq!(other(b"GBP", "0.01"), "1 penny");
    assert_eq!(other(b"ISK", "70"), "70 ISK");
    assert_eq!(other(b"ISK", "70.5"), "70.50 ISK");
    assert_eq!(say_as(usd("1.50"), Kind::Money(None), Some(Format::Iso), "en"), "1.5 USD");
}

#[test]
fn digits_are_said_one_by_one_and_written_in_groups() {
    assert_eq!(say(text("+14155550100"), Kind::Phone), "4 1 5, 5 5 5, 0 1 0 0");
    assert_eq!(say(text("+442079460018"), Kind::Phone), "plus 4 4 2, 0 7 9, 4 6 0, 0 1 8");
    assert_eq!(say(text("0419"), Kind::Digits(4)), "0 4 1 9");
    assert_eq!(say_as(Value::Int(1988), Kind::Int, Some(Format::Digits), "en"), "1 9 8 8");
    assert_eq!(say(text("a.lee@example.com"), Kind::Email), "a dot lee at example dot com");
    let world = World::new(&[("x", Some(text("+14155550100"))), ("y", Some(text("a@b.de")))]);
    let words = template(vec![
        Err((slot(0, Type::of(Kind::Phone)), None)),
        Ok(" "),
        Err((slot(1, Type::of(Kind::Email)), None)),
    ]);
    let written = render(&types(), &words, &world, Purpose::Writing).unwrap();
    assert_eq!(written.text, "415 555 0100 a@b.de");
}

#[test]
fn durations_numbers_cases_and_lists_read_as_words() {
    for (ms, spoken) in [
        (90_000, "1 minute and 30 seconds"),
        (3_600_000, "1 hour"),
        (93_784_000, "1 day, 2 hours, 3 minutes and 4 seconds"),
        (700, "0.7 seconds"),
        (0, "0 seconds"),
        (-60_000, "minus 1 minute"),
    ] {
        assert_eq!(say(Value::Duration(ms), Kind::Duration), spoken);
    }
    assert!(say(Value::Duration(i64::MIN), Kind::Duration).starts_with("minus "));
    assert_eq!(say(Value::Number(dec("3.50")), Kind::Number), "3.5");
    assert_eq!(say(Value::Int(-12_345), Kind::Int), "minus 12,345");
    assert_eq!(say(Value::Case("root_canal".into()), Kind::Enum(crate::EnumId(0))), "root canal");
    assert_eq!(say(Value::Bool(true), Kind::Bool), "yes");
    let list = Kind::List(Box::new(Type::of(Kind::Text)));
    let names = |n: usize| Value::List(["Ann", "Bo", "Cy"][..n].iter().map(|t| text(t)).collect());
    assert_eq!(say(names(3), list.clone()), "Ann, Bo and Cy");
    assert_eq!(say(names(1), list.clone()), "Ann");
    assert_eq!(say(names(0), list), "");
}

#[test]
fn other_languages_have_their_own_words_or_none() {
    let at = || moment("2026-03-05T11:30");
    let spoken = |value: Value, kind: Kind, language| say_as(value, kind, None, language);
    assert_eq!(spoken(at(), Kind::DateTime, "es-MX"), "jueves 5 de marzo a las 11:30");
    let one = moment("2026-03-05T01:30");
    assert_eq!(spoken(one, Kind::DateTime, "es"), "jueves 5 de marzo a la 1:30");
    assert_eq!(spoken(at(), Kind::DateTime, "de"), "Donnerstag, 5. März um 11 Uhr 30");
    assert_eq!(spoken(day("2027-03-01"), Kind::Date, "fr"), "lundi 1er mars 2027");
    assert_eq!(spoken(usd("1.50"), Kind::Money(None), "es"), "1 dólar y 50 centavos");
    assert_eq!(spoken(Value::Number(dec("3.5")), Kind::Number, "de"), "3,5");
    assert_eq!(spoken(at(), Kind::DateTime, "pl"), "5.3., 11:30");
    assert_eq!(spoken(usd("1.50"), Kind::Money(None), "pl"), "1.50 USD");
    assert_eq!(spoken(Value::Duration(5_400_000), Kind::Duration, "pl"), "1 h 30 min");
    assert_eq!(spoken(text("+48221234567"), Kind::Phone, "pl"), "+4 8 2, 2 1 2, 3 4 5, 6 7");
}

#[test]
fn a_model_reads_exact_values_and_records_as_json() {
    let slots = Value::List(vec![record(&[
        ("id", text("s1")),
        ("at", moment("2026-03-05T11:00")),
        ("pin", text("1234")),
    ])]);
    let world = World::new(&[("slots", Some(slots)), ("day", Some(day("2026-03-05")))]);
    let list = Type::of(Kind::List(Box::new(Type::of(Kind::Record(RecordId(0))))));
    let prompt = template(vec![
        Ok("On "),
        Err((slot(1, Type::of(Kind::Date)), None)),
        Ok(": "),
        Err((slot(0, list.clone()), None)),
    ]);
    let rendered = render(&types(), &prompt, &world, Purpose::Prompt).unwrap();
    assert_eq!(
        rendered.text,
        r#"On 2026-03-05 (Thursday): [{"id":"s1","at":"2026-03-05T11:00:00","pin":"[pin]"}]"#
    );
    assert_eq!(rendered.masked, rendered.text);
    assert_eq!(rendered.muted, []);
    let error = render(&types(), &prompt, &world, Purpose::Speech).unwrap_err();
    assert_eq!(error, EvalError::NoText("a record"));
    let open = template(vec![Err((reveal(slot(0, list)), None))]);
    let rendered = render(&types(), &open, &world, Purpose::Prompt).unwrap();
    assert!(rendered.text.contains("1234"));
    assert_eq!(rendered.masked, "[slots]");
}

#[test]
fn a_revealed_value_is_spoken_masked_and_muted() {
    let world = World::new(&[("balance", Some(usd("420"))), ("name", Some(text("Zoë")))]);
    let balance = || slot(0, Type::of(Kind::Money(None)).with_private(true));
    let words = |expr| {
        let name = slot(1, Type::of(Kind::Text));
        template(vec![Err((name, None)), Ok(", you owe "), Err((expr, Some(Format::Spoken))), Ok(".")])
    };
    let open = render(&types(), &words(reveal(balance())), &world, Purpose::Speech).unwrap();
    assert_eq!(open.text, "Zoë, you owe 420 dollars.");
    assert_eq!(open.masked, "Zoë, you owe [balance].");
    assert_eq!(open.muted, [(14, 25)]);
    assert_eq!(&open.text[14..25], "420 dollars");

    let shut = render(&types(), &words(balance()), &world, Purpose::Speech).unwrap();
    assert_eq!(shut.text, "Zoë, you owe [balance].");
    assert_eq!(shut.muted, []);
    let sent = render(&types(), &words(balance()), &world, Purpose::Request).unwrap();
    assert_eq!(sent.text, "Zoë, you owe 420 dollars.");
    assert_eq!(sent.masked, "Zoë, you owe [balance].");
}

#[test]
fn a_private_part_is_found_inside_any_expression() {
    let world =
        World::new(&[("pin", Some(text("1234"))), ("customer", Some(record(&[("pin", text("99"))])))]);
    let pin = || slot(0, Type::of(Kind::Text).with_private(true));
    let or = |x: Expr| {
        let otherwise = lit(text("none"));
        expr(ExprKind::Coalesce(Box::new(x), Box::new(otherwise)), Type::of(Kind::Text))
    };
    let nested = template(vec![Ok("pin "), Err((or(pin()), None))]);
    let nested = expr(ExprKind::Template(nested), Type::of(Kind::Text));
    let outer = template(vec![Ok("the "), Err((or(nested), None))]);
    let rendered = render(&types(), &outer, &world, Purpose::Speech).unwrap();
    assert_eq!(rendered.text, "the pin [pin]");
    // Plainly written on its own, and by comparison: the condition's words would tell.
    let arms = vec![crate::MatchArm { pattern: lit(text("1234")), value: lit(text("yes")) }];
    let choice =
        expr(ExprKind::Match { subject: Box::new(pin()), arms, otherwise: None }, Type::of(Kind::Text));
    let words = template(vec![Err((choice, None))]);
    assert_eq!(render(&types(), &words, &world, Purpose::Speech).unwrap().text, "[pin]");
    let of =
        field(slot(1, Type::of(Kind::Record(RecordId(0)))), "pin", Type::of(Kind::Text).with_private(true));
    let words = template(vec![Err((reveal(of), None))]);
    let rendered = render(&types(), &words, &world, Purpose::Speech).unwrap();
    assert_eq!((rendered.text.as_str(), rendered.masked.as_str()), ("99", "[pin]"));
}

#[test]
fn a_list_of_private_values_is_private() {
    let world = World::new(&[("pins", Some(Value::List(vec![text("1234")])))]);
    let list = Type::of(Kind::List(Box::new(Type::of(Kind::Text).with_private(true))));
    let words = template(vec![Err((slot(0, list.clone()), None))]);
    for purpose in [Purpose::Speech, Purpose::Writing, Purpose::Prompt] {
        assert_eq!(render(&types(), &words, &world, purpose).unwrap().text, "[pins]");
    }
    let pins = Value::List(vec![text("1234")]);
    assert_eq!(mask::shown(&types(), &list, "pins", &pins), "[pins]");
}

#[test]
fn a_body_is_sent_whole_and_recorded_masked() {
    let world = World::new(&[
        ("account", Some(text("A9"))),
        ("note", None),
        ("slot", Some(record(&[("id", text("s1")), ("pin", text("1234"))]))),
    ]);
    let account = || slot(0, Type::of(Kind::Text).with_private(true));
    let words = template(vec![Ok("no "), Err((account(), None))]);
    let body = expr(
        ExprKind::Record(vec![
            ("account".into(), reveal(account())),
            ("raw".into(), account()),
            ("text".into(), expr(ExprKind::Template(words), Type::of(Kind::Text))),
            (
                "note".into(),
                expr(
                    ExprKind::Maybe(Box::new(slot(1, Type::of(Kind::Text)))),
                    Type::of(Kind::Text).optional(),
                ),
            ),
            ("slot".into(), slot(2, Type::of(Kind::Record(RecordId(0))))),
            ("list".into(), expr(ExprKind::List(vec![lit(Value::Int(1)), account()]), Type::of(Kind::Json))),
        ]),
        Type::of(Kind::Json),
    );
    let rendered = render_json(&types(), &body, &world).unwrap().unwrap();
    assert_eq!(
        rendered.json,
        json!({"account": "A9", "raw": "A9", "text": "no A9", "slot": {"id": "s1", "pin": "1234"},
            "list": [1, "A9"]})
    );
    assert_eq!(
        rendered.masked,
        json!({"account": "[account]", "raw": "[account]", "text": "no [account]",
            "slot": {"id": "s1", "pin": "[pin]"}, "list": [1, "[account]"]})
    );
}

#[test]
fn a_record_is_shown_with_its_private_fields_masked() {
    let program = types();
    let slot = Type::of(Kind::Record(RecordId(0)));
    let value = record(&[("id", text("s1")), ("pin", text("1234"))]);
    assert_eq!(mask::shown(&program, &slot, "choice", &value), r#"{"id":"s1","pin":"[pin]"}"#);
    let private = slot.clone().with_private(true);
    assert_eq!(mask::shown(&program, &private, "choice", &value), "[choice]");
    let money = Type::of(Kind::Money(None));
    assert_eq!(mask::shown(&program, &money, "budget", &usd("20")), "20 USD");
    let undeclared = json!({"id": "s1", "ssn": "078-05-1120"});
    assert_eq!(mask::mask_json(&program, &slot, "x", &undeclared), json!({"id": "s1"}));
}

#[test]
fn a_phrase_speaks_the_language_of_the_call() {
    let mut program = types();
    let texts: IndexMap<_, _> =
        [("en", "Hello"), ("es", "Hola")].map(|(tag, text)| (tag.to_owned(), Template::text(text))).into();
    program.phrases.push(Phrase { name: "welcome".into(), texts, origin: Origin::NONE });
    let welcome = expr(ExprKind::Phrase(PhraseId(0)), Type::of(Kind::Text));
    for (language, words) in [("en", "Hello"), ("es-MX", "Hola"), ("fr", "Hello")] {
        let mut world = World::new(&[]);
        world.language = language;
        let rendered = render_expr(&program, &welcome, None, &world, Purpose::Speech).unwrap();
        assert_eq!(rendered.text, words, "{language}");
        assert_eq!(crate::eval(&program, &welcome, &world), Ok(text(words)));
    }
}

#[test]
fn a_missing_value_has_no_text() {
    let world = World::new(&[("x", None)]);
    let words = template(vec![Err((slot(0, Type::of(Kind::Text)), None))]);
    let error = render(&types(), &words, &world, Purpose::Speech).unwrap_err();
    assert_eq!(error, EvalError::Missing("x".into()));
}

#[test]
fn texts_nested_to_the_limit_fit_the_stack() {
    let mut deep = lit(text("x"));
    for _ in 0..crate::MAX_EXPR_DEPTH * 2 {
        let inner = template(vec![Ok("a"), Err((deep, None))]);
        let inner = expr(ExprKind::Template(inner), Type::of(Kind::Text));
        let same = cmp(CmpOp::Eq, inner, lit(text("y")));
        deep = expr(
            ExprKind::Match {
                subject: Box::new(same),
                arms: vec![],
                otherwise: Some(Box::new(lit(text("x")))),
            },
            Type::of(Kind::Text),
        );
    }
    let words = template(vec![Err((deep, None))]);
    let error = render(&types(), &words, &World::new(&[]), Purpose::Speech).unwrap_err();
    assert_eq!(error, EvalError::TooDeep);
}
