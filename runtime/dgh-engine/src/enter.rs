//! Entering a node is one step: its steps, then its opening. And what a node still needs.

use dgh_ir::{Confirm, DialogueId, Node, NodeId, NodeKind, SlotId};

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;
use crate::reply::Purpose;
use crate::state::{Activity, Cause, EndedBy, Frame, Owes, Phase, Stage, StepsOf, Then, Waits};
use crate::visible::Found;

/// Nodes entered without anything from outside between. The checker proves that there is no such
/// cycle; this is for what was not checked.
const HOPS: u32 = 200;

impl Call {
    /// Enters a node.
    pub(crate) fn enter(&mut self, index: usize, node: NodeId) {
        self.state.counts.hops += 1;
        if self.state.counts.hops > HOPS {
            return self.end_with_regret(EndedBy::Error);
        }
        let Some(frame) = self.state.frames.get(index) else { return };
        let (dialogue, scope) = (frame.dialogue, frame.scope);
        if let Err(failure) = self.may_enter(dialogue, node) {
            return self.fail(&failure);
        }
        self.state.counts.visits += 1;
        let visit = self.state.counts.visits;
        if let Some(frame) = self.state.frames.get_mut(index) {
            *frame = Frame { node: Some(node), visit, ..Frame::new(scope, dialogue, frame.kind) };
            let (dialogue, node) = self.state.frames.get(index).map(|f| self.place(f)).unwrap_or_default();
            self.record(Record::Entered { dialogue, node });
        }
        self.drop_keys();
        self.state.activities.push(Activity {
            frame: index,
            steps: StepsOf::Node(dialogue, node),
            next: 0,
            waits: Waits::No,
            then: Then::Open,
        });
    }

    /// The steps are finished: the node opens.
    pub(crate) fn open(&mut self) {
        let program = self.prepared.program.clone();
        let Some(frame) = self.top_mut() else { return };
        frame.stage = Stage::Open;
        let asked = frame.asked;
        let Some(node) = self.node(&program) else { return };
        if node.kind() != NodeKind::Talks || self.is_filled() || asked {
            return;
        }
        if self.state.hung_up {
            return self.finish(None, EndedBy::Caller);
        }
        if self.collect_asks() {
            return;
        }
        self.state.owes = Owes::Words;
        self.request(Purpose::Opening, 0, None);
    }

    /// Asks again, after a detour or when nothing was said: the words of the `collect`, else one
    /// more request.
    pub(crate) fn ask_again(&mut self) {
        let program = self.prepared.program.clone();
        let talks = self.node(&program).is_some_and(|node| node.kind() == NodeKind::Talks);
        self.state.owes = Owes::Nothing;
        self.drop_keys();
        if self.state.untold
            && let Some(frame) = self.top_mut()
        {
            // What was refused is told first; the read-back follows.
            frame.read_back = None;
        }
        if !talks || self.read_again() || self.is_done() || self.collect_asks() {
            return;
        }
        self.state.owes = Owes::AskedAgain;
        self.request(Purpose::Resume, 0, None);
    }

    /// Speaks the read-back that waits for an answer once more.
    fn read_again(&mut self) -> bool {
        let waits = self.top_mut().and_then(|frame| frame.read_back.take()).is_some();
        waits && self.read_back()
    }

    /// Speaks the `collect`'s `ask:`, if it has one and something is missing. A correction that
    /// was refused needs a model's words instead.
    fn collect_asks(&mut self) -> bool {
        let program = self.prepared.program.clone();
        if self.is_filled() || self.state.untold {
            return false;
        }
        let collect = self.node(&program).and_then(|node| node.collect.as_ref());
        let Some(ask) = collect.and_then(|collect| collect.ask.as_ref()) else { return false };
        let scope = self.scope();
        match self.words(scope, ask) {
            Ok(words) => {
                let interruptible = self.interruptible();
                self.speak(words, true, interruptible, None);
            }
            Err(failure) => self.fail(&failure),
        }
        true
    }

    /// The node is done and everything that had to be heard was heard: the typed routes decide.
    pub(crate) fn typed_routes(&mut self) {
        let program = self.prepared.program.clone();
        let Some((index, frame)) = self.state.frames.iter().enumerate().next_back() else { return };
        let (scope, dialogue) = (frame.scope, frame.dialogue);
        let Some(node) = self.node(&program) else { return };
        for id in &node.routes {
            let Some(route) = program.dialogue(dialogue).routes.get(*id) else { continue };
            let taken = match &route.decider {
                dgh_ir::Decider::If(condition) => {
                    self.mark_used(scope, &condition.reads());
                    match self.holds(scope, condition) {
                        Ok(holds) => holds,
                        Err(failure) => return self.fail(&failure),
                    }
                }
                dgh_ir::Decider::Else | dgh_ir::Decider::Next => true,
                dgh_ir::Decider::On(_) | dgh_ir::Decider::When(_) => false,
            };
            if taken {
                let found = Found { frame: index, dialogue, route: *id };
                return self.take(found, Cause::Dialogue, "");
            }
        }
        if self.state.hung_up {
            return self.finish(None, EndedBy::Caller);
        }
        self.fail(&Failure::new(format!("nothing leads on from node `{}`", node.name)));
    }

    /// Whether the node's typed routes decide now.
    pub(crate) fn is_done(&self) -> bool {
        let program = &self.prepared.program;
        let Some(frame) = self.top().filter(|frame| frame.stage == Stage::Open) else {
            return false;
        };
        match self.node(program) {
            Some(node) if node.kind() == NodeKind::Talks => {
                node.collect.is_some() && self.is_filled() && self.unconfirmed(frame).is_empty()
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Whether all of the node's `collect` has values, and none is disputed.
    pub(crate) fn is_filled(&self) -> bool {
        let program = &self.prepared.program;
        let scope = self.scope();
        let collect = self.node(program).and_then(|node| node.collect.as_ref());
        collect.is_some_and(|collect| {
            collect
                .slots
                .iter()
                .all(|id| self.state.slot(scope, *id).is_some_and(|s| s.value.is_some() && !s.disputed))
        })
    }

    /// The values that have to be read back here: of the node's `collect` as it says, and those
    /// that were confirmed once and have changed.
    pub(crate) fn unconfirmed(&self, frame: &Frame) -> Vec<SlotId> {
        let program = &self.prepared.program;
        let dialogue = program.dialogue(frame.dialogue);
        let node = frame.node.and_then(|node| dialogue.nodes.get(node));
        let collect = node.and_then(|node| node.collect.as_ref());
        let noteable = self.prepared.noteable(frame.dialogue);
        let needs = |slot: SlotId| {
            let Some(known) = self.state.slot(frame.scope, slot) else { return false };
            let private = dialogue.slots.get(slot).is_some_and(|slot| slot.ty.private);
            if known.confirmed || private || !known.value.as_ref().is_some_and(is_there) {
                return false;
            }
            let own = collect.filter(|collect| collect.slots.contains(&slot));
            known.reconfirm
                || own.is_some_and(|collect| match collect.confirm {
                    Confirm::Always => true,
                    Confirm::Unsure => known.unsure,
                    Confirm::Never => false,
                })
        };
        noteable.iter().map(|noteable| noteable.slot).filter(|slot| needs(*slot)).collect()
    }

    /// The steps are finished and what cannot be talked over was heard to its end.
    pub(crate) fn complete(&mut self) {
        let Some(frame) = self.top_mut() else { return };
        frame.completed = true;
        let key = frame.node.map(|node| (frame.dialogue, node));
        let (dialogue, node) = self.top().map(|frame| self.place(frame)).unwrap_or_default();
        self.state.completed.extend(key);
        self.record(Record::Completed { dialogue, node });
    }

    pub(crate) fn top(&self) -> Option<&Frame> {
        self.state.frames.last()
    }

    pub(crate) fn top_mut(&mut self) -> Option<&mut Frame> {
        self.state.frames.last_mut()
    }

    /// The scope of the current node.
    pub(crate) fn scope(&self) -> usize {
        self.top().map_or(0, |frame| frame.scope)
    }

    /// The current node.
    pub(crate) fn node<'p>(&self, program: &'p dgh_ir::Program) -> Option<&'p Node> {
        let frame = self.top()?;
        program.dialogue(frame.dialogue).nodes.get(frame.node?)
    }

    /// Whether the call is in conversation, so that nodes may be entered and turns answered.
    pub(crate) fn is_live(&self) -> bool {
        self.state.phase == Phase::Live
    }

    /// The dialogue of the current node.
    pub(crate) fn dialogue(&self) -> DialogueId {
        self.top().map_or(DialogueId::Agent(self.state.agent), |frame| frame.dialogue)
    }
}

fn is_there(value: &dgh_ir::Value) -> bool {
    *value != dgh_ir::Value::None
}
