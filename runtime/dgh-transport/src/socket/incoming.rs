//! Sound that came in, cut into frames of 20 ms, with what is missing made up for. Pure.

use dgh_voice::audio::Frame;
use dgh_voice::audio::g711::Law;

use crate::carrier::{Encoding, Format, Place};

/// Longest gap that is filled; a longer one is a pause of the stream.
const MAX_GAP_MS: u64 = 500;
/// Timestamps of carriers wander by some milliseconds; a gap is more than a frame.
const TOLERANCE_MS: u64 = 15;
/// A number that goes back by more than this starts anew: the stream was resumed elsewhere.
const REWIND: u64 = 50;

/// A frame that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// As it came.
    Sound,
    /// Made up for a gap.
    Lost,
}

/// Sound on its way in.
pub(super) struct Incoming {
    encoding: Encoding,
    rate: u32,
    /// What came and was not taken, coded.
    coded: Vec<u8>,
    /// How much of it was taken.
    taken: usize,
    /// Frames to make up before it.
    missing: u64,
    last: Frame,
    chunk: Option<u64>,
    /// When the next sound is due.
    due_ms: Option<u64>,
    /// Messages that came twice or too late.
    pub(super) late: u64,
    /// Frames that never came.
    pub(super) lost: u64,
}

impl Incoming {
    /// Nothing came. `coded` is sound that came with the start.
    pub(super) fn new(format: Format, coded: Vec<u8>) -> Self {
        let mut last = Frame::default();
        last.silence(format.rate);
        Self {
            encoding: format.heard,
            rate: format.rate,
            coded,
            taken: 0,
            missing: 0,
            last,
            chunk: None,
            due_ms: None,
            late: 0,
            lost: 0,
        }
    }

    /// Where the next message's sound goes. What was taken is let go of.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.coded.drain(..self.taken.min(self.coded.len()));
        self.taken = 0;
        &mut self.coded
    }

    /// Sound was added to [`Incoming::room`], from `before` on.
    pub(super) fn came(&mut self, place: Place, before: usize) {
        let twice = match (place.chunk, self.chunk) {
            (Some(now), Some(last)) => now <= last && last - now < REWIND,
            _ => false,
        };
        if twice {
            self.coded.truncate(before);
            self.late += 1;
            return;
        }
        if place.chunk.is_some() {
            self.chunk = place.chunk;
        }
        let samples = self.coded.len().saturating_sub(before) / self.encoding.width();
        let length_ms = samples as u64 * 1_000 / u64::from(self.rate);
        if let Some(at) = place.at_ms {
            if let Some(due) = self.due_ms {
                let gap = at.saturating_sub(due + TOLERANCE_MS);
                if gap > 0 && gap <= MAX_GAP_MS {
                    self.missing = at.saturating_sub(due).div_ceil(20);
                    self.lost += self.missing;
                }
            }
            self.due_ms = Some(at + length_ms);
        }
    }

    /// The next frame of 20 ms, if there is one.
    pub(super) fn next(&mut self, frame: &mut Frame) -> Option<Ready> {
        if self.missing > 0 {
            self.missing -= 1;
            // The last sound, half as loud each time, is less of a click than silence.
            for sample in self.last.samples_mut() {
                *sample /= 2;
            }
            frame.copy_from(self.last.samples());
            return Some(Ready::Lost);
        }
        let samples = self.rate as usize / 50;
        let end = self.taken + samples * self.encoding.width();
        let coded = self.coded.get(self.taken..end)?;
        self.taken = end;
        match self.encoding {
            Encoding::Mulaw => Law::Mu.decode(coded, frame),
            Encoding::Alaw => Law::A.decode(coded, frame),
            Encoding::L16 => {
                let (pairs, _) = coded.as_chunks::<2>();
                for (sample, pair) in frame.resize(samples).iter_mut().zip(pairs) {
                    *sample = i16::from_le_bytes(*pair);
                }
            }
        }
        self.last.copy_from(frame.samples());
        Some(Ready::Sound)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn incoming() -> Incoming {
        Incoming::new(Format::default(), Vec::new())
    }

    fn bring(incoming: &mut Incoming, chunk: u64, at_ms: u64, bytes: usize) {
        let room = incoming.room();
        let before = room.len();
        room.resize(before + bytes, 0x10);
        incoming.came(Place { chunk: Some(chunk), at_ms: Some(at_ms) }, before);
    }

    fn drain(incoming: &mut Incoming) -> String {
        let mut frame = Frame::default();
        let mut all = String::new();
        while let Some(ready) = incoming.next(&mut frame) {
            assert_eq!(frame.samples().len(), 160);
            all.push(if ready == Ready::Sound { 's' } else { 'l' });
        }
        all
    }

    #[test]
    fn messages_of_any_length_become_frames_of_20_ms() {
        let mut incoming = incoming();
        bring(&mut incoming, 1, 0, 80);
        assert_eq!(drain(&mut incoming), "");
        bring(&mut incoming, 2, 10, 80);
        assert_eq!(drain(&mut incoming), "s");
        bring(&mut incoming, 3, 20, 400);
        assert_eq!(drain(&mut incoming), "ss");
        bring(&mut incoming, 4, 70, 80);
        assert_eq!(drain(&mut incoming), "s");
    }

    #[test]
    fn a_gap_is_filled_with_what_fades() {
        let mut incoming = incoming();
        bring(&mut incoming, 1, 0, 160);
        bring(&mut incoming, 4, 60, 160);
        let mut frame = Frame::default();
        assert_eq!(incoming.next(&mut frame), Some(Ready::Lost));
        assert_eq!(incoming.next(&mut frame), Some(Ready::Lost));
        assert_eq!(drain(&mut incoming), "ss");
        assert_eq!(incoming.lost, 2);
    }

    #[test]
    fn a_fill_fades_from_the_sound_before_it() {
        let mut incoming = incoming();
        bring(&mut incoming, 1, 0, 160);
        let mut frame = Frame::default();
        incoming.next(&mut frame).unwrap();
        let loud = i32::from(frame.samples()[0]).abs();
        bring(&mut incoming, 4, 60, 160);
        incoming.next(&mut frame).unwrap();
        let half = i32::from(frame.samples()[0]).abs();
        incoming.next(&mut frame).unwrap();
        assert_eq!(loud / 2, half);
        assert_eq!(half / 2, i32::from(frame.samples()[0]).abs());
    }

    #[test]
    fn timestamps_that_wander_are_no_gap() {
        let mut incoming = incoming();
        for (chunk, at) in [(1, 3), (2, 25), (3, 41), (4, 66), (5, 83)] {
            bring(&mut incoming, chunk, at, 160);
        }
        assert_eq!(drain(&mut incoming), "sssss");
        assert_eq!(incoming.lost, 0);
    }

    #[test]
    fn a_message_that_comes_twice_or_late_is_dropped() {
        let mut incoming = incoming();
        bring(&mut incoming, 1, 0, 160);
        bring(&mut incoming, 1, 0, 160);
        bring(&mut incoming, 3, 40, 160);
        bring(&mut incoming, 2, 20, 160);
        assert_eq!(incoming.late, 2);
        assert_eq!(drain(&mut incoming), "lss");
    }

    #[test]
    fn a_stream_that_begins_anew_goes_on() {
        let mut incoming = incoming();
        bring(&mut incoming, 500, 10_000, 160);
        bring(&mut incoming, 1, 0, 160);
        bring(&mut incoming, 2, 20, 160);
        assert_eq!(drain(&mut incoming), "sss");
        assert_eq!((incoming.late, incoming.lost), (0, 0));
    }

    #[test]
    fn a_long_pause_is_not_filled() {
        let mut incoming = incoming();
        bring(&mut incoming, 1, 0, 160);
        bring(&mut incoming, 2, 9_000, 160);
        assert_eq!(drain(&mut incoming), "ss");
    }

    #[test]
    fn without_numbers_everything_is_taken_as_it_comes() {
        let mut incoming =
            Incoming::new(Format { heard: Encoding::L16, spoken: Encoding::L16, rate: 16_000 }, vec![1; 640]);
        let before = incoming.room().len();
        incoming.room().extend([0x34, 0x12].repeat(320));
        incoming.came(Place::default(), before);
        let mut frame = Frame::default();
        assert_eq!(incoming.next(&mut frame), Some(Ready::Sound));
        assert_eq!(incoming.next(&mut frame), Some(Ready::Sound));
        assert_eq!(frame.samples(), [0x1234; 320]);
        assert_eq!(incoming.next(&mut frame), None);
    }
}
