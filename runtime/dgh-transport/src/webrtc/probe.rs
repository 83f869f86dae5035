//! Whether a STUN or TURN server does what it is there for.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::connection::Handler;
use super::peer::{build, setup};
use super::{Config, IceServer, WebRtcError};

/// Asks a server for an address as a call would: of TURN a relay, of STUN the one that the world
/// sees. Answers it.
pub async fn probe(server: IceServer, within: Duration) -> Result<String, WebRtcError> {
    let turn = server.urls.iter().any(|url| url.starts_with("turn"));
    let wanted = if turn { "relay" } else { "srflx" };
    let config = Config { ice_servers: vec![server], relay_only: turn, ..Config::default() };
    let (happened, _happens) = mpsc::unbounded_channel();
    let (candidates, mut told) = mpsc::unbounded_channel();
    let (gathered, _) = watch::channel(false);
    let (tracks, channels) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let handler = Handler { happened, candidates, gathered, tracks, channels };
    let connection = build(&config, Arc::new(handler)).await?;
    let _channel = connection.get().create_data_channel("probe", None).await.map_err(setup)?;
    let offer = connection.get().create_offer(None).await.map_err(setup)?;
    connection.get().set_local_description(offer).await.map_err(setup)?;
    let found = timeout(within, async {
        // candidate:1 1 udp 33562623 203.0.113.7 49170 typ relay raddr …
        while let Some(candidate) = told.recv().await {
            let words: Vec<&str> = candidate.candidate.split_whitespace().collect();
            if let [_, _, _, _, address, port, "typ", kind, ..] = words.as_slice()
                && *kind == wanted
            {
                return Some(format!("{address}:{port}"));
            }
        }
        None
    });
    found.await.ok().flatten().ok_or(WebRtcError::Failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told() {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = IceServer {
            urls: vec![format!("turn:{}?transport=udp", taken.local_addr().unwrap())],
            username: "kim".to_owned(),
            credential: "x".to_owned(),
        };
        assert_eq!(probe(server, Duration::from_millis(300)).await, Err(WebRtcError::Failed));
    }
}
