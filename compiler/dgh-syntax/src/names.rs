//! Names: their shape, and words of other languages that look like names here.

use dgh_diag::Code;

use crate::{
    SyntaxKind,
    error::SyntaxError,
    grammar::Rule,
    segment::{GROUPS, MEMBERS, ROUTES, STEPS, TALK},
    token::Tokens,
};

/// Complains about a name whose shape is that of another kind of name, or that is a word of another language.
pub(crate) fn check(
    kind: SyntaxKind,
    rule: Rule,
    parent: SyntaxKind,
    text: &str,
    tokens: &Tokens,
    index: usize,
    errors: &mut Vec<SyntaxError>,
) {
    let name = tokens.text(text, index);
    let span = tokens.span(index);
    if rule == Rule::type_name {
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let better = upper_camel(name);
            errors.push(
                SyntaxError::new(
                    Code::BadName,
                    span,
                    format!("`{name}` is the name of a type, and those start with a capital letter"),
                )
                .hint(format!("Call it `{better}`, here and wherever it is used.")),
            );
        }
        return;
    }
    if kind == SyntaxKind::Name && is_own_name(parent) && name.bytes().any(|b| b.is_ascii_uppercase()) {
        let better = lower_snake(name);
        errors.push(
            SyntaxError::new(
                Code::BadName,
                span,
                format!("`{name}` has capital letters, which only names of types have"),
            )
            .hint(format!("Call it `{better}`, here and wherever it is used.")),
        );
    }
    if kind == SyntaxKind::NameRef
        && parent == SyntaxKind::NameExpr
        && let Some(word) = own_word(name)
    {
        errors.push(
            SyntaxError::new(Code::ForeignSyntax, span, format!("`{name}` is written `{word}` here"))
                .safe_fix(format!("Write `{word}`"), span, word),
        );
    }
}

/// `start: hello`: a setting whose name is the word of a statement, right in an agent or a node.
pub(crate) fn statement_with_colon(text: &str, tokens: &Tokens, index: usize) -> Option<SyntaxError> {
    let word = tokens.text(text, index);
    let is_group = GROUPS.contains(&word);
    if !is_group && ![MEMBERS, STEPS, ROUTES, TALK].iter().any(|words| words.contains(&word)) {
        return None;
    }
    let colon = (index + 1..tokens.list.len()).find(|i| !tokens.kind(*i).is_trivia())?;
    let span = tokens.span(index).cover(tokens.span(colon));
    let message = if is_group {
        format!("`{word}` opens a group and has no colon: `{word} {{ … }}`")
    } else {
        format!("`{word}` is no setting and has no colon")
    };
    Some(
        SyntaxError::new(Code::ForeignSyntax, span, message)
            .hint("Settings have a colon, `timeout: 4s`; what is done or declared has none, `start hello`.")
            .safe_fix("Remove the colon", tokens.span(colon), ""),
    )
}

/// Whether names declared there are the author's choice. Fields and keys are often those of a foreign server, cases
/// those of its answers, and constants are shouted by habit.
fn is_own_name(parent: SyntaxKind) -> bool {
    !matches!(
        parent,
        SyntaxKind::Field
            | SyntaxKind::RecordField
            | SyntaxKind::EnumCase
            | SyntaxKind::Const
            | SyntaxKind::Setting
            | SyntaxKind::Arg
            | SyntaxKind::Param
    )
}

fn own_word(name: &str) -> Option<&'static str> {
    Some(match name {
        "null" | "nil" | "undefined" | "None" | "NULL" | "Null" => "none",
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        _ => return None,
    })
}

fn upper_camel(name: &str) -> String {
    name.split('_')
        .flat_map(|part| {
            let mut chars = part.chars();
            chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars)
        })
        .collect()
}

fn lower_snake(name: &str) -> String {
    let mut better = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            better.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        better.push(c.to_ascii_lowercase());
    }
    better
}
