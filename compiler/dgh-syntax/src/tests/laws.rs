//! What holds for every text.

use dgh_diag::Code;
use pest::Parser as _;

use super::{
    mutate::{Random, mutate},
    programs,
};
use crate::{
    Parse, SyntaxKind, depth,
    grammar::{Grammar, Rule},
    parse,
    token::{Tokens, tokens},
};

/// All laws at once.
pub(crate) fn check(text: &str) -> Parse {
    let tokens = tokens(text);
    tokens_are_the_text(text, &tokens);
    let parsed = parse(text);
    assert_eq!(parsed.tree().text().to_string(), text, "the tree is not the text");
    let deep = !depth::too_deep(text, &tokens).is_empty();
    if !deep {
        let accepted = Grammar::parse(Rule::file, text);
        assert_eq!(
            accepted.is_ok(),
            parsed.is_accepted(),
            "the verdict is not the grammar's: {:?}",
            parsed.errors()
        );
        if let Ok(pairs) = accepted {
            rules_end_where_tokens_end(text, &tokens, pairs);
            let structural = parsed.errors().iter().find(|e| !is_about_details(e.code));
            assert!(structural.is_none(), "an accepted text has a structural error: {structural:?}");
            assert!(parsed.tree().descendants().all(|n| n.kind() != SyntaxKind::Error));
        }
    }
    assert!(parsed.is_accepted() || !parsed.errors().is_empty(), "a refused text has no error");
    errors_are_in_the_text(text, &parsed);
    nodes_end_with_what_counts(&parsed);
    parsed
}

fn tokens_are_the_text(text: &str, tokens: &Tokens) {
    assert_eq!(tokens.len as usize, text.len());
    assert_eq!(tokens.list.first().map_or(0, |t| t.start), 0);
    for pair in tokens.list.windows(2) {
        assert!(pair[0].start < pair[1].start, "an empty token at {}", pair[0].start);
    }
    assert!(tokens.list.iter().all(|t| text.is_char_boundary(t.start as usize)));
}

fn rules_end_where_tokens_end(text: &str, tokens: &Tokens, pairs: pest::iterators::Pairs<'_, Rule>) {
    for edge in pairs.tokens() {
        let at = match edge {
            pest::Token::Start { pos, .. } | pest::Token::End { pos, .. } => pos.pos(),
        };
        let index = tokens.index_at(at as u32);
        let starts = tokens.list.get(index).map_or(text.len(), |t| t.start as usize);
        // The text of a string may be empty or end at an escape, but it ends where a token ends all the same.
        assert_eq!(starts, at, "a rule ends inside a token: {:?}", tokens.text(text, index - 1));
    }
}

/// What the grammar accepts and the compiler complains about nevertheless.
fn is_about_details(code: Code) -> bool {
    matches!(
        code,
        Code::BadEscape
            | Code::BadLiteral
            | Code::BadName
            | Code::MissingEdition
            | Code::UnknownEdition
            | Code::MissingTarget
            | Code::MissingPart
            | Code::ForeignSyntax
            | Code::StrayCharacter
            | Code::UnknownStatement
    )
}

fn errors_are_in_the_text(text: &str, parsed: &Parse) {
    for error in parsed.errors() {
        let (start, end) = (error.span.start as usize, error.span.end as usize);
        assert!(text.get(start..end).is_some(), "{error:?}");
        assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{error:?}");
        if let Some(fix) = &error.fix {
            assert!(text.get(fix.span.start as usize..fix.span.end as usize).is_some(), "{error:?}");
        }
    }
}

fn nodes_end_with_what_counts(parsed: &Parse) {
    for node in parsed.tree().descendants().skip(1) {
        let last = node.last_token();
        assert!(last.as_ref().is_none_or(|t| !t.kind().is_trivia()), "{:?} ends with {last:?}", node.kind());
        let first = node.first_token();
        assert!(
            first.as_ref().is_none_or(|t| !t.kind().is_trivia()),
            "{:?} begins with {first:?}",
            node.kind()
        );
    }
}

#[test]
fn every_program_of_the_repository_is_accepted_without_errors() {
    for (path, text) in programs() {
        let parsed = check(&text);
        assert!(parsed.is_accepted(), "{path}: {:#?}", parsed.errors());
        assert!(parsed.errors().is_empty(), "{path}: {:#?}", parsed.errors());
    }
}

/// `DGH_MUTATIONS=1000000 cargo test -p dgh-syntax --release mutations` for a long run; `DGH_SEED` for another one.
#[test]
fn all_laws_hold_on_mutations_of_every_program() {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let count = number("DGH_MUTATIONS", 2_000);
    let seed = number("DGH_SEED", 1);
    let programs = programs();
    for round in 0..count {
        let mut random = Random(seed.wrapping_mul(0x1000_0000_01B3).wrapping_add(round));
        let (_, text) = &programs[random.below(programs.len())];
        let text = excerpt(text, &mut random);
        let text = mutate(&text, &mut random);
        let outcome = std::panic::catch_unwind(|| check(&text));
        if outcome.is_err() {
            let file = std::env::temp_dir().join(format!("dgh-mutation-{round}.dgh"));
            std::fs::write(&file, &text).unwrap();
            panic!("round {round} of seed {seed} breaks a law; the text is in {}", file.display());
        }
    }
}

/// A few lines in a row now and then, so that more rounds fit and beginnings and ends are odd.
fn excerpt(text: &str, random: &mut Random) -> String {
    if random.below(3) > 0 {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let from = random.below(lines.len());
    let len = 1 + random.below(40);
    lines[from..(from + len).min(lines.len())].concat()
}
