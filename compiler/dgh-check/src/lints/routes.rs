//! E0401, W0402, W0403, W0404 and W0423: routes that are never taken, or that nobody can tell
//! apart, and outcomes that no path produces.

use std::collections::{BTreeMap, BTreeSet};

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{Decider, DialogueId, Event, Expr, NodeId, OutcomeId, Route, Target};

use crate::flow::implies::implies;
use crate::flow::rows::Row;
use crate::flow::scene::{Scene, World};
use crate::report::{Errors, Report};

/// Checks a dialogue, by the index of its scene.
pub(crate) fn check(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let errors = report.errors(|_| true);
    duplicate_labels(scene.anywhere().map(|(_, r)| r), "`anywhere`", report);
    same_event(scene.anywhere().map(|(_, r)| r), report);
    for (id, node) in scene.dialogue.nodes.iter() {
        duplicate_labels(scene.own(id).map(|(_, r)| r), &format!("`{}`", node.name), report);
        same_event(scene.own(id).map(|(_, r)| r), report);
        if scene.reached[id] {
            covered(scene, id, &errors, report);
            after_else(scene, id, &errors, report);
        }
    }
    too_many(world, index, report);
    if let DialogueId::Agent(_) = scene.id {
        outcomes(world, index, report);
    }
}

fn duplicate_labels<'r>(routes: impl Iterator<Item = &'r Route>, place: &str, report: &mut Report) {
    let mut seen: BTreeMap<&str, &Route> = BTreeMap::new();
    for route in routes {
        let Decider::When(when) = &route.decider else { continue };
        match seen.get(when.label.as_str()) {
            None => {
                seen.insert(&when.label, route);
            }
            Some(first) => report.push(
                Diagnostic::new(
                    Code::DuplicateLabel,
                    report.place(route.origin),
                    format!("{place} has two routes with the label `{}`", when.label),
                )
                .with_label("the same label")
                .with_related(report.place(first.origin), "first used here")
                .with_hint("Give each `when` of a node a label of its own: the model chooses by it."),
            ),
        }
    }
}

/// A handler of an event that one before it takes already.
fn same_event<'r>(routes: impl Iterator<Item = &'r Route>, report: &mut Report) {
    let handlers = routes.filter_map(|route| match &route.decider {
        Decider::On(Event::Hole) => None,
        Decider::On(event) => Some((route, event)),
        _ => None,
    });
    let mut seen: Vec<(&Route, &Event)> = Vec::new();
    for (route, event) in handlers.take(MOST_COMPARED) {
        let Some((first, _)) = seen.iter().find(|(_, e)| *e == event) else {
            seen.push((route, event));
            continue;
        };
        report.push(
            Diagnostic::new(
                Code::AfterElse,
                report.place(route.origin),
                format!("this `{}` is never looked at: there is one before it", route.decider.label()),
            )
            .with_label("never looked at")
            .with_related(report.place(first.origin), "always taken")
            .with_hint("Keep one of the two, with all that is to be done in its block."),
        );
    }
}

/// An `if` that holds only where an earlier one does.
fn covered(scene: &Scene<'_>, id: NodeId, errors: &Errors, report: &mut Report) {
    let conditions: Vec<(&Route, &Expr)> = scene
        .own(id)
        // Of a condition that is wrong nothing follows.
        .filter(|(_, route)| !errors.are_in(report, route.origin))
        .filter_map(|(_, route)| match &route.decider {
            Decider::If(condition) => Some((route, condition)),
            _ => None,
        })
        .collect();
    for (at, (route, condition)) in conditions.iter().enumerate().take(MOST_COMPARED) {
        let earlier = conditions.iter().take(at);
        let Some((first, _)) =
            earlier.into_iter().find(|(_, e)| implies(scene.program, (condition, true), (e, true)))
        else {
            continue;
        };
        report.push(
            Diagnostic::new(
                Code::Subsumed,
                report.place(route.origin),
                "this condition is never reached: an earlier one covers it".to_string(),
            )
            .with_label("never taken")
            .with_related(report.place(first.origin), "whenever it holds, this is taken")
            .with_hint("Put the narrower condition first, or remove this one."),
        );
    }
}

/// Conditions of one node are compared in pairs; past this many nobody writes them by hand.
const MOST_COMPARED: usize = 200;

fn after_else(scene: &Scene<'_>, id: NodeId, errors: &Errors, report: &mut Report) {
    let mut closed: Option<&Route> = None;
    for (_, route) in scene.own(id).filter(|(_, r)| Row::of(&r.decider) == Row::Done) {
        // What an `else` that is wrong was to be, nobody knows.
        if errors.are_in(report, route.origin) {
            continue;
        }
        if let Some(first) = closed {
            // An `else` or `next` out of order is told as that.
            if !matches!(route.decider, Decider::If(_)) && route.decider != first.decider {
                continue;
            }
            report.push(
                Diagnostic::new(
                    Code::AfterElse,
                    report.place(route.origin),
                    format!(
                        "`{}` is never looked at: `{}` before it is always taken",
                        route.decider.label(),
                        first.decider.label()
                    ),
                )
                .with_label("never looked at")
                .with_related(report.place(first.origin), "always taken")
                .with_hint(format!("Put it before `{}`, or remove it.", first.decider.label())),
            );
        } else if matches!(route.decider, Decider::Else | Decider::Next) {
            closed = Some(route);
        }
    }
}

/// More `when`s than a model tells apart.
fn too_many(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let is_when = |route: &Route| matches!(route.decider, Decider::When(_));
    let outer: Vec<&Route> = scene.anywhere().map(|(_, r)| r).filter(|r| is_when(r)).collect();
    if let Some(first) = outer.get(MOST_VISIBLE) {
        report.push(too_many_at(report, first, "`anywhere`", outer.len()));
        return;
    }
    // In a flow, what is visible where it is run is visible too.
    let around = world
        .sites(scene.id)
        .iter()
        .filter_map(|site| {
            let outside = world.scene(site.scene)?;
            let own = outside.own(site.node).filter(|(_, r)| is_when(r)).count();
            let all = outside.anywhere().filter(|(_, r)| is_when(r) && outside.sees(site.node, r));
            Some(own + all.count())
        })
        .max()
        .unwrap_or(0);
    for (id, node) in scene.nodes() {
        if !scene.shapes[id].floor {
            continue;
        }
        let own: Vec<&Route> = scene.own(id).map(|(_, r)| r).filter(|r| is_when(r)).collect();
        let from_anywhere = outer.iter().filter(|r| scene.sees(id, r)).count();
        let count = own.len() + from_anywhere + around;
        let last = own.get(MOST_VISIBLE.saturating_sub(from_anywhere + around)).or(own.last());
        if count > MOST_VISIBLE
            && let Some(last) = last
        {
            report.push(too_many_at(report, last, &format!("`{}`", node.name), count));
        }
    }
}

/// Labels that a model tells apart with confidence.
const MOST_VISIBLE: usize = 10;

fn too_many_at(report: &Report, route: &Route, place: &str, count: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyRoutes,
        report.place(route.origin),
        format!("{place} offers the model {count} routes to choose from, with those of `anywhere`"),
    )
    .with_label("one too many")
    .with_hint(format!(
        "Models confuse more than {MOST_VISIBLE}. Ask in two steps, or merge routes that lead to \
         the same node.",
    ))
}

/// Outcomes that no `end` on a reachable path produces.
fn outcomes(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let DialogueId::Agent(id) = scene.id else { return };
    let agent = &world.program.agents[id];
    if scene.dialogue.start.is_none() || scene.has_lost_arrow {
        return;
    }
    // A node without a way on, or that no path leads to, is told; what it would end with is a
    // consequence.
    let stuck = |d: &Diagnostic| d.code == Code::DeadEnd && report.is_inside(d.place, agent.origin);
    if report.diagnostics.iter().any(stuck) {
        return;
    }
    let targets = scene.dialogue.routes.iter().map(|(_, route)| &route.target);
    let made: BTreeSet<OutcomeId> = targets
        .filter_map(|target| match target {
            Some(Target::End(outcome)) => *outcome,
            _ => None,
        })
        .collect();
    if scene.nodes().any(|(node, _)| scene.shapes[node].broken) {
        return;
    }
    for (_, named) in agent.outcomes.iter().filter(|(id, _)| !made.contains(id)) {
        report.push(
            Diagnostic::new(
                Code::OutcomeNeverUsed,
                report.place(named.origin),
                format!("no path ends with the outcome `{}`", named.name),
            )
            .with_label("never produced")
            .with_hint(format!("Lead an arrow to `end {}`, or remove the outcome.", named.name)),
        );
    }
}
