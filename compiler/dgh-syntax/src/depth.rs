//! Nesting past the limit, found on the tokens: neither pest nor the tree may ever see it.
//!
//! Two limits. Brackets nest at most [`NESTING`] deep, because pest recurses into them. Together with chains of
//! operators, whose trees lean to one side, a tree is at most [`HEIGHT`] high, because trees are walked and dropped by
//! recursion.

use dgh_diag::Span;

use crate::{SyntaxKind, token::Tokens};

/// How deep brackets, braces, parentheses, strings and `{{ }}` may nest.
pub const NESTING: u32 = 64;

/// How high the tree of nested brackets and chained operators may be.
pub const HEIGHT: u32 = 512;

/// One open bracket.
struct Level {
    start: u32,
    /// Operators in a row, without anything between that starts anew.
    chain: u32,
    /// The longest chain so far.
    longest: u32,
    /// The highest level inside.
    highest: u32,
}

/// Places where a limit is passed, outermost only, in order.
pub(crate) fn too_deep(text: &str, tokens: &Tokens) -> Vec<Span> {
    let mut found = Vec::new();
    let mut levels = vec![Level { start: 0, chain: 0, longest: 0, highest: 0 }];
    let mut lists = 0;
    let mut after_value = false;
    let mut last_deep_end = 0;
    for (index, token) in tokens.list.iter().enumerate() {
        if token.kind.is_trivia() {
            continue;
        }
        let role = role(token.kind, || tokens.text(text, index));
        let depth = levels.len() as u32;
        match role {
            Role::Open => {
                if depth == NESTING + 1 && token.start >= last_deep_end {
                    found.push(tokens.span(index));
                }
                // What is called or indexed hangs one level lower.
                if let Some(level) = levels.last_mut()
                    && after_value
                {
                    level.chain += 1;
                    level.longest = level.longest.max(level.chain);
                }
                levels.push(Level { start: token.start, chain: 0, longest: 0, highest: 0 });
                after_value = false;
            }
            Role::Close => {
                if levels.len() > 1
                    && let Some(level) = levels.pop()
                {
                    let height = level.highest + level.longest + 1;
                    if height > HEIGHT
                        && levels.last().is_some_and(|l| l.highest <= HEIGHT)
                        && depth <= NESTING + 1
                    {
                        found.push(Span::new(level.start, level.start + 1));
                    }
                    if let Some(outer) = levels.last_mut() {
                        outer.highest = outer.highest.max(height);
                    }
                    if levels.len() as u32 == NESTING {
                        last_deep_end = token.start;
                    }
                }
                after_value = true;
            }
            Role::Operator => {
                if let Some(level) = levels.last_mut() {
                    level.chain += 1;
                    level.longest = level.longest.max(level.chain);
                    if level.longest == HEIGHT {
                        found.push(tokens.span(index));
                    }
                }
                after_value = token.kind == SyntaxKind::Question;
            }
            Role::Value => {
                if after_value && let Some(level) = levels.last_mut() {
                    level.chain = 0;
                }
                after_value = true;
            }
            Role::Separator => {
                if let Some(level) = levels.last_mut() {
                    level.chain = 0;
                }
                after_value = false;
            }
        }
        lists = nested_lists(lists, token.kind, || tokens.text(text, index));
        if lists == NESTING {
            found.push(tokens.span(index));
        }
    }
    found.sort_by_key(|s| s.start);
    found.dedup();
    found
}

enum Role {
    Open,
    Close,
    Operator,
    Value,
    Separator,
}

fn role<'t>(kind: SyntaxKind, text: impl FnOnce() -> &'t str) -> Role {
    use SyntaxKind as K;
    match kind {
        K::LeftBrace | K::LeftParen | K::LeftBracket | K::StringStart | K::InterpolationStart => Role::Open,
        K::RightBrace | K::RightParen | K::RightBracket | K::StringEnd | K::InterpolationEnd => Role::Close,
        K::Dot
        | K::DotDot
        | K::EqualsEquals
        | K::NotEquals
        | K::Less
        | K::LessEquals
        | K::Greater
        | K::GreaterEquals
        | K::Plus
        | K::Minus
        | K::Star
        | K::Slash
        | K::Question
        | K::QuestionQuestion => Role::Operator,
        K::Ident if matches!(text(), "and" | "or" | "in" | "not" | "match") => Role::Operator,
        K::Comma | K::Colon | K::Arrow | K::Equals | K::StringText | K::StringEscape => Role::Separator,
        _ => Role::Value,
    }
}

/// `list<list<list<…`: the only types that nest.
fn nested_lists<'t>(so_far: u32, kind: SyntaxKind, text: impl FnOnce() -> &'t str) -> u32 {
    match kind {
        SyntaxKind::Less => so_far + 1,
        SyntaxKind::Ident if matches!(text(), "list" | "private") => so_far,
        _ => 0,
    }
}
