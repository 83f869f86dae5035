//! What the caller is saying: a turn in the making.

use super::Turn;
use super::echo::after_words;
use super::words::{Backchannel, Ending, backchannel, ending, plain};
use crate::Millis;

/// Words that were taken before the recogniser was sure of them; it may tell them again.
const TOLD_AGAIN_MS: Millis = 8_000;

/// A turn in the making.
#[derive(Debug, Default)]
pub(super) struct Speech {
    /// Since when there is voice or words; none: there is nothing.
    pub(super) began: Option<Millis>,
    /// Voice of stretches that are over.
    pub(super) voiced: Millis,
    /// When the voice of this turn ended last; none: there was no voice, only words.
    pub(super) voice_until: Option<Millis>,
    /// It began while the agent's sound went out.
    pub(super) over_agent: bool,
    /// It began when the agent's echo could be heard: without words it is nothing.
    pub(super) maybe_echo: bool,
    /// Final words, and words that may change.
    text: String,
    partial: String,
    confidence: Option<u8>,
    language: Option<String>,
    /// When words were final last, and when they grew last.
    pub(super) final_at: Millis,
    pub(super) grew_at: Millis,
    /// When words came last, of either kind.
    pub(super) heard_at: Millis,
    /// The words may be the agent's own; with more words one will know.
    pub(super) doubtful: bool,
    /// That the caller speaks was told.
    pub(super) told: bool,
    /// In this pause the recogniser was asked for its last words.
    pub(super) finish_asked: bool,
    /// In this pause it answered that there are none.
    pub(super) nothing_more: bool,
    /// What the recogniser says about the end of the turn.
    pub(super) end: SaidEnd,
    backchannel: Option<Backchannel>,
    ending: Option<Ending>,
    words: usize,
}

/// What the recogniser says about the end of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SaidEnd {
    /// Nothing.
    #[default]
    Nothing,
    /// It may be over.
    Maybe,
    /// It is not over.
    No,
    /// It is over.
    Over,
}

impl Speech {
    /// The turn goes on.
    pub(super) fn begin(&mut self, now: Millis, over_agent: bool, maybe_echo: bool) {
        if self.began.is_none() {
            self.began = Some(now);
            self.over_agent = over_agent;
            self.maybe_echo = maybe_echo;
        }
    }

    /// Words that may change. Answers whether they did.
    pub(super) fn partial(&mut self, words: &str, language: &str, now: Millis) -> bool {
        if plain(words) == plain(&self.partial) {
            words.clone_into(&mut self.partial);
            return false;
        }
        words.clone_into(&mut self.partial);
        if !words.is_empty() {
            self.grew_at = now;
            self.heard_at = now;
        }
        self.weigh(language);
        true
    }

    /// Words that will not change.
    pub(super) fn add(&mut self, words: &str, confidence: Option<u8>, tag: Option<String>, now: Millis) {
        self.partial.clear();
        if !words.is_empty() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(words);
            self.confidence = match (self.confidence, confidence) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            self.language = tag.or(self.language.take());
            self.heard_at = now;
        }
        self.final_at = now;
    }

    /// What the words so far tell, in a language.
    pub(super) fn weigh(&mut self, language: &str) {
        let whole = self.whole();
        self.words = plain(&whole).len();
        self.backchannel = (self.words > 0).then(|| match backchannel(&whole, language) {
            // Final words begin nothing.
            Backchannel::Begins if self.partial.is_empty() => Backchannel::No,
            Backchannel::No if self.doubtful => Backchannel::Begins,
            other => other,
        });
        self.ending = (self.words > 0).then(|| ending(&whole, language));
    }

    /// The words that may still change are taken as they are. Answers them.
    pub(super) fn take_partial(&mut self, language: &str, now: Millis) -> String {
        let partial = std::mem::take(&mut self.partial);
        if !partial.is_empty() {
            self.add(&partial, None, None, now);
            self.weigh(language);
        }
        partial
    }

    /// All words so far.
    pub(super) fn whole(&self) -> String {
        match (self.text.is_empty(), self.partial.is_empty()) {
            (false, false) => format!("{} {}", self.text, self.partial),
            (true, false) => self.partial.clone(),
            _ => self.text.clone(),
        }
    }

    /// How many words there are.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Whether words may still change.
    pub(super) fn is_pending(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Whether the words are a backchannel; none: there are no words.
    pub(super) fn backchannel(&self) -> Option<Backchannel> {
        self.backchannel
    }

    /// How the words end; none: there are none.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The turn, as far as it goes.
    pub(super) fn turn(&self, spoke_until: Millis) -> Turn {
        Turn {
            text: self.whole(),
            confidence: self.confidence,
            language: self.language.clone(),
            spoke_until,
            final_at: self.final_at.max(if self.is_pending() { self.grew_at } else { 0 }),
        }
    }

    /// A turn that was set aside comes before this one.
    pub(super) fn put_before(&mut self, aside: Turn, language: &str) {
        let later = std::mem::replace(&mut self.text, aside.text);
        if !later.is_empty() {
            self.text.push(' ');
            self.text.push_str(&later);
        }
        self.confidence = match (self.confidence, aside.confidence) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.language = self.language.take().or(aside.language);
        self.final_at = self.final_at.max(aside.final_at);
        self.weigh(language);
    }
}

/// Words that were taken as they were when their turn was over. The recogniser will tell the same
/// sound again, as more partial words and then as final ones: only what comes after is new.
#[derive(Debug)]
pub(super) struct Taken {
    words: Vec<String>,
    at: Millis,
    /// The caller spoke again since.
    pub(super) spoke_since: bool,
}

impl Taken {
    /// Words that are taken now, after those taken before.
    pub(super) fn more(before: Option<Self>, words: &str, now: Millis) -> Option<Self> {
        let words = plain(words);
        if words.is_empty() {
            return before;
        }
        let mut all = before.map_or_else(Vec::new, |before| before.words);
        all.extend(words);
        Some(Self { words: all, at: now, spoke_since: false })
    }

    /// What is new in words of the same sound; none: these are words of another sound.
    pub(super) fn without<'a>(&self, heard: &'a str, now: Millis) -> Option<&'a str> {
        if now > self.at + TOLD_AGAIN_MS {
            return None;
        }
        let words = plain(heard);
        let same = self.words.iter().zip(&words).filter(|(a, b)| a == b).count();
        let alike = same * 2 >= self.words.len().min(words.len());
        (alike || !self.spoke_since).then(|| after_words(heard, self.words.len()))
    }
}
