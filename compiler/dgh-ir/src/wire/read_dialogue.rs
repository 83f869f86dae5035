//! A dialogue from its wire form.

use super::read::{Names, Reader, all};
use super::{WireError, v1};
use crate::event::Event;
use crate::program::{
    Collect, Decider, Dialogue, Node, NodeId, Route, RouteId, Slot, SlotId, Step, StepKind, Target, ToolRef,
    When,
};
use crate::source_map::Origin;

type Read<T> = Result<T, WireError>;

impl Reader {
    pub(super) fn dialogue(&self, names: &Names, wire: &v1::Dialogue) -> Read<Dialogue> {
        let mut dialogue = Dialogue {
            slots: all(&wire.slots, |slot| self.slot(names, slot))?,
            nodes: all(&wire.nodes, |node| self.node(names, node))?,
            routes: all(&wire.routes, |route| self.route(names, route))?,
            anywhere: vec![],
            start: wire.start.as_ref().map(|name| self.node_id(names, name)).transpose()?,
        };
        let places: Vec<(RouteId, Option<NodeId>)> =
            dialogue.routes.iter().map(|(id, route)| (id, route.from)).collect();
        for (id, from) in places {
            match from {
                Some(node) => {
                    if let Some(node) = dialogue.nodes.get_mut(node) {
                        node.routes.push(id);
                    }
                }
                None => dialogue.anywhere.push(id),
            }
        }
        Ok(dialogue)
    }

    fn node_id(&self, names: &Names, name: &str) -> Read<NodeId> {
        names.nodes.get(name, &self.place)
    }

    fn slot_id(&self, names: &Names, name: &str) -> Read<SlotId> {
        names.slots.get(name, &self.place)
    }

    fn slot(&self, names: &Names, wire: &v1::Slot) -> Read<Slot> {
        Ok(Slot {
            name: wire.name.clone(),
            ty: self.ty(&wire.ty)?,
            kind: wire.kind,
            about: wire.about.clone(),
            default: self.maybe(names, wire.default.as_ref())?,
            origin: Origin::NONE,
        })
    }

    fn node(&self, names: &Names, wire: &v1::Node) -> Read<Node> {
        Ok(Node {
            name: wire.name.clone(),
            prompt: wire.prompt.as_ref().map(|text| self.text(names, text)).transpose()?,
            alone: wire.alone,
            steps: self.steps(names, &wire.steps)?,
            collect: wire.collect.as_ref().map(|collect| self.collect(names, collect)).transpose()?,
            note: all(&wire.note, |name| self.slot_id(names, name))?,
            uses: all(&wire.uses, |tool| self.tool_ref(tool))?,
            routes: vec![],
            models: self.models(names, &wire.models)?,
            turn: self.settings(names, &wire.turn)?,
            origin: Origin::NONE,
        })
    }

    fn collect(&self, names: &Names, wire: &v1::Collect) -> Read<Collect> {
        Ok(Collect {
            slots: all(&wire.slots, |name| self.slot_id(names, name))?,
            from: self.maybe(names, wire.from.as_ref())?,
            confirm: wire.confirm,
            tries: self.maybe(names, wire.tries.as_ref())?,
            ask: self.maybe(names, wire.ask.as_ref())?,
            by: wire.by,
            until: wire.until.clone(),
            origin: Origin::NONE,
        })
    }

    fn tool_ref(&self, wire: &v1::ToolRef) -> Read<ToolRef> {
        Ok(match wire {
            v1::ToolRef::Tool(name) => ToolRef::Tool(self.tools.get(name, &self.place)?),
            v1::ToolRef::Mcp(name, tool) => ToolRef::Mcp(self.mcps.get(name, &self.place)?, tool.clone()),
            v1::ToolRef::Knowledge(name) => ToolRef::Knowledge(self.knowledge.get(name, &self.place)?),
            v1::ToolRef::Hole => return self.hole(),
        })
    }

    pub(super) fn steps(&self, names: &Names, steps: &[v1::Step]) -> Read<Vec<Step>> {
        all(steps, |step| Ok(Step { kind: self.step(names, step)?, origin: Origin::NONE }))
    }

    fn step(&self, names: &Names, wire: &v1::Step) -> Read<StepKind> {
        let expr = |x| self.expr(names, x);
        let bind = |name: &Option<String>| name.as_ref().map(|name| self.slot_id(names, name)).transpose();
        Ok(match wire {
            v1::Step::Say { text, uninterrupted } => {
                StepKind::Say { text: expr(text)?, uninterrupted: *uninterrupted }
            }
            v1::Step::Tell(text) => StepKind::Tell(self.text(names, text)?),
            v1::Step::Ask { text, uninterrupted } => {
                StepKind::Ask { text: expr(text)?, uninterrupted: *uninterrupted }
            }
            v1::Step::Play { recording, uninterrupted } => {
                StepKind::Play { recording: expr(recording)?, uninterrupted: *uninterrupted }
            }
            v1::Step::Wait(ms) => StepKind::Wait(*ms),
            v1::Step::Call { tool, args, bind: name, meanwhile, timeout_ms } => StepKind::Call {
                tool: self.tool_ref(tool)?,
                args: self.args(names, args)?,
                bind: bind(name)?,
                meanwhile: self.maybe(names, meanwhile.as_ref())?,
                timeout_ms: *timeout_ms,
            },
            v1::Step::Run { flow, args, bind: name } => {
                let flow = self.flows.get(flow, &self.place)?;
                let theirs = self.in_flows.get(flow.0 as usize);
                StepKind::Run { flow, args: self.args_to(names, theirs, args)?, bind: bind(name)? }
            }
            v1::Step::Set(name, value) => StepKind::Set(self.slot_id(names, name)?, expr(value)?),
            v1::Step::Clear(slots) => StepKind::Clear(all(slots, |name| self.slot_id(names, name))?),
            v1::Step::Press(keys) => StepKind::Press(self.text(names, keys)?),
            v1::Step::Transfer { number, mode, ring_ms, brief } => StepKind::Transfer {
                number: expr(number)?,
                mode: *mode,
                ring_ms: *ring_ms,
                brief: brief.as_ref().map(|text| self.text(names, text)).transpose()?,
            },
            v1::Step::Hole => return self.hole(),
        })
    }

    fn route(&self, names: &Names, wire: &v1::Route) -> Read<Route> {
        Ok(Route {
            from: wire.from.as_ref().map(|name| self.node_id(names, name)).transpose()?,
            decider: match &wire.decider {
                v1::Decider::On(event) => Decider::On(self.event(names, event)?),
                v1::Decider::When(when) => Decider::When(When {
                    label: when.label.clone(),
                    sentence: self.text(names, &when.sentence)?,
                    like: when.like.clone(),
                    unlike: when.unlike.clone(),
                    guard: self.maybe(names, when.guard.as_ref())?,
                }),
                v1::Decider::If(condition) => Decider::If(self.expr(names, condition)?),
                v1::Decider::Else => Decider::Else,
                v1::Decider::Next => Decider::Next,
            },
            block: self.steps(names, &wire.block)?,
            target: wire.target.as_ref().map(|target| self.target(names, target)).transpose()?,
            origin: Origin::NONE,
        })
    }

    fn event(&self, names: &Names, wire: &v1::Event) -> Read<Event> {
        Ok(match wire {
            v1::Event::Silence { after, times } => {
                Event::Silence { after: self.expr(names, after)?, times: *times }
            }
            v1::Event::Unclear { times } => Event::Unclear { times: *times },
            v1::Event::Stalled { turns } => Event::Stalled { turns: *turns },
            v1::Event::Key(key) => Event::Key(key.clone()),
            v1::Event::Interrupted => Event::Interrupted,
            v1::Event::Corrected(slot) => Event::Corrected(self.slot_id(names, slot)?),
            v1::Event::Hangup => Event::Hangup,
            v1::Event::Voicemail => Event::Voicemail,
            v1::Event::Screening => Event::Screening,
            v1::Event::Error => Event::Error,
            v1::Event::FailedCollect => Event::FailedCollect,
            v1::Event::Transferred => Event::Transferred,
            v1::Event::TransferFailed(cases) => Event::TransferFailed(cases.clone()),
            v1::Event::Language(tag) => Event::Language(tag.clone()),
            v1::Event::Limit(kind) => Event::Limit(*kind),
            v1::Event::Slow => Event::Slow,
            v1::Event::Hole => return self.hole(),
        })
    }

    fn target(&self, names: &Names, wire: &v1::Target) -> Read<Target> {
        Ok(match wire {
            v1::Target::Node(name) => Target::Node(self.node_id(names, name)?),
            v1::Target::End(outcome) => {
                let id = outcome.as_ref().map(|name| names.outcomes.get(name, &self.place));
                Target::End(id.transpose()?)
            }
            v1::Target::Back => Target::Back,
            v1::Target::Detour(name) => Target::Detour(self.node_id(names, name)?),
            v1::Target::Return(value) => Target::Return(self.expr(names, value)?),
            v1::Target::Agent(name, args) => {
                let agent = self.agents.get(name, &self.place)?;
                let theirs = self.in_agents.get(agent.0 as usize);
                Target::Agent(agent, self.args_to(names, theirs, args)?)
            }
            v1::Target::Hole => return self.hole(),
        })
    }
}
