//! The state machine of turn taking. Each rule looks at what is known, and either decides or says
//! when it has to be asked again; they are asked until none decides anything more.

use std::collections::VecDeque;

use super::detector::Detector;
use super::echo::{Echo, Whose};
use super::speech::{SaidEnd, Speech, Taken};
use super::words::{Backchannel, Ending, clean, same};
use super::{Decision, Heard, Policy, Tuning, Turn};
use crate::Millis;

/// Words come so much later than they were said, where no detector tells when that was.
const WORDS_LAG_MS: Millis = 600;
/// Words that grow so long after the voice ended were not heard by the detector.
const MISSED_VOICE_MS: Millis = 1_000;
/// Final words that came so long before the detector heard the end are the last ones.
const DETECTOR_LAG_MS: Millis = 200;
/// For so long after the voice ended, a recogniser that has told no final words since may do so.
const OWED_MS: Millis = 700;
/// An echo stops so soon after the sound that it is of was held.
const ECHO_STOPS_MS: Millis = 250;
/// How much longer a hold takes, at most, after false ones.
const MOST_PATIENCE: Millis = 4;
/// How much longer sound is held for a recogniser that has never told partial words.
const NO_PARTIALS: Millis = 3;

/// Decides who speaks, and when a turn is over. Facts go in with [`TurnTaker::handle`], decisions
/// come out of [`TurnTaker::poll`]; at [`TurnTaker::deadline`] it wants a [`Heard::Tick`].
#[derive(Debug)]
pub struct TurnTaker {
    tuning: Tuning,
    policy: Policy,
    language: String,
    now: Millis,
    detector: Detector,
    /// Whether the agent's sound goes out, and may be talked over.
    agent: Option<bool>,
    /// When that last changed.
    agent_since: Millis,
    /// Since when it is held.
    held: Option<Millis>,
    /// Holds in a row that were none.
    false_holds: Millis,
    deaf: bool,
    /// The recogniser tells partial words.
    partials: bool,
    echo: Echo,
    speech: Speech,
    /// A backchannel, and when the agent's sound went on after it.
    aside: Option<(Turn, Millis)>,
    taken: Option<Taken>,
    prepared: Option<Turn>,
    out: VecDeque<Decision>,
    wake: Option<Millis>,
}

impl TurnTaker {
    /// Nobody speaks.
    pub fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            policy: Policy::default(),
            language: "en".to_owned(),
            now: 0,
            detector: Detector::default(),
            agent: None,
            agent_since: 0,
            held: None,
            false_holds: 0,
            deaf: false,
            partials: false,
            echo: Echo::default(),
            speech: Speech::default(),
            aside: None,
            taken: None,
            prepared: None,
            out: VecDeque::with_capacity(8),
            wake: None,
        }
    }

    /// The language of the call: which words are backchannels and which ask for more. Before it is
    /// told: English. A recogniser that tells a language tells it here too.
    pub fn speak(&mut self, language: &str) {
        if self.language != language {
            language.clone_into(&mut self.language);
            self.speech.weigh(language);
        }
    }

    /// Takes a fact, before what is due: a fact that was told late decides as if it were in time.
    /// Time that runs backwards is taken to stand still.
    pub fn handle(&mut self, heard: Heard, now: Millis) {
        self.now = self.now.max(now);
        let now = self.now;
        match heard {
            Heard::Voice(on) => self.voice(on),
            Heard::Partial(text) => self.partial(&clean(&text)),
            Heard::Final { text, confidence, language } => {
                self.final_words(&clean(&text), confidence, language);
            }
            Heard::MaybeEnd => self.speech.end = SaidEnd::Maybe,
            Heard::Resumed => {
                self.speech.end = SaidEnd::No;
                self.discard();
            }
            Heard::EndOfTurn => {
                if self.speech.words() > 0 {
                    self.speech.end = SaidEnd::Over;
                }
            }
            Heard::Deaf => {
                self.deaf = true;
                self.speech.take_partial(&self.language, now);
            }
            Heard::Agent(sound) => self.agent(sound),
            Heard::Saying(text) => self.echo.say(&text, now),
            Heard::Policy(policy) => self.policy = policy,
            Heard::Typed(text) => self.typed(text.trim()),
            Heard::Tick => {}
        }
        self.advance();
    }

    /// The next decision.
    pub fn poll(&mut self) -> Option<Decision> {
        self.out.pop_front()
    }

    /// Whether the caller is in the middle of a turn, and that was told.
    pub fn caller_speaks(&self) -> bool {
        self.speech.told
    }

    /// When it wants to be told the time; none: not before the next fact.
    pub fn deadline(&self) -> Option<Millis> {
        self.wake
    }

    fn voice(&mut self, on: bool) {
        let over = self.detector.hear(on, self.now);
        if self.speech.began.is_some() {
            self.speech.voiced += over;
        }
        if !on
            && (self.detector.confirmed || self.speech.voice_until.is_none())
            && self.speech.began.is_some()
        {
            self.speech.voice_until = Some(self.now);
        }
    }

    fn partial(&mut self, heard: &str) {
        self.partials |= !heard.is_empty();
        let words = self.new_words(heard, false);
        if self.speech.partial(words, &self.language, self.now) {
            self.words_came();
        }
    }

    fn final_words(&mut self, heard: &str, confidence: Option<u8>, language: Option<String>) {
        if let Some(tag) = language.as_deref().filter(|_| !heard.is_empty()) {
            self.speak(tag);
        }
        let words = self.new_words(heard, true);
        if !heard.is_empty() {
            self.taken = None;
        }
        self.speech.add(words, confidence, language, self.now);
        self.speech.weigh(&self.language);
        if words.is_empty() {
            self.speech.nothing_more |= heard.is_empty() && self.speech.finish_asked;
        } else {
            if self.speech.voice_until.is_none() {
                self.speech.grew_at = self.now;
            }
            if self.speech.end == SaidEnd::No {
                self.speech.end = SaidEnd::Nothing;
            }
            self.words_came();
        }
    }

    /// What of these words is new and the caller's.
    fn new_words<'a>(&mut self, heard: &'a str, last: bool) -> &'a str {
        self.speech.doubtful = false;
        let mut words = heard;
        if let Some(taken) = &self.taken {
            match taken.without(heard, self.now) {
                Some(rest) => words = rest,
                None => self.taken = None,
            }
        }
        let began = self.speech.began.unwrap_or_else(|| self.now.saturating_sub(WORDS_LAG_MS));
        if !self.echo.may_be(self.agent.is_some(), began) {
            return words;
        }
        match self.echo.whose(words) {
            Whose::Callers(words) => words,
            // The detector tells the agent from the caller by their sound.
            Whose::Doubtful if self.voiced() < self.tuning.hold_after => "",
            Whose::Doubtful if last && self.stopped_with_the_sound() => "",
            Whose::Doubtful => {
                self.speech.doubtful = !last;
                words
            }
        }
    }

    /// Whether the voice stopped because the agent's sound did.
    fn stopped_with_the_sound(&self) -> bool {
        let held = self.held.is_some_and(|held| self.detector.until(self.now) <= held + ECHO_STOPS_MS);
        held && !self.detector.is_on()
    }

    fn words_came(&mut self) {
        if self.speech.words() == 0 {
            return;
        }
        self.begin();
        if self.detector.stale {
            self.detector.believe(self.now);
        }
        let goes_on = |prepared: &Turn| !same(&prepared.text, &self.speech.whole());
        if self.speech.end == SaidEnd::Maybe && self.prepared.as_ref().is_none_or(goes_on) {
            self.speech.end = SaidEnd::Nothing;
        }
        if self.speech.backchannel() != Some(Backchannel::Begins)
            && let Some((aside, _)) = self.aside.take()
        {
            self.speech.put_before(aside, &self.language);
        }
    }

    fn begin(&mut self) {
        let echo = self.echo.may_be(self.agent.is_some(), self.now.saturating_sub(self.tuning.hold_after));
        self.speech.begin(self.now, self.agent.is_some(), echo);
    }

    fn agent(&mut self, sound: Option<bool>) {
        if self.held.is_some() {
            match sound {
                // It is held, and will go on or not.
                Some(true) => return,
                Some(false) => self.let_go(Decision::Resume),
                None => self.let_go(Decision::Cut),
            }
        }
        let sounded = std::mem::replace(&mut self.agent, sound).is_some();
        if sound.is_some() != sounded {
            self.agent_since = self.now;
        }
        if sound.is_some() {
            if !sounded && self.speech.words() == 0 && !self.speech.told && !self.detector.is_on() {
                // A noise before it began.
                self.speech = Speech::default();
            }
            return;
        }
        self.echo.end(self.now);
        if self.speech.over_agent && (self.speech.words() > 0 || self.detector.is_on()) {
            // The voice until now may have been a noise, or its echo.
            self.speech.over_agent = false;
            self.speech.voiced = 0;
            self.detector.restart(self.now);
        }
        if let Some((aside, _)) = self.aside.take() {
            // It was an answer.
            self.begin();
            self.speech.put_before(aside, &self.language);
        }
    }

    fn typed(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.discard();
        if self.held.is_some() || self.agent == Some(true) {
            self.cut();
        }
        let turn =
            Turn { text: text.to_owned(), spoke_until: self.now, final_at: self.now, ..Turn::default() };
        self.out.push_back(Decision::Turn(turn));
    }

    /// Asks the rules until none decides anything.
    fn advance(&mut self) {
        loop {
            self.wake = None;
            let decided = self.confirm()
                || self.interrupt()
                || self.hold()
                || self.release()
                || self.set_aside()
                || self.forget_aside()
                || self.tell_speaking()
                || self.finish()
                || self.go_on()
                || self.end()
                || self.prepare();
            if !decided {
                break;
            }
        }
    }

    /// Whether a time has come; if not, it will be asked again then.
    fn due(&mut self, at: Millis) -> bool {
        if at > self.now {
            self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
        }
        at <= self.now
    }

    /// A stretch of voice is long enough to be speech, and the turn begins or goes on.
    fn confirm(&mut self) -> bool {
        if self.detector.confirmed {
            return false;
        }
        let Some(at) = self.detector.reaches(self.tuning.hold_after) else { return false };
        if !self.due(at) {
            return false;
        }
        self.detector.confirmed = true;
        self.begin();
        self.speech.finish_asked = false;
        self.speech.nothing_more = false;
        self.speech.end = SaidEnd::Nothing;
        self.speech.voice_until = Some(self.detector.until(self.now));
        if let Some(taken) = &mut self.taken {
            taken.spoke_since = true;
        }
        true
    }

    /// Words over the agent's sound that are an interruption.
    fn interrupt(&mut self) -> bool {
        if self.agent != Some(true) {
            return false;
        }
        // What was there before is no answer to the sound; with a voice that goes on, it is.
        let goes_on = self.detector.is_on() && self.detector.confirmed;
        let voice = if self.deaf { self.detector.until(self.now) } else { 0 };
        if !goes_on && voice.max(self.speech.heard_at) < self.agent_since {
            return false;
        }
        let certain = match self.speech.backchannel() {
            None if !self.deaf => return false,
            None => Some(1),
            Some(Backchannel::No) => None,
            Some(_) if !self.speech.over_agent => None,
            Some(Backchannel::Begins) => Some(1),
            Some(Backchannel::Yes) => Some(2),
        };
        let enough = match (certain, self.policy.min_words) {
            (None, least) => self.speech.words() >= least.unwrap_or(1) as usize,
            (Some(times), None) => {
                self.detector.reaches(self.tuning.cut_after * times).is_some_and(|at| self.due(at))
            }
            (Some(_), Some(_)) => false,
        };
        if enough {
            self.false_holds = 0;
            self.cut();
        }
        enough
    }

    /// A voice over the agent's sound that may be an interruption.
    fn hold(&mut self) -> bool {
        if self.agent != Some(true) || self.held.is_some() || self.policy.min_words.is_some() {
            return false;
        }
        if !self.detector.is_on() {
            return false;
        }
        let patience = (1 + self.false_holds).min(MOST_PATIENCE);
        let Some(at) = self.detector.reaches(self.tuning.hold_after * patience) else { return false };
        if !self.due(at) {
            return false;
        }
        self.held = Some(self.now);
        self.out.push_back(Decision::Hold);
        true
    }

    /// What is held goes on, if nothing came of it.
    fn release(&mut self) -> bool {
        let Some(since) = self.held else { return false };
        if self.policy.min_words.is_some() {
            // The program has moved on to where a voice does not interrupt.
            self.let_go(Decision::Resume);
            return true;
        }
        if self.detector.is_on() {
            let longest = self.tuning.longest_hold * if self.partials { 1 } else { NO_PARTIALS };
            if self.speech.words() > 0 || !self.due(since + longest) {
                return false;
            }
            // A noise that goes on.
            self.detector.disbelieve();
        } else {
            let wait = match self.speech.backchannel() {
                Some(Backchannel::Yes) if !self.speech.is_pending() => self.tuning.finish_after,
                Some(Backchannel::Begins) => self.tuning.final_wait,
                // Somebody spoke for long, and the recogniser owes the words.
                None if self.voiced() >= self.tuning.cut_after => self.tuning.final_wait,
                _ => self.tuning.resume_after,
            };
            if !self.due(self.detector.until(self.now) + wait) {
                return false;
            }
            if self.speech.backchannel() == Some(Backchannel::Begins) {
                // `I` without `see`.
                self.cut();
                return true;
            }
        }
        if self.speech.words() == 0 {
            self.false_holds += 1;
        }
        if !self.speech.told {
            self.put_aside();
        }
        self.let_go(Decision::Resume);
        true
    }

    /// A backchannel, or a noise, over sound that is not held.
    fn set_aside(&mut self) -> bool {
        if !self.may_be_none() || self.held.is_some() {
            return false;
        }
        let Some(quiet) = self.quiet_from() else { return false };
        let wait = match self.speech.backchannel() {
            None => self.tuning.final_wait,
            Some(Backchannel::Yes) if !self.speech.is_pending() => self.tuning.end_complete,
            Some(Backchannel::Yes) => self.tuning.final_wait,
            Some(_) => return false,
        };
        if !self.due(quiet + wait) {
            return false;
        }
        self.put_aside();
        true
    }

    /// Whether this began over sound that goes on: it may be no turn at all.
    fn may_be_none(&self) -> bool {
        self.speech.over_agent && self.agent.is_some() && !self.speech.told
    }

    fn put_aside(&mut self) {
        let mut speech = std::mem::take(&mut self.speech);
        if speech.words() > 0 {
            let partial = speech.take_partial(&self.language, self.now);
            self.taken = Taken::more(self.taken.take(), &partial, self.now);
            self.aside = Some((speech.turn(speech.voice_until.unwrap_or(self.now)), self.now));
        }
    }

    /// The agent went on: the backchannel was no answer.
    fn forget_aside(&mut self) -> bool {
        let Some((_, at)) = &self.aside else { return false };
        if self.speech.began.is_some() {
            // Its second half, perhaps.
            return false;
        }
        let at = *at + self.tuning.answer_within;
        let forget = self.due(at);
        if forget {
            self.aside = None;
        }
        forget
    }

    /// The caller speaks, and a turn will come of it.
    fn tell_speaking(&mut self) -> bool {
        if self.speech.told || self.held.is_some() {
            return false;
        }
        let idle = self.agent.is_none();
        let speaks = match self.speech.backchannel() {
            Some(Backchannel::No) => true,
            Some(_) => idle || !self.speech.over_agent,
            None if self.speech.began.is_none() || !idle || self.speech.over_agent => false,
            None if self.speech.maybe_echo && !self.deaf => false,
            None => {
                let rest = self.tuning.shortest_speech.saturating_sub(self.speech.voiced);
                self.detector.confirmed && self.detector.reaches(rest).is_some_and(|at| self.due(at))
            }
        };
        if speaks {
            self.speech.told = true;
            self.out.push_back(Decision::CallerSpeaking);
        }
        speaks
    }

    /// In a pause, the recogniser is asked for the last words.
    fn finish(&mut self) -> bool {
        if self.deaf || self.speech.finish_asked || self.speech.began.is_none() {
            return false;
        }
        let Some(quiet) = self.quiet_from() else { return false };
        if self.speech.voice_until.is_none() && !self.speech.is_pending() {
            return false;
        }
        if !self.due(quiet + self.tuning.finish_after) {
            return false;
        }
        self.speech.finish_asked = true;
        self.out.push_back(Decision::Finish);
        true
    }

    /// The caller goes on: what was prepared answers half a turn.
    fn go_on(&mut self) -> bool {
        let Some(prepared) = &self.prepared else { return false };
        let speaks = self.detector.is_on() && self.detector.confirmed && self.speech.end != SaidEnd::Maybe;
        let differs = !same(&prepared.text, &self.speech.whole());
        // Words that are final and ask to be prepared replace what was.
        let replaced = differs && !speaks && self.agent.is_none() && self.wants_prepared();
        if (!speaks && !differs) || replaced {
            return false;
        }
        self.discard();
        true
    }

    /// The turn is over.
    fn end(&mut self) -> bool {
        let Some(began) = self.speech.began else { return false };
        if self.held.is_some() {
            return false;
        }
        if self.may_be_none() && self.speech.backchannel() != Some(Backchannel::No) {
            return false;
        }
        let over = self.speech.end == SaidEnd::Over && self.policy.end_after.is_none();
        let longest = self.due(began + self.tuning.longest_turn);
        let ends = over || longest || self.quiet_from().is_some_and(|quiet| self.ends_after(quiet));
        if !ends {
            return false;
        }
        self.commit();
        true
    }

    /// Whether silence since a time ends the turn.
    fn ends_after(&mut self, quiet: Millis) -> bool {
        let tuning = &self.tuning;
        let pause = match self.speech.ending() {
            Some(Ending::Complete) => tuning.end_complete,
            Some(Ending::Open) | None => tuning.end_open,
            Some(Ending::Unfinished) => tuning.end_unfinished,
        };
        let pause = self.policy.end_after.unwrap_or(pause);
        let wait = if self.speech.is_pending() {
            // Final words are on their way.
            pause.max(tuning.final_wait)
        } else if self.deaf {
            pause
        } else if self.speech.words() == 0 {
            if self.speech.nothing_more { pause.max(tuning.end_unfinished) } else { tuning.final_wait }
        } else if self.is_settled(quiet) {
            pause
        } else {
            pause.max(OWED_MS)
        };
        self.due(quiet + wait)
    }

    /// Whether the recogniser has told all words before this silence.
    fn is_settled(&self, quiet: Millis) -> bool {
        self.speech.nothing_more || self.speech.final_at + DETECTOR_LAG_MS >= quiet
    }

    fn commit(&mut self) {
        let until = self.quiet_from().unwrap_or(self.now).min(self.now);
        let partial = self.speech.take_partial(&self.language, self.now);
        let speech = std::mem::take(&mut self.speech);
        let voiced = speech.voiced + if self.detector.confirmed { self.detector.voiced(self.now) } else { 0 };
        let prepared = self.prepared.take();
        self.detector.disbelieve();
        if speech.words() == 0 {
            let echo = speech.maybe_echo && !self.deaf;
            if speech.told || (voiced >= self.tuning.shortest_speech && !echo) {
                let turn = Turn { final_at: self.now, ..speech.turn(until) };
                self.out.push_back(Decision::Turn(turn));
            }
            return;
        }
        self.taken = Taken::more(self.taken.take(), &partial, self.now);
        self.false_holds = 0;
        let mut turn = speech.turn(until);
        if let Some(prepared) = prepared.filter(|prepared| same(&prepared.text, &turn.text)) {
            turn.text = prepared.text;
        }
        self.out.push_back(Decision::Turn(turn));
    }

    /// The words so far may be a whole turn.
    fn prepare(&mut self) -> bool {
        if self.agent.is_some() || self.held.is_some() || !self.wants_prepared() {
            return false;
        }
        let whole = self.speech.whole();
        if self.prepared.as_ref().is_some_and(|prepared| same(&prepared.text, &whole)) {
            return false;
        }
        let turn = self.speech.turn(self.quiet_from().unwrap_or(self.now));
        self.prepared = Some(turn.clone());
        self.out.push_back(Decision::Prepare(turn));
        true
    }

    fn wants_prepared(&self) -> bool {
        if self.speech.words() == 0 {
            return false;
        }
        match self.speech.end {
            SaidEnd::Maybe => return true,
            SaidEnd::No => return false,
            SaidEnd::Nothing | SaidEnd::Over => {}
        }
        !self.speech.is_pending() && self.quiet_from().is_some_and(|quiet| self.is_settled(quiet))
    }

    /// Since when the caller is silent; none: not so, or not to be told yet.
    fn quiet_from(&self) -> Option<Millis> {
        if self.detector.is_on() {
            return None;
        }
        let grew = self.speech.grew_at;
        match self.speech.voice_until {
            Some(until) if grew < until + MISSED_VOICE_MS => Some(until),
            Some(until) => Some(until.max(grew.saturating_sub(WORDS_LAG_MS))),
            None => Some(grew.saturating_sub(WORDS_LAG_MS)),
        }
    }

    /// Voice of this turn.
    fn voiced(&self) -> Millis {
        self.speech.voiced + self.detector.voiced(self.now)
    }

    fn discard(&mut self) {
        if self.prepared.take().is_some() {
            self.out.push_back(Decision::Discard);
        }
    }

    fn cut(&mut self) {
        self.let_go(Decision::Cut);
        self.agent = None;
        self.echo.end(self.now);
    }

    fn let_go(&mut self, decision: Decision) {
        self.held = None;
        self.out.push_back(decision);
    }
}
