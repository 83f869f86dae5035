#![allow(clippy::nonminimal_bool, clippy::unwrap_used, clippy::indexing_slicing)]
use dgh_syntax::ast::{AstNode as _, StringLit, StringPart};
use dgh_syntax::{NodeOrToken, SyntaxKind as K, SyntaxToken};
use proptest::prelude::*;

use super::*;

const EXAMPLES: &[(&str, &str)] = &[
    ("clinic", include_str!("../../../examples/clinic/agent.dgh")),
    ("collections", include_str!("../../../examples/collections/agent.dgh")),
    ("verify", include_str!("../../../examples/collections/verify.dgh")),
    ("front_desk", include_str!("../../../examples/front_desk/agent.dgh")),
    ("lead", include_str!("../../../examples/lead/agent.dgh")),
];

/// Forms that the examples do not have.
const MORE: &str = include_str!("../tests/forms.dgh");

/// What must survive: all tokens but commas, with the comments among them; what strings say.
#[derive(Debug, PartialEq)]
struct Content {
    tokens: Vec<String>,
    strings: Vec<Vec<String>>,
}

fn content(text: &str) -> Content {
    let tree = dgh_syntax::parse(text).tree();
    let in_string = |t: &SyntaxToken| t.parent().is_some_and(|p| p.kind() == K::String);
    let tokens = tree
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|t| !matches!(t.kind(), K::Whitespace | K::Comma) && !in_string(t))
        .map(|t| t.text().to_owned());
    let strings = tree.descendants().filter_map(StringLit::cast).map(|s| {
        let part = |p: StringPart| match p {
            StringPart::Text { value, .. } => value,
            StringPart::Interpolation(_) => "{{ }}".to_owned(),
        };
        s.parts().into_iter().map(part).collect()
    });
    Content { tokens: tokens.collect(), strings: strings.collect() }
}

/// Whether each comment stands behind something on its line; unknown behind a lone comma, which may go.
fn behind(text: &str) -> Vec<Option<bool>> {
    let tree = dgh_syntax::parse(text).tree();
    let tokens = tree.descendants_with_tokens().filter_map(NodeOrToken::into_token);
    let comments = tokens.filter(|t| matches!(t.kind(), K::Comment | K::DocComment));
    let stands = |t: SyntaxToken| {
        let line = text[..t.text_range().start().into()].rsplit('\n').next().unwrap();
        let line = line.trim_matches(['\u{feff}', ' ', '\t']);
        if line.bytes().all(|b| b == b',') && !line.is_empty() { None } else { Some(!line.is_empty()) }
    };
    comments.map(stands).collect()
}

fn laws(text: &str) -> Result<String, TestCaseError> {
    let once = format(text);
    prop_assert!(dgh_syntax::parse(&once.text).is_accepted(), "the result must be accepted:\n{}", once.text);
    prop_assert_eq!(content(text), content(&once.text));
    for (before, after) in behind(text).into_iter().zip(behind(&once.text)) {
        prop_assert!(before.is_none() || before == after, "a comment moved:\n{text}\n-----\n{}", once.text);
    }
    let twice = format(&once.text);
    prop_assert_eq!(&twice.text, &once.text, "formatting twice");
    prop_assert!(!twice.changed);
    prop_assert_eq!(once.changed, once.text != text);
    for line in once.text.lines() {
        let comment = line.contains("//") || line.contains('"');
        prop_assert!(comment || line.trim_end() == line, "no spaces at the end of {line:?}");
    }
    Ok(once.text)
}

#[test]
fn the_examples_are_formatted() {
    for (name, text) in EXAMPLES {
        let formatted = format(text);
        assert!(formatted.errors.is_empty(), "{name}: {:?}", formatted.errors);
        assert_eq!(formatted.text, *text, "{name}");
    }
}

#[test]
fn every_form_has_one_layout() {
    assert_eq!(dgh_syntax::parse(MORE).errors(), []);
    insta::assert_snapshot!(laws(MORE).unwrap());
}

#[test]
fn a_file_that_is_not_accepted_stays_as_it_is() {
    for text in ["dgh 1\nagent a {  say }", "dgh 1\nagent a {", "", "dgh 1\n  \u{0}", "dgh 7\nagent   a { }"]
    {
        let formatted = format(text);
        assert_eq!(formatted.text, text);
        assert!(!formatted.changed);
        assert!(!formatted.errors.is_empty());
    }
}

#[test]
fn mistakes_inside_of_words_do_not_stop_it() {
    let formatted = format("dgh 1\nagent   a { outcome   Done\nstart x\nnode x { say \"\\w\" next   -> } }");
    assert!(!formatted.errors.is_empty());
    assert_eq!(
        formatted.text,
        "dgh 1\nagent a {\n  outcome Done\n  start x\n  node x {\n    say \"\\w\"\n    next ->\n  }\n}\n"
    );
}

#[test]
fn the_line_ends_and_the_byte_order_mark_of_the_file_stay() {
    let text = "\u{feff}dgh 1\r\nagent a {   // x\r\n start  b\r\n prompt \"\"\"\r\n  One\r\n    two\r\n\r\n\"\"\"\r\n}\r\n";
    let formatted = laws(text).unwrap();
    assert_eq!(
        formatted,
        "\u{feff}dgh 1\r\nagent a {   // x\r\n  start b\r\n  prompt \"\"\"\r\n    One\r\n      two\r\n\r\n    \"\"\"\r\n}\r\n"
    );
}

#[test]
fn a_long_file_takes_time_in_proportion_to_its_length() {
    // Deep to the left, and deep in brackets, as far as the parser allows.
    let sum = vec!["1"; 200].join("+");
    let lists = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let text = format!("dgh 1\nconst a = {sum}\nconst b = {lists}\n");
    let text = text + &format!("const c = [\n{lists}]\n").repeat(50);
    laws(&text).unwrap();
}

/// What may stand between two tokens.
fn trivia() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n\n",
        "\n \n",
        "\r\n",
        " // note\n",
        "\n// note \n",
        "\n\n  /// doc\n\n",
        "//\n",
    ])
}

/// The text with what is between some of its tokens replaced; comments stay. `None` where the
/// result is another program: a line end after `->` or a comma can be read as "unfinished".
fn scrambled(text: &str, changes: &[(prop::sample::Index, &str)]) -> Option<String> {
    let tree = dgh_syntax::parse(text).tree();
    let tokens: Vec<SyntaxToken> =
        tree.descendants_with_tokens().filter_map(NodeOrToken::into_token).collect();
    let fixed =
        |t: &SyntaxToken| t.parent_ancestors().any(|a| matches!(a.kind(), K::String | K::LanguageTag));
    let gaps: Vec<usize> = (1..tokens.len())
        .filter(|&i| !(fixed(&tokens[i - 1]) && fixed(&tokens[i])) && !tokens[i - 1].kind().is_trivia())
        .collect();
    let mut out: Vec<String> = tokens.iter().map(|t| t.text().to_owned()).collect();
    for (at, trivia) in changes {
        let gap = gaps[at.index(gaps.len())];
        if tokens[gap].kind() == K::Whitespace {
            // A comment needs its line end.
            let after_comment =
                tokens.get(gap - 1).is_some_and(|t| matches!(t.kind(), K::Comment | K::DocComment));
            out[gap] = if after_comment { format!("\n{trivia}") } else { (*trivia).to_owned() };
        } else {
            out[gap] = format!("{trivia}{}", out[gap]);
        }
    }
    let result = out.concat();
    let same =
        dgh_syntax::parse(&result).is_accepted() && kinds(&dgh_syntax::parse(&result).tree()) == kinds(&tree);
    same.then_some(result)
}

fn kinds(tree: &dgh_syntax::SyntaxNode) -> Vec<K> {
    tree.descendants().map(|n| n.kind()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 2))]

    #[test]
    fn any_spaces_and_comments_keep_the_laws(
        example in 0..=EXAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), trivia()), 1..60),
    ) {
        let text = EXAMPLES.get(example).map_or(MORE, |(_, text)| text);
        // Of changes that together make another program, those that do not by themselves.
        let mut kept: Vec<(prop::sample::Index, &str)> = Vec::new();
        if scrambled(text, &changes).is_some() {
            kept = changes;
        } else {
            for change in changes {
                kept.push(change);
                if scrambled(text, &kept).is_none() {
                    kept.pop();
                }
            }
        }
        prop_assume!(!kept.is_empty());
        laws(&scrambled(text, &kept).unwrap())?;
    }

    #[test]
    fn spaces_alone_make_no_difference(
        example in 0..=EXAMPLES.len(),
        spaces in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![" ", "  ", "\t", "   "])), 1..80),
    ) {
        let text = EXAMPLES.get(example).map_or(MORE, |(_, text)| text);
        let tree = dgh_syntax::parse(text).tree();
        let mut out: Vec<String> = Vec::new();
        let mut gaps = Vec::new();
        for token in tree.descendants_with_tokens().filter_map(NodeOrToken::into_token) {
            if token.kind() == K::Whitespace && !token.text().contains('\n')
                && !token.parent_ancestors().any(|a| a.kind() == K::String)
                && token.next_token().is_none_or(|n| n.kind() != K::Comment)
            {
                gaps.push(out.len());
            }
            out.push(token.text().to_owned());
        }
        for (at, space) in &spaces {
            out[gaps[at.index(gaps.len())]] = (*space).to_owned();
        }
        prop_assert_eq!(format(&out.concat()).text, format(text).text);
    }

    #[test]
    fn other_programs_keep_the_laws_too(
        example in 0..=EXAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3), 1..4),
    ) {
        let text = EXAMPLES.get(example).map_or(MORE, |(_, text)| text);
        let tree = dgh_syntax::parse(text).tree();
        let mut tokens: Vec<String> = tree
            .descendants_with_tokens()
            .filter_map(NodeOrToken::into_token)
            .map(|t| t.text().to_owned())
            .collect();
        for (at, other, change) in changes {
            let (at, other) = (at.index(tokens.len()), other.index(tokens.len()));
            match change {
                0 => tokens[at].clear(),
                1 => tokens[at] = tokens[other].clone(),
                _ => tokens.swap(at, other),
            }
        }
        let text = tokens.concat();
        if dgh_syntax::parse(&text).is_accepted() {
            laws(&text)?;
        } else {
            prop_assert_eq!(format(&text).text, text);
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_lose_anything(text in "(dgh 1\n)?([a-z]{1,3}|[{}()\\[\\],:?.]|->|\"|\"\"\"|\\{\\{|\\}\\}|//|\n| |\r|é|node|agent|say|when){0,60}") {
        let formatted = format(&text);
        prop_assert!(same_content(&text, &formatted.text));
        prop_assert_eq!(format(&formatted.text).text, formatted.text);
    }
}
