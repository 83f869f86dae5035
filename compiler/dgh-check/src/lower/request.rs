//! What tools and webhooks have in common: a request.

use dgh_diag::{Code, Diagnostic, Place, Span};
use dgh_ir::program::{HttpRequest, Method};
use dgh_ir::{Expr, ExprKind, Kind, Part, Template, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::settings::Setting;
use super::{Cx, Lower};
use crate::names::empty_request;
use crate::types::{describe, literal};

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A tool's: made during the call.
    Tool,
    /// A webhook's: kept until it is delivered, with headers of its own.
    Webhook,
}

/// The words of the methods.
pub(crate) const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

impl Lower<'_> {
    /// The request that settings describe, the settings it does not know left to the caller.
    /// None where no address is given: reported by the caller, who knows whether that is wrong.
    pub(crate) fn request(&mut self, cx: &Cx<'_>, settings: &[Setting], whose: Whose) -> Option<HttpRequest> {
        let mut request = empty_request();
        let mut method: Option<&Setting> = None;
        for setting in settings.iter().filter(|s| METHODS.contains(&s.name.as_str())) {
            if let Some(first) = method {
                let message =
                    format!("a request has one method, and this has `{}` and `{}`", first.name, setting.name);
                let finding = Diagnostic::new(Code::Conflict, setting.place, message)
                    .with_related(first.place, "the first one")
                    .with_hint("Remove one of the two.");
                self.report.push(finding);
                continue;
            }
            method = Some(setting);
            request.method = Method::parse(&setting.name).unwrap_or(Method::Get);
            request.url = self.address(cx, setting);
        }
        let method = method?;
        for setting in settings {
            match setting.name.as_str() {
                "body" => {
                    if matches!(request.method, Method::Get | Method::Delete) {
                        let finding = Diagnostic::new(Code::Conflict, setting.place, format!("`{}` sends no body", method.name))
                            .with_related(method.place, "the method")
                            .with_hint("Use `post`, `put` or `patch`, or put the values into the address: `…?day={{ day }}`.");
                        self.report.push(finding);
                    }
                    request.body = Some(self.body_value(cx, &setting.value));
                }
                "headers" => request.headers = self.headers(cx, setting, whose),
                "auth" => request.auth = self.auth(cx, &setting.value),
                _ => {}
            }
        }
        Some(request)
    }

    /// The body of a request: any JSON; what is missing is left out.
    fn body_value(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Expr {
        let any = Type::of(Kind::Json).optional();
        self.value(cx, value, &any, "`body`")
    }

    fn address(&mut self, cx: &Cx<'_>, setting: &Setting) -> Template {
        let template = match &setting.value {
            ast::Expr::String(string) => self.template(cx, string),
            _ => {
                let expr = self.setting_expr(cx, setting, &Type::of(Kind::Text));
                Template { parts: vec![Part::Value { expr, format: None }] }
            }
        };
        if let Some(Part::Text(start)) = template.parts.first() {
            let scheme = start.split("://").next().unwrap_or_default();
            let known = matches!(scheme, "http" | "https") && start.contains("://");
            let whole = template.parts.len() == 1;
            if !known || (whole && !literal::is_url(start)) {
                self.error_hint(
                    Code::WrongType,
                    setting.value_place,
                    format!("`{}` takes a web address, and this is none", setting.name),
                    "An address begins with `https://`, or with a configuration value: `\"{{ env.API }}/slots\"`.",
                );
            }
        } else if template.parts.is_empty() {
            self.error(
                Code::WrongType,
                setting.value_place,
                format!("`{}` takes a web address, and this is empty", setting.name),
            );
        }
        template
    }

    fn headers(&mut self, cx: &Cx<'_>, setting: &Setting, whose: Whose) -> Vec<(String, Expr)> {
        let ast::Expr::Record(record) = &setting.value else {
            self.error_hint(
                Code::WrongType,
                setting.value_place,
                "`headers` takes names and values",
                "Such as `headers: { \"X-Tenant\": env.TENANT }`.",
            );
            return Vec::new();
        };
        let cx = cx.with_secrets();
        let mut found: Vec<(String, Expr)> = Vec::new();
        for field in record.fields() {
            let (Some(key), Some(value)) = (field.key(), field.value()) else { continue };
            let place = self.place(
                cx.file,
                field
                    .name()
                    .map(|n| n.span())
                    .or_else(|| field.key_string().map(|s| s.span()))
                    .unwrap_or_else(|| field.span()),
            );
            if found.iter().any(|(k, _)| k.eq_ignore_ascii_case(&key)) {
                self.error_hint(
                    Code::Duplicate,
                    place,
                    format!("the header `{key}` stands twice"),
                    "Remove one of the two.",
                );
                continue;
            }
            if key.is_empty()
                || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&b))
            {
                self.error(Code::WrongType, place, format!("`{key}` is not a name of a header"));
                continue;
            }
            if is_reserved(&key, whose) {
                self.error_hint(
                    Code::ReservedHeader,
                    place,
                    format!("the header `{key}` is set by itself"),
                    "Remove it: it belongs to the connection, or to the delivery of the webhook.",
                );
                continue;
            }
            let lowered = self.expr(&cx, &value, Some(&Type::of(Kind::Text)));
            if names_a_credential(&key) && is_bare(&lowered, whose) {
                self.error_hint(
                    Code::BareCredential,
                    place,
                    format!("the header `{key}` looks like a credential, and its value is no secret"),
                    "Write `auth: bearer(secret.NAME)`, or take the value from a secret of the profile: `secret.NAME`.",
                );
            }
            let lowered = if lowered.ty.kind == Kind::Secret {
                lowered
            } else {
                self.fit(lowered, &Type::of(Kind::Text).optional(), &format!("the header `{key}`"))
            };
            found.push((key, lowered));
        }
        found
    }

    /// The JSONPath behind `result:`.
    pub(crate) fn json_path(&mut self, file: usize, setting: &Setting) -> Option<String> {
        let path = self.fixed_text(file, setting)?;
        if let Some(at) = bad_json_path(&path) {
            let start = setting.value_place.span.start + 1 + u32::try_from(at).unwrap_or(0);
            let end = setting.value_place.span.end.saturating_sub(1).max(start);
            let place = Place { span: Span::new(start, end), ..setting.value_place };
            self.error_hint(
                Code::BadFormat,
                place,
                "this is not a JSONPath from here on",
                "It begins with `$`, the whole answer: `$.slots`, `$.data[0].name`, `$['first name']`.",
            );
            return None;
        }
        Some(path)
    }

    /// `secret.NAME`
    pub(crate) fn secret(&mut self, cx: &Cx<'_>, setting: &Setting) -> Option<Expr> {
        let lowered = self.expr(&cx.with_secrets(), &setting.value, None);
        match &lowered.kind {
            ExprKind::Secret(_) => Some(lowered),
            ExprKind::Hole => None,
            _ => {
                let what = describe(&self.program, &lowered.ty.kind);
                self.error_hint(
                    Code::WrongType,
                    setting.value_place,
                    format!("`{}` takes a secret, and this is {what}", setting.name),
                    "Name a secret of the profile: `secret.NAME`. The secret itself never stands in a file.",
                );
                None
            }
        }
    }
}

/// Headers of the connection, and of the delivery of a webhook.
fn is_reserved(name: &str, whose: Whose) -> bool {
    const CONNECTION: [&str; 7] =
        ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
    const DELIVERY: [&str; 2] = ["webhook-", "x-dgh-"];
    let name = name.to_ascii_lowercase();
    CONNECTION.contains(&name.as_str())
        || (whose == Whose::Webhook && DELIVERY.iter().any(|start| name.starts_with(start)))
}

/// Whether a header of this name holds what must not be read by others. `key` alone is no such
/// word: `Idempotency-Key` is none.
fn names_a_credential(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "token",
        "secret",
        "password",
        "passwd",
        "cookie",
        "credential",
        "api-key",
        "apikey",
        "api_key",
        "access-key",
    ];
    let name = name.to_ascii_lowercase();
    let authenticates = name.contains("auth") && (!name.contains("author") || name.contains("authori"));
    authenticates || WORDS.iter().any(|word| name.contains(word))
}

/// Whether a credential stands in the clear: in the file, in the configuration, or in a webhook that
/// waits. A tool may hand on one that it was given during the call.
fn is_bare(value: &Expr, whose: Whose) -> bool {
    let sealed = value.any(|part| matches!(part.kind, ExprKind::Secret(_) | ExprKind::Hole));
    !sealed && (whose == Whose::Webhook || dgh_ir::request::is_configuration(value))
}

/// Where a text stops being a JSONPath: brackets and quotes close, steps have names. What a filter
/// says is left to the runtime.
fn bad_json_path(path: &str) -> Option<usize> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'$') {
        return Some(0);
    }
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'.' => {
                at += 1;
                if bytes.get(at) == Some(&b'.') {
                    at += 1;
                }
                match bytes.get(at) {
                    Some(b'*') => at += 1,
                    Some(b'[') => {}
                    Some(b) if b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80 => {
                        while bytes
                            .get(at)
                            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80)
                        {
                            at += 1;
                        }
                    }
                    _ => return Some(at),
                }
            }
            b'[' => match closing_bracket(bytes, at) {
                Some(close) if close > at + 1 => at = close + 1,
                _ => return Some(at),
            },
            _ => return Some(at),
        }
    }
    None
}

/// The bracket that closes the one at `open`, outside of quotes.
fn closing_bracket(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match (quote, byte) {
            (Some(q), b) if q == b => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'[') => depth += 1,
            (None, b']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
