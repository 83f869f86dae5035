//! The paths through a dialogue: what is set where, which nodes are reached, whether every call
//! ends, whether every case has a way on.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by the ids that they made")]

pub(crate) mod access;
pub(crate) mod assign;
pub(crate) mod exhaustive;
pub(crate) mod implies;
pub(crate) mod known;
mod narrow;
mod needs;
pub(crate) mod order;
pub(crate) mod path;
pub(crate) mod progress;
pub(crate) mod reach;
pub(crate) mod rows;
pub(crate) mod scene;
mod state;
#[cfg(test)]
pub(crate) mod testing;
mod transfer;
pub(crate) mod unset;
