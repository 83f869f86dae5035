//! Lines over a websocket: a carrier's media stream.
//!
//! Generic over the socket, so that a server's and a client's both fit: anything that streams and
//! takes [`SocketMessage`]s. Pings are the socket's business and are filtered out before.

mod accept;
mod incoming;
mod line;
mod outgoing;

use bytes::Bytes;

pub use accept::{HandshakeError, MAX_HANDSHAKE_BYTES, MAX_HANDSHAKE_MESSAGES, PATIENCE, accept};
pub use line::{AWAY_AFTER, GONE_AFTER, MAX_GARBAGE, MAX_UNSENT_MS, SocketLine};

/// Longest message that is looked at: two seconds of the widest sound.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// A message of a websocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketMessage {
    /// UTF-8. What a line sends is always valid; what comes in need not be.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// The end.
    Close,
}

impl SocketMessage {
    /// How many bytes it carries.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            Self::Close => 0,
        }
    }

    /// Whether it carries none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
