//! Which nodes and routes the tests of a file visit, and which they do not.

use std::collections::BTreeSet;

use dgh_ir::program::{DialogueId, Target};

use super::Suite;
use crate::ui;

/// Prints the shares, and what is missing.
pub fn report(suites: &[Suite]) -> anyhow::Result<()> {
    ui::line(format!("\n{}", ui::paint(ui::DIM, "coverage")))?;
    for suite in suites.iter().filter(|suite| !suite.tests.is_empty()) {
        one(suite)?;
    }
    Ok(())
}

fn one(suite: &Suite) -> anyhow::Result<()> {
    let program = &suite.compiled.program;
    let nodes: BTreeSet<_> = suite.results.iter().flat_map(|t| &t.outcome.visited).collect();
    let routes: BTreeSet<_> = suite.results.iter().flat_map(|t| &t.outcome.routes).collect();
    let (mut all_nodes, mut all_routes, mut visited_nodes, mut visited_routes) = (0, 0, 0, 0);
    let mut missing = Vec::new();
    for (id, dialogue) in program.dialogues().filter(|(id, _)| own(suite, *id)) {
        let name = program.dialogue_name(id);
        for (_, data) in dialogue.nodes.iter() {
            all_nodes += 1;
            if nodes.contains(&(name.to_owned(), data.name.clone())) {
                visited_nodes += 1;
            } else {
                missing.push((data.origin, format!("{name}.{} is never entered", data.name)));
            }
        }
        for (route, data) in dialogue.routes.iter() {
            all_routes += 1;
            if routes.contains(&(name.to_owned(), route.0)) {
                visited_routes += 1;
            } else {
                let from = data.from.map_or("anywhere", |node| dialogue.nodes[node].name.as_str());
                let to = data.target.as_ref().map(|target| to(suite, id, target)).unwrap_or_default();
                missing.push((
                    data.origin,
                    format!("{name}.{from}: {}{to} is never taken", data.decider.label()),
                ));
            }
        }
    }
    let share = |part: usize, whole: usize| (part * 100).checked_div(whole).unwrap_or(100);
    let counted = |set: usize, whole: usize| format!("{set}/{whole} ({}%)", share(set, whole));
    ui::line(format!(
        "  {}: nodes {}, routes {}",
        suite.shown(),
        counted(visited_nodes, all_nodes),
        counted(visited_routes, all_routes)
    ))?;
    for (origin, what) in missing {
        let line = suite.line(origin).map_or(0, |(line, _)| line);
        ui::line(ui::paint(ui::DIM, format!("    line {line}: {what}")))?;
    }
    Ok(())
}

fn to(suite: &Suite, dialogue: DialogueId, target: &Target) -> String {
    format!(" -> {}", suite.compiled.program.target_name(dialogue, target))
}

/// Whether a dialogue stands in the file that is tested: what it imports is tested where it is.
fn own(suite: &Suite, id: DialogueId) -> bool {
    let program = &suite.compiled.program;
    let origin = match id {
        DialogueId::Agent(agent) => program.agents[agent].origin,
        DialogueId::Flow(flow) => program.flows[flow].origin,
        DialogueId::Last => return false,
    };
    suite.compiled.source_map.get(origin).is_some_and(|source| source.file == 0)
}
