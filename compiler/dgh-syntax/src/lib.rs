//! Text to a lossless tree.
//!
//! [`parse`] is a pure function that cannot fail: it gives a tree for any text and every syntax error in it. The tree
//! holds every byte of the text; [`ast`] has typed views of it.

pub mod ast;
mod grammar;
mod kind;

pub use kind::{Dgh, SyntaxKind};

/// A node of the tree.
pub type SyntaxNode = rowan::SyntaxNode<Dgh>;
/// A token of the tree.
pub type SyntaxToken = rowan::SyntaxToken<Dgh>;
/// A node or a token.
pub type SyntaxElement = rowan::SyntaxElement<Dgh>;
