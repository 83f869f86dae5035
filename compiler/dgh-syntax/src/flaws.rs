//! Words for what the tokens alone show to be wrong.

use dgh_diag::{Code, Span};

use crate::{
    MAX_LEN, SyntaxKind,
    error::SyntaxError,
    token::{Flaw, FlawKind, Tokens},
};

/// One error for each flaw.
pub(crate) fn errors(text: &str, tokens: &Tokens) -> Vec<SyntaxError> {
    tokens.flaws.iter().map(|flaw| error(text, tokens, flaw)).collect()
}

/// Bytes that are no UTF-8.
pub(crate) fn not_utf8(span: Span) -> SyntaxError {
    SyntaxError::new(Code::NotUtf8, span, "The file is not UTF-8 text from here on")
        .hint("Save it again with the encoding UTF-8.")
}

/// A text past the limit.
pub(crate) fn too_large(len: usize) -> SyntaxError {
    let mib = MAX_LEN >> 20;
    SyntaxError::new(
        Code::FileTooLarge,
        Span::at(0),
        format!("The file has {len} bytes, and {mib} MiB is the most that is read"),
    )
    .hint("Split it, and `import` one part from the other.")
}

/// Nesting past the limit.
pub(crate) fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(Code::TooDeep, span, "This is nested too deeply")
        .label(format!("past {} levels", crate::NESTING))
        .hint("Take the inner part out, into a `const`, a flow or a node of its own.")
}

fn error(text: &str, tokens: &Tokens, flaw: &Flaw) -> SyntaxError {
    let span = Span::new(flaw.start, flaw.end);
    let found = text.get(flaw.start as usize..flaw.end as usize).unwrap_or_default();
    match flaw.kind {
        FlawKind::UnclosedLine => {
            SyntaxError::new(Code::UnclosedString, span, "This text has no closing quote on its line")
                .hint("Put a `\"` at its end, or write a text of many lines between `\"\"\"` and `\"\"\"`.")
        }
        FlawKind::UnclosedBlock => SyntaxError::new(
            Code::UnclosedString,
            Span::new(flaw.start, flaw.start + 3),
            "This text is never closed",
        )
        .label("opened here")
        .hint("Put `\"\"\"` after its last line."),
        FlawKind::UnclosedInterpolation => SyntaxError::new(
            Code::UnclosedInterpolation,
            Span::new(flaw.start, flaw.start + 2),
            "This `{{` has no `}}`",
        )
        .label("opened here")
        .hint("Put `}}` after the value: `{{ first_name }}`. For two braces as they are, write `\\{{`."),
        FlawKind::BadEscape => SyntaxError::new(Code::BadEscape, span, format!("`{found}` is no escape"))
            .hint("There are `\\n` (new line), `\\t` (tab), `\\\"`, `\\\\` and `\\{`. For a backslash as it is, write `\\\\`."),
        FlawKind::Nul => SyntaxError::new(Code::StrayCharacter, span, "There is a NUL character in this text")
            .hint("The file may have been saved in another encoding; save it as UTF-8."),
        FlawKind::BadToken => {
            let kind = tokens.kind(tokens.index_at(flaw.start + 1).saturating_sub(1));
            bad_token(kind, found, span)
        }
    }
}

fn bad_token(kind: SyntaxKind, found: &str, span: Span) -> SyntaxError {
    SyntaxError::new(Code::BadLiteral, span, format!("`{found}` {kind:?}"))
}
