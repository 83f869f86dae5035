//! Chat, outbound calls, interruptions: what the line makes of a conversation.

use dgh_ir::{Channel, Value};
use serde_json::json;

use super::build::start;
use super::source::{Compiled, agent};
use crate::LAST_WORDS_MS;
use crate::effect::{Effect, Record};
use crate::event::{AnsweredBy, Event, StoppedBy, TransferFailureEvent, UtteranceId};
use crate::start::{CallStart, Direction};

fn chat() -> CallStart {
    CallStart { channel: Channel::Chat, ..start() }
}

fn outbound() -> CallStart {
    CallStart { direction: Direction::Outbound, ..start() }
}

fn caller(mode: &str) -> Compiled {
    agent(
        &format!(
            r#"
  channels: [phone]
  outbound {{ from: "+14155550100", hours: 0:00..23:59, attempts: 1, answer: {mode} }}
  outcome talked, left_word, screened
  start hello
  node hello {{ ask "Hello, this is Kim." when ok: "They talk" -> end talked {{ say "Bye." }} }}
  node leave {{ say "Please call back." uninterrupted next -> end left_word }}
  anywhere {{ on voicemail -> leave on screening -> end screened {{ say "This is Kim." }} }}"#
        ),
        "",
    )
}

fn outcome(records: &[Record]) -> Option<&str> {
    records.iter().find_map(|record| match record {
        Record::Ended { outcome, .. } => outcome.as_deref(),
        _ => None,
    })
}

#[test]
fn a_chat_is_the_engine_without_a_voice() {
    let desk = agent(
        r#"
  channels: [phone, chat]
  inbound { numbers: ["+14155550100"] }
  outcome done, failed
  start hello
  node hello {
    wait 3s
    say "It is {{ 1_000 USD as spoken }}."
    play recording.tune
    ask "Yes?"
    when call_me: "They want a call" -> connect
  }
  node connect {
    transfer "+14155550101"
    on transferred -> end done
    on transfer_failed(unsupported) -> end failed { say "Not from here. Goodbye." }
    on transfer_failed -> end failed { say "Nobody is there. Goodbye." }
  }"#,
        "",
    );
    let mut call = desk.call(chat());
    assert_eq!(call.spoken.last().unwrap(), "Yes?");
    assert!(!call.effects.iter().any(|effect| matches!(effect, Effect::Play { .. })));
    assert!(call.call().caller_has_floor(), "what is written is read");
    call.pass(3_600_000 / 4);
    assert!(call.call().caller_has_floor(), "who types takes their time");
    call.says("Call me");
    let request = call.replies.pop_front().unwrap();
    call.pass(5_000);
    assert!(!call.spoken.contains(&"One moment.".to_owned()), "`slow` is off");
    call.answer(request.id, &[], &[("go", json!({ "label": "call_me" }))]);
    assert!(call.call().is_over());
    assert_eq!(call.spoken.last().unwrap(), "Not from here. Goodbye.");
}

#[test]
fn the_carrier_says_that_a_machine_answered_and_speech_is_cut() {
    let mut call = caller("talk").call(outbound());
    assert_eq!(call.spoken, ["Hello, this is Kim."]);
    call.handle(Event::AnsweredBy { who: AnsweredBy::Voicemail });
    assert!(call.effects.contains(&Effect::StopSpeech));
    while call.play_one() {}
    assert_eq!(outcome(&call.records), Some("left_word"));
    assert!(!call.spoken.contains(&"Goodbye.".to_owned()));
}

#[test]
fn a_machine_is_told_by_its_words_and_spoken_to_after_them() {
    let mut call = caller("talk").call(outbound());
    call.says("You have reached Ann. Please leave a message after the tone.");
    assert!(call.replies.is_empty(), "a machine gets no answer");
    call.handle(Event::CallerSpeaking);
    call.pass(2_900);
    assert!(!call.spoken.contains(&"Please call back.".to_owned()));
    call.pass(200);
    assert_eq!(call.spoken.last().unwrap(), "Please call back.");
}

#[test]
fn with_wait_the_first_word_is_held_for_the_hello() {
    let mut call = caller("wait").call(outbound());
    assert!(call.spoken.is_empty());
    call.pass(1_000);
    call.says("Hello?");
    assert_eq!(call.spoken, ["Hello, this is Kim."]);
    assert!(call.replies.is_empty(), "the greeting is the answer");

    let mut call = caller("wait").call(outbound());
    call.pass(2_499);
    assert!(call.spoken.is_empty());
    call.pass(1);
    assert_eq!(call.spoken, ["Hello, this is Kim."]);
}

#[test]
fn it_is_decided_once_what_answered() {
    let mut call = caller("talk").call(outbound());
    call.pass(8_000);
    call.handle(Event::AnsweredBy { who: AnsweredBy::Voicemail });
    assert_eq!(call.spoken, ["Hello, this is Kim."]);
    let view = call.call().view(0);
    let who = dgh_ir::Scope::builtin(&view, dgh_ir::Builtin::CallAnsweredBy);
    assert_eq!(who, Value::Case("unknown".into()));
}

#[test]
fn a_call_that_never_connected_ends_once_and_does_nothing_else() {
    let mut call = crate::Call::of(caller("talk").prepared, dgh_ir::AgentId(0), outbound()).unwrap();
    call.handle(Event::Stop { by: StoppedBy::NotConnected }, start().now);
    let mut effects = Vec::new();
    while let crate::Poll::Effect(effect) = call.poll() {
        effects.push(effect);
    }
    let ended = Record::Ended { outcome: None, ended_by: "not_connected".into() };
    assert_eq!(effects, [Effect::Emit(ended), Effect::End]);
}

#[test]
fn what_cannot_be_talked_over_is_spoken_again_and_holds_the_turn_back() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done
  start hello
  node hello {
    say "Listen to this." uninterrupted
    ask "Well?"
    when ok: "They agree" -> end done { say "Bye." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    assert!(call.interrupt());
    assert_eq!(call.spoken, ["Listen to this.", "Well?", "Listen to this."]);
    call.says("Ok ok");
    assert!(call.replies.is_empty(), "it has to be heard first");
    while call.play_one() {}
    assert_eq!(call.replies.len(), 1);
    assert!(call.records.contains(&Record::Completed { dialogue: "a".into(), node: "hello".into() }));
}

#[test]
fn a_transfer_waits_for_the_words_before_it() {
    let desk = agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done, failed
  start go
  node go {
    say "I connect you."
    transfer "+14155550101" { mode: cold }
    on transferred -> end done
    on transfer_failed -> end failed { say "Nobody is there." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    assert!(call.transfers.is_empty());
    while call.play_one() {}
    assert_eq!(call.transfers.front().map(String::as_str), Some("+14155550101"));
    call.transfer_ends(Some(TransferFailureEvent::NoAnswer));
    while call.play_one() {}
    assert_eq!(outcome(&call.records), Some("failed"));
}

#[test]
fn a_tool_without_an_answer_is_given_up() {
    let desk = agent(
        r#"
  channels: [web]
  outcome done, failed
  start act
  node act {
    call book() { meanwhile: "One second." timeout: 2s }
    on error -> end failed { say "That did not work." }
    next -> end done { say "Done." }
  }"#,
        r#"tool book() -> bool { about: "Books." post: "https://example.com" }"#,
    );
    let mut call = desk.call(start());
    let tool = call.tools.front().cloned().unwrap();
    let key = tool.idempotency_key.clone().expect("a POST has a key");
    assert_eq!(key.len(), 64);
    while call.play_one() {}
    call.pass(5_000);
    assert!(call.effects.contains(&Effect::CancelTool { call: tool.call }));
    while call.play_one() {}
    assert_eq!(outcome(&call.records), Some("failed"));
    let again = desk.call(start()).tools.pop_front().unwrap();
    assert_eq!(again.idempotency_key, Some(key), "the same call, visit, tool and arguments");
}

#[test]
fn the_language_of_the_caller_becomes_the_language_of_the_call() {
    let desk = agent(
        r#"
  channels: [web]
  languages: ["en", "es"]
  outcome done
  start hello
  node hello { ask greeting when bye: "Bye" -> end done { say farewell } }
  anywhere { on language("es") { say "Claro." } }"#,
        r#"
phrase greeting { en "Hello." es "Hola." }
phrase farewell { en "Goodbye." es "Adiós." }"#,
    );
    let mut call = desk.call(start());
    while call.play_one() {}
    call.handle(Event::CallerTurn {
        text: "Adiós".into(),
        confidence: Some(90),
        language: Some("es-MX".into()),
    });
    let request = call.replies.pop_front().unwrap();
    assert_eq!(request.card.language, "es");
    call.answer(request.id, &[], &[("go", json!({ "label": "bye" }))]);
    assert_eq!(call.spoken, ["Hello.", "Claro.", "Adiós."]);
}

#[test]
fn one_reply_at_a_time_even_when_an_event_wants_words_of_the_model() {
    let desk = agent(
        r#"
  channels: [phone]
  inbound { numbers: ["+14155550100"] }
  outcome done
  start hello
  node hello {
    prompt "Chat."
    when bye: "Bye" -> end done { say "Bye." }
    on key("1") { tell "Explain the menu." }
  }"#,
        "",
    );
    let mut call = desk.call(start());
    let opening = call.replies.pop_front().unwrap();
    call.handle(Event::Keys { keys: "1".into() });
    assert!(call.replies.is_empty());
    call.answer(opening.id, &["Hello."], &[]);
    let tell = call.replies.pop_front().unwrap();
    assert_eq!(tell.card.instruction.as_deref(), Some("Explain the menu."));
    assert!(!tell.may_call);
    call.answer(tell.id, &["Press one for this."], &[]);
    while call.play_one() {}
    assert!(call.call().caller_has_floor());
}

const STOPPED: &str = "I am sorry, this call has to end now. Please call again. Goodbye.";

fn ended_by(records: &[Record]) -> Vec<&str> {
    let ended = records.iter().filter_map(|record| match record {
        Record::Ended { ended_by, .. } => Some(ended_by.as_str()),
        _ => None,
    });
    ended.collect()
}

/// An agent that has much to say, and much of it has to be heard.
fn talkative() -> Compiled {
    agent(
        r#"
  channels: [web]
  outcome done
  start hello
  node hello {
    say "Listen to this." uninterrupted
    prompt "Chat."
    when ok: "They agree" -> end done { say "Bye." }
  }"#,
        "",
    )
}

#[test]
fn an_operator_ends_a_call_with_words_at_once() {
    let mut call = talkative().call(start());
    let opening = call.replies[0].id;
    call.handle(Event::SpeechStarted { utterance: UtteranceId(1) });
    call.handle(Event::Stop { by: StoppedBy::Operator });
    assert_eq!(call.spoken, ["Listen to this.", STOPPED], "what has to be heard is not said again");
    assert!(call.effects.contains(&Effect::StopSpeech));
    assert!(call.effects.contains(&Effect::CancelReply { reply: opening }));
    call.handle(Event::SpeechCut { utterance: UtteranceId(1), heard: 6, exact: true });
    call.says("But I have a question!");
    assert!(!call.call().is_over(), "the words are waited for");
    while call.play_one() {}
    assert_eq!(ended_by(&call.records), ["operator"]);
    let heard: Vec<_> = call
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Agent { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(heard, ["Listen", STOPPED]);
    assert!(call.replies.is_empty());
}

#[test]
fn last_words_that_nobody_can_say_do_not_keep_a_call() {
    let mut call = talkative().call(start());
    call.handle(Event::Stop { by: StoppedBy::Operator });
    call.pass(LAST_WORDS_MS - 1);
    assert!(!call.call().is_over());
    call.pass(1);
    assert_eq!(ended_by(&call.records), ["operator"]);
    let stops = call.effects.iter().filter(|effect| **effect == Effect::StopSpeech).count();
    assert_eq!(stops, 2, "nothing sounds after the end");
}

#[test]
fn an_operator_lets_a_goodbye_be_said() {
    let mut call = talkative().call(start());
    while call.play_one() {}
    let opening = call.replies.pop_front().unwrap();
    call.answer(opening.id, &["Shall we?"], &[]);
    while call.play_one() {}
    call.says("Yes");
    let request = call.replies.pop_front().unwrap();
    call.answer(request.id, &[], &[("go", json!({ "label": "ok" }))]);
    call.handle(Event::Stop { by: StoppedBy::Operator });
    while call.play_one() {}
    assert_eq!(call.spoken.last().unwrap(), "Bye.");
    assert_eq!((outcome(&call.records), ended_by(&call.records)), (Some("done"), vec!["agent"]));
}

#[test]
fn an_operator_says_nothing_to_a_machine_or_to_nobody() {
    let mut call = caller("talk").call(outbound());
    call.handle(Event::AnsweredBy { who: AnsweredBy::Voicemail });
    call.handle(Event::Stop { by: StoppedBy::Operator });
    assert!(!call.spoken.contains(&STOPPED.to_owned()));
    assert!(call.call().is_over());

    let mut call = talkative().call(start());
    call.says("Well");
    call.handle(Event::Hangup);
    call.handle(Event::Stop { by: StoppedBy::Operator });
    assert!(!call.spoken.contains(&STOPPED.to_owned()));
    assert_eq!(ended_by(&call.records), ["caller"]);
}

#[test]
fn an_operator_ends_a_call_that_waits_for_the_first_word() {
    let mut call = caller("wait").call(outbound());
    assert!(call.spoken.is_empty());
    call.handle(Event::Stop { by: StoppedBy::Operator });
    while call.play_one() {}
    assert_eq!(call.spoken, [STOPPED]);
    assert_eq!(ended_by(&call.records), ["operator"]);
}

#[test]
fn knowledge_that_is_given_as_a_whole_is_read_in_the_nodes_that_use_it() {
    let desk = agent(
        r#"
  prompt "You are Kim."
  outcome done
  knowledge faq { urls: ["https://example.com/faq"], mode: full }
  knowledge prices { urls: ["https://example.com/prices"] }
  start hello
  node hello { prompt "Help them." use faq, prices when more: "They want more" -> other }
  node other { ask "What else?" when bye: "They leave" -> end done { say "Bye." } }"#,
        "",
    );
    let mut given = chat();
    given.knowledge.insert("faq".to_owned(), "We open at nine.".into());
    let mut call = desk.call(given);
    let first = call.replies.pop_front().unwrap();
    assert!(first.persona.starts_with("You are Kim.") && first.persona.ends_with("We open at nine."));
    assert_eq!(first.card.tools, ["prices"]);
    call.answer(first.id, &["Hello, how can I help?"], &[]);
    call.says("More");
    let second = call.replies.pop_front().unwrap();
    call.answer(second.id, &[], &[("go", json!({ "label": "more" }))]);
    call.says("Hm");
    let third = call.replies.pop_front().unwrap();
    assert_eq!((third.persona.as_str(), third.card.tools.len()), ("You are Kim.", 0));
}
