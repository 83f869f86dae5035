//! Diagnostics as SARIF 2.1.0, the exchange format of static analysis that code hosts read.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::fmt::Write;

use serde_json::{Value, json};

use crate::source::{Files, sorted};
use crate::{Code, Diagnostic, Fix, Place, Related, Severity, Sources, explain};

/// One run with a rule for each code that occurs, and a result for each diagnostic; the shortest
/// path is a code flow.
pub fn to_sarif<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S) -> Value {
    let files = Files::of(diagnostics, sources);
    let found = sorted(diagnostics);
    let mut codes: Vec<Code> = found.iter().map(|d| d.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<Value> = found.into_iter().map(|d| result(d, &codes, &files)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dgh",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|c| rule(*c)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.to_string(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        "help": { "text": explain(code), "markdown": explain(code) },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Hint => "note",
    }
}

fn result(d: &Diagnostic, codes: &[Code], files: &Files<'_>) -> Value {
    let mut text = d.message.clone();
    if let Some(hint) = &d.hint {
        let _ = write!(text, ". {hint}");
    }
    let mut out = json!({
        "ruleId": d.code.to_string(),
        "ruleIndex": codes.binary_search(&d.code).unwrap_or_default(),
        "level": level(d.severity()),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(d.place, files) }],
    });
    let Value::Object(map) = &mut out else { return out };
    if !d.related.is_empty() {
        // The schema wants a set here, and a list for the steps.
        let mut related: Vec<Value> = Vec::new();
        for location in locations(&d.related, files) {
            if !related.contains(&location) {
                related.push(location);
            }
        }
        map.insert("relatedLocations".into(), related.into());
    }
    if !d.steps.is_empty() {
        let steps = locations(&d.steps, files).into_iter().map(|l| json!({ "location": l }));
        let flow = json!([{ "threadFlows": [{ "locations": steps.collect::<Vec<_>>() }] }]);
        map.insert("codeFlows".into(), flow);
    }
    let fixes: Vec<Value> = d.fixes.iter().filter(|f| !f.edits.is_empty()).map(|f| fix(f, files)).collect();
    if !fixes.is_empty() {
        map.insert("fixes".into(), fixes.into());
    }
    out
}

fn locations(all: &[Related], files: &Files<'_>) -> Vec<Value> {
    let each = all
        .iter()
        .map(|r| json!({ "physicalLocation": physical(r.place, files), "message": { "text": r.message } }));
    each.collect()
}

/// One change for each file that the fix touches, in the order of its first edit.
fn fix(fix: &Fix, files: &Files<'_>) -> Value {
    let mut changes: Vec<(crate::FileId, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = json!({
            "deletedRegion": region(edit.place, files),
            "insertedContent": { "text": edit.text },
        });
        match changes.iter_mut().find(|(file, _)| *file == edit.place.file) {
            Some((_, all)) => all.push(replacement),
            None => changes.push((edit.place.file, vec![replacement])),
        }
    }
    let changes = changes.into_iter().map(|(file, replacements)| {
        json!({
            "artifactLocation": { "uri": uri(files.get(file).path) },
            "replacements": replacements,
        })
    });
    json!({
        "description": { "text": fix.title },
        "artifactChanges": changes.collect::<Vec<_>>(),
    })
}

fn physical(place: Place, files: &Files<'_>) -> Value {
    json!({
        "artifactLocation": { "uri": uri(files.get(place.file).path) },
        "region": region(place, files),
    })
}

fn region(place: Place, files: &Files<'_>) -> Value {
    let file = files.get(place.file);
    let span = file.clamp(place.span);
    let (start, end) = (file.position(span.start), file.position(span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.col,
        "endLine": end.line,
        "endColumn": end.col,
        "byteOffset": span.start,
        "byteLength": span.len(),
    })
}

/// A path as an RFC 3986 reference: relative stays relative, absolute becomes `file:`.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let drive = path.get(1..3) == Some(":/") && path.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut out = match (drive, path.starts_with('/')) {
        (true, _) => "file:///".to_owned(),
        (false, true) => "file://".to_owned(),
        (false, false) => String::new(),
    };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::{Edit, FileId, Span};

    fn sample() -> Value {
        let at = |start, end| Place { file: FileId(0), span: Span::new(start, end) };
        let other = Place { file: FileId(1), span: Span::new(0, 900) };
        let found = [
            Diagnostic::new(Code::UnknownNode, at(5, 9), "there is no node `ofer`")
                .with_related(other, "imported here")
                .with_related(other, "imported here")
                .with_step(at(0, 2), "the call starts")
                .with_step(at(5, 9), "the route is taken")
                .with_hint("Did you mean `offer`?")
                .with_fix(Fix {
                    title: "Write `offer`".into(),
                    edits: vec![
                        Edit { place: at(5, 9), text: "offer".into() },
                        Edit { place: other, text: String::new() },
                        Edit { place: at(9, 9), text: "!".into() },
                    ],
                    safe: false,
                }),
            Diagnostic::new(Code::UnusedVariable, at(0, 1), "nothing reads `x`"),
            Diagnostic::new(Code::LongPrompt, at(0, 1), "long"),
            Diagnostic::new(Code::UnknownNode, Place { file: FileId(7), span: Span::new(3, 4) }, "?"),
        ];
        let sources = [("a b/é.dgh", "ab\ncdefgh"), ("b.dgh", "x")];
        to_sarif(&found, sources.as_slice())
    }

    /// The parts of the published schema that this renderer can get wrong: required properties,
    /// closed vocabularies, ranges, and no property that the schema does not know.
    fn essentials() -> Value {
        serde_json::from_str(include_str!("../tests/sarif-essentials.json")).unwrap()
    }

    #[test]
    fn the_log_keeps_to_the_schema() {
        let schema = jsonschema::validator_for(&essentials()).unwrap();
        let log = sample();
        let errors: Vec<String> = schema.iter_errors(&log).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert!(!schema.is_valid(&json!({ "version": "2.0.0", "runs": [] })), "the schema refuses");
    }

    #[test]
    fn results_point_to_their_rules_and_places() {
        let run = &sample()["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        }
        let unknown = &run["results"].as_array().unwrap()[2];
        assert_eq!(unknown["ruleId"], "E0102");
        let place = &unknown["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%A9.dgh");
        assert_eq!(place["region"]["startLine"], 2);
        assert_eq!(place["region"]["startColumn"], 3);
        assert_eq!(unknown["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), 2);
        let changes = unknown["fixes"][0]["artifactChanges"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "one change for each file");
        assert_eq!(changes[0]["replacements"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn paths_become_references() {
        for (path, expected) in [
            ("./agents/a.dgh", "agents/a.dgh"),
            ("/srv/a b.dgh", "file:///srv/a%20b.dgh"),
            ("C:\\x\\a.dgh", "file:///C%3A/x/a.dgh"),
            ("a:b.dgh", "a%3Ab.dgh"),
            ("ab:c#d?.dgh", "ab%3Ac%23d%3F.dgh"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
