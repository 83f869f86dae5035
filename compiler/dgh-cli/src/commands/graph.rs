//! `dgh graph`.

use anyhow::{Context as _, bail};
use dgh_compile::Compiled;
use dgh_ir::graph::Diagram;
use dgh_ir::program::{Agent, AgentId, DialogueId};

use super::check::report_errors;
use crate::Outcome;
use crate::args::{Graph, GraphFormat};
use crate::project::Project;
use crate::ui;

pub fn run(args: &Graph) -> anyhow::Result<Outcome> {
    let project = Project::one(&args.path)?;
    let compiled = project.compile();
    if !report_errors(&project, &compiled)? {
        return Ok(Outcome::Findings);
    }
    let program = &compiled.program;
    let id = match own_agent(&compiled, args.agent.as_deref()) {
        Ok((id, _)) => DialogueId::Agent(id),
        // A file of flows alone is drawn, too.
        Err(error) => match program.flows.ids().next() {
            Some(flow) if program.own_agents == 0 && args.agent.is_none() => DialogueId::Flow(flow),
            _ => return Err(error),
        },
    };
    let diagram = Diagram::of(program, id);
    ui::line(match args.format {
        GraphFormat::Mermaid => diagram.to_mermaid(),
        GraphFormat::Dot => diagram.to_dot(),
        GraphFormat::Json => serde_json::to_string_pretty(&diagram.to_json())?,
    })?;
    Ok(Outcome::Clean)
}

/// The agent of the entry file with this name, or its only one.
pub fn own_agent<'a>(compiled: &'a Compiled, name: Option<&str>) -> anyhow::Result<(AgentId, &'a Agent)> {
    let own: Vec<_> = compiled.program.agents.iter().take(compiled.program.own_agents as usize).collect();
    let names = || own.iter().map(|(_, a)| format!("`{}`", a.name)).collect::<Vec<_>>().join(", ");
    match (name, own.as_slice()) {
        (_, []) => bail!("the file has no agent"),
        (None, [only]) => Ok(*only),
        (None, _) => bail!("the file has several agents; name one with --agent: {}", names()),
        (Some(name), all) => {
            let found = all.iter().find(|(_, a)| a.name == name).copied();
            found.with_context(|| format!("there is no agent `{name}`; the file has {}", names()))
        }
    }
}
