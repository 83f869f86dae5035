//! E0305: cycles of arrows that take neither a caller turn nor time.
//!
//! Only typed arrows can be taken without either. A node that talks and never is done takes a
//! turn; a `collect` takes one if a name of it was cleared since it was last filled: round and
//! round, every name is filled but for what the cycle itself clears. That condition speaks of
//! cycles, not of nodes, so cycles are looked at one by one, the shortest first; one that makes
//! progress is cut at either end of what makes it so, and the search goes on in both remainders.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Span, suggest};
use dgh_ir::{Expr, ExprKind, FlowId, Node, NodeId, Route, RouteId, SlotId, Step, StepKind, Target};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::path::taken;
use super::rows::Row;
use super::scene::{Scene, World};
use crate::report::{Context, Report};

/// Checks a dialogue.
pub(crate) fn check(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let silent = flows_without_turn(world);
    let arrows = arrows(scene, &silent);
    let mut told = BTreeSet::new();
    let mut open = VecDeque::from([arrows]);
    let mut budget = BUDGET;
    while let Some(arrows) = open.pop_front() {
        for part in cyclic_parts(&arrows) {
            let Some(cycle) = shortest_cycle(&part) else { continue };
            match refreshed(scene, &cycle) {
                None => {
                    let key: BTreeSet<NodeId> = cycle.iter().map(|a| a.from).collect();
                    if told.insert(key) {
                        tell(scene, world.context, &cycle, report);
                    }
                    // Mending it opens the circle; look for others without it.
                    if budget > 0 {
                        budget -= 1;
                        let cut = |a: &&Arrow| cycle.last().is_none_or(|last| last != *a);
                        open.push_back(part.iter().filter(cut).copied().collect());
                    }
                }
                Some((clearing, node)) if budget > 0 => {
                    budget -= 1;
                    let without_arrow = part.iter().filter(|a| a.route != clearing).copied().collect();
                    let without_node =
                        part.iter().filter(|a| a.from != node && a.to != node).copied().collect();
                    open.push_back(without_arrow);
                    open.push_back(without_node);
                }
                Some(_) => {}
            }
        }
    }
}

/// Cycles that are looked into before the search is given up; each must make progress by a
/// `clear`, so a program by hand has a handful.
const BUDGET: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Arrow {
    from: NodeId,
    to: NodeId,
    route: RouteId,
}

/// The typed arrows between nodes that may be passed without a turn.
fn arrows(scene: &Scene<'_>, silent: &BTreeSet<FlowId>) -> Vec<Arrow> {
    let mut found = Vec::new();
    for (from, node) in scene.nodes() {
        let shape = scene.shapes[from];
        let passes = shape.is_ever_done()
            && !shape.broken
            && !node.steps.iter().any(|s| takes_turn_or_time(node, s, silent))
            && node.collect.as_ref().is_none_or(|c| !c.slots.is_empty());
        if !passes {
            continue;
        }
        let mut failed: Vec<&Expr> = Vec::new();
        for (route_id, route) in scene.own(from) {
            let condition = route.decider.condition().filter(|_| Row::of(&route.decider) == Row::Done);
            let mut unset: BTreeSet<SlotId> = failed.iter().flat_map(|c| unset_by(c, false)).collect();
            unset.extend(condition.into_iter().flat_map(|c| unset_by(c, true)));
            failed.extend(condition);
            let Some(Target::Node(to)) = route.target else { continue };
            let slow = route.block.iter().any(|s| takes_time(s, silent));
            let Some(next) = scene.dialogue.nodes.get(to) else { continue };
            // The common case at once: what the arrow clears, the next node asks for.
            // So it does for what the arrow's condition says is unset.
            let declinable = |slot: &SlotId| scene.dialogue.slots.get(*slot).is_none_or(|s| s.ty.optional);
            let mut missing: BTreeMap<SlotId, RouteId> =
                unset.into_iter().filter(|slot| !declinable(slot)).map(|slot| (slot, route_id)).collect();
            apply(&route.block, route_id, &mut missing);
            apply(&next.steps, route_id, &mut missing);
            let asks = next.collect.iter().flat_map(|c| &c.slots).any(|slot| missing.contains_key(slot));
            if Row::of(&route.decider) == Row::Done && !slow && !asks {
                found.push(Arrow { from, to, route: route_id });
            }
        }
    }
    found
}

/// The names that are surely unset when a condition holds, or when it does not.
fn unset_by(condition: &Expr, holds: bool) -> Vec<SlotId> {
    match &condition.kind {
        ExprKind::IsSet(x) if !holds => match x.kind {
            ExprKind::Slot(slot) => vec![slot],
            _ => Vec::new(),
        },
        ExprKind::Not(x) => unset_by(x, !holds),
        ExprKind::And(a, b) if holds => [unset_by(a, holds), unset_by(b, holds)].concat(),
        ExprKind::Or(a, b) if !holds => [unset_by(a, holds), unset_by(b, holds)].concat(),
        _ => Vec::new(),
    }
}

/// A step of a node. An `ask` beside a `collect` belongs to it: it is left out once all is filled.
fn takes_turn_or_time(node: &Node, step: &Step, silent: &BTreeSet<FlowId>) -> bool {
    let left_out = node.collect.is_some() && matches!(step.kind, StepKind::Ask { .. });
    !left_out && takes_time(step, silent)
}

fn takes_time(step: &Step, silent: &BTreeSet<FlowId>) -> bool {
    match &step.kind {
        StepKind::Wait(ms) => *ms > 0,
        StepKind::Run { flow, .. } => !silent.contains(flow),
        StepKind::Ask { .. } | StepKind::Transfer { .. } | StepKind::Hole => true,
        _ => false,
    }
}

/// Flows that may return before the caller has said anything: their variables are fresh at each
/// run, so a `collect` in them takes a turn unless all of it has a value already.
fn flows_without_turn(world: &World<'_>) -> BTreeSet<FlowId> {
    let mut silent = BTreeSet::new();
    // A flow may run flows; the call graph has no cycles, so this settles.
    loop {
        let mut changed = false;
        for scene in &world.scenes {
            let dgh_ir::DialogueId::Flow(id) = scene.id else { continue };
            if !silent.contains(&id) && returns_silently(scene, &silent) {
                silent.insert(id);
                changed = true;
            }
        }
        if !changed {
            return silent;
        }
    }
}

fn returns_silently(scene: &Scene<'_>, silent: &BTreeSet<FlowId>) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack: Vec<NodeId> = scene.dialogue.start.into_iter().collect();
    while let Some(id) = stack.pop() {
        let Some(node) = scene.dialogue.nodes.get(id) else { continue };
        let asks = node
            .collect
            .as_ref()
            .is_some_and(|collect| collect.slots.iter().any(|slot| !may_start_filled(scene, *slot)));
        if !seen.insert(id)
            || asks
            || !scene.shapes[id].is_ever_done()
            || node.steps.iter().any(|s| takes_turn_or_time(node, s, silent))
        {
            continue;
        }
        for (_, route) in scene.own(id).filter(|(_, r)| Row::of(&r.decider) == Row::Done) {
            match route.target {
                Some(Target::Return(_) | Target::Hole) => return true,
                Some(Target::Node(to)) => stack.push(to),
                _ => {}
            }
        }
    }
    false
}

fn may_start_filled(scene: &Scene<'_>, slot: SlotId) -> bool {
    let set = |step: &Step| step.writes() == Some(slot);
    scene.dialogue.slots.get(slot).is_some_and(|s| s.default.is_some())
        || scene.dialogue.nodes.iter().any(|(_, n)| n.steps.iter().any(set))
        || scene.dialogue.routes.iter().any(|(_, r)| r.block.iter().any(set))
}

/// The arrows inside each strongly connected part that has a cycle.
fn cyclic_parts(arrows: &[Arrow]) -> Vec<Vec<Arrow>> {
    let mut graph: DiGraph<NodeId, ()> = DiGraph::new();
    let mut index: BTreeMap<NodeId, NodeIndex> = BTreeMap::new();
    for arrow in arrows {
        let mut at = |id| *index.entry(id).or_insert_with(|| graph.add_node(id));
        let (from, to) = (at(arrow.from), at(arrow.to));
        graph.add_edge(from, to, ());
    }
    let mut part_of: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (number, part) in kosaraju_scc(&graph).into_iter().enumerate() {
        for node in part {
            if let Some(id) = graph.node_weight(node) {
                part_of.insert(*id, number);
            }
        }
    }
    let mut parts: BTreeMap<usize, Vec<Arrow>> = BTreeMap::new();
    for arrow in arrows {
        let number = part_of.get(&arrow.from);
        if let Some(number) = number.filter(|n| Some(*n) == part_of.get(&arrow.to)) {
            parts.entry(*number).or_default().push(*arrow);
        }
    }
    let mut parts: Vec<_> = parts.into_values().collect();
    parts.sort_by_key(|part| part.iter().map(|a| a.from).min());
    parts
}

/// The shortest cycle through the first node of a part that is on one.
fn shortest_cycle(part: &[Arrow]) -> Option<Vec<Arrow>> {
    if let Some(own) = part.iter().find(|a| a.from == a.to) {
        return Some(vec![*own]);
    }
    let first = part.iter().map(|a| a.from).min()?;
    let mut from: BTreeMap<NodeId, Vec<Arrow>> = BTreeMap::new();
    for arrow in part {
        from.entry(arrow.from).or_default().push(*arrow);
    }
    let mut came: BTreeMap<NodeId, Arrow> = BTreeMap::new();
    let mut open = VecDeque::from([first]);
    while let Some(at) = open.pop_front() {
        for arrow in from.get(&at).into_iter().flatten() {
            if came.contains_key(&arrow.to) {
                continue;
            }
            came.insert(arrow.to, *arrow);
            if arrow.to == first {
                return Some(unwind(&came, first));
            }
            open.push_back(arrow.to);
        }
    }
    None
}

fn unwind(came: &BTreeMap<NodeId, Arrow>, first: NodeId) -> Vec<Arrow> {
    let mut cycle = Vec::new();
    let mut at = first;
    while let Some(arrow) = came.get(&at) {
        cycle.push(*arrow);
        at = arrow.from;
        if at == first {
            break;
        }
    }
    cycle.reverse();
    cycle
}

/// The arrow that clears a name, and the node that then must ask for it, if the cycle has such.
fn refreshed(scene: &Scene<'_>, cycle: &[Arrow]) -> Option<(RouteId, NodeId)> {
    // What is missing, and which arrow made it so; twice round, for what is cleared behind it.
    let mut missing: BTreeMap<SlotId, RouteId> = BTreeMap::new();
    for arrow in cycle.iter().chain(cycle) {
        let node = scene.dialogue.nodes.get(arrow.from)?;
        let mut collect = node.collect.iter().flat_map(|c| &c.slots);
        apply(&node.steps, arrow.route, &mut missing);
        if let Some(by) = collect.find_map(|slot| missing.get(slot)) {
            return Some((*by, arrow.from));
        }
        let route = scene.dialogue.routes.get(arrow.route)?;
        apply(&route.block, arrow.route, &mut missing);
    }
    None
}

fn apply(steps: &[Step], route: RouteId, missing: &mut BTreeMap<SlotId, RouteId>) {
    for step in steps {
        if let Some(slot) = step.writes() {
            missing.remove(&slot);
        }
        for slot in step.clears() {
            missing.insert(*slot, route);
        }
    }
}

fn tell(scene: &Scene<'_>, context: &Context, cycle: &[Arrow], report: &mut Report) {
    let names: Vec<&str> = cycle.iter().map(|a| scene.name(a.from)).collect();
    let Some((last, route)) =
        closing(scene, cycle).and_then(|a| Some((a, scene.dialogue.routes.get(a.route)?)))
    else {
        return;
    };
    let message = match names.as_slice() {
        [one] => format!("`{one}` leads to itself, over and over, before the caller can say a word"),
        _ => format!(
            "{} go round and round before the caller can say a word",
            suggest::all_of(&suggest::quoted(&names))
        ),
    };
    let mut finding = Diagnostic::new(Code::NoProgress, report.place(route.origin), message)
        .with_label("closes the circle");
    let begin = cycle.iter().position(|a| a.from == last.to).unwrap_or(0);
    for arrow in cycle.iter().cycle().skip(begin).take(cycle.len()) {
        if let Some(route) = scene.dialogue.routes.get(arrow.route) {
            finding = finding.with_step(report.place(route.origin), taken(scene, arrow.from, route));
        }
    }
    finding = match missing_clear(scene, cycle, last) {
        Some(slot) => {
            let to = scene.name(last.to);
            let name = scene.dialogue.slots.get(slot).map_or("?", |s| s.name.as_str());
            finding = finding.with_hint(format!(
                "When `{to}` is entered again, all that it collects is known already, so it asks \
                 nothing. Add `clear {name}` to this arrow, so that `{to}` asks again.",
            ));
            match clear_fix(context, report, route, name) {
                Some(fix) => finding.with_fix(fix),
                None => finding,
            }
        }
        None => finding.with_hint(
            "Let one of these nodes wait for the caller with `ask`, `collect` or a `prompt`, or \
             take time with `wait`.",
        ),
    };
    report.push(finding);
}

/// The arrow of a cycle to point at: the one into the node that collects, else the one that leads
/// back to the node that stands first.
fn closing(scene: &Scene<'_>, cycle: &[Arrow]) -> Option<Arrow> {
    let collects = cycle.iter().find(|a| scene.shapes.get(a.to).is_some_and(|s| s.collects));
    collects.or_else(|| cycle.iter().min_by_key(|a| a.to)).copied()
}

/// The name that should be cleared: one that the arrow speaks of, else one that the nodes on the
/// way read, else the first.
fn missing_clear(scene: &Scene<'_>, cycle: &[Arrow], last: Arrow) -> Option<SlotId> {
    let collect = scene.dialogue.nodes.get(last.to)?.collect.as_ref()?;
    let spoken = scene.dialogue.routes.get(last.route).map(reads_of).unwrap_or_default();
    let mut read = spoken;
    for arrow in cycle.iter().filter(|a| a.from != last.to) {
        if let Some(node) = scene.dialogue.nodes.get(arrow.from) {
            node.each_expr(&mut |e| read.extend(e.reads()));
        }
        if let Some(route) = scene.dialogue.routes.get(arrow.route) {
            read.extend(reads_of(route));
        }
    }
    read.into_iter().find(|slot| collect.slots.contains(slot)).or(collect.slots.first().copied())
}

fn reads_of(route: &Route) -> Vec<SlotId> {
    let mut reads = Vec::new();
    route.each_expr(&mut |e| reads.extend(e.reads()));
    reads
}

fn clear_fix(context: &Context, report: &Report, route: &Route, name: &str) -> Option<Fix> {
    let whole = report.whole(route.origin)?;
    let text = context.text(whole);
    let edit = |at: u32, text: String| Edit { place: Place { file: whole.file, span: Span::at(at) }, text };
    let edit = if text.trim_end().ends_with('}') && !route.block.is_empty() {
        let brace = whole.span.start + text.trim_end().len() as u32 - 1;
        edit(brace, format!("clear {name} "))
    } else {
        edit(whole.span.start + text.trim_end().len() as u32, format!(" {{ clear {name} }}"))
    };
    Some(Fix { title: format!("Add `clear {name}`"), edits: vec![edit], safe: false })
}
