//! What answered an outbound call: a person, a machine, an assistant that screens. Decided once,
//! by the first of: the carrier, the beep, the first words.
//!
//! In a voice call whoever hears the line finds it out from words and timing, and tells it
//! (`Greeting`, `AnsweredBy`). The first turns are looked at here as well, by the same phrases: in
//! tests and typed calls nobody hears anything, and a machine's words are never a caller's turn.

use crate::call::Call;
use crate::event::AnsweredBy;
use crate::phrases;
use crate::state::{Cause, Phase, Said, Timer};
use crate::visible::Raised;

/// A machine that we recognised by its words is done when it has been quiet this long.
const BEEP_MS: i64 = 3_000;
/// Who hears the line tells of its end before; this is for one who does not.
const GREETING_MS: i64 = 40_000;
/// A person is taken for one at the latest after this many turns.
const TURNS: u32 = 2;

impl Call {
    /// The carrier, or the beep, says what answered.
    pub(crate) fn answered(&mut self, who: AnsweredBy) {
        if self.state.answering.awaits_beep && who == AnsweredBy::Voicemail {
            return self.beep();
        }
        self.verdict(who);
    }

    /// The first words of the other side. Answers whether they are used up: a machine's, or the
    /// "hello" that the first word was held for.
    pub(crate) fn first_words(&mut self, text: &str) -> bool {
        if self.state.answering.awaits_beep {
            self.await_beep();
            return true;
        }
        if self.state.answering.decided || !self.screens() {
            return false;
        }
        let holding = self.state.phase == Phase::Holding;
        match classify(text) {
            Some(AnsweredBy::Voicemail) => {
                self.machine();
                return true;
            }
            Some(who) => {
                self.verdict(who);
                return true;
            }
            None if holding || self.state.counts.turns >= TURNS => {
                self.verdict(AnsweredBy::Human);
            }
            None => {}
        }
        if holding {
            self.state.timers.remove(&Timer::Hold);
            self.state.history.push(Said::Caller(text.to_owned()));
            self.record(crate::effect::Record::Caller { text: text.to_owned() });
            self.enter_start();
        }
        holding
    }

    /// Nobody has said what answered: it is a person if somebody spoke.
    pub(crate) fn decide_answered(&mut self) {
        let spoke = self.state.counts.turns > 0;
        self.verdict(if spoke { AnsweredBy::Human } else { AnsweredBy::Unknown });
    }

    /// A voicemail was found out by who hears the line: it speaks, and is not spoken to.
    pub(crate) fn greeted(&mut self) {
        if self.state.answering.decided || !self.screens() {
            return;
        }
        self.state.answering.is_heard = true;
        self.machine();
    }

    /// The machine is still speaking.
    pub(crate) fn await_beep(&mut self) {
        let longest = if self.state.answering.is_heard { GREETING_MS } else { BEEP_MS };
        self.after(Timer::Beep, longest);
    }

    fn machine(&mut self) {
        self.state.answering.who = AnsweredBy::Voicemail;
        self.state.answering.decided = true;
        self.state.timers.remove(&Timer::Answered);
        self.state.timers.remove(&Timer::Hold);
        self.stop_reply();
        self.stop_speech();
        self.state.answering.awaits_beep = true;
        self.await_beep();
    }

    /// The machine listens now.
    pub(crate) fn beep(&mut self) {
        self.state.timers.remove(&Timer::Beep);
        self.state.answering.awaits_beep = false;
        self.raise_answer(&Raised::Voicemail, Cause::Voicemail);
    }

    /// Whether the first word is held until it is known who answered.
    pub(crate) fn answer_waits(&self) -> bool {
        match self.setting("outbound", "answer") {
            Some(dgh_ir::Value::Case(mode) | dgh_ir::Value::Text(mode)) => mode == "wait",
            _ => false,
        }
    }

    fn verdict(&mut self, who: AnsweredBy) {
        if self.state.answering.decided {
            return;
        }
        self.state.answering.decided = true;
        self.state.answering.who = who;
        self.state.timers.remove(&Timer::Answered);
        match who {
            AnsweredBy::Voicemail => self.raise_answer(&Raised::Voicemail, Cause::Voicemail),
            AnsweredBy::Screening => self.raise_answer(&Raised::Screening, Cause::Dialogue),
            AnsweredBy::Human | AnsweredBy::Unknown => {
                if self.state.phase == Phase::Holding && self.state.counts.turns == 0 {
                    self.state.timers.remove(&Timer::Hold);
                    self.enter_start();
                }
            }
        }
    }

    fn raise_answer(&mut self, raised: &Raised, cause: Cause) {
        self.state.timers.remove(&Timer::Hold);
        let held = self.state.phase == Phase::Holding;
        self.state.phase = Phase::Live;
        self.state.waiting = None;
        self.stop_reply();
        self.stop_speech();
        if !self.raise(raised, cause) && held {
            self.enter_start();
        }
    }
}

/// What first words give away; none: nothing.
fn classify(text: &str) -> Option<AnsweredBy> {
    let weight = phrases::weigh(&phrases::plain(text));
    if weight.screens() {
        Some(AnsweredBy::Screening)
    } else if weight.machine(false) {
        Some(AnsweredBy::Voicemail)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_assistants_are_told_by_their_first_words() {
        let who = |text| classify(text);
        assert_eq!(who("Hello?"), None);
        assert_eq!(who("Hi, you've reached Ann. Leave a message."), Some(AnsweredBy::Voicemail));
        assert_eq!(who("Please state your name and the reason for calling."), Some(AnsweredBy::Screening));
        assert_eq!(who("Bitte sprechen Sie nach dem Signalton."), Some(AnsweredBy::Voicemail));
    }
}
