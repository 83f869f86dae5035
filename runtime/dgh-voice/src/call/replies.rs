//! The replies that are being given.

use std::task::{Context, Poll};

use dgh_engine::event::{Event, ReplyId};
use futures::StreamExt as _;
use futures::stream::BoxStream;

/// Replies that models are giving now: one, seldom two.
#[derive(Default)]
pub(super) struct Replies {
    streams: Vec<(ReplyId, BoxStream<'static, Event>)>,
}

impl Replies {
    /// One more.
    pub(super) fn push(&mut self, id: ReplyId, events: BoxStream<'static, Event>) {
        self.streams.push((id, events));
    }

    /// Those of another as well.
    pub(super) fn extend(&mut self, other: Self) {
        self.streams.extend(other.streams);
    }

    /// Drops one.
    pub(super) fn cancel(&mut self, id: ReplyId) {
        self.streams.retain(|(reply, _)| *reply != id);
    }

    /// What comes next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut index = 0;
        while let Some((_, events)) = self.streams.get_mut(index) {
            match events.poll_next_unpin(cx) {
                Poll::Ready(Some(event)) => return Poll::Ready(event),
                Poll::Ready(None) => drop(self.streams.swap_remove(index)),
                Poll::Pending => index += 1,
            }
        }
        Poll::Pending
    }
}
