//! The recipes.

use std::f32::consts::TAU;

use super::Ambience;
use super::synth::{LENGTH, RATE, Ring, high_pass, lay_voice, low_pass, ringing, struck, tick};
use crate::audio::random::Random;

/// Ten seconds of a room.
pub(super) fn room(room: Ambience) -> Vec<i16> {
    let mut ring = Ring::new();
    match room {
        Ambience::Office => office(&mut ring),
        Ambience::CallCenter => call_center(&mut ring),
        Ambience::Cafe => cafe(&mut ring),
        Ambience::Street => street(&mut ring),
    }
    ring.finish()
}

/// Ten seconds of slow broken chords, two and a half each: C, A minor, F, G.
pub(super) fn hold() -> Vec<i16> {
    const CHORDS: [[f32; 4]; 4] = [
        [261.63, 329.63, 392.0, 523.25],
        [220.0, 329.63, 440.0, 523.25],
        [174.61, 261.63, 349.23, 440.0],
        [196.0, 293.66, 392.0, 493.88],
    ];
    let mut ring = Ring::new();
    for (bar, chord) in CHORDS.into_iter().enumerate() {
        for (step, note) in [0usize, 1, 2, 3, 2, 1].into_iter().enumerate() {
            let at = bar as f32 * 2.5 + step as f32 * 2.5 / 6.0;
            let hertz = chord.get(note).copied().unwrap_or_default();
            ring.lay(at, struck(hertz, 0.55, 0.5));
            ring.lay(at, struck(hertz * 2.0, 0.3, 0.14));
            ring.lay(at, struck(hertz * 3.0, 0.15, 0.05));
        }
    }
    ring.reverberate(0.3);
    ring.finish()
}

fn office(ring: &mut Ring) {
    let random = &mut Random(0x0ff1_ce01);
    lay_voice(ring, random, 118.0, 700.0, 0.045);
    lay_voice(ring, random, 196.0, 700.0, 0.04);
    for (start, keys) in [(0.6, 14), (3.9, 22), (7.8, 12)] {
        lay_typing(ring, random, start, keys, 0.05);
    }
    ring.lay(5.2, ringing(0.012));
    ring.reverberate(0.5);
    lay_air(ring, random, 0.028);
}

fn call_center(ring: &mut Ring) {
    let random = &mut Random(0xca11_5eed);
    for (pitch, distance, level) in [
        (112.0, 1_400.0, 0.1),
        (205.0, 1_500.0, 0.09),
        (131.0, 900.0, 0.08),
        (188.0, 900.0, 0.08),
        (99.0, 700.0, 0.08),
        (221.0, 700.0, 0.07),
    ] {
        lay_voice(ring, random, pitch, distance, level);
    }
    for (start, keys) in [(0.2, 20), (2.4, 16), (4.8, 26), (8.1, 14)] {
        lay_typing(ring, random, start, keys, 0.05);
    }
    ring.lay(1.7, ringing(0.014));
    ring.lay(7.1, ringing(0.008));
    ring.reverberate(0.4);
    lay_air(ring, random, 0.015);
}

fn cafe(ring: &mut Ring) {
    let random = &mut Random(0x00ca_fe07);
    for (pitch, distance, level) in [
        (108.0, 1_200.0, 0.11),
        (214.0, 1_300.0, 0.11),
        (140.0, 1_000.0, 0.1),
        (176.0, 900.0, 0.1),
        (233.0, 800.0, 0.08),
        (96.0, 800.0, 0.09),
        (160.0, 700.0, 0.09),
    ] {
        lay_voice(ring, random, pitch, distance, level);
    }
    // Cups and spoons: tones that are no multiples of each other.
    let mut time = 0.3;
    while time < 9.8 {
        let hertz = random.between(1_900.0, 3_600.0);
        let level = random.between(0.01, 0.035);
        for (ratio, share) in [(1.0, 1.0), (1.53, 0.6), (2.28, 0.35)] {
            ring.lay(time, struck(hertz * ratio, 0.05, level * share));
        }
        time += random.between(0.25, 1.7);
    }
    // The machine: steam.
    let mut noise = Random(0x57ea_0001);
    let (mut above, mut below) = (high_pass(1_800.0), low_pass(5_000.0));
    let length = RATE as usize * 2;
    ring.lay(
        6.0,
        (0..length).map(|n| {
            let place = n as f32 / length as f32;
            below(above(noise.next())) * 0.03 * (place * TAU / 2.0).sin().powi(2)
        }),
    );
    ring.reverberate(0.6);
    lay_air(ring, random, 0.012);
}

fn street(ring: &mut Ring) {
    let random = &mut Random(0x0057_2ee7);
    // The town far away.
    let mut noise = Random(0xd157_a0c3);
    let (mut low, mut lower) = (low_pass(260.0), low_pass(700.0));
    ring.spread(move || lower(low(noise.next())) * 0.5);
    let mut noise = Random(0x1e55_0f17);
    let (mut below, mut above) = (low_pass(2_500.0), high_pass(400.0));
    ring.spread(move || above(below(noise.next())) * 0.02);
    // Cars go by: the noise of tyres swells and sinks, with the engine under it.
    for (start, seconds, level) in [(0.2, 4.0, 0.2), (3.1, 3.2, 0.28), (5.4, 4.4, 0.18), (8.3, 3.4, 0.24)] {
        let mut noise = Random((random.between(1.0, 1e6) as u32) | 1);
        let (mut below, mut above) = (low_pass(900.0), high_pass(120.0));
        let engine = random.between(48.0, 75.0);
        let length = (seconds * RATE as f32) as usize;
        ring.lay(
            start,
            (0..length).map(|n| {
                let place = n as f32 / length as f32;
                let swell = (place * TAU / 2.0).sin().powi(3);
                // What goes away sounds lower.
                let turn = TAU * engine * (n as f32 / RATE as f32) * (1.03 - 0.06 * place);
                let hum = turn.sin() * 0.25 + (2.0 * turn).sin() * 0.18 + (3.0 * turn).sin() * 0.08;
                (above(below(noise.next())) + hum * 0.35) * swell * level
            }),
        );
    }
    // A far horn.
    for hertz in [392.0, 494.0] {
        let mut far = low_pass(900.0);
        ring.lay(
            6.9,
            (0..RATE as usize / 2).map(|n| {
                let place = n as f32 / (RATE as f32 / 2.0);
                let wave = (n as f32 * hertz / RATE as f32).fract() - 0.5;
                far(wave) * 0.03 * (place * 12.0).min((1.0 - place) * 8.0).clamp(0.0, 1.0)
            }),
        );
    }
    ring.reverberate(0.25);
}

/// Somebody types: runs of keys, in words.
fn lay_typing(ring: &mut Ring, random: &mut Random, start: f32, keys: u32, level: f32) {
    let mut time = start;
    for key in 0..keys {
        let level = level * random.between(0.4, 1.0);
        ring.lay(time, tick(random, level));
        time += random.between(0.08, 0.19) + if key % 6 == 5 { 0.22 } else { 0.0 };
    }
}

/// Air conditioning: dark noise, and the hum of its motor, which goes round whole times in the ring.
fn lay_air(ring: &mut Ring, random: &mut Random, level: f32) {
    let mut noise = Random((random.between(1.0, 1e6) as u32) | 1);
    let (mut dark, mut soft) = (low_pass(320.0), low_pass(1_800.0));
    ring.spread(move || {
        let white = noise.next();
        (dark(white) * 3.0 + soft(white) * 0.25) * level
    });
    ring.lay(0.0, (0..LENGTH).map(|n| (TAU * 120.0 * n as f32 / RATE as f32).sin() * level * 0.15));
}
