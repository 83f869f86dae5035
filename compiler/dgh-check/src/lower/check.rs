//! Whether a value goes where it stands, and how to say it when it does not.

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Span};
use dgh_ir::{Expr, ExprKind, Kind, Type, Value};
use dgh_syntax::ast;
use rust_decimal::Decimal;

use super::operator::unit_hint;
use super::{Cx, Lower};
use crate::types::{Mismatch, assign, describe, is_number, is_textual, literal, type_name};

impl Lower<'_> {
    /// An expression in a place that takes `want`. `what` names the place for a message:
    /// "`timeout`", "`topic` of `desk_for`".
    pub(crate) fn value(&mut self, cx: &Cx<'_>, value: &ast::Expr, want: &Type, what: &str) -> Expr {
        let expr = self.expr(cx, value, Some(want));
        self.fit(expr, want, what)
    }

    /// Checks a lowered value against its place. What does not fit is reported and gets the
    /// unknown type, so that nothing is said about it again.
    pub(crate) fn fit(&mut self, mut expr: Expr, want: &Type, what: &str) -> Expr {
        if let ExprKind::Const(value) = &expr.kind
            && let Some(fitted) = self.fit_constant(value.clone(), &expr, want, what)
        {
            return fitted;
        }
        if want.kind == Kind::Url && matches!(expr.kind, ExprKind::Template(_)) {
            // An address is put together at run time, and checked there.
            expr.ty.kind = Kind::Url;
        }
        let place = self.report.place(expr.origin);
        match assign(want, &expr.ty) {
            Ok(()) => expr,
            Err(Mismatch::Missing) if super::path::require(&mut expr) => expr,
            Err(why) => {
                let finding = self.mismatch(why, &expr, want, what, place);
                self.report.push(finding);
                // Nothing is said either of whether it is there.
                let optional = expr.ty.optional;
                expr.ty = Type { optional, ..Type::hole().with_private(expr.ty.private) };
                expr
            }
        }
    }

    /// A constant whose text says more than its type: `"+1415…"` is a phone number.
    fn fit_constant(&mut self, value: Value, expr: &Expr, want: &Type, what: &str) -> Option<Expr> {
        let place = self.report.place(expr.origin);
        let typed = |value: Value, kind: Kind| {
            Some(Expr { kind: ExprKind::Const(value), ty: Type::of(kind), origin: expr.origin })
        };
        match (&value, &want.kind) {
            (Value::Int(n), Kind::Number) => typed(Value::Number(Decimal::from(*n)), Kind::Number),
            (Value::Int(n), Kind::IntRange(low, high)) => {
                if n < low || n > high {
                    self.error_hint(
                        Code::OutOfRange,
                        place,
                        format!("{what} is a whole number from {low} to {high}, and this is {n}"),
                        "Change the number, or the range where it is declared.",
                    );
                }
                typed(value.clone(), want.kind.clone())
            }
            (Value::Text(text), Kind::Phone | Kind::Email | Kind::Url | Kind::Digits(_))
                if expr.ty.kind == Kind::Text =>
            {
                let tidy = match &want.kind {
                    Kind::Phone => literal::tidy_phone(text),
                    Kind::Email => literal::is_email(text).then(|| text.clone()),
                    Kind::Url => literal::is_url(text).then(|| text.clone()),
                    Kind::Digits(n) => literal::is_digits(text, *n).then(|| text.clone()),
                    _ => None,
                };
                if tidy.is_none() {
                    let finding = self.bad_shape(text, &want.kind, what, place);
                    self.report.push(finding);
                }
                typed(Value::Text(tidy.unwrap_or_default()), want.kind.clone())
            }
            _ => None,
        }
    }

    fn bad_shape(&self, text: &str, kind: &Kind, what: &str, place: Place) -> Diagnostic {
        let wanted = describe(&self.program, kind);
        let hint = match kind {
            Kind::Phone => "Write it with a plus and the country, without spaces: `+14155550100`.".to_owned(),
            Kind::Email => "Such as `ann@example.com`.".to_owned(),
            Kind::Url => "An address begins with `https://`.".to_owned(),
            Kind::Digits(n) => format!("Exactly {n} digits, and nothing else."),
            _ => String::new(),
        };
        Diagnostic::new(
            Code::WrongType,
            place,
            format!("{what} takes {wanted}, and \"{}\" is none", shorten(text)),
        )
        .with_hint(hint)
    }

    fn mismatch(&self, why: Mismatch, expr: &Expr, want: &Type, what: &str, place: Place) -> Diagnostic {
        let wanted = describe(&self.program, &want.kind);
        let found = describe(&self.program, &expr.ty.kind);
        match why {
            Mismatch::Missing => Diagnostic::new(
                Code::MaybeMissing,
                place,
                format!("{what} needs a value, and this may be missing"),
            )
            .with_hint(format!(
                "Say what holds when it is missing: `x ?? …`. Or let {what} be missing: `{}?`.",
                type_name(&self.program, want)
            )),
            Mismatch::Unit => Diagnostic::new(
                Code::MixedUnits,
                place,
                format!("{what} takes {wanted}, and this is {found}"),
            )
            .with_hint(Self::assign_unit_hint(want, expr)),
            Mismatch::Range => Diagnostic::new(
                Code::OutOfRange,
                place,
                format!("{what} takes {wanted}, and this can be {found}"),
            )
            .with_hint(
                "Put it into a `var` of that range first: a `set` is checked during the call, and a \
                 number that does not fit raises `error`. Or widen the range where it is declared.",
            ),
            Mismatch::Kind => self.wrong_kind(expr, want, what, place, (&wanted, &found)),
        }
    }

    fn assign_unit_hint(want: &Type, expr: &Expr) -> String {
        match (&want.kind, &expr.ty.kind) {
            (Kind::Money(Some(c)), Kind::Money(None)) => {
                format!("It may be an amount in another currency. Declare it as `money({})`.", c.code())
            }
            (a, b) => unit_hint(a, b),
        }
    }

    fn wrong_kind(
        &self,
        expr: &Expr,
        want: &Type,
        what: &str,
        place: Place,
        (wanted, found): (&str, &str),
    ) -> Diagnostic {
        if expr.ty.kind == Kind::Nothing {
            return Diagnostic::new(
                Code::MaybeMissing,
                place,
                format!("{what} needs a value, and `none` is a missing one"),
            )
            .with_hint(format!("Only a `{}?` can be missing.", type_name(&self.program, want)));
        }
        let finding =
            Diagnostic::new(Code::WrongType, place, format!("{what} takes {wanted}, and this is {found}"));
        if let ExprKind::Const(Value::Text(text)) = &expr.kind
            && let Some(bare) = self.bare_form(text, &want.kind)
        {
            return finding.with_hint(format!("Write it without quotes: `{bare}`.")).with_fix(Fix {
                title: format!("Change to `{bare}`"),
                edits: vec![Edit { place, text: bare }],
                safe: false,
            });
        }
        match self.kind_hint(expr, want) {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        }
    }

    /// How a text in quotes reads as a value of another type.
    fn bare_form(&self, text: &str, kind: &Kind) -> Option<String> {
        let text = text.trim();
        let fits = match kind {
            Kind::Enum(id) => self.program.enums.get(*id)?.cases.iter().any(|c| c == text),
            Kind::Bool => matches!(text, "true" | "false"),
            Kind::Int | Kind::IntRange(..) => literal::int(text).is_some(),
            Kind::Number => literal::decimal(text).is_some(),
            Kind::Money(_) => literal::money(text).is_some(),
            Kind::Duration => literal::duration(text).is_some(),
            Kind::Date => literal::date(text).is_some(),
            Kind::DateTime => literal::datetime(text).is_some(),
            Kind::Time => literal::time(text).is_some(),
            _ => false,
        };
        fits.then(|| text.to_owned())
    }

    fn kind_hint(&self, expr: &Expr, want: &Type) -> Option<String> {
        Some(match (&want.kind, &expr.ty.kind) {
            (Kind::Enum(id), _) => {
                let cases = self.program.enums.get(*id).map(|e| e.cases.as_slice()).unwrap_or_default();
                format!("It is one of {}.", dgh_diag::suggest::any_of(&dgh_diag::suggest::quoted(cases)))
            }
            (Kind::Secret, _) => {
                "Name a secret of the profile: `secret.NAME`. The secret itself never stands in a file."
                    .to_owned()
            }
            (_, Kind::Secret) => "A secret stands only in `auth:`, `sign:` and `headers:`.".to_owned(),
            (Kind::Text, Kind::List(_)) => "Put it into a text: `\"{{ x }}\"`.".to_owned(),
            (Kind::Text, Kind::Record(_)) => "Name one of its fields.".to_owned(),
            (Kind::Text, k) if !matches!(k, Kind::Range(_)) => {
                "Put it into a text: `\"{{ x as spoken }}\"`.".to_owned()
            }
            (Kind::Phone, k) if is_textual(k) => {
                "A text need not be a phone number. Declare it as `phone` where it comes from.".to_owned()
            }
            (Kind::Email | Kind::Url | Kind::Digits(_), k) if is_textual(k) => {
                format!(
                    "A text need not be one. Declare it as `{}` where it comes from.",
                    type_name(&self.program, &want.clone().required())
                )
            }
            (Kind::Date, Kind::DateTime) => "Take the date of it: `x.date`.".to_owned(),
            (Kind::Time, Kind::DateTime) => "Take the time of it: `x.time`.".to_owned(),
            (Kind::Duration, k) if is_number(k) => "Write the unit: `4s`, `2min`, `1h`.".to_owned(),
            (Kind::List(_), k) if !matches!(k, Kind::List(_)) => {
                "Write a list in square brackets: `[a, b]`.".to_owned()
            }
            (k, Kind::List(item)) if assign(want, &item.clone().required()).is_ok() => {
                let _ = k;
                "Take one entry of it: `x.first`, or let the caller pick: `collect one from x`.".to_owned()
            }
            (Kind::Range(_), _) => "Write a range: `9:00..18:00`.".to_owned(),
            (Kind::Int | Kind::IntRange(..), Kind::Number) => {
                "It may have a fraction. Declare it as `number`.".to_owned()
            }
            _ => return None,
        })
    }

    /// Reports a value that must be a constant.
    pub(crate) fn not_constant(&mut self, place: Place, what: &str) {
        self.error_hint(
            Code::Misplaced,
            place,
            format!("{what} is the same for every call"),
            "Write the value itself, or a constant.",
        );
    }

    /// A span without its first and last byte: the inside of quotes.
    pub(crate) fn inside(place: Place) -> Place {
        let Span { start, end } = place.span;
        Place { span: Span::new((start + 1).min(end), end.saturating_sub(1).max(start)), ..place }
    }
}

fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() { format!("{short}…") } else { short }
}
