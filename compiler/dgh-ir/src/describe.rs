//! How types, events and routes read in a message.

use std::borrow::Cow;

use crate::event::Event;
use crate::program::{Decider, DialogueId, Program, Target};
use crate::types::{Kind, Type};

impl Program {
    /// A type as a message calls it: `list of Slot`, `private phone`, `text?`.
    pub fn type_name(&self, ty: &Type) -> String {
        let kind = self.kind_name(&ty.kind);
        let kind = match ty.kind {
            Kind::List(_) | Kind::Range(_) if ty.optional => format!("({kind})"),
            _ => kind,
        };
        let private = if ty.private { "private " } else { "" };
        let optional = if ty.optional { "?" } else { "" };
        format!("{private}{kind}{optional}")
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
            Kind::List(item) => format!("list of {}", self.type_name(item)),
            Kind::Range(of) => format!("range of {}", self.kind_name(of)),
            Kind::Secret => "secret".into(),
            Kind::Json => "any JSON value".into(),
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
