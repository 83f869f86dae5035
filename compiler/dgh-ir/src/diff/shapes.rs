//! Whether what fitted one type still fits another, told from either end: who sends a value, and
//! who receives one.

use crate::expr::{Expr, ExprKind};
use crate::program::Program;
use crate::types::{Kind, Type};

/// A type in its program.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) program: &'a Program,
    pub(super) ty: &'a Type,
}

impl<'a> Of<'a> {
    fn with(self, ty: &'a Type) -> Self {
        Self { ty, ..self }
    }

    fn name(self) -> String {
        self.program.type_name(self.ty)
    }
}

/// What of the values that fitted `old` does not fit `new`; none: all still do. `at` is the place
/// in the value, empty for itself.
pub(super) fn lost(old: Of<'_>, new: Of<'_>, at: &str) -> Option<String> {
    let place = |what: String| if at.is_empty() { what } else { format!("`{at}`: {what}") };
    if old.ty.optional && !new.ty.optional {
        return Some(place("it may no longer be left out".to_owned()));
    }
    let changed = || Some(place(format!("{} is now {}", old.name(), new.name())));
    match (&old.ty.kind, &new.ty.kind) {
        (Kind::Enum(a), Kind::Enum(b)) => {
            let (a, b) = (old.program.enums.get(*a)?, new.program.enums.get(*b)?);
            let gone: Vec<_> = a.cases.iter().filter(|case| !b.cases.contains(case)).collect();
            let gone: Vec<_> = gone.into_iter().map(|case| format!("`{case}`")).collect();
            (!gone.is_empty()).then(|| place(format!("no longer {}", gone.join(", "))))
        }
        (Kind::Record(a), Kind::Record(b)) => {
            let (a, b) = (old.program.records.get(*a)?, new.program.records.get(*b)?);
            let inner = |field: &str| if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") };
            let kept = a.fields.iter().find_map(|field| {
                match b.fields.iter().find(|other| other.name == field.name) {
                    Some(other) => lost(old.with(&field.ty), new.with(&other.ty), &inner(&field.name)),
                    None => Some(format!("`{}` is gone", inner(&field.name))),
                }
            });
            let needed = || {
                let known = |name: &str| a.fields.iter().any(|field| field.name == name);
                let added = b.fields.iter().find(|field| !field.ty.optional && !known(&field.name));
                added.map(|field| format!("`{}` is needed", inner(&field.name)))
            };
            kept.or_else(needed)
        }
        (Kind::List(a), Kind::List(b)) => lost(old.with(a), new.with(b), &format!("{at}[]")),
        (Kind::IntRange(a, b), Kind::IntRange(c, d)) if c <= a && b <= d => None,
        (Kind::IntRange(..), Kind::Int | Kind::Number) | (Kind::Int, Kind::Number) => None,
        (Kind::Money(_), Kind::Money(None)) => None,
        // What travels as a text of some form is a text.
        (
            Kind::Phone
            | Kind::Email
            | Kind::Url
            | Kind::Digits(_)
            | Kind::Date
            | Kind::Time
            | Kind::DateTime
            | Kind::Enum(_),
            Kind::Text,
        ) => None,
        (_, Kind::Json) => None,
        (a, b) if a == b => None,
        _ => changed(),
    }
}

/// What of the values that `new` sends did not fit `old`: what a receiver has not seen before.
/// New cases of an enum and new fields are what receivers are expected to bear.
pub(super) fn surprises(old: Of<'_>, new: Of<'_>, at: &str) -> Option<String> {
    let place = |what: String| if at.is_empty() { what } else { format!("`{at}`: {what}") };
    if new.ty.optional && !old.ty.optional {
        return Some(place("it may be missing now".to_owned()));
    }
    match (&old.ty.kind, &new.ty.kind) {
        (Kind::Enum(_), Kind::Enum(_)) => None,
        (Kind::Record(a), Kind::Record(b)) => {
            let (a, b) = (old.program.records.get(*a)?, new.program.records.get(*b)?);
            a.fields.iter().find_map(|field| {
                let inner = if at.is_empty() { field.name.clone() } else { format!("{at}.{}", field.name) };
                match b.fields.iter().find(|other| other.name == field.name) {
                    Some(other) => surprises(old.with(&field.ty), new.with(&other.ty), &inner),
                    None => Some(format!("`{inner}` is gone")),
                }
            })
        }
        (Kind::List(a), Kind::List(b)) => surprises(old.with(a), new.with(b), &format!("{at}[]")),
        _ => lost(Of { program: new.program, ty: new.ty }, old, at)
            .map(|_| place(format!("{} is now {}", old.name(), new.name()))),
    }
}

/// What a receiver of this expression's value misses or has not seen before.
pub(super) fn body_surprises(
    (old_program, old): (&Program, &Expr),
    (new_program, new): (&Program, &Expr),
    at: &str,
) -> Option<String> {
    match (&old.kind, &new.kind) {
        (ExprKind::Record(a), ExprKind::Record(b)) => a.iter().find_map(|(name, value)| {
            let inner = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            match b.iter().find(|(other, _)| other == name) {
                Some((_, other)) => body_surprises((old_program, value), (new_program, other), &inner),
                None => Some(format!("`{inner}` is gone")),
            }
        }),
        (ExprKind::List(a), ExprKind::List(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(index, (a, b))| {
                body_surprises((old_program, a), (new_program, b), &format!("{at}[{index}]"))
            })
        }
        (ExprKind::Record(_), _) | (_, ExprKind::Record(_)) => Some(if at.is_empty() {
            "what is sent has another shape".to_owned()
        } else {
            format!("`{at}` has another shape")
        }),
        _ => {
            let of = |program, expr: &'_ Expr| (program, expr.ty.clone());
            let ((a, old), (b, new)) = (of(old_program, old), of(new_program, new));
            surprises(Of { program: a, ty: &old }, Of { program: b, ty: &new }, at)
        }
    }
}
