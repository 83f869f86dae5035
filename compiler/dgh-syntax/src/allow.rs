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
    // From the end, so that the next line with code is known.
    let mut next_code = None;
    for (index, token) in tokens.list.iter().enumerate().rev() {
        if !token.kind.is_trivia() {
            next_code = Some(token.start);
        } else if token.kind == SyntaxKind::Comment
            && let Some(comment) = comment(text, tokens, index, next_code)
        {
            found.push(comment);
        }
    }
    found.reverse();
    found
}

fn comment(text: &str, tokens: &Tokens, index: usize, next_code: Option<u32>) -> Option<AllowComment> {
    let span = tokens.span(index);
    let comment = tokens.text(text, index);
    let rest = comment.get(2..)?.trim_start().strip_prefix("allow")?;
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim_start();
    let (code, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let code = code.trim_end();
    // "allow the caller to …" is prose.
    if !looks_like_a_code(code) {
        return None;
    }
    let code_start = span.start + (comment.len() - rest.len()) as u32;
    Some(AllowComment {
        span,
        code_text: code.to_owned(),
        code_span: Span::new(code_start, code_start + code.len() as u32),
        code: Code::parse(code),
        reason: reason.trim().to_owned(),
        line: line_it_applies_to(text, span.start, next_code),
    })
}

/// One letter and digits.
fn looks_like_a_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .get(1..)
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn line_it_applies_to(text: &str, start: u32, next_code: Option<u32>) -> Span {
    let own = line_at(text, start);
    let before = text.get(own.start as usize..start as usize).unwrap_or_default();
    if !before.trim_matches([' ', '\t', '\u{FEFF}']).is_empty() {
        return own;
    }
    next_code.map_or(Span::at(text.len() as u32), |code| line_at(text, code))
}

/// The line around an offset, without its line end.
fn line_at(text: &str, offset: u32) -> Span {
    let (before, after) = text.split_at_checked(offset as usize).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    let end = offset as usize + after.find(['\r', '\n']).unwrap_or(after.len());
    Span::new(start as u32, end as u32)
}
