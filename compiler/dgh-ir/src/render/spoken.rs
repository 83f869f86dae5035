//! How a value is written in a text.
//!
//! A spoken date has its year only when that is not the year of now: people leave it out. Times
//! of English are `11 AM`, `noon`, `midnight`; other languages use the 24-hour clock, which every
//! voice reads well.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use rust_decimal::{Decimal, RoundingStrategy};

use super::language::{Language, language};
use crate::expr::Format;
use crate::math::whole;
use crate::scope::EvalError;
use crate::types::Kind;
use crate::value::{Currency, Value};

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As the format says; true: for the ear, digits one by one.
    Format(Format, bool),
    /// For a model: exact, with what helps to understand it.
    Exact,
}

/// A value as text. Records have none.
pub(crate) fn write(
    value: &Value,
    kind: &Kind,
    style: Style,
    tag: &str,
    now: &dyn Fn() -> Option<NaiveDateTime>,
) -> Result<String, EvalError> {
    if let Value::List(items) = value {
        let item_kind = if let Kind::List(item) = kind { &item.kind } else { &Kind::Json };
        let items: Vec<_> =
            items.iter().map(|item| write(item, item_kind, style, tag, now)).collect::<Result<_, _>>()?;
        return Ok(match style {
            Style::Format(Format::Iso, _) => items.join(","),
            Style::Exact => join(&items, " and "),
            Style::Format(..) => join(&items, language(tag).map_or(", ", |words| words.and)),
        });
    }
    if matches!(value, Value::Record(_) | Value::None) {
        return Err(EvalError::NoText(value.sort()));
    }
    Ok(match style {
        Style::Format(Format::Iso, _) => iso(value),
        Style::Format(Format::Digits, _) => digits(value, kind),
        Style::Format(Format::Date, _) => match value {
            Value::Date(day) => date(*day, language(tag), true),
            Value::DateTime(at) => date(at.date(), language(tag), true),
            _ => spoken(value, kind, tag, false, now),
        },
        Style::Format(Format::Time, _) => match value {
            Value::Time(at) => time(*at, language(tag)),
            Value::DateTime(at) => time(at.time(), language(tag)),
            _ => spoken(value, kind, tag, false, now),
        },
        Style::Format(Format::Spoken, ear) => spoken(value, kind, tag, ear, now),
        Style::Exact => exact(value),
    })
}

fn spoken(
    value: &Value,
    kind: &Kind,
    tag: &str,
    ear: bool,
    now: &dyn Fn() -> Option<NaiveDateTime>,
) -> String {
    let words = language(tag);
    let with_year = |year: i32| now().is_none_or(|now| now.year() != year);
    match value {
        Value::Bool(value) => {
            let [yes, no] = words.map_or(["yes", "no"], |words| words.truth);
            if *value { yes } else { no }.into()
        }
        Value::Int(value) => number(Decimal::from(*value), words),
        Value::Number(value) => number(*value, words),
        Value::Text(text) => match kind {
            Kind::Phone if ear => spoken_phone(text, words),
            Kind::Phone => written_phone(text),
            Kind::Digits(_) if ear => spaced(text),
            Kind::Email if ear => {
                let [at, dot] = words.map_or(["@", "."], |words| words.address);
                text.replace('@', at).replace('.', dot)
            }
            _ => text.clone(),
        },
        Value::Money(amount, currency) => money(*amount, *currency, words),
        Value::Date(day) => date(*day, words, with_year(day.year())),
        Value::Time(at) => time(*at, words),
        Value::DateTime(at) => {
            let (day, clock) = (date(at.date(), words, with_year(at.year())), time(at.time(), words));
            let joint = match words {
                // "a la 1:30", but "a las 2:30".
                Some(words) if words.tag == "es" && at.hour() == 1 => " a la ",
                Some(words) => words.at,
                None => ", ",
            };
            format!("{day}{joint}{clock}")
        }
        Value::Duration(ms) => duration(*ms, words),
        Value::Case(case) => case.replace('_', " "),
        Value::None | Value::List(_) | Value::Record(_) => String::new(),
    }
}

/// Thursday, March 5th; Thursday, March 5, 2027.
fn date(day: NaiveDate, words: Option<&Language>, with_year: bool) -> String {
    let Some(words) = words else {
        let year = if with_year { day.year().to_string() } else { String::new() };
        return format!("{}.{}.{year}", day.day(), day.month());
    };
    let weekday = words.weekdays.get(day.weekday().num_days_from_monday() as usize);
    let month = words.months.get(day.month0() as usize);
    let number = match (words.tag, day.day()) {
        ("en", number) if !with_year => ordinal(number),
        ("fr", 1) => "1er".into(),
        (_, number) => number.to_string(),
    };
    let text = words
        .date
        .replace("{w}", weekday.unwrap_or(&""))
        .replace("{m}", month.unwrap_or(&""))
        .replace("{d}", &number);
    if with_year { text + &words.year.replace("{y}", &day.year().to_string()) } else { text }
}

fn ordinal(day: u32) -> String {
    let ending = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

fn time(at: NaiveTime, words: Option<&Language>) -> String {
    match words.map(|words| words.tag) {
        Some("en") => match (at.hour(), at.minute()) {
            (0, 0) => "midnight".into(),
            (12, 0) => "noon".into(),
            (_, minute) => {
                let (pm, hour) = at.hour12();
                let half = if pm { "PM" } else { "AM" };
                if minute == 0 { format!("{hour} {half}") } else { format!("{hour}:{minute:02} {half}") }
            }
        },
        Some("de") if at.minute() == 0 => format!("{} Uhr", at.hour()),
        Some("de") => format!("{} Uhr {}", at.hour(), at.minute()),
        Some("fr") if at.minute() == 0 => format!("{} h", at.hour()),
        Some("fr") => format!("{} h {:02}", at.hour(), at.minute()),
        _ => format!("{}:{:02}", at.hour(), at.minute()),
    }
}

/// 420 dollars; 1 dollar and 50 cents; 50 cents; 420.50 SEK where the language has no words.
fn money(amount: Decimal, currency: Currency, words: Option<&Language>) -> String {
    let code = currency.code();
    let names = words.and_then(|words| {
        let (_, names) = words.currencies.iter().find(|(known, _)| *known == code)?;
        Some((words, *names))
    });
    let Some((words, [one, many, part, parts])) = names else {
        let rounded = round(amount, 2);
        let rounded = if rounded.is_integer() { rounded } else { scaled(rounded) };
        return format!("{} {code}", number_of(rounded, words));
    };
    let rounded = round(amount, if part.is_empty() { 0 } else { 2 }).normalize();
    let sign = if rounded.is_sign_negative() && !rounded.is_zero() { words.minus } else { "" };
    let rounded = rounded.abs();
    let units = rounded.trunc();
    let cents = ((rounded - units) * Decimal::ONE_HUNDRED).trunc().normalize();
    let plural = |count: Decimal, one: &str, many: &str| {
        let name = if count == Decimal::ONE { one } else { many };
        format!("{} {name}", number_of(count, Some(words)))
    };
    match (units.is_zero(), cents.is_zero()) {
        (_, true) => format!("{sign}{}", plural(units, one, many)),
        (true, false) => format!("{sign}{}", plural(cents, part, parts)),
        (false, false) => {
            format!("{sign}{}{}{}", plural(units, one, many), words.and, plural(cents, part, parts))
        }
    }
}

/// Two digits behind the point, as money is written.
fn scaled(mut amount: Decimal) -> Decimal {
    amount.rescale(2);
    amount
}

fn round(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// 1 hour and 30 minutes.
fn duration(ms: i64, words: Option<&Language>) -> String {
    const NEUTRAL: [[&str; 2]; 4] = [["d", "d"], ["h", "h"], ["min", "min"], ["s", "s"]];
    const SIZES: [i64; 3] = [86_400_000, 3_600_000, 60_000];
    let names = words.map_or(NEUTRAL, |words| words.units);
    let mut rest = i128::from(ms).abs();
    let mut parts = Vec::new();
    for ([one, many], size) in names.iter().zip(SIZES) {
        let count = rest / i128::from(size);
        rest %= i128::from(size);
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if rest > 0 || parts.is_empty() {
        let seconds = Decimal::from(rest) / Decimal::ONE_THOUSAND;
        let [_, _, _, [one, many]] = names;
        let name = if seconds == Decimal::ONE { one } else { many };
        parts.push(format!("{} {name}", number(seconds, words)));
    }
    let minus = if ms < 0 { words.map_or("-", |words| words.minus) } else { "" };
    format!("{minus}{}", join(&parts, words.map_or(" ", |words| words.and)))
}

fn number(value: Decimal, words: Option<&Language>) -> String {
    number_of(value.normalize(), words)
}

/// With the decimal sign of the language; thousands are set apart in English alone, elsewhere a
/// voice could take the sign for a decimal one.
fn number_of(value: Decimal, words: Option<&Language>) -> String {
    let text = value.abs().to_string();
    let (units, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let english = words.is_some_and(|words| words.tag == "en");
    let mut out = String::new();
    if value.is_sign_negative() && !value.is_zero() {
        out.push_str(words.map_or("-", |words| words.minus));
    }
    for (index, digit) in units.chars().enumerate() {
        if english && units.len() > 4 && index > 0 && (units.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(words.map_or('.', |words| words.point));
        out.push_str(fraction);
    }
    out
}

/// 4 1 5, 5 5 5, 0 1 0 0. Numbers of the North American plan are said without their country code.
fn spoken_phone(text: &str, words: Option<&Language>) -> String {
    let (plus, groups) = phone_groups(text);
    let groups: Vec<_> = groups.iter().map(|group| spaced(group)).collect();
    let plus = if plus { words.map_or("+", |words| words.plus) } else { "" };
    format!("{plus}{}", groups.join(", "))
}

fn written_phone(text: &str) -> String {
    let (plus, groups) = phone_groups(text);
    format!("{}{}", if plus { "+" } else { "" }, groups.join(" "))
}

/// Whether a plus is said, and the digits in groups.
fn phone_groups(text: &str) -> (bool, Vec<&str>) {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return (false, vec![text]);
    }
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10 && text.starts_with('+'));
    if let Some(national) = national.or_else(|| Some(digits).filter(|d| d.len() == 10)) {
        let (area, rest) = national.split_at(3);
        let (office, line) = rest.split_at(3);
        return (false, vec![area, office, line]);
    }
    let mut groups = Vec::new();
    let mut rest = digits;
    // Groups of three; the last has up to four.
    while rest.len() > 4 {
        let (group, tail) = rest.split_at(3);
        groups.push(group);
        rest = tail;
    }
    groups.push(rest);
    (text.starts_with('+'), groups)
}

fn digits(value: &Value, kind: &Kind) -> String {
    match (value, kind) {
        (Value::Text(text), Kind::Phone) => spoken_phone(text, None),
        _ => spaced(&iso(value)),
    }
}

/// Every digit and letter on its own: `A 9 1`.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

fn iso(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Number(value) => value.normalize().to_string(),
        Value::Text(text) | Value::Case(text) => text.clone(),
        Value::Money(amount, currency) => format!("{} {}", amount.normalize(), currency.code()),
        Value::Date(day) => day.format("%Y-%m-%d").to_string(),
        Value::Time(at) => clock(*at),
        Value::DateTime(at) => format!("{}T{}", at.format("%Y-%m-%d"), clock(at.time())),
        Value::Duration(ms) => iso_duration(*ms),
        Value::None | Value::List(_) | Value::Record(_) => String::new(),
    }
}

/// Hours and minutes; seconds where there are some.
fn clock(at: NaiveTime) -> String {
    let format = match (at.second(), at.nanosecond()) {
        (0, 0) => "%H:%M",
        (_, 0) => "%H:%M:%S",
        _ => "%H:%M:%S%.3f",
    };
    at.format(format).to_string()
}

fn iso_duration(ms: i64) -> String {
    let minus = if ms < 0 { "-" } else { "" };
    let seconds = (Decimal::from(ms) / Decimal::ONE_THOUSAND).abs().normalize();
    let (minutes, hours) = (Decimal::from(60), Decimal::from(3600));
    let part = |count: Decimal, unit: &str| match whole(count.trunc()) {
        Ok(0) | Err(_) => String::new(),
        Ok(count) => format!("{count}{unit}"),
    };
    let rest = seconds % minutes;
    let last = if rest.is_zero() { String::new() } else { format!("{}S", rest.normalize()) };
    let text = format!("{}{}{last}", part(seconds / hours, "H"), part(seconds % hours / minutes, "M"));
    if text.is_empty() { "PT0S".into() } else { format!("{minus}PT{text}") }
}

/// For a model: the weekday beside a date, words for a length of time.
fn exact(value: &Value) -> String {
    match value {
        Value::Bool(value) => if *value { "yes" } else { "no" }.into(),
        Value::Date(day) => day.format("%Y-%m-%d (%A)").to_string(),
        Value::DateTime(at) => format!("{} ({})", iso(value), at.format("%A")),
        Value::Duration(ms) => duration(*ms, language("en")),
        _ => iso(value),
    }
}

/// `a, b and c`
pub(super) fn join(items: &[String], and: &str) -> String {
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{}{and}{last}", rest.join(", ")),
    }
}
