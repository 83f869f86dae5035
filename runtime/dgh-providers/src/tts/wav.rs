//! Servers that speak OpenAI's protocol may send a WAV file where raw sound was asked for. Its
//! header must not be heard, and says at which rate the sound really is.

use bytes::{Bytes, BytesMut};

/// A header that is longer is none.
const MAX_HEADER_BYTES: usize = 4_096;
/// Bytes of a chunk's name and length.
const CHUNK_HEAD: usize = 8;
/// `RIFF`, length, `WAVE`.
const FILE_HEAD: usize = 12;

/// Takes the header off, if there is one.
#[derive(Debug)]
pub(super) enum Unwrap {
    /// Not known yet whether there is one.
    Looking(BytesMut),
    /// Sound.
    Raw,
}

impl Default for Unwrap {
    fn default() -> Self {
        Self::Looking(BytesMut::new())
    }
}

impl Unwrap {
    /// Takes a piece. Answers the sound in it; an error says what the file holds instead.
    pub(super) fn push(&mut self, piece: Bytes, rate: u32) -> Result<Bytes, String> {
        let Self::Looking(seen) = self else { return Ok(piece) };
        if seen.is_empty() && !b"RIFF".starts_with(piece.get(..4).unwrap_or(&piece)) {
            *self = Self::Raw;
            return Ok(piece);
        }
        seen.extend_from_slice(&piece);
        if seen.len() >= 4 && !seen.starts_with(b"RIFF") {
            let sound = std::mem::take(seen).freeze();
            *self = Self::Raw;
            return Ok(sound);
        }
        match header(seen, Some(rate))? {
            Some((length, _)) => {
                let sound = seen.split_off(length).freeze();
                *self = Self::Raw;
                Ok(sound)
            }
            None if seen.len() > MAX_HEADER_BYTES => Err("a WAV file without sound".into()),
            None => Ok(Bytes::new()),
        }
    }
}

/// The sound of a file that is there as a whole, and its rate. What the header says of its length is
/// not read: programs that write into a pipe do not know it.
pub(crate) fn whole(file: &[u8]) -> Result<(&[u8], u32), String> {
    if !file.starts_with(b"RIFF") {
        return Err("something that is no WAV file".into());
    }
    let (start, rate) = header(file, None)?.ok_or("a WAV file without sound")?;
    Ok((file.get(start..).unwrap_or_default(), rate))
}

/// Bytes before the sound, and its rate; none: not all of them are there.
fn header(file: &[u8], rate: Option<u32>) -> Result<Option<(usize, u32)>, String> {
    let mut at = FILE_HEAD;
    let mut known = None;
    loop {
        let Some(chunk) = file.get(at..) else { return Ok(None) };
        let (Some(name), Some(length)) = (chunk.get(..4), number::<4>(chunk, 4)) else { return Ok(None) };
        if name == b"data" {
            let hz = known.ok_or("a WAV file without a format")?;
            return Ok(Some((at + CHUNK_HEAD, hz)));
        }
        if name == b"fmt " {
            let (Some(format), Some(channels), Some(hz), Some(bits)) = (
                number::<2>(chunk, 8),
                number::<2>(chunk, 10),
                number::<4>(chunk, 12),
                number::<2>(chunk, 22),
            ) else {
                return Ok(None);
            };
            // 1 is PCM; 0xFFFE says that the format is told further on, and is PCM in practice.
            if !matches!(format, 1 | 0xFFFE) || channels != 1 || bits != 16 {
                return Err(format!("a WAV file of {channels} channels and {bits} bits"));
            }
            if let Some(rate) = rate.filter(|rate| *rate != hz) {
                return Err(format!("sound of {hz} Hz instead of {rate} Hz"));
            }
            known = Some(hz);
        }
        // Chunks begin at even places.
        at =
            at.saturating_add(CHUNK_HEAD).saturating_add(length as usize).saturating_add(length as usize % 2);
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + N)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn file(rate: u32, channels: u16, sound: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\xff\xff\xff\xffWAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0".to_vec();
        file.extend_from_slice(&channels.to_le_bytes());
        file.extend_from_slice(&rate.to_le_bytes());
        file.extend_from_slice(&[0, 0, 0, 0, 2, 0, 16, 0]);
        file.extend_from_slice(b"data\xff\xff\xff\xff");
        file.extend_from_slice(sound);
        file
    }

    fn unwrapped(file: &[u8], piece: usize) -> Result<Vec<u8>, String> {
        let (mut unwrap, mut out) = (Unwrap::default(), Vec::new());
        for piece in file.chunks(piece) {
            out.extend_from_slice(&unwrap.push(Bytes::copy_from_slice(piece), 24_000)?);
        }
        Ok(out)
    }

    #[test]
    fn a_header_is_taken_off_wherever_it_is_cut() {
        let sound: Vec<u8> = (0..100).collect();
        for piece in 1..80 {
            assert_eq!(unwrapped(&file(24_000, 1, &sound), piece).unwrap(), sound, "pieces of {piece}");
            assert_eq!(unwrapped(&sound, piece).unwrap(), sound);
            assert_eq!(unwrapped(b"RIDE", piece).unwrap(), b"RIDE");
        }
    }

    #[test]
    fn a_whole_file_says_its_rate() {
        assert_eq!(whole(&file(22_050, 1, &[1, 2])).unwrap(), (&[1u8, 2][..], 22_050));
        assert!(whole(b"").is_err());
        assert_eq!(whole(b"RIFF\0\0").unwrap_err(), "a WAV file without sound");
    }

    #[test]
    fn other_sound_is_refused() {
        assert_eq!(
            unwrapped(&file(22_050, 1, &[0, 0]), 9).unwrap_err(),
            "sound of 22050 Hz instead of 24000 Hz"
        );
        assert!(unwrapped(&file(24_000, 2, &[0, 0]), 9).unwrap_err().contains("2 channels"));
        let mut endless = b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff".to_vec();
        endless.resize(9_000, 0);
        assert_eq!(unwrapped(&endless, 640).unwrap_err(), "a WAV file without sound");
        assert_eq!(
            unwrapped(b"RIFF\0\0\0\0WAVEdata\0\0\0\0", 64).unwrap_err(),
            "a WAV file without a format"
        );
    }
}
