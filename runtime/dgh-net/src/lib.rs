//! The one guarded way to the network: HTTP, tools over HTTP, MCP servers.

pub mod builtin;
pub mod client;
pub mod courier;
pub mod error;
pub mod mcp;
pub mod policy;
pub mod resolve;
pub mod retry;
pub mod secrets;
pub mod socket;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tool;
pub mod toolbox;

pub use client::{Answer, Client, Incoming, Request};
pub use courier::{Courier, Receipt};
pub use error::{NetError, NetErrorKind};
pub use policy::Policy;
/// Methods and headers of requests.
pub use reqwest::{Method, header};
pub use secrets::Secrets;
pub use socket::{Socket, SocketRequest};
pub use tool::{Call, Prepared, Tools, What};
pub use toolbox::Toolbox;
