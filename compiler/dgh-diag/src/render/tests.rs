#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use proptest::prelude::*;

use super::*;
use crate::{Code, Edit, FileId, Fix, Place, Span};

const AGENT: &str = include_str!("../../../../examples/front_desk/agent.dgh");

fn find(text: &str, file: u32, what: &str) -> Place {
    let start = text.find(what).unwrap() as u32;
    Place { file: FileId(file), span: Span::new(start, start + what.len() as u32) }
}

fn sample() -> (Vec<Diagnostic>, [(&'static str, &'static str); 2]) {
    let verify = "dgh 1\n\nenum Verified { yes, no }\n";
    let call = find(AGENT, 0, "desk_for(topic, customer?)");
    let found = vec![
        Diagnostic::new(Code::UnusedVariable, find(AGENT, 0, "message: text"), "nothing reads `message`"),
        Diagnostic::new(Code::Unassigned, find(AGENT, 0, "topic }}.\""), "`topic` may not be set here")
            .with_label("read here")
            .with_related(find(AGENT, 0, "topic: Topic \"What"), "declared here, without a value")
            .with_related(find(verify, 1, "Verified"), "the other file has nothing to do with it")
            .with_step(find(AGENT, 0, "start hello"), "the call starts")
            .with_step(find(AGENT, 0, "on failed(collect) -> take_message"), "`topic` could not be collected")
            .with_step(call, "the desk is looked up")
            .with_hint("Set `topic` on the arrow, or read it where it may be missing: `{{ topic ?? \"something\" }}`. Then every path has a value.")
            .with_fix(Fix {
                title: "Write `topic ?? \"…\"`".into(),
                edits: vec![Edit { place: call, text: "x".into() }],
                safe: true,
            }),
    ];
    (found, [("examples/front_desk/agent.dgh", AGENT), ("examples/front_desk/verify.dgh", verify)])
}

#[test]
fn a_finding_shows_its_places_its_path_and_what_to_do() {
    let (found, sources) = sample();
    insta::assert_snapshot!(render(&found, sources.as_slice(), Style::default()));
}

#[test]
fn a_narrow_ascii_screen_gets_two_rows_a_step() {
    let (found, sources) = sample();
    let style = Style { unicode: false, width: 60, ..Style::default() };
    insta::assert_snapshot!(render(&found, sources.as_slice(), style));
}

#[test]
fn nothing_is_said_about_no_findings() {
    assert_eq!(render(&[], [("a", "")].as_slice(), Style::default()), "");
    assert_eq!(summary(&[]), "no problems");
}

#[test]
fn findings_are_sorted_and_counted() {
    let at = |file, start| Place { file: FileId(file), span: Span::at(start) };
    let found = [
        Diagnostic::new(Code::UnusedVariable, at(1, 0), "w1"),
        Diagnostic::new(Code::UnknownNode, at(0, 4), "e2"),
        Diagnostic::new(Code::UnknownNode, at(0, 1), "e1"),
        Diagnostic::new(Code::LongPrompt, at(1, 1), "h1"),
        Diagnostic::new(Code::NoConfig, at(1, 1), "i1"),
        Diagnostic::new(Code::NotLocked, at(1, 1), "i2"),
    ];
    let text = render(&found, [("a", "abcdef"), ("b", "xy")].as_slice(), Style::default());
    let order: Vec<usize> =
        ["e1", "e2", "w1", "i2", "i1", "h1"].iter().map(|m| text.find(m).unwrap()).collect();
    assert!(order.is_sorted(), "{order:?}\n{text}");
    assert_eq!(summary(&found), "2 errors, 1 warning, 2 notes, 1 hint");
}

#[test]
fn a_long_line_is_cut_around_its_mark_and_ten_megabytes_take_no_time() {
    let mut text = "x".repeat(5_000_000);
    let mark = text.len() as u32;
    text.push_str("\tмир漢字");
    text.push_str(&"y".repeat(5_000_000));
    let place = Place { file: FileId(0), span: Span::new(mark + 1, mark + 13) };
    let found = [Diagnostic::new(Code::UnknownName, place, "no such name").with_label("here")];
    let start = std::time::Instant::now();
    let shown = render(&found, [("one.dgh", &text)].as_slice(), Style { width: 60, ..Style::default() });
    assert!(start.elapsed().as_secs() < 5, "it reads only a window of the line");
    insta::assert_snapshot!(shown);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let text = "say \u{1b}[2J\u{202e}\u{7}x\r\n";
    let place = Place { file: FileId(0), span: Span::new(4, 5) };
    let found = [Diagnostic::new(Code::StrayCharacter, place, "\u{1b}[31mred\nline\u{9b}")
        .with_label("a\u{1b}b")
        .with_hint("c\u{7}d")
        .with_step(place, "e\u{8}f")];
    let shown = render(&found, [("\u{1b}.dgh", text)].as_slice(), Style::default());
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    assert!(!shown.contains('\u{202e}'));
    insta::assert_snapshot!(shown);
}

#[test]
fn marks_on_one_line_and_over_one_another_are_all_shown() {
    let text = "when a: \"x\" -> b\nnode c {\n  say \"one\"\n}\n";
    let place = |s, e| Place { file: FileId(0), span: Span::new(s, e) };
    let found = [Diagnostic::new(Code::DuplicateLabel, place(5, 6), "twice")
        .with_label("second")
        .with_related(place(5, 6), "the same place")
        .with_related(place(15, 16), "on the same line")
        .with_related(place(17, 39), "a whole node")
        .with_related(place(7, 7), "nothing")];
    insta::assert_snapshot!(render(&found, [("a.dgh", text)].as_slice(), Style::default()));
}

#[test]
fn the_end_of_a_file_and_an_empty_file_can_be_marked() {
    let end = |file, at| {
        let place = Place { file: FileId(file), span: Span::at(at) };
        Diagnostic::new(Code::UnclosedBrace, place, "`{` is not closed").with_label("here")
    };
    let sources = [("empty", ""), ("short", "a {"), ("long", "a {\n")];
    let found = [end(0, 0), end(1, 3), end(2, 4)];
    insta::assert_snapshot!(render(&found, sources.as_slice(), Style::default()));
}

proptest! {
    #[test]
    fn no_place_and_no_text_makes_it_panic_or_exceed_the_screen(
        text in "([a-z ]|\t|\r\n|\n|é|漢|\u{1b}|\u{202e}|\u{301}){0,300}",
        places in prop::collection::vec((0u32..3, 0u32..400, 0u32..400), 1..6),
        width in 0usize..120,
        unicode: bool,
        color: bool,
    ) {
        let place = |&(file, a, b): &(u32, u32, u32)| {
            Place { file: FileId(file), span: Span { start: a.min(b), end: a.max(b) } }
        };
        let mut d = Diagnostic::new(Code::WrongType, place(&places[0]), "wrong").with_label("label");
        for p in &places[1..] {
            d = d.with_related(place(p), "related").with_step(place(p), "step");
        }
        let style = Style { color, unicode, width };
        let sources = [("a.dgh", text.as_str()), ("b.dgh", &text)];
        let shown = render(&[d.clone()], sources.as_slice(), style);
        prop_assert!(shown.contains("E0201"));
        if !color {
            prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));
            let longest = shown.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
            prop_assert!(longest <= style.width.max(40) + 40, "{longest}: {shown}");
        }
        crate::json::to_json(&[d.clone()], sources.as_slice());
        crate::sarif::to_sarif(&[d.clone()], sources.as_slice());
        crate::github::annotations(&[d], sources.as_slice());
    }
}
