#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub(crate) mod build;
mod channels;
mod collect;
mod corners;
mod examples;
mod log;
mod operator;
mod policies;
mod privacy;
mod runner;
pub(crate) mod source;
mod storm;
mod talk;
mod turn;
