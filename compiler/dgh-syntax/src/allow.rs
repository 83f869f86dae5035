//! `// allow W0412: reason`, which silences a warning on one line.

use dgh_diag::{Code, Span};

use crate::{SyntaxKind, token::Tokens};

/// A comment that silences a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowComment {
    /// The comment.
    pub span: Span,
    /// The code as written: `W0412`.
    pub code_text: String,
    /// Where it is written.
    pub code_span: Span,
    /// The code, if there is such a code.
    pub code: Option<Code>,
    /// The words after the colon; empty if there are none.
    pub reason: String,
    /// The line it applies to, without its line end: its own if code stands before it there, else the next line with
    /// code. Empty at the end of the file if there is none.
    pub line: Span,
}

/// All such comments, in order.
pub(crate) fn comments(text: &str, tokens: &Tokens) -> Vec<AllowComment> {
    let mut found = Vec::new();
    for (index, token) in tokens.list.iter().enumerate() {
        if token.kind != SyntaxKind::Comment {
            continue;
        }
        let comment = tokens.text(text, index);
        let Some(rest) = comment.get(2..).map(str::trim_start).and_then(|c| c.strip_prefix("allow")) else {
            continue;
        };
        if !rest.starts_with([' ', '\t']) {
            continue;
        }
        let rest = rest.trim_start();
        let (code, reason) = rest.split_once(':').unwrap_or((rest, ""));
        let code = code.trim_end();
        // "allow the caller to …" is prose.
        if !looks_like_a_code(code) {
            continue;
        }
        let code_start = token.start + (comment.len() - rest.len()) as u32;
        found.push(AllowComment {
            span: tokens.span(index),
            code_text: code.to_owned(),
            code_span: Span::new(code_start, code_start + code.len() as u32),
            code: Code::parse(code),
            reason: reason.trim().to_owned(),
            line: line_it_applies_to(text, tokens, index),
        });
    }
    found
}

/// One letter and digits.
fn looks_like_a_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .get(1..)
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn line_it_applies_to(text: &str, tokens: &Tokens, comment: usize) -> Span {
    let start = tokens.span(comment).start;
    let own = line_at(text, start);
    let before = text.get(own.start as usize..start as usize).unwrap_or_default();
    if !before.trim_matches([' ', '\t', '\u{FEFF}']).is_empty() {
        return own;
    }
    let next = (comment + 1..tokens.list.len()).find(|i| !tokens.kind(*i).is_trivia());
    next.map_or(Span::at(tokens.len), |i| line_at(text, tokens.span(i).start))
}

/// The line around an offset, without its line end.
fn line_at(text: &str, offset: u32) -> Span {
    let (before, after) = text.split_at_checked(offset as usize).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    let end = offset as usize + after.find(['\r', '\n']).unwrap_or(after.len());
    Span::new(start as u32, end as u32)
}
