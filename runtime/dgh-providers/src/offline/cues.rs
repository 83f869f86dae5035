//! Small signs in a text that tell how a value in it is meant.

use std::ops::Range;

use super::numbers::year_at;
use super::patterns::says;
use super::questions::is_question;
use super::words::{Words, plain};

/// Whether a date was said with its year.
pub(super) fn says_year(words: &Words, places: &Range<usize>) -> bool {
    let slashes = places.clone().filter(|place| words.is(*place, &["/", ".", "-"])).count();
    slashes > 1 || places.clone().any(|place| year_at(words, place).is_some() || words.at(place) == "ago")
}

/// "What day is it today?" names no day.
pub(super) fn asks_the_date(words: &Words) -> bool {
    let plain = plain(words);
    says(&plain, "what|which day|date|time is; what is the|today date|time|s")
}

/// "I would like the family pack" chooses anew.
pub(super) fn wishes(words: &Words) -> bool {
    says(&plain(words), "i|we want|prefer|take|choose; would|will prefer|take|choose|like; go with|for")
        && !is_question(words)
}

/// "Do you have anything on Friday?" wants that Friday; "Are you open on Friday?" may not.
pub(super) fn asks_for_room(words: &Words) -> bool {
    says(
        &plain(words),
        "do you have; have you got; is|are there; anything|something; free|available|availability|slot|slots|opening|openings; \
         come|see|book",
    )
}

/// Whether a description asks for a firm.
pub(super) fn asks_company(about: &str) -> bool {
    ["company", "firm", "business", "employer", "organi", "calling from"]
        .iter()
        .any(|word| about.to_lowercase().contains(word))
}

/// The currency that a description names: "in US dollars".
pub(super) fn named_currency(about: &str) -> Option<&'static str> {
    CURRENCIES.iter().find(|(word, ..)| about.contains(word)).map(|(_, code, _)| *code)
}

/// How a currency is said.
pub(super) fn currency_name(code: &str) -> &str {
    CURRENCIES.iter().find(|(_, known, _)| *known == code).map_or(code, |(.., name)| *name)
}

const CURRENCIES: [(&str, &str, &str); 6] = [
    ("euro", "EUR", "euros"),
    ("pound", "GBP", "pounds"),
    ("dollar", "USD", "US dollars"),
    ("franc", "CHF", "Swiss francs"),
    ("yen", "JPY", "yen"),
    ("rupee", "INR", "rupees"),
];

/// A length of time as the language writes it: `90s`, `5min`, `2h`.
pub(super) fn written_duration(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    if seconds % 3600 == 0 {
        format!("{}h", seconds / 3600)
    } else if seconds % 60 == 0 {
        format!("{}min", seconds / 60)
    } else {
        format!("{seconds}s")
    }
}
