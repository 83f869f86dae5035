//! Types, expressions and values to their wire form.

use super::v1;
use super::write::{Names, Writer};
use crate::expr::{Expr, ExprKind, Part, Template};
use crate::program::{Settings, SlotId};
use crate::types::{Kind, Type};
use crate::value::Value;

impl Writer {
    pub(super) fn ty(&self, ty: &Type) -> v1::Type {
        v1::Type { kind: self.kind(&ty.kind), optional: ty.optional, private: ty.private }
    }

    fn kind(&self, kind: &Kind) -> v1::Kind {
        match kind {
            Kind::Text => v1::Kind::Text,
            Kind::Bool => v1::Kind::Bool,
            Kind::Int => v1::Kind::Int,
            Kind::Number => v1::Kind::Number,
            Kind::Money(currency) => v1::Kind::Money(currency.map(|c| c.code().to_owned())),
            Kind::Date => v1::Kind::Date,
            Kind::Time => v1::Kind::Time,
            Kind::DateTime => v1::Kind::Datetime,
            Kind::Duration => v1::Kind::Duration,
            Kind::Phone => v1::Kind::Phone,
            Kind::Email => v1::Kind::Email,
            Kind::Url => v1::Kind::Url,
            Kind::Digits(count) => v1::Kind::Digits(*count),
            Kind::IntRange(low, high) => v1::Kind::IntRange(*low, *high),
            Kind::Enum(id) => v1::Kind::Enum(self.enums.get(*id)),
            Kind::Record(id) => v1::Kind::Record(self.records.get(*id)),
            Kind::List(item) => v1::Kind::List(Box::new(self.ty(item))),
            Kind::Range(of) => v1::Kind::Range(Box::new(self.kind(of))),
            Kind::Secret => v1::Kind::Secret,
            Kind::Json => v1::Kind::Json,
            Kind::Nothing => v1::Kind::Nothing,
            Kind::Hole => v1::Kind::Hole,
        }
    }

    pub(super) fn text(&self, names: &Names, template: &Template) -> v1::Text {
        let part = |part: &Part| match part {
            Part::Text(text) => v1::Part::Text(text.clone()),
            Part::Value { expr, format } => v1::Part::Value { expr: self.expr(names, expr), format: *format },
        };
        template.parts.iter().map(part).collect()
    }

    pub(super) fn args(&self, names: &Names, args: &[(String, Expr)]) -> Vec<(String, v1::Expr)> {
        args.iter().map(|(name, value)| (name.clone(), self.expr(names, value))).collect()
    }

    /// Arguments for the slots of another dialogue.
    pub(super) fn args_to(
        &self,
        names: &Names,
        theirs: Option<&Names>,
        args: &[(SlotId, Expr)],
    ) -> Vec<(String, v1::Expr)> {
        let slot = |id| theirs.map_or_else(|| "#".into(), |names| names.slots.get(id));
        args.iter().map(|(id, value)| (slot(*id), self.expr(names, value))).collect()
    }

    pub(super) fn settings(&self, names: &Names, settings: &Settings) -> v1::Settings {
        settings.iter().map(|(name, value)| (name.clone(), self.expr(names, value))).collect()
    }

    pub(super) fn expr(&self, names: &Names, expr: &Expr) -> v1::Expr {
        v1::Expr { op: self.op(names, &expr.kind), ty: self.ty(&expr.ty) }
    }

    fn op(&self, names: &Names, kind: &ExprKind) -> v1::Op {
        let one = |x: &Expr| Box::new(self.expr(names, x));
        match kind {
            ExprKind::Const(literal) => v1::Op::Const(value(literal)),
            ExprKind::Slot(id) => v1::Op::Slot(names.slots.get(*id)),
            ExprKind::Builtin(name) => v1::Op::Builtin(*name),
            ExprKind::Env(name) => v1::Op::Env(name.clone()),
            ExprKind::Secret(name) => v1::Op::Secret(name.clone()),
            ExprKind::Recording(name) => v1::Op::Recording(name.clone()),
            ExprKind::Phrase(id) => v1::Op::Phrase(self.phrases.get(*id)),
            ExprKind::Template(template) => v1::Op::Text(self.text(names, template)),
            ExprKind::Field(x, name) => v1::Op::Field(one(x), name.clone()),
            ExprKind::Maybe(x) => v1::Op::Maybe(one(x)),
            ExprKind::Coalesce(a, b) => v1::Op::Coalesce(one(a), one(b)),
            ExprKind::IsSet(x) => v1::Op::IsSet(one(x)),
            ExprKind::And(a, b) => v1::Op::And(one(a), one(b)),
            ExprKind::Or(a, b) => v1::Op::Or(one(a), one(b)),
            ExprKind::Not(x) => v1::Op::Not(one(x)),
            ExprKind::Neg(x) => v1::Op::Neg(one(x)),
            ExprKind::Cmp(op, a, b) => v1::Op::Cmp(*op, one(a), one(b)),
            ExprKind::Math(op, a, b) => v1::Op::Math(*op, one(a), one(b)),
            ExprKind::In(a, b) => v1::Op::In(one(a), one(b)),
            ExprKind::Range(a, b) => v1::Op::Range(one(a), one(b)),
            ExprKind::List(items) => v1::Op::List(items.iter().map(|item| self.expr(names, item)).collect()),
            ExprKind::Record(fields) => v1::Op::Record(self.args(names, fields)),
            ExprKind::Match { subject, arms, otherwise } => v1::Op::Match {
                subject: one(subject),
                arms: arms
                    .iter()
                    .map(|arm| (self.expr(names, &arm.pattern), self.expr(names, &arm.value)))
                    .collect(),
                otherwise: otherwise.as_deref().map(one),
            },
            ExprKind::Reveal(x) => v1::Op::Reveal(one(x)),
            // Only a test can ask, and tests are no part of a program.
            ExprKind::Probe(_) | ExprKind::Hole => v1::Op::Hole,
        }
    }
}

pub(super) fn value(value: &Value) -> v1::Value {
    match value {
        Value::None => v1::Value::None,
        Value::Bool(value) => v1::Value::Bool(*value),
        Value::Int(value) => v1::Value::Int(*value),
        Value::Number(value) => v1::Value::Number(value.normalize().to_string()),
        Value::Text(text) => v1::Value::Text(text.clone()),
        Value::Money(amount, currency) => {
            v1::Value::Money(amount.normalize().to_string(), currency.code().to_owned())
        }
        Value::Date(date) => v1::Value::Date(date.format("%Y-%m-%d").to_string()),
        Value::Time(time) => v1::Value::Time(time.format("%H:%M:%S%.f").to_string()),
        Value::DateTime(at) => v1::Value::Datetime(at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
        Value::Duration(ms) => v1::Value::Duration(*ms),
        Value::Case(case) => v1::Value::Case(case.clone()),
        Value::Record(fields) => {
            v1::Value::Record(fields.iter().map(|(name, field)| (name.clone(), self::value(field))).collect())
        }
        Value::List(items) => v1::Value::List(items.iter().map(self::value).collect()),
    }
}
