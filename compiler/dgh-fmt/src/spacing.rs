//! Whether a space stands between two tokens of one line.

use dgh_syntax::SyntaxKind::{self, self as K};
use dgh_syntax::SyntaxToken;

/// A token and what it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) kind: SyntaxKind,
    pub(crate) parent: SyntaxKind,
}

impl Mark {
    pub(crate) fn of(token: &SyntaxToken) -> Self {
        Self { kind: token.kind(), parent: token.parent().map_or(K::File, |p| p.kind()) }
    }
}

/// Whether `next` is set off from `last`.
pub(crate) fn space_between(last: Mark, next: Mark) -> bool {
    match (last.kind, next.kind) {
        // `{}`, and what would be read as one longer mark.
        (K::LeftBrace, K::RightBrace) => false,
        (K::Question, K::Question) | (K::Minus, K::Minus) => true,
        (K::LeftParen | K::LeftBracket | K::Dot | K::DotDot, _) => false,
        (_, K::Comma | K::RightParen | K::RightBracket | K::Colon | K::Dot | K::DotDot | K::Question) => {
            false
        }
        // A sign, and the parts of `es-419`.
        (K::Minus, _) => last.parent == K::BinaryExpr,
        (_, K::Minus) => next.parent != K::LanguageTag,
        // `f(x)`, but `not (x)`.
        (_, K::LeftParen) => next.parent == K::ParenExpr,
        // `list<T>`, but `a < b`.
        (K::Less, _) => last.parent != K::ListType,
        (_, K::Less | K::Greater) => next.parent != K::ListType,
        _ => true,
    }
}
