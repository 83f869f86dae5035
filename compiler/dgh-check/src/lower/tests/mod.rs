//! Lowering, tested on text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod examples;
