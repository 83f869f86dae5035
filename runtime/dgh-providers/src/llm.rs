//! What a language model is here: a reply request goes in, pieces of an answer come out.
//!
//! One [`Llm`] is one model of one provider. Retrying it, failing over to the next one, cutting
//! text into sentences and bounding the time are not its work: see [`crate::reply`].

use std::sync::Arc;
use std::time::Duration;

use dgh_engine::event::Usage;
use dgh_engine::reply::ReplyRequest;
use futures::stream::BoxStream;
use serde_json::Value as Json;

/// A language model.
pub trait Llm: Send + Sync {
    /// Asks for one reply. The stream ends after the last piece, or after the first error; to
    /// drop it is to cancel the request.
    ///
    /// `request.models` is not read: which model this is was settled when it was made.
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>>;
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Words, cut anywhere.
    Text(String),
    /// A complete function call.
    Call {
        /// The provider's id of the call; made up where the provider has none, unique in the reply.
        id: String,
        /// Name of the function.
        name: String,
        /// Its arguments: an object.
        arguments: Json,
    },
    /// What it used so far; each one replaces the one before.
    Usage(Usage),
}

/// Why a model has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LlmError {
    /// What went wrong.
    pub kind: LlmErrorKind,
    /// For the log and the person who set the model up; holds no secret.
    pub message: String,
    /// When the provider says that asking again makes sense.
    pub retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LlmErrorKind {
    /// The model is not set up: no key, no address, a setting that makes no sense.
    Setup,
    /// The provider does not accept the key.
    Auth,
    /// Too many requests, or no credit left.
    RateLimited,
    /// The provider failed (5xx) or says that it is overloaded.
    Unavailable,
    /// The provider refuses this request (another 4xx).
    Rejected,
    /// No connection, no first piece or no next piece in time.
    Timeout,
    /// No connection, or it was cut.
    Network,
    /// What came is not what the protocol says.
    BadAnswer,
    /// More came than is read.
    TooLarge,
    /// The provider stopped the answer because of its content.
    Blocked,
}

impl LlmError {
    /// An error without a hint when to ask again.
    pub fn new(kind: LlmErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// Whether asking the same model again may help.
    pub fn is_transient(&self) -> bool {
        use LlmErrorKind::{Network, RateLimited, Timeout, Unavailable};
        matches!(self.kind, RateLimited | Unavailable | Timeout | Network)
    }
}
