//! A call: facts in, effects out.

use std::collections::VecDeque;
use std::sync::Arc;

use dgh_ir::{AgentId, Channel, Program};
use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Record};
use crate::event::{Event, StoppedBy, Timestamp};
use crate::prepared::Prepared;
use crate::start::{CallStart, StartError};
use crate::state::{EndedBy, Phase, State, Timer};

/// A call. Give it facts with [`Call::handle`], then drain [`Call::poll`] until it names the next
/// deadline.
#[derive(Clone)]
pub struct Call {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) state: State,
    effects: VecDeque<Effect>,
}

/// What [`Call::poll`] answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Poll {
    /// Do this, then poll again.
    Effect(Effect),
    /// Nothing to do until this time, when [`Event::Tick`] is due; none: until a fact arrives.
    Deadline(Option<Timestamp>),
}

impl Poll {
    /// The same, with another effect.
    pub(crate) fn map(self, change: impl FnOnce(Effect) -> Effect) -> Self {
        match self {
            Self::Effect(effect) => Self::Effect(change(effect)),
            deadline @ Self::Deadline(_) => deadline,
        }
    }
}

/// A call that was put aside. It belongs to the very program it was made with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Saved {
    state: State,
    effects: VecDeque<Effect>,
}

impl Call {
    /// A call of an agent. Nothing happens before the first `poll` or `handle`.
    pub fn new(program: Arc<Program>, agent: AgentId, start: CallStart) -> Result<Self, StartError> {
        Self::of(Prepared::new(program), agent, start)
    }

    /// The same, of a program that was prepared once for many calls.
    pub fn of(prepared: Arc<Prepared>, agent: AgentId, start: CallStart) -> Result<Self, StartError> {
        let state = State::new(&prepared, agent, start)?;
        Ok(Self { prepared, state, effects: VecDeque::new() })
    }

    /// Takes in a fact. `now` never runs backwards; what was due before it happens first.
    pub fn handle(&mut self, event: Event, now: Timestamp) {
        if self.state.phase == Phase::Fresh {
            if event == (Event::Stop { by: StoppedBy::NotConnected }) {
                self.state.now = now.max(self.state.now);
                self.state.phase = Phase::Live;
                self.over(EndedBy::NotConnected);
                return;
            }
            self.begin();
        }
        let now = now.max(self.state.now);
        while let Some((timer, at)) = self.due(now) {
            self.state.now = at.max(self.state.now);
            self.state.timers.remove(&timer);
            self.state.counts.hops = 0;
            self.fire(timer);
            self.settle();
        }
        self.state.now = now;
        if self.state.phase == Phase::Over {
            return;
        }
        self.state.counts.hops = 0;
        self.dispatch(event);
        self.settle();
    }

    /// The next effect, or the next deadline.
    pub fn poll(&mut self) -> Poll {
        if self.state.phase == Phase::Fresh {
            self.begin();
        }
        match self.effects.pop_front() {
            Some(effect) => Poll::Effect(effect),
            None => Poll::Deadline(self.state.timers.values().min().copied()),
        }
    }

    /// Whether the last effect, [`Effect::End`], was made.
    pub fn is_over(&self) -> bool {
        self.state.phase == Phase::Over
    }

    /// Puts the call aside, effects that were not polled included.
    pub fn save(&self) -> Saved {
        Saved { state: self.state.clone(), effects: self.effects.clone() }
    }

    /// Takes up a call that was put aside. The program must be the one it was made with.
    pub fn resume(prepared: Arc<Prepared>, saved: Saved) -> Self {
        Self { prepared, state: saved.state, effects: saved.effects }
    }

    /// When the silence of the caller will be noticed; none: the caller does not have the floor.
    pub fn silence_due(&self) -> Option<Timestamp> {
        self.state.timers.get(&Timer::Silence).copied()
    }

    /// The program of this call.
    pub fn program(&self) -> &Arc<Program> {
        &self.prepared.program
    }

    /// Where the conversation stands: the names of the dialogue and its node.
    pub fn position(&self) -> (String, String) {
        self.top().map(|frame| self.place(frame)).unwrap_or_default()
    }

    /// Caller turns so far.
    pub fn turns(&self) -> u32 {
        self.state.counts.turns
    }

    /// The agent that has the call now.
    pub fn agent(&self) -> AgentId {
        self.state.agent
    }

    pub(crate) fn emit(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(crate) fn record(&mut self, record: Record) {
        match &mut self.state.held {
            Some(held) => held.push(record),
            None => self.effects.push_back(Effect::Emit(record)),
        }
    }

    /// Text chat: the engine without a voice.
    pub(crate) fn is_chat(&self) -> bool {
        self.state.start.channel == Channel::Chat
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::CallerTurn { text, confidence, language } => {
                self.caller_turn(&text, confidence, language.as_deref());
            }
            Event::LateWords { text } => self.late_words(text.trim()),
            Event::CallerSpeaking => self.caller_speaks(),
            Event::Keys { keys } => self.keys(&keys),
            Event::ReplySentence { reply, text } => self.reply_sentence(reply, &text),
            Event::ReplyCall { reply, id, name, arguments } => {
                self.reply_call(reply, id, name, arguments);
            }
            Event::ReplyClosed { reply, failure, usage } => {
                self.reply_closed(reply, failure, usage);
            }
            Event::SpeechStarted { utterance } => self.speech_started(utterance),
            Event::SpeechFinished { utterance } => self.speech_finished(utterance),
            Event::SpeechCut { utterance, heard, exact: _ } => self.speech_cut(utterance, heard),
            Event::SpeechFailed { utterance } => self.speech_failed(utterance),
            Event::ToolResult { call, result } => self.tool_result(call, result),
            Event::TransferOutcome { failure } => {
                if !self.operator_transferred(failure) {
                    self.transfer_outcome(failure);
                }
            }
            Event::Operator { command } => self.operator(command),
            Event::Greeting => self.greeted(),
            Event::AnsweredBy { who } => self.answered(who),
            Event::Hangup => self.hangup(),
            Event::Stop { by: StoppedBy::Operator } => self.stop(),
            Event::Stop { by: StoppedBy::Lost } => self.over(EndedBy::Lost),
            Event::Stop { by: StoppedBy::NotConnected } => self.over(EndedBy::NotConnected),
            Event::Tick => {}
        }
    }
}

/// Shows where the call stands and no value.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.state.frames.iter().map(|frame| self.place(frame));
        f.debug_struct("Call")
            .field("at", &place.map(|(_, node)| node).collect::<Vec<_>>())
            .field("turns", &self.state.counts.turns)
            .field("over", &self.is_over())
            .finish_non_exhaustive()
    }
}

/// Shows no value.
impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved").finish_non_exhaustive()
    }
}
