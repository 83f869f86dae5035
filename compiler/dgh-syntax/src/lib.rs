//! Text to a lossless tree.
//!
//! [`parse`] is a pure function that cannot fail: it gives a tree for any text and every syntax error in it. The tree
//! holds every byte of the text; [`ast`] has typed views of it.

mod advice;
mod allow;
mod alphabet;
pub mod ast;
mod complain;
mod depth;
mod error;
mod flaws;
mod foreign;
mod grammar;
mod kind;
mod names;
mod parse;
mod recover;
mod segment;
mod shape;
mod token;
mod tree;
mod units;

pub use allow::AllowComment;
pub use depth::{HEIGHT, NESTING};
pub use error::{SyntaxError, SyntaxFix};
pub use kind::{Dgh, SyntaxKind};
pub use parse::{EDITION, MAX_LEN, Parse, parse, parse_bytes};
/// What a walk over a tree meets.
pub use rowan::{NodeOrToken, TextSize, WalkEvent};

/// A node of the tree.
pub type SyntaxNode = rowan::SyntaxNode<Dgh>;
/// A token of the tree.
pub type SyntaxToken = rowan::SyntaxToken<Dgh>;
/// A node or a token.
pub type SyntaxElement = rowan::SyntaxElement<Dgh>;

#[cfg(test)]
mod tests;
