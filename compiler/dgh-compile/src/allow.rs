//! `// allow W0412: reason`: a warning that somebody looked at and wants to keep.

use dgh_diag::{Code, Diagnostic, LineIndex, Place, Severity};

use crate::sources::Loaded;

/// Drops the warnings that are allowed, and reports each `allow` that allows nothing.
pub(crate) fn apply(loaded: &Loaded, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut unused = Vec::new();
    for (file, text, parse) in loaded.own() {
        let allows = parse.allows();
        if allows.is_empty() {
            continue;
        }
        let lines = LineIndex::new(text);
        for allow in allows {
            let place = Place { file, span: allow.span };
            let code = Code::parse(&allow.code);
            let before = findings.len();
            if code.is_some_and(|code| code.severity() != Severity::Error) {
                findings.retain(|d| {
                    let here = d.place.file == file && lines.line(d.place.span.start) == allow.line;
                    !(here && Some(d.code) == code)
                });
            }
            if findings.len() == before {
                unused.push(complaint(place, &allow.code, code));
            }
        }
    }
    findings.extend(unused);
    findings
}

fn complaint(place: Place, written: &str, code: Option<Code>) -> Diagnostic {
    let message = match code {
        None => format!("there is no code `{written}`"),
        Some(code) if code.severity() == Severity::Error => format!("{code} is an error and cannot be allowed"),
        Some(code) => format!("nothing on this line or the next gives {code}"),
    };
    Diagnostic::new(Code::UnusedAllow, place, message).with_label("allows nothing").with_hint("Remove the comment.")
}
