//! How each kind of node is laid out.

use dgh_syntax::SyntaxKind::{self, self as K};

/// Columns of a line. A group that its author wrote on one line is broken where it would go past.
/// A text for people cannot be broken, and breaking what stands around it makes it no shorter, so
/// this is wide: the longest line that the examples have.
pub(crate) const WIDTH: usize = 128;

/// Spaces of one level.
pub(crate) const INDENT: usize = 2;

/// A node with its own pair of brackets and things in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// The opening bracket.
    pub(crate) open: SyntaxKind,
    /// The closing bracket.
    pub(crate) close: SyntaxKind,
    /// What stands between the things inside.
    pub(crate) between: Between,
}

/// What stands between the things in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// Statements, each on its own line always.
    Lines,
    /// Steps: a single one may stay on the line of its arrow.
    Steps,
    /// Settings and their like: commas on one line, none on many.
    OptionalComma,
    /// Values: commas always, on many lines also after the last.
    Comma,
}

impl Between {
    /// Whether `count` things may stand on one line.
    pub(crate) fn fits_a_line(self, count: usize) -> bool {
        match self {
            Self::Lines => false,
            Self::Steps => count <= 1,
            Self::OptionalComma | Self::Comma => true,
        }
    }
}

/// The group that a node is, if it is one.
pub(crate) fn group(kind: SyntaxKind) -> Option<Group> {
    let (open, close, between) = match kind {
        K::Agent | K::Flow | K::Node | K::Anywhere | K::Test => (K::LeftBrace, K::RightBrace, Between::Lines),
        K::Block | K::BeforeCall => (K::LeftBrace, K::RightBrace, Between::Steps),
        K::Import
        | K::Enum
        | K::TypeDef
        | K::GroupDef
        | K::Phrase
        | K::Config
        | K::Review
        | K::RecordExpr
        | K::MatchExpr => (K::LeftBrace, K::RightBrace, Between::OptionalComma),
        K::ListExpr => (K::LeftBracket, K::RightBracket, Between::Comma),
        K::ParamList | K::ArgList => (K::LeftParen, K::RightParen, Between::Comma),
        _ => return None,
    };
    Some(Group { open, close, between })
}
