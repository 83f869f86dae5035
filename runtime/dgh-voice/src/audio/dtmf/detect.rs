//! Keys in the sound of a line.
//!
//! Sound is looked at in blocks of 12.75 ms. A key is a block in which one low and one high
//! frequency hold nearly everything, and two such blocks in a row: 40 ms of tone always hold two,
//! 23 ms hardly (ITU-T Q.24). Speech has harmonics beside any two frequencies, and seldom holds
//! them still: that keeps it from being taken for keys ("talk-off").

use super::{COLUMNS, KEYPAD, ROWS};
use crate::audio::Frame;
use crate::audio::goertzel::Bank;
use crate::audio::level::power;

/// Listens for keys in one stream of sound.
pub struct Detector {
    tones: Bank<8>,
    block: usize,
    /// What the block before was.
    last: Option<char>,
    /// The key that is held down.
    held: Option<char>,
}

/// Quieter than this no key is looked for: 45 dB below full scale, more than the 29 that Q.24 asks for.
const QUIETEST: f32 = 3e-5;

/// The high tone may be 4 dB over the low one, and the low 8 dB over the high (Q.24, North America);
/// 1 dB more for what a short block measures wrong.
const HIGH_OVER_LOW: f32 = 3.16;
const LOW_OVER_HIGH: f32 = 7.94;

/// A tone is 8 dB over the other three of its group.
const OVER_OTHERS: f32 = 6.31;

/// What both tones have of everything. So short a block sees a tone that is 1.5 % off with three
/// quarters of its power at the highest frequency.
const SHARE: f32 = 0.76;

impl Detector {
    /// For sound of this rate.
    pub fn new(rate: u32) -> Self {
        let mut tones = [0.0; 8];
        for (tone, hertz) in tones.iter_mut().zip(ROWS.into_iter().chain(COLUMNS)) {
            *tone = hertz;
        }
        Self {
            tones: Bank::new(tones, rate),
            block: (rate as usize * 102 / 8_000).max(1),
            last: None,
            held: None,
        }
    }

    /// The next frame; answers the key that was pressed in it, once per press.
    pub fn push(&mut self, frame: &Frame) -> Option<char> {
        // Most frames have no tone, and the bank needs not run. A block that was begun is ended.
        if self.tones.samples() == 0
            && self.last.is_none()
            && self.held.is_none()
            && power(frame.samples()) < QUIETEST
        {
            return None;
        }
        let mut pressed = None;
        let mut rest = frame.samples();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at((self.block - self.tones.samples()).min(rest.len()));
            self.tones.push(piece);
            rest = later;
            if self.tones.samples() == self.block {
                let key = self.key();
                self.tones.reset();
                pressed = pressed.or(self.block_was(key));
            }
        }
        pressed
    }

    fn block_was(&mut self, key: Option<char>) -> Option<char> {
        let steady = key == self.last;
        self.last = key;
        // One block that differs neither presses nor lets go: a click, a gap of the network.
        if !steady || key == self.held {
            return None;
        }
        self.held = key;
        key
    }

    /// The key of the block that is full.
    fn key(&self) -> Option<char> {
        let powers = self.tones.powers();
        let total = self.tones.power();
        let (rows, columns) = powers.split_at(4);
        let (row, low) = highest(rows)?;
        let (column, high) = highest(columns)?;
        let is_key = total >= QUIETEST
            && low + high >= SHARE * total
            && high <= low * HIGH_OVER_LOW
            && low <= high * LOW_OVER_HIGH
            && stands_out(rows, row, low)
            && stands_out(columns, column, high);
        is_key.then(|| KEYPAD.get(row * 4 + column).copied()).flatten()
    }
}

fn highest(powers: &[f32]) -> Option<(usize, f32)> {
    powers.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn stands_out(powers: &[f32], place: usize, power: f32) -> bool {
    powers.iter().enumerate().all(|(other, less)| other == place || less * OVER_OTHERS <= power)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::Dialer;
    use super::super::frequencies;
    use super::*;
    use crate::audio::g711::Law;
    use crate::audio::signals::{noise, other_speech, speech, tone};

    fn keys(rate: u32, sound: &[i16]) -> String {
        let mut detector = Detector::new(rate);
        let mut frame = Frame::default();
        sound
            .chunks(rate as usize / 50)
            .filter_map(|samples| {
                frame.copy_from(samples);
                detector.push(&frame)
            })
            .collect()
    }

    fn dialed(rate: u32, keys: &str) -> Vec<i16> {
        let mut dialer = Dialer::new(rate);
        assert_eq!(dialer.press(keys), None);
        let mut frame = Frame::default();
        let mut sound = Vec::new();
        while dialer.fill(&mut frame) {
            sound.extend_from_slice(frame.samples());
        }
        sound
    }

    fn key(key: char, ms: u32, low: f32, high: f32, off: f32) -> Vec<i16> {
        let (row, column) = frequencies(key).unwrap();
        let row = tone(row * off, 8_000, ms, low);
        row.iter().zip(tone(column * off, 8_000, ms, high)).map(|(a, b)| a + b).collect()
    }

    fn mixed(a: &[i16], b: &[i16]) -> Vec<i16> {
        a.iter().zip(b).map(|(a, b)| a.saturating_add(*b)).collect()
    }

    #[test]
    fn every_key_that_is_dialed_is_heard_at_every_rate() {
        let all: String = KEYPAD.iter().collect();
        for rate in [8_000, 16_000, 24_000, 48_000] {
            assert_eq!(keys(rate, &dialed(rate, &all)), all, "{rate}");
            assert_eq!(keys(rate, &dialed(rate, "1w1 1#".replace(' ', "").as_str())), "111#", "{rate}");
        }
    }

    #[test]
    fn keys_come_through_the_telephone_network() {
        let mut bytes = Vec::new();
        Law::A.encode(&dialed(8_000, "0123456789*#"), &mut bytes);
        let mut sound = vec![0; bytes.len()];
        Law::A.decode_into(&bytes, &mut sound);
        assert_eq!(keys(8_000, &mixed(&sound, &noise(8_000, 3_000, -33.0, 7))), "0123456789*#");
    }

    #[test]
    fn the_limits_of_the_standard_hold() {
        let gap = vec![0; 400];
        for shift in [0, 31, 77, 101] {
            let at = |sound: Vec<i16>| keys(8_000, &[vec![0; 160 + shift], sound, gap.clone()].concat());
            for pressed in KEYPAD {
                let expected = pressed.to_string();
                // 40 ms are a key, 20 are none.
                assert_eq!(at(key(pressed, 40, 0.2, 0.2, 1.0)), expected);
                assert_eq!(at(key(pressed, 20, 0.2, 0.2, 1.0)), "");
                // 1.5 % off the frequency is a key.
                assert_eq!(at(key(pressed, 60, 0.2, 0.2, 1.015)), expected);
                assert_eq!(at(key(pressed, 60, 0.2, 0.2, 0.985)), expected);
                // Twist: the high tone 3.5 dB louder or 7 dB quieter; not 10 dB either way.
                assert_eq!(at(key(pressed, 60, 0.2, 0.3, 1.0)), expected);
                assert_eq!(at(key(pressed, 60, 0.2, 0.09, 1.0)), expected);
                assert_eq!(at(key(pressed, 60, 0.1, 0.32, 1.0)), "");
                assert_eq!(at(key(pressed, 60, 0.32, 0.09, 1.0)), "");
                // 30 dB below the loudest.
                assert_eq!(at(key(pressed, 60, 0.015, 0.015, 1.0)), expected);
            }
        }
    }

    #[test]
    fn a_long_press_is_one_and_a_gap_of_a_click_does_not_make_two() {
        let mut sound = key('5', 1_000, 0.2, 0.2, 1.0);
        assert_eq!(keys(8_000, &sound), "5");
        sound[4_000..4_040].fill(0);
        assert_eq!(keys(8_000, &sound), "5");
    }

    #[test]
    fn speech_is_no_key() {
        for sound in [speech(), other_speech()] {
            for rate in [8_000, 16_000] {
                let mut resampled = Vec::new();
                crate::audio::resample::Resampler::new(8_000, rate).push(&sound, &mut resampled);
                // In all phases of the blocks.
                for shift in (0..102).step_by(6) {
                    assert_eq!(keys(rate, &resampled[shift..]), "");
                }
            }
        }
        assert_eq!(keys(8_000, &noise(8_000, 20_000, -20.0, 3)), "");
        for hertz in (300..3_400).step_by(50) {
            assert_eq!(keys(8_000, &tone(hertz as f32, 8_000, 200, 0.3)), "", "{hertz}");
        }
    }

    #[test]
    fn a_key_is_heard_while_somebody_talks_quietly() {
        let voice: Vec<i16> = speech().iter().map(|sample| sample / 16).collect();
        assert_eq!(keys(8_000, &mixed(&dialed(8_000, "42#"), &voice)), "42#");
    }
}
