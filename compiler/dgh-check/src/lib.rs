//! Names, types and meaning: parsed files in, a compiled program and findings out.
//!
//! Two halves. *Lowering* ([`lower`]) resolves names and types and makes the [`dgh_ir::Program`];
//! what does not resolve becomes a hole, so that one mistake is one finding and everything else is
//! still checked. The *analyses* run on the program: paths, policies, privacy, shape.
//!
//! Nothing here reads a file or knows where one is; that is the work of the facade, which fills in
//! an [`Input`].

mod input;
mod lower;
mod names;
mod types;

use dgh_diag::Diagnostic;
use dgh_ir::test::TestCase;
use dgh_ir::{Program, SourceMap};

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
    /// Findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a program: all files that the entry file reaches. Cannot fail.
///
/// Findings of the parser are not repeated here.
pub fn check(input: &Input<'_>) -> Checked {
    let lowered = lower(input);
    let mut diagnostics = lowered.diagnostics;
    diagnostics.sort_by_key(|d| (d.place, d.code as u16));
    diagnostics.dedup();
    Checked { program: lowered.program, source_map: lowered.source_map, tests: lowered.tests, diagnostics }
}

/// Only resolves names and types; the analyses are left out.
pub fn lower(input: &Input<'_>) -> Lowered {
    lower::run(input)
}
