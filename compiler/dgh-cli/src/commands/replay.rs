//! `dgh replay`: runs the log of a call again and compares, effect by effect.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use dgh_engine::log::{open, replay};
use dgh_ir::wire;

use super::check::report_errors;
use crate::Outcome;
use crate::args::Replay;
use crate::project::Project;
use crate::ui;

pub fn run(args: &Replay) -> anyhow::Result<Outcome> {
    let reading = || format!("cannot read {}", args.log.display());
    let bytes = fs::read(&args.log).with_context(reading)?;
    let log = open(&bytes, &crate::keys::log_key()?).map_err(anyhow::Error::msg).with_context(reading)?;
    let path = args.with.clone().unwrap_or_else(|| PathBuf::from(&log.header.program));
    let project = Project::one(&path).context("the agent of this log is not there; name it with --with")?;
    let compiled = project.compile();
    if !report_errors(&project, &compiled)? {
        return Ok(Outcome::Findings);
    }
    let same = wire::content_hash(&compiled.program) == log.header.hash;
    let program = if same { "the same program" } else { "a changed program" };
    match replay(Arc::new(compiled.program), &log) {
        Ok(replayed) => {
            ui::line(format!(
                "{} {} events, {} effects, with {program}",
                ui::paint(ui::GOOD, "the same"),
                replayed.events,
                replayed.effects
            ))?;
            Ok(Outcome::Clean)
        }
        Err(divergence) => {
            ui::line(format!("{} with {program}\n{divergence}", ui::paint(ui::BAD, "differs")))?;
            Ok(Outcome::Findings)
        }
    }
}
