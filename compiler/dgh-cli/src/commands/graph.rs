//! `dgh graph`.

use dgh_ir::graph::Diagram;
use dgh_ir::program::DialogueId;

use super::check::report_errors;
use crate::Outcome;
use crate::args::{Graph, GraphFormat};
use crate::ui;
use dgh_platform::Project;
use dgh_platform::agents::own_agent;

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
