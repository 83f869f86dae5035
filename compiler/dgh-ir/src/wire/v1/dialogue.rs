//! Dialogues on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expr, Models, Settings, Text, Type, is_default, wire};
use crate::event::{LimitKind, TransferFailure};
use crate::program::{Confirm, InputMode, SlotKind, TransferMode};

wire! {
    /// Names, nodes and routes.
    #[derive(Default)]
    pub struct Dialogue {
        /// Inputs, variables, bindings.
        #[serde(default, skip_serializing_if = "is_default")]
        pub slots: Vec<Slot>,
        /// Nodes.
        #[serde(default, skip_serializing_if = "is_default")]
        pub nodes: Vec<Node>,
        /// Routes of all nodes and of `anywhere`, in the order of the source.
        #[serde(default, skip_serializing_if = "is_default")]
        pub routes: Vec<Route>,
        /// Where it starts.
        #[serde(default, skip_serializing_if = "is_default")]
        pub start: Option<String>,
    }

    /// A name that holds a value.
    pub struct Slot {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Type.
        #[serde(rename = "type")]
        pub ty: Type,
        /// How it gets its value.
        pub kind: SlotKind,
        /// What it is, for the model.
        #[serde(default, skip_serializing_if = "is_default")]
        pub about: Option<String>,
        /// Value at the start.
        #[serde(default, skip_serializing_if = "is_default")]
        pub default: Option<Expr>,
    }

    /// `node`
    pub struct Node {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// What to do here, for the model.
        #[serde(default, skip_serializing_if = "is_default")]
        pub prompt: Option<Text>,
        /// Without the persona.
        #[serde(default, skip_serializing_if = "is_default")]
        pub alone: bool,
        /// Steps on entry.
        #[serde(default, skip_serializing_if = "is_default")]
        pub steps: Vec<Step>,
        /// What must be learned here.
        #[serde(default, skip_serializing_if = "is_default")]
        pub collect: Option<Collect>,
        /// What may be learned here.
        #[serde(default, skip_serializing_if = "is_default")]
        pub note: Vec<String>,
        /// What the model may use here.
        #[serde(default, skip_serializing_if = "is_default")]
        pub uses: Vec<ToolRef>,
        /// Models for this node alone.
        #[serde(default, skip_serializing_if = "is_default")]
        pub models: Models,
        /// `turn` for this node alone.
        #[serde(default, skip_serializing_if = "is_default")]
        pub turn: Settings,
    }

    /// `collect`
    pub struct Collect {
        /// What is collected.
        pub slots: Vec<String>,
        /// The list from which the one value is picked.
        #[serde(default, skip_serializing_if = "is_default")]
        pub from: Option<Expr>,
        /// Read-back.
        pub confirm: Confirm,
        /// Caller turns that change nothing, before it fails.
        #[serde(default, skip_serializing_if = "is_default")]
        pub tries: Option<Expr>,
        /// Exact words of the question.
        #[serde(default, skip_serializing_if = "is_default")]
        pub ask: Option<Expr>,
        /// By voice or keypad.
        pub by: InputMode,
        /// Key that ends keypad input.
        #[serde(default, skip_serializing_if = "is_default")]
        pub until: Option<String>,
    }

    /// A step.
    pub enum Step {
        /// Exact words.
        Say {
            /// The words.
            text: Expr,
            /// Cannot be talked over.
            uninterrupted: bool,
        },
        /// One utterance in the model's words.
        Tell(Text),
        /// Exact words, then the floor.
        Ask {
            /// The words.
            text: Expr,
            /// Cannot be talked over.
            uninterrupted: bool,
        },
        /// A recording.
        Play {
            /// Which.
            recording: Expr,
            /// Cannot be talked over.
            uninterrupted: bool,
        },
        /// Silence, milliseconds.
        Wait(u64),
        /// A tool.
        Call {
            /// Which.
            tool: ToolRef,
            /// Arguments by parameter.
            args: Vec<(String, Expr)>,
            /// Where the answer goes.
            #[serde(default, skip_serializing_if = "is_default")]
            bind: Option<String>,
            /// Words while it runs.
            #[serde(default, skip_serializing_if = "is_default")]
            meanwhile: Option<Expr>,
            /// Milliseconds.
            #[serde(default, skip_serializing_if = "is_default")]
            timeout_ms: Option<u64>,
        },
        /// A flow.
        Run {
            /// Which.
            flow: String,
            /// The flow's inputs and their values.
            args: Vec<(String, Expr)>,
            /// Where the result goes.
            #[serde(default, skip_serializing_if = "is_default")]
            bind: Option<String>,
        },
        /// `set x = expr`
        Set(String, Expr),
        /// `clear x`
        Clear(Vec<String>),
        /// `press "12#"`
        Press(Text),
        /// A transfer.
        Transfer {
            /// The number.
            number: Expr,
            /// Cold or warm.
            mode: TransferMode,
            /// Milliseconds of ringing.
            ring_ms: u64,
            /// What the other side is told.
            #[serde(default, skip_serializing_if = "is_default")]
            brief: Option<Text>,
        },
        /// Did not compile.
        Hole,
    }

    /// What a `call` or `use` names.
    pub enum ToolRef {
        /// A tool.
        Tool(String),
        /// A tool of an MCP server; no name: all that are allowed.
        Mcp(String, Option<String>),
        /// A search in knowledge.
        Knowledge(String),
        /// Did not compile.
        Hole,
    }

    /// A way on, or an answer to an event without leaving.
    pub struct Route {
        /// The node it stands in; none: `anywhere`.
        #[serde(default, skip_serializing_if = "is_default")]
        pub from: Option<String>,
        /// Who decides.
        pub decider: Decider,
        /// Steps on the way.
        #[serde(default, skip_serializing_if = "is_default")]
        pub block: Vec<Step>,
        /// Where to; none: stay.
        #[serde(default, skip_serializing_if = "is_default")]
        pub target: Option<Target>,
    }

    /// Who decides a route.
    pub enum Decider {
        /// The runtime.
        On(Event),
        /// The model.
        When(Box<When>),
        /// The program.
        If(Expr),
        /// The program, when no `if` holds.
        Else,
        /// The program.
        Next,
    }

    /// A route that the model decides.
    pub struct When {
        /// Its label.
        pub label: String,
        /// When it applies.
        pub sentence: Text,
        /// Examples that match.
        #[serde(default, skip_serializing_if = "is_default")]
        pub like: Vec<String>,
        /// Examples that do not.
        #[serde(default, skip_serializing_if = "is_default")]
        pub unlike: Vec<String>,
        /// Offered only while this holds.
        #[serde(default, skip_serializing_if = "is_default")]
        pub guard: Option<Expr>,
    }

    /// An event pattern.
    pub enum Event {
        /// The caller said nothing.
        Silence {
            /// How long.
            after: Expr,
            /// From this many in a row on.
            times: u32,
        },
        /// Nothing usable was said.
        Unclear {
            /// From this many in a row on.
            times: u32,
        },
        /// Nothing changed.
        Stalled {
            /// From this many in a row on.
            turns: u32,
        },
        /// A key; none: any other.
        Key(Option<String>),
        /// The caller spoke over the agent.
        Interrupted,
        /// The caller changed a value that was used.
        Corrected(String),
        /// The caller hung up.
        Hangup,
        /// A machine answered.
        Voicemail,
        /// A call-screening assistant answered.
        Screening,
        /// Something failed.
        Error,
        /// The tries of the `collect` are used up.
        FailedCollect,
        /// The transfer was answered.
        Transferred,
        /// The transfer was not; empty: for any reason.
        TransferFailed(Vec<TransferFailure>),
        /// The caller's language; none: any other.
        Language(Option<String>),
        /// A limit is reached.
        Limit(LimitKind),
        /// Nothing sounded for a while.
        Slow,
        /// Did not compile.
        Hole,
    }

    /// Where a route leads.
    pub enum Target {
        /// A node.
        Node(String),
        /// The end of the call, with its outcome.
        End(Option<String>),
        /// Back from a detour.
        Back,
        /// A node, to come back from.
        Detour(String),
        /// Out of a flow.
        Return(Expr),
        /// Another agent: its inputs and their values.
        Agent(String, Vec<(String, Expr)>),
        /// Did not compile.
        Hole,
    }
}
