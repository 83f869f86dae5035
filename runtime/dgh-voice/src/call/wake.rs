//! What wakes a call: the first of everything that it waits for.

use std::future::{Future as _, poll_fn};
use std::task::{Context, Poll};

use dgh_engine::event::{Event, ToolCallId, ToolFailure};
use dgh_providers::stt::SttEvent;
use serde_json::Value as Json;

use super::mouth::Made;
use super::{Driver, realtime};
use crate::answer::Classifier;
use crate::line::{Line, LineEvent};

/// What a call woke up for.
pub(super) enum Wake {
    Line(LineEvent),
    Understood(Option<SttEvent>),
    Made(Made),
    Reply(Event),
    Prepared(Event),
    Tool(ToolCallId, Result<Json, ToolFailure>),
    Told(Option<Event>),
    Session(realtime::Told),
    Due,
}

impl<L: Line> Driver<L> {
    /// Waits for whatever comes first.
    pub(super) async fn next(&mut self) -> Wake {
        self.set_alarm();
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let _ = self.line.poll_flush(cx);
        if self.closed.is_none()
            && let Poll::Ready(event) = self.line.poll_event(cx, &mut self.heard)
        {
            return Poll::Ready(Wake::Line(event));
        }
        if let Poll::Ready(event) = self.ear.poll(cx) {
            return Poll::Ready(Wake::Understood(event));
        }
        if let Poll::Ready(event) = self.replies.poll(cx) {
            return Poll::Ready(Wake::Reply(event));
        }
        if let Some(ahead) = &mut self.ahead
            && let Poll::Ready(event) = ahead.replies.poll(cx)
        {
            return Poll::Ready(Wake::Prepared(event));
        }
        if let Poll::Ready(made) = self.mouth.poll(cx) {
            return Poll::Ready(Wake::Made(made));
        }
        if let Some(duplex) = &mut self.duplex
            && let Poll::Ready(told) = duplex.speaker.poll(cx, self.clock.now())
        {
            return Poll::Ready(Wake::Session(told));
        }
        for index in 0..self.tools.len() {
            let Some((id, answer)) = self.tools.get_mut(index) else { break };
            if let Poll::Ready(result) = answer.as_mut().poll(cx) {
                let id = *id;
                drop(self.tools.swap_remove(index));
                return Poll::Ready(Wake::Tool(id, result));
            }
        }
        if self.inbox_open
            && let Poll::Ready(event) = self.setup.inbox.poll_recv(cx)
        {
            return Poll::Ready(Wake::Told(event));
        }
        if self.due.is_some() && self.sleep.as_mut().poll(cx).is_ready() {
            self.due = None;
            return Poll::Ready(Wake::Due);
        }
        Poll::Pending
    }

    /// Sets the one timer of the call to the nearest deadline.
    fn set_alarm(&mut self) {
        let engine = self.engine_due.map(|at| self.clock.instant(at));
        let who = self.who.as_ref().and_then(Classifier::deadline);
        let session = self.duplex.as_ref().and_then(|duplex| duplex.speaker.deadline());
        let (voice, mouth) = (self.ear.voice_due(), self.mouth.deadline(self.clock.now()));
        let others =
            [self.playout_due, self.room_due, self.turns.deadline(), self.ending, who, session, voice, mouth];
        let due = others.into_iter().flatten().map(|at| self.clock.at(at)).chain(engine).min();
        if due != self.due {
            self.due = due;
            if let Some(due) = due {
                self.sleep.as_mut().reset(due);
            }
        }
    }
}
