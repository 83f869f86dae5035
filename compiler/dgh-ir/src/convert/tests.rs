#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use chrono_tz::Tz;
use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::*;
use crate::program::{EnumId, RecordId};
use crate::types::{Kind, Type};
use crate::value::{Currency, Value};

const BERLIN: Tz = Tz::Europe__Berlin;

fn read(kind: Kind, json: Json) -> Result<Value, String> {
    from_json(&types(), &Type::of(kind), &json, BERLIN).map_err(|error| error.to_string())
}

#[test]
fn datetimes_with_an_offset_move_into_the_agents_zone() {
    let expected = Ok(Value::DateTime(at("2026-03-05T11:30")));
    for text in [
        "2026-03-05T11:30",
        "2026-03-05 11:30",
        "2026-03-05T11:30:00",
        "2026-03-05T10:30:00Z",
        "2026-03-05T10:30Z",
        "2026-03-05T02:30:00-08:00",
        "2026-03-05T02:30:00.000-0800",
        "2026-03-05T11:30:00.000",
    ] {
        assert_eq!(read(Kind::DateTime, json!(text)), expected, "{text}");
    }
    // The night the clocks go forward: 01:30 UTC is 03:30 in Berlin, not 02:30.
    let summer = read(Kind::DateTime, json!("2026-03-29T01:30:00Z"));
    assert_eq!(summer, Ok(Value::DateTime(at("2026-03-29T03:30"))));
    assert!(read(Kind::DateTime, json!("2026-03-05")).is_err());
    assert_eq!(
        read(Kind::DateTime, json!("tomorrow")).unwrap_err(),
        "expected a date with a time, like 2026-03-01T09:30, found the text \"tomorrow\""
    );
}

#[test]
fn dates_and_times_exist() {
    assert!(read(Kind::Date, json!("2026-02-28")).is_ok());
    for wrong in ["2026-02-29", "2026-2-8", "28.02.2026", "2026-02-28T10:00", ""] {
        assert!(read(Kind::Date, json!(wrong)).is_err(), "{wrong}");
    }
    let half_past_nine = read(Kind::Time, json!("21:30"));
    for text in ["9:30 PM", "9:30 p.m.", "21:30:00"] {
        assert_eq!(read(Kind::Time, json!(text)), half_past_nine, "{text}");
    }
    assert_eq!(read(Kind::Time, json!("12 AM")), read(Kind::Time, json!("0:00")));
    for wrong in ["24:00", "9:60", "13 PM", "9", "nine", "9:3a"] {
        assert!(read(Kind::Time, json!(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn durations_are_seconds_or_have_units() {
    for (json, ms) in [
        (json!(90), 90_000),
        (json!(1.5), 1_500),
        (json!("90s"), 90_000),
        (json!("1h 30min"), 5_400_000),
        (json!("700ms"), 700),
        (json!("PT1H30M"), 5_400_000),
        (json!("P1DT0.5S"), 86_400_500),
    ] {
        assert_eq!(read(Kind::Duration, json.clone()), Ok(Value::Duration(ms)), "{json}");
    }
    for wrong in ["", "P", "PT", "5 fortnights", "h", "99999999999999999999d"] {
        assert!(read(Kind::Duration, json!(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn money_has_a_currency_or_a_type_that_fixes_it() {
    let dollars = Kind::Money(Some(Currency(*b"USD")));
    for json in [
        json!({"amount": 20.5, "currency": "USD"}),
        json!({"amount": "20.50", "currency": "usd"}),
        json!("20.50 USD"),
        json!("USD 20.5"),
    ] {
        assert_eq!(read(Kind::Money(None), json.clone()), Ok(usd("20.5")), "{json}");
        assert_eq!(read(dollars.clone(), json.clone()), Ok(usd("20.5")), "{json}");
    }
    assert_eq!(read(dollars.clone(), json!(20.5)), Ok(usd("20.5")));
    assert_eq!(read(dollars.clone(), json!("1,200.50")), Ok(usd("1200.50")));
    assert!(read(Kind::Money(None), json!(20.5)).is_err());
    assert!(read(dollars.clone(), json!("20 EUR")).is_err());
    assert!(read(dollars, json!("1,2 USD")).is_err());
}

#[test]
fn phone_numbers_become_e164() {
    for text in ["+14155550100", "+1 (415) 555-0100", "0014155550100"] {
        assert_eq!(read(Kind::Phone, json!(text)), Ok(crate::fixture::text("+14155550100")), "{text}");
    }
    for wrong in ["4155550100", "+0155550100", "+123", "+1415555010012345", "+1415x", ""] {
        assert!(read(Kind::Phone, json!(wrong)).is_err(), "{wrong}");
    }
    let national = |text: &str, language: &str| {
        from_text(&types(), &Type::of(Kind::Phone), text, Locale::new("UTC", language)).ok()
    };
    let phone = |number: &str| Some(crate::fixture::text(number));
    assert_eq!(national("4155550100", "en"), phone("+14155550100"));
    assert_eq!(national("14155550100", "es-US"), phone("+14155550100"));
    assert_eq!(national("415555010", "en-US"), None);
    assert_eq!(national("030 1234567", "de"), phone("+49301234567"));
    assert_eq!(national("020 7946 0018", "en-GB"), phone("+442079460018"));
    assert_eq!(national("612 345 678", "es"), phone("+34612345678"));
    assert_eq!(national("4155550100", "eo"), None);
}

#[test]
fn texts_of_a_shape_have_it() {
    assert!(read(Kind::Email, json!("ann@example.com")).is_ok());
    for wrong in ["ann", "ann@", "@example.com", "ann@example", "a b@example.com", "a@-x.com", "a@b@c.de"] {
        assert!(read(Kind::Email, json!(wrong)).is_err(), "{wrong}");
    }
    assert!(read(Kind::Url, json!("https://example.com/a?b=c")).is_ok());
    for wrong in ["example.com", "https://", "ftp://example.com", "https://a b"] {
        assert!(read(Kind::Url, json!(wrong)).is_err(), "{wrong}");
    }
    assert_eq!(read(Kind::Digits(4), json!("19-88")), Ok(text("1988")));
    assert_eq!(read(Kind::Digits(4), json!(1988)), Ok(text("1988")));
    assert!(read(Kind::Digits(4), json!("198")).is_err());
}

#[test]
fn numbers_may_stand_in_quotes() {
    assert_eq!(read(Kind::Int, json!("42")), Ok(Value::Int(42)));
    assert_eq!(read(Kind::Int, json!(42.0)), Ok(Value::Int(42)));
    assert_eq!(read(Kind::Number, json!(0.1)), Ok(Value::Number(dec("0.1"))));
    assert_eq!(read(Kind::Text, json!(42)), Ok(text("42")));
    assert!(read(Kind::Int, json!(42.5)).is_err());
    assert!(read(Kind::Int, json!(1e300)).is_err());
    assert!(read(Kind::Number, json!(1e300)).is_err());
    assert_eq!(read(Kind::IntRange(1, 5), json!(5)), Ok(Value::Int(5)));
    let error = read(Kind::IntRange(1, 5), json!(6)).unwrap_err();
    assert_eq!(error, "expected a whole number from 1 to 5, found the number 6");
}

#[test]
fn cases_are_found_in_spite_of_capitals_and_spaces() {
    let case = Ok(Value::Case("root_canal".into()));
    assert_eq!(read(Kind::Enum(EnumId(0)), json!("root_canal")), case);
    assert_eq!(read(Kind::Enum(EnumId(0)), json!("Root canal")), case);
    let error = read(Kind::Enum(EnumId(0)), json!("filling")).unwrap_err();
    assert_eq!(error, "expected one of checkup, root_canal, found the text \"filling\"");
}

#[test]
fn an_error_says_where_and_hides_what_is_private() {
    let list = Type::of(Kind::List(Box::new(Type::of(Kind::Record(RecordId(0))))));
    let good = json!({"id": "s1", "at": "2026-03-05T11:00", "extra": 1});
    let read = |second: Json| from_json(&types(), &list, &json!([good, second]), BERLIN);
    assert_eq!(
        read(json!({"id": "s2"})).unwrap_err().to_string(),
        "[1].at: expected a date with a time, like 2026-03-01T09:30, found nothing"
    );
    let private = read(json!({"id": "s2", "at": "2026-03-05T11:00", "pin": ["1234"]})).unwrap_err();
    assert_eq!(private.path, "[1].pin");
    let secret = from_json(&types(), &Type::of(Kind::Int).with_private(true), &json!("1234x"), BERLIN);
    assert_eq!(secret.unwrap_err().to_string(), "expected a whole number, found a text");
    assert_eq!(
        from_json(&types(), &list, &json!([good]), BERLIN),
        Ok(Value::List(vec![record(&[("id", text("s1")), ("at", Value::DateTime(at("2026-03-05T11:00")))])]))
    );
}

#[test]
fn what_is_written_can_be_read() {
    let program = types();
    for (kind, value) in [
        (Kind::Bool, Value::Bool(true)),
        (Kind::Int, Value::Int(-7)),
        (Kind::Number, Value::Number(dec("0.1"))),
        (Kind::Number, Value::Number(dec("12345678901234567890.123456"))),
        (Kind::Money(None), usd("420.50")),
        (Kind::Date, Value::Date(at("2026-03-05T00:00").date())),
        (Kind::Time, Value::Time(at("2026-03-05T09:30").time())),
        (Kind::DateTime, Value::DateTime(at("2026-03-05T09:30:15.250"))),
        (Kind::Duration, Value::Duration(1_500)),
        (Kind::Duration, Value::Duration(i64::MAX)),
        (Kind::Enum(EnumId(0)), Value::Case("checkup".into())),
        (Kind::Json, record(&[("a", Value::List(vec![Value::Int(1), Value::None]))])),
    ] {
        let json = to_json(&value);
        let back = from_json(&program, &Type::of(kind), &json, BERLIN);
        assert_eq!(back, Ok(value), "{json}");
    }
    assert_eq!(to_json(&usd("420.50")), json!({"amount": 420.5, "currency": "USD"}));
    assert_eq!(to_json(&Value::Duration(90_000)), json!(90));
    assert_eq!(to_json(&record(&[("a", Value::None)])), json!({}));
}

#[test]
fn a_missing_value_needs_a_type_that_may_be_missing() {
    let ty = Type::of(Kind::Int);
    assert!(from_json(&types(), &ty, &Json::Null, BERLIN).is_err());
    assert_eq!(from_json(&types(), &ty.optional(), &Json::Null, BERLIN), Ok(Value::None));
}

#[test]
fn a_schema_says_what_fits() {
    let program = types();
    assert_eq!(
        schema(&program, &Type::of(Kind::Record(RecordId(0)))),
        json!({
            "type": "object",
            "properties": {
                "id": { "type": "string" },
                "at": { "type": "string",
                        "description": "local date and time, like \"2026-03-01T09:30\"" },
                "room": { "type": "integer" },
                "pin": { "type": "string" },
            },
            "required": ["id", "at"],
            "additionalProperties": false,
        })
    );
    let about = object_schema(&program, [("day", &Type::of(Kind::Date), Some("Day of the visit"))]);
    assert_eq!(about["properties"]["day"]["description"], "Day of the visit (2026-03-01)");
}

#[test]
fn a_record_that_holds_itself_has_a_finite_schema() {
    let mut program = types();
    for index in 0..30 {
        let inner = RecordId((index + 1) % 30 + 1);
        let fields = ["a", "b", "c"].map(|n| field_def(n, Type::of(Kind::Record(inner)).optional()));
        program.records.push(crate::program::RecordDef {
            name: format!("R{index}"),
            fields: fields.to_vec(),
            origin: crate::Origin::NONE,
        });
    }
    let text = schema(&program, &Type::of(Kind::Record(RecordId(1)))).to_string();
    assert!(text.len() < 200_000, "{}", text.len());
}
