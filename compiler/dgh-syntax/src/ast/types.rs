//! Types where they are used.

use super::{AstNode, Literal, NameRef, children, token, views, word};
use crate::SyntaxKind;

views! {
    /// `private list<text>?`
    TypeRef {
        /// `private`
        word private: "private";
    }
    /// `list<type>`
    ListType {
        /// The type of an element.
        one element: TypeRef;
    }
    /// `text`, `Slot`, `digits(4)`
    NamedType {
        /// Its name.
        one name: NameRef;
        /// `( … )`
        one args: TypeArgs;
    }
    /// `(4)`, `(USD)`, `(4..6)`
    TypeArgs {
        /// A length.
        one literal: Literal;
        /// A name.
        one name: NameRef;
        /// A range.
        one range: RangeType;
    }
    /// `1..5`
    RangeType {}
}

/// What a type is, without its modifiers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `text`, `Slot`, `digits(4)`
    Named(NamedType),
    /// `list<T>`
    List(ListType),
    /// `1..5`
    Range(RangeType),
}

impl TypeRef {
    /// Whether it is `private`.
    pub fn is_private(&self) -> bool {
        word(&self.0, "private").is_some()
    }

    /// Whether it ends in `?`: may be missing.
    pub fn is_optional(&self) -> bool {
        token(&self.0, SyntaxKind::Question).is_some()
    }

    /// What it is, without `private` and `?`.
    pub fn kind(&self) -> Option<TypeKind> {
        self.0.children().find_map(|n| match n.kind() {
            SyntaxKind::NamedType => NamedType::cast(n).map(TypeKind::Named),
            SyntaxKind::ListType => ListType::cast(n).map(TypeKind::List),
            SyntaxKind::RangeType => RangeType::cast(n).map(TypeKind::Range),
            _ => None,
        })
    }
}

/// One end of a range: whether it is negative, and the literal without its sign.
pub type Bound = (bool, Literal);

impl RangeType {
    /// The two ends with their signs: `(negative, literal)`.
    pub fn bounds(&self) -> (Option<Bound>, Option<Bound>) {
        let dots = token(&self.0, SyntaxKind::DotDot).map(|t| t.text_range());
        let side = |first: bool| {
            let inside = |r: rowan::TextRange| dots.is_none_or(|d| (r.end() <= d.start()) == first);
            let literal = children::<Literal>(&self.0).find(|l| inside(l.syntax().text_range()))?;
            let minus = self
                .0
                .children_with_tokens()
                .filter_map(rowan::NodeOrToken::into_token)
                .any(|t| t.kind() == SyntaxKind::Minus && inside(t.text_range()));
            Some((minus, literal))
        };
        (side(true), side(false))
    }
}
