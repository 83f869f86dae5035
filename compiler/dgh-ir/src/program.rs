//! What a program is made of: agents, flows, their dialogues, and what they share.
//!
//! `Agent` and `Flow` both hold a [`Dialogue`]: slots, nodes and routes. Everything in a dialogue
//! is addressed by ids of that dialogue.

use indexmap::IndexMap;

use crate::arena::Arena;
use crate::event::CallEvent;
use crate::expr::{Expr, Template};
use crate::ids;
use crate::source_map::Origin;
use crate::types::Type;
use crate::value::Value;

pub use crate::dialogue::*;

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
    /// What it returns.
    pub result: Type,
    /// The conversation; its parameters are the slots of kind [`SlotKind::Input`], in order.
    pub dialogue: Dialogue,
    /// Where it stands.
    pub origin: Origin,
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

impl Program {
    /// The dialogue with this id.
    #[allow(clippy::indexing_slicing, reason = "ids are made by push")]
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

    /// What knowledge is called where agents of one program may use the same name: the first by its
    /// name, later ones with a number behind a `~`.
    pub fn knowledge_key(&self, id: KnowledgeId) -> Option<String> {
        let name = &self.knowledge.get(id)?.name;
        let same = self.knowledge.iter().filter(|(_, knowledge)| knowledge.name == *name);
        let before = same.take_while(|(other, _)| *other != id).count();
        Some(if before == 0 { name.clone() } else { format!("{name}~{}", before + 1) })
    }
}
