//! Whether one condition implies another: for conditions that repeat an earlier one, and for facts
//! that a condition proves. Sound and not complete: a `true` is a proof, a `false` is not.
//!
//! A condition is taken as a sum of products (of at most [`LIMIT`] products) of atoms: a bound on
//! a path, a set of cases, whether a path is there, or any other condition as it is written.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use dgh_ir::{CmpOp, Expr, ExprKind, Kind, Program, Value};

use super::access::Access;

/// Whether the second holds (or, with `false`, does not hold) whenever the first does (not).
pub(crate) fn implies(program: &Program, first: (&Expr, bool), second: (&Expr, bool)) -> bool {
    // Of what did not resolve nothing is known.
    if has_hole(first.0) || has_hole(second.0) {
        return false;
    }
    let (Some(first), Some(second)) =
        (products(program, first.0, first.1), products(program, second.0, second.1))
    else {
        return false;
    };
    // Each way in which the first holds is one in which the second does.
    first.iter().all(|f| second.iter().any(|s| product_implies(f, s)))
}

fn has_hole(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |e| found |= e.kind == ExprKind::Hole);
    found
}

/// More products than this are not looked at.
const LIMIT: usize = 32;

type Product = Vec<Atom>;

/// A condition without `and`, `or`, `not`.
#[derive(Debug, Clone, PartialEq)]
enum Atom {
    /// A value within bounds.
    Within(Access, Interval),
    /// A value that is one of these cases (or truth values).
    OneOf(Access, BTreeSet<String>),
    /// A path that is there, or not.
    Set(Access, bool),
    /// Anything else, as it is written; `false`: it does not hold.
    Other(Expr, bool),
    /// Holds always, or never.
    Const(bool),
}

#[derive(Debug, Clone, PartialEq)]
struct Interval {
    low: Option<(Value, bool)>,
    high: Option<(Value, bool)>,
}

fn products(program: &Program, condition: &Expr, holds: bool) -> Option<Vec<Product>> {
    match &condition.kind {
        ExprKind::Hole => None,
        ExprKind::Not(x) => products(program, x, !holds),
        ExprKind::And(a, b) | ExprKind::Or(a, b) => {
            let (a, b) = (products(program, a, holds)?, products(program, b, holds)?);
            if matches!(condition.kind, ExprKind::And(..)) == holds {
                let mut all = Vec::new();
                for x in &a {
                    for y in &b {
                        all.push(x.iter().chain(y).cloned().collect::<Product>());
                    }
                }
                (all.len() <= LIMIT).then_some(all)
            } else {
                let all: Vec<_> = a.into_iter().chain(b).collect();
                (all.len() <= LIMIT).then_some(all)
            }
        }
        _ => Some(atoms(program, condition, holds)),
    }
}

/// The atom of a condition, or the products it stands for.
fn atoms(program: &Program, condition: &Expr, holds: bool) -> Vec<Product> {
    let atom = match &condition.kind {
        ExprKind::Const(Value::Bool(value)) => Some(Atom::Const(*value == holds)),
        ExprKind::IsSet(x) => Access::of(x).map(|access| Atom::Set(access, holds)),
        // What may be missing is neither above nor below anything.
        ExprKind::Cmp(_, a, b) if !holds && is_lenient(a, b) => None,
        ExprKind::Cmp(op, a, b) => {
            let op = if holds { *op } else { negated(*op) };
            compared(program, a, op, b).or_else(|| compared(program, b, mirrored(op), a))
        }
        ExprKind::In(x, list) => within(program, x, list, holds),
        ExprKind::Slot(_) | ExprKind::Field(..) if condition.ty.kind == Kind::Bool => {
            Access::of(condition).map(|access| Atom::OneOf(access, BTreeSet::from([holds.to_string()])))
        }
        _ => None,
    };
    vec![vec![atom.unwrap_or_else(|| Atom::Other(condition.clone(), holds))]]
}

fn is_lenient(a: &Expr, b: &Expr) -> bool {
    let none = |e: &Expr| matches!(e.kind, ExprKind::Const(Value::None));
    !none(a) && !none(b) && (a.ty.optional || b.ty.optional)
}

fn negated(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Le => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Ge => CmpOp::Lt,
    }
}

fn mirrored(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
        CmpOp::Eq | CmpOp::Ne => op,
    }
}

/// `path op constant`
fn compared(program: &Program, path: &Expr, op: CmpOp, constant: &Expr) -> Option<Atom> {
    let access = Access::of(path)?;
    let ExprKind::Const(value) = &constant.kind else { return None };
    if *value == Value::None {
        return match op {
            CmpOp::Eq => Some(Atom::Set(access, false)),
            CmpOp::Ne => Some(Atom::Set(access, true)),
            _ => None,
        };
    }
    if let Some(all) = cases(program, &path.ty.kind) {
        let case = case_name(value)?;
        let one = BTreeSet::from([case.clone()]);
        return match op {
            CmpOp::Eq => Some(Atom::OneOf(access, one)),
            CmpOp::Ne if !path.ty.optional => {
                Some(Atom::OneOf(access, all.into_iter().filter(|c| *c != case).collect()))
            }
            _ => None,
        };
    }
    order(value, value)?;
    let whole = matches!(path.ty.kind, Kind::Int | Kind::IntRange(..));
    let bound = |value: &Value, included: bool, up: i64| match value {
        // Whole numbers: `x > 5` is `x >= 6`.
        Value::Int(n) if whole && !included => (Value::Int(n.saturating_add(up)), true),
        _ => (value.clone(), included),
    };
    let interval = match op {
        CmpOp::Eq => Interval { low: Some((value.clone(), true)), high: Some((value.clone(), true)) },
        CmpOp::Ge => Interval { low: Some(bound(value, true, 0)), high: None },
        CmpOp::Gt => Interval { low: Some(bound(value, false, 1)), high: None },
        CmpOp::Le => Interval { low: None, high: Some(bound(value, true, 0)) },
        CmpOp::Lt => Interval { low: None, high: Some(bound(value, false, -1)) },
        CmpOp::Ne => return None,
    };
    Some(Atom::Within(access, interval))
}

/// `path in [a, b]`, `path in 1..5`
fn within(program: &Program, path: &Expr, set: &Expr, holds: bool) -> Option<Atom> {
    let access = Access::of(path)?;
    match &set.kind {
        ExprKind::List(items) => {
            let all = cases(program, &path.ty.kind)?;
            let named = items
                .iter()
                .map(|item| match &item.kind {
                    ExprKind::Const(value) => case_name(value),
                    _ => None,
                })
                .collect::<Option<BTreeSet<_>>>()?;
            match holds {
                true => Some(Atom::OneOf(access, named)),
                false if !path.ty.optional => {
                    Some(Atom::OneOf(access, all.into_iter().filter(|c| !named.contains(c)).collect()))
                }
                false => None,
            }
        }
        ExprKind::Range(low, high) if holds => match (&low.kind, &high.kind) {
            (ExprKind::Const(low @ Value::Int(_)), ExprKind::Const(high @ Value::Int(_))) => {
                Some(Atom::Within(
                    access,
                    Interval { low: Some((low.clone(), true)), high: Some((high.clone(), true)) },
                ))
            }
            _ => None,
        },
        _ => None,
    }
}

fn cases(program: &Program, kind: &Kind) -> Option<BTreeSet<String>> {
    match kind {
        Kind::Enum(id) => Some(program.enums.get(*id)?.cases.iter().cloned().collect()),
        Kind::Bool => Some(BTreeSet::from(["false".to_string(), "true".to_string()])),
        _ => None,
    }
}

fn case_name(value: &Value) -> Option<String> {
    match value {
        Value::Case(case) => Some(case.clone()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What holds under the first product holds under the second.
fn product_implies(first: &Product, second: &Product) -> bool {
    first.contains(&Atom::Const(false)) || second.iter().all(|s| first.iter().any(|f| atom_implies(f, s)))
}

fn atom_implies(first: &Atom, second: &Atom) -> bool {
    match (first, second) {
        (_, Atom::Const(true)) => true,
        (Atom::Within(a, x), Atom::Within(b, y)) => a == b && inside(x, y),
        (Atom::OneOf(a, x), Atom::OneOf(b, y)) => a == b && x.is_subset(y),
        // A value that is compared is there.
        (Atom::Within(a, _) | Atom::OneOf(a, _), Atom::Set(b, true)) => a == b,
        _ => first == second,
    }
}

fn inside(inner: &Interval, outer: &Interval) -> bool {
    bound_inside(inner.low.as_ref(), outer.low.as_ref(), Ordering::Greater)
        && bound_inside(inner.high.as_ref(), outer.high.as_ref(), Ordering::Less)
}

fn bound_inside(inner: Option<&(Value, bool)>, outer: Option<&(Value, bool)>, inward: Ordering) -> bool {
    match (inner, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((a, a_included)), Some((b, b_included))) => match order(a, b) {
            Some(Ordering::Equal) => *b_included || !*a_included,
            Some(found) => found == inward,
            None => false,
        },
    }
}

/// The order of two constants, if they can be compared.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Int(b)) => Some(a.cmp(&(*b).into())),
        (Value::Int(a), Value::Number(b)) => Some(rust_decimal::Decimal::from(*a).cmp(b)),
        (Value::Money(a, x), Value::Money(b, y)) => (x == y).then(|| a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => (a == b).then_some(Ordering::Equal),
        _ => None,
    }
}
