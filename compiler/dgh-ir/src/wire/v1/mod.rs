//! Format 1 of a compiled program.
//!
//! Released: what one version wrote, every later one reads. A field may be added with a default;
//! whatever changes the meaning of an old document is format 2. Things refer to each other by
//! name; where two have the same one (of two files, say), the second has a `key` and is referred
//! to by it. Lists keep the order of the source, for order has a meaning.

mod dialogue;
mod expr;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::CallEvent;
use crate::program::{Channel, Method, ProviderKind, Sink};

pub use dialogue::*;
pub use expr::*;

/// The number of this format.
pub const FORMAT: u32 = 1;

/// Gives the types of the wire their derives.
macro_rules! wire {
    ($($item:item)*) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        $item
    )*};
}
use wire;

/// Whether a field is left out because it has the value that it gets when it is not there.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

wire! {
    /// A compiled program.
    pub struct Program {
        /// 1
        pub format: u32,
        /// Edition of the language.
        pub edition: u32,
        /// Enums.
        #[serde(default, skip_serializing_if = "is_default")]
        pub enums: Vec<EnumDef>,
        /// Record types.
        #[serde(default, skip_serializing_if = "is_default")]
        pub records: Vec<RecordDef>,
        /// Tools.
        #[serde(default, skip_serializing_if = "is_default")]
        pub tools: Vec<Tool>,
        /// MCP servers.
        #[serde(default, skip_serializing_if = "is_default")]
        pub mcps: Vec<McpServer>,
        /// Phrases.
        #[serde(default, skip_serializing_if = "is_default")]
        pub phrases: Vec<Phrase>,
        /// Knowledge.
        #[serde(default, skip_serializing_if = "is_default")]
        pub knowledge: Vec<Knowledge>,
        /// Providers.
        #[serde(default, skip_serializing_if = "is_default")]
        pub providers: Vec<Provider>,
        /// Flows.
        #[serde(default, skip_serializing_if = "is_default")]
        pub flows: Vec<Flow>,
        /// Agents; those of the entry file first.
        pub agents: Vec<Agent>,
        /// How many of `agents` the entry file declares.
        pub own_agents: u32,
        /// The last handlers.
        #[serde(default, skip_serializing_if = "is_default")]
        pub last: Dialogue,
    }

    /// `enum`
    pub struct EnumDef {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Cases.
        pub cases: Vec<String>,
    }

    /// `type`
    pub struct RecordDef {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Fields.
        pub fields: Vec<Field>,
    }

    /// A field of a `type`, or a score of a `review`.
    pub struct Field {
        /// Name.
        pub name: String,
        /// Type.
        #[serde(rename = "type")]
        pub ty: Type,
        /// What it is, for the model.
        #[serde(default, skip_serializing_if = "is_default")]
        pub about: Option<String>,
    }

    /// `tool`
    pub struct Tool {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// What the model reads.
        pub about: String,
        /// Parameters.
        #[serde(default, skip_serializing_if = "is_default")]
        pub params: Vec<Param>,
        /// What it answers.
        #[serde(default, skip_serializing_if = "is_default")]
        pub result: Option<Type>,
        /// What it does.
        pub action: ToolAction,
        /// Milliseconds for one attempt.
        pub timeout_ms: u64,
        /// Further attempts after a failure.
        pub retries: u32,
        /// Whether a repeated request does no harm.
        pub idempotent: bool,
    }

    /// A parameter.
    pub struct Param {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Type.
        #[serde(rename = "type")]
        pub ty: Type,
        /// Value when it is not given.
        #[serde(default, skip_serializing_if = "is_default")]
        pub default: Option<Expr>,
        /// What it is, for the model.
        #[serde(default, skip_serializing_if = "is_default")]
        pub about: Option<String>,
    }

    /// What a tool does.
    pub enum ToolAction {
        /// A request.
        Http(Box<HttpRequest>),
        /// Built into the runtime.
        Builtin(String),
        /// Did not compile.
        Hole,
    }

    /// A request.
    pub struct HttpRequest {
        /// Method.
        pub method: Method,
        /// Address.
        pub url: Text,
        /// Headers.
        #[serde(default, skip_serializing_if = "is_default")]
        pub headers: Vec<(String, Expr)>,
        /// Body.
        #[serde(default, skip_serializing_if = "is_default")]
        pub body: Option<Expr>,
        /// Credentials.
        #[serde(default, skip_serializing_if = "is_default")]
        pub auth: Option<Auth>,
        /// JSONPath of the result in the answer.
        #[serde(default, skip_serializing_if = "is_default")]
        pub result: Option<String>,
    }

    /// Credentials.
    pub struct Auth {
        /// Kind.
        pub kind: String,
        /// Arguments by parameter.
        pub args: Vec<(String, Expr)>,
    }

    /// `mcp`
    pub struct McpServer {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Address.
        #[serde(default, skip_serializing_if = "is_default")]
        pub url: Option<Expr>,
        /// Command line.
        #[serde(default, skip_serializing_if = "is_default")]
        pub command: Option<Expr>,
        /// Credentials.
        #[serde(default, skip_serializing_if = "is_default")]
        pub auth: Option<Auth>,
        /// Tools that may be used.
        #[serde(default, skip_serializing_if = "is_default")]
        pub allow: Option<Vec<String>>,
        /// Milliseconds for one call.
        pub timeout_ms: u64,
        /// Tools as pinned.
        #[serde(default, skip_serializing_if = "is_default")]
        pub tools: Option<Vec<McpTool>>,
    }

    /// A tool of an MCP server, as pinned.
    pub struct McpTool {
        /// Name.
        pub name: String,
        /// What the model reads.
        pub about: String,
        /// JSON Schema of its arguments.
        pub input_schema: serde_json::Value,
        /// JSON Schema of its answer.
        #[serde(default, skip_serializing_if = "is_default")]
        pub output_schema: Option<serde_json::Value>,
        /// Whether it only reads.
        pub read_only: bool,
    }

    /// `phrase`
    pub struct Phrase {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// By language tag; the first is the fallback.
        pub texts: IndexMap<String, Text>,
    }

    /// `knowledge`
    pub struct Knowledge {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Paths in the bundle.
        pub files: Vec<String>,
        /// Addresses.
        #[serde(default, skip_serializing_if = "is_default")]
        pub urls: Vec<Expr>,
        /// Whether the whole text is given instead of a search.
        pub full: bool,
    }

    /// A provider, as the standard library declares it.
    pub struct Provider {
        /// What it provides.
        pub kind: ProviderKind,
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// Parameters.
        #[serde(default, skip_serializing_if = "is_default")]
        pub params: Vec<Param>,
        /// Settings.
        #[serde(default, skip_serializing_if = "is_default")]
        pub settings: IndexMap<String, Value>,
    }

    /// A provider with its arguments.
    pub struct ProviderUse {
        /// Which.
        pub provider: String,
        /// Arguments by parameter.
        pub args: Vec<(String, Expr)>,
    }

    /// The models of an agent or a node.
    #[derive(Default)]
    pub struct Models {
        /// Language models.
        #[serde(default, skip_serializing_if = "is_default")]
        pub llm: Vec<ProviderUse>,
        /// Speech to text.
        #[serde(default, skip_serializing_if = "is_default")]
        pub stt: Vec<ProviderUse>,
        /// Text to speech.
        #[serde(default, skip_serializing_if = "is_default")]
        pub tts: Vec<ProviderUse>,
        /// A judge beside.
        #[serde(default, skip_serializing_if = "is_default")]
        pub judge: Vec<ProviderUse>,
        /// Speech to speech.
        #[serde(default, skip_serializing_if = "is_default")]
        pub realtime: Vec<ProviderUse>,
    }

    /// `agent`
    pub struct Agent {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// The persona.
        #[serde(default, skip_serializing_if = "is_default")]
        pub prompt: Option<Text>,
        /// Models.
        #[serde(default, skip_serializing_if = "is_default")]
        pub models: Models,
        /// Language tags.
        pub languages: Vec<String>,
        /// IANA name of the time zone.
        pub time_zone: String,
        /// Where it can be reached.
        pub channels: Vec<Channel>,
        /// Words that the recogniser should know.
        #[serde(default, skip_serializing_if = "is_default")]
        pub words: Vec<String>,
        /// Tags.
        #[serde(default, skip_serializing_if = "is_default")]
        pub tags: Vec<String>,
        /// Groups of settings.
        #[serde(default, skip_serializing_if = "is_default")]
        pub groups: IndexMap<String, Settings>,
        /// Outcomes.
        #[serde(default, skip_serializing_if = "is_default")]
        pub outcomes: Vec<String>,
        /// The enum of its outcomes.
        pub outcome_enum: String,
        /// Before the first word.
        #[serde(default, skip_serializing_if = "is_default")]
        pub before_call: Vec<HookBlock>,
        /// The conversation.
        pub dialogue: Dialogue,
        /// Webhooks.
        #[serde(default, skip_serializing_if = "is_default")]
        pub webhooks: Vec<Webhook>,
        /// Quality scores.
        #[serde(default, skip_serializing_if = "is_default")]
        pub reviews: Vec<Review>,
        /// Promises.
        #[serde(default, skip_serializing_if = "is_default")]
        pub policies: Vec<Policy>,
        /// Renames, oldest first.
        #[serde(default, skip_serializing_if = "is_default")]
        pub moved: Vec<(String, String)>,
    }

    /// Steps of `before call`.
    pub struct HookBlock {
        /// Only if this holds.
        #[serde(default, skip_serializing_if = "is_default")]
        pub guard: Option<Expr>,
        /// The steps.
        pub steps: Vec<Step>,
    }

    /// `flow`
    pub struct Flow {
        /// Name.
        pub name: String,
        /// What it is referred to by, where the name is taken.
        #[serde(default, skip_serializing_if = "is_default")]
        pub key: Option<String>,
        /// What it returns.
        pub result: Type,
        /// The conversation.
        pub dialogue: Dialogue,
    }

    /// `webhook`
    pub struct Webhook {
        /// Name.
        pub name: String,
        /// When it is sent.
        pub events: Vec<CallEvent>,
        /// Only if this holds.
        #[serde(default, skip_serializing_if = "is_default")]
        pub guard: Option<Expr>,
        /// What is sent.
        pub request: HttpRequest,
        /// Secret that signs it.
        #[serde(default, skip_serializing_if = "is_default")]
        pub sign: Option<Expr>,
    }

    /// `review`
    pub struct Review {
        /// Name.
        pub name: String,
        /// Settings.
        #[serde(default, skip_serializing_if = "is_default")]
        pub settings: Settings,
        /// Scores.
        pub scores: Vec<Field>,
    }

    /// A promise.
    pub enum Policy {
        /// `ensure A before B`
        Ensure {
            /// What must hold.
            fact: Fact,
            /// Before which node; none: everything.
            #[serde(default, skip_serializing_if = "is_default")]
            before: Option<String>,
        },
        /// `always expr else "reason"`
        Always {
            /// What must hold.
            condition: Expr,
            /// What the model is told.
            #[serde(default, skip_serializing_if = "is_default")]
            reason: Option<String>,
        },
        /// `never x in sink`
        Never {
            /// The value.
            slot: String,
            /// Where it must not go.
            sinks: Vec<Sink>,
        },
    }

    /// What `ensure` speaks of.
    pub enum Fact {
        /// The node was completed.
        Completed(String),
        /// The condition held.
        Holds(Expr),
    }
}

/// Settings by name.
pub type Settings = IndexMap<String, Expr>;
