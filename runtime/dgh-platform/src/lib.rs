//! What the product does: agents from folders, their profiles, tools and models, live calls.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by ids of their own program")]

pub mod agents;
pub mod keys;
mod mocks;
pub mod models;
pub mod project;
mod tools;

pub use mocks::{Answer, Mocks};
pub use project::Project;
pub use tools::Tools;
