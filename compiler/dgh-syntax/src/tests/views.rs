//! The typed views: what they see of a program.

use dgh_diag::{Code, Span};
use rust_decimal::Decimal;

use crate::{
    Parse,
    ast::{
        AstNode as _, BinaryOp, Ensured, Expr, Item, LiteralValue, Member, PrefixOp, Route, Step, StringPart,
        Target, TestItem, TypeKind,
    },
    parse,
};

fn clean(text: &str) -> Parse {
    let parsed = parse(text);
    assert_eq!(parsed.errors(), []);
    parsed
}

/// The value of `const x = …`.
fn value(source: &str) -> Expr {
    let parsed = clean(&format!("dgh 1\nconst x = {source}\n"));
    let Some(Item::Const(item)) = parsed.file().items().next() else { panic!("no const") };
    item.value().unwrap()
}

fn literal(source: &str) -> LiteralValue {
    match value(source) {
        Expr::Literal(literal) => literal.value().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The expression with parentheses around everything that groups.
fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Binary(e) => format!(
            "({} {} {})",
            grouped(&e.left().unwrap()),
            e.op().unwrap().text(),
            grouped(&e.right().unwrap())
        ),
        Expr::Prefix(e) => {
            let op = if e.op() == Some(PrefixOp::Not) { "not " } else { "-" };
            format!("({op}{})", grouped(&e.operand().unwrap()))
        }
        Expr::Maybe(e) => format!("({}?)", grouped(&e.base().unwrap())),
        Expr::Field(e) => format!("({}.{})", grouped(&e.base().unwrap()), e.field().unwrap().text()),
        Expr::Call(e) => {
            let args: Vec<String> = e.args().unwrap().args().map(|a| grouped(&a.value().unwrap())).collect();
            format!("{}({})", grouped(&e.callee().unwrap()), args.join(", "))
        }
        other => other.syntax().text().to_string(),
    }
}

#[test]
fn operators_bind_as_the_grammar_says() {
    for (source, expected) in [
        ("a or b and c", "(a or (b and c))"),
        ("not a and b", "((not a) and b)"),
        ("not a == b", "(not (a == b))"),
        ("not not a", "(not (not a))"),
        ("a == b and c != d", "((a == b) and (c != d))"),
        ("a ?? b == c", "((a ?? b) == c)"),
        ("a ?? b ?? c", "(a ?? (b ?? c))"),
        ("a ?? b + 1", "(a ?? (b + 1))"),
        ("a in 1..b + 1", "(a in (1 .. (b + 1)))"),
        ("now.time in 9:00..18:00", "((now.time) in (9:00 .. 18:00))"),
        ("a - b - c", "((a - b) - c)"),
        ("a - b * c / d", "(a - ((b * c) / d))"),
        ("-a.b + c", "((-(a.b)) + c)"),
        ("- -a", "(-(-a))"),
        ("f(a + 1).b?", "((f((a + 1)).b)?)"),
        ("a? ?? b", "((a?) ?? b)"),
        ("x == not a and b", "((x == (not a)) and b)"),
    ] {
        assert_eq!(grouped(&value(source)), expected, "{source}");
    }
}

#[test]
fn every_operator_knows_its_token() {
    for (source, op) in [
        ("a or b", BinaryOp::Or),
        ("a and b", BinaryOp::And),
        ("a == b", BinaryOp::Equal),
        ("a != b", BinaryOp::NotEqual),
        ("a < b", BinaryOp::Less),
        ("a <= b", BinaryOp::LessEqual),
        ("a > b", BinaryOp::Greater),
        ("a >= b", BinaryOp::GreaterEqual),
        ("a in b", BinaryOp::In),
        ("a ?? b", BinaryOp::Coalesce),
        ("a..b", BinaryOp::Range),
        ("a + b", BinaryOp::Add),
        ("a - b", BinaryOp::Subtract),
        ("a * b", BinaryOp::Multiply),
        ("a / b", BinaryOp::Divide),
    ] {
        let Expr::Binary(expr) = value(source) else { panic!("{source}") };
        assert_eq!(expr.op(), Some(op));
        assert_eq!(expr.op_token().unwrap().text(), op.text());
    }
}

#[test]
fn literals_have_values() {
    assert_eq!(literal("10_000"), LiteralValue::Int(10_000));
    assert_eq!(literal("0.50"), LiteralValue::Number("0.50".parse().unwrap()));
    assert_eq!(
        literal("0.40 USD"),
        LiteralValue::Money { amount: "0.40".parse().unwrap(), currency: "USD".into() }
    );
    assert_eq!(
        literal("10_000 EUR"),
        LiteralValue::Money { amount: Decimal::from(10_000), currency: "EUR".into() }
    );
    assert_eq!(literal("25%"), LiteralValue::Percent(Decimal::from(25)));
    assert_eq!(literal("700ms"), LiteralValue::Duration(700));
    assert_eq!(literal("1.2s"), LiteralValue::Duration(1_200));
    assert_eq!(literal("6min"), LiteralValue::Duration(360_000));
    assert_eq!(literal("4h"), LiteralValue::Duration(14_400_000));
    assert_eq!(literal("7d"), LiteralValue::Duration(604_800_000));
    assert_eq!(literal("2026-03-01"), LiteralValue::Date("2026-03-01".parse().unwrap()));
    assert_eq!(literal("2026-03-01T10:00"), LiteralValue::DateTime("2026-03-01T10:00:00".parse().unwrap()));
    assert_eq!(
        literal("2026-03-01T10:00:30"),
        LiteralValue::DateTime("2026-03-01T10:00:30".parse().unwrap())
    );
    assert_eq!(literal("9:00"), LiteralValue::Time("09:00:00".parse().unwrap()));
    assert_eq!(literal("true"), LiteralValue::Bool(true));
    assert_eq!(literal("none"), LiteralValue::None);
}

fn text(source: &str) -> String {
    match value(source) {
        Expr::String(string) => string.plain_text().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn escapes_are_resolved() {
    assert_eq!(text(r#""a \"b\" \\ \n \t \{{ c }}""#), "a \"b\" \\ \n \t {{ c }}");
    assert_eq!(text(r#""""#), "");
    assert_eq!(text(r#""{ a } 日本""#), "{ a } 日本");
}

#[test]
fn blocks_lose_their_indentation() {
    for (source, expected) in [
        ("\"\"\"\n    one\n    two\n    \"\"\"", "one\ntwo"),
        ("\"\"\"\n    one\n      two\n  \"\"\"", "one\n  two"),
        ("\"\"\"\n    one\n\n      \n    two\n\"\"\"", "one\n\n\ntwo"),
        ("\"\"\"one\n      two\n    three\"\"\"", "one\n  two\nthree"),
        ("\"\"\"one\"\"\"", "one"),
        ("\"\"\"\n\"\"\"", ""),
        ("\"\"\"\n    \"\"\"", ""),
        ("\"\"\"\"\"\"", ""),
        ("\"\"\"\r\n    one\r\n    two\r\n    \"\"\"", "one\ntwo"),
        ("\"\"\"\n\tone\n\t\ttwo\n\t\"\"\"", "one\n\ttwo"),
        ("\"\"\"\n    \\tone\n    two\\n\n    \"\"\"", "\tone\ntwo\n"),
        ("\"\"\"\n    say \"x\" and \"\"\n    \"\"\"", "say \"x\" and \"\""),
        ("\"\"\"\n    one  \n    \"\"\"", "one  "),
    ] {
        assert_eq!(text(source), expected, "{source:?}");
    }
}

#[test]
fn an_interpolation_can_start_a_line_of_a_block() {
    let Expr::String(string) = value("\"\"\"\n    {{ a }} one\n      {{ b as spoken }}\n    \"\"\"") else {
        panic!("no string")
    };
    let parts: Vec<String> = string
        .parts()
        .into_iter()
        .map(|part| match part {
            StringPart::Text { value, .. } => format!("{value:?}"),
            StringPart::Interpolation(i) => i.syntax().text().to_string(),
        })
        .collect();
    assert_eq!(parts, ["{{ a }}", "\" one\\n  \"", "{{ b as spoken }}"]);
    let formats: Vec<Option<String>> =
        string.interpolations().map(|i| i.format().and_then(|f| f.name()).map(|n| n.text())).collect();
    assert_eq!(formats, [None, Some("spoken".to_owned())]);
    assert_eq!(string.plain_text(), None);
}

#[test]
fn strings_nest_inside_interpolations() {
    let Expr::String(string) = value(r#""Hi {{ name ?? "there {{ a }}" }}, you""#) else {
        panic!("no string")
    };
    assert_eq!(string.interpolations().count(), 1);
    let Some(Expr::Binary(value)) = string.interpolations().next().unwrap().value() else {
        panic!("no value")
    };
    let Some(Expr::String(inner)) = value.right() else { panic!("no string") };
    assert_eq!(inner.interpolations().count(), 1);
    // After `dgh 1\nconst x = "`.
    assert_eq!(
        string.parts().first(),
        Some(&StringPart::Text { value: "Hi ".into(), span: Span::new(17, 20) })
    );
    assert_eq!(string.inner_span(), Span::new(17, 54));
}

#[test]
fn types_are_seen_with_their_modifiers() {
    let parsed =
        clean("dgh 1\ntype T { a: private list<Slot>? b: digits(4), c: 1..5 d: money(USD)? e: -1.5..2 }\n");
    let Some(Item::Type(item)) = parsed.file().items().next() else { panic!("no type") };
    let types: Vec<_> = item.fields().map(|f| f.ty().unwrap()).collect();
    assert!(types[0].is_private() && types[0].is_optional());
    let Some(TypeKind::List(list)) = types[0].kind() else { panic!("no list") };
    let element = list.element().unwrap();
    assert!(!element.is_private() && !element.is_optional());
    let Some(TypeKind::Named(digits)) = types[1].kind() else { panic!("no name") };
    assert_eq!(digits.name().unwrap().text(), "digits");
    assert_eq!(digits.args().unwrap().literal().unwrap().value(), Some(LiteralValue::Int(4)));
    let Some(TypeKind::Range(range)) = types[2].kind() else { panic!("no range") };
    let (low, high) = range.bounds();
    assert_eq!(low.map(|(minus, l)| (minus, l.value())), Some((false, Some(LiteralValue::Int(1)))));
    assert_eq!(high.map(|(minus, l)| (minus, l.value())), Some((false, Some(LiteralValue::Int(5)))));
    let Some(TypeKind::Named(money)) = types[3].kind() else { panic!("no name") };
    assert_eq!(money.args().unwrap().name().unwrap().text(), "USD");
    assert!(types[3].is_optional());
    let Some(TypeKind::Range(range)) = types[4].kind() else { panic!("no range") };
    assert!(range.bounds().0.unwrap().0 && !range.bounds().1.unwrap().0);
}

#[test]
fn every_kind_of_member_is_seen() {
    let parsed = clean(
        r#"dgh 1
agent a {
  prompt "You are Kim."
  llm: openai("gpt", temperature: 0.3)
  limits { turns: 4 }
  outcome done, lost
  input lead: text = "x" "The lead"
  var n: int = 0 "A number"
  start b
  before call { if caller.phone { call lookup(caller.phone) as who } clear n }
  node b { next -> end done }
  anywhere { on error -> end lost }
  webhook crm on call.ended if n > 0 { post: "x" }
  knowledge faq { files: ["a.pdf"] }
  review quality { sample: 25% score polite: 1..5 "Polite" }
  ensure b before everything
  ensure n > 0 before b
  always n < 5 else "Too many"
  never n, lead in voicemail, log
  moved c -> b
}
"#,
    );
    let agent = parsed.file().agents().next().unwrap();
    let kinds: Vec<String> = agent.members().map(|m| format!("{:?}", m.syntax().kind())).collect();
    assert_eq!(
        kinds.join(" "),
        "Prompt Setting Group Outcome Input Var Start BeforeCall Node Anywhere Webhook Knowledge Review Ensure Ensure Always Never Moved"
    );
    let members: Vec<Member> = agent.members().collect();
    let Member::Ensure(first) = &members[13] else { panic!("no ensure") };
    assert!(matches!(first.before(), Some(Ensured::Everything(_))));
    let Member::Ensure(second) = &members[14] else { panic!("no ensure") };
    assert!(matches!(second.before(), Some(Ensured::Node(n)) if n.text() == "b"));
    let Member::Always(always) = &members[15] else { panic!("no always") };
    assert_eq!(always.reason().unwrap().plain_text().unwrap(), "Too many");
    let Member::Never(never) = &members[16] else { panic!("no never") };
    assert_eq!(never.values().map(|v| v.text()).collect::<Vec<_>>(), ["n", "lead"]);
    assert_eq!(never.sinks().map(|v| v.name().unwrap().text()).collect::<Vec<_>>(), ["voicemail", "log"]);
    let Member::Moved(moved) = &members[17] else { panic!("no moved") };
    assert_eq!((moved.old().unwrap().text(), moved.new_name().unwrap().text()), ("c".into(), "b".into()));
    let Member::Group(group) = &members[2] else { panic!("no group") };
    assert_eq!(group.kind(), "limits");
    assert_eq!(agent.before_call().unwrap().steps().count(), 2);
    assert_eq!(agent.inputs().next().unwrap().about().unwrap().plain_text().unwrap(), "The lead");
    assert!(agent.vars().next().unwrap().default_value().is_some());
}

#[test]
fn every_kind_of_step_route_and_target_is_seen() {
    let parsed = clean(
        r#"dgh 1
agent a {
  node b {
    say "x" uninterrupted
    tell "x"
    ask "x"
    play recording.welcome
    wait 1.2s
    call t(1) as x { meanwhile: "x" }
    run f() as y
    set n = 1
    clear n, m
    press "12#"
    transfer match topic { sales -> "1", else -> env.DESK } { mode: warm }
    prompt alone "x"
    collect n, m from list { tries: 3 }
    note n
    use t, calendar.list
    when yes: "They agree" like ["sure"] unlike ["no"] if n > 1 -> b { say "x" }
    on silence(6s, times: 3) { say "x" }
    on error -> end done
    on key -> detour b
    on key("1") -> back
    if n == 1 -> return n + 1
    if n == 2 -> agent other(lead: 1)
    else -> b
  }
  node c { next -> b }
}
"#,
    );
    let node = parsed.file().agents().next().unwrap().nodes().next().unwrap();
    let steps: Vec<String> = node.steps().map(|s| format!("{:?}", s.syntax().kind())).collect();
    assert_eq!(steps.join(" "), "Say Tell Ask Play Wait Call Run Set Clear Press Transfer");
    let targets: Vec<String> = node
        .routes()
        .map(|r| r.target().map_or("-".into(), |t| format!("{:?}", t.syntax().kind())))
        .collect();
    assert_eq!(
        targets.join(" "),
        "NodeTarget - EndTarget DetourTarget BackTarget ReturnTarget AgentTarget NodeTarget"
    );
    let Some(Step::Say(say)) = node.steps().next() else { panic!("no say") };
    assert!(say.uninterrupted().is_some());
    let Some(Step::Transfer(transfer)) = node.steps().last() else { panic!("no transfer") };
    assert!(matches!(transfer.number(), Some(Expr::Match(m)) if m.arms().count() == 2));
    assert!(transfer.config().unwrap().value("mode").is_some());
    assert!(node.prompt().unwrap().is_alone());
    let collect = node.collects().next().unwrap();
    assert_eq!(collect.names().map(|n| n.text()).collect::<Vec<_>>(), ["n", "m"]);
    assert!(collect.from_list().is_some() && collect.value("tries").is_some());
    assert_eq!(node.uses().next().unwrap().paths().nth(1).unwrap().text(), "calendar.list");
    let routes: Vec<Route> = node.routes().collect();
    let Route::When(when) = &routes[0] else { panic!("no when") };
    assert_eq!(when.label().unwrap().text(), "yes");
    assert_eq!(when.like().unwrap().list().unwrap().elements().count(), 1);
    assert!(when.unlike().is_some() && when.guard().unwrap().condition().is_some() && when.block().is_some());
    let Route::On(on) = &routes[1] else { panic!("no on") };
    assert_eq!(on.event().unwrap().name().unwrap().text(), "silence");
    assert_eq!(on.event().unwrap().args().unwrap().args().nth(1).unwrap().name().unwrap().text(), "times");
    let Some(Target::Agent(other)) = routes[6].target() else { panic!("no agent") };
    assert_eq!(other.agent().unwrap().text(), "other");
}

#[test]
fn every_line_of_a_test_is_seen() {
    let parsed = clean(
        r#"dgh 1
test "t" of a {
  given now = 2026-03-01T10:00, caller.phone = "+1"
  mock calendar.list = [{ id: "s1", "first-name": "Ann" }]
  mock transfer = error("timeout")
  says "x" means label { day: 2026-03-02 }
  says "x" means nothing
  says "x" means { n: -2 }
  agent_says "x"
  interrupts "x"
  keys "1"
  waits 8s
  hangs_up
  expect outcome == done and not said("x")
  caller "x"
  judge "x"
}
"#,
    );
    let test = parsed.file().tests().next().unwrap();
    assert_eq!(test.agent().unwrap().text(), "a");
    let items: Vec<TestItem> = test.items().collect();
    assert_eq!(items.len(), 14);
    let TestItem::Given(given) = &items[0] else { panic!("no given") };
    assert_eq!(given.values().map(|v| v.path().unwrap().text()).collect::<Vec<_>>(), ["now", "caller.phone"]);
    let TestItem::Mock(mock) = &items[1] else { panic!("no mock") };
    let Some(Expr::List(list)) = mock.value() else { panic!("no list") };
    let Some(Expr::Record(record)) = list.elements().next() else { panic!("no record") };
    assert_eq!(record.fields().filter_map(|f| f.key()).collect::<Vec<_>>(), ["id", "first-name"]);
    assert!(record.fields().all(|f| matches!(f.value(), Some(Expr::String(_)))));
    let means: Vec<_> = items
        .iter()
        .filter_map(|i| if let TestItem::Says(says) = i { says.means() } else { None })
        .map(|m| (m.nothing().is_some(), m.label().map(|l| l.text()), m.values().is_some()))
        .collect();
    assert_eq!(means, [(false, Some("label".into()), true), (true, None, false), (false, None, true)]);
}

#[test]
fn the_items_of_the_standard_library_are_seen() {
    let parsed = clean(
        r#"dgh 1
/// Chat models.
/// Of many makers.
provider llm openai(model: text, temperature: number? "0 is steady", max_tokens: int?) {
  protocol: openai_chat
}
provider auth bearer(token: secret) {}
event silence(after: duration, times: int = 1) { moment: floor }
group limits { duration: duration? "Longest call"  cost: money?  turns: int? = 60 }
anywhere { on silence(10s) { say "Are you still there?" } }
tool calculator(expression: text) -> number { about: "x" builtin: calculator }
"#,
    );
    let items: Vec<Item> = parsed.file().items().collect();
    let Item::Provider(provider) = &items[0] else { panic!("no provider") };
    assert_eq!(provider.kind().unwrap().text(), "llm");
    assert_eq!(provider.docs().unwrap(), "Chat models.\nOf many makers.");
    assert_eq!(provider.params().count(), 3);
    let Item::Group(group) = &items[3] else { panic!("no group") };
    assert!(group.fields().nth(2).unwrap().default_value().is_some());
    assert!(matches!(items[4], Item::Anywhere(_)));
}

#[test]
fn docs_belong_to_what_stands_right_below_them() {
    let parsed = clean(
        "dgh 1\n/// Not this.\n\n// A comment.\n/// One.\n///   Two.\nenum A {\n  /// Case.\n  b\n  c\n}\n",
    );
    let Some(Item::Enum(item)) = parsed.file().items().next() else { panic!("no enum") };
    assert_eq!(item.docs().unwrap(), "One.\n  Two.");
    let docs: Vec<Option<String>> = item.cases().map(|c| c.docs()).collect();
    assert_eq!(docs, [Some("Case.".into()), None]);
}

#[test]
fn allow_comments_know_their_line() {
    let source = "dgh 1\n// allow W0412: kept for later\nagent a { start b\n  var x: text // allow W9999: no such code\n  // allow the caller to speak\n  node b { next -> b } // allow W0403\n}\n// allow W0404: at the end\n";
    let parsed = clean(source);
    let allows = parsed.allow_comments();
    let at = |span: Span| &source[span.start as usize..span.end as usize];
    assert_eq!(allows.len(), 4);
    assert_eq!(allows[0].code, Some(Code::UnusedVariable));
    assert_eq!((at(allows[0].code_span), allows[0].reason.as_str()), ("W0412", "kept for later"));
    assert_eq!(at(allows[0].line), "agent a { start b");
    assert_eq!((allows[1].code, at(allows[1].line)), (None, "  var x: text // allow W9999: no such code"));
    assert_eq!(
        (allows[2].reason.as_str(), at(allows[2].line)),
        ("", "  node b { next -> b } // allow W0403")
    );
    assert!(allows[3].line.is_empty());
}

#[test]
fn words_of_the_language_can_be_names() {
    clean(
        r"dgh 1
enum Timeline { now, next, when, end, node, if }
agent agent {
  var call: text
  var set: text
  start start
  outcome end, back, outcome
  node start {
    collect call, set
    if call == next -> node
    else -> say
  }
  node node { next -> end end }
  node say { set call = end next -> end back }
}
",
    );
}
