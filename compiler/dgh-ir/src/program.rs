//! What a program is made of: agents, flows, their dialogues, and what they share.
//!
//! `Agent` and `Flow` both hold a [`Dialogue`]: slots, nodes and routes. Everything in a dialogue
//! is addressed by ids of that dialogue.

use indexmap::IndexMap;

use crate::arena::Arena;
use crate::event::{CallEvent, Event};
use crate::expr::{Expr, Template};
use crate::ids;
use crate::source_map::Origin;
use crate::types::Type;
use crate::value::Value;

ids! {
    /// An [`EnumDef`].
    EnumId;
    /// A [`RecordDef`].
    RecordId;
    /// A [`Tool`].
    ToolId;
    /// An [`McpServer`].
    McpId;
    /// A [`Phrase`].
    PhraseId;
    /// A [`Knowledge`].
    KnowledgeId;
    /// A [`Provider`].
    ProviderId;
    /// An [`Agent`].
    AgentId;
    /// A [`Flow`].
    FlowId;
    /// A [`Slot`] of a dialogue, or a parameter of a tool.
    SlotId;
    /// A [`Node`] of a dialogue.
    NodeId;
    /// A [`Route`] of a dialogue.
    RouteId;
    /// An outcome of an agent.
    OutcomeId;
    /// A [`Webhook`] of an agent.
    WebhookId;
}

/// A whole program: the entry file, what it imports, and what it uses of the standard library.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// Edition of the language.
    pub edition: u32,
    /// Enums.
    pub enums: Arena<EnumId, EnumDef>,
    /// Record types.
    pub records: Arena<RecordId, RecordDef>,
    /// Tools.
    pub tools: Arena<ToolId, Tool>,
    /// MCP servers.
    pub mcps: Arena<McpId, McpServer>,
    /// Phrases.
    pub phrases: Arena<PhraseId, Phrase>,
    /// Knowledge.
    pub knowledge: Arena<KnowledgeId, Knowledge>,
    /// Providers that are used, as the standard library declares them.
    pub providers: Arena<ProviderId, Provider>,
    /// Flows.
    pub flows: Arena<FlowId, Flow>,
    /// Agents; those of the entry file first.
    pub agents: Arena<AgentId, Agent>,
    /// How many of `agents` the entry file itself declares.
    pub own_agents: u32,
    /// The last handlers, of the standard library: a dialogue of routes without nodes.
    pub last: Dialogue,
}

/// `enum`
#[derive(Debug, Clone, PartialEq)]
pub struct EnumDef {
    /// Name; outcomes have the pseudo-enum `AGENT.outcome`.
    pub name: String,
    /// Doc comment.
    pub doc: Option<String>,
    /// Cases in order.
    pub cases: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// `type`
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDef {
    /// Name.
    pub name: String,
    /// Doc comment.
    pub doc: Option<String>,
    /// Fields in order.
    pub fields: Vec<FieldDef>,
    /// Where it stands.
    pub origin: Origin,
}

/// A field of a `type`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDef {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// What it is, for the model.
    pub about: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// `tool`
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// Doc comment.
    pub doc: Option<String>,
    /// What the model reads.
    pub about: String,
    /// Parameters; the slots of the tool's templates are their indices.
    pub params: Vec<Param>,
    /// What it answers; none: nothing is read from the answer.
    pub result: Option<Type>,
    /// What it does.
    pub action: ToolAction,
    /// Milliseconds for one attempt.
    pub timeout_ms: u64,
    /// Further attempts after a failure.
    pub retries: u32,
    /// Whether a repeated request does no harm.
    pub idempotent: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// Milliseconds that a tool may take when it does not say.
pub const TOOL_TIMEOUT_MS: u64 = 10_000;

/// A parameter of a tool, flow or provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// Value when it is not given.
    pub default: Option<Expr>,
    /// What it is, for the model.
    pub about: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What a tool does.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolAction {
    /// A request.
    Http(Box<HttpRequest>),
    /// Built into the runtime; the name says which.
    Builtin(String),
    /// Missing or wrong, already reported.
    Hole,
}

/// A request, of a tool or a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: Template,
    /// Headers.
    pub headers: Vec<(String, Expr)>,
    /// Body, a JSON value.
    pub body: Option<Expr>,
    /// Credentials.
    pub auth: Option<Auth>,
    /// JSONPath of the result in the answer.
    pub result: Option<String>,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// Credentials of a request: `bearer(token)`, `basic(user, password)`, `header(name, value)`,
/// `query(name, value)`, `oauth2(token_url, client_id, client_secret, scope)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// Kind, a provider of kind `auth` in the standard library.
    pub kind: String,
    /// Arguments by parameter name.
    pub args: Vec<(String, Expr)>,
    /// Where it stands.
    pub origin: Origin,
}

/// `mcp`
#[derive(Debug, Clone, PartialEq)]
pub struct McpServer {
    /// Name.
    pub name: String,
    /// Streamable HTTP address, or
    pub url: Option<Expr>,
    /// a command line to start and speak to over its standard streams.
    pub command: Option<Expr>,
    /// Credentials.
    pub auth: Option<Auth>,
    /// Tools that may be used; none: all.
    pub allow: Option<Vec<String>>,
    /// Milliseconds for one call.
    pub timeout_ms: u64,
    /// Tools as pinned in `dgh.lock`; none when there is no lock.
    pub tools: Option<Vec<McpTool>>,
    /// Where it stands.
    pub origin: Origin,
}

/// A tool of an MCP server, as pinned.
#[derive(Debug, Clone, PartialEq)]
pub struct McpTool {
    /// Name.
    pub name: String,
    /// What the model reads.
    pub about: String,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
    /// JSON Schema of its answer.
    pub output_schema: Option<serde_json::Value>,
    /// Whether the server says that it only reads.
    pub read_only: bool,
}

/// What a `call` or `use` names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ToolRef {
    /// A tool.
    Tool(ToolId),
    /// A tool of an MCP server; no name: all that are allowed.
    Mcp(McpId, Option<String>),
    /// A search in knowledge.
    Knowledge(KnowledgeId),
    /// Unknown, already reported.
    Hole,
}

/// `phrase`: one text in several languages.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    /// Name.
    pub name: String,
    /// By language tag, in order; the first is the fallback.
    pub texts: IndexMap<String, Template>,
    /// Where it stands.
    pub origin: Origin,
}

/// `knowledge`
#[derive(Debug, Clone, PartialEq)]
pub struct Knowledge {
    /// Name.
    pub name: String,
    /// Paths in the bundle.
    pub files: Vec<String>,
    /// Addresses.
    pub urls: Vec<Expr>,
    /// Whether the whole text is given instead of a search.
    pub full: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// A provider as the standard library declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// What it provides.
    pub kind: ProviderKind,
    /// Name.
    pub name: String,
    /// Parameters.
    pub params: Vec<Param>,
    /// Settings of the declaration: `protocol`, `url`, `key`, `budget`, …
    pub settings: IndexMap<String, Value>,
}

/// What a provider provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderKind {
    /// A language model.
    Llm,
    /// Speech to text.
    Stt,
    /// Text to speech.
    Tts,
    /// Speech to speech.
    Realtime,
    /// Credentials of a request.
    Auth,
}

/// A provider with its arguments: `openai("gpt-4.1", temperature: 0.3)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderUse {
    /// Which.
    pub provider: ProviderId,
    /// Arguments by parameter name, in the order of the parameters.
    pub args: Vec<(String, Expr)>,
    /// Where it stands.
    pub origin: Origin,
}

/// The models of an agent or a node; an empty list is not set there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Models {
    /// Language models, in order of fallback.
    pub llm: Vec<ProviderUse>,
    /// Speech to text, in order of fallback.
    pub stt: Vec<ProviderUse>,
    /// Text to speech, in order of fallback.
    pub tts: Vec<ProviderUse>,
    /// A small fast model that decides beside the `llm`.
    pub judge: Vec<ProviderUse>,
    /// Speech to speech, in order of fallback.
    pub realtime: Vec<ProviderUse>,
}

/// Settings of a group by name, as declared in the standard library.
pub type Settings = IndexMap<String, Expr>;

/// `agent`
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Name.
    pub name: String,
    /// Doc comment.
    pub doc: Option<String>,
    /// The persona, rendered once, when the call starts.
    pub prompt: Option<Template>,
    /// Models.
    pub models: Models,
    /// Language tags; the first is the one it starts with. Never empty.
    pub languages: Vec<String>,
    /// IANA name of the time zone; `UTC` when it does not say.
    pub time_zone: String,
    /// Where it can be reached.
    pub channels: Vec<Channel>,
    /// Words that the recogniser should know.
    pub words: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Groups that are written: `limits`, `turn`, `inbound`, `outbound`, `sound`.
    pub groups: IndexMap<String, Settings>,
    /// Outcomes.
    pub outcomes: Arena<OutcomeId, Named>,
    /// The pseudo-enum of its outcomes, the type of `call.outcome`.
    pub outcome_enum: EnumId,
    /// Before the first word.
    pub before_call: Vec<HookBlock>,
    /// The conversation.
    pub dialogue: Dialogue,
    /// Webhooks.
    pub webhooks: Arena<WebhookId, Webhook>,
    /// Quality scores after the call.
    pub reviews: Vec<Review>,
    /// `ensure`, `always`, `never`.
    pub policies: Vec<Policy>,
    /// `moved old -> new`, oldest first.
    pub moved: Vec<(String, String)>,
    /// Where it stands.
    pub origin: Origin,
}

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Telephone.
    Phone,
    /// Browser, with voice.
    Web,
    /// Text.
    Chat,
}

/// A name and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Name.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
}

/// Steps of `before call`, behind their `if`.
#[derive(Debug, Clone, PartialEq)]
pub struct HookBlock {
    /// Only if this holds.
    pub guard: Option<Expr>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// `flow`
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Name.
    pub name: String,
    /// Doc comment.
    pub doc: Option<String>,
    /// What it returns.
    pub result: Type,
    /// The conversation; its parameters are the slots of kind [`SlotKind::Input`], in order.
    pub dialogue: Dialogue,
    /// Where it stands.
    pub origin: Origin,
}

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
    /// Doc comment.
    pub doc: Option<String>,
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

/// `webhook`
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Name.
    pub name: String,
    /// When it is sent.
    pub events: Vec<CallEvent>,
    /// Only if this holds.
    pub guard: Option<Expr>,
    /// What is sent.
    pub request: HttpRequest,
    /// Secret that signs it.
    pub sign: Option<Expr>,
    /// Where it stands.
    pub origin: Origin,
}

/// `review`
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Name.
    pub name: String,
    /// Settings: `sample`, `min_duration`, …
    pub settings: Settings,
    /// Scores.
    pub scores: Vec<FieldDef>,
    /// Where it stands.
    pub origin: Origin,
}

/// A promise that is proven, and asserted at run time.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The promise.
    pub kind: PolicyKind,
    /// Where it stands.
    pub origin: Origin,
}

/// A promise.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyKind {
    /// `ensure A before B`
    Ensure {
        /// What must hold.
        fact: Fact,
        /// Before which node; none: `before everything`.
        before: Option<NodeId>,
    },
    /// `always expr else "reason"`
    Always {
        /// What must hold whenever its variables are written.
        condition: Expr,
        /// What the model is told when a value is refused.
        reason: Option<String>,
    },
    /// `never x in sink, …`
    Never {
        /// The value.
        slot: SlotId,
        /// Where it must not go.
        sinks: Vec<Sink>,
    },
}

/// What `ensure` speaks of.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The node was completed.
    Completed(NodeId),
    /// The condition held.
    Holds(Expr),
}

/// Where a value may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sink {
    /// The language model.
    Llm,
    /// Spoken words.
    Speech,
    /// The transcript.
    Transcript,
    /// The recording.
    Recording,
    /// The log.
    Log,
    /// A message on a machine.
    Voicemail,
    /// A webhook.
    Webhook,
    /// A parameter of a tool.
    Tool,
    /// What the other side of a transfer is told.
    Brief,
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

impl Program {
    /// The dialogue with this id.
    pub fn dialogue(&self, id: DialogueId) -> &Dialogue {
        match id {
            DialogueId::Agent(id) => &self.agents[id].dialogue,
            DialogueId::Flow(id) => &self.flows[id].dialogue,
            DialogueId::Last => &self.last,
        }
    }

    /// All dialogues of agents and flows.
    pub fn dialogues(&self) -> impl Iterator<Item = (DialogueId, &Dialogue)> {
        let agents = self.agents.iter().map(|(id, a)| (DialogueId::Agent(id), &a.dialogue));
        agents.chain(self.flows.iter().map(|(id, f)| (DialogueId::Flow(id), &f.dialogue)))
    }

    /// The agent with this name.
    pub fn agent(&self, name: &str) -> Option<AgentId> {
        self.agents.find(|a| a.name == name)
    }
}
