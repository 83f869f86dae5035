//! Recordings that an agent plays, from WAV files.

use std::path::Path;

use super::resample::Resampler;

/// Longest recording that is played, in seconds.
pub const MAX_SECONDS: u32 = 300;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// It cannot be read, or is no WAV file of a known kind.
    #[error("the recording cannot be read: {0}")]
    Read(#[from] hound::Error),
    /// It is too long.
    #[error("the recording is longer than {MAX_SECONDS} s")]
    TooLong,
    /// Its rate is not one that is converted.
    #[error("the recording has {0} samples a second; from 8,000 to 48,000 are converted")]
    Rate(u32),
}

/// Reads a recording, its channels mixed to one, at a rate. PCM of 8 to 32 bits and floats.
pub fn read(path: &Path, rate: u32) -> Result<Vec<i16>, WavError> {
    let mut file = hound::WavReader::open(path)?;
    let spec = file.spec();
    if !(8_000..=48_000).contains(&spec.sample_rate) {
        return Err(WavError::Rate(spec.sample_rate));
    }
    if file.duration() > MAX_SECONDS * spec.sample_rate {
        return Err(WavError::TooLong);
    }
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => file.samples::<f32>().collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let full = f32::from(2_u8).powi(i32::from(spec.bits_per_sample) - 1);
            file.samples::<i32>().map(|s| s.map(|s| s as f32 / full)).collect::<Result<_, _>>()?
        }
    };
    let channels = usize::from(spec.channels.max(1));
    let mixed: Vec<i16> = samples
        .chunks(channels)
        .map(|all| {
            let mean = all.iter().sum::<f32>() / channels as f32;
            (mean * f32::from(i16::MAX)).round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
        })
        .collect();
    if spec.sample_rate == rate {
        return Ok(mixed);
    }
    let mut out = Vec::new();
    Resampler::new(spec.sample_rate, rate).push(&mixed, &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(name: &str, channels: u16, rate: u32, seconds: u32) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("dgh-wav-{}-{name}.wav", std::process::id()));
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(&path, spec).unwrap();
        for at in 0..rate * seconds {
            for channel in 0..channels {
                let sample = if channel == 0 { (at % 100) as i16 * 100 } else { 0 };
                wav.write_sample(sample).unwrap();
            }
        }
        wav.finalize().unwrap();
        path
    }

    #[test]
    fn channels_are_mixed_and_rates_converted() {
        let stereo = file("stereo", 2, 8_000, 1);
        let same = read(&stereo, 8_000).unwrap();
        assert_eq!((same.len(), same.get(50).copied()), (8_000, Some(2_500)));
        let wide = read(&stereo, 16_000).unwrap();
        assert!(wide.len().abs_diff(16_000) < 200, "{}", wide.len());
        std::fs::remove_file(stereo).unwrap();
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let long = file("long", 1, 8_000, 301);
        assert!(matches!(read(&long, 8_000), Err(WavError::TooLong)));
        std::fs::remove_file(long).unwrap();
        assert!(matches!(read(Path::new("/nowhere.wav"), 8_000), Err(WavError::Read(_))));
    }
}
