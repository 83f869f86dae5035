//! Comparison and arithmetic of values: checked, exact, without floats.

use std::cmp::Ordering;

use chrono::{Days, NaiveTime, TimeDelta, Timelike};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::expr::{CmpOp, MathOp};
use crate::scope::EvalError;
use crate::value::Value;

const DAY_MS: i64 = 86_400_000;

/// `a op b` for a comparison. Equality takes any two values, but not money of two currencies;
/// a missing value equals only a missing one. Order takes numbers, money, dates, times, durations.
pub(crate) fn compare(op: CmpOp, a: &Value, b: &Value) -> Result<bool, EvalError> {
    Ok(match op {
        CmpOp::Eq => equal(a, b)?,
        CmpOp::Ne => !equal(a, b)?,
        CmpOp::Lt => order(op.name(), a, b)?.is_lt(),
        CmpOp::Le => order(op.name(), a, b)?.is_le(),
        CmpOp::Gt => order(op.name(), a, b)?.is_gt(),
        CmpOp::Ge => order(op.name(), a, b)?.is_ge(),
    })
}

#[allow(clippy::many_single_char_names, reason = "the names of mathematics")]
/// Equality in the language: whole numbers equal numbers, a case equals its text.
pub(crate) fn equal(a: &Value, b: &Value) -> Result<bool, EvalError> {
    Ok(match (a, b) {
        (Value::Money(x, p), Value::Money(y, q)) if p == q => x == y,
        (Value::Money(_, p), Value::Money(_, q)) => return Err(EvalError::Currencies(*p, *q)),
        (Value::Int(x), Value::Number(y)) | (Value::Number(y), Value::Int(x)) => Decimal::from(*x) == *y,
        (Value::Case(x), Value::Text(y)) | (Value::Text(y), Value::Case(x)) => x == y,
        (Value::List(x), Value::List(y)) => {
            if x.len() != y.len() {
                return Ok(false);
            }
            for (x, y) in x.iter().zip(y) {
                if !equal(x, y)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => a == b,
    })
}

#[allow(clippy::many_single_char_names, reason = "the names of mathematics")]
/// Order of two values that have one. `op` is for the message.
pub(crate) fn order(op: &'static str, a: &Value, b: &Value) -> Result<Ordering, EvalError> {
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => x.cmp(y),
        (Value::Int(x), Value::Number(y)) => Decimal::from(*x).cmp(y),
        (Value::Number(x), Value::Int(y)) => x.cmp(&Decimal::from(*y)),
        (Value::Number(x), Value::Number(y)) => x.cmp(y),
        (Value::Money(x, p), Value::Money(y, q)) if p == q => x.cmp(y),
        (Value::Money(_, p), Value::Money(_, q)) => return Err(EvalError::Currencies(*p, *q)),
        (Value::Date(x), Value::Date(y)) => x.cmp(y),
        (Value::Time(x), Value::Time(y)) => x.cmp(y),
        (Value::DateTime(x), Value::DateTime(y)) => x.cmp(y),
        (Value::Duration(x), Value::Duration(y)) => x.cmp(y),
        _ => return Err(operands(op, a, b)),
    })
}

/// `x in start..end`. Both ends belong to it, but for times and datetimes the end does not: a
/// desk open `9:00..18:00` is closed at 18:00. A time range whose end is not after its start goes
/// past midnight; with equal ends it is the whole day.
pub(crate) fn within(x: &Value, start: &Value, end: &Value) -> Result<bool, EvalError> {
    let after_start = order("in", x, start)?.is_ge();
    let to_end = order("in", x, end)?;
    order("..", start, end)?;
    Ok(match (x, start, end) {
        (Value::Time(_), Value::Time(from), Value::Time(to)) if to <= from => after_start || to_end.is_lt(),
        (Value::Time(_) | Value::DateTime(_), ..) => after_start && to_end.is_lt(),
        _ => after_start && to_end.is_le(),
    })
}

/// `a op b`. `/` of whole numbers is exact: `7 / 2` is 3.5.
pub(crate) fn compute(op: MathOp, a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) if op != MathOp::Div => ints(op, *x, *y),
        (Value::Int(_) | Value::Number(_), Value::Int(_) | Value::Number(_)) => {
            decimals(op, number(a)?, number(b)?).map(Value::Number)
        }
        (Value::Money(..), _) | (_, Value::Money(..)) => money(op, a, b),
        (Value::Duration(x), Value::Duration(y)) => durations(op, *x, *y),
        (Value::Duration(x), Value::Int(_) | Value::Number(_)) => match op {
            MathOp::Mul | MathOp::Div => {
                whole(decimals(op, Decimal::from(*x), number(b)?)?.round()).map(Value::Duration)
            }
            MathOp::Add | MathOp::Sub => Err(operands(op.name(), a, b)),
        },
        (Value::Int(_) | Value::Number(_), Value::Duration(_)) if op == MathOp::Mul => compute(op, b, a),
        _ => moments(op, a, b),
    }
}

/// `-x`
pub(crate) fn negate(x: &Value) -> Result<Value, EvalError> {
    Ok(match x {
        Value::Int(x) => Value::Int(x.checked_neg().ok_or(EvalError::Overflow)?),
        Value::Number(x) => Value::Number(-x),
        Value::Money(x, currency) => Value::Money(-x, *currency),
        Value::Duration(x) => Value::Duration(x.checked_neg().ok_or(EvalError::Overflow)?),
        _ => return Err(EvalError::Expected { expected: "a number", found: x.sort() }),
    })
}

fn ints(op: MathOp, x: i64, y: i64) -> Result<Value, EvalError> {
    let result = match op {
        MathOp::Add => x.checked_add(y),
        MathOp::Sub => x.checked_sub(y),
        MathOp::Mul => x.checked_mul(y),
        MathOp::Div => x.checked_div(y),
    };
    result.map(Value::Int).ok_or(EvalError::Overflow)
}

fn decimals(op: MathOp, x: Decimal, y: Decimal) -> Result<Decimal, EvalError> {
    let result = match op {
        MathOp::Add => x.checked_add(y),
        MathOp::Sub => x.checked_sub(y),
        MathOp::Mul => x.checked_mul(y),
        MathOp::Div if y.is_zero() => return Err(EvalError::DivisionByZero),
        MathOp::Div => x.checked_div(y),
    };
    result.map(|x| x.normalize()).ok_or(EvalError::Overflow)
}

/// Money with money keeps the currency, but `/` gives their ratio; money with a number scales it.
fn money(op: MathOp, a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (op, a, b) {
        (_, Value::Money(_, p), Value::Money(_, q)) if p != q => Err(EvalError::Currencies(*p, *q)),
        (MathOp::Add | MathOp::Sub, Value::Money(x, currency), Value::Money(y, _)) => {
            Ok(Value::Money(decimals(op, *x, *y)?, *currency))
        }
        (MathOp::Div, Value::Money(x, _), Value::Money(y, _)) => decimals(op, *x, *y).map(Value::Number),
        (MathOp::Mul | MathOp::Div, Value::Money(x, currency), Value::Int(_) | Value::Number(_)) => {
            Ok(Value::Money(decimals(op, *x, number(b)?)?, *currency))
        }
        (MathOp::Mul, Value::Int(_) | Value::Number(_), Value::Money(..)) => money(op, b, a),
        _ => Err(operands(op.name(), a, b)),
    }
}

fn durations(op: MathOp, x: i64, y: i64) -> Result<Value, EvalError> {
    match op {
        MathOp::Add => x.checked_add(y).map(Value::Duration).ok_or(EvalError::Overflow),
        MathOp::Sub => x.checked_sub(y).map(Value::Duration).ok_or(EvalError::Overflow),
        MathOp::Div => decimals(op, Decimal::from(x), Decimal::from(y)).map(Value::Number),
        MathOp::Mul => Err(operands(op.name(), &Value::Duration(x), &Value::Duration(y))),
    }
}

/// Dates, times and datetimes: moved by a duration, or the duration between two. A time goes
/// around the clock.
fn moments(op: MathOp, a: &Value, b: &Value) -> Result<Value, EvalError> {
    let sign = match op {
        MathOp::Add => 1,
        MathOp::Sub => -1,
        MathOp::Mul | MathOp::Div => return Err(operands(op.name(), a, b)),
    };
    let overflow = EvalError::Overflow;
    match (a, b) {
        (Value::Duration(_), Value::Date(_) | Value::Time(_) | Value::DateTime(_)) if sign > 0 => {
            moments(op, b, a)
        }
        (Value::DateTime(x), Value::Duration(ms)) => {
            let ms = ms.checked_mul(sign).ok_or(EvalError::Overflow)?;
            let delta = TimeDelta::try_milliseconds(ms).ok_or(EvalError::Overflow)?;
            x.checked_add_signed(delta).map(Value::DateTime).ok_or(overflow)
        }
        (Value::Date(x), Value::Duration(ms)) => {
            if ms % DAY_MS != 0 {
                return Err(EvalError::PartOfDay);
            }
            let days = (ms / DAY_MS) * sign;
            let count = Days::new(days.unsigned_abs());
            let moved = if days < 0 { x.checked_sub_days(count) } else { x.checked_add_days(count) };
            moved.map(Value::Date).ok_or(overflow)
        }
        (Value::Time(x), Value::Duration(ms)) => {
            let now = i64::from(x.num_seconds_from_midnight()) * 1000 + i64::from(x.nanosecond() / 1_000_000);
            let moved = (now + (ms % DAY_MS) * sign).rem_euclid(DAY_MS);
            time_of_day(moved).map(Value::Time).ok_or(overflow)
        }
        (Value::DateTime(x), Value::DateTime(y)) if sign < 0 => {
            Ok(Value::Duration((*x - *y).num_milliseconds()))
        }
        (Value::Date(x), Value::Date(y)) if sign < 0 => Ok(Value::Duration((*x - *y).num_milliseconds())),
        (Value::Time(x), Value::Time(y)) if sign < 0 => Ok(Value::Duration((*x - *y).num_milliseconds())),
        _ => Err(operands(op.name(), a, b)),
    }
}

fn time_of_day(ms: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(ms / 1000).ok()?;
    let nanos = u32::try_from(ms % 1000).ok()? * 1_000_000;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
}

fn number(value: &Value) -> Result<Decimal, EvalError> {
    match value {
        Value::Int(x) => Ok(Decimal::from(*x)),
        Value::Number(x) => Ok(*x),
        other => Err(EvalError::Expected { expected: "a number", found: other.sort() }),
    }
}

/// A decimal without a fraction as a whole number.
pub(crate) fn whole(x: Decimal) -> Result<i64, EvalError> {
    x.to_i64().ok_or(EvalError::Overflow)
}

fn operands(op: &'static str, a: &Value, b: &Value) -> EvalError {
    EvalError::Operands { op, left: a.sort(), right: b.sort() }
}
