//! The one guarded way to the network: HTTP, tools over HTTP, MCP servers.

pub mod client;
pub mod error;
pub mod policy;
pub mod resolve;
pub mod retry;
pub mod secrets;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use client::{Answer, Client, Incoming, Request};
pub use error::{NetError, NetErrorKind};
pub use policy::Policy;
pub use secrets::Secrets;
