//! A dialogue: names, nodes and routes, what an agent and a flow have in common.

use crate::arena::Arena;
use crate::event::Event;
use crate::expr::{Expr, Template};
use crate::program::{AgentId, FlowId, Models, NodeId, OutcomeId, RouteId, Settings, SlotId, ToolRef};
use crate::source_map::Origin;
use crate::types::Type;

/// Names, nodes and routes: what an agent and a flow have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dialogue {
    /// Inputs or parameters first, then variables, then bindings of `as`.
    pub slots: Arena<SlotId, Slot>,
    /// Nodes in the order of the source.
    pub nodes: Arena<NodeId, Node>,
    /// Routes of all nodes and of `anywhere`, in the order of the source.
    pub routes: Arena<RouteId, Route>,
    /// Routes that apply in every node.
    pub anywhere: Vec<RouteId>,
    /// Where it starts.
    pub start: Option<NodeId>,
}

/// A name that holds a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// How it gets its value.
    pub kind: SlotKind,
    /// What it is, for the model.
    pub about: Option<String>,
    /// Value at the start.
    pub default: Option<Expr>,
    /// Where it stands.
    pub origin: Origin,
}

/// How a name gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// Given when the call starts, or by `run`.
    Input,
    /// Learned during the call.
    Var,
    /// Bound by `as`.
    Binding,
}

/// `node`
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Name.
    pub name: String,
    /// What to do here, for the model.
    pub prompt: Option<Template>,
    /// `prompt alone`: without the persona.
    pub alone: bool,
    /// Steps on entry.
    pub steps: Vec<Step>,
    /// What must be learned here.
    pub collect: Option<Collect>,
    /// What may be learned here.
    pub note: Vec<SlotId>,
    /// What the model may use here.
    pub uses: Vec<ToolRef>,
    /// Ways on, in the order of the source.
    pub routes: Vec<RouteId>,
    /// Models for this node alone.
    pub models: Models,
    /// `turn` for this node alone.
    pub turn: Settings,
    /// Where it stands (its name).
    pub origin: Origin,
}

/// What kind of node it is; derived, never declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Has `prompt`, `ask` or `collect`.
    Talks,
    /// Only has steps.
    Acts,
    /// Only has typed routes.
    Decides,
}

/// `collect`
#[derive(Debug, Clone, PartialEq)]
pub struct Collect {
    /// What is collected.
    pub slots: Vec<SlotId>,
    /// The list from which the one value is picked.
    pub from: Option<Expr>,
    /// Read-back.
    pub confirm: Confirm,
    /// Caller turns that change nothing, before it fails; [`COLLECT_TRIES`] when not set.
    pub tries: Option<Expr>,
    /// Exact words of the question.
    pub ask: Option<Expr>,
    /// By voice or keypad.
    pub by: InputMode,
    /// Key that ends keypad input.
    pub until: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// Tries of a `collect` that does not say.
pub const COLLECT_TRIES: u32 = 4;

/// When a value is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirm {
    /// Always.
    Always,
    /// When the recogniser was not sure.
    Unsure,
    /// Never; the default.
    Never,
}

/// How a value is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputMode {
    /// By voice; the default.
    Speech,
    /// By keypad alone.
    Keypad,
    /// By either.
    SpeechOrKeypad,
}

/// A step, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub origin: Origin,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Exact words.
    Say {
        /// The words.
        text: Expr,
        /// Cannot be talked over.
        uninterrupted: bool,
    },
    /// One utterance in the model's words.
    Tell(Template),
    /// Exact words, then the floor.
    Ask {
        /// The words.
        text: Expr,
        /// Cannot be talked over.
        uninterrupted: bool,
    },
    /// A recording.
    Play {
        /// `recording.NAME`
        recording: Expr,
        /// Cannot be talked over.
        uninterrupted: bool,
    },
    /// Silence, milliseconds.
    Wait(u64),
    /// A tool, guaranteed.
    Call {
        /// Which.
        tool: ToolRef,
        /// Arguments by parameter name, in the order of the parameters.
        args: Vec<(String, Expr)>,
        /// Where the answer goes.
        bind: Option<SlotId>,
        /// Words while it runs.
        meanwhile: Option<Expr>,
        /// Milliseconds, instead of the tool's own.
        timeout_ms: Option<u64>,
    },
    /// A flow.
    Run {
        /// Which.
        flow: FlowId,
        /// Arguments: the flow's input and its value.
        args: Vec<(SlotId, Expr)>,
        /// Where the result goes.
        bind: Option<SlotId>,
    },
    /// `set x = expr`
    Set(SlotId, Expr),
    /// `clear x`
    Clear(Vec<SlotId>),
    /// `press "12#"`
    Press(Template),
    /// A transfer.
    Transfer {
        /// The number.
        number: Expr,
        /// Cold or warm.
        mode: TransferMode,
        /// Milliseconds of ringing.
        ring_ms: u64,
        /// What the other side is told.
        brief: Option<Template>,
    },
    /// Did not resolve; already reported.
    Hole,
}

/// Milliseconds that a transfer rings when it does not say.
pub const RING_MS: u64 = 30_000;

/// How a call is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferMode {
    /// At once.
    Cold,
    /// After a word with the other side; the default.
    Warm,
}

/// A way on, or an answer to an event without leaving.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The node it stands in; none: `anywhere`.
    pub from: Option<NodeId>,
    /// Who decides.
    pub decider: Decider,
    /// Steps on the way.
    pub block: Vec<Step>,
    /// Where to; none: stay.
    pub target: Option<Target>,
    /// Where it stands.
    pub origin: Origin,
}

/// A route of some dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouteRef {
    /// Whose dialogue.
    pub dialogue: DialogueId,
    /// Which route.
    pub route: RouteId,
}

/// Whose dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum DialogueId {
    /// An agent's.
    Agent(AgentId),
    /// A flow's.
    Flow(FlowId),
    /// The last handlers of the standard library.
    Last,
}

/// Who decides a route.
#[derive(Debug, Clone, PartialEq)]
pub enum Decider {
    /// `on event`: the runtime.
    On(Event),
    /// `when label: "sentence"`: the model.
    When(When),
    /// `if expr`: the program, when the node is done.
    If(Expr),
    /// `else`
    Else,
    /// `next`
    Next,
}

/// A route that the model decides.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// Its label.
    pub label: String,
    /// When it applies, for the model.
    pub sentence: Template,
    /// Examples that match.
    pub like: Vec<String>,
    /// Examples that do not.
    pub unlike: Vec<String>,
    /// Offered only while this holds.
    pub guard: Option<Expr>,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A node.
    Node(NodeId),
    /// The end of the call; only the standard library may leave the outcome out.
    End(Option<OutcomeId>),
    /// Back from a detour.
    Back,
    /// A node, to come back from.
    Detour(NodeId),
    /// Out of a flow.
    Return(Expr),
    /// Another agent, for good: its inputs and their values.
    Agent(AgentId, Vec<(SlotId, Expr)>),
    /// Did not resolve; already reported.
    Hole,
}

impl Dialogue {
    /// All routes that stand in a node, then those of `anywhere`.
    pub fn routes_in(&self, node: NodeId) -> impl Iterator<Item = (RouteId, &Route)> {
        let own = self.nodes.get(node).map_or(&[][..], |n| n.routes.as_slice());
        own.iter().chain(&self.anywhere).filter_map(|id| Some((*id, self.routes.get(*id)?)))
    }

    /// The slot with this name.
    pub fn slot(&self, name: &str) -> Option<SlotId> {
        self.slots.find(|s| s.name == name)
    }

    /// The node with this name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes.find(|n| n.name == name)
    }
}

impl Node {
    /// What kind of node it is.
    pub fn kind(&self) -> NodeKind {
        let asks = self.steps.iter().any(|s| matches!(s.kind, StepKind::Ask { .. }));
        if self.prompt.is_some() || self.collect.is_some() || asks {
            NodeKind::Talks
        } else if self.steps.is_empty() {
            NodeKind::Decides
        } else {
            NodeKind::Acts
        }
    }
}
