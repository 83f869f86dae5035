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

use dgh_diag::{Code, Diagnostic};
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
    // Of a file in another edition nothing else is worth saying.
    if diagnostics.iter().any(|d| d.code == Code::UnknownEdition) {
        diagnostics.retain(|d| (d.code as u16) < (Code::UnknownName as u16));
    }
    diagnostics.sort_by_key(|d| (d.place, d.code as u16));
    diagnostics.dedup();
    Checked { program, source_map: report.source_map, tests: context.tests, diagnostics }
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
