//! What the names of a file stand for: its own items and what it imports.
//!
//! One namespace per file. All files that the entry reaches are read first, so that the order of
//! items and files decides nothing.

mod declare;
pub(crate) mod library;
mod limits;

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use dgh_diag::{FileId, Place};
use dgh_ir::program::{AgentId, EnumId, FlowId, KnowledgeId, McpId, PhraseId, RecordId, ToolId};

use crate::input::FileOrigin;
use crate::report::ItemKind;

pub(crate) use declare::{declare, empty_knowledge, empty_request, whole_span};

/// What a name of a file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    Enum(EnumId),
    Record(RecordId),
    /// An index into the constants.
    Const(usize),
    Tool(ToolId),
    Mcp(McpId),
    Phrase(PhraseId),
    Knowledge(KnowledgeId),
    Agent(AgentId),
    Flow(FlowId),
    /// Did not resolve; already reported.
    Hole,
}

impl Named {
    /// What it is, with its article.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Enum(_) => "an enum",
            Self::Record(_) => "a type",
            Self::Const(_) => "a constant",
            Self::Tool(_) => "a tool",
            Self::Mcp(_) => "an MCP server",
            Self::Phrase(_) => "a phrase",
            Self::Knowledge(_) => "knowledge",
            Self::Agent(_) => "an agent",
            Self::Flow(_) => "a flow",
            Self::Hole => "unknown",
        }
    }

    /// How a leftover of it is reported; agents are never left over.
    pub(crate) fn item_kind(self) -> Option<ItemKind> {
        Some(match self {
            Self::Enum(_) | Self::Record(_) => ItemKind::Type,
            Self::Const(_) => ItemKind::Const,
            Self::Tool(_) => ItemKind::Tool,
            Self::Mcp(_) => ItemKind::Mcp,
            Self::Phrase(_) => ItemKind::Phrase,
            Self::Knowledge(_) => ItemKind::Knowledge,
            Self::Flow(_) => ItemKind::Flow,
            Self::Agent(_) | Self::Hole => return None,
        })
    }
}

/// A name of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) named: Named,
    /// The name where it is declared or imported.
    pub(crate) place: Place,
    /// The whole item, or the name with its comma in an import.
    pub(crate) whole: Place,
    pub(crate) imported: bool,
    /// Whether anything refers to it.
    pub(crate) used: Cell<bool>,
}

/// The names of a file.
#[derive(Debug)]
pub(crate) struct FileScope {
    pub(crate) id: FileId,
    pub(crate) origin: FileOrigin,
    pub(crate) names: HashMap<String, Entry>,
    /// Names in the order in which they stand, for messages that do not depend on hashing.
    pub(crate) order: Vec<String>,
    /// The name that an enum has here: its cases are written without it.
    pub(crate) enums: HashMap<EnumId, String>,
    /// Words inside of text that the parser could not read: what looks unknown may be declared
    /// there.
    pub(crate) lost: HashSet<String>,
}

impl FileScope {
    /// What a name stands for; it counts as used.
    pub(crate) fn get(&self, name: &str) -> Option<Named> {
        let entry = self.names.get(name)?;
        entry.used.set(true);
        Some(entry.named)
    }

    /// Says that a case of an enum is written here: whoever declares or imports it uses it.
    pub(crate) fn use_enum(&self, id: EnumId) {
        if let Some(entry) = self.enums.get(&id).and_then(|name| self.names.get(name)) {
            entry.used.set(true);
        }
    }

    /// Adds a name.
    pub(crate) fn insert(&mut self, name: String, entry: Entry) {
        if let Named::Enum(id) = entry.named {
            self.enums.insert(id, name.clone());
        }
        self.order.push(name.clone());
        self.names.insert(name, entry);
    }

    /// What a name stands for, without using it.
    pub(crate) fn peek(&self, name: &str) -> Option<Named> {
        self.names.get(name).map(|e| e.named)
    }

    /// The names for which `wanted` holds, in order.
    pub(crate) fn names_of(&self, wanted: impl Fn(Named) -> bool) -> Vec<&str> {
        let known = |name: &&String| self.names.get(*name).is_some_and(|e| wanted(e.named));
        self.order.iter().filter(known).map(String::as_str).collect()
    }

    /// Whether the file is of the standard library and may use what only that may.
    pub(crate) fn is_library(&self) -> bool {
        self.origin != FileOrigin::Bundle
    }
}
