//! An answer for every kind of text that is no program, in time, and without a panic.

use dgh_diag::{Code, Span};

use super::laws::check;
use crate::{MAX_LEN, NESTING, parse, parse_bytes};

const PROGRAM: &str = "dgh 1\n\nagent a {\n  outcome done\n  start hello\n\n  node hello {\n    say \"Hi\"\n    next -> end done\n  }\n}\n";

fn codes(text: &str) -> Vec<Code> {
    check(text).errors().iter().map(|e| e.code).collect()
}

#[test]
fn an_empty_file_lacks_its_edition() {
    assert_eq!(codes(""), [Code::MissingEdition]);
    assert_eq!(codes("\n\n"), [Code::MissingEdition]);
    assert_eq!(codes("// nothing\n"), [Code::MissingEdition]);
}

#[test]
fn an_unknown_edition_is_one_clear_error() {
    assert_eq!(codes("dgh 2\nthis is { not ( known"), [Code::UnknownEdition]);
    assert_eq!(codes(&PROGRAM.replace("dgh 1", "dgh 99999999999")), [Code::UnknownEdition]);
}

#[test]
fn a_byte_order_mark_tabs_and_crlf_are_accepted() {
    assert_eq!(codes(PROGRAM), []);
    assert_eq!(codes(&format!("\u{FEFF}{PROGRAM}")), []);
    assert_eq!(codes(&PROGRAM.replace('\n', "\r\n")), []);
    assert_eq!(codes(&PROGRAM.replace('\n', "\r")), []);
    assert_eq!(codes(&PROGRAM.replace("  ", "\t")), []);
    assert_eq!(codes(PROGRAM.trim_end()), []);
}

#[test]
fn a_byte_order_mark_inside_is_a_stray_character() {
    assert_eq!(codes(&PROGRAM.replace("agent", "\u{FEFF}agent")), [Code::StrayCharacter]);
}

#[test]
fn a_nul_is_a_stray_character_wherever_it_is() {
    assert_eq!(codes(&PROGRAM.replace("outcome", "\0outcome")), [Code::StrayCharacter]);
    assert_eq!(codes(&PROGRAM.replace("Hi", "H\0i")), [Code::StrayCharacter]);
    assert_eq!(codes(&PROGRAM.replace("outcome done", "outcome done // \0")), [Code::StrayCharacter]);
}

#[test]
fn bytes_that_are_no_utf8_are_one_error_at_the_first_of_them() {
    let mut bytes = PROGRAM.as_bytes().to_vec();
    let at = PROGRAM.find("Hi").unwrap();
    bytes[at] = 0xFF;
    let (text, parsed) = parse_bytes(&bytes);
    assert_eq!(parsed.tree().text().to_string(), text);
    assert_eq!(parsed.errors().len(), 1);
    assert_eq!(parsed.errors()[0].code, Code::NotUtf8);
    assert_eq!(parsed.errors()[0].span.start as usize, at);
    let (text, parsed) = parse_bytes(PROGRAM.as_bytes());
    assert_eq!((text.as_str(), parsed.errors().len()), (PROGRAM, 0));
}

#[test]
fn utf16_is_one_error() {
    let bytes: Vec<u8> = PROGRAM.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut with_mark = vec![0xFF, 0xFE];
    with_mark.extend(bytes);
    let codes: Vec<Code> = parse_bytes(&with_mark).1.errors().iter().map(|e| e.code).collect();
    assert_eq!(codes, [Code::NotUtf8]);
}

#[test]
fn a_string_that_is_not_closed_at_the_end_of_the_file() {
    let cut = PROGRAM.find("Hi").unwrap() + 1;
    let parsed = check(&PROGRAM[..cut]);
    let codes: Vec<Code> = parsed.errors().iter().map(|e| e.code).collect();
    assert_eq!(codes, [Code::UnclosedBrace, Code::UnclosedBrace, Code::UnclosedString]);
    assert_eq!(parsed.errors()[2].span, Span::new(cut as u32 - 2, cut as u32));
}

#[test]
fn a_block_that_is_not_closed_ends_before_the_next_item() {
    let text = PROGRAM.replace("  outcome", "  prompt \"\"\"\n    You are Kim.\n  outcome")
        + "\ntest \"t\" {\n  says \"x\" \"y\"\n}\n";
    let parsed = check(&text);
    let codes: Vec<Code> = parsed.errors().iter().map(|e| e.code).collect();
    // The `node` is where the text ends at the latest; the test after it is read as always.
    assert_eq!(codes, [Code::UnclosedString, Code::Expected], "{:#?}", parsed.errors());
    assert_eq!(parsed.file().tests().count(), 1);
    assert_eq!(parsed.file().agents().flat_map(|a| a.nodes()).count(), 1);
}

#[test]
fn a_closed_block_may_hold_lines_that_look_like_items() {
    let text = PROGRAM.replace("\"Hi\"", "\"\"\"\nagent smith {\nnode x {\n\"\"\"");
    assert_eq!(codes(&text), []);
}

/// Every construct that nests, this many deep.
fn nests(depth: usize) -> Vec<String> {
    let deep = |open: &str, middle: &str, close: &str| {
        format!("dgh 1\nconst x = {}{middle}{}\n", open.repeat(depth), close.repeat(depth))
    };
    vec![
        deep("(", "1", ")"),
        deep("[", "1", "]"),
        deep("{ a: ", "1", "}"),
        deep("f(", "1", ")"),
        deep("match (", "1", ") { else -> 1 }"),
        deep("\"{{ ", "1", " }}\""),
        deep("match a { else -> ", "1", "}"),
    ]
}

#[test]
fn nesting_up_to_the_limit_is_accepted_on_a_small_stack() {
    // The last three nest two brackets at once.
    let single = nests(NESTING as usize).into_iter().take(4);
    for text in single.chain(nests(NESTING as usize / 2)) {
        let parsed = check(&text);
        assert!(parsed.errors().is_empty(), "{} {:?}", &text[..40], parsed.errors());
    }
}

#[test]
fn nesting_past_the_limit_is_one_error() {
    for depth in [NESTING as usize + 1, 10_000] {
        for text in nests(depth) {
            let found = codes(&text);
            assert_eq!(found, [Code::TooDeep], "{}", &text[..40]);
        }
    }
}

#[test]
fn ten_thousand_braces_are_answered_whatever_they_stand_for() {
    for text in [
        "{",
        "agent a {",
        "agent a {\n",
        "if a {\n",
        "node a {",
        "match a {",
        "{{",
        "\"{{",
        "}",
        "(",
        ")",
        "[{(",
    ] {
        for prefix in ["dgh 1\n", "dgh 1\nagent a {\n  node b {\n    ", "dgh 1\nconst x = "] {
            let text = format!("{prefix}{}", text.repeat(10_000));
            assert!(!check(&text).errors().is_empty());
        }
    }
}

/// Each would take minutes if anything looked back over all of it each time.
#[test]
fn nothing_is_read_again_and_again() {
    let many = 60_000;
    let texts = [
        format!("{}{}", "[".repeat(many), ")".repeat(many)),
        format!("{}{}", "(\n".repeat(many), "]\n".repeat(many)),
        "// allow W0412: for a reason\n".repeat(many),
        format!("dgh 1\nagent a {{\n{}", "  \"x }\n".repeat(many)),
        format!("dgh 1\nagent a {{\n  node b {{\n{}", "    { \"x }\n".repeat(many)),
        "/* ".repeat(many),
        "\"{{ // ".repeat(many),
        "“".repeat(many),
        "'".repeat(many),
        "when if ".repeat(many),
        format!("dgh 1\nagent a {{\n{}", "  node b\n    c\n".repeat(many / 4)),
        format!("dgh 1\nconst x = a {}", "// b\n".repeat(many)),
    ];
    for text in texts {
        let parsed = parse(&text);
        assert_eq!(parsed.tree().text(), text.as_str());
        assert!(!parsed.errors().is_empty() || parsed.is_accepted());
    }
}

#[test]
fn long_chains_are_refused_before_their_tree_gets_too_high() {
    for link in [" + 1", " and a", ".b", ".b?", " ?? a", "(1)", " == 1", "..1"] {
        let chain = |count: usize| format!("dgh 1\nconst x = a{}\n", link.repeat(count));
        assert_eq!(codes(&chain(250)), [], "{link}");
        assert_eq!(codes(&chain(50_000)), [Code::TooDeep], "{link}");
    }
    for link in ["not ", "- ", "list<", "private "] {
        let text = format!("dgh 1\nconst x: {}text = {}1\n", "list<", link.repeat(50_000));
        assert!(!check(&text).is_accepted());
    }
    let lists = format!("dgh 1\nconst x: {}text{} = []\n", "list<".repeat(10_000), ">".repeat(10_000));
    assert_eq!(codes(&lists), [Code::TooDeep]);
}

#[test]
fn a_file_of_many_megabytes_is_read_and_one_past_the_limit_is_refused() {
    let node =
        "  node n {\n    say \"A sentence that is neither long nor short.\"\n    next -> end done\n  }\n";
    let mut text = "dgh 1\nagent a {\n".to_owned();
    while text.len() < 2_000_000 {
        text.push_str(node);
    }
    text.push_str("}\n");
    let parsed = parse(&text);
    assert!(parsed.errors().is_empty());
    assert_eq!(parsed.tree().text(), text.as_str());
    let large = " ".repeat(MAX_LEN + 1);
    let parsed = parse(&large);
    assert_eq!(parsed.errors().iter().map(|e| e.code).collect::<Vec<_>>(), [Code::FileTooLarge]);
    assert!(parsed.tree().text() == large.as_str());
}

#[test]
fn parsing_works_on_a_stack_of_one_mebibyte() {
    let run = || {
        for text in nests(NESTING as usize / 2).iter().chain(&nests(10_000)) {
            let parsed = parse(text);
            // The tree is walked and dropped here too.
            assert!(parsed.tree().descendants().count() > 1);
        }
        let chain = format!("dgh 1\nconst x = a{}\n", " + 1".repeat(500));
        assert!(parse(&chain).tree().descendants().count() > 500);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_parse_can_be_sent_to_another_thread() {
    fn is_send<T: Send + Sync>(_: &T) {}
    is_send(&parse(PROGRAM));
}

#[test]
fn recovery_reads_a_byte_a_bounded_number_of_times() {
    let bricks = [
        "{",
        "}",
        "(",
        ")",
        "]",
        "node a {\n",
        "agent a {\n",
        "on error ->\n",
        "a: 1 ",
        "a = 1\n",
        "when a: \"x\" if a ",
        "foo {\n",
        "x\n",
        "if a\n",
        "call f(\n",
        "test \"x\" {\n",
        "say\n",
        "collect a, ",
        "\"x\"\n",
        "enum A { a b\n",
        "match a { b -> ",
        "set a = \n",
        "var a: ",
        "} {",
        "say \"x\" -> ",
    ];
    let frames =
        ["dgh 1\n", "dgh 1\nagent a {\n  node b {\n", "dgh 1\nagent a {\n  node b {\n    on error -> c {\n"];
    for frame in frames {
        for brick in bricks {
            let text = format!("{frame}{}", brick.repeat(20_000 / brick.len()));
            let work = parse(&text).work();
            // Three joins, the part and the head on each of the levels that statements nest in.
            assert!(work <= 30 * text.len() as u64, "{frame:?} {brick:?}: {work} bytes for {}", text.len());
        }
    }
}
