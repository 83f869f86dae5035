//! `expect`: what a test asks about the call, and what to say when it does not hold.

use std::borrow::Cow;

use dgh_ir::{AgentId, Builtin, CmpOp, Expr, ExprKind, Probe, Program, Scope, SlotId, Value};

use super::line::ScriptedCall;
use super::mocks::{Mocks, label, tool_name};
use crate::effect::Record;
use crate::view::View;

/// What a test sees of a call.
pub(super) struct Seen<'a> {
    pub(super) program: &'a Program,
    pub(super) line: &'a ScriptedCall,
    pub(super) mocks: &'a Mocks,
}

/// What is wrong with an `expect`; none: it holds.
pub(super) fn wrong(seen: &Seen<'_>, expr: &Expr) -> Option<String> {
    if let ExprKind::And(a, b) = &expr.kind {
        return wrong(seen, a).or_else(|| wrong(seen, b));
    }
    let scope = Probed { seen, view: seen.line.call().view(0) };
    match dgh_ir::holds(seen.program, expr, &scope) {
        Ok(true) => None,
        Ok(false) => Some(explain(seen, &scope, expr)),
        Err(error) => Some(format!("this cannot be told: {error}")),
    }
}

/// Nodes of agents that were entered, in order, with the name of their agent.
fn entered<'a>(seen: &'a Seen<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_agent = |name: &str| seen.program.agents.iter().any(|(_, agent)| agent.name == name);
    seen.line.records.iter().filter_map(move |record| match record {
        Record::Entered { dialogue, node } if is_agent(dialogue) => Some((dialogue.as_str(), node.as_str())),
        _ => None,
    })
}

fn explain(seen: &Seen<'_>, scope: &Probed<'_>, expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Probe(probe) => format!("expected not: {}", described(seen, probe)),
            ExprKind::IsSet(value) => {
                format!(
                    "expected {} to be missing, but it is {}",
                    named(seen, scope, value),
                    value_of(seen, scope, value)
                )
            }
            _ => "this holds, and should not".into(),
        },
        ExprKind::IsSet(value) => {
            format!("expected {} to have a value, but it is missing", named(seen, scope, value))
        }
        ExprKind::Probe(probe) => {
            format!("expected {}; {}", described(seen, probe), instead(seen, probe))
        }
        ExprKind::Cmp(op, a, b) => {
            let show = |side: &Expr| value_of(seen, scope, side);
            let name = named(seen, scope, a);
            match op {
                CmpOp::Eq => format!("expected {name} {}, but it is {}", show(b), show(a)),
                op => format!("expected {name} {op} {}, but it is {}", show(b), show(a)),
            }
        }
        _ => "this does not hold".into(),
    }
}

/// A value, as a report may show it.
fn value_of(seen: &Seen<'_>, scope: &Probed<'_>, side: &Expr) -> String {
    match dgh_ir::eval(seen.program, side, scope) {
        // A private value must not come out in a report.
        Ok(_) if side.ty.private => "[private]".into(),
        Ok(Value::None) => "none".into(),
        Ok(value) => dgh_ir::shown(seen.program, &side.ty, "value", &value),
        Err(error) => error.to_string(),
    }
}

/// What a side of an `expect` is called.
fn named(seen: &Seen<'_>, scope: &Probed<'_>, side: &Expr) -> String {
    match &side.kind {
        ExprKind::Probe(probe) => described(seen, probe),
        ExprKind::Slot(id) => scope.slot_name(*id).to_owned(),
        ExprKind::Maybe(inner) => named(seen, scope, inner),
        _ => "the left side".into(),
    }
}

fn described(seen: &Seen<'_>, probe: &Probe) -> String {
    match probe {
        Probe::Outcome => "outcome".into(),
        Probe::EndedBy => "ended_by".into(),
        Probe::Turns => "turns".into(),
        Probe::Visited(nodes) => {
            let nodes: Vec<_> = nodes.iter().map(|(agent, id)| node_name(seen, *agent, *id)).collect();
            format!("visited({})", nodes.join(", "))
        }
        Probe::Said(text) => format!("said({text:?})"),
        Probe::Sent(agent, id) => format!("sent({})", webhook_name(seen, *agent, *id)),
        Probe::Called(tool) => {
            let name = tool_name(seen.program, tool).map(|name| label(&name));
            format!("called({})", name.unwrap_or_default())
        }
        Probe::Searched(id) => {
            let name = seen.program.knowledge.get(*id).map_or("", |knowledge| &knowledge.name);
            format!("searched({name})")
        }
    }
}

fn instead(seen: &Seen<'_>, probe: &Probe) -> String {
    match probe {
        Probe::Visited(_) => {
            let went: Vec<_> = entered(seen).map(|(_, node)| node).collect();
            format!("the call went through {}", went.join(", "))
        }
        Probe::Said(_) => "the agent never said that".into(),
        Probe::Sent(..) => "it was not sent".into(),
        _ => "it is not so".into(),
    }
}

fn node_name<'a>(seen: &'a Seen<'_>, agent: AgentId, id: dgh_ir::NodeId) -> &'a str {
    let agent = seen.program.agents.get(agent);
    agent.and_then(|agent| agent.dialogue.nodes.get(id)).map_or("?", |node| &node.name)
}

fn webhook_name<'a>(seen: &'a Seen<'_>, agent: AgentId, id: dgh_ir::WebhookId) -> &'a str {
    seen.program
        .agents
        .get(agent)
        .and_then(|agent| agent.webhooks.get(id))
        .map_or("?", |webhook| &webhook.name)
}

/// The agent's names, and what only a test can ask.
struct Probed<'a> {
    seen: &'a Seen<'a>,
    view: View<'a>,
}

impl Scope for Probed<'_> {
    fn slot(&self, id: SlotId) -> Option<&Value> {
        self.view.slot(id)
    }

    fn slot_name(&self, id: SlotId) -> &str {
        self.view.slot_name(id)
    }

    fn builtin(&self, name: Builtin) -> Value {
        self.view.builtin(name)
    }

    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        self.view.env(name)
    }

    fn language(&self) -> &str {
        self.view.language()
    }

    fn probe(&self, probe: &Probe) -> Value {
        let seen = self.seen;
        let count = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        match probe {
            Probe::Outcome => self.view.builtin(Builtin::CallOutcome),
            Probe::EndedBy => self.view.builtin(Builtin::CallEndedBy),
            Probe::Turns => Value::Int(i64::from(seen.line.call().turns())),
            Probe::Visited(nodes) => {
                let mut went = entered(seen);
                let all = nodes.iter().all(|(agent, id)| {
                    let of = seen.program.agents.get(*agent).map_or("", |agent| agent.name.as_str());
                    let wanted = (of, node_name(seen, *agent, *id));
                    went.any(|node| node == wanted)
                });
                Value::Bool(all)
            }
            Probe::Said(text) => Value::Bool(said(&seen.line.spoken, text)),
            Probe::Sent(agent, id) => {
                let name = webhook_name(seen, *agent, *id);
                Value::Bool(seen.line.webhooks.iter().any(|(sent, _)| sent == name))
            }
            Probe::Called(tool) => {
                count(tool_name(seen.program, tool).map_or(0, |name| seen.mocks.called(&name)))
            }
            Probe::Searched(id) => {
                let name = tool_name(seen.program, &dgh_ir::ToolRef::Knowledge(*id));
                count(name.map_or(0, |name| seen.mocks.called(&name)))
            }
        }
    }
}

/// Whether the words were spoken, in one utterance or across several; case and spaces do not
/// matter.
fn said(spoken: &[String], wanted: &str) -> bool {
    let tidy = |text: &str| {
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        words.join(" ")
    };
    let all: Vec<_> = spoken.iter().map(|text| tidy(text)).collect();
    all.join(" ").contains(&tidy(wanted))
}
