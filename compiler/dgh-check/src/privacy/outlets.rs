//! The places where a value comes out of a call, with the sinks that it enters there.

use std::collections::BTreeSet;

use dgh_ir::{Decider, DialogueId, Event, Expr, NodeId, Sink, Step, StepKind, Template, ToolRef};

use crate::flow::scene::{Scene, World, target_node};

/// A place where a value comes out.
#[derive(Clone, Copy)]
pub(crate) struct Outlet<'a> {
    /// What is evaluated there.
    pub(crate) expr: &'a Expr,
    /// The sinks that its value enters.
    pub(crate) sinks: &'static [Sink],
    /// How the place is called: "spoken words".
    pub(crate) place: &'static str,
    /// Whether the place is typed `private`, so that a private value may enter.
    pub(crate) takes_private: bool,
}

/// What is spoken is also recorded, written down, and part of what the model sees later.
const SPOKEN: &[Sink] = &[Sink::Speech, Sink::Transcript, Sink::Recording, Sink::Log, Sink::Llm];
/// The same, heard by a machine.
const LEFT: &[Sink] =
    &[Sink::Voicemail, Sink::Speech, Sink::Transcript, Sink::Recording, Sink::Log, Sink::Llm];
const READ: &[Sink] = &[Sink::Llm];
const CALLED: &[Sink] = &[Sink::Tool];
const BRIEFED: &[Sink] = &[Sink::Brief];
const DELIVERED: &[Sink] = &[Sink::Webhook];

/// Calls `visit` with every place of a dialogue where a value comes out.
pub(crate) fn outlets<'a>(world: &World<'a>, scene: &Scene<'a>, visit: &mut dyn FnMut(Outlet<'a>)) {
    let after_beep = after_the_beep(scene);
    let mut out = Out { world, visit };
    for (id, node) in scene.dialogue.nodes.iter() {
        let beep = after_beep.contains(&id);
        node.steps.iter().for_each(|step| out.step(step, beep));
        node.prompt.iter().for_each(|t| out.text(t, READ, "what the model reads"));
        if let Some(collect) = &node.collect {
            collect.from.iter().for_each(|e| out.one(e, READ, "what the model reads"));
            collect.ask.iter().for_each(|e| out.spoken(e, beep));
        }
    }
    for (_, route) in scene.dialogue.routes.iter() {
        let beep = matches!(route.decider, Decider::On(Event::Voicemail))
            || route.from.is_some_and(|from| after_beep.contains(&from));
        if let Decider::When(when) = &route.decider {
            out.text(&when.sentence, READ, "what the model reads");
        }
        route.block.iter().for_each(|step| out.step(step, beep));
    }
    if let DialogueId::Agent(id) = scene.id {
        let agent = &world.program.agents[id];
        agent.prompt.iter().for_each(|t| out.text(t, READ, "what the model reads"));
        for step in agent.before_call.iter().flat_map(|b| &b.steps) {
            out.step(step, false);
        }
        for (_, webhook) in agent.webhooks.iter() {
            webhook.request.each_expr(&mut |e| out.one(e, DELIVERED, "a webhook"));
        }
    }
}

/// Nodes that are entered when a machine has answered.
fn after_the_beep(scene: &Scene<'_>) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let is_voicemail = |d: &Decider| matches!(d, Decider::On(Event::Voicemail));
    let targets = scene.dialogue.routes.iter().filter(|(_, r)| is_voicemail(&r.decider));
    let mut stack: Vec<NodeId> = targets.filter_map(|(_, r)| target_node(r)).collect();
    while let Some(id) = stack.pop() {
        if found.insert(id) {
            stack.extend(scene.own(id).filter_map(|(_, r)| target_node(r)));
        }
    }
    found
}

struct Out<'v, 'a> {
    world: &'v World<'a>,
    visit: &'v mut dyn FnMut(Outlet<'a>),
}

impl<'a> Out<'_, 'a> {
    fn one(&mut self, expr: &'a Expr, sinks: &'static [Sink], place: &'static str) {
        (self.visit)(Outlet { expr, sinks, place, takes_private: false });
    }

    fn text(&mut self, text: &'a Template, sinks: &'static [Sink], place: &'static str) {
        text.exprs().for_each(|e| self.one(e, sinks, place));
    }

    fn spoken(&mut self, expr: &'a Expr, beep: bool) {
        let (sinks, place) = if beep { (LEFT, "a voicemail") } else { (SPOKEN, "spoken words") };
        self.one(expr, sinks, place);
    }

    fn step(&mut self, step: &'a Step, beep: bool) {
        match &step.kind {
            StepKind::Say { text, .. } | StepKind::Ask { text, .. } => self.spoken(text, beep),
            StepKind::Tell(text) => {
                let sinks = if beep { LEFT } else { SPOKEN };
                self.text(text, sinks, "what the model reads and says");
            }
            StepKind::Call { tool, args, meanwhile, .. } => {
                for (name, value) in args {
                    let takes_private = self.takes_private(tool, name);
                    let place = "a parameter of a tool";
                    (self.visit)(Outlet { expr: value, sinks: CALLED, place, takes_private });
                }
                if let Some(e) = meanwhile {
                    self.spoken(e, beep);
                }
            }
            StepKind::Transfer { brief, .. } => {
                if let Some(t) = brief {
                    self.text(t, BRIEFED, "the brief of a transfer");
                }
            }
            StepKind::Play { .. }
            | StepKind::Wait(_)
            | StepKind::Run { .. }
            | StepKind::Set(..)
            | StepKind::Clear(_)
            | StepKind::Press(_)
            | StepKind::Hole => {}
        }
    }

    fn takes_private(&self, tool: &ToolRef, name: &str) -> bool {
        match tool {
            ToolRef::Tool(id) => self
                .world
                .program
                .tools
                .get(*id)
                .is_some_and(|t| t.params.iter().any(|p| p.name == name && p.ty.private)),
            ToolRef::Hole => true,
            _ => false,
        }
    }
}
