//! E0306 to E0309, E0313 and part of W0611: every case has a way on.
//!
//! A handler is visible in its node, in `anywhere`, and, for a flow, where the flow is run.

use std::collections::BTreeSet;

use dgh_diag::{Code, Diagnostic, suggest};
use dgh_ir::{
    Channel, CmpOp, Decider, DialogueId, Event, Expr, ExprKind, Kind, NodeId, Origin, Route, Step, StepKind,
    Target, ToolRef, TransferFailure, Value,
};

use super::access::Access;
use super::rows::Row;
use super::scene::{Scene, World, target_node};
use crate::report::Report;

/// Checks a dialogue, by the index of its scene.
pub(crate) fn check(world: &World<'_>, index: usize, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    for (id, node) in scene.nodes() {
        if scene.shapes[id].broken {
            continue;
        }
        needs_else(scene, id, report);
        let at = At { world, index, node: id };
        at.steps(&node.steps, report);
        if let Some(collect) = &node.collect
            && !collect.slots.is_empty()
            && !at.handles(&|e| matches!(e, Event::FailedCollect))
            && !(collect.tries.is_none() && has_other_way_out(scene, id))
        {
            at.unhandled(
                Code::UnhandledFailedCollect,
                collect.origin,
                format!("nothing says what happens when the `collect` in `{}` fails", node.name),
                "the caller may never answer",
                "Add `on failed(collect) -> …`: where it leads after the last try.",
                report,
            );
        }
        // The block of an arrow runs before the node is left. Once the caller is gone, nobody is
        // left to hear of a failure.
        for (_, route) in scene.own(id).filter(|(_, r)| Row::of(&r.decider) != Row::Gone) {
            at.steps(&route.block, report);
        }
    }
    for (_, route) in scene.anywhere().filter(|(_, r)| Row::of(&r.decider) != Row::Gone) {
        for step in &route.block {
            if matches!(step.kind, StepKind::Call { .. } | StepKind::Transfer { .. }) {
                anywhere_step(world, index, route, step, report);
            }
        }
    }
}

/// A step of `anywhere` runs in every node that sees its route; the first one in which a failure
/// is not handled is enough.
fn anywhere_step(world: &World<'_>, index: usize, route: &Route, step: &Step, report: &mut Report) {
    let Some(scene) = world.scene(index) else { return };
    let before = report.diagnostics.len();
    for (node, _) in scene.nodes().filter(|(id, _)| scene.sees(*id, route)) {
        At { world, index, node }.step(step, report);
        if report.diagnostics.len() > before {
            return;
        }
    }
}

/// A refusal that leaves for good is a way out for a caller who does not answer; unless the author
/// counts tries, the library then ends the call.
fn has_other_way_out(scene: &Scene<'_>, id: NodeId) -> bool {
    scene.own(id).any(|(_, route)| {
        matches!(route.decider, Decider::When(_))
            && matches!(
                route.target,
                Some(Target::End(_) | Target::Return(_) | Target::Agent(..) | Target::Hole)
            )
    })
}

fn needs_else(scene: &Scene<'_>, id: NodeId, report: &mut Report) {
    let typed: Vec<_> = scene.own(id).map(|(_, r)| r).filter(|r| Row::of(&r.decider) == Row::Done).collect();
    let conditions: Vec<&Expr> = typed
        .iter()
        .filter_map(|r| match &r.decider {
            Decider::If(condition) => Some(condition),
            _ => None,
        })
        .collect();
    let Some(last) = typed.last().filter(|_| !conditions.is_empty()) else { return };
    let closed = typed.iter().any(|r| matches!(r.decider, Decider::Else | Decider::Next));
    if closed || !scene.shapes[id].is_ever_done() {
        return;
    }
    let hole = |e: &Expr| matches!(e.kind, ExprKind::Hole);
    if conditions.iter().any(|c| c.any(hole)) {
        return;
    }
    let mut hint = "Add `else -> …` behind the last `if`.".to_string();
    if let Some((missing, all)) = missing_cases(scene, &conditions) {
        if missing.is_empty() {
            return;
        }
        if missing.len() < all {
            let cases = suggest::any_of(&suggest::quoted(&missing));
            hint = format!("Nothing covers {cases}. Add an `if` for each, or `else -> …`.");
        }
    }
    report.push(
        Diagnostic::new(
            Code::MissingElse,
            report.place(last.origin),
            format!("`{}` has no way on when none of its conditions holds", scene.name(id)),
        )
        .with_label("and otherwise?")
        .with_hint(hint),
    );
}

/// When every arm is `x == case` of one variable: the cases that no arm names, and how many cases
/// there are.
fn missing_cases<'a>(scene: &Scene<'a>, conditions: &[&Expr]) -> Option<(Vec<&'a str>, usize)> {
    let mut subject: Option<(Access, Kind)> = None;
    let mut named = BTreeSet::new();
    for condition in conditions {
        let ExprKind::Cmp(CmpOp::Eq, a, b) = &condition.kind else { return None };
        let (of, case) = match (&a.kind, &b.kind) {
            (_, ExprKind::Const(Value::Case(case))) => (a, case),
            (ExprKind::Const(Value::Case(case)), _) => (b, case),
            _ => return None,
        };
        let access = Access::of(of)?;
        match &subject {
            None => subject = Some((access, of.ty.kind.clone())),
            Some((known, _)) if *known == access => {}
            Some(_) => return None,
        }
        named.insert(case.as_str());
    }
    let Some((_, Kind::Enum(id))) = subject else { return None };
    let cases = &scene.program.enums.get(id)?.cases;
    let missing = cases.iter().map(String::as_str).filter(|c| !named.contains(c)).collect();
    Some((missing, cases.len()))
}

/// A node as a place where events are handled.
struct At<'w, 'a> {
    world: &'w World<'a>,
    index: usize,
    node: NodeId,
}

impl At<'_, '_> {
    fn scene(&self) -> Option<&Scene<'_>> {
        self.world.scene(self.index)
    }

    fn steps(&self, steps: &[Step], report: &mut Report) {
        for step in steps {
            self.step(step, report);
        }
    }

    fn step(&self, step: &Step, report: &mut Report) {
        match &step.kind {
            StepKind::Call { tool, .. }
                if *tool != ToolRef::Hole && !self.handles(&|e| matches!(e, Event::Error)) =>
            {
                self.unhandled(
                    Code::UnhandledError,
                    step.origin,
                    format!("nothing says what happens when {} fails", self.tool_name(tool)),
                    "may fail",
                    "Add `on error -> …` to this node or to `anywhere`.",
                    report,
                );
            }
            StepKind::Transfer { .. } => self.transfer(step.origin, report),
            _ => {}
        }
    }

    fn transfer(&self, origin: Origin, report: &mut Report) {
        let mut uncovered: Vec<TransferFailure> = TransferFailure::ALL.to_vec();
        for reason in TransferFailure::ALL {
            let covers =
                |e: &Event| matches!(e, Event::TransferFailed(of) if of.is_empty() || of.contains(reason));
            if self.handles(&covers) {
                uncovered.retain(|r| r != reason);
            }
        }
        let unsupported = uncovered.contains(&TransferFailure::Unsupported);
        uncovered.retain(|r| *r != TransferFailure::Unsupported);
        let done = self.handles(&|e| matches!(e, Event::Transferred)) || self.is_done_after();
        if !uncovered.is_empty() {
            let reasons: Vec<_> = uncovered.iter().map(|r| r.name()).collect();
            let which = if reasons.len() + 1 == TransferFailure::ALL.len() {
                "nobody picks up".to_string()
            } else {
                format!("the transfer fails as {}", suggest::any_of(&suggest::quoted(&reasons)))
            };
            let also = if done { "" } else { ", and `on transferred -> end …`" };
            self.unhandled(
                Code::UnhandledTransferFailure,
                origin,
                format!("nothing says what happens when {which}"),
                "may fail",
                &format!("Add `on transfer_failed -> …`{also}."),
                report,
            );
        } else if !done {
            self.unhandled(
                Code::UnhandledTransferred,
                origin,
                "nothing says what happens when the transfer is answered".into(),
                "and when it succeeds?",
                "Add `on transferred -> end …`.",
                report,
            );
        } else if unsupported && let Some(channel) = self.channel_without_transfer() {
            self.unhandled(
                Code::PartlySupported,
                origin,
                format!("a call by {channel} cannot be transferred, and nothing says what happens then"),
                "not there",
                "Add `unsupported` to `on transfer_failed(…)`, or leave its list out: then it \
                 stands for all reasons.",
                report,
            );
        }
    }

    /// The node's typed routes follow when its steps are finished.
    fn is_done_after(&self) -> bool {
        self.scene().is_some_and(|scene| {
            scene.own(self.node).any(|(_, r)| matches!(r.decider, Decider::Else | Decider::Next))
        })
    }

    fn channel_without_transfer(&self) -> Option<Channel> {
        let agents = self.world.agents_of(self.index);
        let ids = agents.iter().filter_map(|at| self.world.scene(*at)).map(|s| s.id);
        ids.filter_map(|id| match id {
            DialogueId::Agent(id) => self.world.program.agents.get(id),
            _ => None,
        })
        .flat_map(|agent| &agent.channels)
        .find(|c| **c != Channel::Phone)
        .copied()
    }

    /// Whether a handler of the event is visible here; in a flow, wherever it is run.
    fn handles(&self, is: &dyn Fn(&Event) -> bool) -> bool {
        let mut open = vec![(self.index, self.node)];
        let mut seen = BTreeSet::new();
        while let Some((index, node)) = open.pop() {
            let Some(scene) = self.world.scene(index) else { continue };
            if !seen.insert((index, node)) || handled_in(scene, node, is) {
                continue;
            }
            let sites = self.world.sites(scene.id);
            if sites.is_empty() {
                // A flow that nothing runs is told as such.
                if matches!(scene.id, DialogueId::Flow(_)) {
                    continue;
                }
                return false;
            }
            open.extend(sites.iter().map(|site| (site.scene, site.node)));
        }
        true
    }

    /// Reports where the user can mend it: a flow of the standard library where it is run.
    fn unhandled(
        &self,
        code: Code,
        origin: Origin,
        message: String,
        label: &str,
        hint: &str,
        report: &mut Report,
    ) {
        let mut place = report.place(origin);
        if self.world.context.is_standard(place)
            && let Some(scene) = self.scene()
            && let Some(site) = self.world.sites(scene.id).first()
        {
            place = report.place(site.origin);
        }
        report.push(Diagnostic::new(code, place, message).with_label(label).with_hint(hint));
    }

    fn tool_name(&self, tool: &ToolRef) -> String {
        let program = self.world.program;
        let name = match tool {
            ToolRef::Tool(id) => program.tools.get(*id).map(|t| t.name.clone()),
            ToolRef::Mcp(id, name) => program.mcps.get(*id).map(|m| match name {
                Some(name) => format!("{}.{name}", m.name),
                None => m.name.clone(),
            }),
            ToolRef::Knowledge(id) => program.knowledge.get(*id).map(|k| k.name.clone()),
            ToolRef::Hole => None,
        };
        name.map_or("the tool".into(), |name| format!("`{name}`"))
    }
}

fn handled_in(scene: &Scene<'_>, node: NodeId, is: &dyn Fn(&Event) -> bool) -> bool {
    let test = |decider: &Decider| match decider {
        Decider::On(event) => is(event) || *event == Event::Hole,
        _ => false,
    };
    scene.own(node).any(|(_, r)| test(&r.decider))
        || scene.anywhere().any(|(_, r)| test(&r.decider) && target_node(r) != Some(node))
}
