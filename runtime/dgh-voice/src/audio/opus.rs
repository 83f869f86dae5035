//! Opus (RFC 6716), as WebRTC uses it (RFC 7587): mono, for voice, 20 ms a packet.
//!
//! The decoder gives any of the rates that Opus has, whatever the other side encoded: asked for
//! 16 kHz it costs three quarters of 48 kHz, and nothing has to be resampled. Packets that do not
//! come are made up for, by the copy of lower quality in the packet after them (in-band forward
//! error correction) or by what sounded before.

use opus::{Application, Bitrate, Channels};

use super::Frame;

/// Bytes of the largest packet the encoder makes (RFC 6716, section 3.4).
pub const MAX_PACKET: usize = 1_275;

/// A packet or a rate that Opus does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// Opus has 8,000, 12,000, 16,000, 24,000 and 48,000 samples a second.
    #[error("Opus has no rate of {0} Hz")]
    Rate(u32),
    /// The frame is not 20 ms (or 10, 5, 2.5) of the encoder's rate.
    #[error("{0} samples are no length of an Opus packet")]
    Length(usize),
    /// The packet is damaged.
    #[error("a packet is no Opus")]
    Packet,
    /// The codec is broken or out of memory.
    #[error("Opus failed: {0}")]
    Codec(&'static str),
}

/// Makes packets.
pub struct Encoder {
    inner: opus::Encoder,
    packet: Box<[u8; MAX_PACKET]>,
}

impl Encoder {
    /// For frames of this rate. 24 kbit/s, with forward error correction for the loss that the
    /// other side reports ([`Encoder::expect_loss`]).
    ///
    /// Complexity 5 takes a bit more than half the time of 10, and the difference is not heard in
    /// speech. Sound goes out without pauses (DTX off), so that the other side's buffer stays tuned.
    pub fn new(rate: u32) -> Result<Self, OpusError> {
        check(rate)?;
        let mut inner = opus::Encoder::new(rate, Channels::Mono, Application::Voip).map_err(codec)?;
        inner.set_complexity(5).map_err(codec)?;
        inner.set_bitrate(Bitrate::Bits(24_000)).map_err(codec)?;
        inner.set_signal(opus::Signal::Voice).map_err(codec)?;
        inner.set_dtx(false).map_err(codec)?;
        inner.set_inband_fec(true).map_err(codec)?;
        inner.set_packet_loss_perc(5).map_err(codec)?;
        Ok(Self { inner, packet: Box::new([0; MAX_PACKET]) })
    }

    /// Percent of packets that get lost on the way: how much is spent on forward error correction.
    pub fn expect_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        self.inner.set_packet_loss_perc(i32::from(percent.min(100))).map_err(codec)
    }

    /// The packet of 20 ms of sound; held until the next.
    pub fn encode(&mut self, samples: &[i16]) -> Result<&[u8], OpusError> {
        let length =
            self.inner.encode(samples, &mut self.packet[..]).map_err(|error| match error.code() {
                opus::ErrorCode::BadArg => OpusError::Length(samples.len()),
                _ => codec(error),
            })?;
        Ok(self.packet.get(..length).unwrap_or(&[]))
    }
}

/// Takes packets.
pub struct Decoder {
    inner: opus::Decoder,
    rate: u32,
    /// 120 ms, the longest packet there is.
    sound: Box<[i16]>,
    /// Samples of the packet before: how much a lost one is taken to have been.
    last: usize,
}

impl Decoder {
    /// Gives sound of this rate.
    pub fn new(rate: u32) -> Result<Self, OpusError> {
        check(rate)?;
        let inner = opus::Decoder::new(rate, Channels::Mono).map_err(codec)?;
        let frame = rate as usize / 50;
        Ok(Self { inner, rate, sound: vec![0; frame * 6].into_boxed_slice(), last: frame })
    }

    /// The rate of what it gives.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// The sound of a packet: 20 ms from a browser, 2.5 to 120 ms from others.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[i16], OpusError> {
        // An empty packet would ask the codec to conceal as much as there is room for.
        if packet.is_empty() {
            return Err(OpusError::Packet);
        }
        let length = self.inner.decode(packet, &mut self.sound, false).map_err(damaged)?;
        self.last = length;
        Ok(self.sound.get(..length).unwrap_or(&[]))
    }

    /// The sound of a packet of 20 ms.
    pub fn decode_frame(&mut self, packet: &[u8], frame: &mut Frame) -> Result<(), OpusError> {
        frame.copy_from(self.decode(packet)?);
        Ok(())
    }

    /// The sound of the packet lost before this one, from its copy in this one, or made up when
    /// there is none. [`Decoder::decode`] this packet after it.
    pub fn recover(&mut self, next: &[u8], frame: &mut Frame) -> Result<(), OpusError> {
        if next.is_empty() {
            return self.conceal(frame);
        }
        let length = self.last;
        let room = self.sound.get_mut(..length).ok_or(OpusError::Packet)?;
        let length = self.inner.decode(next, room, true).map_err(damaged)?;
        frame.copy_from(self.sound.get(..length).unwrap_or(&[]));
        Ok(())
    }

    /// What sounds in place of a lost packet: the last sound, going on and fading.
    pub fn conceal(&mut self, frame: &mut Frame) -> Result<(), OpusError> {
        let length = self.last;
        let room = self.sound.get_mut(..length).ok_or(OpusError::Packet)?;
        let length = self.inner.decode(&[], room, false).map_err(codec)?;
        frame.copy_from(self.sound.get(..length).unwrap_or(&[]));
        Ok(())
    }
}

fn check(rate: u32) -> Result<(), OpusError> {
    match rate {
        8_000 | 12_000 | 16_000 | 24_000 | 48_000 => Ok(()),
        other => Err(OpusError::Rate(other)),
    }
}

fn damaged(error: opus::Error) -> OpusError {
    match error.code() {
        opus::ErrorCode::InvalidPacket | opus::ErrorCode::BufferTooSmall | opus::ErrorCode::BadArg => {
            OpusError::Packet
        }
        _ => codec(error),
    }
}

fn codec(error: opus::Error) -> OpusError {
    OpusError::Codec(error.code().description())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::level::level_db;
    use super::super::signals::tone;
    use super::*;

    #[test]
    fn sound_keeps_its_level_at_every_rate_and_across_rates() {
        for (from, to) in
            [(48_000, 48_000), (48_000, 16_000), (24_000, 16_000), (16_000, 8_000), (8_000, 48_000)]
        {
            let sound = tone(440.0, from, 1_000, 0.3);
            let mut encoder = Encoder::new(from).unwrap();
            let mut decoder = Decoder::new(to).unwrap();
            let mut frame = Frame::default();
            let mut heard = Vec::new();
            for frame_in in sound.chunks(from as usize / 50) {
                let packet = encoder.encode(frame_in).unwrap();
                assert!(packet.len() < 300);
                decoder.decode_frame(packet, &mut frame).unwrap();
                assert_eq!(frame.samples().len(), to as usize / 50);
                heard.extend_from_slice(frame.samples());
            }
            let settled = &heard[heard.len() / 4..];
            assert!(
                (level_db(settled) - level_db(&sound)).abs() < 1.5,
                "{from} to {to}: {} {}",
                level_db(settled),
                level_db(&sound)
            );
        }
    }

    #[test]
    fn a_lost_packet_sounds_like_what_was_around_it() {
        let sound = tone(300.0, 16_000, 1_000, 0.3);
        for recover in [true, false] {
            let mut encoder = Encoder::new(16_000).unwrap();
            encoder.expect_loss(20).unwrap();
            let mut decoder = Decoder::new(16_000).unwrap();
            let mut frame = Frame::default();
            let packets: Vec<Vec<u8>> =
                sound.chunks(320).map(|frame| encoder.encode(frame).unwrap().to_vec()).collect();
            for (number, packet) in packets.iter().enumerate() {
                if number == 20 {
                    if recover {
                        decoder.recover(&packets[21], &mut frame).unwrap();
                    } else {
                        decoder.conceal(&mut frame).unwrap();
                    }
                    assert_eq!(frame.samples().len(), 320);
                    assert!(
                        level_db(frame.samples()) > level_db(&sound) - 6.0,
                        "{recover}: {}",
                        level_db(frame.samples())
                    );
                } else {
                    decoder.decode_frame(packet, &mut frame).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_packet_of_sixty_milliseconds_gives_three_frames() {
        let mut encoder = Encoder::new(48_000).unwrap();
        let packet = encoder.encode(&tone(300.0, 48_000, 60, 0.3)).unwrap().to_vec();
        assert_eq!(Decoder::new(16_000).unwrap().decode(&packet).unwrap().len(), 3 * 320);
    }

    #[test]
    fn what_is_no_opus_is_refused() {
        assert_eq!(Encoder::new(44_100).err(), Some(OpusError::Rate(44_100)));
        assert_eq!(Decoder::new(0).err(), Some(OpusError::Rate(0)));
        assert_eq!(Encoder::new(16_000).unwrap().encode(&[0; 333]).err(), Some(OpusError::Length(333)));
        let mut decoder = Decoder::new(16_000).unwrap();
        assert_eq!(decoder.decode(&[]).err(), Some(OpusError::Packet));
        assert_eq!(decoder.decode(&[0xff, 0xff, 0xff]).err(), Some(OpusError::Packet));
        let mut frame = Frame::default();
        assert!(decoder.recover(&[0xff, 0xff, 0xff], &mut frame).is_err());
        decoder.recover(&[], &mut frame).unwrap();
    }
}
