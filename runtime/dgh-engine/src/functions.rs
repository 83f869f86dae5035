//! The functions that a model may call: one list for the whole call, so that the provider's
//! cache of the prompt holds. What may be called *now* is on the card.

use std::collections::BTreeMap;

use dgh_ir::convert::{object_schema, schema};
use dgh_ir::{Decider, DialogueId, Program, ToolRef, Type};
use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value as Json, json};

use crate::prepared::PreparedDialogue;
use crate::reply::Function;

/// Chooses a route.
pub const GO: &str = "go";
/// Learns values.
pub const NOTE: &str = "note";
/// Answers a read-back.
pub const CONFIRM: &str = "confirm";
/// Says that the caller could not be understood.
pub const UNCLEAR: &str = "unclear";
/// What a model notes for a `T?` that the caller does not want to tell.
pub const DECLINED: &str = "declined";

/// Longest name that every provider takes.
const NAME_LENGTH: usize = 64;

/// The functions of an agent, those of the dialogue first, then its tools.
pub(crate) fn list(
    program: &Program,
    dialogues: &[DialogueId],
    prepared: &BTreeMap<DialogueId, PreparedDialogue>,
    tools: &IndexMap<String, ToolRef>,
) -> Vec<Function> {
    let mut functions = vec![go(program, dialogues)];
    functions.push(note(program, dialogues, prepared));
    functions.push(Function {
        name: CONFIRM.into(),
        description: "Answer of the caller to the read-back that is pending. If they change \
                      something, call `note` with the change instead."
            .into(),
        parameters: json!({
            "type": "object",
            "properties": { "answer": { "type": "string", "enum": ["yes", "no"] } },
            "required": ["answer"],
            "additionalProperties": false,
        }),
    });
    functions.push(Function {
        name: UNCLEAR.into(),
        description: "The caller's words could not be understood at all, or were not meant for \
                      you. Call it alone and say nothing."
            .into(),
        parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    });
    functions.extend(tools.iter().map(|(name, tool)| function(program, name, tool)));
    functions
}

/// The names of the tools that nodes of these dialogues may use. An MCP server without a list is
/// spelled out by what is pinned.
pub(crate) fn tool_names(program: &Program, dialogues: &[DialogueId]) -> IndexMap<String, ToolRef> {
    let mut used: IndexSet<ToolRef> = IndexSet::new();
    for id in dialogues {
        for (_, node) in program.dialogue(*id).nodes.iter() {
            used.extend(node.uses.iter().flat_map(|tool| spelled_out(program, tool)));
        }
    }
    let mut names: IndexMap<String, ToolRef> = IndexMap::new();
    for tool in used {
        let name = free_name(&names, &wanted_name(program, &tool));
        names.insert(name, tool);
    }
    names
}

/// A server without a tool's name stands for each of its tools.
pub(crate) fn spelled_out(program: &Program, tool: &ToolRef) -> Vec<ToolRef> {
    let ToolRef::Mcp(server, None) = tool else {
        return if *tool == ToolRef::Hole { Vec::new() } else { vec![tool.clone()] };
    };
    let Some(mcp) = program.mcps.get(*server) else { return Vec::new() };
    let allowed = |name: &str| mcp.allow.as_ref().is_none_or(|a| a.iter().any(|n| n == name));
    let pinned = mcp.tools.iter().flatten().map(|tool| tool.name.as_str());
    // Without a lock only the names that the program itself writes are known.
    let written = mcp.allow.iter().flatten().map(String::as_str).filter(|_| mcp.tools.is_none());
    pinned
        .filter(|name| allowed(name))
        .chain(written)
        .map(|name| ToolRef::Mcp(*server, Some(name.into())))
        .collect()
}

fn go(program: &Program, dialogues: &[DialogueId]) -> Function {
    let mut labels: IndexSet<&str> = IndexSet::new();
    for id in dialogues {
        for (_, route) in program.dialogue(*id).routes.iter() {
            if let Decider::When(when) = &route.decider {
                labels.insert(&when.label);
            }
        }
    }
    let label = if labels.is_empty() {
        json!({ "type": "string" })
    } else {
        json!({ "type": "string", "enum": labels })
    };
    Function {
        name: GO.into(),
        description: "Choose one of the labels on the card when it applies to what the caller \
                      just said. Say nothing then: the conversation goes on from there."
            .into(),
        parameters: json!({
            "type": "object",
            "properties": { "label": label },
            "required": ["label"],
            "additionalProperties": false,
        }),
    }
}

fn note(
    program: &Program,
    dialogues: &[DialogueId],
    prepared: &BTreeMap<DialogueId, PreparedDialogue>,
) -> Function {
    let mut properties: Map<String, Json> = Map::new();
    for id in dialogues {
        let slots = &program.dialogue(*id).slots;
        for noteable in prepared.get(id).map_or(&[][..], |dialogue| &dialogue.noteable) {
            let Some(slot) = slots.get(noteable.slot).filter(|_| !noteable.keypad_only) else {
                continue;
            };
            let property = property(program, &slot.ty, slot.about.as_deref(), noteable.picked);
            match properties.get_mut(&slot.name) {
                None => drop(properties.insert(slot.name.clone(), property)),
                Some(known) if *known == property => {}
                // Two dialogues use one name for different things; the card says which is meant.
                Some(known) => {
                    let other = known.take();
                    *known = json!({ "anyOf": [other, property] });
                }
            }
        }
    }
    Function {
        name: NOTE.into(),
        description: "Write down what the caller told you, and only that: leave out what they \
                      did not say. Then speak."
            .into(),
        parameters: json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        }),
    }
}

fn property(program: &Program, ty: &Type, about: Option<&str>, picked: bool) -> Json {
    let mut value = if picked {
        json!({ "type": "integer", "minimum": 1, "description": "number of the entry" })
    } else {
        schema(program, ty)
    };
    if ty.optional {
        value = json!({ "anyOf": [value, { "type": "string", "enum": [DECLINED] }] });
    }
    if let (Some(about), Json::Object(object)) = (about, &mut value) {
        let form = object.get("description").and_then(Json::as_str);
        let about = form.map_or_else(|| about.to_owned(), |form| format!("{about} ({form})"));
        object.insert("description".into(), about.into());
    }
    value
}

fn function(program: &Program, name: &str, tool: &ToolRef) -> Function {
    let (description, parameters) = match tool {
        ToolRef::Tool(id) => program.tools.get(*id).map_or_else(Default::default, |tool| {
            let params = tool.params.iter().map(|param| {
                let mut ty = param.ty.clone();
                ty.optional |= param.default.is_some();
                (param, ty)
            });
            let params: Vec<_> = params.collect();
            let fields = params.iter().map(|(p, ty)| (p.name.as_str(), ty, p.about.as_deref()));
            (tool.about.clone(), object_schema(program, fields))
        }),
        ToolRef::Mcp(server, Some(name)) => {
            let pinned = program.mcps.get(*server).and_then(|mcp| mcp.tools.as_ref());
            let tool = pinned.and_then(|tools| tools.iter().find(|tool| tool.name == *name));
            match tool {
                Some(tool) => (tool.about.clone(), tool.input_schema.clone()),
                None => (name.replace('_', " "), json!({ "type": "object" })),
            }
        }
        ToolRef::Knowledge(id) => {
            let name = program.knowledge.get(*id).map_or("", |knowledge| &knowledge.name);
            (
                format!("Look something up in `{name}` before you answer a question about it."),
                json!({
                    "type": "object",
                    "properties": { "query": {
                        "type": "string", "description": "what to look for, in a few words",
                    } },
                    "required": ["query"],
                    "additionalProperties": false,
                }),
            )
        }
        ToolRef::Mcp(_, None) | ToolRef::Hole => (String::new(), json!({ "type": "object" })),
    };
    Function { name: name.into(), description, parameters }
}

/// The name of a tool: `find_slots`, `calendar__list_holidays`, `faq`.
fn wanted_name(program: &Program, tool: &ToolRef) -> String {
    let name = match tool {
        ToolRef::Tool(id) => program.tools.get(*id).map_or("", |tool| &tool.name).to_owned(),
        ToolRef::Mcp(server, name) => {
            let server = program.mcps.get(*server).map_or("", |mcp| &mcp.name);
            format!("{server}__{}", name.as_deref().unwrap_or_default())
        }
        ToolRef::Knowledge(id) => program.knowledge.get(*id).map_or("", |k| &k.name).to_owned(),
        ToolRef::Hole => String::new(),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    name.chars().map(plain).collect()
}

fn free_name(taken: &IndexMap<String, ToolRef>, wanted: &str) -> String {
    let own = [GO, NOTE, CONFIRM, UNCLEAR];
    let is_free = |name: &str| !own.contains(&name) && !taken.contains_key(name);
    let short: String = wanted.chars().take(NAME_LENGTH).collect();
    if is_free(&short) {
        return short;
    }
    let stem: String = wanted.chars().take(NAME_LENGTH - 4).collect();
    (2..1_000).map(|n| format!("{stem}_{n}")).find(|name| is_free(name)).unwrap_or(short)
}
