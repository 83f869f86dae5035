//! `flow`, the circles among flows, and the last handlers of the standard library.

use std::collections::HashMap;

use dgh_diag::{Code, Diagnostic, Place, Related};
use dgh_ir::program::{Dialogue, DialogueId, FlowId, SlotKind, StepKind};
use dgh_ir::{Arena, Origin, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::body::Body;
use super::member::{Declaration, Members, is_torn};
use super::{Cx, Lower};
use crate::names::Named;

impl Lower<'_> {
    pub(crate) fn flow_signature(&mut self, file: usize, item: &ast::Flow, id: FlowId) {
        let mut body = Body::new(DialogueId::Flow(id));
        for param in item.params() {
            let declared = Declaration {
                name: param.name(),
                ty: param.ty(),
                default: param.default_value(),
                about: param.about(),
                whole: param.span(),
            };
            self.declare_slot(file, &mut body, SlotKind::Input, declared);
        }
        if is_torn(item) || item.param_list().is_none_or(|p| p.has_errors()) {
            self.damaged.insert(Named::Flow(id));
        }
        let result = item.result_type().map(|t| self.ty(file, &t));
        if result.is_none() && !item.has_errors() {
            let place = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
            self.error_hint(
                Code::SettingRequired,
                place,
                "this flow does not say what it returns",
                "Add a type behind its parameters: `flow name(…) -> bool { … }`.",
            );
        }
        let result = result.unwrap_or_else(Type::hole);
        body.result = Some(result.clone());
        self.program.flows[id].result = result;
        self.program.flows[id].dialogue.slots = body.slots.clone();
        let vars: Vec<ast::Var> = item.vars().collect();
        self.declare_vars(file, &mut body, &vars);
        self.bodies.insert(DialogueId::Flow(id), body);
    }

    pub(crate) fn flow(&mut self, file: usize, item: &ast::Flow, id: FlowId) {
        let Some(mut body) = self.bodies.remove(&DialogueId::Flow(id)) else { return };
        let members = Members::of(item.members());
        self.not_in_flows(file, &members);
        for knowledge in &members.knowledge {
            self.local_knowledge(file, &mut body, knowledge);
        }
        let owner = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
        let damaged = members.starts.is_empty() && item.has_errors();
        let dialogue = self.dialogue(file, &mut body, &members, owner, damaged);
        self.program.flows[id].dialogue = dialogue;
        self.bodies.insert(DialogueId::Flow(id), body);
    }

    /// What belongs to an agent.
    fn not_in_flows(&mut self, file: usize, members: &Members) {
        let mut found: Vec<(dgh_diag::Span, &str, &str)> = Vec::new();
        let agents = "It belongs to the agent that runs the flow.";
        found.extend(members.prompts.iter().map(|m| (m.span(), "a `prompt`", "A flow speaks with the persona of the agent that runs it. Say in its nodes' prompts what is special here.")));
        found.extend(members.outcomes.iter().map(|m| {
            (m.span(), "outcomes", "A flow ends with `return` and a value; the agent decides what follows.")
        }));
        found.extend(members.inputs.iter().map(|m| {
            (m.span(), "inputs", "What a flow is given are its parameters: `flow name(x: text) -> …`.")
        }));
        found.extend(members.before_calls.iter().map(|m| (m.span(), "`before call`", agents)));
        found.extend(members.webhooks.iter().map(|m| (m.span(), "webhooks", agents)));
        found.extend(members.reviews.iter().map(|m| (m.span(), "reviews", agents)));
        found.extend(members.policies.iter().map(|m| (m.span(), "promises", agents)));
        found.extend(members.moved.iter().map(|m| (m.span(), "`moved`", agents)));
        found.extend(members.groups.iter().map(|m| (m.span(), "groups of settings", agents)));
        found.extend(
            members
                .settings
                .iter()
                .map(|m| (m.name().map_or_else(|| m.span(), |n| n.span()), "settings", agents)),
        );
        for (span, what, hint) in found {
            let place = self.place(file, span);
            self.error_hint(
                Code::Misplaced,
                place,
                format!("a flow has no {}", what.trim_start_matches("a ")),
                hint,
            );
        }
    }

    /// Reports flows that run each other, with the way round.
    pub(crate) fn refuse_flow_cycles(&mut self) {
        let mut edges: HashMap<FlowId, Vec<(FlowId, Origin)>> = HashMap::new();
        for (id, flow) in self.program.flows.iter() {
            let blocks = flow.dialogue.routes.iter().flat_map(|(_, r)| &r.block);
            let steps = flow.dialogue.nodes.iter().flat_map(|(_, n)| &n.steps).chain(blocks);
            let runs = steps.filter_map(|s| match &s.kind {
                StepKind::Run { flow, .. } => Some((*flow, s.origin)),
                _ => None,
            });
            edges.insert(id, runs.collect());
        }
        let mut state: HashMap<FlowId, bool> = HashMap::new();
        for root in self.program.flows.ids().collect::<Vec<_>>() {
            if state.contains_key(&root) {
                continue;
            }
            let mut stack: Vec<(FlowId, usize)> = vec![(root, 0)];
            state.insert(root, false);
            while let Some((id, next)) = stack.last().copied() {
                if let Some(top) = stack.last_mut() {
                    top.1 += 1;
                }
                let Some((to, origin)) = edges.get(&id).and_then(|e| e.get(next)).copied() else {
                    state.insert(id, true);
                    stack.pop();
                    continue;
                };
                match state.get(&to) {
                    None => {
                        state.insert(to, false);
                        stack.push((to, 0));
                    }
                    Some(true) => {}
                    Some(false) => self.report_flow_cycle(&stack, &edges, to, origin),
                }
            }
        }
    }

    fn report_flow_cycle(
        &mut self,
        stack: &[(FlowId, usize)],
        edges: &HashMap<FlowId, Vec<(FlowId, Origin)>>,
        to: FlowId,
        origin: Origin,
    ) {
        let name = |id: FlowId| self.program.flows.get(id).map_or("?", |f| f.name.as_str());
        let place = self.report.place(origin);
        let message = if stack.last().is_some_and(|(id, _)| *id == to) {
            format!("the flow `{}` runs itself", name(to))
        } else {
            format!("the flow `{}` runs itself through others", name(to))
        };
        let mut finding = Diagnostic::new(Code::FlowCycle, place, message)
            .with_hint("A flow never runs itself. To ask again, lead back to one of its nodes instead.");
        let from = stack.iter().position(|(id, _)| *id == to).unwrap_or(0);
        for (id, next) in stack.iter().skip(from) {
            let Some((target, at)) = edges.get(id).and_then(|e| e.get(next.saturating_sub(1))) else {
                continue;
            };
            finding.steps.push(Related {
                place: self.report.place(*at),
                message: format!("`{}` runs `{}`", name(*id), name(*target)),
            });
        }
        self.report.push(finding);
    }

    /// The handlers that apply where no other does.
    pub(crate) fn last_handlers(&mut self) {
        let body = Body::new(DialogueId::Last);
        let mut dialogue = Dialogue { routes: Arena::new(), ..Dialogue::default() };
        for (file, block) in std::mem::take(&mut self.library.handlers) {
            let cx = Cx::body(file, &body);
            for route in block.routes() {
                let route = self.route(&cx, &body, None, &route);
                let id = dialogue.routes.push(route);
                dialogue.anywhere.push(id);
            }
        }
        self.program.last = dialogue;
    }

    /// All agents and flows.
    pub(crate) fn all_dialogues(&mut self) {
        let items = self.items.clone();
        for (file, item, named) in &items {
            match (item, *named) {
                (ast::Item::Flow(item), Named::Flow(id)) => self.flow(*file, item, id),
                (ast::Item::Agent(item), Named::Agent(id)) => self.agent(*file, item, id),
                _ => {}
            }
        }
        self.check_defaults();
        self.refuse_flow_cycles();
    }

    /// A flow by its name.
    pub(crate) fn flow_name(&mut self, cx: &Cx<'_>, name: &str, place: Place) -> Option<FlowId> {
        match self.scope(cx.file).and_then(|s| s.get(name)) {
            Some(Named::Flow(id)) => Some(id),
            Some(Named::Hole) => None,
            Some(Named::Tool(_)) => {
                self.error_hint(
                    Code::UnknownFlow,
                    place,
                    format!("`{name}` is a tool, not a flow"),
                    format!("A tool is called: `call {name}(…) as x`."),
                );
                None
            }
            Some(other) => {
                self.error(Code::UnknownFlow, place, format!("`{name}` is {}, not a flow", other.what()));
                None
            }
            None => {
                if self.is_lost(cx.file, name) {
                    return None;
                }
                let known = self
                    .scope(cx.file)
                    .map(|s| s.names_of(|n| matches!(n, Named::Flow(_))))
                    .unwrap_or_default();
                let finding = self.unknown(
                    Code::UnknownFlow,
                    place,
                    format!("there is no flow `{name}`"),
                    name,
                    &known,
                );
                let finding = if finding.hint.is_none() {
                    finding.with_hint(format!("Declare it: `flow {name}(…) -> bool {{ … }}`, or import it."))
                } else {
                    finding
                };
                self.report.push(finding);
                None
            }
        }
    }
}
