//! The flow of private values: where a value comes out, and what must not.

mod check;
pub(crate) mod outlets;

pub(crate) use check::check;
