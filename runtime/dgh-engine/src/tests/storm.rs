//! Facts in any order, at any time: no panic, no call that hangs, the same call from its log.

use std::sync::Arc;

use dgh_ir::{AgentId, Channel};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::build::start;
use super::source::compile;
use crate::effect::Record;
use crate::event::{
    AnsweredBy, Event, ReplyId, StoppedBy, Timestamp, ToolCallId, ToolFailure, TransferFailureEvent, Usage,
    UtteranceId,
};
use crate::log::{LoggedCall, What, replay};
use crate::reply::{ReplyRequest, Shape};
use crate::start::{CallStart, Direction};
use crate::{Effect, Poll, Prepared};

/// A sequence that is the same every time: Numerical Recipes' linear congruential generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let sides = of.len() as u64;
        if sides == 0 { None } else { of.get(usize::try_from(self.roll(sides)).unwrap()) }
    }
}

fn programs() -> Vec<(Arc<Prepared>, IndexMap<String, Json>)> {
    macro_rules! text {
        ($path:literal) => {
            include_str!(concat!("../../../../examples/", $path))
        };
    }
    let inputs = |json: Json| serde_json::from_value(json).unwrap();
    let of = |files: &[(&str, &str)]| compile(files).prepared;
    vec![
        (of(&[("agent.dgh", text!("lead/agent.dgh")), ("faq.pdf", "")]), inputs(json!({ "lead_id": "L1" }))),
        (of(&[("agent.dgh", text!("clinic/agent.dgh"))]), IndexMap::new()),
        (
            of(&[
                ("agent.dgh", text!("collections/agent.dgh")),
                ("verify.dgh", text!("collections/verify.dgh")),
            ]),
            inputs(json!({
                "account": "A9", "full_name": "Ana Diaz", "birth_year": 1988,
                "balance": "420 USD", "consent": true,
            })),
        ),
        (of(&[("agent.dgh", text!("front_desk/agent.dgh"))]), IndexMap::new()),
    ]
}

fn value(dice: &mut Dice, shape: &Shape) -> Json {
    match shape {
        Shape::Int { .. } | Shape::Number => json!(dice.roll(3_000)),
        Shape::Bool => json!(dice.roll(2) == 0),
        Shape::Money { .. } => json!(format!("{} USD", dice.roll(30_000))),
        Shape::Date => json!(format!("2026-03-{:02}", 1 + dice.roll(28))),
        Shape::DateTime => json!(format!("2026-03-{:02}T10:00", 1 + dice.roll(28))),
        Shape::Enum { cases } => json!(dice.pick(cases)),
        Shape::Choice { options } => json!(1 + dice.roll(options.len() as u64 + 1)),
        Shape::Phone => json!("+14155550177"),
        _ => dice.pick(&[json!("Ann Lee"), json!("declined"), json!(null), json!(7)]).cloned().unwrap(),
    }
}

/// What a model does with a card, sensible or not.
fn reply(dice: &mut Dice, request: &ReplyRequest) -> Vec<Event> {
    let id = request.id;
    let mut events = Vec::new();
    let call = |name: &str, arguments: Json| Event::ReplyCall {
        reply: id,
        id: "c".into(),
        name: name.into(),
        arguments,
    };
    if dice.roll(3) > 0 {
        events.push(Event::ReplySentence { reply: id, text: "Something or other.".into() });
    }
    if let Some(wanted) = dice.pick(&request.card.wanted).filter(|_| request.may_call) {
        let mut notes = serde_json::Map::new();
        notes.insert(wanted.name.clone(), value(dice, &wanted.shape));
        events.push(call("note", notes.into()));
    }
    if request.card.read_back.is_some() {
        events.push(call("confirm", json!({ "answer": dice.pick(&["yes", "no"]) })));
    }
    match dice.roll(8) {
        0 | 1 => {
            let label = dice.pick(&request.card.labels).map_or("nowhere", |l| &l.name).to_owned();
            events.push(call("go", json!({ "label": label })));
        }
        2 => events.push(call("unclear", json!({}))),
        3 => events.push(call("faq", json!({ "query": "what" }))),
        4 => events.push(call("rm", json!([1]))),
        _ => {}
    }
    let failure = (dice.roll(12) == 0).then(|| "no model answered".to_owned());
    let usage = Usage { micro_usd: 900, ..Usage::default() };
    events.push(Event::ReplyClosed { reply: id, failure, usage });
    events
}

fn tool_result(dice: &mut Dice) -> Result<Json, ToolFailure> {
    let slot = json!({ "id": "s1", "at": "2026-03-02T09:00", "dentist": "Dr. Wu" });
    match dice.roll(6) {
        0 => Err(ToolFailure { kind: "timeout".into(), message: "no answer".into() }),
        1 => Ok(json!(true)),
        2 => Ok(json!([slot])),
        3 => Ok(slot),
        4 => Ok(json!({ "name": "sales", "number": "+14155550111", "open": true })),
        _ => Ok(json!("Ann")),
    }
}

struct Line {
    call: LoggedCall,
    now: Timestamp,
    requests: Vec<ReplyRequest>,
    tools: Vec<ToolCallId>,
    speech: Vec<UtteranceId>,
    transfer: bool,
    deadline: Option<Timestamp>,
    effects: usize,
    lazy: bool,
}

impl Line {
    fn give(&mut self, event: Event) {
        self.call.handle(event, self.now);
        // A driver that is told something while it works off what it was asked for.
        self.lazy = !self.lazy;
        if !self.lazy {
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            match self.call.poll() {
                Poll::Deadline(deadline) => break self.deadline = deadline,
                Poll::Effect(effect) => {
                    self.effects += 1;
                    match effect {
                        Effect::StartReply(request) => self.requests.push(*request),
                        Effect::CancelReply { reply } => self.requests.retain(|r| r.id != reply),
                        Effect::Speak { utterance, .. } | Effect::Play { utterance, .. } => {
                            self.speech.push(utterance);
                        }
                        Effect::StopSpeech => self.speech.clear(),
                        Effect::CallTool(tool) => self.tools.push(tool.call),
                        Effect::CancelTool { call } => self.tools.retain(|t| *t != call),
                        Effect::Transfer { .. } => self.transfer = true,
                        _ => {}
                    }
                }
            }
        }
    }
}

fn storm(prepared: &Arc<Prepared>, start: CallStart, dice: &mut Dice) -> LoggedCall {
    let agent = prepared.program().agents[AgentId(0)].name.clone();
    let mut line = Line {
        now: start.now,
        call: LoggedCall::new(Arc::clone(prepared), &agent, start).unwrap(),
        requests: Vec::new(),
        tools: Vec::new(),
        speech: Vec::new(),
        transfer: false,
        deadline: None,
        effects: 0,
        lazy: false,
    };
    line.drain();
    for _ in 0..400 {
        if line.call.call().is_over() {
            break;
        }
        line.now.0 += i64::try_from(dice.roll(900)).unwrap();
        match dice.roll(25) {
            0..=4 if !line.requests.is_empty() => {
                let request = line.requests.remove(0);
                for event in reply(dice, &request) {
                    line.give(event);
                }
            }
            5..=9 if !line.speech.is_empty() => {
                let utterance = line.speech.remove(0);
                line.give(Event::SpeechStarted { utterance });
                line.now.0 += 800;
                line.give(Event::SpeechFinished { utterance });
            }
            10 if !line.speech.is_empty() => {
                let utterance = line.speech[0];
                line.speech.clear();
                let heard = u32::try_from(dice.roll(40)).unwrap();
                line.give(Event::SpeechCut { utterance, heard, exact: false });
            }
            24 if !line.speech.is_empty() => {
                let utterance = line.speech.remove(0);
                line.give(Event::SpeechFailed { utterance });
            }
            11..=13 if !line.tools.is_empty() => {
                let call = line.tools.remove(0);
                let result = tool_result(dice);
                line.give(Event::ToolResult { call, result });
            }
            14 if line.transfer => {
                line.transfer = false;
                let failure = (dice.roll(3) > 0).then_some(TransferFailureEvent::NoAnswer);
                line.give(Event::TransferOutcome { failure });
            }
            15 | 16 => {
                let said = ["Yes", "Tomorrow at 9", "", "leave a message", "äöü 1988"];
                let text = (*dice.pick(&said).unwrap()).to_owned();
                let language = (dice.roll(9) == 0).then(|| "es".to_owned());
                let confidence = Some(u8::try_from(dice.roll(101)).unwrap());
                line.give(Event::CallerTurn { text, confidence, language });
            }
            17 => {
                let keys = (*dice.pick(&["1", "1988#", "*", "0", "4155550100#", "x"]).unwrap()).into();
                line.give(Event::Keys { keys });
            }
            18 if dice.roll(12) == 0 => line.give(Event::Stop { by: StoppedBy::Operator }),
            18 => line.give(Event::CallerSpeaking),
            19 => {
                if let Some(deadline) = line.deadline {
                    line.now = deadline.max(line.now);
                    line.give(Event::Tick);
                }
            }
            20 if dice.roll(20) == 0 => line.give(Event::Hangup),
            21 if dice.roll(10) == 0 => {
                let who =
                    *dice.pick(&[AnsweredBy::Human, AnsweredBy::Voicemail, AnsweredBy::Screening]).unwrap();
                line.give(Event::AnsweredBy { who });
            }
            // Facts about what never was.
            22 => line.give(Event::ReplyClosed {
                reply: ReplyId(9_999),
                failure: None,
                usage: Usage::default(),
            }),
            23 => line.give(Event::SpeechFinished { utterance: UtteranceId(9_999) }),
            _ => {}
        }
    }
    line.drain();
    // Whatever state it is in, time alone brings it to its end.
    for _ in 0..500 {
        let Some(deadline) = line.deadline.filter(|_| !line.call.call().is_over()) else { break };
        line.now = deadline.max(line.now);
        line.give(Event::Tick);
        line.drain();
    }
    assert!(line.call.call().is_over(), "time ends every call: {:?}", line.call.call());
    assert!(matches!(line.call.poll(), Poll::Deadline(None)));
    line.call
}

#[test]
fn any_facts_in_any_order_end_in_a_call_that_replays() {
    for (index, (prepared, inputs)) in programs().into_iter().enumerate() {
        for seed in 0..60 {
            let mut dice = Dice(seed * 31 + index as u64);
            let mut start = start();
            start.inputs = inputs.clone();
            start.channel = *dice.pick(&[Channel::Phone, Channel::Phone, Channel::Chat]).unwrap();
            start.direction = *dice.pick(&[Direction::Inbound, Direction::Outbound]).unwrap();
            start.caller.phone = Some("+14155550123".into());
            start.env = crate::testing::dummy::env(prepared.program());
            let call = storm(&prepared, start, &mut dice);
            let log = call.log();
            let replayed = replay(&prepared, log).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            let ended = replayed.records.iter().filter(|r| matches!(r, Record::Ended { .. })).count();
            assert_eq!(ended, 1, "a call ends once");
            let records = serde_json::to_string(&replayed.records).unwrap();
            let nobody_hears =
                ["hangup", "voicemail"].iter().any(|event| records.contains(&format!("\"{event}\"")))
                    || records.contains("\"ended_by\":\"caller\"");
            let spoke = log
                .entries
                .iter()
                .any(|entry| matches!(&entry.what, What::Effect(Effect::Speak { .. } | Effect::Play { .. })));
            assert!(spoke || nobody_hears, "seed {seed}: no words in {records}");
            for private in *[&[][..], &["4155550100"], &["A9", "420", "1988"], &[]].get(index).unwrap() {
                assert!(!records.contains(private), "seed {seed}: {private} in {records}");
            }
        }
    }
}
