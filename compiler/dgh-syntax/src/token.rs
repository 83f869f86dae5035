//! Text to tokens: every byte is in one, spaces and comments too.
//!
//! logos knows the alphabet; what it cannot know is kept here: where a string ends depends on the strings and braces
//! around it, so a stack of modes decides which alphabet is read.

use dgh_diag::Span;
use logos::Logos as _;

use crate::{
    SyntaxKind,
    alphabet::{BlockToken, CodeToken, LineToken},
};

/// One token: it ends where the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: SyntaxKind,
    /// Offset of its first byte.
    pub(crate) start: u32,
}

/// Something wrong that the tokens alone show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What is wrong.
    pub(crate) kind: FlawKind,
    /// Where.
    pub(crate) start: u32,
    /// Up to where.
    pub(crate) end: u32,
}

/// What can be wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlawKind {
    /// `"…` up to the end of its line.
    UnclosedLine,
    /// `"""…` up to the end of the file or to the next item.
    UnclosedBlock,
    /// `{{` without `}}`.
    UnclosedInterpolation,
    /// An escape that does not exist.
    BadEscape,
    /// A token that no program may hold, or a number, date or time that does not exist.
    BadToken,
    /// A NUL, which a string or a comment may not hold either.
    Nul,
}

/// The tokens of a text.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// In order, without gaps.
    pub(crate) list: Vec<Token>,
    /// In order of their place.
    pub(crate) flaws: Vec<Flaw>,
    /// The strings that are in no other string, in order.
    pub(crate) strings: Vec<Span>,
    /// Length of the text.
    pub(crate) len: u32,
}

impl Tokens {
    /// Offset after token `index`.
    pub(crate) fn end(&self, index: usize) -> u32 {
        self.list.get(index + 1).map_or(self.len, |t| t.start)
    }

    /// Text of token `index`.
    pub(crate) fn text<'t>(&self, text: &'t str, index: usize) -> &'t str {
        let start = self.list.get(index).map_or(self.len, |t| t.start);
        text.get(start as usize..self.end(index) as usize).unwrap_or_default()
    }

    /// Kind of token `index`; past the end, a space.
    pub(crate) fn kind(&self, index: usize) -> SyntaxKind {
        self.list.get(index).map_or(SyntaxKind::Whitespace, |t| t.kind)
    }

    /// Bytes of token `index`.
    pub(crate) fn span(&self, index: usize) -> Span {
        let start = self.list.get(index).map_or(self.len, |t| t.start);
        Span::new(start, self.end(index))
    }

    /// Index of the last token before `offset` that is no space or comment.
    pub(crate) fn before(&self, offset: u32) -> Option<usize> {
        (0..self.index_at(offset)).rev().find(|i| !self.kind(*i).is_trivia())
    }

    /// The empty place after what stands before `offset`, where something is missing.
    pub(crate) fn end_before(&self, offset: u32) -> Span {
        Span::at(self.before(offset).map_or(0, |i| self.end(i)))
    }

    /// Kind of the last token before `offset` that is no space or comment.
    pub(crate) fn last_before(&self, offset: u32) -> Option<SyntaxKind> {
        self.before(offset).map(|i| self.kind(i))
    }

    /// Index of the first token that starts at `offset` or later.
    pub(crate) fn index_at(&self, offset: u32) -> usize {
        self.list.partition_point(|t| t.start < offset)
    }
}

/// Cuts `text` into tokens. A `"""` that is never closed would take the rest of the file: then every such string ends
/// before the next line that opens an item or a node.
pub(crate) fn tokens(text: &str) -> Tokens {
    let (tokens, takes_the_rest) = Lexer::new(text, Vec::new()).run();
    if takes_the_rest {
        let opening_lines = opening_lines(text);
        if !opening_lines.is_empty() {
            return Lexer::new(text, opening_lines).run().0;
        }
    }
    tokens
}

/// What is read now, with the place where it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Line { start: u32 },
    Block { start: u32 },
    Interpolation { start: u32, braces: u32 },
}

struct Lexer<'t> {
    text: &'t str,
    tokens: Tokens,
    /// Where a `"""` ends at the latest; empty while all of them are closed.
    opening_lines: Vec<u32>,
    modes: Vec<Mode>,
    /// Whether a `"""` was open at the end of the text.
    takes_the_rest: bool,
    /// Where the next `*/` ends, as far as it was looked for; past the end if there is none.
    comment_end: Option<usize>,
}

impl<'t> Lexer<'t> {
    fn new(text: &'t str, opening_lines: Vec<u32>) -> Self {
        let tokens = Tokens {
            list: Vec::with_capacity(text.len() / 4 + 16),
            flaws: Vec::new(),
            strings: Vec::new(),
            len: text.len() as u32,
        };
        Self { text, tokens, opening_lines, modes: Vec::new(), takes_the_rest: false, comment_end: Some(0) }
    }

    fn run(mut self) -> (Tokens, bool) {
        let mut at = 0;
        if self.text.starts_with('\u{FEFF}') {
            at = '\u{FEFF}'.len_utf8();
            self.push(SyntaxKind::Whitespace, 0, at);
        }
        let mut lexer = CodeToken::lexer(self.text.get(at..).unwrap_or_default());
        while let Some(found) = lexer.next() {
            let start = at + lexer.span().start;
            let end = at + lexer.span().end;
            match found {
                Ok(CodeToken::Quote | CodeToken::TripleQuote) => {
                    let after = self.string(start, end, self.text.len());
                    self.tokens.strings.push(Span::new(start as u32, after as u32));
                    lexer.bump(after - end);
                }
                Ok(CodeToken::ForeignQuote) => {
                    let after = self.foreign_quote(start, end);
                    lexer.bump(after - end);
                }
                Ok(CodeToken::ForeignComment) => {
                    let after = self.foreign_comment(end);
                    self.push(SyntaxKind::Foreign, start, after);
                    lexer.bump(after - end);
                }
                Ok(token) => self.push(token.kind(), start, end),
                Err(()) => {
                    let after = self.stray(start, end);
                    lexer.bump(after - end);
                }
            }
        }
        self.tokens.flaws.sort_by_key(|f| (f.start, f.end));
        (self.tokens, self.takes_the_rest)
    }

    fn push(&mut self, kind: SyntaxKind, start: usize, end: usize) {
        self.look_for_flaws(kind, start, end);
        // Words cut by a `{`, and neighbours that mean nothing, are one token.
        if matches!(kind, SyntaxKind::StringText | SyntaxKind::Unknown)
            && self.tokens.list.last().is_some_and(|last| last.kind == kind)
        {
            return;
        }
        self.tokens.list.push(Token { kind, start: start as u32 });
    }

    fn look_for_flaws(&mut self, kind: SyntaxKind, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        match kind {
            SyntaxKind::StringText | SyntaxKind::Comment | SyntaxKind::DocComment if text.contains('\0') => {
                self.flaw(FlawKind::Nul, start, end);
            }
            SyntaxKind::StringEscape if !matches!(text, "\\\"" | "\\\\" | "\\n" | "\\t" | "\\{") => {
                self.flaw(FlawKind::BadEscape, start, end);
            }
            SyntaxKind::Date | SyntaxKind::DateTime | SyntaxKind::Time | SyntaxKind::Duration
                if crate::ast::literal_value(kind, text).is_none() =>
            {
                self.flaw(FlawKind::BadToken, start, end);
            }
            // Eighteen digits fit any number; of longer ones the value decides.
            SyntaxKind::Int | SyntaxKind::Number | SyntaxKind::Percent
                if text.len() > 18 && crate::ast::literal_value(kind, text).is_none() =>
            {
                self.flaw(FlawKind::BadToken, start, end);
            }
            _ if kind.is_bad_token() => self.flaw(FlawKind::BadToken, start, end),
            _ => {}
        }
    }

    fn flaw(&mut self, kind: FlawKind, start: usize, end: usize) {
        let (start, end) = (start as u32, end as u32);
        if let Some(last) = self.tokens.flaws.last_mut()
            && kind == FlawKind::BadToken
            && last.kind == kind
            && last.end == start
            && self.tokens.list.last().is_some_and(|t| t.kind == SyntaxKind::Unknown)
        {
            last.end = end;
            return;
        }
        self.tokens.flaws.push(Flaw { kind, start, end });
    }

    /// A character that no token starts with; a word with letters that names do not have is one token.
    fn stray(&mut self, start: usize, end: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        if !rest.chars().next().is_some_and(char::is_alphabetic) {
            self.push(SyntaxKind::Unknown, start, end);
            return end;
        }
        let len: usize =
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
        let end = (start + len).max(end);
        let mut start = start;
        if let Some(last) = self.tokens.list.last()
            && matches!(last.kind, SyntaxKind::Ident | SyntaxKind::Int)
        {
            start = last.start as usize;
            self.tokens.list.pop();
        }
        self.push(SyntaxKind::BadWord, start, end);
        end
    }

    /// `'…'` and its like, if it is closed on its line and near; gives the offset after it.
    fn foreign_quote(&mut self, start: usize, end: usize) -> usize {
        let rest = self.text.get(end..).unwrap_or_default();
        let closing = match self.text.get(start..end) {
            Some("“") => '”',
            Some("`") => '`',
            _ => '\'',
        };
        // Not further than a sentence, or a file of nothing but quotes would be read once for each of them.
        let found = rest
            .char_indices()
            .take(300)
            .take_while(|(_, c)| !matches!(c, '\r' | '\n'))
            .find(|(_, c)| *c == closing);
        let inside = rest.get(..found.map_or(0, |(at, _)| at)).unwrap_or_default();
        let in_string = !self.modes.is_empty() && (inside.contains('"') || inside.contains("}}"));
        let Some((at, _)) = found.filter(|_| !in_string) else {
            self.push(SyntaxKind::Unknown, start, end);
            return end;
        };
        let after = end + at + closing.len_utf8();
        self.push(SyntaxKind::Foreign, start, after);
        after
    }

    /// Where the comment of another language ends that was opened before `from`; `from` if it does not.
    fn foreign_comment(&mut self, from: usize) -> usize {
        if self.comment_end.is_some_and(|end| end < from) {
            let rest = self.text.get(from..).unwrap_or_default();
            self.comment_end = Some(rest.find("*/").map_or(usize::MAX, |at| from + at + 2));
        }
        self.comment_end.filter(|end| *end < usize::MAX).unwrap_or(from)
    }

    /// A whole string, from its opening quotes; gives the offset after it.
    fn string(&mut self, start: usize, after_quotes: usize, limit: usize) -> usize {
        self.push(SyntaxKind::StringStart, start, after_quotes);
        let limit = if after_quotes - start == 3 {
            self.modes.push(Mode::Block { start: start as u32 });
            let next = self.opening_lines.partition_point(|line| (*line as usize) < after_quotes);
            self.opening_lines.get(next).map_or(limit, |line| *line as usize)
        } else {
            self.modes.push(Mode::Line { start: start as u32 });
            limit
        };
        let mut at = after_quotes;
        while let Some(mode) = self.modes.last().copied() {
            if at >= limit {
                self.give_up(0, at);
                break;
            }
            at = match mode {
                Mode::Line { .. } => self.line_text(at, limit),
                Mode::Block { .. } => self.block_text(at, limit),
                Mode::Interpolation { start, braces } => self.in_interpolation(at, limit, start, braces),
            };
        }
        at
    }

    fn line_text(&mut self, from: usize, limit: usize) -> usize {
        let mut lexer = LineToken::lexer(self.text.get(from..limit).unwrap_or_default());
        while let Some(found) = lexer.next() {
            let start = from + lexer.span().start;
            let end = from + lexer.span().end;
            match found {
                Ok(LineToken::Text) | Err(()) => self.push(SyntaxKind::StringText, start, end),
                Ok(LineToken::Escape) => self.push(SyntaxKind::StringEscape, start, end),
                Ok(LineToken::Interpolation) => return self.open_interpolation(start, end),
                Ok(LineToken::End) => {
                    self.push(SyntaxKind::StringEnd, start, end);
                    self.modes.pop();
                    return end;
                }
                Ok(LineToken::LineEnd) => {
                    self.give_up_line(start);
                    return start;
                }
            }
        }
        limit
    }

    fn block_text(&mut self, from: usize, limit: usize) -> usize {
        let mut lexer = BlockToken::lexer(self.text.get(from..limit).unwrap_or_default());
        while let Some(found) = lexer.next() {
            let start = from + lexer.span().start;
            let end = from + lexer.span().end;
            match found {
                Ok(BlockToken::Text) | Err(()) => self.push(SyntaxKind::StringText, start, end),
                Ok(BlockToken::Escape) => self.push(SyntaxKind::StringEscape, start, end),
                Ok(BlockToken::Interpolation) => return self.open_interpolation(start, end),
                Ok(BlockToken::End) => {
                    self.push(SyntaxKind::StringEnd, start, end);
                    self.modes.pop();
                    return end;
                }
            }
        }
        limit
    }

    fn open_interpolation(&mut self, start: usize, end: usize) -> usize {
        self.push(SyntaxKind::InterpolationStart, start, end);
        self.modes.push(Mode::Interpolation { start: start as u32, braces: 0 });
        end
    }

    /// One token inside `{{ }}`.
    fn in_interpolation(&mut self, at: usize, limit: usize, opened: u32, braces: u32) -> usize {
        let rest = self.text.get(at..limit).unwrap_or_default();
        if braces == 0 && rest.starts_with("}}") {
            self.push(SyntaxKind::InterpolationEnd, at, at + 2);
            self.modes.pop();
            return at + 2;
        }
        // There are no comments here.
        if rest.starts_with("//") || rest.starts_with("/*") {
            self.push(SyntaxKind::Slash, at, at + 1);
            return at + 1;
        }
        if rest.starts_with('#') {
            self.push(SyntaxKind::Unknown, at, at + 1);
            return at + 1;
        }
        let mut lexer = CodeToken::lexer(rest);
        let Some(found) = lexer.next() else { return limit };
        let slice = lexer.slice();
        let end = at + slice.len();
        let Ok(token) = found else { return self.stray(at, end) };
        match token {
            CodeToken::Quote => {
                self.push(SyntaxKind::StringStart, at, end);
                self.modes.push(Mode::Line { start: at as u32 });
                end
            }
            CodeToken::TripleQuote => {
                // Surely the end of the text around it: no `"""` stands inside `{{ }}`.
                if let Some(Mode::Block { .. }) = self.modes.first() {
                    self.give_up(1, at);
                    return at;
                }
                self.push(SyntaxKind::Unknown, at, end);
                end
            }
            CodeToken::Whitespace if self.in_a_line() && slice.contains(['\r', '\n']) => {
                let spaces = slice.find(['\r', '\n']).unwrap_or(0);
                if spaces > 0 {
                    self.push(SyntaxKind::Whitespace, at, at + spaces);
                }
                self.give_up_line(at + spaces);
                at + spaces
            }
            CodeToken::ForeignQuote => self.foreign_quote(at, end),
            CodeToken::LeftBrace | CodeToken::RightBrace => {
                let braces =
                    if token == CodeToken::LeftBrace { braces + 1 } else { braces.saturating_sub(1) };
                self.modes.pop();
                self.modes.push(Mode::Interpolation { start: opened, braces });
                self.push(token.kind(), at, end);
                end
            }
            other => {
                self.push(other.kind(), at, end);
                end
            }
        }
    }

    /// Whether a line end here would end a string.
    fn in_a_line(&self) -> bool {
        self.modes.iter().any(|m| matches!(m, Mode::Line { .. }))
    }

    /// The line ends: so does the outermost string of one line, and all inside it.
    fn give_up_line(&mut self, at: usize) {
        let outermost = self.modes.iter().position(|m| matches!(m, Mode::Line { .. })).unwrap_or(0);
        self.give_up(outermost, at);
    }

    /// Leaves the modes from `depth` on, none of which was closed; the outermost reason is the one to report.
    fn give_up(&mut self, depth: usize, at: usize) {
        let first = self.modes.get(depth).copied();
        let second = self.modes.get(depth + 1).copied();
        self.modes.truncate(depth);
        let (kind, start) = match (first, second) {
            (Some(Mode::Interpolation { start, .. }), _) | (_, Some(Mode::Interpolation { start, .. })) => {
                (FlawKind::UnclosedInterpolation, start)
            }
            (Some(Mode::Block { start }), _) => (FlawKind::UnclosedBlock, start),
            (Some(Mode::Line { start }), _) => (FlawKind::UnclosedLine, start),
            (None, _) => return,
        };
        self.flaw(kind, start as usize, at);
        self.takes_the_rest |= matches!(first, Some(Mode::Block { .. })) && depth == 0;
    }
}

/// Words that open an item; what follows them there is a name, a string or a brace.
pub(crate) const ITEM_WORDS: &[&str] = &[
    "import",
    "enum",
    "type",
    "const",
    "tool",
    "mcp",
    "phrase",
    "knowledge",
    "agent",
    "flow",
    "test",
    "provider",
    "event",
    "group",
    "campaign",
];

/// Offsets of the lines that open an item in column 0, or a node anywhere.
fn opening_lines(text: &str) -> Vec<u32> {
    let mut offset = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        if opens_item(line) || opens_node(line) {
            found.push(offset);
        }
        offset += line.len() as u32;
    }
    found
}

fn opens_item(line: &str) -> bool {
    let Some((word, rest)) = split_word(line) else { return false };
    let rest = rest.trim_start();
    match word {
        "import" => rest.starts_with('{'),
        "test" => rest.starts_with('"'),
        "anywhere" => rest.starts_with('{'),
        _ if ITEM_WORDS.contains(&word) => {
            split_word(rest).is_some_and(|(_, after)| after.trim_start().starts_with(['{', '(', ':', '=']))
        }
        _ => false,
    }
}

fn opens_node(line: &str) -> bool {
    let Some((word, rest)) = split_word(line.trim_start()) else { return false };
    let rest = rest.trim_start();
    match word {
        "anywhere" => rest.starts_with('{'),
        "node" => split_word(rest).is_some_and(|(_, after)| after.trim_start().starts_with('{')),
        _ => false,
    }
}

fn split_word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}
