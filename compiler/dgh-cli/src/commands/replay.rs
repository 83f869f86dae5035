//! `dgh replay`: runs the log of a call again and compares, effect by effect.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use dgh_engine::Prepared;
use dgh_engine::log::{ProgramRef, ReplayError, open, replay};
use dgh_ir::wire;

use super::check::report_errors;
use super::timeline;
use crate::Outcome;
use crate::args::Replay;
use crate::ui;
use dgh_platform::Project;

pub fn run(args: &Replay) -> anyhow::Result<Outcome> {
    let reading = || format!("cannot read {}", args.log.display());
    let bytes = fs::read(&args.log).with_context(reading)?;
    let log = open(&bytes, &dgh_platform::keys::log_key()?).with_context(reading)?;
    if args.show {
        timeline::print(&log)?;
        return Ok(Outcome::Clean);
    }
    let source =
        log.program.clone().unwrap_or_else(|| ProgramRef { path: ".".to_owned(), hash: String::new() });
    let path = args.with.clone().unwrap_or_else(|| PathBuf::from(&source.path));
    let project = Project::one(&path).context("the agent of this log is not there; name it with --with")?;
    let compiled = project.compile();
    if !report_errors(&project, &compiled)? {
        return Ok(Outcome::Findings);
    }
    let same = wire::content_hash(&compiled.program) == source.hash;
    let program = if same { "the same program" } else { "a changed program" };
    match replay(&Prepared::new(Arc::new(compiled.program)), &log) {
        Ok(replayed) => {
            let (events, effects) = (log.entries.len() - replayed.effects, replayed.effects);
            ui::line(format!(
                "{} {events} events, {effects} effects, with {program}",
                ui::paint(ui::GOOD, "the same")
            ))?;
            Ok(Outcome::Clean)
        }
        Err(ReplayError::Diverged(divergence)) => {
            ui::line(format!("{} with {program}\n{divergence}", ui::paint(ui::BAD, "differs")))?;
            Ok(Outcome::Findings)
        }
        Err(error) => Err(error.into()),
    }
}
