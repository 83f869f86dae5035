//! `dgh diff`: what one agent does differently from another, and whom that breaks.

use dgh_ir::diff::{Change, Diff, Part, What, diff};
use dgh_platform::Project;
use serde_json::json;

use super::check::report_errors;
use crate::Outcome;
use crate::args;
use crate::ui;

/// Lines of a text that are shown of each side.
const LINES: usize = 12;

pub fn run(args: &args::Diff) -> anyhow::Result<Outcome> {
    let mut programs = Vec::new();
    for path in [&args.before, &args.after] {
        let project = Project::one(path)?;
        let compiled = project.compile();
        if !report_errors(&project, &compiled)? {
            return Ok(Outcome::Findings);
        }
        programs.push(compiled.program);
    }
    let [before, after] = programs.as_slice() else { return Ok(Outcome::Clean) };
    let found = diff(before, after);
    if args.json {
        let text = json!({ "breaks": found.breaks(), "changes": found.changes });
        ui::line(serde_json::to_string_pretty(&text)?)?;
    } else {
        show(&found)?;
    }
    Ok(Outcome::of(found.breaks()))
}

fn show(found: &Diff) -> anyhow::Result<()> {
    if found.is_empty() {
        return ui::line("they do the same");
    }
    for change in &found.changes {
        ui::line(head(change))?;
        for (mark, style, text) in [("-", ui::BAD, &change.before), ("+", ui::GOOD, &change.after)] {
            for line in text.iter().flat_map(|text| text.lines()).take(LINES) {
                ui::line(format!("    {}", ui::paint(style, format!("{mark} {line}"))))?;
            }
        }
        if let Some(how) = &change.breaks {
            ui::line(format!("    {} {how}", ui::paint(ui::BAD, "breaks:")))?;
        }
    }
    let breaks = found.changes.iter().filter(|change| change.breaks.is_some()).count();
    ui::note(match breaks {
        0 => {
            format!("{}, none of which breaks callers or receivers", ui::count(found.changes.len(), "change"))
        }
        _ => format!(
            "{}, {breaks} of which may break callers or receivers",
            ui::count(found.changes.len(), "change")
        ),
    });
    Ok(())
}

/// `changed  node hello of front_desk: prompt`
fn head(change: &Change) -> String {
    let (word, style) = match change.what {
        What::Added => ("added", ui::GOOD),
        What::Removed => ("removed", ui::BAD),
        What::Changed => ("changed", ui::NOTE),
        What::Renamed => ("renamed", ui::NOTE),
    };
    let within = change.within.as_ref().map(|within| format!(" of {within}")).unwrap_or_default();
    let aspect = change.aspect.map(|aspect| format!(": {aspect}")).unwrap_or_default();
    format!(
        "{} {} {}{within}{aspect}",
        ui::paint(style, format!("{word:<8}")),
        part(change.part),
        change.name
    )
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Agent => "agent",
        Part::Input => "input",
        Part::Variable => "variable",
        Part::Outcome => "outcome",
        Part::Webhook => "webhook",
        Part::Channel => "channel",
        Part::Language | Part::Setting | Part::Prompt => "setting",
        Part::Model => "model",
        Part::BeforeCall => "block",
        Part::Node => "node",
        Part::Route => "route",
        Part::Handler => "handler",
        Part::Promise => "promise",
        Part::Review => "review",
        Part::Flow => "flow",
        Part::Type => "type",
        Part::Tool => "tool",
        Part::McpServer => "MCP server",
        Part::Phrase => "phrase",
        Part::Knowledge => "knowledge",
        Part::Library => "standard library",
    }
}
