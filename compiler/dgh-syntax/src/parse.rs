//! The front door: text in, tree and errors out.

use dgh_diag::{Code, Diagnostic, FileId, Span};
use pest::Parser as _;
use rowan::GreenNode;

use crate::{
    SyntaxKind, SyntaxNode,
    allow::{self, AllowComment},
    ast::{self, AstNode as _},
    complain::Refusal,
    depth,
    error::SyntaxError,
    flaws, foreign,
    grammar::{Grammar, Rule},
    recover, token,
    tree::TreeBuilder,
};

/// The longest text that is parsed: 16 MiB. A longer one gets [`Code::FileTooLarge`] and a tree without structure.
pub const MAX_LEN: usize = 16 << 20;

/// The edition of the language that this compiler knows.
pub const EDITION: u32 = 1;

/// What came out of a text. It can be sent to another thread; trees are made from it on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parse {
    green: GreenNode,
    errors: Vec<SyntaxError>,
    allows: Vec<AllowComment>,
    accepted: bool,
    /// Bytes that pest read to recover from errors: the measure of how much longer a broken file takes.
    work: u64,
}

/// Parses a text. It gives a tree for any text, with every byte of it in it, and all syntax errors; it cannot fail.
///
/// It takes time in proportion to the text, and a stack of less than one mebibyte.
pub fn parse(text: &str) -> Parse {
    if text.len() > MAX_LEN {
        return too_large(text);
    }
    let tokens = token::tokens(text);
    let deep = depth::too_deep(text, &tokens);
    let mut errors = flaws::errors(text, &tokens);
    errors.extend(deep.iter().map(|span| flaws::too_deep(*span)));
    let hopeless = !deep.is_empty()
        || tokens.flaws.iter().any(|f| f.kind.is_fatal())
        || tokens.list.iter().any(|t| t.kind.is_bad_token());
    let whole = if hopeless { None } else { Some(Grammar::parse(Rule::file, text)) };
    let accepted = matches!(whole, Some(Ok(_)));
    let mut work = 0;
    let mut builder = TreeBuilder::new(text, &tokens);
    builder.start_node(SyntaxKind::File);
    match whole {
        Some(Ok(pairs)) => builder.splice(pairs, 0),
        refused => {
            let refusal = refused.and_then(Result::err).map(|e| Refusal::new(&e, 0));
            let (found, bytes) = recover::recover(text, &tokens, &deep, refusal, &mut builder);
            errors.extend(found);
            work = bytes;
        }
    }
    builder.tokens_before(tokens.len);
    builder.finish_node();
    let (green, more) = builder.finish();
    errors.extend(more);
    foreign::join_targets(text, &mut errors);
    let allows = allow::comments(text, &tokens);
    let mut parse = Parse { green, errors, allows, accepted, work };
    parse.check_edition();
    parse.errors.sort_by_key(|e| (e.span.start, e.span.end));
    parse.errors.dedup();
    parse
}

/// Parses bytes that should be UTF-8. Where they are not, the text that is parsed holds U+FFFD, and there is one error,
/// [`Code::NotUtf8`], whose span is in that text. Gives the text too, since spans are places in it.
pub fn parse_bytes(bytes: &[u8]) -> (String, Parse) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), parse(text)),
        Err(error) => {
            let start = error.valid_up_to() as u32;
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mut parse = parse(&text);
            let span = Span::new(start, start + '\u{FFFD}'.len_utf8() as u32);
            parse.errors = vec![flaws::not_utf8(span)];
            parse.accepted = false;
            (text, parse)
        }
    }
}

fn too_large(text: &str) -> Parse {
    // Offsets are 32 bits wide: of a text past them, the tree holds what fits.
    let mut end = text.len().min(u32::MAX as usize / 2);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut builder = rowan::GreenNodeBuilder::new();
    builder.start_node(SyntaxKind::File.into());
    builder.start_node(SyntaxKind::Error.into());
    builder.token(SyntaxKind::Unknown.into(), text.get(..end).unwrap_or_default());
    builder.finish_node();
    builder.finish_node();
    Parse {
        green: builder.finish(),
        errors: vec![flaws::too_large(text.len())],
        allows: Vec::new(),
        accepted: false,
        work: 0,
    }
}

impl Parse {
    /// The root of a new tree.
    pub fn tree(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.green.clone())
    }

    /// The whole file, typed.
    pub fn file(&self) -> ast::File {
        // The root is always of this kind; an empty file stands in so that nothing can panic.
        ast::File::cast(self.tree()).unwrap_or_else(|| parse("").file())
    }

    /// The tree's storage, which can be shared and compared cheaply.
    pub fn green(&self) -> &GreenNode {
        &self.green
    }

    /// All errors, in order of their place. None of them needs to be reported again by anyone.
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// The errors as findings in a file.
    pub fn diagnostics(&self, file: FileId) -> impl Iterator<Item = Diagnostic> {
        self.errors.iter().map(move |e| e.diagnostic(file))
    }

    /// Whether the grammar accepts the whole text. Errors in the shape of names, in numbers, dates and escapes, and
    /// unfinished forms can be there even so.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The `// allow …` comments, in order.
    pub fn allow_comments(&self) -> &[AllowComment] {
        &self.allows
    }

    /// Of a file in an unknown edition nothing else is worth saying.
    fn check_edition(&mut self) {
        let Some(edition) = self.file().edition() else { return };
        if edition.number() == Some(EDITION) {
            return;
        }
        let error = SyntaxError::new(
            Code::UnknownEdition,
            edition.span(),
            format!("`{}` is an edition that this compiler does not know", edition.syntax().text()),
        )
        .label("only edition 1 is known")
        .hint("Write `dgh 1`, or use a newer `dgh`.");
        self.errors = vec![error];
    }
}

#[cfg(test)]
impl Parse {
    /// Bytes that pest read to recover from errors.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }
}
