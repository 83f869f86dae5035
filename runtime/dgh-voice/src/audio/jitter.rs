//! From packets as the network brings them (late, doubled, out of order, or not at all) to packets
//! in order, with the lost ones told (RTP, RFC 3550).
//!
//! A buffer in front of a loudspeaker holds everything back, so that playing never stops. An agent
//! is no loudspeaker: what is in order goes on at once and costs no delay, also after a stall, when
//! much comes together. Only behind a hole it waits for what is missing, and learns how long that
//! is worth it: 20 ms on a network that only loses, up to 200 on one that reorders. As nothing is
//! played by a clock, the clocks of both sides may drift: all that was sent comes out, no more.
//!
//! ```text
//! comes in   1  2  4     5  3     6        8     9
//! comes out  1  2  ·     ·  3 4 5 6        ·     7 lost, 8 9
//!                  └ waits ┘               └ hold ┘
//! ```
//!
//! Pure: the time is passed in.

use crate::Millis;

/// Puts the packets of one stream in order.
pub struct JitterBuffer {
    slots: Vec<Slot>,
    /// Ticks of its timestamps in a second: 48,000 for Opus, 8,000 for G.711.
    clock: u32,
    /// The sequence number that is to come out next, counted on over 65,535. None: nothing came.
    next: Option<i64>,
    /// The highest that came.
    highest: i64,
    /// The timestamp after the last packet that came out, as far as it can be known.
    expected: Option<(u32, u32)>,
    /// Far from what was expected: the first packet of another stream, or a stray one.
    stray: Option<u16>,
    /// How long a hole is waited for, in microseconds: it sinks by parts of a millisecond.
    hold_us: u64,
    /// Holes that were given up, and when what came after them had come.
    given_up: [(i64, Millis); REMEMBERED],
    transit: Option<(i64, f32)>,
    stats: Stats,
}

#[derive(Default, Clone)]
struct Slot {
    sequence: Option<i64>,
    timestamp: u32,
    arrived: Millis,
    payload: Vec<u8>,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Pull<'a> {
    /// The next packet.
    Packet {
        /// What it carries.
        payload: &'a [u8],
        /// Milliseconds before it for which the other side sent nothing on purpose: it was silent
        /// (discontinuous transmission).
        silence_ms: u32,
    },
    /// The next packet is lost.
    Lost {
        /// The packet after it, when that is there: it may carry a copy of the lost one. It comes
        /// out itself afterwards.
        next: Option<&'a [u8]>,
    },
    /// Nothing before a packet comes in, or this time.
    Wait(Option<Millis>),
}

/// How the network was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// Packets that came in, also those that were of no use.
    pub received: u64,
    /// Packets that were told as lost.
    pub lost: u64,
    /// Those of them that came after all.
    pub late: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that came out of order, in time.
    pub reordered: u64,
    /// Interarrival jitter in milliseconds (RFC 3550, section 6.4.1).
    pub jitter_ms: f32,
}

/// Packets that fit behind a hole: 1.28 s of 20 ms.
const SLOTS: usize = 64;

const MIN_HOLD_US: u64 = 20_000;
const MAX_HOLD_US: u64 = 200_000;

/// Lost packets in a row that are told one by one; after a longer hole sound just goes on.
const MOST_LOST: i64 = 10;

/// A packet this far from the expected is of another stream (RFC 3550, appendix A.1).
const FAR: i64 = 500;

const REMEMBERED: usize = 8;

impl JitterBuffer {
    /// For timestamps of so many ticks a second.
    pub fn new(clock: u32) -> Self {
        Self {
            slots: vec![Slot::default(); SLOTS],
            clock: clock.max(1),
            next: None,
            highest: 0,
            expected: None,
            stray: None,
            hold_us: MIN_HOLD_US,
            given_up: [(i64::MIN, 0); REMEMBERED],
            transit: None,
            stats: Stats::default(),
        }
    }

    /// A packet came in. Take out what there is with [`JitterBuffer::pull`] after it.
    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: &[u8], now: Millis) {
        self.stats.received += 1;
        let Some(number) = self.number(sequence) else { return };
        let next = *self.next.get_or_insert(number);
        self.measure(timestamp, now);
        if number < next {
            self.came_late(number, now);
            return;
        }
        // No room behind the hole: what is at its beginning is given up.
        while number - self.next.unwrap_or(number) >= SLOTS as i64 {
            self.skip();
        }
        let waited = self.after(number).map(|slot| now.saturating_sub(slot.arrived));
        let Some(slot) = self.slot_mut(number) else { return };
        if slot.sequence == Some(number) {
            self.stats.duplicates += 1;
            return;
        }
        slot.sequence = Some(number);
        slot.timestamp = timestamp;
        slot.arrived = now;
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
        if number < self.highest {
            self.stats.reordered += 1;
            self.learn(waited.unwrap_or(0));
        }
        self.highest = self.highest.max(number);
    }

    /// What is next. Call until it answers `Wait`.
    pub fn pull(&mut self, now: Millis) -> Pull<'_> {
        let Some(next) = self.next else { return Pull::Wait(None) };
        if self.slot(next).is_some() {
            self.next = Some(next + 1);
            return self.take(next);
        }
        let Some((after, arrived)) =
            self.after(next).and_then(|slot| slot.sequence.map(|after| (after, slot.arrived)))
        else {
            return Pull::Wait(None);
        };
        let due = arrived + self.hold_us.div_ceil(1_000);
        if now < due {
            return Pull::Wait(Some(due));
        }
        // A hole too long to be made up for.
        if after - next > MOST_LOST {
            self.stats.lost += (after - next) as u64;
            self.expected = None;
            self.next = Some(after + 1);
            return self.take(after);
        }
        self.stats.lost += 1;
        self.next = Some(next + 1);
        self.given_up.rotate_left(1);
        if let Some(last) = self.given_up.last_mut() {
            *last = (next, arrived);
        }
        if let Some((timestamp, step)) = &mut self.expected {
            *timestamp = timestamp.wrapping_add(*step);
        }
        Pull::Lost { next: self.slot(next + 1).map(|slot| slot.payload.as_slice()) }
    }

    /// How the network was so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// How long a hole is waited for now, in milliseconds.
    pub fn hold_ms(&self) -> u64 {
        self.hold_us / 1_000
    }

    /// The packet's place in the whole stream. None: it is of no stream that is known.
    fn number(&mut self, sequence: u16) -> Option<i64> {
        if self.next.is_none() {
            return Some(i64::from(sequence));
        }
        let from = self.highest;
        let number = from + i64::from(sequence.wrapping_sub(from as u16).cast_signed());
        if (number - from).abs() < FAR {
            self.stray = None;
            return Some(number);
        }
        // Two in a row make a stream: it starts over. One alone is dropped.
        if self.stray.replace(sequence.wrapping_add(1)) != Some(sequence) {
            return None;
        }
        self.stray = None;
        for slot in &mut self.slots {
            slot.sequence = None;
        }
        self.next = None;
        self.expected = None;
        self.transit = None;
        self.highest = i64::from(sequence);
        self.given_up = [(i64::MIN, 0); REMEMBERED];
        Some(i64::from(sequence))
    }

    fn came_late(&mut self, number: i64, now: Millis) {
        let given_up = self.given_up.iter_mut().find(|(given_up, _)| *given_up == number);
        if let Some((given_up, since)) = given_up {
            *given_up = i64::MIN;
            let waited = now.saturating_sub(*since);
            self.stats.late += 1;
            self.learn(waited);
        } else {
            self.stats.duplicates += 1;
        }
    }

    /// What was missing came after so long: next time that is waited for, and a bit more. What comes
    /// later than the longest wait is as good as lost.
    fn learn(&mut self, waited: Millis) {
        let worth = waited * 1_250 + 5_000;
        if worth <= MAX_HOLD_US + MAX_HOLD_US / 4 {
            self.hold_us = self.hold_us.max(worth.min(MAX_HOLD_US));
        }
    }

    /// The wait sinks again, by half in 14 s of packets of 20 ms.
    fn measure(&mut self, timestamp: u32, now: Millis) {
        self.hold_us = (self.hold_us - self.hold_us / 1_000).max(MIN_HOLD_US);
        let transit = (now * u64::from(self.clock) / 1_000) as i64 - i64::from(timestamp);
        if let Some((before, jitter)) = &mut self.transit {
            // Timestamps wrap around as well.
            let difference = (transit - *before) as i32;
            *jitter += (difference.unsigned_abs() as f32 - *jitter) / 16.0;
            *before = transit;
            self.stats.jitter_ms = *jitter * 1_000.0 / self.clock as f32;
        } else {
            self.transit = Some((transit, 0.0));
        }
    }

    fn skip(&mut self) {
        let Some(next) = self.next else { return };
        if let Some(slot) = self.slot_mut(next) {
            if slot.sequence == Some(next) {
                slot.sequence = None;
            }
            self.stats.lost += 1;
        }
        self.expected = None;
        self.next = Some(next + 1);
    }

    fn take(&mut self, number: i64) -> Pull<'_> {
        let expected = self.expected;
        let clock = self.clock;
        let Some(slot) = self.slot(number) else { return Pull::Wait(None) };
        let timestamp = slot.timestamp;
        let behind = expected.map_or(0, |(expected, _)| timestamp.wrapping_sub(expected).cast_signed());
        // A packet is as long as the distance of two in a row that were not apart by silence.
        let step = match (self.slot(number + 1), expected) {
            (Some(next), _) => next.timestamp.wrapping_sub(timestamp),
            (None, Some((_, step))) => step,
            (None, None) => clock / 50,
        };
        let step = if step == 0 || step > clock / 8 { clock / 50 } else { step };
        self.expected = Some((timestamp.wrapping_add(step), step));
        let silence_ms = (i64::from(behind.max(0)) * 1_000 / i64::from(clock)) as u32;
        match self.slot_mut(number) {
            Some(slot) => {
                slot.sequence = None;
                Pull::Packet { payload: &slot.payload, silence_ms }
            }
            None => Pull::Wait(None),
        }
    }

    /// The first packet there is after this one.
    fn after(&self, number: i64) -> Option<&Slot> {
        (number + 1..=self.highest.min(number + SLOTS as i64)).find_map(|number| self.slot(number))
    }

    fn slot(&self, number: i64) -> Option<&Slot> {
        self.slots.get(number.rem_euclid(SLOTS as i64) as usize).filter(|slot| slot.sequence == Some(number))
    }

    fn slot_mut(&mut self, number: i64) -> Option<&mut Slot> {
        self.slots.get_mut(number.rem_euclid(SLOTS as i64) as usize)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    /// A buffer of G.711 in packets of 20 ms whose payload is their number, from 65,530 on.
    struct Network {
        buffer: JitterBuffer,
        out: Vec<String>,
    }

    impl Network {
        fn new() -> Self {
            Self { buffer: JitterBuffer::new(8_000), out: Vec::new() }
        }

        fn send(&mut self, number: u32, now: Millis) {
            let sequence = 65_530u32.wrapping_add(number) as u16;
            self.buffer.push(sequence, (number * 160).wrapping_sub(500), number.to_string().as_bytes(), now);
            self.take(now);
        }

        fn take(&mut self, now: Millis) -> Option<Millis> {
            loop {
                match self.buffer.pull(now) {
                    Pull::Packet { payload, silence_ms } => {
                        let silence = if silence_ms > 0 { format!("{silence_ms}ms ") } else { String::new() };
                        self.out.push(format!("{silence}{}", str::from_utf8(payload).unwrap()));
                    }
                    Pull::Lost { next } => self
                        .out
                        .push(format!("lost<{}", next.map_or("?", |next| str::from_utf8(next).unwrap()))),
                    Pull::Wait(until) => return until,
                }
            }
        }

        fn out(&mut self) -> String {
            std::mem::take(&mut self.out).join(" ")
        }
    }

    #[test]
    fn what_is_in_order_goes_on_at_once_also_after_a_stall() {
        let mut network = Network::new();
        for number in 0..10 {
            network.send(number, u64::from(number) * 20);
        }
        assert_eq!(network.out(), "0 1 2 3 4 5 6 7 8 9");
        for number in 10..500 {
            network.send(number, 10_000);
        }
        assert!(network.out().ends_with("498 499"));
        assert_eq!(network.buffer.stats().lost, 0);
    }

    #[test]
    fn what_comes_out_of_order_is_waited_for() {
        let mut network = Network::new();
        for (number, now) in [(0, 0), (1, 20), (3, 60), (4, 65), (2, 70), (5, 100)] {
            network.send(number, now);
        }
        assert_eq!(network.out(), "0 1 2 3 4 5");
        assert_eq!(network.buffer.stats().reordered, 1);
    }

    #[test]
    fn what_is_lost_is_told_after_the_wait_with_what_may_hold_its_copy() {
        let mut network = Network::new();
        network.send(0, 0);
        network.send(2, 40);
        assert_eq!(network.take(59), Some(60));
        assert_eq!(network.out(), "0");
        network.take(60);
        assert_eq!(network.out(), "lost<2 2");
        network.send(5, 100);
        network.take(120);
        assert_eq!(network.out(), "lost<? lost<5 5");
        assert_eq!(network.buffer.stats().lost, 3);
    }

    #[test]
    fn doubles_and_what_comes_too_late_are_dropped() {
        let mut network = Network::new();
        for (number, now) in [(0, 0), (0, 1), (1, 20), (3, 60), (3, 61)] {
            network.send(number, now);
        }
        network.take(80);
        network.send(2, 90);
        assert_eq!(network.out(), "0 1 lost<3 3");
        let stats = network.buffer.stats();
        assert_eq!((stats.duplicates, stats.late, stats.lost, stats.received), (2, 1, 1, 6));
    }

    #[test]
    fn it_learns_how_long_waiting_is_worth_it_and_forgets_slowly() {
        let mut network = Network::new();
        let mut lost = Vec::new();
        for round in 0..40u32 {
            let number = round * 10;
            for step in (0..10).filter(|step| *step != 4) {
                network.send(number + step, u64::from(number + step) * 20);
                if step == 7 {
                    // 60 ms after its successor.
                    network.send(number + 4, u64::from(number + 7) * 20 + 5);
                }
            }
            lost.push(network.buffer.stats().lost);
        }
        assert_eq!(lost[0], 1, "the first is given up");
        assert_eq!(lost.last(), Some(&1), "the others are waited for");
        assert!((60..100).contains(&network.buffer.hold_ms()), "{}", network.buffer.hold_ms());
        for number in 400..4_400 {
            network.send(number, u64::from(number) * 20);
        }
        assert_eq!(network.buffer.hold_ms(), 20);
    }

    #[test]
    fn silence_on_purpose_is_told_and_is_no_loss() {
        let mut network = Network::new();
        network.buffer.push(1, 0, b"a", 0);
        network.buffer.push(2, 160, b"b", 20);
        network.buffer.push(3, 160 * 12, b"c", 240);
        network.buffer.push(4, 160 * 13, b"d", 260);
        network.take(260);
        assert_eq!(network.out(), "a b 200ms c d");
        assert_eq!(network.buffer.stats().lost, 0);
    }

    #[test]
    fn another_stream_takes_over_and_a_stray_packet_does_not() {
        let mut network = Network::new();
        network.buffer.push(100, 0, b"a", 0);
        network.buffer.push(30_000, 0, b"x", 5);
        network.buffer.push(101, 160, b"b", 20);
        network.take(20);
        assert_eq!(network.out(), "a b");
        for sequence in 40_000..40_003u16 {
            network.buffer.push(sequence, u32::from(sequence) * 160, sequence.to_string().as_bytes(), 40);
            network.take(40);
        }
        assert_eq!(network.out(), "40001 40002");
    }

    #[test]
    fn a_long_hole_is_not_made_up_for() {
        let mut network = Network::new();
        network.send(0, 0);
        network.send(100, 2_000);
        network.send(101, 2_020);
        network.take(2_100);
        let out = network.out();
        assert!(out.ends_with("100 101"), "{out}");
        assert!(out.matches("lost").count() <= 10, "{out}");
    }

    #[test]
    fn jitter_is_that_of_the_standard() {
        let mut network = Network::new();
        for number in 0..500 {
            network.send(number, u64::from(number) * 20 + u64::from(number % 2) * 10);
        }
        // |D| is 10 ms each time.
        assert!(
            (network.buffer.stats().jitter_ms - 10.0).abs() < 0.1,
            "{}",
            network.buffer.stats().jitter_ms
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whatever the network does: order holds, nothing comes twice, nothing that came in time is
        /// missing, and every number is a packet or a loss until the end.
        #[test]
        fn order_holds_on_any_network(fates in prop::collection::vec((0u8..10, 0u64..150), 1..300)) {
            let mut arrivals: Vec<(Millis, u32)> = Vec::new();
            for (number, (fate, delay)) in (0u32..).zip(&fates) {
                let sent = u64::from(number) * 20;
                match fate {
                    0 => {}
                    1 => arrivals.extend([(sent + delay, number), (sent + delay / 2, number)]),
                    2 | 3 => arrivals.push((sent + delay, number)),
                    _ => arrivals.push((sent, number)),
                }
            }
            arrivals.sort_unstable();
            let mut network = Network::new();
            for (now, number) in &arrivals {
                network.take(*now);
                network.send(*number, *now);
            }
            network.take(1_000_000);
            let mut expected: Option<u32> = None;
            let mut lost = 0;
            for out in &network.out {
                if out.starts_with("lost") {
                    lost += 1;
                    expected = expected.map(|expected| expected + 1);
                } else {
                    let number: u32 = out.rsplit(' ').next().unwrap().parse().unwrap();
                    if let Some(expected) = expected {
                        prop_assert!(number == expected || number > expected + 9, "{number} after {expected}");
                    }
                    expected = Some(number + 1);
                }
            }
            prop_assert!(lost <= network.buffer.stats().lost);
            if let Some(highest) = arrivals.iter().map(|(_, number)| *number).max() {
                prop_assert_eq!(expected, Some(highest + 1));
            }
        }

        /// Garbage from the network breaks nothing and stays within bounds.
        #[test]
        fn any_packets_are_survived(packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0usize..50, 0u64..100), 0..400)) {
            let mut buffer = JitterBuffer::new(48_000);
            let mut now = 0;
            for (sequence, timestamp, length, pause) in packets {
                now += pause;
                buffer.push(sequence, timestamp, &[0; 50][..length], now);
                for turn in 0.. {
                    prop_assert!(turn < 2_000);
                    if let Pull::Wait(until) = buffer.pull(now) {
                        prop_assert!(until.is_none_or(|until| until > now && until <= now + 200));
                        break;
                    }
                }
            }
        }
    }
}
