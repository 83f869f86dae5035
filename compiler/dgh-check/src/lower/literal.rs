//! Literals, strings, lists and records as values.

use dgh_diag::{Code, Place};
use dgh_ir::{Expr, ExprKind, Kind, Type, Value};
use dgh_syntax::ast::{self, AstNode as _, LiteralValue};
use rust_decimal::Decimal;

use super::{Cx, Lower};
use crate::types::{currency, describe, join};

impl Lower<'_> {
    pub(crate) fn literal(&mut self, cx: &Cx<'_>, literal: &ast::Literal, want: Option<&Type>) -> Expr {
        let place = self.at(cx, literal);
        let origin = self.report.origin(place);
        let Some(value) = literal.value() else { return Expr::hole(origin) };
        let (kind, value) = match value {
            LiteralValue::Int(n) if want.is_some_and(|w| w.kind == Kind::Number) => {
                (Kind::Number, Value::Number(Decimal::from(n)))
            }
            LiteralValue::Int(n) => (Kind::Int, Value::Int(n)),
            LiteralValue::Number(n) => (Kind::Number, Value::Number(n)),
            LiteralValue::Percent(n) => {
                // A percentage is the number it stands for: 25% is 0.25.
                (Kind::Number, Value::Number((n / Decimal::ONE_HUNDRED).normalize()))
            }
            LiteralValue::Money { amount, currency: code } => match currency(&code) {
                Some(code) => (Kind::Money(Some(code)), Value::Money(amount, code)),
                None => {
                    let at = literal.currency().map_or(place, |c| self.place(cx.file, c.span()));
                    self.no_currency(&code, at);
                    return Expr::hole(origin);
                }
            },
            LiteralValue::Duration(ms) => {
                (Kind::Duration, Value::Duration(i64::try_from(ms).unwrap_or(i64::MAX)))
            }
            LiteralValue::Date(date) => (Kind::Date, Value::Date(date)),
            LiteralValue::DateTime(at) => (Kind::DateTime, Value::DateTime(at)),
            LiteralValue::Time(time) => (Kind::Time, Value::Time(time)),
            LiteralValue::Bool(b) => (Kind::Bool, Value::Bool(b)),
            LiteralValue::None => {
                // An enum may have a case of this name.
                if let Some(Kind::Enum(id)) = want.map(|w| &w.kind)
                    && self.program.enums.get(*id).is_some_and(|e| e.cases.iter().any(|c| c == "none"))
                {
                    (Kind::Enum(*id), Value::Case("none".to_owned()))
                } else {
                    return Expr {
                        kind: ExprKind::Const(Value::None),
                        ty: Type::of(Kind::Nothing).optional(),
                        origin,
                    };
                }
            }
        };
        Expr { kind: ExprKind::Const(value), ty: Type::of(kind), origin }
    }

    /// `[a, b]`
    pub(crate) fn list(&mut self, cx: &Cx<'_>, list: &ast::ListExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, list.span());
        let element = match want.map(|w| &w.kind) {
            Some(Kind::List(item)) => Some(item.as_ref().clone()),
            _ => None,
        };
        let mut items = Vec::new();
        let mut ty: Option<Type> = None;
        for item in list.elements() {
            let value = match &element {
                Some(element) => self.value(cx, &item, element, "an entry of this list"),
                None => self.expr(cx, &item, ty.as_ref()),
            };
            ty = Some(self.join_entry(ty, &value));
            items.push(value);
        }
        let item =
            element.filter(|_| items.is_empty() || ty.as_ref().is_some_and(|t| t.kind != Kind::Hole)).or(ty);
        let item = item.unwrap_or_else(Type::hole);
        let private = items.iter().any(|i| i.ty.private) || item.private;
        Expr {
            kind: ExprKind::List(items),
            ty: Type::of(Kind::List(Box::new(item))).with_private(private),
            origin,
        }
    }

    fn join_entry(&mut self, so_far: Option<Type>, value: &Expr) -> Type {
        let Some(ty) = so_far else { return value.ty.clone() };
        if let Some(joined) = join(&ty, &value.ty) {
            return joined;
        }
        let place = self.report.place(value.origin);
        let (first, this) = (describe(&self.program, &ty.kind), describe(&self.program, &value.ty.kind));
        self.error_hint(
            Code::WrongType,
            place,
            format!("this is {this}, and an earlier entry {first}"),
            "All entries of a list are of one type.",
        );
        Type::hole()
    }

    /// `{ name: value }`
    pub(crate) fn record(&mut self, cx: &Cx<'_>, record: &ast::RecordExpr, want: Option<&Type>) -> Expr {
        let origin = self.origin(cx.file, record.span());
        let def = match want.map(|w| &w.kind) {
            Some(Kind::Record(id)) => {
                self.program.records.get(*id).map(|r| (*id, r.name.clone(), r.fields.clone()))
            }
            _ => None,
        };
        let mut fields: Vec<(String, Expr)> = Vec::new();
        let mut private = false;
        let mut lost = false;
        for field in record.fields() {
            let Some(key) = field.key() else { continue };
            let place = self.key_place(cx, &field);
            if fields.iter().any(|(k, _)| *k == key) {
                self.error_hint(
                    Code::Duplicate,
                    place,
                    format!("`{key}` stands twice in this record"),
                    "Remove one of the two.",
                );
                continue;
            }
            let value = match (&def, field.value()) {
                (_, None) => Expr::hole(self.report.origin(place)),
                (None, Some(value)) => {
                    let any = Type::of(Kind::Json).optional();
                    let inner = self.expr(cx, &value, Some(&any));
                    self.fit(inner, &any, &format!("`{key}`"))
                }
                (Some((_, name, defs)), Some(value)) => match defs.iter().find(|f| f.name == key) {
                    Some(def) => self.value(cx, &value, &def.ty.clone(), &format!("`{key}` of `{name}`")),
                    None => {
                        let known: Vec<&str> = defs.iter().map(|f| f.name.as_str()).collect();
                        if self.is_lost(cx.file, &key) {
                            continue;
                        }
                        let finding = self.unknown(
                            Code::UnknownField,
                            place,
                            format!("`{name}` has no field `{key}`"),
                            &key,
                            &known,
                        );
                        self.report.push(finding);
                        lost = true;
                        self.lost_value(cx, &value)
                    }
                },
            };
            private |= value.ty.private;
            fields.push((key, value));
        }
        let ty = match def {
            Some((id, name, defs)) => {
                let missing: Vec<&str> = defs
                    .iter()
                    .filter(|d| !d.ty.optional && !fields.iter().any(|(k, _)| *k == d.name))
                    .map(|d| d.name.as_str())
                    .collect();
                if !missing.is_empty() && !lost && !record.has_errors() {
                    let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&missing));
                    let place = self.at(cx, record);
                    self.error(Code::MissingArgument, place, format!("this `{name}` lacks {names}"));
                }
                Type::of(Kind::Record(id))
            }
            None => Type::of(Kind::Json),
        };
        Expr { kind: ExprKind::Record(fields), ty: ty.with_private(private), origin }
    }

    fn key_place(&self, cx: &Cx<'_>, field: &ast::RecordField) -> Place {
        let span = field.name().map(|n| n.span()).or_else(|| field.key_string().map(|s| s.span()));
        self.place(cx.file, span.unwrap_or_else(|| field.span()))
    }
}
