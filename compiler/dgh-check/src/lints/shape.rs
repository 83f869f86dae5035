//! H0801 to H0804: dialogues that work and could be better. Editors show these, and `--pedantic`.

use std::collections::{BTreeMap, BTreeSet};

use dgh_diag::{Code, Diagnostic};
use dgh_ir::{
    Arena, Confirm, Decider, DialogueId, Event, InputMode, Models, Node, NodeId, Part, SlotId, Step,
    StepKind, Target, Template, Value,
};

use crate::flow::rows::Row;
use crate::flow::scene::{Scene, World, target_node};
use crate::report::Report;

/// Checks a dialogue.
pub(crate) fn check(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    one_question_nodes(scene, report);
    two_answers(scene, report);
    not_correctable(scene, report);
    long_prompts(world, scene, report);
}

/// Nodes in a row that each collect one thing and do nothing else.
fn one_question_nodes(scene: &Scene<'_>, report: &mut Report) {
    let mut entered: Arena<NodeId, u32> = scene.dialogue.nodes.iter().map(|_| 0).collect();
    for (_, route) in scene.dialogue.routes.iter() {
        if let Some(to) = target_node(route).filter(|to| entered.get(*to).is_some()) {
            entered[to] += 1;
        }
    }
    let next = |id: NodeId| -> Option<NodeId> {
        let to = only_next(scene, id)?;
        let plain = asks_one_thing(scene, id) && asks_one_thing(scene, to);
        (plain && entered.get(to) == Some(&1) && to != id).then_some(to)
    };
    let followers: BTreeSet<NodeId> = scene.nodes().filter_map(|(id, _)| next(id)).collect();
    for (id, node) in scene.nodes() {
        if followers.contains(&id) || next(id).is_none() {
            continue;
        }
        let chain: Vec<NodeId> = std::iter::successors(Some(id), |at| next(*at)).collect();
        let slots = chain.iter().filter_map(|id| scene.dialogue.nodes.get(*id)?.collect.as_ref());
        let names: Vec<&str> = slots
            .flat_map(|c| &c.slots)
            .filter_map(|s| scene.dialogue.slots.get(*s).map(|s| s.name.as_str()))
            .collect();
        report.push(
            Diagnostic::new(
                Code::OneQuestionNodes,
                report.place(node.origin),
                format!("{} nodes in a row ask one question each", chain.len()),
            )
            .with_hint(format!(
                "One node with `collect {}` asks for all of it, in any order, and a caller may \
                 answer everything at once.",
                names.join(", ")
            )),
        );
    }
}

fn only_next(scene: &Scene<'_>, id: NodeId) -> Option<NodeId> {
    let mut to = None;
    for (_, route) in scene.own(id) {
        match (&route.decider, &route.target) {
            (Decider::Next, Some(Target::Node(node))) if route.block.is_empty() => to = Some(*node),
            (Decider::On(_), _) => {}
            _ => return None,
        }
    }
    to
}

fn asks_one_thing(scene: &Scene<'_>, id: NodeId) -> bool {
    scene.dialogue.nodes.get(id).is_some_and(|node| {
        node.steps.is_empty()
            && node.uses.is_empty()
            && node.collect.as_ref().is_some_and(|c| {
                c.slots.len() == 1
                    && c.from.is_none()
                    && c.by == InputMode::Speech
                    && c.confirm == Confirm::Never
            })
    })
}

/// The model chooses a route, and then opens the next node: two requests, and nothing is heard
/// meanwhile unless the arrow says something.
fn two_answers(scene: &Scene<'_>, report: &mut Report) {
    let opens_by_model = |node: &Node| {
        node.prompt.is_some()
            && !node.steps.iter().any(Step::speaks)
            && node.collect.as_ref().is_none_or(|c| c.ask.is_none())
    };
    for (_, route) in scene.dialogue.routes.iter() {
        let Some(Target::Node(to)) = route.target else { continue };
        let Some(node) = scene.dialogue.nodes.get(to) else { continue };
        let chosen = matches!(route.decider, Decider::When(_));
        if chosen && opens_by_model(node) && !route.block.iter().any(Step::speaks) {
            report.push(
                Diagnostic::new(
                    Code::TwoAnswers,
                    report.place(route.origin),
                    format!("the caller waits for two answers of the model before `{}` speaks", node.name),
                )
                .with_hint("A short `say` on the arrow is heard while the model thinks."),
            );
        }
    }
}

/// A value that is collected in one node and used in another, where the caller cannot change it
/// any more.
fn not_correctable(scene: &Scene<'_>, report: &mut Report) {
    let correctable: BTreeSet<SlotId> = scene
        .dialogue
        .routes
        .iter()
        .filter_map(|(_, r)| match r.decider {
            Decider::On(Event::Corrected(slot)) => Some(slot),
            _ => None,
        })
        .collect();
    let users = users(scene);
    let mut told = BTreeSet::new();
    for (at, node) in scene.nodes() {
        let Some(collect) = &node.collect else { continue };
        for slot in &collect.slots {
            if correctable.contains(slot) || told.contains(slot) {
                continue;
            }
            let talks_on = |id: NodeId| {
                scene.own(id).any(|(_, r)| {
                    target_node(r).is_some_and(|to| to != at && scene.shapes.get(to).is_some_and(|s| s.talks))
                })
            };
            let user = users.get(slot).into_iter().flatten().find(|id| **id != at && talks_on(**id));
            let user = user.and_then(|id| scene.dialogue.nodes.get(*id));
            let (Some(user), Some(declared)) = (user, scene.dialogue.slots.get(*slot)) else {
                continue;
            };
            told.insert(*slot);
            report.push(
                Diagnostic::new(
                    Code::NoCorrected,
                    report.place(collect.origin),
                    format!(
                        "once `{}` has used `{}`, the caller cannot correct it",
                        user.name, declared.name
                    ),
                )
                .with_related(report.place(user.origin), "used here")
                .with_hint(format!(
                    "Add `on corrected({}) -> …` to the nodes behind it, or to `anywhere`.",
                    declared.name
                )),
            );
        }
    }
}

/// The nodes in which each value counts as used.
fn users(scene: &Scene<'_>) -> BTreeMap<SlotId, Vec<NodeId>> {
    let mut users: BTreeMap<SlotId, Vec<NodeId>> = BTreeMap::new();
    for (id, node) in scene.nodes() {
        let mut reads: BTreeSet<SlotId> = BTreeSet::new();
        for step in &node.steps {
            if matches!(
                step.kind,
                StepKind::Call { .. } | StepKind::Run { .. } | StepKind::Set(..) | StepKind::Transfer { .. }
            ) {
                reads.extend(step.reads());
            }
        }
        for (_, route) in scene.own(id).filter(|(_, r)| Row::of(&r.decider) == Row::Done) {
            reads.extend(route.decider.condition().into_iter().flat_map(dgh_ir::Expr::reads));
        }
        for slot in reads {
            users.entry(slot).or_default().push(id);
        }
    }
    users
}

/// Characters to a token, roughly, in English.
const TOKEN: usize = 4;
/// Tokens that a prompt should stay under when the provider does not say.
const BUDGET: i64 = 8000;

fn long_prompts(world: &World<'_>, scene: &Scene<'_>, report: &mut Report) {
    let (persona, models, name, origin) = match scene.id {
        DialogueId::Agent(id) => {
            let agent = &world.program.agents[id];
            (agent.prompt.as_ref().map_or(0, tokens), Some(&agent.models), agent.name.as_str(), agent.origin)
        }
        _ => (0, None, "", dgh_ir::Origin::NONE),
    };
    let agent_budget = models.and_then(|m| budget(world, m)).unwrap_or(BUDGET);
    let mut push = |origin, name: &str, count: usize, budget: i64| {
        report.push(
            Diagnostic::new(
                Code::LongPrompt,
                report.place(origin),
                format!("the prompt of `{name}` has about {count} tokens, more than the {budget} that its model follows well"),
            )
            .with_hint("Move what only one node needs into that node, and facts into `knowledge`."),
        );
    };
    let over = |count: usize, budget: i64| i64::try_from(count).is_ok_and(|count| count > budget);
    if over(persona, agent_budget) {
        push(origin, name, persona, agent_budget);
        return;
    }
    for (_, node) in scene.nodes() {
        let Some(prompt) = &node.prompt else { continue };
        let count = tokens(prompt) + if node.alone { 0 } else { persona };
        let budget = budget(world, &node.models).unwrap_or(agent_budget);
        if over(count, budget) {
            push(node.origin, &node.name, count, budget);
        }
    }
}

fn budget(world: &World<'_>, models: &Models) -> Option<i64> {
    let provider = world.program.providers.get(models.llm.first()?.provider)?;
    match provider.settings.get("budget") {
        Some(Value::Int(tokens)) => Some(*tokens),
        _ => None,
    }
}

fn tokens(text: &Template) -> usize {
    let length = |part: &Part| match part {
        Part::Text(text) => text.chars().count(),
        Part::Value { .. } => TOKEN,
    };
    text.parts.iter().map(length).sum::<usize>().div_ceil(TOKEN)
}
