//! stub
use dgh_diag::{Code, Span};

use crate::{SyntaxKind, error::SyntaxError, token::Tokens, tree::TreeBuilder};
pub(crate) fn recover(
    _text: &str,
    tokens: &Tokens,
    _deep: &[Span],
    builder: &mut TreeBuilder<'_>,
) -> Vec<SyntaxError> {
    builder.start_node(SyntaxKind::Error);
    builder.tokens_before(tokens.len);
    builder.finish_node();
    vec![SyntaxError::new(Code::Expected, Span::at(0), "The file does not parse")]
}
