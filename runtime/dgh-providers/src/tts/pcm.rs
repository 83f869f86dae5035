//! Sound as it comes: cut into whole samples, without copying where that is possible.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use serde_json::Value as Json;

use crate::wire::at;

/// Bytes of one sample.
const SAMPLE: usize = 2;

/// Makes whole samples of pieces that may be cut within one.
#[derive(Debug, Default)]
pub(super) struct Whole {
    half: Option<u8>,
    bytes: u64,
}

impl Whole {
    /// Takes a piece. Answers the samples that are complete; may be empty.
    pub(super) fn push(&mut self, mut piece: Bytes) -> Bytes {
        if piece.is_empty() {
            return piece;
        }
        if let Some(half) = self.half.take() {
            let mut joined = BytesMut::with_capacity(piece.len() + 1);
            joined.extend_from_slice(&[half]);
            joined.extend_from_slice(&piece);
            piece = joined.freeze();
        }
        if !piece.len().is_multiple_of(SAMPLE) {
            self.half = piece.split_off(piece.len() - 1).first().copied();
        }
        self.bytes += piece.len() as u64;
        piece
    }

    /// Milliseconds of the sound so far.
    pub(super) fn ms(&self, rate: u32) -> u32 {
        let samples = self.bytes / SAMPLE as u64;
        u32::try_from(samples * 1_000 / u64::from(rate.max(1))).unwrap_or(u32::MAX)
    }
}

/// Sound as JSON holds it; none: it is not Base64 (RFC 4648).
pub(super) fn decode(text: &str) -> Option<Bytes> {
    STANDARD.decode(text).ok().map(Bytes::from)
}

/// Words with their times as `{"words": […], "start": [seconds, …]}`; in milliseconds.
pub(super) fn words(json: &Json) -> Vec<(String, u32)> {
    let list = |name| at(json, name).as_array().map(Vec::as_slice).unwrap_or_default();
    list("/words")
        .iter()
        .zip(list("/start"))
        .filter_map(|(word, start)| {
            Some((word.as_str()?.to_owned(), milliseconds(start.as_f64()? * 1_000.0)))
        })
        .collect()
}

/// A number of milliseconds that may be any number.
#[allow(clippy::cast_sign_loss, reason = "`as` saturates: what is below zero is zero")]
pub(super) fn milliseconds(ms: f64) -> u32 {
    ms.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stay_whole_wherever_the_pieces_are_cut() {
        let sound: Vec<u8> = (0..200).collect();
        for size in 1..=9 {
            let mut whole = Whole::default();
            let mut out = Vec::new();
            for piece in sound.chunks(size) {
                let samples = whole.push(Bytes::copy_from_slice(piece));
                assert_eq!(samples.len() % 2, 0, "pieces of {size}");
                out.extend_from_slice(&samples);
            }
            assert_eq!(out, sound, "pieces of {size}");
            assert_eq!(whole.ms(1_000), 100);
        }
    }

    #[test]
    fn half_a_sample_at_the_end_is_dropped() {
        let mut whole = Whole::default();
        assert_eq!(whole.push(Bytes::from_static(&[1, 2, 3])), [1, 2][..]);
        assert_eq!(whole.ms(1_000), 1);
    }

    #[test]
    fn whole_pieces_are_not_copied() {
        let piece = Bytes::from(vec![0; 64]);
        let out = Whole::default().push(piece.clone());
        assert_eq!(out.as_ptr(), piece.as_ptr());
    }
}
