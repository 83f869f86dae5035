//! Everything about a call that changes. It is saved and resumed as a whole, and holds values in
//! the clear: nothing here has a `Debug`, and records are made by [`crate::record`] alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dgh_ir::{AgentId, DialogueId, NodeId, RouteId, SlotId, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::effect::Record;
use crate::event::{AnsweredBy, ReplyId, Timestamp, ToolCallId, UtteranceId};
use crate::reply::{Purpose, ToolExchange};
use crate::start::CallStart;

/// The state of a call.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    /// What it started with.
    pub(crate) start: CallStart,
    /// Time of the last event.
    pub(crate) now: Timestamp,
    pub(crate) phase: Phase,
    /// The agent that has the call now.
    pub(crate) agent: AgentId,
    /// Its persona, rendered once.
    pub(crate) persona: String,
    /// Language tag now.
    pub(crate) language: String,
    /// Values, one scope for the agent and one for each flow that runs; outermost first.
    pub(crate) scopes: Vec<Scope>,
    /// Where the conversation stands, outermost first.
    pub(crate) frames: Vec<Frame>,
    /// Lists of steps that run; the last one runs first.
    pub(crate) activities: Vec<Activity>,
    /// The reply that is being made.
    pub(crate) reply: Option<Reply>,
    /// Tools of the last reply that still run.
    pub(crate) round: Option<Round>,
    /// Tool calls of steps, and of rounds that were left.
    pub(crate) tools: Vec<RunningTool>,
    /// An arrow to a detour that waits for the floor.
    pub(crate) deferred: Option<(usize, DialogueId, RouteId)>,
    /// Words that have been given to speech and not been played to their end.
    pub(crate) speech: VecDeque<Utterance>,
    /// What was said, as heard.
    pub(crate) history: Vec<Said>,
    /// Records that wait until it is known what has to be masked in the caller's turn.
    pub(crate) held: Option<Vec<Record>>,
    /// What the model is told on the next card.
    pub(crate) remarks: Vec<String>,
    /// A turn that waits for the floor.
    pub(crate) waiting: Option<Turn>,
    /// The turn that is being answered.
    pub(crate) turn: Option<OpenTurn>,
    /// Keys typed for a `collect`.
    pub(crate) keys: String,
    /// The caller had the last say and has heard nothing yet.
    pub(crate) owes: Owes,
    /// Whether the agent has spoken since the caller last had the floor.
    pub(crate) spoke: bool,
    pub(crate) counts: Counts,
    pub(crate) timers: BTreeMap<Timer, Timestamp>,
    /// Nodes of the agent that were completed.
    pub(crate) completed: BTreeSet<(DialogueId, NodeId)>,
    pub(crate) answering: Answering,
    /// Set by `end` alone.
    pub(crate) outcome: Option<String>,
    pub(crate) ended_by: Option<EndedBy>,
    /// The line is dead: nobody hears, nobody speaks.
    pub(crate) hung_up: bool,
    /// The caller was handed over to another line.
    pub(crate) transferred: bool,
    /// Limits that were raised.
    pub(crate) limits_raised: BTreeSet<dgh_ir::LimitKind>,
    /// A correction was refused and no request has told a model: exact words have to wait for it.
    #[serde(default)]
    pub(crate) untold: bool,
    /// An operator hands the caller over, and it rings.
    #[serde(default)]
    pub(crate) transferring: bool,
    /// The line can be transferred.
    pub(crate) transfers: bool,
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Nothing has happened.
    Fresh,
    /// An outbound call that waits for the first word of the other side.
    Holding,
    /// In conversation.
    Live,
    /// The caller hung up while a turn was unanswered; it is read once more.
    Extracting,
    /// The last words are played.
    Ending,
    /// Over.
    Over,
}

/// Values of one dialogue.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) dialogue: DialogueId,
    /// By [`SlotId`].
    pub(crate) slots: Vec<Slot>,
}

/// A name and what is known of it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// None: unset. [`Value::None`]: declined.
    pub(crate) value: Option<Value>,
    /// Read by a `call`, `run`, `transfer`, `if` or `set`: no longer changed in passing.
    pub(crate) used: bool,
    /// The caller said yes to it.
    pub(crate) confirmed: bool,
    /// It was confirmed once and has changed since.
    pub(crate) reconfirm: bool,
    /// The caller said no to it and has not said it anew.
    pub(crate) disputed: bool,
    /// The recogniser was not sure.
    pub(crate) unsure: bool,
    /// The turn in which it was cleared: only a later one may fill it.
    pub(crate) cleared_in: Option<u32>,
    /// Names of the same scope from which it was computed.
    pub(crate) from: Vec<SlotId>,
}

/// Where a dialogue stands.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Index into the scopes.
    pub(crate) scope: usize,
    pub(crate) dialogue: DialogueId,
    pub(crate) kind: FrameKind,
    /// None before the first node.
    pub(crate) node: Option<NodeId>,
    /// Number of this visit of a node in the call.
    pub(crate) visit: u32,
    pub(crate) stage: Stage,
    /// The uninterrupted texts were played and the steps are finished.
    pub(crate) completed: bool,
    /// An `ask` has been spoken.
    pub(crate) asked: bool,
    /// Caller turns that changed nothing of the `collect`.
    pub(crate) tries: u32,
    /// Caller turns that changed nothing at all.
    pub(crate) stalled: u32,
    pub(crate) read_back: Option<ReadBack>,
}

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FrameKind {
    /// The agent's dialogue.
    Root,
    /// A flow, and the name that its result goes to in the frame below.
    Flow(Option<SlotId>),
    /// A node to come back from; it shares the scope of a frame below.
    Detour,
}

/// How far a node is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Its steps run.
    Steps,
    /// Its steps are finished; it has to open.
    Opening,
    /// It has opened: the caller and the routes have it.
    Open,
}

/// Words that repeat values and wait for a yes or no.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReadBack {
    pub(crate) slots: Vec<SlotId>,
    pub(crate) masked: String,
    pub(crate) utterance: UtteranceId,
    pub(crate) heard: bool,
}

/// A list of steps that runs.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    /// Index of the frame whose names it reads.
    pub(crate) frame: usize,
    pub(crate) steps: StepsOf,
    /// Index of the next step.
    pub(crate) next: usize,
    /// What the step before `next` waits for.
    pub(crate) waits: Waits,
    pub(crate) then: Then,
}

/// Whose steps.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StepsOf {
    /// Of the agent's `before call` block with this index.
    Hook(usize),
    /// Of a node.
    Node(DialogueId, NodeId),
    /// Of a route's block.
    Route(DialogueId, RouteId),
}

/// What a running list waits for.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Waits {
    /// Nothing: it runs.
    No,
    /// All speech to be played, then for the step to run.
    Speech,
    /// The reply that is being made to be over, then for the step to run.
    Answer,
    /// A time.
    Time,
    /// A tool.
    Tool(ToolCallId),
    /// A reply: `tell`.
    Reply(ReplyId),
    /// The other line.
    Transfer,
    /// A flow.
    Flow,
}

/// What follows a list of steps.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// The block of `before call` with this index, or the start.
    Hooks(usize),
    /// The node opens.
    Open,
    /// Nothing: the conversation goes on where it was.
    Stay,
    /// The route leads on.
    Arrive(Cause),
}

/// What led to a route; it says who ended the call.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// The dialogue itself.
    Dialogue,
    Hangup,
    Limit,
    Error,
    Transferred,
    Voicemail,
}

/// A reply that is being made.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) id: ReplyId,
    pub(crate) purpose: Purpose,
    /// Rounds of tools before it.
    pub(crate) rounds: u32,
    /// Labels, names and tools on its card.
    pub(crate) offered: Offered,
    /// The first valid `go`.
    pub(crate) go: Option<(usize, DialogueId, RouteId)>,
    pub(crate) notes: Vec<(String, Json)>,
    pub(crate) confirm: Option<bool>,
    pub(crate) unclear: bool,
    pub(crate) tools: Vec<ToolWish>,
    /// A sentence was handed to speech.
    pub(crate) spoke: bool,
    /// The caller spoke over it: its further words are dropped.
    pub(crate) muted: bool,
    /// Sentences of a reply to what may be the last try: spoken once it is known that it is not.
    #[serde(default)]
    pub(crate) withheld: Vec<String>,
}

/// What a reply may call.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// Label, frame, route.
    pub(crate) labels: Vec<(String, usize, DialogueId, RouteId)>,
    pub(crate) notes: bool,
    pub(crate) confirm: bool,
    pub(crate) unclear: bool,
    /// Names of functions.
    pub(crate) tools: Vec<String>,
}

/// A tool that the model asks for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ToolWish {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Json,
}

/// Tools of one reply.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Which round of the turn: 1, 2, 3.
    pub(crate) number: u32,
    pub(crate) calls: Vec<(ToolCallId, ToolExchange, bool)>,
}

/// A tool call that is out.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RunningTool {
    pub(crate) call: ToolCallId,
    pub(crate) name: String,
    /// Arguments, masked: for the history.
    pub(crate) arguments: Json,
    /// What it answers; none: any JSON.
    pub(crate) result: ToolResultOf,
    pub(crate) used_by: ToolUse,
    /// Nobody misses its result once its node was left.
    pub(crate) harmless: bool,
}

/// What a tool answers.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToolResultOf {
    /// The declared result of a tool.
    Tool(dgh_ir::ToolId),
    /// Any JSON.
    Any,
}

/// Who waits for a tool.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToolUse {
    /// A `call` step: the scope, the name that gets the answer, the names that it was made of.
    Step {
        /// Index of the scope.
        scope: usize,
        /// The name.
        bind: Option<SlotId>,
        /// What the arguments were made of.
        from: Vec<SlotId>,
        /// Of `before call`: it may fail.
        hook: bool,
    },
    /// A reply.
    Round,
    /// Nobody: the node was left. The answer goes to the history.
    Left,
}

/// Words given to speech.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Utterance {
    pub(crate) id: UtteranceId,
    pub(crate) text: String,
    pub(crate) masked: String,
    pub(crate) muted: Vec<(u32, u32)>,
    pub(crate) exact: bool,
    pub(crate) interruptible: bool,
    pub(crate) started: bool,
    /// It was told to stop; how much was heard is not known yet.
    pub(crate) stopped: bool,
    /// The reply that it belongs to.
    pub(crate) reply: Option<ReplyId>,
    /// A recording has no words.
    pub(crate) recording: bool,
}

/// A line of the history.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Said {
    Caller(String),
    /// The utterance, until it was heard or cut.
    Agent(Option<UtteranceId>, String),
    Tools(Vec<ToolExchange>),
}

/// A turn of the caller.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) text: String,
    pub(crate) confidence: Option<u8>,
}

/// The turn that is being answered.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OpenTurn {
    /// Words as they were said: the model that answers sees them, the history the masked ones.
    pub(crate) text: String,
    pub(crate) confidence: Option<u8>,
    /// Index of its line in the history.
    pub(crate) line: usize,
    /// Something was learned, chosen or looked up in it.
    pub(crate) useful: bool,
    /// A value of the node's `collect` changed.
    pub(crate) filled: bool,
    /// Any value changed.
    pub(crate) changed: bool,
}

/// Whether the caller waits for words.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Owes {
    /// No.
    Nothing,
    /// Yes.
    Words,
    /// Yes, and the model was asked for them once more.
    AskedAgain,
}

/// What is counted.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Caller turns.
    pub(crate) turns: u32,
    pub(crate) silence: u32,
    pub(crate) unclear: u32,
    /// Arrows taken on errors since the last caller turn.
    pub(crate) errors: u32,
    pub(crate) visits: u32,
    pub(crate) replies: u32,
    pub(crate) utterances: u32,
    pub(crate) tools: u32,
    pub(crate) micro_usd: u64,
    /// Nodes entered without a turn, time, or an answer from outside between.
    pub(crate) hops: u32,
}

/// A time that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Timer {
    /// A tool has had all its time.
    Tool(ToolCallId),
    /// `wait`.
    Wait,
    /// After a `go`, the stream is read no longer.
    Grace,
    /// Nothing sounds after the caller's turn.
    Slow,
    /// The caller has the floor and is silent.
    Silence,
    /// No more keys come.
    Keypad,
    /// The first word is held no longer.
    Hold,
    /// It is decided what answered.
    Answered,
    /// The machine has said its piece.
    Beep,
    /// `limits { duration }`.
    Duration,
    /// After a limit, the call ends whatever happens.
    Overrun,
    /// The last request after a hang-up.
    Extract,
    /// The last words should have been played.
    Drain,
    /// An operator ends the call, with or without its last words.
    LastWords,
}

/// What is known of who answered.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Answering {
    pub(crate) who: AnsweredBy,
    /// It is decided once.
    pub(crate) decided: bool,
    /// Our own verdict was voicemail; the beep is awaited.
    pub(crate) awaits_beep: bool,
    /// Who hears the line tells when it listens.
    #[serde(default)]
    pub(crate) is_heard: bool,
}

/// Who ended the call.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EndedBy {
    Agent,
    Caller,
    Transfer,
    Limit,
    Error,
    NotConnected,
    Operator,
    Lost,
}

impl EndedBy {
    /// The case of `call.ended_by`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Caller => "caller",
            Self::Transfer => "transfer",
            Self::Limit => "limit",
            Self::Error => "error",
            Self::NotConnected => "not_connected",
            Self::Operator => "operator",
            Self::Lost => "lost",
        }
    }
}
