//! How far the numbers of a declaration of the standard library may go: `temperature: number(0..2)?`.

use dgh_diag::{Code, Place};
use dgh_ir::program::Param;
use dgh_ir::{Expr, ExprKind, Value};
use dgh_syntax::ast::{self, LiteralValue, TypeKind};
use rust_decimal::Decimal;

use crate::lower::Lower;

/// The limits of one parameter, both included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    name: String,
    low: Decimal,
    high: Decimal,
}

/// The limits that parameters are declared with.
pub(crate) fn limits(params: impl Iterator<Item = ast::Param>) -> Vec<Limit> {
    params.filter_map(|param| Some((param.name()?.text(), range_of(&param.ty()?)?))).map(Limit::new).collect()
}

impl Limit {
    fn new((name, (low, high)): (String, (Decimal, Decimal))) -> Self {
        Self { name, low, high }
    }
}

fn range_of(ty: &ast::TypeRef) -> Option<(Decimal, Decimal)> {
    let Some(TypeKind::Named(named)) = ty.kind() else { return None };
    let (low, high) = named.args()?.range()?.bounds();
    Some((bound(low?)?, bound(high?)?))
}

fn bound((negative, literal): ast::Bound) -> Option<Decimal> {
    let value = match literal.value()? {
        LiteralValue::Int(n) => Decimal::from(n),
        LiteralValue::Number(n) => n,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

impl Lower<'_> {
    /// Reports a value that a parameter of `what` does not take. What is computed is not known.
    pub(crate) fn within_limits(
        &mut self,
        limits: &[Limit],
        params: &[Param],
        what: &str,
        (name, value): (&str, &Expr),
        place: Place,
    ) {
        let number = match &value.kind {
            ExprKind::Const(Value::Int(n)) => Decimal::from(*n),
            ExprKind::Const(Value::Number(n)) => *n,
            ExprKind::Const(Value::Duration(ms)) if *ms < 0 => Decimal::from(*ms),
            _ => return,
        };
        let about = params.iter().find(|p| p.name == name).and_then(|p| p.about.clone());
        let message = match limits.iter().find(|l| l.name == name) {
            Some(limit) if number < limit.low || number > limit.high => {
                format!("`{name}` of {what} goes from {} to {}, and this is {number}", limit.low, limit.high)
            }
            None if number < Decimal::ZERO && !matches!(value.kind, ExprKind::Const(Value::Number(_))) => {
                format!("`{name}` of {what} cannot be less than 0")
            }
            _ => return,
        };
        match about {
            Some(about) => self.error_hint(Code::OutOfRange, place, message, format!("{about}.")),
            None => self.error(Code::OutOfRange, place, message),
        }
    }
}
