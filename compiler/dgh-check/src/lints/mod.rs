//! Findings about one place or one kind of thing: routes, leftovers, duties, capabilities, shape.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by the ids that they made")]

pub(crate) mod capability;
pub(crate) mod leftovers;
pub(crate) mod outbound;
pub(crate) mod routes;
pub(crate) mod shape;
