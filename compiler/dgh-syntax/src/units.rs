//! Tokens as recovery sees them: no spaces, a whole string as one, and brackets that know their partner.
//!
//! In a broken file brackets do not pair up. Then the indentation decides: a line that is indented no more than the line
//! of an open brace is not inside that brace.

use std::ops::Range;

use crate::{
    SyntaxKind, segment,
    token::{FlawKind, Tokens},
};

/// A token, or a whole string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// Kind of the token; of a string, `StringStart`.
    pub(crate) kind: SyntaxKind,
    /// Offset of its first byte.
    pub(crate) start: u32,
    /// Offset after its last byte.
    pub(crate) end: u32,
    /// Whether it is the first on its line.
    pub(crate) is_first: bool,
    /// How far its line is indented.
    pub(crate) indent: u32,
    /// Whether it was reported, or will be: nothing more needs to be said about what is broken around it.
    pub(crate) is_bad: bool,
    /// Of an opening bracket, the unit where what is inside it ends: the closing bracket, or, if there is none, the
    /// first unit that is no longer inside.
    pub(crate) inside_end: usize,
    /// Of an opening bracket, whether it has a closing one; of a closing one, whether it has an opening one.
    pub(crate) is_paired: bool,
    /// Of the last unit of a head that lacks its `{`, the `}` that closes the body all the same.
    pub(crate) closes_at: Option<usize>,
}

/// The units of a text.
pub(crate) struct Units<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: &'t Tokens,
    pub(crate) list: Vec<Unit>,
}

impl<'t> Units<'t> {
    pub(crate) fn new(text: &'t str, tokens: &'t Tokens) -> Self {
        let mut units = Self { text, tokens, list: units(text, tokens) };
        for item in segment::hard_items(&units) {
            units.pair(item);
        }
        units
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Unit> {
        self.list.get(index)
    }

    /// Kind of a unit; past the end, a space.
    pub(crate) fn kind(&self, index: usize) -> SyntaxKind {
        self.list.get(index).map_or(SyntaxKind::Whitespace, |u| u.kind)
    }

    /// Text of a unit.
    pub(crate) fn text(&self, index: usize) -> &'t str {
        self.list.get(index).map_or("", |u| self.between(u.start, u.end))
    }

    /// The text of a unit if it is a word, else nothing.
    pub(crate) fn word(&self, index: usize) -> &'t str {
        if self.kind(index) == SyntaxKind::Ident { self.text(index) } else { "" }
    }

    pub(crate) fn between(&self, start: u32, end: u32) -> &'t str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Offset of a unit; past the end, of the end of the last.
    pub(crate) fn start(&self, index: usize) -> u32 {
        self.list.get(index).map_or_else(|| self.end(index), |u| u.start)
    }

    /// Offset after the unit before `index`.
    pub(crate) fn end(&self, index: usize) -> u32 {
        index.checked_sub(1).and_then(|i| self.list.get(i)).map_or(0, |u| u.end)
    }

    /// The unit after this one, or after all that is inside it if it is an opening bracket.
    pub(crate) fn after(&self, index: usize) -> usize {
        match self.list.get(index) {
            Some(unit) if is_opening(unit.kind) => unit.inside_end + usize::from(unit.is_paired),
            Some(Unit { closes_at: Some(closing), .. }) => closing + 1,
            _ => index + 1,
        }
    }

    /// Whether any unit in the range was reported.
    pub(crate) fn any_bad(&self, range: Range<usize>) -> bool {
        self.list.get(range).is_some_and(|units| units.iter().any(|u| u.is_bad))
    }

    /// Finds the partners of the brackets of one item.
    fn pair(&mut self, item: Range<usize>) {
        if !self.pair_strictly(item.clone()) {
            Pairing { units: self, open: Vec::new() }.run(item.clone());
            self.find_missing_openings(item);
        }
    }

    /// A closing brace that closes nothing may belong to a line above that should have opened a body and did not.
    fn find_missing_openings(&mut self, item: Range<usize>) {
        // Heads that wait for a body, outermost first: their last unit and how far they are indented.
        let mut heads: Vec<(usize, u32)> = Vec::new();
        for index in item {
            let Some(unit) = self.get(index).copied().filter(|u| u.is_first) else { continue };
            while heads.last().is_some_and(|(_, indent)| *indent > unit.indent) {
                heads.pop();
            }
            let same = heads.last().copied().filter(|(_, indent)| *indent == unit.indent);
            if let Some((last, _)) = same {
                heads.pop();
                if unit.kind == SyntaxKind::RightBrace && unit.is_bad && !unit.is_paired {
                    if let Some(head) = self.list.get_mut(last) {
                        head.closes_at = Some(index);
                    }
                    if let Some(closing) = self.list.get_mut(index) {
                        closing.is_paired = true;
                        closing.is_bad = false;
                    }
                    continue;
                }
            }
            if let Some(last) = segment::head_without_brace(self, index) {
                heads.push((last, unit.indent));
            }
        }
    }

    /// Whether all brackets pair up.
    fn pair_strictly(&mut self, item: Range<usize>) -> bool {
        let mut open: Vec<usize> = Vec::new();
        for index in item {
            let kind = self.kind(index);
            if is_opening(kind) {
                open.push(index);
            } else if let Some(opening) = opening_of(kind) {
                let Some(last) = open.pop().filter(|i| self.kind(*i) == opening) else { return false };
                self.marry(last, index);
            }
        }
        open.is_empty()
    }

    fn marry(&mut self, opening: usize, closing: usize) {
        if let Some(unit) = self.list.get_mut(opening) {
            unit.inside_end = closing;
            unit.is_paired = true;
        }
        if let Some(unit) = self.list.get_mut(closing) {
            unit.is_paired = true;
        }
    }
}

/// Whether it opens a bracket.
pub(crate) fn is_opening(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::LeftBrace | SyntaxKind::LeftParen | SyntaxKind::LeftBracket)
}

fn opening_of(kind: SyntaxKind) -> Option<SyntaxKind> {
    match kind {
        SyntaxKind::RightBrace => Some(SyntaxKind::LeftBrace),
        SyntaxKind::RightParen => Some(SyntaxKind::LeftParen),
        SyntaxKind::RightBracket => Some(SyntaxKind::LeftBracket),
        _ => None,
    }
}

fn units(text: &str, tokens: &Tokens) -> Vec<Unit> {
    let mut list: Vec<Unit> = Vec::with_capacity(tokens.list.len() / 2);
    let mut strings = tokens.strings.iter().peekable();
    let mut fatal = tokens.flaws.iter().filter(|f| f.kind.is_fatal()).peekable();
    let mut line_start = 0;
    let mut is_first = true;
    let mut indent = 0;
    let mut index = 0;
    while let Some(token) = tokens.list.get(index) {
        let mut end = tokens.end(index);
        let mut next = index + 1;
        if token.kind == SyntaxKind::StringStart {
            while strings.next_if(|s| s.start < token.start).is_some() {}
            if let Some(string) = strings.next_if(|s| s.start == token.start) {
                end = string.end;
                next = tokens.index_at(end);
            }
        }
        if token.kind.is_trivia() {
            if let Some(line_end) = tokens.text(text, index).rfind('\n') {
                line_start = token.start + line_end as u32 + 1;
                is_first = true;
            }
        } else {
            if is_first {
                indent = token.start - line_start;
            }
            while fatal.next_if(|f| f.end <= token.start && f.start < token.start).is_some() {}
            let is_bad = fatal.peek().is_some_and(|f| f.start < end)
                || (index..next).any(|i| tokens.kind(i).is_bad_token());
            list.push(Unit {
                kind: token.kind,
                start: token.start,
                end,
                is_first,
                indent,
                is_bad,
                inside_end: 0,
                is_paired: false,
                closes_at: None,
            });
            is_first = false;
        }
        index = next;
    }
    list
}

impl FlawKind {
    /// Whether the grammar refuses it.
    pub(crate) fn is_fatal(self) -> bool {
        matches!(self, Self::UnclosedLine | Self::UnclosedBlock | Self::UnclosedInterpolation)
    }
}

/// An open bracket whose partner is looked for.
#[derive(Clone, Copy)]
struct Open {
    index: usize,
    kind: SyntaxKind,
    /// How far its own line is indented.
    indent: u32,
    /// How far the first line inside it is indented, if it begins a line and is indented further.
    inside: Option<u32>,
    /// Whether what is inside begins on its own line.
    is_inline: bool,
}

struct Pairing<'u, 't> {
    units: &'u mut Units<'t>,
    open: Vec<Open>,
}

impl Pairing<'_, '_> {
    fn run(mut self, item: Range<usize>) {
        for index in item.clone() {
            if let Some(unit) = self.units.list.get_mut(index) {
                unit.is_paired = false;
            }
        }
        for index in item.clone() {
            let Some(unit) = self.units.get(index).copied() else { continue };
            if unit.is_first {
                self.leave_what_the_line_is_not_in(index, unit);
            }
            if is_opening(unit.kind) {
                let next = self.units.get(index + 1).copied();
                let inside = next.filter(|n| n.is_first && n.indent > unit.indent).map(|n| n.indent);
                let is_inline = next.is_some_and(|n| !n.is_first);
                self.open.push(Open { index, kind: unit.kind, indent: unit.indent, inside, is_inline });
            } else if let Some(opening) = opening_of(unit.kind) {
                self.close(index, unit, opening);
            }
        }
        while let Some(open) = self.open.pop() {
            self.give_up(open, item.end);
        }
    }

    fn leave_what_the_line_is_not_in(&mut self, index: usize, unit: Unit) {
        while let Some(open) = self.open.last().copied() {
            let outside = if open.kind == SyntaxKind::LeftBrace {
                // A closing brace may well be the one that is looked for, if it is not further out.
                let closes = unit.kind == SyntaxKind::RightBrace && unit.indent == open.indent;
                (open.inside.is_some() || open.is_inline) && unit.indent <= open.indent && !closes
            } else {
                opening_of(unit.kind).is_none() && segment::opens_statement(self.units, index)
            };
            if !outside || (unit.kind == SyntaxKind::RightBrace && self.open.len() == 1) {
                return;
            }
            self.open.pop();
            self.give_up(open, index);
        }
    }

    fn close(&mut self, index: usize, unit: Unit, opening: SyntaxKind) {
        let extra = unit.is_first
            && unit.kind == SyntaxKind::RightBrace
            && self.open.last().is_some_and(|o| o.inside.is_some_and(|inside| unit.indent >= inside));
        let reach = self
            .open
            .iter()
            .rev()
            // Far out nothing is meant by it, and the search stays short.
            .take(64)
            .take_while(|o| o.kind == opening || o.kind != SyntaxKind::LeftBrace)
            .position(|o| o.kind == opening);
        let Some(unclosed) = reach.filter(|_| !extra) else {
            if let Some(unit) = self.units.list.get_mut(index) {
                unit.is_bad = true;
            }
            return;
        };
        for _ in 0..unclosed {
            if let Some(open) = self.open.pop() {
                self.give_up(open, index);
            }
        }
        if let Some(open) = self.open.pop() {
            self.units.marry(open.index, index);
        }
    }

    fn give_up(&mut self, open: Open, inside_end: usize) {
        if let Some(unit) = self.units.list.get_mut(open.index) {
            unit.inside_end = inside_end;
            unit.is_paired = false;
            unit.is_bad = true;
        }
    }
}
