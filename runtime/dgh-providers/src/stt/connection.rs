//! A connection to a recogniser, polled by the one task of a session: no task and no queue of its
//! own, so that a frame of sound costs one wake-up.

use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use crate::llm::LlmErrorKind;
use crate::stt::{SttEvent, SttInput, SttSession};
use crate::voice::VoiceError;

/// An open connection.
pub trait Connection: Send {
    /// Takes a piece, and never waits. Called only while it is clear.
    fn push(&mut self, input: SttInput) -> Result<(), VoiceError>;

    /// Whether everything that it took was sent, and it can take more.
    fn is_clear(&self) -> bool;

    /// Sends what waits, and tells what was heard.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, VoiceError>>;

    /// When the recogniser last told anything at all.
    fn told_at(&self) -> Instant;

    /// Says good-bye. Takes no longer than a second.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What a connection tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It listens. Told once, first.
    Ready,
    /// Something for the call.
    Event(SttEvent),
    /// So many bytes of the sound that it took are dealt with; told before the `Final` that ends there.
    Through(u64),
    /// The words from before the last `SpeechEnded` have been told.
    Answered,
}

/// A recogniser that has a task of its own, as a connection.
pub(crate) struct Opened {
    session: SttSession,
    /// Its queue is full: ready when it is not.
    room: Option<BoxFuture<'static, ()>>,
    greeted: bool,
    /// Of `SpeechEnded`, that no `Final` has answered yet.
    asked: bool,
    answered: bool,
    told_at: Instant,
}

impl Opened {
    pub(crate) fn new(session: SttSession) -> Self {
        Self { session, room: None, greeted: false, asked: false, answered: false, told_at: Instant::now() }
    }
}

impl Opened {
    /// Sees to it that the task is woken when a full queue has room again.
    fn wait_for_room(&mut self, context: &mut Context<'_>) {
        if self.room.is_none() && self.session.input.capacity() == 0 {
            let input = self.session.input.clone();
            self.room = Some(async move { drop(input.reserve().await) }.boxed());
        }
        if self.room.as_mut().is_some_and(|room| room.poll_unpin(context).is_ready()) {
            self.room = None;
        }
    }
}

impl Connection for Opened {
    fn push(&mut self, input: SttInput) -> Result<(), VoiceError> {
        self.asked |= input == SttInput::SpeechEnded;
        match self.session.input.try_send(input) {
            Ok(()) => Ok(()),
            // A closed one has an event for the reason.
            Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(gone("does not take sound as fast as it comes")),
        }
    }

    fn is_clear(&self) -> bool {
        self.room.is_none() && self.session.input.capacity() > 0
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, VoiceError>> {
        if !self.greeted {
            self.greeted = true;
            return Poll::Ready(Ok(Told::Ready));
        }
        if std::mem::take(&mut self.answered) {
            return Poll::Ready(Ok(Told::Answered));
        }
        loop {
            let event = match self.session.events.poll_recv(context) {
                Poll::Ready(Some(event)) => event,
                Poll::Ready(None) => return Poll::Ready(Err(gone("ended without a reason"))),
                Poll::Pending => {
                    self.wait_for_room(context);
                    return Poll::Pending;
                }
            };
            self.told_at = Instant::now();
            return Poll::Ready(match event {
                SttEvent::Failed(error) => Err(error),
                // The session that drives this tells its own.
                SttEvent::Connected { .. } | SttEvent::Switched { .. } | SttEvent::Answered { .. } => {
                    continue;
                }
                event => {
                    self.answered =
                        matches!(event, SttEvent::Final { .. }) && std::mem::take(&mut self.asked);
                    Ok(Told::Event(event))
                }
            });
        }
    }

    fn told_at(&self) -> Instant {
        self.told_at
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

fn gone(message: &str) -> VoiceError {
    VoiceError { provider: "stt".to_owned(), kind: LlmErrorKind::Unavailable, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
