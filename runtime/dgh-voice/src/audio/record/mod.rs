//! The recording of a call: a WAV file of two channels, the caller left and the agent right,
//! written as the call goes on.
//!
//! A call never waits for the disk. It lays both sides into a window of 800 ms, and half of it goes
//! to the one [`writer`] thread of the process when its time is over. The file is a whole WAV file
//! after every write: when the process dies, the last second at most is missing.
//!
//! Both sides lie where the call's clock has them, to 20 ms. Where nothing came there is silence.

mod timeline;
mod writer;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;

use self::timeline::{Place, Timeline};
use self::writer::{Job, Tape};
use super::resample::Resampler;
use super::{Frame, MAX_SAMPLES};
use crate::Millis;

/// Who is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Caller,
    /// Right.
    Agent,
}

/// Why there is no recording, or only its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be made.
    #[error("the recording {path} cannot be made: {reason}")]
    Create {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The disk is full, or broken.
    #[error("the recording {path} ends early: {reason}")]
    Write {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The disk is slower than the call for seconds.
    #[error("the recording {path} has gaps: the disk is too slow")]
    Slow {
        /// Which.
        path: String,
    },
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its file.
    pub path: PathBuf,
    /// How long it is.
    pub duration_ms: Millis,
}

/// Records one call.
pub struct Recorder {
    tape: Arc<Tape>,
    rate: u32,
    caller: Channel,
    agent: Channel,
    /// The sound that is not on its way to the disk: four bytes for each moment, left and right.
    window: Vec<u8>,
    /// The first moment of the window.
    base: u64,
    /// The first moment after everything that was laid into it.
    end: u64,
    finished: bool,
}

/// One side.
struct Channel {
    resampler: Resampler,
    timeline: Timeline,
    resampled: Vec<i16>,
    /// Times that stay silent.
    mutes: Vec<(u64, u64)>,
}

/// The window, and what of it goes to the disk at once.
const WINDOW_MS: u64 = 800;
const BLOCK_MS: u64 = 400;

/// A side that is this late is not waited for: its sound is put into the file afterwards.
const LATE_MS: u64 = 200;

/// Bytes of a moment: two samples.
const MOMENT: u64 = 4;

impl Recorder {
    /// Makes the file, readable by its owner only, and fails if it is there. The frames that come
    /// are of the line's rate; lines of more than 8 kHz are recorded with 16 kHz.
    pub fn create(path: &Path, line_rate: u32) -> Result<Self, RecordError> {
        let rate = if line_rate <= 8_000 { 8_000 } else { 16_000 };
        Ok(Self::new(writer::create(path, rate)?, line_rate, rate))
    }

    fn new(tape: Arc<Tape>, line_rate: u32, rate: u32) -> Self {
        let channel = || Channel {
            resampler: Resampler::new(line_rate, rate),
            timeline: Timeline::new(rate),
            resampled: Vec::with_capacity(MAX_SAMPLES),
            mutes: Vec::new(),
        };
        let window = moments(WINDOW_MS, rate) * MOMENT;
        Self {
            tape,
            rate,
            caller: channel(),
            agent: channel(),
            window: vec![0; window as usize],
            base: 0,
            end: 0,
            finished: false,
        }
    }

    /// What the caller said: the frame that began at this time of the call.
    pub fn caller(&mut self, at: Millis, frame: &Frame) {
        self.push(Side::Caller, at, frame);
    }

    /// What the agent said: the frame that the caller hears from this time of the call on.
    pub fn agent(&mut self, at: Millis, frame: &Frame) {
        self.push(Side::Agent, at, frame);
    }

    /// Keeps one side silent from one time of the call to another, past or still to come: private
    /// values, keys. What is on the disk already is overwritten there.
    pub fn mute(&mut self, side: Side, from: Millis, to: Millis) {
        let range = (moments(from, self.rate), moments(to, self.rate).min(MAX_MOMENTS));
        if range.0 >= range.1 {
            return;
        }
        let offset = offset(side);
        let in_window = (range.0.max(self.base) - self.base, range.1.saturating_sub(self.base));
        for moment in self.moments_mut(in_window.0, in_window.1) {
            if let Some(sample) = moment.get_mut(offset..offset + 2) {
                sample.fill(0);
            }
        }
        if range.0 < self.base {
            self.tape.send(Job::Mute { side, from: range.0, to: range.1.min(self.base) });
        }
        let base = self.base;
        let channel = self.channel(side);
        // What is long over is on the disk and muted there.
        let over = base.saturating_sub(moments(MUTES_KEPT_MS, channel.resampler.to()));
        channel.mutes.retain(|(_, to)| *to > over);
        channel.mutes.push(range);
    }

    /// The time: what is older than a block goes to the disk, also when nothing comes in.
    pub fn tick(&mut self, now: Millis) {
        self.settle(now);
        let now = moments(now, self.rate).min(MAX_MOMENTS);
        if now >= self.base + moments(BLOCK_MS + LATE_MS, self.rate) {
            self.flush_before(now - moments(LATE_MS, self.rate));
        }
    }

    /// What went wrong, told once. The call goes on, and calls here do nothing any more.
    pub fn trouble(&mut self) -> Option<RecordError> {
        self.tape.trouble()
    }

    /// Ends the recording at this time of the call: silence is added up to it. The file is complete
    /// when the future is; dropping the future is no harm.
    pub fn finish(
        mut self,
        at: Millis,
    ) -> impl Future<Output = Result<Recording, RecordError>> + Send + 'static {
        let (done, finished) = oneshot::channel();
        let duration = moments(at, self.rate).min(MAX_MOMENTS);
        self.close(duration, Some(done));
        let tape = Arc::clone(&self.tape);
        async move { finished.await.unwrap_or_else(|_| Err(tape.broken("the writer is gone"))) }
    }

    fn channel(&mut self, side: Side) -> &mut Channel {
        match side {
            Side::Caller => &mut self.caller,
            Side::Agent => &mut self.agent,
        }
    }

    fn push(&mut self, side: Side, at: Millis, frame: &Frame) {
        if self.tape.is_broken() {
            return;
        }
        let at_moment = moments(at, self.rate);
        if at_moment >= MAX_MOMENTS {
            return;
        }
        let channel = self.channel(side);
        let mut sound = std::mem::take(&mut channel.resampled);
        sound.clear();
        channel.resampler.push(frame.samples(), &mut sound);
        let (held, place) = channel.timeline.place(at_moment, &sound);
        if let Some(held_at) = held {
            self.lay_held(side, held_at);
        }
        match place {
            Place::At(at) => self.lay(side, at, &sound),
            Place::Held => self.channel(side).timeline.hold(at_moment, &sound),
            Place::Nowhere => {}
        }
        self.channel(side).resampled = sound;
        // The agent's times may lie ahead: the clock is the caller's.
        if side == Side::Caller {
            self.tick(at);
        }
    }

    /// A frame that was held back for long enough lies where its time is.
    fn settle(&mut self, now: Millis) {
        let now = moments(now, self.rate);
        for side in [Side::Caller, Side::Agent] {
            if let Some(at) = self.channel(side).timeline.overdue(now) {
                self.lay_held(side, at);
            }
        }
    }

    fn lay_held(&mut self, side: Side, at: u64) {
        let sound = self.channel(side).timeline.take_held();
        self.lay(side, at, &sound);
        self.channel(side).timeline.give_back(sound);
    }

    fn lay(&mut self, side: Side, at: u64, sound: &[i16]) {
        let end = (at + sound.len() as u64).min(MAX_MOMENTS);
        self.end = self.end.max(end);
        // Too late for the window: into the file.
        let late = self.base.saturating_sub(at).min(sound.len() as u64) as usize;
        let (past, sound) = sound.split_at_checked(late).unwrap_or((sound, &[]));
        let channel = self.channel(side);
        let mutes = std::mem::take(&mut channel.mutes);
        if !past.is_empty() {
            let past = past
                .iter()
                .zip(at..)
                .map(|(sample, at)| if is_in(&mutes, at) { 0 } else { *sample })
                .collect();
            self.tape.send(Job::Patch { side, at, sound: past });
        }
        let at = at + late as u64;
        let capacity = moments(WINDOW_MS, self.rate);
        if at + sound.len() as u64 > self.base + capacity {
            self.flush_before(at.saturating_sub(moments(LATE_MS, self.rate)));
        }
        let offset = offset(side);
        let from = at.saturating_sub(self.base);
        let any_mute = mutes.iter().any(|(from, to)| *from < end && at < *to);
        for ((moment, sample), at) in self.moments_mut(from, from + sound.len() as u64).zip(sound).zip(at..) {
            if let Some(bytes) = moment.get_mut(offset..offset + 2)
                && !(any_mute && is_in(&mutes, at))
            {
                bytes.copy_from_slice(&sample.to_le_bytes());
            }
        }
        self.channel(side).mutes = mutes;
    }

    /// Sends everything before this moment to the disk.
    fn flush_before(&mut self, moment: u64) {
        let capacity = moments(WINDOW_MS, self.rate);
        let count = moment.saturating_sub(self.base).min(capacity);
        let bytes = (count * MOMENT) as usize;
        // Only what was filled: the silence after it is made by what is written behind it.
        let filled = (self.end.saturating_sub(self.base).min(count) * MOMENT) as usize;
        if let Some(sound) = self.window.get(..filled)
            && !sound.is_empty()
        {
            self.tape.write(self.base, sound);
        }
        self.window.copy_within(bytes.., 0);
        let kept = self.window.len() - bytes;
        if let Some(free) = self.window.get_mut(kept..) {
            free.fill(0);
        }
        self.base = self.base.max(moment);
    }

    fn close(&mut self, duration: u64, done: Option<oneshot::Sender<Result<Recording, RecordError>>>) {
        self.finished = true;
        for side in [Side::Caller, Side::Agent] {
            if let Some(at) = self.channel(side).timeline.overdue(u64::MAX) {
                self.lay_held(side, at);
            }
        }
        self.flush_before(self.end.max(self.base));
        self.tape.send(Job::Close { moments: duration, done });
    }

    fn moments_mut(&mut self, from: u64, to: u64) -> impl Iterator<Item = &mut [u8]> {
        let last = self.window.len();
        let from = (from.saturating_mul(MOMENT) as usize).min(last);
        let to = (to.saturating_mul(MOMENT).min(last as u64) as usize).max(from);
        self.window.get_mut(from..to).unwrap_or(&mut []).chunks_exact_mut(MOMENT as usize)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.finished {
            self.close(0, None);
        }
    }
}

/// Mutes are remembered this long, for sound that comes late.
const MUTES_KEPT_MS: u64 = 30_000;

/// A WAV file counts its bytes in 32 bits.
const MAX_MOMENTS: u64 = (u32::MAX as u64 - 64) / MOMENT;

fn moments(ms: Millis, rate: u32) -> u64 {
    ms.saturating_mul(u64::from(rate)) / 1_000
}

fn offset(side: Side) -> usize {
    match side {
        Side::Caller => 0,
        Side::Agent => 2,
    }
}

fn is_in(ranges: &[(u64, u64)], at: u64) -> bool {
    ranges.iter().any(|(from, to)| (*from..*to).contains(&at))
}

#[cfg(test)]
mod tests;
