//! E0501 and E0502: `ensure A before B` is one fact that must hold on every arrow into B. Searched
//! breadth first over pairs of a node and the fact, so the first arrow that breaks it ends the
//! shortest counter-example.

use std::collections::{BTreeSet, VecDeque};

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{
    Arena, Decider, DialogueId, Event, Fact, Node, NodeId, Policy, PolicyKind, Route, RouteId, SlotId, Step,
    StepKind, Target,
};

use crate::flow::implies::implies;
use crate::flow::path::{begin, taken};
use crate::flow::rows::Row;
use crate::flow::scene::{Scene, World, target_node};
use crate::report::{Context, Report};

/// Checks every `ensure` of an agent.
pub(crate) fn check(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let DialogueId::Agent(id) = scene.id else { return };
    for policy in &world.program.agents[id].policies {
        let PolicyKind::Ensure { fact, before } = &policy.kind else { continue };
        let promise = Promise::new(scene, world.context, fact, report);
        match before {
            None => starts_with(scene, policy, &promise, report),
            Some(before) => always_before(scene, policy, &promise, *before, report),
        }
    }
}

/// A fact, what can undo it, and how it reads.
struct Promise<'p> {
    fact: &'p Fact,
    slots: Vec<SlotId>,
    words: String,
    broken: bool,
}

impl<'p> Promise<'p> {
    fn new(scene: &Scene<'_>, context: &Context, fact: &'p Fact, report: &Report) -> Self {
        let (slots, words, broken) = match fact {
            Fact::Completed(node) => (Vec::new(), format!("`{}` is completed", scene.name(*node)), false),
            Fact::Holds(condition) => {
                let text = context.text(report.place(condition.origin)).trim();
                let words =
                    if text.is_empty() { "the condition holds".into() } else { format!("`{text}` holds") };
                let hole = condition.any(|e| matches!(e.kind, dgh_ir::ExprKind::Hole));
                (condition.reads(), words, hole)
            }
        };
        Self { fact, slots, words, broken }
    }

    /// Whether steps change what the fact speaks of.
    fn is_undone_by(&self, steps: &[Step]) -> bool {
        steps.iter().any(|step| {
            step.writes().is_some_and(|slot| self.slots.contains(&slot))
                || step.clears().iter().any(|slot| self.slots.contains(slot))
        })
    }

    fn is_undone_in(&self, node: &Node) -> bool {
        self.is_undone_by(&node.steps)
            || node.collect.iter().flat_map(|c| &c.slots).any(|slot| self.slots.contains(slot))
    }

    /// Whether an `if` that came out this way proves it.
    fn is_proven_by(&self, scene: &Scene<'_>, condition: &dgh_ir::Expr, holds: bool) -> bool {
        match self.fact {
            Fact::Holds(fact) => implies(scene.program, (condition, holds), (fact, true)),
            Fact::Completed(_) => false,
        }
    }
}

fn starts_with(scene: &Scene<'_>, policy: &Policy, promise: &Promise<'_>, report: &mut Report) {
    let Some(start) = scene.dialogue.start else { return };
    let place = report.place(policy.origin);
    match promise.fact {
        Fact::Completed(node) if *node == start => {}
        Fact::Completed(node) => {
            let (wanted, is) = (scene.name(*node), scene.name(start));
            let mut finding = Diagnostic::new(
                Code::StartNotEnsured,
                place,
                format!("`{wanted}` should come before everything, but the call starts in `{is}`"),
            )
            .with_hint(format!("Write `start {wanted}`."));
            if let Some(node) = scene.dialogue.nodes.get(start) {
                finding = finding.with_related(report.place(node.origin), "the call starts here");
            }
            report.push(finding);
        }
        Fact::Holds(_) if promise.broken => {}
        Fact::Holds(_) => report.push(
            Diagnostic::new(
                Code::StartNotEnsured,
                place,
                "a condition cannot come before everything: nothing is checked before the first node",
            )
            .with_hint("Name the node that must come first, or the nodes before which it must hold."),
        ),
    }
}

#[derive(Clone, Copy)]
struct Hop {
    before: Option<(NodeId, bool)>,
    via: Option<RouteId>,
}

fn always_before(
    scene: &Scene<'_>,
    policy: &Policy,
    promise: &Promise<'_>,
    before: NodeId,
    report: &mut Report,
) {
    let Some(start) = scene.dialogue.start.filter(|_| !promise.broken) else { return };
    if start == before {
        let finding = broken(scene, policy, promise, before, report, None);
        report.push(begin(scene, report, start, finding));
        return;
    }
    let undone = Undone::new(scene, promise);
    let mut found: Arena<NodeId, [Option<Hop>; 2]> =
        scene.dialogue.nodes.iter().map(|_| [None, None]).collect();
    let mut open = VecDeque::from([((start, false), Hop { before: None, via: None })]);
    let mut outer: Vec<(RouteId, &Route, [bool; 2])> =
        scene.anywhere().map(|(id, route)| (id, route, [false; 2])).collect();
    while let Some(((id, holds), hop)) = open.pop_front() {
        let Some(known) = found.get(id).and_then(|f| f.get(usize::from(holds)).copied()) else {
            continue;
        };
        if known.is_some() {
            continue;
        }
        if let Some(slot) = found[id].get_mut(usize::from(holds)) {
            *slot = Some(hop);
        }
        for (via, route, fact) in leaving(scene, promise, &undone, id, holds, &mut outer) {
            let Some(to) = target_node(route) else { continue };
            if to == before && !fact {
                let finding = broken(scene, policy, promise, before, report, Some(route));
                report.push(tell(scene, report, &found, (id, holds), (via, route), finding));
                return;
            }
            open.push_back(((to, fact), Hop { before: Some((id, holds)), via: Some(via) }));
        }
    }
}

/// Nodes in which a block without an arrow, or a detour, may undo the fact.
struct Undone {
    everywhere: bool,
    nodes: BTreeSet<NodeId>,
}

impl Undone {
    fn new(scene: &Scene<'_>, promise: &Promise<'_>) -> Self {
        let undoes = |route: &Route| match route.target {
            None => promise.is_undone_by(&route.block),
            Some(Target::Detour(to)) => {
                promise.is_undone_by(&route.block) || undone_on_detour(scene, promise, to)
            }
            _ => false,
        };
        if promise.slots.is_empty() {
            return Self { everywhere: false, nodes: BTreeSet::new() };
        }
        let everywhere = scene.anywhere().any(|(_, route)| undoes(route));
        let nodes = scene.nodes().map(|(id, _)| id);
        let nodes = nodes.filter(|id| scene.own(*id).any(|(_, route)| undoes(route))).collect();
        Self { everywhere, nodes }
    }

    fn at(&self, node: NodeId) -> bool {
        self.everywhere || self.nodes.contains(&node)
    }
}

fn undone_on_detour(scene: &Scene<'_>, promise: &Promise<'_>, to: NodeId) -> bool {
    let mut seen = BTreeSet::from([to]);
    let mut stack = vec![to];
    while let Some(id) = stack.pop() {
        let Some(node) = scene.dialogue.nodes.get(id).filter(|_| !scene.main[id]) else { continue };
        if promise.is_undone_in(node) {
            return true;
        }
        for (_, route) in scene.own(id) {
            if promise.is_undone_by(&route.block) {
                return true;
            }
            if let Some(Target::Node(next)) = route.target
                && seen.insert(next)
            {
                stack.push(next);
            }
        }
    }
    false
}

/// The routes that leave a node, with the fact on each.
fn leaving<'a>(
    scene: &Scene<'a>,
    promise: &Promise<'_>,
    undone: &Undone,
    id: NodeId,
    holds: bool,
    outer: &mut Vec<(RouteId, &'a Route, [bool; 2])>,
) -> Vec<(RouteId, &'a Route, bool)> {
    let Some(node) = scene.dialogue.nodes.get(id) else { return Vec::new() };
    let kept = holds && !promise.is_undone_in(node) && !undone.at(id);
    let runs = node.steps.iter().any(|s| matches!(s.kind, StepKind::Run { .. }));
    let is_fact = matches!(promise.fact, Fact::Completed(done) if *done == id);
    let on = |row: Row| {
        // While a flow runs, the node that runs it is not completed.
        let completed = match row {
            Row::Done => true,
            Row::Floor | Row::FailedCollect => !runs,
            _ => false,
        };
        kept || (is_fact && completed)
    };
    let mut arrows = Vec::new();
    let mut otherwise = on(Row::Done);
    for (via, route) in scene.own(id) {
        let row = Row::of(&route.decider);
        let mut fact = if row == Row::Done { otherwise } else { on(row) };
        if let Some(condition) = route.decider.condition() {
            fact |= promise.is_proven_by(scene, condition, true);
            if row == Row::Done {
                otherwise |= promise.is_proven_by(scene, condition, false);
            }
        }
        arrows.push((via, route, fact && !undone_on(promise, route)));
    }
    outer.retain_mut(|(via, route, done)| {
        if scene.sees(id, route) {
            let fact = on(Row::of(&route.decider))
                || route.decider.condition().is_some_and(|c| promise.is_proven_by(scene, c, true));
            let fact = fact && !undone_on(promise, route);
            if let Some(seen) = done.get_mut(usize::from(fact))
                && !*seen
            {
                *seen = true;
                arrows.push((*via, *route, fact));
            }
        }
        !done.iter().all(|seen| *seen)
    });
    arrows
}

fn undone_on(promise: &Promise<'_>, route: &Route) -> bool {
    let corrected =
        matches!(&route.decider, Decider::On(Event::Corrected(slot)) if promise.slots.contains(slot));
    corrected || promise.is_undone_by(&route.block)
}

fn broken(
    scene: &Scene<'_>,
    policy: &Policy,
    promise: &Promise<'_>,
    before: NodeId,
    report: &Report,
    route: Option<&Route>,
) -> Diagnostic {
    let node = scene.name(before);
    let hint = match promise.fact {
        Fact::Completed(first) => {
            format!("Lead through `{}` on every way to `{node}`.", scene.name(*first))
        }
        Fact::Holds(_) => format!(
            "Lead to `{node}` only on arrows that ask for it with `if`, and ask again after what \
             it speaks of has changed.",
        ),
    };
    let origin = route.map_or(policy.origin, |route| route.origin);
    Diagnostic::new(
        Code::EnsureBroken,
        report.place(origin),
        format!("`{node}` can be reached before {}", promise.words),
    )
    .with_label("too early")
    .with_related(report.place(policy.origin), "promised here")
    .with_hint(hint)
}

fn tell(
    scene: &Scene<'_>,
    report: &Report,
    found: &Arena<NodeId, [Option<Hop>; 2]>,
    last: (NodeId, bool),
    (_, route): (RouteId, &Route),
    mut finding: Diagnostic,
) -> Diagnostic {
    let mut hops = Vec::new();
    let mut at = Some(last);
    while let Some((node, holds)) = at {
        let hop = found.get(node).and_then(|f| f.get(usize::from(holds)).copied().flatten());
        let Some(hop) = hop else { break };
        hops.push((node, holds, hop));
        at = hop.before;
    }
    hops.reverse();
    for (node, holds, hop) in hops {
        finding = match (hop.before, hop.via.and_then(|id| scene.dialogue.routes.get(id))) {
            (Some((from, held)), Some(route)) => {
                let lost = if held && !holds { ", after which it may no longer hold" } else { "" };
                let what = format!("{}{lost}", taken(scene, from, route));
                finding.with_step(report.place(route.origin), what)
            }
            _ => begin(scene, report, node, finding),
        };
    }
    finding.with_step(report.place(route.origin), taken(scene, last.0, route))
}
