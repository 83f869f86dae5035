//! Texts with values filled in: what is spoken, written, shown to a model, sent in a request.
//!
//! The one place where a private value meets a text. A private part that is not `reveal`ed is
//! `[name]` in the text itself, but in a request, whose parameters carry the label. In `masked`,
//! which every record uses, each private part is `[name]`.

mod json;
mod language;
mod spoken;

use std::borrow::Cow;

use crate::eval::Evaluator;
use crate::expr::{Builtin, Expr, ExprKind, Format, Part, Template};
use crate::mask;
use crate::program::{Phrase, Program};
use crate::scope::{EvalError, Scope};
use crate::types::Kind;
use crate::value::Value;
use crate::walk::MAX_EXPR_DEPTH;

pub use json::{RenderedJson, render_json};
pub(crate) use spoken::{Style, write};

/// What a text is for; it decides how values without an `as` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Spoken by a voice: as a person says it, digits one by one.
    Speech,
    /// Read by a person: the same words, numbers and addresses as they are written.
    Writing,
    /// Read by a model: exact and unambiguous; records are JSON.
    Prompt,
    /// Part of a request: ISO 8601, E.164, plain numbers. Private values are in it.
    Request,
}

/// A text with its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// The text for every record: each private part is `[name]`.
    pub masked: String,
    /// Bytes of `text`, start and end, that hold revealed private values; in order.
    pub muted: Vec<(u32, u32)>,
}

/// A text with interpolations, filled in.
pub fn render(
    program: &Program,
    template: &Template,
    scope: &dyn Scope,
    purpose: Purpose,
) -> Result<Rendered, EvalError> {
    let mut out = Rendered::default();
    renderer(program, scope, purpose).template(template, &mut out, 0)?;
    Ok(out)
}

/// An expression as a text: the words of a `say`, which may be a text, a phrase, a variable or a
/// `match`; or one part of a text on its own.
pub fn render_expr(
    program: &Program,
    expr: &Expr,
    format: Option<Format>,
    scope: &dyn Scope,
    purpose: Purpose,
) -> Result<Rendered, EvalError> {
    let mut out = Rendered::default();
    renderer(program, scope, purpose).expr(expr, format, &mut out, 0)?;
    Ok(out)
}

/// The text of a phrase in a language: of the tag, else of its primary language, else the first.
pub fn phrase_text<'p>(phrase: &'p Phrase, language: &str) -> Option<&'p Template> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = primary(language);
    let texts = &phrase.texts;
    texts
        .get(language)
        .or_else(|| texts.iter().find(|(tag, _)| primary(tag) == wanted).map(|(_, text)| text))
        .or_else(|| texts.values().next())
}

/// A text as a value: plain forms, private values in it.
pub(crate) fn plain<'a>(evaluator: Evaluator<'a>, expr: &'a Expr, depth: usize) -> Result<String, EvalError> {
    let mut out = Rendered::default();
    Renderer { evaluator, purpose: Purpose::Request }.expr(expr, None, &mut out, depth)?;
    Ok(out.text)
}

fn renderer<'a>(program: &'a Program, scope: &'a dyn Scope, purpose: Purpose) -> Renderer<'a> {
    Renderer { evaluator: Evaluator { program, scope }, purpose }
}

#[derive(Clone, Copy)]
struct Renderer<'a> {
    evaluator: Evaluator<'a>,
    purpose: Purpose,
}

impl<'a> Renderer<'a> {
    fn template(self, template: &'a Template, out: &mut Rendered, depth: usize) -> Result<(), EvalError> {
        for part in &template.parts {
            match part {
                Part::Text(text) => out.push(text),
                Part::Value { expr, format } => self.expr(expr, *format, out, depth + 1)?,
            }
        }
        Ok(())
    }

    fn expr(
        self,
        expr: &'a Expr,
        format: Option<Format>,
        out: &mut Rendered,
        depth: usize,
    ) -> Result<(), EvalError> {
        if depth >= MAX_EXPR_DEPTH {
            return Err(EvalError::TooDeep);
        }
        let below = depth + 1;
        match &expr.kind {
            ExprKind::Template(template) => return self.template(template, out, below),
            ExprKind::Phrase(id) => {
                let phrase = self.evaluator.program.phrases.get(*id).ok_or(EvalError::Hole)?;
                let text = phrase_text(phrase, self.evaluator.scope.language());
                return self.template(text.ok_or(EvalError::Hole)?, out, below);
            }
            ExprKind::Coalesce(x, otherwise) => {
                let missing = *self.evaluator.maybe(x, below)? == Value::None;
                return self.expr(if missing { otherwise } else { x }, format, out, below);
            }
            ExprKind::Match { subject, arms, otherwise } if !mask::is_private(subject) => {
                let otherwise = otherwise.as_deref();
                let value = self.evaluator.arm(subject, arms, otherwise, below)?;
                return self.expr(value, format, out, below);
            }
            ExprKind::Maybe(x) => return self.expr(x, format, out, below),
            _ => {}
        }
        self.value(expr, format, out, below)
    }

    fn value(
        self,
        expr: &'a Expr,
        format: Option<Format>,
        out: &mut Rendered,
        depth: usize,
    ) -> Result<(), EvalError> {
        let private = mask::is_private(expr);
        if private && self.purpose != Purpose::Request {
            // The checker has refused this; if it comes here all the same, nothing leaks.
            out.push(&mask::placeholder(&self.mask_name(expr)));
            return Ok(());
        }
        let value = self.evaluator.eval(expr, depth)?;
        let revealed = mask::is_revealed(expr);
        let text = self.text(expr, &value, format, !revealed)?;
        if revealed || private {
            out.push_private(&text, &mask::placeholder(&self.mask_name(expr)), revealed);
        } else if self.purpose == Purpose::Request && holds_records(&value) {
            // A record without the label may have fields with it.
            let masked = mask::mask_json(
                self.evaluator.program,
                &expr.ty,
                &self.mask_name(expr),
                &crate::convert::to_json(&value),
            );
            out.text.push_str(&text);
            out.masked.push_str(&masked.to_string());
        } else {
            out.push(&text);
        }
        Ok(())
    }

    fn text(
        self,
        expr: &Expr,
        value: &Value,
        format: Option<Format>,
        mask: bool,
    ) -> Result<Cow<'a, str>, EvalError> {
        if *value == Value::None {
            return Err(EvalError::Missing(self.evaluator.name_of(expr)));
        }
        let json = matches!(self.purpose, Purpose::Prompt | Purpose::Request);
        if json && holds_records(value) {
            let json = crate::convert::to_json(value);
            let Evaluator { program, .. } = self.evaluator;
            let json = if mask && self.purpose == Purpose::Prompt {
                mask::mask_json(program, &expr.ty, &self.mask_name(expr), &json)
            } else {
                json
            };
            return Ok(json.to_string().into());
        }
        let scope = self.evaluator.scope;
        let now = || match scope.builtin(Builtin::Now) {
            Value::DateTime(now) => Some(now),
            _ => None,
        };
        let style = match (format, self.purpose) {
            (Some(format), Purpose::Speech) => Style::Format(format, true),
            (Some(format), _) => Style::Format(format, false),
            (None, Purpose::Speech) => Style::Format(Format::Spoken, true),
            (None, Purpose::Writing) => Style::Format(Format::Spoken, false),
            (None, Purpose::Prompt) => Style::Exact,
            (None, Purpose::Request) => Style::Format(Format::Iso, false),
        };
        write(value, &expr.ty.kind, style, scope.language(), &now).map(Cow::Owned)
    }

    /// What stands in the brackets of a private part: the first private name in it.
    fn mask_name(self, expr: &Expr) -> String {
        let mut name = None;
        let mut fallback = None;
        expr.walk(&mut |part| {
            let found = match &part.kind {
                ExprKind::Slot(id) => self.evaluator.scope.slot_name(*id).to_owned(),
                ExprKind::Field(_, field) => field.clone(),
                ExprKind::Builtin(builtin) => builtin.name().to_owned(),
                ExprKind::Env(env) => env.clone(),
                _ => return,
            };
            if part.ty.is_private() && name.is_none() {
                name = Some(found);
            } else if fallback.is_none() {
                fallback = Some(found);
            }
        });
        name.or(fallback).unwrap_or_else(|| "private".into())
    }
}

/// Whether a value is, or holds, a record, which has no words of its own.
fn holds_records(value: &Value) -> bool {
    match value {
        Value::Record(_) => true,
        Value::List(items) => items.iter().any(holds_records),
        _ => false,
    }
}

impl Rendered {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.masked.push_str(text);
    }

    fn push_private(&mut self, text: &str, mask: &str, mute: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        self.masked.push_str(mask);
        if mute && let (Ok(start), Ok(end)) = (start.try_into(), self.text.len().try_into()) {
            self.muted.push((start, end));
        }
    }
}

/// A value as text without a template: for records, read-backs and lists of choices. The caller
/// has looked at the label; see [`crate::mask::shown`].
pub fn value_text(
    value: &Value,
    kind: &Kind,
    purpose: Purpose,
    language: &str,
    now: Option<chrono::NaiveDateTime>,
) -> Result<String, EvalError> {
    let style = match purpose {
        Purpose::Speech => Style::Format(Format::Spoken, true),
        Purpose::Writing => Style::Format(Format::Spoken, false),
        Purpose::Prompt => Style::Exact,
        Purpose::Request => Style::Format(Format::Iso, false),
    };
    write(value, kind, style, language, &|| now)
}

#[cfg(test)]
mod tests;
