//! Lowering, tested on text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod conditions;
mod config;
mod examples;
mod meaning;
mod names;
mod one_error;
mod program;
mod scale;
mod settings;
mod types;
