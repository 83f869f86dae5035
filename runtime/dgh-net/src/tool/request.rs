//! A request of a program with everything filled in: values encoded for the place where they
//! stand, secrets resolved, missing fields left out.

use std::collections::HashMap;

use bytes::Bytes;
use dgh_ir::{
    Auth, EvalError, Expr, ExprKind, HttpRequest, Kind, Method, Part, Program, Purpose, Scope, Template,
    Value, eval, render_expr, to_json,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::client::{self, Request};
use crate::error::{NetError, NetErrorKind};
use crate::secrets::Secrets;
use crate::tool::auth::{Credentials, Grant, sensitive};
use crate::tool::refused;

/// What stands for itself in an address (RFC 3986, 2.3); everything else of a value is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Headers that belong to the connection.
const RESERVED: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with everything filled in. It can be sent again as it is.
pub struct Prepared {
    /// Method.
    pub method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// A token has to be fetched first.
    pub(crate) grant: Option<Grant>,
}

impl Prepared {
    /// Fills a request in.
    pub fn new(
        program: &Program,
        http: &HttpRequest,
        scope: &dyn Scope,
        secrets: &dyn Secrets,
    ) -> Result<Self, NetError> {
        let filler = Filler { program, scope, secrets };
        let mut url = filler.url(&http.url)?;
        let mut headers = filler.headers(&http.headers)?;
        let mut grant = None;
        match http.auth.as_ref().map(|auth| filler.credentials(auth)).transpose()? {
            None => {}
            Some(Credentials::Header(name, value)) => drop(headers.insert(name, sensitive(&value)?)),
            Some(Credentials::Query(name, value)) => {
                url.query_pairs_mut().append_pair(&name, value.expose_secret());
            }
            Some(Credentials::Grant(asked)) => grant = Some(asked),
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let body = http.body.as_ref().map(|body| filler.body(body, &mut headers)).transpose()?;
        Ok(Self { method: http.method, url, headers, body, grant })
    }

    /// Says that a repetition is a repetition, unless the program sets a key of its own.
    pub fn idempotency_key(&mut self, key: &str) {
        if let Ok(value) = HeaderValue::from_str(key) {
            self.headers.entry(IDEMPOTENCY_KEY).or_insert(value);
        }
    }

    /// The request for the client.
    pub(crate) fn request(
        &self,
        timeout: Duration,
        token: Option<&SecretString>,
    ) -> Result<Request, NetError> {
        let method = match self.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = Request::new(method, self.url.clone());
        request.headers = self.headers.clone();
        if let Some(token) = token {
            request
                .headers
                .insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose_secret()).into())?);
        }
        request.body.clone_from(&self.body);
        request.timeout = timeout;
        Ok(request)
    }

    /// Host and port, for messages.
    pub(crate) fn host(&self) -> String {
        client::host_of(&self.url)
    }
}

/// Fills in what stands in a program.
pub(crate) struct Filler<'a> {
    pub(crate) program: &'a Program,
    pub(crate) scope: &'a dyn Scope,
    pub(crate) secrets: &'a dyn Secrets,
}

impl Filler<'_> {
    /// A text that may hold secrets; none: it is missing.
    pub(crate) fn text(&self, expr: &Expr) -> Result<Option<SecretString>, NetError> {
        match &expr.kind {
            ExprKind::Secret(name) => match self.secrets.secret(name) {
                Some(secret) => Ok(Some(secret)),
                None => Err(NetError::new(NetErrorKind::Setup, format!("`secret.{name}` is not set"))),
            },
            ExprKind::Template(template) => {
                let mut out = String::new();
                for part in &template.parts {
                    match part {
                        Part::Text(text) => out.push_str(text),
                        Part::Value { expr, format: None } => {
                            out.push_str(
                                self.text(expr)?.ok_or_else(|| missing("a value in a text"))?.expose_secret(),
                            );
                        }
                        Part::Value { expr, format } => {
                            let text = render_expr(self.program, expr, *format, self.scope, Purpose::Request);
                            out.push_str(&text.map_err(cannot)?.text);
                        }
                    }
                }
                Ok(Some(out.into()))
            }
            _ => self.value_text(expr, None).map(|text| text.map(Into::into)),
        }
    }

    /// Credentials with their secrets.
    pub(crate) fn credentials(&self, auth: &Auth) -> Result<Credentials, NetError> {
        let mut args = HashMap::new();
        for (name, expr) in &auth.args {
            if let Some(value) = self.text(expr)? {
                args.insert(name.clone(), value);
            }
        }
        Credentials::new(&auth.kind, args)
    }

    fn headers(&self, headers: &[(String, Expr)]) -> Result<HeaderMap, NetError> {
        let mut out = HeaderMap::new();
        for (name, expr) in headers {
            let lower = name.to_ascii_lowercase();
            if RESERVED.contains(&lower.as_str()) {
                return Err(refused(format!("the header `{name}` is set by the connection itself")));
            }
            let key = HeaderName::from_bytes(lower.as_bytes())
                .map_err(|_| refused(format!("`{name}` is not the name of a header")))?;
            let Some(text) = self.text(expr)? else { continue };
            let value = sensitive(&text).map_err(|_| {
                refused(format!("the value of the header `{name}` has characters that a header cannot hold"))
            })?;
            out.insert(key, value);
        }
        Ok(out)
    }

    fn body(&self, body: &Expr, headers: &mut HeaderMap) -> Result<Bytes, NetError> {
        let json = to_json(&eval(self.program, body, self.scope).map_err(cannot)?);
        let form =
            headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with(FORM));
        if form {
            return form_body(&json);
        }
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        Ok(json.to_string().into())
    }

    /// An address. What a value may be depends on where it stands.
    pub(crate) fn url(&self, template: &Template) -> Result<Url, NetError> {
        let mut address = Address::default();
        for part in &template.parts {
            match part {
                Part::Text(text) => address.text(text),
                Part::Value { expr, format } => {
                    let trusted = is_configuration(expr);
                    let value = self.value_text(expr, *format)?;
                    match value {
                        Some(value) => address.value(&value, trusted, expr.ty.kind == Kind::Url)?,
                        None => address.missing()?,
                    }
                }
            }
        }
        address.finish()
    }

    /// A value in its plain form; none: it is missing. A list is its items with commas.
    fn value_text(&self, expr: &Expr, format: Option<dgh_ir::Format>) -> Result<Option<String>, NetError> {
        let item = |value: &Value| match to_json(value) {
            Json::String(text) => text,
            other => other.to_string(),
        };
        Ok(Some(match eval(self.program, expr, self.scope).map_err(cannot)? {
            Value::None => return Ok(None),
            Value::List(items) => items.iter().map(item).collect::<Vec<_>>().join(","),
            record @ Value::Record(_) => item(&record),
            _ => render_expr(self.program, expr, format, self.scope, Purpose::Request).map_err(cannot)?.text,
        }))
    }
}

/// Whether a value comes from the author or the profile, so that it may hold more than one segment.
pub(crate) fn is_configuration(expr: &Expr) -> bool {
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

/// An address that is being written.
#[derive(Default)]
struct Address {
    text: String,
    /// A parameter of the query is left out, up to the next one.
    skips: bool,
}

#[derive(PartialEq)]
enum Place {
    Origin,
    Path,
    Query,
    Fragment,
}

impl Address {
    fn text(&mut self, text: &str) {
        if !self.skips {
            self.text.push_str(text);
            return;
        }
        let Some(end) = text.find(['&', '#']) else { return };
        self.skips = false;
        let rest = text.get(end..).unwrap_or_default();
        // The first parameter was left out: the next one follows the question mark.
        let rest = if self.text.ends_with('?') { rest.strip_prefix('&').unwrap_or(rest) } else { rest };
        self.text.push_str(rest);
    }

    fn value(&mut self, value: &str, trusted: bool, whole: bool) -> Result<(), NetError> {
        if self.skips {
            return Ok(());
        }
        match self.place() {
            Place::Origin if trusted || (whole && self.text.is_empty()) => self.text.push_str(value),
            Place::Origin => {
                let fits = !value.is_empty()
                    && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
                if !fits {
                    return Err(refused(
                        "a value in the host of an address may hold letters, digits, `-` and `.` alone"
                            .to_owned(),
                    ));
                }
                self.text.push_str(value);
            }
            Place::Path if trusted => self.text.push_str(value),
            Place::Path if value.is_empty() => {
                return Err(refused("a value in the path of an address is empty".to_owned()));
            }
            Place::Path | Place::Query | Place::Fragment => {
                self.text.extend(utf8_percent_encode(value, ENCODED));
            }
        }
        Ok(())
    }

    fn missing(&mut self) -> Result<(), NetError> {
        match self.place() {
            Place::Query => {
                let start = self.text.rfind(['?', '&']).unwrap_or(self.text.len());
                let keep = if self.text.get(start..).is_some_and(|t| t.starts_with('?')) {
                    start + 1
                } else {
                    start
                };
                self.text.truncate(keep);
                self.skips = true;
                Ok(())
            }
            Place::Fragment => Ok(()),
            Place::Origin | Place::Path => Err(missing("a value in an address")),
        }
    }

    fn place(&self) -> Place {
        let Some((_, rest)) = self.text.split_once("://") else { return Place::Origin };
        match (rest.contains('#'), rest.contains('?'), rest.contains('/')) {
            (true, ..) => Place::Fragment,
            (_, true, _) => Place::Query,
            (_, _, true) => Place::Path,
            _ => Place::Origin,
        }
    }

    fn finish(self) -> Result<Url, NetError> {
        let text = self.text.trim_end_matches('?');
        let path =
            text.split_once("://").map_or("", |(_, rest)| rest).split(['?', '#']).next().unwrap_or_default();
        // Encoded or not, these would climb out of the folder that the author wrote.
        let climbs = path
            .split('/')
            .skip(1)
            .any(|s| matches!(&*percent_decode_str(s).decode_utf8_lossy(), "." | ".."));
        if climbs {
            return Err(refused("the path of an address has a segment `.` or `..`".to_owned()));
        }
        Url::parse(text).map_err(|_| {
            refused("the address is not one: it begins with http:// or https:// and a host".to_owned())
        })
    }
}

fn form_body(json: &Json) -> Result<Bytes, NetError> {
    let Json::Object(fields) = json else {
        return Err(refused("a form is an object of fields".to_owned()));
    };
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        match value {
            Json::String(text) => form.append_pair(name, text),
            Json::Object(_) | Json::Array(_) => {
                return Err(refused(format!("the field `{name}` of a form must be one value")));
            }
            other => form.append_pair(name, &other.to_string()),
        };
    }
    Ok(form.finish().into())
}

fn missing(what: &str) -> NetError {
    refused(format!("{what} is missing"))
}

fn cannot(error: EvalError) -> NetError {
    let kind = match error {
        EvalError::Env(_) | EvalError::BadEnv { .. } => NetErrorKind::Setup,
        _ => NetErrorKind::Refused,
    };
    NetError::new(kind, error.to_string())
}
