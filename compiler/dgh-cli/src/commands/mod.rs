//! The commands, one file each.

mod check;
mod compile;
mod db;
mod diff;
mod doctor;
mod explain;
mod fmt;
mod graph;
mod latency;
mod lock;
mod new;
mod pull;
mod push;
mod replay;
mod run;
mod serve;
mod test;
mod timeline;
mod write_agent;

use crate::Outcome;
use crate::args::Command;

/// Runs one.
pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::New(args) => new::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Lock(args) => lock::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Db(args) => db::run(&args),
        Command::Push(args) => push::run(&args),
        Command::Pull(args) => pull::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Latency(args) => latency::run(&args),
    }
}
