//! Lines over WebRTC: a browser, or whatever speaks like one.
//!
//! ```text
//! offer ─▶ answer() ─▶ Answered { answer ─▶ to the browser
//!                                 peer    ◀▶ candidates of both sides, later offers (ICE restart)
//!                                 waiting ─▶ connected() ─▶ WebRtcLine ─▶ the call }
//! ```
//!
//! One connection is one task of the `webrtc` crate with its own UDP sockets; everything of ours
//! runs in the task of the call, which polls the line. The line owns the connection: when it is
//! dropped, everything is closed. [`Peer`] only knows of it.

mod channel;
mod connection;
mod incoming;
mod line;
mod outgoing;
mod peer;
mod probe;
mod reports;

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use line::{CONNECT_WITHIN, LOST_AFTER, WebRtcLine};
pub use peer::{Answered, Candidate, Candidates, MAX_OFFER_BYTES, Peer, Waiting, answer};
pub use probe::probe;

/// Rate of the sound of these lines.
///
/// Voices come at 24 kHz, and Opus carries their band as it is; at 16 kHz a third of it would be
/// cut off, to save a fifth of the encoder's time. See the README for the measurement.
pub const RATE: u32 = 24_000;

/// How a line is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// STUN and TURN servers. The browser is given the same.
    pub ice_servers: Vec<IceServer>,
    /// Addresses to bind, one socket each: `0.0.0.0:0` is every interface but loopback, any port.
    pub listen: Vec<String>,
    /// The address that the world sees, when the machine stands behind a one-to-one NAT.
    pub public_ip: Option<IpAddr>,
    /// Whether loopback addresses are offered: a browser on this machine.
    pub loopback: bool,
    /// Whether everything goes through TURN.
    pub relay_only: bool,
    /// How long the answer waits for candidates to hold them itself, for signalling that cannot
    /// trickle. Zero: they are trickled.
    pub gather: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            listen: vec!["0.0.0.0:0".to_owned()],
            public_ip: None,
            loopback: false,
            relay_only: false,
            gather: Duration::ZERO,
        }
    }
}

/// A STUN or TURN server, in the form of a browser's `RTCIceServer`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:host:port`, `turn:host:port?transport=udp`, `turns:…`.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// For TURN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

/// The credential is a secret.
impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebRtcError {
    /// The offer or a candidate is not what it should be.
    #[error("the offer cannot be taken: {0}")]
    Offer(String),
    /// The offer has no Opus.
    #[error("the offer has no sound in Opus")]
    NoSound,
    /// A server's address, or what is bound, is wrong.
    #[error("the connection cannot be set up: {0}")]
    Setup(String),
    /// No way between both sides in time.
    #[error("no connection within {} s", CONNECT_WITHIN.as_secs())]
    Late,
    /// No way between both sides.
    #[error("the connection failed")]
    Failed,
    /// The call is over.
    #[error("the call is over")]
    Closed,
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
