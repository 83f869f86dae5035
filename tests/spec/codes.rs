//! Every page about a code is true: its wrong example yields that code and no other error, its
//! right one yields nothing.
//!
//! A fence is ```` ```LANGUAGE wrong file=NAME release ````. Fences of one side make one bundle,
//! checked from `agent.dgh`, which is also the name of a fence without one. `release` marks the
//! last published version.

use dgh_compile::{Compiled, Memory, Options, compile, compile_with};
use dgh_diag::{Code, Severity, Style, explain, render};

use crate::support::fences;

/// What cannot stand on a page: bytes that are no text, and texts that fill it.
const TOO_LARGE_TO_SHOW: &[Code] = &[Code::NotUtf8, Code::FileTooLarge, Code::LongPrompt];

#[test]
fn wrong_examples_are_wrong_in_one_way_and_right_ones_are_right() {
    let mut lies = Vec::new();
    for &code in Code::ALL {
        if TOO_LARGE_TO_SHOW.contains(&code) {
            continue;
        }
        let wrong = side(code, "wrong");
        if !wrong.diagnostics.iter().any(|d| d.code == code) || others(&wrong, code) {
            lies.push(format!(
                "== {code}: the wrong example must yield {code} and no other error\n{}",
                shown(&wrong)
            ));
        }
        let right = side(code, "right");
        let clean = right.diagnostics.iter().all(|d| d.severity() > Severity::Warning && d.code != code);
        if !clean {
            lies.push(format!("== {code}: the right example must be clean\n{}", shown(&right)));
        }
    }
    assert!(lies.is_empty(), "{} of {} pages\n{}", lies.len(), Code::ALL.len(), lies.join("\n"));
}

#[test]
fn what_is_too_large_for_a_page_is_found_too() {
    let agent = "dgh 1\n\nagent a {\n  PROMPT\n  outcome done\n  start hello\n\n  node hello {\n    ask \"Hi?\"\n    when bye: \"They say goodbye\" -> end done\n  }\n}\n";
    let with = |prompt: &str| agent.replace("PROMPT", prompt).into_bytes();
    let words =
        |count: usize| format!("prompt \"\"\"\n    {}\n    \"\"\"", "Be kind to people. ".repeat(count));
    let not_utf8 = [b"dgh 1\n// \xff\n".as_slice(), &with("")[5..]].concat();
    let long = "// a line of a very long comment that says nothing at all, again and again\n".repeat(240_000);
    for (code, bytes, clean) in [
        (Code::NotUtf8, not_utf8, with("")),
        (Code::FileTooLarge, [with("").as_slice(), long.as_bytes()].concat(), with("")),
        (Code::LongPrompt, with(&words(10_000)), with(&words(10))),
    ] {
        let wrong = compile(&Memory::new([("agent.dgh", bytes)]), "agent.dgh");
        let found: Vec<Code> = wrong.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(found, [code], "{}", shown(&wrong));
        let right = compile(&Memory::new([("agent.dgh", clean)]), "agent.dgh");
        assert!(right.diagnostics.is_empty(), "{}", shown(&right));
    }
}

/// Compiles one side of a page.
fn side(code: Code, side: &str) -> Compiled {
    let mut files = Vec::new();
    let mut release = None;
    for fence in fences(explain(code)) {
        let words: Vec<&str> = fence.info.split(' ').collect();
        if !words.contains(&side) {
            continue;
        }
        let name = words.iter().find_map(|w| w.strip_prefix("file=")).unwrap_or("agent.dgh");
        if words.contains(&"release") {
            release = Some(fence.text);
        } else {
            files.push((name.to_owned(), fence.text));
        }
    }
    assert!(files.iter().any(|(name, _)| name == "agent.dgh"), "{code} has no {side} example");
    let release = release.map(|text| compile(&Memory::new([("agent.dgh", text)]), "agent.dgh").program);
    compile_with(&Memory::new(files), "agent.dgh", Options { last_release: release.as_ref() })
}

fn others(compiled: &Compiled, code: Code) -> bool {
    compiled.diagnostics.iter().any(|d| d.severity() == Severity::Error && d.code != code)
}

fn shown(compiled: &Compiled) -> String {
    render(&compiled.diagnostics, compiled.sources.as_slice(), Style::default())
}
