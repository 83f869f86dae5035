//! From frames to RTP packets of Opus (RFC 7587). Pure.

use bytes::BytesMut;
use dgh_voice::Millis;
use dgh_voice::audio::opus::{Encoder, OpusError};
use rtc::rtp;

use super::RATE;

/// Samples of a frame.
const FRAME: usize = RATE as usize / 50;
/// Ticks of a frame: Opus counts in 48 kHz, whatever it carries.
const TICKS: u32 = 960;
/// A frame that is later than this begins a new stretch of speech; less is a late task.
const PAUSE_MS: Millis = 100;
/// Percent of packets that are taken to be lost: at least what the encoder begins with, and not more
/// than leaves the sound itself enough bits.
const LOSS: std::ops::RangeInclusive<u8> = 5..=30;
/// Packets are cut from blocks of this size; a block whose packets were all sent is used again.
const BLOCK: usize = 4 << 10;

/// Sound on its way out.
pub(super) struct Outgoing {
    encoder: Encoder,
    ssrc: u32,
    pub(super) payload_type: u8,
    sequence: u16,
    timestamp: u32,
    /// When the next frame is due; none before the first.
    due: Option<Millis>,
    loss: u8,
    padded: Vec<i16>,
    block: BytesMut,
}

impl Outgoing {
    /// Sequence number and timestamp begin where `random` says (RFC 3550, section 5.1).
    pub(super) fn new(ssrc: u32, payload_type: u8, random: u32) -> Result<Self, OpusError> {
        Ok(Self {
            encoder: Encoder::new(RATE)?,
            ssrc,
            payload_type,
            // The first half leaves room before the number wraps around.
            sequence: (random >> 17) as u16,
            timestamp: random,
            due: None,
            loss: *LOSS.start(),
            padded: vec![0; FRAME],
            block: BytesMut::with_capacity(BLOCK),
        })
    }

    /// So many percent of the packets get lost: what each repeats of the one before it follows that.
    pub(super) fn expect_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        let percent = percent.clamp(*LOSS.start(), *LOSS.end());
        if percent == self.loss {
            return Ok(());
        }
        self.loss = percent;
        self.encoder.expect_loss(percent)
    }

    /// The packet of a frame that goes out now. A short frame is filled with silence.
    pub(super) fn packet(&mut self, samples: &[i16], now: Millis) -> Result<rtp::Packet, OpusError> {
        let samples = if samples.len() == FRAME {
            samples
        } else {
            for (position, sample) in self.padded.iter_mut().enumerate() {
                *sample = samples.get(position).copied().unwrap_or(0);
            }
            &self.padded
        };
        // Nothing is sent while nothing is said, and the clock of the packets goes on.
        let marker = match self.due {
            Some(due) if now > due + PAUSE_MS => {
                self.timestamp = self.timestamp.wrapping_add(((now - due) * 48) as u32);
                self.due = Some(now);
                true
            }
            Some(_) => false,
            None => {
                self.due = Some(now);
                true
            }
        };
        let coded = self.encoder.encode(samples)?;
        if self.block.capacity() < coded.len() {
            // Takes the block back when nobody holds a packet of it any more.
            self.block.reserve(BLOCK.max(coded.len()));
        }
        self.block.extend_from_slice(coded);
        let packet = rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker,
                payload_type: self.payload_type,
                sequence_number: self.sequence,
                timestamp: self.timestamp,
                ssrc: self.ssrc,
                ..rtp::Header::default()
            },
            payload: self.block.split().freeze(),
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(TICKS);
        self.due = self.due.map(|due| due + 20);
        Ok(packet)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(outgoing: &mut Outgoing, now: Millis) -> (u16, u32, bool) {
        let header = outgoing.packet(&[0; FRAME], now).unwrap().header;
        (header.sequence_number, header.timestamp, header.marker)
    }

    #[test]
    fn numbers_go_on_by_one_and_time_by_a_frame() {
        let mut outgoing = Outgoing::new(7, 111, u32::MAX - 959).unwrap();
        assert_eq!(header(&mut outgoing, 1_000), (0x7fff, u32::MAX - 959, true));
        // A late task, and a frame that comes early for it.
        assert_eq!(header(&mut outgoing, 1_090), (0x8000, 0, false));
        assert_eq!(header(&mut outgoing, 1_091), (0x8001, 960, false));
    }

    #[test]
    fn a_pause_moves_the_time_and_begins_a_stretch() {
        let mut outgoing = Outgoing::new(7, 111, 0).unwrap();
        assert_eq!(header(&mut outgoing, 0), (0, 0, true));
        assert_eq!(header(&mut outgoing, 20), (1, 960, false));
        assert_eq!(header(&mut outgoing, 5_000), (2, 5_000 * 48, true));
        assert_eq!(header(&mut outgoing, 5_020), (3, 5_020 * 48, false));
    }

    #[test]
    fn a_short_frame_is_filled() {
        let mut outgoing = Outgoing::new(7, 111, 0).unwrap();
        assert!(!outgoing.packet(&[1; 17], 0).unwrap().payload.is_empty());
        assert!(!outgoing.packet(&[], 20).unwrap().payload.is_empty());
    }
}
