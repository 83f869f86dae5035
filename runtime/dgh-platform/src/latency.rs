//! The figures of a turn, as tables, pages and metrics show them.

use dgh_engine::log::{Log, Timing, Voice, What};
use serde::Serialize;

/// One turn. Microseconds; moments count from the caller's last sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Number of the caller's turn, from 1.
    pub turn: u32,
    /// When the last words were final.
    pub transcript: Option<i64>,
    /// When the turn was taken for over.
    pub turn_over: Option<i64>,
    /// When a model was asked.
    pub asked: Option<i64>,
    /// When its first piece came.
    pub first_token: Option<i64>,
    /// When its first sentence was complete.
    pub first_sentence: Option<i64>,
    /// When a route was chosen.
    pub route: Option<i64>,
    /// When a voice was asked.
    pub voice_asked: Option<i64>,
    /// When its first sound came.
    pub first_sound: Option<i64>,
    /// When the first frame went out: the time from voice to voice.
    pub first_frame: Option<i64>,
    /// The recogniser's share.
    pub recogniser: Option<u64>,
    /// The wait for the end of the turn.
    pub endpointing: u64,
    /// The model's share, to its first sentence.
    pub model: Option<u64>,
    /// The voice's share, to its first sound.
    pub voice: Option<u64>,
    /// The runtime's own share.
    pub own: Option<u64>,
}

impl From<&Timing> for Turn {
    fn from(timing: &Timing) -> Self {
        let start = timing.speech_ended;
        let since = |at: Option<u64>| Some(i64::try_from(at?).ok()? - i64::try_from(start?).ok()?);
        Self {
            turn: timing.turn,
            transcript: since(timing.transcript),
            turn_over: since(timing.turn_over),
            asked: since(timing.asked),
            first_token: since(timing.first_token),
            first_sentence: since(timing.first_sentence),
            route: since(timing.route),
            voice_asked: since(timing.voice_asked),
            first_sound: since(timing.first_sound),
            first_frame: since(timing.first_frame),
            recogniser: timing.recogniser(),
            endpointing: timing.endpointing(),
            model: timing.model(),
            voice: timing.voice(),
            own: timing.own(),
        }
    }
}

/// The turns of a log that were spoken and answered.
pub fn turns(log: &Log) -> Vec<Turn> {
    let timings = log.entries.iter().filter_map(|entry| match &entry.what {
        What::Voice(Voice::Timing(timing)) => Some(Turn::from(timing)),
        _ => None,
    });
    timings.collect()
}

/// The value that so many percent of the values do not exceed (nearest rank); none of none.
pub fn percentile<T: Copy + Ord>(values: impl IntoIterator<Item = T>, percent: usize) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_from_the_last_sound() {
        let timing = Timing {
            turn: 3,
            speech_ended: Some(2_000_000),
            transcript: Some(2_150_000),
            asked: Some(2_150_500),
            turn_over: Some(2_300_000),
            first_sentence: Some(2_450_000),
            first_frame: Some(2_600_000),
            ..Timing::default()
        };
        let turn = Turn::from(&timing);
        assert_eq!((turn.turn, turn.transcript, turn.first_frame), (3, Some(150_000), Some(600_000)));
        assert_eq!((turn.recogniser, turn.model, turn.voice), (Some(150_000), Some(299_500), None));
        assert_eq!((turn.first_token, turn.own), (None, timing.own()));
    }

    #[test]
    fn without_a_last_sound_there_is_nothing_to_count_from() {
        let turn = Turn::from(&Timing { turn: 1, first_frame: Some(5), ..Timing::default() });
        assert_eq!((turn.first_frame, turn.own), (None, None));
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!(percentile([5, 1, 4, 2, 3], 50), Some(3));
        assert_eq!(percentile(1..=100, 95), Some(95));
        assert_eq!(percentile([7], 95), Some(7));
        assert_eq!(percentile(Vec::<u8>::new(), 50), None);
    }
}
