//! E0601 and E0602: what an agent that calls people owes them.

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{Builtin, Decider, DialogueId, Event, ExprKind, Origin};

use crate::flow::scene::{Scene, World};
use crate::report::Report;

/// Checks an agent.
pub(crate) fn check(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let DialogueId::Agent(id) = scene.id else { return };
    let agent = &world.program.agents[id];
    let Some(outbound) = agent.groups.get("outbound") else { return };
    let damage = report.errors(|code| (code as u16) < (Code::UnknownName as u16));
    if damage.are_in(report, agent.origin) {
        return;
    }
    let first = outbound.values().next().map_or(agent.origin, |value| value.origin);
    let mut push = |code, origin: Origin, message: String, hint: &str| {
        report.push(Diagnostic::new(code, report.place(origin), message).with_hint(hint));
    };
    if !handles_voicemail(scene) {
        push(
            Code::NoVoicemail,
            first,
            format!("`{}` calls people, but nothing says what happens when a machine answers", agent.name),
            "Add `on voicemail -> …` to `anywhere`: a node that leaves a message, or an `end`.",
        );
    }
    if !outbound.contains_key("hours") {
        push(
            Code::NoCallingHours,
            first,
            format!("`{}` calls people, but does not say at what hours", agent.name),
            "Add `hours: 9:00..20:00` to `outbound`, in the time zone of the person who is called.",
        );
    }
}

/// By an event, or by asking who answered.
fn handles_voicemail(scene: &Scene<'_>) -> bool {
    scene.dialogue.routes.iter().any(|(_, route)| {
        let event = matches!(route.decider, Decider::On(Event::Voicemail | Event::Hole));
        event
            || route.decider.condition().is_some_and(|condition| {
                condition.any(|e| matches!(e.kind, ExprKind::Builtin(Builtin::CallAnsweredBy)))
            })
    })
}
