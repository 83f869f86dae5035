//! The speech of one reply: its words cut into sentences, its sound, and which of the sound belongs
//! to which sentence.

use std::collections::VecDeque;

use dgh_engine::event::{Event, ReplyId, UtteranceId};
use dgh_providers::sentences::Sentences;

use super::Told;

/// Milliseconds of a letter, before the length of the whole is known.
const LETTER_MS: u64 = 65;

/// What a reply says.
pub(super) struct Speech {
    pub(super) reply: ReplyId,
    /// Calls that are told at the end.
    pub(super) calls: Vec<Event>,
    /// The end, until it is told.
    pub(super) closed: Option<Event>,
    /// It was cut or dropped: what comes of it is not wanted.
    pub(super) cut: bool,
    /// Sound at the rate of the line that no sentence has yet.
    pub(super) sound: Vec<i16>,
    rate: u32,
    sentences: Sentences,
    parts: VecDeque<Part>,
    /// The part that gets sound now.
    current: usize,
    /// Everything came.
    is_over: bool,
    /// Its words are given, not its own.
    recites: bool,
}

/// A sentence.
struct Part {
    text: String,
    letters: u64,
    utterance: Option<UtteranceId>,
    /// Samples that it got.
    given: u64,
    complete: bool,
    played: bool,
}

impl Speech {
    pub(super) fn new(reply: ReplyId, rate: u32) -> Self {
        Self {
            reply,
            calls: Vec::new(),
            closed: None,
            cut: false,
            sound: Vec::new(),
            rate,
            sentences: Sentences::default(),
            parts: VecDeque::new(),
            current: 0,
            is_over: false,
            recites: false,
        }
    }

    /// Words that are to be said as they are.
    pub(super) fn reciting(reply: ReplyId, rate: u32, utterance: UtteranceId, text: &str) -> Self {
        let mut speech = Self { recites: true, ..Self::new(reply, rate) };
        speech.parts.push_back(Part::new(text.to_owned(), Some(utterance)));
        speech
    }

    /// Whether its words are given.
    pub(super) fn recites(&self) -> bool {
        self.recites
    }

    /// More words.
    pub(super) fn words(&mut self, text: &str, told: &mut VecDeque<Told>) {
        if self.recites {
            return;
        }
        let mut sentences = self.sentences.push(text);
        // Elsewhere the letter behind is waited for, so that no voice stumbles over half a sentence.
        // Here the sound is whole wherever its words are cut, and must not wait.
        if ends_a_sentence(text) {
            sentences.extend(self.sentences.push("\n"));
        }
        for sentence in sentences {
            self.sentence(sentence, told);
        }
    }

    /// No more words and no more sound.
    pub(super) fn over(&mut self, told: &mut VecDeque<Told>) {
        if let Some(rest) = self.sentences.finish().filter(|_| !self.cut) {
            self.sentence(rest, told);
        }
        self.is_over = true;
    }

    /// The rest of a sentence that was begun is not told.
    pub(super) fn sentences_over(&mut self) {
        self.sentences = Sentences::default();
    }

    /// Takes an utterance for the next sentence with these words.
    pub(super) fn bind(&mut self, utterance: UtteranceId, text: &str) -> bool {
        let part =
            self.parts.iter_mut().find(|part| part.utterance.is_none() && part.text.trim() == text.trim());
        match part.filter(|_| !self.cut) {
            Some(part) => {
                part.utterance = Some(utterance);
                true
            }
            None => false,
        }
    }

    pub(super) fn holds(&self, utterance: UtteranceId) -> bool {
        self.parts.iter().any(|part| part.utterance == Some(utterance))
    }

    /// Whether something of it is spoken after that utterance.
    pub(super) fn follows(&self, utterance: UtteranceId) -> bool {
        self.parts.iter().any(|part| part.utterance > Some(utterance))
    }

    /// Hands on sound to sentences that are spoken.
    pub(super) fn give(&mut self, told: &mut VecDeque<Told>) {
        while !self.cut {
            let next_is_known = self.parts.len() > self.current + 1;
            let quota = self.quota();
            let Some(part) = self.parts.get_mut(self.current) else { return };
            let Some(utterance) = part.utterance else { return };
            // While the next sentence is not known, what comes is still of this one, as far as
            // anybody can tell: the caller must not wait for it.
            let wanted = if next_is_known { quota.saturating_sub(part.given) } else { u64::MAX };
            let take = usize::try_from(wanted).unwrap_or(usize::MAX).min(self.sound.len());
            if take > 0 {
                part.given += take as u64;
                let rest = self.sound.split_off(take);
                told.push_back(Told::Sound(utterance, std::mem::replace(&mut self.sound, rest)));
            }
            let full = next_is_known && part.given >= quota;
            let last = self.is_over && (self.sound.is_empty() || !next_is_known);
            if !full && (!last || !self.sound.is_empty()) {
                return;
            }
            part.complete = true;
            told.push_back(Told::Complete(utterance));
            self.current += 1;
        }
    }

    /// Samples that the current sentence should get.
    fn quota(&self) -> u64 {
        let Some(part) = self.parts.get(self.current) else { return 0 };
        if self.is_over {
            let left: u64 = self.parts.iter().skip(self.current).map(|part| part.letters).sum();
            let samples = self.sound.len() as u64 + part.given;
            return samples * part.letters / left.max(1);
        }
        part.letters * LETTER_MS * u64::from(self.rate) / 1_000
    }

    /// Milliseconds of its sound that were handed on.
    pub(super) fn given_ms(&self) -> u32 {
        self.millis(self.parts.iter().map(|part| part.given).sum())
    }

    /// Milliseconds of its sound that were heard, when so many bytes of this utterance were.
    pub(super) fn heard_ms(&self, utterance: UtteranceId, bytes: u32) -> u32 {
        let mut samples = 0;
        for part in &self.parts {
            if part.utterance == Some(utterance) {
                let length = (part.text.len() as u64).max(1);
                samples += part.given * u64::from(bytes).min(length) / length;
                break;
            }
            if part.utterance > Some(utterance) {
                break;
            }
            samples += part.given;
        }
        self.millis(samples)
    }

    pub(super) fn finished(&mut self, utterance: UtteranceId) {
        for part in &mut self.parts {
            part.played |= part.utterance == Some(utterance);
        }
    }

    /// Nothing more of it sounds.
    pub(super) fn stop(&mut self) {
        self.sound.clear();
        for part in &mut self.parts {
            part.complete = true;
            part.played = true;
        }
    }

    /// What was not handed on is dropped; what was sounds to its end.
    pub(super) fn drop_rest(&mut self, told: &mut VecDeque<Told>) {
        self.sound.clear();
        for part in self.parts.iter_mut().filter(|part| !part.complete) {
            part.complete = true;
            told.extend(part.utterance.map(Told::Complete));
        }
    }

    /// Whether everything that was spoken of it was played.
    pub(super) fn is_played(&self) -> bool {
        self.parts.iter().all(|part| part.utterance.is_none() || part.played)
    }

    /// Whether it chose a route.
    pub(super) fn goes(&self) -> bool {
        self.calls.iter().any(|call| matches!(call, Event::ReplyCall { name, .. } if name == "go"))
    }

    /// Its sentences.
    pub(super) fn text(&self) -> String {
        let texts: Vec<_> = self.parts.iter().map(|part| part.text.as_str()).collect();
        texts.join(" ")
    }

    /// Whether nothing of it was told.
    pub(super) fn is_untold(&self) -> bool {
        self.parts.is_empty()
    }

    fn sentence(&mut self, text: String, told: &mut VecDeque<Told>) {
        told.push_back(Told::Engine(Event::ReplySentence { reply: self.reply, text: text.clone() }));
        self.parts.push_back(Part::new(text, None));
    }

    fn millis(&self, samples: u64) -> u32 {
        u32::try_from(samples * 1_000 / u64::from(self.rate.max(1))).unwrap_or(u32::MAX)
    }
}

impl Part {
    fn new(text: String, utterance: Option<UtteranceId>) -> Self {
        let letters = text.chars().count() as u64;
        Self { text, letters, utterance, given: 0, complete: false, played: false }
    }
}

fn ends_a_sentence(text: &str) -> bool {
    let mut back = text.trim_end().chars().rev();
    match back.next() {
        Some('.') => back.next().is_some_and(|before| !before.is_ascii_digit()),
        Some('!' | '?' | '…' | '。' | '！' | '？') => true,
        _ => false,
    }
}
