//! E0504: `never x in sink`. Follows the value through assignments, arguments of flows and what
//! they return, and looks at every place where one of these names comes out.

use std::collections::BTreeSet;

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{
    Confirm, DialogueId, Expr, ExprKind, InputMode, Origin, Policy, PolicyKind, Sink, Slot, SlotId, SlotKind,
    Step, StepKind, Target,
};

use crate::flow::scene::World;
use crate::privacy::outlets::outlets;
use crate::report::Report;

/// Checks every `never` of an agent, by the index of its scene.
pub(crate) fn check(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let DialogueId::Agent(id) = scene.id else { return };
    for policy in &world.program.agents[id].policies {
        let PolicyKind::Never { slot, sinks } = &policy.kind else { continue };
        let Some(declared) = scene.dialogue.slots.get(*slot) else { continue };
        let never = Never { policy, declared, sinks, tainted: follow(world, index, *slot) };
        let mut findings = Vec::new();
        for at in world.scenes.iter().enumerate().map(|(at, _)| at) {
            never.outlets(world, at, report, &mut findings);
            never.collected(world, at, report, &mut findings);
        }
        if findings.is_empty() {
            never.kept(report, &mut findings);
        }
        report.diagnostics.append(&mut findings);
    }
}

struct Never<'n> {
    policy: &'n Policy,
    declared: &'n Slot,
    sinks: &'n [Sink],
    /// The names that hold the value, or something made of it, by scene.
    tainted: BTreeSet<(usize, SlotId)>,
}

impl Never<'_> {
    fn outlets(&self, world: &World<'_>, at: usize, report: &Report, findings: &mut Vec<Diagnostic>) {
        let Some(scene) = world.scene(at) else { return };
        if !self.tainted.iter().any(|(of, _)| *of == at) {
            return;
        }
        outlets(world, scene, &mut |outlet| {
            let open = self.reads(at, outlet.expr, false);
            let revealed = self.reads(at, outlet.expr, true);
            let Some(read) = open.or(revealed) else { return };
            // What is revealed is spoken; the records hold its name, and the recording is muted.
            let masked = |sink: &Sink| {
                open.is_none() && matches!(sink, Sink::Transcript | Sink::Recording | Sink::Log)
                    || (open.is_none() && *sink == Sink::Llm && outlet.sinks.contains(&Sink::Speech))
            };
            let entered = outlet.sinks.iter().find(|s| self.sinks.contains(s) && !masked(s));
            if let Some(sink) = entered {
                findings.push(self.broken(read.origin, *sink, "here", report));
            }
        });
    }

    /// A read of the value; inside `reveal` or outside of it.
    fn reads<'e>(&self, at: usize, expr: &'e Expr, revealed: bool) -> Option<&'e Expr> {
        let mut stack = vec![(expr, false)];
        while let Some((expr, inside)) = stack.pop() {
            match &expr.kind {
                ExprKind::Slot(id) if self.tainted.contains(&(at, *id)) && inside == revealed => {
                    return Some(expr);
                }
                ExprKind::Reveal(inner) => stack.push((inner, true)),
                _ => expr.each_child(&mut |child| stack.push((child, inside))),
            }
        }
        None
    }

    /// What is heard is written down, recorded and read by the model; what is confirmed is spoken.
    fn collected(&self, world: &World<'_>, at: usize, report: &Report, findings: &mut Vec<Diagnostic>) {
        let Some(scene) = world.scene(at) else { return };
        for (_, node) in scene.dialogue.nodes.iter() {
            let holds = |slot: &&SlotId| self.tainted.contains(&(at, **slot));
            if let Some(collect) = &node.collect
                && let Some(slot) = collect.slots.iter().find(holds)
            {
                if collect.confirm != Confirm::Never && self.sinks.contains(&Sink::Speech) {
                    findings.push(self.broken(collect.origin, Sink::Speech, "read back", report));
                    continue;
                }
                if collect.by != InputMode::Keypad {
                    self.heard(scene.dialogue.slots.get(*slot), collect.origin, report, findings);
                }
            }
            if let Some(slot) = node.note.iter().find(holds) {
                self.heard(scene.dialogue.slots.get(*slot), node.origin, report, findings);
            }
        }
    }

    fn heard(&self, slot: Option<&Slot>, origin: Origin, report: &Report, findings: &mut Vec<Diagnostic>) {
        let private = slot.is_some_and(|s| s.ty.private);
        let entered = self.sinks.iter().find(|sink| match sink {
            Sink::Llm => true,
            Sink::Transcript | Sink::Recording | Sink::Log => !private,
            _ => false,
        });
        if let Some(sink) = entered {
            findings.push(self.broken(origin, *sink, "said by the caller", report));
        }
    }

    /// A variable that is not private is part of the log, and of what the model is told it knows.
    fn kept(&self, report: &Report, findings: &mut Vec<Diagnostic>) {
        if self.declared.ty.private || self.declared.ty.kind == dgh_ir::Kind::Hole {
            return;
        }
        let kept = self.sinks.iter().find(|sink| match sink {
            Sink::Log => true,
            Sink::Llm => self.declared.kind == SlotKind::Var,
            _ => false,
        });
        if let Some(sink) = kept {
            let mut finding =
                self.broken(self.policy.origin, *sink, "kept as what is known of the call", report);
            finding.related.clear();
            findings.push(finding);
        }
    }

    fn broken(&self, origin: Origin, sink: Sink, place: &str, report: &Report) -> Diagnostic {
        let name = &self.declared.name;
        let hint = match sink {
            Sink::Llm | Sink::Transcript | Sink::Recording | Sink::Log if !self.declared.ty.private => {
                format!(
                    "Declare `{name}` as `private`: then only its name is kept there. What is typed on the keypad is not heard by a model either."
                )
            }
            _ => "Leave it out here.".into(),
        };
        Diagnostic::new(
            Code::NeverBroken,
            report.place(origin),
            format!("`{name}` must never enter {}, and {place} it would", sink_name(sink)),
        )
        .with_label("comes out here")
        .with_related(report.place(self.policy.origin), "promised here")
        .with_hint(hint)
    }
}

fn sink_name(sink: Sink) -> &'static str {
    match sink {
        Sink::Llm => "what the model reads",
        Sink::Speech => "speech",
        Sink::Transcript => "the transcript",
        Sink::Recording => "the recording",
        Sink::Log => "the log",
        Sink::Voicemail => "a voicemail",
        Sink::Webhook => "a webhook",
        Sink::Tool => "a request of a tool",
        Sink::Brief => "the brief of a transfer",
    }
}

/// All names that the value of a slot reaches.
fn follow(world: &World<'_>, index: usize, slot: SlotId) -> BTreeSet<(usize, SlotId)> {
    let mut tainted = BTreeSet::from([(index, slot)]);
    loop {
        let before = tainted.len();
        for at in 0..world.scenes.len() {
            let Some(scene) = world.scene(at) else { continue };
            let in_nodes = scene.dialogue.nodes.iter().flat_map(|(_, n)| &n.steps);
            let on_routes = scene.dialogue.routes.iter().flat_map(|(_, r)| &r.block);
            for step in in_nodes.chain(on_routes) {
                follow_step(world, at, step, &mut tainted);
            }
        }
        if tainted.len() == before {
            return tainted;
        }
    }
}

fn follow_step(world: &World<'_>, at: usize, step: &Step, tainted: &mut BTreeSet<(usize, SlotId)>) {
    let reads = |expr: &Expr, tainted: &BTreeSet<(usize, SlotId)>, at: usize| {
        expr.any(|e| matches!(e.kind, ExprKind::Slot(id) if tainted.contains(&(at, id))))
    };
    match &step.kind {
        StepKind::Set(slot, value) if reads(value, tainted, at) => {
            tainted.insert((at, *slot));
        }
        StepKind::Run { flow, args, bind } => {
            let inside = world.scenes.iter().position(|s| s.id == DialogueId::Flow(*flow));
            let Some(inside) = inside else { return };
            for (slot, value) in args {
                if reads(value, tainted, at) {
                    tainted.insert((inside, *slot));
                }
            }
            let Some(scene) = world.scene(inside) else { return };
            let returned = scene.dialogue.routes.iter().any(|(_, route)| {
                matches!(&route.target, Some(Target::Return(value)) if reads(value, tainted, inside))
            });
            if let Some(bind) = bind.filter(|_| returned) {
                tainted.insert((at, bind));
            }
        }
        _ => {}
    }
}
