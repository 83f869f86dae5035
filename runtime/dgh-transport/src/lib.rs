//! Lines to callers: what carries sound between the voice loop and the world.
//!
//! A carrier's media stream over a websocket becomes a line through [`socket::accept`], which
//! speaks one of the protocols of [`carrier`]; a browser's connection through [`webrtc::answer`]. What a line must do is told by
//! [`dgh_voice::line::Line`]; a line here never waits, never panics on what comes in, and keeps
//! what it could not send within bounds.

pub mod carrier;
pub mod socket;
pub mod webrtc;

#[cfg(test)]
mod costs;
