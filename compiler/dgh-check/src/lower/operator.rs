//! Operators and conditions: what goes with what, and what comes out.

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::{CmpOp, Expr, ExprKind, Kind, MathOp, Origin, Probe, Type, Value};
use dgh_syntax::ast::{self, AstNode as _, BinaryOp, PrefixOp};

use super::path::is_access_path;
use super::{Cx, Lower};
use crate::types::{NotComparable, comparable, describe, is_number, is_textual, join};

impl Lower<'_> {
    pub(crate) fn binary(&mut self, cx: &Cx<'_>, binary: &ast::BinaryExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, binary.span());
        let (Some(op), Some(left), Some(right)) = (binary.op(), binary.left(), binary.right()) else {
            return Expr::hole(origin);
        };
        let op_place = binary
            .op_token()
            .map_or_else(|| self.at(cx, binary), |t| self.place(cx.file, ast::token_span(&t)));
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let (a, b) = (Box::new(self.condition(cx, &left)), Box::new(self.condition(cx, &right)));
                let private = a.ty.private || b.ty.private;
                let kind = if op == BinaryOp::And { ExprKind::And(a, b) } else { ExprKind::Or(a, b) };
                boolean(kind, private, origin)
            }
            BinaryOp::Equal => self.compare(cx, CmpOp::Eq, (&left, &right), op_place, origin),
            BinaryOp::NotEqual => self.compare(cx, CmpOp::Ne, (&left, &right), op_place, origin),
            BinaryOp::Less => self.compare(cx, CmpOp::Lt, (&left, &right), op_place, origin),
            BinaryOp::LessEqual => self.compare(cx, CmpOp::Le, (&left, &right), op_place, origin),
            BinaryOp::Greater => self.compare(cx, CmpOp::Gt, (&left, &right), op_place, origin),
            BinaryOp::GreaterEqual => self.compare(cx, CmpOp::Ge, (&left, &right), op_place, origin),
            BinaryOp::In => self.within(cx, &left, &right, op_place, origin),
            BinaryOp::Coalesce => self.coalesce(cx, (&left, &right), want, op_place, origin),
            BinaryOp::Range => self.range(cx, (&left, &right), want, op_place, origin),
            BinaryOp::Add => self.math(cx, MathOp::Add, (&left, &right), op_place, origin),
            BinaryOp::Subtract => self.math(cx, MathOp::Sub, (&left, &right), op_place, origin),
            BinaryOp::Multiply => self.math(cx, MathOp::Mul, (&left, &right), op_place, origin),
            BinaryOp::Divide => self.math(cx, MathOp::Div, (&left, &right), op_place, origin),
        }
    }

    pub(crate) fn prefix(&mut self, cx: &Cx<'_>, prefix: &ast::PrefixExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, prefix.span());
        let (Some(op), Some(operand)) = (prefix.op(), prefix.operand()) else { return Expr::hole(origin) };
        if op == PrefixOp::Not {
            let inner = self.condition(cx, &operand);
            let private = inner.ty.private;
            return boolean(ExprKind::Not(Box::new(inner)), private, origin);
        }
        let mut inner = self.expr(cx, &operand, want);
        let place = self.at(cx, &operand);
        self.present(&mut inner, place, "`-`");
        let negated = match &inner.kind {
            ExprKind::Const(Value::Int(n)) => n.checked_neg().map(Value::Int),
            ExprKind::Const(Value::Number(n)) => Some(Value::Number(-*n)),
            ExprKind::Const(Value::Money(n, currency)) => Some(Value::Money(-*n, *currency)),
            ExprKind::Const(Value::Duration(n)) => n.checked_neg().map(Value::Duration),
            _ => None,
        };
        if let Some(value) = negated {
            return Expr { kind: ExprKind::Const(value), ty: inner.ty, origin };
        }
        let ty = match &inner.ty.kind {
            Kind::IntRange(..) => Type { kind: Kind::Int, ..inner.ty.clone() },
            kind if is_number(kind)
                || matches!(kind, Kind::Money(_) | Kind::Duration | Kind::Hole | Kind::Json) =>
            {
                inner.ty.clone()
            }
            kind => {
                let what = describe(&self.program, kind);
                self.error(
                    Code::WrongType,
                    place,
                    format!("`-` goes with numbers, amounts and durations, and this is {what}"),
                );
                return Expr::hole(origin);
            }
        };
        Expr { kind: ExprKind::Neg(Box::new(inner)), ty, origin }
    }

    /// A condition: a yes or no, or a question whether something is there.
    pub(crate) fn condition(&mut self, cx: &Cx<'_>, expr: &ast::Expr) -> Expr {
        let place = self.at(cx, expr);
        let inner = match expr {
            ast::Expr::Paren(paren) => match paren.inner() {
                Some(inner) if self.depth + 1 < dgh_ir::MAX_EXPR_DEPTH => {
                    self.depth += 1;
                    let inner = self.condition(cx, &inner);
                    self.depth -= 1;
                    return inner;
                }
                _ => self.expr(cx, expr, None),
            },
            // `x?` asks the same as `x`.
            ast::Expr::Maybe(maybe) => match maybe.base() {
                Some(base) => self.expr(cx, &base, None),
                None => self.hole(cx, expr),
            },
            _ => self.expr(cx, expr, Some(&Type::of(Kind::Bool))),
        };
        self.as_condition(cx, inner, place)
    }

    fn as_condition(&mut self, cx: &Cx<'_>, inner: Expr, place: Place) -> Expr {
        let may_miss = self.may_be_asked(cx, &inner);
        match &inner.ty.kind {
            Kind::Hole => inner,
            Kind::Json => is_set(inner),
            Kind::Bool if inner.ty.optional => {
                self.error_hint(
                    Code::NotCondition,
                    place,
                    "this is a yes or a no that may be missing, so it is not clear what is asked",
                    "Write `x == true` to ask for a yes, or `x != none` to ask whether there is an answer.",
                );
                unknown(inner)
            }
            Kind::Bool => inner,
            Kind::List(_) if inner.ty.optional && is_access_path(&inner) => is_set(inner),
            Kind::List(_) => {
                self.error_hint(
                    Code::NotCondition,
                    place,
                    "a list is no condition",
                    "Ask `x.empty`, or compare `x.count` with a number.",
                );
                unknown(inner)
            }
            _ if may_miss && (is_access_path(&inner) || matches!(inner.kind, ExprKind::Probe(_))) => {
                is_set(inner)
            }
            kind => {
                let what = describe(&self.program, kind);
                let finding = if is_access_path(&inner) {
                    Diagnostic::new(Code::NeverMissing, place, format!("this is {what} that is always there, so there is nothing to ask"))
                        .with_hint("Compare it with something: `x == …`. Only a `T?`, or a variable that may still be unset, can be a condition by itself.")
                } else if matches!(
                    &inner.kind,
                    ExprKind::Probe(Probe::Called(_) | Probe::Searched(_) | Probe::Turns)
                ) {
                    Diagnostic::new(Code::NotCondition, place, "this is a count, not a condition")
                        .with_hint("Compare it with a number: `called(find_slots) == 1`.")
                } else {
                    Diagnostic::new(Code::NotCondition, place, format!("this is {what}, not a condition"))
                        .with_hint("A condition is a comparison, a `bool`, or a name that may be missing.")
                };
                self.report.push(finding);
                unknown(inner)
            }
        }
    }

    fn compare(
        &mut self,
        cx: &Cx<'_>,
        op: CmpOp,
        sides: (&ast::Expr, &ast::Expr),
        op_place: Place,
        origin: Origin,
    ) -> Expr {
        let (mut a, mut b) = self.pair(cx, sides.0, sides.1);
        let private = a.ty.private || b.ty.private;
        let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
        if equality && (a.ty.kind == Kind::Nothing || b.ty.kind == Kind::Nothing) {
            let (value, at) = if b.ty.kind == Kind::Nothing { (a, sides.0) } else { (b, sides.1) };
            return self.compare_none(cx, op, value, at, origin);
        }
        if !equality {
            let (left, right) = (self.at(cx, sides.0), self.at(cx, sides.1));
            self.present(&mut a, left, &format!("`{op}`"));
            self.present(&mut b, right, &format!("`{op}`"));
        }
        if let Err(why) = comparable(&a.ty.kind, &b.ty.kind, !equality) {
            self.not_comparable(why, op.name(), (&a, &b), op_place);
        }
        self.check_bounds(&a, &b, op_place);
        boolean(ExprKind::Cmp(op, Box::new(a), Box::new(b)), private, origin)
    }

    /// `x == none` asks the same as `not x`.
    fn compare_none(&mut self, cx: &Cx<'_>, op: CmpOp, value: Expr, at: &ast::Expr, origin: Origin) -> Expr {
        let private = value.ty.private;
        if !self.may_miss(cx, &value) {
            let place = self.at(cx, at);
            let what = describe(&self.program, &value.ty.kind);
            self.error_hint(
                Code::NeverMissing,
                place,
                format!("this is {what} that is always there, so it never equals `none`"),
                "Only a `T?`, or a variable that may still be unset, can be missing.",
            );
            return boolean(ExprKind::Hole, private, origin);
        }
        let set = ExprKind::IsSet(Box::new(value));
        if op == CmpOp::Ne {
            return boolean(set, private, origin);
        }
        boolean(ExprKind::Not(Box::new(boolean(set, private, origin))), private, origin)
    }

    /// A comparison with a number that the other side can never be.
    fn check_bounds(&mut self, a: &Expr, b: &Expr, place: Place) {
        let (range, value) = match (&a.ty.kind, &b.kind, &b.ty.kind, &a.kind) {
            (Kind::IntRange(low, high), ExprKind::Const(Value::Int(n)), ..) => ((*low, *high), *n),
            (_, _, Kind::IntRange(low, high), ExprKind::Const(Value::Int(n))) => ((*low, *high), *n),
            _ => return,
        };
        if value < range.0 || value > range.1 {
            self.error_hint(
                Code::OutOfRange,
                place,
                format!("this compares a number from {} to {} with {value}", range.0, range.1),
                "The answer is always the same.",
            );
        }
    }

    fn not_comparable(&mut self, why: NotComparable, op: &str, (a, b): (&Expr, &Expr), place: Place) {
        let (left, right) = (describe(&self.program, &a.ty.kind), describe(&self.program, &b.ty.kind));
        let finding = match why {
            NotComparable::Units => Diagnostic::new(Code::MixedUnits, place, format!("{left} and {right} do not compare"))
                .with_hint(unit_hint(&a.ty.kind, &b.ty.kind)),
            NotComparable::Kinds => {
                let finding = Diagnostic::new(Code::NotComparable, place, format!("{left} and {right} do not compare"));
                match kinds_hint(&a.ty.kind, &b.ty.kind) {
                    Some(hint) => finding.with_hint(hint),
                    None => finding,
                }
            }
            NotComparable::Order => Diagnostic::new(Code::NotComparable, place, format!("`{op}` needs an order, and {left} has none"))
                .with_hint("Numbers, amounts, durations, dates and times have one. Everything can be compared with `==` and `!=`."),
        };
        let related = self.report.place(a.origin);
        let finding = finding.with_related(related, format!("this is {left}"));
        let related = self.report.place(b.origin);
        self.report.push(finding.with_related(related, format!("this is {right}")));
    }

    /// Both sides, the one that says which type it is first: a bare name may be a case of it.
    fn pair(&mut self, cx: &Cx<'_>, left: &ast::Expr, right: &ast::Expr) -> (Expr, Expr) {
        if self.is_open(cx, left) && !self.is_open(cx, right) {
            let b = self.expr(cx, right, None);
            let want = b.ty.clone();
            let a = self.expr(cx, left, Some(&want));
            return (a, b);
        }
        let a = self.expr(cx, left, None);
        let want = a.ty.clone();
        let b = self.expr(cx, right, Some(&want));
        (a, b)
    }

    /// Whether an expression takes its type from what is expected.
    fn is_open(&self, cx: &Cx<'_>, expr: &ast::Expr) -> bool {
        match expr.clone().without_parens() {
            Some(ast::Expr::Name(name)) => name.name().is_some_and(|n| !self.is_value_name(cx, &n.text())),
            Some(ast::Expr::Literal(_) | ast::Expr::String(_)) => true,
            Some(ast::Expr::Field(field)) => {
                matches!(field.base(), Some(ast::Expr::Name(n)) if n.name().is_some_and(|n| n.text() == "env"))
            }
            _ => false,
        }
    }

    /// `x in 1..5`, `x in [a, b]`
    fn within(
        &mut self,
        cx: &Cx<'_>,
        left: &ast::Expr,
        right: &ast::Expr,
        op_place: Place,
        origin: Origin,
    ) -> Expr {
        // What is missing is in nothing, as it equals nothing.
        let value = self.expr(cx, left, None);
        let entry = value.ty.clone().required().with_private(false);
        let want = Type::of(Kind::List(Box::new(entry.clone())));
        let mut set = match right.clone().without_parens() {
            Some(ast::Expr::List(list)) => {
                let origin = self.origin(cx.file, list.span());
                let items: Vec<Expr> = list.elements().map(|e| self.expr(cx, &e, Some(&entry))).collect();
                for item in &items {
                    self.check_member(&value, item);
                }
                let private = items.iter().any(|i| i.ty.private);
                let item = entry.with_private(private);
                Expr {
                    kind: ExprKind::List(items),
                    ty: Type::of(Kind::List(Box::new(item))).with_private(private),
                    origin,
                }
            }
            _ => self.expr(cx, right, Some(&want)),
        };
        let right_place = self.at(cx, right);
        self.present(&mut set, right_place, "`in`");
        let private = value.ty.private || set.ty.private;
        let element = match &set.ty.kind {
            Kind::Range(kind) => Some(kind.as_ref().clone()),
            Kind::List(item) => Some(item.kind.clone()),
            Kind::Hole | Kind::Json => None,
            other => {
                let what = describe(&self.program, other);
                self.error_hint(
                    Code::NotComparable,
                    right_place,
                    format!("behind `in` stands a list or a range, and this is {what}"),
                    "Such as `x in [a, b]`, `x in 1..5` or `x in 9:00..18:00`.",
                );
                return boolean(ExprKind::Hole, private, origin);
            }
        };
        if let (Some(element), false) = (element, matches!(set.kind, ExprKind::List(_)))
            && let Err(why) = comparable(&value.ty.kind, &element, matches!(set.ty.kind, Kind::Range(_)))
        {
            let probe = Expr { kind: ExprKind::Hole, ty: Type::of(element), origin: set.origin };
            self.not_comparable(why, "in", (&value, &probe), op_place);
        }
        boolean(ExprKind::In(Box::new(value), Box::new(set)), private, origin)
    }

    fn check_member(&mut self, value: &Expr, item: &Expr) {
        if let Err(why) = comparable(&value.ty.kind, &item.ty.kind, false) {
            let place = self.report.place(item.origin);
            self.not_comparable(why, "in", (value, item), place);
        }
    }

    /// `a ?? b`
    fn coalesce(
        &mut self,
        cx: &Cx<'_>,
        sides: (&ast::Expr, &ast::Expr),
        want: Option<&Type>,
        op_place: Place,
        origin: Origin,
    ) -> Expr {
        let required = want.cloned().map(Type::required);
        let a = self.expr(cx, sides.0, required.as_ref());
        if !self.may_miss(cx, &a) {
            let place = self.at(cx, sides.0);
            let what = describe(&self.program, &a.ty.kind);
            self.error_hint(
                Code::NeverMissing,
                place,
                format!("this is {what} that is always there, so `??` never applies"),
                "Remove the `??` and what follows it.",
            );
        }
        let wanted = required.unwrap_or_else(|| a.ty.clone().required());
        let b = self.expr(cx, sides.1, Some(&wanted));
        let left = a.ty.clone().required();
        let ty = join(&left, &b.ty).or_else(|| {
            readable(&left.kind, &b.ty.kind)
                .then(|| Type::of(Kind::Text).with_private(left.private || b.ty.private))
        });
        let Some(ty) = ty else {
            let (left, right) = (describe(&self.program, &a.ty.kind), describe(&self.program, &b.ty.kind));
            self.error_hint(
                Code::WrongType,
                op_place,
                format!("`??` gives {left} or else {right}"),
                "What stands behind `??` takes the place of what stands before it, so it must be of the same type.",
            );
            return Expr { kind: ExprKind::Coalesce(Box::new(a), Box::new(b)), ty: Type::hole(), origin };
        };
        let ty = Type { optional: b.ty.optional, ..ty };
        Expr { kind: ExprKind::Coalesce(Box::new(a), Box::new(b)), ty, origin }
    }

    /// `a..b`
    fn range(
        &mut self,
        cx: &Cx<'_>,
        sides: (&ast::Expr, &ast::Expr),
        want: Option<&Type>,
        op_place: Place,
        origin: Origin,
    ) -> Expr {
        let bound = match want.map(|w| &w.kind) {
            Some(Kind::List(item)) => Some(item.as_ref().clone()),
            Some(Kind::Range(kind)) => Some(Type::of(kind.as_ref().clone())),
            _ => None,
        };
        let mut a = self.expr(cx, sides.0, bound.as_ref());
        let mut b = self.expr(cx, sides.1, Some(&a.ty.clone()));
        let places = (self.at(cx, sides.0), self.at(cx, sides.1));
        self.present(&mut a, places.0, "`..`");
        self.present(&mut b, places.1, "`..`");
        let private = a.ty.private || b.ty.private;
        if let Err(why) = comparable(&a.ty.kind, &b.ty.kind, true) {
            self.not_comparable(why, "..", (&a, &b), op_place);
            return Expr::hole(origin);
        }
        let kind = join(&a.ty, &b.ty).map_or(Kind::Hole, |t| t.kind);
        let kind = if matches!(kind, Kind::IntRange(..)) { Kind::Int } else { kind };
        if is_empty(&a, &b) {
            self.error_hint(
                Code::OutOfRange,
                op_place,
                "nothing lies in this range",
                "Write the smaller end first.",
            );
        }
        Expr {
            kind: ExprKind::Range(Box::new(a), Box::new(b)),
            ty: Type::of(Kind::Range(Box::new(kind))).with_private(private),
            origin,
        }
    }

    fn math(
        &mut self,
        cx: &Cx<'_>,
        op: MathOp,
        sides: (&ast::Expr, &ast::Expr),
        op_place: Place,
        origin: Origin,
    ) -> Expr {
        let mut a = self.expr(cx, sides.0, None);
        let mut b = self.expr(cx, sides.1, None);
        let places = (self.at(cx, sides.0), self.at(cx, sides.1));
        self.present(&mut a, places.0, &format!("`{op}`"));
        self.present(&mut b, places.1, &format!("`{op}`"));
        let private = a.ty.private || b.ty.private;
        let Some(kind) = math_kind(op, &a.ty.kind, &b.ty.kind) else {
            self.bad_math(op, &a, &b, op_place);
            return Expr { kind: ExprKind::Math(op, Box::new(a), Box::new(b)), ty: Type::hole(), origin };
        };
        if op == MathOp::Div && is_zero(&b) {
            self.error(Code::OutOfRange, places.1, "nothing can be divided by zero");
            return Expr::hole(origin);
        }
        Expr {
            kind: ExprKind::Math(op, Box::new(a), Box::new(b)),
            ty: Type::of(kind).with_private(private),
            origin,
        }
    }

    fn bad_math(&mut self, op: MathOp, a: &Expr, b: &Expr, place: Place) {
        let (left, right) = (describe(&self.program, &a.ty.kind), describe(&self.program, &b.ty.kind));
        let units = |k: &Kind| is_number(k) || matches!(k, Kind::Money(_) | Kind::Duration);
        let both = units(&a.ty.kind) && units(&b.ty.kind);
        let text = is_textual(&a.ty.kind) || is_textual(&b.ty.kind);
        let (code, hint) = if both {
            (Code::MixedUnits, unit_hint(&a.ty.kind, &b.ty.kind))
        } else if text && op == MathOp::Add {
            (Code::WrongType, "Texts are put together inside of quotes: `\"{{ a }} {{ b }}\"`.".to_owned())
        } else {
            (Code::WrongType, "Numbers, amounts and durations can be computed with; a duration can be added to a date or time.".to_owned())
        };
        self.error_hint(code, place, format!("`{op}` does not go with {left} and {right}"), hint);
    }

    /// Says that a value is needed here; reports what may be missing and is no name.
    fn present(&mut self, expr: &mut Expr, place: Place, what: &str) {
        if !expr.ty.optional || matches!(expr.ty.kind, Kind::Hole) || super::path::require(expr) {
            return;
        }
        self.error_hint(
            Code::MaybeMissing,
            place,
            format!("this may be missing, and {what} needs a value"),
            "Say what holds when it is missing: `x ?? …`.",
        );
        expr.ty.optional = false;
    }
}

fn boolean(kind: ExprKind, private: bool, origin: Origin) -> Expr {
    let ty = if kind == ExprKind::Hole { Type::hole() } else { Type::of(Kind::Bool) };
    Expr { kind, ty: ty.with_private(private), origin }
}

/// A value that is no condition: nothing more is said about it, and it still reads what it reads.
fn unknown(inner: Expr) -> Expr {
    if is_access_path(&inner) { is_set(inner) } else { Expr { ty: Type::hole(), ..inner } }
}

fn is_set(inner: Expr) -> Expr {
    let (private, origin) = (inner.ty.private, inner.origin);
    boolean(ExprKind::IsSet(Box::new(inner)), private, origin)
}

/// Whether both read as words, so that one can stand in for the other in a text.
fn readable(a: &Kind, b: &Kind) -> bool {
    let scalar = |k: &Kind| {
        !matches!(k, Kind::Record(_) | Kind::List(_) | Kind::Range(_) | Kind::Secret | Kind::Nothing)
    };
    scalar(a) && scalar(b) && (is_textual(a) || is_textual(b))
}

/// Whether nothing lies between two constants; a range of times goes past midnight instead.
fn is_empty(low: &Expr, high: &Expr) -> bool {
    let (ExprKind::Const(low), ExprKind::Const(high)) = (&low.kind, &high.kind) else { return false };
    match (low, high) {
        (Value::Int(a), Value::Int(b)) => a > b,
        (Value::Number(a), Value::Number(b)) => a > b,
        (Value::Date(a), Value::Date(b)) => a > b,
        (Value::Money(a, unit), Value::Money(b, other)) => unit == other && a > b,
        _ => false,
    }
}

fn is_zero(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(Value::Int(n)) => *n == 0,
        ExprKind::Const(Value::Number(n) | Value::Money(n, _)) => n.is_zero(),
        ExprKind::Const(Value::Duration(n)) => *n == 0,
        _ => false,
    }
}

fn math_kind(op: MathOp, a: &Kind, b: &Kind) -> Option<Kind> {
    use MathOp::{Add, Div, Mul, Sub};
    let int = |k: &Kind| matches!(k, Kind::Int | Kind::IntRange(..));
    let moment = |k: &Kind| matches!(k, Kind::Date | Kind::Time | Kind::DateTime);
    Some(match (op, a, b) {
        (_, Kind::Hole, _) | (_, _, Kind::Hole) => Kind::Hole,
        (_, Kind::Json, _) | (_, _, Kind::Json) => Kind::Json,
        (Div, x, y) if is_number(x) && is_number(y) => Kind::Number,
        (_, x, y) if int(x) && int(y) => Kind::Int,
        (_, x, y) if is_number(x) && is_number(y) => Kind::Number,
        (_, Kind::Money(Some(x)), Kind::Money(Some(y))) if x != y => return None,
        (Add | Sub, Kind::Money(x), Kind::Money(y)) => Kind::Money(x.or(*y)),
        (Div, Kind::Money(_), Kind::Money(_)) | (Div, Kind::Duration, Kind::Duration) => Kind::Number,
        (Mul | Div, Kind::Money(x), y) if is_number(y) => Kind::Money(*x),
        (Mul, x, Kind::Money(y)) if is_number(x) => Kind::Money(*y),
        (Add | Sub, Kind::Duration, Kind::Duration) => Kind::Duration,
        (Mul | Div, Kind::Duration, y) if is_number(y) => Kind::Duration,
        (Mul, x, Kind::Duration) if is_number(x) => Kind::Duration,
        (Add | Sub, x, Kind::Duration) if moment(x) => x.clone(),
        (Add, Kind::Duration, y) if moment(y) => y.clone(),
        (Sub, x, y) if moment(x) && x == y => Kind::Duration,
        _ => return None,
    })
}

/// How to bring two units together.
pub(crate) fn unit_hint(a: &Kind, b: &Kind) -> String {
    match (a, b) {
        (Kind::Money(Some(x)), Kind::Money(Some(y))) if x != y => {
            "Amounts of two currencies have no order and no sum. Use one currency.".to_owned()
        }
        (Kind::Money(Some(c)), k) | (k, Kind::Money(Some(c))) if is_number(k) => {
            format!("Write the number with its currency: `10 {}`.", c.code())
        }
        (Kind::Money(None), k) | (k, Kind::Money(None)) if is_number(k) => {
            "Write the number with its currency: `10 USD`.".to_owned()
        }
        (Kind::Duration, k) | (k, Kind::Duration) if is_number(k) => {
            "Write the number with its unit: `10s`, `5min`, `2h`, `1d`.".to_owned()
        }
        _ => "Both sides need the same unit.".to_owned(),
    }
}

fn kinds_hint(a: &Kind, b: &Kind) -> Option<String> {
    Some(match (a, b) {
        (Kind::Enum(_), k) | (k, Kind::Enum(_)) if is_textual(k) => "Write a case without quotes.".to_owned(),
        (Kind::Bool, k) | (k, Kind::Bool) if is_textual(k) => {
            "A yes or no is `true` or `false`, without quotes.".to_owned()
        }
        (Kind::Date, Kind::DateTime) | (Kind::DateTime, Kind::Date) => {
            "Compare the day of the date with a time: `x.date`.".to_owned()
        }
        (Kind::Time, Kind::DateTime) | (Kind::DateTime, Kind::Time) => {
            "Compare the time of the date with a time: `x.time`.".to_owned()
        }
        (Kind::Date | Kind::Time | Kind::DateTime | Kind::Duration, k)
        | (k, Kind::Date | Kind::Time | Kind::DateTime | Kind::Duration)
            if is_textual(k) =>
        {
            "Dates, times and durations are written without quotes.".to_owned()
        }
        (k, t) | (t, k) if is_number(k) && is_textual(t) => "Numbers are written without quotes.".to_owned(),
        (Kind::Time, k) | (k, Kind::Time) if is_number(k) => {
            "A time is written `9:00`, a range of times `9:00..18:00`.".to_owned()
        }
        (Kind::List(_), _) | (_, Kind::List(_)) => {
            "To look into a list, write `x in list`, `list.count` or `list.first`.".to_owned()
        }
        (Kind::Record(_), _) | (_, Kind::Record(_)) => "Compare one of its fields: `x.name == …`.".to_owned(),
        _ => return None,
    })
}
