//! What the program says: the shapes that the engine runs.

use dgh_ir::test::{MockAnswer, TestStepKind};
use dgh_ir::{Builtin, Decider, Event, ExprKind, Program, StepKind, Target, Value};

use dgh_diag::Code::*;

use super::program::{At, program, table};
use crate::testing::Bundle;

fn lower(at: At, snippet: &str) -> Program {
    let text = program(at, snippet);
    Bundle::new(&[("agent.dgh", &text)]).lower().program
}

fn condition(program: &Program) -> ExprKind {
    let main = &program.agents[program.agent("main").unwrap()].dialogue;
    let act = &main.nodes[main.node("act").unwrap()];
    let condition = act.routes.iter().find_map(|r| match &main.routes[*r].decider {
        Decider::If(condition) => Some(condition.kind.clone()),
        _ => None,
    });
    match condition.unwrap() {
        ExprKind::Or(_, b) => b.kind,
        other => other,
    }
}

#[test]
fn a_test_for_presence_is_a_question() {
    assert!(matches!(condition(&lower(At::If, "or age")), ExprKind::IsSet(_)));
    assert!(matches!(condition(&lower(At::If, "or age?")), ExprKind::IsSet(_)));
    assert!(matches!(condition(&lower(At::If, "or age != none")), ExprKind::IsSet(_)));
    assert!(matches!(condition(&lower(At::If, "or age == none")), ExprKind::Not(_)));
    assert!(matches!(condition(&lower(At::If, "or consent")), ExprKind::Slot(_)));
    assert!(
        matches!(condition(&lower(At::If, "or caller.phone")), ExprKind::IsSet(x) if x.kind == ExprKind::Builtin(Builtin::CallerPhone))
    );
}

#[test]
fn a_read_says_whether_it_needs_a_value() {
    let ExprKind::Cmp(_, a, _) = condition(&lower(At::If, "or age > 3")) else { panic!() };
    assert!(!a.ty.optional, "an order needs a value");
    let ExprKind::Cmp(_, a, _) = condition(&lower(At::If, "or age == 3")) else { panic!() };
    assert!(a.ty.optional, "equality takes a missing value");
}

#[test]
fn constants_are_filled_in() {
    let ExprKind::Cmp(_, _, b) = condition(&lower(At::If, "or total == LIMIT")) else { panic!() };
    assert_eq!(b.kind, ExprKind::Const(Value::Int(3)));
    let ExprKind::Cmp(_, a, b) = condition(&lower(At::If, "or size == none")) else { panic!() };
    assert!(matches!(a.kind, ExprKind::Slot(_)));
    assert_eq!(
        b.kind,
        ExprKind::Const(Value::Case("none".to_owned())),
        "a case may be called like a literal"
    );
}

#[test]
fn a_percentage_reads_as_it_is_written_and_counts_as_a_part_of_one() {
    let text = program(At::Say, "Up to {{ 25% }}, then {{ SHARE }}, or {{ 0.25 }}.");
    let text = format!("{text}\nconst SHARE: number = 12.50%\n");
    let program = Bundle::new(&[("agent.dgh", &text)]).lower().program;
    let said = format!("{program:?}");
    assert!(said.contains("Text(\"25%\")") && said.contains("Text(\"12.5%\")"), "{said}");
    let ExprKind::Cmp(_, _, b) = condition(&lower(At::If, "or 0.5 == 25%")) else { panic!() };
    assert_eq!(b.kind, ExprKind::Const(Value::Number("0.25".parse().unwrap())));
}

#[test]
fn privacy_is_in_the_type() {
    let program = lower(
        At::Member,
        "var pin: private int = 1 \"x\"  node n { say \"{{ reveal(pin) }}\" if pin == 3 -> act else -> act }",
    );
    let main = &program.agents[program.agent("main").unwrap()].dialogue;
    let node = &main.nodes[main.node("n").unwrap()];
    let StepKind::Say { text, .. } = &node.steps[0].kind else { panic!() };
    assert!(!text.ty.private, "revealed");
    let Decider::If(condition) = &main.routes[node.routes[0]].decider else { panic!() };
    assert!(condition.ty.private);
}

#[test]
fn what_does_not_resolve_is_a_hole() {
    let program = lower(At::Route, "when more: \"More\" -> nowhere  on nothing -> act");
    let main = &program.agents[program.agent("main").unwrap()].dialogue;
    let talk = &main.nodes[main.node("talk").unwrap()];
    let routes: Vec<_> = talk.routes.iter().map(|r| &main.routes[*r]).collect();
    assert_eq!(routes[1].target, Some(Target::Hole));
    assert_eq!(routes[2].decider, Decider::On(Event::Hole));
    let program = lower(At::Step, "call nothing(who)");
    let main = &program.agents[program.agent("main").unwrap()].dialogue;
    assert_eq!(main.nodes[main.node("act").unwrap()].steps[0].kind, StepKind::Hole);
}

#[test]
fn white_space_changes_nothing() {
    let text = program(At::Item, "");
    let spaced = text.replace('\n', "\n\n  // words\n");
    let one = Bundle::new(&[("agent.dgh", &text)]).lower().program;
    let two = Bundle::new(&[("agent.dgh", &spaced)]).lower().program;
    assert_eq!(one, two);
}

#[test]
fn the_own_agents_come_first() {
    let entry = "dgh 1\nimport { b } from \"./b.dgh\"\nagent a { outcome o start s node s { say \"x\" next -> agent b() } }";
    let other = "dgh 1\nagent b { outcome o start s node s { say \"x\" next -> end o } }";
    let program = Bundle::new(&[("a.dgh", entry), ("b.dgh", other)]).lower().program;
    let names: Vec<&str> = program.agents.iter().map(|(_, a)| a.name.as_str()).collect();
    assert_eq!((names, program.own_agents), (vec!["a", "b"], 1));
}

#[test]
fn tests_are_checked() {
    table(
        &[
            (UnknownMeaning, At::Test, "says \"x\" means «act»", "no `when` has the label `act`"),
            (UnknownMeaning, At::Test, "says \"x\" means «humn»", "Did you mean `human`?"),
            (UnknownMeaning, At::Test, "says \"x\" means «day»", "`day` is a variable"),
            (UnknownMeaning, At::Test, "says \"x\" means { «dya»: 2026-03-02 }", "Did you mean `day`?"),
            (
                UnknownMeaning,
                At::Test,
                "says \"x\" means human { «who»: \"Ann\" }",
                "there is no variable `who` to learn",
            ),
            (WrongType, At::Test, "says \"x\" means { day: «\"tomorrow\"» }", "`day` takes a date"),
            (
                WrongType,
                At::Test,
                "says \"x\" means { size: «3» }",
                "It is one of `small`, `large` or `none`",
            ),
            (UnknownCase, At::Test, "says \"x\" means { size: «tiny» }", "is not a case of `Size`"),
            (BadMock, At::Test, "mock checked = «\"yes\"»", "`checked` takes a yes or no (bool)"),
            (
                BadMock,
                At::Test,
                "mock find = [«{ id: \"a\", at: \"2026-03-02T10:00\" }»]",
                "this `Slot` lacks `price`",
            ),
            (
                BadMock,
                At::Test,
                "mock find = [{ id: \"a\", at: «\"soon\"», price: \"3 EUR\" }]",
                "`at` takes a date with a time",
            ),
            (BadMock, At::Test, "mock transfer = «ringing»", "a transfer does not end as `ringing`"),
            (BadMock, At::Test, "mock «calendar» = 3", "a server is mocked tool by tool"),
            (BadMock, At::Test, "mock checked = error(«3»)", "takes a text"),
            (UnknownTool, At::Test, "mock «chcked» = true", "Did you mean `checked`?"),
            (
                UnknownField,
                At::Test,
                "mock maybe = { id: \"a\", at: 2026-03-02T10:00, price: 3 EUR, «docter»: \"x\" }",
                "Did you mean `doctor`?",
            ),
            (NotAssignable, At::Test, "given «day» = 2026-03-02", "is learned during the call"),
            (UnknownName, At::Test, "given «agee» = 3", "Did you mean `age`?"),
            (WrongType, At::Test, "given age = «\"old\"»", "`age` takes a whole number"),
            (WrongType, At::Test, "given now = «\"noon\"»", "`now` takes a date with a time"),
            (BadExpect, At::Test, "expect «visited()»", "`visited` takes nodes"),
            (BadExpect, At::Test, "expect «said(who)»", "`said` takes the words"),
            (BadExpect, At::Test, "expect «called()» == 1", "`called` takes the name of a tool"),
            (BadExpect, At::Test, "expect «sent(\"crm\")»", "`sent` takes the name of a webhook"),
            (UnknownNode, At::Test, "expect visited(«ackt»)", "Did you mean `act`?"),
            (UnknownName, At::Test, "expect sent(«crn»)", "Did you mean `crm`?"),
            (UnknownCase, At::Test, "expect outcome == «don»", "Did you mean `done`?"),
            (NotCondition, At::Test, "expect «called(find)»", "not a condition"),
            (NotComparable, At::Test, "expect turns «==» \"3\"", "do not compare"),
            (BadFormat, At::Test, "keys «\"12a\"»", "`keys` takes digits"),
            (
                MissingArgument,
                At::File,
                "dgh 1\nagent a { outcome o input x: text start s node s { say x next -> end o } }\ntest «\"t\"» { expect outcome == o }",
                "this test does not give `x`",
            ),
            (
                TestNeedsAgent,
                At::File,
                "dgh 1\nagent a { outcome o start s node s { say \"x\" next -> end o } }\nagent b { outcome o start s node s { say \"x\" next -> end o } }\ntest «\"t\"» { expect outcome == o }",
                "several agents",
            ),
            (
                TestNeedsAgent,
                At::File,
                "dgh 1\nconst X = 1\ntest «\"t\"» { expect turns == X }",
                "no agent that could be tested",
            ),
            (
                UnknownAgent,
                At::File,
                "dgh 1\nagent a { outcome o start s node s { say \"x\" next -> end o } }\ntest \"t\" of «b» { expect outcome == o }",
                "there is no agent `b`",
            ),
        ],
        &[
            (
                At::Test,
                "given now = 2026-03-02T10:00, caller.phone = \"+14155550100\", caller.language = \"en\", env.API = \"x\", age = 3",
            ),
            (
                At::Test,
                "mock find = [{ id: \"a\", at: \"2026-03-02T10:00\", price: \"3 EUR\" }] mock maybe = none mock checked = error(\"timeout\") mock transfer = no_answer mock tell_them = none mock calendar.list = { a: [1, \"b\"] }",
            ),
            (
                At::Test,
                "says \"x\" means human says \"y\" means acts { day: 2026-03-02, size: large, comment: \"x\", score: 4 } says \"z\" means nothing says \"2\" means { choice: 2 } keys \"1#\" waits 8s interrupts \"no\" means human agent_says \"x\" hangs_up",
            ),
            (
                At::Test,
                "expect outcome == done and visited(talk, act) and not said(\"x\") and sent(crm) and called(find) == 2 and turns > 1 and ended_by == agent and day == 2026-03-02",
            ),
            (
                At::Test,
                "expect choice.price == 3 EUR and comment and called(calendar.list) == 0 expect outcome",
            ),
            (At::Test, "caller \"You run a bakery.\" judge \"It was polite\""),
        ],
    );
}

#[test]
fn values_of_tests_have_the_declared_type() {
    let text = program(
        At::Test,
        "mock find = [{ price: \"3 EUR\", id: \"a\", at: \"2026-03-02T10:00\" }] says \"x\" means { rate: 2, score: 3, wait_for: \"90s\" } says \"y\" means yes",
    );
    let lowered = Bundle::new(&[("agent.dgh", &text)]).lower();
    let test = &lowered.context.tests[0];
    let MockAnswer::Value(Value::List(items)) = &test.mocks[0].answer else { panic!() };
    let Value::Record(slot) = &items[0] else { panic!() };
    assert_eq!(slot.keys().collect::<Vec<_>>(), ["id", "at", "price"], "in the order of the type");
    assert!(matches!(slot["at"], Value::DateTime(_)) && matches!(slot["price"], Value::Money(..)));
    let TestStepKind::Says(_, Some(meaning)) = &test.steps[0].kind else { panic!() };
    let values: Vec<&Value> = meaning.notes.iter().map(|n| &n.value).collect();
    assert!(
        matches!(values.as_slice(), [Value::Number(_), Value::Int(3), Value::Duration(90_000)]),
        "{values:?}"
    );
    // `yes` is a label of a flow that nobody runs.
    assert!(matches!(&test.steps[1].kind, TestStepKind::Says(_, None)));
}
