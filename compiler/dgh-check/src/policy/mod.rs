//! Promises: `ensure`, `always`, `never`. They are proven here and asserted at run time.

pub(crate) mod always;
pub(crate) mod ensure;
pub(crate) mod never;
