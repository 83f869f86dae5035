//! Numbers in digits and in words: `20,000`, "two and a half thousand", "fifteen", "the 5th".

use std::ops::Range;

use rust_decimal::Decimal;

use super::words::{Kind, Words};

/// A number and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// The value.
    pub(super) value: Decimal,
    /// The words it takes.
    pub(super) places: Range<usize>,
    /// "the fifth", `5th`.
    pub(super) ordinal: bool,
}

impl Number {
    /// The value, when it is whole.
    pub(super) fn whole(&self) -> Option<i64> {
        if !self.value.fract().is_zero() {
            return None;
        }
        self.value.trunc().to_string().parse().ok()
    }
}

/// All numbers, from left to right, each as long as it can be.
pub(super) fn numbers(words: &Words) -> Vec<Number> {
    let mut found = Vec::new();
    let mut place = 0;
    while place < words.len() {
        if is_pronoun(words, place) {
            place += 1;
        } else if let Some(number) = number_at(words, place) {
            place = number.places.end;
            found.push(number);
        } else {
            place += 1;
        }
    }
    found
}

/// "one" that stands for a thing: "the one at eleven", "the second one", "no one".
fn is_pronoun(words: &Words, place: usize) -> bool {
    if words.at(place) != "one" {
        return false;
    }
    let before = words.before(place);
    let counted =
        matches!(before, "number" | "option" | "choice" | "for" | "just" | "only" | "is" | "," | "");
    words.is(place + 1, &["moment", "sec", "second", "minute"])
        || !counted
            && (words.at(place.wrapping_sub(2)) == "the"
                || matches!(
                    before,
                    "the"
                        | "this"
                        | "that"
                        | "which"
                        | "any"
                        | "another"
                        | "other"
                        | "no"
                        | "every"
                        | "each"
                        | "next"
                        | "last"
                        | "latest"
                        | "earliest"
                        | "earlier"
                        | "later"
                        | "first"
                        | "second"
                        | "third"
                        | "good"
                        | "same"
                        | "either"
                )
                || words.is(place + 1, &["of", "on", "at", "with", "in", "more", "moment", "sec", "second"]))
}

/// The number that starts at a word.
pub(super) fn number_at(words: &Words, start: usize) -> Option<Number> {
    let mut place = start;
    let negative = matches!(words.at(place), "minus" | "negative")
        || (words.at(place) == "-" && !words.glued(place) && words.glued(place + 1));
    if negative {
        place += 1;
    }
    if let Some(ordinal) = ordinal_at(words, place) {
        return (!negative).then_some(Number { places: start..ordinal.places.end, ..ordinal });
    }
    let (mut value, mut end) = match words.kind(place) {
        Kind::Digits => digits_at(words, place)?,
        Kind::Letters => spelled_at(words, place)?,
        Kind::Mark => return None,
    };
    while let Some((factor, next)) = scale_at(words, end) {
        value = value.checked_mul(factor)?;
        end = next;
        // "two thousand five hundred", "three thousand and fifty"
        let more = if words.at(end) == "and" { end + 1 } else { end };
        if let Some((rest, next)) =
            spelled_at(words, more).filter(|(rest, _)| *rest < factor && *rest >= Decimal::ONE)
        {
            let (rest, next) = match scale_at(words, next) {
                Some((small, after)) if small < factor => (rest.checked_mul(small)?, after),
                _ => (rest, next),
            };
            value = value.checked_add(rest)?;
            end = next;
        }
    }
    // "two and a half"
    if words.stands(end, &["and", "a", "half"]) {
        value = value.checked_add(Decimal::new(5, 1))?;
        end += 3;
        if let Some((factor, next)) = scale_at(words, end) {
            value = value.checked_mul(factor)?;
            end = next;
        }
    }
    if negative {
        value.set_sign_negative(true);
    }
    Some(Number { value, places: start..end, ordinal: false })
}

/// `5th`, "fifth", "twenty first".
fn ordinal_at(words: &Words, place: usize) -> Option<Number> {
    if words.kind(place) == Kind::Digits {
        let suffixed = words.glued(place + 1) && words.is(place + 1, &["st", "nd", "rd", "th"]);
        let value = words.at(place).parse::<u32>().ok().filter(|_| suffixed)?;
        return Some(Number { value: value.into(), places: place..place + 2, ordinal: true });
    }
    // "one second" is a time to wait.
    let unit = words.at(place) == "second"
        && matches!(words.before(place), "one" | "a" | "per" | "split" | "just" | "1");
    if let Some(value) = ordinal_word(words.at(place)).filter(|_| !unit) {
        return Some(Number { value: value.into(), places: place..place + 1, ordinal: true });
    }
    let tens = tens_word(words.at(place))?;
    let next = if words.at(place + 1) == "-" { place + 2 } else { place + 1 };
    let ones = ordinal_word(words.at(next)).filter(|ones| *ones < 10)?;
    Some(Number { value: (tens + ones).into(), places: place..next + 1, ordinal: true })
}

/// `20`, `20,000`, `1.5`, and a `k` or `m` glued to it.
fn digits_at(words: &Words, place: usize) -> Option<(Decimal, usize)> {
    let mut text = words.at(place).to_owned();
    let mut end = place + 1;
    while words.at(end) == ","
        && words.glued(end)
        && words.glued(end + 1)
        && words.kind(end + 1) == Kind::Digits
        && words.at(end + 1).len() == 3
        && text.len() <= 12
    {
        text.push_str(words.at(end + 1));
        end += 2;
    }
    if words.at(end) == "." && words.glued(end) && words.glued(end + 1) && words.kind(end + 1) == Kind::Digits
    {
        // `1.2.2026` and `192.168.0.1` are no numbers.
        let more = words.at(end + 2) == "."
            && words.glued(end + 2)
            && words.kind(end + 3) == Kind::Digits
            && words.glued(end + 3);
        if more {
            return None;
        }
        text.push('.');
        text.push_str(words.at(end + 1));
        end += 2;
    }
    Some((text.parse().ok()?, end))
}

/// "two hundred fifty", "twenty-five", "a hundred", "one point five", "half a million".
fn spelled_at(words: &Words, place: usize) -> Option<(Decimal, usize)> {
    if words.stands(place, &["half", "a"]) && scale_at(words, place + 2).is_some() {
        return Some((Decimal::new(5, 1), place + 2));
    }
    if words.is(place, &["a", "an"]) {
        if words.stands(place + 1, &["couple"]) {
            return Some((2.into(), if words.at(place + 2) == "of" { place + 3 } else { place + 2 }));
        }
        if words.stands(place + 1, &["dozen"]) {
            return Some((12.into(), place + 2));
        }
        let scaled = words.at(place + 1) == "hundred"
            || scale_at(words, place + 1)
                .is_some_and(|_| words.kind(place + 1) == Kind::Letters && words.at(place + 1).len() > 1);
        if !scaled {
            return None;
        }
        return hundreds(words, Decimal::ONE, place + 1);
    }
    let (small, end) = below_hundred(words, place)?;
    if words.at(end) == "point" {
        let mut text = format!("{small}.");
        let mut end = end + 1;
        while let Some(digit) = digit_word(words.at(end)) {
            text.push_str(&digit.to_string());
            end += 1;
        }
        return text.parse().ok().map(|value| (value, end));
    }
    hundreds(words, small.into(), end)
}

/// Goes on after "two" with "hundred and fifty".
fn hundreds(words: &Words, head: Decimal, place: usize) -> Option<(Decimal, usize)> {
    if words.at(place) != "hundred" {
        return Some((head, place));
    }
    let value = head.checked_mul(100.into())?;
    let mut end = place + 1;
    let more = if words.at(end) == "and" { end + 1 } else { end };
    let Some((rest, next)) = below_hundred(words, more) else { return Some((value, end)) };
    end = next;
    Some((value.checked_add(rest.into())?, end))
}

fn below_hundred(words: &Words, place: usize) -> Option<(u32, usize)> {
    if let Some(tens) = tens_word(words.at(place)) {
        let next = if words.at(place + 1) == "-" { place + 2 } else { place + 1 };
        return match digit_word(words.at(next))
            .filter(|ones| *ones > 0 && words.at(next) != "o" && words.at(next) != "oh")
        {
            Some(ones) => Some((tens + ones, next + 1)),
            None => Some((tens, place + 1)),
        };
    }
    let value = digit_word(words.at(place))
        .filter(|_| !words.is(place, &["o", "oh"]))
        .or_else(|| teen_word(words.at(place)))?;
    Some((value, place + 1))
}

fn scale_at(words: &Words, place: usize) -> Option<(Decimal, usize)> {
    let factor: i64 = match words.at(place) {
        "hundred" if words.kind(place.checked_sub(1)?) == Kind::Digits => 100,
        "thousand" | "grand" => 1_000,
        "k" if words.glued(place) => 1_000,
        "million" | "mil" => 1_000_000,
        "m" if words.glued(place) => 1_000_000,
        "billion" => 1_000_000_000,
        _ => return None,
    };
    Some((factor.into(), place + 1))
}

/// "zero" to "nine", and the "oh" of telephone numbers.
pub(super) fn digit_word(word: &str) -> Option<u32> {
    Some(match word {
        "zero" | "oh" | "o" | "nought" => 0,
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        _ => return None,
    })
}

/// "ten" to "nineteen".
pub(super) fn teen_word(word: &str) -> Option<u32> {
    Some(match word {
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        _ => return None,
    })
}

/// "twenty" to "ninety".
pub(super) fn tens_word(word: &str) -> Option<u32> {
    Some(match word {
        "twenty" => 20,
        "thirty" => 30,
        "forty" | "fourty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

fn ordinal_word(word: &str) -> Option<u32> {
    Some(match word {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "eleventh" => 11,
        "twelfth" => 12,
        "thirteenth" => 13,
        "fourteenth" => 14,
        "fifteenth" => 15,
        "sixteenth" => 16,
        "seventeenth" => 17,
        "eighteenth" => 18,
        "nineteenth" => 19,
        "twentieth" => 20,
        "thirtieth" => 30,
        _ => return None,
    })
}

/// A year in words: "nineteen eighty-eight", "twenty twenty six", "two thousand five".
pub(super) fn year_at(words: &Words, place: usize) -> Option<(i64, usize)> {
    if words.kind(place) == Kind::Digits {
        let year = words.at(place).parse().ok().filter(|year| (1900..=2100).contains(year))?;
        return Some((year, place + 1));
    }
    let century = match words.at(place) {
        "nineteen" => 1900,
        "twenty" => 2000,
        _ => {
            let number = number_at(words, place).filter(|number| !number.ordinal)?;
            let year = number.whole().filter(|year| (1900..=2100).contains(year))?;
            return Some((year, number.places.end));
        }
    };
    let next = if words.at(place + 1) == "-" { place + 2 } else { place + 1 };
    if words.is(next, &["oh", "o"]) {
        return digit_word(words.at(next + 1)).map(|ones| (century + i64::from(ones), next + 2));
    }
    if words.at(next) == "hundred" {
        return Some((century, next + 1));
    }
    let (rest, end) = below_hundred(words, next)?;
    (rest >= 10).then_some((century + i64::from(rest), end))
}
