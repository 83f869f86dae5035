//! Everything that is tested across crates, in one binary. One module for one subject.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod api;
mod calls;
mod format;
mod ir;
mod library;
mod mcp;
mod prop;
mod spec;
mod support;
mod tidy;
mod tools;
