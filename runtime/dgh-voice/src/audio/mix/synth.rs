//! What rooms are made of: noise, ticks, bells, and voices nobody understands.
//!
//! Everything is laid into a ring, so that what sounds over the end goes on at the beginning.

use std::f32::consts::TAU;

use crate::audio::random::Random;

/// The rate at which sounds are made: nothing here is above 8 kHz, and a telephone has half of it.
pub(super) const RATE: u32 = 16_000;

/// Ten seconds.
pub(super) const LENGTH: usize = 10 * RATE as usize;

/// Laps of the noise that join its end to its beginning: half a second.
const LAP: usize = RATE as usize / 2;

/// A sound that is being made.
pub(super) struct Ring {
    samples: Vec<f32>,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self { samples: vec![0.0; LENGTH] }
    }

    /// Lays a sound over what is there, from this time on.
    pub(super) fn lay(&mut self, seconds: f32, sound: impl Iterator<Item = f32>) {
        let start = (seconds * RATE as f32) as usize % LENGTH;
        for (n, value) in sound.enumerate() {
            if let Some(sample) = self.samples.get_mut((start + n) % LENGTH) {
                *sample += value;
            }
        }
    }

    /// Lays a sound that has no beginning under everything: its end is blended into its start.
    pub(super) fn spread(&mut self, mut sound: impl FnMut() -> f32) {
        let sound: Vec<f32> = (0..LENGTH + LAP).map(|_| sound()).collect();
        for (n, (sample, value)) in self.samples.iter_mut().zip(&sound).enumerate() {
            // Of equal power: two different noises are blended.
            let weight = (n as f32 / LAP as f32).min(1.0);
            let over = if n < LAP { sound.get(LENGTH + n).copied().unwrap_or(0.0) } else { 0.0 };
            *sample += value * weight.sqrt() + over * (1.0 - weight).sqrt();
        }
    }

    /// The echo of a room over everything: four reflections of lengths that have no common measure.
    pub(super) fn reverberate(&mut self, share: f32) {
        let dry = self.samples.clone();
        for (delay, gain) in [(467, 0.7), (811, 0.55), (1_283, 0.4), (2_069, 0.28)] {
            for (n, value) in dry.iter().enumerate() {
                if let Some(sample) = self.samples.get_mut((n + delay) % LENGTH) {
                    *sample += value * gain * share;
                }
            }
        }
    }

    /// In 16 bits, at −26 dBFS, the rare peaks bent instead of cut.
    pub(super) fn finish(self) -> Vec<i16> {
        let power = self.samples.iter().map(|sample| sample * sample).sum::<f32>() / LENGTH as f32;
        let gain = 0.05 / power.sqrt().max(1e-9);
        self.samples.iter().map(|sample| ((sample * gain * 1.6).tanh() / 1.6 * 32_767.0) as i16).collect()
    }
}

/// A filter of one pole: what is below this frequency.
pub(super) fn low_pass(hertz: f32) -> impl FnMut(f32) -> f32 {
    let share = 1.0 - (-TAU * hertz / RATE as f32).exp();
    let mut last = 0.0;
    move |sample| {
        last += share * (sample - last);
        last
    }
}

/// What is above it.
pub(super) fn high_pass(hertz: f32) -> impl FnMut(f32) -> f32 {
    let mut low = low_pass(hertz);
    move |sample| sample - low(sample)
}

/// A resonance of two poles.
fn resonance(hertz: f32, width: f32) -> impl FnMut(f32) -> f32 {
    let radius = (-std::f32::consts::PI * width / RATE as f32).exp();
    let turn = 2.0 * radius * (TAU * hertz / RATE as f32).cos();
    let (mut last, mut before) = (0.0, 0.0);
    move |sample| {
        let next = (1.0 - radius) * sample + turn * last - radius * radius * before;
        before = last;
        last = next;
        next
    }
}

/// A tone that is struck and fades: a cup, a bell, a note.
pub(super) fn struck(hertz: f32, fade: f32, level: f32) -> impl Iterator<Item = f32> {
    let length = (fade * 5.0 * RATE as f32) as usize;
    (0..length).map(move |n| {
        let time = n as f32 / RATE as f32;
        let attack = (time / 0.002).min(1.0);
        level * attack * (-time / fade).exp() * (TAU * hertz * time).sin()
    })
}

/// A key of a keyboard.
pub(super) fn tick(random: &mut Random, level: f32) -> impl Iterator<Item = f32> + use<> {
    let mut noise = Random((random.between(1.0, 1e6) as u32) | 1);
    let mut body = resonance(random.between(1_400.0, 2_600.0), 700.0);
    (0..400).map(move |n| level * body(noise.next() * 6.0) * (-(n as f32) / 60.0).exp())
}

/// A telephone on a far desk: two tones that take turns.
pub(super) fn ringing(level: f32) -> impl Iterator<Item = f32> {
    let mut far = low_pass(1_500.0);
    (0..RATE as usize * 3 / 2).map(move |n| {
        let time = n as f32 / RATE as f32;
        let hertz = if (time * 7.0).fract() < 0.5 { 880.0 } else { 1_109.0 };
        let swell = (time / 0.05).min((1.5 - time) / 0.3).clamp(0.0, 1.0);
        level * swell * far((TAU * hertz * time).sin() + 0.3 * (TAU * 2.0 * hertz * time).sin())
    })
}

/// Somebody who talks all the time, too far away to be understood: pulses of a voice through three
/// resonances that wander from vowel to vowel, in syllables, words and breaths.
pub(super) fn lay_voice(ring: &mut Ring, random: &mut Random, pitch: f32, distance_hertz: f32, level: f32) {
    /// The first three resonances of vowels (G. Peterson and H. Barney, 1952).
    const VOWELS: [[f32; 3]; 6] = [
        [730.0, 1_090.0, 2_440.0],
        [530.0, 1_840.0, 2_480.0],
        [270.0, 2_290.0, 3_010.0],
        [570.0, 840.0, 2_410.0],
        [300.0, 870.0, 2_240.0],
        [490.0, 1_350.0, 1_690.0],
    ];
    let seconds = LENGTH as f32 / RATE as f32;
    let mut time = random.between(0.0, 1.5);
    while time < seconds - 0.4 {
        let phrase_end = time + random.between(1.0, 2.6);
        let melody = random.between(0.9, 1.15);
        while time < phrase_end {
            let length = random.between(0.11, 0.26);
            let vowel = VOWELS.get((random.between(0.0, 5.99)) as usize).copied().unwrap_or_default();
            let hertz = pitch * melody * random.between(0.94, 1.07);
            let loudness = level * random.between(0.5, 1.0);
            ring.lay(time, syllable(random, hertz, vowel, length, distance_hertz, loudness));
            time += length * random.between(0.85, 1.25);
        }
        time += random.between(0.3, 1.6);
    }
}

fn syllable(
    random: &mut Random,
    hertz: f32,
    vowel: [f32; 3],
    length: f32,
    distance_hertz: f32,
    level: f32,
) -> impl Iterator<Item = f32> + use<> {
    let mut breath = Random((random.between(1.0, 1e6) as u32) | 1);
    let hiss = if random.next() > 0.4 { 0.5 } else { 0.05 };
    let [first, second, third] = vowel;
    let mut formants = (resonance(first, 90.0), resonance(second, 130.0), resonance(third, 220.0));
    let mut far = low_pass(distance_hertz);
    let mut farther = low_pass(distance_hertz * 1.6);
    let mut phase = 0.0f32;
    (0..(length * RATE as f32) as usize).map(move |n| {
        let place = n as f32 / RATE as f32 / length;
        phase += hertz * (1.06 - 0.12 * place) / RATE as f32;
        let pulse = if phase >= 1.0 { 8.0 } else { 0.0 };
        phase = phase.fract();
        // A consonant, then the vowel.
        let consonant = (1.0 - place * 5.0).max(0.0);
        let source = pulse * (1.0 - consonant) + breath.next() * (hiss * consonant + 0.04);
        let voice = formants.0(source) * 1.6
            + formants.1(source)
            + formants.2(source) * 0.5
            + source * consonant * 0.15;
        let swell = (place * TAU / 2.0).sin().max(0.0);
        farther(far(voice)) * swell * level
    })
}
