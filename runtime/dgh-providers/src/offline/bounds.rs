//! Which days a description allows: "Today or later", "Within 30 days".

use chrono::{Days, NaiveDate};

use super::numbers::numbers;
use super::patterns::says;
use super::words::{Words, plain};

/// The days that a description allows, counted from today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DayBounds {
    /// Not before today.
    from_today: bool,
    /// Not today either.
    after_today: bool,
    /// At most as many days ahead.
    within: Option<u64>,
}

impl DayBounds {
    /// Reads them from a description.
    pub(super) fn of(about: &str) -> Self {
        let words = Words::new(about);
        let text = plain(&words);
        let within = within(&words);
        let after_today =
            says(&text, "tomorrow or later|after; later than today; after today; from tomorrow");
        let from_today = after_today
            || within.is_some()
            || says(
                &text,
                "today or later|after; not|never in the past; in the future; future date|day; from today; \
                 not before|earlier today; not earlier than today; no earlier than today",
            );
        Self { from_today, after_today, within }
    }

    /// Why a day is not allowed, said to the caller.
    pub(super) fn refusal(self, day: NaiveDate, today: NaiveDate) -> Option<String> {
        if self.from_today && day < today {
            return Some("That day is past.".to_owned());
        }
        if self.after_today && day == today {
            return Some("Today is too soon.".to_owned());
        }
        let within = self.within?;
        let last = today.checked_add_days(Days::new(within))?;
        (day > last).then(|| format!("That day is more than {within} days away."))
    }
}

/// "Within 30 days", "in the next two weeks".
fn within(words: &Words) -> Option<u64> {
    numbers(words).into_iter().filter(|number| !number.ordinal).find_map(|number| {
        let start = number.places.start;
        let ahead = words.is(start.wrapping_sub(1), &["within"])
            || words.is(start.wrapping_sub(1), &["next"]) && words.is(start.wrapping_sub(2), &["the"]);
        let days = match words.at(number.places.end) {
            "day" | "days" => 1,
            "week" | "weeks" => 7,
            _ => return None,
        };
        // "Within 30 days of the accident" counts from another day.
        let from_here = !words.is(number.places.end + 1, &["of", "after", "before", "from"])
            || words.is(number.places.end + 2, &["today", "now"]);
        let count = u64::try_from(number.whole()?).ok().filter(|count| *count < 10_000)?;
        (ahead && from_here).then_some(count * days)
    })
}
