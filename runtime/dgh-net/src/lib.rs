//! The one guarded way to the network: HTTP, tools over HTTP, MCP servers.

pub mod client;
pub mod error;
pub mod policy;
pub mod resolve;
pub mod retry;

pub use client::{Answer, Client, Incoming, Request};
pub use error::{NetError, NetErrorKind};
pub use policy::Policy;
