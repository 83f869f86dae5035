//! `caller`, `judge` and `--live`: tests that need a model.

use super::Suite;
use crate::args::Test;

pub fn run(_suite: &mut Suite, _args: &Test) -> anyhow::Result<()> {
    Ok(())
}
