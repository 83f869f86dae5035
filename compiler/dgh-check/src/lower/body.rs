//! What an expression may name at its place: a dialogue, the parameters of a tool, nothing.

use std::collections::HashMap;

use dgh_diag::Place;
use dgh_ir::program::{
    DialogueId, EnumId, KnowledgeId, NodeId, OutcomeId, Param, Slot, SlotId, SlotKind, WebhookId,
};
use dgh_ir::{Arena, Type};

/// The names of a dialogue.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) id: DialogueId,
    pub(crate) slots: Arena<SlotId, Slot>,
    pub(crate) by_name: HashMap<String, SlotId>,
    pub(crate) nodes: HashMap<String, (NodeId, Place)>,
    /// Names of the nodes in the order of their ids.
    pub(crate) node_names: Vec<String>,
    pub(crate) outcomes: HashMap<String, OutcomeId>,
    pub(crate) outcome_enum: Option<EnumId>,
    /// What a flow returns.
    pub(crate) result: Option<Type>,
    pub(crate) webhooks: HashMap<String, WebhookId>,
    /// Knowledge of the agent, with the index of its leftover.
    pub(crate) knowledge: HashMap<String, (KnowledgeId, usize)>,
}

impl Body {
    pub(crate) fn new(id: DialogueId) -> Self {
        Self {
            id,
            slots: Arena::new(),
            by_name: HashMap::new(),
            nodes: HashMap::new(),
            node_names: Vec::new(),
            outcomes: HashMap::new(),
            outcome_enum: None,
            result: None,
            webhooks: HashMap::new(),
            knowledge: HashMap::new(),
        }
    }

    /// Adds a slot, unless the name is taken.
    pub(crate) fn add(&mut self, slot: Slot) -> Result<SlotId, SlotId> {
        if let Some(first) = self.by_name.get(&slot.name) {
            return Err(*first);
        }
        let name = slot.name.clone();
        let id = self.slots.push(slot);
        self.by_name.insert(name, id);
        Ok(id)
    }

    pub(crate) fn slot(&self, name: &str) -> Option<(SlotId, &Slot)> {
        let id = *self.by_name.get(name)?;
        Some((id, self.slots.get(id)?))
    }

    /// Names of the slots for which `wanted` holds, in order.
    pub(crate) fn slot_names(&self, wanted: impl Fn(SlotKind) -> bool) -> Vec<&str> {
        self.slots.iter().filter(|(_, s)| wanted(s.kind)).map(|(_, s)| s.name.as_str()).collect()
    }

    pub(crate) fn node_list(&self) -> Vec<&str> {
        self.node_names.iter().map(String::as_str).collect()
    }

    pub(crate) fn is_flow(&self) -> bool {
        matches!(self.id, DialogueId::Flow(_))
    }

    pub(crate) fn is_last(&self) -> bool {
        matches!(self.id, DialogueId::Last)
    }
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cx<'s> {
    /// The file.
    pub(crate) file: usize,
    /// What has a name here.
    pub(crate) names: Names<'s>,
    /// Whether `secret.NAME` may stand here.
    pub(crate) secrets: bool,
    /// Whether records may stand in a text: a `prompt`, where the model gets them as JSON.
    pub(crate) json: bool,
}

/// What has a name at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Names<'s> {
    /// Constants and configuration alone.
    Fixed,
    /// A setting of an agent, read before the call: its variables are known and may not be used.
    Setting(&'s Body),
    /// The parameters of a tool.
    Params(&'s [Param]),
    /// A dialogue.
    Body(&'s Body),
    /// What a test expects of a dialogue.
    Test(&'s Body),
}

impl<'s> Cx<'s> {
    pub(crate) fn new(file: usize, names: Names<'s>) -> Self {
        Self { file, names, secrets: false, json: false }
    }

    pub(crate) fn fixed(file: usize) -> Self {
        Self::new(file, Names::Fixed)
    }

    pub(crate) fn body(file: usize, body: &'s Body) -> Self {
        Self::new(file, Names::Body(body))
    }

    pub(crate) fn with_secrets(self) -> Self {
        Self { secrets: true, ..self }
    }

    pub(crate) fn with_json(self) -> Self {
        Self { json: true, ..self }
    }

    /// The dialogue, where its variables may be read.
    pub(crate) fn dialogue(&self) -> Option<&'s Body> {
        match self.names {
            Names::Body(body) | Names::Test(body) => Some(body),
            Names::Fixed | Names::Setting(_) | Names::Params(_) => None,
        }
    }

    /// All names that a value may have here, for suggestions.
    pub(crate) fn value_names(&self) -> Vec<&'s str> {
        match self.names {
            Names::Fixed | Names::Setting(_) => Vec::new(),
            Names::Params(params) => params.iter().map(|p| p.name.as_str()).collect(),
            Names::Body(body) | Names::Test(body) => body.slot_names(|_| true),
        }
    }
}
