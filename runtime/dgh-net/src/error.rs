//! Why a request has no answer.

use std::time::Duration;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NetError {
    /// What went wrong.
    pub kind: NetErrorKind,
    /// For the log and the person who set it up. Names hosts, never paths, headers, arguments or
    /// answers: they may hold secrets.
    pub message: String,
    /// The status, when the server answered.
    pub status: Option<u16>,
    /// When the server says that asking again makes sense.
    pub retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetErrorKind {
    /// It was not asked at all: the address is not allowed, a value does not fit, a redirect.
    Refused,
    /// No answer in time.
    Timeout,
    /// No connection, or it was cut.
    Network,
    /// A status that is not success.
    Status,
    /// The answer is longer than is read.
    TooLarge,
    /// The answer is not what was declared.
    BadAnswer,
    /// Something is missing or wrong in the configuration.
    Setup,
}

impl NetError {
    /// An error of this kind.
    pub fn new(kind: NetErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), status: None, retry_after: None }
    }

    /// Whether the same request may do better later.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            NetErrorKind::Timeout | NetErrorKind::Network => true,
            NetErrorKind::Status => matches!(self.status, Some(408 | 425 | 429 | 500 | 502 | 503 | 504)),
            _ => false,
        }
    }
}

impl NetErrorKind {
    /// The name that a tool's failure has in the log: `refused`, `timeout`, `network`, `status`,
    /// `too_large`, `bad_answer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused | Self::Setup => "refused",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Status => "status",
            Self::TooLarge => "too_large",
            Self::BadAnswer => "bad_answer",
        }
    }
}
