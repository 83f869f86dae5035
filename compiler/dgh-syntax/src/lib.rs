//! Text to a lossless tree.
//!
//! [`parse`] is a pure function that cannot fail: it gives a tree for any text and every syntax error in it. The tree
//! holds every byte of the text; [`ast`] has typed views of it.

mod allow;
pub mod ast;
mod depth;
mod error;
mod flaws;
mod grammar;
mod kind;
mod names;
mod parse;
mod recover;
mod token;
mod tree;

pub use allow::AllowComment;
pub use depth::{HEIGHT, NESTING};
pub use error::{SyntaxError, SyntaxFix};
pub use kind::{Dgh, SyntaxKind};
pub use parse::{EDITION, MAX_LEN, Parse, parse, parse_bytes};

/// A node of the tree.
pub type SyntaxNode = rowan::SyntaxNode<Dgh>;
/// A token of the tree.
pub type SyntaxToken = rowan::SyntaxToken<Dgh>;
/// A node or a token.
pub type SyntaxElement = rowan::SyntaxElement<Dgh>;

#[cfg(test)]
mod tests;
