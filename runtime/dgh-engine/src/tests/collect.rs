//! `collect`: what callers do with a form.

use dgh_ir::{Confirm, Decider, Event, InputMode, Kind, SlotKind, Target, Type};
use serde_json::json;

use super::build::{Build, collect, int, say, silence, ty, use_tool, when, words};
use crate::effect::Record;
use crate::reply::{Card, Purpose};
use crate::testing::ScriptedCall;

/// `order` collects an amount, a size and a name, then `done` ends the call; `anywhere` has what
/// a designer writes for a person who does not go along.
fn form(confirm: Confirm) -> Build {
    let mut b = Build::new();
    let amount = b.var("amount", Kind::Int);
    let sizes = b.enumeration("Size", &["small", "large"]);
    let size = b.var("size", Kind::Enum(sizes));
    let name = b.slot("name", SlotKind::Var, ty(Kind::Text).optional());
    let ordered = b.outcome("ordered");
    let gave_up = b.outcome("gave_up");
    let order = b.node("order", |node| {
        node.collect = Some(dgh_ir::Collect {
            confirm,
            tries: Some(int(3)),
            ask: Some(words("What would you like?")),
            ..collect(&[amount, size, name])
        });
    });
    b.route(
        Some(order),
        Decider::On(Event::FailedCollect),
        vec![say("Sorry. Goodbye.")],
        Some(Target::End(Some(gave_up))),
    );
    b.route(Some(order), Decider::Next, vec![say("Thank you. Goodbye.")], Some(Target::End(Some(ordered))));
    b.route(None, silence(8_000, 1), vec![say("Still there?")], None);
    b.route(None, silence(8_000, 3), vec![say("I will let you go.")], Some(Target::End(Some(gave_up))));
    b
}

fn turn(call: &mut ScriptedCall, text: &str, calls: &[(&str, serde_json::Value)]) {
    while call.play_one() {}
    call.says(text);
    let request = call.replies.pop_front().expect("a request for the turn");
    assert_eq!(request.purpose, Purpose::Turn);
    call.answer(request.id, &[], calls);
    while call.play_one() {}
}

fn card(call: &mut ScriptedCall, text: &str) -> (crate::event::ReplyId, Card) {
    while call.play_one() {}
    call.says(text);
    let request = call.replies.pop_front().expect("a request for the turn");
    (request.id, request.card)
}

fn outcome(call: &ScriptedCall) -> Option<String> {
    call.records.iter().find_map(|record| match record {
        Record::Ended { outcome, .. } => outcome.clone(),
        _ => None,
    })
}

fn values(call: &ScriptedCall) -> Vec<(String, Option<String>)> {
    let value = |record: &Record| match record {
        Record::Value { name, shown, .. } => Some((name.clone(), shown.clone())),
        _ => None,
    };
    call.records.iter().filter_map(value).collect()
}

fn heard(call: &ScriptedCall, words: &str) -> usize {
    call.spoken.iter().filter(|spoken| spoken.contains(words)).count()
}

#[test]
fn the_question_is_asked_in_the_authors_words_and_no_model_is_asked_for_it() {
    let call = form(Confirm::Never).call();
    assert_eq!(call.spoken, ["What would you like?"]);
    assert!(call.replies.is_empty());
}

#[test]
fn three_values_at_once_fill_the_form() {
    let mut call = form(Confirm::Never).call();
    turn(
        &mut call,
        "Two large ones for Ann",
        &[("note", json!({ "amount": 2, "size": "large", "name": "Ann" }))],
    );
    assert!(call.call().is_over());
    assert_eq!(outcome(&call).as_deref(), Some("ordered"));
    assert_eq!(heard(&call, "What would you like?"), 1, "nothing is asked that is known");
}

#[test]
fn one_value_at_a_time_asks_for_the_rest() {
    let mut call = form(Confirm::Never).call();
    turn(&mut call, "Two", &[("note", json!({ "amount": 2 }))]);
    assert_eq!(heard(&call, "What would you like?"), 2, "a silent reply is followed by the question");
    let (id, card) = card(&mut call, "Large");
    let missing: Vec<_> = card.wanted.iter().filter(|w| w.missing).map(|w| w.name.as_str()).collect();
    assert_eq!(missing, ["size", "name"]);
    assert_eq!(card.known.iter().map(|k| k.value.as_str()).collect::<Vec<_>>(), ["2"]);
    call.answer(id, &["And your name?"], &[("note", json!({ "size": "large" }))]);
    assert!(!call.call().is_over());
}

#[test]
fn a_value_is_corrected_before_the_form_is_full() {
    let mut call = form(Confirm::Never).call();
    turn(&mut call, "Two", &[("note", json!({ "amount": 2 }))]);
    turn(&mut call, "No, three", &[("note", json!({ "amount": 3 }))]);
    turn(&mut call, "Large, for Ann", &[("note", json!({ "size": "large", "name": "Ann" }))]);
    assert!(call.call().is_over());
    let amounts: Vec<_> = values(&call).into_iter().filter(|(name, _)| name == "amount").collect();
    assert_eq!(amounts, [("amount".into(), Some("2".into())), ("amount".into(), Some("3".into()))]);
}

#[test]
fn another_field_is_corrected_while_one_is_asked_for() {
    let mut call = form(Confirm::Never).call();
    turn(&mut call, "Two large ones", &[("note", json!({ "amount": 2, "size": "large" }))]);
    turn(&mut call, "Ann, and make it small", &[("note", json!({ "name": "Ann", "size": "small" }))]);
    assert!(call.call().is_over());
    let known: Vec<_> = values(&call);
    assert_eq!(known.last(), Some(&("size".into(), Some("small".into()))));
}

#[test]
fn a_value_that_does_not_fit_is_refused_and_the_model_is_told() {
    let mut call = form(Confirm::Never).call();
    turn(&mut call, "Enormous", &[("note", json!({ "size": "enormous" }))]);
    let refused = call
        .records
        .iter()
        .any(|r| matches!(r, Record::Refused { message } if message == "`size` takes one of small, large"));
    assert!(refused);
    let (_, card) = card(&mut call, "Hm?");
    assert_eq!(card.remarks, ["Not accepted: `size` takes one of small, large."]);
}

#[test]
fn an_optional_value_may_be_declined_and_a_needed_one_may_not() {
    let mut call = form(Confirm::Never).call();
    turn(
        &mut call,
        "Two large ones, no name",
        &[("note", json!({ "amount": 2, "size": "large", "name": "declined" }))],
    );
    assert_eq!(outcome(&call).as_deref(), Some("ordered"));

    let mut call = form(Confirm::Never).call();
    turn(&mut call, "I won't say", &[("note", json!({ "amount": "declined" }))]);
    assert!(!call.call().is_over());
    assert!(values(&call).is_empty());
}

#[test]
fn who_refuses_for_as_many_turns_as_there_are_tries_is_let_go() {
    let mut call = form(Confirm::Never).call();
    turn(&mut call, "Why do you ask?", &[]);
    turn(&mut call, "Two", &[("note", json!({ "amount": 2 }))]);
    turn(&mut call, "I will not tell", &[]);
    assert!(!call.call().is_over());
    turn(&mut call, "No.", &[]);
    assert!(call.call().is_over(), "three turns changed nothing; the one between them did");
    assert_eq!(outcome(&call).as_deref(), Some("gave_up"));
    assert_eq!(heard(&call, "Sorry. Goodbye."), 1);
}

#[test]
fn who_stays_silent_is_asked_twice_and_let_go_the_third_time() {
    let mut call = form(Confirm::Never).call();
    for _ in 0..3 {
        while call.play_one() {}
        assert!(call.call().caller_has_floor());
        call.pass(8_000);
    }
    while call.play_one() {}
    assert_eq!(heard(&call, "Still there?"), 2);
    assert_eq!(heard(&call, "I will let you go."), 1);
    assert_eq!(outcome(&call).as_deref(), Some("gave_up"));
}

#[test]
fn a_form_is_read_back_and_a_yes_ends_it() {
    let mut call = form(Confirm::Always).call();
    turn(
        &mut call,
        "Two large ones for Ann",
        &[("note", json!({ "amount": 2, "size": "large", "name": "Ann" }))],
    );
    assert_eq!(heard(&call, "amount: 2; size: large; name: Ann. Is that right?"), 1);
    let (id, card) = card(&mut call, "Yes");
    assert!(card.read_back.is_some());
    call.answer(id, &[], &[("confirm", json!({ "answer": "yes" }))]);
    while call.play_one() {}
    assert_eq!(outcome(&call).as_deref(), Some("ordered"));
}

#[test]
fn a_change_needs_a_new_read_back() {
    let mut call = form(Confirm::Always).call();
    let all = json!({ "amount": 2, "size": "large", "name": "Ann" });
    turn(&mut call, "Two large ones for Ann", &[("note", all)]);
    turn(
        &mut call,
        "Yes, but small",
        &[("confirm", json!({ "answer": "yes" })), ("note", json!({ "size": "small" }))],
    );
    assert!(!call.call().is_over(), "a yes to what has changed does not count");
    assert_eq!(heard(&call, "size: small"), 1);
    turn(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    assert_eq!(outcome(&call).as_deref(), Some("ordered"));
}

#[test]
fn a_no_asks_what_is_wrong_and_the_same_value_said_again_is_read_back_again() {
    let mut call = form(Confirm::Always).call();
    let all = json!({ "amount": 2, "size": "large", "name": "Ann" });
    turn(&mut call, "Two large ones for Ann", &[("note", all.clone())]);
    while call.play_one() {}
    call.says("No");
    let request = call.replies.pop_front().unwrap();
    call.answer(request.id, &[], &[("confirm", json!({ "answer": "no" }))]);
    assert!(!call.call().is_over());
    assert_eq!(heard(&call, "What would you like?"), 2);
    turn(&mut call, "Two large ones, for Ann", &[("note", all)]);
    assert_eq!(heard(&call, "Is that right?"), 2);
    turn(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    assert_eq!(outcome(&call).as_deref(), Some("ordered"));
}

#[test]
fn a_yes_to_words_that_were_cut_does_not_count() {
    let mut call = form(Confirm::Always).call();
    while call.play_one() {}
    call.says("Two large ones for Ann");
    let request = call.replies.pop_front().unwrap();
    let all = json!({ "amount": 2, "size": "large", "name": "Ann" });
    call.answer(request.id, &[], &[("note", all)]);
    assert!(call.interrupt());
    call.says("Yes yes");
    let request = call.replies.pop_front().unwrap();
    call.answer(request.id, &[], &[("confirm", json!({ "answer": "yes" }))]);
    assert!(!call.call().is_over());
    assert_eq!(heard(&call, "Is that right?"), 2);
}

#[test]
fn a_mind_changed_after_the_yes_is_read_back_where_the_call_is_then() {
    let mut b = Build::new();
    let amount = b.var("amount", Kind::Int);
    let ordered = b.outcome("ordered");
    let order = b.node("order", |node| {
        node.collect = Some(dgh_ir::Collect { confirm: Confirm::Always, ..collect(&[amount]) });
    });
    let more = b.node("more", |node| node.prompt = Some(dgh_ir::Template::text("Anything else?")));
    b.route(Some(order), Decider::Next, vec![], Some(Target::Node(more)));
    b.route(Some(more), when("done"), vec![say("Bye.")], Some(Target::End(Some(ordered))));
    let mut call = b.call();
    let opening = call.replies.pop_front().unwrap();
    call.answer(opening.id, &["How many?"], &[]);
    turn(&mut call, "Two", &[("note", json!({ "amount": 2 }))]);
    turn(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    let opening = call.replies.pop_front().unwrap();
    assert_eq!(opening.card.node, "more");
    call.answer(opening.id, &["Anything else?"], &[]);
    turn(&mut call, "Make it three", &[("note", json!({ "amount": 3 }))]);
    assert_eq!(heard(&call, "I have: 3. Is that right?"), 1);
    turn(&mut call, "Yes", &[("confirm", json!({ "answer": "yes" }))]);
    let resume = call.replies.pop_front().unwrap();
    assert_eq!(resume.purpose, Purpose::Resume, "the caller is not left without words");
}

/// `day` is used by a tool; then `pick` talks. With `handler`, `pick` knows what to do when the
/// day changes.
fn used(handler: bool) -> ScriptedCall {
    let mut b = Build::new();
    let day = b.var("day", Kind::Date);
    let slots = b.slot("slots", SlotKind::Binding, ty(Kind::Int));
    let find = b.tool("find", &[("day", ty(Kind::Date))], ty(Kind::Int));
    let ask = b.node("ask", |node| {
        node.collect = Some(dgh_ir::Collect { ask: Some(words("Which day?")), ..collect(&[day]) });
    });
    let read = b.read(day);
    let offer = b.node("offer", |node| {
        node.steps = vec![use_tool(find, vec![("day".into(), read)], Some(slots))];
    });
    let pick = b.node("pick", |node| node.steps = vec![super::build::ask("There is one at ten.")]);
    b.route(Some(ask), Decider::Next, vec![], Some(Target::Node(offer)));
    b.route(Some(offer), Decider::Next, vec![], Some(Target::Node(pick)));
    if handler {
        b.route(
            Some(pick),
            Decider::On(Event::Corrected(day)),
            vec![say("Let me look again.")],
            Some(Target::Node(offer)),
        );
    }
    let mut call = b.call();
    turn(&mut call, "Tuesday", &[("note", json!({ "day": "2026-03-03" }))]);
    let tool = call.tools.pop_front().unwrap();
    assert_eq!(tool.arguments, json!({ "day": "2026-03-03" }));
    call.tool_answers(&tool, Ok(json!(1)));
    call
}

#[test]
fn a_used_value_changes_through_its_handler_which_has_the_new_one() {
    let mut call = used(true);
    turn(&mut call, "Rather Thursday", &[("note", json!({ "day": "2026-03-05" }))]);
    assert_eq!(heard(&call, "Let me look again."), 1);
    let tool = call.tools.pop_front().expect("the tool is called again");
    assert_eq!(tool.arguments, json!({ "day": "2026-03-05" }));
}

#[test]
fn a_used_value_without_a_handler_does_not_change_and_the_card_says_so() {
    let mut call = used(false);
    turn(&mut call, "Rather Thursday", &[("note", json!({ "day": "2026-03-05" }))]);
    let resume = call.replies.pop_front().unwrap();
    assert_eq!(resume.card.remarks, ["Not accepted: `day` is in use and cannot be changed any more."]);
    assert_eq!(resume.card.known[0].value, "2026-03-03 (Tuesday)");
    assert!(call.tools.is_empty());
}

#[test]
fn the_same_value_said_again_is_no_correction() {
    let mut call = used(true);
    turn(&mut call, "Tuesday, yes", &[("note", json!({ "day": "2026-03-03" }))]);
    assert!(call.tools.is_empty());
}

#[test]
fn keys_are_the_collects_own_and_a_private_value_reaches_no_model() {
    let mut b = Build::new();
    let pin = b.slot("pin", SlotKind::Var, Type { private: true, ..ty(Kind::Digits(4)) });
    let key = b.outcome("menu");
    let done = b.outcome("done");
    let node = b.node("ask", |node| {
        node.collect = Some(dgh_ir::Collect {
            by: InputMode::Keypad,
            ask: Some(words("Type your PIN.")),
            ..collect(&[pin])
        });
    });
    b.route(Some(node), Decider::Next, vec![say("Thanks.")], Some(Target::End(Some(done))));
    b.route(None, Decider::On(Event::Key(None)), vec![], Some(Target::End(Some(key))));
    let mut call = b.call();
    while call.play_one() {}
    call.handle(crate::Event::Keys { keys: "1988".into() });
    while call.play_one() {}
    assert_eq!(outcome(&call).as_deref(), Some("done"));
    let seen = format!("{:?}{:?}", call.records, call.call());
    assert!(!seen.contains("1988") && seen.contains("[pin]"), "{seen}");
    assert!(call.effects.iter().all(|e| !format!("{e:?}").contains("1988")));
}
