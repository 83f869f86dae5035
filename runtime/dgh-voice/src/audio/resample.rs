//! From one sample rate to another, as sound comes in.
//!
//! A polyphase filter: a Kaiser-windowed sinc, cut into as many phases as there are places of an
//! output sample between two input samples, in 14-bit integers. A resampler by Fourier transform
//! works on blocks: it is late by half of one, 10 ms for telephone sound in blocks of a frame, and
//! for 22.05 and 44.1 kHz there are no shorter ones. Here every sample comes out at once, 1 to 3 ms
//! late, and costs about as much. Filters are made once per pair of rates and shared by all calls; a
//! call has a window of two kilobytes.

use std::collections::HashMap;
use std::f64::consts::PI;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::Frame;

/// Resamples one stream of sound.
pub struct Resampler {
    from: u32,
    to: u32,
    /// None: the rates are the same.
    filter: Option<Arc<Filter>>,
    /// The last samples of before, then those that came: as many as the filter is long, and a chunk.
    window: Vec<i16>,
    /// Where in `window` the next output sample begins to look, and which phase of the filter it takes.
    at: usize,
    phase: usize,
}

/// Input that is worked on at once.
const CHUNK: usize = 960;

impl Resampler {
    /// From one rate to another, both from 8,000 to 48,000 samples a second and at most a factor of
    /// 6 apart; what a caller names outside is taken as the nearest.
    pub fn new(from: u32, to: u32) -> Self {
        let (from, to) = (from.clamp(8_000, 48_000), to.clamp(8_000, 48_000));
        let filter = (from != to).then(|| filter(from, to));
        let mut window = Vec::new();
        if let Some(filter) = &filter {
            window.reserve_exact(filter.taps + CHUNK);
            window.resize(filter.taps - 1, 0);
        }
        Self { from, to, filter, window, at: 0, phase: 0 }
    }

    /// The rate it takes.
    pub fn from(&self) -> u32 {
        self.from
    }

    /// The rate it gives.
    pub fn to(&self) -> u32 {
        self.to
    }

    /// How late sound comes out, in microseconds: half the length of the filter.
    pub fn delay_us(&self) -> u32 {
        self.filter
            .as_ref()
            .map_or(0, |filter| (filter.taps as u64 * 1_000_000 / 2 / u64::from(self.from)) as u32)
    }

    /// Resamples as much as came and appends it. What is given out adds up to exactly the ratio of
    /// the rates: 20 ms in are 20 ms out wherever 20 ms are whole samples.
    pub fn push(&mut self, input: &[i16], output: &mut Vec<i16>) {
        let Some(filter) = self.filter.clone() else {
            output.extend_from_slice(input);
            return;
        };
        for chunk in input.chunks(CHUNK) {
            self.take(chunk, &filter, |sample| output.push(sample));
        }
    }

    /// Resamples a frame into another.
    pub fn push_frame(&mut self, input: &Frame, output: &mut Frame) {
        let Some(filter) = self.filter.clone() else {
            output.copy_from(input.samples());
            return;
        };
        let most =
            (input.samples().len() as u64 * u64::from(self.to)).div_ceil(u64::from(self.from)) as usize + 1;
        let mut filled = 0;
        let mut slots = output.resize(most).iter_mut();
        self.take(input.samples(), &filter, |sample| {
            if let Some(slot) = slots.next() {
                *slot = sample;
                filled += 1;
            }
        });
        output.resize(filled);
    }

    /// Forgets what came, as at the start of another sound.
    pub fn reset(&mut self) {
        self.window.clear();
        if let Some(filter) = &self.filter {
            self.window.resize(filter.taps - 1, 0);
        }
        self.at = 0;
        self.phase = 0;
    }

    fn take(&mut self, chunk: &[i16], filter: &Filter, mut put: impl FnMut(i16)) {
        self.window.extend_from_slice(chunk);
        while let Some(window) = self.window.get(self.at..self.at + filter.taps) {
            put(filter.apply(self.phase, window));
            self.at += filter.whole;
            self.phase += filter.part;
            if self.phase >= filter.phases {
                self.phase -= filter.phases;
                self.at += 1;
            }
        }
        // Fewer samples are wanted in between than the window holds, or `at` is past its end.
        let used = self.at.min(self.window.len());
        self.window.copy_within(used.., 0);
        self.window.truncate(self.window.len() - used);
        self.at -= used;
    }
}

/// The filter between two rates.
struct Filter {
    /// Places of an output sample between two input samples.
    phases: usize,
    /// How far one output sample is after another: whole input samples, and places.
    whole: usize,
    part: usize,
    /// Input samples that one output sample is made of.
    taps: usize,
    /// `taps` weights for each phase, 1 is `1 << UNIT`.
    weights: Vec<i16>,
}

/// With 14 bits the sum of products of the loudest sound stays in 32 bits: the compiler makes
/// multiply-and-add instructions of it.
const UNIT: u32 = 14;

/// Length of the filter in samples of the lower rate.
const LENGTH: usize = 48;

/// Where it lets half through, of half the lower rate, and how steep its sides are: sound to 0.85
/// passes, from 1.0 on it is down by 60 dB. A telephone's 3.4 kHz are 0.85 of its 4 kHz.
const CUTOFF: f64 = 0.92;
const KAISER_BETA: f64 = 6.0;

impl Filter {
    fn new(from: u32, to: u32) -> Self {
        let divisor = gcd(from, to);
        let (phases, step) = ((to / divisor) as usize, (from / divisor) as usize);
        // What `dot` takes at a time.
        let taps = (LENGTH as f64 * (f64::from(from) / f64::from(to)).max(1.0)).ceil() as usize;
        let taps = taps.next_multiple_of(16);
        // Cycles per input sample.
        let cutoff = CUTOFF / 2.0 * (f64::from(to) / f64::from(from)).min(1.0);
        let half = taps as f64 / 2.0;
        let mut weights = Vec::with_capacity(phases * taps);
        for phase in 0..phases {
            let offset = phase as f64 / phases as f64;
            let ideal: Vec<f64> = (0..taps)
                .map(|tap| {
                    let distance = tap as f64 + 1.0 - half - offset;
                    2.0 * cutoff * sinc(2.0 * cutoff * distance) * kaiser(distance / half)
                })
                .collect();
            // Every phase lets a constant through unchanged; else their differences are a tone.
            let sum: f64 = ideal.iter().sum();
            let unit = f64::from(1 << UNIT);
            let mut error = 0.0;
            weights.extend(ideal.iter().map(|weight| {
                let exact = weight / sum * unit + error;
                let rounded = exact.round();
                error = exact - rounded;
                rounded as i16
            }));
        }
        Self { phases, whole: step / phases, part: step % phases, taps, weights }
    }

    fn apply(&self, phase: usize, window: &[i16]) -> i16 {
        let start = phase * self.taps;
        let weights = self.weights.get(start..start + self.taps).unwrap_or(&[]);
        let rounded = (dot(window, weights) + (1 << (UNIT - 1))) >> UNIT;
        rounded.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }
}

/// The sum of the products, sixteen at a time: in this shape it becomes multiply-and-add
/// instructions, and takes half the time of a plain sum.
fn dot(samples: &[i16], weights: &[i16]) -> i32 {
    let (samples, weights) = (samples.as_chunks::<16>().0, weights.as_chunks::<16>().0);
    let mut sum = 0;
    for (samples, weights) in samples.iter().zip(weights) {
        let mut part = 0;
        for (sample, weight) in samples.iter().zip(weights) {
            part += i32::from(*sample) * i32::from(*weight);
        }
        sum += part;
    }
    sum
}

/// By the rates from and to.
type Filters = HashMap<(u32, u32), Arc<Filter>>;

fn filter(from: u32, to: u32) -> Arc<Filter> {
    static FILTERS: LazyLock<Mutex<Filters>> = LazyLock::new(Mutex::default);
    let mut filters = FILTERS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(filters.entry((from, to)).or_insert_with(|| Arc::new(Filter::new(from, to))))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

fn kaiser(x: f64) -> f64 {
    if x.abs() >= 1.0 { 0.0 } else { bessel(KAISER_BETA * (1.0 - x * x).sqrt()) / bessel(KAISER_BETA) }
}

/// The modified Bessel function of order zero.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::level::level_db;
    use super::super::signals::{Random, noise, tone};
    use super::*;

    const RATES: [u32; 6] = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];

    fn pairs() -> impl Iterator<Item = (u32, u32)> {
        RATES.into_iter().flat_map(|from| RATES.into_iter().map(move |to| (from, to)))
    }

    fn run(from: u32, to: u32, input: &[i16]) -> Vec<i16> {
        let mut output = Vec::new();
        Resampler::new(from, to).push(input, &mut output);
        output
    }

    fn settled(sound: &[i16]) -> &[i16] {
        &sound[sound.len() / 4..sound.len() * 3 / 4]
    }

    #[test]
    fn what_is_below_the_edge_keeps_its_level() {
        for (from, to) in pairs() {
            let edge = 0.85 * from.min(to) as f32 / 2.0;
            for hertz in [100.0, 440.0, edge / 2.0, edge] {
                let input = tone(hertz, from, 200, 0.5);
                let output = run(from, to, &input);
                let change = level_db(settled(&output)) - level_db(settled(&input));
                assert!(change.abs() < 0.5, "{from} to {to}, {hertz} Hz: {change} dB");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone() {
        for (from, to) in pairs().filter(|(from, to)| from > to) {
            for hertz in [0.505 * to as f32, 0.6 * to as f32, (0.9 * to as f32).min(0.49 * from as f32)] {
                if hertz < 0.499 * from as f32 {
                    let input = tone(hertz, from, 200, 0.5);
                    let output = run(from, to, &input);
                    let change = level_db(settled(&output)) - level_db(settled(&input));
                    assert!(change < -55.0, "{from} to {to}, {hertz} Hz: {change} dB");
                }
            }
        }
    }

    #[test]
    fn a_higher_rate_gets_no_images() {
        // Whatever is not the tone is taken out by subtracting the best fitting sine.
        for (from, to) in pairs().filter(|(from, to)| from < to) {
            let hertz = 0.8 * from as f32 / 2.0;
            let output = run(from, to, &tone(hertz, from, 300, 0.5));
            let sound = settled(&output);
            let (mut re, mut im) = (0.0f64, 0.0f64);
            let angle = |n: usize| std::f64::consts::TAU * f64::from(hertz) * n as f64 / f64::from(to);
            for (n, sample) in sound.iter().enumerate() {
                re += f64::from(*sample) * angle(n).cos();
                im += f64::from(*sample) * angle(n).sin();
            }
            let scale = 2.0 / sound.len() as f64;
            let rest: Vec<i16> = sound
                .iter()
                .enumerate()
                .map(|(n, sample)| {
                    (f64::from(*sample) - scale * (re * angle(n).cos() + im * angle(n).sin())) as i16
                })
                .collect();
            let residue = level_db(&rest) - level_db(sound);
            assert!(residue < -40.0, "{from} to {to}: {residue} dB");
        }
    }

    #[test]
    fn the_delay_is_what_it_says_and_under_four_milliseconds() {
        for (from, to) in pairs() {
            let resampler = Resampler::new(from, to);
            assert!(resampler.delay_us() < 4_000, "{from} to {to}: {}", resampler.delay_us());
            // A click after 50 ms: its energy comes out around 50 ms and the delay.
            let mut input = vec![0i16; from as usize / 10];
            let click = from as usize / 20;
            input[click] = 30_000;
            let output = run(from, to, &input);
            let (mut weight, mut sum) = (0.0, 0.0);
            for (n, sample) in output.iter().enumerate() {
                let energy = f64::from(*sample).powi(2);
                weight += energy;
                sum += energy * n as f64 / f64::from(to);
            }
            let measured = (sum / weight - click as f64 / f64::from(from)) * 1e6;
            assert!(
                (measured - f64::from(resampler.delay_us())).abs() < 130.0,
                "{from} to {to}: {measured} µs"
            );
        }
    }

    #[test]
    fn the_pieces_it_comes_in_make_no_difference() {
        let mut random = Random(7);
        for (from, to) in pairs() {
            let input = noise(from, 150, -20.0, 3);
            let whole = run(from, to, &input);
            let mut resampler = Resampler::new(from, to);
            let mut pieces = Vec::new();
            let mut rest = &input[..];
            while !rest.is_empty() {
                let (piece, later) = rest.split_at(((random.next().abs() * 500.0) as usize).min(rest.len()));
                resampler.push(piece, &mut pieces);
                rest = later;
            }
            assert_eq!(whole, pieces, "{from} to {to}");
        }
    }

    #[test]
    fn twenty_milliseconds_stay_twenty_milliseconds() {
        for (from, to) in pairs() {
            let mut resampler = Resampler::new(from, to);
            let (mut input, mut output) = (Frame::default(), Frame::default());
            input.silence(from);
            for _ in 0..10 {
                resampler.push_frame(&input, &mut output);
                assert_eq!(output.samples().len(), to as usize / 50, "{from} to {to}");
            }
        }
    }

    #[test]
    fn the_loudest_sound_is_not_turned_over() {
        let square: Vec<i16> =
            (0..1_600).map(|n| if n / 40 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        for to in RATES {
            let output = run(16_000, to, &square);
            // Past the ringing before the first edge.
            let signs: Vec<i16> =
                output.iter().skip(200).map(|sample| sample.signum()).filter(|sign| *sign != 0).collect();
            let edges = signs.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(edges.abs_diff((1_600 - 200 * 16_000 / to as usize) / 40) <= 2, "{to}: {edges}");
        }
    }

    #[test]
    fn a_reset_forgets() {
        let mut resampler = Resampler::new(8_000, 16_000);
        let mut output = Vec::new();
        resampler.push(&tone(440.0, 8_000, 20, 0.5), &mut output);
        resampler.reset();
        output.clear();
        resampler.push(&[0; 160], &mut output);
        assert!(output.iter().all(|sample| *sample == 0));
    }
}
