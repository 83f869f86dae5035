//! The beep after which a voicemail records: one tone of 400 to 2,000 Hz for 200 ms and more.
//!
//! Nothing else on a line is a single steady tone for so long: speech moves, rings and busy tones
//! of most countries are two tones. What means the beep in a call (after a greeting, once) is not
//! decided here; where a busy tone is a single one, it comes again and again.

use std::f32::consts::TAU;

use super::Frame;
use super::goertzel::Bank;
use super::level::power;

/// A beep that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beep {
    /// Its frequency.
    pub hertz: f32,
    /// How long it was, to 20 ms.
    pub duration_ms: u32,
}

/// Listens for beeps in one stream of sound.
pub struct Detector {
    rate: u32,
    tone: Option<Tone>,
}

struct Tone {
    hertz: f32,
    frames: u32,
    /// Frames in a row that were not of it.
    misses: u32,
}

/// Shorter tones are keys, clicks and vowels. 200 ms hold at least nine whole frames.
const SHORTEST_FRAMES: u32 = 9;

/// What is quieter than 45 dB below full scale is not looked at.
const QUIETEST: f32 = 3e-5;

/// What the tone has of everything in a frame.
const SHARE: f32 = 0.85;

/// How far its frequency may move from frame to frame: a hundredth and a half.
const STEADY: f32 = 0.015;

impl Detector {
    /// For sound of this rate.
    pub fn new(rate: u32) -> Self {
        Self { rate, tone: None }
    }

    /// Milliseconds for which a beep sounds now, when it has sounded long enough to be one.
    pub fn sounding_ms(&self) -> Option<u32> {
        self.tone.as_ref().filter(|tone| tone.frames >= SHORTEST_FRAMES).map(|tone| tone.frames * 20)
    }

    /// The next frame; answers the beep that has ended: now is the time to speak.
    pub fn push(&mut self, frame: &Frame) -> Option<Beep> {
        let heard = self.tone_of(frame.samples());
        match (&mut self.tone, heard) {
            (Some(tone), Some(hertz)) if (hertz - tone.hertz).abs() <= STEADY * tone.hertz => {
                tone.frames += 1 + std::mem::take(&mut tone.misses);
                None
            }
            // One frame of something else is a click of the network.
            (Some(tone), _) if tone.misses == 0 => {
                tone.misses = 1;
                None
            }
            (tone, heard) => {
                let ended = tone.take();
                *tone = heard.map(|hertz| Tone { hertz, frames: 1, misses: 0 });
                ended
                    .filter(|tone| tone.frames >= SHORTEST_FRAMES)
                    .map(|tone| Beep { hertz: tone.hertz, duration_ms: tone.frames * 20 })
            }
        }
    }

    /// The frequency of the one tone that the frame is.
    fn tone_of(&self, samples: &[i16]) -> Option<f32> {
        if power(samples) < QUIETEST {
            return None;
        }
        // A sine is told by its neighbours: x[n-1] + x[n+1] = 2 cos(w) x[n]. Neighbours at 8 kHz.
        let stride = (self.rate as usize / 8_000).max(1);
        let (mut product, mut square) = (0.0, 0.0);
        for ((a, b), c) in
            samples.iter().zip(samples.iter().skip(stride)).zip(samples.iter().skip(2 * stride))
        {
            let (a, b, c) = (f32::from(*a), f32::from(*b), f32::from(*c));
            product += (a + c) * b;
            square += 2.0 * b * b;
        }
        if square <= 0.0 {
            return None;
        }
        let hertz = (product / square).clamp(-1.0, 1.0).acos() / TAU * self.rate as f32 / stride as f32;
        if !(390.0..=2_050.0).contains(&hertz) {
            return None;
        }
        let mut bank = Bank::new([hertz], self.rate);
        bank.push(samples);
        let [at] = bank.powers();
        (at >= SHARE * bank.power()).then_some(hertz)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::dtmf::Dialer;
    use super::super::signals::{noise, other_speech, speech, tone, tones};
    use super::*;

    fn beeps(rate: u32, sound: &[i16]) -> Vec<Beep> {
        let mut detector = Detector::new(rate);
        let mut frame = Frame::default();
        let silence = vec![0; rate as usize / 10];
        [sound, &silence]
            .concat()
            .chunks_exact(rate as usize / 50)
            .filter_map(|samples| {
                frame.copy_from(samples);
                detector.push(&frame)
            })
            .collect()
    }

    #[test]
    fn a_beep_after_a_greeting_is_told_when_it_ends() {
        for hertz in [400.0, 440.0, 1_000.0, 1_400.0, 2_000.0] {
            for ms in [200, 500, 1_200] {
                for (rate, speech) in [(8_000, speech()), (16_000, Vec::new()), (48_000, Vec::new())] {
                    let beep = tone(hertz, rate, ms, 0.2);
                    let sound = [speech, vec![0; rate as usize / 50 * 9], beep].concat();
                    let line = noise(rate, sound.len() as u32 * 1_000 / rate + 1, -50.0, 3);
                    let sound: Vec<i16> = sound.iter().zip(line).map(|(a, b)| a.saturating_add(b)).collect();
                    let beeps = beeps(rate, &sound);
                    assert_eq!(beeps.len(), 1, "{hertz} Hz {ms} ms {rate}");
                    assert!((beeps[0].hertz - hertz).abs() < 0.01 * hertz, "{beeps:?}");
                    assert!(beeps[0].duration_ms.abs_diff(ms) <= 20, "{beeps:?}");
                }
            }
        }
    }

    #[test]
    fn it_is_known_while_it_sounds() {
        let mut detector = Detector::new(8_000);
        let mut frame = Frame::default();
        frame.copy_from(&tone(1_000.0, 8_000, 20, 0.2));
        let sounding: Vec<Option<u32>> = (0..12)
            .map(|_| {
                assert_eq!(detector.push(&frame), None);
                detector.sounding_ms()
            })
            .collect();
        assert_eq!(sounding[7..], [None, Some(180), Some(200), Some(220), Some(240)]);
    }

    #[test]
    fn speech_noise_keys_rings_and_short_tones_are_no_beep() {
        assert_eq!(beeps(8_000, &speech()), []);
        assert_eq!(beeps(8_000, &other_speech()), []);
        assert_eq!(beeps(8_000, &noise(8_000, 5_000, -20.0, 1)), []);
        assert_eq!(beeps(8_000, &tone(1_000.0, 8_000, 140, 0.2)), []);
        assert_eq!(beeps(8_000, &tone(300.0, 8_000, 1_000, 0.2)), []);
        assert_eq!(beeps(8_000, &tones(&[440.0, 480.0], 8_000, 2_000, 0.2)), [], "the ring of North America");
        assert_eq!(beeps(8_000, &tones(&[480.0, 620.0], 8_000, 500, 0.2)), [], "busy");
        let mut dialer = Dialer::new(8_000);
        dialer.press("0123456789");
        let mut frame = Frame::default();
        let mut keys = Vec::new();
        while dialer.fill(&mut frame) {
            keys.extend_from_slice(frame.samples());
        }
        assert_eq!(beeps(8_000, &keys), []);
        let sweep: Vec<i16> = (0..8_000u32)
            .map(|n| ((n as f32).powi(2) / 8_000.0 * 0.8).sin() * 8_000.0)
            .map(|x| x as i16)
            .collect();
        assert_eq!(beeps(8_000, &sweep), []);
    }
}
