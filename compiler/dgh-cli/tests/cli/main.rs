//! The `dgh` command as a user runs it: what it prints, what it writes, how it exits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod commands;
mod models;
mod people;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod start;
mod support;
