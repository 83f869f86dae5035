//! Promises: `ensure`, `always`, `never`. They are proven here and asserted at run time.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by the ids that they made")]

pub(crate) mod always;
pub(crate) mod ensure;
pub(crate) mod never;
