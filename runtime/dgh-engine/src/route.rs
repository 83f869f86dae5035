//! Taking a route: its block, then where it leads.

use dgh_ir::{Decider, NodeId, Target};

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;
use crate::state::{Activity, Cause, EndedBy, Frame, FrameKind, Stage, StepsOf, Then, Waits};
use crate::visible::Found;

impl Call {
    /// Takes a route. One without an arrow runs its block and stays; an arrow leaves everything
    /// that is inside the place it stands in.
    pub(crate) fn take(&mut self, found: Found, cause: Cause, why: &str) {
        let program = self.prepared.program.clone();
        let Some(route) = program.dialogue(found.dialogue).routes.get(found.route) else { return };
        if matches!(route.target, Some(Target::Detour(_))) && !self.is_idle() {
            self.state.deferred = Some((found.frame, found.dialogue, found.route));
            return;
        }
        self.record_route(found, why);
        let frame = match &route.target {
            None => found.frame,
            Some(Target::Detour(_)) => {
                self.stop_reply();
                found.frame
            }
            Some(Target::Back) => {
                self.stop_reply();
                self.leave_tools();
                self.drop_above(found.frame);
                self.state.activities.retain(|activity| activity.frame < found.frame);
                found.frame
            }
            Some(_) => self.leave(found.frame),
        };
        let then = if route.target.is_some() { Then::Arrive(cause) } else { Then::Stay };
        self.state.activities.push(Activity {
            frame,
            steps: StepsOf::Route(found.dialogue, found.route),
            next: 0,
            waits: Waits::No,
            then,
        });
    }

    fn record_route(&mut self, found: Found, why: &str) {
        let program = self.prepared.program.clone();
        let Some(route) = program.dialogue(found.dialogue).routes.get(found.route) else { return };
        let (_, node) = self.state.frames.get(found.frame).map(|f| self.place(f)).unwrap_or_default();
        let why = match &route.decider {
            Decider::On(_) => why.to_owned(),
            Decider::When(_) => "the model chose it".into(),
            Decider::If(_) => "its condition holds".into(),
            Decider::Else => "no condition holds".into(),
            Decider::Next => "the node is done".into(),
        };
        self.record(Record::Route {
            dialogue: program.dialogue_name(found.dialogue).into(),
            node,
            route: found.route.0,
            label: route.decider.label(),
            target: route.target.as_ref().map(|t| program.target_name(found.dialogue, t)),
            why,
        });
    }

    /// Drops what runs inside a frame. Answers the frame that goes on: for a detour, the one that
    /// it shares its names with, which will not be come back to.
    fn leave(&mut self, index: usize) -> usize {
        self.stop_reply();
        self.state.deferred = None;
        let base = self.base(index);
        if base != index
            && let Some(detour) = self.state.frames.get(index).cloned()
            && let Some(frame) = self.state.frames.get_mut(base)
        {
            *frame = Frame { kind: frame.kind, ..detour };
        }
        self.drop_above(base);
        self.state.activities.retain(|activity| activity.frame < base);
        self.leave_tools();
        self.state.timers.remove(&crate::state::Timer::Wait);
        base
    }

    /// Drops the frames above one, and their names.
    fn drop_above(&mut self, index: usize) {
        self.state.frames.truncate(index + 1);
        let scopes = self.state.frames.iter().map(|frame| frame.scope + 1).max().unwrap_or(0);
        self.state.scopes.truncate(scopes);
    }

    /// The block is done: follow the arrow.
    pub(crate) fn arrive(&mut self, found: Found, cause: Cause) {
        let program = self.prepared.program.clone();
        let route = program.dialogue(found.dialogue).routes.get(found.route);
        let Some(target) = route.and_then(|route| route.target.as_ref()) else { return };
        self.close_turn();
        match target {
            Target::Node(node) => self.enter(found.frame, *node),
            Target::Detour(node) => self.detour(found.frame, *node),
            Target::Back => self.back(found.frame),
            Target::Return(value) => {
                let scope = self.state.frames.get(found.frame).map_or(0, |frame| frame.scope);
                match self.eval(scope, value) {
                    Ok(value) => self.return_value(found.frame, value),
                    Err(failure) => self.fail(&failure),
                }
            }
            Target::End(outcome) => {
                let outcome = outcome.and_then(|id| {
                    let agent = program.agents.get(self.state.agent)?;
                    Some(agent.outcomes.get(id)?.name.clone())
                });
                self.finish(outcome, ended_by(cause));
            }
            Target::Agent(agent, args) => {
                let scope = self.state.frames.get(found.frame).map_or(0, |frame| frame.scope);
                let mut inputs = Vec::with_capacity(args.len());
                for (slot, value) in args {
                    match self.eval(scope, value) {
                        Ok(value) => inputs.push((*slot, value)),
                        Err(failure) => return self.fail(&failure),
                    }
                }
                self.hand_over(*agent, inputs);
            }
            Target::Hole => self.fail(&Failure::new("the arrow leads nowhere")),
        }
    }

    fn detour(&mut self, index: usize, node: NodeId) {
        let Some(frame) = self.state.frames.get(index) else { return };
        let frame = Frame::new(frame.scope, frame.dialogue, FrameKind::Detour);
        self.state.frames.push(frame);
        self.enter(self.state.frames.len() - 1, node);
    }

    /// Restores the node without its steps and asks again.
    fn back(&mut self, index: usize) {
        self.state.activities.retain(|activity| activity.frame < index);
        self.state.frames.truncate(index);
        let Some(frame) = self.state.frames.last() else { return };
        let (dialogue, node) = self.place(frame);
        self.record(Record::Entered { dialogue, node });
        if let Some(frame) = self.state.frames.last_mut() {
            frame.stage = Stage::Open;
            // A question that was half heard is asked anew.
            frame.read_back = None;
        }
        self.ask_again();
    }

    /// A flow is done: its value goes to the step that runs it.
    fn return_value(&mut self, index: usize, value: dgh_ir::Value) {
        let Some(FrameKind::Flow(bind)) = self.state.frames.get(index).map(|frame| frame.kind) else {
            return self.fail(&Failure::new("`return` stands outside of a flow"));
        };
        let Some(below) = index.checked_sub(1) else { return };
        self.state.activities.retain(|activity| activity.frame < index);
        self.drop_above(below);
        let scope = self.state.frames.get(below).map_or(0, |frame| frame.scope);
        if let Some(activity) = self.state.activities.last_mut() {
            activity.waits = Waits::No;
        }
        if let Some(slot) = bind
            && let Err(failure) = self.bind(scope, slot, value)
        {
            self.fail(&failure);
        }
    }

    /// The names of a frame's dialogue and node.
    pub(crate) fn place(&self, frame: &Frame) -> (String, String) {
        let program = &self.prepared.program;
        let nodes = &program.dialogue(frame.dialogue).nodes;
        let node = frame.node.and_then(|node| nodes.get(node)).map(|node| node.name.clone());
        (program.dialogue_name(frame.dialogue).into(), node.unwrap_or_default())
    }
}

fn ended_by(cause: Cause) -> EndedBy {
    match cause {
        Cause::Dialogue | Cause::Voicemail => EndedBy::Agent,
        Cause::Hangup => EndedBy::Caller,
        Cause::Limit => EndedBy::Limit,
        Cause::Error => EndedBy::Error,
        Cause::Transferred => EndedBy::Transfer,
    }
}
