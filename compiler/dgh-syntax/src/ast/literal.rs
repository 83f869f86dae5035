//! Literals and their values.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

use super::{token, views};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// A number, amount, duration, date, time, `true`, `false` or `none`.
    Literal {
        /// `USD`
        one currency: Currency;
    }
    /// `USD`
    Currency {}
}

/// What a literal stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiteralValue {
    /// `10_000`
    Int(i64),
    /// `0.5`
    Number(Decimal),
    /// `0.40 USD`
    Money {
        /// How much.
        amount: Decimal,
        /// Three capital letters, as written.
        currency: String,
    },
    /// `25%` is 25
    Percent(Decimal),
    /// In milliseconds.
    Duration(u64),
    /// `2026-03-01`
    Date(NaiveDate),
    /// `2026-03-01T10:00`, in the agent's time zone
    DateTime(NaiveDateTime),
    /// `9:00`, in the agent's time zone
    Time(NaiveTime),
    /// `true`, `false`
    Bool(bool),
    /// `none`
    None,
}

impl Literal {
    /// The token of the literal; of an amount, that of the number.
    pub fn token(&self) -> Option<SyntaxToken> {
        self.0
            .children_with_tokens()
            .filter_map(rowan::NodeOrToken::into_token)
            .find(|t| !t.kind().is_trivia())
    }

    /// The value; none if there is no such date, time or number, which was reported.
    pub fn value(&self) -> Option<LiteralValue> {
        let token = self.token()?;
        let value = value(token.kind(), token.text())?;
        let Some(currency) = self.currency() else { return Some(value) };
        let amount = match value {
            LiteralValue::Int(n) => Decimal::from(n),
            LiteralValue::Number(n) => n,
            _ => return None,
        };
        Some(LiteralValue::Money { amount, currency: currency.code() })
    }
}

impl Currency {
    /// The three letters.
    pub fn code(&self) -> String {
        token(&self.0, SyntaxKind::Ident).map(|t| t.text().to_owned()).unwrap_or_default()
    }
}

/// The value of one token.
pub(crate) fn value(kind: SyntaxKind, text: &str) -> Option<LiteralValue> {
    Some(match kind {
        SyntaxKind::Int => LiteralValue::Int(text.replace('_', "").parse().ok()?),
        SyntaxKind::Number => LiteralValue::Number(decimal(text)?),
        SyntaxKind::Percent => LiteralValue::Percent(decimal(text.strip_suffix('%')?)?),
        SyntaxKind::Duration => LiteralValue::Duration(duration(text)?),
        SyntaxKind::Date => LiteralValue::Date(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?),
        SyntaxKind::DateTime => LiteralValue::DateTime(
            ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
                .iter()
                .find_map(|f| NaiveDateTime::parse_from_str(text, f).ok())
                .filter(|t| !is_leap_second(*t))?,
        ),
        SyntaxKind::Time => LiteralValue::Time(NaiveTime::parse_from_str(text, "%H:%M").ok()?),
        SyntaxKind::Ident => match text {
            "true" => LiteralValue::Bool(true),
            "false" => LiteralValue::Bool(false),
            "none" => LiteralValue::None,
            _ => return None,
        },
        _ => return None,
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    text.replace('_', "").parse().ok()
}

fn duration(text: &str) -> Option<u64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let millis: u32 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let exact = decimal(number)?.checked_mul(Decimal::from(millis))?;
    // Half a millisecond is no duration that anything here could keep.
    exact.fract().is_zero().then(|| u64::try_from(exact).ok()).flatten()
}

fn is_leap_second(time: NaiveDateTime) -> bool {
    use chrono::Timelike as _;
    time.nanosecond() >= 1_000_000_000
}
