//! What has to happen outside.

use dgh_ir::{CallEvent, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::event::{ReplyId, ToolCallId, UtteranceId};
use crate::reply::ReplyRequest;

/// Something for the driver to do, in the order in which it is polled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Effect {
    /// Ask a model. Answered by `ReplySentence`, `ReplyCall`, and one `ReplyClosed`.
    StartReply(Box<ReplyRequest>),
    /// Stop listening to a reply; its `ReplyClosed` is not waited for.
    CancelReply {
        /// Which.
        reply: ReplyId,
    },
    /// Speak. Utterances play in the order given. Answered by `SpeechStarted`, then
    /// `SpeechFinished` or `SpeechCut`; or by `SpeechFailed` alone.
    Speak {
        /// Which.
        utterance: UtteranceId,
        /// The words to sound.
        text: String,
        /// The words for every record: private values as `[name]`.
        masked: String,
        /// Words of the author, not of a model.
        exact: bool,
        /// Whether the caller may talk over it.
        interruptible: bool,
        /// Bytes of `text` whose sound is muted in the recording.
        muted: Vec<(u32, u32)>,
        /// Language tag.
        language: String,
    },
    /// Play a recording, as an utterance.
    Play {
        /// Which.
        utterance: UtteranceId,
        /// Name under `[recordings]`.
        recording: String,
        /// Whether the caller may talk over it.
        interruptible: bool,
    },
    /// Stop what sounds and drop what is queued, interruptible or not.
    StopSpeech,
    /// Call a tool. Answered by `ToolResult`.
    CallTool(Box<ToolRequest>),
    /// Drop a tool call; its result is not wanted.
    CancelTool {
        /// Which.
        call: ToolCallId,
    },
    /// Call a number and hand over. Answered by `TransferOutcome`.
    Transfer {
        /// E.164, or as the carrier takes it.
        number: String,
        /// For every record.
        masked: String,
        /// A word with the other side first.
        warm: bool,
        /// Milliseconds of ringing.
        ring_ms: u64,
        /// What the other side is told.
        brief: Option<String>,
    },
    /// Press keys on the line.
    PressKeys {
        /// `0-9*#`
        keys: String,
    },
    /// A webhook is due: deliver it durably. All that depends on the call is in it; its secrets are
    /// names, which are looked up when it is sent.
    Webhook {
        /// Its name.
        name: String,
        /// What happened.
        event: CallEvent,
        /// Address, headers and credentials.
        envelope: Box<Envelope>,
        /// The secret that signs it, where the program names one.
        sign: Option<String>,
        /// The body, with the private values that it reveals. Sealed in the log.
        body: Option<Json>,
        /// The same for every record.
        masked: Option<Json>,
    },
    /// Something to record: see [`Record`].
    Emit(Record),
    /// The call is over, after everything queued has been played. The last effect.
    End,
}

/// A tool to call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRequest {
    /// Which call.
    pub call: ToolCallId,
    /// What is called.
    pub tool: ToolName,
    /// Arguments by name; JSON of the declared types. Sealed in the log.
    pub arguments: Json,
    /// The same for every record.
    pub masked: Json,
    /// Key that makes a repetition harmless; none for GET.
    pub idempotency_key: Option<String>,
    /// Milliseconds for the whole call, when the step says.
    pub timeout_ms: Option<u64>,
}

/// What is called, by the names of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolName {
    /// `tool`
    Tool(String),
    /// Server and tool.
    Mcp(String, String),
    /// A search, by the knowledge's key; the argument is `query`.
    Knowledge(String),
}

/// A line of the record of a call, already masked: what the transcript, the call page, metrics
/// and `dgh run` are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Record {
    /// A node was entered.
    Entered {
        /// Its dialogue: the agent's or flow's name.
        dialogue: String,
        /// Its name.
        node: String,
    },
    /// A node was completed.
    Completed {
        /// Its dialogue.
        dialogue: String,
        /// Its name.
        node: String,
    },
    /// A route was taken, or its block was done without leaving.
    Route {
        /// Its dialogue.
        dialogue: String,
        /// The node it was taken from.
        node: String,
        /// Index of the route in its dialogue; for coverage.
        route: u32,
        /// How it reads: `when agrees`, `if`, `on silence`.
        label: String,
        /// Where it leads, as it reads; none: stays.
        target: Option<String>,
        /// Why: who decided.
        why: String,
    },
    /// A value was set, changed, declined or cleared.
    Value {
        /// Its dialogue.
        dialogue: String,
        /// Its name.
        name: String,
        /// As a record may show it; none: cleared.
        shown: Option<String>,
    },
    /// The caller's turn, masked.
    Caller {
        /// The words.
        text: String,
    },
    /// The words of an earlier turn whose record had none, masked.
    Late {
        /// The words.
        text: String,
    },
    /// Words of the agent that were heard, masked.
    Agent {
        /// The words, cut at the last one heard.
        text: String,
        /// Whether they were cut.
        cut: bool,
    },
    /// Keys of the caller, masked.
    Keys {
        /// The keys, or `[name]`.
        keys: String,
    },
    /// A tool was called.
    Tool {
        /// Its name.
        tool: String,
        /// Arguments, masked.
        arguments: Json,
    },
    /// A tool answered.
    ToolDone {
        /// Its name.
        tool: String,
        /// The answer, masked.
        result: Result<Json, String>,
    },
    /// A model asked for what is not there now, or a value was refused.
    Refused {
        /// What and why.
        message: String,
    },
    /// An event was raised.
    Raised {
        /// As it reads: `silence`, `failed(collect)`.
        event: String,
    },
    /// A promise does not hold: the program's proof has a hole, or the log is of another one.
    Policy {
        /// Which.
        message: String,
    },
    /// Somebody who watches the call did something in it.
    Operator {
        /// `say`, `whisper`, `set`, `transfer`.
        did: String,
        /// To what, masked; or why it was refused.
        note: Option<String>,
    },
    /// A webhook is due.
    Webhook {
        /// Its name.
        name: String,
        /// The event.
        event: String,
    },
    /// The call ended.
    Ended {
        /// Its outcome.
        outcome: Option<String>,
        /// `agent, caller, transfer, limit, error, not_connected, operator, lost`.
        ended_by: String,
    },
}
