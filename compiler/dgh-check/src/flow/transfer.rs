//! How a node and an arrow change what may be missing (the transfer functions of the analysis).
//!
//! A read of something that may be missing is a finding, and from there on it counts as there:
//! everything behind it would only repeat the finding.

use std::collections::{BTreeMap, HashMap, HashSet};

use dgh_ir::arena::Id;
use dgh_ir::{
    Decider, DialogueId, Event, Expr, ExprKind, Node, NodeId, Route, RouteId, Slot, SlotId, SlotKind, Step,
    StepKind, Target, Template, ToolRef, Value,
};
use fixedbitset::FixedBitSet;

use super::access::{Bits, Names};
use super::narrow::there;
use super::needs::needs;
use super::rows::Row;
use super::scene::{Scene, Used, target_node};
use super::state::State;

/// Called with each bit that a read needs and that may be missing there.
pub(crate) type OnMissing<'f, 'e> = dyn FnMut(usize, &'e Expr) + 'f;

/// The transfer functions of one dialogue.
pub(crate) struct Transfer<'s, 'a> {
    /// The dialogue.
    pub(crate) scene: &'s Scene<'a>,
    /// Its bits.
    pub(crate) bits: Bits<'a>,
    /// For each `on corrected(x)`: what may be missing once x was used. What was there then, and is
    /// cleared nowhere behind it, is there. Starts as what is cleared; the solver adds the rest.
    pub(crate) after_use: BTreeMap<SlotId, FixedBitSet>,
    stays: Stays,
}

/// The states in which the arrows of a node leave it, by row.
pub(crate) struct Leaving<S> {
    /// Done: all steps finished, all collected.
    pub(crate) done: S,
    /// The caller has the floor.
    pub(crate) floor: S,
    /// At any moment.
    pub(crate) moment: S,
    /// Before the transfer.
    pub(crate) transfer: S,
}

/// What the ways that come back to a node may take from it: blocks without an arrow, and detours.
struct Stays {
    everywhere: Lost,
    everywhere_main: FixedBitSet,
    nodes: HashMap<NodeId, Lost>,
}

#[derive(Default, Clone)]
struct Lost {
    floor: FixedBitSet,
    moment: FixedBitSet,
    failing: FixedBitSet,
}

impl<'s, 'a> Transfer<'s, 'a> {
    /// Prepares those of a dialogue.
    pub(crate) fn new(scene: &'s Scene<'a>) -> Self {
        let dialogue = scene.dialogue;
        let mut bits = Bits::new(scene.program, Names::Slots(&dialogue.slots));
        dialogue.nodes.iter().for_each(|(_, node)| node.each_expr(&mut |e| bits.add(e)));
        dialogue.routes.iter().for_each(|(_, route)| route.each_expr(&mut |e| bits.add(e)));
        if let DialogueId::Agent(id) = scene.id {
            let agent = &scene.program.agents[id];
            for block in &agent.before_call {
                block.guard.iter().for_each(|e| bits.add(e));
                block.steps.iter().for_each(|step| step.each_expr(&mut |e| bits.add(e)));
            }
            agent.prompt.iter().flat_map(Template::exprs).for_each(|e| bits.add(e));
        }
        let stays = Stays::new(scene, &bits);
        let lost = |used: &Used| lost_after(scene, &bits, used);
        let after_use = scene.used.iter().map(|(slot, used)| (*slot, lost(used))).collect();
        Self { scene, bits, after_use, stays }
    }

    /// What may be missing when the dialogue starts, before `before call`.
    pub(crate) fn given(&self) -> FixedBitSet {
        let mut state = self.nothing();
        for (id, slot) in self.scene.dialogue.slots.iter() {
            if starts_set(slot) {
                state.gain(id.index());
            }
        }
        state
    }

    /// What may be missing when the call may have ended at any time: all but the inputs.
    pub(crate) fn gone(&self) -> FixedBitSet {
        let mut state = self.nothing();
        for (id, slot) in self.scene.dialogue.slots.iter() {
            if slot.kind == SlotKind::Input && !slot.ty.optional {
                state.gain(id.index());
            }
        }
        state
    }

    fn nothing(&self) -> FixedBitSet {
        let mut state = FixedBitSet::with_capacity(self.bits.len());
        state.insert_range(..);
        state
    }

    /// The states in which arrows leave a node that is entered in this state.
    pub(crate) fn node<'e, S: State>(
        &self,
        id: NodeId,
        node: &'e Node,
        entry: &S,
        missing: &mut OnMissing<'_, 'e>,
    ) -> Leaving<S> {
        if self.scene.shapes[id].damaged {
            let mut state = entry.clone();
            state.give_up();
            return Leaving {
                done: state.clone(),
                floor: state.clone(),
                moment: state.clone(),
                transfer: state,
            };
        }
        let lost = self.stays.nodes.get(&id);
        let mut moment = entry.clone();
        moment.lose_all(&self.stays.everywhere.moment);
        if let Some(lost) = lost {
            moment.lose_all(&lost.moment);
            moment.lose_all(&lost.failing);
        }
        let mut now = entry.clone();
        now.lose_all(&self.stays.everywhere.moment);
        if let Some(lost) = lost {
            now.lose_all(&lost.moment);
        }

        let mut transfer: Option<S> = None;
        let mut running: Option<S> = None;
        for step in &node.steps {
            if matches!(step.kind, StepKind::Transfer { .. } | StepKind::Run { .. }) {
                // What the step itself reads is complained about here, once.
                let mut before = now.clone();
                step.each_expr(&mut |e| self.read(e, &mut before, Some(&mut moment), missing));
                now = before.clone();
                match (&step.kind, &mut transfer) {
                    (_, Some(transfer)) => transfer.join(&before),
                    (_, none) => *none = Some(before.clone()),
                }
                if matches!(step.kind, StepKind::Run { .. }) {
                    running = Some(before);
                }
            }
            self.step(step, &mut now, Some(&mut moment), missing);
        }
        self.prompt_and_collect(node, &mut now, &mut moment, missing);

        let mut floor = match running {
            // While the flow runs its result is not there.
            Some(running) if !self.scene.shapes[id].talks => running,
            Some(mut running) => {
                running.join(&now);
                running
            }
            None => now.clone(),
        };
        let mut done = now;
        for state in [&mut floor, &mut done] {
            if self.scene.shapes[id].floor {
                state.lose_all(&self.stays.everywhere.floor);
                if let Some(lost) = lost {
                    state.lose_all(&lost.floor);
                }
                if self.scene.main[id] {
                    state.lose_all(&self.stays.everywhere_main);
                }
            }
        }
        if let Some(collect) = &node.collect {
            for slot in &collect.slots {
                // A `T?` may have been declined.
                if self.scene.dialogue.slots.get(*slot).is_some_and(|s| !s.ty.optional) {
                    self.gain(*slot, &mut done);
                } else {
                    self.bits.inside(*slot).iter().for_each(|bit| done.lose(*bit));
                }
            }
        }
        // A typed route in a node that is never done is told as that.
        if self.scene.shapes[id].lost_names || !self.scene.shapes[id].is_ever_done() {
            done.give_up();
        }
        // A transfer on an arrow: of what was set before it nothing is sure.
        let transfer = match transfer {
            Some(mut transfer) if self.scene.shapes[id].transfers_on_arrow => {
                transfer.join(&moment);
                transfer
            }
            Some(transfer) => transfer,
            None => moment.clone(),
        };
        Leaving { done, floor, moment, transfer }
    }

    /// Follows all routes that stand in a node and calls `arrow` with each that leads to a node
    /// and its state.
    pub(crate) fn routes<'e, S: State>(
        &self,
        id: NodeId,
        leaving: &Leaving<S>,
        gone: &S,
        missing: &mut OnMissing<'_, 'e>,
        arrow: &mut dyn FnMut(RouteId, NodeId, S),
    ) where
        'a: 'e,
    {
        let mut done = leaving.done.clone();
        for (route_id, route) in self.scene.own(id) {
            let row = Row::of(&route.decider);
            let state = match row {
                Row::Unknown => continue,
                Row::Done => {
                    let mut taken = done.clone();
                    if let Decider::If(condition) = &route.decider {
                        self.read(condition, &mut taken, None, missing);
                        done = taken.clone();
                        for bit in there(&self.bits, condition, false) {
                            done.gain(bit);
                        }
                    }
                    taken
                }
                Row::Floor | Row::FailedCollect => leaving.floor.clone(),
                Row::Moment => leaving.moment.clone(),
                Row::Transfer => leaving.transfer.clone(),
                Row::Gone => gone.clone(),
            };
            let state = self.route(route, state, missing);
            if let Some(to) = target_node(route).filter(|_| self.scene.can_come(id, &route.decider)) {
                let shut = matches!(route.target, Some(Target::Detour(_))) && !self.scene.main[id];
                if !shut {
                    arrow(route_id, to, state);
                }
            }
        }
    }

    /// Follows one route from the state of its row to its target.
    pub(crate) fn route<'e, S: State>(
        &self,
        route: &'e Route,
        mut state: S,
        missing: &mut OnMissing<'_, 'e>,
    ) -> S {
        match &route.decider {
            Decider::When(when) => {
                when.sentence.exprs().for_each(|e| self.read(e, &mut state, None, missing));
                if let Some(guard) = &when.guard {
                    self.read(guard, &mut state, None, missing);
                }
            }
            Decider::On(Event::Silence { after, .. }) => self.read(after, &mut state, None, missing),
            Decider::On(Event::Corrected(slot)) => {
                if let Some(missing) = self.after_use.get(slot) {
                    state.keep(missing);
                }
                self.gain(*slot, &mut state);
            }
            _ => {}
        }
        if let Some(condition) = route.decider.condition() {
            for bit in there(&self.bits, condition, true) {
                state.gain(bit);
            }
        }
        for step in &route.block {
            self.step(step, &mut state, None, missing);
        }
        if let Some(target) = &route.target {
            target.each_expr(&mut |e| self.read(e, &mut state, None, missing));
        }
        state
    }

    /// One step. `moment` is the state on arrows that may leave before the step is finished.
    pub(crate) fn step<'e, S: State>(
        &self,
        step: &'e Step,
        now: &mut S,
        mut moment: Option<&mut S>,
        missing: &mut OnMissing<'_, 'e>,
    ) {
        step.each_expr(&mut |e| self.read(e, now, moment.as_deref_mut(), missing));
        let lose = |slot: SlotId, state: &mut S| {
            state.lose(slot.index());
            self.bits.inside(slot).iter().for_each(|bit| state.lose(*bit));
        };
        match &step.kind {
            StepKind::Set(slot, value) => {
                if self.may_be_missing(*slot, value, now) {
                    if let Some(state) = moment {
                        lose(*slot, state);
                    }
                    lose(*slot, now);
                } else {
                    self.gain(*slot, now);
                }
            }
            StepKind::Clear(slots) => {
                for slot in slots {
                    if let Some(state) = &mut moment {
                        lose(*slot, state);
                    }
                    lose(*slot, now);
                }
            }
            StepKind::Call { tool: _, bind: Some(slot), .. } | StepKind::Run { bind: Some(slot), .. } => {
                if self.answer_may_be_missing(step) {
                    if let Some(state) = moment {
                        lose(*slot, state);
                    }
                    lose(*slot, now);
                } else {
                    self.gain(*slot, now);
                }
            }
            StepKind::Hole => {
                moment.into_iter().for_each(State::give_up);
                now.give_up();
            }
            _ => {}
        }
    }

    /// Reads an expression: complains about what may be missing, and from there on lets it be.
    pub(crate) fn read<'e, S: State>(
        &self,
        expr: &'e Expr,
        now: &mut S,
        mut moment: Option<&mut S>,
        missing: &mut OnMissing<'_, 'e>,
    ) {
        needs(&self.bits, expr, &mut |bit, read| {
            if now.lacks(bit) {
                missing(bit, read);
                now.gain(bit);
                if let Some(state) = &mut moment {
                    state.gain(bit);
                }
            }
        });
    }

    fn prompt_and_collect<'e, S: State>(
        &self,
        node: &'e Node,
        now: &mut S,
        moment: &mut S,
        missing: &mut OnMissing<'_, 'e>,
    ) {
        for expr in node.prompt.iter().flat_map(Template::exprs) {
            self.read(expr, now, Some(&mut *moment), missing);
        }
        if let Some(collect) = &node.collect {
            for expr in collect.from.iter().chain(&collect.tries).chain(&collect.ask) {
                self.read(expr, now, Some(&mut *moment), missing);
            }
        }
    }

    /// The slot is there; what is inside a new value is not known.
    fn gain<S: State>(&self, slot: SlotId, state: &mut S) {
        state.gain(slot.index());
        self.bits.inside(slot).iter().for_each(|bit| state.lose(*bit));
    }

    fn may_be_missing<S: State>(&self, slot: SlotId, value: &Expr, now: &S) -> bool {
        let optional = self.scene.dialogue.slots.get(slot).is_some_and(|s| s.ty.optional);
        optional && value_may_be_missing(&self.bits, value, now)
    }

    fn answer_may_be_missing(&self, step: &Step) -> bool {
        let program = self.scene.program;
        match &step.kind {
            StepKind::Call { tool: ToolRef::Tool(tool), .. } => {
                program.tools.get(*tool).and_then(|t| t.result.as_ref()).is_some_and(|ty| ty.optional)
            }
            StepKind::Run { flow, .. } => program.flows.get(*flow).is_some_and(|f| f.result.optional),
            _ => false,
        }
    }
}

/// Whether a value may be missing in a state.
pub(crate) fn value_may_be_missing<S: State>(bits: &Bits<'_>, value: &Expr, now: &S) -> bool {
    if !value.ty.optional {
        return false;
    }
    match &value.kind {
        ExprKind::Const(value) => *value == Value::None,
        ExprKind::Coalesce(a, b) => value_may_be_missing(bits, a, now) && value_may_be_missing(bits, b, now),
        _ => {
            let through = bits.bits_through(value);
            through.is_empty() || through.iter().any(|bit| now.lacks(*bit))
        }
    }
}

fn starts_set(slot: &Slot) -> bool {
    match slot.kind {
        SlotKind::Input => !slot.ty.optional,
        SlotKind::Var => slot
            .default
            .as_ref()
            .is_some_and(|value| !value.ty.optional && !matches!(value.kind, ExprKind::Const(Value::None))),
        SlotKind::Binding => false,
    }
}

fn can_fail(step: &Step) -> bool {
    matches!(step.kind, StepKind::Call { .. } | StepKind::Run { .. } | StepKind::Transfer { .. })
}

impl Stays {
    fn new(scene: &Scene<'_>, bits: &Bits<'_>) -> Self {
        let mut stays = Self {
            everywhere: Lost::default(),
            everywhere_main: FixedBitSet::default(),
            nodes: HashMap::new(),
        };
        let mut regions = HashMap::new();
        for (_, route) in scene.anywhere() {
            stays.add(scene, bits, None, route, &mut regions);
        }
        for (node, _) in scene.dialogue.nodes.iter() {
            for (_, route) in scene.own(node) {
                stays.add(scene, bits, Some(node), route, &mut regions);
            }
        }
        stays
    }

    fn add(
        &mut self,
        scene: &Scene<'_>,
        bits: &Bits<'_>,
        node: Option<NodeId>,
        route: &Route,
        regions: &mut HashMap<NodeId, FixedBitSet>,
    ) {
        let row = Row::of(&route.decider);
        let mut lost = lost_in(bits, &route.block);
        // The block of an arrow runs before the node is left, and may fail there.
        if let Some(node) = node
            && route.block.iter().any(can_fail)
            && !lost.is_clear()
        {
            self.nodes.entry(node).or_default().failing.union_with(&lost);
        }
        match route.target {
            None if row != Row::Gone => {}
            Some(Target::Detour(to)) => {
                lost.union_with(regions.entry(to).or_insert_with(|| lost_on_detour(scene, bits, to)));
            }
            _ => return,
        }
        if lost.is_clear() {
            return;
        }
        let detour = route.target.is_some();
        let into = match node {
            None if detour => &mut self.everywhere_main,
            None if row == Row::Moment => &mut self.everywhere.moment,
            None => &mut self.everywhere.floor,
            Some(node) => {
                let of = self.nodes.entry(node).or_default();
                // A detour is taken, and comes back, when the caller has the floor.
                if row == Row::Moment && !detour { &mut of.moment } else { &mut of.floor }
            }
        };
        into.union_with(&lost);
    }
}

/// What steps may leave missing that was there.
fn lost_in(bits: &Bits<'_>, steps: &[Step]) -> FixedBitSet {
    let mut lost = FixedBitSet::with_capacity(bits.len());
    let lose = |slot: SlotId, itself: bool, lost: &mut FixedBitSet| {
        lost.set(slot.index(), itself);
        bits.inside(slot).iter().for_each(|bit| lost.insert(*bit));
    };
    for step in steps {
        match &step.kind {
            StepKind::Clear(slots) => slots.iter().for_each(|slot| lose(*slot, true, &mut lost)),
            StepKind::Set(slot, value) => lose(*slot, value.ty.optional, &mut lost),
            StepKind::Call { bind: Some(slot), .. } | StepKind::Run { bind: Some(slot), .. } => {
                lose(*slot, false, &mut lost);
            }
            _ => {}
        }
    }
    lost
}

/// What steps may leave missing in the nodes behind the use of a name.
fn lost_after(scene: &Scene<'_>, bits: &Bits<'_>, used: &Used) -> FixedBitSet {
    let mut lost = FixedBitSet::with_capacity(bits.len());
    for (id, node) in scene.nodes() {
        if !used.after[id] && !used.by.contains(&id) && !used.asked_by.contains(&id) {
            continue;
        }
        lost.union_with(&lost_in(bits, &node.steps));
        for (_, route) in scene.own(id) {
            lost.union_with(&lost_in(bits, &route.block));
        }
    }
    for (_, route) in scene.anywhere() {
        lost.union_with(&lost_in(bits, &route.block));
    }
    lost
}

/// What a detour may leave missing: the union over the nodes that only detours reach.
fn lost_on_detour(scene: &Scene<'_>, bits: &Bits<'_>, to: NodeId) -> FixedBitSet {
    let mut lost = FixedBitSet::with_capacity(bits.len());
    let mut seen = HashSet::from([to]);
    let mut stack = vec![to];
    while let Some(id) = stack.pop() {
        let Some(node) = scene.dialogue.nodes.get(id).filter(|_| !scene.main[id]) else { continue };
        lost.union_with(&lost_in(bits, &node.steps));
        for slot in node.collect.iter().flat_map(|c| &c.slots).chain(&node.note) {
            bits.inside(*slot).iter().for_each(|bit| lost.insert(*bit));
        }
        for (_, route) in scene.own(id) {
            lost.union_with(&lost_in(bits, &route.block));
            if let Some(Target::Node(next)) = route.target
                && seen.insert(next)
            {
                stack.push(next);
            }
        }
    }
    lost
}
