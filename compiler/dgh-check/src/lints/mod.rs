//! Findings about one place or one kind of thing: routes, leftovers, duties, capabilities, shape.

pub(crate) mod capability;
pub(crate) mod leftovers;
pub(crate) mod outbound;
pub(crate) mod routes;
pub(crate) mod shape;
