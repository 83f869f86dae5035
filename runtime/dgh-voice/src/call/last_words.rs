//! Words for the caller when no voice works: a recording, so that no call ends in silence.

use dgh_engine::event::UtteranceId;

use crate::audio::g711::Law;
use crate::audio::resample::Resampler;

/// The utterance of the last words; the engine never counts so far.
pub(super) const UTTERANCE: UtteranceId = UtteranceId(u32::MAX);

/// "We are sorry. There is a technical problem, and this call has to end. Please call again later.
/// Goodbye." in µ-law at 8 kHz.
const RECORDING: &[u8] = include_bytes!("../../sounds/last_words.ulaw");

/// The last words at a line's rate.
pub(super) fn sound(rate: u32) -> Vec<i16> {
    let mut narrow = vec![0; RECORDING.len()];
    Law::Mu.decode_into(RECORDING, &mut narrow);
    if rate == 8_000 {
        return narrow;
    }
    let mut sound = Vec::new();
    Resampler::new(8_000, rate).push(&narrow, &mut sound);
    sound
}
