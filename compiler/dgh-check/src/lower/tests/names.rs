//! 01xx: names, arguments, imports.

use dgh_diag::Code::*;

use super::program::{At, errors, table};
use crate::testing::Bundle;

#[test]
fn unknown_names_are_found_with_what_was_meant() {
    table(
        &[
            (UnknownName, At::Say, "{{ «whoo» }}", "Did you mean `who`?"),
            (UnknownName, At::Say, "{{ «zzz» }}", "There is no `zzz` here"),
            (UnknownName, At::Say, "{{ «HOURS» }}", "`env.HOURS`"),
            (UnknownName, At::Say, "{{ «red» }}", "`red` is a case of `Color`"),
            (UnknownName, At::Say, "{{ «caller» }}", "`caller.phone`"),
            (UnknownName, At::Collect, "collect «dya»", "Did you mean `day`?"),
            (
                UnknownName,
                At::Member,
                "node n { prompt \"x\" note «coment» when x: \"X\" -> act }",
                "Did you mean `comment`?",
            ),
            (UnknownName, At::Step, "set «totl» = 3", "Did you mean `total`?"),
            (UnknownName, At::Step, "clear «dayy»", "Did you mean `day`?"),
            (UnknownName, At::Route, "on corrected(«dayy») -> act", "Did you mean `day`?"),
            (UnknownName, At::Route, "on failed(«tool») -> act", "A tool that fails is `on error`"),
            (
                UnknownName,
                At::Route,
                "on limit(«time») -> end failed { say \"Bye\" }",
                "There is `duration`, `cost` and `turns`",
            ),
            (UnknownName, At::Member, "never «balanse» in voicemail", "there is no input and no variable"),
            (UnknownName, At::Member, "never who in «voicemal»", "Did you mean"),
            (UnknownName, At::Member, "ensure «notice» before act", "there is no node and no variable"),
            (UnknownPhrase, At::Step, "say «helo_text»", "Did you mean `hello_text`?"),
            (UnknownPhrase, At::Step, "say «zzz»", "Words stand in quotes: `say \"…\"`."),
            (UnknownName, At::Step, "say «whoo»", "Did you mean `who`?"),
            (UnknownNode, At::Route, "when more: \"More\" -> «pik»", "Did you mean `pick`?"),
            (UnknownNode, At::Route, "when more: \"More\" -> detour «pik»", "Did you mean `pick`?"),
            (UnknownNode, At::Route, "when more: \"More\" -> «done»", "`done` is an outcome: `-> end done`."),
            (UnknownNode, At::Route, "when more: \"More\" -> «ask»", "A node runs it"),
            (UnknownNode, At::Route, "when more: \"More\" -> «other»", "is an agent"),
            (UnknownNode, At::Member, "ensure act before «pikc»", "Did you mean `pick`?"),
            (UnknownNode, At::Member, "moved old -> «new»", "there is no node `new`"),
            (UnknownTool, At::Step, "call «fnd»(day) as more", "Did you mean `find`?"),
            (UnknownTool, At::Step, "call «ask»(who) as more", "A flow is run by a step"),
            (
                UnknownTool,
                At::Route,
                "when a: \"A\" -> act }\n  node extra { prompt \"P\" use «faq» when b: \"B\" -> act",
                "there is no tool `faq`",
            ),
            (
                UnknownFlow,
                At::Member,
                "node n { run «askk»(\"x\") as y  next -> act }",
                "Did you mean `ask`?",
            ),
            (UnknownFlow, At::Member, "node n { run «find»(day) as y  next -> act }", "A tool is called"),
            (
                UnknownAgent,
                At::Route,
                "when more: \"More\" -> agent «othr»(reason: \"x\")",
                "Did you mean `other`?",
            ),
            (UnknownType, At::Member, "var x: «string» \"X\"", "Did you mean `text`?"),
            (UnknownType, At::Member, "var x: «Slott» \"X\"", "Did you mean `Slot`?"),
            (UnknownType, At::Member, "var x: «find» \"X\"", "`find` is a tool, not a type"),
            (UnknownType, At::Member, "var x: «list» \"X\"", "`list<text>`"),
            (UnknownType, At::Member, "var x: «Nothing» \"X\"", "Declare it with `type Nothing"),
            (UnknownField, At::Say, "{{ choice.«doctr» ?? \"x\" }}", "Did you mean `doctor`?"),
            (UnknownField, At::If, "or slots.«length» == 3", "Did you mean `count`?"),
            (UnknownField, At::If, "or who.«length» == 3", "a text has no `length`"),
            (UnknownField, At::Say, "{{ caller.«phon» ?? \"x\" }}", "Did you mean `phone`?"),
            (UnknownField, At::Say, "{{ now.«day» }}", "a date with a time has no `day`"),
            (UnknownCase, At::If, "or size == «smal»", "Did you mean `small`?"),
            (UnknownCase, At::Step, "set size = «tiny»", "is not a case of `Size`"),
            (UnknownCase, At::Collect, "collect day { confirm: «allways» }", "Did you mean `always`?"),
            (UnknownCase, At::Step, "transfer target { mode: «hot» }", "`mode` cannot be `hot`"),
            (UnknownCase, At::Member, "channels: [phone, «fax»]", "There is `phone`, `web` and `chat`"),
            (UnknownOutcome, At::Route, "when more: \"More\" -> end «don»", "Did you mean `done`?"),
            (UnknownOutcome, At::Route, "when more: \"More\" -> end «pick»", "`pick` is a node"),
            (UnknownOutcome, At::Route, "when more: \"More\" -> end «sold»", "Add it to the outcomes"),
            (UnknownEvent, At::Route, "on «silense»(5s) -> act", "Did you mean `silence`?"),
            (UnknownEvent, At::Route, "on «dtmf»(\"1\") -> act", "Did you mean `key`?"),
            (
                UnknownEvent,
                At::Member,
                "webhook w on «call.endd» { post: \"https://example.com\" }",
                "Did you mean `call.ended`?",
            ),
            (
                UnknownTransferReason,
                At::Member,
                "node n { transfer target on transferred -> end done on transfer_failed(«timeout») -> act on transfer_failed -> act }",
                "Did you mean `no_answer`?",
            ),
            (UnknownParameter, At::Step, "call find(day, «siez»: small) as more", "Did you mean `size`?"),
            (
                UnknownParameter,
                At::Member,
                "llm: openai(\"gpt-4.1\", «temprature»: 0.3)",
                "Did you mean `temperature`?",
            ),
            (
                UnknownParameter,
                At::Route,
                "on silence(«every»: 5s) -> act",
                "`on silence` has no parameter `every`",
            ),
            (UnknownProvider, At::Member, "llm: «opnai»(\"gpt-4.1\")", "Did you mean `openai`?"),
            (
                UnknownProvider,
                At::Member,
                "llm: «deepgram»(\"nova-3\")",
                "`deepgram` stands behind `stt` and `tts`.",
            ),
            (UnknownProvider, At::Tool, "auth: «bearr»(secret.X)", "Did you mean `bearer`?"),
        ],
        &[
            (At::Say, "{{ who }} {{ now as time }} {{ caller.language }} {{ call.id }} {{ LIMIT }}"),
            (At::Route, "when more: \"More\" -> agent other(reason: \"x\")"),
            (At::Member, "moved old -> newer  moved newer -> act"),
            (At::Member, "ensure talk before act"),
            (At::Member, "ensure consent before act"),
        ],
    );
}

#[test]
fn arguments_are_complete() {
    table(
        &[
            (MissingArgument, At::Step, "call «find»() as more", "`find` needs `day`"),
            (
                MissingArgument,
                At::Member,
                "node n { run «ask»() as y  next -> act }",
                "`ask` needs `question`",
            ),
            (MissingArgument, At::Route, "when m: \"M\" -> agent «other»()", "`other` needs `reason`"),
            (MissingArgument, At::Member, "llm: «openai»(temperature: 0.2)", "`openai` needs `model`"),
            (MissingArgument, At::Route, "on «silence» -> act", "Such as `on silence(6s)`."),
            (MissingArgument, At::Route, "on «limit» -> end failed { say \"x\" }", "`on limit` needs `what`"),
            (MissingArgument, At::Step, "set choice = «{ id: \"a\", at: now }»", "this `Slot` lacks `price`"),
            (MissingArgument, At::Say, "{{ «reveal()» }}", "`reveal` takes one value"),
            (
                TooManyArguments,
                At::Step,
                "call tell_them(\"a\", «\"b\"», \"c\")",
                "`tell_them` takes no further value",
            ),
            (TooManyArguments, At::Route, "on error(«1») -> act", "It takes nothing"),
            (Duplicate, At::Step, "call find(day, «day: day») as more", "`day` of `find` is given twice"),
        ],
        &[
            (At::Step, "call find(limit: 3, day: day) as more"),
            (At::Step, "set choice = { id: \"a\", at: now, price: 3 EUR }"),
            (At::Route, "on silence(5s, times: 2) -> act  on silence(after: 6s) { say \"x\" }"),
            (
                At::Route,
                "on key(\"1\") -> act  on key -> pick  on language(\"es\") { say \"x\" }  on stalled(turns: 3) -> act",
            ),
        ],
    );
}

#[test]
fn a_name_stands_for_one_thing() {
    table(
        &[
            (Duplicate, At::Item, "enum «Slot» { a }", "`Slot` is already the name of a type"),
            (Duplicate, At::Item, "type T { a: text, «a»: int }", "the field `a` is declared twice"),
            (Duplicate, At::Item, "enum E { a, b, «a» }", "the case `a` is declared twice"),
            (Duplicate, At::Item, "phrase p { en \"A\" «en» \"B\" }", "stands twice in this phrase"),
            (
                Duplicate,
                At::Item,
                "tool t(a: text, «a»: text) { about: \"x\" get: \"https://example.com\" }",
                "is declared twice",
            ),
            (Duplicate, At::Member, "var «who»: text \"x\"", "`who` is declared twice"),
            (
                Duplicate,
                At::Member,
                "node n { say \"x\" next -> act }  node «n» { say \"x\" next -> act }",
                "The node `n` is declared twice",
            ),
            (Duplicate, At::Member, "outcome «done»", "the outcome `done` is declared twice"),
            (
                Duplicate,
                At::Member,
                "webhook w on call.ended { post: \"https://example.com\" } webhook «w» on call.ended { post: \"https://example.com\" }",
                "the webhook `w`",
            ),
            (
                Duplicate,
                At::Item,
                "flow f(x: text) -> text { start n «start n» node n { say x next -> return x } }",
                "this is the second",
            ),
            (Duplicate, At::Tool, "timeout: 3s, «timeout»: 4s", "`timeout` is set twice"),
            (Duplicate, At::Member, "limits { turns: 3 } «limits» { turns: 4 }", "declared twice"),
            (
                Duplicate,
                At::Step,
                "call maybe(who) as x  call checked(who) as «x»",
                "`x` is a `bool` here, and a `Slot?` elsewhere",
            ),
            (Duplicate, At::Webhook, "body: { a: who, «a»: who }", "stands twice in this record"),
            (Duplicate, At::Tool, "headers: { \"X-A\": name, «\"x-a\"»: name }", "stands twice"),
            (Duplicate, At::Collect, "collect day, «day»", "collected twice"),
        ],
        &[(
            At::Member,
            "node extra { call maybe(who) as found on error -> act next -> again }  node again { call maybe(who) as found on error -> act next -> act }",
        )],
    );
}

#[test]
fn only_variables_change() {
    table(
        &[
            (NotAssignable, At::Step, "set «who» = \"Ann\"", "inputs do not change"),
            (
                NotAssignable,
                At::Step,
                "call find(day) as more  set «more» = []",
                "is the answer of a tool or flow",
            ),
            (NotAssignable, At::Step, "clear «who»", "inputs do not change"),
            (NotAssignable, At::Step, "call maybe(who) as «who»", "inputs do not change"),
            (NotAssignable, At::Collect, "collect «who»", "is given when the call starts"),
            (NotAssignable, At::Route, "on corrected(«who») -> act", "the caller cannot correct"),
            (NotAssignable, At::Member, "never «choice.at» in voicemail", "a whole variable"),
        ],
        &[(At::Step, "set day = day  clear comment"), (At::Member, "never choice in voicemail, tool")],
    );
}

fn files(files: &[(&str, &str)]) -> Vec<String> {
    let bundle = Bundle::new(files);
    let checked = bundle.check();
    checked.diagnostics.iter().filter(|d| d.code != NoConfig).map(|d| bundle.line(d)).collect()
}

const MAIN: &str = r#"
agent a {
  outcome over
  start s
  node s { run check("x") as ok next -> end over { say "Bye." } }
}
"#;

const CHECK: &str = r#"dgh 1
enum Found { yes, no }
flow check(name: text) -> Found { start s node s { say "Hm, {{ name }}." next -> return yes } }
"#;

#[test]
fn imports_bring_names() {
    let main = |import: &str| format!("dgh 1\n{import}\n{MAIN}");
    let run = |import: &str| files(&[("agent.dgh", &main(import)), ("check.dgh", CHECK)]);
    assert_eq!(run("import { check } from \"./check.dgh\""), Vec::<String>::new());
    assert_eq!(run("import { chek } from \"./check.dgh\"").len(), 1);
    assert!(
        run("import { check, Foundd } from \"./check.dgh\"")[0]
            .contains("E0117 `Foundd` That file has no `Foundd` | Did you mean `Found`?")
    );
    let found = run("import { check } from \"./chek.dgh\"");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("E0118 `\"./chek.dgh\"` There is no file `./chek.dgh`"), "{found:#?}");
    assert!(
        run("import { check, check } from \"./check.dgh\"")[0]
            .contains("E0114 `check` `check` is imported twice")
    );
    assert!(run("import { check, Found } from \"./check.dgh\"")[0].contains("W0410 `Found`"));
    let found = files(&[("agent.dgh", &main("import { check } from \"std/colect\"")), ("check.dgh", CHECK)]);
    assert!(found[0].contains("Did you mean `std/collect`?"), "{found:#?}");
}

#[test]
fn files_do_not_import_each_other() {
    let a = "dgh 1\nimport { check } from \"./b.dgh\"\n";
    let b = "dgh 1\nimport { x } from \"./a.dgh\"\nflow check(name: text) -> bool { start s node s { say \"{{ name }}\" next -> return true } }\nconst y = x";
    let found = files(&[("a.dgh", &format!("{a}{MAIN}const x = 1")), ("b.dgh", b)]);
    let cycles: Vec<&String> = found.iter().filter(|l| l.contains("E0119")).collect();
    assert_eq!(cycles.len(), 1, "{found:#?}");
    assert!(cycles[0].contains("`a.dgh` and `b.dgh` import each other"), "{cycles:#?}");
    let own = files(&[("a.dgh", "dgh 1\nimport { x } from \"./a.dgh\"\nconst x = 1")]);
    assert!(own.iter().any(|l| l.contains("E0119") && l.contains("imports itself")), "{own:#?}");
}

#[test]
fn flows_do_not_run_each_other() {
    let one = |name: &str, other: &str| {
        format!(
            "flow {name}(q: text) -> bool {{ start s node s {{ run {other}(q) as r  next -> return true }} }}\n"
        )
    };
    let text = format!("dgh 1\n{}{}{}", one("a", "b"), one("b", "c"), one("c", "a"));
    let found = errors(&text);
    let cycles: Vec<_> = found.iter().filter(|(c, ..)| *c == FlowCycle).collect();
    assert_eq!(cycles.len(), 1, "{found:#?}");
    let text = format!("dgh 1\n{}", one("a", "a"));
    assert!(
        errors(&text).iter().any(|(c, _, line)| *c == FlowCycle && line.contains("The flow `a` runs itself"))
    );
    let text = format!(
        "dgh 1\n{}{}flow c(q: text) -> bool {{ start s node s {{ say q next -> return true }} }}",
        one("a", "b"),
        one("b", "c")
    );
    assert_eq!(errors(&text), Vec::new());
}
