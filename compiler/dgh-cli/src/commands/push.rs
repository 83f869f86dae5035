//! `dgh push`: a folder becomes the draft of an agent on a server.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use dgh_platform::Project;
use dgh_platform::bundles::{files, folder};

use crate::Outcome;
use crate::args;
use crate::remote::{Draft, Remote, Sent, State};
use crate::ui;

pub fn run(args: &args::Push) -> anyhow::Result<Outcome> {
    let project = Project::one(&args.path)?;
    let contents = folder::of_project(&project, &project.compile())?;
    let listing: files::Listing = contents
        .iter()
        .map(|(path, content)| {
            (path.clone(), (files::sha256(content), i64::try_from(content.len()).unwrap_or(i64::MAX)))
        })
        .collect();
    files::check_listing(&listing).map_err(anyhow::Error::msg)?;
    let local: BTreeMap<String, String> =
        listing.iter().map(|(path, (sha256, _))| (path.clone(), sha256.clone())).collect();
    let remote = Remote::new(&args.remote)?;
    let state = State::read(&project.root).filter(|state| state.server == remote.address());
    let agent = match (&args.agent, &state) {
        (Some(agent), _) => agent.clone(),
        (None, Some(state)) => state.agent.clone(),
        (None, None) => folder_name(&project.root)?,
    };
    let state = state.filter(|state| state.agent == agent);
    let there = match remote.draft(&agent)? {
        Some(there) => there,
        None => remote.create(&agent, project.named.then_some(project.entry.as_str()))?,
    };
    let hash = files::hash(&listing);
    if there.hash == hash {
        State::write(&project.root, remote.address(), &agent, &Draft { hash: hash.clone(), files: local })?;
        ui::note(format!("{agent} on {} has all of it", remote.address()));
    } else {
        let known = state.as_ref().map(|state| state.hash.as_str());
        let free = known == Some(&there.hash) || there.files.is_empty() || args.force;
        if !free {
            return refuse(&agent, &there, state.as_ref());
        }
        let Some(written) = send(&remote, &agent, &there.hash, &local, &contents)? else {
            let now = remote.draft(&agent)?.unwrap_or(there);
            return refuse(&agent, &now, state.as_ref());
        };
        State::write(&project.root, remote.address(), &agent, &written)?;
        for change in changes(&there.files, &local) {
            ui::line(format!("  {change}"))?;
        }
        ui::note(format!("{} {agent} on {}", ui::paint(ui::GOOD, "pushed"), remote.address()));
    }
    if args.publishing.publish {
        let release = remote.publish(&agent, &hash, &args.publishing)?;
        let (number, profile) = (&release["number"], release["profile"].as_str().unwrap_or("?"));
        ui::line(format!("{} release {number} of {agent} in {profile}", ui::paint(ui::GOOD, "published")))?;
        let missing: Vec<&str> =
            release["missing_secrets"].as_array().into_iter().flatten().filter_map(|s| s.as_str()).collect();
        if !missing.is_empty() {
            ui::note(format!("the profile has no secret {}", missing.join(", ")));
        }
    }
    Ok(Outcome::Clean)
}

/// Writes the draft; what the server lacks is sent first. None: somebody was faster.
fn send(
    remote: &Remote,
    agent: &str,
    was: &str,
    local: &BTreeMap<String, String>,
    contents: &BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<Option<Draft>> {
    // Twice: once to hear what is missing, once when it is there.
    for _ in 0..2 {
        match remote.put(agent, was, local)? {
            Sent::Written(draft) => return Ok(Some(draft)),
            Sent::Stale => return Ok(None),
            Sent::Missing(missing) => {
                for sha256 in missing {
                    let found = local.iter().find(|(_, other)| **other == sha256);
                    if let Some(content) = found.and_then(|(path, _)| contents.get(path)) {
                        remote.send(content)?;
                    }
                }
            }
        }
    }
    bail!("the server does not keep the files that it is sent")
}

fn refuse(agent: &str, there: &Draft, state: Option<&State>) -> anyhow::Result<Outcome> {
    match state {
        Some(state) => {
            ui::note(format!(
                "{} {agent} was changed on the server since:",
                ui::paint(ui::BAD, "not pushed:")
            ));
            for change in changes(&state.files, &there.files) {
                ui::line(format!("  {change}"))?;
            }
        }
        None => ui::note(format!(
            "{} there is an agent {agent} on the server that this folder knows nothing of",
            ui::paint(ui::BAD, "not pushed:")
        )),
    }
    ui::note("`dgh pull` brings its files here; `dgh push --force` overwrites them.");
    Ok(Outcome::Findings)
}

/// What is different: `+ new.dgh`, `- gone.dgh`, `~ agent.dgh`.
pub fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let now = after.iter().filter_map(|(path, sha256)| match before.get(path) {
        None => Some(ui::paint(ui::GOOD, format!("+ {path}"))),
        Some(old) if old != sha256 => Some(ui::paint(ui::NOTE, format!("~ {path}"))),
        Some(_) => None,
    });
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    now.chain(gone.map(|path| ui::paint(ui::BAD, format!("- {path}")))).collect()
}

/// The name of a folder, as far as an address takes it.
fn folder_name(root: &Path) -> anyhow::Result<String> {
    let root = std::fs::canonicalize(root)?;
    let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(64).collect();
    if name.is_empty() {
        bail!("name the agent: --agent NAME");
    }
    Ok(name)
}
