//! Strings: kept byte for byte, but that a `"""` text moves as a whole when its line moves.

use dgh_syntax::SyntaxKind as K;
use dgh_syntax::SyntaxNode;

use crate::layout::INDENT;

/// The text of a string that starts on a line with `indent` spaces.
///
/// A `"""` text whose words start on their own line is moved so that its least indented line, and
/// its closing quotes if they stand alone, are one level deeper than that line. The value stays:
/// what all lines share is no part of it.
pub(crate) fn string(node: &SyntaxNode, indent: usize) -> String {
    let source = node.text().to_string();
    if !source.starts_with("\"\"\"") || !source.contains('\n') {
        return source;
    }
    moved(node, indent + INDENT).unwrap_or(source)
}

/// A piece of a string: words, or anything else (quotes, escapes, `{{ }}`), which is kept.
struct Piece {
    text: String,
    is_words: bool,
}

fn moved(node: &SyntaxNode, to: usize) -> Option<String> {
    let mut pieces: Vec<Piece> = node
        .children_with_tokens()
        .map(|e| Piece { is_words: e.kind() == K::StringText, text: e.to_string() })
        .collect();
    // An escaped line end is an error, and what it means for the indentation is unknown.
    if pieces.iter().any(|p| !p.is_words && p.text.starts_with('\\') && p.text.ends_with(['\n', '\r'])) {
        return None;
    }
    // The first words begin right behind the quotes, with a line end.
    let first = pieces.get(1).filter(|p| p.is_words)?;
    let (opening_line, _) = first.text.split_once('\n')?;
    if !is_blank(opening_line) {
        return None;
    }
    let closing = pieces.len().checked_sub(1)?;
    let shared = shared_indent(&pieces, closing);
    let margin = " ".repeat(to);
    for index in 1..closing {
        let goes_on = index + 1 < closing;
        let Some(piece) = pieces.get_mut(index).filter(|p| p.is_words) else { continue };
        let count = piece.text.split('\n').count();
        let lines = piece.text.split('\n').enumerate().map(|(number, line)| {
            let last = number + 1 == count;
            if number == 0 {
                // The end of a line that began before, or the blank rest of the opening line.
                return if index == 1 {
                    line.trim_start_matches([' ', '\t']).to_owned()
                } else {
                    line.to_owned()
                };
            }
            if last && !goes_on && is_blank(line) {
                return margin.clone();
            }
            if !(last && goes_on) && is_blank(line) {
                return if line.ends_with('\r') { "\r".to_owned() } else { String::new() };
            }
            format!("{margin}{}", line.get(shared..).unwrap_or_default())
        });
        piece.text = lines.collect::<Vec<_>>().join("\n");
    }
    Some(pieces.into_iter().map(|p| p.text).collect())
}

/// Bytes of indentation that all lines with words share.
fn shared_indent(pieces: &[Piece], closing: usize) -> usize {
    let mut shared: Option<&str> = None;
    for (index, piece) in pieces.iter().enumerate().take(closing).filter(|(_, p)| p.is_words) {
        let goes_on = index + 1 < closing;
        let count = piece.text.split('\n').count();
        for (number, line) in piece.text.split('\n').enumerate().skip(1) {
            if is_blank(line) && !(number + 1 == count && goes_on) {
                continue;
            }
            let words = line.trim_start_matches([' ', '\t']);
            let own = line.strip_suffix(words).unwrap_or_default();
            shared = Some(shared.map_or(own, |so_far| {
                let same = so_far.bytes().zip(own.bytes()).take_while(|(a, b)| a == b).count();
                so_far.get(..same).unwrap_or_default()
            }));
        }
    }
    shared.map_or(0, str::len)
}

/// Whether a line, with or without the CR of its end, holds nothing.
fn is_blank(line: &str) -> bool {
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.bytes().all(|b| b == b' ' || b == b'\t')
}
