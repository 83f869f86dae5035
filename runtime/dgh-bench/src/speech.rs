//! What callers say: real words, recorded, cut into frames of 20 ms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// "Yes, hello. I would like to book an appointment for Tuesday." µ-law, 8 kHz.
const WORDS: &[u8] = include_bytes!("../../dgh-voice/fixtures/caller.ulaw");
/// Bytes of a frame.
const FRAME: usize = 160;
/// A µ-law byte is loud when its exponent says so: about -30 dBFS.
const LOUD: u8 = 4;

/// The frames of the words, ready for a media message, and which of them are loud.
pub(crate) struct Speech {
    /// Payloads in base64.
    pub(crate) frames: Vec<String>,
    /// The last loud frame.
    pub(crate) last_loud: usize,
    /// The first loud frame.
    pub(crate) first_loud: usize,
    /// A frame of silence.
    pub(crate) silence: String,
}

impl Speech {
    pub(crate) fn new() -> Self {
        let all: Vec<&[u8]> = WORDS.chunks_exact(FRAME).collect();
        let loud = |frame: &&[u8]| is_loud(frame);
        Self {
            last_loud: all.iter().rposition(loud).unwrap_or(0),
            first_loud: all.iter().position(loud).unwrap_or(0),
            frames: all.iter().map(|frame| STANDARD.encode(frame)).collect(),
            silence: STANDARD.encode([0xff_u8; FRAME]),
        }
    }
}

/// How many loud frames the words have: a recogniser that has heard so many has heard them all.
pub(crate) fn loud_frames() -> usize {
    WORDS.chunks_exact(FRAME).filter(|frame| is_loud(frame)).count()
}

fn is_loud(frame: &[u8]) -> bool {
    frame.iter().filter(|byte| ((!**byte >> 4) & 7) >= LOUD).count() > FRAME / 20
}

/// Whether 20 ms of PCM are loud, by the same measure.
pub(crate) fn is_loud_pcm(bytes: &[u8]) -> bool {
    let loud = bytes.chunks_exact(2).filter(|pair| match pair {
        // The exponent of the µ-law code of a sample: 4 begins at 132 · 2⁴ - 132.
        [low, high] => i16::from_le_bytes([*low, *high]).unsigned_abs() >= 1_980,
        _ => false,
    });
    loud.count() > bytes.len() / 2 / 20
}
