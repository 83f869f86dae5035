//! The first messages of a stream, until the call is known.

use std::fmt::Display;
use std::time::Duration;

use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::time::timeout;

use super::line::SocketLine;
use super::{MAX_MESSAGE_BYTES, SocketMessage};
use crate::carrier::{Carrier, Garbage, Handshake, Heard};

/// Time from the open socket to the known call.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Messages before the call is known: carriers need two.
pub const MAX_HANDSHAKE_MESSAGES: usize = 8;
/// Bytes of all of them together. Carriers bound custom parameters to some KiB.
pub const MAX_HANDSHAKE_BYTES: usize = MAX_MESSAGE_BYTES;
/// Time to say goodbye to who is not taken.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a socket did not become a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Nothing, or not enough, came in time.
    #[error("the carrier did not tell of its call within {} s", PATIENCE.as_secs())]
    Late,
    /// The other side closed, or hung up.
    #[error("the carrier closed before it told of its call")]
    Closed,
    /// The socket broke.
    #[error("the carrier's socket broke: {0}")]
    Socket(String),
    /// What came was too long, or too many messages.
    #[error("the carrier sent too much before it told of its call (last fault: {0})")]
    TooMuch(String),
    /// The call cannot be taken as it is.
    #[error("{0}")]
    Unusable(String),
}

/// Waits for the call, and makes the line of it. A socket that does not become one is closed.
pub async fn accept<S, E>(
    mut socket: S,
    mut carrier: Box<dyn Carrier>,
) -> Result<(Handshake, SocketLine<S>), HandshakeError>
where
    S: Stream<Item = Result<SocketMessage, E>> + Sink<SocketMessage, Error = E> + Unpin + Send,
    E: Display,
{
    let mut sound = Vec::new();
    let call = timeout(PATIENCE, call(&mut socket, &mut *carrier, &mut sound)).await;
    match call.unwrap_or(Err(HandshakeError::Late)) {
        Ok(handshake) => {
            let line = SocketLine::new(carrier, socket, &handshake, sound);
            Ok((handshake, line))
        }
        Err(error) => {
            // The answer to the carrier is the closed socket; whether it hears it is its business.
            let _ = timeout(GOODBYE, async {
                let _ = socket.send(SocketMessage::Close).await;
                let _ = socket.close().await;
            })
            .await;
            Err(error)
        }
    }
}

async fn call<S, E>(
    socket: &mut S,
    carrier: &mut dyn Carrier,
    sound: &mut Vec<u8>,
) -> Result<Handshake, HandshakeError>
where
    S: Stream<Item = Result<SocketMessage, E>> + Unpin,
    E: Display,
{
    let mut bytes = 0;
    let mut fault = Garbage { kind: "none", at: None };
    for _ in 0..MAX_HANDSHAKE_MESSAGES {
        let message = match socket.next().await {
            Some(Ok(SocketMessage::Close)) | None => return Err(HandshakeError::Closed),
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(HandshakeError::Socket(error.to_string())),
        };
        bytes += message.len();
        if bytes > MAX_HANDSHAKE_BYTES {
            break;
        }
        match carrier.read(&message, sound) {
            Ok(Heard::Start(handshake)) => return Ok(*handshake),
            Ok(Heard::Unusable(why)) => return Err(HandshakeError::Unusable(why)),
            Ok(Heard::Stop) => return Err(HandshakeError::Closed),
            Ok(_) => {}
            Err(garbage) => {
                tracing::warn!(carrier = carrier.name(), why = %garbage, "a message before the call was skipped");
                fault = garbage;
            }
        }
    }
    Err(HandshakeError::TooMuch(fault.to_string()))
}
