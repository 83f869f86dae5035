//! µ-law and A-law: 8-bit sound of telephone networks, 8,000 samples a second (ITU-T G.711;
//! RTP payload types 0 and 8, RFC 3551).

use std::sync::LazyLock;

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

use super::Frame;

/// The sample rate of G.711 wherever a telephone network uses it.
pub const RATE: u32 = 8_000;

/// One of the two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// North America and Japan; the one that media streams of carriers use.
    Mu,
    /// The rest of the world.
    A,
}

impl Law {
    /// Fills the frame with decoded sound, as much as fits into it.
    pub fn decode(self, bytes: &[u8], frame: &mut Frame) {
        let bytes = bytes.get(..super::MAX_SAMPLES).unwrap_or(bytes);
        let samples = frame.resize(bytes.len());
        self.decode_into(bytes, samples);
    }

    /// Decodes as many bytes as there is room for samples.
    pub fn decode_into(self, bytes: &[u8], samples: &mut [i16]) {
        let table = match self {
            Self::Mu => &*MU,
            Self::A => &*A,
        };
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = table.get(usize::from(*byte)).copied().unwrap_or(0);
        }
    }

    /// Appends the encoded sound: one byte per sample.
    pub fn encode(self, samples: &[i16], bytes: &mut Vec<u8>) {
        match self {
            Self::Mu => bytes.extend(samples.iter().map(|sample| encode_ulaw(*sample))),
            Self::A => bytes.extend(samples.iter().map(|sample| encode_alaw(*sample))),
        }
    }

    /// The byte of silence: fills packets that carry nothing.
    pub fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xff,
            Self::A => 0xd5,
        }
    }
}

// Decoding is a look-up of 512 bytes: a quarter of the time of the arithmetic.
static MU: LazyLock<[i16; 256]> = LazyLock::new(|| table(decode_ulaw));
static A: LazyLock<[i16; 256]> = LazyLock::new(|| table(decode_alaw));

fn table(decode: fn(u8) -> i16) -> [i16; 256] {
    let mut next = 0u8;
    [(); 256].map(|()| {
        let sample = decode(next);
        next = next.wrapping_add(1);
        sample
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const LAWS: [Law; 2] = [Law::Mu, Law::A];

    #[test]
    fn silence_decodes_to_nothing_audible() {
        for law in LAWS {
            let mut frame = Frame::default();
            law.decode(&[law.silence(); 160], &mut frame);
            assert_eq!(frame.samples().len(), 160);
            assert!(frame.samples().iter().all(|sample| sample.abs() <= 8), "{law:?}");
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for law in LAWS {
            let bytes: Vec<u8> = (0..=255).collect();
            let mut samples = [0; 256];
            law.decode_into(&bytes, &mut samples);
            let mut back = Vec::new();
            law.encode(&samples, &mut back);
            for (byte, again) in bytes.iter().zip(&back) {
                // µ-law has two zeros: 0x7f, the negative one, comes back as the positive.
                let expected = if law == Law::Mu && *byte == 0x7f { 0xff } else { *byte };
                assert_eq!(*again, expected, "{law:?}");
            }
        }
    }

    #[test]
    fn known_values_of_the_standard_decode_to_their_levels() {
        let mut samples = [0; 4];
        Law::Mu.decode_into(&[0x00, 0x80, 0x7e, 0xff], &mut samples);
        assert_eq!(samples, [-32_124, 32_124, -8, 0]);
        Law::A.decode_into(&[0x2a, 0xaa, 0x55, 0xd5], &mut samples);
        assert_eq!(samples, [-32_256, 32_256, -8, 8]);
    }

    #[test]
    fn every_sample_keeps_its_level_within_the_steps_of_the_law() {
        for law in LAWS {
            for sample in (i16::MIN..=i16::MAX).step_by(7) {
                let mut bytes = Vec::new();
                law.encode(&[sample], &mut bytes);
                let mut back = [0];
                law.decode_into(&bytes, &mut back);
                let error = (i32::from(back[0]) - i32::from(sample)).abs();
                // A step is a sixteenth of its segment, and the loudest sounds are clipped.
                let allowed = (i32::from(sample).abs() / 16 + 16).max(if i32::from(sample).abs() > 32_000 {
                    700
                } else {
                    0
                });
                assert!(error <= allowed, "{law:?} {sample} came back as {}", back[0]);
            }
        }
    }

    #[test]
    fn more_bytes_than_a_frame_holds_are_cut() {
        let mut frame = Frame::default();
        Law::Mu.decode(&[0; 2_000], &mut frame);
        assert_eq!(frame.samples().len(), super::super::MAX_SAMPLES);
    }
}
