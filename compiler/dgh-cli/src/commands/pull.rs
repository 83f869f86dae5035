//! `dgh pull`: the draft of an agent on a server becomes the files of a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use dgh_platform::bundles::files;

use super::push::changes;
use crate::Outcome;
use crate::args;
use crate::remote::{Remote, State};
use crate::ui;

pub fn run(args: &args::Pull) -> anyhow::Result<Outcome> {
    let remote = Remote::new(&args.remote)?;
    let root = &args.path;
    let state = State::read(root).filter(|state| state.server == remote.address());
    let agent = match (&args.agent, &state) {
        (Some(agent), _) => agent.clone(),
        (None, Some(state)) => state.agent.clone(),
        (None, None) => bail!("name the agent that is pulled: --agent NAME"),
    };
    let state = state.filter(|state| state.agent == agent);
    let there = remote.draft(&agent)?;
    let there = there.with_context(|| format!("there is no agent {agent} on {}", remote.address()))?;
    // What the server names goes to no place outside of the folder.
    for path in there.files.keys() {
        files::check_path(path).map_err(|why| anyhow::anyhow!("the server names `{path}`: {why}"))?;
    }
    let base = state.map(|state| state.files).unwrap_or_default();
    let paths: BTreeSet<&String> = there.files.keys().chain(base.keys()).collect();
    let local = local(root, &paths)?;
    let (mut write, mut remove, mut clash) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let (here, was, is) = (local.get(path), base.get(path), there.files.get(path));
        if here == is || is == was {
            // Both have it, or only this side changed it: the next push brings it there.
            continue;
        }
        if here != was && !args.force {
            clash.push(path.clone());
        } else if is.is_some() {
            write.push(path.clone());
        } else if here.is_some() {
            remove.push(path.clone());
        }
    }
    if !clash.is_empty() {
        ui::note(format!("{} these were changed here and on the server:", ui::paint(ui::BAD, "not pulled:")));
        for path in clash {
            ui::line(format!("  {}", ui::paint(ui::NOTE, format!("~ {path}"))))?;
        }
        ui::note("Put them aside, or overwrite them with `dgh pull --force`.");
        return Ok(Outcome::Findings);
    }
    // All is fetched before anything is overwritten.
    let mut fetched = Vec::new();
    for path in &write {
        let sha256 = there.files.get(path).map(String::as_str).unwrap_or_default();
        fetched.push((path, remote.fetch(sha256)?));
    }
    for (path, content) in fetched {
        let place = root.join(path);
        let writing = || format!("cannot write {}", place.display());
        fs::create_dir_all(place.parent().unwrap_or(root)).with_context(writing)?;
        fs::write(&place, content).with_context(writing)?;
    }
    for path in &remove {
        let place = root.join(path);
        fs::remove_file(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    State::write(root, remote.address(), &agent, &there)?;
    let touched = |path: &&String| write.contains(path) || remove.contains(path);
    let side = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        all.iter().filter(|(path, _)| touched(path)).map(|(path, sha)| (path.clone(), sha.clone())).collect()
    };
    for change in changes(&side(&local), &side(&there.files)) {
        ui::line(format!("  {change}"))?;
    }
    let said = if write.is_empty() && remove.is_empty() { "has nothing new" } else { "is here" };
    ui::note(format!("{agent} of {} {said}", remote.address()));
    Ok(Outcome::Clean)
}

/// What of these paths is here, by its SHA-256.
fn local(root: &Path, paths: &BTreeSet<&String>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for path in paths {
        match fs::read(root.join(path)) {
            Ok(content) => drop(found.insert((*path).clone(), files::sha256(&content))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        }
    }
    Ok(found)
}
