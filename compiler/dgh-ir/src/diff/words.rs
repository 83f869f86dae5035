//! Steps, routes and texts as one reads them beside each other. Writing to a `String` cannot fail,
//! so nothing asks whether it did.

use std::fmt::Write as _;

use crate::expr::{Expr, ExprKind, Template};
use crate::program::{
    Agent, Collect, Confirm, Decider, Dialogue, DialogueId, Fact, InputMode, Policy, PolicyKind, Program,
    ProviderUse, Route, SlotId, Step, StepKind,
};
use crate::source_map::Origin;
use crate::types::{Kind, Type};

/// A text with its interpolations, without quotes.
pub(super) fn text(program: &Program, dialogue: &Dialogue, template: &Template) -> String {
    if let Some(plain) = template.as_text() {
        return plain.to_owned();
    }
    let whole = Expr {
        kind: ExprKind::Template(template.clone()),
        ty: Type::of(Kind::Text),
        origin: Origin::default(),
    };
    let quoted = program.expr_text(dialogue, &whole);
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(&quoted).replace("\\\"", "\"").replace("\\n", "\n")
}

/// Steps, a line each.
pub(super) fn steps(program: &Program, dialogue: &Dialogue, steps: &[Step]) -> String {
    steps.iter().map(|one| step(program, dialogue, one)).collect::<Vec<_>>().join("\n")
}

/// What a route is told from its siblings by: `when agrees`, `on silence(7s)`, `if open`.
pub(super) fn decider(program: &Program, dialogue: &Dialogue, route: &Route) -> String {
    match &route.decider {
        Decider::On(event) => format!("on {}", program.event_text(dialogue, event)),
        Decider::If(condition) => format!("if {}", program.expr_text(dialogue, condition)),
        other => other.label(),
    }
}

/// A whole route on a line.
pub(super) fn route(program: &Program, id: DialogueId, dialogue: &Dialogue, route: &Route) -> String {
    let mut out = decider(program, dialogue, route);
    if let Decider::When(when) = &route.decider {
        out.push_str(": ");
        out.push_str(&text(program, dialogue, &when.sentence));
        for (word, examples) in [("like", &when.like), ("unlike", &when.unlike)] {
            if !examples.is_empty() {
                let _ = write!(out, " {word} [{}]", examples.join("; "));
            }
        }
        if let Some(guard) = &when.guard {
            let _ = write!(out, " if {}", program.expr_text(dialogue, guard));
        }
    }
    if let Some(target) = &route.target {
        let _ = write!(out, " -> {}", program.target_name(id, target));
    }
    if !route.block.is_empty() {
        let inside = steps(program, dialogue, &route.block).replace('\n', "; ");
        let _ = write!(out, " {{ {inside} }}");
    }
    out
}

fn step(program: &Program, dialogue: &Dialogue, step: &Step) -> String {
    let expr = |value: &Expr| program.expr_text(dialogue, value);
    let slot = |id| dialogue.slots.get(id).map_or("?", |slot| slot.name.as_str());
    let bound = |bind: &Option<_>| bind.map(|id| format!(" as {}", slot(id))).unwrap_or_default();
    match &step.kind {
        StepKind::Say { text, .. } => format!("say {}", expr(text)),
        StepKind::Ask { text, .. } => format!("ask {}", expr(text)),
        StepKind::Tell(words) => format!("tell \"{}\"", text(program, dialogue, words)),
        StepKind::Play { recording, .. } => format!("play {}", expr(recording)),
        StepKind::Wait(ms) => format!("wait {ms}ms"),
        StepKind::Call { tool, args, bind, .. } => {
            let args: Vec<_> = args.iter().map(|(name, value)| format!("{name}: {}", expr(value))).collect();
            format!("call {}({}){}", program.tool_name(tool), args.join(", "), bound(bind))
        }
        StepKind::Run { flow, args, bind } => {
            let name = program.flows.get(*flow).map_or("?", |flow| flow.name.as_str());
            let args: Vec<_> = args.iter().map(|(_, value)| expr(value)).collect();
            format!("run {name}({}){}", args.join(", "), bound(bind))
        }
        StepKind::Set(id, value) => format!("set {} = {}", slot(*id), expr(value)),
        StepKind::Clear(slots) => {
            format!("clear {}", slots.iter().map(|id| slot(*id)).collect::<Vec<_>>().join(", "))
        }
        StepKind::Press(keys) => format!("press \"{}\"", text(program, dialogue, keys)),
        StepKind::Transfer { number, mode, .. } => format!("transfer {} {mode}", expr(number)),
        StepKind::Hole => "?".to_owned(),
    }
}

/// A promise as it is written.
pub(super) fn promise(program: &Program, agent: &Agent, policy: &Policy) -> String {
    let dialogue = &agent.dialogue;
    let node = |id| dialogue.nodes.get(id).map_or("?", |node| node.name.as_str());
    match &policy.kind {
        PolicyKind::Ensure { fact, before } => {
            let fact = match fact {
                Fact::Completed(id) => node(*id).to_owned(),
                Fact::Holds(condition) => program.expr_text(dialogue, condition),
            };
            format!("ensure {fact} before {}", before.map_or("everything", node))
        }
        PolicyKind::Always { condition, .. } => {
            format!("always {}", program.expr_text(dialogue, condition))
        }
        PolicyKind::Never { slot, sinks } => {
            let slot = dialogue.slots.get(*slot).map_or("?", |slot| slot.name.as_str());
            let sinks: Vec<_> = sinks.iter().map(|sink| sink.name()).collect();
            format!("never {slot} in {}", sinks.join(", "))
        }
    }
}

/// A provider with its arguments: `openai(model: "gpt-4.1")`.
pub(super) fn provider(program: &Program, dialogue: &Dialogue, used: &ProviderUse) -> String {
    let name = program.providers.get(used.provider).map_or("?", |provider| provider.name.as_str());
    let args = used.args.iter();
    let args = args.map(|(name, value)| format!("{name}: {}", program.expr_text(dialogue, value)));
    format!("{name}({})", args.collect::<Vec<_>>().join(", "))
}

/// `collect` with its settings.
pub(super) fn collect(program: &Program, dialogue: &Dialogue, collect: &Collect) -> String {
    let slot = |id: &SlotId| dialogue.slots.get(*id).map_or("?", |slot| slot.name.as_str());
    let mut out = collect.slots.iter().map(slot).collect::<Vec<_>>().join(", ");
    let settings = [("from", &collect.from), ("tries", &collect.tries), ("ask", &collect.ask)];
    for (name, value) in settings {
        if let Some(value) = value {
            let _ = write!(out, " {name}: {}", program.expr_text(dialogue, value));
        }
    }
    if collect.confirm != Confirm::Never {
        let _ = write!(out, " confirm: {}", collect.confirm);
    }
    if collect.by != InputMode::Speech {
        let _ = write!(out, " by: {}", collect.by);
    }
    if let Some(key) = &collect.until {
        let _ = write!(out, " until: \"{key}\"");
    }
    out
}
