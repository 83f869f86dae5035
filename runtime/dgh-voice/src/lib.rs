//! The voice loop: sound comes in from a [`line`], is listened to and understood, the engine
//! decides, and what it says is paced out again.
//!
//! What decides is pure and gets the time passed in: [`turn`], [`playout`], [`answer`]. What works
//! on sound is in [`audio`]. Only [`call`] moves bytes: one task per call.

pub mod answer;
pub mod audio;
pub mod call;
pub mod line;
pub mod playout;
pub mod turn;

/// Milliseconds of a call, from its start. Always passed in.
pub type Millis = u64;

/// Length of a frame of sound in milliseconds, from end to end of the runtime.
pub const FRAME_MS: u64 = 20;
