//! Times of day and lengths of time: "half past nine", "at three", `17:45`, "an hour and a half".

use std::ops::Range;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::dates::{Calendar, dates};
use super::hits::{Hit, longest, meant};
use super::numbers::{digit_word, number_at, teen_word, tens_word};
use super::words::{Kind, Words, listed};

/// All times of day that are named. A bare hour is taken as one of the working day, and is unsure.
pub(super) fn times(words: &Words, now: NaiveDateTime) -> Vec<Hit<NaiveTime>> {
    let mut hits = Vec::new();
    for place in 0..words.len() {
        hits.extend(named(words, place));
        hits.extend(relative(words, place));
        hits.extend(clock(words, place));
        hits.extend(from_now(words, place, now));
    }
    longest(hits)
}

/// A date with a time, or the half of it that was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Moment {
    /// Both.
    Whole(NaiveDateTime),
    /// A day, no time.
    Day(NaiveDate),
}

/// The moment that is named. `day` completes a time alone: the day that was just talked about, or
/// that of the value so far. `time` completes a day alone, when a value is being changed.
pub(super) fn moment(
    words: &Words,
    calendar: &Calendar,
    day: Option<NaiveDate>,
    time: Option<NaiveTime>,
) -> Option<Hit<Moment>> {
    if let Some(hit) = written(words) {
        return Some(hit);
    }
    let day_hits = dates(words, calendar);
    let time_hits: Vec<_> = times(words, calendar.now)
        .into_iter()
        .filter(|time| !day_hits.iter().any(|day| day.overlaps(&time.places)))
        .collect();
    let sure_time = time_hits.iter().any(|hit| hit.sure);
    let time_hits = time_hits.into_iter().filter(|hit| hit.sure || !sure_time).collect();
    match (meant(words, day_hits), meant(words, time_hits)) {
        (Some(day), Some(time)) => {
            let places = day.places.start.min(time.places.start)..day.places.end.max(time.places.end);
            Some(Hit { value: Moment::Whole(day.value.and_time(time.value)), places, sure: true })
        }
        (Some(day), None) => {
            let value = match time {
                Some(time) => Moment::Whole(day.value.and_time(time)),
                None => Moment::Day(day.value),
            };
            Some(Hit { value, places: day.places, sure: day.sure })
        }
        (None, Some(time)) => {
            let today = calendar.now.date();
            let value = match day {
                Some(day) => day.and_time(time.value),
                None if today.and_time(time.value) > calendar.now || calendar.past => {
                    today.and_time(time.value)
                }
                None => today.succ_opt()?.and_time(time.value),
            };
            Some(Hit { value: Moment::Whole(value), places: time.places, sure: time.sure })
        }
        (None, None) => None,
    }
}

/// All lengths of time, in milliseconds.
pub(super) fn durations(words: &Words) -> Vec<Hit<i64>> {
    let mut hits = Vec::new();
    let mut place = 0;
    while place < words.len() {
        if let Some(hit) = duration_at(words, place) {
            place = hit.places.end;
            hits.push(hit);
        } else {
            place += 1;
        }
    }
    hits
}

/// "noon", "midnight".
fn named(words: &Words, place: usize) -> Option<Hit<NaiveTime>> {
    let hour = match words.at(place) {
        "noon" | "midday" | "lunchtime" => 12,
        "midnight" => 0,
        _ => return None,
    };
    Some(Hit { value: NaiveTime::from_hms_opt(hour, 0, 0)?, places: place..place + 1, sure: true })
}

/// "half past nine", "quarter to ten", "twenty past three".
fn relative(words: &Words, place: usize) -> Option<Hit<NaiveTime>> {
    let start = if words.is(place, &["a", "half"]) && words.at(place) == "a" { place + 1 } else { place };
    let (minutes, mut at) = match words.at(start) {
        "half" => (30, start + 1),
        "quarter" => (15, start + 1),
        _ => {
            let (minutes, end) = small_words(words, start)?;
            (minutes, if words.is(end, &["minutes", "minute"]) { end + 1 } else { end })
        }
    };
    let before = match words.at(at) {
        "past" | "after" => false,
        "to" | "till" | "before" | "of" if minutes != 30 => true,
        // The British "half nine" is half past.
        _ if words.at(start) == "half" && hour_word(words, at).is_some() => {
            at -= 1;
            false
        }
        _ => return None,
    };
    if before && matches!(words.before(place), "from" | "between" | "of") {
        return None;
    }
    let (hour, end) = hour_word(words, at + 1)?;
    let (hour, end) = with_half_of_day(words, hour, end, false);
    let hour = if before { (hour + 23) % 24 } else { hour };
    let minute = if before { 60 - minutes } else { minutes };
    Some(Hit { value: NaiveTime::from_hms_opt(hour, minute, 0)?, places: place..end, sure: true })
}

/// `9:30`, `17.45`, "3 pm", "nine o'clock", "three thirty", "at three", "three".
fn clock(words: &Words, place: usize) -> Option<Hit<NaiveTime>> {
    let led = matches!(
        words.before(place),
        "at" | "around" | "about" | "by" | "after" | "for" | "until" | "till" | "before"
    );
    if words.glued(place)
        && matches!(words.before(place), "$" | "€" | "£" | "/" | ":" | "." | "-" | "+" | "@")
    {
        return None;
    }
    let (mut hour, mut end) = hour_number(words, place)?;
    let mut minute = 0;
    let mut exact = words.kind(place) == Kind::Digits && words.at(place).starts_with('0');
    let mut sure = false;
    if words.kind(place) == Kind::Digits && words.at(place).len() == 4 {
        minute = hour % 100;
        hour /= 100;
        exact = true;
        sure = false;
    } else if hour > 24 {
        return None;
    } else if words.is(end, &[":", "."])
        && words.glued(end)
        && words.glued(end + 1)
        && words.kind(end + 1) == Kind::Digits
        && words.at(end + 1).len() == 2
    {
        minute = words.at(end + 1).parse().ok()?;
        sure = words.at(end) == ":" || words.at(place - usize::from(place > 0)) == "at";
        end += 2;
        if words.is(end, &[":", ".", "/"])
            && words.glued(end)
            && words.kind(end + 1) == Kind::Digits
            && words.glued(end + 1)
        {
            return None;
        }
    } else if words.at(end) == "h" && words.glued(end) {
        sure = true;
        end += 1;
    } else if let Some((minutes, next)) = minutes_after(words, end) {
        minute = minutes;
        sure = led || words.kind(place) == Kind::Letters;
        end = next;
    }
    if words.is(end, &["o'clock", "oclock"]) {
        sure = true;
        end += 1;
    }
    if hour == 24 {
        hour = 0;
        exact = true;
    }
    let (hour, after) = with_half_of_day(words, hour, end, exact);
    sure |= after > end;
    let unit = words.kind(after) == Kind::Letters && !listed(FOLLOWERS, words.at(after));
    if unit && weekday_like(words.at(after)) {
        sure |= led;
    } else if led
        && !unit
        && !words.is(after, &["%", "$", "€", "£"])
        && matches!(words.before(place), "at" | "around" | "by" | "after" | "until" | "till" | "before")
    {
        sure = true;
    } else if unit && after == end && !sure {
        return None;
    }
    if !sure
        && (after - place) == 1
        && words.kind(place) == Kind::Digits
        && words.at(place).len() == 4
        && !led
    {
        return None;
    }
    Some(Hit { value: NaiveTime::from_hms_opt(hour, minute, 0)?, places: place..after, sure })
}

/// Words behind an hour that count nothing: "three works", not "three dollars".
const FOLLOWERS: &str = "in on is would works please and or tomorrow today tonight if at for then sharp this \
     next sounds maybe instead to but with will because that should thanks thank may could \
     can exactly seems does doesn't i we it";

/// "in an hour", "in 20 minutes".
fn from_now(words: &Words, place: usize, now: NaiveDateTime) -> Option<Hit<NaiveTime>> {
    if words.at(place) != "in" {
        return None;
    }
    let length = duration_at(words, place + 1).filter(|hit| hit.value < 24 * 3_600_000)?;
    let then = now + Duration::milliseconds(length.value);
    let then = then.time().with_second(0)?.with_nanosecond(0)?;
    Some(Hit { value: then, places: place..length.places.end, sure: true })
}

/// `2026-03-04T15:00`
fn written(words: &Words) -> Option<Hit<Moment>> {
    let mut from = 0;
    for chunk in words.source().split_whitespace() {
        let start = words.source().get(from..)?.find(chunk)? + from;
        from = start + chunk.len();
        let text = chunk.trim_end_matches(['.', ',', '!', '?']);
        let value = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        if let Some(value) = value {
            let places = words.place_of(start)..words.place_of(start + text.len() - 1) + 1;
            return Some(Hit { value: Moment::Whole(value), places, sure: true });
        }
    }
    None
}

/// Morning or afternoon: what is said right behind the hour, else what the turn says, else the
/// working day.
fn with_half_of_day(words: &Words, hour: u32, end: usize, exact: bool) -> (u32, usize) {
    let (afternoon, next) = match words.at(end) {
        "am" => (Some(false), end + 1),
        "pm" => (Some(true), end + 1),
        "a" | "p" if words.at(end + 1) == "." && words.at(end + 2) == "m" => {
            (Some(words.at(end) == "p"), if words.at(end + 3) == "." { end + 4 } else { end + 3 })
        }
        "a" | "p" if words.at(end + 1) == "m" => (Some(words.at(end) == "p"), end + 2),
        "in" if words.at(end + 1) == "the" && words.at(end + 2) == "morning" => (Some(false), end + 3),
        "in" if words.at(end + 1) == "the" && words.is(end + 2, &["afternoon", "evening"]) => {
            (Some(true), end + 3)
        }
        "at" if words.at(end + 1) == "night" => (Some(true), end + 2),
        _ => (None, end),
    };
    let afternoon = afternoon.or_else(|| {
        if words.has(&["afternoon", "evening", "tonight", "pm", "night"]) && !words.has(&["morning", "am"]) {
            Some(true)
        } else if words.has(&["morning"]) && !words.has(&["pm", "afternoon", "evening"]) {
            Some(false)
        } else if (1..=10).contains(&hour)
            && words.has(&["dinner", "table", "drinks"])
            && !words.has(&["breakfast"])
        {
            Some(true)
        } else {
            None
        }
    });
    let hour = match afternoon {
        Some(true) if hour < 12 && !(exact && hour > 0 && next == end) => hour + 12,
        Some(false) if hour == 12 => 0,
        Some(_) => hour,
        None if exact || hour > 6 || hour == 0 => hour,
        None => hour + 12,
    };
    (hour, next)
}

fn hour_number(words: &Words, place: usize) -> Option<(u32, usize)> {
    if words.kind(place) == Kind::Digits {
        let text = words.at(place);
        let value: u32 = text.parse().ok()?;
        let four = text.len() == 4 && value / 100 < 24 && value % 100 < 60;
        return (text.len() <= 2 && value <= 24 || four).then_some((value, place + 1));
    }
    hour_word(words, place)
}

fn hour_word(words: &Words, place: usize) -> Option<(u32, usize)> {
    if words.kind(place) == Kind::Digits {
        return words
            .at(place)
            .parse()
            .ok()
            .filter(|hour| (1..=24).contains(hour))
            .map(|hour| (hour, place + 1));
    }
    let word = words.at(place);
    if word == "one"
        && matches!(
            words.before(place),
            "the"
                | "this"
                | "that"
                | "which"
                | "no"
                | "any"
                | "another"
                | "first"
                | "last"
                | "second"
                | "other"
                | "earlier"
                | "later"
        )
    {
        return None;
    }
    if word == "o" || word == "oh" {
        return None;
    }
    digit_word(word)
        .filter(|hour| *hour > 0)
        .or_else(|| teen_word(word).filter(|hour| *hour <= 12))
        .map(|hour| (hour, place + 1))
}

/// The minutes behind an hour in words: "thirty", "oh five", "twenty-five".
fn minutes_after(words: &Words, place: usize) -> Option<(u32, usize)> {
    if words.is(place, &["oh", "o"]) {
        return digit_word(words.at(place + 1)).map(|minutes| (minutes, place + 2));
    }
    if words.kind(place) == Kind::Digits && words.at(place).len() == 2 {
        return words
            .at(place)
            .parse()
            .ok()
            .filter(|minutes| *minutes < 60)
            .map(|minutes| (minutes, place + 1));
    }
    let (minutes, end) = small_words(words, place)?;
    (10..60).contains(&minutes).then_some((minutes, end))
}

fn small_words(words: &Words, place: usize) -> Option<(u32, usize)> {
    if let Some(tens) = tens_word(words.at(place)) {
        let next = if words.at(place + 1) == "-" { place + 2 } else { place + 1 };
        return match digit_word(words.at(next)).filter(|ones| *ones > 0) {
            Some(ones) => Some((tens + ones, next + 1)),
            None => Some((tens, place + 1)),
        };
    }
    teen_word(words.at(place)).or_else(|| digit_word(words.at(place))).map(|value| (value, place + 1))
}

fn weekday_like(word: &str) -> bool {
    matches!(
        word,
        "monday"
            | "tuesday"
            | "wednesday"
            | "thursday"
            | "friday"
            | "saturday"
            | "sunday"
            | "tomorrow"
            | "today"
    )
}

fn duration_at(words: &Words, place: usize) -> Option<Hit<i64>> {
    let (first, mut end) = one_duration(words, place)?;
    let mut total = first;
    loop {
        let next = if words.at(end) == "and" { end + 1 } else { end };
        if words.stands(next, &["a", "half"]) && next > end && unit_ms(words.at(end - 1)).is_some() {
            let unit = unit_ms(words.at(end - 1))?;
            total += unit / 2;
            end = next + 2;
            continue;
        }
        // `1h30`
        if words.glued(end)
            && words.kind(end) == Kind::Digits
            && words.at(end - 1) == "h"
            && one_duration(words, end).is_none()
        {
            total += words.at(end).parse::<i64>().ok()? * 60_000;
            end += 1;
            continue;
        }
        match one_duration(words, next) {
            Some((more, after)) if more < first => {
                total += more;
                end = after;
            }
            _ => break,
        }
    }
    // "a second" and "one minute" ask for patience more often than they measure.
    let idle = end - place == 2
        && words.is(place, &["a", "one"])
        && words.is(place + 1, &["second", "sec", "minute", "moment"]);
    Some(Hit { value: total, places: Range { start: place, end }, sure: !idle && words.at(end) != "ago" })
}

fn one_duration(words: &Words, place: usize) -> Option<(i64, usize)> {
    if words.stands(place, &["half", "an", "hour"]) || words.stands(place, &["half", "a", "day"]) {
        return unit_ms(words.at(place + 2)).map(|unit| (unit / 2, place + 3));
    }
    if words.stands(place, &["quarter", "of", "an", "hour"]) {
        return Some((900_000, place + 4));
    }
    if words.is(place, &["a", "an"])
        && let Some(unit) = unit_ms(words.at(place + 1))
    {
        return Some((unit, place + 2));
    }
    let number = number_at(words, place).filter(|number| !number.ordinal && number.value > Decimal::ZERO)?;
    let at = if words.at(number.places.end) == "-" { number.places.end + 1 } else { number.places.end };
    let unit = unit_ms(words.at(at))?;
    let total = number.value.checked_mul(unit.into())?.round().to_i64()?;
    Some((total, at + 1))
}

fn unit_ms(word: &str) -> Option<i64> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" | "s" => 1_000,
        "minute" | "minutes" | "min" | "mins" => 60_000,
        "hour" | "hours" | "hr" | "hrs" | "h" => 3_600_000,
        "day" | "days" => 86_400_000,
        "week" | "weeks" => 604_800_000,
        "month" | "months" => 30 * 86_400_000,
        "year" | "years" => 365 * 86_400_000,
        _ => return None,
    })
}
