//! Sound, 20 ms at a time.

// Sound is arithmetic between whole numbers and fractions of full scale.
#![allow(clippy::cast_precision_loss, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

pub mod beep;
pub mod denoise;
pub mod dtmf;
pub mod echo;
mod frame;
pub mod g711;
mod goertzel;
pub mod jitter;
pub mod level;
pub mod mix;
pub mod opus;
mod random;
pub mod record;
pub mod resample;
#[cfg(test)]
pub(crate) mod signals;
pub mod vad;
pub mod wav;

pub use frame::{Frame, MAX_SAMPLES};
