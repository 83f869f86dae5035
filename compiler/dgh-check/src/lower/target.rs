//! Where an arrow leads.

use dgh_diag::{Code, Diagnostic};
use dgh_ir::program::{DialogueId, Target};
use dgh_syntax::ast;

use super::body::Body;
use super::step::inputs_of;
use super::{Cx, Lower};
use crate::names::Named;

impl Lower<'_> {
    pub(crate) fn target(&mut self, cx: &Cx<'_>, body: &Body, target: &ast::Target) -> Target {
        match target {
            ast::Target::Node(item) => {
                item.node().and_then(|n| self.node_name(cx.file, body, &n)).map_or(Target::Hole, Target::Node)
            }
            ast::Target::Detour(item) => item
                .node()
                .and_then(|n| self.node_name(cx.file, body, &n))
                .map_or(Target::Hole, Target::Detour),
            ast::Target::Back(_) => Target::Back,
            ast::Target::End(item) => self.end(cx, body, item),
            ast::Target::Return(item) => self.return_value(cx, body, item),
            ast::Target::Agent(item) => self.hand_over(cx, item),
        }
    }

    fn end(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::EndTarget) -> Target {
        let Some(name) = item.outcome() else { return Target::Hole };
        let place = self.at(cx, &name);
        let text = name.text();
        if body.is_last() && text == "none" {
            return Target::End(None);
        }
        if let Some(id) = body.outcomes.get(&text) {
            return Target::End(Some(*id));
        }
        if body.is_flow() {
            let place = self.at(cx, item);
            self.error_hint(
                Code::Misplaced,
                place,
                "a flow cannot end the call",
                "Return a value, and let the agent that runs the flow decide: `-> return no`.",
            );
            return Target::Hole;
        }
        if self.is_lost(cx.file, &text) || self.lacks_outcomes(body) {
            return Target::Hole;
        }
        let outcome_names = self.outcome_names(body);
        // What is exactly the name of a node is no slip.
        let near = if body.nodes.contains_key(&text) { [].as_slice() } else { outcome_names.as_slice() };
        let known: Vec<&str> = near.iter().map(String::as_str).collect();
        let finding =
            self.unknown(Code::UnknownOutcome, place, format!("there is no outcome `{text}`"), &text, &known);
        let finding = if !finding.fixes.is_empty() {
            finding
        } else if body.nodes.contains_key(&text) {
            finding.with_hint(format!("`{text}` is a node: `-> {text}`. Behind `end` stands an outcome."))
        } else {
            finding.with_hint(format!("Add it to the outcomes of the agent: `outcome {text}`."))
        };
        self.report.push(finding);
        Target::Hole
    }

    /// Says once of an agent that it declares no outcomes, which no `end` can name then.
    fn lacks_outcomes(&mut self, body: &Body) -> bool {
        let DialogueId::Agent(id) = body.id else { return false };
        if !body.outcomes.is_empty() {
            return false;
        }
        let lost = self.files.iter().any(|f| f.lost.contains("outcome"));
        if !lost && self.without_outcomes.insert(id) {
            let agent = &self.program.agents[id];
            let (name, place) = (agent.name.clone(), self.report.place(agent.origin));
            self.error_hint(
                Code::UnknownOutcome,
                place,
                format!("`{name}` declares no outcomes, so no call can end with one"),
                "List them in the agent: `outcome done, gave_up`.",
            );
        }
        true
    }

    pub(crate) fn outcome_names(&self, body: &Body) -> Vec<String> {
        body.outcome_enum
            .and_then(|id| self.program.enums.get(id))
            .map(|e| e.cases.clone())
            .unwrap_or_default()
    }

    fn return_value(&mut self, cx: &Cx<'_>, body: &Body, item: &ast::ReturnTarget) -> Target {
        let Some(value) = item.value() else { return Target::Hole };
        let Some(result) = &body.result else {
            let place = self.at(cx, item);
            self.error_hint(
                Code::Misplaced,
                place,
                "only a flow returns a value",
                "An agent ends the call with an outcome: `-> end done`.",
            );
            return Target::Hole;
        };
        Target::Return(self.value(cx, &value, result, "`return`"))
    }

    fn hand_over(&mut self, cx: &Cx<'_>, item: &ast::AgentTarget) -> Target {
        let Some(name) = item.agent() else { return Target::Hole };
        let place = self.at(cx, &name);
        let text = name.text();
        let agent = match self.scope(cx.file).and_then(|s| s.get(&text)) {
            Some(Named::Agent(id)) => id,
            Some(Named::Hole) => return Target::Hole,
            Some(other) => {
                self.error(Code::UnknownAgent, place, format!("`{text}` is {}, not an agent", other.what()));
                return Target::Hole;
            }
            None => {
                if !self.is_lost(cx.file, &text) {
                    let known = self
                        .scope(cx.file)
                        .map(|s| s.names_of(|n| matches!(n, Named::Agent(_))))
                        .unwrap_or_default();
                    let finding = self.unknown(
                        Code::UnknownAgent,
                        place,
                        format!("there is no agent `{text}`"),
                        &text,
                        &known,
                    );
                    let finding = if finding.hint.is_none() {
                        finding.with_hint("Declare it in this file, or import it.")
                    } else {
                        finding
                    };
                    self.report.push(finding);
                }
                return Target::Hole;
            }
        };
        if cx.dialogue().is_some_and(|b| b.id == DialogueId::Agent(agent)) {
            let finding =
                Diagnostic::new(Code::Conflict, place, format!("`{text}` hands the call over to itself"))
                    .with_hint("Lead to one of its nodes instead.");
            self.report.push(finding);
            return Target::Hole;
        }
        if self.damaged.contains(&Named::Agent(agent)) {
            self.lost_args(cx, item.args());
            return Target::Agent(agent, Vec::new());
        }
        let inputs = inputs_of(&self.program.agents[agent].dialogue);
        let args = self.slot_args(cx, item.args(), &inputs, &format!("`{text}`"), place);
        Target::Agent(agent, args)
    }
}
