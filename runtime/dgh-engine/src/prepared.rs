//! What every call of a program shares: built once, read by all, so that no turn builds it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use dgh_ir::arena::Id;
use dgh_ir::convert::Locale;
use dgh_ir::{
    Agent, AgentId, Dialogue, DialogueId, FlowId, InputMode, Program, SlotId, SlotKind, StepKind, ToolRef,
};
use indexmap::IndexMap;

use crate::functions;
use crate::reply::Function;

/// A program, ready for calls.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) program: Arc<Program>,
    agents: Vec<PreparedAgent>,
    dialogues: BTreeMap<DialogueId, PreparedDialogue>,
}

/// What calls of one agent share.
#[derive(Debug)]
pub(crate) struct PreparedAgent {
    /// The functions of every reply.
    pub(crate) functions: Arc<[Function]>,
    /// What stands behind the functions that are tools.
    pub(crate) tools: IndexMap<String, ToolRef>,
    /// Zone and country.
    pub(crate) locale: Locale,
}

/// What is known of a dialogue's names without running it.
#[derive(Debug, Default)]
pub(crate) struct PreparedDialogue {
    /// Names of any `collect` or `note`, in the order of their declaration.
    pub(crate) noteable: Vec<Noteable>,
}

/// A name that a model may note.
#[derive(Debug)]
pub(crate) struct Noteable {
    pub(crate) slot: SlotId,
    /// Every place that asks for it takes keys alone: no model hears it.
    pub(crate) keypad_only: bool,
    /// Picked from a list, which only the node that collects it knows.
    pub(crate) picked: bool,
}

impl Prepared {
    /// Prepares a program.
    pub fn new(program: Arc<Program>) -> Arc<Self> {
        let dialogues: BTreeMap<_, _> =
            program.dialogues().map(|(id, dialogue)| (id, PreparedDialogue::new(dialogue))).collect();
        let agents = program
            .agents
            .iter()
            .map(|(id, agent)| PreparedAgent::new(&program, id, agent, &dialogues))
            .collect();
        Arc::new(Self { program, agents, dialogues })
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    pub(crate) fn agent(&self, id: AgentId) -> &PreparedAgent {
        // One entry for each agent of the program, in its order.
        self.agents.get(id.index()).expect("an agent of this program")
    }

    /// The names of a dialogue that a model may note.
    pub(crate) fn noteable(&self, id: DialogueId) -> &[Noteable] {
        self.dialogues.get(&id).map_or(&[], |dialogue| &dialogue.noteable)
    }
}

impl PreparedAgent {
    fn new(
        program: &Program,
        id: AgentId,
        agent: &Agent,
        dialogues: &BTreeMap<DialogueId, PreparedDialogue>,
    ) -> Self {
        let reach = reachable(program, id);
        let tools = functions::tool_names(program, &reach);
        let functions = functions::list(program, &reach, dialogues, &tools).into();
        Self { functions, tools, locale: agent.locale() }
    }
}

impl PreparedDialogue {
    fn new(dialogue: &Dialogue) -> Self {
        let mut noteable = Vec::new();
        for (slot, declared) in dialogue.slots.iter() {
            if declared.kind == SlotKind::Binding {
                continue;
            }
            let collects = || {
                let all = dialogue.nodes.iter().filter_map(|(_, node)| node.collect.as_ref());
                all.filter(|collect| collect.slots.contains(&slot))
            };
            let noted = dialogue.nodes.iter().any(|(_, node)| node.note.contains(&slot));
            if !noted && collects().next().is_none() {
                continue;
            }
            noteable.push(Noteable {
                slot,
                keypad_only: !noted && collects().all(|collect| collect.by == InputMode::Keypad),
                picked: !noted && collects().all(|collect| collect.from.is_some()),
            });
        }
        Self { noteable }
    }
}

/// The agent's dialogue and the flows that it can run, in the order of the program.
fn reachable(program: &Program, agent: AgentId) -> Vec<DialogueId> {
    let mut found: Vec<FlowId> = Vec::new();
    let mut open = vec![DialogueId::Agent(agent)];
    while let Some(dialogue) = open.pop() {
        let dialogue = program.dialogue(dialogue);
        let nodes = dialogue.nodes.iter().flat_map(|(_, node)| &node.steps);
        let blocks = dialogue.routes.iter().flat_map(|(_, route)| &route.block);
        for step in nodes.chain(blocks) {
            if let StepKind::Run { flow, .. } = step.kind
                && !found.contains(&flow)
            {
                found.push(flow);
                open.push(DialogueId::Flow(flow));
            }
        }
    }
    found.sort_unstable();
    let flows = found.into_iter().map(DialogueId::Flow);
    std::iter::once(DialogueId::Agent(agent)).chain(flows).collect()
}

/// The agent with an id of the program; only such ids come into a call.
pub(crate) fn declared(program: &Program, agent: AgentId) -> &Agent {
    program.agents.get(agent).expect("an agent of this program")
}
