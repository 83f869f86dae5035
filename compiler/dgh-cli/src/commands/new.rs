//! `dgh new`: a folder with an agent that checks clean, from a template or from a sentence.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::write_agent::write_agent;
use crate::Outcome;
use crate::args::{New, Template};
use crate::ui;
use dgh_platform::models::Server;

/// Files of a template: name and text.
type Files = &'static [(&'static str, &'static str)];

macro_rules! template {
    ($name:literal) => {
        &[
            ("agent.dgh", include_str!(concat!("../../templates/", $name, "/agent.dgh"))),
            ("dgh.toml", include_str!(concat!("../../templates/", $name, "/dgh.toml"))),
        ]
    };
}

const RECEPTIONIST: Files = template!("receptionist");
const OUTBOUND: Files = template!("outbound");
const SURVEY: Files = template!("survey");

pub fn run(args: &New) -> anyhow::Result<Outcome> {
    let path = &args.path;
    if path.exists() && fs::read_dir(path).map_or(true, |mut inside| inside.next().is_some()) {
        bail!("{} exists and is not an empty folder", path.display());
    }
    let files: Vec<(&str, String)> = match (&args.from, &args.llm) {
        (Some(sentence), Some(llm)) => {
            let agent = write_agent(
                sentence,
                llm,
                Server { url: args.llm_url.as_deref(), timeout: args.llm_timeout },
            )?;
            vec![("agent.dgh", agent), ("dgh.toml", "[defaults]\ntime_zone = \"UTC\"\n".to_owned())]
        }
        _ => {
            let files = match args.template {
                Template::Receptionist => RECEPTIONIST,
                Template::Outbound => OUTBOUND,
                Template::Survey => SURVEY,
            };
            files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
        }
    };
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    for (name, text) in files {
        write(&path.join(name), &text)?;
    }
    let shown = path.display();
    ui::line(format!(
        "{} {shown}\n\n  dgh run {shown}     talk to it\n  dgh test {shown}    run its tests\n  dgh check {shown}   prove what can be proven",
        ui::paint(ui::GOOD, "made"),
    ))?;
    Ok(Outcome::Clean)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
