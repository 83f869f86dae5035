//! Sound that goes under the agent's voice: the sound of a room, and music while the caller waits.
//!
//! No recordings are shipped: [`rooms`] makes each from noise, tones and something like voices. A
//! sound is a loop of ten seconds without a seam, made once per process and rate and shared by all
//! calls; a call has only its place in it.

mod rooms;
mod synth;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::resample::Resampler;

/// A room to be heard behind the agent: the names of `sound { ambient: … }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ambience {
    /// A quiet office: air conditioning, keys, far voices, now and then a telephone.
    Office,
    /// Many voices, keys, telephones.
    CallCenter,
    /// Voices, cups, the machine.
    Cafe,
    /// Traffic.
    Street,
}

impl Ambience {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Office, Self::CallCenter, Self::Cafe, Self::Street];

    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::CallCenter => "call_center",
            Self::Cafe => "cafe",
            Self::Street => "street",
        }
    }
}

/// A name that is no room. `none` is one of them: there is nothing to mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such room")]
pub struct NoRoom;

impl FromStr for Ambience {
    type Err = NoRoom;

    fn from_str(name: &str) -> Result<Self, NoRoom> {
        Self::ALL.into_iter().find(|room| room.name() == name).ok_or(NoRoom)
    }
}

/// A sound without end, and where a call is in it.
#[derive(Clone)]
pub struct Loop {
    sound: Arc<[i16]>,
    at: usize,
    /// 1 is `1 << 12`.
    gain: i32,
}

/// Volume that a setting leaves open: well under speech, and not missed.
pub const DEFAULT_VOLUME: f32 = 0.3;

impl Loop {
    /// A room at this rate. Volume 1 is nearly as loud as speech (−26 dBFS). Calls that begin at
    /// different places of the ten seconds, given in milliseconds, do not sound alike.
    ///
    /// The first call of a rate makes the sound, in some tens of milliseconds: [`prepare`] it.
    pub fn room(room: Ambience, rate: u32, volume: f32, start_ms: u32) -> Self {
        Self::of(Sound::Room(room), rate, volume, start_ms)
    }

    /// Music to wait with, from its start: slow broken chords.
    pub fn hold_music(rate: u32, volume: f32) -> Self {
        Self::of(Sound::Hold, rate, volume, 0)
    }

    fn of(kind: Sound, rate: u32, volume: f32, start_ms: u32) -> Self {
        let sound = sound(kind, rate);
        let at = (u64::from(start_ms) * u64::from(rate) / 1_000) as usize % sound.len().max(1);
        let mut this = Self { sound, at, gain: 0 };
        this.set_volume(volume);
        this
    }

    /// From 0 to 1.
    pub fn set_volume(&mut self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 0.0 };
        self.gain = (volume * (1 << GAIN_BITS) as f32).round() as i32;
    }

    /// Adds the next of it to these samples. What gets too loud stays at the loudest.
    pub fn mix_into(&mut self, samples: &mut [i16]) {
        let mut rest = samples;
        while !rest.is_empty() && !self.sound.is_empty() {
            let here = self.sound.get(self.at..).unwrap_or(&[]);
            let count = here.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            for (sample, under) in now.iter_mut().zip(here) {
                *sample = sample.saturating_add(((i32::from(*under) * self.gain) >> GAIN_BITS) as i16);
            }
            self.at += count;
            if self.at >= self.sound.len() {
                self.at = 0;
            }
            rest = later;
        }
    }
}

const GAIN_BITS: u32 = 12;

/// Makes the sound of a room before the first call needs it.
pub fn prepare(room: Ambience, rate: u32) {
    sound(Sound::Room(room), rate);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sound {
    Room(Ambience),
    Hold,
}

/// Sounds by what they are and their rate.
type Sounds = HashMap<(Sound, u32), Arc<[i16]>>;

fn sound(kind: Sound, rate: u32) -> Arc<[i16]> {
    static SOUNDS: LazyLock<Mutex<Sounds>> = LazyLock::new(Mutex::default);
    let mut sounds = SOUNDS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(sounds.entry((kind, rate)).or_insert_with(|| make(kind, rate).into()))
}

fn make(kind: Sound, rate: u32) -> Vec<i16> {
    let sound = match kind {
        Sound::Room(room) => rooms::room(room),
        Sound::Hold => rooms::hold(),
    };
    // Resampled after itself, it has no seam at this rate either.
    let mut resampler = Resampler::new(synth::RATE, rate);
    let mut twice = Vec::new();
    resampler.push(&sound, &mut twice);
    let once = twice.len();
    resampler.push(&sound, &mut twice);
    twice.split_off(once)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::level::level_db;
    use super::*;

    fn all() -> impl Iterator<Item = Sound> {
        Ambience::ALL.into_iter().map(Sound::Room).chain([Sound::Hold])
    }

    #[test]
    fn the_rooms_are_those_of_the_language() {
        let declared = include_str!("../../../../../stdlib/groups.dgh");
        let (_, rest) = declared.split_once("enum Ambient {").unwrap();
        let names: Vec<&str> = rest.split_once('}').unwrap().0.split(',').map(str::trim).collect();
        let ours: Vec<&str> = std::iter::once("none").chain(Ambience::ALL.map(Ambience::name)).collect();
        assert_eq!(names, ours);
        for room in Ambience::ALL {
            assert_eq!(room.name().parse(), Ok(room));
        }
        assert_eq!("none".parse::<Ambience>(), Err(NoRoom));
    }

    #[test]
    fn a_loop_has_no_seam_no_hole_and_its_level() {
        for kind in all() {
            for rate in [8_000, 16_000] {
                let sound = sound(kind, rate);
                assert_eq!(sound.len(), 10 * rate as usize, "{kind:?}");
                let level = level_db(&sound);
                assert!((-28.0..-24.0).contains(&level), "{kind:?}: {level}");
                let peak = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
                assert!((3_000..32_000).contains(&peak), "{kind:?}: {peak}");
                // The step over the seam is one of those around it.
                let step = |a: i16, b: i16| (i32::from(a) - i32::from(b)).abs();
                let around = sound[..400].windows(2).chain(sound[sound.len() - 400..].windows(2));
                let largest = around.map(|pair| step(pair[0], pair[1])).max().unwrap();
                assert!(step(sound[0], sound[sound.len() - 1]) <= largest, "{kind:?} {rate}");
                for half in sound.chunks(rate as usize / 2) {
                    assert!(level_db(half) > -45.0, "{kind:?}: {}", level_db(half));
                }
            }
        }
    }

    #[test]
    fn rooms_differ_and_are_the_same_every_time() {
        let made: Vec<Vec<i16>> = all().map(|kind| make(kind, 8_000)).collect();
        for (number, kind) in all().enumerate() {
            assert!(make(kind, 8_000) == made[number], "{kind:?}");
            assert!(made.iter().filter(|other| **other == made[number]).count() == 1);
        }
    }

    #[test]
    fn calls_share_one_sound_and_go_around_in_it() {
        let mut first = Loop::room(Ambience::Office, 8_000, 1.0, 0);
        let second = Loop::room(Ambience::Office, 8_000, 0.5, 9_990);
        assert!(Arc::ptr_eq(&first.sound, &second.sound));
        let mut samples = vec![0; 80_000];
        first.mix_into(&mut samples);
        assert_eq!(samples, first.sound.to_vec());
        let (mut a, mut b) = ([0; 160], [0; 160]);
        first.mix_into(&mut a);
        assert_eq!(a[..], samples[..160]);
        let mut over = second.clone();
        over.set_volume(1.0);
        over.mix_into(&mut b);
        assert_eq!(b[..80], samples[79_920..]);
        assert_eq!(b[80..], samples[..80]);
    }

    #[test]
    fn volume_is_kept_and_the_loudest_stays_loudest() {
        let mut loud = vec![i16::MAX; 8_000];
        Loop::room(Ambience::Street, 8_000, 1.0, 0).mix_into(&mut loud);
        assert!(loud.iter().all(|sample| *sample > 0));
        let level = |volume| {
            let mut samples = vec![0; 80_000];
            Loop::room(Ambience::Cafe, 8_000, volume, 0).mix_into(&mut samples);
            level_db(&samples)
        };
        assert!((level(1.0) - level(0.5) - 6.02).abs() < 0.1);
        assert!(level(0.0) < -99.0 && level(f32::NAN) < -99.0);
        assert!((level(1.0) - level(7.0)).abs() < 0.01);
    }
}
