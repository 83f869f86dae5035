//! Facts from outside. Everything that the engine learns is one of these, so a log of them is
//! the call. Sentences and complete function calls, never deltas.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Milliseconds since 1970-01-01T00:00Z. Always passed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// A reply that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplyId(pub u32);

/// Words given to speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UtteranceId(pub u32);

/// A tool call that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ToolCallId(pub u32);

/// What stands for the words of a turn that are not written down yet: a model has heard them.
pub const UNWRITTEN: &str = "[not written down]";

/// A fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Event {
    /// The caller finished a turn. In chat: a message.
    CallerTurn {
        /// What was understood; may be empty.
        text: String,
        /// Percent that the recogniser gives itself; none in chat.
        confidence: Option<u8>,
        /// Language tag, when the recogniser tells it.
        language: Option<String>,
    },
    /// The caller started to speak; the silence counter stops.
    CallerSpeaking,
    /// Keys, `0-9*#`, in the order pressed.
    Keys {
        /// The keys.
        keys: String,
    },
    /// A complete sentence of a reply.
    ReplySentence {
        /// Which reply.
        reply: ReplyId,
        /// The sentence, with its punctuation.
        text: String,
    },
    /// A complete function call of a reply.
    ReplyCall {
        /// Which reply.
        reply: ReplyId,
        /// The provider's id of the call.
        id: String,
        /// Name of the function.
        name: String,
        /// Its arguments.
        arguments: Json,
    },
    /// The words of a turn that was told without them, as [`UNWRITTEN`], are written down now; of the
    /// oldest such turn.
    LateWords {
        /// The words.
        text: String,
    },
    /// A reply is over.
    ReplyClosed {
        /// Which reply.
        reply: ReplyId,
        /// None: it finished. Some: every model of the list failed, and why.
        failure: Option<String>,
        /// What it cost and used.
        usage: Usage,
    },
    /// The first sound of an utterance went out.
    SpeechStarted {
        /// Which.
        utterance: UtteranceId,
    },
    /// The last sound of an utterance was played.
    SpeechFinished {
        /// Which.
        utterance: UtteranceId,
    },
    /// The caller spoke over an utterance and it was cut; those queued behind it were dropped.
    SpeechCut {
        /// Which.
        utterance: UtteranceId,
        /// UTF-8 bytes of its text that were heard.
        heard: u32,
        /// Whether `heard` comes from the provider's alignment, not from played time.
        exact: bool,
    },
    /// No voice could make an utterance: nothing of it sounded. Those queued behind it still do.
    SpeechFailed {
        /// Which.
        utterance: UtteranceId,
    },
    /// A tool answered.
    ToolResult {
        /// Which call.
        call: ToolCallId,
        /// The answer, checked against the declared type, or what failed.
        result: Result<Json, ToolFailure>,
    },
    /// How a transfer ended.
    TransferOutcome {
        /// None: answered.
        failure: Option<TransferFailureEvent>,
    },
    /// A voicemail answered an outbound call, and still speaks: nobody speaks to it until
    /// `AnsweredBy` tells that it listens.
    Greeting,
    /// What answered an outbound call.
    AnsweredBy {
        /// A person or not.
        who: AnsweredBy,
    },
    /// The caller hung up.
    Hangup,
    /// Somebody else ends the call.
    Stop {
        /// Who.
        by: StoppedBy,
    },
    /// Somebody who watches the call wants something done in it.
    Operator {
        /// What.
        command: Command,
    },
    /// Time passed: the deadline that `poll` named has come. Carries nothing but the time.
    Tick,
}

/// Tokens and money of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u32,
    /// Of them, from the provider's cache.
    pub cached_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
    /// Millionths of a US dollar, when the price is known.
    pub micro_usd: u64,
}

/// Why a tool has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFailure {
    /// `timeout`, `network`, `status`, `too_large`, `bad_answer`, `refused`, `mock`.
    pub kind: String,
    /// For the log and the model; holds no secret.
    pub message: String,
}

/// Why a transfer failed, on the wire of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferFailureEvent {
    /// Busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Refused.
    Declined,
    /// Anything else.
    Failed,
    /// This channel cannot transfer.
    Unsupported,
}

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A person.
    Human,
    /// A voicemail; its beep is over.
    Voicemail,
    /// A call-screening assistant.
    Screening,
    /// Not decided.
    Unknown,
}

/// What somebody who watches a call wants done in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Command {
    /// Say this to the caller.
    Say {
        /// The words.
        text: String,
    },
    /// Tell the model, and not the caller: it is on the card of the next reply.
    Whisper {
        /// The words.
        text: String,
    },
    /// Give a `var` of the agent a value.
    Set {
        /// Its name.
        name: String,
        /// JSON of its type.
        value: Json,
    },
    /// Hand the caller over.
    Transfer {
        /// E.164, or as the carrier takes it.
        number: String,
        /// A word with the other side first.
        warm: bool,
        /// Milliseconds of ringing.
        ring_ms: u64,
    },
}

impl Command {
    /// `say`, `whisper`, `set`, `transfer`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Say { .. } => "say",
            Self::Whisper { .. } => "whisper",
            Self::Set { .. } => "set",
            Self::Transfer { .. } => "transfer",
        }
    }
}

/// Who ended the call from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// An operator: the caller hears that the call has to end, in a few words and within
    /// [`LAST_WORDS_MS`](crate::LAST_WORDS_MS).
    Operator,
    /// The connection was lost.
    Lost,
    /// It never connected.
    NotConnected,
}
