//! Twenty milliseconds of sound.

/// Most samples of a frame: 48 kHz.
pub const MAX_SAMPLES: usize = 960;

/// Up to 20 ms of 16-bit sound, one channel. Made once per call and filled again and again.
#[derive(Clone)]
pub struct Frame {
    samples: Box<[i16; MAX_SAMPLES]>,
    len: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { samples: Box::new([0; MAX_SAMPLES]), len: 0 }
    }
}

impl Frame {
    /// The samples.
    pub fn samples(&self) -> &[i16] {
        self.samples.get(..self.len).unwrap_or(&[])
    }

    /// The samples, to be changed.
    pub fn samples_mut(&mut self) -> &mut [i16] {
        self.samples.get_mut(..self.len).unwrap_or(&mut [])
    }

    /// So many samples to be filled, at most a full frame of 48 kHz. What they hold is not told.
    pub fn resize(&mut self, samples: usize) -> &mut [i16] {
        self.len = samples.min(MAX_SAMPLES);
        self.samples_mut()
    }

    /// These samples, as many as fit.
    pub fn copy_from(&mut self, samples: &[i16]) {
        let into = self.resize(samples.len());
        for (to, from) in into.iter_mut().zip(samples) {
            *to = *from;
        }
    }

    /// Silence of this rate.
    pub fn silence(&mut self, rate: u32) {
        self.resize(rate as usize / 50).fill(0);
    }
}
