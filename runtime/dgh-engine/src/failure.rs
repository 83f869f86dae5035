//! Why a step of the conversation could not be done.

/// What went wrong, in words that hold no value. It becomes an `error` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
