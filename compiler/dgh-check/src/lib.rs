//! Names, types and meaning: parsed files in, a compiled program and findings out.
//!
//! Two halves. *Lowering* ([`lower`]) resolves names and types and makes the [`dgh_ir::Program`];
//! what does not resolve becomes a hole, so that one mistake is one finding and everything else is
//! still checked. *Analyses* ([`analyse`]) prove things about the program: paths, policies,
//! privacy, shape.
//!
//! Nothing here reads a file or knows where one is; that is the work of the facade, which fills in
//! an [`Input`].

mod analyse;
mod flow;
mod input;
mod lints;
mod lower;
mod names;
mod policy;
mod privacy;
pub mod report;
#[cfg(test)]
mod testing;
mod types;

use dgh_diag::{Code, Diagnostic, FileId, Place};
use dgh_ir::test::TestCase;
use dgh_ir::{Program, SourceMap};

pub use analyse::analyse;
pub use input::{Config, DefaultModel, Defaults, FileOrigin, Import, Input, Profile, SourceFile};
pub use lower::Lowered;

/// What came out of a check. The program is complete only when no finding is an error; otherwise
/// it has holes.
#[derive(Debug)]
pub struct Checked {
    /// The program.
    pub program: Program,
    /// Where its things stand.
    pub source_map: SourceMap,
    /// The `test` blocks of the entry file.
    pub tests: Vec<TestCase>,
    /// All findings, those of the parser among them, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a program: all files that the entry file reaches. Cannot fail.
pub fn check(input: &Input<'_>) -> Checked {
    let Lowered { program, context, mut report, mentioned } = lower(input);
    analyse(&program, &context, &mut report);
    let mut diagnostics = report.diagnostics;
    diagnostics.retain(|d| !is_leftover(d.code) || !mentioned.contains(context.text(d.place)));
    for finding in &mut diagnostics {
        capitalise(&mut finding.message);
    }
    // An import may be what a name that is nowhere should have been.
    let unresolved = |code| {
        matches!(
            code,
            Code::UnknownTool
                | Code::UnknownFlow
                | Code::UnknownType
                | Code::UnknownImport
                | Code::ImportNotFound
        )
    };
    if diagnostics.iter().any(|d| unresolved(d.code)) {
        diagnostics.retain(|d| d.code != Code::UnusedImport);
    }
    drop_echoes(&mut diagnostics);
    // Of a file in another edition nothing else is worth saying.
    if diagnostics.iter().any(|d| d.code == Code::UnknownEdition) {
        diagnostics.retain(|d| (d.code as u16) < (Code::UnknownName as u16));
    }
    diagnostics.sort_by_key(|d| (d.place, d.code as u16));
    diagnostics.dedup();
    Checked { program, source_map: report.source_map, tests: context.tests, diagnostics }
}

/// What is said about words that the parser could not read follows from that they cannot be read.
fn drop_echoes(diagnostics: &mut Vec<Diagnostic>) {
    let of_text = |d: &Diagnostic| (d.code as u16) < (Code::UnknownName as u16);
    let unread = diagnostics.iter().filter(|d| of_text(d) && d.place.span.start < d.place.span.end);
    let mut unread: Vec<Place> = unread.map(|d| d.place).collect();
    unread.sort_unstable();
    // Where the longest of those that begin up to there ends.
    let mut reach: Vec<(FileId, u32)> = Vec::with_capacity(unread.len());
    for place in &unread {
        let before = reach.last().filter(|(file, _)| *file == place.file).map_or(0, |(_, end)| *end);
        reach.push((place.file, before.max(place.span.end)));
    }
    diagnostics.retain(|d| {
        let (file, span) = (d.place.file, d.place.span);
        let until = unread.partition_point(|p| (p.file, p.span.start) < (file, span.end));
        let last = until.checked_sub(1).and_then(|i| reach.get(i));
        of_text(d)
            || span.start == span.end
            || last.is_none_or(|(in_file, end)| *in_file != file || *end <= span.start)
    });
}

/// Whether a finding says that nothing uses the name at its place.
fn is_leftover(code: Code) -> bool {
    matches!(
        code,
        Code::OutcomeNeverUsed
            | Code::UnusedImport
            | Code::UnusedVariable
            | Code::UnusedTool
            | Code::UnusedMcp
            | Code::UnusedKnowledge
            | Code::UnusedPhrase
            | Code::UnusedConst
            | Code::UnusedType
            | Code::UnusedFlow
    )
}

/// A message is a sentence, whatever word it begins with.
fn capitalise(message: &mut str) {
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
}

/// Only resolves names and types; the analyses are left out.
pub fn lower(input: &Input<'_>) -> Lowered {
    lower::run(input)
}
