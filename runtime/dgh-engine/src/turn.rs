//! The caller's turns, and time that passes without one.

use dgh_ir::{Decider, Event as Pattern, LimitKind, Value};

use crate::begin::same_language;
use crate::call::Call;
use crate::effect::{Effect, Record};
use crate::event::UNWRITTEN;
use crate::prepared::declared;
use crate::reply::Purpose;
use crate::state::{Cause, OpenTurn, Owes, Phase, Said, Timer, Turn, Waits};
use crate::visible::Raised;

/// Nothing sounds this long after the caller's turn: `slow`.
const SLOW_MS: i64 = 1_200;
/// Nothing sounds this long although the caller does not have the floor: `slow` once more.
const STILL_SLOW_MS: i64 = 4_000;
/// A recogniser that heard speech and never brought a turn is not waited for any longer.
const SPEAKING_MS: i64 = 60_000;

impl Call {
    /// The caller finished a turn. It is answered when the floor is free.
    pub(crate) fn caller_turn(&mut self, text: &str, confidence: Option<u8>, language: Option<&str>) {
        if matches!(self.state.phase, Phase::Ending | Phase::Extracting) || self.state.hung_up {
            return;
        }
        self.state.timers.remove(&Timer::Silence);
        let text = text.trim();
        if text.is_empty() {
            if self.is_live() && self.is_idle() && !self.state.answering.awaits_beep {
                self.state.counts.turns += 1;
                self.unclear();
            }
            return;
        }
        self.state.counts.turns += 1;
        self.state.counts.errors = 0;
        if self.first_words(text) {
            return;
        }
        if let Some(tag) = language {
            self.hear_language(tag);
        }
        match &mut self.state.waiting {
            Some(waiting) => {
                waiting.text.push(' ');
                waiting.text.push_str(text);
                waiting.confidence = waiting.confidence.min(confidence);
            }
            None => self.state.waiting = Some(Turn { text: text.to_owned(), confidence }),
        }
        if !self.is_chat() {
            self.after(Timer::Slow, SLOW_MS);
        }
        let over_limit = self.check_turns();
        let replying = self.state.reply.as_ref().map(|reply| (reply.purpose, reply.id));
        match replying {
            Some((Purpose::Tell | Purpose::Extract, _)) | None => {}
            Some((_, id)) => {
                // Words of it that nobody has heard yet answer what is out of date.
                let unheard = self.state.speech.iter().filter(|u| u.reply == Some(id));
                if !over_limit && unheard.clone().count() > 0 && unheard.clone().all(|u| !u.started) {
                    self.stop_speech();
                }
                self.interrupt_reply();
            }
        }
    }

    /// What was said in the oldest turn that nobody had written down.
    pub(crate) fn late_words(&mut self, text: &str) {
        let shown = self.mask(text);
        let turns = self.state.history.iter_mut().enumerate();
        let mut unwritten = turns.filter_map(|(line, said)| match said {
            Said::Caller(words) if words.contains(UNWRITTEN) => Some((line, words)),
            _ => None,
        });
        if let Some((line, words)) = unwritten.next() {
            *words = words.replacen(UNWRITTEN, &shown, 1);
            if let Some(turn) = self.state.turn.as_mut().filter(|turn| turn.line == line) {
                turn.text = turn.text.replacen(UNWRITTEN, text, 1);
            }
            self.record(Record::Late { text: shown });
        } else if let Some(waiting) = &mut self.state.waiting {
            waiting.text = waiting.text.replacen(UNWRITTEN, text, 1);
        }
    }

    /// The caller started to speak: the silence counter stops.
    pub(crate) fn caller_speaks(&mut self) {
        if self.state.timers.contains_key(&Timer::Silence)
            && let Some(ms) = self.silence_after()
        {
            self.after(Timer::Silence, ms.saturating_add(SPEAKING_MS));
        }
        if self.state.answering.awaits_beep {
            self.await_beep();
        }
    }

    /// Answers the turn that waited for the floor.
    pub(crate) fn start_turn(&mut self) {
        self.hear_turn();
        self.request(Purpose::Turn, 0, None);
    }

    /// Takes the turn that waited into the history.
    pub(crate) fn hear_turn(&mut self) {
        let Some(Turn { text, confidence }) = self.state.waiting.take() else { return };
        self.drop_keys();
        self.state.owes = Owes::Words;
        self.state.spoke = false;
        // With a private name to be learned, the one request that may learn it sees the words,
        // and records wait until it is known what has to be masked.
        let private = self.hears_private();
        let shown = if private { text.clone() } else { self.mask(&text) };
        if private && self.state.held.is_none() {
            self.state.held = Some(Vec::new());
        }
        self.state.history.push(Said::Caller(shown.clone()));
        self.state.turn = Some(OpenTurn {
            text,
            confidence,
            line: self.state.history.len() - 1,
            useful: false,
            filled: false,
            changed: false,
        });
        self.record(Record::Caller { text: shown });
    }

    /// A timer has run out.
    pub(crate) fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Tool(call) => self.tool_timeout(call),
            Timer::Wait => self.go_on(Waits::Time),
            Timer::Grace => {
                if let Some(reply) = &self.state.reply {
                    let reply = reply.id;
                    self.emit(Effect::CancelReply { reply });
                    self.close_reply(None);
                }
            }
            Timer::Slow => {
                if self.is_live() && !self.sounding_words() {
                    self.raise(&Raised::Slow, Cause::Dialogue);
                }
            }
            Timer::Silence => {
                self.state.counts.silence += 1;
                self.state.spoke = false;
                self.raise(&Raised::Silence(self.state.counts.silence), Cause::Dialogue);
            }
            Timer::Keypad => self.submit_keys(),
            Timer::Hold => self.enter_start(),
            Timer::Answered => self.decide_answered(),
            Timer::Beep => self.beep(),
            Timer::Duration => self.limit(LimitKind::Duration),
            Timer::Overrun => self.overrun(),
            Timer::Extract => {
                self.stop_reply();
                self.hung_up();
            }
            Timer::Drain => self.flush_speech(),
            Timer::LastWords => self.out_of_words(),
        }
    }

    /// The timers that are due, the earliest first.
    pub(crate) fn due(&self, now: crate::event::Timestamp) -> Option<(Timer, crate::event::Timestamp)> {
        let due = self.state.timers.iter().filter(|(_, at)| **at <= now);
        due.min_by_key(|(timer, at)| (**at, **timer)).map(|(timer, at)| (*timer, *at))
    }

    /// How long the caller may be silent: the handler that the next silence would have says so.
    pub(crate) fn silence_after(&self) -> Option<i64> {
        let next = Raised::Silence(self.state.counts.silence + 1);
        // One that waits for several silences in a row has to count the first ones.
        let found = self.handler(&next).or_else(|| self.handler(&self.later_silence()?))?;
        let Decider::On(Pattern::Silence { after, .. }) = &self.route(found)?.decider else {
            return None;
        };
        let scope = self.state.frames.get(found.frame).map_or(0, |frame| frame.scope);
        match self.eval(scope, after) {
            Ok(Value::Duration(ms)) => Some(ms.max(0)),
            _ => None,
        }
    }

    /// While a model or a tool works, the caller hears now and then that the call goes on.
    pub(crate) fn wait_aloud(&mut self) {
        let calling = self.state.activities.last().is_some_and(|a| matches!(a.waits, Waits::Tool(_)));
        let working = self.state.reply.is_some() || self.state.round.is_some() || calling;
        let listens =
            !self.state.hung_up && !self.is_chat() && self.top().is_some_and(|frame| frame.node.is_some());
        let silent = !self.sounding_words() && !self.state.timers.contains_key(&Timer::Slow);
        if self.is_live() && working && listens && silent {
            self.after(Timer::Slow, STILL_SLOW_MS);
        }
    }

    /// The first handler of more silences in a row than the next one.
    fn later_silence(&self) -> Option<Raised> {
        let next = Raised::Silence(self.state.counts.silence + 1);
        let times = self.visible().into_iter().filter_map(|found| self.times(&next, found));
        // One that steps back for another is passed over, and so is what is behind us.
        let later = times.filter(|times| self.handler(&Raised::Silence(*times)).is_some());
        later.min().map(Raised::Silence)
    }

    fn hear_language(&mut self, tag: &str) {
        if same_language(tag, &self.state.language) {
            return;
        }
        let languages = &declared(&self.prepared.program, self.state.agent).languages;
        if let Some(known) = languages.iter().find(|known| same_language(known, tag)) {
            self.state.language = known.clone();
        }
        self.raise(&Raised::Language(tag.to_owned()), Cause::Dialogue);
    }
}
