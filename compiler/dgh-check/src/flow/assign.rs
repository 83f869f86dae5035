//! Definite assignment: what may be missing on entry to every node, the least fixed point of the
//! transfer functions over all paths, by a worklist.
//!
//! `anywhere` is one virtual join, not an arrow from each node to each target: a node hands its
//! state to the few groups of routes that are taken in the same nodes, and a group hands the join
//! on to its targets. A route to a node is not visible in that node, so the states of targets are
//! kept apart in their groups.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dgh_ir::{Arena, Decider, DialogueId, Event, NodeId, Route, RouteId, StepKind, Target};
use fixedbitset::FixedBitSet;

use super::narrow::there;
use super::rows::{Row, overrides};
use super::scene::{Scene, target_node};
use super::state::State;
use super::transfer::{Leaving, Transfer};

/// What the proof found.
pub(crate) struct Assigned<'s, 'a> {
    /// The transfer functions.
    pub(crate) transfer: Transfer<'s, 'a>,
    /// What may be missing when the first node is entered.
    pub(crate) start: FixedBitSet,
    /// What may be missing when a caller is gone.
    pub(crate) gone: FixedBitSet,
    /// What may be missing on entry to each reached node.
    pub(crate) entry: Arena<NodeId, Option<FixedBitSet>>,
    /// Routes of `anywhere` by group.
    pub(crate) groups: Vec<Group<'a>>,
}

/// Routes of `anywhere` that are taken in the same nodes with the same state.
pub(crate) struct Group<'a> {
    /// Their row.
    pub(crate) row: Row,
    /// Its routes.
    pub(crate) routes: Vec<(RouteId, &'a Route)>,
    targets: BTreeMap<NodeId, FixedBitSet>,
    others: Option<FixedBitSet>,
}

/// Solves a dialogue.
pub(crate) fn solve<'s, 'a>(scene: &'s Scene<'a>) -> Assigned<'s, 'a> {
    let transfer = Transfer::new(scene);
    let mut solved = Assigned {
        start: start(&transfer),
        gone: transfer.gone(),
        entry: scene.dialogue.nodes.iter().map(|_| None).collect(),
        groups: groups(scene),
        transfer,
    };
    let mut work = Work::new(scene);
    if let Some(first) = scene.dialogue.start {
        let state = solved.start.clone();
        solved.enter(first, state, &mut work);
    }
    while let Some(node) = solved.next(&mut work) {
        solved.leave(node, &mut work);
    }
    solved
}

struct Work {
    queue: VecDeque<NodeId>,
    queued: Arena<NodeId, bool>,
    dirty: BTreeSet<usize>,
}

impl Work {
    fn new(scene: &Scene<'_>) -> Self {
        let queued = scene.dialogue.nodes.iter().map(|_| false).collect();
        Self { queue: VecDeque::new(), queued, dirty: BTreeSet::new() }
    }
}

impl<'a> Assigned<'_, 'a> {
    /// The scene that was solved.
    pub(crate) fn scene(&self) -> &Scene<'a> {
        self.transfer.scene
    }

    /// The state in which a route of a group leaves any of the nodes, but for its own target.
    pub(crate) fn group_state(group: &Group<'_>, target: Option<NodeId>) -> Option<FixedBitSet> {
        let mut joined = group.others.clone();
        for (node, state) in &group.targets {
            if Some(*node) != target {
                match &mut joined {
                    Some(joined) => joined.union_with(state),
                    none => *none = Some(state.clone()),
                }
            }
        }
        joined
    }

    /// The states in which arrows leave a node.
    pub(crate) fn leaving(&self, id: NodeId) -> Option<Leaving<FixedBitSet>> {
        let entry = self.entry.get(id)?.as_ref()?;
        let node = self.scene().dialogue.nodes.get(id)?;
        Some(self.transfer.node(id, node, entry, &mut |_, _| {}))
    }

    fn next(&mut self, work: &mut Work) -> Option<NodeId> {
        loop {
            if let Some(node) = work.queue.pop_front() {
                work.queued[node] = false;
                return Some(node);
            }
            let group = work.dirty.pop_first()?;
            self.hand_on(group, work);
        }
    }

    fn leave(&mut self, id: NodeId, work: &mut Work) {
        let Some(leaving) = self.leaving(id) else { return };
        let mut arrows = Vec::new();
        let gone = self.gone.clone();
        self.transfer.routes(id, &leaving, &gone, &mut |_, _| {}, &mut |_, to, state| {
            arrows.push((to, state));
        });
        for (to, state) in arrows {
            self.enter(to, state, work);
        }
        for index in 0..self.groups.len() {
            self.join(index, id, &leaving, work);
        }
        self.used(id, &leaving, work);
    }

    /// What is missing where a name is used may be missing when the caller corrects it later.
    fn used(&mut self, id: NodeId, leaving: &Leaving<FixedBitSet>, work: &mut Work) {
        let scene = self.transfer.scene;
        for (slot, used) in &scene.used {
            let (by, asked) = (used.by.contains(&id), used.asked_by.contains(&id));
            let Some(known) = self.transfer.after_use.get_mut(slot).filter(|_| by || asked) else { continue };
            let mut changed = grow(known, &leaving.done);
            if by {
                changed |= grow(known, &leaving.floor) | grow(known, &leaving.moment);
            }
            if !changed {
                continue;
            }
            let corrects = |route: &Route| route.decider == Decider::On(Event::Corrected(*slot));
            for (index, group) in self.groups.iter().enumerate() {
                if group.routes.iter().any(|(_, route)| corrects(route)) {
                    work.dirty.insert(index);
                }
            }
            for (_, route) in scene.dialogue.routes.iter().filter(|(_, route)| corrects(route)) {
                if let Some(node) = route.from.filter(|node| matches!(self.entry.get(*node), Some(Some(_))))
                    && !work.queued[node]
                {
                    work.queued[node] = true;
                    work.queue.push_back(node);
                }
            }
        }
    }

    fn join(&mut self, index: usize, id: NodeId, leaving: &Leaving<FixedBitSet>, work: &mut Work) {
        let Some(group) = self.groups.get_mut(index) else { return };
        // All routes of a group are seen in the same nodes, but for their targets.
        let scene = self.transfer.scene;
        if !group.routes.first().is_some_and(|(_, route)| scene.sees_like(id, route)) {
            return;
        }
        let state = leaving.of(group.row, &self.gone);
        let is_target = group.is_target(id);
        let changed = match group.targets.get_mut(&id) {
            Some(known) => grow(known, state),
            None if is_target => {
                group.targets.insert(id, state.clone());
                true
            }
            None => match &mut group.others {
                Some(known) => grow(known, state),
                none => {
                    *none = Some(state.clone());
                    true
                }
            },
        };
        if changed {
            work.dirty.insert(index);
        }
    }

    fn hand_on(&mut self, index: usize, work: &mut Work) {
        let Some(group) = self.groups.get(index) else { return };
        let mut arrows = Vec::new();
        let (once, twice) = group.joins();
        for (_, route) in &group.routes {
            let Some(to) = target_node(route) else { continue };
            let state = match (group.targets.get(&to), &once) {
                (_, None) => continue,
                // Without what this target alone hands in.
                (Some(own), Some(once)) => {
                    if group.others.is_none() && group.targets.len() == 1 {
                        continue;
                    }
                    let mut state = once.clone();
                    state.difference_with(own);
                    state.union_with(&twice);
                    state
                }
                (None, Some(once)) => once.clone(),
            };
            arrows.push((to, self.transfer.route(route, state, &mut |_, _| {})));
        }
        for (to, state) in arrows {
            self.enter(to, state, work);
        }
    }

    fn enter(&mut self, to: NodeId, state: FixedBitSet, work: &mut Work) {
        if self.entry.get(to).is_none() {
            return;
        }
        let changed = match &mut self.entry[to] {
            Some(known) => grow(known, &state),
            none => {
                *none = Some(state);
                true
            }
        };
        if changed && !work.queued[to] {
            work.queued[to] = true;
            work.queue.push_back(to);
        }
    }
}

impl<S: State> Leaving<S> {
    /// The state of a row.
    pub(crate) fn of<'l>(&'l self, row: Row, gone: &'l S) -> &'l S {
        match row {
            Row::Done => &self.done,
            Row::Floor | Row::FailedCollect => &self.floor,
            Row::Moment | Row::Unknown => &self.moment,
            Row::Transfer => &self.transfer,
            Row::Gone => gone,
        }
    }
}

impl Group<'_> {
    fn is_target(&self, node: NodeId) -> bool {
        self.routes.iter().any(|(_, route)| target_node(route) == Some(node))
    }

    /// What at least one hands in, and what is still handed in without any one of the targets.
    fn joins(&self) -> (Option<FixedBitSet>, FixedBitSet) {
        let mut once = self.others.clone();
        let mut twice = self.others.clone().unwrap_or_default();
        for state in self.targets.values() {
            match &mut once {
                Some(once) => {
                    let mut again = once.clone();
                    again.intersect_with(state);
                    twice.union_with(&again);
                    once.union_with(state);
                }
                none => *none = Some(state.clone()),
            }
        }
        (once, twice)
    }
}

/// Joins; whether that changed anything.
fn grow(known: &mut FixedBitSet, more: &FixedBitSet) -> bool {
    if more.is_subset(known) {
        return false;
    }
    known.union_with(more);
    true
}

/// The routes of `anywhere` by where they are seen: by row, apart when they are detours, and each
/// alone when some node overrides it, or when it is `on corrected`, which comes in few nodes.
fn groups<'a>(scene: &Scene<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut shared: BTreeMap<(Row, bool), usize> = BTreeMap::new();
    let overridden = overridden(scene);
    for (id, route) in scene.anywhere() {
        let row = Row::of(&route.decider);
        if matches!(row, Row::Done | Row::Unknown) {
            continue;
        }
        let new = groups.len();
        let detour = matches!(route.target, Some(Target::Detour(_)));
        let corrects = matches!(route.decider, Decider::On(Event::Corrected(_)));
        let index = if corrects || overridden.contains(&id) {
            new
        } else {
            *shared.entry((row, detour)).or_insert(new)
        };
        match groups.get_mut(index) {
            Some(group) => group.routes.push((id, route)),
            None => {
                groups.push(Group { row, routes: vec![(id, route)], targets: BTreeMap::new(), others: None });
            }
        }
    }
    groups
}

fn overridden(scene: &Scene<'_>) -> BTreeSet<RouteId> {
    let mut found = BTreeSet::new();
    for (node, _) in scene.nodes() {
        for (_, own) in scene.own(node) {
            let outer = scene.anywhere().filter(|(_, o)| overrides(&own.decider, &o.decider));
            found.extend(outer.map(|(id, _)| id));
        }
    }
    found
}

/// What may be missing after `before call`. A failure leaves what a call should bring missing.
fn start(transfer: &Transfer<'_, '_>) -> FixedBitSet {
    let mut state = transfer.given();
    let DialogueId::Agent(id) = transfer.scene.id else { return state };
    for block in &transfer.scene.program.agents[id].before_call {
        let mut inside = state.clone();
        if let Some(guard) = &block.guard {
            for bit in there(&transfer.bits, guard, true) {
                inside.gain(bit);
            }
        }
        for step in &block.steps {
            if matches!(step.kind, StepKind::Call { .. } | StepKind::Run { .. }) {
                continue;
            }
            transfer.step(step, &mut inside, None, &mut |_, _| {});
        }
        if block.guard.is_some() {
            state.join(&inside);
        } else {
            state = inside;
        }
    }
    state
}
