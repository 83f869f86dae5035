//! A dialogue to its wire form.

use super::v1;
use super::write::{Names, Writer};
use crate::event::Event;
use crate::program::{
    Collect, Decider, Dialogue, Node, NodeId, Route, Slot, SlotId, Step, StepKind, Target, ToolRef,
};

impl Writer {
    pub(super) fn dialogue(&self, names: &Names, dialogue: &Dialogue) -> v1::Dialogue {
        v1::Dialogue {
            slots: dialogue.slots.iter().map(|(id, slot)| self.slot(names, id, slot)).collect(),
            nodes: dialogue.nodes.iter().map(|(id, node)| self.node(names, id, node)).collect(),
            routes: dialogue.routes.iter().map(|(_, route)| self.route(names, route)).collect(),
            start: dialogue.start.map(|node| names.nodes.get(node)),
        }
    }

    fn slot(&self, names: &Names, id: SlotId, slot: &Slot) -> v1::Slot {
        v1::Slot {
            name: slot.name.clone(),
            key: names.slots.key(id),
            ty: self.ty(&slot.ty),
            kind: slot.kind,
            about: slot.about.clone(),
            default: slot.default.as_ref().map(|value| self.expr(names, value)),
        }
    }

    fn node(&self, names: &Names, id: NodeId, node: &Node) -> v1::Node {
        v1::Node {
            name: node.name.clone(),
            key: names.nodes.key(id),
            prompt: node.prompt.as_ref().map(|text| self.text(names, text)),
            alone: node.alone,
            steps: self.steps(names, &node.steps),
            collect: node.collect.as_ref().map(|collect| self.collect(names, collect)),
            note: node.note.iter().map(|slot| names.slots.get(*slot)).collect(),
            uses: node.uses.iter().map(|tool| self.tool_ref(tool)).collect(),
            models: self.models(names, &node.models),
            turn: self.settings(names, &node.turn),
        }
    }

    fn collect(&self, names: &Names, collect: &Collect) -> v1::Collect {
        let expr = |x| self.expr(names, x);
        v1::Collect {
            slots: collect.slots.iter().map(|slot| names.slots.get(*slot)).collect(),
            from: collect.from.as_ref().map(expr),
            confirm: collect.confirm,
            tries: collect.tries.as_ref().map(expr),
            ask: collect.ask.as_ref().map(expr),
            by: collect.by,
            until: collect.until.clone(),
        }
    }

    fn tool_ref(&self, tool: &ToolRef) -> v1::ToolRef {
        match tool {
            ToolRef::Tool(id) => v1::ToolRef::Tool(self.tools.get(*id)),
            ToolRef::Mcp(id, tool) => v1::ToolRef::Mcp(self.mcps.get(*id), tool.clone()),
            ToolRef::Knowledge(id) => v1::ToolRef::Knowledge(self.knowledge.get(*id)),
            ToolRef::Hole => v1::ToolRef::Hole,
        }
    }

    pub(super) fn steps(&self, names: &Names, steps: &[Step]) -> Vec<v1::Step> {
        steps.iter().map(|step| self.step(names, &step.kind)).collect()
    }

    fn step(&self, names: &Names, step: &StepKind) -> v1::Step {
        let expr = |x| self.expr(names, x);
        let text = |x| self.text(names, x);
        let slot = |id: SlotId| names.slots.get(id);
        match step {
            StepKind::Say { text, uninterrupted } => {
                v1::Step::Say { text: expr(text), uninterrupted: *uninterrupted }
            }
            StepKind::Tell(words) => v1::Step::Tell(text(words)),
            StepKind::Ask { text, uninterrupted } => {
                v1::Step::Ask { text: expr(text), uninterrupted: *uninterrupted }
            }
            StepKind::Play { recording, uninterrupted } => {
                v1::Step::Play { recording: expr(recording), uninterrupted: *uninterrupted }
            }
            StepKind::Wait(ms) => v1::Step::Wait(*ms),
            StepKind::Call { tool, args, bind, meanwhile, timeout_ms } => v1::Step::Call {
                tool: self.tool_ref(tool),
                args: self.args(names, args),
                bind: bind.map(slot),
                meanwhile: meanwhile.as_ref().map(expr),
                timeout_ms: *timeout_ms,
            },
            StepKind::Run { flow, args, bind } => v1::Step::Run {
                flow: self.flows.get(*flow),
                args: self.args_to(names, self.in_flows.get(flow.0 as usize), args),
                bind: bind.map(slot),
            },
            StepKind::Set(id, value) => v1::Step::Set(slot(*id), expr(value)),
            StepKind::Clear(slots) => v1::Step::Clear(slots.iter().map(|id| slot(*id)).collect()),
            StepKind::Press(keys) => v1::Step::Press(text(keys)),
            StepKind::Transfer { number, mode, ring_ms, brief } => v1::Step::Transfer {
                number: expr(number),
                mode: *mode,
                ring_ms: *ring_ms,
                brief: brief.as_ref().map(text),
            },
            StepKind::Hole => v1::Step::Hole,
        }
    }

    fn route(&self, names: &Names, route: &Route) -> v1::Route {
        v1::Route {
            from: route.from.map(|node| names.nodes.get(node)),
            decider: match &route.decider {
                Decider::On(event) => v1::Decider::On(self.event(names, event)),
                Decider::When(when) => v1::Decider::When(Box::new(v1::When {
                    label: when.label.clone(),
                    sentence: self.text(names, &when.sentence),
                    like: when.like.clone(),
                    unlike: when.unlike.clone(),
                    guard: when.guard.as_ref().map(|guard| self.expr(names, guard)),
                })),
                Decider::If(condition) => v1::Decider::If(self.expr(names, condition)),
                Decider::Else => v1::Decider::Else,
                Decider::Next => v1::Decider::Next,
            },
            block: self.steps(names, &route.block),
            target: route.target.as_ref().map(|target| self.target(names, target)),
        }
    }

    fn event(&self, names: &Names, event: &Event) -> v1::Event {
        match event {
            Event::Silence { after, times } => {
                v1::Event::Silence { after: self.expr(names, after), times: *times }
            }
            Event::Unclear { times } => v1::Event::Unclear { times: *times },
            Event::Stalled { turns } => v1::Event::Stalled { turns: *turns },
            Event::Key(key) => v1::Event::Key(key.clone()),
            Event::Interrupted => v1::Event::Interrupted,
            Event::Corrected(slot) => v1::Event::Corrected(names.slots.get(*slot)),
            Event::Hangup => v1::Event::Hangup,
            Event::Voicemail => v1::Event::Voicemail,
            Event::Screening => v1::Event::Screening,
            Event::Error => v1::Event::Error,
            Event::FailedCollect => v1::Event::FailedCollect,
            Event::Transferred => v1::Event::Transferred,
            Event::TransferFailed(cases) => v1::Event::TransferFailed(cases.clone()),
            Event::Language(tag) => v1::Event::Language(tag.clone()),
            Event::Limit(kind) => v1::Event::Limit(*kind),
            Event::Slow => v1::Event::Slow,
            Event::Hole => v1::Event::Hole,
        }
    }

    fn target(&self, names: &Names, target: &Target) -> v1::Target {
        match target {
            Target::Node(id) => v1::Target::Node(names.nodes.get(*id)),
            Target::End(outcome) => v1::Target::End(
                outcome.map(|id| names.outcomes.get(id.0 as usize).cloned().unwrap_or_else(|| "#".into())),
            ),
            Target::Back => v1::Target::Back,
            Target::Detour(id) => v1::Target::Detour(names.nodes.get(*id)),
            Target::Return(value) => v1::Target::Return(self.expr(names, value)),
            Target::Agent(id, args) => {
                let theirs = self.in_agents.get(id.0 as usize);
                v1::Target::Agent(self.agents.get(*id), self.args_to(names, theirs, args))
            }
            Target::Hole => v1::Target::Hole,
        }
    }
}
