//! JSON to values.

use std::fmt::Write as _;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::error::{ConvertError, expected, found};
use super::locale::Locale;
use crate::math::whole;
use crate::program::Program;
use crate::shape;
use crate::types::{Kind, Type};
use crate::value::{Currency, Value};

/// A value of a type, from JSON. Fields that a record does not declare are ignored.
pub fn from_json(
    program: &Program,
    ty: &Type,
    json: &Json,
    locale: impl Into<Locale>,
) -> Result<Value, ConvertError> {
    Reader { program, locale: locale.into(), path: Vec::new() }.read(ty, json)
}

/// A value of a type, from a text that a person typed: keys, a line, a table cell. JSON where the
/// type is a list or a record.
pub fn from_text(
    program: &Program,
    ty: &Type,
    text: &str,
    locale: impl Into<Locale>,
) -> Result<Value, ConvertError> {
    let json = match ty.kind {
        Kind::List(_) | Kind::Record(_) | Kind::Json => serde_json::from_str(text).ok(),
        _ => None,
    };
    from_json(program, ty, &json.unwrap_or_else(|| Json::String(text.into())), locale)
}

struct Reader<'a> {
    program: &'a Program,
    locale: Locale,
    path: Vec<Segment<'a>>,
}

enum Segment<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Reader<'a> {
    fn read(&mut self, ty: &'a Type, json: &Json) -> Result<Value, ConvertError> {
        if json.is_null() && (ty.optional || matches!(ty.kind, Kind::Nothing)) {
            return Ok(Value::None);
        }
        match &ty.kind {
            Kind::List(item) => self.list(ty, item, json),
            Kind::Record(id) => match self.program.records.get(*id) {
                Some(def) => self.record(ty, &def.fields, json),
                None => Err(self.wrong(ty, json)),
            },
            kind => self.plain(kind, json).ok_or_else(|| self.wrong(ty, json)),
        }
    }

    fn list(&mut self, ty: &'a Type, item: &'a Type, json: &Json) -> Result<Value, ConvertError> {
        let Json::Array(items) = json else { return Err(self.wrong(ty, json)) };
        let mut values = Vec::with_capacity(items.len());
        for (index, json) in items.iter().enumerate() {
            self.path.push(Segment::Index(index));
            values.push(self.read(item, json)?);
            self.path.pop();
        }
        Ok(Value::List(values))
    }

    fn record(
        &mut self,
        ty: &'a Type,
        fields: &'a [crate::program::FieldDef],
        json: &Json,
    ) -> Result<Value, ConvertError> {
        let Json::Object(object) = json else { return Err(self.wrong(ty, json)) };
        let mut record = IndexMap::with_capacity(fields.len());
        for field in fields {
            self.path.push(Segment::Field(&field.name));
            match self.read(&field.ty, object.get(&field.name).unwrap_or(&Json::Null))? {
                Value::None => {}
                value => {
                    record.insert(field.name.clone(), value);
                }
            }
            self.path.pop();
        }
        Ok(Value::Record(record))
    }

    fn plain(&self, kind: &Kind, json: &Json) -> Option<Value> {
        let text = json.as_str();
        match kind {
            Kind::Text => match json {
                Json::String(text) => Some(Value::Text(text.clone())),
                Json::Number(number) => Some(Value::Text(number.to_string())),
                _ => None,
            },
            Kind::Bool => match json {
                Json::Bool(value) => Some(Value::Bool(*value)),
                Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                    "true" | "yes" => Some(Value::Bool(true)),
                    "false" | "no" => Some(Value::Bool(false)),
                    _ => None,
                },
                _ => None,
            },
            Kind::Int => int(json).map(Value::Int),
            Kind::IntRange(low, high) => int(json).filter(|x| (low..=high).contains(&x)).map(Value::Int),
            Kind::Number => number(json).map(Value::Number),
            Kind::Money(fixed) => money(*fixed, json),
            Kind::Date => shape::date(text?.trim()).map(Value::Date),
            Kind::Time => shape::time(text?).map(Value::Time),
            Kind::DateTime => shape::datetime(text?, &self.locale).map(Value::DateTime),
            Kind::Duration => match number(json) {
                Some(seconds) => {
                    let ms = seconds.checked_mul(Decimal::ONE_THOUSAND)?;
                    whole(ms.round()).ok().map(Value::Duration)
                }
                None => shape::duration(text?).map(Value::Duration),
            },
            Kind::Phone => match json {
                Json::Number(number) => shape::phone(&number.to_string(), &self.locale),
                _ => shape::phone(text?, &self.locale),
            }
            .map(Value::Text),
            Kind::Email => Some(text?.trim()).filter(|t| shape::is_email(t)).map(owned),
            Kind::Url => Some(text?.trim()).filter(|t| shape::is_url(t)).map(owned),
            Kind::Digits(count) => match json {
                Json::Number(number) => shape::digits(&number.to_string(), *count),
                _ => shape::digits(text?, *count),
            }
            .map(Value::Text),
            Kind::Enum(id) => {
                let cases = &self.program.enums.get(*id)?.cases;
                case(cases, text?).map(Value::Case)
            }
            Kind::Json | Kind::Hole => any(json),
            Kind::Nothing | Kind::Secret | Kind::Range(_) | Kind::List(_) | Kind::Record(_) => None,
        }
    }

    fn wrong(&self, ty: &Type, json: &Json) -> ConvertError {
        let mut path = String::new();
        for segment in &self.path {
            // Writing to a String cannot fail.
            let _ = match segment {
                Segment::Field(name) if path.is_empty() => write!(path, "{name}"),
                Segment::Field(name) => write!(path, ".{name}"),
                Segment::Index(index) => write!(path, "[{index}]"),
            };
        }
        ConvertError { path, expected: expected(self.program, &ty.kind), found: found(json, ty.private) }
    }
}

fn owned(text: &str) -> Value {
    Value::Text(text.into())
}

fn number(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => shape::decimal(&number.to_string()),
        Json::String(text) => shape::decimal(text),
        _ => None,
    }
}

fn int(json: &Json) -> Option<i64> {
    let number = number(json)?;
    number.is_integer().then(|| whole(number).ok()).flatten()
}

fn money(fixed: Option<Currency>, json: &Json) -> Option<Value> {
    let (amount, currency) = match json {
        Json::Number(_) => (number(json)?, fixed?),
        Json::String(text) => match shape::money(text) {
            Some(money) => money,
            None => (shape::decimal(text)?, fixed?),
        },
        Json::Object(object) => {
            let amount = number(object.get("amount")?)?;
            let currency = match object.get("currency") {
                Some(code) => Currency::parse(&code.as_str()?.trim().to_ascii_uppercase())?,
                None => fixed?,
            };
            (amount, currency)
        }
        _ => return None,
    };
    (fixed.is_none_or(|fixed| fixed == currency)).then_some(Value::Money(amount, currency))
}

/// The case as written, or the one that differs only in capitals and `_`.
fn case(cases: &[String], text: &str) -> Option<String> {
    if let Some(case) = cases.iter().find(|case| *case == text) {
        return Some(case.clone());
    }
    let tidy = text.trim().to_lowercase().replace([' ', '-'], "_");
    cases.iter().find(|case| **case == tidy).cloned()
}

/// Any JSON as a value; numbers become whole ones where they are.
fn any(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(_) => match int(json) {
            Some(value) => Value::Int(value),
            None => Value::Number(number(json)?),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(any).collect::<Option<_>>()?),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.clone(), any(value)?)));
            Value::Record(fields.collect::<Option<_>>()?)
        }
    })
}
