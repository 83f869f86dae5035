//! `// allow W0412: reason`: a warning that somebody looked at and wants to keep.

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Severity};
use dgh_syntax::AllowComment;

use crate::sources::Loaded;

/// Drops the warnings that are allowed, and reports each `allow` that allows nothing.
pub(crate) fn apply(loaded: &Loaded, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut unused = Vec::new();
    for (file, parse) in loaded.own() {
        for allow in parse.allow_comments() {
            let before = findings.len();
            let code = allow.code.filter(|code| code.severity() != Severity::Error);
            if let Some(code) = code.filter(|_| !allow.reason.is_empty()) {
                let line = allow.line.start..=allow.line.end;
                findings.retain(|d| {
                    d.code != code || d.place.file != file || !line.contains(&d.place.span.start)
                });
            }
            if code.is_some() && allow.reason.is_empty() {
                unused.push(without_reason(Place { file, span: allow.span }, allow));
            } else if findings.len() == before {
                unused.push(complaint(Place { file, span: allow.span }, allow));
            }
        }
    }
    findings.extend(unused);
    findings
}

fn without_reason(place: Place, allow: &AllowComment) -> Diagnostic {
    Diagnostic::new(Code::UnusedAllow, place, "This `allow` gives no reason, so it allows nothing")
        .with_label("a reason is missing here")
        .with_hint(format!(
            "Say why it may stay, for whoever reads it next: `// allow {}: reason`.",
            allow.code_text
        ))
}

fn complaint(place: Place, allow: &AllowComment) -> Diagnostic {
    let message = match allow.code {
        None => format!("There is no code `{}`", allow.code_text),
        Some(code) if code.severity() == Severity::Error => {
            format!("{code} is an error and cannot be allowed")
        }
        Some(code) => format!("Nothing on this line or the next gives {code}"),
    };
    let edits = vec![Edit { place, text: String::new() }];
    Diagnostic::new(Code::UnusedAllow, place, message)
        .with_label("allows nothing")
        .with_hint("Remove the comment.")
        .with_fix(Fix { title: "Remove the comment".to_owned(), edits, safe: true })
}
