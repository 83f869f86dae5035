//! What somebody who watches a call does in it. It is a fact like any other: logged, and done again
//! by a replay.

use std::sync::Arc;

use dgh_ir::program::SlotKind;
use dgh_ir::{CallEvent, Rendered, from_json};
use serde_json::Value as Json;

use crate::call::Call;
use crate::effect::{Effect, Record};
use crate::event::{Command, TransferFailureEvent};
use crate::prepared::declared;
use crate::state::{EndedBy, Owes, Phase, Timer, Waits};

impl Call {
    /// Does what an operator wants, or records why not.
    pub(crate) fn operator(&mut self, command: Command) {
        if self.state.phase != Phase::Live || self.state.hung_up || self.state.transferring {
            return self.refuse_operator(&command, "the call is not in conversation");
        }
        match command {
            Command::Say { text } => self.operator_says(&text),
            Command::Whisper { text } => self.operator_whispers(&text),
            Command::Set { name, value } => self.operator_sets(&name, &value),
            Command::Transfer { number, warm, ring_ms } => self.operator_transfers(number, warm, ring_ms),
        }
    }

    /// How a transfer of an operator's ended. False: it was none.
    pub(crate) fn operator_transferred(&mut self, failure: Option<TransferFailureEvent>) -> bool {
        if !std::mem::take(&mut self.state.transferring) {
            return false;
        }
        let Some(failure) = failure else {
            self.state.transferred = true;
            self.webhooks(CallEvent::Transferred);
            self.finish(None, EndedBy::Transfer);
            return true;
        };
        let failure = format!("{failure:?}").to_lowercase();
        self.record(Record::Operator { did: "transfer".into(), note: Some(format!("it failed: {failure}")) });
        // The caller was left waiting: the agent takes the conversation up again.
        self.state.owes = Owes::Words;
        true
    }

    fn operator_says(&mut self, text: &str) {
        self.record(Record::Operator { did: "say".into(), note: None });
        let masked = self.mask(text);
        self.speak(Rendered { text: text.to_owned(), masked, muted: Vec::new() }, true, true, None);
    }

    fn operator_whispers(&mut self, text: &str) {
        let text = self.mask(text);
        self.record(Record::Operator { did: "whisper".into(), note: Some(text.clone()) });
        self.state.remarks.push(format!("A supervisor who listens tells you alone: {text}"));
    }

    fn operator_sets(&mut self, name: &str, value: &Json) {
        let command = Command::Set { name: name.to_owned(), value: Json::Null };
        let program = Arc::clone(&self.prepared.program);
        let agent = declared(&program, self.state.agent);
        let slot = agent
            .dialogue
            .slot(name)
            .filter(|slot| agent.dialogue.slots.get(*slot).is_some_and(|slot| slot.kind == SlotKind::Var));
        let Some(slot) = slot else {
            return self.refuse_operator(&command, "the agent has no `var` of this name");
        };
        let Some(declared) = agent.dialogue.slots.get(slot) else { return };
        let Ok(value) = from_json(&program, &declared.ty, value, agent.locale()) else {
            // Not which: it may be private.
            return self.refuse_operator(&command, "the value is of another type");
        };
        self.record(Record::Operator { did: "set".into(), note: Some(name.to_owned()) });
        if let Err(failure) = self.set(0, slot, value, Vec::new()) {
            self.refuse_operator(&command, &failure.0);
        }
    }

    fn operator_transfers(&mut self, number: String, warm: bool, ring_ms: u64) {
        let rings = self.state.activities.iter().any(|activity| activity.waits == Waits::Transfer);
        if rings || !self.state.transfers {
            let why = if rings { "the agent is transferring it" } else { "this line cannot be transferred" };
            return self.refuse_operator(&Command::Transfer { number, warm, ring_ms }, why);
        }
        let masked = self.mask(&number);
        self.record(Record::Operator { did: "transfer".into(), note: Some(masked.clone()) });
        self.stop_reply();
        self.drop_speech();
        self.state.timers.remove(&Timer::Silence);
        self.state.timers.remove(&Timer::Slow);
        self.state.transferring = true;
        self.emit(Effect::Transfer { number, masked, warm, ring_ms, brief: None });
    }

    fn refuse_operator(&mut self, command: &Command, why: &str) {
        self.record(Record::Operator { did: command.name().into(), note: Some(format!("refused: {why}")) });
    }
}
