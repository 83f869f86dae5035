//! Sounds for tests: tones, noise, and something with the pace and the bands of speech.

use std::f32::consts::TAU;

pub(crate) use super::random::Random;

/// A sine; `level` is its peak, 1 at full scale.
pub(crate) fn tone(hertz: f32, rate: u32, ms: u32, level: f32) -> Vec<i16> {
    tones(&[hertz], rate, ms, level)
}

/// Several sines at once, each of this peak.
pub(crate) fn tones(hertz: &[f32], rate: u32, ms: u32, level: f32) -> Vec<i16> {
    (0..rate * ms / 1_000)
        .map(|n| {
            let sum: f32 = hertz.iter().map(|hertz| (TAU * hertz * n as f32 / rate as f32).sin()).sum();
            (sum * level * 32_767.0) as i16
        })
        .collect()
}

/// White noise of this mean level.
pub(crate) fn noise(rate: u32, ms: u32, db: f32, seed: u32) -> Vec<i16> {
    let mut random = Random(seed | 1);
    let amplitude = 10f32.powf(db / 20.0) * 32_768.0 * 3f32.sqrt();
    (0..rate * ms / 1_000).map(|_| (random.next() * amplitude) as i16).collect()
}

/// Speech of an American English voice, 8 kHz: see `fixtures/README.md`.
pub(crate) fn speech() -> Vec<i16> {
    read(include_bytes!("../../fixtures/caller.ulaw"))
}

/// Other words by another voice.
pub(crate) fn other_speech() -> Vec<i16> {
    read(include_bytes!("../../fixtures/agent.ulaw"))
}

fn read(bytes: &[u8]) -> Vec<i16> {
    let mut samples = vec![0; bytes.len()];
    super::g711::Law::Mu.decode_into(bytes, &mut samples);
    samples
}
