//! Expressions and events as the author would write them: for the labels of a graph, for `why`
//! in a record, for messages. Writing to a `String` cannot fail, so nothing asks whether it did.

use std::fmt::Write as _;

use crate::event::Event;
use crate::expr::{Expr, ExprKind, Part, Probe, Template};
use crate::program::{AgentId, Dialogue, NodeId, Program, ToolRef};
use crate::render::{Purpose, value_text};
use crate::types::Kind;
use crate::value::Value;

impl Program {
    /// An expression of a dialogue in the language's own form, on one line. A private literal
    /// does not exist, so nothing is hidden.
    pub fn expr_text(&self, dialogue: &Dialogue, expr: &Expr) -> String {
        let mut out = String::new();
        Printer { program: self, dialogue }.expr(expr, 0, 0, &mut out);
        out
    }

    /// An event pattern with its arguments: `silence(7s, times: 3)`.
    pub fn event_text(&self, dialogue: &Dialogue, event: &Event) -> String {
        let times = |times: u32| if times > 1 { format!(", times: {times}") } else { String::new() };
        match event {
            Event::Silence { after, times: count } => {
                format!("silence({}{})", self.expr_text(dialogue, after), times(*count))
            }
            Event::Unclear { times } if *times > 1 => format!("unclear(times: {times})"),
            Event::Stalled { turns } => format!("stalled(turns: {turns})"),
            Event::Corrected(slot) => {
                format!("corrected({})", dialogue.slots.get(*slot).map_or("?", |slot| &slot.name))
            }
            _ => event.name().into_owned(),
        }
    }
}

struct Printer<'a> {
    program: &'a Program,
    dialogue: &'a Dialogue,
}

/// How strongly an operator binds; a part that binds less gets parentheses.
fn strength(kind: &ExprKind) -> u8 {
    use crate::expr::MathOp::{Add, Div, Mul, Sub};
    match kind {
        ExprKind::Or(..) => 1,
        ExprKind::And(..) => 2,
        ExprKind::Not(_) => 3,
        ExprKind::Cmp(..) | ExprKind::In(..) => 4,
        ExprKind::Coalesce(..) => 5,
        ExprKind::Range(..) => 6,
        ExprKind::Math(Add | Sub, ..) => 7,
        ExprKind::Math(Mul | Div, ..) => 8,
        ExprKind::Neg(_) => 9,
        _ => 10,
    }
}

/// Levels that are written; what is deeper is `…`.
const MAX_LEVELS: usize = 64;

impl Printer<'_> {
    fn expr(&self, expr: &Expr, needed: u8, level: usize, out: &mut String) {
        if level > MAX_LEVELS {
            out.push('…');
            return;
        }
        let own = strength(&expr.kind);
        if own < needed {
            out.push('(');
        }
        let mut pair = |a: &Expr, op: &str, b: &Expr| {
            self.expr(a, own, level + 1, out);
            out.push_str(op);
            self.expr(b, own + 1, level + 1, out);
        };
        match &expr.kind {
            ExprKind::Or(a, b) => pair(a, " or ", b),
            ExprKind::And(a, b) => pair(a, " and ", b),
            ExprKind::Coalesce(a, b) => pair(a, " ?? ", b),
            ExprKind::In(a, b) => pair(a, " in ", b),
            ExprKind::Range(a, b) => pair(a, "..", b),
            ExprKind::Cmp(op, a, b) => pair(a, &format!(" {op} "), b),
            ExprKind::Math(op, a, b) => pair(a, &format!(" {op} "), b),
            kind => self.single(kind, own, level + 1, out),
        }
        if own < needed {
            out.push(')');
        }
    }

    fn single(&self, kind: &ExprKind, own: u8, level: usize, out: &mut String) {
        let name = |found: Option<&String>| found.map_or("?", String::as_str).to_owned();
        match kind {
            ExprKind::Const(value) => out.push_str(&literal(value)),
            ExprKind::Slot(id) => out.push_str(&name(self.dialogue.slots.get(*id).map(|s| &s.name))),
            ExprKind::Builtin(builtin) => out.push_str(builtin.name()),
            ExprKind::Env(env) => drop(write!(out, "env.{env}")),
            ExprKind::Secret(secret) => drop(write!(out, "secret.{secret}")),
            ExprKind::Recording(recording) => drop(write!(out, "recording.{recording}")),
            ExprKind::Phrase(id) => {
                out.push_str(&name(self.program.phrases.get(*id).map(|p| &p.name)));
            }
            ExprKind::Template(template) => self.template(template, level, out),
            ExprKind::Field(x, field) => {
                self.expr(x, own, level, out);
                out.push('.');
                out.push_str(field);
            }
            ExprKind::Maybe(x) => {
                self.expr(x, own, level, out);
                out.push('?');
            }
            // A condition on a `T?` is written as the name alone.
            ExprKind::IsSet(x) => self.expr(x, own, level, out),
            ExprKind::Not(x) => {
                out.push_str("not ");
                self.expr(x, own, level, out);
            }
            ExprKind::Neg(x) => {
                out.push('-');
                self.expr(x, own, level, out);
            }
            ExprKind::List(items) => {
                out.push('[');
                self.list(items, level, out);
                out.push(']');
            }
            ExprKind::Record(fields) => {
                out.push_str("{ ");
                for (index, (field, value)) in fields.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    let _ = write!(out, "{field}: ");
                    self.expr(value, 0, level, out);
                }
                out.push_str(" }");
            }
            ExprKind::Match { subject, arms, otherwise } => {
                out.push_str("match ");
                self.expr(subject, 0, level, out);
                out.push_str(" { ");
                for arm in arms {
                    self.expr(&arm.pattern, 0, level, out);
                    out.push_str(" -> ");
                    self.expr(&arm.value, 0, level, out);
                    out.push_str(", ");
                }
                if let Some(value) = otherwise {
                    out.push_str("else -> ");
                    self.expr(value, 0, level, out);
                    out.push(' ');
                }
                out.push('}');
            }
            ExprKind::Reveal(x) => {
                out.push_str("reveal(");
                self.expr(x, 0, level, out);
                out.push(')');
            }
            ExprKind::Probe(probe) => out.push_str(&self.probe(probe)),
            _ => out.push('?'),
        }
    }

    fn list(&self, items: &[Expr], level: usize, out: &mut String) {
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            self.expr(item, 0, level, out);
        }
    }

    fn template(&self, template: &Template, level: usize, out: &mut String) {
        out.push('"');
        for part in &template.parts {
            match part {
                Part::Text(text) => out.push_str(&escaped(text)),
                Part::Value { expr, format } => {
                    out.push_str("{{ ");
                    self.expr(expr, 0, level, out);
                    if let Some(format) = format {
                        let _ = write!(out, " as {format}");
                    }
                    out.push_str(" }}");
                }
            }
        }
        out.push('"');
    }

    fn probe(&self, probe: &Probe) -> String {
        match probe {
            Probe::Outcome => "outcome".into(),
            Probe::EndedBy => "ended_by".into(),
            Probe::Turns => "turns".into(),
            Probe::Visited(visited) => {
                let name = |(agent, node): &(AgentId, NodeId)| {
                    let agent = self.program.agents.get(*agent);
                    agent.and_then(|a| a.dialogue.nodes.get(*node)).map_or("?", |n| n.name.as_str())
                };
                let names: Vec<_> = visited.iter().map(name).collect();
                format!("visited({})", names.join(", "))
            }
            Probe::Said(words) => format!("said(\"{}\")", escaped(words)),
            Probe::Sent(agent, id) => {
                let agent = self.program.agents.get(*agent);
                let webhook = agent.and_then(|agent| agent.webhooks.get(*id));
                format!("sent({})", webhook.map_or("?", |webhook| &webhook.name))
            }
            Probe::Called(tool) => format!("called({})", self.program.tool_name(tool)),
            Probe::Searched(id) => {
                let name = self.program.knowledge.get(*id).map_or("?", |k| k.name.as_str());
                format!("searched({name})")
            }
        }
    }
}

impl Program {
    /// What a `call` or `use` names: `book`, `calendar.list_holidays`, `faq`.
    pub fn tool_name(&self, tool: &ToolRef) -> String {
        match tool {
            ToolRef::Tool(id) => self.tools.get(*id).map_or("?".into(), |tool| tool.name.clone()),
            ToolRef::Mcp(id, tool) => {
                let server = self.mcps.get(*id).map_or("?", |mcp| mcp.name.as_str());
                tool.as_ref().map_or(server.into(), |tool| format!("{server}.{tool}"))
            }
            ToolRef::Knowledge(id) => self.knowledge.get(*id).map_or("?".into(), |k| k.name.clone()),
            ToolRef::Hole => "?".into(),
        }
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::None => "none".into(),
        Value::Text(text) => format!("\"{}\"", escaped(text)),
        Value::Case(case) => case.clone(),
        Value::Duration(ms) => duration(*ms),
        Value::List(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Record(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => value_text(value, &Kind::Json, Purpose::Request, "en", None).unwrap_or_default(),
    }
}

/// In the largest unit that holds it whole.
fn duration(ms: i64) -> String {
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")] {
        if ms != 0 && ms % size == 0 {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace("{{", "\\{{")
}
