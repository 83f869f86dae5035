//! Sound on the wire of a session: base64 of PCM or of µ-law, both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// 16-bit little-endian PCM of this rate.
    Pcm(u32),
    /// G.711 µ-law, 8,000 Hz: what a telephone line has, at a sixth of the bytes.
    Ulaw,
}

impl Format {
    pub(super) fn rate(self) -> u32 {
        match self {
            Self::Pcm(rate) => rate,
            Self::Ulaw => 8_000,
        }
    }

    /// Milliseconds of so many bytes of 16-bit PCM of this rate.
    pub(super) fn millis(self, pcm_bytes: u64) -> u64 {
        pcm_bytes.saturating_mul(500) / u64::from(self.rate().max(1))
    }

    /// Writes PCM as base64 behind what is there.
    pub(crate) fn encode(self, pcm: &[u8], out: &mut String) {
        match self {
            Self::Pcm(_) => STANDARD.encode_string(pcm, out),
            Self::Ulaw => {
                let (samples, _) = pcm.as_chunks::<2>();
                let coded: Vec<u8> = samples.iter().map(|s| encode_ulaw(i16::from_le_bytes(*s))).collect();
                STANDARD.encode_string(coded, out);
            }
        }
    }
}

/// Reads sound that comes in pieces: a sample may be cut in two.
#[derive(Debug)]
pub(super) struct Decoder {
    format: Format,
    half: Option<u8>,
}

impl Decoder {
    pub(super) fn new(format: Format) -> Self {
        Self { format, half: None }
    }

    /// The samples of a piece as PCM; none: it is not base64.
    pub(super) fn decode(&mut self, base64: &str) -> Option<Bytes> {
        let bytes = STANDARD.decode(base64.trim_end()).ok()?;
        if self.format == Format::Ulaw {
            let mut pcm = BytesMut::with_capacity(bytes.len() * 2);
            for byte in bytes {
                pcm.put_i16_le(decode_ulaw(byte));
            }
            return Some(pcm.freeze());
        }
        if self.half.is_none() && bytes.len() % 2 == 0 {
            return Some(bytes.into());
        }
        let mut pcm = BytesMut::with_capacity(bytes.len() + 1);
        pcm.extend(self.half.take());
        pcm.extend_from_slice(&bytes);
        if pcm.len() % 2 == 1 {
            self.half = pcm.last().copied();
            pcm.truncate(pcm.len() - 1);
        }
        Some(pcm.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_is_cut_in_two_is_put_together() {
        let mut decoder = Decoder::new(Format::Pcm(24_000));
        let piece = |bytes: &[u8]| STANDARD.encode(bytes);
        assert_eq!(decoder.decode(&piece(&[1, 2, 3])).as_deref(), Some(&[1, 2][..]));
        assert_eq!(decoder.decode(&piece(&[4, 5])).as_deref(), Some(&[3, 4][..]));
        assert_eq!(decoder.decode(&piece(&[6])).as_deref(), Some(&[5, 6][..]));
        assert_eq!(decoder.decode(&piece(&[7, 8])).as_deref(), Some(&[7, 8][..]));
        assert_eq!(decoder.decode("*"), None);
    }

    #[test]
    fn telephone_sound_survives_within_what_its_code_keeps() {
        let loud: Vec<u8> = [0_i16, 1_000, -1_000, 30_000].iter().flat_map(|s| s.to_le_bytes()).collect();
        let mut base64 = String::new();
        Format::Ulaw.encode(&loud, &mut base64);
        assert_eq!(base64.len(), 8);
        let back = Decoder::new(Format::Ulaw).decode(&base64).unwrap_or_default();
        let samples: Vec<i16> = back.as_chunks::<2>().0.iter().map(|s| i16::from_le_bytes(*s)).collect();
        for (sample, was) in samples.iter().zip([0_i32, 1_000, -1_000, 30_000]) {
            assert!((i32::from(*sample) - was).abs() <= was.abs() / 20 + 8, "{sample} for {was}");
        }
        assert_eq!(Format::Ulaw.millis(320), 20);
        assert_eq!(Format::Pcm(24_000).millis(960), 20);
    }
}
