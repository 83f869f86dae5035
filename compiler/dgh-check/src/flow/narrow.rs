//! What a condition says about what is there.

use dgh_ir::{CmpOp, Expr, ExprKind, Value};

use super::access::Bits;

/// The bits that are surely there when a condition holds, or when it does not.
pub(crate) fn there(bits: &Bits<'_>, condition: &Expr, holds: bool) -> Vec<usize> {
    match &condition.kind {
        ExprKind::IsSet(x) if holds => bits.bits_through(x),
        ExprKind::Not(x) => there(bits, x, !holds),
        ExprKind::And(a, b) => both_or_common(bits, a, b, holds, holds),
        ExprKind::Or(a, b) => both_or_common(bits, a, b, holds, !holds),
        ExprKind::Cmp(CmpOp::Eq, a, b) => equal(bits, a, b, holds),
        ExprKind::Cmp(CmpOp::Ne, a, b) => equal(bits, a, b, !holds),
        ExprKind::Cmp(_, a, b) if holds => {
            let mut found = bits.bits_through(a);
            found.extend(bits.bits_through(b));
            found
        }
        ExprKind::In(x, _) if holds => bits.bits_through(x),
        // `x ?? false` holds only for an x that is there, `not (x ?? true)` too.
        ExprKind::Coalesce(x, or) if matches!(or.kind, ExprKind::Const(Value::Bool(b)) if b != holds) => {
            bits.bits_through(x)
        }
        _ => Vec::new(),
    }
}

fn both_or_common(bits: &Bits<'_>, a: &Expr, b: &Expr, holds: bool, both: bool) -> Vec<usize> {
    let mut first = there(bits, a, holds);
    let second = there(bits, b, holds);
    if both {
        first.extend(second);
    } else {
        first.retain(|bit| second.contains(bit));
    }
    first
}

fn equal(bits: &Bits<'_>, a: &Expr, b: &Expr, equal: bool) -> Vec<usize> {
    if is_none(a) || is_none(b) {
        let other = if is_none(a) { b } else { a };
        return if equal { Vec::new() } else { bits.bits_through(other) };
    }
    if !equal {
        return Vec::new();
    }
    // Equal to something that is there.
    let mut found = if b.ty.optional { Vec::new() } else { bits.bits_through(a) };
    if !a.ty.optional {
        found.extend(bits.bits_through(b));
    }
    found
}

fn is_none(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(Value::None))
}
