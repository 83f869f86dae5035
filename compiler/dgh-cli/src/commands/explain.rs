//! `dgh explain`.

use anyhow::bail;
use dgh_diag::{Code, explain};

use crate::Outcome;
use crate::args::Explain;
use crate::ui;

pub fn run(args: &Explain) -> anyhow::Result<Outcome> {
    let Some(text) = &args.code else {
        for code in Code::ALL {
            ui::line(format!("{}  {}", ui::paint(ui::AGENT, code), code.title()))?;
        }
        return Ok(Outcome::Clean);
    };
    let Some(code) = Code::parse(text) else {
        bail!("there is no code `{text}`; `dgh explain` lists them all");
    };
    ui::line(explain(code).trim_end())?;
    Ok(Outcome::Clean)
}
