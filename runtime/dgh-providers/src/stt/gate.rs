//! How loud a frame is, and a gate that keeps silence from recognisers that are paid by the second
//! of sound, or that make words up out of long silence.

use std::collections::VecDeque;

use bytes::Bytes;

/// Mean of a frame's samples above which it may be speech: about -50 dB.
const LOUD: u32 = 100;
/// Sound from before the first loud frame that goes with it: beginnings of words are quiet.
const BEFORE_MS: u32 = 400;
/// Quiet within speech that is still sent.
const AFTER_MS: u32 = 1_000;

/// Whether a frame may hold speech. Every fourth sample is looked at.
pub(crate) fn is_loud(pcm: &[u8]) -> bool {
    let (mut sum, mut count) = (0u32, 0u32);
    for sample in pcm.chunks_exact(2).step_by(4) {
        if let [low, high] = sample {
            sum = sum.saturating_add(u32::from(i16::from_le_bytes([*low, *high]).unsigned_abs()));
            count += 1;
        }
    }
    count > 0 && sum / count > LOUD
}

/// Lets speech pass, with what is around it.
pub(crate) struct Gate {
    held: VecDeque<Bytes>,
    held_bytes: usize,
    before: usize,
    after: usize,
    /// Bytes of quiet that may still pass.
    open: usize,
    /// Loud bytes that passed since `take_loud`.
    loud: usize,
}

impl Gate {
    /// A gate for sound of so many bytes a second.
    pub(crate) fn new(bytes_per_second: u32) -> Self {
        let bytes = |ms: u32| (bytes_per_second as usize / 1_000).saturating_mul(ms as usize);
        Self {
            held: VecDeque::with_capacity(32),
            held_bytes: 0,
            before: bytes(BEFORE_MS),
            after: bytes(AFTER_MS),
            open: 0,
            loud: 0,
        }
    }

    /// Takes a frame, and lets pass what may: nothing, the frame, or with it what came before.
    pub(crate) fn pass(&mut self, pcm: Bytes, mut out: impl FnMut(Bytes)) {
        if is_loud(&pcm) {
            self.held.drain(..).for_each(&mut out);
            self.held_bytes = 0;
            self.open = self.after;
            self.loud += pcm.len();
            out(pcm);
        } else if self.open > 0 {
            self.open = self.open.saturating_sub(pcm.len());
            out(pcm);
        } else {
            self.held_bytes += pcm.len();
            self.held.push_back(pcm);
            while self.held_bytes > self.before {
                let Some(old) = self.held.pop_front() else { break };
                self.held_bytes -= old.len();
            }
        }
    }

    /// The bytes of loud sound that passed since this was last asked.
    pub(crate) fn take_loud(&mut self) -> usize {
        std::mem::take(&mut self.loud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: i16) -> Bytes {
        std::iter::repeat_n(level.to_le_bytes(), 160).flatten().collect()
    }

    #[test]
    fn speech_is_loud_and_the_hum_of_a_line_is_not() {
        assert!(is_loud(&frame(-1_000)));
        assert!(is_loud(&frame(i16::MIN)));
        assert!(!is_loud(&frame(60)));
        assert!(!is_loud(&[]));
        assert!(!is_loud(&[0x7f]), "half a sample");
    }

    #[test]
    fn silence_is_withheld_and_speech_passes_with_what_is_around_it() {
        let mut gate = Gate::new(16_000);
        let mut passed = 0;
        for _ in 0..500 {
            gate.pass(frame(0), |_| passed += 1);
        }
        assert_eq!((passed, gate.held.len()), (0, 20), "400 ms are kept");
        gate.pass(frame(900), |_| passed += 1);
        assert_eq!(passed, 21, "the beginning goes with the first loud frame");
        for _ in 0..100 {
            gate.pass(frame(0), |_| passed += 1);
        }
        assert_eq!(passed, 71, "a second of quiet follows");
        assert_eq!((gate.take_loud(), gate.take_loud()), (320, 0));
    }
}
