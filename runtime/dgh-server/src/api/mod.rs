//! What the call page asks for, and whoever builds one of their own.

pub(crate) mod agents;
pub(crate) mod calls;
pub(crate) mod events;
