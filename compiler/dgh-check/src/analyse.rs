//! Everything that is proven about a program, in the order in which it is found.
//!
//! The analyses read the lowered program alone; [`crate::report`] says what they expect of it.

use dgh_ir::Program;

use crate::flow::scene::World;
use crate::flow::{assign, exhaustive, known, order, progress, reach, unset};
use crate::lints::{capability, leftovers, outbound, routes, shape};
use crate::policy::{always, ensure, never};
use crate::privacy;
use crate::report::{Context, Report};

/// Checks the paths, policies, privacy and capabilities of a program, and looks for leftovers.
/// Findings go to `report`; nothing that follows from a hole is reported, and nothing in the
/// standard library, which has its own tests.
pub fn analyse(program: &Program, context: &Context, report: &mut Report) {
    let before = report.diagnostics.len();
    let world = World::new(program, context, report);
    for (index, scene) in world.scenes.iter().enumerate() {
        order::check(scene, report);
        reach::check(scene, report);
        let solved = assign::solve(scene);
        unset::check(&solved, report);
        known::check(&solved, report);
        progress::check(&world, scene, report);
        exhaustive::check(&world, index, report);
        routes::check(&world, index, report);
        ensure::check(&world, scene, report);
        always::check(&world, scene, report);
        never::check(&world, index, report);
        privacy::check(&world, index, report);
        outbound::check(&world, scene, report);
        capability::check(&world, index, report);
        shape::check(&world, scene, report);
    }
    unset::check_tools(program, report);
    leftovers::check(&world, report);

    let found = report.diagnostics.split_off(before);
    report.diagnostics.extend(found.into_iter().filter(|d| !context.is_standard(d.place)));
}
