//! Promises are asserted while the call runs: programs that no checker has seen.

use dgh_ir::{
    CmpOp, Decider, Event, ExprKind, Fact, Kind, Origin, Policy, PolicyKind, Sink, SlotKind, StepKind, Target,
};
use serde_json::json;

use super::build::{Build, ask, call, expr, int, say, start, step, ty};
use crate::effect::Record;
use crate::testing::ScriptedCall;

fn promise(b: &mut Build, kind: PolicyKind) {
    b.agent.policies.push(Policy { kind, origin: Origin::NONE });
}

fn broken(call: &ScriptedCall) -> Vec<String> {
    let policy = |record: &Record| match record {
        Record::Policy { message } => Some(message.clone()),
        _ => None,
    };
    call.records.iter().filter_map(policy).collect()
}

#[test]
fn a_node_is_not_entered_before_what_was_promised() {
    let mut b = Build::new();
    let hello = b.node("hello", |node| node.steps = vec![say("Hello.")]);
    let notice = b.node("notice", |node| node.steps = vec![say("This is recorded.")]);
    let secret = b.node("secret", |node| node.steps = vec![ask("The balance is four.")]);
    b.route(Some(hello), Decider::Next, vec![], Some(Target::Node(secret)));
    b.route(Some(notice), Decider::Next, vec![], Some(Target::Node(secret)));
    b.route(None, Decider::On(Event::Error), vec![], Some(Target::Node(notice)));
    let fact = Fact::Completed(notice);
    promise(&mut b, PolicyKind::Ensure { fact, before: Some(secret) });
    let mut call = b.call();
    while call.play_one() {}
    assert_eq!(broken(&call), ["`secret` may not be entered before notice"]);
    assert_eq!(call.spoken, ["Hello.", "This is recorded.", "The balance is four."]);
}

#[test]
fn a_promise_about_a_condition_looks_at_the_values_of_the_moment() {
    let mut b = Build::new();
    let age = b.var("age", Kind::Int);
    let read = b.read(age);
    let node = b.node("hello", |node| node.steps = vec![say("Hello.")]);
    let bar = b.node("bar", |node| node.steps = vec![ask("What will it be?")]);
    b.route(Some(node), Decider::Next, vec![], Some(Target::Node(bar)));
    let adult = ExprKind::Cmp(CmpOp::Ge, Box::new(read), Box::new(int(18)));
    let fact = Fact::Holds(expr(adult, ty(Kind::Bool)));
    promise(&mut b, PolicyKind::Ensure { fact, before: Some(bar) });
    let mut call = b.call();
    while call.play_one() {}
    assert_eq!(broken(&call), ["`bar` may not be entered before its condition"]);
    assert!(call.call().is_over());
    assert_eq!(call.spoken.last().unwrap(), "I am sorry, something went wrong on our side. Goodbye.");
}

#[test]
fn a_write_that_breaks_a_promise_is_refused_wherever_it_comes_from() {
    let mut b = Build::new();
    let amount = b.var("amount", Kind::Int);
    let read = b.read(amount);
    let condition = ExprKind::Cmp(CmpOp::Le, Box::new(read), Box::new(int(10)));
    promise(
        &mut b,
        PolicyKind::Always {
            condition: expr(condition, ty(Kind::Bool)),
            reason: Some("That is too much.".into()),
        },
    );
    let node = b.node("set", |node| {
        node.steps = vec![step(StepKind::Set(amount, int(11))), ask("Well?")];
    });
    b.route(Some(node), Decider::On(Event::Error), vec![say("No.")], None);
    let mut call = b.call();
    while call.play_one() {}
    assert_eq!(broken(&call), ["refused a value: That is too much."]);
    assert!(!call.records.iter().any(|record| matches!(record, Record::Value { .. })));
    assert_eq!(call.spoken, ["No.", "Well?"], "a handler that stays goes on with the next step");
}

#[test]
fn a_value_never_goes_where_it_must_not() {
    let mut b = Build::new();
    let plan = b.slot("plan", SlotKind::Input, ty(Kind::Text));
    let words = b.filled("Your plan is ", plan, ".");
    b.node("hello", |node| {
        node.steps = vec![step(StepKind::Say { text: words, uninterrupted: false }), ask("Well?")];
    });
    let done = b.outcome("done");
    b.route(None, Decider::On(Event::Error), vec![say("Sorry.")], Some(Target::End(Some(done))));
    promise(&mut b, PolicyKind::Never { slot: plan, sinks: vec![Sink::Speech] });
    let prepared = b.prepare();
    let mut begin = start();
    begin.inputs.insert("plan".into(), json!("gold"));
    assert!(crate::Call::of(prepared.clone(), dgh_ir::AgentId(0), start()).is_err());
    let mut call = ScriptedCall::new(prepared, dgh_ir::AgentId(0), begin).unwrap();
    while call.play_one() {}
    assert_eq!(broken(&call), ["`plan` must never go to speech"]);
    assert_eq!(call.spoken, ["Sorry."]);
}

#[test]
fn a_cycle_that_nobody_checked_ends_with_words() {
    let mut b = Build::new();
    let there = b.node("there", |node| node.steps = vec![step(StepKind::Clear(vec![]))]);
    let back = b.node("back", |_| {});
    b.route(Some(there), Decider::Next, vec![], Some(Target::Node(back)));
    b.route(Some(back), Decider::Next, vec![], Some(Target::Node(there)));
    let mut call = call(&b.prepare());
    while call.play_one() {}
    assert!(call.call().is_over());
    assert_eq!(call.spoken, ["I am sorry, something went wrong on our side. Goodbye."]);
}
