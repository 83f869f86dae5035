//! A call in text: the driver behind `dgh run`, `caller` tests and `--live`.
//!
//! It does what the engine asks for (replies, tools, transfers) and tells it what came of it. Words
//! are "played" at once, while the call's clock moves on as if they had been spoken; the time in
//! which a person types is not counted.

mod clock;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dgh_engine::effect::{Effect, Record};
use dgh_engine::event::{Event, ReplyId, Timestamp, ToolCallId};
use dgh_engine::log::{Log, LoggedCall};
use dgh_engine::{Call, Poll};
use dgh_platform::Tools;
use dgh_providers::{Models, reply};
use futures::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

pub use clock::Clock;

/// Who sees what happens.
pub trait Audience {
    /// Something to show.
    fn show(&mut self, shown: Shown<'_>) -> anyhow::Result<()>;
}

/// What happens.
pub enum Shown<'a> {
    /// Words of the agent.
    Speech(&'a str),
    /// A recording of the agent.
    Recording(&'a str),
    /// A line of the record.
    Record(&'a Record),
    /// Something that surrounds the conversation.
    Note(String),
}

/// A call and everything under way for it.
pub struct Session {
    call: LoggedCall,
    clock: Clock,
    models: Arc<dyn Models>,
    tools: Tools,
    records: Vec<Record>,
    /// What happens at once, before anything from outside.
    now: VecDeque<Event>,
    under_way: HashMap<Work, JoinHandle<()>>,
    send: UnboundedSender<(Work, Event)>,
    arrived: UnboundedReceiver<(Work, Event)>,
    over: bool,
}

/// Something that was started and will answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Reply(ReplyId),
    Tool(ToolCallId),
    Transfer,
}

/// A call before a turn, to go back to.
pub struct Before {
    call: LoggedCall,
    records: usize,
    time: Timestamp,
}

impl Session {
    /// A call that has not begun.
    pub fn new(call: LoggedCall, clock: Clock, models: Arc<dyn Models>, tools: Tools) -> Self {
        let (send, arrived) = unbounded_channel();
        Self {
            call,
            clock,
            models,
            tools,
            records: Vec::new(),
            now: VecDeque::new(),
            under_way: HashMap::new(),
            send,
            arrived,
            over: false,
        }
    }

    /// What was recorded so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The call.
    pub fn call(&self) -> &Call {
        self.call.call()
    }

    /// Whether the call has ended.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Everything that went in and out.
    pub fn into_log(self) -> Log {
        self.call.into_log()
    }

    /// The call as it is now.
    pub fn before(&self) -> Before {
        Before { call: self.call.clone(), records: self.records.len(), time: self.clock.shown() }
    }

    /// Back to an earlier moment. What was sent to real tools stays sent.
    pub fn go_back(&mut self, before: Before) {
        self.stop_everything();
        self.call = before.call;
        self.records.truncate(before.records);
        self.clock.set(before.time);
        self.over = false;
    }

    /// Tells the engine a fact and waits until the caller has the floor, or the call is over.
    pub async fn tell(&mut self, event: Event, out: &mut dyn Audience) -> anyhow::Result<()> {
        self.clock.resume();
        self.now.push_back(event);
        self.settle(out).await
    }

    /// Says nothing until the next silence is noticed.
    pub async fn silence(&mut self, out: &mut dyn Audience) -> anyhow::Result<()> {
        if let Some(due) = self.call().silence_due() {
            self.clock.resume();
            self.clock.jump_to(due);
            self.now.push_back(Event::Tick);
        }
        self.settle(out).await
    }

    /// Goes on until the caller has the floor, or the call is over.
    pub async fn settle(&mut self, out: &mut dyn Audience) -> anyhow::Result<()> {
        self.clock.resume();
        loop {
            let deadline = self.drain(out)?;
            if self.over {
                self.stop_everything();
                return Ok(());
            }
            if let Some(event) = self.now.pop_front() {
                self.handle(event);
                continue;
            }
            if self.under_way.is_empty() {
                match deadline {
                    Some(due) if self.call().silence_due().is_none() => self.pause(due).await,
                    _ => return Ok(()),
                }
                continue;
            }
            let late = self.clock.until(deadline);
            tokio::select! {
                Some((work, event)) = self.arrived.recv() => {
                    // What was dropped meanwhile is nobody's concern any more.
                    if self.under_way.contains_key(&work) {
                        if is_last(&event) {
                            self.under_way.remove(&work);
                        }
                        self.handle(event);
                    }
                }
                () = tokio::time::sleep(late) => self.handle(Event::Tick),
            }
        }
    }

    /// Waits out a `wait` and the like.
    async fn pause(&mut self, due: Timestamp) {
        tokio::time::sleep(self.clock.until(Some(due)).min(LONGEST_PAUSE)).await;
        self.clock.jump_to(due);
        self.handle(Event::Tick);
    }

    fn handle(&mut self, event: Event) {
        if let Event::SpeechFinished { .. } = event {
            self.clock.advance_spoken();
        }
        self.call.handle(event, self.clock.now());
    }

    fn drain(&mut self, out: &mut dyn Audience) -> anyhow::Result<Option<Timestamp>> {
        loop {
            match self.call.poll() {
                Poll::Deadline(due) => return Ok(due),
                Poll::Effect(effect) => self.perform(effect, out)?,
            }
        }
    }

    fn perform(&mut self, effect: Effect, out: &mut dyn Audience) -> anyhow::Result<()> {
        match effect {
            Effect::StartReply(request) => {
                let (work, models, send) =
                    (Work::Reply(request.id), Arc::clone(&self.models), self.send.clone());
                let task = tokio::spawn(async move {
                    let mut events = reply::run(*request, models);
                    while let Some(event) = events.next().await {
                        let _ = send.send((work, event));
                    }
                });
                self.under_way.insert(work, task);
            }
            Effect::CancelReply { reply } => self.stop(Work::Reply(reply)),
            Effect::Speak { utterance, text, .. } => {
                out.show(Shown::Speech(&text))?;
                self.clock.speak(text.chars().count());
                self.now.extend([Event::SpeechStarted { utterance }, Event::SpeechFinished { utterance }]);
            }
            Effect::Play { utterance, recording, .. } => {
                out.show(Shown::Recording(&recording))?;
                self.now.extend([Event::SpeechStarted { utterance }, Event::SpeechFinished { utterance }]);
            }
            Effect::StopSpeech => {}
            Effect::CallTool(request) => {
                let (work, send) = (Work::Tool(request.call), self.send.clone());
                let answer = self.tools.call(&request, self.clock.now());
                let task = tokio::spawn(async move {
                    let result = answer.await;
                    let _ = send.send((work, Event::ToolResult { call: request.call, result }));
                });
                self.under_way.insert(work, task);
            }
            Effect::CancelTool { call } => self.stop(Work::Tool(call)),
            Effect::Transfer { number, masked, warm, brief, .. } => {
                let kind = if warm { "warm" } else { "cold" };
                let brief = brief.map(|brief| format!(", who is told: {brief}")).unwrap_or_default();
                out.show(Shown::Note(format!("a {kind} transfer to {masked}{brief}")))?;
                // Nobody is called from a terminal: where no mock says how it ends, somebody answers.
                let failure = self.tools.transfer(&number).flatten();
                let (work, send) = (Work::Transfer, self.send.clone());
                let task = tokio::spawn(async move {
                    let _ = send.send((work, Event::TransferOutcome { failure }));
                });
                self.under_way.insert(work, task);
            }
            Effect::PressKeys { keys } => out.show(Shown::Note(format!("the agent presses {keys}")))?,
            Effect::Webhook { name, event, envelope, masked, .. } => {
                let body = masked.map(|body| format!(" with {body}")).unwrap_or_default();
                let to = &envelope.masked_url;
                out.show(Shown::Note(format!("webhook {name} on {event} would go to {to}{body}")))?;
            }
            Effect::Emit(record) => {
                out.show(Shown::Record(&record))?;
                self.records.push(record);
            }
            Effect::End => self.over = true,
        }
        Ok(())
    }

    fn stop(&mut self, work: Work) {
        if let Some(task) = self.under_way.remove(&work) {
            task.abort();
        }
    }

    fn stop_everything(&mut self) {
        for (_, task) in self.under_way.drain() {
            task.abort();
        }
        self.now.clear();
    }
}

/// The longest that a terminal stands still, whatever a `wait` says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Whether nothing more comes from where this came from.
fn is_last(event: &Event) -> bool {
    !matches!(event, Event::ReplySentence { .. } | Event::ReplyCall { .. })
}
