//! Keys as tones, for a line that takes no key events.

use std::collections::VecDeque;
use std::f32::consts::TAU;

use super::frequencies;
use crate::audio::Frame;

/// Presses keys one after another as sound.
pub struct Dialer {
    rate: u32,
    queue: VecDeque<Press>,
    /// Samples into the first of the queue.
    at: u32,
}

struct Press {
    /// None: a pause.
    tones: Option<(f32, f32)>,
    sound: u32,
    silence: u32,
}

/// Q.24 asks receivers for 40 ms of each; networks that transcode like more.
const TONE_MS: u32 = 100;
const GAP_MS: u32 = 80;

/// What `w` waits.
const PAUSE_MS: u32 = 500;

/// Peaks of the low and the high tone: −12 and −10 dBFS, together as loud as speech; the high one
/// is 2 dB louder, because lines take more from it (Q.23, Q.24).
const LOW: f32 = 0.25;
const HIGH: f32 = 0.315;

/// Tones come and go within this, or else every press is a click over all frequencies.
const RAMP_MS: u32 = 3;

impl Dialer {
    /// For frames of this rate.
    pub fn new(rate: u32) -> Self {
        Self { rate, queue: VecDeque::new(), at: 0 }
    }

    /// Keys to be pressed after those that still are: `0-9`, `*`, `#`, `A-D`, and `w` for half a
    /// second of waiting. Answers what is none of them.
    pub fn press(&mut self, keys: &str) -> Option<char> {
        let samples = |ms| self.rate * ms / 1_000;
        let mut unknown = None;
        for key in keys.chars() {
            let press = match (key, frequencies(key)) {
                ('w' | 'W', _) => Press { tones: None, sound: 0, silence: samples(PAUSE_MS) },
                (_, tones @ Some(_)) => Press { tones, sound: samples(TONE_MS), silence: samples(GAP_MS) },
                (other, None) => {
                    unknown = unknown.or(Some(other));
                    continue;
                }
            };
            self.queue.push_back(press);
        }
        unknown
    }

    /// Whether there is nothing to press.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Forgets what was not pressed.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.at = 0;
    }

    /// The next 20 ms, and whether there were any; silence when not.
    pub fn fill(&mut self, frame: &mut Frame) -> bool {
        frame.silence(self.rate);
        if self.is_idle() {
            return false;
        }
        for sample in frame.samples_mut() {
            let Some(press) = self.queue.front() else { break };
            if let Some(tones) = press.tones
                && self.at < press.sound
            {
                *sample = sound(tones, self.at, press.sound, self.rate);
            }
            self.at += 1;
            if self.at >= press.sound + press.silence {
                self.at = 0;
                self.queue.pop_front();
            }
        }
        true
    }
}

fn sound((low, high): (f32, f32), at: u32, length: u32, rate: u32) -> i16 {
    let ramp = (rate * RAMP_MS / 1_000).max(1);
    let loudness = (at.min(length - at).min(ramp) as f32) / ramp as f32;
    let sine = |hertz: f32| (TAU * hertz * at as f32 / rate as f32).sin();
    (loudness * (LOW * sine(low) + HIGH * sine(high)) * 32_767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level::level_db;

    #[test]
    fn a_key_is_a_hundred_milliseconds_and_a_pause() {
        let mut dialer = Dialer::new(8_000);
        assert_eq!(dialer.press("1w"), None);
        let mut frame = Frame::default();
        let mut sounding = Vec::new();
        while dialer.fill(&mut frame) {
            sounding.push(level_db(frame.samples()) > -30.0);
        }
        assert_eq!(sounding.len(), (100 + 80 + 500) / 20);
        assert!(sounding.iter().take(5).all(|sounds| *sounds));
        assert!(!sounding.iter().skip(5).any(|sounds| *sounds));
        assert!(dialer.is_idle());
        assert_eq!(frame.samples().len(), 160);
    }

    #[test]
    fn what_is_no_key_is_told_and_left_out() {
        let mut dialer = Dialer::new(8_000);
        assert_eq!(dialer.press("1 x#"), Some(' '));
        assert_eq!(dialer.queue.len(), 2);
        dialer.clear();
        assert!(dialer.is_idle());
    }
}
