//! The commands, one file each.

mod check;
mod compile;
mod explain;
mod fmt;
mod graph;

use crate::Outcome;
use crate::args::Command;

/// Runs one.
pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Compile(args) => compile::run(&args),
        _ => anyhow::bail!("not there yet"),
    }
}
