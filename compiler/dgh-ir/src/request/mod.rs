//! A request with all that a call knows filled in, and nothing that is secret: what may be kept
//! until it is sent. The secrets stay names, which are looked up when it leaves.

mod address;

use serde::{Deserialize, Serialize};

use crate::convert::to_json;
use crate::eval::eval;
use crate::expr::{Expr, ExprKind, Format, Part, Template};
use crate::mask;
use crate::program::{Auth, HttpRequest, Method, Program};
use crate::render::{Purpose, Rendered, render_expr};
use crate::scope::{EvalError, Scope};
use crate::types::Kind;
use crate::value::Value;

use address::Address;

/// A request without its body, whose secrets are still names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Method.
    pub method: Method,
    /// The address, its values encoded for the place where they stand.
    pub url: String,
    /// The same for every record: private values as `[name]`.
    pub masked_url: String,
    /// Headers in order; one whose value is missing is left out.
    pub headers: Vec<(String, Words)>,
    /// Credentials.
    pub auth: Option<Credentials>,
}

/// Credentials whose secrets are still names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Kind, as the standard library names it.
    pub kind: String,
    /// Arguments by parameter name; one that is missing is left out.
    pub args: Vec<(String, Words)>,
}

/// A text with secrets in it, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub Vec<Word>);

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// As it stands.
    Text(String),
    /// The secret with this name.
    Secret(String),
}

/// Why a request cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// An expression has no value.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// Something that must be there is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that cannot stand where it does.
    #[error("{0}")]
    Unfit(&'static str),
}

/// Fills a request in, but for its body and its secrets.
pub fn envelope(program: &Program, http: &HttpRequest, scope: &dyn Scope) -> Result<Envelope, RequestError> {
    let url = url(program, &http.url, scope)?;
    let mut headers = Vec::with_capacity(http.headers.len());
    for (name, expr) in &http.headers {
        if let Some(value) = words(program, expr, scope)? {
            headers.push((name.clone(), value));
        }
    }
    let auth = http.auth.as_ref().map(|auth| credentials(program, auth, scope)).transpose()?;
    Ok(Envelope { method: http.method, url: url.text, masked_url: url.masked, headers, auth })
}

/// Credentials with the values of a call.
pub fn credentials(program: &Program, auth: &Auth, scope: &dyn Scope) -> Result<Credentials, RequestError> {
    let mut args = Vec::with_capacity(auth.args.len());
    for (name, expr) in &auth.args {
        if let Some(value) = words(program, expr, scope)? {
            args.push((name.clone(), value));
        }
    }
    Ok(Credentials { kind: auth.kind.clone(), args })
}

/// A text that may hold secrets; none: it is missing.
pub fn words(program: &Program, expr: &Expr, scope: &dyn Scope) -> Result<Option<Words>, RequestError> {
    match &expr.kind {
        ExprKind::Secret(name) => Ok(Some(Words(vec![Word::Secret(name.clone())]))),
        ExprKind::Template(template) => {
            let mut out = Words::default();
            for part in &template.parts {
                match part {
                    Part::Text(text) => out.text(text),
                    Part::Value { expr, format: None } => {
                        let inner = words(program, expr, scope)?;
                        for word in inner.ok_or(RequestError::Missing("a value in a text"))?.0 {
                            out.word(word);
                        }
                    }
                    Part::Value { expr, format } => {
                        out.text(&render_expr(program, expr, *format, scope, Purpose::Request)?.text);
                    }
                }
            }
            Ok(Some(out))
        }
        _ => {
            let value = value_text(program, expr, None, scope)?;
            Ok(value.map(|value| Words(vec![Word::Text(value.text)])))
        }
    }
}

/// An address. What a value may be depends on where it stands.
fn url(program: &Program, template: &Template, scope: &dyn Scope) -> Result<Rendered, RequestError> {
    let (mut text, mut masked) = (Address::default(), Address::default());
    for part in &template.parts {
        match part {
            Part::Text(part) => {
                text.text(part);
                masked.text(part);
            }
            Part::Value { expr, format } => {
                let (trusted, whole) = (is_configuration(expr), expr.ty.kind == Kind::Url);
                match value_text(program, expr, *format, scope)? {
                    Some(value) => {
                        text.value(&value.text, trusted, whole)?;
                        // What a record shows need not be an address that could be asked.
                        masked.shown(&value.masked, value.masked == value.text, trusted, whole)?;
                    }
                    None => {
                        text.missing()?;
                        masked.missing()?;
                    }
                }
            }
        }
    }
    Ok(Rendered { text: text.finish()?, masked: masked.finish()?, muted: Vec::new() })
}

/// A value in its plain form; none: it is missing. A list is its items with commas.
fn value_text(
    program: &Program,
    expr: &Expr,
    format: Option<Format>,
    scope: &dyn Scope,
) -> Result<Option<Rendered>, RequestError> {
    let item = |value: &Value| match to_json(value) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let joined = match eval(program, expr, scope)? {
        Value::None => return Ok(None),
        Value::List(items) => items.iter().map(item).collect::<Vec<_>>().join(","),
        record @ Value::Record(_) => item(&record),
        _ => return Ok(Some(render_expr(program, expr, format, scope, Purpose::Request)?)),
    };
    let hidden = mask::is_private(expr) || mask::is_revealed(expr);
    let masked = if hidden { mask::placeholder("private") } else { joined.clone() };
    Ok(Some(Rendered { text: joined, masked, muted: Vec::new() }))
}

/// Whether a value comes from the author or the profile, so that it may hold more than one segment.
pub fn is_configuration(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Env(_) | ExprKind::Const(_) => true,
        ExprKind::Maybe(x) => is_configuration(x),
        ExprKind::Coalesce(x, y) => is_configuration(x) && is_configuration(y),
        ExprKind::Template(template) => template.parts.iter().all(|part| match part {
            Part::Text(_) => true,
            Part::Value { expr, .. } => is_configuration(expr),
        }),
        ExprKind::Match { arms, otherwise, .. } => {
            arms.iter().all(|arm| is_configuration(&arm.value))
                && otherwise.as_deref().is_none_or(is_configuration)
        }
        _ => false,
    }
}

impl Words {
    /// The text, its secrets looked up; the name of the first that is not there.
    pub fn filled(&self, mut secret: impl FnMut(&str) -> Option<String>) -> Result<String, &str> {
        let mut out = String::new();
        for word in &self.0 {
            match word {
                Word::Text(text) => out.push_str(text),
                Word::Secret(name) => out.push_str(&secret(name).ok_or(name.as_str())?),
            }
        }
        Ok(out)
    }

    /// The names of its secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|word| match word {
            Word::Secret(name) => Some(name.as_str()),
            Word::Text(_) => None,
        })
    }

    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Word::Text(last)) => last.push_str(text),
            _ => self.0.push(Word::Text(text.to_owned())),
        }
    }

    fn word(&mut self, word: Word) {
        match word {
            Word::Text(text) => self.text(&text),
            secret @ Word::Secret(_) => self.0.push(secret),
        }
    }
}

impl Envelope {
    /// The names of all secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let auth = self.auth.iter().flat_map(|auth| &auth.args);
        self.headers.iter().chain(auth).flat_map(|(_, words)| words.secrets())
    }
}

#[cfg(test)]
mod tests;
