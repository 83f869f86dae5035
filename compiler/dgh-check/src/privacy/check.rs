//! E0510 to E0514: private values that would come out, or lose their label.

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Span};
use dgh_ir::{
    Arena, Confirm, DialogueId, Expr, ExprKind, Flow, InputMode, Kind, Origin, Slot, SlotId, Step, StepKind,
    Target, ToolRef, Type,
};

use super::outlets::{Outlet, outlets};
use crate::flow::access::Access;
use crate::flow::scene::{Scene, World};
use crate::report::{Context, Report};

/// Checks a dialogue, by the index of its scene.
pub(crate) fn check(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let mut findings = Vec::new();
    let slots = &scene.dialogue.slots;
    outlets(world, scene, &mut |outlet| {
        leaks(slots, world.context, &outlet, report, &mut findings);
        useless_reveals(slots, world.context, outlet.expr, report, &mut findings);
    });
    report.diagnostics.append(&mut findings);
    assignments(world, scene, report);
    spoken_back(scene, report);
    heard_by_realtime(world, index, report);
}

fn leaks(
    slots: &Arena<SlotId, Slot>,
    context: &Context,
    outlet: &Outlet<'_>,
    report: &Report,
    findings: &mut Vec<Diagnostic>,
) {
    if outlet.takes_private {
        return;
    }
    for leaf in private_leaves(slots, outlet.expr, true) {
        let place = report.place(leaf.origin);
        let text = name_of(slots, leaf);
        let mut finding = Diagnostic::new(
            Code::PrivateLeak,
            place,
            format!("`{text}` is private and would enter {}", outlet.place),
        )
        .with_label("private");
        if let Some(slot) = slot_of(slots, leaf) {
            finding = finding.with_related(report.place(slot.origin), "declared private here");
        }
        let also = match outlet.place {
            "a parameter of a tool" => ", or type the parameter `private` where the tool is declared",
            "spoken words" | "a voicemail" => {
                ": it is spoken, and every record of the call holds its name instead"
            }
            _ => "",
        };
        finding =
            finding.with_hint(format!("Leave it out. If it must stand here, write `reveal({text})`{also}."));
        if context.text(place) == text && !text.is_empty() {
            finding = finding.with_fix(Fix {
                title: format!("Write `reveal({text})`"),
                edits: vec![insert(place, place.span.start, "reveal("), insert(place, place.span.end, ")")],
                safe: false,
            });
        }
        findings.push(finding);
    }
}

fn insert(place: Place, at: u32, text: &str) -> Edit {
    Edit { place: Place { file: place.file, span: Span::at(at) }, text: text.into() }
}

/// The private names and fields in an expression; with `closed`, only those outside `reveal`.
fn private_leaves<'e>(slots: &Arena<SlotId, Slot>, expr: &'e Expr, closed: bool) -> Vec<&'e Expr> {
    let mut found = Vec::new();
    let mut stack = vec![expr];
    while let Some(at) = stack.pop() {
        match &at.kind {
            ExprKind::Reveal(_) if closed => {}
            ExprKind::Slot(id) => {
                if at.ty.private || slots.get(*id).is_some_and(|s| s.ty.private) {
                    found.push(at);
                }
            }
            // The field of a private record is private, and so may be that of any other.
            ExprKind::Field(base, _) => {
                if private_leaves(slots, base, closed).is_empty() {
                    if at.ty.private && Access::of(at).is_some() {
                        found.push(at);
                    } else {
                        stack.push(base);
                    }
                } else {
                    stack.push(base);
                }
            }
            _ => at.each_child(&mut |child| stack.push(child)),
        }
    }
    found.reverse();
    found
}

fn useless_reveals(
    slots: &Arena<SlotId, Slot>,
    context: &Context,
    expr: &Expr,
    report: &Report,
    findings: &mut Vec<Diagnostic>,
) {
    expr.walk(&mut |at| {
        let ExprKind::Reveal(inner) = &at.kind else { return };
        let hole = inner.any(|e| matches!(e.kind, ExprKind::Hole) || e.ty.kind == Kind::Hole);
        if hole || inner.ty.private || !private_leaves(slots, inner, false).is_empty() {
            return;
        }
        let place = report.place(at.origin);
        let inside = context.text(report.place(inner.origin));
        let mut finding = Diagnostic::new(
            Code::UselessReveal,
            place,
            format!("`{}` is not private, so there is nothing to reveal", name_of(slots, inner)),
        )
        .with_hint("Write it without `reveal`, or declare it `private`.");
        if !inside.is_empty() {
            finding = finding.with_fix(Fix {
                title: format!("Write `{inside}`"),
                edits: vec![Edit { place, text: inside.into() }],
                safe: true,
            });
        }
        findings.push(finding);
    });
}

/// Private values given to names that are not private.
fn assignments(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let mut findings = Vec::new();
    let mut giving = Giving { world, scene, report, findings: &mut findings };
    for (_, node) in scene.dialogue.nodes.iter() {
        node.steps.iter().for_each(|step| giving.step(step));
    }
    for (_, route) in scene.dialogue.routes.iter() {
        route.block.iter().for_each(|step| giving.step(step));
        match (&route.target, scene.id) {
            (Some(Target::Return(value)), DialogueId::Flow(flow)) => {
                if let Some(flow) = world.program.flows.get(flow) {
                    giving.returned(flow, value);
                }
            }
            (Some(Target::Agent(to, args)), _) => {
                if let Some(to) = world.program.agents.get(*to) {
                    giving.args(&to.dialogue.slots, args);
                }
            }
            _ => {}
        }
    }
    if let DialogueId::Agent(id) = scene.id {
        for step in world.program.agents[id].before_call.iter().flat_map(|b| &b.steps) {
            giving.step(step);
        }
    }
    for (_, slot) in scene.dialogue.slots.iter() {
        if let Some(default) = &slot.default {
            giving.value(&slot.name, &slot.ty, slot.origin, default);
        }
    }
    report.diagnostics.append(&mut findings);
}

struct Giving<'g, 'a> {
    world: &'g World<'a>,
    scene: &'g Scene<'a>,
    report: &'g Report,
    findings: &'g mut Vec<Diagnostic>,
}

impl Giving<'_, '_> {
    fn step(&mut self, step: &Step) {
        let slots = &self.scene.dialogue.slots;
        let program = self.world.program;
        let answer: Option<(SlotId, &Type)> = match &step.kind {
            StepKind::Set(slot, value) => {
                if let Some(slot) = slots.get(*slot) {
                    self.value(&slot.name, &slot.ty, slot.origin, value);
                }
                None
            }
            StepKind::Run { flow, args, bind, .. } => {
                let Some(flow) = program.flows.get(*flow) else { return };
                self.args(&flow.dialogue.slots, args);
                bind.map(|slot| (slot, &flow.result))
            }
            StepKind::Call { tool: ToolRef::Tool(tool), bind, .. } => {
                let result = program.tools.get(*tool).and_then(|t| t.result.as_ref());
                bind.zip(result)
            }
            _ => None,
        };
        if let Some((slot, ty)) = answer
            && let Some(slot) = slots.get(slot)
            && ty.private
            && !slot.ty.private
        {
            self.push(step.origin, "the answer", &slot.name, slot.origin);
        }
    }

    fn args(&mut self, slots: &Arena<SlotId, Slot>, args: &[(SlotId, Expr)]) {
        for (slot, value) in args {
            if let Some(slot) = slots.get(*slot) {
                self.value(&slot.name, &slot.ty, slot.origin, value);
            }
        }
    }

    fn returned(&mut self, flow: &Flow, value: &Expr) {
        self.value(&format!("the result of {}", flow.name), &flow.result, flow.origin, value);
    }

    fn value(&mut self, to: &str, ty: &Type, declared: Origin, value: &Expr) {
        if ty.private || ty.kind == Kind::Hole {
            return;
        }
        let slots = &self.scene.dialogue.slots;
        if let Some(leaf) = private_leaves(slots, value, false).first() {
            let name = name_of(slots, leaf);
            self.push(leaf.origin, &format!("`{name}`"), to, declared);
        }
    }

    fn push(&mut self, origin: Origin, what: &str, to: &str, declared: Origin) {
        let finding = Diagnostic::new(
            Code::PrivateAssigned,
            self.report.place(origin),
            format!("{what} is private, but `{to}` is not: the value would no longer be protected"),
        )
        .with_label("private")
        .with_related(self.report.place(declared), "not declared private")
        .with_hint(format!(
            "Declare `{to}` as `private`. `reveal` does not help here: it opens the sink in which it stands.",
        ));
        self.findings.push(finding);
    }
}

/// A read-back would speak the value.
fn spoken_back(scene: &Scene<'_>, report: &mut Report) {
    for (_, node) in scene.dialogue.nodes.iter() {
        let Some(collect) = &node.collect else { continue };
        if collect.confirm == Confirm::Never {
            continue;
        }
        for slot in collect.slots.iter().filter_map(|s| scene.dialogue.slots.get(*s)) {
            if slot.ty.private {
                report.push(
                    Diagnostic::new(
                        Code::PrivateConfirmed,
                        report.place(collect.origin),
                        format!("`confirm` would read `{}` back aloud, but it is private", slot.name),
                    )
                    .with_related(report.place(slot.origin), "declared private here")
                    .with_hint(format!(
                        "Leave `confirm` out, or collect `{}` in a node of its own.",
                        slot.name
                    )),
                );
            }
        }
    }
}

/// A speech-to-speech model hears everything that is said.
fn heard_by_realtime(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let realtime = world.agents_of(index).into_iter().find_map(|at| {
        let DialogueId::Agent(id) = world.scene(at)?.id else { return None };
        let agent = world.program.agents.get(id)?;
        (!agent.models.realtime.is_empty()).then_some(agent)
    });
    for (id, node) in scene.dialogue.nodes.iter() {
        if realtime.is_none() && node.models.realtime.is_empty() {
            continue;
        }
        let collected = node.collect.iter().filter(|c| c.by != InputMode::Keypad);
        let heard = collected.flat_map(|c| c.slots.iter().map(|s| (*s, c.origin)));
        let noted = node.note.iter().map(|s| (*s, node.origin));
        for (slot, origin) in heard.chain(noted) {
            let Some(slot) = scene.dialogue.slots.get(slot).filter(|s| s.ty.private) else {
                continue;
            };
            let mut place = report.place(origin);
            if world.context.is_standard(place)
                && let Some(site) = world.sites(scene.id).first()
            {
                place = report.place(site.origin);
            }
            let mut finding = Diagnostic::new(
                Code::PrivateSpeechToSpeech,
                place,
                format!(
                    "`{}` is private, but the speech-to-speech model would hear it in `{}`",
                    slot.name,
                    scene.name(id)
                ),
            )
            .with_hint(format!(
                "Collect `{}` with `by: keypad`, or use `stt:`, `llm:` and `tts:` instead of `realtime:`.",
                slot.name
            ));
            if let Some(model) = realtime.and_then(|a| a.models.realtime.first()) {
                finding = finding.with_related(report.place(model.origin), "hears everything");
            }
            report.push(finding);
        }
    }
}

fn slot_of<'s>(slots: &'s Arena<SlotId, Slot>, leaf: &Expr) -> Option<&'s Slot> {
    let mut at = leaf;
    loop {
        match &at.kind {
            ExprKind::Slot(id) => return slots.get(*id).filter(|s| s.ty.private),
            ExprKind::Field(base, _) => at = base,
            _ => return None,
        }
    }
}

/// How a path reads.
fn name_of(slots: &Arena<SlotId, Slot>, expr: &Expr) -> String {
    use crate::flow::access::Base;
    let Some(access) = Access::of(expr) else { return "the value".into() };
    let base = match access.base {
        Base::Slot(id) => slots.get(id).map_or("?", |s| &s.name),
        Base::Builtin(builtin) => builtin.name(),
    };
    if access.fields.is_empty() { base.into() } else { format!("{base}.{}", access.fields) }
}
