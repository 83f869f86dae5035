//! What the product does: agents from folders, their profiles, tools and models, live calls.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by ids of their own program")]

pub mod agents;
pub mod calls;
pub mod choice;
pub mod deployment;
pub mod deployments;
pub mod keys;
pub mod latency;
mod mocks;
pub mod models;
pub mod project;
mod quiet;
mod recordings;
mod tools;
pub mod watcher;

pub use calls::{Calls, NewCall, Pending, Refused};
pub use choice::{Uses, Wanted};
pub use deployment::{Agent, Options};
pub use deployments::{Deployment, Deployments, Told};
pub use mocks::{Answer, Mocks};
pub use project::Project;
pub use tools::Tools;
