//! The `dgh` command.
//!
//! Exit codes: 0 clean, 1 findings (errors, failed tests, a file that is not formatted, a log that
//! diverges), 2 wrong usage or a file that cannot be read or written.

#![allow(clippy::indexing_slicing, reason = "arenas are indexed by ids of their own program")]
#![allow(unreachable_pub, reason = "a binary has no outside; `pub` says what other modules use")]

mod args;
mod commands;
mod remote;
mod session;
mod settings;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    args.color.write_global();
    match commands::run(args.command) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(error) if ui::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            ui::error(&error);
            ExitCode::from(2)
        }
    }
}

/// How a command that could do its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to complain about.
    Clean,
    /// Errors, failed tests, unformatted files.
    Findings,
}

impl Outcome {
    /// `Findings` if there are any.
    pub fn of(findings: bool) -> Self {
        if findings { Self::Findings } else { Self::Clean }
    }
}
