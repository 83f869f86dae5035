//! What can be set about turns: by the node, by the agent, by the operator.

use crate::Millis;

/// What the program says about turns, where the call is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Words that it takes to interrupt; none: the sound of a voice is enough.
    pub min_words: Option<u32>,
    /// Silence that ends a turn, when the program says: then nothing else does.
    pub end_after: Option<Millis>,
}

/// What the runtime assumes; named, so that it can be measured and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Voice without a break before the agent's sound is held.
    pub hold_after: Millis,
    /// Voice that makes an interruption certain, without a word.
    pub cut_after: Millis,
    /// How long sound is held for a decision, from the end of the voice.
    pub resume_after: Millis,
    /// Silence that ends a turn whose words sound complete (`.`, `?`, `!`).
    pub end_complete: Millis,
    /// Silence that ends a turn otherwise.
    pub end_open: Millis,
    /// Silence that ends a turn whose words ask for more: `and`, `my number is`, a comma, `uh`.
    pub end_unfinished: Millis,
    /// Longest wait for final words after the voice stopped; then partial ones are taken.
    pub final_wait: Millis,
    /// Longest turn; a caller who never stops is answered in between.
    pub longest_turn: Millis,
}

impl Default for Policy {
    fn default() -> Self {
        Self { min_words: None, end_after: None }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            hold_after: 100,
            cut_after: 600,
            resume_after: 700,
            end_complete: 300,
            end_open: 600,
            end_unfinished: 1_200,
            final_wait: 1_500,
            longest_turn: 60_000,
        }
    }
}
