//! What can be set about turns: by the node, by the agent, by the operator.

use crate::Millis;

/// What the program says about turns, where the call is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Words that it takes to interrupt; none: the sound of a voice is enough.
    pub min_words: Option<u32>,
    /// Silence that ends a turn, when the program says: then nothing else does.
    pub end_after: Option<Millis>,
}

/// What the runtime assumes; named, so that it can be measured and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Voice without a break before the agent's sound is held. After false interruptions it takes
    /// longer, up to four times as long, until there is a true one.
    pub hold_after: Millis,
    /// Voice that makes an interruption certain, whatever the words are; twice that when they are
    /// nothing but a backchannel. Without a recogniser it needs no words.
    pub cut_after: Millis,
    /// How long sound is held for a decision, from the end of the voice.
    pub resume_after: Millis,
    /// How long sound is held for a voice that does not end and of which no word is understood.
    pub longest_hold: Millis,
    /// A voice that is shorter is a noise, unless there are words.
    pub shortest_speech: Millis,
    /// A pause after which the recogniser is asked for its last words.
    pub finish_after: Millis,
    /// Silence that ends a turn whose words sound complete (`.`, `?`, `!`, `yes`).
    pub end_complete: Millis,
    /// Silence that ends a turn otherwise.
    pub end_open: Millis,
    /// Silence that ends a turn whose words ask for more: `and`, `my number is`, a comma, `uh`.
    pub end_unfinished: Millis,
    /// Longest wait for final words after the voice stopped; then partial ones are taken.
    pub final_wait: Millis,
    /// A backchannel was an answer after all when the agent's sound ends so soon after it.
    pub answer_within: Millis,
    /// Longest turn; a caller who never stops is answered in between.
    pub longest_turn: Millis,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            hold_after: 100,
            cut_after: 600,
            resume_after: 700,
            longest_hold: 3_000,
            shortest_speech: 300,
            finish_after: 100,
            end_complete: 300,
            end_open: 600,
            end_unfinished: 1_200,
            final_wait: 1_500,
            answer_within: 1_000,
            longest_turn: 60_000,
        }
    }
}
