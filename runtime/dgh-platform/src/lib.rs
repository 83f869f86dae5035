//! What the product does: agents from folders, their profiles, tools and models, live calls.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by ids of their own program")]

pub mod access;
pub mod agents;
pub mod bundles;
pub mod calls;
pub mod choice;
pub mod config;
pub mod deployment;
pub mod fault;
pub mod jobs;
pub mod keys;
pub mod knowledge;
pub mod latency;
mod mocks;
pub mod models;
pub mod platform;
pub mod project;
mod quiet;
mod recordings;
pub mod secrets;
mod tools;
pub mod vault;
pub mod watcher;
pub mod webhooks;

pub use bundles::{Agents, BundleError, Folder, Told, Version};
pub use calls::{Calls, NewCall, Pending, Refused};
pub use choice::{Uses, Wanted};
pub use deployment::{Agent, Options, Pinned};
pub use fault::Fault;
pub use knowledge::Knowledge;
pub use mocks::{Answer, Mocks};
pub use platform::{FirstStart, Platform};
pub use project::Project;
pub use tools::Tools;
pub use vault::Vault;
