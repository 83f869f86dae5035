//! E0211: a condition that asks whether a name is set where it is set on every path. A value that
//! is no yes or no is hardly meant to be asked so: a comparison was forgotten.
//!
//! The states of `flow/assign.rs` say what *may be missing*, and say nothing where nothing is
//! known; so whatever makes them say nothing makes this check say nothing too. `x != none` is
//! asked on purpose, and a `T?` may be asked again.

use std::collections::BTreeSet;

use dgh_diag::{Code, Diagnostic};
use dgh_ir::arena::Id as _;
use dgh_ir::{DialogueId, Expr, ExprKind, Kind, Origin, Program, Route, Slot, SlotId, Template};
use fixedbitset::FixedBitSet;

use super::assign::Assigned;
use super::path;
use super::rows::Row;
use super::scene::target_node;
use crate::report::Report;
use crate::types::describe;

/// Checks the conditions of all routes of a dialogue.
pub(crate) fn check(solved: &Assigned<'_, '_>, report: &mut Report) {
    let scene = solved.scene();
    if scene.has_lost_arrow || scene.has_lost_writes() {
        return;
    }
    let asks = |route: &Route| route.decider.condition().is_some_and(|c| !asked_plainly(c).is_empty());
    // Most dialogues ask nothing so, and their states need no second look.
    if !scene.dialogue.routes.iter().any(|(_, route)| asks(route)) {
        return;
    }
    let Some(assumed) = assumed(solved) else { return };
    let mut asked: Vec<(SlotId, Origin)> = Vec::new();
    let mut ask = |route: &Route, state: &FixedBitSet| {
        for (slot, at) in route.decider.condition().into_iter().flat_map(asked_plainly) {
            let bit = slot.index();
            if !state.contains(bit) && !assumed.contains(&bit) {
                asked.push((slot, at));
            }
        }
    };
    for (id, _) in scene.nodes() {
        let Some(leaving) = solved.leaving(id) else { continue };
        for (_, route) in scene.own(id) {
            ask(route, leaving.of(Row::of(&route.decider), &solved.gone));
        }
    }
    for group in &solved.groups {
        for (_, route) in &group.routes {
            if let Some(state) = Assigned::group_state(group, target_node(route)) {
                ask(route, &state);
            }
        }
    }
    let given = path::given_in(scene);
    let known = report.errors(|code| matches!(code, Code::NotCondition | Code::NeverMissing));
    for (id, at) in asked {
        let Some(slot) = scene.dialogue.slots.get(id) else { continue };
        let place = report.place(at);
        if slot.ty.optional || matches!(slot.ty.kind, Kind::Hole | Kind::Json) || known.begin_at(place) {
            continue;
        }
        let what = describe(scene.program, &slot.ty.kind);
        let mut finding = Diagnostic::new(
            Code::NeverMissing,
            place,
            format!(
                "`{}` is {what} that is set on every path to here, so there is nothing to ask",
                slot.name
            ),
        )
        .with_label("always set here")
        .with_hint(hint(scene.program, slot));
        for (origin, how) in given.get(&id.index()).into_iter().flatten().take(SHOWN) {
            finding = finding.with_related(report.place(*origin), how.clone());
        }
        report.push(finding);
    }
}

/// Places shown beside the first.
const SHOWN: usize = 2;

/// The bits that are reported as missing somewhere and taken as there from then on; nothing, if
/// some node's state is not known.
fn assumed(solved: &Assigned<'_, '_>) -> Option<BTreeSet<usize>> {
    let scene = solved.scene();
    let mut bits = BTreeSet::new();
    for (id, node) in scene.nodes() {
        let shape = scene.shapes[id];
        if shape.damaged || (shape.typed && !shape.is_ever_done()) {
            return None;
        }
        let Some(Some(entry)) = solved.entry.get(id) else { continue };
        let mut note = |bit: usize, _: &Expr| {
            bits.insert(bit);
        };
        let leaving = solved.transfer.node(id, node, entry, &mut note);
        solved.transfer.routes(id, &leaving, &solved.gone, &mut note, &mut |_, _, _| {});
    }
    for group in &solved.groups {
        for (_, route) in &group.routes {
            if let Some(state) = Assigned::group_state(group, target_node(route)) {
                solved.transfer.route(route, state, &mut |bit, _| {
                    bits.insert(bit);
                });
            }
        }
    }
    // What a failed call of `before call` should have brought is told where the call starts.
    if let DialogueId::Agent(id) = scene.id {
        let mut state = solved.start.clone();
        for expr in scene.program.agents[id].prompt.iter().flat_map(Template::exprs) {
            solved.transfer.read(expr, &mut state, None, &mut |bit, _| {
                bits.insert(bit);
            });
        }
    }
    Some(bits)
}

/// The names that a condition asks for by name alone. What `x != none` asks stands at the
/// comparison, what `x` asks at the name itself.
fn asked_plainly(condition: &Expr) -> Vec<(SlotId, Origin)> {
    let mut found = Vec::new();
    condition.walk(&mut |expr| {
        if let ExprKind::IsSet(inner) = &expr.kind
            && let ExprKind::Slot(slot) = inner.kind
            && expr.origin.0 == inner.origin.0
        {
            found.push((slot, inner.origin));
        }
    });
    found
}

fn hint(program: &Program, slot: &Slot) -> String {
    let name = &slot.name;
    let say = |example: String| format!("Say what is asked about it, such as `{example}`, or leave it out.");
    match &slot.ty.kind {
        Kind::Text | Kind::Email | Kind::Url | Kind::Phone | Kind::Digits(_) => {
            say(format!("{name} == \"…\""))
        }
        Kind::Enum(id) => match program.enums.get(*id).and_then(|e| e.cases.first()) {
            Some(case) => say(format!("{name} == {case}")),
            None => say(format!("{name} == …")),
        },
        Kind::Record(id) => match program.records.get(*id).and_then(|r| r.fields.first()) {
            Some(field) => {
                format!("Ask for one of its fields, such as `{name}.{} == …`, or leave it out.", field.name)
            }
            None => say(format!("{name} == …")),
        },
        Kind::List(_) => say(format!("{name}.count > 0")),
        _ => say(format!("{name} >= …")),
    }
}
