//! Values of tests: written like JSON, converted to the type that is declared where they go.

use dgh_diag::{Code, Place};
use dgh_ir::{ExprKind, Kind, Type, Value};
use dgh_syntax::ast::{self, AstNode as _};
use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::{Cx, Lower};
use crate::types::{currency, describe, literal};

/// Where a value of a test goes: what a finding calls it, and its code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal<'s> {
    pub(crate) what: &'s str,
    pub(crate) code: Code,
}

impl Lower<'_> {
    /// A value converted to a type; none where it does not fit, which is reported.
    pub(crate) fn test_value(
        &mut self,
        file: usize,
        value: &ast::Expr,
        ty: &Type,
        goal: Goal<'_>,
    ) -> Option<Value> {
        let value = value.clone().without_parens()?;
        let place = self.place(file, value.span());
        match (&value, &ty.kind) {
            (ast::Expr::List(list), Kind::List(item)) => {
                let items: Vec<ast::Expr> = list.elements().collect();
                let items: Vec<Option<Value>> =
                    items.iter().map(|i| self.test_value(file, i, item, goal)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            (ast::Expr::List(list), Kind::Json | Kind::Hole) => {
                let items: Vec<ast::Expr> = list.elements().collect();
                let items: Vec<Option<Value>> =
                    items.iter().map(|i| self.test_value(file, i, &Type::of(Kind::Json), goal)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            (ast::Expr::Record(record), _) => self.record_value(file, record, ty, goal),
            (ast::Expr::String(text), _) => {
                let Some(plain) = text.plain_text() else {
                    self.error_hint(
                        goal.code,
                        place,
                        "a test gives plain values",
                        "Write the text without `{{ }}`.",
                    );
                    return None;
                };
                let converted = self.text_value(&plain, &ty.kind);
                if converted.is_none() {
                    self.bad_value(place, ty, &format!("\"{plain}\""), goal);
                }
                converted
            }
            _ => self.plain_value(file, &value, ty, place, goal),
        }
    }

    fn plain_value(
        &mut self,
        file: usize,
        value: &ast::Expr,
        ty: &Type,
        place: Place,
        goal: Goal<'_>,
    ) -> Option<Value> {
        let want = if ty.kind == Kind::Json { None } else { Some(ty) };
        let lowered = self.expr(&Cx::fixed(file), value, want);
        let found = match lowered.kind {
            ExprKind::Const(value) => value,
            ExprKind::Hole => return None,
            _ => {
                self.error_hint(
                    goal.code,
                    place,
                    "a test gives plain values",
                    "Write the value itself, or a constant.",
                );
                return None;
            }
        };
        let fits = match (&found, &ty.kind) {
            (Value::None, Kind::Json | Kind::Hole) => true,
            (Value::None, _) => ty.optional,
            (_, Kind::Json | Kind::Hole) => true,
            (Value::Int(n), Kind::Money(Some(currency))) => {
                return Some(Value::Money(Decimal::from(*n), *currency));
            }
            (Value::Number(n), Kind::Money(Some(currency))) => return Some(Value::Money(*n, *currency)),
            (Value::Int(n), Kind::Number) => return Some(Value::Number(Decimal::from(*n))),
            (Value::Number(n), Kind::Int) if n.is_integer() => return i64::try_from(*n).ok().map(Value::Int),
            (Value::Int(n), Kind::IntRange(low, high)) => low <= n && n <= high,
            (Value::Text(text), kind) => {
                return self
                    .text_value(text, kind)
                    .or_else(|| self.bad_value(place, ty, &format!("\"{text}\""), goal));
            }
            (Value::Money(_, found), Kind::Money(wanted)) => wanted.is_none_or(|w| w == *found),
            (Value::Bool(_), Kind::Bool)
            | (Value::Int(_), Kind::Int)
            | (Value::Number(_), Kind::Number)
            | (Value::Date(_), Kind::Date)
            | (Value::Time(_), Kind::Time)
            | (Value::DateTime(_), Kind::DateTime)
            | (Value::Duration(_), Kind::Duration) => true,
            (Value::Case(_), Kind::Enum(id)) => lowered.ty.kind == Kind::Enum(*id),
            (Value::List(_), Kind::List(_)) => true,
            _ => false,
        };
        if fits {
            return Some(found);
        }
        let what = describe(&self.program, &lowered.ty.kind);
        self.bad_value(place, ty, &what, goal)
    }

    fn bad_value(&mut self, place: Place, ty: &Type, found: &str, goal: Goal<'_>) -> Option<Value> {
        let wanted = describe(&self.program, &ty.kind);
        let hint = match &ty.kind {
            Kind::Enum(id) => {
                let cases = self.program.enums.get(*id).map(|e| e.cases.clone()).unwrap_or_default();
                format!("It is one of {}.", dgh_diag::suggest::any_of(&dgh_diag::suggest::quoted(&cases)))
            }
            Kind::Date => "Such as `2026-03-02`.".to_owned(),
            Kind::DateTime => "Such as `2026-03-02T10:00`.".to_owned(),
            Kind::Time => "Such as `9:30`.".to_owned(),
            Kind::Money(Some(c)) => format!("Such as `20 {}`.", c.code()),
            Kind::Money(None) => "Such as `20 USD`.".to_owned(),
            Kind::Duration => "Such as `90s`.".to_owned(),
            Kind::Phone => "Such as `\"+14155550100\"`.".to_owned(),
            Kind::Digits(n) => format!("Exactly {n} digits, in quotes."),
            Kind::Text => "Texts stand in quotes.".to_owned(),
            Kind::List(_) => "A list stands in square brackets: `[a, b]`.".to_owned(),
            Kind::Record(id) => {
                let fields: Vec<String> = self
                    .program
                    .records
                    .get(*id)
                    .map(|r| r.fields.iter().map(|f| f.name.clone()).collect())
                    .unwrap_or_default();
                format!(
                    "It has the fields {}.",
                    dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&fields))
                )
            }
            _ => String::new(),
        };
        let message = format!("{} takes {wanted}, and this is {found}", goal.what);
        if hint.is_empty() {
            self.error(goal.code, place, message);
        } else {
            self.error_hint(goal.code, place, message, hint);
        }
        None
    }

    /// A text as a value of a kind, as it would come from JSON.
    fn text_value(&self, text: &str, kind: &Kind) -> Option<Value> {
        Some(match kind {
            Kind::Text | Kind::Json | Kind::Hole => Value::Text(text.to_owned()),
            Kind::Phone => Value::Text(literal::tidy_phone(text)?),
            Kind::Email if literal::is_email(text) => Value::Text(text.to_owned()),
            Kind::Url if literal::is_url(text) => Value::Text(text.to_owned()),
            Kind::Digits(n) if literal::is_digits(text, *n) => Value::Text(text.to_owned()),
            Kind::Enum(id) if self.program.enums.get(*id)?.cases.iter().any(|c| c == text) => {
                Value::Case(text.to_owned())
            }
            Kind::Date => Value::Date(literal::date(text)?),
            Kind::Time => Value::Time(literal::time(text)?),
            Kind::DateTime => Value::DateTime(literal::datetime(text)?),
            Kind::Duration => Value::Duration(literal::duration(text)?),
            Kind::Money(wanted) => {
                let (amount, currency) = literal::money(text)?;
                if wanted.is_some_and(|w| w != currency) {
                    return None;
                }
                Value::Money(amount, currency)
            }
            _ => return None,
        })
    }

    fn record_value(
        &mut self,
        file: usize,
        record: &ast::RecordExpr,
        ty: &Type,
        goal: Goal<'_>,
    ) -> Option<Value> {
        let place = self.place(file, record.span());
        let (name, defs) = match &ty.kind {
            Kind::Record(id) => self.program.records.get(*id).map(|r| (r.name.clone(), r.fields.clone()))?,
            Kind::Json | Kind::Hole => (String::new(), Vec::new()),
            Kind::Money(_) => return self.money_record(file, record, ty, goal),
            _ => return self.bad_value(place, ty, "a record", goal),
        };
        let open = matches!(ty.kind, Kind::Json | Kind::Hole);
        let mut fields: IndexMap<String, Value> = IndexMap::new();
        let mut whole = true;
        let mut given: Vec<String> = Vec::new();
        for field in record.fields() {
            let (Some(key), Some(value)) = (field.key(), field.value()) else { continue };
            let key_span = field
                .name()
                .map(|n| n.span())
                .or_else(|| field.key_string().map(|s| s.span()))
                .unwrap_or_else(|| field.span());
            let key_place = self.place(file, key_span);
            if given.contains(&key) {
                self.error_hint(
                    Code::Duplicate,
                    key_place,
                    format!("`{key}` stands twice in this record"),
                    "Remove one of the two.",
                );
                continue;
            }
            given.push(key.clone());
            let field_ty = match defs.iter().find(|d| d.name == key) {
                Some(def) => def.ty.clone(),
                None if open => Type::of(Kind::Json).optional(),
                None if self.files.iter().any(|f| f.lost.contains(&key)) => continue,
                None => {
                    let known: Vec<&str> = defs.iter().map(|d| d.name.as_str()).collect();
                    let finding = self.unknown(
                        Code::UnknownField,
                        key_place,
                        format!("`{name}` has no field `{key}`"),
                        &key,
                        &known,
                    );
                    self.report.push(finding);
                    whole = false;
                    continue;
                }
            };
            let what = format!("`{key}`");
            match self.test_value(file, &value, &field_ty, Goal { what: &what, ..goal }) {
                Some(Value::None) => {}
                Some(value) => {
                    fields.insert(key, value);
                }
                None => whole = false,
            }
        }
        let missing: Vec<&str> = defs
            .iter()
            .filter(|d| !d.ty.optional && !given.contains(&d.name))
            .map(|d| d.name.as_str())
            .collect();
        // One that is unknown may be the one that is missing, misspelt.
        if !missing.is_empty() && whole && !record.has_errors() {
            let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&missing));
            self.error_hint(
                goal.code,
                place,
                format!("this `{name}` lacks {names}"),
                "The real answer would be refused without it.",
            );
            return None;
        }
        // In the order of the type, so that the order of the text says nothing.
        if !open {
            let order = |k: &String| defs.iter().position(|d| d.name == *k);
            fields.sort_by(|a, _, b, _| order(a).cmp(&order(b)));
        }
        whole.then_some(Value::Record(fields))
    }

    /// `{ amount: "20", currency: "USD" }`
    fn money_record(
        &mut self,
        file: usize,
        record: &ast::RecordExpr,
        ty: &Type,
        goal: Goal<'_>,
    ) -> Option<Value> {
        let place = self.place(file, record.span());
        let text = |name: &str| {
            let field = record.fields().find(|f| f.key().as_deref() == Some(name))?;
            match field.value()? {
                ast::Expr::String(text) => text.plain_text(),
                ast::Expr::Literal(literal) => literal.token().map(|t| t.text().to_owned()),
                _ => None,
            }
        };
        let amount = text("amount").and_then(|a| literal::decimal(&a));
        let code = text("currency").and_then(|c| currency(&c));
        match (amount, code, &ty.kind) {
            (Some(amount), Some(code), Kind::Money(wanted)) if wanted.is_none_or(|w| w == code) => {
                Some(Value::Money(amount, code))
            }
            _ => self.bad_value(place, ty, "something else", goal),
        }
    }
}
