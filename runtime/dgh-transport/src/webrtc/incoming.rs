//! From RTP packets to frames: order, loss, silence and keys. Pure.

use std::collections::VecDeque;

use dgh_voice::Millis;
use dgh_voice::audio::Frame;
use dgh_voice::audio::dtmf::event::{Event, Presses};
use dgh_voice::audio::jitter::{JitterBuffer, Pull, Stats};
use dgh_voice::audio::opus::{Decoder, OpusError};

use super::RATE;

/// Samples of a frame.
const FRAME: usize = RATE as usize / 50;
/// Without a packet for so long, silence takes its place until one comes: who listens needs to hear
/// it, also when the other side sends none (discontinuous transmission), or cannot.
const FILL_AFTER: Millis = 200;
/// Most silence that is told after the fact.
const MAX_SILENCE_MS: u64 = 2_000;

/// Keys that may wait to be taken.
const MAX_KEYS: usize = 64;

/// What is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The frame holds sound.
    Sound,
    /// The frame holds what conceals a lost one.
    Lost,
    /// A key was pressed.
    Key(char),
    /// Nothing until a packet comes, or this time.
    Wait(Option<Millis>),
}

/// Sound on its way in.
pub(super) struct Incoming {
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded and not taken: packets may be longer than a frame.
    sound: Vec<i16>,
    taken: usize,
    silence_ms: u64,
    keys: VecDeque<char>,
    presses: Presses,
    /// When the last packet came, or the connection.
    last: Option<Millis>,
    /// Silence that took the place of packets since then.
    filled_ms: u64,
    /// Payload types of Opus and of keys.
    pub(super) opus: u8,
    pub(super) telephone_events: Vec<u8>,
}

impl Incoming {
    pub(super) fn new(opus: u8, telephone_events: Vec<u8>) -> Result<Self, OpusError> {
        Ok(Self {
            jitter: JitterBuffer::new(48_000),
            decoder: Decoder::new(RATE)?,
            sound: Vec::with_capacity(FRAME * 6),
            taken: 0,
            silence_ms: 0,
            keys: VecDeque::new(),
            presses: Presses::default(),
            last: None,
            filled_ms: 0,
            opus,
            telephone_events,
        })
    }

    /// The connection is there: from now on there is sound, or silence in its place.
    pub(super) fn begin(&mut self, now: Millis) {
        self.last = Some(now);
    }

    /// How the network was.
    pub(super) fn stats(&self) -> Stats {
        self.jitter.stats()
    }

    /// A packet came.
    pub(super) fn packet(
        &mut self,
        payload_type: u8,
        sequence: u16,
        timestamp: u32,
        payload: &[u8],
        now: Millis,
    ) {
        let payload = if payload_type == self.opus {
            payload
        } else if self.telephone_events.contains(&payload_type) {
            self.key(timestamp, payload);
            // It has a number among those of the sound, which is no hole therefore.
            &[]
        } else {
            return;
        };
        self.last = Some(now);
        self.jitter.push(sequence, timestamp, payload, now);
    }

    /// Takes out what there is. Call until it answers `Wait`.
    pub(super) fn next(&mut self, frame: &mut Frame, now: Millis) -> Next {
        if let Some(key) = self.keys.pop_front() {
            return Next::Key(key);
        }
        loop {
            if self.silence_ms >= 20 {
                self.silence_ms -= 20;
                frame.silence(RATE);
                return Next::Sound;
            }
            if let Some(samples) = self.sound.get(self.taken..self.taken + FRAME) {
                frame.copy_from(samples);
                self.taken += FRAME;
                return Next::Sound;
            }
            self.sound.drain(..self.taken.min(self.sound.len()));
            self.taken = 0;
            match self.jitter.pull(now) {
                Pull::Packet { payload: [], .. } => {}
                Pull::Packet { payload, silence_ms } => {
                    let silence_ms = u64::from(silence_ms);
                    self.silence_ms = silence_ms.saturating_sub(self.filled_ms).min(MAX_SILENCE_MS);
                    self.filled_ms = 0;
                    match self.decoder.decode(payload) {
                        Ok(samples) => self.sound.extend_from_slice(samples),
                        Err(_) => return conceal(&mut self.decoder, frame),
                    }
                }
                Pull::Lost { next } => {
                    if let Some(next) = next.filter(|next| !next.is_empty())
                        && self.decoder.recover(next, frame).is_ok()
                    {
                        return Next::Lost;
                    }
                    return conceal(&mut self.decoder, frame);
                }
                Pull::Wait(due) => return self.fill(due, frame, now),
            }
        }
    }

    fn fill(&mut self, due: Option<Millis>, frame: &mut Frame, now: Millis) -> Next {
        let Some(last) = self.last else { return Next::Wait(due) };
        let next = last + FILL_AFTER.max(self.filled_ms + 20);
        if now >= next {
            self.filled_ms += 20;
            frame.silence(RATE);
            return Next::Sound;
        }
        Next::Wait(Some(due.map_or(next, |due| due.min(next))))
    }

    fn key(&mut self, timestamp: u32, payload: &[u8]) {
        let key = Event::parse(payload).and_then(|event| self.presses.push(timestamp, event));
        if self.keys.len() < MAX_KEYS {
            self.keys.extend(key);
        }
    }
}

fn conceal(decoder: &mut Decoder, frame: &mut Frame) -> Next {
    if decoder.conceal(frame).is_err() {
        frame.silence(RATE);
    }
    // After a longer packet there is more than a frame of it.
    if frame.samples().len() > FRAME {
        frame.resize(FRAME);
    }
    Next::Lost
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use dgh_voice::audio::opus::Encoder;

    use super::*;

    struct Bench {
        incoming: Incoming,
        encoder: Encoder,
        frame: Frame,
    }

    fn bench() -> Bench {
        Bench {
            incoming: Incoming::new(111, vec![110, 126]).unwrap(),
            encoder: Encoder::new(RATE).unwrap(),
            frame: Frame::default(),
        }
    }

    impl Bench {
        fn sound(&mut self, number: u16, now: Millis) {
            let packet = self.encoder.encode(&[1_000; FRAME]).unwrap();
            self.incoming.packet(111, number, u32::from(number) * 960, packet, now);
        }

        fn drain(&mut self, now: Millis) -> Vec<Next> {
            let mut all = Vec::new();
            loop {
                let next = self.incoming.next(&mut self.frame, now);
                all.push(next);
                match next {
                    Next::Wait(_) => return all,
                    Next::Key(_) => {}
                    _ => assert_eq!(self.frame.samples().len(), FRAME),
                }
            }
        }
    }

    #[test]
    fn packets_in_order_come_out_at_once() {
        let mut bench = bench();
        bench.sound(1, 0);
        assert_eq!(bench.drain(0), [Next::Sound, Next::Wait(Some(200))]);
        bench.sound(2, 20);
        assert_eq!(bench.drain(20), [Next::Sound, Next::Wait(Some(220))]);
    }

    #[test]
    fn a_lost_packet_is_made_up_for_once_it_is_lost() {
        let mut bench = bench();
        bench.sound(1, 0);
        bench.drain(0);
        bench.sound(3, 40);
        let [Next::Wait(Some(due))] = bench.drain(40)[..] else { panic!("it does not wait") };
        assert!((41..=100).contains(&due), "{due}");
        assert_eq!(bench.drain(due)[..2], [Next::Lost, Next::Sound]);
        assert_eq!(bench.incoming.stats().lost, 1);
    }

    #[test]
    fn keys_are_told_once_and_leave_no_hole() {
        let mut bench = bench();
        bench.sound(1, 0);
        bench.drain(0);
        for number in 2..6 {
            bench.incoming.packet(126, number, 1_920, &[5, 0x0a, 0, 160], 20);
        }
        bench.incoming.packet(126, 6, 9_600, &[11, 0x8a, 0, 160], 30);
        bench.incoming.packet(126, 7, 19_600, &[99, 0x8a, 0, 160], 30);
        bench.incoming.packet(126, 8, 29_600, &[1], 30);
        assert_eq!(bench.drain(30)[..2], [Next::Key('5'), Next::Key('#')]);
        bench.sound(9, 140);
        assert!(!bench.drain(140).contains(&Next::Lost));
    }

    #[test]
    fn silence_takes_the_place_of_what_is_not_sent() {
        let mut bench = bench();
        bench.sound(1, 0);
        bench.drain(0);
        assert_eq!(bench.drain(199), [Next::Wait(Some(200))]);
        let all = bench.drain(200);
        assert_eq!(all.len(), 11, "{all:?}");
        assert_eq!(bench.drain(220), [Next::Sound, Next::Wait(Some(240))]);
        assert_eq!(bench.drain(300).len(), 5);
    }

    #[test]
    fn who_never_sends_is_silent() {
        let mut bench = bench();
        assert_eq!(bench.drain(500), [Next::Wait(None)]);
        bench.incoming.begin(1_000);
        assert_eq!(bench.drain(1_300).len(), 16);
        assert_eq!(bench.drain(1_320), [Next::Sound, Next::Wait(Some(1_340))]);
    }

    #[test]
    fn a_packet_that_is_no_opus_is_concealed() {
        let mut bench = bench();
        bench.sound(1, 0);
        bench.drain(0);
        bench.incoming.packet(111, 2, 1_920, &[0xff, 0xff, 0xff], 20);
        assert_eq!(bench.drain(20)[0], Next::Lost);
        bench.incoming.packet(96, 3, 2_880, &[1, 2, 3], 40);
        assert_eq!(bench.drain(40), [Next::Wait(Some(220))]);
    }

    #[test]
    fn a_long_packet_gives_several_frames() {
        let mut bench = bench();
        // 60 ms out of three packets of 20 ms: RFC 6716, code 3.
        let mut long = Vec::new();
        let packet = bench.encoder.encode(&[1_000; FRAME]).unwrap().to_vec();
        let (head, body) = packet.split_first().unwrap();
        long.push(head & !3 | 3);
        long.push(0x80 | 3);
        for _ in 0..2 {
            long.push(u8::try_from(body.len()).unwrap());
        }
        for _ in 0..3 {
            long.extend_from_slice(body);
        }
        bench.incoming.packet(111, 1, 0, &long, 0);
        assert_eq!(bench.drain(0)[..3], [Next::Sound; 3]);
    }
}
