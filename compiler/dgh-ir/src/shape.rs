//! Which texts are a phone number, an address, a time: the shapes of the textual types, for
//! literals, answers of tools and what a caller said.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

use crate::convert::Locale;
use crate::value::Currency;

/// A phone number in E.164: a plus and 7 to 15 digits, the first not 0. Spaces, dashes, dots,
/// slashes and brackets are dropped; `00` stands for the plus; a national number gets the code of
/// the locale's country.
pub fn phone(text: &str, locale: &Locale) -> Option<String> {
    let tidy: String =
        text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}')).collect();
    if let Some(rest) = tidy.strip_prefix('+').or_else(|| tidy.strip_prefix("00")) {
        return e164(rest);
    }
    let dialling = locale.dialling?;
    let national = tidy.strip_prefix(dialling.trunk).unwrap_or(&tidy);
    if dialling.code == "1" && national.len() != 10 {
        return None;
    }
    if !(6..=13).contains(&national.len()) {
        return None;
    }
    e164(&format!("{}{national}", dialling.code))
}

fn e164(digits: &str) -> Option<String> {
    let fits = (7..=15).contains(&digits.len()) && all_digits(digits) && !digits.starts_with('0');
    fits.then(|| format!("+{digits}"))
}

/// An e-mail address: something, one `@`, a domain with a dot.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !local.is_empty()
        && text.len() <= 254
        && !local.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// An absolute `http` or `https` address.
pub fn is_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')
                && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
        })
    })
}

/// Exactly so many digits; spaces and dashes between them are dropped.
pub fn digits(text: &str, count: u32) -> Option<String> {
    let tidy: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    (tidy.len() == count as usize && all_digits(&tidy)).then_some(tidy)
}

/// `20`, `-2.5`, `10_000`, `1,250.50`, `1e3`; no comma as a decimal point, for nobody could tell.
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let plain: String = if text.contains(',') {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mut groups = whole.trim_start_matches('-').split(',');
        let first = groups.next()?;
        let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
        if !grouped || fraction.contains(',') {
            return None;
        }
        text.chars().filter(|c| *c != ',').collect()
    } else {
        text.chars().filter(|c| *c != '_').collect()
    };
    Decimal::from_str_exact(&plain).or_else(|_| Decimal::from_scientific(&plain)).ok()
}

/// `20 USD`, `USD 20`.
pub fn money(text: &str) -> Option<(Decimal, Currency)> {
    let text = text.trim();
    let (first, last) = text.split_once(char::is_whitespace)?;
    let (first, last) = (first.trim(), last.trim());
    match Currency::parse(last) {
        Some(currency) => Some((decimal(first)?, currency)),
        None => Some((decimal(last)?, Currency::parse(first)?)),
    }
}

/// `2026-03-01`
pub fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.bytes().enumerate();
    let shaped = text.len() == 10 && { bytes }
        .all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    shaped.then(|| NaiveDate::from_str(text).ok()).flatten()
}

/// `9:30`, `09:30:00`, `9:30 PM`, `9 am`.
pub fn time(text: &str) -> Option<NaiveTime> {
    let text = text.trim().to_ascii_lowercase().replace("a.m.", "am").replace("p.m.", "pm");
    let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (text.as_str(), None),
    };
    let mut parts = clock.split(':');
    let mut next = |needed: bool| match parts.next() {
        Some(part) if all_digits(part) && part.len() <= 2 => part.parse::<u32>().ok(),
        Some(_) => None,
        None => (!needed).then_some(0),
    };
    let (hour, minute, second) = (next(true)?, next(half.is_none())?, next(false)?);
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// `2026-03-01T09:30`, `2026-03-01 09:30:00.5`; with `Z` or an offset it is moved into the zone.
pub fn datetime(text: &str, locale: &Locale) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&locale.zone).naive_local());
    }
    for format in ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.with_timezone(&locale.zone).naive_local());
        }
    }
    let (day, clock) = text.split_once(['T', ' '])?;
    if let Some(clock) = clock.strip_suffix('Z') {
        let at = date(day)?.and_time(time(clock)?).and_utc();
        return Some(at.with_timezone(&locale.zone).naive_local());
    }
    let clock = NaiveTime::parse_from_str(clock, "%H:%M:%S%.f").ok().or_else(|| time(clock))?;
    Some(date(day)?.and_time(clock))
}

/// `90s`, `1h 30min`, `700ms`, `7d`, ISO 8601 `PT1H30M`: milliseconds.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix('P') {
        Some(iso) => iso_duration(iso),
        None => amounts(text, &[("ms", 1), ("s", 1_000), ("min", 60_000), ("h", HOUR), ("d", DAY)]),
    }
}

const HOUR: i64 = 3_600_000;
const DAY: i64 = 86_400_000;

fn iso_duration(text: &str) -> Option<i64> {
    let (days, clock) = text.split_once('T').unwrap_or((text, ""));
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let part = |text: &str, units| if text.is_empty() { Some(0) } else { amounts(text, units) };
    let days = part(days, &[("W", 7 * DAY), ("D", DAY)])?;
    days.checked_add(part(clock, &[("H", HOUR), ("M", 60_000), ("S", 1_000)])?)
}

/// Amounts with units, one after the other, summed.
fn amounts(text: &str, units: &[(&str, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (amount, tail) = rest.split_at_checked(rest.find(|c: char| c.is_ascii_alphabetic())?)?;
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        let ms = decimal(amount)?.checked_mul(Decimal::from(*factor))?;
        sum = sum.checked_add(crate::math::whole(ms.round()).ok()?)?;
        rest = tail.trim_start();
    }
    Some(sum)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
