//! E0503: an `always` is a guard on every write of what it speaks of. It cannot guard what is
//! never written, nor what is known only when the call is over.

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{Builtin, DialogueId, Expr, ExprKind, PolicyKind, SlotKind};

use crate::flow::scene::{Scene, World};
use crate::report::Report;

/// Checks every `always` of an agent.
pub(crate) fn check(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let DialogueId::Agent(id) = scene.id else { return };
    for policy in &world.program.agents[id].policies {
        let PolicyKind::Always { condition, .. } = &policy.kind else { continue };
        if condition.any(|e| matches!(e.kind, ExprKind::Hole)) {
            continue;
        }
        let place = report.place(policy.origin);
        if let Some((late, name)) = known_too_late(condition) {
            let finding = Diagnostic::new(
                Code::AlwaysUnchecked,
                report.place(late.origin),
                format!("`{name}` is not known while the call goes on, so this can never be checked"),
            )
            .with_hint("Speak of variables: they are checked whenever one of them is written.");
            report.push(finding);
            continue;
        }
        let slots = condition.reads();
        let is_written = |slot: &dgh_ir::SlotId| {
            scene.dialogue.slots.get(*slot).is_some_and(|s| s.kind != SlotKind::Input)
        };
        if !slots.iter().any(is_written) {
            let finding = Diagnostic::new(
                Code::AlwaysUnchecked,
                place,
                "nothing that this speaks of is ever written during a call",
            )
            .with_label("never checked")
            .with_hint(
                "`always` is checked whenever one of its variables is written. For what is given \
                 when the call starts, use an `if` in the first node.",
            );
            report.push(finding);
        }
    }
}

fn known_too_late(condition: &Expr) -> Option<(&Expr, &'static str)> {
    let mut found = None;
    condition.walk(&mut |e| {
        if let ExprKind::Builtin(builtin) = e.kind
            && matches!(
                builtin,
                Builtin::CallOutcome
                    | Builtin::CallEndedBy
                    | Builtin::CallSummary
                    | Builtin::CallTranscriptUrl
                    | Builtin::CallRecordingUrl
                    | Builtin::CallDuration
            )
        {
            found.get_or_insert((e, builtin.name()));
        }
    });
    found
}
