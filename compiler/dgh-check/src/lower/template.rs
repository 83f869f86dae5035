//! Texts with `{{ }}`.

use dgh_diag::{Code, Place};
use dgh_ir::{Expr, ExprKind, Format, Kind, Part, Template, Type, Value};
use dgh_syntax::ast::{self, AstNode as _, LiteralValue, StringPart};

use super::{Cx, Lower, Names};
use crate::names::Named;
use crate::types::describe;

impl Lower<'_> {
    /// A string as a value: a constant, or a text that is filled in.
    pub(crate) fn string(&mut self, cx: &Cx<'_>, string: &ast::StringLit) -> Expr {
        let origin = self.origin(cx.file, string.span());
        let template = self.template(cx, string);
        match template.as_text() {
            Some(text) => {
                Expr { kind: ExprKind::Const(Value::Text(text.to_owned())), ty: Type::of(Kind::Text), origin }
            }
            None => {
                let private = template.exprs().any(|e| e.ty.private);
                Expr {
                    kind: ExprKind::Template(template),
                    ty: Type::of(Kind::Text).with_private(private),
                    origin,
                }
            }
        }
    }

    /// The parts of a string.
    pub(crate) fn template(&mut self, cx: &Cx<'_>, string: &ast::StringLit) -> Template {
        let mut parts = Vec::new();
        for part in string.parts() {
            match part {
                StringPart::Text { value, .. } => parts.push(Part::Text(value)),
                StringPart::Interpolation(interpolation) => {
                    parts.extend(self.interpolation(cx, &interpolation));
                }
            }
        }
        Template { parts }
    }

    fn interpolation(&mut self, cx: &Cx<'_>, interpolation: &ast::Interpolation) -> Option<Part> {
        let value = interpolation.value()?;
        let mut expr = self.expr(cx, &value, None);
        if interpolation.format().is_none()
            && matches!(expr.kind, ExprKind::Const(Value::Number(_)))
            && !matches!(cx.names, Names::Params(_))
            && let Some(percent) = self.percentage(cx, &value)
        {
            return Some(Part::Text(percent));
        }
        let format = interpolation.format().and_then(|f| f.name()).and_then(|n| self.format(cx, &n, &expr));
        let place = self.at(cx, &value);
        if expr.ty.optional
            && !matches!(expr.ty.kind, Kind::Hole | Kind::Nothing)
            && !super::path::require(&mut expr)
        {
            self.error_hint(
                Code::MaybeMissing,
                place,
                "this may be missing, and a text has no words for that",
                "Say what stands there instead: `{{ x ?? \"…\" }}`.",
            );
        }
        self.check_text(cx, &expr, place, format.is_some());
        Some(Part::Value { expr, format })
    }

    /// A percentage that is written as one, or a constant that is: a person reads it as it is
    /// written, though it counts as a part of one.
    fn percentage(&self, cx: &Cx<'_>, value: &ast::Expr) -> Option<String> {
        let literal = match value {
            ast::Expr::Literal(literal) => literal.clone(),
            ast::Expr::Name(name) => match self.scope(cx.file)?.get(&name.name()?.text())? {
                Named::Const(index) => self.consts.literal(index)?,
                _ => return None,
            },
            _ => return None,
        };
        match literal.value()? {
            LiteralValue::Percent(n) => Some(format!("{}%", n.normalize())),
            _ => None,
        }
    }

    /// Whether a value can stand in a text.
    pub(crate) fn check_text(&mut self, cx: &Cx<'_>, expr: &Expr, place: Place, formatted: bool) {
        let hint = match &expr.ty.kind {
            Kind::Secret if cx.secrets => return,
            Kind::Record(_) | Kind::List(_) if cx.json && !formatted => return,
            Kind::Record(id) => {
                let field = self.program.records.get(*id).and_then(|r| r.fields.first()).map_or("name", |f| f.name.as_str());
                format!("Name one of its fields: `{{{{ ….{field} }}}}`.")
            }
            Kind::List(item) => match &item.kind {
                Kind::Record(_) | Kind::List(_) => {
                    "A list reads as words only if its entries do. In a `prompt` the model gets the whole list; elsewhere name an entry: `….first`.".to_owned()
                }
                _ => return,
            },
            Kind::Range(_) => "A range only stands behind `in`.".to_owned(),
            Kind::Nothing => "`none` has no words.".to_owned(),
            Kind::Secret => "A secret never stands in a text.".to_owned(),
            _ => return,
        };
        let what = describe(&self.program, &expr.ty.kind);
        self.error_hint(Code::NotText, place, format!("{what} cannot be read out in a text"), hint);
    }

    fn format(&mut self, cx: &Cx<'_>, name: &ast::NameRef, expr: &Expr) -> Option<Format> {
        let place = self.at(cx, name);
        let text = name.text();
        let Some(format) = Format::parse(&text) else {
            let known: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
            let finding =
                self.unknown(Code::BadFormat, place, format!("there is no format `{text}`"), &text, &known);
            self.report.push(finding);
            return None;
        };
        if !has_format(&expr.ty.kind, format) {
            let what = describe(&self.program, &expr.ty.kind);
            let fitting: Vec<&str> =
                Format::ALL.iter().filter(|f| has_format(&expr.ty.kind, **f)).map(|f| f.name()).collect();
            let hint = if fitting.is_empty() {
                "Leave the format out.".to_owned()
            } else {
                format!(
                    "It can be written {}.",
                    dgh_diag::suggest::any_of(
                        &fitting.iter().map(|f| format!("`as {f}`")).collect::<Vec<_>>()
                    )
                )
            };
            self.error_hint(Code::BadFormat, place, format!("{what} cannot be written `as {text}`"), hint);
            return None;
        }
        Some(format)
    }

    /// The text of a step or setting: a string, a phrase, or anything that reads as a text.
    pub(crate) fn text(&mut self, cx: &Cx<'_>, value: &ast::Expr, what: &str) -> Expr {
        if let ast::Expr::Name(name) = value
            && let Some(name) = name.name()
            && let Some(hole) = self.unknown_phrase(cx, &name, what)
        {
            return hole;
        }
        self.value(cx, value, &Type::of(Kind::Text), what)
    }

    /// Reports a bare name behind `say` that stands for nothing, unless a variable was meant.
    fn unknown_phrase(&mut self, cx: &Cx<'_>, name: &ast::NameRef, what: &str) -> Option<Expr> {
        let text = name.text();
        if self.is_value_name(cx, &text) || self.is_lost(cx.file, &text) {
            return None;
        }
        let values = cx.value_names();
        if dgh_diag::suggest::closest(&text, values.iter().copied()).is_some() {
            return None;
        }
        let place = self.at(cx, name);
        let known =
            self.scope(cx.file).map(|s| s.names_of(|n| matches!(n, Named::Phrase(_)))).unwrap_or_default();
        let finding =
            self.unknown(Code::UnknownPhrase, place, format!("there is no phrase `{text}`"), &text, &known);
        let finding = if finding.fixes.is_empty() {
            finding.with_hint(format!("Words stand in quotes: `{} \"…\"`. A phrase is declared with `phrase {text} {{ en \"…\" }}`.", what.trim_matches('`')))
        } else {
            finding
        };
        self.report.push(finding);
        Some(Expr::hole(self.report.origin(place)))
    }

    /// The same as a template, where the program keeps one.
    pub(crate) fn text_template(&mut self, cx: &Cx<'_>, value: &ast::Expr, what: &str) -> Template {
        if let ast::Expr::String(string) = value {
            return self.template(cx, string);
        }
        let expr = self.text(cx, value, what);
        match expr.kind {
            ExprKind::Template(template) => template,
            ExprKind::Const(Value::Text(text)) => Template::text(text),
            _ => Template { parts: vec![Part::Value { expr, format: None }] },
        }
    }
}

/// Which values have which format.
fn has_format(kind: &Kind, format: Format) -> bool {
    match (kind, format) {
        (Kind::Hole | Kind::Json, _) => true,
        (Kind::List(item), _) => has_format(&item.kind, format),
        (Kind::Record(_) | Kind::Range(_) | Kind::Secret | Kind::Nothing, _) => false,
        (_, Format::Spoken) => true,
        (Kind::Date | Kind::DateTime, Format::Date | Format::Iso) => true,
        (Kind::Time | Kind::DateTime, Format::Time) => true,
        (Kind::Time | Kind::Duration, Format::Iso) => true,
        (Kind::Bool | Kind::Enum(_), _) => false,
        (Kind::Date | Kind::Time | Kind::DateTime | Kind::Duration, _) => false,
        (_, Format::Digits | Format::Iso) => true,
        (_, Format::Date | Format::Time) => false,
    }
}
