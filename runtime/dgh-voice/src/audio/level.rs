//! How loud sound is, in decibels below the loudest there can be (dBFS).

/// What silence measures: the quietest level that is told apart.
pub const SILENCE_DB: f32 = -100.0;

/// The mean power of sound in dBFS: 0 is a square wave at full scale, −3 the loudest sine, −20 to
/// −30 speech on a telephone, −60 and less a quiet room.
pub fn level_db(samples: &[i16]) -> f32 {
    decibels(power(samples))
}

/// The mean square of the samples, 1 at full scale.
pub fn power(samples: &[i16]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    // Shorter than a frame sums are exact in 64 bits; the compiler makes vectors of it.
    let sum: u64 = samples.iter().map(|sample| u64::from(i32::from(*sample).pow(2).unsigned_abs())).sum();
    sum as f32 / samples.len() as f32 / (32_768.0 * 32_768.0)
}

/// A power in dBFS.
pub fn decibels(power: f32) -> f32 {
    if power <= 1e-10 { SILENCE_DB } else { 10.0 * power.log10() }
}

#[cfg(test)]
mod tests {
    use super::super::signals::tone;
    use super::*;

    #[test]
    fn levels_are_those_of_textbooks() {
        assert!((level_db(&[i16::MIN; 160])).abs() < 0.01);
        assert!((level_db(&tone(1_000.0, 8_000, 20, 1.0)) + 3.01).abs() < 0.05);
        assert!((level_db(&tone(1_000.0, 8_000, 20, 0.1)) + 23.01).abs() < 0.05);
        assert!((level_db(&[0; 160]) - SILENCE_DB).abs() < f32::EPSILON);
        assert!((level_db(&[]) - SILENCE_DB).abs() < f32::EPSILON);
    }
}
