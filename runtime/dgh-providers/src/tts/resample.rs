//! From one rate to another, for the rare list of models that have no rate in common.
//!
//! A windowed-sinc filter in phases (Kaiser window), linear in phase: each output sample is a sum
//! over the input samples around it. Its delay is taken out, so that marks keep their time.

use std::f64::consts::PI;

use bytes::{BufMut, Bytes, BytesMut};

/// Input samples on each side of an output sample, at equal rates.
const HALF: u32 = 16;
/// Share of the lower rate's band that passes; the rest is the slope of the filter.
const PASS: f64 = 0.92;
/// Shape of the window: 80 dB of rejection.
const BETA: f64 = 8.0;

/// Changes the rate of 16-bit little-endian PCM. One value is one stream.
#[derive(Debug)]
pub struct Resampler {
    /// Output samples for every `down` input samples.
    up: usize,
    down: usize,
    /// Half the length of the filter, in input samples.
    half: usize,
    /// Filters, one per phase, `2 * half` long.
    phases: Vec<Vec<f32>>,
    /// Input around the next output sample.
    input: Vec<f32>,
    /// The next output sample, in steps of `1 / up` input samples from the start of `input`.
    at: usize,
}

impl Resampler {
    /// From one rate to another. Equal rates pass what comes.
    pub fn new(from: u32, to: u32) -> Self {
        let divisor = common_divisor(from.max(1), to.max(1));
        let (up, down) = (to.max(1) / divisor, from.max(1) / divisor);
        let half = HALF * down.div_ceil(up);
        let phases = if up == down { 0 } else { up };
        let phases = (0..phases).map(|phase| filter(phase, up, down, half)).collect();
        let (up, down, half) = (up as usize, down as usize, half as usize);
        let mut resampler = Self { up, down, half, phases, input: Vec::new(), at: 0 };
        resampler.reset();
        resampler
    }

    /// Begins another stream.
    pub fn reset(&mut self) {
        // Silence before the first sample takes out the delay.
        self.input.clear();
        self.input.resize(self.half - 1, 0.0);
        self.at = 0;
    }

    /// Takes whole samples, answers what can be told.
    pub fn push(&mut self, pcm: Bytes) -> Bytes {
        if self.up == self.down {
            return pcm;
        }
        let (samples, _) = pcm.as_chunks::<2>();
        self.input.extend(samples.iter().map(|sample| f32::from(i16::from_le_bytes(*sample))));
        self.pull()
    }

    /// The stream is over: answers its end, and begins another.
    pub fn finish(&mut self) -> Bytes {
        if self.up == self.down {
            return Bytes::new();
        }
        self.input.resize(self.input.len() + self.half, 0.0);
        let end = self.pull();
        self.reset();
        end
    }

    fn pull(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        loop {
            let (start, phase) = (self.at / self.up, self.at % self.up);
            let (Some(around), Some(filter)) =
                (self.input.get(start..start + 2 * self.half), self.phases.get(phase))
            else {
                break;
            };
            let sum: f32 = around.iter().zip(filter).map(|(sample, weight)| sample * weight).sum();
            out.put_i16_le(sum.round() as i16);
            self.at += self.down;
        }
        let used = (self.at / self.up).min(self.input.len());
        self.input.drain(..used);
        self.at -= used * self.up;
        out.freeze()
    }
}

/// The weights of the input samples around an output sample that is `phase / up` after one of them.
fn filter(phase: u32, up: u32, down: u32, half: u32) -> Vec<f32> {
    let [phase, up, down, reach] = [phase, up, down, half].map(f64::from);
    let cutoff = PASS * (up / down).min(1.0);
    let weight = |n: u32| {
        let x = f64::from(n) - (reach - 1.0) - phase / up;
        let window = (1.0 - (x / reach).powi(2)).max(0.0).sqrt();
        cutoff * sinc(cutoff * x) * bessel(BETA * window) / bessel(BETA)
    };
    let weights: Vec<f64> = (0..2 * half).map(weight).collect();
    // A constant stays what it is in every phase.
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| (w / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The modified Bessel function of the first kind, of order zero.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..=32 {
        term *= (x / (2.0 * f64::from(n))).powi(2);
        sum += term;
    }
    sum
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests;
