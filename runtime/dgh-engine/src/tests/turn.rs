//! One turn: what a model may do, and what is made of it.

use serde_json::json;

use super::build::start;
use super::source::{Compiled, agent};
use crate::Effect;
use crate::effect::Record;
use crate::event::{Event, Usage, UtteranceId};
use crate::reply::{Message, Purpose, ReplyRequest};
use crate::testing::ScriptedCall;

fn desk() -> Compiled {
    agent(
        r#"
  prompt "You are Kim."
  channels: [web]
  outcome done, left, failed
  var topic: text "What it is about"
  start hello
  node hello {
    ask "Hello. What can I do for you?"
    prompt "Find out the topic."
    when sales: "They want to buy" -> shop
    when rude: "They are rude" if topic -> end left { say "Goodbye then." }
  }
  node shop {
    prompt "Talk about the shop."
    collect topic
    use stock, price
    on failed(collect) -> end failed { say "Never mind. Goodbye." }
    next -> end done { say "It is noted. Goodbye." }
  }
  anywhere {
    when human: "They want a person" -> end left { say "I will call you back." }
    on error -> end failed { say "Sorry. Goodbye." }
  }"#,
        r#"
tool stock(item: text) -> int { about: "How many there are." get: "https://example.com/{{ item }}" }
tool price(item: text) -> int { about: "What it costs." get: "https://example.com/p/{{ item }}" }
"#,
    )
}

fn at_shop() -> ScriptedCall {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("I want to buy");
    let request = next(&mut call);
    call.answer(request.id, &[], &[("go", json!({ "label": "sales" }))]);
    let opening = next(&mut call);
    assert_eq!((opening.purpose, opening.card.node.as_str()), (Purpose::Opening, "shop"));
    assert!(opening.card.labels.is_empty(), "labels are for turns of the caller");
    call.answer(opening.id, &["What do you need?"], &[]);
    while call.play_one() {}
    call
}

fn next(call: &mut ScriptedCall) -> ReplyRequest {
    call.replies.pop_front().expect("a reply is asked for")
}

fn refused(call: &ScriptedCall) -> Vec<&str> {
    let refused = call.records.iter().filter_map(|record| match record {
        Record::Refused { message } => Some(message.as_str()),
        _ => None,
    });
    refused.collect()
}

#[test]
fn the_functions_are_the_same_list_for_the_whole_call() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("I want to buy");
    let request = next(&mut call);
    let names: Vec<_> = request.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["go", "note", "confirm", "unclear", "stock", "price"]);
    call.answer(request.id, &[], &[("go", json!({ "label": "sales" }))]);
    assert!(std::sync::Arc::ptr_eq(&request.functions, &next(&mut call).functions));
}

#[test]
fn the_card_says_what_may_be_done_now() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let card = next(&mut call).card;
    let labels: Vec<_> = card.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(labels, ["sales", "human"], "a `when … if` is offered only while it holds");
    assert_eq!(card.prompt.as_deref(), Some("Find out the topic."));
    assert!(card.tools.is_empty() && card.may_unclear && card.read_back.is_none());
    assert_eq!(card.wanted[0].name, "topic");
    assert!(!card.wanted[0].missing, "it may be noted here, and is not asked for");
}

#[test]
fn a_guard_is_looked_at_again_when_the_label_is_chosen() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Saws, and you are an idiot");
    let request = next(&mut call);
    call.answer(
        request.id,
        &["Well."],
        &[("note", json!({ "topic": "saws" })), ("go", json!({ "label": "rude" }))],
    );
    assert_eq!(refused(&call), ["`rude` cannot be chosen here"], "it was not on the card");
    while call.play_one() {}
    call.says("Idiot!");
    let request = next(&mut call);
    assert!(request.card.labels.iter().any(|label| label.name == "rude"));
    call.answer(request.id, &[], &[("go", json!({ "label": "rude" }))]);
    while call.play_one() {}
    assert!(call.call().is_over());
}

#[test]
fn sentences_are_spoken_until_a_go_and_not_after_it() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("I want to buy");
    let id = next(&mut call).id;
    let sentence = |text: &str| Event::ReplySentence { reply: id, text: text.into() };
    call.handle(sentence("With pleasure."));
    let go = json!({ "label": "sales" });
    call.handle(Event::ReplyCall { reply: id, id: "1".into(), name: "go".into(), arguments: go });
    call.handle(sentence("This is lost."));
    let other = json!({ "label": "human" });
    call.handle(Event::ReplyCall { reply: id, id: "2".into(), name: "go".into(), arguments: other });
    let note = json!({ "topic": "saws" });
    call.handle(Event::ReplyCall { reply: id, id: "3".into(), name: "note".into(), arguments: note });
    call.handle(Event::ReplyClosed { reply: id, failure: None, usage: Usage::default() });
    assert_eq!(refused(&call), ["only the first `go` counts, not `human`"]);
    while call.play_one() {}
    assert_eq!(
        call.spoken,
        ["Hello. What can I do for you?", "With pleasure.", "It is noted. Goodbye."],
        "the note fills the form of the next node, which passes through"
    );
}

#[test]
fn the_stream_is_read_for_300_ms_after_a_go() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("I want to buy");
    let id = next(&mut call).id;
    let go = json!({ "label": "sales" });
    call.handle(Event::ReplyCall { reply: id, id: "1".into(), name: "go".into(), arguments: go });
    call.pass(299);
    assert!(call.replies.is_empty());
    call.pass(1);
    assert_eq!(next(&mut call).card.node, "shop");
    assert!(call.effects.contains(&Effect::CancelReply { reply: id }));
}

#[test]
fn a_label_that_is_not_there_is_refused_and_the_caller_gets_words() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let id = next(&mut call).id;
    call.answer(id, &[], &[("go", json!({ "label": "nowhere" }))]);
    assert_eq!(refused(&call), ["`nowhere` cannot be chosen here"]);
    let again = next(&mut call);
    assert_eq!((again.purpose, again.may_call), (Purpose::Resume, false));
    assert_eq!(again.card.remarks, ["Not accepted: `nowhere` cannot be chosen here."]);
    call.answer(again.id, &[], &[]);
    while call.play_one() {}
    assert!(call.spoken.iter().any(|s| s == "Sorry. Goodbye."), "no words twice is an error");
}

#[test]
fn tools_of_one_reply_run_side_by_side_and_one_request_carries_all_results() {
    let mut call = at_shop();
    call.says("How many saws, and how much?");
    let id = next(&mut call).id;
    let item = json!({ "item": "saw" });
    call.answer(id, &["Let me look."], &[("stock", item.clone()), ("price", item)]);
    assert_eq!(call.tools.len(), 2);
    let (stock, price) = (call.tools.pop_front().unwrap(), call.tools.pop_front().unwrap());
    assert!(stock.idempotency_key.is_none(), "a GET needs no key");
    call.tool_answers(&price, Ok(json!(20)));
    assert!(call.replies.is_empty());
    call.tool_answers(&stock, Ok(json!(7)));
    let after = next(&mut call);
    assert_eq!(after.purpose, Purpose::AfterTools);
    let Some(Message::Tools(exchanges)) = after.history.last() else { panic!("the results") };
    let results: Vec<_> = exchanges.iter().map(|e| (e.name.as_str(), &e.result)).collect();
    assert_eq!(results, [("stock", &json!(7)), ("price", &json!(20))]);
    assert!(!after.card.labels.is_empty(), "it is still the answer to the caller");
}

#[test]
fn there_are_three_rounds_of_tools_and_no_fourth() {
    let mut call = at_shop();
    call.says("How many?");
    let mut request = next(&mut call);
    for round in 1..=3 {
        assert!(!request.card.tools.is_empty(), "round {round}");
        call.answer(request.id, &[], &[("stock", json!({ "item": "saw" }))]);
        let tool = call.tools.pop_front().unwrap();
        call.tool_answers(&tool, Ok(json!(round)));
        request = next(&mut call);
    }
    assert!(request.card.tools.is_empty());
    call.answer(request.id, &[], &[("stock", json!({ "item": "saw" }))]);
    assert!(call.tools.is_empty());
    assert_eq!(refused(&call), ["`stock` cannot be used here"]);
}

#[test]
fn tools_beside_a_go_are_not_started() {
    let mut call = at_shop();
    call.says("A person please");
    let id = next(&mut call).id;
    call.answer(id, &[], &[("stock", json!({ "item": "saw" })), ("go", json!({ "label": "human" }))]);
    assert!(call.tools.is_empty());
}

#[test]
fn a_tool_with_wrong_arguments_answers_with_what_is_wrong() {
    let mut call = at_shop();
    call.says("How many?");
    let id = next(&mut call).id;
    call.answer(id, &[], &[("stock", json!({}))]);
    let after = next(&mut call);
    let Some(Message::Tools(exchanges)) = after.history.last() else { panic!("the results") };
    assert_eq!(exchanges[0].result, json!({ "error": "`item` is missing" }));
}

#[test]
fn history_is_what_was_heard() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let id = next(&mut call).id;
    call.answer(id, &["We have saws, hammers, and a great many other things."], &[]);
    assert!(call.interrupt());
    call.says("Wait");
    let request = next(&mut call);
    assert_eq!(
        request.history,
        [
            Message::Agent("Hello. What can I do for you?".into()),
            Message::Caller("Hm".into()),
            Message::Agent("We have saws, hammers, and".into()),
            Message::Caller("Wait".into()),
        ]
    );
    assert!(call.records.contains(&Record::Agent { text: "We have saws, hammers, and".into(), cut: true }));
}

#[test]
fn all_models_failing_is_an_error_and_ends_with_words() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let reply = next(&mut call).id;
    let failure = Some("all models failed".into());
    call.handle(Event::ReplyClosed { reply, failure, usage: Usage::default() });
    while call.play_one() {}
    assert!(call.call().is_over());
    assert_eq!(call.spoken.last().unwrap(), "Sorry. Goodbye.");
}

#[test]
fn a_turn_before_the_openings_first_sound_cancels_it() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("I want to buy");
    let id = next(&mut call).id;
    call.answer(id, &[], &[("go", json!({ "label": "sales" }))]);
    let opening = next(&mut call);
    call.handle(Event::ReplySentence { reply: opening.id, text: "What do you need?".into() });
    call.says("Saws");
    assert!(call.effects.contains(&Effect::CancelReply { reply: opening.id }));
    assert!(call.effects.contains(&Effect::StopSpeech));
    let turn = next(&mut call);
    assert_eq!(turn.purpose, Purpose::Turn);
    let heard = turn.history.iter().any(|m| *m == Message::Agent("What do you need?".into()));
    assert!(!heard, "nobody heard it");
}

#[test]
fn a_late_answer_of_a_tool_that_only_reads_is_dropped_with_its_node() {
    let mut call = at_shop();
    call.says("How many?");
    let id = next(&mut call).id;
    call.answer(id, &[], &[("stock", json!({ "item": "saw" }))]);
    let tool = call.tools.front().cloned().unwrap();
    call.handle(Event::Hangup);
    // The turn was unanswered: it is read once more, for notes alone.
    let extract = next(&mut call);
    assert_eq!(extract.purpose, Purpose::Extract);
    assert!(extract.card.labels.is_empty() && extract.card.tools.is_empty());
    call.answer(extract.id, &["ignored"], &[("note", json!({ "topic": "saws" }))]);
    assert!(call.call().is_over());
    assert!(!call.spoken.iter().any(|s| s == "ignored"));
    call.tool_answers(&tool, Ok(json!(1)));
    assert!(call.call().is_over());
}

#[test]
fn slow_speaks_once_when_nothing_sounds() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let id = next(&mut call).id;
    call.pass(1_199);
    assert_eq!(call.spoken.len(), 1);
    call.pass(1);
    assert_eq!(call.spoken.last().unwrap(), "One moment.");
    call.pass(10_000);
    assert_eq!(call.spoken.len(), 2);
    call.answer(id, &["Here I am."], &[]);
    assert_eq!(call.spoken.last().unwrap(), "Here I am.");
}

#[test]
fn words_that_no_voice_could_say_were_not_said() {
    let spoken = |effects: &[Effect]| -> Vec<(UtteranceId, String)> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Speak { utterance, text, .. } => Some((*utterance, text.clone())),
                _ => None,
            })
            .collect()
    };
    let mut call = agent(
        r#"
  channels: [web]
  outcome done
  start hello
  node hello {
    say "This call is recorded." uninterrupted
    ask "Hello."
    when bye: "They are done" -> end done { say "Bye." }
  }"#,
        "",
    )
    .call(start());
    let [(notice, _), (hello, _)] = spoken(&call.effects)[..] else { panic!("{:?}", call.effects) };
    call.handle(Event::SpeechFailed { utterance: notice });
    call.handle(Event::SpeechFailed { utterance: hello });
    let words: Vec<_> = spoken(&call.effects).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        words,
        ["This call is recorded.", "Hello.", "This call is recorded."],
        "what has to be heard is"
    );
    assert!(
        !call.records.iter().any(|record| matches!(record, Record::Agent { .. })),
        "nobody heard anything"
    );
}

#[test]
fn slow_speaks_again_while_nothing_comes() {
    let mut call = desk().call(start());
    while call.play_one() {}
    call.says("Hm");
    let id = next(&mut call).id;
    call.pass(1_200);
    while call.play_one() {}
    call.pass(3_999);
    assert_eq!(call.spoken.len(), 2);
    call.pass(1);
    assert_eq!(call.spoken[1..], ["One moment.", "One moment."]);
    while call.play_one() {}
    call.answer(id, &["Here I am."], &[]);
    while call.play_one() {}
    call.pass(5_000);
    assert_eq!(call.spoken.last().unwrap(), "Here I am.", "the caller has the floor");
}
