//! E0310, E0312, and where `else` and `next` may stand: statements in an order that means nothing.

use dgh_diag::{Code, Diagnostic, Edit, Fix};
use dgh_ir::{Decider, DialogueId, NodeId, Origin, Route, Step, StepKind};

use super::rows::Row;
use super::scene::Scene;
use crate::report::Report;

/// Checks a dialogue.
pub(crate) fn check(scene: &Scene<'_>, report: &mut Report) {
    for (id, node) in scene.dialogue.nodes.iter() {
        // Words of what did not parse may stand in it that belong elsewhere.
        if scene.shapes[id].broken {
            continue;
        }
        let routes: Vec<&Route> = scene.own(id).map(|(_, route)| route).collect();
        never_done(scene, id, &routes, report);
        order_of_typed(&routes, report);
        node_steps(&node.steps, report);
        for route in &routes {
            block(route, report);
        }
    }
    for (_, route) in scene.anywhere() {
        block(route, report);
    }
    if let DialogueId::Agent(id) = scene.id {
        for step in scene.program.agents[id].before_call.iter().flat_map(|b| &b.steps) {
            before_call(step, report);
        }
    }
}

fn never_done(scene: &Scene<'_>, id: NodeId, routes: &[&Route], report: &mut Report) {
    if scene.shapes[id].is_ever_done() {
        return;
    }
    let Some(first) = routes.iter().find(|r| Row::of(&r.decider) == Row::Done) else { return };
    let name = scene.name(id);
    let word = first.decider.label();
    let target = first
        .target
        .as_ref()
        .map_or(String::new(), |t| format!(" -> {}", scene.program.target_name(scene.id, t)));
    report.push(
        Diagnostic::new(
            Code::NeverDone,
            report.place(first.origin),
            format!(
                "`{name}` talks and collects nothing, so it is never done and `{word}` is never looked at"
            ),
        )
        .with_label("never looked at")
        .with_hint(format!(
            "Let the model decide with `when done: \"…\"{target}`, or say with `collect` what must \
             be known before it leads on.",
        )),
    );
}

/// `else` closes a row of `if`s, `next` stands alone.
fn order_of_typed(routes: &[&Route], report: &mut Report) {
    let typed: Vec<&&Route> = routes.iter().filter(|r| Row::of(&r.decider) == Row::Done).collect();
    let mut has_if = false;
    for route in &typed {
        match route.decider {
            Decider::If(_) => has_if = true,
            Decider::Else if !has_if => {
                wrong_word(route, "`else` needs an `if` before it", "next", report);
            }
            Decider::Next if has_if => {
                wrong_word(route, "`next` stands alone; behind an `if` the way on is `else`", "else", report);
            }
            _ => {}
        }
    }
}

fn node_steps(steps: &[Step], report: &mut Report) {
    let asked = steps.iter().position(|s| matches!(s.kind, StepKind::Ask { .. }));
    if let Some(at) = asked
        && let Some(later) = steps.iter().skip(at + 1).find(|s| s.speaks())
    {
        misplaced(
            Code::StepOrder,
            later.origin,
            "nothing is said behind `ask`: it gives the caller the floor".into(),
            "Put it before the `ask`, or say it in the words of the `ask`.",
            report,
        );
    }
    let run = steps.iter().position(|s| matches!(s.kind, StepKind::Run { .. }));
    if let Some(at) = run
        && let Some(later) = steps.get(at + 1)
        && !matches!(later.kind, StepKind::Hole)
    {
        misplaced(
            Code::StepOrder,
            later.origin,
            "`run` is the last step of a node".into(),
            "Put what follows the flow on the arrow behind it, or into the next node.",
            report,
        );
    }
}

fn block(route: &Route, report: &mut Report) {
    for step in &route.block {
        match step.kind {
            StepKind::Ask { .. } if route.target.is_some() => misplaced(
                Code::StepOrder,
                step.origin,
                "`ask` cannot stand on an arrow: the caller answers in a node".into(),
                "Write `say` here, or put the `ask` into the node that the arrow leads to.",
                report,
            ),
            StepKind::Run { .. } => misplaced(
                Code::StepOrder,
                step.origin,
                "`run` cannot stand on an arrow: it is the last step of a node".into(),
                "Lead to a node that runs the flow.",
                report,
            ),
            _ => {}
        }
    }
}

fn before_call(step: &Step, report: &mut Report) {
    let what = match step.kind {
        StepKind::Call { .. } | StepKind::Set(..) | StepKind::Clear(_) | StepKind::Hole => return,
        StepKind::Say { .. } => "say",
        StepKind::Tell(_) => "tell",
        StepKind::Ask { .. } => "ask",
        StepKind::Play { .. } => "play",
        StepKind::Wait(_) => "wait",
        StepKind::Run { .. } => "run",
        StepKind::Press(_) => "press",
        StepKind::Transfer { .. } => "transfer",
    };
    misplaced(
        Code::StepOrder,
        step.origin,
        format!("`{what}` cannot stand in `before call`: nobody is on the line yet"),
        "Put it into the `start` node; here stand `call` and `set`.",
        report,
    );
}

/// `else` for `next`, or the other way round.
fn wrong_word(route: &Route, message: &str, right: &str, report: &mut Report) {
    let place = report.place(route.origin);
    report.push(
        Diagnostic::new(Code::Misplaced, place, message)
            .with_hint(format!("Write `{right} -> …`."))
            .with_fix(Fix {
                title: format!("Write `{right}`"),
                edits: vec![Edit { place, text: right.into() }],
                safe: true,
            }),
    );
}

fn misplaced(code: Code, origin: Origin, message: String, hint: &str, report: &mut Report) {
    report.push(Diagnostic::new(code, report.place(origin), message).with_hint(hint));
}
