//! Text to a lossless tree.
//!
//! [`parse`] is a pure function that cannot fail: it gives a tree for any text and every syntax error in it. The tree
//! holds every byte of the text; [`ast`] has typed views of it.

mod allow;
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

#[allow(missing_docs, clippy::print_stdout)]
pub fn time(s: &str) {
    use pest::Parser as _;
    for _ in 0..3 {
        let t = std::time::Instant::now();
        let tokens = token::tokens(s);
        let a = t.elapsed();
        let t = std::time::Instant::now();
        let d = depth::too_deep(s, &tokens);
        let b = t.elapsed();
        let t = std::time::Instant::now();
        let p = grammar::Grammar::parse(grammar::Rule::file, s).unwrap();
        let c = t.elapsed();
        let t = std::time::Instant::now();
        let mut builder = tree::TreeBuilder::new(s, &tokens);
        builder.start_node(SyntaxKind::File);
        builder.splice(p, 0);
        builder.tokens_before(tokens.len);
        builder.finish_node();
        let g = builder.finish();
        let e = t.elapsed();
        println!(
            "tokens {} {a:?} depth {b:?} {} pest {c:?} splice {e:?} {}",
            tokens.list.len(),
            d.len(),
            g.1.len()
        );
    }
}
