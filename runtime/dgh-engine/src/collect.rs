//! What the caller tells: values are noted, corrected, declined, read back and confirmed.

use std::sync::Arc;

use dgh_ir::convert::from_json;
use dgh_ir::{Expr, Node, Program, SlotId, Value};
use serde_json::Value as Json;

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;
use crate::functions::DECLINED;
use crate::prepared::Noteable;
use crate::state::{Owes, ReadBack};
use crate::visible::Raised;
use crate::words;

/// Percent of a recogniser that is not sure, for `confirm: unsure`.
pub(crate) const UNSURE_BELOW: u8 = 60;

/// What the notes of a reply did.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Names whose value changed, or that were declined.
    pub(crate) changed: Vec<SlotId>,
    /// Used names that the caller wants to change, and to what.
    pub(crate) corrections: Vec<(SlotId, Value)>,
    /// Private names among what was said.
    pub(crate) private: Vec<String>,
}

/// What a noted value turned out to be.
enum Meant {
    /// This value, made from these names.
    Value(Value, Vec<SlotId>),
    /// Nothing: a model filled in what was not said.
    Nothing,
}

impl Call {
    /// Applies the notes of a reply. What does not fit is refused, and the next card says so.
    pub(crate) fn apply_notes(&mut self, notes: &[(String, Json)], unsure: bool) -> Noted {
        let mut noted = Noted::default();
        for (name, json) in notes {
            match self.note(name, json, unsure, &mut noted) {
                Ok(()) => {}
                Err(failure) => self.refuse(failure.0),
            }
        }
        noted
    }

    fn note(&mut self, name: &str, json: &Json, unsure: bool, noted: &mut Noted) -> Result<(), Failure> {
        let prepared = Arc::clone(&self.prepared);
        let program = &prepared.program;
        let (scope, dialogue) = (self.scope(), self.dialogue());
        let slots = &program.dialogue(dialogue).slots;
        let noteable = prepared
            .noteable(dialogue)
            .iter()
            .find(|noteable| slots.get(noteable.slot).is_some_and(|slot| slot.name == name));
        let Some(noteable) = noteable.filter(|n| self.may_note(program, n)) else {
            return Err(Failure(format!("`{name}` cannot be noted here")));
        };
        let slot = noteable.slot;
        let known = self.state.slot(scope, slot).cloned().unwrap_or_default();
        if known.cleared_in.is_some_and(|turn| turn >= self.state.counts.turns) {
            return Err(Failure(format!("`{name}` was just taken back; ask for it again")));
        }
        let (value, from) = match self.meant(program, name, noteable, json)? {
            Meant::Value(value, from) => (value, from),
            Meant::Nothing => return Ok(()),
        };
        if self.declared_private(scope, slot) && value != Value::None {
            noted.private.push(name.to_owned());
        }
        if known.value.as_ref() == Some(&value) {
            if known.disputed {
                self.take_value(scope, slot, value, known.from, unsure);
                noted.changed.push(slot);
            }
            return Ok(());
        }
        if let Some(reason) = self.refuses(scope, slot, &value) {
            return Err(Failure(format!("`{name}`: {reason}")));
        }
        if known.used {
            noted.corrections.retain(|(other, _)| *other != slot);
            noted.corrections.push((slot, value));
            return Ok(());
        }
        self.take_value(scope, slot, value, from, unsure);
        noted.changed.push(slot);
        Ok(())
    }

    /// Gives a name the value that the caller said.
    pub(crate) fn take_value(
        &mut self,
        scope: usize,
        slot: SlotId,
        value: Value,
        from: Vec<SlotId>,
        unsure: bool,
    ) {
        self.write(scope, slot, value);
        if let Some(known) = self.state.slot_mut(scope, slot) {
            known.from = from;
            known.unsure = unsure;
            known.confirmed = false;
            known.cleared_in = None;
        }
        // Who says what was wrong says that the rest is right; the read-back asks anyway.
        for known in self.state.scopes.get_mut(scope).into_iter().flat_map(|s| &mut s.slots) {
            known.disputed = false;
        }
    }

    /// What a noted value stands for: one of the list, nothing at all, or a value of the type.
    fn meant(
        &self,
        program: &Program,
        name: &str,
        noteable: &Noteable,
        json: &Json,
    ) -> Result<Meant, Failure> {
        let slots = &program.dialogue(self.dialogue()).slots;
        let Some(declared) = slots.get(noteable.slot) else { return Ok(Meant::Nothing) };
        let declined = json.as_str() == Some(DECLINED);
        if json.is_null() || declined {
            let asked = self.node(program).and_then(|node| node.collect.as_ref());
            let asked = asked.is_some_and(|collect| collect.slots.contains(&noteable.slot));
            return match declared.ty.optional {
                true if asked || declined => Ok(Meant::Value(Value::None, Vec::new())),
                _ if declined => Err(Failure(format!("`{name}` is needed and cannot be declined"))),
                _ => Ok(Meant::Nothing),
            };
        }
        if let Some(list) = self.list_of(program, noteable.slot) {
            let options = self.options(list)?;
            let number = json.as_i64().or_else(|| json.as_str()?.trim().parse().ok());
            let index = number.and_then(|n| usize::try_from(n.checked_sub(1)?).ok());
            let picked = index.and_then(|index| options.get(index));
            return match picked {
                Some(value) => Ok(Meant::Value(value.clone(), list.reads())),
                None => Err(Failure(format!("`{name}` takes a number from 1 to {}", options.len()))),
            };
        }
        let locale = self.prepared.agent(self.state.agent).locale;
        let value = from_json(program, &declared.ty, json, locale)
            .map_err(|error| Failure(format!("`{name}` takes {}", error.expected)))?;
        Ok(Meant::Value(value, Vec::new()))
    }

    /// Whether a model may note a name in the current node.
    pub(crate) fn may_note(&self, program: &Program, noteable: &Noteable) -> bool {
        let collect = self.node(program).and_then(|node| node.collect.as_ref());
        let here = collect.filter(|collect| collect.slots.contains(&noteable.slot));
        let by_keys = here.is_some_and(|collect| collect.by == dgh_ir::InputMode::Keypad);
        !noteable.keypad_only && !by_keys && (here.is_some() || !noteable.picked)
    }

    /// The list from which a name is picked in the current node.
    pub(crate) fn list_of<'p>(&self, program: &'p Program, slot: SlotId) -> Option<&'p Expr> {
        let collect = self.node(program)?.collect.as_ref()?;
        collect.slots.contains(&slot).then_some(collect.from.as_ref()).flatten()
    }

    /// The entries of a list.
    pub(crate) fn options(&self, list: &Expr) -> Result<Vec<Value>, Failure> {
        match self.eval(self.scope(), list)? {
            Value::List(items) => Ok(items),
            _ => Err(Failure::new("there is nothing to pick from")),
        }
    }

    /// The caller's answer to the read-back. Answers whether it confirmed.
    pub(crate) fn apply_confirm(&mut self, yes: bool, noted: &Noted) -> bool {
        let scope = self.scope();
        let Some(frame) = self.state.frames.last_mut() else { return false };
        // A change has made the read-back void already.
        let Some(read_back) = frame.read_back.clone() else { return false };
        if yes && !read_back.heard {
            // They said yes to words that they did not hear: say them again.
            frame.read_back = None;
            return false;
        }
        frame.read_back = None;
        for slot in &read_back.slots {
            let Some(known) = self.state.slot_mut(scope, *slot) else { continue };
            if yes {
                known.confirmed = true;
                known.reconfirm = false;
                known.unsure = false;
            } else {
                // Who says what is wrong says that the rest is right.
                known.disputed = noted.changed.is_empty();
            }
        }
        if !yes && read_back.slots.len() == 1 && noted.changed.is_empty() {
            for slot in &read_back.slots {
                self.clear_disputed(scope, *slot);
            }
        }
        if !yes {
            self.state
                .remarks
                .push("The caller said that the read-back is not right. Find out what to change.".into());
        }
        yes
    }

    /// One value that is not right is asked for again; of several, nobody knows which.
    fn clear_disputed(&mut self, scope: usize, slot: SlotId) {
        self.clear(scope, slot);
        if let Some(known) = self.state.slot_mut(scope, slot) {
            // The turn that said no may have held the right one; what follows may fill it.
            known.cleared_in = None;
        }
    }

    /// Speaks the read-back that is due, in exact words. Answers whether there was one.
    pub(crate) fn read_back(&mut self) -> bool {
        let Some(frame) = self.top() else { return false };
        if frame.read_back.is_some() || self.is_asking(frame) {
            return false;
        }
        let slots = self.unconfirmed(frame);
        if slots.is_empty() {
            return false;
        }
        let program = Arc::clone(&self.prepared.program);
        let scope = self.scope();
        let declared = &program.dialogue(self.dialogue()).slots;
        let items: Vec<(String, String)> = slots
            .iter()
            .filter_map(|id| {
                let slot = declared.get(*id)?;
                let value = self.state.slot(scope, *id)?.value.as_ref()?;
                Some((slot.name.replace('_', " "), self.said(&program, &slot.ty, value)))
            })
            .collect();
        let text = words::read_back(&self.state.language, &items);
        let interruptible = self.interruptible();
        let rendered = dgh_ir::Rendered { masked: text.clone(), text, muted: Vec::new() };
        let Some(utterance) = self.speak(rendered, true, interruptible, None) else { return false };
        let heard = self.is_chat();
        let masked = self.last_words();
        if let Some(frame) = self.top_mut() {
            frame.read_back = Some(ReadBack { slots, masked, utterance, heard });
        }
        true
    }

    /// Something of the node's `collect` is still missing: it comes before the read-back.
    fn is_asking(&self, frame: &crate::state::Frame) -> bool {
        let program = &self.prepared.program;
        let scope = frame.scope;
        let own = |node: &Node| {
            let collect = node.collect.as_ref()?;
            let due = self.unconfirmed(frame);
            let reconfirm = due.iter().any(|slot| !collect.slots.contains(slot));
            let missing = collect
                .slots
                .iter()
                .any(|slot| self.state.slot(scope, *slot).is_none_or(|s| s.value.is_none() || s.disputed));
            Some(missing && !reconfirm)
        };
        self.node(program).and_then(own).unwrap_or(false)
    }

    fn last_words(&self) -> String {
        match self.state.history.last() {
            Some(crate::state::Said::Agent(_, text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A turn with a `collect` that changed none of it. Answers whether it was the last try.
    pub(crate) fn count_try(&mut self) -> bool {
        let last = self.is_last_try();
        let has_collect = self.node(&self.prepared.program).is_some_and(|node| node.collect.is_some());
        if let Some(frame) = self.top_mut().filter(|_| has_collect) {
            frame.tries += 1;
        }
        last
    }

    /// Whether one more try raises `failed(collect)`, and something is done about it.
    pub(crate) fn may_fail_collect(&self) -> bool {
        self.is_last_try() && self.handler(&Raised::FailedCollect).is_some()
    }

    fn is_last_try(&self) -> bool {
        let collect = self.node(&self.prepared.program).and_then(|node| node.collect.as_ref());
        let (Some(collect), Some(frame)) = (collect, self.top()) else { return false };
        let most = match collect.tries.as_ref().map(|tries| self.eval(frame.scope, tries)) {
            Some(Ok(Value::Int(tries))) => u32::try_from(tries.max(1)).unwrap_or(u32::MAX),
            _ => dgh_ir::COLLECT_TRIES,
        };
        frame.tries.saturating_add(1) >= most
    }

    /// Records what was refused, and tells the model.
    pub(crate) fn refuse(&mut self, message: String) {
        self.state.remarks.push(format!("Not accepted: {message}."));
        self.record(Record::Refused { message });
    }

    /// The next turn begins with what was learned: words are owed.
    pub(crate) fn owe_words(&mut self) {
        self.state.owes = Owes::Words;
    }
}
