//! What the caller said since the last final words: kept until a recogniser has told them, so that
//! another one can hear it when the first fails.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::stt::SttInput;
use crate::stt::gate::is_loud;

/// Sound that is kept. A caller who speaks longer without any final words loses the oldest.
const KEEP_MS: u64 = 15_000;
/// Sound that is kept while nobody speaks.
const KEEP_QUIET_MS: u64 = 1_000;
/// Frames that there is room for at once; more come only when one speaks for long.
const ROOM: usize = 64;

/// A piece of the stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Sound.
    Sound(Bytes),
    /// The caller stopped.
    Ended,
}

/// The stream since the last final words, with a mark up to where it was told to a connection.
/// Positions are bytes of sound since the session began.
pub(crate) struct Sound {
    pieces: VecDeque<Piece>,
    /// Where the first piece starts.
    start: u64,
    /// Where the last one ends.
    end: u64,
    /// Pieces that the connection has.
    told: usize,
    /// Where the told ones end.
    told_end: u64,
    /// Where the connection's sound began.
    base: u64,
    /// Where the last loud frame ends.
    loud_end: u64,
    /// Loud bytes since the last final words.
    loud: u64,
    bytes_per_second: u64,
}

impl Sound {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            pieces: VecDeque::with_capacity(ROOM),
            start: 0,
            end: 0,
            told: 0,
            told_end: 0,
            base: 0,
            loud_end: 0,
            loud: 0,
            bytes_per_second: u64::from(rate.max(1)) * 2,
        }
    }

    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: Piece) {
        if let Piece::Sound(pcm) = &piece {
            self.end += pcm.len() as u64;
            if is_loud(pcm) {
                self.loud += pcm.len() as u64;
                self.loud_end = self.end;
            }
        }
        self.pieces.push_back(piece);
        // What was told and is quiet is not needed again; what nobody speaks in is not needed long.
        let quiet = self.loud_end <= self.start;
        let keep = self.bytes(if quiet { KEEP_QUIET_MS } else { KEEP_MS });
        while self.end - self.start > keep {
            self.drop_first();
        }
    }

    /// The next piece that the connection does not have; it counts as told.
    pub(crate) fn next(&mut self) -> Option<SttInput> {
        let piece = self.pieces.get(self.told)?;
        self.told += 1;
        Some(match piece {
            Piece::Sound(pcm) => {
                self.told_end += pcm.len() as u64;
                SttInput::Audio(pcm.clone())
            }
            Piece::Ended => SttInput::SpeechEnded,
        })
    }

    /// A new connection starts from the first piece.
    pub(crate) fn rewind(&mut self) {
        self.told = 0;
        self.told_end = self.start;
        self.base = self.start;
    }

    /// Final words were told for the sound up to here, in bytes of the connection's sound; without
    /// it, for all that the connection has.
    pub(crate) fn done(&mut self, through: Option<u64>) {
        let through =
            through.map_or(self.told_end, |bytes| self.base.saturating_add(bytes).min(self.told_end));
        while self.told > 0 && self.end_of_first() <= through {
            self.drop_first();
        }
        self.recount();
    }

    /// The words from before the first end of speech that the connection has were told.
    pub(crate) fn answered(&mut self) {
        let end = self.pieces.iter().take(self.told).position(|piece| *piece == Piece::Ended);
        for _ in 0..end.map_or(0, |end| end + 1) {
            self.drop_first();
        }
        self.recount();
    }

    /// Nothing of what the connection has will be needed: it belongs to no other.
    pub(crate) fn forget_told(&mut self) {
        while self.told > 0 {
            self.drop_first();
        }
    }

    /// Milliseconds of loud sound since the last final words.
    pub(crate) fn loud_ms(&self) -> u64 {
        self.loud * 1_000 / self.bytes_per_second
    }

    fn recount(&mut self) {
        let loud = |piece: &Piece| matches!(piece, Piece::Sound(pcm) if is_loud(pcm));
        self.loud = if self.loud_end > self.start {
            self.pieces.iter().filter(|piece| loud(piece)).map(Piece::len).sum()
        } else {
            0
        };
    }

    fn bytes(&self, ms: u64) -> u64 {
        self.bytes_per_second * ms / 1_000
    }

    fn end_of_first(&self) -> u64 {
        self.start + self.pieces.front().map_or(0, Piece::len)
    }

    fn drop_first(&mut self) {
        let Some(piece) = self.pieces.pop_front() else { return };
        self.start += piece.len();
        if self.told > 0 {
            self.told -= 1;
        } else {
            // It was never told: the connection's sound has a gap.
            self.told_end += piece.len();
            self.base += piece.len();
        }
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Sound(pcm) => pcm.len() as u64,
            Self::Ended => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn frame(level: i16) -> Piece {
        Piece::Sound(std::iter::repeat_n(level.to_le_bytes(), 160).flatten().collect())
    }

    fn told(sound: &mut Sound) -> usize {
        std::iter::from_fn(|| sound.next()).count()
    }

    #[test]
    fn of_silence_a_second_is_kept_and_of_speech_fifteen() {
        let mut sound = Sound::new(8_000);
        (0..500).for_each(|_| sound.add(frame(0)));
        assert_eq!(told(&mut sound), 50);
        (0..100).for_each(|_| sound.add(frame(800)));
        sound.rewind();
        assert_eq!(told(&mut sound), 150, "what was quiet before speech goes with it");
        (0..2_000).for_each(|_| sound.add(frame(800)));
        sound.rewind();
        assert_eq!(told(&mut sound), 750);
        (0..800).for_each(|_| sound.add(frame(0)));
        sound.rewind();
        assert_eq!(told(&mut sound), 50, "old noise is not kept for ever");
    }

    #[test]
    fn final_words_let_go_of_their_sound_alone() {
        let mut sound = Sound::new(8_000);
        (0..100).for_each(|_| sound.add(frame(800)));
        sound.add(Piece::Ended);
        assert_eq!(told(&mut sound), 101);
        sound.done(Some(320 * 60));
        assert_eq!(sound.loud_ms(), 800);
        sound.rewind();
        assert_eq!(told(&mut sound), 41, "40 frames, and that the caller stopped");
        // The second connection counts from its own beginning.
        sound.done(Some(320 * 10));
        sound.rewind();
        assert_eq!(told(&mut sound), 31);
        sound.done(None);
        assert_eq!((sound.pieces.len(), sound.loud_ms()), (0, 0));
        sound.done(Some(u64::MAX));
    }

    #[test]
    fn what_no_connection_has_is_not_let_go_by_its_words() {
        let mut sound = Sound::new(8_000);
        (0..10).for_each(|_| sound.add(frame(800)));
        assert!(sound.next().is_some() && sound.next().is_some());
        sound.done(None);
        assert_eq!(told(&mut sound), 8);
        sound.done(Some(u64::MAX));
        assert_eq!(sound.pieces.len(), 0);
    }

    #[test]
    fn sound_that_was_lost_unheard_moves_the_beginning_of_a_connection() {
        let mut sound = Sound::new(8_000);
        (0..800).for_each(|_| sound.add(frame(800)));
        assert_eq!(sound.base, 320 * 50, "the oldest 50 frames found nobody");
        assert_eq!(told(&mut sound), 750);
        sound.done(Some(320));
        assert_eq!(sound.pieces.len(), 749);
    }
}
