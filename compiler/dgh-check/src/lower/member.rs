//! What agents and flows have in common: variables, nodes, the names that `as` binds.

use dgh_diag::{Code, Diagnostic, Place, Span};
use dgh_ir::program::{Dialogue, NodeId, Route, RouteId, Slot, SlotKind};
use dgh_ir::{Arena, Kind, Origin, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::{Cx, Lower, plain};
use crate::names::Named;
use crate::types::{join, type_name};

/// The members of an agent or flow, by kind, read once.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) prompts: Vec<ast::Prompt>,
    pub(crate) outcomes: Vec<ast::Outcome>,
    pub(crate) inputs: Vec<ast::Input>,
    pub(crate) vars: Vec<ast::Var>,
    pub(crate) starts: Vec<ast::Start>,
    pub(crate) nodes: Vec<ast::Node>,
    pub(crate) anywheres: Vec<ast::Anywhere>,
    pub(crate) before_calls: Vec<ast::BeforeCall>,
    pub(crate) webhooks: Vec<ast::Webhook>,
    pub(crate) knowledge: Vec<ast::Knowledge>,
    pub(crate) reviews: Vec<ast::Review>,
    /// `ensure`, `always`, `never`, in the order of the source.
    pub(crate) policies: Vec<ast::Member>,
    pub(crate) moved: Vec<ast::Moved>,
    pub(crate) groups: Vec<ast::Group>,
    pub(crate) settings: Vec<ast::Setting>,
}

impl Members {
    pub(crate) fn of(members: impl Iterator<Item = ast::Member>) -> Self {
        let mut found = Self::default();
        for member in members {
            match member {
                ast::Member::Prompt(m) => found.prompts.push(m),
                ast::Member::Outcome(m) => found.outcomes.push(m),
                ast::Member::Input(m) => found.inputs.push(m),
                ast::Member::Var(m) => found.vars.push(m),
                ast::Member::Start(m) => found.starts.push(m),
                ast::Member::Node(m) => found.nodes.push(m),
                ast::Member::Anywhere(m) => found.anywheres.push(m),
                ast::Member::BeforeCall(m) => found.before_calls.push(m),
                ast::Member::Webhook(m) => found.webhooks.push(m),
                ast::Member::Knowledge(m) => found.knowledge.push(m),
                ast::Member::Review(m) => found.reviews.push(m),
                ast::Member::Moved(m) => found.moved.push(m),
                ast::Member::Group(m) => found.groups.push(m),
                ast::Member::Setting(m) => found.settings.push(m),
                policy @ (ast::Member::Ensure(_) | ast::Member::Always(_) | ast::Member::Never(_)) => {
                    found.policies.push(policy);
                }
            }
        }
        found
    }
}

/// What an input or variable says of itself.
pub(crate) struct Declaration {
    pub(crate) name: Option<ast::Name>,
    pub(crate) ty: Option<ast::TypeRef>,
    pub(crate) default: Option<ast::Expr>,
    pub(crate) about: Option<ast::StringLit>,
    pub(crate) whole: Span,
}

/// Whether the parser could not read something directly inside of an item.
pub(crate) fn is_torn(item: &impl ast::AstNode) -> bool {
    item.syntax().children().any(|c| c.kind() == dgh_syntax::SyntaxKind::Error)
}

impl Lower<'_> {
    /// Adds an input, a parameter or a variable.
    pub(crate) fn declare_slot(&mut self, file: usize, body: &mut Body, kind: SlotKind, item: Declaration) {
        let Some(name) = item.name else { return };
        let place = self.place(file, name.span());
        let ty = item.ty.map_or_else(Type::hole, |t| self.ty(file, &t));
        let default =
            item.default.map(|d| self.value(&Cx::fixed(file), &d, &ty, &format!("`{}`", name.text())));
        let whole = self.place(file, item.whole);
        let origin = self.report.origin_of(place, whole);
        let slot = Slot { name: name.text(), ty, kind, about: plain(item.about), default, origin };
        if let Err(first) = body.add(slot) {
            let first = body.slots.get(first).map_or(Origin::NONE, |s| s.origin);
            let first = self.report.place(first);
            self.duplicate(place, first, &format!("`{}`", name.text()));
        }
    }

    pub(crate) fn declare_vars(&mut self, file: usize, body: &mut Body, vars: &[ast::Var]) {
        for var in vars {
            let item = Declaration {
                name: var.name(),
                ty: var.ty(),
                default: var.default_value(),
                about: var.about(),
                whole: crate::names::whole_span(var.syntax()),
            };
            self.declare_slot(file, body, SlotKind::Var, item);
        }
    }

    /// Gives the nodes their ids; of two with one name only the first is kept.
    pub(crate) fn declare_nodes(
        &mut self,
        file: usize,
        body: &mut Body,
        nodes: &[ast::Node],
    ) -> Vec<(NodeId, ast::Node)> {
        let mut kept = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Some(name) = node.name() else { continue };
            let place = self.place(file, name.span());
            let text = name.text();
            if let Some((_, first)) = body.nodes.get(&text) {
                let first = *first;
                self.duplicate(place, first, &format!("the node `{text}`"));
                continue;
            }
            let id = NodeId(u32::try_from(kept.len()).unwrap_or(u32::MAX));
            body.nodes.insert(text.clone(), (id, place));
            body.node_names.push(text);
            kept.push((id, node.clone()));
        }
        kept
    }

    /// The nodes, routes and start of a dialogue.
    pub(crate) fn dialogue(
        &mut self,
        file: usize,
        body: &mut Body,
        members: &Members,
        owner: Place,
        damaged: bool,
    ) -> Dialogue {
        let nodes = self.declare_nodes(file, body, &members.nodes);
        self.declare_bindings(file, body, members);
        let body = &*body;
        let mut routes: Arena<RouteId, Route> = Arena::new();
        let mut lowered = Arena::new();
        for (id, node) in &nodes {
            let node = self.node(file, body, *id, node, &mut routes);
            lowered.push(node);
        }
        let mut anywhere = Vec::new();
        let cx = Cx::body(file, body);
        for block in &members.anywheres {
            for route in block.routes() {
                let route = self.route(&cx, body, None, &route);
                anywhere.push(routes.push(route));
            }
        }
        let start = self.start(file, body, members, owner, damaged);
        Dialogue { slots: body.slots.clone(), nodes: lowered, routes, anywhere, start }
    }

    fn start(
        &mut self,
        file: usize,
        body: &Body,
        members: &Members,
        owner: Place,
        damaged: bool,
    ) -> Option<NodeId> {
        let mut starts = members.starts.iter();
        let Some(first) = starts.next() else {
            if !damaged {
                let hint = match body.node_names.first() {
                    Some(node) => format!("Say where it starts: `start {node}`."),
                    None => "Say where it starts: `start hello`, and add `node hello { … }`.".to_owned(),
                };
                let what = if body.is_flow() { "this flow" } else { "this agent" };
                self.error_hint(
                    Code::MissingStart,
                    owner,
                    format!("{what} does not say where it starts"),
                    hint,
                );
            }
            return None;
        };
        for second in starts {
            let place = self.place(file, second.span());
            let related = self.place(file, first.span());
            let finding =
                Diagnostic::new(Code::Duplicate, place, "there is one `start`, and this is the second")
                    .with_related(related, "the first one")
                    .with_hint("Remove one of the two.");
            self.report.push(finding);
        }
        let name = first.node()?;
        self.node_name(file, body, &name)
    }

    /// A node by its name, reported if there is none.
    pub(crate) fn node_name(&mut self, file: usize, body: &Body, name: &ast::NameRef) -> Option<NodeId> {
        let text = name.text();
        if let Some((id, _)) = body.nodes.get(&text) {
            return Some(*id);
        }
        if self.is_lost(file, &text) {
            return None;
        }
        let place = self.place(file, name.span());
        let known = body.node_list();
        // What is exactly the name of an outcome is no slip.
        let known = if body.outcomes.contains_key(&text) { Vec::new() } else { known };
        let finding =
            self.unknown(Code::UnknownNode, place, format!("there is no node `{text}`"), &text, &known);
        let finding = if !finding.fixes.is_empty() {
            finding
        } else if body.outcomes.contains_key(&text) {
            finding.with_hint(format!("`{text}` is an outcome: `-> end {text}`."))
        } else if matches!(text.as_str(), "hangup" | "hang_up" | "end_call" | "exit" | "stop" | "quit") {
            let outcome = body.outcome_enum.and_then(|id| self.program.enums.get(id)?.cases.first());
            let outcome = outcome.map_or("done", String::as_str);
            finding.with_hint(format!("A call ends with an outcome: `-> end {outcome}`."))
        } else if self.scope(file).and_then(|s| s.peek(&text)).is_some_and(|n| matches!(n, Named::Flow(_))) {
            finding.with_hint(format!("`{text}` is a flow. A node runs it: `run {text}(…)`."))
        } else if self.scope(file).and_then(|s| s.peek(&text)).is_some_and(|n| matches!(n, Named::Agent(_))) {
            finding.with_hint(format!(
                "`{text}` is an agent. The call is handed over with `-> agent {text}(…)`."
            ))
        } else {
            finding.with_hint(format!("Add `node {text} {{ … }}`, or name one that is there."))
        };
        self.report.push(finding);
        None
    }

    /// The names that `call … as x` and `run … as x` bind, with the types of the answers.
    fn declare_bindings(&mut self, file: usize, body: &mut Body, members: &Members) {
        for hook in &members.before_calls {
            for step in hook.steps() {
                match step {
                    // A failure leaves the result missing, so it may be.
                    ast::HookStep::Step(step) => self.declare_binding(file, body, &step, true),
                    ast::HookStep::Guarded(guarded) => {
                        for step in guarded.block().into_iter().flat_map(|b| b.steps()) {
                            self.declare_binding(file, body, &step, true);
                        }
                    }
                }
            }
        }
        for node in &members.nodes {
            for item in node.items() {
                match item {
                    ast::NodeItem::Step(step) => self.declare_binding(file, body, &step, false),
                    ast::NodeItem::Route(route) => self.declare_in_block(file, body, &route),
                    _ => {}
                }
            }
        }
        for route in members.anywheres.iter().flat_map(ast::Anywhere::routes) {
            self.declare_in_block(file, body, &route);
        }
    }

    fn declare_in_block(&mut self, file: usize, body: &mut Body, route: &ast::Route) {
        for step in route.block().into_iter().flat_map(|b| b.steps()) {
            self.declare_binding(file, body, &step, false);
        }
    }

    fn declare_binding(&mut self, file: usize, body: &mut Body, step: &ast::Step, may_miss: bool) {
        let (name, callee) = match step {
            ast::Step::Call(call) => (call.bound_name(), call.callee()),
            ast::Step::Run(run) => (run.bound_name(), run.callee()),
            _ => return,
        };
        let Some(name) = name else { return };
        let place = self.place(file, name.span());
        let mut ty = callee.and_then(|c| self.answer_type(file, &c)).unwrap_or_else(Type::hole);
        ty.optional |= may_miss;
        let text = name.text();
        match body.by_name.get(&text).copied() {
            None => {
                let origin = self.report.origin(place);
                let slot = Slot {
                    name: text.clone(),
                    ty,
                    kind: SlotKind::Binding,
                    about: None,
                    default: None,
                    origin,
                };
                let id = body.slots.push(slot);
                body.by_name.insert(text, id);
            }
            Some(id) if body.slots[id].kind == SlotKind::Binding => {
                let first = body.slots[id].ty.clone();
                let same = first.kind == ty.kind
                    || matches!(first.kind, Kind::Hole)
                    || matches!(ty.kind, Kind::Hole);
                let joined = if same { join(&first, &ty) } else { None };
                match joined {
                    Some(joined) => body.slots[id].ty = joined,
                    None => {
                        let related = self.report.place(body.slots[id].origin);
                        let (a, b) = (type_name(&self.program, &first), type_name(&self.program, &ty));
                        let finding = Diagnostic::new(Code::Duplicate, place, format!("`{text}` is a `{b}` here, and a `{a}` elsewhere"))
                            .with_related(related, "the first one")
                            .with_hint("A name stands for one type in the whole agent. Give one of the two another name.");
                        self.report.push(finding);
                    }
                }
            }
            Some(_) => {}
        }
    }

    /// The type of the answer of what a step calls or runs, without reporting.
    fn answer_type(&self, file: usize, callee: &ast::Expr) -> Option<Type> {
        let path = callee.path()?;
        match self.scope(file)?.peek(&path.first()?.text())? {
            Named::Tool(id) => self.program.tools.get(id)?.result.clone(),
            Named::Flow(id) => Some(self.program.flows.get(id)?.result.clone()),
            Named::Mcp(_) => Some(Type::of(Kind::Json)),
            _ => None,
        }
    }
}
