//! Values at run time.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency(pub [u8; 3]);

/// A value. Equality of two is equality in the language, but for money of two currencies, which
/// is an error there.
///
/// Its serde form is for the saved state of a call, which never leaves its release; everybody
/// else reads and writes values by their type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Missing.
    None,
    /// `bool`
    Bool(bool),
    /// `int`, and a range type
    Int(i64),
    /// `number`
    Number(Decimal),
    /// `text`, `phone` (E.164), `email`, `url`, `digits(n)`
    Text(String),
    /// `money`
    Money(Decimal, Currency),
    /// `date`
    Date(NaiveDate),
    /// `time`
    Time(NaiveTime),
    /// `datetime`, in the agent's time zone
    DateTime(NaiveDateTime),
    /// `duration`, milliseconds
    Duration(i64),
    /// A case of an enum.
    Case(String),
    /// A record; a field that is missing is absent or `None`.
    Record(IndexMap<String, Value>),
    /// A list.
    List(Vec<Value>),
}

impl Currency {
    /// Reads three capital letters.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}
