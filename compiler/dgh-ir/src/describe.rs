//! How types, events and routes read in a message.

use std::borrow::Cow;

use crate::event::Event;
use crate::program::{Decider, DialogueId, Program, Target};
use crate::types::{Kind, Type};

impl Program {
    /// A type as the author writes it: `list<Slot>`, `private phone`, `text?`.
    pub fn type_name(&self, ty: &Type) -> String {
        let private = if ty.private { "private " } else { "" };
        let optional = if ty.optional && ty.kind != Kind::Nothing { "?" } else { "" };
        format!("{private}{}{optional}", self.kind_name(&ty.kind))
    }

    /// What the value is, without `?` and `private`.
    pub fn kind_name(&self, kind: &Kind) -> String {
        match kind {
            Kind::Text => "text".into(),
            Kind::Bool => "bool".into(),
            Kind::Int => "int".into(),
            Kind::Number => "number".into(),
            Kind::Money(None) => "money".into(),
            Kind::Money(Some(currency)) => format!("money({})", currency.code()),
            Kind::Date => "date".into(),
            Kind::Time => "time".into(),
            Kind::DateTime => "datetime".into(),
            Kind::Duration => "duration".into(),
            Kind::Phone => "phone".into(),
            Kind::Email => "email".into(),
            Kind::Url => "url".into(),
            Kind::Digits(count) => format!("digits({count})"),
            Kind::IntRange(low, high) => format!("{low}..{high}"),
            Kind::Enum(id) => self.enums.get(*id).map_or("an enum".into(), |e| e.name.clone()),
            Kind::Record(id) => self.records.get(*id).map_or("a type".into(), |r| r.name.clone()),
            Kind::List(item) => format!("list<{}>", self.type_name(item)),
            Kind::Range(of) => format!("range of {}", self.kind_name(of)),
            Kind::Secret => "secret".into(),
            Kind::Json => "any value".into(),
            Kind::Nothing => "none".into(),
            Kind::Hole => "unknown".into(),
        }
    }
}

impl Program {
    /// The name of the agent or flow that holds a dialogue.
    pub fn dialogue_name(&self, id: DialogueId) -> &str {
        match id {
            DialogueId::Agent(id) => self.agents.get(id).map_or("?", |agent| &agent.name),
            DialogueId::Flow(id) => self.flows.get(id).map_or("?", |flow| &flow.name),
            DialogueId::Last => "std",
        }
    }

    /// How a target reads: a node's name, `end booked`, `back`, `detour answers`, `return`,
    /// `agent other`.
    pub fn target_name(&self, dialogue: DialogueId, target: &Target) -> String {
        let nodes = &self.dialogue(dialogue).nodes;
        let node = |id| nodes.get(id).map_or("?", |node| node.name.as_str());
        match target {
            Target::Node(id) => node(*id).into(),
            Target::End(Some(id)) => {
                let outcome = match dialogue {
                    DialogueId::Agent(agent) => self.agents.get(agent).and_then(|a| a.outcomes.get(*id)),
                    DialogueId::Flow(_) | DialogueId::Last => None,
                };
                format!("end {}", outcome.map_or("?", |outcome| &outcome.name))
            }
            Target::End(None) => "end".into(),
            Target::Back => "back".into(),
            Target::Detour(id) => format!("detour {}", node(*id)),
            Target::Return(_) => "return".into(),
            Target::Agent(id, _) => {
                format!("agent {}", self.agents.get(*id).map_or("?", |agent| &agent.name))
            }
            Target::Hole => "?".into(),
        }
    }
}

impl Event {
    /// The word behind `on`, without arguments.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Silence { .. } => "silence",
            Self::Unclear { .. } => "unclear",
            Self::Stalled { .. } => "stalled",
            Self::Key(_) => "key",
            Self::Interrupted => "interrupted",
            Self::Corrected(_) => "corrected",
            Self::Hangup => "hangup",
            Self::Voicemail => "voicemail",
            Self::Screening => "screening",
            Self::Error => "error",
            Self::FailedCollect => "failed",
            Self::Transferred => "transferred",
            Self::TransferFailed(_) => "transfer_failed",
            Self::Language(_) => "language",
            Self::Limit(_) => "limit",
            Self::Slow => "slow",
            Self::Hole => "unknown event",
        }
    }

    /// How it reads, with the argument that tells it from its like: `failed(collect)`,
    /// `key("1")`, `limit(duration)`; `silence`, `corrected` alone.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::FailedCollect => "failed(collect)".into(),
            Self::Key(Some(key)) => format!("key(\"{key}\")").into(),
            Self::Language(Some(tag)) => format!("language(\"{tag}\")").into(),
            Self::Limit(kind) => format!("limit({kind})").into(),
            Self::TransferFailed(cases) if !cases.is_empty() => {
                let cases: Vec<_> = cases.iter().map(|c| c.name()).collect();
                format!("transfer_failed({})", cases.join(", ")).into()
            }
            _ => self.keyword().into(),
        }
    }
}

impl Decider {
    /// How the route reads: `when agrees`, `if`, `else`, `next`, `on silence`.
    pub fn label(&self) -> String {
        match self {
            Self::On(event) => format!("on {}", event.name()),
            Self::When(when) => format!("when {}", when.label),
            Self::If(_) => "if".into(),
            Self::Else => "else".into(),
            Self::Next => "next".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{sample, slot};
    use crate::*;

    #[test]
    fn a_type_reads_as_it_is_written() {
        let program = sample();
        let record = Type::of(Kind::Record(RecordId(0)));
        let slots = Type::of(Kind::List(Box::new(record.with_private(true)))).optional();
        assert_eq!(program.type_name(&slots), "list<private Slot>?");
        let dollars = Type::of(Kind::Money(Some(Currency(*b"USD")))).with_private(true);
        assert_eq!(program.type_name(&dollars), "private money(USD)");
        assert_eq!(program.type_name(&Type::of(Kind::Nothing).optional()), "none");
    }

    #[test]
    fn routes_and_events_read_as_they_are_written() {
        let program = sample();
        let agent = DialogueId::Agent(AgentId(0));
        let dialogue = program.dialogue(agent);
        let labels: Vec<_> = dialogue.routes.iter().map(|(_, route)| route.decider.label()).collect();
        for label in [
            "on failed(collect)",
            "on key(\"1\")",
            "on key",
            "on silence",
            "on limit(cost)",
            "on transfer_failed(busy, no_answer)",
            "next",
            "if",
        ] {
            assert!(labels.iter().any(|found| found == label), "{label} in {labels:?}");
        }
        let booked = Target::End(Some(OutcomeId(0)));
        assert_eq!(program.target_name(agent, &booked), "end booked");
        assert_eq!(program.target_name(agent, &Target::Detour(NodeId(3))), "detour desk");
        assert_eq!(program.target_name(DialogueId::Last, &booked), "end ?");
        assert_eq!(program.tool_name(&ToolRef::Mcp(McpId(0), Some("x".into()))), "calendar.x");
    }

    #[test]
    fn parentheses_stand_where_they_are_needed() {
        let program = sample();
        let dialogue = program.dialogue(DialogueId::Agent(AgentId(0)));
        let int = || slot(0, Type::of(Kind::Int));
        let sum = fixture::math(MathOp::Add, int(), int());
        let product = fixture::math(MathOp::Mul, sum.clone(), sum);
        let right = fixture::math(MathOp::Sub, int(), fixture::math(MathOp::Sub, int(), int()));
        assert_eq!(program.expr_text(dialogue, &product), "(day + day) * (day + day)");
        assert_eq!(program.expr_text(dialogue, &right), "day - (day - day)");
        let text = fixture::template(vec![Ok("a \"b\" {{"), Err((int(), Some(Format::Spoken)))]);
        let text = fixture::expr(ExprKind::Template(text), Type::of(Kind::Text));
        assert_eq!(program.expr_text(dialogue, &text), r#""a \"b\" \{{{{ day as spoken }}""#);
    }
}
