//! Sound, 20 ms at a time.

mod frame;

pub use frame::Frame;
