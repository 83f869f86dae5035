//! Where the renderers get paths and texts from, and how a place becomes lines and columns.
//!
//! A place may be wrong (a stale file, an offset inside a character): it is moved to the nearest
//! right one here, once, so that no renderer can panic or print half a character.

use std::cell::Cell;
use std::collections::HashMap;

use crate::{Diagnostic, FileId, LineIndex, Place, Span};

/// The files of a bundle, as far as showing a diagnostic needs them.
pub trait Sources {
    /// Path of a file, as the user knows it.
    fn path(&self, file: FileId) -> Option<&str>;
    /// Text of a file.
    fn text(&self, file: FileId) -> Option<&str>;
}

/// Pairs of path and text; the index is the file's id.
impl<P: AsRef<str>, T: AsRef<str>> Sources for [(P, T)] {
    fn path(&self, file: FileId) -> Option<&str> {
        self.get(file.0 as usize).map(|(path, _)| path.as_ref())
    }

    fn text(&self, file: FileId) -> Option<&str> {
        self.get(file.0 as usize).map(|(_, text)| text.as_ref())
    }
}

/// The files that some diagnostics mention, with their lines indexed.
pub(crate) struct Files<'a> {
    files: HashMap<FileId, File<'a>>,
    unknown: File<'a>,
}

impl<'a> Files<'a> {
    pub(crate) fn of<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &'a S) -> Self {
        let mut files = HashMap::new();
        for place in diagnostics.iter().flat_map(places) {
            files.entry(place.file).or_insert_with(|| {
                File::new(
                    sources.path(place.file).unwrap_or(UNKNOWN),
                    sources.text(place.file).unwrap_or_default(),
                )
            });
        }
        Self { files, unknown: File::new(UNKNOWN, "") }
    }

    pub(crate) fn get(&self, file: FileId) -> &File<'a> {
        self.files.get(&file).unwrap_or(&self.unknown)
    }
}

const UNKNOWN: &str = "unknown file";

fn places(d: &Diagnostic) -> impl Iterator<Item = Place> + '_ {
    let others = d.related.iter().chain(&d.steps).map(|r| r.place);
    let edits = d.fixes.iter().flat_map(|f| &f.edits).map(|e| e.place);
    std::iter::once(d.place).chain(others).chain(edits)
}

/// One file.
pub(crate) struct File<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    index: LineIndex,
    /// Offset and column of the last answer: in a file that is one long line, sorted places are
    /// then counted from one another and not from the start of the line each time.
    last: Cell<(u32, u32)>,
}

/// A position: byte offset from 0; line and column (in characters) from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: u32,
    pub(crate) line: u32,
    pub(crate) col: u32,
}

impl<'a> File<'a> {
    fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text, index: LineIndex::new(text), last: Cell::new((0, 1)) }
    }

    /// The nearest range that lies in the text, on whole characters.
    pub(crate) fn clamp(&self, span: Span) -> Span {
        let start = floor(self.text, span.start);
        Span::new(start, ceil(self.text, span.end).max(start))
    }

    pub(crate) fn position(&self, offset: u32) -> Position {
        let offset = floor(self.text, offset);
        let line = self.index.line(offset);
        let line_start = self.index.start(line).unwrap_or(0);
        let (seen, seen_col) = self.last.get();
        let (from, col) = if (line_start..=offset).contains(&seen) && seen >= line_start {
            (seen, seen_col)
        } else {
            (line_start, 1)
        };
        let chars = self.text.get(from as usize..offset as usize).map_or(0, |s| s.chars().count());
        let col = col + chars as u32;
        self.last.set((offset, col));
        Position { offset, line: line + 1, col }
    }

    /// Line (from 0) that holds an offset.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        self.index.line(offset)
    }

    /// Bytes of a line (from 0) without its line end.
    pub(crate) fn line_span(&self, line: u32) -> Option<Span> {
        let start = self.index.start(line)?;
        let end = self.index.start(line + 1).map_or(self.text.len() as u32, |next| next - 1);
        let text = self.text.get(start as usize..end as usize)?;
        Some(Span::new(start, start + text.strip_suffix('\r').unwrap_or(text).len() as u32))
    }

    pub(crate) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

fn floor(text: &str, offset: u32) -> u32 {
    text.floor_char_boundary(offset as usize) as u32
}

fn ceil(text: &str, offset: u32) -> u32 {
    text.ceil_char_boundary((offset as usize).min(text.len())) as u32
}

/// Order in which diagnostics are shown: file, place, gravity, number.
pub(crate) fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut all: Vec<&Diagnostic> = diagnostics.iter().collect();
    all.sort_by_key(|d| (d.place.file, d.place.span.start, d.severity(), d.code));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_the_text_move_to_its_end() {
        let file = File::new("a", "é\r\nb");
        assert_eq!(file.clamp(Span::new(1, 90)), Span::new(0, 5));
        assert_eq!(file.clamp(Span::new(70, 90)), Span::at(5));
        assert_eq!(file.position(900), Position { offset: 5, line: 2, col: 2 });
        assert_eq!(file.line_span(0), Some(Span::new(0, 2)));
        assert_eq!(file.line_span(7), None);
    }

    #[test]
    fn columns_are_the_same_in_any_order_of_asking() {
        let text = "añb\nc\u{1f600}d\n\nxyz";
        let index = LineIndex::new(text);
        let file = File::new("a", text);
        let mut order: Vec<u32> = (0..=text.len() as u32).collect();
        for _ in 0..2 {
            for &offset in &order {
                let p = file.position(offset);
                let whole = index.line_col(text, offset);
                assert_eq!((p.line, p.col), (whole.line, whole.col), "at {offset}");
            }
            order.reverse();
        }
    }
}
