//! `dgh doctor`: looks whether everything is there that a server needs.

use dgh_server::doctor::{Finding, Health, Patient, look};
use serde_json::json;

use super::serve::{data_folder, here};
use crate::Outcome;
use crate::args::Doctor;
use crate::ui;

pub fn run(args: &Doctor) -> anyhow::Result<Outcome> {
    let path = args.path.clone().or_else(here);
    let config = args.flags.config(path.as_deref())?;
    let data = data_folder(&config, path.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let patient = Patient { config: &config, data, agents: path.as_deref() };
    let found = runtime.block_on(look(&patient));
    runtime.shutdown_background();
    if args.json {
        let all: Vec<_> = found.iter().map(as_json).collect();
        ui::line(serde_json::to_string_pretty(&json!({ "findings": all }))?)?;
    } else {
        for finding in &found {
            show(finding)?;
        }
    }
    Ok(Outcome::of(found.iter().any(|finding| finding.health == Health::Bad)))
}

fn show(finding: &Finding) -> anyhow::Result<()> {
    let mark = match finding.health {
        Health::Good => ui::paint(ui::GOOD, "good"),
        Health::Fair => ui::paint(ui::NOTE, "fair"),
        Health::Bad => ui::paint(ui::BAD, "bad "),
    };
    ui::line(format!("{mark}  {:<10} {}", finding.part, ui::wrapped(&finding.seen, 17)))?;
    if let Some(advice) = &finding.advice {
        ui::line(format!("                 {}", ui::paint(ui::DIM, ui::wrapped(advice, 17))))?;
    }
    Ok(())
}

fn as_json(finding: &Finding) -> serde_json::Value {
    let health = match finding.health {
        Health::Good => "good",
        Health::Fair => "fair",
        Health::Bad => "bad",
    };
    json!({ "part": finding.part, "health": health, "seen": finding.seen, "advice": finding.advice })
}
