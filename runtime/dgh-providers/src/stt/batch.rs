//! Frames joined to longer pieces, for recognisers that do not take frames of 20 ms, or that answer
//! every single one.

use bytes::{Bytes, BytesMut};

/// Joins frames.
pub(crate) struct Batch {
    buffer: BytesMut,
    piece: usize,
}

impl Batch {
    /// Joins them to pieces of so many milliseconds.
    pub(crate) fn new(rate: u32, ms: u32) -> Self {
        let piece = Self::bytes(rate, ms);
        Self { buffer: BytesMut::with_capacity(piece * 2), piece }
    }

    /// Bytes of sound.
    pub(crate) fn bytes(rate: u32, ms: u32) -> usize {
        rate as usize * ms as usize / 1_000 * 2
    }

    /// Adds a frame; a piece when one is full.
    pub(crate) fn add(&mut self, pcm: &[u8]) -> Option<Bytes> {
        self.buffer.extend_from_slice(pcm);
        (self.buffer.len() >= self.piece).then(|| self.buffer.split().freeze())
    }

    /// What is left, filled with silence to so many bytes.
    pub(crate) fn rest(&mut self, least: usize) -> Option<Bytes> {
        if self.buffer.is_empty() {
            return None;
        }
        let full = self.buffer.len().max(least);
        self.buffer.resize(full, 0);
        Some(self.buffer.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_frames_are_a_piece_and_the_rest_is_filled() {
        let mut batch = Batch::new(8_000, 60);
        let frame = [1u8; 320];
        assert_eq!((batch.add(&frame), batch.add(&frame)), (None, None));
        assert_eq!(batch.add(&frame).map(|piece| piece.len()), Some(960));
        assert_eq!(batch.rest(800), None);
        assert_eq!(batch.add(&frame), None);
        let rest = batch.rest(800).unwrap_or_default();
        assert_eq!((rest.len(), rest.first(), rest.last()), (800, Some(&1), Some(&0)));
    }
}
