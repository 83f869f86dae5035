//! Who answered an outbound call: a person, a voicemail, an assistant that screens calls. Decided
//! from the first seconds: words and timing.
//!
//! A person says a word or two and waits. A machine speaks for seconds without a pause, and says
//! what machines say ([`phrases`]). Decided once; of a voicemail it is told that it greets, and
//! when its greeting is over.

#[cfg(test)]
mod tests;

use dgh_engine::event::AnsweredBy;
use dgh_engine::phrases::{self, Weight};

use crate::Millis;
use crate::turn::plain;

/// Decided at the latest so long after the call was answered.
pub const LATEST_MS: Millis = 8_000;
/// Decided at the latest after so many turns of the other side.
pub const LATEST_TURNS: u32 = 2;
/// A voicemail whose beep is not heard listens when it has been quiet for so long.
pub const GREETING_OVER_MS: Millis = 1_500;
/// A voicemail that is never quiet is spoken to all the same.
pub const LONGEST_GREETING_MS: Millis = 30_000;

/// Voice with shorter breaks is one piece.
const BREAK_MS: Millis = 400;
/// A piece of voice that suggests a machine, and one that leaves no doubt.
const LONG_MS: Millis = 4_000;
const MACHINE_MS: Millis = 6_000;
/// Longest first word of a person: `hello`, and one of a person at work.
const HELLO_MS: Millis = 1_200;
const GREETING_MS: Millis = 3_500;
const HELLO_WORDS: usize = 3;
/// How long a person waits for an answer: after `hello`, after more, after what was not understood.
const HELLO_WAIT_MS: Millis = 700;
const GREETING_WAIT_MS: Millis = 1_500;
const VOICE_WAIT_MS: Millis = 2_000;
/// After words that only a person says.
const HUMAN_WAIT_MS: Millis = 300;
/// A screening assistant has asked its question.
const SCREENING_WAIT_MS: Millis = 700;
/// Longest wait for that.
const LONGEST_QUESTION_MS: Millis = 12_000;

/// A fact about the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The detector: its sound became speech, or stopped being speech.
    Voice(bool),
    /// Words so far, since the last final ones.
    Partial(String),
    /// Words that will not change.
    Words(String),
    /// A turn of it is over.
    TurnOver,
    /// The beep of a voicemail was heard, and is over.
    Beep,
    /// What the carrier found out.
    Carrier(AnsweredBy),
    /// Nothing but the time.
    Tick,
}

/// Finds out who answered.
#[derive(Debug)]
pub struct Classifier {
    began: Millis,
    now: Millis,
    voice: bool,
    /// The piece of voice that goes on, or was the last.
    piece: Option<(Millis, Millis)>,
    longest: Millis,
    text: String,
    partial: String,
    words_at: Millis,
    weight: Weight,
    words: usize,
    turns: u32,
    beep: bool,
    /// Who it is, and since when that is known.
    known: Option<(AnsweredBy, Millis)>,
    told: bool,
    /// A voicemail greets: to be told, and told.
    greets: bool,
    greeted: bool,
    verdict: Option<AnsweredBy>,
    wake: Option<Millis>,
}

impl Classifier {
    /// The call was answered now.
    pub fn new(now: Millis) -> Self {
        let mut classifier = Self {
            began: now,
            now,
            voice: false,
            piece: None,
            longest: 0,
            text: String::new(),
            partial: String::new(),
            words_at: now,
            weight: Weight::default(),
            words: 0,
            turns: 0,
            beep: false,
            known: None,
            told: false,
            greets: false,
            greeted: false,
            verdict: None,
            wake: None,
        };
        classifier.decide();
        classifier
    }

    /// Takes a fact.
    pub fn hears(&mut self, fact: Fact, now: Millis) {
        self.now = self.now.max(now);
        self.decide();
        match fact {
            Fact::Voice(on) => self.voice(on),
            Fact::Partial(words) => self.words(words, false),
            Fact::Words(words) => self.words(words, true),
            Fact::TurnOver => self.turns += 1,
            Fact::Beep => {
                self.beep = true;
                self.know(AnsweredBy::Voicemail);
            }
            Fact::Carrier(AnsweredBy::Unknown) | Fact::Tick => {}
            Fact::Carrier(who) => self.know(who),
        }
        self.decide();
    }

    /// What is to be told to the dialogue, once: a voicemail only when it listens.
    pub fn verdict(&mut self) -> Option<AnsweredBy> {
        self.verdict.take()
    }

    /// Whether a voicemail has been found out that does not listen yet; told once, before its verdict.
    pub fn greets(&mut self) -> bool {
        std::mem::take(&mut self.greets)
    }

    /// Who it is, as soon as that is known. A voicemail may still be speaking: it does not listen yet.
    pub fn known(&self) -> Option<AnsweredBy> {
        self.known.map(|(who, _)| who)
    }

    /// Whether everything is decided and told: no fact changes anything any more.
    pub fn is_done(&self) -> bool {
        self.told
    }

    /// When it wants to be told the time.
    pub fn deadline(&self) -> Option<Millis> {
        self.wake
    }

    fn voice(&mut self, on: bool) {
        if on == self.voice {
            return;
        }
        self.voice = on;
        match &mut self.piece {
            Some((_, until)) if !on => *until = self.now,
            Some((_, until)) if self.now < *until + BREAK_MS => {}
            _ if on => self.piece = Some((self.now, self.now)),
            _ => {}
        }
        self.longest = self.longest.max(self.length());
    }

    fn words(&mut self, words: String, last: bool) {
        if last {
            self.partial.clear();
            self.text.push(' ');
            self.text.push_str(&words);
        } else {
            self.partial = words;
        }
        let all = plain(&format!("{} {}", self.text, self.partial));
        if all.len() != self.words {
            self.words_at = self.now;
        }
        self.words = all.len();
        self.weight = phrases::weigh(&all);
    }

    fn know(&mut self, who: AnsweredBy) {
        if self.known.is_none() {
            self.known = Some((who, self.now));
        }
    }

    fn decide(&mut self) {
        self.wake = None;
        if self.told {
            return;
        }
        self.longest = self.longest.max(self.length());
        if self.known.is_none()
            && let Some(who) = self.recognise()
        {
            self.know(who);
        }
        let Some((who, since)) = self.known else { return };
        self.wake = None;
        let tell = match who {
            AnsweredBy::Voicemail => {
                self.beep || self.quiet(GREETING_OVER_MS) || self.due(since + LONGEST_GREETING_MS)
            }
            AnsweredBy::Screening => self.quiet(SCREENING_WAIT_MS) || self.due(since + LONGEST_QUESTION_MS),
            AnsweredBy::Human | AnsweredBy::Unknown => true,
        };
        if who == AnsweredBy::Voicemail && !tell && !std::mem::replace(&mut self.greeted, true) {
            self.greets = true;
        }
        if tell {
            self.told = true;
            self.greets = false;
            self.verdict = Some(who);
            self.wake = None;
        }
    }

    fn recognise(&mut self) -> Option<AnsweredBy> {
        if self.weight.screens() {
            return Some(AnsweredBy::Screening);
        }
        let long = self.reaches(LONG_MS);
        if self.weight.machine(long) {
            return Some(AnsweredBy::Voicemail);
        }
        // A menu of a company is neither a person nor a voicemail.
        let machine = !self.weight.menu && !self.weight.human && self.reaches(MACHINE_MS);
        if machine {
            return Some(AnsweredBy::Voicemail);
        }
        if self.waits() {
            return Some(AnsweredBy::Human);
        }
        let late = self.due(self.began + LATEST_MS) || self.turns >= LATEST_TURNS;
        late.then(|| {
            if self.weight.menu || (self.piece.is_none() && self.words == 0) {
                AnsweredBy::Unknown
            } else if self.weight.reminds_of_a_machine() && !self.weight.human {
                AnsweredBy::Voicemail
            } else {
                AnsweredBy::Human
            }
        })
    }

    /// Whether it spoke as a person does, and waits for an answer.
    fn waits(&mut self) -> bool {
        if self.weight.menu || self.weight.reminds_of_a_machine() && !self.weight.human {
            return false;
        }
        if self.weight.human {
            return self.quiet(HUMAN_WAIT_MS);
        }
        let wait = match (self.words, self.longest) {
            (0, ..=HELLO_MS) if self.piece.is_some() => VOICE_WAIT_MS,
            (1..=HELLO_WORDS, ..=HELLO_MS) => HELLO_WAIT_MS,
            (1.., ..=GREETING_MS) => GREETING_WAIT_MS,
            _ => return false,
        };
        self.quiet(wait)
    }

    /// Whether it has been quiet for so long.
    fn quiet(&mut self, wait: Millis) -> bool {
        if self.voice {
            return false;
        }
        let spoke = match self.piece {
            Some((_, until)) => until,
            None if self.words > 0 => self.words_at,
            None => self.began,
        };
        self.due(spoke + wait)
    }

    /// Whether a piece of voice is, or becomes, so long.
    fn reaches(&mut self, length: Millis) -> bool {
        match self.piece {
            _ if self.longest >= length => true,
            Some((from, _)) if self.voice => self.due(from + length),
            _ => false,
        }
    }

    /// How long the piece of voice is.
    fn length(&self) -> Millis {
        self.piece.map_or(0, |(from, until)| if self.voice { self.now } else { until } - from)
    }

    /// Whether a time has come; if not, it will be asked again then.
    fn due(&mut self, at: Millis) -> bool {
        if at > self.now {
            self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
        }
        at <= self.now
    }
}
