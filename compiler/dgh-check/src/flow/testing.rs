//! Programs by hand, for tests of what no text says quickly: size, and holes.

use std::time::{Duration, Instant};

use dgh_ir::{
    Agent, Arena, Collect, Confirm, Decider, Event, Expr, ExprKind, Fact, InputMode, Kind, Models, Named,
    Node, NodeId, Origin, OutcomeId, Part, Policy, PolicyKind, Program, Route, RouteId, Slot, SlotId,
    SlotKind, Step, StepKind, Target, Template, Type,
};

use crate::analyse::analyse;
use crate::report::{Context, Report};

/// An agent of this many nodes in a row, each collecting, reading and writing names of its own,
/// some leading back, with routes of `anywhere`, a detour and an `ensure`.
pub(crate) fn large(nodes: u32) -> Program {
    let mut agent = blank();
    let dialogue = &mut agent.dialogue;
    for i in 0..nodes {
        dialogue.slots.push(slot(&format!("v{i}"), SlotKind::Var));
    }
    for i in 0..nodes {
        let next = if i + 1 < nodes { Target::Node(NodeId(i + 1)) } else { Target::End(Some(OutcomeId(0))) };
        let mut routes = vec![
            route(i, Decider::On(Event::FailedCollect), Target::End(Some(OutcomeId(0)))),
            route(i, Decider::Next, next),
        ];
        if i > 0 && i % 10 == 0 {
            let mut back = route(i, Decider::On(Event::Key(Some("1".into()))), Target::Node(NodeId(i - 5)));
            back.block.push(step(StepKind::Clear(vec![SlotId(i - 5)])));
            routes.insert(0, back);
        }
        let ids: Vec<RouteId> = routes.into_iter().map(|r| dialogue.routes.push(r)).collect();
        let reads = if i > 0 { vec![SlotId(i - 1)] } else { Vec::new() };
        dialogue.nodes.push(node(&format!("n{i}"), SlotId(i), &reads, ids));
    }
    for event in [Event::Error, Event::Key(Some("0".into()))] {
        let mut out = route(0, Decider::On(event), Target::Node(NodeId(0)));
        out.from = None;
        let id = dialogue.routes.push(out);
        dialogue.anywhere.push(id);
    }
    dialogue.start = Some(NodeId(0));
    agent.policies.push(Policy {
        kind: PolicyKind::Ensure {
            fact: Fact::Completed(NodeId(nodes - 2)),
            before: Some(NodeId(nodes - 1)),
        },
        origin: Origin::NONE,
    });
    let mut program = Program { edition: 1, own_agents: 1, ..Program::default() };
    program.agents.push(agent);
    program
}

fn blank() -> Agent {
    let mut outcomes = Arena::new();
    outcomes.push(Named { name: "done".into(), origin: Origin::NONE });
    Agent {
        name: "agent".into(),
        prompt: None,
        models: Models::default(),
        languages: vec!["en".into()],
        time_zone: "UTC".into(),
        channels: vec![dgh_ir::Channel::Phone],
        words: Vec::new(),
        tags: Vec::new(),
        groups: indexmap::IndexMap::new(),
        outcomes,
        outcome_enum: dgh_ir::EnumId(0),
        before_call: Vec::new(),
        dialogue: dgh_ir::Dialogue::default(),
        webhooks: Arena::new(),
        reviews: Vec::new(),
        policies: Vec::new(),
        moved: Vec::new(),
        origin: Origin::NONE,
    }
}

fn slot(name: &str, kind: SlotKind) -> Slot {
    let ty = Type::of(Kind::Text);
    Slot { name: name.into(), ty, kind, about: None, default: None, origin: Origin::NONE }
}

fn read(slot: SlotId) -> Expr {
    Expr { kind: ExprKind::Slot(slot), ty: Type::of(Kind::Text), origin: Origin::NONE }
}

fn step(kind: StepKind) -> Step {
    Step { kind, origin: Origin::NONE }
}

fn route(from: u32, decider: Decider, target: Target) -> Route {
    Route { from: Some(NodeId(from)), decider, block: Vec::new(), target: Some(target), origin: Origin::NONE }
}

fn node(name: &str, collects: SlotId, reads: &[SlotId], routes: Vec<RouteId>) -> Node {
    let parts = reads.iter().map(|s| Part::Value { expr: read(*s), format: None }).collect();
    Node {
        name: name.into(),
        prompt: Some(Template { parts }),
        alone: false,
        steps: Vec::new(),
        collect: Some(Collect {
            slots: vec![collects],
            from: None,
            confirm: Confirm::Never,
            tries: None,
            ask: None,
            by: InputMode::Speech,
            until: None,
            origin: Origin::NONE,
        }),
        note: Vec::new(),
        uses: Vec::new(),
        routes,
        models: Models::default(),
        turn: dgh_ir::program::Settings::new(),
        origin: Origin::NONE,
    }
}

fn time(nodes: u32) -> (Duration, Vec<String>) {
    let program = large(nodes);
    let mut report = Report::new();
    let before = Instant::now();
    analyse(&program, &Context::default(), &mut report);
    (before.elapsed(), report.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect())
}

#[test]
fn ten_thousand_nodes_take_about_ten_times_as_long_as_a_thousand() {
    let (small, findings) = time(1000);
    let errors: Vec<_> = findings.iter().filter(|f| f.starts_with('E')).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (large, _) = time(10_000);
    // Sets of bits grow with the agent too, so a little more than ten times is fair.
    assert!(large < small * 60 + Duration::from_secs(1), "{small:?} became {large:?}");
}
