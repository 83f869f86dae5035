//! Giving names their values, and taking them away.

use std::sync::Arc;

use dgh_ir::{Kind, SlotId, Value, shown};

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;

impl Call {
    /// `set x = …`
    pub(crate) fn set(
        &mut self,
        scope: usize,
        slot: SlotId,
        value: Value,
        from: Vec<SlotId>,
    ) -> Result<(), Failure> {
        if let Some(reason) =
            self.out_of_range(scope, slot, &value).or_else(|| self.refuses(scope, slot, &value))
        {
            return Err(Failure(reason));
        }
        self.write(scope, slot, value);
        if let Some(slot) = self.state.slot_mut(scope, slot) {
            slot.from = from;
            slot.used = false;
            slot.reconfirm = false;
        }
        Ok(())
    }

    /// Why a number does not go into a name with a range.
    fn out_of_range(&self, scope: usize, slot: SlotId, value: &Value) -> Option<String> {
        let dialogue = self.state.scopes.get(scope)?.dialogue;
        let slot = self.prepared.program.dialogue(dialogue).slots.get(slot)?;
        match (&slot.ty.kind, value) {
            (Kind::IntRange(low, high), Value::Int(n)) if n < low || n > high => {
                Some(format!("`{}` takes a number from {low} to {high}, not {n}", slot.name))
            }
            _ => None,
        }
    }

    /// `as x`: what a tool or a flow answered. What was picked from the list before is gone.
    pub(crate) fn bind(&mut self, scope: usize, slot: SlotId, value: Value) -> Result<(), Failure> {
        if let Some(reason) = self.refuses(scope, slot, &value) {
            return Err(Failure(reason));
        }
        for picked in self.picked_from(scope, slot) {
            self.clear(scope, picked);
        }
        self.write(scope, slot, value);
        if let Some(slot) = self.state.slot_mut(scope, slot) {
            slot.used = false;
            slot.reconfirm = false;
        }
        Ok(())
    }

    /// `clear x`: unsets it and what was computed from it; the caller may change it again, in a
    /// later turn.
    pub(crate) fn clear(&mut self, scope: usize, slot: SlotId) {
        let mut open = vec![slot];
        let mut cleared: Vec<SlotId> = Vec::new();
        while let Some(id) = open.pop() {
            if cleared.contains(&id) {
                continue;
            }
            cleared.push(id);
            let Some(names) = self.state.scopes.get(scope).map(|scope| &scope.slots) else { return };
            for (index, other) in names.iter().enumerate() {
                if other.value.is_some() && other.from.contains(&id) {
                    open.push(SlotId(u32::try_from(index).unwrap_or(u32::MAX)));
                }
            }
        }
        let turn = self.state.counts.turns;
        for id in cleared {
            let Some(known) = self.state.slot_mut(scope, id) else { continue };
            let was_set = known.value.is_some();
            *known = crate::state::Slot { cleared_in: Some(turn), ..Default::default() };
            self.forget_read_back(id);
            if was_set {
                self.record_value(scope, id);
            }
        }
    }

    /// Writes a value that is allowed, and records it.
    pub(crate) fn write(&mut self, scope: usize, slot: SlotId, value: Value) {
        let Some(known) = self.state.slot_mut(scope, slot) else { return };
        if known.value.as_ref() != Some(&value) {
            known.reconfirm |= known.confirmed;
            known.confirmed = false;
        }
        known.disputed = false;
        known.value = Some(value);
        self.forget_read_back(slot);
        self.record_value(scope, slot);
        let private = self.declared_private(scope, slot);
        if private {
            self.mask_the_past();
        }
    }

    /// Marks names as read by a `call`, `run`, `transfer`, `if` or `set`.
    pub(crate) fn mark_used(&mut self, scope: usize, slots: &[SlotId]) {
        for slot in slots {
            if let Some(slot) = self.state.slot_mut(scope, *slot) {
                slot.used = slot.value.is_some();
            }
        }
    }

    /// A value that changed makes the read-back that names it void.
    fn forget_read_back(&mut self, slot: SlotId) {
        if let Some(frame) = self.state.frames.last_mut()
            && frame.read_back.as_ref().is_some_and(|read_back| read_back.slots.contains(&slot))
        {
            frame.read_back = None;
        }
    }

    fn record_value(&mut self, scope: usize, slot: SlotId) {
        let program = Arc::clone(&self.prepared.program);
        let Some(dialogue) = self.state.scopes.get(scope).map(|scope| scope.dialogue) else { return };
        let Some(declared) = program.dialogue(dialogue).slots.get(slot) else { return };
        let value = self.state.slot(scope, slot).and_then(|slot| slot.value.as_ref());
        let shown = value.map(|value| shown(&program, &declared.ty, &declared.name, value));
        self.record(Record::Value {
            dialogue: program.dialogue_name(dialogue).into(),
            name: declared.name.clone(),
            shown,
        });
    }

    pub(crate) fn declared_private(&self, scope: usize, slot: SlotId) -> bool {
        let Some(scope) = self.state.scopes.get(scope) else { return false };
        let slots = &self.prepared.program.dialogue(scope.dialogue).slots;
        slots.get(slot).is_some_and(|slot| holds_private(&self.prepared.program, &slot.ty))
    }

    /// Names that were picked from a list.
    fn picked_from(&self, scope: usize, list: SlotId) -> Vec<SlotId> {
        let Some(names) = self.state.scopes.get(scope) else { return Vec::new() };
        let noteable = self.prepared.noteable(names.dialogue).iter();
        noteable
            .filter(|noteable| noteable.picked)
            .map(|noteable| noteable.slot)
            .filter(|id| {
                let known = self.state.slot(scope, *id);
                known.is_some_and(|known| known.value.is_some() && known.from.contains(&list))
            })
            .collect()
    }
}

/// Whether a type is private, or holds what is.
fn holds_private(program: &dgh_ir::Program, ty: &dgh_ir::Type) -> bool {
    fn look(program: &dgh_ir::Program, ty: &dgh_ir::Type, depth: usize) -> bool {
        ty.private
            || match &ty.kind {
                dgh_ir::Kind::List(item) => depth > 0 && look(program, item, depth - 1),
                dgh_ir::Kind::Record(id) => {
                    depth > 0
                        && program
                            .records
                            .get(*id)
                            .is_some_and(|def| def.fields.iter().any(|f| look(program, &f.ty, depth - 1)))
                }
                _ => false,
            }
    }
    // A record inside itself is refused by the checker; this ends all the same.
    look(program, ty, 8)
}
