//! Diagnostics as annotations of a GitHub workflow run: one command a line on standard output.
//!
//! The escaping is that of the runner's own toolkit: `%`, CR and LF in data, and `:` and `,` too
//! in properties.

use std::fmt::Write;

use crate::source::{Files, sorted};
use crate::{Diagnostic, Severity, Sources};

/// `::error file=…,line=…,col=…,title=…::message`, one line each, hints and related places in the
/// message.
pub fn annotations<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S) -> String {
    let files = Files::of(diagnostics, sources);
    let mut out = String::new();
    for d in sorted(diagnostics) {
        let file = files.get(d.place.file);
        let span = file.clamp(d.place.span);
        let (start, end) = (file.position(span.start), file.position(span.end));
        let _ = write!(
            out,
            "::{} file={},line={},endLine={}",
            command(d.severity()),
            property(file.path),
            start.line,
            end.line
        );
        // Columns of a range over several lines are refused by the runner.
        if start.line == end.line {
            let _ = write!(out, ",col={},endColumn={}", start.col, end.col);
        }
        let title = format!("{} {}", d.code, d.code.title());
        let _ = writeln!(out, ",title={}::{}", property(&title), data(&message(d, &files)));
    }
    out
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Hint => "notice",
    }
}

fn message(d: &Diagnostic, files: &Files<'_>) -> String {
    let mut out = d.message.clone();
    for related in &d.related {
        let file = files.get(related.place.file);
        let line = file.position(related.place.span.start).line;
        let _ = write!(out, "\n{}:{line}: {}", file.path, related.message);
    }
    for (i, step) in d.steps.iter().enumerate() {
        let file = files.get(step.place.file);
        let line = file.position(step.place.span.start).line;
        let _ = write!(out, "\n{}. {} ({}:{line})", i + 1, step.message, file.path);
    }
    if let Some(hint) = &d.hint {
        let _ = write!(out, "\n{hint}");
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, FileId, Place, Span};

    #[test]
    fn separators_in_paths_and_line_ends_in_messages_are_escaped() {
        let at = |start, end| Place { file: FileId(0), span: Span::new(start, end) };
        let found = [
            Diagnostic::new(Code::UnknownNode, at(4, 6), "100% unknown\r\nnode").with_hint("a: b, c"),
            Diagnostic::new(Code::UnusedVariable, at(0, 6), "nothing reads `x`"),
            Diagnostic::new(Code::NoConfig, at(0, 1), "there is no dgh.toml"),
        ];
        let sources = [("a,b:c/100%.dgh", "ab\ncdef")];
        insta::assert_snapshot!(annotations(&found, sources.as_slice()));
    }
}
