//! What may be missing, as a condition, behind `??`, in `in`, in a range; and what a test may ask
//! of the agents that a call is handed to.

use dgh_diag::Code::*;

use super::program::{At, errors, table};

#[test]
fn what_may_be_missing_can_be_asked_for() {
    table(
        &[
            (NotCondition, At::If, "or «agreed»", "Write `x == true`"),
            (NotCondition, At::If, "or «slots»", "Ask `x.empty`"),
            (NeverMissing, At::If, "or «choice.id»", "a text that is always there"),
            (NeverMissing, At::If, "or «slots.count» and consent", "a whole number that is always there"),
            (NeverMissing, At::If, "or «who» and consent", "a text that is always there"),
            (MaybeMissing, At::Step, "set total = «age ?? none»", "needs a value"),
        ],
        &[
            (At::If, "or choice.doctor"),
            (At::If, "or slots.first"),
            (
                At::Member,
                "input times: list<date>?  node n { if times -> m else -> act }  node m { say \"{{ times.count }}\" next -> act }",
            ),
            (At::If, "or call.outcome in [done, failed]"),
            (At::If, "or age in 1..5 or age in [1, 2]"),
            (
                At::Webhook,
                "body: { a: who }  }  webhook w on call.ended if call.outcome in [done] { post: \"https://example.com\"",
            ),
            (
                At::Member,
                "input from_day: date? input to_day: date? node n { if from_day -> m else -> act }  node m { say \"{{ to_day ?? from_day as date }}\" set day = to_day ?? from_day next -> act }",
            ),
        ],
    );
}

#[test]
fn a_number_is_held_against_its_range_when_it_is_set() {
    table(
        &[
            (OutOfRange, At::Step, "set score = «9»", "from 1 to 5, and this is 9"),
            (
                OutOfRange,
                At::Item,
                "const HIGH: int = 7\nflow f(x: 1..5) -> bool { start s node s { say \"{{ x }}\" next -> return true } }\nagent caller_of { outcome o input n: int start a node a { run f(«n») as y next -> end o } }",
                "a `set` is checked during the call",
            ),
            (
                OutOfRange,
                At::Member,
                "var far: 10..20 \"Far\"  node n { collect far on failed(collect) -> act next -> act { set score = «far» } }",
                "from 10 to 20",
            ),
        ],
        &[
            (At::Step, "set score = score + 1"),
            (At::Step, "set score = total"),
            (At::Member, "var wide: 1..9 = 3  node n { set score = wide next -> act }"),
        ],
    );
}

#[test]
fn settings_have_sensible_values() {
    table(
        &[
            (OutOfRange, At::Member, "limits { turns: «-4» }", "`turns` must be more than nothing"),
            (OutOfRange, At::Member, "limits { duration: «0s» }", "`duration` must be more than nothing"),
            (OutOfRange, At::Member, "limits { cost: «-1 USD» }", "`cost` must be more than nothing"),
            (OutOfRange, At::Member, "sound { volume: «7» }", "`volume` is a share"),
            (
                OutOfRange,
                At::Member,
                "review r { sample: «2500%» score polite: 1..5 \"Polite\" }",
                "A quarter is written",
            ),
            (OutOfRange, At::Member, "channels: «[]»", "reached by nobody"),
            (UnknownOutcome, At::Route, "when more: \"More\" -> end «act»", "`act` is a node"),
            (UnknownNode, At::Route, "when more: \"More\" -> «failed»", "`-> end failed`"),
            (UnknownNode, At::Route, "when more: \"More\" -> «hangup»", "`-> end done`"),
            (UnknownTool, At::Route, "use «calendr».list_holidays", "no MCP server `calendr`"),
        ],
        &[
            (At::Member, "limits { turns: 4, duration: 6min, cost: 0.40 USD }"),
            (At::Member, "sound { volume: 0.5 }"),
            (At::Member, "review r { sample: 25%, min_duration: 0s  score polite: 1..5 \"Polite\" }"),
            (At::Member, "channels: [phone]"),
        ],
    );
}

const HANDS_OVER: &str = r#"dgh 1
agent front {
  outcome gave_up
  start hello
  node hello {
    ask "Hello?"
    when sales: "They want to buy" -> agent sales(who: none)
    when stop: "They stop" -> end gave_up { say "Bye." }
  }
}
agent sales {
  outcome demo, lost
  input who: text?
  var at: date "When"
  start pitch
  node pitch {
    collect at
    on failed(collect) -> end lost { say "Bye." }
    next -> end demo { say "Bye." }
  }
  webhook crm on call.ended { post: "https://example.com/calls" }
}
agent alone {
  outcome unreached
  start nowhere
  node nowhere { say "x" next -> end unreached }
}
test "over" of front {
  says "I buy" means sales
  says "Tomorrow" means { at: 2026-03-03 }
  expect §
}
"#;

#[test]
fn a_test_follows_the_call_to_the_agent_it_is_handed_to() {
    let found = |expect: &str| -> Vec<String> {
        errors(&HANDS_OVER.replace('§', expect)).into_iter().map(|(.., line)| line).collect()
    };
    let clean =
        found("outcome == demo and outcome in [demo, gave_up] and visited(hello, pitch) and sent(crm)");
    assert!(clean.is_empty(), "{clean:#?}");
    for (expect, code) in
        [("outcome == unreached", "E0108"), ("visited(nowhere)", "E0102"), ("sent(crn)", "E0101")]
    {
        let lines = found(expect);
        assert!(matches!(lines.as_slice(), [one] if one.starts_with(code)), "{expect}: {lines:#?}");
    }
}
