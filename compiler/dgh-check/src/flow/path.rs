//! The shortest path on which something is missing, by breadth-first search over pairs of a node
//! and one bit.

use std::collections::{BTreeMap, VecDeque};

use dgh_diag::Diagnostic;
use dgh_ir::arena::Id;
use dgh_ir::{Arena, Expr, Node, NodeId, Route, RouteId, StepKind};

use super::assign::Assigned;
use super::scene::{Scene, target_node};
use super::state::OneBit;
use crate::report::Report;

/// The shortest paths from the start to each node, one on which the bit may be missing there, one
/// on which it is there.
pub(crate) struct Paths {
    bit: usize,
    found: Arena<NodeId, [Option<Hop>; 2]>,
    order: Vec<(NodeId, bool)>,
}

#[derive(Clone, Copy)]
struct Hop {
    before: Option<(NodeId, bool)>,
    via: Option<RouteId>,
}

/// Searches for all paths of one bit.
pub(crate) fn search(solved: &Assigned<'_, '_>, bit: usize) -> Paths {
    let scene = solved.scene();
    let nothing = scene.dialogue.nodes.iter().map(|_| [None, None]).collect();
    let mut paths = Paths { bit, found: nothing, order: Vec::new() };
    let mut open = VecDeque::new();
    if let Some(start) = scene.dialogue.start {
        let missing = solved.start.contains(bit);
        paths.visit(start, missing, Hop { before: None, via: None }, &mut open);
    }
    let mut anywhere: Vec<(RouteId, &Route, [bool; 2])> =
        scene.anywhere().map(|(id, route)| (id, route, [false; 2])).collect();
    while let Some((id, missing)) = open.pop_front() {
        paths.order.push((id, missing));
        let Some(leaving) = leaving(solved, bit, id, missing, &mut |_, _| {}) else { continue };
        let gone = OneBit { missing: solved.gone.contains(bit), ..leaving.done };
        let mut arrows = Vec::new();
        solved.transfer.routes(id, &leaving, &gone, &mut |_, _| {}, &mut |via, to, state| {
            arrows.push((via, to, state.missing));
        });
        // Routes of `anywhere` are followed once for each state, not once for each node.
        for (via, route, done) in &mut anywhere {
            let Some(to) = target_node(route) else { continue };
            if (done[0] && done[1]) || !scene.sees(id, route) {
                continue;
            }
            let state = *leaving.of(super::rows::Row::of(&route.decider), &gone);
            let seen = &mut done[usize::from(state.missing)];
            if !*seen {
                *seen = true;
                let state = solved.transfer.route(route, state, &mut |_, _| {});
                arrows.push((*via, to, state.missing));
            }
        }
        for (via, to, out) in arrows {
            let hop = Hop { before: Some((id, missing)), via: Some(via) };
            paths.visit(to, out, hop, &mut open);
        }
    }
    paths
}

/// The states of one bit in which arrows leave a node.
pub(crate) fn leaving<'e, 's>(
    solved: &'s Assigned<'_, 'e>,
    bit: usize,
    id: NodeId,
    missing: bool,
    on_missing: &mut super::transfer::OnMissing<'_, 'e>,
) -> Option<super::transfer::Leaving<OneBit<'s>>> {
    let node: &'e Node = solved.scene().dialogue.nodes.get(id)?;
    let others = solved.entry.get(id)?.as_ref()?;
    let entry = OneBit { bit, missing, others };
    Some(solved.transfer.node(id, node, &entry, on_missing))
}

impl Paths {
    fn visit(&mut self, node: NodeId, missing: bool, hop: Hop, open: &mut VecDeque<(NodeId, bool)>) {
        let Some(found) = self.found.get(node) else { return };
        if found.get(usize::from(missing)).is_some_and(Option::is_none) {
            if let Some(slot) = self.found[node].get_mut(usize::from(missing)) {
                *slot = Some(hop);
            }
            open.push_back((node, missing));
        }
    }

    /// The first node on a path that satisfies the test, with the state on entry.
    pub(crate) fn first(&self, mut test: impl FnMut(NodeId, bool) -> bool) -> Option<(NodeId, bool)> {
        self.order.iter().copied().find(|(node, missing)| test(*node, *missing))
    }

    /// The state on entry to a node in which a read in it, or on its routes, complains.
    pub(crate) fn to_read<'e>(
        &self,
        solved: &Assigned<'_, 'e>,
        node: NodeId,
        read: &'e Expr,
    ) -> Option<(NodeId, bool)> {
        self.first(|id, missing| id == node && complains(solved, self.bit, id, missing, read))
    }

    /// Adds the path to a node to a finding, a step for each arrow.
    pub(crate) fn tell(
        &self,
        scene: &Scene<'_>,
        report: &Report,
        to: (NodeId, bool),
        mut finding: Diagnostic,
    ) -> Diagnostic {
        let mut hops = Vec::new();
        let mut at = Some(to);
        while let Some((node, missing)) = at {
            let hop = self.found.get(node).and_then(|f| f.get(usize::from(missing)).copied().flatten());
            let Some(hop) = hop else { break };
            hops.push((node, hop));
            at = hop.before;
        }
        hops.reverse();
        for (node, hop) in hops {
            finding = match (hop.before, hop.via.and_then(|id| scene.dialogue.routes.get(id))) {
                (Some((from, _)), Some(route)) => step(scene, report, from, route, self.bit, finding),
                _ => begin(scene, report, node, finding),
            };
            finding = cleared_in(scene, report, node, self.bit, finding);
        }
        finding
    }
}

fn complains<'e>(solved: &Assigned<'_, 'e>, bit: usize, id: NodeId, missing: bool, read: &'e Expr) -> bool {
    let mut found = false;
    let mut check = |at: usize, expr: &'e Expr| found |= at == bit && std::ptr::eq(expr, read);
    let Some(leaving) = leaving(solved, bit, id, missing, &mut check) else { return false };
    let gone = OneBit { missing: solved.gone.contains(bit), ..leaving.done };
    solved.transfer.routes(id, &leaving, &gone, &mut check, &mut |_, _, _| {});
    found
}

/// Adds the step that begins every path.
pub(crate) fn begin(scene: &Scene<'_>, report: &Report, node: NodeId, finding: Diagnostic) -> Diagnostic {
    let place = scene.dialogue.nodes.get(node).map_or_else(Default::default, |n| n.origin);
    let what = match scene.id {
        dgh_ir::DialogueId::Flow(_) => "the flow",
        _ => "the call",
    };
    finding.with_step(report.place(place), format!("{what} starts in {}", scene.name(node)))
}

/// Adds the step of taking a route.
pub(crate) fn step(
    scene: &Scene<'_>,
    report: &Report,
    from: NodeId,
    route: &Route,
    bit: usize,
    finding: Diagnostic,
) -> Diagnostic {
    let clears = route.block.iter().any(|s| clears(&s.kind, bit));
    let then = if clears { ", which clears it" } else { "" };
    finding.with_step(report.place(route.origin), format!("{}{then}", taken(scene, from, route)))
}

/// How taking a route reads: `hello: when agrees`.
pub(crate) fn taken(scene: &Scene<'_>, from: NodeId, route: &Route) -> String {
    let place = if route.from.is_none() { ", anywhere" } else { "" };
    format!("{}{place}: {}", scene.name(from), route.decider.label())
}

fn cleared_in(
    scene: &Scene<'_>,
    report: &Report,
    node: NodeId,
    bit: usize,
    mut finding: Diagnostic,
) -> Diagnostic {
    let Some(found) = scene.dialogue.nodes.get(node) else { return finding };
    for step in found.steps.iter().filter(|s| clears(&s.kind, bit)) {
        finding = finding.with_step(report.place(step.origin), format!("{}: it is cleared", found.name));
    }
    finding
}

fn clears(step: &StepKind, bit: usize) -> bool {
    matches!(step, StepKind::Clear(slots) if slots.iter().any(|s| s.index() == bit))
}

/// The places that give each slot a value, for explanations.
pub(crate) fn given_in(scene: &Scene<'_>) -> BTreeMap<usize, Vec<(dgh_ir::Origin, String)>> {
    let mut given: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    let mut add = |slot: dgh_ir::SlotId, origin, how: String| {
        given.entry(slot.index()).or_default().push((origin, how));
    };
    for (_, node) in scene.dialogue.nodes.iter() {
        for step in &node.steps {
            step.writes().into_iter().for_each(|s| add(s, step.origin, format!("set in {}", node.name)));
        }
        if let Some(collect) = &node.collect {
            collect.slots.iter().for_each(|s| add(*s, collect.origin, format!("collected in {}", node.name)));
        }
        node.note
            .iter()
            .for_each(|s| add(*s, node.origin, format!("noted in {}, which makes nothing sure", node.name)));
    }
    for (_, route) in scene.dialogue.routes.iter() {
        for step in &route.block {
            step.writes().into_iter().for_each(|s| add(s, step.origin, "set on an arrow".into()));
        }
    }
    if let dgh_ir::DialogueId::Agent(id) = scene.id {
        for step in scene.program.agents[id].before_call.iter().flat_map(|b| &b.steps) {
            step.writes()
                .into_iter()
                .for_each(|s| add(s, step.origin, "set before the call, if that succeeds".into()));
        }
    }
    given
}
