//! What is said about mistakes: the place, the code, the words, and that nothing more is said.

use dgh_diag::{Code, LineIndex};

use super::{laws::check, programs};
use crate::{SyntaxError, ast::AstNode as _, parse};

/// A program with a hole in each kind of body.
fn program(members: &str, items: &str, steps: &str) -> String {
    format!(
        "dgh 1\n\nagent a {{\n  outcome done\n{members}\n  start hello\n\n  node hello {{\n    say \"Hi\"\n{items}\n    next -> end done {{\n      say \"Bye\"\n{steps}\n    }}\n  }}\n}}\n"
    )
}

fn in_agent(members: &str) -> String {
    program(members, "", "")
}

fn in_node(items: &str) -> String {
    program("", items, "")
}

fn in_block(steps: &str) -> String {
    program("", "", steps)
}

fn at_top(items: &str) -> String {
    format!("dgh 1\n\n{items}\n")
}

/// The errors as `code text-at-the-place: message`.
fn told(text: &str) -> Vec<String> {
    check(text)
        .errors()
        .iter()
        .map(|e| format!("{} {:?}: {}", e.code, &text[e.span.start as usize..e.span.end as usize], e.message))
        .collect()
}

#[track_caller]
fn one(text: &str, expected: &str) {
    assert_eq!(told(text), [expected], "{text}");
}

fn fixed(text: &str, errors: &[SyntaxError], safe_only: bool) -> String {
    let mut fixes: Vec<_> =
        errors.iter().filter_map(|e| e.fix.as_ref()).filter(|f| f.safe || !safe_only).collect();
    fixes.sort_by_key(|f| std::cmp::Reverse(f.span.start));
    let mut text = text.to_owned();
    for fix in fixes {
        text.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
    }
    text
}

/// One mistake that its own safe fix mends.
#[track_caller]
fn mended(text: &str, code: Code, place: &str) {
    let parsed = check(text);
    let errors = parsed.errors();
    let found: Vec<_> =
        errors.iter().map(|e| (e.code, &text[e.span.start as usize..e.span.end as usize])).collect();
    assert_eq!(found, [(code, place)], "{text}");
    let after = fixed(text, errors, true);
    assert_ne!(after, text, "there is no safe fix: {errors:?}");
    assert_eq!(told(&after), [""; 0], "{after}");
}

#[test]
fn near_misses_of_other_languages_are_mended() {
    let foreign = Code::ForeignSyntax;
    mended(&in_node("    if a && b -> hello"), foreign, "&&");
    mended(&in_node("    if a || b -> hello"), foreign, "||");
    mended(&in_node("    if !a -> hello"), foreign, "!");
    mended(&in_node("").replace("start hello", "start: hello"), foreign, "start:");
    mended(&in_agent("  prompt: \"You are Kim.\""), foreign, "prompt:");
    mended(&in_agent("  limits: { turns: 4 }"), foreign, "limits:");
    mended(&in_node("    say: \"Hello\""), foreign, "say:");
    mended(&in_node("    collect: x"), foreign, "collect:");
    mended(&in_node("    if a === b -> hello"), foreign, "===");
    mended(&in_node("    if a !== b -> hello"), foreign, "!==");
    mended(&in_node("    if a = b -> hello"), foreign, "=");
    mended(&in_node("    if a == null -> hello"), foreign, "null");
    mended(&in_node("    if a == True -> hello"), foreign, "True");
    mended(&in_node("    if a -> hello\n    elif b -> hello"), foreign, "elif");
    mended(&in_node("    if a -> hello\n    else if b -> hello"), foreign, "else if");
    mended(&in_node("    on error => hello"), foreign, "=>");
    mended(&in_node("    on error → hello"), foreign, "→");
    mended(&in_node("    say 'Hello'"), foreign, "'Hello'");
    mended(&in_node("    say “Hello”"), foreign, "“Hello”");
    mended(&in_node("    say `Hello`"), foreign, "`Hello`");
    mended(&in_node("    say \"Hello\";"), foreign, ";");
    mended(&in_node("    # a comment"), foreign, "# a comment");
    mended(&in_agent("  language = \"en\""), foreign, "=");
    mended(&in_agent("  limits { turns = 4 }"), foreign, "=");
    mended(&in_node("    call f() as x { meanwhile = \"One moment.\" }"), foreign, "=");
    mended(&in_block("      set x: 5"), foreign, ":");
    mended(&in_node("    next hello"), Code::Expected, "hello");
    mended(&in_node("    if a <> b -> hello"), foreign, "<>");
    mended(&in_node("    when x: \"They go\" –> hello"), foreign, "–>");
    mended(&in_node("    when x: \"They go\" -> node hello"), foreign, "node hello");
    mended(&in_node("    say \"Hi {{ a || \"there\" }}\""), foreign, "||");
    mended(&at_top("tool t() -> List<Desk> { about: \"x\" }"), foreign, "List<Desk>");
    mended(&at_top("tool t() -> Desk[] { about: \"x\" }"), foreign, "Desk[]");
    mended(&in_node("    say\u{A0}\"Hello\""), Code::StrayCharacter, "\u{A0}");
}

#[test]
fn one_slip_is_told_once() {
    one(&in_node("    if (a) { hello }"), "E0018 \"\": This `if` has no arrow: it leads nowhere");
    let text = in_node("    if a { hello }");
    assert!(
        fixed(&text, check(&text).errors(), false).contains("if a -> hello"),
        "{:?}",
        check(&text).errors()
    );
    one(
        &in_node("    wen human: \"They ask for a person\" -> hello { say \"Sure.\" }"),
        "E0013 \"wen\": There is no statement `wen` in a node",
    );
    one(
        &in_node("    on error -> hello\n    nxt -> hello"),
        "E0013 \"nxt\": There is no statement `nxt` in a node",
    );
    one(&in_node("    say \"{{ open ? \"a\" : \"b\" }}\""), "E0015 \"?\": There is no `a ? b : c` here");
    // A name that cannot be one is told where it stands first.
    one(
        &in_node("    set sujét = 1\n    set sujét = 2"),
        "E0020 \"sujét\": `sujét` has letters that names cannot have",
    );
}

#[test]
fn numbers_that_are_nearly_right_are_mended() {
    mended(&in_node("    wait 3sec"), Code::BadLiteral, "3sec");
    mended(&in_node("    wait 2minutes"), Code::BadLiteral, "2minutes");
    mended(&in_node("    wait 2 seconds"), Code::BadLiteral, "2 seconds");
    mended(&at_top("const opens = 9am"), Code::BadLiteral, "9am");
    mended(&at_top("const closes = 12pm"), Code::BadLiteral, "12pm");
    one(
        &at_top("const fee = $0.40"),
        "E0015 \"$0.40\": An amount has its currency behind it, in three letters",
    );
    mended(&at_top("const fee = 5USD"), Code::BadLiteral, "5USD");
}

#[test]
fn a_missing_edition_is_mended() {
    mended(&in_node("").replace("dgh 1\n", ""), Code::MissingEdition, "");
}

#[test]
fn dates_and_times_that_do_not_exist() {
    one(&at_top("const d = 2026-3-1"), "E0016 \"2026-3-1\": `2026-3-1` is no date");
    one(&at_top("const d = 2026-02-30"), "E0016 \"2026-02-30\": There is no such date as `2026-02-30`");
    one(
        &at_top("const d = 2026-03-01T25:00"),
        "E0016 \"2026-03-01T25:00\": There is no such date as `2026-03-01T25:00`",
    );
    one(&at_top("const d = 9:5"), "E0016 \"9:5\": `9:5` is no time");
    one(&at_top("const d = 9:00am"), "E0016 \"9:00am\": `9:00am` is no time");
    one(&at_top("const d = 24:00"), "E0016 \"24:00\": There is no such time as `24:00`");
    one(&at_top("const d = 0.5ms"), "E0016 \"0.5ms\": `0.5ms` is no duration that can be kept");
    one(
        &at_top("const d = 99999999999999999999"),
        "E0016 \"99999999999999999999\": `99999999999999999999` is too long a number",
    );
}

#[test]
fn strings_that_do_not_end() {
    one(&in_node("    say \"Hello"), "E0003 \"\\\"Hello\": This text has no closing quote on its line");
    one(&in_node("    ask \"Hello {{ name, how are you?\""), "E0004 \"{{\": This `{{` has no `}}`");
    one(
        &in_node("    prompt \"\"\"\n      Hello {{ name.\n      \"\"\""),
        "E0004 \"{{\": This `{{` has no `}}`",
    );
    one(
        &in_node("    on error { say \"Sorry. }"),
        "E0003 \"\\\"Sorry. }\": This text has no closing quote on its line",
    );
    one(&in_node("    say \"a \\q b\""), "E0005 \"\\\\q\": `\\q` is no escape");
    one(&in_node("    say \"Hi {{ }}\""), "E0019 \"\": There is nothing between `{{` and `}}`");
    one(&in_node("    say \"Hi {{ a as }}\""), "E0009 \"}}\": Expected a name after `as`, but found `}}`");
}

#[test]
fn brackets_without_their_partner() {
    one(&in_node("    call f(a, b as x"), "E0006 \"(\": This `(` is never closed");
    one(&in_node("    on error -> hello {\n      say \"x\""), "E0006 \"{\": This `{` is never closed");
    one(&in_node("    }"), "E0007 \"}\": This `}` closes nothing");
    one(&in_node("    say \"x\" )"), "E0007 \")\": This `)` closes nothing");
    one(&in_agent("  llm: [openai(\"gpt\")"), "E0006 \"[\": This `[` is never closed");
}

#[test]
fn a_node_that_is_not_closed_does_not_swallow_the_next() {
    let text = "dgh 1\n\nagent a {\n  node b {\n    say \"x\"\n    next -> c\n\n  node c {\n    say \"y\" \"z\"\n    next -> b\n  }\n}\n\nenum A { x }\n";
    let parsed = check(text);
    let agent = parsed.file().agents().next().unwrap();
    let nodes: Vec<String> = agent.nodes().map(|n| n.name().unwrap().text()).collect();
    assert_eq!(nodes, ["b", "c"]);
    assert_eq!(parsed.file().items().count(), 2);
    let codes: Vec<Code> = parsed.errors().iter().map(|e| e.code).collect();
    assert_eq!(codes, [Code::UnclosedBrace, Code::Expected]);
}

#[test]
fn a_body_without_its_opening_brace_is_read_all_the_same() {
    let head = |text: &str| text.replace("node hello {", "node hello");
    mended(&head(&in_node("    collect x")), Code::MissingPart, "");
    mended(&in_agent("  anywhere\n    on error -> end done\n  }"), Code::MissingPart, "");
    mended("dgh 1\ntest \"x\"\n  keys \"1\"\n}\n", Code::MissingPart, "");
    let text = head(&in_node("    collect x"));
    let agent = parse(&text).file().agents().next().unwrap();
    assert_eq!(agent.nodes().next().unwrap().items().count(), 3);
}

#[test]
fn small_slips_get_a_sentence_of_their_own() {
    mended(&in_node("    on error: hello"), Code::ForeignSyntax, ":");
    mended(&in_node("    wait 3 s"), Code::BadLiteral, "3 s");
    mended(&in_node("    transfer +14155550100"), Code::BadLiteral, "+14155550100");
    one(
        &in_node("    on error -> take-message"),
        "E0020 \"take-message\": `take-message` is no name: names have no `-` in them",
    );
    one(&in_node("    say Hello there"), "E0009 \"Hello there\": Expected a text in quotes after `say`");
    one(
        &in_node("    when yes: \"They agree\" like \"sure\" -> hello"),
        "E0009 \"\\\"sure\\\"\": `like` is followed by a list of sentences",
    );
    one(&in_node("    if x not in [a] -> hello"), "E0015 \"not\": `not` has no meaning here");
    one(&in_node("    if a[0] == 1 -> hello"), "E0015 \"[\": There are no indexes here");
    one(
        &in_node("    on error -> \"hello\""),
        "E0009 \"\\\"hello\\\"\": Expected the name of a node after `->`, but found `\"hello\"`",
    );
}

#[test]
fn what_the_grammar_takes_so_that_more_can_be_said_about_it() {
    one(&in_node("    on error if a -> hello"), "E0013 \"if\": An `on` takes no condition");
    mended(&in_agent("  outcome x, y,"), Code::Expected, ",");
    mended(&in_node("    say \"x\","), Code::Expected, ",");
}

#[test]
fn a_mistake_whose_pieces_are_right_is_told_all_the_same() {
    one(
        &in_agent("  limits { duration: 8min, cost: 0.80 USD: 60 }"),
        "E0009 \":\": Expected a name, `}` or `,` after `USD`, but found `:`",
    );
}

#[test]
fn unfinished_forms() {
    one(&in_node("    on error ->"), "E0018 \"\": Expected the name of a node after `->`");
    one(
        &in_node("    when yes: \"They agree\" ->\n    on error -> hello"),
        "E0018 \"\": Expected the name of a node after `->`",
    );
    one(
        &in_node("    when yes: \"They agree\""),
        "E0018 \"\": This `when` has neither an arrow nor steps: it leads nowhere",
    );
    one(&in_node("    if a { say \"x\" }"), "E0018 \"\": This `if` has no arrow: it leads nowhere");
    one(&in_node("    on error -> end"), "E0018 \"\": `end` does not say with which outcome");
    one(
        &in_node("    on error -> detour\n    on key -> hello"),
        "E0018 \"\": `detour` does not say to which node",
    );
    one(&in_node("    say"), "E0019 \"\": Expected a value after `say`");
    one(&in_node("    say\n    ask \"x\""), "E0019 \"\": Expected a value after `say`");
    one(&in_block("      set x ="), "E0019 \"\": Expected a value after `=`");
    one(&in_node("    collect"), "E0019 \"\": Expected the name of a variable after `collect`");
    one(&in_agent("  var x:"), "E0019 \"\": Expected a type after `:`");
    one(&in_agent("  var x"), "E0019 \"\": Expected `:` after `x`");
    one(&in_agent("  language:"), "E0019 \"\": Expected a value after `:`");
}

#[test]
fn parts_in_the_wrong_order_or_missing() {
    one(
        &in_agent("  var budget money \"Budget\""),
        "E0009 \"money\": Expected `:` after `budget`, but found `money`",
    );
    one(&in_agent("  outcome x y"), "E0009 \"y\": Expected a comma before `y`");
    one(
        &in_node("    when \"They agree\" -> hello"),
        "E0009 \"\\\"They agree\\\"\": Expected a label after `when`, but found `\"They agree\"`",
    );
    one(&in_node("    collect a { tries 3 }"), "E0009 \"3\": Expected `:` after `tries`, but found `3`");
    one(&in_node("    call f(a b)"), "E0009 \"b\": Expected a comma before `b`");
    one(&in_node("    if a and -> hello"), "E0009 \"->\": Expected a value after `and`, but found `->`");
    one(
        &in_node("    say \"x\" \"y\""),
        "E0009 \"\\\"y\\\"\": `\"y\"` does not belong after this text in a node",
    );
    one(
        &at_top("tool t(a: text, b text) { about: \"x\" }"),
        "E0009 \"text\": Expected `:` after `b`, but found `text`",
    );
    one(
        &at_top("import { a, b } \"./x.dgh\""),
        "E0009 \"\\\"./x.dgh\\\"\": Expected `from` after `}`, but found `\"./x.dgh\"`",
    );
    one(
        &at_top("test \"x\" {\n  says \"a\" means\n}"),
        "E0019 \"\": Expected a name, `{` or `nothing` after `means`",
    );
    one(&at_top("test \"x\" {\n  given a 1\n}"), "E0009 \"1\": Expected `=` after `a`, but found `1`");
}

#[test]
fn words_that_stand_elsewhere() {
    one(&in_agent("  say \"x\""), "E0013 \"say\": `say` cannot stand directly in an agent or flow");
    one(&in_node("    var x: text"), "E0013 \"var\": `var` cannot stand in a node");
    one(&in_block("      collect x"), "E0013 \"collect\": `collect` cannot stand in the steps of an arrow");
    one(&in_agent("  anywhere {\n    say \"x\"\n  }"), "E0013 \"say\": `say` cannot stand in `anywhere`");
    one(&at_top("node x { say \"x\" }"), "E0013 \"node\": `node` cannot stand outside of an agent");
    one(&at_top("language: \"en\""), "E0013 \"language\": A setting cannot stand outside of an agent");
    one(&at_top("test \"x\" {\n  say \"x\"\n}"), "E0013 \"say\": `say` cannot stand in a test");
    one(
        &in_node("    \"Hello there\""),
        "E0013 \"\\\"Hello there\\\"\": This text stands alone, without a word that says what to do with it",
    );
}

#[test]
fn words_that_do_not_exist() {
    one(&at_top("agnet a {\n  start b\n}"), "E0012 \"agnet\": There is no kind of item called `agnet`");
    one(
        &in_agent("  nod extra {\n    say \"x\"\n    next -> hello\n  }"),
        "E0013 \"nod\": There is no statement `nod` directly in an agent or flow",
    );
    one(&in_agent("  memory { size: 3 }"), "E0014 \"memory\": There is no group of settings called `memory`");
    one(&in_agent("  limit { turns: 3 }"), "E0014 \"limit\": There is no group of settings called `limit`");
    one(&in_node("    sya \"x\""), "E0013 \"sya\": There is no statement `sya` in a node");
    one(&in_node("    while a"), "E0015 \"while\": There are no loops here, so no `while`");
    one(&in_node("    goto hello"), "E0015 \"goto\": `goto` leads on, so it stands behind an arrow");
    one(
        &at_top("campaign spring {\n}"),
        "E0012 \"campaign\": `campaign` is a reserved word: campaigns are no part of a program",
    );
}

#[test]
fn names_in_the_wrong_shape() {
    one(
        &at_top("type desk { open: bool }"),
        "E0020 \"desk\": `desk` is the name of a type, and those start with a capital letter",
    );
    one(
        &in_agent("  var firstName: text"),
        "E0020 \"firstName\": `firstName` has capital letters, which only names of types have",
    );
    one(&in_agent("  var größe: number"), "E0020 \"größe\": `größe` has letters that names cannot have");
    // Names that a server chose are as they are.
    assert_eq!(told(&at_top("type Desk { isOpen: bool }\nenum State { OPEN, Closed }")), [""; 0]);
}

#[test]
fn a_misspelled_word_is_read_as_what_was_meant() {
    let text = in_agent("  nod extra {\n    say \"x\" \"y\"\n    next -> hello\n  }");
    let parsed = check(&text);
    let codes: Vec<Code> = parsed.errors().iter().map(|e| e.code).collect();
    assert_eq!(codes, [Code::UnknownStatement, Code::Expected]);
    let names: Vec<String> =
        parsed.file().agents().flat_map(|a| a.nodes()).map(|n| n.name().unwrap().text()).collect();
    assert_eq!(names, ["extra", "hello"]);
}

#[test]
fn what_is_known_of_a_broken_statement_stays_in_the_tree() {
    let text = program("  var budget money", "    if a == == b -> hello\n    call f(a b) as slots", "");
    let agent = check(&text).file().agents().next().unwrap();
    let var = agent.vars().next().unwrap();
    assert_eq!(var.name().unwrap().text(), "budget");
    assert!(var.has_errors());
    let node = agent.nodes().next().unwrap();
    let first = node.routes().next().unwrap();
    assert_eq!(first.target().unwrap().syntax().text(), "hello");
    let crate::ast::Step::Call(call) = node.steps().nth(1).unwrap() else { panic!("no call") };
    assert_eq!(call.bound_name().unwrap().text(), "slots");
}

#[test]
fn all_mistakes_of_one_file_are_found_on_their_lines() {
    let text = "dgh 1\nenum Topic { sales, 5 }\ntype Desk { name text }\nagent a {\n  var x text\n  node b {\n    say\n    if x = 1 -> b\n  }\n  node c {\n    collect x { tries 3 }\n    on error => b\n  }\n}\ntest \"t\" {\n  expect a ==\n}\n";
    let lines = LineIndex::new(text);
    let found: Vec<u32> =
        check(text).errors().iter().map(|e| lines.line_col(text, e.span.start).line).collect();
    assert_eq!(found, [2, 3, 5, 7, 8, 11, 12, 16]);
}

/// One planted mistake is one error on its line, in nearly every case.
#[test]
fn a_planted_mistake_is_one_error_near_its_place() {
    let plants = ["{", "}", "\"", "->", "(", ")", ",", "=", "and", "42", "??"];
    let (mut near, mut single, mut all) = (0, 0, 0);
    for (_, text) in programs() {
        let lines = LineIndex::new(&text);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        for (number, end) in ends.iter().enumerate().step_by(3) {
            let plant = plants[number % plants.len()];
            let broken = format!("{} {plant}{}", &text[..*end], &text[*end..]);
            let parsed = parse(&broken);
            if parsed.errors().is_empty() {
                continue;
            }
            all += 1;
            let line = lines.line(*end as u32);
            let broken_lines = LineIndex::new(&broken);
            single += usize::from(parsed.errors().len() == 1);
            near += usize::from(
                parsed.errors().iter().any(|e| broken_lines.line(e.span.start).abs_diff(line) <= 1),
            );
        }
    }
    assert!(all > 150, "{all}");
    assert!(near * 100 >= all * 90, "only {near} of {all} are reported near their place");
    assert!(single * 100 >= all * 85, "only {single} of {all} are one error");
}
