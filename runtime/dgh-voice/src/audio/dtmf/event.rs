//! Keys as RTP events (RFC 4733, "telephone-event").
//!
//! A press is a row of packets with one timestamp, that of its start: each says how long the key
//! has been down, and the last, sent three times because it may get lost, that it was let go.

use super::KEYPAD;

/// Bytes of an event.
pub const LENGTH: usize = 4;

/// How often the end of a press is sent.
const ENDS: u32 = 3;

/// What a packet says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Which: `0-9`, `*`, `#`, `A-D`.
    pub key: char,
    /// Whether it was let go.
    pub end: bool,
    /// How quiet its tone is: 0 to 63 dB below the loudest of the line.
    pub volume: u8,
    /// How long it has been down, in ticks of the timestamps.
    pub duration: u16,
}

impl Event {
    /// Reads a packet; none for an event that is no key, or no event.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low, ..] = *payload else { return None };
        Some(Self {
            key: *KEYS.get(usize::from(event))?,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The packet; none for what is no key.
    pub fn build(&self) -> Option<[u8; LENGTH]> {
        let event = KEYS.iter().position(|key| *key == self.key.to_ascii_uppercase())? as u8;
        let flags = u8::from(self.end) << 7 | self.volume.min(63);
        let [high, low] = self.duration.to_be_bytes();
        Some([event, flags, high, low])
    }
}

/// Keys by their numbers (RFC 4733, section 3.2).
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

const _: () = assert!(KEYS.len() == KEYPAD.len());

/// Makes one press of many packets.
#[derive(Debug, Default)]
pub struct Presses {
    /// Timestamp of the press that was told.
    told: Option<u32>,
}

impl Presses {
    /// A packet came in; answers the key when the press is new, at its first packet that arrives.
    pub fn push(&mut self, timestamp: u32, event: Event) -> Option<char> {
        // A packet of an older press comes late.
        let is_new = self.told.is_none_or(|told| timestamp.wrapping_sub(told).cast_signed() > 0);
        is_new.then(|| {
            self.told = Some(timestamp);
            event.key
        })
    }
}

/// A press to be sent, one packet each 20 ms.
#[derive(Debug, Clone)]
pub struct Press {
    key: char,
    step: u16,
    steps: u32,
    at: u32,
}

/// The next packet of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Whether it is the first: the marker bit.
    pub marker: bool,
    /// What it carries. Its timestamp is that of the first.
    pub payload: [u8; LENGTH],
}

impl Press {
    /// Of this many milliseconds, at least 40, with timestamps of so many ticks a second.
    pub fn new(key: char, ms: u32, clock: u32) -> Option<Self> {
        Event { key, end: false, volume: 0, duration: 0 }.build()?;
        let step = u16::try_from(clock / 50).ok()?;
        // The duration counts to 65,535.
        let most = u32::from(u16::MAX / step.max(1));
        Some(Self { key, step, steps: (ms.max(40) / 20).min(most), at: 0 })
    }
}

impl Iterator for Press {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        if self.at >= self.steps + ENDS - 1 {
            return None;
        }
        self.at += 1;
        let duration = self.step * self.at.min(self.steps) as u16;
        let event = Event { key: self.key, end: self.at >= self.steps, volume: 10, duration };
        Some(Packet { marker: self.at == 1, payload: event.build()? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn packets_of_the_standard_are_read_and_made() {
        // RFC 4733, section 5: key 9 at -7 dB, 1,600 ticks, ended.
        let payload = [9, 0x87, 0x06, 0x40];
        let event = Event { key: '9', end: true, volume: 7, duration: 1_600 };
        assert_eq!(Event::parse(&payload), Some(event));
        assert_eq!(event.build(), Some(payload));
        assert_eq!(Event::parse(&[11, 10, 0, 160]).unwrap().key, '#');
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert_eq!(Event::parse(&[16, 0, 0, 0]), None, "a flash of the hook");
        assert_eq!(Event::parse(&[1, 0, 0]), None);
        assert_eq!(Event::parse(&[]), None);
        assert_eq!(Event { key: 'x', end: false, volume: 0, duration: 0 }.build(), None);
        assert!(Press::new('x', 100, 8_000).is_none());
    }

    #[test]
    fn a_press_survives_loss_and_is_told_once() {
        let packets: Vec<Packet> = Press::new('5', 100, 8_000).unwrap().collect();
        let events: Vec<Event> =
            packets.iter().map(|packet| Event::parse(&packet.payload).unwrap()).collect();
        let durations: Vec<u16> = events.iter().map(|event| event.duration).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert_eq!(events.iter().filter(|event| event.end).count(), 3);
        assert_eq!(packets.iter().filter(|packet| packet.marker).count(), 1);
        for only in 0..events.len() {
            let mut presses = Presses::default();
            let told: Vec<char> =
                events.iter().skip(only).filter_map(|event| presses.push(4_000, *event)).collect();
            assert_eq!(told, ['5']);
            assert_eq!(presses.push(8_000, events[0]), Some('5'), "the same key again");
            assert_eq!(presses.push(4_000, events[0]), None, "late");
        }
    }

    #[test]
    fn a_press_of_an_hour_ends() {
        assert!(Press::new('5', 3_600_000, 48_000).unwrap().count() < 100);
    }
}
