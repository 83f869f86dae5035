//! What a judge beside buys and costs: the same callers with a talking model that forgets to call its
//! functions at a set rate, with and without a judge.
//!
//! A caller says one thing after the other, and says it again when it had no effect. The models
//! understand every word, and forget by numbers that are the same in every run; the time is virtual,
//! so the figures are exact.

mod model;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dgh_compile::{Memory, compile};
use dgh_engine::effect::Record;
use dgh_engine::event::{Event, ReplyId, Timestamp};
use dgh_engine::{Call, CallStart, Effect, Poll, Prepared};
use dgh_ir::{AgentId, Channel};
use dgh_providers::reply;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::time::Instant;

use self::model::{Forgetful, JUDGE, TALKER};

/// Calls of each line of the table.
const CALLS: u64 = 400;
/// How long judges take: one that fits the speed of the other model, and one that is too slow.
const JUDGES_MS: [Option<u64>; 3] = [None, Some(120), Some(500)];
const BEGAN: i64 = 1_772_000_000_000;

const AGENT: &str = r#"dgh 1

agent clinic {
  channels: [phone]
  prompt "You are Kim of a dental clinic. You are friendly and brief, and you never promise what you do not know."
  outcome booked, lost
  var day: date "The day of the appointment"
  var reason: text "Why they come"
  start want
  node want {
    ask "Dental clinic, what can I do for you?"
    when book: "They want an appointment" like ["I need an appointment", "can I come in"] -> details
    when hours: "They ask when the clinic is open" like ["when are you open"] -> end lost { say "From nine to five. Goodbye." }
  }
  node details {
    prompt "Find out on which day they would like to come, and why."
    collect day, reason
    on failed(collect) -> end lost { say "Please call again later. Goodbye." }
    next -> offer
  }
  node offer {
    ask "Ten o'clock is free that day. Does that suit you?"
    when suits: "The time suits them" like ["yes", "that's fine"] -> end booked { say "You are booked. Goodbye." }
    when other: "They want another time" like ["no", "later please"] -> end lost { say "Please call again later. Goodbye." }
  }
}
"#;

/// Prints the table.
pub(super) fn judge() {
    let compiled = compile(&Memory::new([("agent.dgh", AGENT)]), "agent.dgh");
    assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
    let prepared = Prepared::new(Arc::new(compiled.program));
    println!();
    println!(
        "{:<10} {:<7} {:>14} {:>10} {:>8} {:>8} {:>12} {:>11} {:>11}",
        "forgets", "judge", "missed of 100", "turns", "booked", "tokens", "first words", "p95", "longest"
    );
    for forgets in [0, 5, 10, 20, 40] {
        for judge_ms in JUDGES_MS {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let all = runtime.unwrap().block_on(async {
                let mut all = Tally::default();
                for number in 0..CALLS {
                    all.add(one_call(&prepared, forgets, judge_ms, number).await);
                }
                all
            });
            all.print(forgets, judge_ms);
        }
    }
}

#[derive(Default)]
struct Tally {
    calls: u32,
    booked: u32,
    turns: u32,
    missed: u32,
    tokens: u64,
    first_words: Vec<Duration>,
}

impl Tally {
    fn add(&mut self, call: Self) {
        self.calls += 1;
        self.booked += call.booked;
        self.turns += call.turns;
        self.missed += call.missed;
        self.tokens += call.tokens;
        self.first_words.extend(call.first_words);
    }

    fn print(mut self, forgets: u64, judge_ms: Option<u64>) {
        self.first_words.sort();
        let at = |share: usize| self.first_words[(self.first_words.len() - 1) * share / 100].as_millis();
        let calls = f64::from(self.calls);
        println!(
            "{:<10} {:<7} {:>14.1} {:>10.2} {:>7.1}% {:>8.0} {:>9} ms {:>8} ms {:>8} ms",
            format!("{forgets} %"),
            judge_ms.map_or_else(|| "none".to_owned(), |ms| format!("{ms} ms")),
            f64::from(self.missed) * 100.0 / f64::from(self.turns),
            f64::from(self.turns) / calls,
            f64::from(self.booked) * 100.0 / calls,
            self.tokens as f64 / calls,
            at(50),
            at(95),
            at(100),
        );
    }
}

/// A call from the first word to the last.
async fn one_call(prepared: &Arc<Prepared>, forgets: u64, judge_ms: Option<u64>, number: u64) -> Tally {
    let models = Arc::new(Forgetful::new(forgets, judge_ms.unwrap_or_default(), number));
    let mut start = CallStart::new("call", Channel::Phone, Timestamp(BEGAN));
    start.models = vec![model::described(TALKER)];
    start.judge = judge_ms.iter().map(|_| model::described(JUDGE)).collect();
    let began = Instant::now();
    let now = || Timestamp(BEGAN + i64::try_from(began.elapsed().as_millis()).unwrap());
    let mut call = Call::of(Arc::clone(prepared), AgentId(0), start).unwrap();
    let mut tally = Tally::default();
    let mut replies: Vec<(ReplyId, BoxStream<'static, Event>)> = Vec::new();
    let mut known = BTreeSet::new();
    let (mut said, mut spoke_at) = (None, None);
    loop {
        let deadline = loop {
            let effect = match call.poll() {
                Poll::Effect(effect) => effect,
                Poll::Deadline(at) => break at,
            };
            match effect {
                Effect::StartReply(request) => {
                    replies.push((request.id, reply::run(*request, models.clone())));
                }
                Effect::CancelReply { reply } => replies.retain(|(id, _)| *id != reply),
                Effect::Speak { utterance, .. } => {
                    tally.first_words.extend(spoke_at.take().map(|at: Instant| at.elapsed()));
                    call.handle(Event::SpeechStarted { utterance }, now());
                    call.handle(Event::SpeechFinished { utterance }, now());
                }
                Effect::Emit(Record::Value { name, .. }) => _ = known.insert(name),
                Effect::Emit(Record::Ended { outcome, .. }) => {
                    tally.booked = u32::from(outcome.as_deref() == Some("booked"));
                }
                Effect::End => {
                    tally.tokens = models.tokens();
                    return tally;
                }
                _ => {}
            }
        };
        if replies.is_empty() && call.caller_has_floor() {
            let words = model::wants(&call.position().1, &known);
            tally.turns += 1;
            tally.missed += u32::from(said == Some(words));
            (said, spoke_at) = (Some(words), Some(Instant::now()));
            let text = words.to_owned();
            call.handle(Event::CallerTurn { text, confidence: None, language: None }, now());
            continue;
        }
        let due = deadline.map(|at| began + Duration::from_millis(u64::try_from(at.0 - BEGAN).unwrap_or(0)));
        tokio::select! {
            event = next(&mut replies) => call.handle(event, now()),
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                call.handle(Event::Tick, now());
            }
        }
    }
}

/// What the first of the replies says next. It is gone with its last word.
async fn next(replies: &mut Vec<(ReplyId, BoxStream<'static, Event>)>) -> Event {
    let Some((_, stream)) = replies.first_mut() else { return std::future::pending().await };
    let event = stream.next().await.expect("a reply is closed before its stream ends");
    if let Event::ReplyClosed { reply, .. } = &event {
        replies.retain(|(id, _)| id != reply);
    }
    event
}
