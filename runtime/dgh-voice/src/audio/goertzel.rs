//! How much of a sound is at a few frequencies (G. Goertzel, 1958): a Fourier transform of as many
//! bins as are asked for.

use std::f32::consts::TAU;

/// Filters at some frequencies, run side by side.
pub(crate) struct Bank<const N: usize> {
    coefficients: [f32; N],
    /// The last state of each and the one before.
    last: [f32; N],
    before: [f32; N],
    energy: f32,
    samples: usize,
}

impl<const N: usize> Bank<N> {
    pub(crate) fn new(hertz: [f32; N], rate: u32) -> Self {
        Self {
            coefficients: hertz.map(|hertz| 2.0 * (TAU * hertz / rate as f32).cos()),
            last: [0.0; N],
            before: [0.0; N],
            energy: 0.0,
            samples: 0,
        }
    }

    pub(crate) fn push(&mut self, samples: &[i16]) {
        for sample in samples {
            let sample = f32::from(*sample) / 32_768.0;
            self.energy += sample * sample;
            let states = self.last.iter_mut().zip(&mut self.before);
            for ((last, before), coefficient) in states.zip(&self.coefficients) {
                let next = sample + coefficient * *last - *before;
                *before = *last;
                *last = next;
            }
        }
        self.samples += samples.len();
    }

    /// The power at each frequency, 1 for a sine at full scale squared: a sine alone has all of
    /// [`Bank::power`] at its frequency.
    pub(crate) fn powers(&self) -> [f32; N] {
        let scale = 2.0 / (self.samples.max(1) as f32).powi(2);
        let mut powers = [0.0; N];
        let states = self.last.iter().zip(&self.before).zip(&self.coefficients);
        for (power, ((last, before), coefficient)) in powers.iter_mut().zip(states) {
            *power = (last * last + before * before - coefficient * last * before) * scale;
        }
        powers
    }

    /// The mean square of everything.
    pub(crate) fn power(&self) -> f32 {
        self.energy / self.samples.max(1) as f32
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    pub(crate) fn reset(&mut self) {
        self.last = [0.0; N];
        self.before = [0.0; N];
        self.energy = 0.0;
        self.samples = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::super::signals::tone;
    use super::*;

    #[test]
    fn a_sine_is_at_its_frequency_and_nowhere_else() {
        let mut bank = Bank::new([500.0, 1_000.0, 1_500.0], 8_000);
        bank.push(&tone(1_000.0, 8_000, 20, 0.5));
        let powers = bank.powers();
        assert!((powers[1] / bank.power() - 1.0).abs() < 0.01);
        assert!(powers[0] < bank.power() / 1_000.0 && powers[2] < bank.power() / 1_000.0);
        bank.reset();
        assert!(bank.power().abs() < f32::EPSILON);
    }
}
