//! E0302, E0303, E0304 and E0311: nodes that no path reaches, nodes without a way on, paths that
//! never end, and `back` in nodes that are not only detours.

use std::collections::BTreeSet;

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{Arena, Decider, DialogueId, Fact, NodeId, PolicyKind, Route, Target};

use super::rows::Row;
use super::scene::{Scene, target_node};
use crate::report::Report;

/// Checks a dialogue.
pub(crate) fn check(scene: &Scene<'_>, report: &mut Report) {
    if scene.dialogue.start.is_none() {
        return;
    }
    if !scene.has_lost_arrow {
        unreachable(scene, report);
    }
    let stuck = dead_ends(scene, report);
    endless(scene, &stuck, report);
    stray_back(scene, report);
}

/// One finding for each cluster of unreachable nodes: its first node, or the one that leads to the
/// others.
fn unreachable(scene: &Scene<'_>, report: &mut Report) {
    let first = must_be_first(scene);
    let lost = scene.dialogue.nodes.ids().filter(|id| !scene.reached[*id] && Some(*id) != first);
    let lost: BTreeSet<NodeId> = lost.collect();
    let mut entered: BTreeSet<NodeId> = BTreeSet::new();
    for id in &lost {
        let targets = scene.own(*id).filter_map(|(_, route)| target_node(route));
        entered.extend(targets.filter(|to| to != id));
    }
    let mut covered = BTreeSet::new();
    let heads = lost.iter().filter(|id| !entered.contains(id));
    for id in heads.chain(&lost) {
        if covered.contains(id) {
            continue;
        }
        let mut behind = Vec::new();
        let mut stack = vec![*id];
        while let Some(at) = stack.pop() {
            if !lost.contains(&at) || !covered.insert(at) {
                continue;
            }
            if at != *id {
                behind.push(at);
            }
            stack.extend(scene.own(at).filter_map(|(_, route)| target_node(route)));
        }
        let Some(node) = scene.dialogue.nodes.get(*id) else { continue };
        let mut finding = Diagnostic::new(
            Code::UnreachableNode,
            report.place(node.origin),
            format!("no path leads to `{}`", node.name),
        )
        .with_label("never reached")
        .with_hint(format!("Lead an arrow here, such as `-> {}`, or remove the node.", node.name));
        behind.sort_unstable();
        for other in behind.iter().filter_map(|id| scene.dialogue.nodes.get(*id)).take(4) {
            let what = format!("{} is reached through it alone", other.name);
            finding = finding.with_related(report.place(other.origin), what);
        }
        report.push(finding);
    }
}

/// The node that `ensure … before everything` names; when it is not the start, that is told.
fn must_be_first(scene: &Scene<'_>) -> Option<NodeId> {
    let DialogueId::Agent(id) = scene.id else { return None };
    scene.program.agents[id].policies.iter().find_map(|policy| match policy.kind {
        PolicyKind::Ensure { fact: Fact::Completed(node), before: None } => Some(node),
        _ => None,
    })
}

/// Nodes that a call cannot leave by a way that their author wrote.
fn dead_ends(scene: &Scene<'_>, report: &mut Report) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    for (id, node) in scene.nodes() {
        let shape = scene.shapes[id];
        if shape.broken || has_way_on(scene, id) {
            continue;
        }
        found.insert(id);
        // A transfer without handlers is told as such.
        if shape.transfers {
            continue;
        }
        let hint = if shape.talks && !shape.collects {
            "Add a route, such as `when done: \"They have what they need\" -> end …`."
        } else {
            "Add `next -> …`: where it leads when this node is done."
        };
        report.push(
            Diagnostic::new(
                Code::DeadEnd,
                report.place(node.origin),
                format!("`{}` has no way on", node.name),
            )
            .with_label("the call is stuck here")
            .with_hint(hint),
        );
    }
    found
}

fn has_way_on(scene: &Scene<'_>, id: NodeId) -> bool {
    let shape = scene.shapes[id];
    let own = |test: &dyn Fn(Row, &Route) -> bool| {
        scene.own(id).any(|(_, route)| route.target.is_some() && test(Row::of(&route.decider), route))
    };
    if !shape.talks || shape.collects {
        // Done at some time, and then only these lead on.
        let chosen = |row: Row, route: &Route| {
            row == Row::Done
                || (row == Row::Floor && matches!(route.decider, Decider::When(_)))
                || (row == Row::Transfer && (shape.transfers || shape.runs))
        };
        return own(&chosen) || (shape.transfers && seen_anywhere(scene, id, Row::Transfer));
    }
    // A node entered from anywhere, or the first one, may be left from anywhere too.
    let from_anywhere = scene.dialogue.start == Some(id)
        || scene.anywhere().any(|(_, r)| matches!(r.decider, Decider::When(_)) && target_node(r) == Some(id));
    own(&|_, _| true)
        || (from_anywhere
            && scene.anywhere().any(|(_, r)| {
                matches!(r.decider, Decider::When(_)) && r.target.is_some() && scene.sees(id, r)
            }))
}

fn seen_anywhere(scene: &Scene<'_>, id: NodeId, row: Row) -> bool {
    scene.anywhere().any(|(_, r)| Row::of(&r.decider) == row && r.target.is_some() && scene.sees(id, r))
}

/// The first nodes from which no `end`, `return` or `agent` can be reached.
fn endless(scene: &Scene<'_>, stuck: &BTreeSet<NodeId>, report: &mut Report) {
    let leaves = |route: &Route| {
        matches!(route.target, Some(Target::End(_) | Target::Return(_) | Target::Agent(..) | Target::Hole))
    };
    let mut ends: Arena<NodeId, bool> = scene.dialogue.nodes.iter().map(|_| false).collect();
    let mut before: Arena<NodeId, Vec<NodeId>> = scene.dialogue.nodes.iter().map(|_| Vec::new()).collect();
    let mut stack = Vec::new();
    for (id, _) in scene.nodes() {
        let mut end = stuck.contains(&id) || scene.shapes[id].broken;
        for (_, route) in scene.own(id) {
            // A detour comes back: it is as good as the node it was taken in.
            end |= leaves(route) || matches!(route.target, Some(Target::Back));
            if let Some(to) = target_node(route).filter(|to| before.get(*to).is_some()) {
                before[to].push(id);
            }
        }
        end |= scene.anywhere().any(|(_, route)| leaves(route) && scene.sees(id, route));
        if end {
            ends[id] = true;
            stack.push(id);
        }
    }
    // Routes of `anywhere` to nodes: when one of their targets ends, every node that sees it does.
    let mut outer: Vec<&Route> =
        scene.anywhere().map(|(_, r)| r).filter(|r| target_node(r).is_some()).collect();
    loop {
        while let Some(id) = stack.pop() {
            for from in std::mem::take(&mut before[id]) {
                if !ends[from] {
                    ends[from] = true;
                    stack.push(from);
                }
            }
        }
        let ready = outer.iter().position(|r| target_node(r).is_some_and(|to| ends[to]));
        let Some(route) = ready.map(|at| outer.swap_remove(at)) else { break };
        for (id, _) in scene.nodes() {
            if !ends[id] && scene.sees(id, route) {
                ends[id] = true;
                stack.push(id);
            }
        }
    }
    report_endless(scene, &ends, report);
}

fn report_endless(scene: &Scene<'_>, ends: &Arena<NodeId, bool>, report: &mut Report) {
    let endless: Vec<NodeId> = scene.nodes().map(|(id, _)| id).filter(|id| !ends[*id]).collect();
    let start = scene.dialogue.start.filter(|start| endless.contains(start));
    let Some(first) = start.or_else(|| endless.first().copied()) else { return };
    let Some(node) = scene.dialogue.nodes.get(first) else { return };
    let (what, goal) = match scene.id {
        DialogueId::Flow(_) => ("the flow", "`return`"),
        _ => ("the call", "`end`"),
    };
    let mut finding = Diagnostic::new(
        Code::NoEnd,
        report.place(node.origin),
        format!("from `{}` on, no path ends {what}", node.name),
    )
    .with_label("goes on for ever")
    .with_hint(format!("Give one of these nodes a way to {goal}."));
    for other in endless.iter().filter(|id| **id != first).take(5) {
        if let Some(node) = scene.dialogue.nodes.get(*other) {
            let what = format!("nor from {}", node.name);
            finding = finding.with_related(report.place(node.origin), what);
        }
    }
    report.push(finding);
}

/// `back` only in nodes that are entered by `detour` alone.
fn stray_back(scene: &Scene<'_>, report: &mut Report) {
    for (_, route) in scene.anywhere() {
        if matches!(route.target, Some(Target::Back)) {
            report.push(
                Diagnostic::new(
                    Code::StrayBack,
                    report.place(route.origin),
                    "`back` in `anywhere` would apply in nodes that are no detour",
                )
                .with_hint("Put it into the nodes that a `detour` leads to."),
            );
        }
    }
    for (id, node) in scene.nodes().filter(|(id, _)| scene.main[*id]) {
        let Some((_, back)) = scene.own(id).find(|(_, r)| matches!(r.target, Some(Target::Back))) else {
            continue;
        };
        let mut finding = Diagnostic::new(
            Code::StrayBack,
            report.place(back.origin),
            format!(
                "`{}` is also entered without a `detour`, so there may be nothing to go back to",
                node.name
            ),
        )
        .with_label("back to where?")
        .with_hint(format!(
            "Lead here with `-> detour {}` everywhere, or lead on to a node instead of `back`.",
            node.name
        ));
        if scene.dialogue.start == Some(id) {
            finding = finding.with_related(report.place(node.origin), "the call starts here");
        }
        for (_, other) in scene.dialogue.routes.iter() {
            let entered = matches!(other.target, Some(Target::Node(to)) if to == id);
            if entered && other.from.is_none_or(|from| scene.main[from]) {
                finding = finding.with_related(report.place(other.origin), "entered from here");
            }
        }
        report.push(finding);
    }
}
