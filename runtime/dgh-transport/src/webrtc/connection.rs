//! The connection, and what it tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};

use super::peer::Candidate;
use super::reports::Loss;

/// Tracks and channels that one connection may open: one of each is used.
const MOST: usize = 4;

/// Something that happened to the connection.
pub(super) enum Happened {
    State(RTCPeerConnectionState),
    Track(Arc<dyn TrackRemote>),
    Channel(Arc<dyn DataChannel>),
}

/// A connection that is closed when it is dropped.
pub(super) struct Connection(Arc<dyn PeerConnection>, Loss);

impl Connection {
    pub(super) fn new(inner: impl PeerConnection, loss: Loss) -> Self {
        Self(Arc::new(inner), loss)
    }

    /// Percent of our packets that the other side reports as lost.
    pub(super) fn loss(&self) -> u8 {
        self.1.percent()
    }

    /// For use while the connection is held: nothing that outlives it may keep this.
    pub(super) fn get(&self) -> &dyn PeerConnection {
        &*self.0
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let inner = Arc::clone(&self.0);
        // Without a runtime there is no driver either that could be closed.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = inner.close().await {
                    tracing::warn!(%error, "a connection did not close");
                }
            });
        }
    }
}

/// Hands on what the connection tells. It holds senders alone: whatever kept the connection from
/// here would keep it forever.
pub(super) struct Handler {
    pub(super) happened: UnboundedSender<Happened>,
    pub(super) candidates: UnboundedSender<Candidate>,
    pub(super) gathered: watch::Sender<bool>,
    pub(super) tracks: AtomicUsize,
    pub(super) channels: AtomicUsize,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            let _ = self.candidates.send(candidate.into());
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        let _ = self.gathered.send(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let _ = self.happened.send(Happened::State(state));
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        if self.channels.fetch_add(1, Ordering::Relaxed) < MOST {
            let _ = self.happened.send(Happened::Channel(channel));
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        if self.tracks.fetch_add(1, Ordering::Relaxed) < MOST {
            let _ = self.happened.send(Happened::Track(track));
        }
    }
}
