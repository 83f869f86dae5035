//! `dgh compile`.

use std::fs;

use anyhow::Context as _;
use dgh_ir::wire;

use super::check::report_errors;
use crate::Outcome;
use crate::args::Compile;
use crate::ui;
use dgh_platform::Project;

pub fn run(args: &Compile) -> anyhow::Result<Outcome> {
    if args.schema {
        ui::line(serde_json::to_string_pretty(&wire::json_schema())?)?;
        return Ok(Outcome::Clean);
    }
    let project = Project::one(&args.path)?;
    let compiled = project.compile();
    if !report_errors(&project, &compiled)? {
        return Ok(Outcome::Findings);
    }
    if args.hash {
        ui::line(wire::content_hash(&compiled.program))?;
        return Ok(Outcome::Clean);
    }
    let bytes = wire::to_bytes(&compiled.program);
    if let Some(path) = &args.output {
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    } else {
        ui::print(&String::from_utf8_lossy(&bytes))?;
    }
    Ok(Outcome::Clean)
}
