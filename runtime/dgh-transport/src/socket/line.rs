//! A line over a websocket: polled by the task of its call, it never waits and never panics.

use std::collections::VecDeque;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dgh_engine::event::TransferFailureEvent;
use dgh_voice::audio::Frame;
use dgh_voice::audio::dtmf::Dialer;
use dgh_voice::line::{Line, LineAbout, LineCommand, LineEvent};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::time::{Instant, Sleep, sleep_until};

use super::incoming::{Incoming, Ready};
use super::outgoing::Outgoing;
use super::{MAX_MESSAGE_BYTES, SocketMessage};
use crate::carrier::{Carrier, Garbage, Handshake, Heard};

/// Without a message for so long the network is away: carriers send sound all the time.
pub const AWAY_AFTER: Duration = Duration::from_secs(2);
/// Away for so long, the call is over.
pub const GONE_AFTER: Duration = Duration::from_secs(30);
/// Sound that may wait to be sent, in milliseconds: a network that is away for 10 s is survived.
pub const MAX_UNSENT_MS: u64 = 15_000;
/// Messages that are not of the protocol before the line gives up. Good ones make up for them.
pub const MAX_GARBAGE: u32 = 64;
/// Good messages that make up for one that is garbage.
const FORGIVES: u32 = 50;
/// Time for the last messages and the other side's goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Sound ahead of its time. Carriers play from a buffer that runs dry when a message is late;
/// 80 ms hides what the way to a carrier usually adds, and is dropped by a clear.
const LEAD_MS: u64 = 80;
/// Marks that a carrier may owe.
const MAX_MARKS: usize = 256;

/// A carrier's media stream as a line.
pub struct SocketLine<S> {
    about: LineAbout,
    carrier: Box<dyn Carrier>,
    socket: S,
    incoming: Incoming,
    outgoing: Outgoing,
    /// What to tell before anything else is read.
    events: VecDeque<LineEvent>,
    /// Marks that were not answered.
    marks: VecDeque<u32>,
    pub(super) garbage: u32,
    good: u32,
    state: State,
    /// When the last message came.
    heard_at: Instant,
    away: bool,
    alarm: Pin<Box<Sleep>>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// We hung up; over at this time at the latest.
    Closing(Instant),
    /// Closed was told, or is the last of the events.
    Over,
}

impl<S> SocketLine<S> {
    /// The line of a call that is known. `sound` came with the handshake.
    pub(super) fn new(carrier: Box<dyn Carrier>, socket: S, handshake: &Handshake, sound: Vec<u8>) -> Self {
        let now = Instant::now();
        Self {
            about: LineAbout {
                kind: carrier.name(),
                rate: handshake.format.rate,
                marks: true,
                lead_ms: LEAD_MS,
                cancels_echo: false,
                shows: false,
                keys_as_sound: false,
            },
            carrier,
            socket,
            incoming: Incoming::new(handshake.format, sound),
            outgoing: Outgoing::new(handshake.format),
            events: VecDeque::new(),
            marks: VecDeque::new(),
            garbage: 0,
            good: 0,
            state: State::Open,
            heard_at: now,
            away: false,
            alarm: Box::pin(sleep_until(now + AWAY_AFTER)),
            waker: None,
        }
    }

    fn read(&mut self, message: &SocketMessage) {
        if self.away {
            self.away = false;
            self.events.push_back(LineEvent::Stalled(false));
        }
        if *message == SocketMessage::Close {
            return self.over(None);
        }
        if message.len() > MAX_MESSAGE_BYTES {
            return self.garbage(Garbage { kind: "a message that is too long", at: None });
        }
        let room = self.incoming.room();
        let before = room.len();
        let heard = match self.carrier.read(message, room) {
            Ok(heard) => heard,
            Err(garbage) => {
                self.incoming.room().truncate(before);
                return self.garbage(garbage);
            }
        };
        self.forgive();
        match heard {
            Heard::Nothing => {}
            Heard::Sound(place) => self.incoming.came(place, before),
            Heard::Key(key) => self.events.push_back(LineEvent::Key(key)),
            Heard::Mark(mark) => {
                // Those before it were played as well. An unknown one was cleared, or is not ours.
                if let Some(position) = self.marks.iter().position(|waiting| *waiting == mark) {
                    self.events.extend(self.marks.drain(..=position).map(LineEvent::Mark));
                }
            }
            Heard::Complaint(what) => {
                tracing::warn!(carrier = self.carrier.name(), what, "the carrier complains");
            }
            Heard::Start(_) | Heard::Unusable(_) => {
                self.garbage(Garbage { kind: "a second `start`", at: None });
            }
            Heard::Stop => self.over(None),
        }
    }

    fn garbage(&mut self, garbage: Garbage) {
        self.garbage += 1;
        let (carrier, times) = (self.carrier.name(), self.garbage);
        tracing::debug!(carrier, why = %garbage, times, "a message was skipped");
        self.events.push_back(LineEvent::Skipped(garbage.kind));
        if self.garbage >= MAX_GARBAGE {
            self.outgoing.close();
            self.over(Some(format!("the carrier sent {MAX_GARBAGE} messages that are not of its protocol")));
        }
    }

    fn forgive(&mut self) {
        if self.garbage > 0 {
            self.good += 1;
            if self.good >= FORGIVES {
                self.good = 0;
                self.garbage -= 1;
            }
        }
    }

    /// Tells what was played, and that it is over.
    fn over(&mut self, why: Option<String>) {
        if self.state != State::Over {
            self.state = State::Over;
            if self.incoming.lost + self.incoming.late > 0 {
                let (lost, late) = (self.incoming.lost, self.incoming.late);
                tracing::info!(carrier = self.carrier.name(), lost, late, "sound was missing");
            }
            self.events.push_back(LineEvent::Closed(why));
        }
    }

    /// Looks at the clock. Answers whether there is something to tell.
    fn watch(&mut self, cx: &mut Context<'_>) -> bool {
        while self.state != State::Over && self.alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let silent = now.saturating_duration_since(self.heard_at);
            let mut next = self.heard_at + if silent < AWAY_AFTER { AWAY_AFTER } else { GONE_AFTER };
            if let State::Closing(end) = self.state {
                if now >= end {
                    self.over(None);
                }
                next = next.min(end);
            }
            if silent >= GONE_AFTER {
                self.over(Some(format!("nothing came from the carrier for {} s", GONE_AFTER.as_secs())));
            } else if silent >= AWAY_AFTER && !self.away && self.state == State::Open {
                self.away = true;
                self.events.push_back(LineEvent::Stalled(true));
            }
            self.alarm.as_mut().reset(next);
        }
        !self.events.is_empty()
    }

    /// Has the task look again: something is to be told.
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<S, E> SocketLine<S>
where
    S: Stream<Item = Result<SocketMessage, E>> + Sink<SocketMessage, Error = E> + Unpin + Send,
    E: Display,
{
    /// Writes as far as the socket takes it.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        while !self.outgoing.is_empty() {
            std::task::ready!(self.socket.poll_ready_unpin(cx))?;
            if let Some(message) = self.outgoing.pop() {
                self.socket.start_send_unpin(message)?;
            }
        }
        self.socket.poll_flush_unpin(cx)
    }
}

impl<S, E> Line for SocketLine<S>
where
    S: Stream<Item = Result<SocketMessage, E>> + Sink<SocketMessage, Error = E> + Unpin + Send,
    E: Display,
{
    fn about(&self) -> &LineAbout {
        &self.about
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            if self.state == State::Over {
                return Poll::Pending;
            }
            if let Some(ready) = self.incoming.next(frame) {
                return Poll::Ready(match ready {
                    Ready::Sound => LineEvent::Audio,
                    Ready::Lost => LineEvent::Lost,
                });
            }
            if matches!(self.state, State::Closing(_)) {
                match self.drive(cx) {
                    Poll::Ready(_) => {
                        self.over(None);
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    self.heard_at = Instant::now();
                    self.read(&message);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.over(Some(format!("the carrier's socket broke: {error}")));
                    continue;
                }
                Poll::Ready(None) => {
                    self.over(None);
                    continue;
                }
                Poll::Pending => {}
            }
            if !self.watch(cx) {
                if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    self.waker = Some(cx.waker().clone());
                }
                return Poll::Pending;
            }
        }
    }

    fn send(&mut self, command: LineCommand<'_>) {
        if self.state != State::Open {
            return;
        }
        match command {
            LineCommand::Audio(samples) => {
                self.outgoing.sound(&*self.carrier, samples);
                if self.outgoing.sound_ms() > MAX_UNSENT_MS {
                    let waits = self.outgoing.bytes() >> 10;
                    self.over(Some(format!(
                        "the carrier took nothing for {} s: {waits} KiB wait",
                        MAX_UNSENT_MS / 1_000
                    )));
                    self.wake();
                }
            }
            LineCommand::Mark(mark) => {
                self.marks.push_back(mark);
                self.outgoing.mark(&*self.carrier, mark);
                if self.marks.len() > MAX_MARKS {
                    self.events.extend(self.marks.pop_front().map(LineEvent::Mark));
                    self.wake();
                }
            }
            LineCommand::Clear => {
                // Nobody waits for the carrier to tell what we know: all of them are cleared.
                self.outgoing.clear(&*self.carrier);
                if !self.marks.is_empty() {
                    self.events.extend(self.marks.drain(..).map(LineEvent::Mark));
                    self.wake();
                }
            }
            LineCommand::Keys(keys) => {
                // No media stream has a message for them; as sound the carrier plays them in their
                // time, however fast they come.
                let mut dialer = Dialer::new(self.about.rate);
                if let Some(unknown) = dialer.press(keys) {
                    tracing::warn!(%unknown, "no telephone has this key");
                }
                let mut frame = Frame::default();
                while dialer.fill(&mut frame) {
                    self.outgoing.sound(&*self.carrier, frame.samples());
                }
            }
            LineCommand::Show(_) => {}
            LineCommand::Transfer(_) => {
                // A media stream has no words for it; who holds the carrier's account does it there.
                self.events.push_back(LineEvent::Transferred(Some(TransferFailureEvent::Failed)));
                self.wake();
            }
            LineCommand::Hangup => {
                self.outgoing.close();
                let end = Instant::now() + GOODBYE;
                self.state = State::Closing(end);
                self.alarm.as_mut().reset(end);
                self.wake();
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.drive(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Ready(Err(error)) => {
                self.over(Some(format!("the carrier's socket broke: {error}")));
                self.wake();
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
