//! Strings and their parts.

use dgh_diag::Span;

use super::{AstNode, Expr, NameRef, token, token_span, views};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// `"…"` or `"""…"""`
    StringLit = String {
        /// All interpolations, in order.
        all interpolations: Interpolation;
    }
    /// `{{ value as format }}`
    Interpolation {
        /// The value.
        one value: Expr;
        /// `as format`
        one format: Format;
    }
    /// `as spoken`
    Format {
        /// The name of the format.
        one name: NameRef;
    }
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StringPart {
    /// Words, with escapes resolved and, in `"""`, without indentation.
    Text {
        /// The words.
        value: String,
        /// Their bytes in the file.
        span: Span,
    },
    /// `{{ … }}`
    Interpolation(Interpolation),
}

impl StringLit {
    /// Whether it is written in three quotes.
    pub fn is_block(&self) -> bool {
        token(&self.0, SyntaxKind::StringStart).is_some_and(|t| t.text().len() == 3)
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        token(&self.0, SyntaxKind::StringEnd).is_some()
    }

    /// The bytes between the quotes.
    pub fn inner_span(&self) -> Span {
        let whole = self.span();
        let start = token(&self.0, SyntaxKind::StringStart).map_or(whole.start, |t| token_span(&t).end);
        let end = token(&self.0, SyntaxKind::StringEnd).map_or(whole.end, |t| token_span(&t).start);
        Span::new(start, end)
    }

    /// The text, if there is no `{{ }}` in it.
    pub fn plain_text(&self) -> Option<String> {
        let mut text = String::new();
        for part in self.parts() {
            match part {
                StringPart::Text { value, .. } => text.push_str(&value),
                StringPart::Interpolation(_) => return None,
            }
        }
        Some(text)
    }

    /// The parts in order; neighbouring words are one part, and no part of words is empty.
    ///
    /// A text in three quotes loses what its layout put there: the rest of the line after the opening quotes and the
    /// line of the closing quotes if they are blank, and the indentation that all its lines share. Lines end in `\n`
    /// whatever the file uses, and a line of spaces is an empty line.
    pub fn parts(&self) -> Vec<StringPart> {
        let pieces = self.pieces();
        let pieces = if self.is_block() { dedent(pieces) } else { pieces };
        let mut parts: Vec<StringPart> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Interpolation(interpolation) => parts.push(StringPart::Interpolation(interpolation)),
                Piece::Raw { text, span } | Piece::Escape { text, span } => {
                    if let Some(StringPart::Text { value, span: so_far }) = parts.last_mut() {
                        value.push_str(&text);
                        *so_far = so_far.cover(span);
                    } else {
                        parts.push(StringPart::Text { value: text, span });
                    }
                }
            }
        }
        parts.retain(|p| !matches!(p, StringPart::Text { value, .. } if value.is_empty()));
        parts
    }

    fn pieces(&self) -> Vec<Piece> {
        let block = self.is_block();
        self.0
            .children_with_tokens()
            .filter_map(|element| match element {
                rowan::NodeOrToken::Node(node) => Interpolation::cast(node).map(Piece::Interpolation),
                rowan::NodeOrToken::Token(token) => {
                    let span = token_span(&token);
                    match token.kind() {
                        SyntaxKind::StringText if block => {
                            Some(Piece::Raw { text: token.text().replace("\r\n", "\n"), span })
                        }
                        SyntaxKind::StringText => Some(Piece::Raw { text: token.text().to_owned(), span }),
                        SyntaxKind::StringEscape => Some(Piece::Escape { text: unescape(&token), span }),
                        _ => None,
                    }
                }
            })
            .collect()
    }
}

/// One token of a string, or an interpolation.
enum Piece {
    Raw { text: String, span: Span },
    Escape { text: String, span: Span },
    Interpolation(Interpolation),
}

fn unescape(token: &SyntaxToken) -> String {
    match token.text() {
        "\\n" => "\n".to_owned(),
        "\\t" => "\t".to_owned(),
        // `\"`, `\\`, `\{`; of an escape that does not exist, which was reported, the character itself.
        other => other.chars().skip(1).collect(),
    }
}

/// Takes away what the layout of a text in three quotes put there.
fn dedent(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let first_line_dropped = drop_blank_first_line(&mut pieces);
    drop_blank_last_line(&mut pieces);
    let mut indent: Option<String> = None;
    each_line(&mut pieces, first_line_dropped, |line| {
        if let Line::Text { indent: own, .. } = line {
            let shared = indent.as_deref().map_or(own.len(), |so_far| shared_prefix(so_far, own));
            indent = Some(own.get(..shared).unwrap_or_default().to_owned());
        }
        None
    });
    let indent = indent.unwrap_or_default();
    each_line(&mut pieces, first_line_dropped, |line| match line {
        Line::Text { indent: own, rest } => {
            Some(format!("{}{rest}", own.strip_prefix(indent.as_str()).unwrap_or(own)))
        }
        Line::Blank => Some(String::new()),
    });
    pieces
}

/// Whether there was one.
fn drop_blank_first_line(pieces: &mut [Piece]) -> bool {
    if let Some(Piece::Raw { text, .. }) = pieces.first_mut()
        && let Some((line, rest)) = text.split_once('\n')
        && is_blank(line)
    {
        *text = rest.to_owned();
        return true;
    }
    false
}

fn drop_blank_last_line(pieces: &mut [Piece]) {
    if let Some(Piece::Raw { text, .. }) = pieces.last_mut()
        && let Some((rest, line)) = text.rsplit_once('\n')
        && is_blank(line)
    {
        *text = rest.to_owned();
    }
}

/// The start of a line of a text: an escape or an interpolation may follow `rest`.
enum Line<'a> {
    Text { indent: &'a str, rest: &'a str },
    Blank,
}

/// Visits the words at each start of a line, and replaces them by what `visit` gives.
fn each_line(pieces: &mut [Piece], first_is_a_line: bool, mut visit: impl FnMut(Line<'_>) -> Option<String>) {
    let last = pieces.len().saturating_sub(1);
    for (index, piece) in pieces.iter_mut().enumerate() {
        let Piece::Raw { text, .. } = piece else { continue };
        let count = text.split('\n').count();
        let lines: Vec<String> = text
            .split('\n')
            .enumerate()
            .map(|(number, line)| {
                let starts = number > 0 || (index == 0 && first_is_a_line);
                let goes_on = number + 1 == count && index != last;
                if !starts {
                    return line.to_owned();
                }
                let rest = line.trim_start_matches([' ', '\t']);
                let indent = line.strip_suffix(rest).unwrap_or_default();
                let seen =
                    if rest.is_empty() && !goes_on { Line::Blank } else { Line::Text { indent, rest } };
                visit(seen).unwrap_or_else(|| line.to_owned())
            })
            .collect();
        *text = lines.join("\n");
    }
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|b| b == b' ' || b == b'\t')
}

/// Length of the common start of two indentations.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}
