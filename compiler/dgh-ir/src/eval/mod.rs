//! The value of an expression. Pure and total: whatever goes wrong is an [`EvalError`].

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::convert::{Locale, from_json};
use crate::expr::{Expr, ExprKind, MatchArm};
use crate::math;
use crate::program::Program;
use crate::render;
use crate::scope::{EvalError, Scope};
use crate::types::{Kind, Type};
use crate::value::Value;
use crate::walk::MAX_EXPR_DEPTH;

/// The value of an expression. A `T?` that is missing is [`Value::None`]; a name without a value
/// where one is needed is [`EvalError::Missing`].
///
/// A text with interpolations becomes a text of plain forms (ISO 8601, E.164); private values are
/// in it, for the type of the expression carries the label. What enters a sink is written by
/// [`crate::render`] instead.
pub fn eval(program: &Program, expr: &Expr, scope: &dyn Scope) -> Result<Value, EvalError> {
    Evaluator { program, scope }.eval(expr, 0).map(Cow::into_owned)
}

/// Whether a condition holds.
pub fn holds(program: &Program, expr: &Expr, scope: &dyn Scope) -> Result<bool, EvalError> {
    Evaluator { program, scope }.condition(expr, 0)
}

/// Both ends of a range, such as the calling hours of an agent.
pub fn eval_range(program: &Program, expr: &Expr, scope: &dyn Scope) -> Result<(Value, Value), EvalError> {
    let ExprKind::Range(start, end) = &expr.kind else {
        return Err(EvalError::Expected { expected: "a range", found: "one value" });
    };
    Ok((eval(program, start, scope)?, eval(program, end, scope)?))
}

/// Evaluation with a depth, so that what is nested too deeply is an error and not the end of the
/// stack.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(crate) program: &'a Program,
    pub(crate) scope: &'a dyn Scope,
}

type Found<'a> = Result<Cow<'a, Value>, EvalError>;

impl<'a> Evaluator<'a> {
    pub(crate) fn eval(self, expr: &'a Expr, depth: usize) -> Found<'a> {
        if depth >= MAX_EXPR_DEPTH {
            return Err(EvalError::TooDeep);
        }
        let below = depth + 1;
        match &expr.kind {
            ExprKind::Const(value) => Ok(Cow::Borrowed(value)),
            ExprKind::Slot(id) => match self.scope.slot(*id) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None if expr.ty.optional => Ok(Cow::Owned(Value::None)),
                None => Err(EvalError::Missing(self.scope.slot_name(*id).into())),
            },
            ExprKind::Builtin(name) => match self.scope.builtin(*name) {
                Value::None if !expr.ty.optional => Err(EvalError::Missing(name.name().into())),
                value => Ok(Cow::Owned(value)),
            },
            ExprKind::Env(name) => self.env(name, &expr.ty),
            ExprKind::Secret(name) => Err(EvalError::Secret(name.clone())),
            ExprKind::Recording(name) => Ok(Cow::Owned(Value::Text(name.clone()))),
            ExprKind::Phrase(_) | ExprKind::Template(_) => {
                render::plain(self, expr, below).map(|text| Cow::Owned(Value::Text(text)))
            }
            ExprKind::Field(subject, name) => self.field(subject, name, &expr.ty, below),
            ExprKind::Maybe(x) => self.maybe(x, below),
            ExprKind::Coalesce(x, otherwise) => match self.maybe(x, below)? {
                value if *value == Value::None => self.eval(otherwise, below),
                value => Ok(value),
            },
            ExprKind::Reveal(x) => self.eval(x, below),
            ExprKind::List(_) | ExprKind::Record(_) => self.collection(expr, below),
            ExprKind::Match { subject, arms, otherwise } => {
                let value = self.arm(subject, arms, otherwise.as_deref(), below)?;
                self.eval(value, below)
            }
            ExprKind::Math(op, a, b) => {
                let value = math::compute(*op, &*self.present(a, below)?, &*self.present(b, below)?)?;
                fit(value, &expr.ty).map(Cow::Owned)
            }
            ExprKind::Neg(x) => math::negate(&*self.present(x, below)?).map(Cow::Owned),
            ExprKind::Range(..) => Err(EvalError::Range),
            ExprKind::Probe(probe) => Ok(Cow::Owned(self.scope.probe(probe))),
            ExprKind::Hole => Err(EvalError::Hole),
            ExprKind::IsSet(_)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Not(_)
            | ExprKind::Cmp(..)
            | ExprKind::In(..) => self.truth(expr, below).map(|b| Cow::Owned(Value::Bool(b))),
        }
    }

    /// A value that is there.
    fn present(self, expr: &'a Expr, depth: usize) -> Found<'a> {
        let value = self.eval(expr, depth)?;
        if *value == Value::None {
            return Err(EvalError::Missing(self.name_of(expr)));
        }
        Ok(value)
    }

    /// `x?`: a name without a value, or a field of a missing record, is missing and no error.
    pub(crate) fn maybe(self, expr: &'a Expr, depth: usize) -> Found<'a> {
        match self.eval(expr, depth) {
            Err(EvalError::Missing(_)) => Ok(Cow::Owned(Value::None)),
            found => found,
        }
    }

    fn condition(self, expr: &'a Expr, depth: usize) -> Result<bool, EvalError> {
        match &*self.present(expr, depth)? {
            Value::Bool(holds) => Ok(*holds),
            other => Err(EvalError::Expected { expected: "a yes or no", found: other.sort() }),
        }
    }

    fn truth(self, expr: &'a Expr, depth: usize) -> Result<bool, EvalError> {
        match &expr.kind {
            ExprKind::IsSet(x) => Ok(*self.maybe(x, depth)? != Value::None),
            ExprKind::And(a, b) => Ok(self.condition(a, depth)? && self.condition(b, depth)?),
            ExprKind::Or(a, b) => Ok(self.condition(a, depth)? || self.condition(b, depth)?),
            ExprKind::Not(x) => Ok(!self.condition(x, depth)?),
            ExprKind::Cmp(op, a, b) => math::compare(*op, &*self.eval(a, depth)?, &*self.eval(b, depth)?),
            ExprKind::In(x, set) => self.is_in(x, set, depth),
            _ => self.condition(expr, depth),
        }
    }

    fn is_in(self, x: &'a Expr, set: &'a Expr, depth: usize) -> Result<bool, EvalError> {
        let value = self.eval(x, depth)?;
        if *value == Value::None {
            // What is missing is in nothing.
            return Ok(false);
        }
        if let ExprKind::Range(start, end) = &set.kind {
            let start = self.present(start, depth + 1)?;
            return math::within(&value, &start, &*self.present(end, depth + 1)?);
        }
        match &*self.present(set, depth)? {
            Value::List(items) => {
                for item in items {
                    if math::equal(&value, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            other => Err(EvalError::Expected { expected: "a list or range", found: other.sort() }),
        }
    }

    fn env(self, name: &str, ty: &Type) -> Found<'a> {
        let text = self.scope.env(name).ok_or_else(|| EvalError::Env(name.into()))?.into_owned();
        if matches!(ty.kind, Kind::Text | Kind::Hole | Kind::Json) {
            return Ok(Cow::Owned(Value::Text(text)));
        }
        from_json(self.program, ty, &serde_json::Value::String(text), Locale::default())
            .map(Cow::Owned)
            .map_err(|error| EvalError::BadEnv { name: name.into(), expected: error.expected })
    }

    /// A field of a record, or one of `.count .first .empty .date .time`.
    fn field(self, subject: &'a Expr, name: &str, ty: &Type, depth: usize) -> Found<'a> {
        let subject_value = self.present(subject, depth)?;
        let value = match subject_value {
            Cow::Borrowed(Value::Record(fields)) => fields.get(name).map(Cow::Borrowed),
            Cow::Owned(Value::Record(mut fields)) => fields.swap_remove(name).map(Cow::Owned),
            Cow::Borrowed(Value::List(items)) if name == "first" => items.first().map(Cow::Borrowed),
            other => derived(&other, name)?.map(Cow::Owned),
        };
        match value {
            Some(value) if *value != Value::None || ty.optional => Ok(value),
            None if ty.optional => Ok(Cow::Owned(Value::None)),
            _ => Err(EvalError::Missing(format!("{}.{name}", self.name_of(subject)))),
        }
    }

    fn collection(self, expr: &'a Expr, depth: usize) -> Found<'a> {
        match &expr.kind {
            ExprKind::List(items) => {
                let items = items.iter().map(|item| self.eval(item, depth).map(Cow::into_owned));
                Ok(Cow::Owned(Value::List(items.collect::<Result<_, _>>()?)))
            }
            ExprKind::Record(fields) => {
                let mut record = indexmap::IndexMap::with_capacity(fields.len());
                for (name, value) in fields {
                    let value = self.eval(value, depth)?.into_owned();
                    if value != Value::None {
                        record.insert(name.clone(), value);
                    }
                }
                Ok(Cow::Owned(Value::Record(record)))
            }
            _ => Err(EvalError::Hole),
        }
    }

    /// The expression of the arm that fits.
    pub(crate) fn arm(
        self,
        subject: &'a Expr,
        arms: &'a [MatchArm],
        otherwise: Option<&'a Expr>,
        depth: usize,
    ) -> Result<&'a Expr, EvalError> {
        let subject = self.eval(subject, depth)?;
        for arm in arms {
            if math::equal(&subject, &*self.eval(&arm.pattern, depth)?)? {
                return Ok(&arm.value);
            }
        }
        otherwise.ok_or(EvalError::NoArm)
    }

    /// What a message calls an expression.
    pub(crate) fn name_of(self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Slot(id) => self.scope.slot_name(*id).into(),
            ExprKind::Builtin(name) => name.name().into(),
            ExprKind::Env(name) => format!("env.{name}"),
            ExprKind::Field(subject, name) => format!("{}.{name}", self.name_of(subject)),
            ExprKind::Maybe(x) | ExprKind::Reveal(x) => self.name_of(x),
            _ => "this".into(),
        }
    }
}

/// What the language itself reads off a value; none where the value is missing.
fn derived(value: &Value, name: &str) -> Result<Option<Value>, EvalError> {
    Ok(match (value, name) {
        (Value::List(items), "count") => {
            Some(Value::Int(i64::try_from(items.len()).map_err(|_| EvalError::Overflow)?))
        }
        (Value::List(items), "empty") => Some(Value::Bool(items.is_empty())),
        (Value::List(items), "first") => items.first().cloned(),
        (Value::DateTime(at), "date") => Some(Value::Date(at.date())),
        (Value::DateTime(at), "time") => Some(Value::Time(at.time())),
        (other, _) => {
            return Err(EvalError::Expected { expected: "a record", found: other.sort() });
        }
    })
}

/// A number in the shape that its type has: `int` holds whole numbers, `number` decimals.
fn fit(value: Value, ty: &Type) -> Result<Value, EvalError> {
    Ok(match (value, &ty.kind) {
        (Value::Number(x), Kind::Int | Kind::IntRange(..)) => Value::Int(math::whole(x.trunc())?),
        (Value::Int(x), Kind::Number) => Value::Number(Decimal::from(x)),
        (value, _) => value,
    })
}

#[cfg(test)]
mod tests;
