//! Takes noise out of what the caller says, as an option for loud surroundings (RNNoise, J.-M.
//! Valin, 2018).
//!
//! It is the dearest stage there is: more than all others of a call together (the README has the
//! figures), because its network takes 48 kHz only: telephone sound goes up, through, and down
//! again. It adds 10 ms of its own, and 6 ms of resampling at 8 kHz. Recognisers are trained on
//! noisy speech: try without first.

use nnnoiseless::DenoiseState;

use super::resample::Resampler;
use super::{Frame, MAX_SAMPLES};

/// Takes noise out of one stream of sound.
pub struct Denoiser {
    network: Box<DenoiseState<'static>>,
    up: Resampler,
    down: Resampler,
    /// At 48 kHz, before and after.
    noisy: Vec<i16>,
    clean: Vec<i16>,
    input: [f32; DenoiseState::FRAME_SIZE],
    output: [f32; DenoiseState::FRAME_SIZE],
    result: Vec<i16>,
}

/// The only rate of the network.
const NETWORK_RATE: u32 = 48_000;

impl Denoiser {
    /// For sound of this rate.
    pub fn new(rate: u32) -> Self {
        Self {
            network: DenoiseState::new(),
            up: Resampler::new(rate, NETWORK_RATE),
            down: Resampler::new(NETWORK_RATE, rate),
            noisy: Vec::with_capacity(MAX_SAMPLES + DenoiseState::FRAME_SIZE),
            clean: Vec::with_capacity(MAX_SAMPLES + DenoiseState::FRAME_SIZE),
            input: [0.0; DenoiseState::FRAME_SIZE],
            output: [0.0; DenoiseState::FRAME_SIZE],
            result: Vec::with_capacity(MAX_SAMPLES),
        }
    }

    /// How late sound comes out, in microseconds.
    pub fn delay_us(&self) -> u32 {
        10_000 + self.up.delay_us() + self.down.delay_us()
    }

    /// Replaces the frame by what is left of it. Frames of 20 ms keep their length.
    pub fn process(&mut self, frame: &mut Frame) {
        self.up.push(frame.samples(), &mut self.noisy);
        let mut pieces = self.noisy.chunks_exact(DenoiseState::FRAME_SIZE);
        self.clean.clear();
        for piece in &mut pieces {
            for (input, sample) in self.input.iter_mut().zip(piece) {
                *input = f32::from(*sample);
            }
            self.network.process_frame(&mut self.output, &self.input);
            self.clean.extend(self.output.iter().map(|sample| *sample as i16));
        }
        let rest = pieces.remainder().len();
        let used = self.noisy.len() - rest;
        self.noisy.copy_within(used.., 0);
        self.noisy.truncate(rest);
        self.result.clear();
        self.down.push(&self.clean, &mut self.result);
        frame.copy_from(&self.result);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::level::level_db;
    use super::super::signals::{noise, speech};
    use super::*;

    #[test]
    fn noise_goes_and_speech_stays() {
        for rate in [8_000u32, 16_000, 48_000] {
            let hiss = noise(rate, 5_000, -38.0, 5);
            let mut voice = Vec::new();
            Resampler::new(8_000, rate).push(&speech(), &mut voice);
            let start = rate as usize;
            let mut sound = hiss.clone();
            for (sample, voice) in sound[start..].iter_mut().zip(&voice) {
                *sample = sample.saturating_add(*voice);
            }
            let mut denoiser = Denoiser::new(rate);
            let mut frame = Frame::default();
            let mut clean = Vec::new();
            for samples in sound.chunks_exact(rate as usize / 50) {
                frame.copy_from(samples);
                denoiser.process(&mut frame);
                assert_eq!(frame.samples().len(), samples.len());
                clean.extend_from_slice(frame.samples());
            }
            let before = &clean[start / 2..start];
            assert!(level_db(before) < -45.0, "{rate}: {}", level_db(before));
            let during = level_db(&clean[start..]) - level_db(&voice);
            assert!(during.abs() < 3.0, "{rate}: {during}");
        }
    }
}
