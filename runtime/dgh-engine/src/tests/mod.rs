#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub(crate) mod build;
mod collect;
mod log;
