//! The real programs speak and listen.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod ears;
mod voice;
