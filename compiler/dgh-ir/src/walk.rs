//! Walks over expressions, texts, steps and routes, so that nobody writes the recursion twice.
//! Pre-order, in reading order, into the texts inside expressions; no recursion, so a deep
//! expression costs no stack.

use crate::expr::{Expr, ExprKind, Part, Template};
use crate::program::{Auth, Decider, HttpRequest, Node, Route, SlotId, Step, StepKind, Target, ToolRef};

/// How deep an expression may nest. The checker refuses more, [`crate::eval`] and the wire form
/// guard against it.
pub const MAX_EXPR_DEPTH: usize = 100;

impl Expr {
    /// Calls `visit` with this expression and all inside it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        let mut stack = vec![self];
        while let Some(expr) = stack.pop() {
            visit(expr);
            let from = stack.len();
            expr.each_child(&mut |child| stack.push(child));
            if let Some(children) = stack.get_mut(from..) {
                children.reverse();
            }
        }
    }

    /// Calls `visit` with each expression directly inside it, in reading order.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Slot(_)
            | ExprKind::Builtin(_)
            | ExprKind::Env(_)
            | ExprKind::Secret(_)
            | ExprKind::Recording(_)
            | ExprKind::Phrase(_)
            | ExprKind::Probe(_)
            | ExprKind::Hole => {}
            ExprKind::Template(template) => template.exprs().for_each(visit),
            ExprKind::Field(x, _)
            | ExprKind::Maybe(x)
            | ExprKind::IsSet(x)
            | ExprKind::Not(x)
            | ExprKind::Neg(x)
            | ExprKind::Reveal(x) => visit(x),
            ExprKind::Coalesce(a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Cmp(_, a, b)
            | ExprKind::Math(_, a, b)
            | ExprKind::In(a, b)
            | ExprKind::Range(a, b) => {
                visit(a);
                visit(b);
            }
            ExprKind::List(items) => items.iter().for_each(visit),
            ExprKind::Record(fields) => fields.iter().for_each(|(_, value)| visit(value)),
            ExprKind::Match { subject, arms, otherwise } => {
                visit(subject);
                for arm in arms {
                    visit(&arm.pattern);
                    visit(&arm.value);
                }
                if let Some(value) = otherwise {
                    visit(value);
                }
            }
        }
    }

    /// The slots it reads, each once, in reading order.
    pub fn reads(&self) -> Vec<SlotId> {
        let mut slots = Vec::new();
        self.walk(&mut |expr| add_read(&mut slots, expr));
        slots
    }

    /// Whether `test` holds for it or anything inside it.
    pub fn any(&self, mut test: impl FnMut(&Self) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |expr| found = found || test(expr));
        found
    }

    /// How deep it nests; 1 for a name.
    pub fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut stack = vec![(self, 1)];
        while let Some((expr, depth)) = stack.pop() {
            deepest = deepest.max(depth);
            expr.each_child(&mut |child| stack.push((child, depth + 1)));
        }
        deepest
    }
}

impl Template {
    /// The expressions of its interpolations.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value { expr, .. } => Some(expr),
        })
    }

    /// Calls `visit` with every expression in it, nested ones too.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.exprs().for_each(|expr| expr.walk(visit));
    }

    /// The slots it reads, each once, in reading order.
    pub fn reads(&self) -> Vec<SlotId> {
        let mut slots = Vec::new();
        self.walk(&mut |expr| add_read(&mut slots, expr));
        slots
    }
}

impl Step {
    /// Calls `visit` with each expression that the step evaluates, the outermost ones only; a
    /// text counts as the expressions of its interpolations.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            StepKind::Say { text, .. } | StepKind::Ask { text, .. } => visit(text),
            StepKind::Tell(text) | StepKind::Press(text) => text.exprs().for_each(visit),
            StepKind::Play { recording, .. } => visit(recording),
            StepKind::Call { args, meanwhile, .. } => {
                args.iter().map(|(_, value)| value).for_each(&mut *visit);
                meanwhile.iter().for_each(visit);
            }
            StepKind::Run { args, .. } => args.iter().for_each(|(_, value)| visit(value)),
            StepKind::Set(_, value) => visit(value),
            StepKind::Transfer { number, brief, .. } => {
                visit(number);
                brief.iter().flat_map(Template::exprs).for_each(visit);
            }
            StepKind::Wait(_) | StepKind::Clear(_) | StepKind::Hole => {}
        }
    }

    /// Calls `visit` with every expression in it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.each_expr(&mut |expr| expr.walk(visit));
    }

    /// The slots it reads, each once.
    pub fn reads(&self) -> Vec<SlotId> {
        let mut slots = Vec::new();
        self.walk(&mut |expr| add_read(&mut slots, expr));
        slots
    }

    /// The slot that it gives a value.
    pub fn writes(&self) -> Option<SlotId> {
        match &self.kind {
            StepKind::Call { bind, .. } | StepKind::Run { bind, .. } => *bind,
            StepKind::Set(slot, _) => Some(*slot),
            _ => None,
        }
    }

    /// The slots that it clears.
    pub fn clears(&self) -> &[SlotId] {
        match &self.kind {
            StepKind::Clear(slots) => slots,
            _ => &[],
        }
    }

    /// Whether it sounds: words, a recording.
    pub fn speaks(&self) -> bool {
        matches!(
            self.kind,
            StepKind::Say { .. } | StepKind::Tell(_) | StepKind::Ask { .. } | StepKind::Play { .. }
        )
    }
}

impl Route {
    /// Calls `visit` with each outermost expression: of the decider, the block, the target.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.decider.each_expr(visit);
        self.block.iter().for_each(|step| step.each_expr(visit));
        self.target.iter().for_each(|target| target.each_expr(visit));
    }
}

impl Decider {
    /// Calls `visit` with each outermost expression.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::On(crate::Event::Silence { after, .. }) => visit(after),
            Self::When(when) => {
                when.sentence.exprs().for_each(&mut *visit);
                when.guard.iter().for_each(visit);
            }
            Self::If(condition) => visit(condition),
            Self::On(_) | Self::Else | Self::Next => {}
        }
    }

    /// The condition that holds when the route is taken: of an `if`, or the guard of a `when`.
    pub fn condition(&self) -> Option<&Expr> {
        match self {
            Self::If(condition) => Some(condition),
            Self::When(when) => when.guard.as_ref(),
            _ => None,
        }
    }
}

impl Target {
    /// Calls `visit` with each outermost expression.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Return(value) => visit(value),
            Self::Agent(_, args) => args.iter().for_each(|(_, value)| visit(value)),
            _ => {}
        }
    }
}

impl Node {
    /// Calls `visit` with each outermost expression of the node itself, its routes not included:
    /// steps, prompt, collect.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.steps.iter().for_each(|step| step.each_expr(visit));
        self.prompt.iter().flat_map(Template::exprs).for_each(&mut *visit);
        if let Some(collect) = &self.collect {
            collect.from.iter().chain(&collect.tries).chain(&collect.ask).for_each(visit);
        }
    }

    /// Every tool that it calls, in its steps, or may use.
    pub fn tools(&self) -> impl Iterator<Item = &ToolRef> {
        let called = self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Call { tool, .. } => Some(tool),
            _ => None,
        });
        called.chain(&self.uses)
    }
}

impl HttpRequest {
    /// Calls `visit` with each outermost expression: of the address, headers, body, credentials.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.url.exprs().for_each(&mut *visit);
        self.headers.iter().for_each(|(_, value)| visit(value));
        self.body.iter().for_each(&mut *visit);
        self.auth.iter().for_each(|auth| auth.each_expr(visit));
    }
}

impl Auth {
    /// Calls `visit` with each argument.
    pub fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.args.iter().for_each(|(_, value)| visit(value));
    }
}

fn add_read(slots: &mut Vec<SlotId>, expr: &Expr) {
    if let ExprKind::Slot(id) = expr.kind
        && !slots.contains(&id)
    {
        slots.push(id);
    }
}
