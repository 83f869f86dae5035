//! When the other side plays what was sent to it: reckoned from when it was sent, corrected by the
//! marks that come back.

use std::collections::VecDeque;

use dgh_engine::event::UtteranceId;

use super::MARK_OVERDUE_MS;
use crate::Millis;

#[derive(Default)]
pub(super) struct Clock {
    /// When the next frame is played.
    next: Millis,
    /// There was nothing to send: the other side falls silent at `next`.
    dry: bool,
    /// Whether anything was sent since the start, or since it was cleared.
    runs: bool,
    /// What was sent and, as far as one knows, not played.
    spans: VecDeque<Span>,
    marks: VecDeque<Mark>,
    /// How much later than reckoned the last mark came back: what was heard is that much less.
    lag: Millis,
}

/// Samples of an utterance that are played without a gap.
struct Span {
    at: Millis,
    utterance: UtteranceId,
    from: u64,
    len: u64,
}

struct Mark {
    id: u32,
    utterance: UtteranceId,
    position: u64,
    at: Millis,
}

impl Clock {
    /// When the next frame is played. Slips to now when there was nothing to send, and when it is
    /// later than can be caught up with.
    pub(super) fn next(&mut self, now: Millis, catch_up: Millis) -> Millis {
        let dry = std::mem::take(&mut self.dry);
        if !std::mem::replace(&mut self.runs, true) || (dry && self.next < now) {
            self.next = now;
        }
        self.next = self.next.max(now.saturating_sub(catch_up));
        self.next
    }

    /// There is nothing to send.
    pub(super) fn ran_dry(&mut self) {
        self.dry = true;
    }

    /// Samples go out that are played at a time.
    pub(super) fn sent(&mut self, at: Millis, utterance: UtteranceId, from: u64, len: u64, per_ms: u64) {
        if let Some(last) = self.spans.back_mut()
            && last.utterance == utterance
            && last.from + last.len == from
            && last.at + last.len / per_ms == at
            && last.len.is_multiple_of(per_ms)
        {
            last.len += len;
            return;
        }
        self.spans.push_back(Span { at, utterance, from, len });
    }

    /// A frame went out; the next one is played at this time.
    pub(super) fn frame_sent(&mut self, next: Millis) {
        self.next = next;
    }

    /// A mark goes out behind a position, which is played at a time.
    pub(super) fn mark(&mut self, id: u32, utterance: UtteranceId, position: u64, at: Millis) {
        self.marks.push_back(Mark { id, utterance, position, at });
    }

    /// A mark came back: which position was played.
    pub(super) fn marked(&mut self, id: u32, now: Millis) -> Option<(UtteranceId, u64)> {
        let index = self.marks.iter().position(|mark| mark.id == id)?;
        let mark = self.marks.drain(..=index).next_back()?;
        self.lag = now.saturating_sub(mark.at).min(MARK_OVERDUE_MS);
        Some((mark.utterance, mark.position))
    }

    /// A position that was played until now; asked until there is none. What is told once is told
    /// again only when it moved on.
    pub(super) fn played(&mut self, now: Millis, per_ms: u64) -> Option<(UtteranceId, u64)> {
        let now = now.saturating_sub(self.lag);
        let span = self.spans.front_mut()?;
        let played = (now.saturating_sub(span.at) * per_ms).min(span.len);
        if played == 0 {
            return None;
        }
        span.at += played.div_ceil(per_ms);
        span.from += played;
        span.len -= played;
        let reached = (span.utterance, span.from);
        if span.len == 0 {
            self.spans.pop_front();
        }
        Some(reached)
    }

    /// The other side drops what it has not played. How late its marks come is still so.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.marks.clear();
        self.runs = false;
        self.dry = false;
    }
}
