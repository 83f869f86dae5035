//! Tones through the resampler: they keep their pitch, level and time, and nothing else appears.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::f64::consts::TAU;

use super::*;

fn tone(rate: u32, hz: f64, ms: u32) -> Bytes {
    let samples = rate * ms / 1_000;
    (0..samples)
        .flat_map(|n| ((10_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16).to_le_bytes())
        .collect()
}

fn samples(pcm: &[u8]) -> Vec<f64> {
    pcm.as_chunks::<2>().0.iter().map(|s| f64::from(i16::from_le_bytes(*s))).collect()
}

fn convert(from: u32, to: u32, pcm: Bytes, piece: usize) -> Vec<u8> {
    let mut resampler = Resampler::new(from, to);
    let mut out = Vec::new();
    for piece in pcm.chunks(piece) {
        out.extend_from_slice(&resampler.push(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&resampler.finish());
    out
}

/// Decibels of what is wanted over what is wrong, away from both ends.
fn purity(got: &[f64], wanted: &[f64]) -> f64 {
    let inner = 200..got.len().min(wanted.len()) - 200;
    let power: f64 = inner.clone().map(|n| wanted[n].powi(2)).sum();
    let error: f64 = inner.map(|n| (got[n] - wanted[n]).powi(2)).sum();
    10.0 * (power / error).log10()
}

const PAIRS: [(u32, u32); 8] = [
    (24_000, 8_000),
    (24_000, 16_000),
    (16_000, 24_000),
    (8_000, 24_000),
    (8_000, 16_000),
    (48_000, 16_000),
    (22_050, 16_000),
    (16_000, 22_050),
];

#[test]
fn a_tone_keeps_pitch_level_and_time() {
    for (from, to) in PAIRS {
        let got = samples(&convert(from, to, tone(from, 1_000.0, 500), 640));
        let wanted = samples(&tone(to, 1_000.0, 500));
        assert!(got.len().abs_diff(wanted.len()) <= 1, "{from} to {to}: {} of {}", got.len(), wanted.len());
        let purity = purity(&got, &wanted);
        assert!(purity > 60.0, "{from} to {to}: {purity} dB");
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_not_heard() {
    for (from, to, hz) in [(24_000, 8_000, 5_000.0), (24_000, 16_000, 9_500.0), (48_000, 16_000, 10_000.0)] {
        let got = samples(&convert(from, to, tone(from, hz, 500), 640));
        let loudest = got[200..got.len() - 200].iter().fold(0.0_f64, |max, s| max.max(s.abs()));
        assert!(loudest < 10.0, "{from} to {to}: {loudest}");
    }
}

#[test]
fn it_does_not_matter_how_the_stream_is_cut() {
    let pcm = tone(24_000, 700.0, 100);
    for (from, to) in PAIRS {
        let whole = convert(from, to, pcm.clone(), pcm.len());
        for piece in [2, 34, 640] {
            assert_eq!(convert(from, to, pcm.clone(), piece), whole, "{from} to {to} in pieces of {piece}");
        }
    }
}

#[test]
fn loud_sound_is_clipped_and_not_wrapped() {
    let square: Bytes = (0..4_800_u32)
        .flat_map(|n| (if n / 24 % 2 == 0 { i16::MAX } else { i16::MIN }).to_le_bytes())
        .collect();
    let got = samples(&convert(24_000, 16_000, square, 640));
    assert!(got[100..got.len() - 100].windows(2).all(|w| (w[0] - w[1]).abs() < 60_000.0));
}

#[test]
fn equal_rates_pass_without_copying_and_streams_do_not_mix() {
    let pcm = tone(16_000, 500.0, 40);
    let mut same = Resampler::new(16_000, 16_000);
    assert_eq!(same.push(pcm.clone()).as_ptr(), pcm.as_ptr());
    assert!(same.finish().is_empty());
    let mut resampler = Resampler::new(24_000, 16_000);
    let mut take = || [resampler.push(pcm.clone()), resampler.finish()].concat();
    assert_eq!(take(), take());
    assert!(Resampler::new(24_000, 8_000).finish().iter().all(|b| *b == 0));
}
