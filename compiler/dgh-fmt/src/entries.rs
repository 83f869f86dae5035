//! Groups: their things on one line or on many, with the comments and blank lines between them.

use dgh_syntax::SyntaxKind as K;
use dgh_syntax::{SyntaxElement, SyntaxNode, SyntaxToken};

use crate::layout::{Between, Group, INDENT, group};
use crate::printer::{Printer, Trial};

/// Bytes of source past which no group can fit a line, whatever its spaces.
const HOPELESS: usize = 4096;

impl Printer<'_> {
    /// A node with brackets: what stands before them, the brackets, what stands behind.
    pub(crate) fn group(&mut self, node: &SyntaxNode, group: Group) {
        let mut children = node.children_with_tokens();
        let mut open = None;
        for child in children.by_ref() {
            match child {
                SyntaxElement::Token(token) if token.kind() == group.open => {
                    open = Some(token);
                    break;
                }
                SyntaxElement::Token(token) => self.inline(&token),
                SyntaxElement::Node(inner) => self.node(&inner),
            }
        }
        let Some(open) = open else { return };
        let mut inside = Vec::new();
        let mut close = None;
        for child in children.by_ref() {
            match child {
                SyntaxElement::Token(token) if token.kind() == group.close => {
                    close = Some(token);
                    break;
                }
                other => inside.push(other),
            }
        }
        let Some(close) = close else { return };
        self.brackets(group.between, &open, inside, &close);
        for child in children {
            match child {
                SyntaxElement::Token(token) => self.inline(&token),
                SyntaxElement::Node(inner) => self.node(&inner),
            }
        }
    }

    fn brackets(
        &mut self,
        between: Between,
        open: &SyntaxToken,
        inside: Vec<SyntaxElement>,
        close: &SyntaxToken,
    ) {
        let (start, end) = (open.text_range().start(), close.text_range().end());
        let things: Vec<&SyntaxElement> = inside.iter().filter(|e| is_thing(e)).collect();
        let has_comment = inside.iter().any(is_comment);
        if things.is_empty() && !has_comment {
            self.token(open);
            self.token(close);
            return;
        }
        let may_be_flat = between.fits_a_line(things.len())
            && !has_comment
            && usize::from(end - start) < HOPELESS
            && self.on_one_line(start, end);
        if self.trial.is_some() && !may_be_flat {
            self.trial = Some(Trial::Failed);
            return;
        }
        if may_be_flat {
            let pen = self.pen();
            let outer = self.trial;
            self.trial = outer.or(Some(Trial::Good));
            self.token(open);
            for (number, thing) in things.iter().enumerate() {
                if number > 0 {
                    self.comma();
                }
                self.entry(thing);
            }
            self.token(close);
            if outer.is_some() {
                return;
            }
            let good = self.trial == Some(Trial::Good);
            self.trial = None;
            if good && self.fits(close) {
                return;
            }
            self.go_back(pen);
        }
        if let ([only], false, Between::Comma) = (things.as_slice(), has_comment, between)
            && is_one_group(only)
        {
            // `[{ … }]` and `f([ … ])` break inside.
            self.token(open);
            self.entry(only);
            self.token(close);
            return;
        }
        self.token(open);
        self.indent += INDENT;
        self.lines(inside, Some(between));
        self.indent -= INDENT;
        self.line_end();
        self.token(close);
    }

    /// Things and comments, each on its own line. Within brackets they start on the line below.
    pub(crate) fn lines(&mut self, elements: Vec<SyntaxElement>, between: Option<Between>) {
        let mut line_ends = 0;
        let mut gap = 0;
        let mut first = true;
        for element in &elements {
            match element.kind() {
                K::Whitespace => {
                    let text = element.as_token().map_or("", |t| t.text());
                    line_ends += text.matches('\n').count();
                    gap = if text.bytes().all(|b| b == b' ') { text.len() } else { 0 };
                    continue;
                }
                K::Comma => continue,
                K::Comment | K::DocComment if line_ends == 0 && !self.fresh => {
                    // Behind something: the author may have put such comments under one another.
                    self.push(&" ".repeat(gap.max(2)));
                    self.comment(element);
                }
                _ => {
                    if !self.fresh {
                        self.line_end();
                    }
                    if line_ends > 1 && !first {
                        self.line_end();
                    }
                    if is_comment(element) {
                        self.push(&" ".repeat(self.indent));
                        self.comment(element);
                    } else {
                        self.entry(element);
                        if between == Some(Between::Comma) {
                            self.comma();
                        }
                    }
                }
            }
            first = false;
            line_ends = 0;
            gap = 0;
        }
    }

    fn comment(&mut self, element: &SyntaxElement) {
        if let SyntaxElement::Token(token) = element {
            self.push(token.text());
        }
    }
}

fn is_comment(element: &SyntaxElement) -> bool {
    matches!(element.kind(), K::Comment | K::DocComment)
}

fn is_thing(element: &SyntaxElement) -> bool {
    !element.kind().is_trivia() && element.kind() != K::Comma
}

/// Whether a value is a single list, record or `match`, perhaps behind its name.
fn is_one_group(element: &SyntaxElement) -> bool {
    let Some(mut node) = element.as_node().cloned() else { return false };
    if node.kind() == K::Arg {
        let Some(value) = node.last_child() else { return false };
        node = value;
    }
    node.kind() != K::CallExpr && group(node.kind()).is_some()
}
