//! What the runtime raises, and what `on` waits for. Documented and typed in `std/events.dgh`;
//! a test asserts that both agree.

use crate::expr::Expr;
use crate::program::SlotId;

/// An event pattern: what stands behind `on`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `silence(6s, times: 3)`: the caller had the floor this long and said nothing.
    Silence {
        /// A duration.
        after: Expr,
        /// From this many in a row on; 1 when not written.
        times: u32,
    },
    /// `unclear(times: 3)`: caller turns that said nothing usable, in a row.
    Unclear {
        /// From this many in a row on; 1 when not written.
        times: u32,
    },
    /// `stalled(turns: 8)`: caller turns in this node that changed nothing.
    Stalled {
        /// From this many in a row on.
        turns: u32,
    },
    /// `key("1")`; `key` alone is any key that no other pattern names.
    Key(Option<String>),
    /// The caller spoke over the agent.
    Interrupted,
    /// `corrected(x)`: the caller changed a value that was used.
    Corrected(SlotId),
    /// The caller hung up.
    Hangup,
    /// A machine answered.
    Voicemail,
    /// A call-screening assistant answered.
    Screening,
    /// A tool, model or the runtime failed.
    Error,
    /// `failed(collect)`: the tries of the node's collect are used up.
    FailedCollect,
    /// The transfer was answered.
    Transferred,
    /// `transfer_failed(busy, …)`; empty: all reasons.
    TransferFailed(Vec<TransferFailure>),
    /// `language("es")`; none: any change of the caller's language.
    Language(Option<String>),
    /// `limit(duration)`
    Limit(LimitKind),
    /// Nothing sounded for 1.2 s after the caller's turn.
    Slow,
    /// An unknown event, already reported.
    Hole,
}

/// Why a transfer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferFailure {
    /// `busy`
    Busy,
    /// `no_answer`
    NoAnswer,
    /// `declined`
    Declined,
    /// `failed`
    Failed,
    /// `unsupported`: chat and web cannot transfer.
    Unsupported,
}

/// A limit of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// `limits { duration }`
    Duration,
    /// `limits { cost }`
    Cost,
    /// `limits { turns }`
    Turns,
}

/// What a webhook is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallEvent {
    /// `call.started`
    Started,
    /// `call.answered`
    Answered,
    /// `call.transferred`
    Transferred,
    /// `call.failed`
    Failed,
    /// `call.ended`: once for every call.
    Ended,
    /// `review.done`
    ReviewDone,
}
