//! Steps, in order.

use std::sync::Arc;

use dgh_ir::{AgentId, ExprKind, Program, Purpose, Step, StepKind, TransferMode};

use crate::call::Call;
use crate::effect::Effect;
use crate::event::TransferFailureEvent;
use crate::failure::Failure;
use crate::prepared::declared;
use crate::reply;
use crate::state::{Activity, Cause, Frame, FrameKind, Scope, StepsOf, Then, Timer, Waits};
use crate::visible::Raised;

impl Call {
    /// Does a step.
    pub(crate) fn step(&mut self, activity: &Activity, step: &StepKind) -> Result<(), Failure> {
        let scope = self.state.frames.get(activity.frame).map_or(0, |frame| frame.scope);
        // What is done on the line comes after the words that were said before it.
        let on_the_line = matches!(step, StepKind::Wait(_) | StepKind::Press(_) | StepKind::Transfer { .. });
        if on_the_line && self.sounding_words() {
            self.wait_for(Waits::Speech);
            return Ok(());
        }
        // One reply at a time: an event may have run this in the middle of another.
        if matches!(step, StepKind::Tell(_)) && self.state.reply.is_some() {
            self.wait_for(Waits::Answer);
            return Ok(());
        }
        if let Some(activity) = self.state.activities.last_mut() {
            activity.next += 1;
            activity.waits = Waits::No;
        }
        match step {
            StepKind::Say { text, uninterrupted } => self.say(scope, text, *uninterrupted),
            StepKind::Ask { text, uninterrupted } => {
                if !self.is_filled() {
                    self.say(scope, text, *uninterrupted)?;
                }
                if let Some(frame) = self.state.frames.get_mut(activity.frame) {
                    frame.asked = true;
                }
                Ok(())
            }
            StepKind::Tell(text) => {
                if !self.state.hung_up {
                    let text = self.template(scope, text, Purpose::Prompt)?.text;
                    let reply = self.request(reply::Purpose::Tell, 0, Some(text));
                    self.wait_for(Waits::Reply(reply));
                }
                Ok(())
            }
            StepKind::Play { recording, uninterrupted } => {
                let name = match &recording.kind {
                    ExprKind::Recording(name) => name.clone(),
                    _ => match self.eval(scope, recording)? {
                        dgh_ir::Value::Text(name) => name,
                        other => {
                            return Err(Failure::new(format!("{} is no recording", other.sort())));
                        }
                    },
                };
                let interruptible = !uninterrupted && self.interruptible();
                self.play(name, interruptible);
                Ok(())
            }
            StepKind::Wait(ms) => {
                if !self.is_chat() && !self.state.hung_up {
                    self.after(Timer::Wait, i64::try_from(*ms).unwrap_or(i64::MAX));
                    self.wait_for(Waits::Time);
                }
                Ok(())
            }
            StepKind::Call { tool, args, bind, meanwhile, timeout_ms } => {
                let hook = matches!(activity.steps, StepsOf::Hook(_));
                let call = self.call_tool(scope, tool, args, *bind, *timeout_ms, hook)?;
                self.wait_for(Waits::Tool(call));
                if let Some(words) = meanwhile {
                    self.say(scope, words, false)?;
                }
                Ok(())
            }
            StepKind::Run { flow, args, bind } => {
                let dialogue = dgh_ir::DialogueId::Flow(*flow);
                let program = Arc::clone(&self.prepared.program);
                let mut inner = Scope::new(&program, dialogue);
                let mut from = Vec::new();
                for (slot, value) in args {
                    from.extend(value.reads());
                    if let Some(slot) = inner.slots.get_mut(slot.0 as usize) {
                        slot.value = Some(self.eval(scope, value)?);
                    }
                }
                self.mark_used(scope, &from);
                if let Some(slot) = bind.and_then(|slot| self.state.slot_mut(scope, slot)) {
                    slot.from = from;
                }
                let Some(start) = program.dialogue(dialogue).start else {
                    return Err(Failure::new("the flow has no node to start with"));
                };
                self.wait_for(Waits::Flow);
                self.state.scopes.push(inner);
                let index = self.state.scopes.len() - 1;
                self.state.frames.push(Frame::new(index, dialogue, FrameKind::Flow(*bind)));
                self.fill_defaults(index);
                self.enter(self.state.frames.len() - 1, start);
                Ok(())
            }
            StepKind::Set(slot, value) => {
                let reads = value.reads();
                self.mark_used(scope, &reads);
                let value = self.eval(scope, value)?;
                self.set(scope, *slot, value, reads)
            }
            StepKind::Clear(slots) => {
                for slot in slots {
                    self.clear(scope, *slot);
                }
                Ok(())
            }
            StepKind::Press(keys) => {
                let keys = self.template(scope, keys, Purpose::Request)?.text;
                if !self.is_chat() && !self.state.hung_up {
                    self.emit(Effect::PressKeys { keys });
                }
                Ok(())
            }
            StepKind::Transfer { number, mode, ring_ms, brief } => {
                self.transfer(scope, number, *mode, *ring_ms, brief.as_ref())
            }
            StepKind::Hole => Err(Failure::new("this step did not compile")),
        }
    }

    /// A step could not be done. What stands before the call may fail.
    pub(crate) fn step_failed(&mut self, activity: &Activity, failure: &Failure) {
        if !matches!(activity.steps, StepsOf::Hook(_)) {
            self.fail(failure);
        }
    }

    /// The block of `before call` with this index, or the next whose condition holds; after the
    /// last one the conversation starts.
    pub(crate) fn run_hook(&mut self, index: usize) {
        let program = Arc::clone(&self.prepared.program);
        let blocks = &declared(&program, self.state.agent).before_call;
        let applies = |call: &Self, block: &dgh_ir::HookBlock| {
            block.guard.as_ref().is_none_or(|guard| call.holds(0, guard).unwrap_or(false))
        };
        let next = blocks.iter().enumerate().skip(index).find(|(_, block)| applies(self, block));
        let Some((index, _)) = next else { return self.hooks_done() };
        self.state.activities.push(Activity {
            frame: 0,
            steps: StepsOf::Hook(index),
            next: 0,
            waits: Waits::No,
            then: Then::Hooks(index + 1),
        });
    }

    /// The running list waits for something.
    pub(crate) fn wait_for(&mut self, waits: Waits) {
        if let Some(activity) = self.state.activities.last_mut() {
            activity.waits = waits;
        }
    }

    /// The list that waits for something goes on.
    pub(crate) fn go_on(&mut self, waited: Waits) {
        let waiting = self.state.activities.iter_mut().rev().find(|a| a.waits == waited);
        if let Some(activity) = waiting {
            activity.waits = Waits::No;
        }
    }

    fn say(&mut self, scope: usize, text: &dgh_ir::Expr, uninterrupted: bool) -> Result<(), Failure> {
        self.may_speak(scope, text)?;
        let words = self.words(scope, text)?;
        let interruptible = !uninterrupted && self.interruptible();
        self.speak(words, true, interruptible, None);
        Ok(())
    }

    fn transfer(
        &mut self,
        scope: usize,
        number: &dgh_ir::Expr,
        mode: TransferMode,
        ring_ms: u64,
        brief: Option<&dgh_ir::Template>,
    ) -> Result<(), Failure> {
        let mut reads = number.reads();
        reads.extend(brief.map(dgh_ir::Template::reads).unwrap_or_default());
        self.mark_used(scope, &reads);
        let program = Arc::clone(&self.prepared.program);
        let number = dgh_ir::render_expr(&program, number, None, &self.view(scope), Purpose::Request)?;
        let brief = brief.map(|brief| self.template(scope, brief, Purpose::Writing)).transpose()?;
        self.wait_for(Waits::Transfer);
        if self.state.transfers {
            self.emit(Effect::Transfer {
                number: number.text,
                masked: number.masked,
                warm: mode == TransferMode::Warm,
                ring_ms,
                brief: brief.map(|brief| brief.text),
            });
        } else {
            self.transfer_outcome(Some(TransferFailureEvent::Unsupported));
        }
        Ok(())
    }

    /// The line can be transferred, whatever the channel.
    pub(crate) fn allow_transfers(&mut self) {
        self.state.transfers = true;
    }

    /// How a transfer ended.
    pub(crate) fn transfer_outcome(&mut self, failure: Option<TransferFailureEvent>) {
        if !self.state.activities.iter().any(|a| a.waits == Waits::Transfer) {
            return;
        }
        self.go_on(Waits::Transfer);
        let Some(failure) = failure else {
            self.state.transferred = true;
            self.webhooks(dgh_ir::CallEvent::Transferred);
            self.raise(&Raised::Transferred, Cause::Transferred);
            return;
        };
        let case = match failure {
            TransferFailureEvent::Busy => dgh_ir::TransferFailure::Busy,
            TransferFailureEvent::NoAnswer => dgh_ir::TransferFailure::NoAnswer,
            TransferFailureEvent::Declined => dgh_ir::TransferFailure::Declined,
            TransferFailureEvent::Failed => dgh_ir::TransferFailure::Failed,
            TransferFailureEvent::Unsupported => dgh_ir::TransferFailure::Unsupported,
        };
        self.state.spoke = false;
        if !self.raise(&Raised::TransferFailed(case), Cause::Dialogue) {
            self.fail(&Failure::new(format!("the transfer failed: {case}")));
        }
    }
}

/// The steps of a list.
pub(crate) fn steps_of(program: &Program, agent: AgentId, steps: StepsOf) -> &[Step] {
    let found = match steps {
        StepsOf::Hook(index) => {
            program.agents.get(agent).and_then(|a| a.before_call.get(index)).map(|b| &b.steps)
        }
        StepsOf::Node(dialogue, node) => program.dialogue(dialogue).nodes.get(node).map(|node| &node.steps),
        StepsOf::Route(dialogue, route) => {
            program.dialogue(dialogue).routes.get(route).map(|route| &route.block)
        }
    };
    found.map_or(&[], Vec::as_slice)
}
