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

/// Where a place past a limit was found, nothing is said of others until the nesting is back at this depth.
const QUIET_UNTIL: usize = 12;

/// What is inside one open bracket.
#[derive(Default)]
struct Level {
    /// Operators in a row, without anything between that starts anew.
    chain: u32,
    /// The highest bracket inside since then.
    highest: u32,
    /// The highest of what came before.
    done: u32,
}

impl Level {
    fn height(&self) -> u32 {
        self.done.max(self.chain + self.highest)
    }

    fn start_anew(&mut self) {
        self.done = self.height();
        self.chain = 0;
        self.highest = 0;
    }
}

/// Places where a limit is passed, in order; of those that are inside each other the first.
pub(crate) fn too_deep(text: &str, tokens: &Tokens) -> Vec<Span> {
    let mut found = Vec::new();
    let mut quiet = false;
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let mut lists = 0;
    let mut after_value = false;
    for (index, token) in tokens.list.iter().enumerate() {
        if token.kind.is_trivia() {
            continue;
        }
        let mut past_limit = false;
        match role(token.kind, || tokens.text(text, index)) {
            Role::Open => {
                // What is called hangs one level lower.
                level.chain += u32::from(after_value);
                outer.push(std::mem::take(&mut level));
                past_limit = outer.len() as u32 > NESTING;
                after_value = false;
            }
            Role::Close => {
                if let Some(around) = outer.pop() {
                    let inside = std::mem::replace(&mut level, around);
                    level.highest = level.highest.max(inside.height() + 1);
                    past_limit = level.height() > HEIGHT;
                    if past_limit {
                        // Said once: what is around it is not higher because of it.
                        level.highest = 0;
                    }
                }
                after_value = true;
            }
            Role::Operator => {
                level.chain += 1;
                past_limit = level.height() > HEIGHT;
                after_value = token.kind == SyntaxKind::Question;
            }
            Role::Value => {
                if after_value {
                    level.start_anew();
                }
                after_value = true;
            }
            Role::Separator => {
                level.start_anew();
                after_value = false;
            }
        }
        lists = nested_lists(lists, token.kind, || tokens.text(text, index));
        past_limit |= lists > NESTING;
        if outer.len() <= QUIET_UNTIL && token.kind == SyntaxKind::RightBrace {
            quiet = false;
        }
        if past_limit && !quiet {
            found.push(tokens.span(index));
            quiet = true;
        }
    }
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
