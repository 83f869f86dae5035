//! One way to write a program: [`format`] lays out the spaces, line ends and optional commas of a
//! file, and nothing else.
//!
//! There are no options. What the author decides stays: blank lines (one at most), comments, and
//! whether a short group stands on one line.

mod entries;
mod layout;
mod printer;
mod spacing;
mod strings;

use dgh_diag::Code;
use dgh_syntax::SyntaxError;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// The text: formatted, or as it was.
    pub text: String,
    /// Whether it differs from what was given.
    pub changed: bool,
    /// The errors of syntax. Where the grammar does not accept the file, blocks may not be what
    /// they seem, and the text is returned as it was; errors inside of words (a bad escape, a name
    /// in the wrong shape) do not stop formatting.
    pub errors: Vec<SyntaxError>,
}

/// Formats a file. Formatting the result changes nothing, and its tokens and comments are those of
/// `text`, but for optional commas and the indentation of `"""` texts.
pub fn format(text: &str) -> Formatted {
    let parse = dgh_syntax::parse(text);
    let errors = parse.errors().to_vec();
    let unknown_edition = errors.iter().any(|e| e.code == Code::UnknownEdition);
    let text_of_file = if parse.is_accepted() && !unknown_edition {
        Some(printer::print(&parse.tree(), text)).filter(|new| same_content(text, new))
    } else {
        None
    };
    let formatted = text_of_file.unwrap_or_else(|| text.to_owned());
    Formatted { changed: formatted != text, text: formatted, errors }
}

/// Whether two texts differ in nothing but spaces, line ends and commas. The printer keeps this by
/// construction; a mistake in it must cost a layout, never somebody's words.
fn same_content(a: &str, b: &str) -> bool {
    let visible = |c: &u8| !matches!(c, b' ' | b'\t' | b'\r' | b'\n' | b',');
    a.bytes().filter(|c| visible(c)).eq(b.bytes().filter(|c| visible(c)))
}

#[cfg(test)]
mod tests;
