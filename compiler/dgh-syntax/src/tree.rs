//! Tokens and grammar to a tree: leaves come from the tokens, nodes from what pest matched.
//!
//! pest's result is a flat stream of starts and ends of rules; it is spliced over the tokens, so the tree holds every
//! byte whatever the grammar skipped. A node ends at its last token that is no space or comment. The flat list of
//! operands and operators of an expression becomes nested here, by how tightly the operators bind.

use pest::{Token as Edge, iterators::Pairs};
use rowan::{Checkpoint, GreenNodeBuilder};

use crate::{
    SyntaxKind,
    ast::{BinaryOp, PrefixOp},
    error::SyntaxError,
    grammar::{Meaning, Rule, meaning},
    names,
    recover::MAX_ERRORS,
    token::Tokens,
};

/// Where a rule starts or ends.
#[derive(Debug, Clone, Copy)]
struct Step {
    rule: Rule,
    at: u32,
    is_start: bool,
}

/// What is left of a result of pest after a hole.
pub(crate) struct Rest {
    steps: Vec<Step>,
    at: usize,
    open: Vec<Option<SyntaxKind>>,
}

/// Builds one tree, from one or from many results of pest.
pub(crate) struct TreeBuilder<'t> {
    text: &'t str,
    tokens: &'t Tokens,
    builder: GreenNodeBuilder<'static>,
    /// The first token that is not in the tree yet.
    next: usize,
    steps: Vec<Step>,
    at: usize,
    /// The rules around, with their nodes.
    open: Vec<Option<SyntaxKind>>,
    /// What is wrong although the grammar accepts it.
    pub(crate) errors: Vec<SyntaxError>,
}

impl<'t> TreeBuilder<'t> {
    pub(crate) fn new(text: &'t str, tokens: &'t Tokens) -> Self {
        Self {
            text,
            tokens,
            builder: GreenNodeBuilder::new(),
            next: 0,
            steps: Vec::new(),
            at: 0,
            open: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The finished tree; every node must have been finished.
    pub(crate) fn finish(self) -> (rowan::GreenNode, Vec<SyntaxError>) {
        (self.builder.finish(), self.errors)
    }

    /// Opens a node at the next token that is no space or comment.
    pub(crate) fn start_node(&mut self, kind: SyntaxKind) {
        self.builder.start_node(kind.into());
    }

    /// Closes the node opened last.
    pub(crate) fn finish_node(&mut self) {
        self.builder.finish_node();
    }

    /// Puts in all tokens before `offset`.
    pub(crate) fn tokens_before(&mut self, offset: u32) {
        while let Some(token) = self.tokens.list.get(self.next)
            && token.start < offset
        {
            let text = self.tokens.text(self.text, self.next);
            self.builder.token(token.kind.into(), text);
            self.next += 1;
        }
    }

    /// Puts in the tokens before `offset`, but not the spaces and comments at their end.
    pub(crate) fn tokens_before_without_trivia(&mut self, offset: u32) {
        let mut index = self.next;
        let mut end = 0;
        while let Some(token) = self.tokens.list.get(index)
            && token.start < offset
        {
            index += 1;
            if !token.kind.is_trivia() {
                end = token.start + 1;
            }
        }
        self.tokens_before(end);
    }

    /// Offset after the last token in the tree.
    pub(crate) fn offset(&self) -> u32 {
        self.tokens.list.get(self.next).map_or(self.tokens.len, |t| t.start)
    }

    /// Puts what pest matched into the tree. `base` is the offset of the text that pest was given.
    pub(crate) fn splice(&mut self, pairs: Pairs<'_, Rule>, base: u32) {
        self.load(pairs, base);
        self.run(None);
    }

    /// Puts what pest matched into the tree, up to the `{` at the offset `hole`; what comes in its place is up to the
    /// caller, who then gives the rest to [`Self::resume`]. None if there was no such `{`.
    pub(crate) fn splice_up_to(&mut self, pairs: Pairs<'_, Rule>, base: u32, hole: u32) -> Option<Rest> {
        self.load(pairs, base);
        self.run(Some(hole)).then(|| Rest {
            steps: std::mem::take(&mut self.steps),
            at: self.at,
            open: std::mem::take(&mut self.open),
        })
    }

    /// Goes on after the empty braces in the hole.
    pub(crate) fn resume(&mut self, rest: Rest) {
        self.steps = rest.steps;
        self.open = rest.open;
        // The `{` and the `}`, a start and an end each.
        self.at = rest.at + 4;
        self.run(None);
    }

    fn load(&mut self, pairs: Pairs<'_, Rule>, base: u32) {
        self.steps.clear();
        self.steps.extend(pairs.tokens().map(|edge| match edge {
            Edge::Start { rule, pos } => Step { rule, at: base + pos.pos() as u32, is_start: true },
            Edge::End { rule, pos } => Step { rule, at: base + pos.pos() as u32, is_start: false },
        }));
        self.at = 0;
        self.open.clear();
    }

    /// Puts rules into the tree until they are used up, or until the `{` at `hole`: then it gives true.
    fn run(&mut self, hole: Option<u32>) -> bool {
        while let Some(step) = self.step() {
            if !step.is_start {
                self.at += 1;
                if let Some(Some(_)) = self.open.pop() {
                    self.tokens_before_without_trivia(step.at);
                    self.builder.finish_node();
                }
                continue;
            }
            if step.rule == Rule::left_brace && hole == Some(step.at) {
                return true;
            }
            match meaning(step.rule) {
                Meaning::Node(kind) => {
                    self.at += 1;
                    self.look_closer(kind, step);
                    self.tokens_before(step.at);
                    self.builder.start_node(kind.into());
                    self.open.push(Some(kind));
                }
                Meaning::Transparent => {
                    self.at += 1;
                    self.open.push(None);
                }
                _ => {
                    let parent = self.open.iter().rev().find_map(|k| *k).unwrap_or(SyntaxKind::File);
                    self.rule(parent);
                }
            }
        }
        false
    }

    /// What the grammar takes where it stands so that more can be said about it.
    fn look_closer(&mut self, kind: SyntaxKind, step: Step) {
        let around = self.open.iter().rev().find_map(|k| *k);
        if kind == SyntaxKind::Guard && around == Some(SyntaxKind::On) {
            self.errors.push(SyntaxError::condition_on_event(step.at));
        }
        let stands_directly = match around {
            Some(SyntaxKind::Agent | SyntaxKind::Flow | SyntaxKind::Node) => true,
            None => self.steps.first().is_some_and(|s| {
                matches!(
                    s.rule,
                    Rule::whole_member | Rule::first_member | Rule::whole_node_item | Rule::first_node_item
                )
            }),
            Some(_) => false,
        };
        if kind == SyntaxKind::Setting && stands_directly {
            let index = self.index_of(step.at);
            self.errors.extend(names::statement_with_colon(self.text, self.tokens, index));
        }
    }

    fn step(&self) -> Option<Step> {
        self.steps.get(self.at).copied()
    }

    /// The token at `offset`, which is not far from the last one in the tree.
    fn index_of(&self, offset: u32) -> usize {
        let mut index = self.next;
        while self.tokens.list.get(index).is_some_and(|t| t.start < offset) {
            index += 1;
        }
        index
    }

    /// The rule that starts here.
    fn starting(&self) -> Option<Step> {
        self.step().filter(|s| s.is_start)
    }

    /// One rule with all inside it.
    fn rule(&mut self, parent: SyntaxKind) {
        let Some(step) = self.step() else { return };
        self.at += 1;
        if !step.is_start {
            return;
        }
        match meaning(step.rule) {
            Meaning::Leaf => self.skip_to_end(),
            Meaning::Transparent => {
                self.inside(parent);
            }
            Meaning::Node(kind) => self.node(kind, step),
            Meaning::Name(kind) => {
                self.tokens_before(step.at);
                names::check(kind, step.rule, parent, self.text, self.tokens, self.next, &mut self.errors);
                self.node(kind, step);
            }
            Meaning::NameExpr => {
                self.tokens_before(step.at);
                self.builder.start_node(SyntaxKind::NameExpr.into());
                names::check(
                    SyntaxKind::NameRef,
                    step.rule,
                    SyntaxKind::NameExpr,
                    self.text,
                    self.tokens,
                    self.next,
                    &mut self.errors,
                );
                self.node(SyntaxKind::NameRef, step);
                self.builder.finish_node();
            }
            Meaning::Missing => {
                if self.errors.len() < MAX_ERRORS {
                    let error = SyntaxError::missing(step.rule, parent, self.text, self.tokens, step.at);
                    self.errors.push(error);
                }
                self.skip_to_end();
            }
            Meaning::Expression => {
                self.binary(0);
                // The end of the rule.
                self.at += 1;
            }
        }
    }

    fn node(&mut self, kind: SyntaxKind, step: Step) {
        self.tokens_before(step.at);
        self.builder.start_node(kind.into());
        let end = self.inside(kind);
        self.tokens_before_without_trivia(end);
        self.builder.finish_node();
    }

    /// The rules inside one whose start was read, and its end; gives the offset of the end.
    fn inside(&mut self, kind: SyntaxKind) -> u32 {
        while let Some(step) = self.step() {
            if !step.is_start {
                self.at += 1;
                return step.at;
            }
            self.rule(kind);
        }
        self.tokens.len
    }

    /// Leaves a rule that makes no node, whatever is inside.
    fn skip_to_end(&mut self) {
        let mut depth = 1;
        while depth > 0
            && let Some(step) = self.step()
        {
            if step.is_start {
                depth += 1;
            } else {
                depth -= 1;
            }
            self.at += 1;
        }
    }

    /// An expression whose operators all bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) {
        let Some(first) = self.starting() else { return };
        self.tokens_before(first.at);
        let start = self.builder.checkpoint();
        match first.rule {
            Rule::kw_not => self.prefix(PrefixOp::Not),
            Rule::minus => self.prefix(PrefixOp::Negate),
            _ => self.postfix(start),
        }
        while let Some(step) = self.starting()
            && step.rule == Rule::binary_op
        {
            let index = self.index_of(step.at);
            let Some(op) = BinaryOp::of(self.tokens.kind(index), self.tokens.text(self.text, index)) else {
                // The grammar has no other operators.
                self.at += 2;
                continue;
            };
            let (left, right) = op.binding_power();
            if left < least {
                return;
            }
            self.builder.start_node_at(start, SyntaxKind::BinaryExpr.into());
            self.at += 2;
            self.binary(right);
            self.builder.finish_node();
        }
    }

    fn prefix(&mut self, op: PrefixOp) {
        self.builder.start_node(SyntaxKind::PrefixExpr.into());
        self.at += 2;
        self.binary(op.binding_power());
        self.builder.finish_node();
    }

    /// A value and what hangs on it: `.name`, `( … )`, `?`.
    fn postfix(&mut self, start: Checkpoint) {
        self.rule(SyntaxKind::NameExpr);
        while let Some(step) = self.starting() {
            let kind = match step.rule {
                Rule::member_access => SyntaxKind::FieldExpr,
                Rule::args => SyntaxKind::CallExpr,
                Rule::question => SyntaxKind::MaybeExpr,
                _ => return,
            };
            self.builder.start_node_at(start, kind.into());
            if step.rule == Rule::question {
                self.at += 2;
                // The mark itself; its neighbour is the next token.
                self.tokens_before(step.at + 1);
            } else {
                self.rule(kind);
            }
            self.builder.finish_node();
        }
    }
}
