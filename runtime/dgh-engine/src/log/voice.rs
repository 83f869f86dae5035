//! What the voice measured and met. It is kept with the facts, and a replay skips it: the engine
//! never sees it.

use serde::{Deserialize, Serialize};

/// A line of the voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Voice {
    /// How long an answer took.
    Timing(Timing),
    /// Something went wrong, and what was done about it.
    Trouble {
        /// `stt`, `tts`, `realtime`, `line`, `recording`.
        part: String,
        /// What happened; holds no secret and no words of the call.
        message: String,
    },
    /// The caller seemed to interrupt, and did not; the agent went on.
    FalseInterruption,
    /// An answer that was prepared was not wanted: the caller went on.
    Discarded,
    /// A call began or ended to use a provider.
    Provider {
        /// `stt`, `tts`, `realtime`.
        part: String,
        /// Name of the provider.
        provider: String,
        /// Milliseconds that connecting took.
        connect_ms: u64,
    },
}

/// The way from the caller's last sound to the agent's first one. All in microseconds since the
/// start of the call; what did not happen is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Number of the caller's turn, from 1.
    pub turn: u32,
    /// The caller's last sound.
    pub speech_ended: Option<u64>,
    /// The last words were final.
    pub transcript: Option<u64>,
    /// A model was asked.
    pub asked: Option<u64>,
    /// Its first piece came.
    pub first_token: Option<u64>,
    /// Its first sentence was complete; exact words: they were chosen.
    pub first_sentence: Option<u64>,
    /// A route was chosen.
    pub route: Option<u64>,
    /// The turn was taken for over.
    pub turn_over: Option<u64>,
    /// A voice was asked.
    pub voice_asked: Option<u64>,
    /// Its first sound came.
    pub first_sound: Option<u64>,
    /// The first frame went out.
    pub first_frame: Option<u64>,
}

impl Timing {
    /// From the caller's last sound to the agent's first one.
    pub fn voice_to_voice(&self) -> Option<u64> {
        self.first_frame?.checked_sub(self.speech_ended?)
    }

    /// What the recogniser took.
    pub fn recogniser(&self) -> Option<u64> {
        self.transcript?.checked_sub(self.speech_ended?)
    }

    /// What the model took, to its first sentence.
    pub fn model(&self) -> Option<u64> {
        self.first_sentence?.checked_sub(self.asked?)
    }

    /// What the voice took.
    pub fn voice(&self) -> Option<u64> {
        self.first_sound?.checked_sub(self.voice_asked?)
    }

    /// How long everything waited for the turn to be over although an answer was there: the price
    /// of not talking over a caller who goes on.
    pub fn waited(&self) -> u64 {
        let (Some(over), Some(sound)) = (self.turn_over, self.first_sound) else { return 0 };
        let ready = sound.max(self.transcript.unwrap_or(0));
        over.saturating_sub(ready)
    }

    /// What is neither a provider's nor the wait for the end of the turn: the runtime's own share.
    pub fn own(&self) -> Option<u64> {
        let parts = [self.recogniser(), self.model(), self.voice()];
        let theirs: u64 = parts.into_iter().flatten().sum();
        Some(self.voice_to_voice()?.saturating_sub(theirs).saturating_sub(self.endpointing()))
    }

    /// The wait for the end of the turn, as far as nothing else was going on meanwhile.
    pub fn endpointing(&self) -> u64 {
        match (self.turn_over, self.asked) {
            // The answer was asked for when the turn was over: all of the wait counts.
            (Some(over), Some(asked)) if asked >= over => {
                over.saturating_sub(self.transcript.unwrap_or(over))
            }
            // The answer was there, and its sound was asked for when the turn was over.
            (Some(over), asked) if self.voice_asked.is_some_and(|voice| voice >= over) => {
                let ready = [asked, self.transcript, self.first_sentence].into_iter().flatten().max();
                over.saturating_sub(ready.unwrap_or(over))
            }
            _ => self.waited(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timing;

    const SPOKE: Timing = Timing {
        turn: 1,
        speech_ended: Some(1_000_000),
        transcript: Some(1_150_000),
        asked: Some(1_151_000),
        first_token: Some(1_451_000),
        first_sentence: Some(1_500_000),
        route: None,
        turn_over: Some(1_300_000),
        voice_asked: Some(1_501_000),
        first_sound: Some(1_621_000),
        first_frame: Some(1_622_000),
    };

    #[test]
    fn the_runtime_answers_for_what_is_nobody_elses() {
        assert_eq!(SPOKE.voice_to_voice(), Some(622_000));
        assert_eq!(
            (SPOKE.recogniser(), SPOKE.model(), SPOKE.voice()),
            (Some(150_000), Some(349_000), Some(120_000))
        );
        // The turn was over while the model worked: nobody waited for it.
        assert_eq!(SPOKE.endpointing(), 0);
        assert_eq!(SPOKE.own(), Some(3_000));
    }

    #[test]
    fn waiting_for_the_end_of_a_turn_is_nobodys_fault() {
        let held = Timing { turn_over: Some(1_700_000), first_frame: Some(1_701_000), ..SPOKE };
        assert_eq!((held.endpointing(), held.own()), (79_000, Some(3_000)));
        let unprepared = Timing {
            turn_over: Some(1_450_000),
            asked: Some(1_451_000),
            first_sentence: Some(1_800_000),
            voice_asked: Some(1_801_000),
            first_sound: Some(1_921_000),
            first_frame: Some(1_922_000),
            ..SPOKE
        };
        assert_eq!((unprepared.endpointing(), unprepared.own()), (300_000, Some(3_000)));
        // The words were ready before the turn was over, their sound was asked for after it.
        let silent = Timing {
            turn_over: Some(1_700_000),
            voice_asked: Some(1_701_000),
            first_sound: Some(1_821_000),
            first_frame: Some(1_822_000),
            ..SPOKE
        };
        assert_eq!((silent.endpointing(), silent.own()), (200_000, Some(3_000)));
    }
}
