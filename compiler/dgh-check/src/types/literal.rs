//! What the text of a literal means, and which texts are a phone number, an address, a language.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use dgh_ir::Currency;
use rust_decimal::Decimal;

/// `10_000`
pub(crate) fn int(text: &str) -> Option<i64> {
    plain(text).parse().ok()
}

/// `0.5`, `10_000.25`
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(&plain(text)).ok()
}

/// `0.40 USD`: none where the currency or the number does not exist.
pub(crate) fn money(text: &str) -> Option<(Decimal, Currency)> {
    let split = text.find(|c: char| c.is_ascii_uppercase())?;
    let (amount, code) = text.split_at_checked(split)?;
    Some((decimal(amount.trim_end())?, super::currency(code.trim())?))
}

/// `700ms`, `1.2s`, `6min`, `4h`, `7d`: milliseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (amount, unit) = text.split_at_checked(split)?;
    let factor: i64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let ms = decimal(amount)?.checked_mul(Decimal::from(factor))?;
    i64::try_from(ms.round()).ok()
}

/// `2026-03-01`
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    if text.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// `2026-03-01T10:00`, `2026-03-01T10:00:30`
pub(crate) fn datetime(text: &str) -> Option<NaiveDateTime> {
    let (day, clock) = text.split_once('T')?;
    Some(date(day)?.and_time(time(clock)?))
}

/// `9:00`, `09:00`, `09:00:30`; `24:00` only ends a range and is not a time.
pub(crate) fn time(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let hour = digits_of(parts.next()?, 1, 2)?;
    let minute = digits_of(parts.next()?, 2, 2)?;
    let second = parts.next().map_or(Some(0), |s| digits_of(s, 2, 2))?;
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)
}

fn digits_of(text: &str, min: usize, max: usize) -> Option<u32> {
    if text.len() < min || text.len() > max || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| *c != '_').collect()
}

/// Whether a text is a phone number in E.164: a plus, then 7 to 15 digits, not starting with 0.
pub(crate) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|rest| {
        (7..=15).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()) && !rest.starts_with('0')
    })
}

/// A phone number in E.164 with spaces, brackets or dashes in it, without them.
pub(crate) fn tidy_phone(text: &str) -> Option<String> {
    let tidy: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/')).collect();
    is_phone(&tidy).then_some(tidy)
}

/// Whether a text has the shape of an e-mail address.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && !local.contains(['@', ' '])
        && domain.split('.').count() >= 2
        && domain.split('.').all(|l| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

/// Whether a text is an absolute address that the runtime can reach.
pub(crate) fn is_url(text: &str) -> bool {
    ["https://", "http://", "wss://", "ws://"].iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_alphanumeric() || c == '[') && !rest.contains(char::is_whitespace)
        })
    })
}

/// Whether a text is digits alone.
pub(crate) fn is_digits(text: &str, count: u32) -> bool {
    text.len() == count as usize && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has the shape of a language tag of BCP 47: `en`, `en-US`, `zh-Hant-TW`.
pub(crate) fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
    primary && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether a text names a time zone of the IANA database.
pub(crate) fn is_time_zone(text: &str) -> bool {
    text.parse::<chrono_tz::Tz>().is_ok()
}

/// Whether a text is keys of a telephone.
pub(crate) fn is_keys(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'))
}

/// The codes of ISO 4217 that money is paid in, sorted.
pub(crate) const CURRENCIES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD",
    "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY",
    "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP",
    "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR",
    "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR",
    "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK",
    "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD",
    "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY",
    "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD",
    "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_are_milliseconds() {
        for (text, ms) in
            [("700ms", 700), ("1.2s", 1200), ("6min", 360_000), ("4h", 14_400_000), ("7d", 604_800_000)]
        {
            assert_eq!(duration(text), Some(ms), "{text}");
        }
        assert_eq!(duration("3weeks"), None);
        assert_eq!(duration("99999999999999999999d"), None);
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        assert!(date("2028-02-29").is_some());
        assert_eq!(date("2026-02-29"), None);
        assert_eq!(date("2026-3-1"), None);
        assert!(datetime("2026-03-01T10:00").is_some());
        assert_eq!(datetime("2026-03-01T25:00"), None);
    }

    #[test]
    fn money_has_a_currency_that_exists() {
        assert_eq!(money("0.40 USD").unwrap().0, Decimal::new(40, 2));
        assert_eq!(money("10_000 USD").unwrap().0, Decimal::from(10_000));
        assert_eq!(money("5 USB"), None);
        assert!(CURRENCIES.is_sorted());
    }

    #[test]
    fn shapes() {
        assert!(is_phone("+14155550100") && !is_phone("4155550100") && !is_phone("+0155550100"));
        assert_eq!(tidy_phone("+1 (415) 555-0100").as_deref(), Some("+14155550100"));
        assert!(is_email("ann@example.com") && !is_email("ann@example") && !is_email("ann example@x.com"));
        assert!(is_url("https://example.com/x") && !is_url("example.com") && !is_url("https://"));
        assert!(
            is_language_tag("en-US")
                && is_language_tag("es")
                && !is_language_tag("english")
                && !is_language_tag("EN")
        );
        assert!(is_time_zone("Europe/Berlin") && !is_time_zone("Berlin"));
    }
}
