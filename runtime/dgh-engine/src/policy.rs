//! Promises, asserted while the call runs: the checker has proven them, and this says so if the
//! proof has a hole.

use std::sync::Arc;

use dgh_ir::{DialogueId, Expr, Fact, NodeId, PolicyKind, Sink, SlotId, Value};

use crate::call::Call;
use crate::effect::Record;
use crate::event::AnsweredBy;
use crate::failure::Failure;
use crate::prepared::declared;
use crate::state::Scope;
use crate::view::View;

impl Call {
    /// `ensure A before B`: whether B may be entered.
    pub(crate) fn may_enter(&mut self, dialogue: DialogueId, node: NodeId) -> Result<(), Failure> {
        if dialogue != DialogueId::Agent(self.state.agent) {
            return Ok(());
        }
        let program = Arc::clone(&self.prepared.program);
        let agent = declared(&program, self.state.agent);
        for policy in &agent.policies {
            let PolicyKind::Ensure { fact, before } = &policy.kind else { continue };
            // `before everything` speaks of the start alone: a machine may answer at any moment.
            let concerned = (*before).or(agent.dialogue.start);
            let (holds, what) = match fact {
                Fact::Completed(first) => {
                    let concerns = concerned == Some(node) && node != *first;
                    let done = !concerns || self.state.completed.contains(&(dialogue, *first));
                    (done, agent.dialogue.nodes.get(*first).map_or("", |node| &node.name))
                }
                Fact::Holds(condition) => {
                    let concerns = concerned == Some(node);
                    (!concerns || self.holds(0, condition).unwrap_or(false), "its condition")
                }
            };
            if !holds {
                let name = agent.dialogue.nodes.get(node).map_or("", |node| &node.name);
                return Err(self.broken(format!("`{name}` may not be entered before {what}")));
            }
        }
        Ok(())
    }

    /// `always`: why a value may not be written. A promise about names that have no value yet
    /// does not speak.
    pub(crate) fn refuses(&mut self, scope: usize, slot: SlotId, value: &Value) -> Option<String> {
        let agent = DialogueId::Agent(self.state.agent);
        let current = self.state.scopes.get(scope).filter(|scope| scope.dialogue == agent)?;
        let program = Arc::clone(&self.prepared.program);
        let mut with_value: Option<Scope> = None;
        let mut broken = None;
        for policy in &declared(&program, self.state.agent).policies {
            let PolicyKind::Always { condition, reason } = &policy.kind else { continue };
            if !condition.reads().contains(&slot) {
                continue;
            }
            let names = with_value.get_or_insert_with(|| {
                let mut names = current.clone();
                if let Some(slot) = names.slots.get_mut(slot.0 as usize) {
                    slot.value = Some(value.clone());
                }
                names
            });
            let view = View { scope: Some(names), ..self.view(scope) };
            if dgh_ir::holds(&program, condition, &view) == Ok(false) {
                let name = program.dialogue(agent).slots.get(slot).map_or("", |slot| &slot.name);
                broken =
                    Some(reason.clone().unwrap_or_else(|| format!("this value does not fit for `{name}`")));
                break;
            }
        }
        let reason = broken?;
        self.record(Record::Policy { message: format!("refused a value: {reason}") });
        Some(reason)
    }

    /// `never x in speech, voicemail`: whether these words may be spoken.
    pub(crate) fn may_speak(&mut self, scope: usize, words: &Expr) -> Result<(), Failure> {
        let machine = self.state.answering.who == AnsweredBy::Voicemail;
        let sinks: &[Sink] = if machine { &[Sink::Speech, Sink::Voicemail] } else { &[Sink::Speech] };
        self.never(scope, &words.reads(), sinks)
    }

    /// `never x in tool`.
    pub(crate) fn may_send(&mut self, scope: usize, slots: &[SlotId]) -> Result<(), Failure> {
        self.never(scope, slots, &[Sink::Tool])
    }

    /// `never x in webhook`.
    pub(crate) fn may_deliver(&mut self, slots: &[SlotId]) -> Result<(), Failure> {
        self.never(0, slots, &[Sink::Webhook])
    }

    fn never(&mut self, scope: usize, slots: &[SlotId], into: &[Sink]) -> Result<(), Failure> {
        let agent = DialogueId::Agent(self.state.agent);
        if self.state.scopes.get(scope).is_none_or(|scope| scope.dialogue != agent) {
            return Ok(());
        }
        let program = Arc::clone(&self.prepared.program);
        for policy in &declared(&program, self.state.agent).policies {
            let PolicyKind::Never { slot, sinks } = &policy.kind else { continue };
            let sink = sinks.iter().find(|sink| into.contains(sink));
            if let Some(sink) = sink.filter(|_| slots.contains(slot)) {
                let name = program.dialogue(agent).slots.get(*slot).map_or("", |slot| &slot.name);
                return Err(self.broken(format!("`{name}` must never go to {sink}")));
            }
        }
        Ok(())
    }

    fn broken(&mut self, message: String) -> Failure {
        self.record(Record::Policy { message: message.clone() });
        Failure(message)
    }
}
