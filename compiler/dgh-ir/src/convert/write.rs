//! Values to JSON.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value as Json};

use crate::value::Value;

/// A value as JSON: ISO 8601 dates and times, seconds for durations, `{amount, currency}` for
/// money. Fields that are missing are left out.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Number(value) => number(*value),
        Value::Text(text) | Value::Case(text) => Json::String(text.clone()),
        Value::Money(amount, currency) => {
            let mut object = Map::new();
            object.insert("amount".into(), number(*amount));
            object.insert("currency".into(), currency.code().into());
            Json::Object(object)
        }
        Value::Date(date) => date.format("%Y-%m-%d").to_string().into(),
        Value::Time(time) => time.format("%H:%M:%S%.f").to_string().into(),
        Value::DateTime(at) => at.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
        Value::Duration(ms) => number(Decimal::new(*ms, 3)),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Record(fields) => {
            let present = fields.iter().filter(|(_, value)| **value != Value::None);
            Json::Object(present.map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
    }
}

/// A JSON number where it holds every digit, else a text.
fn number(value: Decimal) -> Json {
    let text = value.normalize().to_string();
    let number = Number::from_str(&text).ok();
    match number {
        Some(number) if Decimal::from_str(&number.to_string()) == Ok(value) => Json::Number(number),
        _ => Json::String(text),
    }
}
