//! What is private shows in no view.

use serde_json::json;

use super::build::start;
use super::source::agent;
use crate::effect::{Effect, Record};
use crate::event::{Event, UNWRITTEN};
use crate::reply::Message;

#[test]
fn a_revealed_value_is_spoken_and_masked_everywhere_else() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done
  input balance: private money
  start hello
  node hello {
    say "You owe {{ reveal(balance) as spoken }} today."
    prompt "Talk about it."
    when bye: "Bye" -> end done { say "Bye." }
  }"#,
        "",
    );
    let mut begin = start();
    begin.inputs.insert("balance".into(), json!("420 USD"));
    let mut call = desk.call(begin);
    assert!(call.spoken[0].contains("420 dollars") || call.spoken[0].contains("420"));
    let muted = call.effects.iter().find_map(|effect| match effect {
        Effect::Speak { text, muted, masked, .. } => Some((text.clone(), muted.clone(), masked.clone())),
        _ => None,
    });
    let (text, muted, masked) = muted.unwrap();
    let (from, to) = muted[0];
    assert!(text[from as usize..to as usize].contains("420"));
    assert_eq!(masked, "You owe [balance] today.");
    let opening = call.replies.pop_front().unwrap();
    assert_eq!(opening.history, [Message::Agent("You owe [balance] today.".into())]);
    assert!(!serde_json::to_string(&opening).unwrap().contains("420"));
    call.answer(opening.id, &["Shall we talk?"], &[]);
    // The caller repeats it; nobody needs to see that either.
    while call.play_one() {}
    call.says("420 dollars? Never!");
    let turn = call.replies.pop_front().unwrap();
    let said = turn.history.last().unwrap();
    assert_eq!(*said, Message::Caller("[balance]? Never!".into()));
    assert!(!serde_json::to_string(&call.records).unwrap().contains("420"));
}

#[test]
fn words_that_are_written_down_late_take_their_place_and_are_masked() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done
  input balance: private money
  start hello
  node hello {
    ask "What is it about?"
    when bye: "Bye" -> end done { say "Bye." }
  }"#,
        "",
    );
    let mut begin = start();
    begin.inputs.insert("balance".into(), json!("420 USD"));
    let mut call = desk.call(begin);
    while call.play_one() {}
    call.handle(Event::LateWords { text: "Of no turn".into() });
    for answer in ["Go on.", "I see."] {
        call.says(UNWRITTEN);
        let turn = call.replies.pop_front().unwrap();
        assert_eq!(*turn.history.last().unwrap(), Message::Caller(UNWRITTEN.into()));
        call.answer(turn.id, &[answer], &[]);
        while call.play_one() {}
    }
    call.handle(Event::LateWords { text: " About my 420 dollars. ".into() });
    call.says("Well?");
    let turn = call.replies.pop_front().unwrap();
    let said: Vec<_> = turn
        .history
        .iter()
        .filter_map(|message| match message {
            Message::Caller(words) => Some(words.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["About my [balance].", UNWRITTEN, "Well?"], "the oldest one first");
    let late: Vec<_> = call.records.iter().filter(|record| matches!(record, Record::Late { .. })).collect();
    assert_eq!(late, [&Record::Late { text: "About my [balance].".into() }]);
    assert_eq!(call.call().turns(), 3, "they are no turn of their own");
}

#[test]
fn a_private_value_that_is_heard_is_masked_in_all_its_forms() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var born: private date "Date of birth"
  start ask_it
  node ask_it {
    collect born { ask: "When were you born?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> talk
  }
  node talk { prompt "Chat." when bye: "Bye" -> end done { say "Bye." } }"#,
        "",
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.says("On the 3rd of May, nineteen eighty");
    let turn = call.replies.pop_front().unwrap();
    assert!(!call.records.iter().any(|r| matches!(r, Record::Caller { .. })), "it waits");
    call.answer(turn.id, &[], &[("note", json!({ "born": "1980-05-03" }))]);
    let opening = call.replies.pop_front().unwrap();
    let history = serde_json::to_string(&opening.history).unwrap();
    assert!(!history.contains("May") && history.contains("[born]"), "{history}");
    assert!(call.records.contains(&Record::Caller { text: "[born]".into() }));
    let born = opening.card.known.iter().find(|known| known.name == "born").unwrap();
    assert_eq!(born.value, "[born]");
}

#[test]
fn what_was_to_be_private_and_was_not_understood_keeps_no_digits() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  var pin: private digits(4) "The PIN"
  start ask_it
  node ask_it {
    collect pin { ask: "Your PIN?" }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> end done { say "Thanks. Bye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.says("it is 12 34 or so");
    let turn = call.replies.pop_front().unwrap();
    call.answer(turn.id, &[], &[]);
    assert!(call.records.contains(&Record::Caller { text: "it is [digits] [digits] or so".into() }));
}

#[test]
fn a_tool_of_the_model_gets_the_private_value_that_it_names() {
    let desk = agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done, failed
  var pin: private digits(4) "The PIN"
  start ask_it
  node ask_it {
    collect pin { ask: "Type your PIN.", by: keypad }
    on failed(collect) -> end failed { say "Goodbye." }
    next -> talk
  }
  node talk { prompt "Help." use unlock when bye: "Bye" -> end done { say "Bye." } }"#,
        r#"tool unlock(pin: private digits(4)) -> bool { about: "Unlocks." post: "https://example.com" body: { pin: pin } }"#,
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(crate::Event::Keys { keys: "4711".into() });
    let opening = call.replies.pop_front().unwrap();
    call.answer(opening.id, &["What now?"], &[]);
    while call.play_one() {}
    call.says("Unlock it");
    let turn = call.replies.pop_front().unwrap();
    assert!(!serde_json::to_string(&turn).unwrap().contains("4711"));
    call.answer(turn.id, &[], &[("unlock", json!({ "pin": "[pin]" }))]);
    let tool = call.tools.pop_front().unwrap();
    assert_eq!(tool.arguments, json!({ "pin": "4711" }));
    assert_eq!(tool.masked, json!({ "pin": "[pin]" }));
    assert!(tool.idempotency_key.is_some());
}
