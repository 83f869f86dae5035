//! What all recognisers behind a websocket have in common: a socket, sound into it, messages out of
//! it, and something now and then while nobody speaks. What the messages mean is each one's own:
//! see [`Protocol`].

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use dgh_net::Socket;
use dgh_net::header::HeaderMap;
use dgh_net::socket::{Message, SocketError};
use futures::future::BoxFuture;
use futures::{FutureExt as _, Sink, SinkExt as _, Stream};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use url::Url;

use crate::llm::LlmErrorKind;
use crate::stt::connection::{Connection, Told};
use crate::stt::{Connecting, SttEvent, SttInput};
use crate::voice::VoiceError;
use crate::voice::endpoint::Endpoint;

/// Longest time between two looks at the clock.
const TICK: Duration = Duration::from_secs(2);
/// Something is sent so often while no sound is.
const IDLE: Duration = Duration::from_secs(4);
/// Time for a good-bye.
const BYE: Duration = Duration::from_secs(1);

/// What the messages of a recogniser mean. One value is one connection.
pub(crate) trait Protocol: Send + 'static {
    /// Messages that begin a connection.
    fn hello(&mut self, _out: &mut Vec<Message>) {}

    /// Whether sound has to wait until [`Told::Ready`] was told.
    fn waits(&self) -> bool {
        false
    }

    /// Sound.
    fn audio(&mut self, pcm: Bytes, out: &mut Vec<Message>);

    /// The caller stopped; the words are wanted now.
    fn speech_ended(&mut self, _out: &mut Vec<Message>, _told: &mut Tell) {}

    /// How long nothing may be sent before something must be.
    fn idle(&self) -> Duration {
        IDLE
    }

    /// What is sent then.
    fn keep_alive(&mut self) -> Message {
        Message::Ping(Bytes::new())
    }

    /// What is said before the socket is closed.
    fn bye(&mut self) -> Option<Message> {
        None
    }

    /// A message.
    fn read(&mut self, text: &str, told: &mut Tell) -> Result<(), Problem>;
}

/// What a protocol tells.
#[derive(Default)]
pub(crate) struct Tell {
    queue: VecDeque<Told>,
}

impl Tell {
    #[cfg(test)]
    pub(crate) fn take(&mut self) -> Vec<Told> {
        self.queue.drain(..).collect()
    }

    pub(crate) fn tell(&mut self, told: Told) {
        self.queue.push_back(told);
    }

    /// Words so far.
    pub(crate) fn partial(&mut self, text: &str) {
        self.event(SttEvent::Partial { text: text.trim().to_owned() });
    }

    /// Words that will not change, unless there are none.
    pub(crate) fn last(&mut self, text: &str, confidence: Option<u8>, language: Option<String>) {
        let text = text.trim();
        if !text.is_empty() {
            self.event(SttEvent::Final { text: text.to_owned(), confidence, language });
        }
    }

    pub(crate) fn event(&mut self, event: SttEvent) {
        self.tell(Told::Event(event));
    }
}

/// Why a message breaks the connection.
pub(crate) struct Problem {
    pub(crate) kind: LlmErrorKind,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(kind: LlmErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// A message as JSON of this shape.
pub(crate) fn json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text)
        .map_err(|_| Problem::new(LlmErrorKind::BadAnswer, "a message is not what the protocol says"))
}

/// A share from 0 to 1 as percent.
pub(crate) fn percent(share: Option<f64>) -> Option<u8> {
    #[allow(clippy::cast_sign_loss, reason = "it is clamped")]
    share.filter(|share| share.is_finite()).map(|share| (share.clamp(0.0, 1.0) * 100.0).round() as u8)
}

/// Connects.
pub(crate) fn connect<P: Protocol>(
    endpoint: &Arc<Endpoint>,
    url: Url,
    headers: HeaderMap,
    protocol: P,
) -> Connecting {
    let endpoint = Arc::clone(endpoint);
    async move {
        let socket = endpoint.socket(url, headers).await?;
        let open: Box<dyn Connection> = Box::new(Wire::new(endpoint, socket, protocol)?);
        Ok(open)
    }
    .boxed()
}

struct Wire<P> {
    endpoint: Arc<Endpoint>,
    socket: Socket,
    protocol: P,
    /// Messages on their way into the socket; kept for its room.
    out: Vec<Message>,
    told: Tell,
    /// What was written has not all left.
    flushing: bool,
    /// Since when.
    stuck: Option<Instant>,
    /// The greeting is still waited for.
    greeting: bool,
    opened: Instant,
    sent_at: Instant,
    told_at: Instant,
    clock: Pin<Box<Sleep>>,
    wakes_at: Instant,
}

impl<P: Protocol> Wire<P> {
    fn new(endpoint: Arc<Endpoint>, socket: Socket, mut protocol: P) -> Result<Self, VoiceError> {
        let now = Instant::now();
        let (mut out, mut told) = (Vec::new(), Tell::default());
        protocol.hello(&mut out);
        let greeting = protocol.waits();
        if !greeting {
            told.tell(Told::Ready);
        }
        let mut wire = Self {
            endpoint,
            socket,
            protocol,
            out,
            told,
            flushing: false,
            stuck: None,
            greeting,
            opened: now,
            sent_at: now,
            told_at: now,
            clock: Box::pin(sleep_until(now)),
            wakes_at: now,
        };
        wire.write()?;
        Ok(wire)
    }

    /// Puts what is to be said into the socket; it leaves when the socket is flushed.
    fn write(&mut self) -> Result<(), VoiceError> {
        if self.out.is_empty() {
            return Ok(());
        }
        for message in self.out.drain(..) {
            Pin::new(&mut self.socket).start_send(message).map_err(|e| self.endpoint.broken(&e))?;
        }
        self.flushing = true;
        self.sent_at = Instant::now();
        Ok(())
    }

    fn flush(&mut self, context: &mut Context<'_>) -> Result<(), VoiceError> {
        match Pin::new(&mut self.socket).poll_flush(context) {
            Poll::Ready(Ok(())) => (self.flushing, self.stuck) = (false, None),
            Poll::Pending => drop(self.stuck.get_or_insert_with(Instant::now)),
            // What the server said before it closed is still to be read.
            Poll::Ready(Err(SocketError::ConnectionClosed | SocketError::AlreadyClosed)) => {
                self.flushing = false;
            }
            Poll::Ready(Err(error)) => return Err(self.endpoint.broken(&error)),
        }
        Ok(())
    }

    /// Reads one message. Pending: there is none.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), VoiceError>> {
        let message = match ready!(Pin::new(&mut self.socket).poll_next(context)) {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Poll::Ready(Err(self.endpoint.broken(&error))),
            None => return Poll::Ready(Err(self.endpoint.closed(None))),
        };
        match message {
            Message::Text(text) => {
                self.told_at = Instant::now();
                if let Err(problem) = self.protocol.read(&text, &mut self.told) {
                    return Poll::Ready(Err(self.endpoint.error(problem.kind, &problem.message)));
                }
            }
            close @ Message::Close(_) => return Poll::Ready(Err(self.endpoint.closed(Some(&close)))),
            // The answer to a ping is written by the socket, and has to leave.
            Message::Ping(_) => self.flushing = true,
            Message::Binary(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Poll::Ready(Ok(()))
    }

    /// Looks at the clock: is the socket stuck, is a greeting missing, has nothing been sent for long?
    fn look(&mut self, now: Instant) -> Result<(), VoiceError> {
        let patience = self.endpoint.patience;
        let late = |since: Instant, patience: Duration| now.duration_since(since) >= patience;
        if self.stuck.is_some_and(|since| late(since, patience.next)) {
            let message = format!("takes no sound since {} ms", patience.next.as_millis());
            return Err(self.endpoint.error(LlmErrorKind::Timeout, &message));
        }
        if self.greeting && late(self.opened, patience.connect) {
            let message = format!("did not begin within {} ms", patience.connect.as_millis());
            return Err(self.endpoint.error(LlmErrorKind::Timeout, &message));
        }
        if !self.greeting && !self.flushing && late(self.sent_at, self.protocol.idle()) {
            let message = self.protocol.keep_alive();
            self.out.push(message);
            self.write()?;
        }
        Ok(())
    }
}

impl<P: Protocol> Connection for Wire<P> {
    fn push(&mut self, input: SttInput) -> Result<(), VoiceError> {
        match input {
            SttInput::Audio(pcm) => self.protocol.audio(pcm, &mut self.out),
            SttInput::SpeechEnded => self.protocol.speech_ended(&mut self.out, &mut self.told),
            SttInput::Expect(_) => {}
        }
        self.write()
    }

    fn is_clear(&self) -> bool {
        !self.flushing && !self.greeting
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, VoiceError>> {
        loop {
            if self.flushing {
                self.flush(context)?;
            }
            if let Some(told) = self.told.queue.pop_front() {
                self.greeting &= told != Told::Ready;
                return Poll::Ready(Ok(told));
            }
            if self.read(context)?.is_ready() {
                continue;
            }
            let next = (self.sent_at + self.protocol.idle()).min(Instant::now() + TICK);
            if next < self.wakes_at {
                self.wakes_at = next;
                self.clock.as_mut().reset(next);
            }
            if self.clock.poll_unpin(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            self.look(now)?;
            self.wakes_at =
                (self.sent_at + self.protocol.idle()).min(now + TICK).max(now + Duration::from_millis(1));
            self.clock.as_mut().reset(self.wakes_at);
        }
    }

    fn told_at(&self) -> Instant {
        self.told_at
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let bye = self.protocol.bye();
            let say = async {
                if let Some(bye) = bye {
                    self.socket.send(bye).await?;
                }
                self.socket.close(None).await
            };
            // Nobody is left to be told that it failed.
            let _ = timeout(BYE, say).await;
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
