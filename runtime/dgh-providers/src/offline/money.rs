//! Amounts of money: "about 20 thousand dollars", `$15k`, "two fifty", "between 10 and 20 grand".

use rust_decimal::Decimal;

use super::hits::Hit;
use super::numbers::{Number, number_at, numbers, tens_word};
use super::words::Words;

/// An amount and its currency, when that was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    /// How much.
    pub(super) value: Decimal,
    /// ISO 4217.
    pub(super) currency: Option<&'static str>,
}

/// All amounts. A bare number is unsure. `upper`: of a range, which end counts.
pub(super) fn amounts(words: &Words, upper: bool) -> Vec<Hit<Amount>> {
    let mut found: Vec<Hit<Amount>> = Vec::new();
    for number in numbers(words) {
        if number.ordinal
            || number.value.is_sign_negative()
            || found.iter().any(|hit| hit.overlaps(&number.places))
        {
            continue;
        }
        found.push(amount(words, &number));
    }
    ranges(words, found, upper)
}

fn amount(words: &Words, number: &Number) -> Hit<Amount> {
    let mut value = number.value;
    let mut places = number.places.clone();
    // "two fifty" and "three twenty five" leave out the hundred.
    if value >= Decimal::ONE
        && value < Decimal::TEN
        && value.fract().is_zero()
        && tens_word(words.at(places.end)).is_some()
        && let Some(rest) = number_at(words, places.end).filter(|rest| rest.value < Decimal::ONE_HUNDRED)
    {
        value = value * Decimal::ONE_HUNDRED + rest.value;
        places.end = rest.places.end;
    }
    let mut currency = None;
    if let Some(sign) = places.start.checked_sub(1).and_then(|at| sign(words.at(at))) {
        currency = Some(sign);
        places.start -= 1;
    }
    let behind = if words.stands(places.end, &["us"]) || words.stands(places.end, &["american"]) {
        places.end + 1
    } else {
        places.end
    };
    if let Some(code) = sign(words.at(behind)).or_else(|| unit(words.at(behind))) {
        currency = Some(code);
        places.end = behind + 1;
        let cents = if words.at(places.end) == "and" { places.end + 1 } else { places.end };
        if let Some(small) = number_at(words, cents).filter(|small| {
            small.value < Decimal::ONE_HUNDRED && words.is(small.places.end, &["cents", "cent", "pence"])
        }) {
            value += small.value / Decimal::ONE_HUNDRED;
            places.end = small.places.end + 1;
        }
    } else if words.is(behind, &["cents", "cent"]) {
        value /= Decimal::ONE_HUNDRED;
        currency = Some("USD");
        places.end = behind + 1;
    }
    let grand = words.raw(number.places.clone()).to_lowercase();
    // "I can pay 100"
    let led = matches!(words.before(number.places.start), "pay" | "paying" | "spend" | "afford" | "budget");
    let sure = currency.is_some() || led || grand.ends_with('k') || grand.ends_with("grand");
    Hit { value: Amount { value: value.normalize(), currency }, places, sure }
}

/// "10 to 20 thousand", "between ten and fifteen hundred dollars": one amount.
fn ranges(words: &Words, hits: Vec<Hit<Amount>>, upper: bool) -> Vec<Hit<Amount>> {
    let mut out: Vec<Hit<Amount>> = Vec::new();
    for hit in hits {
        let joined = out.last().is_some_and(|low| {
            let between = low.places.end..hit.places.start;
            between.len() == 1
                && (words.is(between.start, &["to", "-"])
                    || words.at(between.start) == "or"
                    || words.at(between.start) == "and" && words.before(low.places.start) == "between")
        });
        match out.last_mut() {
            Some(low) if joined => {
                // "10 to 20 thousand" means thousands at both ends.
                let scale = [1_000_000, 1_000, 100]
                    .into_iter()
                    .map(Decimal::from)
                    .find(|scale| hit.value.value >= *scale && low.value.value < Decimal::ONE_HUNDRED);
                if let Some(scale) = scale {
                    low.value.value *= scale;
                }
                if upper {
                    low.value.value = hit.value.value;
                }
                low.value.currency = hit.value.currency.or(low.value.currency);
                low.sure |= hit.sure;
                low.places.end = hit.places.end;
            }
            _ => out.push(hit),
        }
    }
    out
}

fn sign(mark: &str) -> Option<&'static str> {
    Some(match mark {
        "$" => "USD",
        "€" => "EUR",
        "£" => "GBP",
        "¥" => "JPY",
        "₹" => "INR",
        _ => return None,
    })
}

fn unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "dollar" | "dollars" | "bucks" | "buck" | "usd" => "USD",
        "euro" | "euros" | "eur" => "EUR",
        "pound" | "pounds" | "quid" | "gbp" => "GBP",
        "franc" | "francs" | "chf" => "CHF",
        "yen" | "jpy" => "JPY",
        "rupee" | "rupees" | "inr" => "INR",
        "peso" | "pesos" | "mxn" => "MXN",
        "cad" => "CAD",
        "aud" => "AUD",
        _ => return None,
    })
}
