//! The sound of a sentence as a call wants it: no silence to wait through, as loud as other voices.

/// Mean level of what is spoken, of full scale: -20 dB.
const LEVEL: f32 = 0.1;
/// No sample gets louder: -1 dB of full scale.
const PEAK: f32 = 0.89;
/// Noise is not made speech.
const MAX_GAIN: f32 = 10.0;
/// Silence that is left before and after.
const MARGIN_MS: usize = 60;
/// Length of a window.
const WINDOW_MS: usize = 10;
/// Windows quieter than this share of the loudest are silence: -40 dB.
const SILENCE: f32 = 0.01;

/// Cuts the silence at both ends and evens the level.
pub(super) fn shape(samples: &mut Vec<i16>, rate: u32) {
    let window = (rate as usize * WINDOW_MS / 1_000).max(1);
    let levels: Vec<f32> = samples.chunks(window).map(level).collect();
    let floor = levels.iter().copied().fold(0.0, f32::max) * SILENCE;
    let first = levels.iter().position(|level| *level > floor);
    let last = levels.iter().rposition(|level| *level > floor);
    let (Some(first), Some(last)) = (first, last) else {
        samples.clear();
        return;
    };
    let margin = MARGIN_MS / WINDOW_MS;
    samples.truncate((last + 1 + margin).saturating_mul(window));
    samples.drain(..(first.saturating_sub(margin) * window).min(samples.len()));
    even(samples, &levels, floor);
}

fn even(samples: &mut [i16], levels: &[f32], floor: f32) {
    let spoken: Vec<f32> = levels.iter().copied().filter(|level| *level > floor).collect();
    let mean = (spoken.iter().map(|level| level * level).sum::<f32>() / spoken.len().max(1) as f32).sqrt();
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
    let peak = f32::from(peak) / 32_768.0;
    let gain = (LEVEL / mean.max(f32::EPSILON)).min(PEAK / peak.max(f32::EPSILON)).min(MAX_GAIN);
    for sample in samples {
        *sample = (f32::from(*sample) * gain).round() as i16;
    }
}

/// Root of the mean square, of full scale.
fn level(samples: &[i16]) -> f32 {
    let sum: f32 = samples.iter().map(|sample| (f32::from(*sample) / 32_768.0).powi(2)).sum();
    (sum / samples.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(ms: usize, peak: f32) -> impl Iterator<Item = i16> {
        (0..ms * 16).map(move |n| ((n as f32 * 0.3).sin() * peak) as i16)
    }

    #[test]
    fn silence_goes_and_what_is_quiet_gets_louder() {
        let mut sound: Vec<i16> = std::iter::repeat_n(3, 16 * 400).collect();
        sound.extend(tone(500, 1_000.0));
        sound.extend(std::iter::repeat_n(-3, 16 * 700));
        shape(&mut sound, 16_000);
        assert_eq!(sound.len() / 16, 60 + 500 + 60);
        let spoken = level(sound.get(16 * 70..16 * 550).unwrap_or_default());
        assert!((spoken - LEVEL).abs() < 0.005, "{spoken}");
    }

    #[test]
    fn no_peak_is_clipped_and_noise_stays_noise() {
        let mut spiky: Vec<i16> = tone(500, 300.0).collect();
        if let Some(spike) = spiky.get_mut(4_000) {
            *spike = i16::MIN;
        }
        shape(&mut spiky, 16_000);
        assert_eq!(spiky.iter().map(|s| s.unsigned_abs()).max(), Some((PEAK * 32_768.0).round() as u16));
        let mut hum: Vec<i16> = tone(300, 10.0).collect();
        shape(&mut hum, 16_000);
        assert!(hum.iter().all(|sample| sample.unsigned_abs() <= 100));
    }

    #[test]
    fn nothing_stays_nothing() {
        for mut nothing in [Vec::new(), vec![0; 9_000]] {
            shape(&mut nothing, 16_000);
            assert!(nothing.is_empty());
        }
        let mut short = vec![900; 7];
        shape(&mut short, 16_000);
        assert_eq!(short.len(), 7);
    }
}
