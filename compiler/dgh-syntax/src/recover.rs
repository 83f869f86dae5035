//! A tree and all errors for a text that the grammar refuses.
//!
//! The text is cut into pieces where statements seem to begin, and pest is given each piece alone: what it accepts goes
//! into the tree as it is. Of a piece that it refuses and that has a body in braces, the head is tried with an empty body,
//! and the body is cut up in the same way. So pest reads a byte once for each level of nesting that the language has, and
//! a mistake costs no more than the statement it is in.

use std::ops::Range;

use dgh_diag::{Span, suggest};
use pest::Parser as _;

use crate::{
    SyntaxKind,
    complain::{self, Refusal},
    error::SyntaxError,
    grammar::{Grammar, Rule},
    segment::{self, Body},
    shape::{Shape, begins_with_its_word, body_node, has_name, rules, shape, shape_of},
    token::Tokens,
    tree::TreeBuilder,
    units::Units,
};

/// More errors than anyone reads; past it pest is asked no more, and what is left goes into the tree as far as its words
/// show what it is.
pub(crate) const MAX_ERRORS: usize = 250;

/// How many pieces are tried together with those after them.
const JOINS: usize = 3;

/// Puts the whole text into the tree, and says what is wrong with it, and how many bytes pest read for that.
pub(crate) fn recover<'t>(
    text: &'t str,
    tokens: &'t Tokens,
    deep: &[Span],
    refusal: Option<Refusal>,
    tree: &mut TreeBuilder<'t>,
) -> (Vec<SyntaxError>, u64) {
    let units = Units::new(text, tokens);
    let mut recovery = Recovery { errors: complain::brackets(&units), units, deep, work: 0 };
    recovery.file(tree);
    if recovery.errors.is_empty() && tree.errors.is_empty() {
        recovery.complain_after_all(Body::File, 0..recovery.units.len(), refusal.as_ref());
    }
    (recovery.errors, recovery.work)
}

struct Recovery<'t, 'd> {
    units: Units<'t>,
    deep: &'d [Span],
    errors: Vec<SyntaxError>,
    /// Bytes given to pest.
    work: u64,
}

impl<'t> Recovery<'t, '_> {
    fn file(&mut self, tree: &mut TreeBuilder<'t>) {
        let mut first = 0;
        if self.units.word(0) == "dgh" {
            // What belongs to the edition stands on its line.
            let end = (1..self.units.len())
                .find(|i| self.units.get(*i).is_some_and(|u| u.is_first))
                .unwrap_or(self.units.len());
            first = if self.units.kind(1) == SyntaxKind::Int { 2.min(end) } else { end };
            self.edition(0..first, tree);
        } else {
            self.complain(SyntaxError::missing_edition(self.units.text));
        }
        for item in segment::hard_items(&self.units) {
            if item.end > first {
                self.body(Body::File, item.start.max(first)..item.end, tree);
            }
        }
    }

    fn edition(&mut self, range: Range<usize>, tree: &mut TreeBuilder<'t>) {
        let (start, end) = self.offsets(&range);
        if let Ok(pairs) = self.pest(Rule::whole_edition, self.units.between(start, end)) {
            tree.splice(pairs, start);
            return;
        }
        self.complain(complain::edition(&self.units, range.clone()));
        self.junk(range, tree);
    }

    /// All statements of a body.
    fn body(&mut self, body: Body, inside: Range<usize>, tree: &mut TreeBuilder<'t>) {
        let pieces = segment::pieces(&self.units, body, inside);
        let mut next = 0;
        while let Some(piece) = pieces.get(next) {
            if let Some(behind) =
                pieces.get(next + 1).filter(|behind| self.is_slip_of_when(body, piece, behind))
            {
                let whole = piece.start..behind.end;
                let speaks = !self.units.any_bad(whole.clone());
                self.unknown(body, whole, speaks, tree);
                next += 2;
                continue;
            }
            let joined = self.piece(body, &pieces, next, piece.clone(), tree);
            next += joined.max(1);
        }
    }

    /// `wen human: "…"`, which looks like a word and a setting.
    fn is_slip_of_when(&self, body: Body, word: &Range<usize>, behind: &Range<usize>) -> bool {
        let first = self.units.word(word.start);
        let words = body.words();
        word.len() == 1
            && !first.is_empty()
            && !words.contains(&first)
            && self.units.get(behind.start).is_some_and(|u| !u.is_first && u.kind == SyntaxKind::Ident)
            && self.units.kind(behind.start + 1) == SyntaxKind::Colon
            && suggest::closest(first, words) == Some("when")
    }

    /// One statement; gives how many pieces it turned out to be.
    fn piece(
        &mut self,
        body: Body,
        pieces: &[Range<usize>],
        number: usize,
        piece: Range<usize>,
        tree: &mut TreeBuilder<'t>,
    ) -> usize {
        let mut refusal = None;
        for count in 1..=JOINS {
            let Some(last) = pieces.get(number + count - 1) else { break };
            let range = piece.start..last.end;
            match self.whole(body, range.clone(), tree) {
                Outcome::Accepted => return count,
                Outcome::Silent => break,
                Outcome::Refused(why) => {
                    // Only a statement that was expected to go on may go on in the next piece.
                    let goes_on = why.at >= self.units.end(range.end);
                    if count == 1 {
                        refusal = Some(why);
                    }
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        self.broken(body, piece, refusal, tree);
        1
    }

    /// Tries a range as one statement.
    fn whole(&mut self, body: Body, range: Range<usize>, tree: &mut TreeBuilder<'t>) -> Outcome {
        if !self.may_be_parsed(&range) {
            return Outcome::Silent;
        }
        let (start, end) = self.offsets(&range);
        match self.pest(rules(body).0, self.units.between(start, end)) {
            Ok(pairs) => {
                tree.splice(pairs, start);
                Outcome::Accepted
            }
            Err(error) => Outcome::Refused(Refusal::new(&error, start)),
        }
    }

    /// A statement that does not parse.
    fn broken(
        &mut self,
        body: Body,
        range: Range<usize>,
        refusal: Option<Refusal>,
        tree: &mut TreeBuilder<'t>,
    ) {
        let Some(shape) = shape(body, &self.units, range.start) else {
            self.unknown(body, range, refusal.is_some(), tree);
            return;
        };
        let brace = shape.body.and_then(|inner| self.body_brace(inner, &range));
        if let (Some(inner), Some(brace)) = (shape.body, brace) {
            self.with_body(body, inner, shape, range, brace, refusal, tree);
            return;
        }
        if let Some(inner) = shape.body
            && let Some(head) =
                range.clone().find(|i| self.units.get(*i).is_some_and(|u| u.closes_at.is_some()))
        {
            self.complain(complain::missing_brace(&self.units, head));
            let closing = self.units.after(head).min(range.end);
            let inside = head + 1..closing.saturating_sub(1).max(head + 1);
            self.salvage(shape, true, range.start..closing, Some((inner, head + 1, inside)), tree);
            self.after_body(body, closing..range.end, None, tree);
            return;
        }
        if self.first_part(body, range.clone(), refusal.as_ref(), tree) {
            return;
        }
        if let Some(refusal) = &refusal {
            let error = complain::refused(&self.units, body, range.clone(), refusal);
            self.complain(error);
        }
        self.salvage(shape, true, range, None, tree);
    }

    /// A statement with a body in braces: its head with an empty body, then what is in the body.
    #[allow(clippy::too_many_arguments)]
    fn with_body(
        &mut self,
        body: Body,
        inner: Body,
        shape: Shape,
        range: Range<usize>,
        brace: usize,
        refusal: Option<Refusal>,
        tree: &mut TreeBuilder<'t>,
    ) {
        let inside = brace + 1..self.units.get(brace).map_or(range.end, |u| u.inside_end).min(range.end);
        let after = self.units.after(brace).min(range.end);
        let head = range.start..brace;
        let start = self.units.start(range.start);
        let hole = self.units.start(brace);
        if self.may_be_parsed(&head) {
            let alone = format!("{}{{}}", self.units.between(start, hole));
            match self.pest(rules(body).0, &alone) {
                Ok(pairs) => {
                    let told = self.errors.len() + tree.errors.len();
                    if let Some(rest) = tree.splice_up_to(pairs, start, hole) {
                        self.braces(inner, inside.clone(), after, tree);
                        tree.resume(rest);
                    }
                    self.after_body(body, after..range.end, refusal.as_ref(), tree);
                    if self.errors.len() + tree.errors.len() == told {
                        self.complain_after_all(inner, inside, refusal.as_ref());
                    }
                    return;
                }
                Err(error) => {
                    let why = Refusal::new(&error, start);
                    let error = complain::refused(&self.units, body, range.start..brace, &why);
                    self.complain(error);
                }
            }
        }
        self.salvage(shape, true, range.start..after, Some((inner, brace, inside)), tree);
        self.after_body(body, after..range.end, None, tree);
    }

    /// `{`, what is inside, `}`; either may be missing.
    fn braces(&mut self, inner: Body, inside: Range<usize>, after: usize, tree: &mut TreeBuilder<'t>) {
        tree.tokens_before(self.units.end(inside.start));
        self.body(inner, inside, tree);
        tree.tokens_before_without_trivia(self.units.end(after));
    }

    /// What stands between a body and the next statement.
    fn after_body(
        &mut self,
        body: Body,
        range: Range<usize>,
        refusal: Option<&Refusal>,
        tree: &mut TreeBuilder<'t>,
    ) {
        if range.is_empty() {
            return;
        }
        if refusal.is_some() && !self.units.any_bad(range.clone()) {
            let error = complain::leftover(&self.units, body, range.clone());
            self.complain(error);
        }
        self.junk(range, tree);
    }

    /// A whole statement with something behind it that does not belong to it.
    fn first_part(
        &mut self,
        body: Body,
        range: Range<usize>,
        refusal: Option<&Refusal>,
        tree: &mut TreeBuilder<'t>,
    ) -> bool {
        let Some(refusal) = refusal else { return false };
        let (start, end) = self.offsets(&range);
        let Ok(pairs) = self.pest(rules(body).1, self.units.between(start, end)) else { return false };
        // An unfinished form is what the grammar accepts for want of something better.
        if pairs.clone().flatten().any(|p| crate::grammar::is_missing(p.as_rule())) {
            return false;
        }
        // An arrow or a name behind the mistake is worth more than what stands before it.
        let end = pairs.clone().flatten().map(|p| start + p.as_span().end() as u32).max().unwrap_or(start);
        let rest = self.units.list.partition_point(|u| u.start < end);
        if (rest..range.end).any(|i| self.units.kind(i) == SyntaxKind::Arrow || self.units.word(i) == "as") {
            return false;
        }
        tree.splice(pairs, start);
        let rest = self.units.list.partition_point(|u| u.start < tree.offset());
        let error = complain::refused_after(&self.units, body, range.start..rest, range.clone(), refusal);
        self.complain(error);
        self.junk(rest.min(range.end)..range.end, tree);
        true
    }

    /// The brace of the body of a statement.
    fn body_brace(&self, inner: Body, range: &Range<usize>) -> Option<usize> {
        let mut arrow = false;
        let mut matches = 0;
        let mut braces = Vec::new();
        let mut index = range.start;
        while index < range.end {
            match self.units.kind(index) {
                SyntaxKind::Arrow if inner == Body::Steps => {
                    // Braces before the arrow belong to its condition.
                    arrow = true;
                    braces.clear();
                }
                SyntaxKind::LeftBrace => braces.push(index),
                SyntaxKind::Ident if self.units.text(index) == "match" => matches += 1,
                _ => {}
            }
            index = self.units.after(index).max(index + 1);
        }
        if arrow || inner != Body::Steps {
            matches = if inner == Body::Settings { matches } else { 0 };
        }
        braces.get(matches).copied()
    }

    /// A statement whose kind is known, but not its parts: those that are surely right are kept.
    fn salvage(
        &mut self,
        shape: Shape,
        is_well_spelled: bool,
        range: Range<usize>,
        braces: Option<(Body, usize, Range<usize>)>,
        tree: &mut TreeBuilder<'t>,
    ) {
        let head_end = braces.as_ref().map_or(range.end, |(_, brace, _)| *brace);
        tree.tokens_before(self.units.start(range.start));
        tree.start_node(shape.kind);
        let mut next = range.start;
        if begins_with_its_word(shape.kind) {
            next += 1;
            if is_well_spelled {
                tree.tokens_before(self.units.end(next));
            } else {
                self.junk(range.start..next, tree);
            }
        }
        if has_name(shape.kind) && next < head_end && self.units.kind(next) == SyntaxKind::Ident {
            self.wrapped(SyntaxKind::Name, next..next + 1, tree);
            next += 1;
        }
        if let Some((kind, target)) = self.target(next..head_end) {
            // All before the arrow, and the arrow.
            self.junk(next..target.start - 1, tree);
            tree.tokens_before(self.units.end(target.start));
            next = target.end;
            self.known_target(kind, target, tree);
        } else if let Some(binding) = self.binding(shape.kind, next..head_end) {
            self.junk(next..binding, tree);
            tree.tokens_before(self.units.start(binding));
            tree.start_node(SyntaxKind::Binding);
            tree.tokens_before(self.units.end(binding + 1));
            self.wrapped(SyntaxKind::Name, binding + 1..binding + 2, tree);
            tree.finish_node();
            next = binding + 2;
        }
        self.junk(next..head_end, tree);
        if let Some((inner, brace, inside)) = braces {
            let wrapper = body_node(shape.kind);
            if let Some(kind) = wrapper {
                tree.tokens_before(self.units.start(brace));
                tree.start_node(kind);
            }
            self.braces(inner, inside, range.end, tree);
            if wrapper.is_some() {
                tree.finish_node();
            }
        }
        tree.finish_node();
    }

    /// A target that is right, whatever stands before the arrow: else the node it leads to would seem unreachable.
    fn target(&self, range: Range<usize>) -> Option<(SyntaxKind, Range<usize>)> {
        let mut index = range.start;
        while index < range.end {
            if self.units.kind(index) == SyntaxKind::Arrow {
                let first = index + 1;
                let (kind, len) = match self.units.word(first) {
                    "" | "return" | "agent" => return None,
                    "back" => (SyntaxKind::BackTarget, 1),
                    "end" => (SyntaxKind::EndTarget, 2),
                    "detour" => (SyntaxKind::DetourTarget, 2),
                    _ => (SyntaxKind::NodeTarget, 1),
                };
                let named = len == 1 || self.units.kind(first + 1) == SyntaxKind::Ident;
                return (first + len <= range.end && named).then_some((kind, first..first + len));
            }
            index = self.units.after(index).max(index + 1);
        }
        None
    }

    fn known_target(&mut self, kind: SyntaxKind, range: Range<usize>, tree: &mut TreeBuilder<'t>) {
        tree.tokens_before(self.units.start(range.start));
        tree.start_node(kind);
        if kind != SyntaxKind::BackTarget {
            self.wrapped(SyntaxKind::NameRef, range.end - 1..range.end, tree);
        }
        tree.tokens_before_without_trivia(self.units.end(range.end));
        tree.finish_node();
    }

    /// The `as` of a `call` or `run`.
    fn binding(&self, kind: SyntaxKind, range: Range<usize>) -> Option<usize> {
        if !matches!(kind, SyntaxKind::Call | SyntaxKind::Run) {
            return None;
        }
        let mut index = range.start;
        while index + 1 < range.end {
            if self.units.word(index) == "as" && self.units.kind(index + 1) == SyntaxKind::Ident {
                return Some(index);
            }
            index = self.units.after(index).max(index + 1);
        }
        None
    }

    /// Units around which a node is put.
    fn wrapped(&mut self, kind: SyntaxKind, range: Range<usize>, tree: &mut TreeBuilder<'t>) {
        tree.tokens_before(self.units.start(range.start));
        tree.start_node(kind);
        tree.tokens_before_without_trivia(self.units.end(range.end));
        tree.finish_node();
    }

    /// Bytes that fit nowhere.
    fn junk(&mut self, range: Range<usize>, tree: &mut TreeBuilder<'t>) {
        if !range.is_empty() {
            self.wrapped(SyntaxKind::Error, range, tree);
        }
    }

    /// A statement whose word is none that may stand here. If it is clear which one was meant, the rest is read so.
    fn unknown(&mut self, body: Body, range: Range<usize>, speaks: bool, tree: &mut TreeBuilder<'t>) {
        if self.errors.len() >= MAX_ERRORS || (!speaks && self.units.word(range.start).is_empty()) {
            self.junk(range, tree);
            return;
        }
        let (error, meant) = complain::no_such_statement(&self.units, body, range.clone());
        if speaks {
            self.complain(error);
        }
        let Some(shape) = meant.and_then(|word| shape_of(body, word)) else {
            self.junk(range, tree);
            return;
        };
        let braces = shape.body.and_then(|inner| Some((inner, self.body_brace(inner, &range)?)));
        let Some((inner, brace)) = braces else {
            self.salvage(shape, false, range, None, tree);
            return;
        };
        let after = self.units.after(brace).min(range.end);
        let inside = brace + 1..self.units.get(brace).map_or(range.end, |u| u.inside_end).min(range.end);
        self.salvage(shape, false, range.start..after, Some((inner, brace, inside)), tree);
        self.after_body(body, after..range.end, None, tree);
    }

    /// What was refused as a whole, though each piece of it was accepted: it was cut where it should not have been.
    fn complain_after_all(&mut self, body: Body, range: Range<usize>, refusal: Option<&Refusal>) {
        if let Some(refusal) = refusal {
            let error = complain::refused(&self.units, body, range, refusal);
            self.complain(error);
        }
    }

    fn complain(&mut self, error: SyntaxError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// Whether pest may see it, and would not stumble over what was reported already.
    fn may_be_parsed(&self, range: &Range<usize>) -> bool {
        let (start, end) = self.offsets(range);
        let first = self.deep.partition_point(|s| s.start < start);
        let deep = self.deep.get(first).is_some_and(|s| s.start < end);
        // Whoever made so many mistakes has enough to read, and a file that is no program at all must not take long.
        !deep && self.errors.len() < MAX_ERRORS && !self.units.any_bad(range.clone())
    }

    fn offsets(&self, range: &Range<usize>) -> (u32, u32) {
        (self.units.start(range.start), self.units.end(range.end))
    }

    fn pest<'i>(
        &mut self,
        rule: Rule,
        text: &'i str,
    ) -> Result<pest::iterators::Pairs<'i, Rule>, Box<pest::error::Error<Rule>>> {
        self.work += text.len() as u64;
        Grammar::parse(rule, text).map_err(Box::new)
    }
}

enum Outcome {
    Accepted,
    Refused(Refusal),
    /// There is nothing to say about it that was not said.
    Silent,
}
