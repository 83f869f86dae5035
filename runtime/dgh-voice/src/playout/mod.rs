//! What sounds next: utterances in order, paced out frame by frame, with marks; and which word was
//! heard last when they are cut. Pure: it makes frames, others send them.
//!
//! A frame that is played at `t` goes out at `t - lead`; the first one of a speech at once. When
//! sound comes slower than it plays, the clock slips; when the poll is late, it catches up.

mod clock;
mod heard;
mod sound;
#[cfg(test)]
mod tests;
mod utterance;

use std::collections::VecDeque;

use dgh_engine::event::UtteranceId;
use dgh_providers::tts::WordMark;

use crate::audio::Frame;
use crate::{FRAME_MS, Millis};
use clock::Clock;
use sound::Pool;
use utterance::{End, Utterance};

/// Most sound that is kept ahead of its time, in all. More is refused.
pub const MAX_AHEAD_MS: u64 = 120_000;
/// A mark is sent after so much sound, and at the end of each utterance.
pub const MARK_EVERY_MS: u64 = 1_000;
/// A mark that is overdue by this was lost.
pub const MARK_OVERDUE_MS: u64 = 2_000;
/// After so many lost marks in a row nothing waits for one any more, until one comes back.
const MARKS_LOST: u32 = 3;
/// A late poll catches up with this much; what is later than that makes the clock slip.
const MAX_CATCH_UP_MS: u64 = 400;
/// Played sound that is kept, so that a word can be begun again.
const KEEP_MS: u64 = 1_000;
/// Without word marks, speech goes on from the quietest place this far back.
const REWIND_MS: u64 = 300;
/// Length of that place.
const QUIET_MS: u64 = 20;

/// What is to be sent or told now, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// Send the frame that was filled: always 20 ms; the end of the last one may be silence.
    Frame,
    /// Send this mark.
    Mark(u32),
    /// Tell the other side to drop what it has not played.
    Clear,
    /// The first sound of an utterance goes out.
    Started(UtteranceId),
    /// The last sound of an utterance was played.
    Finished(UtteranceId),
    /// Nothing until this time; none: until something is queued.
    Wait(Option<Millis>),
}

/// An utterance that was cut, or never sounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Which.
    pub utterance: UtteranceId,
    /// UTF-8 bytes of its text that were heard; zero: nothing.
    pub heard: u32,
    /// Whether that comes from the provider's alignment and not from played time.
    pub exact: bool,
}

/// What is known of the frame that was filled last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameAbout {
    /// When the other side plays it.
    pub plays_at: Millis,
    /// Whether words sound in it that no recording may hold: silence is recorded in its place.
    pub muted: bool,
}

/// The sound that is going out.
pub struct Playout {
    /// Samples of a millisecond.
    per_ms: u64,
    lead_ms: u64,
    marks: bool,
    utterances: VecDeque<Utterance>,
    /// The one whose sound is sent next; those before it are sent and not yet played.
    sending: usize,
    clock: Clock,
    /// What was decided and not yet polled.
    outbox: VecDeque<Out>,
    next_mark: u32,
    lost_marks: u32,
    held: bool,
    /// Samples that are there and were not sent.
    ahead: u64,
    frame: FrameAbout,
    pool: Pool,
}

impl Playout {
    /// Nothing sounds. `lead_ms`: how much the other side has ahead; `marks`: whether it tells what
    /// it played.
    pub fn new(rate: u32, lead_ms: u64, marks: bool) -> Self {
        Self {
            per_ms: u64::from(rate / 1_000).max(1),
            lead_ms,
            marks,
            utterances: VecDeque::with_capacity(4),
            sending: 0,
            clock: Clock::default(),
            outbox: VecDeque::with_capacity(8),
            next_mark: 0,
            lost_marks: 0,
            held: false,
            ahead: 0,
            frame: FrameAbout::default(),
            pool: Pool::default(),
        }
    }

    /// An utterance that will sound after those before it. `text` is its words: positions are bytes
    /// of it; for a recording, its name. `muted`: bytes whose sound no recording may hold.
    pub fn queue(&mut self, id: UtteranceId, text: &str, interruptible: bool, muted: &[(u32, u32)]) {
        if self.utterances.iter().all(|utterance| utterance.id != id) {
            self.utterances.push_back(Utterance::new(id, text, interruptible, muted));
        }
    }

    /// More of its sound, at the line's rate. Answers whether it was taken: not for an utterance
    /// that was dropped or is complete, and not when more than [`MAX_AHEAD_MS`] would wait.
    pub fn sound(&mut self, id: UtteranceId, samples: &[i16]) -> bool {
        let room = (MAX_AHEAD_MS * self.per_ms).saturating_sub(self.ahead);
        let Some(utterance) = self.utterances.iter_mut().find(|utterance| utterance.id == id) else {
            return false;
        };
        if utterance.complete || samples.len() as u64 > room {
            return false;
        }
        utterance.sound.push(samples, &mut self.pool);
        self.ahead += samples.len() as u64;
        true
    }

    /// Where its words are; positions in the whole utterance, times from its first sound.
    pub fn words(&mut self, id: UtteranceId, words: &[WordMark]) {
        if let Some(utterance) = self.utterances.iter_mut().find(|utterance| utterance.id == id) {
            utterance.words.add(words);
        }
    }

    /// All its sound is there; without any, it counts as played at its turn.
    pub fn complete(&mut self, id: UtteranceId) {
        if let Some(utterance) = self.utterances.iter_mut().find(|utterance| utterance.id == id) {
            utterance.complete = true;
        }
    }

    /// It will have no sound. If none of it has sounded, it is as if it had never been queued, and the
    /// answer is true; else what is there is all.
    pub fn fail(&mut self, id: UtteranceId) -> bool {
        let Some(place) = self.utterances.iter().position(|utterance| utterance.id == id) else {
            return false;
        };
        let silent = self.utterances.get(place).is_some_and(|u| !u.started && u.sound.end() == 0);
        if !silent {
            self.complete(id);
            return false;
        }
        self.utterances.remove(place);
        if place < self.sending {
            self.sending -= 1;
        }
        true
    }

    /// A mark was played. One that was cleared, or is not known, tells nothing.
    pub fn marked(&mut self, mark: u32, now: Millis) {
        let Some((utterance, position)) = self.clock.marked(mark, now) else { return };
        self.lost_marks = 0;
        for before in &mut self.utterances {
            let reached = if before.id == utterance { position } else { before.sound.end() };
            before.played = before.played.max(reached);
            if before.id == utterance {
                break;
            }
        }
        for ended in &mut self.utterances {
            if let Some(end) = &mut ended.ends
                && end.mark.is_some_and(|own| own <= mark)
            {
                end.played = true;
            }
        }
    }

    /// Stops where it is and keeps the rest. Answers whether anything was stopped: what cannot be
    /// talked over goes on.
    pub fn hold(&mut self, now: Millis) -> bool {
        if self.held {
            return true;
        }
        self.settle(now);
        if self.utterances.front().is_none_or(|front| !front.interruptible) {
            return false;
        }
        self.silence();
        self.held = true;
        true
    }

    /// Goes on from the start of the word that was not heard to its end, or from a pause just before.
    pub fn resume(&mut self, _now: Millis) {
        if !std::mem::take(&mut self.held) {
            return;
        }
        let per_ms = self.per_ms;
        if let Some(front) = self.utterances.front_mut() {
            // What was played stays played: a word that is said again was heard before.
            let back = |ms: u64| front.played.saturating_sub(ms * per_ms);
            let to = match front.words.word_start(front.played / per_ms) {
                Some(start_ms) => (start_ms * per_ms).clamp(back(KEEP_MS), front.played),
                None => front.sound.quietest(back(REWIND_MS), front.played, QUIET_MS * per_ms),
            };
            front.sent = to.max(front.sound.start());
            front.marked = front.sent;
        }
        self.count_ahead();
    }

    /// Drops what was held, or what sounds and is queued. The first one was cut, the rest never
    /// sounded. None where what sounds cannot be talked over, and then nothing is dropped.
    pub fn cut(&mut self, now: Millis) -> Option<Cut> {
        self.settle(now);
        if !self.utterances.front()?.interruptible {
            return None;
        }
        self.drop_all()
    }

    /// Drops everything, interruptible or not.
    pub fn stop(&mut self, now: Millis) -> Option<Cut> {
        self.settle(now);
        self.drop_all()
    }

    /// The utterance that sounds now, and whether it may be talked over. While it is held, none does.
    pub fn sounding(&self) -> Option<(UtteranceId, bool)> {
        let front = self.utterances.front().filter(|front| front.started && !self.held)?;
        Some((front.id, front.interruptible))
    }

    /// Whether sound is held.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether sound is there or on its way.
    pub fn is_idle(&self) -> bool {
        self.utterances.is_empty()
    }

    /// Sound that is there and was not sent, in milliseconds.
    pub fn ahead_ms(&self) -> u64 {
        self.ahead / self.per_ms
    }

    /// The frame that [`Out::Frame`] was answered for last.
    pub fn frame(&self) -> FrameAbout {
        self.frame
    }

    /// The next thing to do. Call until it answers `Wait`.
    pub fn poll(&mut self, now: Millis, frame: &mut Frame) -> Out {
        if let Some(out) = self.outbox.pop_front() {
            return out;
        }
        if self.held {
            return Out::Wait(None);
        }
        self.advance(now);
        self.close_sent();
        self.finish(now);
        if let Some(out) = self.outbox.pop_front() {
            return out;
        }
        let finishes = self.utterances.front().and_then(|front| self.finishes_at(front));
        if !self.has_frame() {
            self.clock.ran_dry();
            return Out::Wait(finishes);
        }
        let plays_at = self.clock.next(now, MAX_CATCH_UP_MS);
        let due = plays_at.saturating_sub(self.lead_ms);
        if now < due {
            return Out::Wait(Some(finishes.map_or(due, |at| at.min(due))));
        }
        self.start_frame();
        if let Some(out) = self.outbox.pop_front() {
            return out;
        }
        self.fill(plays_at, frame);
        Out::Frame
    }

    /// Takes note of what was played until now.
    fn advance(&mut self, now: Millis) {
        while let Some((id, position)) = self.clock.played(now, self.per_ms) {
            if let Some(utterance) = self.utterances.iter_mut().find(|utterance| utterance.id == id) {
                utterance.played = utterance.played.max(position);
                let keep = utterance.played.saturating_sub(KEEP_MS * self.per_ms);
                utterance.sound.forget(keep, &mut self.pool);
            }
        }
    }

    /// Takes note of what was played, and ends what was played to its end although its mark did not
    /// come back yet.
    fn settle(&mut self, now: Millis) {
        if self.held {
            return;
        }
        self.advance(now);
        while self.utterances.front().is_some_and(|front| {
            front.started && front.complete && front.played >= front.sound.end() && front.sound.end() > 0
        }) {
            self.finished();
        }
    }

    /// Ends the first utterance when it was played to its end, as far as one knows by now.
    fn finish(&mut self, now: Millis) {
        let Some(front) = self.utterances.front() else { return };
        if self.finishes_at(front).is_none_or(|at| now < at) {
            return;
        }
        if front.ends.as_ref().is_some_and(|end| end.mark.is_some() && !end.played) {
            self.lost_marks = self.lost_marks.saturating_add(1);
        }
        self.finished();
    }

    fn finishes_at(&self, front: &Utterance) -> Option<Millis> {
        let end = front.ends.as_ref()?;
        Some(match end.mark {
            Some(_) if end.played => 0,
            Some(_) if self.lost_marks < MARKS_LOST => end.at + MARK_OVERDUE_MS,
            _ => end.at,
        })
    }

    fn finished(&mut self) {
        if let Some(mut utterance) = self.utterances.pop_front() {
            utterance.sound.clear(&mut self.pool);
            self.outbox.push_back(Out::Finished(utterance.id));
            self.sending = self.sending.saturating_sub(1);
        }
    }

    /// Closes what was sent to its end, and what has no sound.
    fn close_sent(&mut self) {
        while let Some(utterance) = self.utterances.get_mut(self.sending) {
            if !utterance.complete || utterance.unsent() > 0 {
                return;
            }
            if !utterance.started {
                utterance.started = true;
                self.outbox.push_back(Out::Started(utterance.id));
            }
            let sounded = utterance.sound.end() > 0;
            let mark = (self.marks && sounded).then_some(self.next_mark);
            // What has no sound is over when what is before it is.
            let at = if sounded { utterance.sent_until } else { 0 };
            utterance.ends = Some(End { at, mark, played: false });
            if let Some(mark) = mark {
                self.next_mark = self.next_mark.wrapping_add(1);
                self.clock.mark(mark, utterance.id, utterance.sound.end(), at);
                self.outbox.push_back(Out::Mark(mark));
            }
            self.sending += 1;
        }
    }

    fn frame_len(&self) -> u64 {
        FRAME_MS * self.per_ms
    }

    /// Whether a frame can be filled: to its end, or to the end of what was said.
    fn has_frame(&self) -> bool {
        let sending = self.utterances.get(self.sending);
        sending.is_some_and(|utterance| utterance.unsent() > 0 && utterance.fills(self.frame_len()))
    }

    /// Tells of utterances whose first sound is in the next frame.
    fn start_frame(&mut self) {
        let mut room = self.frame_len();
        for utterance in self.utterances.iter_mut().skip(self.sending) {
            if room == 0 || !utterance.fills(room) {
                break;
            }
            if !utterance.started {
                utterance.started = true;
                self.outbox.push_back(Out::Started(utterance.id));
            }
            room = room.saturating_sub(utterance.unsent());
        }
    }

    fn fill(&mut self, plays_at: Millis, frame: &mut Frame) {
        let per_ms = self.per_ms;
        let samples = frame.resize(self.frame_len() as usize);
        let mut done = 0;
        self.frame = FrameAbout { plays_at, muted: false };
        for utterance in self.utterances.iter_mut().skip(self.sending) {
            let Some(rest) = samples.get_mut(done..).filter(|rest| !rest.is_empty()) else { break };
            if !utterance.fills(rest.len() as u64) {
                break;
            }
            let read = utterance.sound.read(utterance.sent, rest) as u64;
            let at = plays_at + done as u64 / per_ms;
            self.clock.sent(at, utterance.id, utterance.sent, read, per_ms);
            self.frame.muted |= utterance.is_muted(read, per_ms);
            done += read as usize;
            utterance.sent += read;
            utterance.sent_until = plays_at + (done as u64).div_ceil(per_ms);
            self.ahead = self.ahead.saturating_sub(read);
        }
        if let Some(rest) = samples.get_mut(done..) {
            rest.fill(0);
        }
        self.clock.frame_sent(plays_at + FRAME_MS);
        self.mark_now_and_then(plays_at + FRAME_MS);
    }

    /// A mark within a long utterance, so that one knows how far it was played.
    fn mark_now_and_then(&mut self, at: Millis) {
        if !self.marks {
            return;
        }
        let every = MARK_EVERY_MS * self.per_ms;
        let Some(utterance) = self.utterances.get_mut(self.sending) else { return };
        if utterance.unsent() > 0 && utterance.sent >= utterance.marked + every {
            utterance.marked = utterance.sent;
            self.clock.mark(self.next_mark, utterance.id, utterance.sent, at);
            self.outbox.push_back(Out::Mark(self.next_mark));
            self.next_mark = self.next_mark.wrapping_add(1);
        }
    }

    /// Nothing of what was sent is played any more.
    fn silence(&mut self) {
        self.outbox.retain(|out| !matches!(out, Out::Mark(_)));
        if self.utterances.iter().any(|utterance| utterance.started) {
            self.outbox.push_back(Out::Clear);
        }
        self.clock.clear();
        self.sending = 0;
        for utterance in &mut self.utterances {
            utterance.sent = utterance.played;
            utterance.marked = utterance.played;
            utterance.ends = None;
        }
        self.count_ahead();
    }

    fn count_ahead(&mut self) {
        self.ahead = self.utterances.iter().map(Utterance::unsent).sum();
    }

    fn drop_all(&mut self) -> Option<Cut> {
        if !std::mem::take(&mut self.held) {
            self.silence();
        }
        let front = self.utterances.front()?;
        let (heard, exact) = front.words.heard(front.played / self.per_ms, front.length(self.per_ms));
        let cut = Cut { utterance: front.id, heard, exact };
        for mut utterance in self.utterances.drain(..) {
            utterance.sound.clear(&mut self.pool);
            let id = utterance.id;
            self.outbox.retain(|out| *out != Out::Started(id));
        }
        self.sending = 0;
        self.ahead = 0;
        Some(cut)
    }
}
