//! Sound of the tests: words spoken by flite, WAV files, µ-law, what a recogniser hears in it, and
//! where one sound lies in another.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use serde_json::json;

/// A frame of 20 ms at 8 kHz.
pub(crate) const FRAME: usize = 160;

/// Sound of one channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sound {
    pub(crate) rate: u32,
    pub(crate) samples: Vec<i16>,
}

/// Words as a person says them: at 16 kHz, without the silence around them.
pub(crate) fn spoken(text: &str) -> Sound {
    static SPOKEN: LazyLock<Mutex<HashMap<String, Sound>>> = LazyLock::new(Mutex::default);
    let mut all = SPOKEN.lock().unwrap();
    all.entry(text.to_owned()).or_insert_with(|| speak(text)).clone()
}

fn speak(text: &str) -> Sound {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said.wav");
    let said = Command::new("flite").args(["-voice", "rms", "-t", text, "-o"]).arg(&path).status();
    assert!(said.expect("flite is installed (apt-get install flite; tests/run does it)").success());
    let mut channels = read_wav(&path);
    let sound = channels.remove(0);
    let loud = |sample: &i16| sample.unsigned_abs() > 300;
    let first = sound.samples.iter().position(loud).unwrap();
    let last = sound.samples.iter().rposition(loud).unwrap();
    Sound { rate: sound.rate, samples: sound.samples[first..=last].to_vec() }
}

impl Sound {
    pub(crate) fn ms(&self) -> u64 {
        self.samples.len() as u64 * 1_000 / u64::from(self.rate)
    }

    /// Between two moments.
    pub(crate) fn between(&self, from_ms: u64, to_ms: u64) -> Self {
        let at =
            |ms: u64| usize::try_from(ms * u64::from(self.rate) / 1_000).unwrap().min(self.samples.len());
        Self { rate: self.rate, samples: self.samples[at(from_ms)..at(to_ms)].to_vec() }
    }

    /// At another rate, of which one is a multiple of the other.
    pub(crate) fn at(&self, rate: u32) -> Self {
        let samples = if rate >= self.rate {
            assert!(rate.is_multiple_of(self.rate));
            up(&self.samples, rate as usize / self.rate as usize)
        } else {
            assert!(self.rate.is_multiple_of(rate));
            let by = self.rate as usize / rate as usize;
            smooth(&self.samples, by).into_iter().step_by(by).collect()
        };
        Self { rate, samples }
    }

    /// Frames of 20 ms of µ-law.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let phone = self.at(8_000);
        let frame = |part: &[i16]| {
            let mut coded: Vec<u8> = part.iter().map(|sample| encode_ulaw(*sample)).collect();
            coded.resize(FRAME, 0xff);
            coded
        };
        phone.samples.chunks(FRAME).map(frame).collect()
    }

    /// Whether there is more in it than noise.
    pub(crate) fn is_loud(&self) -> bool {
        self.samples.iter().any(|sample| sample.unsigned_abs() > 500)
    }

    /// The sentences that are said in it, out of those given, as a recogniser hears them.
    pub(crate) fn heard_as(&self, sentences: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("judged.wav");
        // Silence behind the words may be the beginning of others.
        let loud = |sample: &i16| sample.unsigned_abs() > 500;
        let first = self.samples.iter().position(loud).unwrap_or(0) as u64 * 1_000 / u64::from(self.rate);
        let last = self.samples.iter().rposition(loud).unwrap_or(0) as u64 * 1_000 / u64::from(self.rate);
        write_wav(&path, &self.between(first.saturating_sub(200), last + 200).at(16_000));
        let mut judge = Command::new(python())
            .arg(crate::support::root().join("tests/calls/judge.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python of DGH_TEST_PYTHON starts");
        let asked = json!({ "wav": path, "sentences": sentences }).to_string();
        judge.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
        let answer = judge.wait_with_output().unwrap();
        assert!(answer.status.success(), "the recogniser failed; is the package `pocketsphinx` installed?");
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// Where another sound lies in it, in milliseconds, and how well it fits (1: it is the same).
    /// Looks at `around` and so much before and behind it.
    pub(crate) fn find(&self, other: &Self, around: u64, reach: u64) -> (u64, f64) {
        assert_eq!((self.rate, other.rate), (8_000, 8_000));
        let index = |ms: u64| usize::try_from(ms * 8).unwrap();
        let from = index(around.saturating_sub(reach));
        let until = index(around + reach).min(self.samples.len().saturating_sub(other.samples.len()));
        let needle: Vec<f32> = other.samples.iter().map(|sample| f32::from(*sample)).collect();
        let hay: Vec<f32> = self.samples.iter().map(|sample| f32::from(*sample)).collect();
        let energy = |part: &[f32]| part.iter().map(|sample| sample * sample).sum::<f32>().sqrt();
        let own = energy(&needle);
        // Every half millisecond: a voice does not turn over in less.
        let best = (from..until).step_by(4).map(|at| {
            let part = &hay[at..at + needle.len()];
            let product: f32 = part.iter().zip(&needle).map(|(a, b)| a * b).sum();
            (at, f64::from(product / (own * energy(part) + 1.0)))
        });
        let (at, fit) = best.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
        (at as u64 / 8, fit)
    }
}

/// The Python with the recogniser. Without it these tests fail: a part that is missing is no success.
pub(crate) fn python() -> String {
    std::env::var("DGH_TEST_PYTHON").expect(
        "DGH_TEST_PYTHON is not set: the path of a Python with the packages `pocketsphinx` (5.1.1) and `twilio` \
         (9.13.0); tests/run sets both up",
    )
}

/// Sound of µ-law.
pub(crate) fn decoded(coded: &[u8]) -> Vec<i16> {
    coded.iter().map(|byte| decode_ulaw(*byte)).collect()
}

/// The channels of a WAV file of 16 bit.
pub(crate) fn read_wav(path: &Path) -> Vec<Sound> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]), "{}", path.display());
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let short = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap());
    let (mut at, mut form) = (12, None);
    loop {
        let (name, length, body) = (&bytes[at..at + 4], number(at + 4) as usize, at + 8);
        if name == b"fmt " {
            assert_eq!(short(body + 14), 16, "bits of a sample");
            form = Some((short(body + 2) as usize, number(body + 4)));
        } else if name == b"data" {
            let (channels, rate) = form.expect("`fmt ` comes first");
            let data = &bytes[body..(body + length).min(bytes.len())];
            let sample = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]);
            let all: Vec<i16> = data.chunks_exact(2).map(sample).collect();
            let one = |index| all.iter().skip(index).step_by(channels).copied().collect();
            return (0..channels).map(|index| Sound { rate, samples: one(index) }).collect();
        }
        at = body + length + length % 2;
    }
}

/// Writes a WAV file of one channel.
pub(crate) fn write_wav(path: &Path, sound: &Sound) {
    let length = u32::try_from(sound.samples.len() * 2).unwrap();
    let mut bytes = Vec::with_capacity(sound.samples.len() * 2 + 44);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(length + 36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&sound.rate.to_le_bytes());
    bytes.extend_from_slice(&(sound.rate * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend(sound.samples.iter().flat_map(|sample| sample.to_le_bytes()));
    std::fs::write(path, bytes).unwrap();
}

/// Straight lines between samples: what that adds is above what a recogniser listens to.
fn up(samples: &[i16], by: usize) -> Vec<i16> {
    let between = |at: usize| {
        let (this, next) = (i32::from(samples[at]), i32::from(*samples.get(at + 1).unwrap_or(&0)));
        (0..by).map(move |step| (this + (next - this) * step as i32 / by as i32) as i16)
    };
    (0..samples.len()).flat_map(between).collect()
}

/// A windowed sinc that leaves what the lower rate can hold.
fn smooth(samples: &[i16], by: usize) -> Vec<i16> {
    const HALF: i64 = 24;
    let cut = 0.45 / by as f64;
    let tap = |n: i64| {
        let x = n as f64;
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / (HALF + 1) as f64).cos();
        let sinc = if n == 0 {
            2.0 * cut
        } else {
            (std::f64::consts::TAU * cut * x).sin() / (std::f64::consts::PI * x)
        };
        sinc * window
    };
    let taps: Vec<f64> = (-HALF..=HALF).map(tap).collect();
    let at = |center: usize| {
        let first = center as i64 - HALF;
        let part = taps.iter().enumerate().map(|(index, tap)| {
            let sample = usize::try_from(first + index as i64).ok().and_then(|at| samples.get(at));
            tap * f64::from(*sample.unwrap_or(&0))
        });
        part.sum::<f64>().clamp(-32_768.0, 32_767.0) as i16
    };
    (0..samples.len()).map(at).collect()
}

#[test]
fn the_judge_hears_what_is_said_and_nothing_in_noise() {
    let known = ["i want to cancel my order", "where is the parcel", "thank you for calling"];
    let said = spoken("Where is the parcel");
    assert_eq!(said.at(8_000).at(16_000).heard_as(&known), "where is the parcel");
    let mut seed = 1_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 20) as i16
    });
    let noise = Sound { rate: 16_000, samples: noise.take(32_000).collect() };
    assert_ne!(noise.heard_as(&known), "where is the parcel");
    assert_eq!(Sound { rate: 16_000, samples: vec![0; 16_000] }.heard_as(&known), "");
}

#[test]
fn a_sound_is_found_where_it_lies() {
    let said = spoken("Where is the parcel").at(8_000);
    let mut long = Sound { rate: 8_000, samples: vec![0; 8 * 700] };
    long.samples.extend(&said.samples);
    long.samples.extend(vec![0; 8_000]);
    let (at, fit) = long.find(&said, 600, 400);
    assert!((699..=701).contains(&at) && fit > 0.99, "{at} ms, {fit}");
    let other = spoken("I want to cancel my order").at(8_000);
    assert!(long.find(&other, 600, 100).1 < 0.5);
}
