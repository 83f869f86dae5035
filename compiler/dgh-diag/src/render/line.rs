//! One line of source as it may be shown: no control characters, tabs expanded, cut to a width
//! around what is marked in it.

use unicode_width::UnicodeWidthChar;

use crate::Span;
use crate::source::File;

const TAB: usize = 4;

/// A line ready for the screen, and where its bytes went.
pub(super) struct Shown {
    pub(super) text: String,
    /// Offset in the file of each character that is shown, and its offset in `text`; ascending.
    map: Vec<(u32, usize)>,
}

impl Shown {
    /// The line at `span` (without its line end) in at most `width` columns, so that `anchor`, a
    /// place in the file, is among them.
    pub(super) fn new(file: &File<'_>, span: Span, anchor: u32, width: usize, unicode: bool) -> Self {
        let whole = file.slice(span);
        let mut shown = Self { text: String::new(), map: Vec::new() };
        if columns(whole, width + 1) <= width {
            shown.fill(whole, span.start, unicode);
            shown.map.push((span.end, shown.text.len()));
            return shown;
        }
        let dots = if unicode { "…" } else { "..." };
        let width = width.saturating_sub(2 * dots.chars().count()).max(1);
        let anchor = anchor.clamp(span.start, span.end);
        let after = columns(file.slice(Span::new(anchor, span.end)), width * 2 / 3);
        let start = back(file.slice(Span::new(span.start, anchor)), width - after);
        let start = span.start + start as u32;
        let window = forward(file.slice(Span::new(start, span.end)), width);
        if start > span.start {
            shown.text.push_str(dots);
        }
        shown.fill(window, start, unicode);
        let end = start + window.len() as u32;
        shown.map.push((end, shown.text.len()));
        if end < span.end {
            shown.text.push_str(dots);
        }
        shown
    }

    /// Where an offset of the file is in `text`; what was cut away is at the nearer edge.
    pub(super) fn position(&self, offset: u32) -> usize {
        let after = self.map.partition_point(|(from, _)| *from < offset);
        self.map.get(after).or(self.map.last()).map_or(0, |(_, to)| *to)
    }

    fn fill(&mut self, text: &str, start: u32, unicode: bool) {
        let mut column = 0;
        for (i, c) in text.char_indices() {
            self.map.push((start + i as u32, self.text.len()));
            if c == '\t' {
                let spaces = TAB - column % TAB;
                self.text.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            } else if let Some(c) = visible(c, unicode) {
                self.text.push(c);
                column += c.width().unwrap_or(0);
            }
        }
    }
}

/// Text for the screen in one line: nothing in it can move the cursor or turn the reading
/// direction around.
pub(super) fn clean(text: &str) -> String {
    let each = text.chars().filter_map(|c| if c.is_whitespace() { Some(' ') } else { visible(c, true) });
    each.collect()
}

/// `text` in at most `width` columns.
pub(super) fn cut(text: &str, width: usize, unicode: bool) -> String {
    if columns(text, width + 1) <= width {
        return text.to_owned();
    }
    let dots = if unicode { "…" } else { "..." };
    let kept = forward(text, width.saturating_sub(dots.chars().count()));
    format!("{}{dots}", kept.trim_end())
}

/// The character, or what stands for one that must not reach a terminal.
fn visible(c: char, unicode: bool) -> Option<char> {
    let stand_in = |picture| Some(if unicode { picture } else { '?' });
    match c {
        '\u{feff}' => None,
        '\0'..='\u{1f}' => stand_in(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
        '\u{7f}' => stand_in('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => stand_in('\u{fffd}'),
        c => Some(c),
    }
}

fn width_of(c: char) -> usize {
    match c {
        '\t' => TAB,
        '\0'..='\u{1f}' => 1,
        c => c.width().unwrap_or(1),
    }
}

/// Columns of `text`, counted no further than `limit`.
fn columns(text: &str, limit: usize) -> usize {
    let mut sum = 0;
    for c in text.chars() {
        if sum >= limit {
            return limit;
        }
        sum += width_of(c);
    }
    sum.min(limit)
}

/// The beginning of `text` that fits.
fn forward(text: &str, width: usize) -> &str {
    let mut sum = 0;
    for (i, c) in text.char_indices() {
        sum += width_of(c);
        if sum > width {
            return text.get(..i).unwrap_or_default();
        }
    }
    text
}

/// Offset in `text` of the longest ending that fits.
fn back(text: &str, width: usize) -> usize {
    let mut sum = 0;
    for (i, c) in text.char_indices().rev() {
        sum += width_of(c);
        if sum > width {
            return i + c.len_utf8();
        }
    }
    0
}
