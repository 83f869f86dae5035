//! What the analyses of one dialogue share: the shapes of its nodes and which of them are reached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dgh_diag::Code;
use dgh_ir::{
    Arena, Decider, Dialogue, DialogueId, Event, FlowId, Node, NodeId, Origin, Program, Route, RouteId,
    SlotId, Step, StepKind, Target,
};

use super::rows::{Row, Shape, overrides};
use crate::report::{Context, Errors, Report};

/// A program, with all its dialogues.
pub(crate) struct World<'a> {
    /// The program.
    pub(crate) program: &'a Program,
    /// What is known beside it.
    pub(crate) context: &'a Context,
    /// Agents, then flows.
    pub(crate) scenes: Vec<Scene<'a>>,
    sites: BTreeMap<FlowId, Vec<Site>>,
}

/// A place where a flow is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    /// Index of the scene.
    pub(crate) scene: usize,
    /// The node that runs it.
    pub(crate) node: NodeId,
    /// The step.
    pub(crate) origin: Origin,
}

/// Where a name may have been used.
pub(crate) struct Used {
    /// The nodes that use it in a step or in the block of an arrow.
    pub(crate) by: BTreeSet<NodeId>,
    /// The nodes whose conditions use it, when they are done.
    pub(crate) asked_by: BTreeSet<NodeId>,
    /// The nodes that a call may be in afterwards.
    pub(crate) after: Arena<NodeId, bool>,
}

/// What was reported before, and what it may have taken from the program.
struct Known {
    /// Errors of syntax: any part may be missing.
    damage: Errors,
    /// Names that do not resolve.
    names: Errors,
}

impl Known {
    fn of(report: &Report) -> Self {
        Self {
            damage: report.errors(|code| (code as u16) < (Code::UnknownName as u16)),
            names: report.errors(|code| matches!(code, Code::UnknownName | Code::NotAssignable)),
        }
    }
}

/// A dialogue.
pub(crate) struct Scene<'a> {
    /// The whole program.
    pub(crate) program: &'a Program,
    /// Whose it is.
    pub(crate) id: DialogueId,
    /// The dialogue.
    pub(crate) dialogue: &'a Dialogue,
    /// Shapes of the nodes.
    pub(crate) shapes: Arena<NodeId, Shape>,
    /// Nodes that some path from the start reaches.
    pub(crate) reached: Arena<NodeId, bool>,
    /// Nodes that some path without a `detour` reaches.
    pub(crate) main: Arena<NodeId, bool>,
    /// For each `on corrected(x)`: the nodes in which x may have been used. Before that a new
    /// value is simply noted, and the event never comes.
    pub(crate) used: BTreeMap<SlotId, Used>,
    /// Whether some arrow leads nobody knows where, or did not parse.
    pub(crate) has_lost_arrow: bool,
}

impl<'a> World<'a> {
    /// Looks at all dialogues.
    pub(crate) fn new(program: &'a Program, context: &'a Context, report: &Report) -> Self {
        let errors = Known::of(report);
        let scenes: Vec<_> =
            program.dialogues().map(|(id, _)| Scene::new(program, id, report, &errors)).collect();
        let mut sites: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, scene) in scenes.iter().enumerate() {
            for (node, found) in scene.dialogue.nodes.iter() {
                for step in &found.steps {
                    if let StepKind::Run { flow, .. } = step.kind {
                        let site = Site { scene: index, node, origin: step.origin };
                        sites.entry(flow).or_default().push(site);
                    }
                }
            }
        }
        Self { program, context, scenes, sites }
    }

    /// Where a dialogue is run; nowhere for one of an agent.
    pub(crate) fn sites(&self, id: DialogueId) -> &[Site] {
        match id {
            DialogueId::Flow(flow) => self.sites.get(&flow).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    /// A scene by its index.
    pub(crate) fn scene(&self, index: usize) -> Option<&Scene<'a>> {
        self.scenes.get(index)
    }

    /// The agents that may be in a dialogue, by the index of their scene.
    pub(crate) fn agents_of(&self, index: usize) -> Vec<usize> {
        let mut seen = vec![index];
        let mut next = 0;
        while let Some(&at) = seen.get(next) {
            next += 1;
            let Some(scene) = self.scene(at) else { continue };
            for site in self.sites(scene.id) {
                if !seen.contains(&site.scene) {
                    seen.push(site.scene);
                }
            }
        }
        let is_agent = |at: &usize| self.scene(*at).is_some_and(|s| matches!(s.id, DialogueId::Agent(_)));
        seen.retain(is_agent);
        seen
    }
}

impl<'a> Scene<'a> {
    fn new(program: &'a Program, id: DialogueId, report: &Report, errors: &Known) -> Self {
        let dialogue = program.dialogue(id);
        let shapes = dialogue
            .nodes
            .iter()
            .map(|(_, node)| {
                let routes = node.routes.iter().filter_map(|r| dialogue.routes.get(*r));
                let mut shape = Shape::of(node, routes);
                shape.damaged = errors.damage.are_in(report, node.origin);
                shape.broken |= shape.damaged;
                let collect = node.collect.as_ref();
                shape.lost_names = collect.is_some_and(|c| errors.names.are_in(report, c.origin));
                shape
            })
            .collect();
        let on_arrow = |id: &RouteId| {
            let route = dialogue.routes.get(*id);
            route.is_some_and(|r| r.block.iter().any(|s| matches!(s.kind, StepKind::Transfer { .. })))
        };
        let mut shapes: Arena<NodeId, Shape> = shapes;
        if dialogue.anywhere.iter().any(on_arrow) {
            shapes.iter_mut().for_each(|(_, shape)| shape.transfers_on_arrow = true);
        }
        let none: Arena<NodeId, bool> = dialogue.nodes.iter().map(|_| false).collect();
        let origin = match id {
            DialogueId::Agent(id) => program.agents[id].origin,
            DialogueId::Flow(id) => program.flows[id].origin,
            DialogueId::Last => program.last.routes.iter().next().map_or(Origin::NONE, |(_, r)| r.origin),
        };
        let has_lost_arrow = errors.damage.are_in(report, origin)
            || dialogue.routes.iter().any(|(_, r)| matches!(r.target, Some(Target::Hole)));
        let mut scene = Self {
            program,
            id,
            dialogue,
            shapes,
            reached: none.clone(),
            main: none,
            used: BTreeMap::new(),
            has_lost_arrow,
        };
        scene.main = scene.reach(false);
        scene.reached = scene.reach(true);
        scene.used = scene.corrected().into_iter().map(|slot| (slot, scene.used_in(slot))).collect();
        scene
    }

    /// Its nodes that are reached.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (NodeId, &'a Node)> {
        self.dialogue.nodes.iter().filter(|(id, _)| self.reached[*id])
    }

    /// The routes that stand in a node.
    pub(crate) fn own(&self, node: NodeId) -> impl Iterator<Item = (RouteId, &'a Route)> + use<'a> {
        let dialogue = self.dialogue;
        let ids = dialogue.nodes.get(node).map_or(&[][..], |n| n.routes.as_slice());
        ids.iter().filter_map(|id| Some((*id, dialogue.routes.get(*id)?)))
    }

    /// The routes of `anywhere`.
    pub(crate) fn anywhere(&self) -> impl Iterator<Item = (RouteId, &'a Route)> + use<'a> {
        let dialogue = self.dialogue;
        dialogue.anywhere.iter().filter_map(|id| Some((*id, dialogue.routes.get(*id)?)))
    }

    /// Whether a route of `anywhere` can be taken in a node. One to the node itself cannot.
    pub(crate) fn sees(&self, node: NodeId, outer: &Route) -> bool {
        target_node(outer) != Some(node) && self.sees_like(node, outer)
    }

    /// Whether routes like this one of `anywhere`, but to other nodes, can be taken in a node.
    pub(crate) fn sees_like(&self, node: NodeId, outer: &Route) -> bool {
        let row = Row::of(&outer.decider);
        row != Row::Done
            && self.shapes[node].has(row)
            && self.can_come(node, &outer.decider)
            && (self.main[node] || !matches!(outer.target, Some(Target::Detour(_))))
            && !self.own(node).any(|(_, own)| overrides(&own.decider, &outer.decider))
    }

    /// Whether the event of a route can come in a node at all.
    pub(crate) fn can_come(&self, node: NodeId, decider: &Decider) -> bool {
        match decider {
            Decider::On(Event::Corrected(slot)) => self.used.get(slot).is_none_or(|used| used.after[node]),
            _ => true,
        }
    }

    /// The names that some `on corrected` speaks of.
    fn corrected(&self) -> BTreeSet<SlotId> {
        let slot = |route: &Route| match route.decider {
            Decider::On(Event::Corrected(slot)) => Some(slot),
            _ => None,
        };
        self.dialogue.routes.iter().filter_map(|(_, route)| slot(route)).collect()
    }

    /// The nodes that a call may be in after a `call`, `run`, `transfer`, `set` or `if` has read a
    /// name.
    fn used_in(&self, slot: SlotId) -> Used {
        let mut used: Arena<NodeId, bool> = self.dialogue.nodes.iter().map(|_| false).collect();
        let (mut by, mut asked_by) = (BTreeSet::new(), BTreeSet::new());
        let mut stack = Vec::new();
        let uses = |steps: &[Step]| steps.iter().any(|step| uses(step, slot));
        let outer: Vec<&Route> = self.anywhere().map(|(_, route)| route).collect();
        for (id, node) in self.nodes() {
            if uses(&node.steps) {
                by.insert(id);
                stack.push(id);
            }
            for (_, route) in self.own(id) {
                let asked = route.decider.condition().is_some_and(|c| c.reads().contains(&slot));
                if uses(&route.block) {
                    by.insert(id);
                }
                if asked {
                    asked_by.insert(id);
                    // The routes behind an `if` that did not hold have used it as well.
                    stack.extend(self.own(id).filter_map(|(_, route)| target_node(route)));
                }
                if uses(&route.block) {
                    stack.push(target_node(route).unwrap_or(id));
                }
            }
        }
        for route in outer.iter().filter(|route| uses(&route.block)) {
            by.extend(self.nodes().map(|(id, _)| id));
            stack.extend(target_node(route));
        }
        let mut from_anywhere = false;
        while let Some(id) = stack.pop() {
            if used.get(id) != Some(&false) {
                continue;
            }
            used[id] = true;
            stack.extend(self.own(id).filter_map(|(_, route)| target_node(route)));
            if !from_anywhere {
                from_anywhere = true;
                stack.extend(outer.iter().filter_map(|route| target_node(route)));
            }
        }
        Used { by, asked_by, after: used }
    }

    /// Whether some statement that may have set a value did not resolve.
    pub(crate) fn has_lost_writes(&self) -> bool {
        let hole = |step: &Step| matches!(step.kind, StepKind::Hole);
        self.shapes.iter().any(|(_, shape)| shape.broken || shape.lost_names)
            || self.dialogue.routes.iter().any(|(_, route)| route.block.iter().any(hole))
    }

    /// How a node is called.
    pub(crate) fn name(&self, node: NodeId) -> &'a str {
        self.dialogue.nodes.get(node).map_or("?", |n| &n.name)
    }

    fn reach(&self, detours: bool) -> Arena<NodeId, bool> {
        let mut seen: Arena<NodeId, bool> = self.dialogue.nodes.iter().map(|_| false).collect();
        let mut queue = VecDeque::new();
        let leads = |route: &Route| match route.target {
            Some(Target::Node(to)) => Some(to),
            Some(Target::Detour(to)) if detours => Some(to),
            _ => None,
        };
        let mut visit = |to: NodeId, queue: &mut VecDeque<_>| {
            if seen.get(to) == Some(&false) {
                seen[to] = true;
                queue.push_back(to);
            }
        };
        if let Some(start) = self.dialogue.start {
            visit(start, &mut queue);
            for (_, route) in self.anywhere() {
                if let Some(to) = leads(route) {
                    visit(to, &mut queue);
                }
            }
        }
        while let Some(node) = queue.pop_front() {
            for (_, route) in self.own(node) {
                if let Some(to) = leads(route) {
                    visit(to, &mut queue);
                }
            }
        }
        seen
    }
}

/// Whether a step makes the value of a name count as used.
fn uses(step: &Step, slot: SlotId) -> bool {
    let counts = matches!(
        step.kind,
        StepKind::Call { .. } | StepKind::Run { .. } | StepKind::Transfer { .. } | StepKind::Set(..)
    );
    counts && step.reads().contains(&slot)
}

/// The node that a route leads to.
pub(crate) fn target_node(route: &Route) -> Option<NodeId> {
    match route.target {
        Some(Target::Node(node) | Target::Detour(node)) => Some(node),
        _ => None,
    }
}
