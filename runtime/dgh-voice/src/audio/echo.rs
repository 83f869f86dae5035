//! Is this the agent's own voice, coming back?
//!
//! On a line without echo cancellation (a hands-free telephone, an old gateway) what the agent says
//! comes back up to 600 ms later, and an agent that takes that for the caller interrupts itself.
//! This does not take the echo away. It tells whether what comes in is explained by what went out:
//! the loudness of four bands rises and falls with it, some steady delay later, and it is quieter
//! by a steady factor. A caller who talks over the agent breaks both, and is let through.
//!
//! ```text
//! agent   ▁▅▇▅▂▁▃▇▆▂▁▁▁▁▁▁▁
//! line    ▁▁▁▁▂▃▂▁▁▁▂▃▂▇▆▅▇    the same hills, 40 ms later and lower: the agent
//!                     └ a hill of its own: the caller
//! ```
//!
//! Pure: the time is passed in.

use super::Frame;
use super::level::{decibels, power};
use crate::Millis;

/// Watches one line. For lines that cancel their echo none is needed.
pub struct EchoGuard {
    agent: Envelope,
    line: Envelope,
    /// How well each delay has explained the line, over the last seconds.
    scores: [f32; LAGS],
    /// Frames that went into the scores.
    seen: u32,
    /// The delay that fitted best last, and for how many frames.
    fits: (usize, u32),
    path: Option<Path>,
}

/// Whose voice a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// What the agent said explains it.
    Agent,
    /// The caller's, or nobody's.
    Caller,
}

/// How the echo comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Path {
    lag: usize,
    gain_db: f32,
}

/// Loudness is looked at each 10 ms, in four bands.
const STEP_MS: u64 = 10;
const BANDS: usize = 4;

/// Delays that are looked for: 0 to 600 ms.
const LAGS: usize = 61;

/// What is compared: the last 400 ms.
const WINDOW: usize = 40;

/// Points that are kept: the window, the longest delay, and what goes out ahead of its time.
const POINTS: usize = 256;

/// Quieter than this is silence, on either side; as a power as well.
const FLOOR_DB: f32 = -58.0;
const AUDIBLE: f32 = 1.6e-6;

/// An echo is quieter than what it is the echo of by at least this.
const HIGHEST_GAIN_DB: f32 = -3.0;

/// How alike two rows of hills are (their correlation) for one to be the other's echo: more is asked
/// for as long as the delay is not known, because one of sixty delays fits by chance.
const ALIKE: f32 = 0.9;
const ALIKE_WHEN_KNOWN: f32 = 0.5;

/// Whoever begins to talk makes one high hill, and two of them are alike whatever is on top: as long
/// as the delay is not known, the last 200 ms have to be alike for themselves.
const ALIKE_AT_END: f32 = 0.8;

/// And the same delay has to fit best for this many frames: what fits by chance wanders.
const STEADY: u32 = 4;

/// A known echo is louder than it should be by this: somebody talks.
const LOUDER_DB: f32 = 5.0;

/// Frames with voice until a delay can be known: six tenths of a second.
const FRAMES_TO_KNOW: u32 = 30;

/// The mean likeness of a delay that becomes known, and of one that is not true any more.
const KNOWN: f32 = 0.72;
const FORGOTTEN: f32 = 0.15;

impl EchoGuard {
    /// For sound of this rate, both ways.
    pub fn new(rate: u32) -> Self {
        Self {
            agent: Envelope::new(rate),
            line: Envelope::new(rate),
            scores: [0.0; LAGS],
            seen: 0,
            fits: (0, 0),
            path: None,
        }
    }

    /// What goes out, and when it sounds.
    pub fn played(&mut self, at: Millis, frame: &Frame) {
        self.agent.push(at, frame.samples());
    }

    /// What came in, and when: whose is it?
    pub fn heard(&mut self, at: Millis, frame: &Frame) -> Whose {
        self.line.push(at, frame.samples());
        let now = at / STEP_MS + 1;
        if self.line.at(now).power <= AUDIBLE
            || !self.agent.spoke_since(now.saturating_sub((LAGS + 2) as u64))
        {
            return Whose::Caller;
        }
        let window = Window::of(&self.line, now);
        let Some((lag, likeness)) = self.best(&window, now) else { return Whose::Caller };
        let gain_db = self.gain(lag, now);
        self.know(lag, gain_db, likeness);
        let is_echo = match self.path {
            Some(path) => likeness >= ALIKE_WHEN_KNOWN && !self.is_louder(path, now),
            None => {
                let then = Window::of(&self.agent, now.saturating_sub(lag as u64));
                likeness >= ALIKE
                    && gain_db <= HIGHEST_GAIN_DB
                    && self.fits.1 >= STEADY
                    && window.end().likeness(&then.end()) >= ALIKE_AT_END
            }
        };
        if is_echo { Whose::Agent } else { Whose::Caller }
    }

    /// The delay of the echo in milliseconds, when the line is known to have one.
    pub fn delay_ms(&self) -> Option<u64> {
        self.path.map(|path| path.lag as u64 * STEP_MS)
    }

    /// The delay that explains the window best, and how well. Once it is known, only near it.
    fn best(&mut self, window: &Window, now: u64) -> Option<(usize, f32)> {
        let lags = match self.path {
            Some(path) => path.lag.saturating_sub(2)..(path.lag + 3).min(LAGS),
            None => 0..LAGS,
        };
        let past = Past::of(&self.agent, now, lags.end);
        let mut best: Option<(usize, f32)> = None;
        for lag in lags {
            let likeness = past.likeness(window, lag);
            if let Some(score) = self.scores.get_mut(lag) {
                *score += 0.04 * (likeness - *score);
            }
            if best.is_none_or(|(_, most)| likeness > most) {
                best = Some((lag, likeness));
            }
        }
        self.seen += 1;
        if let Some((lag, _)) = best {
            self.fits = (lag, if lag.abs_diff(self.fits.0) <= 1 { self.fits.1 + 1 } else { 1 });
        }
        best
    }

    fn know(&mut self, lag: usize, gain_db: f32, likeness: f32) {
        if let Some(path) = &mut self.path {
            // Only what is surely echo teaches how loud it is.
            if likeness > 0.8 && gain_db <= HIGHEST_GAIN_DB {
                path.gain_db += 0.05 * (gain_db - path.gain_db);
                path.lag = lag;
            }
            // The line has lost its echo, or never had it.
            if self.scores.iter().all(|score| *score < FORGOTTEN) {
                self.path = None;
                self.scores = [0.0; LAGS];
                self.seen = 0;
            }
            return;
        }
        if self.seen < FRAMES_TO_KNOW || gain_db > HIGHEST_GAIN_DB {
            return;
        }
        // What is not corrected for the first frames' zeros would take seconds to grow.
        let grown = 1.0 - 0.96f32.powi(self.seen.min(1_000).cast_signed());
        if let Some(score) = self.scores.get(lag)
            && score / grown >= KNOWN
        {
            self.path = Some(Path { lag, gain_db });
            // From here on only those near it are looked at.
            for (other, score) in self.scores.iter_mut().enumerate() {
                if other.abs_diff(lag) > 2 {
                    *score = 0.0;
                }
            }
        }
    }

    /// How much quieter the line is than what went out this long before, over the window.
    fn gain(&self, lag: usize, now: u64) -> f32 {
        self.line.mean_level(now, WINDOW) - self.agent.mean_level(now.saturating_sub(lag as u64), WINDOW)
    }

    /// Whether the last 60 ms are louder than the echo of what went out could be.
    fn is_louder(&self, path: Path, now: u64) -> bool {
        let line = self.line.mean_level(now, 6);
        let highest = (0..3)
            .map(|around| self.agent.mean_level((now + 1).saturating_sub(path.lag as u64 + around), 6))
            .fold(f32::NEG_INFINITY, f32::max);
        line > highest + path.gain_db + LOUDER_DB
    }
}

/// The loudness of a sound over time.
struct Envelope {
    points: Vec<Point>,
    bands: Bands,
    step: usize,
    last_audible: Option<u64>,
}

#[derive(Clone, Copy)]
struct Point {
    /// Which ten milliseconds.
    number: u64,
    db: [f32; BANDS],
    power: f32,
}

const NOTHING: Point = Point { number: u64::MAX, db: [FLOOR_DB; BANDS], power: 0.0 };

impl Envelope {
    fn new(rate: u32) -> Self {
        Self {
            points: vec![NOTHING; POINTS],
            bands: Bands::new(rate),
            step: (rate as usize / 100).max(1),
            last_audible: None,
        }
    }

    fn push(&mut self, at: Millis, samples: &[i16]) {
        for (number, piece) in (at / STEP_MS..).zip(samples.chunks(self.step)) {
            let power = power(piece);
            // Most of a call is silence on either side: no band of it is above the floor.
            let db = if power > AUDIBLE {
                self.last_audible = Some(number);
                self.bands.split(piece)
            } else {
                self.bands.rest();
                [FLOOR_DB; BANDS]
            };
            if let Some(point) = self.points.get_mut(number as usize % POINTS) {
                *point = Point { number, db, power };
            }
        }
    }

    fn at(&self, number: u64) -> Point {
        self.points
            .get(number as usize % POINTS)
            .copied()
            .filter(|point| point.number == number)
            .unwrap_or(NOTHING)
    }

    fn spoke_since(&self, number: u64) -> bool {
        self.last_audible.is_some_and(|last| last >= number)
    }

    /// Of so many points up to this one.
    fn mean_level(&self, to: u64, count: usize) -> f32 {
        let from = (to + 1).saturating_sub(count as u64);
        decibels((from..=to).map(|number| self.at(number).power).sum::<f32>() / count as f32).max(FLOOR_DB)
    }
}

/// Hills of four bands, each around its mean.
struct Window {
    hills: [[f32; BANDS]; WINDOW],
    size: f32,
}

impl Window {
    /// Up to and with this point.
    fn of(envelope: &Envelope, to: u64) -> Self {
        let from = (to + 1).saturating_sub(WINDOW as u64);
        let mut hills = [[0.0; BANDS]; WINDOW];
        for (hill, number) in hills.iter_mut().zip(from..) {
            *hill = envelope.at(number).db;
        }
        Self::around_means(hills, 0)
    }

    /// Its second half.
    fn end(&self) -> Self {
        Self::around_means(self.hills, WINDOW / 2)
    }

    fn around_means(mut hills: [[f32; BANDS]; WINDOW], from: usize) -> Self {
        let (before, rest) = hills.split_at_mut(from);
        before.fill([0.0; BANDS]);
        let mut means = [0.0; BANDS];
        for hill in &*rest {
            for (mean, db) in means.iter_mut().zip(hill) {
                *mean += *db / (WINDOW - from) as f32;
            }
        }
        let mut size = 0.0;
        for hill in rest {
            for (db, mean) in hill.iter_mut().zip(means) {
                *db -= mean;
                size += *db * *db;
            }
        }
        Self { hills, size }
    }

    /// Their correlation, −1 to 1; what is flat is like nothing.
    fn likeness(&self, other: &Self) -> f32 {
        let both = (self.size * other.size).sqrt();
        if both < 1.0 {
            return 0.0;
        }
        let product: f32 =
            self.hills.iter().flatten().zip(other.hills.iter().flatten()).map(|(a, b)| a * b).sum();
        product / both
    }
}

/// What the agent said until now, to be laid against a window at many delays: the sums that every
/// delay needs are made once.
struct Past {
    points: [[f32; BANDS]; REACH],
    /// Sums of all points before one, and of their squares.
    sums: [[f32; BANDS]; REACH + 1],
    squares: [f32; REACH + 1],
    /// The longest delay it reaches back to.
    longest: usize,
}

/// The window at the longest delay.
const REACH: usize = WINDOW + LAGS - 1;

impl Past {
    /// For delays shorter than this.
    fn of(envelope: &Envelope, now: u64, lags: usize) -> Self {
        let longest = lags.clamp(1, LAGS) - 1;
        let mut this = Self {
            points: [[0.0; BANDS]; REACH],
            sums: [[0.0; BANDS]; REACH + 1],
            squares: [0.0; REACH + 1],
            longest,
        };
        let from = (now + 1).wrapping_sub((WINDOW + longest) as u64);
        let (mut sum, mut square) = ([0.0; BANDS], 0.0);
        let sums = this.sums.iter_mut().skip(1).zip(this.squares.iter_mut().skip(1));
        for (n, (point, (sum_before, square_before))) in
            this.points.iter_mut().zip(sums).take(WINDOW + longest).enumerate()
        {
            *point = envelope.at(from.wrapping_add(n as u64)).db.map(|db| db - FLOOR_DB);
            for (sum, db) in sum.iter_mut().zip(&*point) {
                *sum += db;
                square += db * db;
            }
            (*sum_before, *square_before) = (sum, square);
        }
        this
    }

    /// The correlation of the window with what was said this long before it.
    fn likeness(&self, window: &Window, lag: usize) -> f32 {
        let start = self.longest.saturating_sub(lag);
        let end = start + WINDOW;
        let (Some(points), Some(before), Some(after), Some(less), Some(more)) = (
            self.points.get(start..end),
            self.sums.get(start),
            self.sums.get(end),
            self.squares.get(start),
            self.squares.get(end),
        ) else {
            return 0.0;
        };
        let means: f32 = before.iter().zip(after).map(|(before, after)| (after - before).powi(2)).sum();
        let both = (window.size * (more - less - means / WINDOW as f32).max(0.0)).sqrt();
        if both < 1.0 {
            return 0.0;
        }
        // The window's hills are around their means, so that those of the other side fall out.
        let mut product = [0.0; BANDS];
        for (hill, point) in window.hills.iter().zip(points) {
            for ((product, a), b) in product.iter_mut().zip(hill).zip(point) {
                *product += a * b;
            }
        }
        product.iter().sum::<f32>() / both
    }
}

/// Splits sound at 500, 1,000 and 2,000 Hz, with filters of one pole: hills need no more.
struct Bands {
    /// Above 8 kHz only each n-th sample is looked at.
    stride: usize,
    shares: [f32; BANDS - 1],
    lows: [f32; BANDS - 1],
}

impl Bands {
    fn new(rate: u32) -> Self {
        let stride = (rate as usize / 8_000).max(1);
        let rate = rate as f32 / stride as f32;
        let shares =
            [500.0, 1_000.0, 2_000.0].map(|hertz: f32| 1.0 - (-std::f32::consts::TAU * hertz / rate).exp());
        Self { stride, shares, lows: [0.0; BANDS - 1] }
    }

    fn split(&mut self, samples: &[i16]) -> [f32; BANDS] {
        let mut powers = [0.0; BANDS];
        for sample in samples.iter().step_by(self.stride) {
            let sample = f32::from(*sample) / 32_768.0;
            let mut below = 0.0;
            let [rest @ .., top] = &mut powers;
            for ((low, share), power) in self.lows.iter_mut().zip(&self.shares).zip(rest) {
                *low += share * (sample - *low);
                *power += (*low - below).powi(2);
                below = *low;
            }
            *top += (sample - below).powi(2);
        }
        let count = samples.len().div_ceil(self.stride).max(1) as f32;
        powers.map(|power| decibels(power / count).max(FLOOR_DB))
    }

    /// As after silence.
    fn rest(&mut self) {
        self.lows = [0.0; BANDS - 1];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::level::level_db;
    use super::super::signals::{noise, other_speech, speech};
    use super::*;

    /// A call at 8 kHz.
    struct Call {
        agent: Vec<i16>,
        line: Vec<i16>,
    }

    /// How the frames with voice were judged.
    #[derive(Debug, Default)]
    struct Judged {
        agent: u32,
        caller: u32,
    }

    impl Judged {
        fn share_of_caller(&self) -> f32 {
            self.caller as f32 / (self.agent + self.caller).max(1) as f32
        }
    }

    impl Call {
        /// The agent says its sentence so many times, on a line that hisses.
        fn new(times: usize) -> Self {
            let agent: Vec<i16> = [vec![0; 4_000], other_speech()].concat().repeat(times);
            let line = noise(8_000, agent.len() as u32 / 8, -62.0, 5);
            Self { agent, line }
        }

        /// What the agent says comes back: late, quieter, darker and blurred.
        fn echo(mut self, delay_ms: usize, gain: f32) -> Self {
            let mut low = 0.0;
            for n in 0..self.line.len() {
                let at = |delay: usize| n.checked_sub(delay * 8).map_or(0.0, |n| f32::from(self.agent[n]));
                let blurred = at(delay_ms)
                    + 0.4 * at(delay_ms + 11)
                    + 0.25 * at(delay_ms + 23)
                    + 0.1 * at(delay_ms + 47);
                low += 0.6 * (blurred - low);
                self.line[n] = self.line[n].saturating_add((low * gain) as i16);
            }
            self
        }

        /// The caller talks from this time on.
        fn talk(mut self, at_ms: usize, gain: f32) -> Self {
            for (sample, voice) in self.line[at_ms * 8..].iter_mut().zip(speech()) {
                *sample = sample.saturating_add((f32::from(voice) * gain) as i16);
            }
            self
        }

        /// Judges the frames from one time to another.
        fn judge(&self, from_ms: u64, to_ms: u64) -> (Judged, EchoGuard) {
            let mut guard = EchoGuard::new(8_000);
            let mut judged = Judged::default();
            let (mut agent, mut line) = (Frame::default(), Frame::default());
            for (number, (out, back)) in
                self.agent.chunks_exact(160).zip(self.line.chunks_exact(160)).enumerate()
            {
                let at = number as u64 * 20;
                agent.copy_from(out);
                line.copy_from(back);
                guard.played(at, &agent);
                let whose = guard.heard(at, &line);
                if (from_ms..to_ms).contains(&at) && level_db(line.samples()) > -50.0 {
                    match whose {
                        Whose::Agent => judged.agent += 1,
                        Whose::Caller => judged.caller += 1,
                    }
                }
            }
            (judged, guard)
        }
    }

    const DELAYS: [usize; 5] = [0, 45, 120, 333, 560];

    #[test]
    fn an_echo_is_not_taken_for_the_caller_once_it_is_known() {
        for delay in DELAYS {
            for gain in [0.5, 0.25, 0.1] {
                let (judged, guard) = Call::new(3).echo(delay, gain).judge(4_000, 13_000);
                assert!(
                    guard.delay_ms().unwrap().abs_diff(delay as u64 + 10) <= 30,
                    "{delay} {gain}: {:?}",
                    guard.path
                );
                assert!(judged.agent > 50);
                assert!(judged.share_of_caller() < 0.08, "{delay} {gain}: {judged:?}");
            }
        }
    }

    #[test]
    fn before_it_is_known_most_of_an_echo_is_not_taken_for_the_caller() {
        for delay in DELAYS {
            let (judged, _) = Call::new(3).echo(delay, 0.25).judge(0, 4_000);
            assert!(judged.share_of_caller() < 0.25, "{delay}: {judged:?}");
        }
    }

    #[test]
    fn a_caller_on_a_clean_line_is_never_taken_for_an_echo() {
        for at in (600..4_000).step_by(170) {
            for gain in [1.0, 0.4] {
                let (judged, guard) = Call::new(3).talk(at, gain).judge(0, 12_000);
                assert!(guard.delay_ms().is_none(), "{at}");
                assert!(judged.share_of_caller() > 0.93, "{at} {gain}: {judged:?}");
            }
        }
    }

    #[test]
    fn a_caller_who_talks_over_the_echo_gets_through() {
        for delay in DELAYS {
            for at in [4_600, 5_200, 6_100] {
                let (judged, _) =
                    Call::new(3).echo(delay, 0.2).talk(at, 0.8).judge(at as u64 + 200, at as u64 + 2_200);
                assert!(judged.share_of_caller() > 0.6, "{delay} {at}: {judged:?}");
            }
        }
    }

    #[test]
    fn a_line_that_loses_its_echo_is_clean_again() {
        let mut call = Call::new(12).echo(120, 0.25);
        let quiet = noise(8_000, 60_000, -62.0, 9);
        let from = 8 * 10_000;
        let length = call.line.len() - from;
        call.line[from..].copy_from_slice(&quiet[..length]);
        for at in (11_000..40_000).step_by(4_500) {
            call = call.talk(at, 0.8);
        }
        let (judged, guard) = call.judge(25_000, 40_000);
        assert_eq!(guard.delay_ms(), None);
        assert!(judged.share_of_caller() > 0.95, "{judged:?}");
    }

    #[test]
    fn when_the_agent_is_silent_there_is_no_echo() {
        let call = Call { agent: vec![0; 80_000], line: [vec![0; 8_000], speech()].concat() };
        let (judged, guard) = call.judge(0, 10_000);
        assert_eq!(judged.agent, 0);
        assert!(guard.delay_ms().is_none());
    }

    #[test]
    fn any_rate_and_any_time_is_taken() {
        for rate in [8_000, 16_000, 24_000, 48_000] {
            let mut guard = EchoGuard::new(rate);
            let mut frame = Frame::default();
            frame.resize(rate as usize / 50).fill(3_000);
            for at in [0, 20, 10_000_000, 40, u64::MAX / 2] {
                guard.played(at, &frame);
                guard.heard(at, &frame);
            }
        }
    }
}
