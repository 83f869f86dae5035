//! The lines around the places of one diagnostic, from all their files, as one source for miette.
//!
//! Each group of lines is a chunk of one made-up text; miette asks for the surroundings of a
//! label and gets its chunk, with the name and line number of the real file.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::render::Style;
use crate::render::line::{Shown, clean, cut};
use crate::source::Files;
use crate::{Diagnostic, FileId, Span};

/// Lines shown above and below a marked one.
const CONTEXT: u32 = 1;
/// A place over more lines is shown by its first.
const TALLEST: u32 = 6;
/// Columns of a label's words.
const LABEL: usize = 72;

#[derive(Debug)]
pub(super) struct Excerpt {
    chunks: Vec<Chunk>,
    /// In the order of their offsets, as miette wants its highlight styles.
    labels: Vec<LabeledSpan>,
    /// Line and column, from 0, in the file, of each label.
    positions: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Chunk {
    /// Offset in the made-up text.
    start: usize,
    text: String,
    path: String,
    first_line: usize,
}

impl Excerpt {
    pub(super) fn of(d: &Diagnostic, files: &Files<'_>, style: Style) -> Self {
        let mut excerpt = Self { chunks: Vec::new(), labels: Vec::new(), positions: Vec::new() };
        for group in groups(marks(d, files)) {
            excerpt.add(&group, files, style);
        }
        excerpt
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &LabeledSpan> {
        self.labels.iter()
    }

    fn add(&mut self, group: &Group, files: &Files<'_>, style: Style) {
        let file = files.get(group.file);
        let blank = |line: u32| file.line_span(line).is_none_or(|s| file.slice(s).trim().is_empty());
        let mut first = group.first.saturating_sub(CONTEXT);
        let mut last = group.last + CONTEXT;
        while first < group.first && blank(first) {
            first += 1;
        }
        while last > group.last && blank(last) {
            last -= 1;
        }
        let start = self.chunks.last().map_or(0, |c| c.start + c.text.len() + 1);
        let mut text = String::new();
        // Line number and gutter, as miette draws them.
        let width = style.width.saturating_sub((last + 1).to_string().len() + 8).max(20);
        let mut ends = vec![(0, 0); group.marks.len()];
        for line in first..=last {
            let Some(span) = file.line_span(line) else { break };
            let here = group.marks.iter().filter(|m| (m.first..=m.last).contains(&line));
            let anchor = here.clone().find(|m| m.primary).or(here.clone().next());
            let anchor = anchor.map_or(span.start, |m| m.span.start.max(span.start));
            let shown = Shown::new(file, span, anchor, width, style.unicode);
            let base = start + text.len();
            for (mark, (from, to)) in group.marks.iter().zip(&mut ends) {
                if mark.first == line {
                    *from = base + shown.position(mark.span.start);
                }
                if mark.last == line {
                    *to = base + shown.position(mark.span.end);
                }
            }
            text.push_str(&shown.text);
            text.push('\n');
        }
        let mut labels: Vec<(LabeledSpan, (usize, usize))> = Vec::new();
        for (mark, (from, to)) in group.marks.iter().zip(ends) {
            let words = cut(&clean(&mark.words), LABEL, style.unicode);
            let words = Some(words).filter(|w| !w.is_empty());
            let span = SourceSpan::from(from..to.max(from));
            let label = if mark.primary {
                LabeledSpan::new_primary_with_span(words, span)
            } else {
                LabeledSpan::new_with_span(words, span)
            };
            let at = file.position(mark.span.start);
            labels.push((label, (at.line as usize - 1, at.col as usize - 1)));
        }
        labels.sort_by_key(|(label, _)| label.offset());
        for (label, position) in labels {
            self.labels.push(label);
            self.positions.push(position);
        }
        self.chunks.push(Chunk { start, text, path: clean(file.path), first_line: first as usize });
    }
}

impl SourceCode for Excerpt {
    /// Without context lines miette asks for the line and column of a label, else for its chunk.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let chunk = self
            .chunks
            .iter()
            .find(|c| c.start <= span.offset() && end <= c.start + c.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        let whole = SourceSpan::from(chunk.start..chunk.start + chunk.text.len());
        let (mut line, mut column) = (chunk.first_line, 0);
        if before == 0 && after == 0 {
            let known = self.labels.iter().zip(&self.positions).find(|(l, _)| l.inner() == span);
            if let Some((_, position)) = known {
                (line, column) = *position;
            }
        }
        Ok(Box::new(MietteSpanContents::new_named(
            chunk.path.clone(),
            chunk.text.as_bytes(),
            whole,
            line,
            column,
            chunk.text.lines().count(),
        )))
    }
}

/// A place to be marked.
#[derive(PartialEq)]
struct Mark {
    file: FileId,
    span: Span,
    /// Lines from 0, both inclusive.
    first: u32,
    last: u32,
    words: String,
    primary: bool,
}

fn marks(d: &Diagnostic, files: &Files<'_>) -> Vec<Mark> {
    let main = (d.place, &d.label, true);
    let others = d.related.iter().map(|r| (r.place, &r.message, false));
    let mut marks: Vec<Mark> = Vec::new();
    for (place, words, primary) in std::iter::once(main).chain(others) {
        let file = files.get(place.file);
        let mut span = file.clamp(place.span);
        let first = file.line(span.start);
        // A range that ends with a line end is about the line before.
        let mut last = if span.is_empty() { first } else { file.line(span.end - 1) };
        if last - first >= TALLEST {
            last = first;
        }
        let end_of = |line| file.line_span(line).map_or(span.end, |l: Span| l.end);
        span = Span::new(span.start.min(end_of(first)), span.end.min(end_of(last)));
        let mark = Mark { file: place.file, span, first, last, words: words.clone(), primary };
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    marks
}

/// Marks that are shown together, in one file, on lines near one another.
struct Group {
    file: FileId,
    first: u32,
    last: u32,
    marks: Vec<Mark>,
}

/// The group of the main place comes first. Marks that overlap go to different groups, since
/// miette cannot underline a character twice.
fn groups(marks: Vec<Mark>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for mark in marks {
        let fits = |g: &&mut Group| {
            g.file == mark.file
                && mark.first <= g.last + 2 * CONTEXT + 1
                && g.first <= mark.last + 2 * CONTEXT + 1
                && !g.marks.iter().any(|other| collide(other, &mark))
        };
        if let Some(group) = groups.iter_mut().find(fits) {
            group.first = group.first.min(mark.first);
            group.last = group.last.max(mark.last);
            group.marks.push(mark);
        } else {
            groups.push(Group { file: mark.file, first: mark.first, last: mark.last, marks: vec![mark] });
        }
    }
    groups
}

fn collide(a: &Mark, b: &Mark) -> bool {
    let tall = a.first != a.last || b.first != b.last;
    if tall {
        return a.first <= b.last && b.first <= a.last;
    }
    let (a, b) = (a.span, b.span);
    a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
}
