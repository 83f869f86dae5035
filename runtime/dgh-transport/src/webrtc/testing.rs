//! The other side of a connection: what a browser is to a line, in this process.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::f32::consts::TAU;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineCommand, LineEvent};
use futures::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::RTCSessionDescription;

use super::connection::{Connection, Handler, Happened};
use super::incoming::{Incoming, Next};
use super::outgoing::Outgoing;
use super::peer::{Answered, Candidates, Peer, answer, build, track};
use super::{Config, RATE, WebRtcLine};

pub(super) const FRAME: usize = RATE as usize / 50;

/// A browser.
pub(super) struct Browser {
    pub(super) connection: Arc<Connection>,
    pub(super) happens: mpsc::UnboundedReceiver<Happened>,
    candidates: Option<mpsc::UnboundedReceiver<super::Candidate>>,
    track: Arc<TrackLocalStaticRTP>,
    outgoing: Outgoing,
    channel: Option<Arc<dyn DataChannel>>,
    remote: Option<Arc<dyn TrackRemote>>,
    start: Instant,
}

pub(super) fn loopback() -> Config {
    Config { listen: vec!["127.0.0.1:0".into()], loopback: true, ..Config::default() }
}

impl Browser {
    pub(super) async fn new() -> Self {
        Self::with_channel(true).await
    }

    pub(super) async fn with_channel(channel: bool) -> Self {
        let (happened, happens) = mpsc::unbounded_channel();
        let (candidate, candidates) = mpsc::unbounded_channel();
        let (gathered, _) = watch::channel(false);
        let handler = Handler {
            happened,
            candidates: candidate,
            gathered,
            tracks: AtomicUsize::new(0),
            channels: AtomicUsize::new(0),
        };
        let connection = Arc::new(build(&loopback(), Arc::new(handler)).await.unwrap());
        let track = Arc::new(track(4_711));
        connection.get().add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
        let channel = if channel {
            Some(connection.get().create_data_channel("dgh", None).await.unwrap())
        } else {
            None
        };
        let outgoing = Outgoing::new(4_711, 111, 77).unwrap();
        Self {
            connection,
            happens,
            candidates: Some(candidates),
            track,
            outgoing,
            channel,
            remote: None,
            start: Instant::now(),
        }
    }

    pub(super) async fn offer(&self) -> String {
        let offer = self.connection.get().create_offer(None).await.unwrap();
        let sdp = offer.sdp.clone();
        self.connection.get().set_local_description(offer).await.unwrap();
        sdp
    }

    pub(super) async fn answered(&self, sdp: String) {
        let answer = RTCSessionDescription::answer(sdp).unwrap();
        self.connection.get().set_remote_description(answer).await.unwrap();
    }

    pub(super) fn say(&mut self, samples: &[i16], lost: bool) {
        use futures::FutureExt as _;
        let now = self.start.elapsed().as_millis() as u64;
        let packet = self.outgoing.packet(samples, now).unwrap();
        if !lost {
            self.track.write_rtp(packet).now_or_never().unwrap().unwrap();
        }
    }

    pub(super) fn channel(&self) -> &Arc<dyn DataChannel> {
        self.channel.as_ref().unwrap()
    }

    /// Waits until the channel is open: a moment after the sound.
    pub(super) async fn opened(&self) {
        let opened =
            async { while !matches!(self.channel().poll().await.unwrap(), DataChannelEvent::OnOpen) {} };
        timeout(Duration::from_secs(10), opened).await.unwrap();
    }
}

/// Carries candidates both ways until one side is gone.
async fn trickle(
    browser: std::sync::Weak<Connection>,
    mut from_browser: mpsc::UnboundedReceiver<super::Candidate>,
    peer: Peer,
    mut from_us: Candidates,
) {
    loop {
        tokio::select! {
            Some(candidate) = from_browser.recv() => {
                let _ = peer.add_candidate(candidate).await;
            }
            candidate = from_us.next() => {
                let (Some(candidate), Some(browser)) = (candidate, browser.upgrade()) else { return };
                let _ = browser.get().add_ice_candidate(candidate.into()).await;
            }
        }
    }
}

/// A call with its trickling task, which ends with it.
pub(crate) struct Call {
    pub(super) browser: Browser,
    pub(super) line: WebRtcLine,
    pub(super) peer: Peer,
}

pub(crate) async fn call() -> Call {
    call_from(Browser::new().await).await
}

pub(super) async fn call_from(mut browser: Browser) -> Call {
    let offer = browser.offer().await;
    let Answered { answer, peer, candidates, waiting } = answer(&offer, &loopback()).await.unwrap();
    browser.answered(answer).await;
    let from_browser = browser.candidates.take().unwrap();
    let far = Arc::downgrade(&browser.connection);
    tokio::spawn(trickle(far, from_browser, peer.clone(), candidates));
    let line = waiting.connected().await.unwrap();
    Call { browser, line, peer }
}

/// Most samples that are kept of what is heard: a measurement of memory is not to measure them.
const MOST_HEARD: usize = 2 * RATE as usize;

/// What both sides hear of each other.
#[derive(Default)]
pub(crate) struct Heard {
    pub(super) by_us: Vec<i16>,
    pub(super) by_browser: Vec<i16>,
    pub(super) lost: usize,
    pub(super) events: Vec<LineEvent>,
    pub(super) texts: Vec<String>,
}

/// Both sides say a tone for so long: we 600 Hz, the browser 400 Hz; it loses every packet that
/// `lose` says.
pub(crate) async fn talk(call: &mut Call, frames: usize, lose: impl Fn(usize) -> bool) -> Heard {
    let mut heard = Heard::default();
    let mut frame = Frame::default();
    let mut incoming = Incoming::new(111, vec![126]).unwrap();
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    let channel = Arc::clone(call.browser.channel());
    let mut texts = pin!(futures::stream::unfold(channel, |channel| async move {
        channel.poll().await.map(|event| (event, channel))
    }));
    let mut said = 0;
    loop {
        let remote = call.browser.remote.clone();
        let packet = async {
            match &remote {
                Some(track) => track.poll().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = clock.tick() => {
                if said == frames {
                    break;
                }
                call.line.send(LineCommand::Audio(&tone(600.0, said)));
                call.browser.say(&tone(400.0, said), lose(said));
                said += 1;
            }
            event = std::future::poll_fn(|cx| call.line.poll_event(cx, &mut frame)) => match event {
                LineEvent::Audio => keep(&mut heard.by_us, &frame),
                LineEvent::Lost => {
                    heard.lost += 1;
                    keep(&mut heard.by_us, &frame);
                }
                LineEvent::Closed(_) => {
                    heard.events.push(event);
                    break;
                }
                other => heard.events.push(other),
            },
            Some(happened) = call.browser.happens.recv() => {
                if let Happened::Track(track) = happened {
                    call.browser.remote = Some(track);
                }
            }
            packet = packet => {
                if let Some(TrackRemoteEvent::OnRtpPacket(packet)) = packet {
                    let header = packet.header;
                    let now = call.browser.start.elapsed().as_millis() as u64;
                    incoming.packet(header.payload_type, header.sequence_number, header.timestamp,
                        &packet.payload, now);
                    let mut frame = Frame::default();
                    while let Next::Sound | Next::Lost = incoming.next(&mut frame, now) {
                        keep(&mut heard.by_browser, &frame);
                    }
                }
            }
            Some(event) = texts.next() => {
                if let DataChannelEvent::OnMessage(message) = event {
                    heard.texts.push(String::from_utf8(message.data.to_vec()).unwrap());
                }
            }
        }
    }
    heard
}

fn keep(heard: &mut Vec<i16>, frame: &Frame) {
    if heard.len() < MOST_HEARD {
        heard.extend_from_slice(frame.samples());
    }
}

pub(super) fn tone(hertz: f32, frame: usize) -> [i16; FRAME] {
    std::array::from_fn(|n| {
        let at = (frame * FRAME + n) as f32 / RATE as f32;
        ((TAU * hertz * at).sin() * 8_000.0) as i16
    })
}

/// How much of the sound is this tone: 1 for nothing else (Goertzel).
pub(super) fn share(sound: &[i16], hertz: f32) -> f32 {
    let (mut re, mut im, mut all) = (0f64, 0f64, 0f64);
    for (n, sample) in sound.iter().enumerate() {
        let angle = f64::from(TAU * hertz) * n as f64 / f64::from(RATE);
        let sample = f64::from(*sample);
        re += sample * angle.cos();
        im += sample * angle.sin();
        all += sample * sample;
    }
    let power = 2.0 * (re * re + im * im) / sound.len() as f64;
    (power / all.max(1.0)) as f32
}
