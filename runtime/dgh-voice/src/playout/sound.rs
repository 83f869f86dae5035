//! Sound that waits to be played, and the last second of what was: a hold may have to go back to
//! the start of a word. Kept in pieces that are used again, so that a long call allocates nothing
//! and a long utterance gives back what was played.

use std::collections::VecDeque;

/// Samples of a piece: 40 ms at 48 kHz, 240 ms at 8 kHz.
const PIECE: usize = 1_920;
/// Pieces that are kept for later; others go back to the system.
const SPARE: usize = 16;

type Piece = Box<[i16; PIECE]>;

/// Pieces that are free.
#[derive(Default)]
pub(super) struct Pool {
    spare: Vec<Piece>,
}

impl Pool {
    fn take(&mut self) -> Piece {
        self.spare.pop().unwrap_or_else(|| Box::new([0; PIECE]))
    }

    fn give(&mut self, piece: Piece) {
        if self.spare.len() < SPARE {
            self.spare.push(piece);
        }
    }
}

/// The sound of an utterance. Positions count samples from its first one.
#[derive(Default)]
pub(super) struct Sound {
    pieces: VecDeque<Piece>,
    /// Position of the first sample of the first piece.
    first: u64,
    end: u64,
}

impl Sound {
    /// Position after the last sample.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Position of the first sample that is still there.
    pub(super) fn start(&self) -> u64 {
        self.first
    }

    /// Adds samples.
    pub(super) fn push(&mut self, mut samples: &[i16], pool: &mut Pool) {
        while !samples.is_empty() {
            let filled = (self.end - self.first) as usize % PIECE;
            if filled == 0 {
                self.pieces.push_back(pool.take());
            }
            let Some(free) = self.pieces.back_mut().and_then(|piece| piece.get_mut(filled..)) else { return };
            let (now, later) = samples.split_at(free.len().min(samples.len()));
            for (to, from) in free.iter_mut().zip(now) {
                *to = *from;
            }
            self.end += now.len() as u64;
            samples = later;
        }
    }

    /// The samples from a position, as many as there are. Answers how many.
    pub(super) fn read(&self, from: u64, into: &mut [i16]) -> usize {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let some = self.slice(from + done as u64);
            if some.is_empty() {
                break;
            }
            for (to, from) in rest.iter_mut().zip(some) {
                *to = *from;
            }
            done += some.len().min(rest.len());
        }
        done
    }

    /// Gives back what lies wholly before a position.
    pub(super) fn forget(&mut self, before: u64, pool: &mut Pool) {
        while self.first + PIECE as u64 <= before.min(self.end) {
            let Some(piece) = self.pieces.pop_front() else { return };
            pool.give(piece);
            self.first += PIECE as u64;
        }
    }

    /// Gives back everything.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        self.pieces.drain(..).for_each(|piece| pool.give(piece));
        self.first = self.end;
    }

    /// The position, in a range, where `width` samples are quietest: a pause between words.
    pub(super) fn quietest(&self, from: u64, to: u64, width: u64) -> u64 {
        let step = (width / 2).max(1);
        let from = from.max(self.first);
        let mut best = (from, u64::MAX);
        let mut at = from;
        while at + width <= to.min(self.end) {
            let loud = self.loudness(at, width);
            // The later one of two that are as quiet: less is said twice.
            if loud <= best.1 {
                best = (at, loud);
            }
            at += step;
        }
        best.0
    }

    fn loudness(&self, from: u64, width: u64) -> u64 {
        let (mut at, end) = (from, from + width);
        let mut sum = 0;
        while at < end {
            let some = self.slice(at);
            let some = some.get(..(end - at) as usize).unwrap_or(some);
            if some.is_empty() {
                break;
            }
            sum += some.iter().map(|sample| u64::from(sample.unsigned_abs())).sum::<u64>();
            at += some.len() as u64;
        }
        sum
    }

    /// What is there from a position, to the end of its piece.
    fn slice(&self, at: u64) -> &[i16] {
        if at < self.first || at >= self.end {
            return &[];
        }
        let offset = (at - self.first) as usize;
        let within = offset % PIECE;
        let len = ((self.end - at) as usize).min(PIECE - within);
        self.pieces.get(offset / PIECE).and_then(|piece| piece.get(within..within + len)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn samples_come_out_as_they_went_in() {
        let (mut sound, mut pool) = (Sound::default(), Pool::default());
        let samples: Vec<i16> = (0..5_000).collect();
        for some in samples.chunks(333) {
            sound.push(some, &mut pool);
        }
        let mut out = vec![0; 4_000];
        assert_eq!(sound.read(500, &mut out), 4_000);
        assert_eq!(out, samples[500..4_500]);
        assert_eq!(sound.read(4_900, &mut out), 100);
    }

    #[test]
    fn what_was_forgotten_is_used_again() {
        let (mut sound, mut pool) = (Sound::default(), Pool::default());
        sound.push(&vec![1; PIECE * 3 + 10], &mut pool);
        sound.forget(PIECE as u64 * 2 + 5, &mut pool);
        assert_eq!(sound.start(), PIECE as u64 * 2);
        assert_eq!(pool.spare.len(), 2);
        sound.push(&vec![2; PIECE * 2], &mut pool);
        assert_eq!(pool.spare.len(), 0);
        let mut out = vec![0; 4];
        assert_eq!(sound.read(PIECE as u64 * 3 + 8, &mut out), 4);
        assert_eq!(out, [1, 1, 2, 2]);
        sound.clear(&mut pool);
        assert_eq!(sound.read(sound.start(), &mut out), 0);
        sound.push(&[7, 8], &mut pool);
        assert_eq!(sound.read(sound.start(), &mut out), 2);
        assert_eq!(out[..2], [7, 8]);
    }

    #[test]
    fn the_quietest_place_is_found() {
        let (mut sound, mut pool) = (Sound::default(), Pool::default());
        sound.push(&[9_000; 1_000], &mut pool);
        sound.push(&[3; 200], &mut pool);
        sound.push(&[-9_000; 1_200], &mut pool);
        let at = sound.quietest(0, 2_400, 80);
        assert!((1_000..=1_120).contains(&at), "{at}");
    }
}
