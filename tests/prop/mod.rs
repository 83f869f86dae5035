//! Laws that hold for every program, tried on changed copies of the examples. `DGH_MUTATIONS=100000`
//! tries that many of each instead of a few hundred.

use dgh_compile::{Memory, compile};
use dgh_ir::wire;
use dgh_syntax::SyntaxKind;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{example_files, root};

const EXAMPLES: [&str; 4] = ["clinic", "collections", "front_desk", "lead"];

fn rounds(default: u32) -> u32 {
    std::env::var("DGH_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Tokens of a text, without white space and comments.
fn tokens(text: &str) -> Vec<(SyntaxKind, String)> {
    let tree = dgh_syntax::parse(text).tree();
    let all = tree.descendants_with_tokens().filter_map(dgh_syntax::NodeOrToken::into_token);
    all.map(|t| (t.kind(), t.text().to_owned())).collect()
}

fn is_trivia(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::Whitespace | SyntaxKind::Comment)
}

#[test]
fn white_space_and_comments_change_nothing_but_themselves() {
    for name in EXAMPLES {
        let files = example_files(name);
        let original = compile(&Memory::new(files.clone()), "agent.dgh");
        let bytes = wire::to_bytes(&original.program);
        let pieces = tokens(&files["agent.dgh"]);
        let spaces = proptest::collection::vec(0..6_u8, pieces.len());
        let mut runner =
            TestRunner::new(Config { cases: rounds(40), failure_persistence: None, ..Config::default() });
        let result = runner.run(&spaces, |choices| {
            let mut text = String::new();
            let mut depth = 0_u32;
            for ((kind, piece), choice) in pieces.iter().zip(choices) {
                match kind {
                    SyntaxKind::StringStart => depth += 1,
                    SyntaxKind::StringEnd => depth -= 1,
                    _ => {}
                }
                text.push_str(piece);
                // Only where there was a space already, so that no two words become one and no
                // comment is cut.
                if *kind == SyntaxKind::Whitespace && depth == 0 {
                    text.push_str(match choice {
                        0 => "\n",
                        1 => "\t ",
                        2 => "\n// note\n",
                        3 => "\r\n",
                        _ => "",
                    });
                }
            }
            let mut changed = files.clone();
            changed.insert("agent.dgh".to_owned(), text.clone());
            let compiled = compile(&Memory::new(changed.clone()), "agent.dgh");
            proptest::prop_assert!(!compiled.has_errors(), "{text}");
            proptest::prop_assert_eq!(&wire::to_bytes(&compiled.program), &bytes);
            let formatted = dgh_fmt::format(&text).text;
            proptest::prop_assert_eq!(&dgh_fmt::format(&formatted).text, &formatted);
            let comments =
                |text: &str| tokens(text).into_iter().filter(|(k, _)| *k == SyntaxKind::Comment).count();
            proptest::prop_assert_eq!(comments(&formatted), comments(&text));
            changed.insert("agent.dgh".to_owned(), formatted);
            let compiled = compile(&Memory::new(changed), "agent.dgh");
            proptest::prop_assert_eq!(&wire::to_bytes(&compiled.program), &bytes);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn nothing_that_is_typed_makes_the_compiler_panic() {
    let donors: Vec<String> = EXAMPLES.iter().flat_map(|name| example_files(name).into_values()).collect();
    let pieces: Vec<String> = donors.iter().flat_map(|text| tokens(text)).map(|(_, piece)| piece).collect();
    for name in EXAMPLES {
        let files = example_files(name);
        let own: Vec<(SyntaxKind, String)> = tokens(&files["agent.dgh"]);
        let change = (0..own.len(), 0..4_u8, 0..pieces.len());
        let changes = proptest::collection::vec(change, 1..4);
        let mut runner =
            TestRunner::new(Config { cases: rounds(120), failure_persistence: None, ..Config::default() });
        let result = runner.run(&changes, |changes| {
            let mut now: Vec<&str> = own.iter().map(|(_, piece)| piece.as_str()).collect();
            for (at, how, with) in &changes {
                let at = (*at).min(now.len() - 1);
                match how {
                    0 => drop(now.remove(at)),
                    1 => now[at] = &pieces[*with],
                    2 => now.insert(at, &pieces[*with]),
                    _ => now.truncate(at.max(1)),
                }
            }
            let mut changed = files.clone();
            changed.insert("agent.dgh".to_owned(), now.concat());
            let compiled = compile(&Memory::new(changed), "agent.dgh");
            // Whatever it says, every finding lies in its file.
            for finding in &compiled.diagnostics {
                let (_, text) = &compiled.sources[finding.place.file.0 as usize];
                proptest::prop_assert!(finding.place.span.end as usize <= text.len());
            }
            let formatted = dgh_fmt::format(&now.concat());
            proptest::prop_assert!(
                !formatted.errors.is_empty() || dgh_fmt::format(&formatted.text).text == formatted.text
            );
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_words_of_a_kind_of_token_are_covered() {
    // The tests above build on these kinds: a file that lost them would make them empty.
    let text = std::fs::read_to_string(root().join("examples/lead/agent.dgh")).unwrap();
    let kinds: Vec<SyntaxKind> = tokens(&text).into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.iter().filter(|k| is_trivia(**k)).count() > 200);
    assert!(kinds.contains(&SyntaxKind::StringStart) && kinds.contains(&SyntaxKind::Comment));
}
