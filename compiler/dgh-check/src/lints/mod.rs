//! Findings about one place or one kind of thing: routes, leftovers, duties, capabilities, shape.

pub(crate) mod routes;
