//! The line: polled by the task of its call.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dgh_engine::event::TransferFailureEvent;
use dgh_voice::Millis;
use dgh_voice::audio::Frame;
use dgh_voice::audio::dtmf::Dialer;
use dgh_voice::line::{Line, LineAbout, LineCommand, LineEvent};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt as _};
use futures::{FutureExt as _, stream};
use rtc::peer_connection::transport::RTCDtlsTransportState;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Sleep, sleep, timeout};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_local::TrackLocal as _;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::RTCPeerConnectionState as State;
use webrtc::rtp_transceiver::RtpSender;

use super::channel::{self, Said};
use super::connection::{Connection, Happened};
use super::incoming::{Incoming, Next};
use super::outgoing::Outgoing;
use super::{RATE, WebRtcError};

/// Time from the answer to the connection.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// Away for so long, the call is over: time for a new offer of the same peer.
pub const LOST_AFTER: Duration = Duration::from_secs(30);
/// Time for the last words over the data channel.
const GOODBYE: Duration = Duration::from_millis(200);
/// Texts that wait for the data channel. It opens a moment after the sound.
const MAX_SHOWN: usize = 512;
/// Bytes of them.
const MAX_SHOWN_BYTES: usize = 256 << 10;

/// A WebRTC connection as a line.
pub struct WebRtcLine {
    about: LineAbout,
    /// Closed when the line is dropped.
    connection: Option<Arc<Connection>>,
    track: Arc<TrackLocalStaticRTP>,
    sender: Arc<dyn RtpSender>,
    /// Finds out whether who is away has left.
    left: Option<BoxFuture<'static, bool>>,
    happens: UnboundedReceiver<Happened>,
    remote: Option<BoxStream<'static, TrackRemoteEvent>>,
    channel: Option<Arc<dyn DataChannel>>,
    said: Option<BoxStream<'static, DataChannelEvent>>,
    open: bool,
    /// Texts to show, and the one that is being sent.
    shown: VecDeque<String>,
    shown_bytes: usize,
    sending: Option<BoxFuture<'static, ()>>,
    incoming: Incoming,
    outgoing: Outgoing,
    /// Keys go out as sound, one frame each 20 ms from here on.
    dialer: Dialer,
    dialed: Frame,
    dial_at: Millis,
    events: VecDeque<LineEvent>,
    start: Instant,
    alarm: Pin<Box<Sleep>>,
    /// Since when it is away.
    away: Option<Instant>,
    closing: Option<Instant>,
    over: bool,
    dropped: u64,
    waker: Option<Waker>,
}

impl WebRtcLine {
    pub(super) fn new(
        connection: Arc<Connection>,
        (track, sender): (Arc<TrackLocalStaticRTP>, Arc<dyn RtpSender>),
        happens: UnboundedReceiver<Happened>,
        incoming: Incoming,
        outgoing: Outgoing,
    ) -> Self {
        let start = Instant::now();
        Self {
            about: LineAbout {
                kind: "webrtc",
                rate: RATE,
                marks: false,
                // A browser adapts its own buffer to what comes; more ahead only grows it.
                lead_ms: 0,
                cancels_echo: true,
                shows: true,
                keys_as_sound: false,
            },
            connection: Some(connection),
            track,
            sender,
            left: None,
            happens,
            remote: None,
            channel: None,
            said: None,
            open: false,
            shown: VecDeque::new(),
            shown_bytes: 0,
            sending: None,
            incoming,
            outgoing,
            dialer: Dialer::new(RATE),
            dialed: Frame::default(),
            dial_at: 0,
            events: VecDeque::new(),
            start,
            alarm: Box::pin(sleep(CONNECT_WITHIN)),
            away: None,
            closing: None,
            over: false,
            dropped: 0,
            waker: None,
        }
    }

    /// Waits until sound can go both ways.
    pub(super) async fn connected(&mut self) -> Result<(), WebRtcError> {
        timeout(CONNECT_WITHIN, async {
            loop {
                match self.happens.recv().await {
                    None | Some(Happened::State(State::Closed)) => return Err(WebRtcError::Closed),
                    Some(Happened::State(State::Failed)) => return Err(WebRtcError::Failed),
                    Some(Happened::State(State::Connected)) => {
                        self.incoming.begin(self.now());
                        return Ok(());
                    }
                    Some(happened) => self.happened(happened),
                }
            }
        })
        .await
        .unwrap_or(Err(WebRtcError::Late))
    }

    fn now(&self) -> Millis {
        self.start.elapsed().as_millis() as Millis
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::State(State::Connected) => {
                if self.away.take().is_some() {
                    self.events.push_back(LineEvent::Stalled(false));
                }
            }
            Happened::State(State::Disconnected | State::Failed) => {
                if self.away.is_none() {
                    self.away = Some(Instant::now());
                    self.events.push_back(LineEvent::Stalled(true));
                    self.left = Some(has_left(Arc::clone(&self.sender)));
                }
            }
            Happened::State(State::Closed) => self.end(None),
            Happened::State(_) => {}
            Happened::Track(track) => self.remote = Some(packets(track)),
            Happened::Channel(channel) => {
                if self.channel.is_none() {
                    self.said = Some(messages(Arc::clone(&channel)));
                    self.channel = Some(channel);
                }
            }
        }
    }

    fn message(&mut self, event: Option<DataChannelEvent>) {
        match event {
            Some(DataChannelEvent::OnOpen) => self.open = true,
            Some(DataChannelEvent::OnMessage(message)) => match channel::read(&message.data) {
                Some(Said::Event(event)) => self.events.push_back(event),
                Some(Said::Hangup) => self.end(None),
                None => {
                    tracing::debug!(bytes = message.data.len(), "a message was skipped");
                    self.events.push_back(LineEvent::Skipped("a message that is none of the page's"));
                }
            },
            None | Some(DataChannelEvent::OnClose) => {
                // A side that closes its connection says so by closing the channel: the state of
                // the connection itself changes only when packets fail to come.
                if self.open {
                    self.end(None);
                }
                self.open = false;
                self.said = None;
                self.channel = None;
                self.sending = None;
            }
            Some(_) => {}
        }
    }

    fn end(&mut self, why: Option<String>) {
        if !self.over {
            self.over = true;
            let stats = self.incoming.stats();
            tracing::info!(
                received = stats.received,
                lost = stats.lost,
                late = stats.late,
                jitter_ms = stats.jitter_ms,
                not_sent = self.dropped,
                "the connection is over"
            );
            self.events.push_back(LineEvent::Closed(why));
        }
    }

    fn show(&mut self, text: String) {
        self.shown_bytes += text.len();
        self.shown.push_back(text);
        // Who shows nothing for long sees the newest.
        while self.shown.len() > MAX_SHOWN || self.shown_bytes > MAX_SHOWN_BYTES {
            let Some(oldest) = self.shown.pop_front() else { break };
            self.shown_bytes -= oldest.len();
        }
    }

    /// Sends what is shown, one text after the other.
    fn drive(&mut self, cx: &mut Context<'_>) {
        loop {
            if let Some(sending) = &mut self.sending {
                if sending.poll_unpin(cx).is_pending() {
                    return;
                }
                self.sending = None;
            }
            let Some(channel) = self.channel.as_ref().filter(|_| self.open) else { return };
            let Some(text) = self.shown.pop_front() else { return };
            self.shown_bytes -= text.len();
            let channel = Arc::clone(channel);
            self.sending = Some(Box::pin(async move {
                if let Err(error) = channel.send_text(&text).await {
                    tracing::debug!(%error, "a text was not shown");
                }
            }));
        }
    }

    /// Sends what is due of the keys. Answers when the next is.
    fn dial(&mut self, now: Millis) -> Option<Millis> {
        while !self.dialer.is_idle() && now >= self.dial_at {
            let mut frame = std::mem::take(&mut self.dialed);
            if self.dialer.fill(&mut frame) {
                self.transmit(frame.samples());
            }
            self.dialed = frame;
            self.dial_at += 20;
        }
        (!self.dialer.is_idle()).then_some(self.dial_at)
    }

    fn transmit(&mut self, samples: &[i16]) {
        if let Some(connection) = &self.connection
            && let Err(error) = self.outgoing.expect_loss(connection.loss())
        {
            tracing::debug!(%error, "loss is not prepared for");
        }
        match self.outgoing.packet(samples, self.now()) {
            // The packet goes into the queue of the connection, or is too late to be of use.
            Ok(packet) => {
                if !matches!(self.track.write_rtp(packet).now_or_never(), Some(Ok(()))) {
                    self.dropped += 1;
                }
            }
            Err(error) => tracing::warn!(%error, "sound was not sent"),
        }
    }

    /// Looks at the clock; `due` is what the sound waits for. Answers whether to look again.
    fn watch(&mut self, cx: &mut Context<'_>, due: Option<Millis>) -> bool {
        let now = Instant::now();
        let mut next = due.map(|due| self.start + Duration::from_millis(due));
        if let Some(away) = self.away {
            if now >= away + LOST_AFTER {
                self.end(Some(format!("the other side was away for {} s", LOST_AFTER.as_secs())));
                return true;
            }
            next = Some(next.map_or(away + LOST_AFTER, |next| next.min(away + LOST_AFTER)));
        }
        if let Some(end) = self.closing {
            if now >= end {
                self.end(None);
                return true;
            }
            next = Some(next.map_or(end, |next| next.min(end)));
        }
        let Some(next) = next else { return false };
        // An alarm that rings too early costs less than one that is moved with every packet.
        if self.alarm.is_elapsed() || next < self.alarm.deadline() {
            self.alarm.as_mut().reset(next);
        }
        self.alarm.as_mut().poll(cx).is_ready()
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Line for WebRtcLine {
    fn about(&self) -> &LineAbout {
        &self.about
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            if self.over {
                return Poll::Pending;
            }
            match self.happens.poll_recv(cx) {
                Poll::Ready(Some(happened)) => {
                    self.happened(happened);
                    continue;
                }
                Poll::Ready(None) => {
                    self.end(None);
                    continue;
                }
                Poll::Pending => {}
            }
            if let Some(left) = &mut self.left
                && let Poll::Ready(has_left) = left.poll_unpin(cx)
            {
                self.left = None;
                if has_left {
                    self.end(None);
                }
                continue;
            }
            let now = self.now();
            let due = match self.incoming.next(frame, now) {
                Next::Sound => return Poll::Ready(LineEvent::Audio),
                Next::Lost => return Poll::Ready(LineEvent::Lost),
                Next::Key(key) => return Poll::Ready(LineEvent::Key(key)),
                Next::Wait(due) => due,
            };
            if let Some(remote) = &mut self.remote {
                match remote.poll_next_unpin(cx) {
                    Poll::Ready(Some(TrackRemoteEvent::OnRtpPacket(packet))) => {
                        let header = &packet.header;
                        let (kind, number, at) =
                            (header.payload_type, header.sequence_number, header.timestamp);
                        self.incoming.packet(kind, number, at, &packet.payload, now);
                        continue;
                    }
                    Poll::Ready(Some(_)) => continue,
                    Poll::Ready(None) => {
                        self.remote = None;
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            if let Some(said) = &mut self.said
                && let Poll::Ready(event) = said.poll_next_unpin(cx)
            {
                self.message(event);
                continue;
            }
            self.drive(cx);
            let dial = self.dial(now);
            let due = due.map_or(dial, |due| Some(dial.map_or(due, |dial| dial.min(due))));
            if !self.watch(cx, due) {
                if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    self.waker = Some(cx.waker().clone());
                }
                return Poll::Pending;
            }
        }
    }

    fn send(&mut self, command: LineCommand<'_>) {
        if self.over || self.closing.is_some() {
            return;
        }
        match command {
            // Speech over the tones of keys would spoil them.
            LineCommand::Audio(samples) => {
                if self.dialer.is_idle() {
                    self.transmit(samples);
                }
            }
            // What was sent is played: the other side keeps no more than its jitter buffer.
            LineCommand::Mark(_) | LineCommand::Clear => {}
            LineCommand::Keys(keys) => {
                if self.dialer.is_idle() {
                    self.dial_at = self.now();
                }
                if let Some(unknown) = self.dialer.press(keys) {
                    tracing::warn!(%unknown, "no telephone has this key");
                }
                self.wake();
            }
            LineCommand::Show(json) => {
                self.show(json.to_string());
                self.wake();
            }
            LineCommand::Transfer(_) => {
                self.events.push_back(LineEvent::Transferred(Some(TransferFailureEvent::Failed)));
                self.wake();
            }
            LineCommand::Hangup => {
                self.show(channel::HANGUP.to_owned());
                self.closing = Some(Instant::now() + GOODBYE);
                self.wake();
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.drive(cx);
        if self.sending.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for WebRtcLine {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) else {
            return;
        };
        // The last words, for who drops the line with them unsent. Then the connection closes.
        let texts = std::mem::take(&mut self.shown);
        let channel = self.channel.take().filter(|_| self.open && !texts.is_empty());
        if let Some(channel) = channel {
            runtime.spawn(async move {
                let say = async {
                    for text in &texts {
                        if channel.send_text(text).await.is_err() {
                            break;
                        }
                    }
                };
                let _ = timeout(GOODBYE, say).await;
                drop(channel);
                // What was said is on its way before the door closes.
                sleep(GOODBYE / 4).await;
                drop(connection);
            });
        }
    }
}

#[cfg(test)]
impl WebRtcLine {
    /// Sound that gets lost on its way. Answers how much of it the other side reports.
    pub(super) fn lose(&mut self, samples: &[i16]) -> u8 {
        assert!(self.outgoing.packet(samples, self.now()).is_ok());
        self.connection.as_ref().map_or(0, |connection| connection.loss())
    }
}

/// Who closes a connection says so (DTLS close_notify), and its state does not change by that: it
/// changes when packets fail to come.
fn has_left(sender: Arc<dyn RtpSender>) -> BoxFuture<'static, bool> {
    Box::pin(async move {
        match sender.transport().await {
            Ok(Some(transport)) => transport.state().await == Ok(RTCDtlsTransportState::Closed),
            _ => false,
        }
    })
}

fn packets(track: Arc<dyn TrackRemote>) -> BoxStream<'static, TrackRemoteEvent> {
    Box::pin(stream::unfold(track, |track| async move { track.poll().await.map(|event| (event, track)) }))
}

fn messages(channel: Arc<dyn DataChannel>) -> BoxStream<'static, DataChannelEvent> {
    Box::pin(stream::unfold(
        channel,
        |channel| async move { channel.poll().await.map(|event| (event, channel)) },
    ))
}
