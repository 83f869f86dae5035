//! Types, expressions and values from their wire form.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::read::{Names, Reader, all};
use super::{WireError, v1};
use crate::expr::{Expr, ExprKind, MatchArm, Part, Template};
use crate::program::{Settings, SlotId};
use crate::source_map::Origin;
use crate::types::{Kind, Type};
use crate::value::{Currency, Value};
use crate::walk::MAX_EXPR_DEPTH;

type Read<T> = Result<T, WireError>;

impl Reader {
    pub(super) fn ty(&self, wire: &v1::Type) -> Read<Type> {
        Ok(Type { kind: self.kind(&wire.kind)?, optional: wire.optional, private: wire.private })
    }

    fn kind(&self, wire: &v1::Kind) -> Read<Kind> {
        Ok(match wire {
            v1::Kind::Text => Kind::Text,
            v1::Kind::Bool => Kind::Bool,
            v1::Kind::Int => Kind::Int,
            v1::Kind::Number => Kind::Number,
            v1::Kind::Money(code) => Kind::Money(code.as_ref().map(|code| self.currency(code)).transpose()?),
            v1::Kind::Date => Kind::Date,
            v1::Kind::Time => Kind::Time,
            v1::Kind::Datetime => Kind::DateTime,
            v1::Kind::Duration => Kind::Duration,
            v1::Kind::Phone => Kind::Phone,
            v1::Kind::Email => Kind::Email,
            v1::Kind::Url => Kind::Url,
            v1::Kind::Digits(count) => Kind::Digits(*count),
            v1::Kind::IntRange(low, high) => Kind::IntRange(*low, *high),
            v1::Kind::Enum(name) => Kind::Enum(self.enums.get(name, &self.place)?),
            v1::Kind::Record(name) => Kind::Record(self.records.get(name, &self.place)?),
            v1::Kind::List(item) => Kind::List(Box::new(self.ty(item)?)),
            v1::Kind::Range(of) => Kind::Range(Box::new(self.kind(of)?)),
            v1::Kind::Secret => Kind::Secret,
            v1::Kind::Json => Kind::Json,
            v1::Kind::Nothing => Kind::Nothing,
            v1::Kind::Hole => return self.hole(),
        })
    }

    pub(super) fn text(&self, names: &Names, wire: &v1::Text) -> Read<Template> {
        self.template(names, wire, 0)
    }

    fn template(&self, names: &Names, wire: &v1::Text, depth: usize) -> Read<Template> {
        let part = |part: &v1::Part| {
            Ok(match part {
                v1::Part::Text(text) => Part::Text(text.clone()),
                v1::Part::Value { expr, format } => {
                    Part::Value { expr: self.nested(names, expr, depth)?, format: *format }
                }
            })
        };
        Ok(Template { parts: all(wire, part)? })
    }

    pub(super) fn args(&self, names: &Names, wire: &[(String, v1::Expr)]) -> Read<Vec<(String, Expr)>> {
        all(wire, |(name, value)| Ok((name.clone(), self.expr(names, value)?)))
    }

    /// Arguments for the slots of another dialogue.
    pub(super) fn args_to(
        &self,
        names: &Names,
        theirs: Option<&Names>,
        wire: &[(String, v1::Expr)],
    ) -> Read<Vec<(SlotId, Expr)>> {
        all(wire, |(name, value)| {
            let slot = match theirs {
                Some(theirs) => theirs.slots.get(name, &self.place)?,
                None => return self.hole(),
            };
            Ok((slot, self.expr(names, value)?))
        })
    }

    pub(super) fn settings(&self, names: &Names, wire: &v1::Settings) -> Read<Settings> {
        wire.iter().map(|(name, value)| Ok((name.clone(), self.expr(names, value)?))).collect()
    }

    pub(super) fn maybe(&self, names: &Names, wire: Option<&v1::Expr>) -> Read<Option<Expr>> {
        wire.map(|wire| self.expr(names, wire)).transpose()
    }

    pub(super) fn expr(&self, names: &Names, wire: &v1::Expr) -> Read<Expr> {
        self.nested(names, wire, 0)
    }

    fn nested(&self, names: &Names, wire: &v1::Expr, depth: usize) -> Read<Expr> {
        if depth >= MAX_EXPR_DEPTH {
            return Err(WireError::TooDeep);
        }
        let kind = self.op(names, &wire.op, depth + 1)?;
        Ok(Expr { kind, ty: self.ty(&wire.ty)?, origin: Origin::NONE })
    }

    fn op(&self, names: &Names, wire: &v1::Op, depth: usize) -> Read<ExprKind> {
        let one = |x: &v1::Expr| self.nested(names, x, depth).map(Box::new);
        Ok(match wire {
            v1::Op::Const(value) => ExprKind::Const(self.value(value)?),
            v1::Op::Slot(name) => ExprKind::Slot(names.slots.get(name, &self.place)?),
            v1::Op::Builtin(name) => ExprKind::Builtin(*name),
            v1::Op::Env(name) => ExprKind::Env(name.clone()),
            v1::Op::Secret(name) => ExprKind::Secret(name.clone()),
            v1::Op::Recording(name) => ExprKind::Recording(name.clone()),
            v1::Op::Phrase(name) => ExprKind::Phrase(self.phrases.get(name, &self.place)?),
            v1::Op::Text(text) => ExprKind::Template(self.template(names, text, depth)?),
            v1::Op::Field(x, name) => ExprKind::Field(one(x)?, name.clone()),
            v1::Op::Maybe(x) => ExprKind::Maybe(one(x)?),
            v1::Op::Coalesce(a, b) => ExprKind::Coalesce(one(a)?, one(b)?),
            v1::Op::IsSet(x) => ExprKind::IsSet(one(x)?),
            v1::Op::And(a, b) => ExprKind::And(one(a)?, one(b)?),
            v1::Op::Or(a, b) => ExprKind::Or(one(a)?, one(b)?),
            v1::Op::Not(x) => ExprKind::Not(one(x)?),
            v1::Op::Neg(x) => ExprKind::Neg(one(x)?),
            v1::Op::Cmp(op, a, b) => ExprKind::Cmp(*op, one(a)?, one(b)?),
            v1::Op::Math(op, a, b) => ExprKind::Math(*op, one(a)?, one(b)?),
            v1::Op::In(a, b) => ExprKind::In(one(a)?, one(b)?),
            v1::Op::Range(a, b) => ExprKind::Range(one(a)?, one(b)?),
            v1::Op::List(_) | v1::Op::Record(_) | v1::Op::Match { .. } => {
                return self.many(names, wire, depth);
            }
            v1::Op::Reveal(x) => ExprKind::Reveal(one(x)?),
            v1::Op::Hole => return self.hole(),
        })
    }

    fn many(&self, names: &Names, wire: &v1::Op, depth: usize) -> Read<ExprKind> {
        let nested = |x: &v1::Expr| self.nested(names, x, depth);
        Ok(match wire {
            v1::Op::List(items) => ExprKind::List(all(items, nested)?),
            v1::Op::Record(fields) => {
                ExprKind::Record(all(fields, |(name, value)| Ok((name.clone(), nested(value)?)))?)
            }
            v1::Op::Match { subject, arms, otherwise } => ExprKind::Match {
                subject: Box::new(nested(subject)?),
                arms: all(arms, |(pattern, value)| {
                    Ok(MatchArm { pattern: nested(pattern)?, value: nested(value)? })
                })?,
                otherwise: otherwise.as_deref().map(nested).transpose()?.map(Box::new),
            },
            _ => return self.hole(),
        })
    }

    pub(super) fn value(&self, wire: &v1::Value) -> Read<Value> {
        Ok(match wire {
            v1::Value::None => Value::None,
            v1::Value::Bool(value) => Value::Bool(*value),
            v1::Value::Int(value) => Value::Int(*value),
            v1::Value::Number(text) => Value::Number(self.decimal(text)?),
            v1::Value::Text(text) => Value::Text(text.clone()),
            v1::Value::Money(amount, code) => Value::Money(self.decimal(amount)?, self.currency(code)?),
            v1::Value::Date(text) => Value::Date(self.parsed("a date", text)?),
            v1::Value::Time(text) => Value::Time(self.parsed("a time", text)?),
            v1::Value::Datetime(text) => Value::DateTime(self.parsed("a date with a time", text)?),
            v1::Value::Duration(ms) => Value::Duration(*ms),
            v1::Value::Case(case) => Value::Case(case.clone()),
            v1::Value::Record(fields) => {
                let fields = fields.iter().map(|(name, field)| Ok((name.clone(), self.value(field)?)));
                Value::Record(fields.collect::<Read<_>>()?)
            }
            v1::Value::List(items) => Value::List(all(items, |item| self.value(item))?),
        })
    }

    fn decimal(&self, text: &str) -> Read<Decimal> {
        Decimal::from_str_exact(text).map_err(|_| self.wrong("a number", text))
    }

    fn currency(&self, code: &str) -> Read<Currency> {
        Currency::parse(code).ok_or_else(|| self.wrong("a currency", code))
    }

    fn parsed<T: FromStr>(&self, expected: &'static str, text: &str) -> Read<T> {
        text.parse().map_err(|_| self.wrong(expected, text))
    }

    fn wrong(&self, expected: &'static str, found: &str) -> WireError {
        WireError::Value { expected, found: found.into(), place: self.place.clone() }
    }
}
