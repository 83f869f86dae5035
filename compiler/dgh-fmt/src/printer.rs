//! Walks a tree and writes its tokens with new spaces between them.

use dgh_syntax::SyntaxKind as K;
use dgh_syntax::{SyntaxElement, SyntaxNode, SyntaxToken, TextSize, WalkEvent};

use crate::layout::{INDENT, WIDTH, group};
use crate::spacing::{Mark, space_between};
use crate::strings;

/// The tree of a whole file, which is that of `text`, as formatted text.
pub(crate) fn print(file: &SyntaxNode, text: &str) -> String {
    let mut printer = Printer::new(text);
    if text.starts_with('\u{feff}') {
        printer.out.push('\u{feff}');
    }
    printer.lines(file.children_with_tokens().collect(), None);
    if !printer.fresh {
        printer.line_end();
    }
    printer.out
}

/// What has been written so far, and where the pen stands.
pub(crate) struct Printer<'t> {
    text: &'t str,
    out: String,
    /// `\n`, or `\r\n` where the file has that first.
    new_line: &'static str,
    /// Spaces before a statement.
    pub(crate) indent: usize,
    column: usize,
    /// Whether nothing stands on the line yet.
    pub(crate) fresh: bool,
    /// The token before, on the same line.
    last: Option<Mark>,
    /// While a group is tried on one line: how it goes.
    pub(crate) trial: Option<Trial>,
    pub(crate) statement: Statement,
}

/// The statement that is being written, or the thing in a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    /// Where it ends in the source.
    end: TextSize,
    node: Option<SyntaxNode>,
    /// Whether the author's line ends between its words are kept, once it is known.
    keeps_breaks: Option<bool>,
    /// A line must, or may, start before the next token.
    broken: bool,
    /// Whether the source has a line end since the last token.
    line_ended: bool,
}

/// How it goes with a group that is tried on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    /// So far.
    Good,
    /// Something in it needs lines of its own.
    Failed,
}

/// A place to go back to.
pub(crate) struct Pen {
    length: usize,
    column: usize,
    fresh: bool,
    last: Option<Mark>,
    statement: Statement,
}

impl<'t> Printer<'t> {
    fn new(text: &'t str) -> Self {
        let first_line = text.find('\n').and_then(|at| text.get(..at));
        let new_line = if first_line.is_some_and(|l| l.ends_with('\r')) { "\r\n" } else { "\n" };
        Self {
            text,
            out: String::with_capacity(text.len() + text.len() / 8),
            new_line,
            indent: 0,
            column: 0,
            fresh: true,
            last: None,
            trial: None,
            statement: Statement::default(),
        }
    }

    /// One statement, or one thing of a group, from where the pen stands.
    pub(crate) fn entry(&mut self, element: &SyntaxElement) {
        let statement = Statement {
            end: element.text_range().end(),
            node: element.as_node().cloned(),
            ..Statement::default()
        };
        let outer = std::mem::replace(&mut self.statement, statement);
        match element {
            SyntaxElement::Node(node) => self.node(node),
            SyntaxElement::Token(token) => self.token(token),
        }
        self.statement = outer;
    }

    /// A node with all that is in it.
    pub(crate) fn node(&mut self, node: &SyntaxNode) {
        if let Some(group) = group(node.kind()) {
            self.group(node, group);
            return;
        }
        if node.kind() == K::String {
            self.string(node);
            return;
        }
        // A loop, not a recursion: expressions may lean to the left ten thousand deep.
        let mut walk = node.preorder_with_tokens();
        while let Some(event) = walk.next() {
            match event {
                WalkEvent::Enter(SyntaxElement::Token(token)) => self.inline(&token),
                WalkEvent::Enter(SyntaxElement::Node(inner))
                    if inner.kind() == K::String || group(inner.kind()).is_some() =>
                {
                    self.node(&inner);
                    walk.skip_subtree();
                }
                _ => {}
            }
        }
    }

    /// A token, space or comment inside of a statement.
    pub(crate) fn inline(&mut self, token: &SyntaxToken) {
        match token.kind() {
            K::Whitespace => {
                if token.text().contains('\n') {
                    self.statement.line_ended = true;
                    if self.trial.is_none() && !self.statement.broken && self.keeps_breaks() {
                        self.statement.broken = true;
                    }
                }
            }
            K::Comment | K::DocComment => {
                if self.statement.line_ended {
                    self.continue_below();
                } else {
                    self.push("  ");
                }
                self.push(token.text());
                self.statement.broken = true;
            }
            _ => self.token(token),
        }
    }

    pub(crate) fn token(&mut self, token: &SyntaxToken) {
        self.set_off(Mark::of(token));
        self.push(token.text());
        self.last = Some(Mark::of(token));
    }

    fn string(&mut self, node: &SyntaxNode) {
        let start = Mark { kind: K::StringStart, parent: K::String };
        self.set_off(start);
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        let line = self.out.get(line..).unwrap_or_default();
        let indent = line.len() - line.trim_start_matches([' ', '\u{feff}']).len();
        let text = strings::string(node, indent);
        self.push(&text);
        self.last = Some(Mark { kind: K::StringEnd, parent: K::String });
    }

    /// Puts the pen where a token goes: on a new line, or behind a space.
    fn set_off(&mut self, next: Mark) {
        if self.statement.broken && !self.fresh {
            self.continue_below();
        }
        self.statement.broken = false;
        self.statement.line_ended = false;
        if self.fresh {
            self.push(&" ".repeat(self.indent));
        } else if self.last.is_some_and(|last| space_between(last, next)) {
            self.push(" ");
        }
    }

    /// A line that goes on with the same statement.
    fn continue_below(&mut self) {
        self.line_end();
        self.push(&" ".repeat(self.indent + 2 * INDENT));
    }

    /// Ends the line.
    pub(crate) fn line_end(&mut self) {
        self.out.push_str(self.new_line);
        self.column = 0;
        self.fresh = true;
        self.last = None;
    }

    /// Text as it is.
    pub(crate) fn push(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text.get(at + 1..).unwrap_or_default().chars().count(),
            None => self.column += text.chars().count(),
        }
        self.fresh = false;
    }

    /// A comma behind the token before.
    pub(crate) fn comma(&mut self) {
        self.push(",");
        self.last = Some(Mark { kind: K::Comma, parent: K::ListExpr });
    }

    /// Whether the line, with what must follow `after` on it, is no longer than it may be.
    pub(crate) fn fits(&mut self, after: &SyntaxToken) -> bool {
        self.column <= WIDTH && self.column + self.rest(after) <= WIDTH
    }

    pub(crate) fn pen(&self) -> Pen {
        Pen {
            length: self.out.len(),
            column: self.column,
            fresh: self.fresh,
            last: self.last,
            statement: self.statement.clone(),
        }
    }

    pub(crate) fn go_back(&mut self, pen: Pen) {
        self.out.truncate(pen.length);
        self.column = pen.column;
        self.fresh = pen.fresh;
        self.last = pen.last;
        self.statement = pen.statement;
    }

    /// Whether the source is on one line between two offsets.
    pub(crate) fn on_one_line(&self, start: TextSize, end: TextSize) -> bool {
        self.text.get(start.into()..end.into()).is_some_and(|t| !t.contains('\n'))
    }

    /// Columns of what follows a token in its statement up to the next place where a line may end.
    fn rest(&mut self, after: &SyntaxToken) -> usize {
        let mut width = 0;
        let mut last = Mark::of(after);
        let mut next = after.next_token();
        while let Some(token) = next.filter(|t| t.text_range().start() < self.statement.end) {
            next = token.next_token();
            match token.kind() {
                K::Whitespace => {
                    if token.text().contains('\n') && self.keeps_breaks() {
                        return width;
                    }
                    continue;
                }
                K::Comment | K::DocComment => return width,
                _ => {}
            }
            let mark = Mark::of(&token);
            width += usize::from(is_set_off(last, mark));
            let text = token.text();
            let line = text.split('\n').next().unwrap_or_default();
            width += line.chars().count();
            let opens = group(mark.parent).is_some_and(|g| g.open == mark.kind);
            if opens || line.len() < text.len() || width > WIDTH {
                return width;
            }
            last = mark;
        }
        width
    }

    /// Whether the author's line ends inside of the statement stay: only where it is too long for
    /// one line even with its groups left out.
    fn keeps_breaks(&mut self) -> bool {
        if let Some(known) = self.statement.keeps_breaks {
            return known;
        }
        let width = self.indent + self.statement.node.as_ref().map_or(0, joined_width);
        self.statement.keeps_breaks = Some(width > WIDTH);
        width > WIDTH
    }
}

/// As [`space_between`], but inside of a string nothing is.
fn is_set_off(last: Mark, next: Mark) -> bool {
    let in_string =
        matches!(next.kind, K::StringText | K::StringEscape | K::StringEnd | K::InterpolationStart);
    !in_string && space_between(last, next)
}

/// Columns of a statement on one line, each group as its two brackets.
fn joined_width(node: &SyntaxNode) -> usize {
    let own = group(node.kind());
    let mut width = 0;
    let mut last: Option<Mark> = None;
    let mut inside = false;
    let mut walk = node.preorder_with_tokens();
    while let Some(event) = walk.next() {
        match event {
            WalkEvent::Enter(SyntaxElement::Token(token)) => {
                let mark = Mark::of(&token);
                if token.kind().is_trivia() {
                    continue;
                }
                let is_own = own.is_some() && token.parent().as_ref() == Some(node);
                if is_own && own.is_some_and(|g| g.close == mark.kind) {
                    inside = false;
                }
                if !inside {
                    width += usize::from(last.is_some_and(|l| is_set_off(l, mark)));
                    width += token.text().split('\n').next().unwrap_or_default().chars().count();
                    last = Some(mark);
                }
                if is_own && own.is_some_and(|g| g.open == mark.kind) {
                    inside = true;
                }
            }
            WalkEvent::Enter(SyntaxElement::Node(inner)) if inner != *node => {
                if inside {
                    walk.skip_subtree();
                } else if let Some(group) = group(inner.kind()) {
                    width += 3;
                    last = Some(Mark { kind: group.close, parent: inner.kind() });
                    walk.skip_subtree();
                }
            }
            _ => {}
        }
    }
    width
}
