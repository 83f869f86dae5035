//! W0410 to W0422.

use crate::{agent, check, compiled, findings};
use dgh_compile::Memory;
use dgh_diag::Severity;

#[test]
fn what_nothing_uses_is_told() {
    check(
        r#"dgh 1
import { yes_no, collect_date } from "std/collect" //~ W0410
enum Mood { good, bad } //~ W0421
type Place { name: text } //~ W0421
const GREETING = "Hello." //~ W0417
tool look() -> text { about: "Looks." get: "{{ env.API }}/x" } //~ W0413
mcp calendar { url: env.CALENDAR } //~ W0414
phrase hello { en "Hello." } //~ W0416
knowledge faq { urls: ["https://example.com/faq"] } //~ W0415
flow helps() -> bool { //~ W0422
  start a
  node a { ask "Sure?"  when yes: "Yes" -> return true }
}
agent tested {
  outcome done
  var never_used: text "Nothing" //~ W0412
  start hello
  node hello { run yes_no("Well?") as ok  if ok == true -> end done  else -> end done }
}"#,
    );
}

#[test]
fn a_test_is_a_use() {
    agent(
        r#"
  var name: text? "Their name"
  var seen: bool = false
  start hello
  node hello { ask "Hello."  note name  when bye: "They say goodbye" -> end done { set seen = true } }
}
test "it sees" {
  says "Bye" means bye { name: "Ann" }
  expect outcome == done and seen == true"#,
    );
}

#[test]
fn a_variable_that_is_only_written_is_unused() {
    agent(
        r#"
  var seen: bool = false //~ W0412
  start hello
  node hello { ask "Hello."  when bye: "They say goodbye" -> end done { set seen = true } }"#,
    );
}

#[test]
fn an_answer_that_nobody_reads_is_fine() {
    agent(
        r#"
  start hello
  node hello { call book("x") as ok  on error -> end done  next -> end done }"#,
    );
}

#[test]
fn a_phrase_lacks_a_language() {
    check(
        r#"dgh 1
phrase hello { en "Hello." es "Hola." } //~ W0418
phrase bye { en-US "Bye." es "Adiós." fr "Au revoir." }
agent tested {
  languages: ["en", "es-MX", "fr"]
  outcome done
  start a
  node a { say hello  next -> end done { say bye } }
}"#,
    );
}

#[test]
fn a_node_that_vanished_since_the_last_release() {
    let released = "dgh 1\nagent tested {\n  outcome done\n  start a\n  node a { say \"Hello.\"  next -> old }\n  node old { say \"Bye.\"  next -> end done }\n}\n";
    let renamed = released.replace("old", "new");
    let moved = renamed.replace("  start a", "  moved old -> new\n  start a");
    let last = compiled(released).program;
    let codes = |source: &str| -> Vec<String> {
        let world = Memory::new([("agent.dgh", source)]);
        let options = dgh_compile::Options { last_release: Some(&last) };
        let found = dgh_compile::compile_with(&world, "agent.dgh", options).diagnostics;
        found.iter().map(|d| d.code.to_string()).filter(|c| !c.starts_with('I')).collect()
    };
    assert_eq!(codes(released), Vec::<String>::new());
    assert_eq!(codes(&renamed), ["W0419"]);
    assert_eq!(codes(&moved), Vec::<String>::new());
}

#[test]
fn an_allow_needs_a_reason() {
    let of = |comment: &str| {
        let body = format!(
            "  // allow W0412{comment}\n  var first: text? \"Their name\"\n  start hello\n  node hello {{ say \"Hi.\"  next -> end done }}"
        );
        let source = format!("dgh 1\nagent tested {{\n  outcome done\n{body}\n}}\n");
        findings(&source, |d| d.severity() <= Severity::Warning)
    };
    assert_eq!(of(": for the next release"), Vec::<String>::new());
    assert_eq!(of(""), ["4: W0420", "5: W0412"]);
    assert_eq!(of(":  "), ["4: W0420", "5: W0412"]);
}
