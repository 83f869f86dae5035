//! Which paths an expression needs to be there.

use dgh_ir::{Expr, ExprKind};

use super::access::{Access, Bits};
use super::narrow::there;

/// Calls `visit` with each bit that evaluating the expression needs, and the read. What a part of
/// an `and` or `or` has made sure for the parts behind it is left out.
pub(crate) fn needs<'e>(bits: &Bits<'_>, expr: &'e Expr, visit: &mut dyn FnMut(usize, &'e Expr)) {
    walk(bits, expr, &mut Vec::new(), visit);
}

/// The same for a body: a field that may be missing is left out, but only where `x?` says so.
pub(crate) fn needs_in_body<'e>(bits: &Bits<'_>, expr: &'e Expr, visit: &mut dyn FnMut(usize, &'e Expr)) {
    match &expr.kind {
        ExprKind::Record(_) | ExprKind::List(_) => {
            expr.each_child(&mut |child| needs_in_body(bits, child, visit));
        }
        ExprKind::Slot(_) | ExprKind::Field(..) | ExprKind::Builtin(_) => {
            needs(bits, expr, visit);
            if !bits.is_needed(expr)
                && bits.may_miss(expr)
                && let Some(bit) = bits.bit(expr)
            {
                visit(bit, expr);
            }
        }
        _ => needs(bits, expr, visit),
    }
}

fn walk<'e>(bits: &Bits<'_>, expr: &'e Expr, known: &mut Vec<usize>, visit: &mut dyn FnMut(usize, &'e Expr)) {
    match &expr.kind {
        ExprKind::Slot(_) | ExprKind::Builtin(_) => read(bits, expr, known, visit),
        ExprKind::Field(base, _) => {
            walk(bits, base, known, visit);
            read(bits, expr, known, visit);
        }
        // What is needed of `reveal(x)` is needed of x.
        ExprKind::Reveal(x) if !expr.ty.optional && Access::of(x).is_some() => {
            walk(bits, x, known, visit);
            if bits.may_miss(x)
                && let Some(bit) = bits.bit(x)
                && !bits.is_needed(x)
                && !known.contains(&bit)
            {
                visit(bit, x);
            }
        }
        ExprKind::Maybe(x) | ExprKind::IsSet(x) => lenient(bits, x, known, visit),
        ExprKind::Coalesce(a, b) => {
            lenient(bits, a, known, visit);
            walk(bits, b, known, visit);
        }
        ExprKind::And(a, b) | ExprKind::Or(a, b) => {
            walk(bits, a, known, visit);
            let before = known.len();
            known.extend(there(bits, a, matches!(expr.kind, ExprKind::And(..))));
            walk(bits, b, known, visit);
            known.truncate(before);
        }
        _ => expr.each_child(&mut |child| walk(bits, child, known, visit)),
    }
}

/// An operand that may be missing: a path needs nothing at all, not even that it leads through.
fn lenient<'e>(
    bits: &Bits<'_>,
    expr: &'e Expr,
    known: &mut Vec<usize>,
    visit: &mut dyn FnMut(usize, &'e Expr),
) {
    if Access::of(expr).is_none() {
        walk(bits, expr, known, visit);
    }
}

fn read<'e>(bits: &Bits<'_>, expr: &'e Expr, known: &[usize], visit: &mut dyn FnMut(usize, &'e Expr)) {
    if bits.is_needed(expr)
        && let Some(bit) = bits.bit(expr)
        && !known.contains(&bit)
    {
        visit(bit, expr);
    }
}
