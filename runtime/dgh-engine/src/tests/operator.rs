//! What somebody who watches a call does in it.

use dgh_ir::Channel;
use serde_json::json;

use super::build::start;
use super::source::{Compiled, agent};
use crate::effect::{Effect, Record};
use crate::event::{Command, Event, TransferFailureEvent};
use crate::start::CallStart;
use crate::testing::ScriptedCall;

fn desk() -> Compiled {
    agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done
  var day: text "The day"
  var pin: private int "The number"
  input who: text = "Ann"
  start hello
  node hello { prompt "Talk." ask "Yes?" when bye: "They say goodbye" -> end done { say "Bye." } }"#,
        "",
    )
}

fn call() -> ScriptedCall {
    let mut call = desk().call(start());
    while call.play_one() {}
    call
}

fn does(call: &mut ScriptedCall, command: Command) {
    call.handle(Event::Operator { command });
}

fn told(call: &ScriptedCall) -> Vec<(String, Option<String>)> {
    let records = call.effects.iter().filter_map(|effect| match effect {
        Effect::Emit(Record::Operator { did, note }) => Some((did.clone(), note.clone())),
        _ => None,
    });
    records.collect()
}

fn transfer() -> Command {
    Command::Transfer { number: "+14155550101".into(), warm: false, ring_ms: 20_000 }
}

#[test]
fn what_an_operator_says_is_said_and_heard_in_the_history() {
    let mut call = call();
    does(&mut call, Command::Say { text: "A colleague will call you.".into() });
    assert_eq!(call.spoken.last().unwrap(), "A colleague will call you.");
    while call.play_one() {}
    assert!(call.call().caller_has_floor());
    assert_eq!(told(&call), [("say".to_owned(), None)]);
}

#[test]
fn what_an_operator_whispers_is_on_the_next_card_alone() {
    let mut call = call();
    let spoken = call.spoken.len();
    does(&mut call, Command::Whisper { text: "Offer Tuesday".into() });
    assert_eq!(call.spoken.len(), spoken);
    call.says("What now?");
    let request = call.replies.pop_front().unwrap();
    assert!(
        request.card.remarks.iter().any(|remark| remark.contains("Offer Tuesday")),
        "{:?}",
        request.card.remarks
    );
    call.answer(request.id, &["Tuesday?"], &[]);
    while call.play_one() {}
    call.says("Yes");
    let request = call.replies.pop_front().unwrap();
    assert!(request.card.remarks.is_empty(), "{:?}", request.card.remarks);
}

#[test]
fn a_value_is_set_by_its_type_and_a_private_one_is_not_shown() {
    let mut call = call();
    does(&mut call, Command::Set { name: "day".into(), value: json!("Friday") });
    does(&mut call, Command::Set { name: "pin".into(), value: json!(4711) });
    does(&mut call, Command::Set { name: "pin".into(), value: json!("none of yours") });
    does(&mut call, Command::Set { name: "who".into(), value: json!("Eve") });
    does(&mut call, Command::Set { name: "nobody".into(), value: json!(1) });
    let values: Vec<(String, Option<String>)> = call
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Emit(Record::Value { name, shown, .. }) => Some((name.clone(), shown.clone())),
            _ => None,
        })
        .collect();
    assert!(values.contains(&("day".into(), Some("Friday".into()))), "{values:?}");
    assert!(values.contains(&("pin".into(), Some("[pin]".into()))), "{values:?}");
    let refused: Vec<_> = told(&call).into_iter().filter_map(|(_, note)| note).collect();
    assert_eq!(refused.iter().filter(|note| note.starts_with("refused")).count(), 3, "{refused:?}");
    assert!(!refused.iter().any(|note| note.contains("4711") || note.contains("yours")), "{refused:?}");
}

#[test]
fn a_caller_who_is_handed_over_is_gone_and_one_who_is_not_is_talked_to() {
    let mut gone = call();
    does(&mut gone, transfer());
    assert!(gone.effects.iter().any(|effect| matches!(effect, Effect::Transfer { .. })));
    assert!(!gone.call().caller_has_floor(), "it rings");
    gone.handle(Event::TransferOutcome { failure: None });
    assert!(gone.call().is_over());
    let ended = gone.effects.iter().find_map(|effect| match effect {
        Effect::Emit(Record::Ended { ended_by, .. }) => Some(ended_by.clone()),
        _ => None,
    });
    assert_eq!(ended.as_deref(), Some("transfer"));
    let mut stays = call();
    does(&mut stays, transfer());
    stays.handle(Event::TransferOutcome { failure: Some(TransferFailureEvent::Busy) });
    assert!(!stays.call().is_over());
    assert_eq!(told(&stays).last().unwrap().1.as_deref(), Some("it failed: busy"));
    assert!(!stays.replies.is_empty() || stays.spoken.len() > 1, "the caller hears that the call goes on");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let chat = CallStart { channel: Channel::Chat, ..start() };
    let text = agent(
        r#"
  channels: [chat]
  outcome done
  start hello
  node hello { ask "Yes?" when bye: "They say goodbye" -> end done { say "Bye." } }"#,
        "",
    );
    let mut call = text.call(chat);
    does(&mut call, transfer());
    assert!(told(&call)[0].1.as_deref().unwrap().starts_with("refused"), "{:?}", told(&call));
    call.handle(Event::Hangup);
    does(&mut call, Command::Say { text: "Hello?".into() });
    assert!(!call.spoken.contains(&"Hello?".to_owned()));
}
