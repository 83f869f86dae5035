//! Days in plain English: "next Thursday", "the 5th", "March 5", `3/5`, "in two weeks".

use std::ops::Range;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, Weekday};

use super::hits::{Hit, longest};
use super::numbers::{number_at, year_at};
use super::words::{Kind, Words};

/// What a spoken date is relative to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// Local time.
    pub(super) now: NaiveDateTime,
    /// A day without a year lies behind us: birthdays, accidents.
    pub(super) past: bool,
    /// `3/5` is the third of May.
    pub(super) day_first: bool,
    /// The day that was spoken of last: what "the day after" follows.
    pub(super) anchor: Option<NaiveDate>,
}

type Reader = fn(&Words, usize, &Calendar) -> Option<Hit<NaiveDate>>;

/// All days that are named.
pub(super) fn dates(words: &Words, calendar: &Calendar) -> Vec<Hit<NaiveDate>> {
    let readers: [Reader; 8] =
        [relative_day, from_anchor, distance, numeric, month_and_day, weekday, day_of_month, month_end];
    let mut hits = Vec::new();
    for place in 0..words.len() {
        hits.extend(readers.iter().filter_map(|read| read(words, place, calendar)));
    }
    longest(hits)
}

/// A span of days that is no single day: "next week", "in April".
pub(super) fn vague_period(words: &Words) -> Option<String> {
    (0..words.len()).find_map(|place| {
        let period = words.is(place, &["next", "this", "that", "following", "coming"])
            && words.is(place + 1, &["week", "month", "weekend", "year"]);
        let month = words.at(place) == "in"
            && month(words, place + 1).is_some()
            && words.kind(place + 2) != Kind::Digits;
        (period || month).then(|| words.raw(place..place + 2).to_lowercase())
    })
}

fn hit(value: NaiveDate, places: Range<usize>) -> Hit<NaiveDate> {
    Hit { value, places, sure: true }
}

/// "today", "tomorrow", "the day after tomorrow".
fn relative_day(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let today = calendar.now.date();
    if words.stands(place, &["day", "after", "tomorrow"]) {
        return Some(hit(today + Days::new(2), place..place + 3));
    }
    if words.stands(place, &["day", "before", "yesterday"]) {
        return Some(hit(today - Days::new(2), place..place + 3));
    }
    let soon: [&[&str]; 4] = [
        &["as", "soon", "as", "possible"],
        &["right", "away"],
        &["as", "soon", "as", "you", "can"],
        &["earliest", "possible"],
    ];
    if let Some(soon) = soon.iter().find(|soon| !calendar.past && words.stands(place, soon)) {
        return Some(hit(today, place..place + soon.len()));
    }
    let days = match words.at(place) {
        "today" | "tonight" => 0,
        "asap" if !calendar.past => 0,
        "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw" => 1,
        "yesterday" => return Some(hit(today - Days::new(1), place..place + 1)),
        _ => return None,
    };
    Some(hit(today + Days::new(days), place..place + 1))
}

/// "the day after", "a week later", "the following Monday", after the day that is spoken of.
fn from_anchor(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let anchor = calendar.anchor?;
    let next = |days: u64, end: usize| Some(hit(anchor.checked_add_days(Days::new(days))?, place..end));
    for after in [
        "the day after that",
        "the day after",
        "the next day",
        "the following day",
        "the day later",
        "a day later",
        "one day later",
    ] {
        if let Some(length) =
            words.begins(place, after).filter(|length| words.at(place + length) != "tomorrow")
        {
            return next(1, place + length);
        }
    }
    for before in ["the day before", "a day earlier", "one day earlier"] {
        if let Some(length) =
            words.begins(place, before).filter(|length| words.at(place + length) != "yesterday")
        {
            return Some(hit(anchor.checked_sub_days(Days::new(1))?, place..place + length));
        }
    }
    for later in ["a week later", "the week after", "one week later", "the following week", "a week after"] {
        if let Some(length) = words.begins(place, later) {
            return next(7, place + length);
        }
    }
    let start = if words.at(place) == "the" { place + 1 } else { place };
    let day = weekday_word(words, start + 1).filter(|_| words.at(start) == "following")?;
    let ahead = 1 + (7 + day.num_days_from_monday() - anchor.weekday().num_days_from_monday() - 1) % 7;
    next(u64::from(ahead), start + 2)
}

/// "in two weeks", "ten days from now", "a week from Friday", "three days ago".
fn distance(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let today = calendar.now.date();
    let start = if words.is(place, &["in", "within"]) { place + 1 } else { place };
    let (count, unit) = if words.is(start, &["a", "an", "one"]) && unit_days(words.at(start + 1)).is_some() {
        (1, start + 1)
    } else {
        let number = number_at(words, start).filter(|number| !number.ordinal)?;
        (u32::try_from(number.whole()?).ok().filter(|count| *count < 1000)?, number.places.end)
    };
    let unit_days = unit_days(words.at(unit))?;
    let end = unit + 1;
    let forward = |from: NaiveDate| match unit_days {
        Unit::Days(days) => from.checked_add_days(Days::new(u64::from(count) * days)),
        Unit::Months(months) => from.checked_add_months(Months::new(count * months)),
    };
    if start > place {
        return Some(hit(forward(today)?, place..end));
    }
    if words.at(end) == "ago" {
        let then = match unit_days {
            Unit::Days(days) => today.checked_sub_days(Days::new(u64::from(count) * days)),
            Unit::Months(months) => today.checked_sub_months(Months::new(count * months)),
        };
        return Some(hit(then?, place..end + 1));
    }
    if words.is(end, &["from", "after"]) {
        if words.is(end + 1, &["now", "today"]) {
            return Some(hit(forward(today)?, place..end + 2));
        }
        let from = relative_day(words, end + 1, calendar).or_else(|| weekday(words, end + 1, calendar))?;
        return Some(hit(forward(from.value)?, place..from.places.end));
    }
    None
}

enum Unit {
    Days(u64),
    Months(u32),
}

fn unit_days(word: &str) -> Option<Unit> {
    Some(match word {
        "day" | "days" => Unit::Days(1),
        "week" | "weeks" => Unit::Days(7),
        "fortnight" | "fortnights" => Unit::Days(14),
        "month" | "months" => Unit::Months(1),
        "year" | "years" => Unit::Months(12),
        _ => return None,
    })
}

/// `2026-03-05`, `3/5`, `3/5/26`, `5.3.2026`.
fn numeric(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let number =
        |at: usize| (words.kind(at) == Kind::Digits).then(|| words.at(at).parse::<u32>().ok()).flatten();
    let first = number(place).filter(|_| {
        !(words.glued(place) && matches!(words.before(place), "/" | "-" | "." | ":" | "$" | "+"))
    })?;
    let mark = words.at(place + 1);
    if !words.glued(place + 1) || !words.glued(place + 2) || !matches!(mark, "/" | "-" | ".") {
        return None;
    }
    let second = number(place + 2)?;
    let third = (words.at(place + 3) == mark && words.glued(place + 3) && words.glued(place + 4))
        .then(|| number(place + 4))
        .flatten();
    if words.at(place).len() == 4 {
        let date = NaiveDate::from_ymd_opt(i32::try_from(first).ok()?, second, third?)?;
        return Some(hit(date, place..place + 5));
    }
    // `9-5` is a pair of hours and `1.5` a number; only a slash makes a day without a year.
    if third.is_none() && mark != "/" {
        return None;
    }
    let day_first = mark == "." || first > 12 || (calendar.day_first && second <= 12);
    let (day, month) = if day_first { (first, second) } else { (second, first) };
    match third {
        Some(year) => {
            let year = i32::try_from(year).ok()?;
            let year = if year < 100 { full_year(year, calendar) } else { year };
            Some(hit(NaiveDate::from_ymd_opt(year, month, day)?, place..place + 5))
        }
        None => Some(hit(nearest(month, day, calendar)?, place..place + 3)),
    }
}

/// "March 5", "March the 5th, 2027", "5th of March", "5 March".
fn month_and_day(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let (day, month, mut end) = if let Some(month) = month(words, place) {
        let dot = usize::from(words.at(place + 1) == "." && words.glued(place + 1));
        let at = if words.at(place + 1 + dot) == "the" { place + 2 } else { place + 1 + dot };
        let day = number_at(words, at)?;
        (day.whole()?, month, day.places.end)
    } else {
        let start = if words.at(place) == "the" { place + 1 } else { place };
        let day = number_at(words, start)?;
        let at = if words.at(day.places.end) == "of" { day.places.end + 1 } else { day.places.end };
        (day.whole()?, month(words, at)?, at + 1)
    };
    let day = u32::try_from(day).ok().filter(|day| (1..=31).contains(day))?;
    let at = if words.is(end, &[",", "of", "in"]) { end + 1 } else { end };
    if let Some((year, next)) = year_at(words, at) {
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        return Some(hit(date, place..next));
    }
    if calendar.past && words.kind(at) == Kind::Digits && words.at(at).len() == 2 && words.at(end) == "," {
        let year = full_year(words.at(at).parse().ok()?, calendar);
        end = at + 1;
        return Some(hit(NaiveDate::from_ymd_opt(year, month, day)?, place..end));
    }
    Some(hit(nearest(month, day, calendar)?, place..end))
}

/// "Thursday", "next Thursday", "Thursday in two weeks", "Monday the 9th".
fn weekday(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let today = calendar.now.date();
    let first = if words.is(place, &["next", "this", "coming", "following", "last", "past"]) {
        place + 1
    } else {
        place
    };
    let first = if first > place && words.at(first) == "week" { first + 1 } else { first };
    let day = weekday_word(words, first)?;
    let mut end = first + 1;
    let ahead = 1 + (7 + day.num_days_from_monday() - today.weekday().num_days_from_monday() - 1) % 7;
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let next_week = monday + Days::new(7 + u64::from(day.num_days_from_monday()));
    let mut date = match words.at(place) {
        "next" if first > place => next_week,
        "last" | "past" if first > place => {
            today
                - Days::new(u64::from(
                    (7 + today.weekday().num_days_from_monday() - day.num_days_from_monday() - 1) % 7 + 1,
                ))
        }
        "this" if first > place && day == today.weekday() => today,
        _ if calendar.past => today - Days::new(u64::from((7 - ahead) % 7)),
        _ => today + Days::new(u64::from(ahead)),
    };
    let at = if words.at(end) == "," { end + 1 } else { end };
    if words.is(end, &["next", "of", "the"])
        && words.raw(end..end + 4).to_lowercase().contains("week")
        && words.has(&["next", "following"])
    {
        let last = (end..end + 4).find(|at| words.at(*at) == "week").unwrap_or(end);
        if words.is(last.saturating_sub(1), &["next", "following"]) {
            date = next_week;
            end = last + 1;
        }
    } else if words.at(end) == "week" {
        date = date.checked_add_days(Days::new(7))?;
        end += 1;
    } else if words.at(end) == "in" {
        if let Some(number) = number_at(words, end + 1)
            && let (Some(weeks @ 1..=52), true) =
                (number.whole(), words.is(number.places.end, &["weeks", "week"]))
        {
            date = (monday + Days::new(u64::from(day.num_days_from_monday())))
                .checked_add_days(Days::new(7 * weeks.unsigned_abs()))?;
            end = number.places.end + 1;
        }
    } else if let Some(exact) =
        month_and_day(words, at, calendar).or_else(|| day_of_month(words, at, calendar))
    {
        return Some(hit(exact.value, place..exact.places.end));
    }
    Some(hit(date, place..end))
}

/// "the 5th", "on the twentieth", "the first of next month".
fn day_of_month(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let start = if words.at(place) == "the" { place + 1 } else { place };
    let number = number_at(words, start).filter(|number| number.ordinal)?;
    let day = u32::try_from(number.whole()?).ok().filter(|day| (1..=31).contains(day))?;
    let end = number.places.end;
    let today = calendar.now.date();
    if words.at(end) == "of" {
        let at = if words.at(end + 1) == "the" { end + 2 } else { end + 1 };
        let months = match words.at(at) {
            "next" | "following" => 1,
            "this" => 0,
            "month" if at > end + 1 => return Some(hit(nearest_day(day, calendar)?, place..at + 1)),
            _ => return None,
        };
        if words.at(at + 1) != "month" {
            return None;
        }
        let date = today.with_day(1)?.checked_add_months(Months::new(months))?.with_day(day)?;
        return Some(hit(date, place..at + 2));
    }
    // "the second one", "the first option", "second floor", "the first two", "a second".
    let thing = (words.kind(end) == Kind::Letters
        && !words.is(
            end,
            &[
                "at",
                "in",
                "would",
                "is",
                "works",
                "if",
                "or",
                "and",
                "please",
                "around",
                "about",
                "then",
                "instead",
                "will",
                "for",
                "by",
                "sounds",
                "maybe",
                "but",
                "between",
                "after",
                "before",
                "from",
                "morning",
                "afternoon",
                "evening",
                "thanks",
                "yes",
                "to",
                "seems",
            ],
        ))
        || words.kind(end) == Kind::Digits;
    let led = matches!(words.before(place), "on" | "by" | "until");
    let written = words.kind(start) == Kind::Digits;
    let article = start > place;
    if thing || !(article || written) {
        return None;
    }
    // "the second" alone may be a place in a list; "the 22nd" and "on the second" are days.
    let sure = written || day > 10 || led;
    Some(Hit { value: nearest_day(day, calendar)?, places: place..end, sure })
}

/// "the end of the month", "the beginning of next month".
fn month_end(words: &Words, place: usize, calendar: &Calendar) -> Option<Hit<NaiveDate>> {
    let end = words.at(place) == "end";
    if !(end || words.is(place, &["beginning", "start"])) || words.at(place + 1) != "of" {
        return None;
    }
    let next = words.at(place + 2) == "next";
    if !(next || words.is(place + 2, &["the", "this"])) || words.at(place + 3) != "month" {
        return None;
    }
    let first = calendar.now.date().with_day(1)?;
    let months = u32::from(next) + u32::from(end);
    let start = first.checked_add_months(Months::new(months))?;
    Some(hit(if end { start - Days::new(1) } else { start }, place..place + 4))
}

/// The month at a word: only where "may", "march", "mar" or "sun" can be nothing else.
fn month(words: &Words, place: usize) -> Option<u32> {
    let number = match words.at(place) {
        "january" | "jan" => 1,
        "february" | "feb" => 2,
        "march" | "mar" => 3,
        "april" | "apr" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" => 8,
        "september" | "sep" | "sept" => 9,
        "october" | "oct" => 10,
        "november" | "nov" => 11,
        "december" | "dec" => 12,
        _ => return None,
    };
    let verb = matches!(words.at(place), "may" | "march" | "mar")
        && (matches!(
            words.before(place),
            "i" | "we" | "you" | "they" | "he" | "she" | "it" | "that" | "this"
        ) && words.at(place) == "may"
            || words.is(place + 1, &["i", "we", "be", "have", "not", "as", "come", "need", "you"]));
    (!verb).then_some(number)
}

fn weekday_word(words: &Words, place: usize) -> Option<Weekday> {
    Some(match words.at(place) {
        "monday" | "mon" | "mondays" => Weekday::Mon,
        "tuesday" | "tue" | "tues" | "tuesdays" => Weekday::Tue,
        "wednesday" | "wed" | "weds" | "wensday" | "wednesdays" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" | "thursdays" => Weekday::Thu,
        "friday" | "fri" | "fridays" => Weekday::Fri,
        "saturday" | "saturdays" => Weekday::Sat,
        "sunday" | "sundays" => Weekday::Sun,
        // "we sat in the sun" names no day.
        "sat" if matches!(words.before(place), "on" | "this" | "next") => Weekday::Sat,
        "sun" if matches!(words.before(place), "on" | "this" | "next") => Weekday::Sun,
        _ => return None,
    })
}

/// A day without a year: the next one, or for what lies behind us the last one.
fn nearest(month: u32, day: u32, calendar: &Calendar) -> Option<NaiveDate> {
    let today = calendar.now.date();
    let years: [i32; 5] = if calendar.past { [0, -1, -2, -3, -4] } else { [0, 1, 2, 3, 4] };
    years
        .iter()
        .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day))
        .find(|date| if calendar.past { *date <= today } else { *date >= today })
}

/// A day without a month.
fn nearest_day(day: u32, calendar: &Calendar) -> Option<NaiveDate> {
    let today = calendar.now.date();
    let first = today.with_day(1)?;
    (0..12).find_map(|months| {
        let month = if calendar.past {
            first.checked_sub_months(Months::new(months))
        } else {
            first.checked_add_months(Months::new(months))
        }?;
        month.with_day(day).filter(|date| if calendar.past { *date <= today } else { *date >= today })
    })
}

fn full_year(short: i32, calendar: &Calendar) -> i32 {
    let century = calendar.now.year() / 100 * 100;
    let year = century + short;
    if calendar.past && year > calendar.now.year() { year - 100 } else { year }
}
