//! The flow of private values: where a value comes out, and what must not.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by the ids that they made")]

mod check;
pub(crate) mod outlets;

pub(crate) use check::check;
