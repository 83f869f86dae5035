//! Signalling: offers, answers and candidates of both sides.

use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_TELEPHONE_EVENT};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::error::Error;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::crypto::providers::AwsLcRsProvider;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceCandidateType, RTCIceServer, RTCIceTransportPolicy, RTCSessionDescription,
    Registry, SettingEngineBuilder, configure_rtcp_reports,
};

use super::connection::{Connection, Handler};
use super::incoming::Incoming;
use super::line::WebRtcLine;
use super::outgoing::Outgoing;
use super::reports::{self, Loss};
use super::{Config, WebRtcError};

/// Longest offer that is read: browsers write some KiB.
pub const MAX_OFFER_BYTES: usize = 64 << 10;
/// Candidates that the other side may send: each is tried against each of ours.
const MAX_CANDIDATES: usize = 64;
/// Without an answer of the other side for so long it is away.
const AWAY_AFTER: Duration = Duration::from_secs(4);
/// From then on, what an ICE restart may take before the connection is given up. The line waits
/// longer: see `LOST_AFTER`.
const FAILED_AFTER: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(2);
/// What a data channel keeps to send and to read.
const CHANNEL_BYTES: usize = 256 << 10;

/// An answer, and what becomes of it.
pub struct Answered {
    /// The answer, as SDP.
    pub answer: String,
    /// The signalling of the call.
    pub peer: Peer,
    /// Our candidates, for the other side.
    pub candidates: Candidates,
    /// The line to be.
    pub waiting: Waiting,
}

/// Answers an offer.
pub async fn answer(offer: &str, config: &Config) -> Result<Answered, WebRtcError> {
    let offer = description(offer)?;
    let (happened, happens) = mpsc::unbounded_channel();
    let (candidate, candidates) = mpsc::unbounded_channel();
    let (gathered, gathers) = watch::channel(false);
    let handler = Handler {
        happened,
        candidates: candidate,
        gathered,
        tracks: AtomicUsize::new(0),
        channels: AtomicUsize::new(0),
    };
    let connection = Arc::new(Box::pin(build(config, Arc::new(handler))).await?);
    let ssrc = getrandom::u32().map_err(setup)?.max(1);
    let track = Arc::new(track(ssrc));
    let sender =
        connection.get().add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.map_err(setup)?;
    let peer = Peer {
        connection: Arc::downgrade(&connection),
        gathers,
        gather: config.gather,
        candidates: Arc::new(AtomicUsize::new(0)),
    };
    let answer = peer.negotiate(connection.get(), offer).await?;
    let types = PayloadTypes::of(&answer).ok_or(WebRtcError::NoSound)?;
    let incoming = Incoming::new(types.opus, types.telephone_events).map_err(setup)?;
    let outgoing = Outgoing::new(ssrc, types.opus, getrandom::u32().map_err(setup)?).map_err(setup)?;
    let line = WebRtcLine::new(connection, (track, sender), happens, incoming, outgoing);
    Ok(Answered { answer, peer, candidates: Candidates(candidates), waiting: Waiting(line) })
}

/// A line that is not connected yet. Dropping it closes the connection.
pub struct Waiting(WebRtcLine);

impl Waiting {
    /// The line, once sound can go both ways.
    pub async fn connected(mut self) -> Result<WebRtcLine, WebRtcError> {
        self.0.connected().await?;
        Ok(self.0)
    }
}

/// The signalling of a call. It does not keep the call alive.
#[derive(Clone)]
pub struct Peer {
    connection: Weak<Connection>,
    gathers: watch::Receiver<bool>,
    gather: Duration,
    candidates: Arc<AtomicUsize>,
}

impl Peer {
    /// A candidate of the other side. An empty one tells that there are no more.
    pub async fn add_candidate(&self, candidate: Candidate) -> Result<(), WebRtcError> {
        let connection = self.connection.upgrade().ok_or(WebRtcError::Closed)?;
        if self.candidates.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= MAX_CANDIDATES {
            return Err(WebRtcError::Offer(format!("more than {MAX_CANDIDATES} candidates")));
        }
        if candidate.candidate.is_empty() {
            return Ok(());
        }
        connection.get().add_ice_candidate(candidate.into()).await.map_err(offered)
    }

    /// Another offer of the same peer, as after its network changed (ICE restart). Answers it.
    pub async fn offer(&self, offer: &str) -> Result<String, WebRtcError> {
        let connection = self.connection.upgrade().ok_or(WebRtcError::Closed)?;
        self.candidates.store(0, std::sync::atomic::Ordering::Relaxed);
        let answer = self.negotiate(connection.get(), description(offer)?).await?;
        PayloadTypes::of(&answer).ok_or(WebRtcError::NoSound)?;
        Ok(answer)
    }

    /// Whether the call is there.
    pub fn is_open(&self) -> bool {
        self.connection.strong_count() > 0
    }

    async fn negotiate(
        &self,
        connection: &dyn PeerConnection,
        offer: RTCSessionDescription,
    ) -> Result<String, WebRtcError> {
        connection.set_remote_description(offer).await.map_err(offered)?;
        let answer = connection.create_answer(None).await.map_err(offered)?;
        let mut sdp = answer.sdp.clone();
        connection.set_local_description(answer).await.map_err(offered)?;
        if !self.gather.is_zero() {
            let mut gathers = self.gathers.clone();
            // What was found in time is enough: the rest is trickled, or not needed.
            let _ = timeout(self.gather, gathers.wait_for(|complete| *complete)).await;
            if let Some(description) = connection.local_description().await {
                sdp = description.sdp;
            }
        }
        Ok(sdp)
    }
}

/// A candidate, in the form of a browser's `RTCIceCandidateInit`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate attribute.
    pub candidate: String,
    /// The media section it belongs to.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// Number of that section.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_mline_index: Option<u16>,
    /// Of which generation it is.
    #[serde(default)]
    pub username_fragment: Option<String>,
}

impl From<RTCIceCandidateInit> for Candidate {
    fn from(init: RTCIceCandidateInit) -> Self {
        Self {
            candidate: init.candidate,
            sdp_mid: init.sdp_mid,
            sdp_mline_index: init.sdp_mline_index,
            username_fragment: init.username_fragment,
        }
    }
}

impl From<Candidate> for RTCIceCandidateInit {
    fn from(candidate: Candidate) -> Self {
        Self {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_mline_index,
            username_fragment: candidate.username_fragment,
            url: None,
        }
    }
}

/// Our candidates as they are found. Ends with the call.
pub struct Candidates(mpsc::UnboundedReceiver<Candidate>);

impl Stream for Candidates {
    type Item = Candidate;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Candidate>> {
        self.0.poll_recv(cx)
    }
}

/// The payload types of an answer.
struct PayloadTypes {
    opus: u8,
    telephone_events: Vec<u8>,
}

impl PayloadTypes {
    fn of(answer: &str) -> Option<Self> {
        let mut opus = None;
        let mut telephone_events = Vec::new();
        for line in answer.lines() {
            let Some((number, name)) = line.strip_prefix("a=rtpmap:").and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let name = name.to_ascii_lowercase();
            if name.starts_with("opus/48000") {
                opus = opus.or(Some(number));
            } else if name.starts_with("telephone-event/") {
                telephone_events.push(number);
            }
        }
        Some(Self { opus: opus?, telephone_events })
    }
}

pub(super) fn description(offer: &str) -> Result<RTCSessionDescription, WebRtcError> {
    if offer.len() > MAX_OFFER_BYTES {
        return Err(WebRtcError::Offer(format!("it is longer than {} KiB", MAX_OFFER_BYTES >> 10)));
    }
    RTCSessionDescription::offer(offer.to_owned()).map_err(offered)
}

pub(super) async fn build(
    config: &Config,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Connection, WebRtcError> {
    let mut media = MediaEngine::default();
    let opus = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 111 };
    media.register_codec(opus, RtpCodecKind::Audio).map_err(setup)?;
    for (clock_rate, payload_type) in [(48_000, 110), (8_000, 126)] {
        let rtp_codec = RTCRtpCodec {
            mime_type: MIME_TYPE_TELEPHONE_EVENT.to_owned(),
            clock_rate,
            channels: 0,
            sdp_fmtp_line: "0-15".to_owned(),
            rtcp_feedback: Vec::new(),
        };
        let events = RTCRtpCodecParameters { rtp_codec, payload_type };
        media.register_codec(events, RtpCodecKind::Audio).map_err(setup)?;
    }
    // Reports alone: retransmission, congestion control and simulcast are for video.
    let loss = Loss::default();
    let registry = reports::listen(configure_rtcp_reports(Registry::new()), &loss);
    let mut settings = SettingEngineBuilder::new()
        .with_crypto_provider(Arc::new(AwsLcRsProvider::new()))
        .with_ice_timeouts(Some(AWAY_AFTER), Some(FAILED_AFTER), Some(KEEPALIVE))
        .with_include_loopback_candidate(config.loopback)
        // A socket per call for names of machines in the local network: they reach us anyway.
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_sctp_max_receive_buffer_size(CHANNEL_BYTES as u32);
    if let Some(ip) = config.public_ip {
        settings = settings.with_nat_1to1_ips(vec![ip.to_string()], RTCIceCandidateType::Host);
    }
    let servers = config.ice_servers.iter().map(|server| RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    });
    let policy = if config.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    let configuration = RTCConfigurationBuilder::new()
        .with_ice_servers(servers.collect())
        .with_ice_transport_policy(policy)
        .build();
    let builder = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_setting_engine(settings.build())
        .with_handler(handler)
        .with_udp_addrs(config.listen.clone())
        .with_data_channel_send_buffer_limit(CHANNEL_BYTES);
    // Twenty KiB that a future of the caller need not carry.
    let connection = Box::pin(builder.build()).await.map_err(setup)?;
    Ok(Connection::new(connection, loss))
}

/// Opus as every browser has it. Two channels are what the name says (RFC 7587); one is sent, and
/// one is asked for.
pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// The track that carries what the agent says.
pub(super) fn track(ssrc: u32) -> TrackLocalStaticRTP {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec: opus(),
        ..Default::default()
    };
    TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "agent".to_owned(),
        "voice".to_owned(),
        "voice".to_owned(),
        RtpCodecKind::Audio,
        vec![coding],
    ))
}

pub(super) fn setup(error: impl std::fmt::Display) -> WebRtcError {
    WebRtcError::Setup(error.to_string())
}

fn offered(error: Error) -> WebRtcError {
    WebRtcError::Offer(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn payload_types_are_those_of_the_answer() {
        let sdp = "m=audio 9 UDP/TLS/RTP/SAVPF 109 101\r\na=rtpmap:109 opus/48000/2\r\n\
            a=rtpmap:101 telephone-event/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:x opus/48000/2\r\n";
        let types = PayloadTypes::of(sdp).unwrap();
        assert_eq!((types.opus, types.telephone_events), (109, vec![101]));
        assert!(PayloadTypes::of("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n").is_none());
    }

    #[test]
    fn a_candidate_is_read_as_browsers_write_it() {
        let text = r#"{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}"#;
        let candidate: Candidate = serde_json::from_str(text).unwrap();
        assert_eq!(candidate.sdp_mline_index, Some(0));
        assert_eq!(serde_json::to_string(&candidate).unwrap(), text);
    }
}
