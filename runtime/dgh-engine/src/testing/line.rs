//! A call on a line that does not exist: speech is played, timers run out and models answer in
//! virtual time.

use std::collections::VecDeque;
use std::sync::Arc;

use dgh_ir::AgentId;
use serde_json::Value as Json;

use crate::call::{Call, Poll};
use crate::effect::{Effect, Record, ToolRequest};
use crate::event::{Event, ReplyId, Timestamp, ToolFailure, TransferFailureEvent, Usage, UtteranceId};
use crate::prepared::Prepared;
use crate::reply::ReplyRequest;
use crate::start::{CallStart, StartError};

/// A second has so many bytes of speech.
const BYTES_A_SECOND: i64 = 15;
/// Events that one line of a test may take; more is a call that goes in circles.
const MOST_EVENTS: usize = 5_000;

/// A call under test. The other sides of it are questions that the test answers: replies, tools,
/// transfers.
pub struct ScriptedCall {
    call: Call,
    now: Timestamp,
    /// Replies that are asked for and not answered.
    pub replies: VecDeque<ReplyRequest>,
    /// Tools that were started and have not answered.
    pub tools: VecDeque<ToolRequest>,
    /// Numbers of transfers without an outcome.
    pub transfers: VecDeque<String>,
    /// Everything recorded so far.
    pub records: Vec<Record>,
    /// Words as they sounded, private ones too.
    pub spoken: Vec<String>,
    /// Webhooks that were due: name and body.
    pub webhooks: Vec<(String, Option<Json>)>,
    /// Facts that the engine was told: its steps.
    pub events: usize,
    /// Keys that were pressed on the line.
    pub pressed: Vec<String>,
    /// Every effect that was polled, of a call that is [`ScriptedCall::recorded`].
    pub effects: Vec<Effect>,
    playing: VecDeque<(UtteranceId, String)>,
    deadline: Option<Timestamp>,
    keep_effects: bool,
}

impl ScriptedCall {
    /// A call that has begun.
    pub fn new(prepared: Arc<Prepared>, agent: AgentId, start: CallStart) -> Result<Self, StartError> {
        let now = start.now;
        Ok(Self::of(Call::of(prepared, agent, start)?, now, false))
    }

    /// The same, on a line that can be transferred whatever its channel.
    pub(super) fn transferable(
        prepared: Arc<Prepared>,
        agent: AgentId,
        start: CallStart,
    ) -> Result<Self, StartError> {
        let now = start.now;
        let mut call = Call::of(prepared, agent, start)?;
        call.allow_transfers();
        Ok(Self::of(call, now, false))
    }

    /// The same, and every effect is kept.
    pub fn recorded(prepared: Arc<Prepared>, agent: AgentId, start: CallStart) -> Result<Self, StartError> {
        let now = start.now;
        Ok(Self::of(Call::of(prepared, agent, start)?, now, true))
    }

    fn of(call: Call, now: Timestamp, keep_effects: bool) -> Self {
        let mut line = Self {
            call,
            now,
            replies: VecDeque::new(),
            tools: VecDeque::new(),
            transfers: VecDeque::new(),
            records: Vec::new(),
            spoken: Vec::new(),
            webhooks: Vec::new(),
            events: 0,
            pressed: Vec::new(),
            effects: Vec::new(),
            playing: VecDeque::new(),
            deadline: None,
            keep_effects,
        };
        line.drain();
        line
    }

    /// The call.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Time of the line.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A fact, now.
    pub fn handle(&mut self, event: Event) {
        self.events += 1;
        self.call.handle(event, self.now);
        self.drain();
    }

    /// The caller says something.
    pub fn says(&mut self, text: &str) {
        self.handle(Event::CallerTurn { text: text.into(), confidence: Some(95), language: None });
    }

    /// Answers a reply: sentences, then calls of functions.
    pub fn answer(&mut self, reply: ReplyId, sentences: &[&str], calls: &[(&str, Json)]) {
        for text in sentences {
            self.handle(Event::ReplySentence { reply, text: (*text).into() });
        }
        for (index, (name, arguments)) in calls.iter().enumerate() {
            self.handle(Event::ReplyCall {
                reply,
                id: format!("call_{}_{index}", reply.0),
                name: (*name).into(),
                arguments: arguments.clone(),
            });
        }
        self.handle(Event::ReplyClosed { reply, failure: None, usage: Usage::default() });
    }

    /// Answers a tool.
    pub fn tool_answers(&mut self, tool: &ToolRequest, result: Result<Json, ToolFailure>) {
        self.handle(Event::ToolResult { call: tool.call, result });
    }

    /// Ends a transfer.
    pub fn transfer_ends(&mut self, failure: Option<TransferFailureEvent>) {
        self.transfers.pop_front();
        self.handle(Event::TransferOutcome { failure });
    }

    /// Whether words are being played or wait to be.
    pub fn is_speaking(&self) -> bool {
        !self.playing.is_empty()
    }

    /// Plays the next utterance to its end. Answers whether there was one.
    pub fn play_one(&mut self) -> bool {
        let Some((utterance, text)) = self.playing.front().cloned() else { return false };
        self.handle(Event::SpeechStarted { utterance });
        self.pass(duration(&text));
        if self.playing.front().is_some_and(|(next, _)| *next == utterance) {
            self.playing.pop_front();
            self.handle(Event::SpeechFinished { utterance });
        }
        true
    }

    /// The caller speaks over the agent, in the middle of what sounds. Answers whether anything
    /// did.
    pub fn interrupt(&mut self) -> bool {
        let Some((utterance, text)) = self.playing.front().cloned() else { return false };
        self.handle(Event::SpeechStarted { utterance });
        self.pass(duration(&text) / 2);
        if self.playing.front().is_some_and(|(next, _)| *next == utterance) {
            self.playing.clear();
            let heard = text.floor_char_boundary(text.len() / 2);
            let heard = u32::try_from(heard).unwrap_or(u32::MAX);
            self.handle(Event::SpeechCut { utterance, heard, exact: true });
        }
        true
    }

    /// Time passes, and everything that is due in it happens.
    pub fn pass(&mut self, ms: i64) {
        let until = Timestamp(self.now.0 + ms);
        let mut left = MOST_EVENTS;
        while let Some(due) = self.deadline.filter(|due| *due <= until && left > 0) {
            self.now = due.max(self.now);
            self.handle(Event::Tick);
            left -= 1;
        }
        self.now = until;
    }

    /// Goes to the next deadline that is not after `until`, or there.
    pub fn pass_until(&mut self, until: Timestamp) {
        match self.deadline.filter(|due| *due <= until) {
            Some(_) => {
                self.pass_to_deadline();
            }
            None => self.now = until,
        }
    }

    /// Goes to the next deadline. Answers whether there was one.
    pub fn pass_to_deadline(&mut self) -> bool {
        let Some(due) = self.deadline else { return false };
        self.now = due.max(self.now);
        self.handle(Event::Tick);
        true
    }

    /// The call put aside, for a look at its values.
    pub fn into_call(self) -> Call {
        self.call
    }

    fn drain(&mut self) {
        loop {
            let effect = match self.call.poll() {
                Poll::Effect(effect) => effect,
                Poll::Deadline(deadline) => {
                    self.deadline = deadline;
                    return;
                }
            };
            if self.keep_effects {
                self.effects.push(effect.clone());
            }
            self.take(effect);
        }
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::StartReply(request) => self.replies.push_back(*request),
            Effect::CancelReply { reply } => self.replies.retain(|request| request.id != reply),
            Effect::Speak { utterance, text, .. } => {
                self.spoken.push(text.clone());
                self.playing.push_back((utterance, text));
            }
            Effect::Play { utterance, recording, .. } => {
                self.playing.push_back((utterance, recording));
            }
            Effect::StopSpeech => self.playing.clear(),
            Effect::CallTool(request) => self.tools.push_back(*request),
            Effect::CancelTool { call } => self.tools.retain(|request| request.call != call),
            Effect::Transfer { number, .. } => self.transfers.push_back(number),
            Effect::PressKeys { keys } => self.pressed.push(keys),
            Effect::Emit(record) => self.records.push(record),
            Effect::Webhook { name, body, .. } => self.webhooks.push((name, body)),
            Effect::End => {}
        }
    }
}

fn duration(text: &str) -> i64 {
    let bytes = i64::try_from(text.len()).unwrap_or(i64::MAX);
    (bytes.saturating_mul(1_000) / BYTES_A_SECOND).max(300)
}
