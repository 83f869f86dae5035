//! Diagnostics for programs: one JSON object, stable under its `version`.
//!
//! ```json
//! {
//!   "version": 1,
//!   "diagnostics": [{
//!     "code": "E0203",
//!     "severity": "error",
//!     "title": "A value that may be missing",
//!     "message": "`customer` may be missing here",
//!     "label": "may be missing",
//!     "file": "agent.dgh",
//!     "start": { "offset": 12, "line": 2, "col": 5 },
//!     "end": { "offset": 20, "line": 2, "col": 13 },
//!     "related": [{ "message": "declared here", "file": …, "start": …, "end": … }],
//!     "steps": [{ "message": "the call starts", "file": …, "start": …, "end": … }],
//!     "hint": "Write `customer?` …",
//!     "fixes": [{
//!       "title": "Write `customer?`",
//!       "safe": true,
//!       "edits": [{ "file": …, "start": …, "end": …, "text": "?" }]
//!     }]
//!   }],
//!   "summary": { "errors": 1, "warnings": 0, "infos": 0, "hints": 0 }
//! }
//! ```
//!
//! `offset` counts UTF-8 bytes from 0; `line` and `col` count from 1, `col` in characters. `end`
//! is the position after the last character. `label` and `hint` are `null` when there is none.
//! Within one version, keys are only added.

use serde_json::{Value, json};

use crate::source::{Files, Position, sorted};
use crate::{Diagnostic, Fix, Place, Related, Severity, Sources};

/// The object described above.
pub fn to_json<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S) -> Value {
    let files = Files::of(diagnostics, sources);
    let count = |s: Severity| diagnostics.iter().filter(|d| d.severity() == s).count();
    json!({
        "version": 1,
        "diagnostics": sorted(diagnostics).into_iter().map(|d| diagnostic(d, &files)).collect::<Vec<_>>(),
        "summary": {
            "errors": count(Severity::Error),
            "warnings": count(Severity::Warning),
            "infos": count(Severity::Info),
            "hints": count(Severity::Hint),
        },
    })
}

fn diagnostic(d: &Diagnostic, files: &Files<'_>) -> Value {
    let mut out = json!({
        "code": d.code.to_string(),
        "severity": d.severity().word(),
        "title": d.code.title(),
        "message": d.message,
        "label": if d.label.is_empty() { None } else { Some(&d.label) },
    });
    place(&mut out, d.place, files);
    let listed = |all: &[Related]| {
        let each = all.iter().map(|r| {
            let mut out = json!({ "message": r.message });
            place(&mut out, r.place, files);
            out
        });
        each.collect::<Vec<_>>()
    };
    set(&mut out, "related", listed(&d.related).into());
    set(&mut out, "steps", listed(&d.steps).into());
    set(&mut out, "hint", json!(d.hint));
    set(&mut out, "fixes", d.fixes.iter().map(|f| fix(f, files)).collect::<Vec<_>>().into());
    out
}

fn fix(fix: &Fix, files: &Files<'_>) -> Value {
    let edits = fix.edits.iter().map(|e| {
        let mut out = json!({});
        place(&mut out, e.place, files);
        set(&mut out, "text", json!(e.text));
        out
    });
    json!({ "title": fix.title, "safe": fix.safe, "edits": edits.collect::<Vec<_>>() })
}

fn place(out: &mut Value, place: Place, files: &Files<'_>) {
    let file = files.get(place.file);
    let span = file.clamp(place.span);
    let position = |p: Position| json!({ "offset": p.offset, "line": p.line, "col": p.col });
    set(out, "file", json!(file.path));
    set(out, "start", position(file.position(span.start)));
    set(out, "end", position(file.position(span.end)));
}

fn set(out: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = out {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Edit, FileId, Span};

    #[test]
    fn every_part_of_a_diagnostic_is_in_the_object() {
        let at = |start, end| Place { file: FileId(0), span: Span::new(start, end) };
        let d = Diagnostic::new(Code::UnknownNode, at(6, 9), "there is no node `ófer`")
            .with_label("no such node")
            .with_related(at(0, 4), "declared here")
            .with_step(at(4, 5), "the call starts")
            .with_hint("Did you mean `offer`?")
            .with_fix(Fix {
                title: "Write `offer`".into(),
                edits: vec![Edit { place: at(6, 9), text: "offer".into() }],
                safe: true,
            });
        let sources = [("a.dgh", "node é\nxy")];
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&to_json(&[d], sources.as_slice())).expect("it is a value"),
        );
    }
}
