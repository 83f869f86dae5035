//! The files of a bundle that stand in a folder on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dgh_compile::manifest::SecretRef;
use dgh_compile::{Compiled, World as _};

use super::files::{LOCK, MAX_BUNDLE_BYTES, MAX_FILE_BYTES, MAX_FILES, SETTINGS, check_path};
use crate::Project;

/// The files that belong to a project: the whole folder where it has a `dgh.toml`, else what the
/// program names. Files that hold secrets are never among them.
pub fn of_project(project: &Project, compiled: &Compiled) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let secret = secret_files(compiled);
    let paths: BTreeSet<String> = if project.root.join(SETTINGS).is_file() {
        let mut all = BTreeSet::new();
        let root = fs::canonicalize(&project.root)
            .with_context(|| format!("cannot read {}", project.root.display()))?;
        below(&root, &root, "", &mut all)?;
        // Also what is named and stands where folders are not searched.
        all.extend(named(compiled));
        all
    } else {
        named(compiled)
    };
    let mut files = BTreeMap::new();
    let mut size = 0_i64;
    for path in paths.into_iter().filter(|path| !secret.contains(path)) {
        let Some(content) =
            project.read(&path).map_err(|why| anyhow::anyhow!("cannot read {path}: {why}"))?
        else {
            continue;
        };
        size = size.saturating_add(i64::try_from(content.len()).unwrap_or(i64::MAX));
        if content.len() > MAX_FILE_BYTES {
            bail!("{path} has {} bytes; a file of a bundle has at most {MAX_FILE_BYTES}", content.len());
        }
        if size > MAX_BUNDLE_BYTES {
            bail!("the files of {} have more than {MAX_BUNDLE_BYTES} bytes", project.root.display());
        }
        files.insert(path, content);
    }
    Ok(files)
}

/// What the program and its settings name.
fn named(compiled: &Compiled) -> BTreeSet<String> {
    let sources = compiled.sources.iter().map(|(path, _)| path.clone());
    let sources = sources.filter(|path| !path.starts_with("std/"));
    let recordings = compiled.manifest.iter().flat_map(|m| m.recordings.values().map(|r| r.file.clone()));
    let knowledge = compiled.program.knowledge.iter().flat_map(|(_, knowledge)| knowledge.files.clone());
    let settings = [SETTINGS, LOCK].map(str::to_owned);
    let all = sources.chain(recordings).chain(knowledge).chain(settings);
    all.filter(|path| check_path(path).is_ok()).collect()
}

/// `"file:token"` of a profile: what is in it is nobody's business.
fn secret_files(compiled: &Compiled) -> BTreeSet<String> {
    let profiles = compiled.manifest.iter().flat_map(|manifest| manifest.profiles.values());
    let references = profiles.flat_map(|profile| profile.secrets.values());
    references
        .filter_map(|reference| match reference {
            SecretRef::File(path) => Some(path.trim_start_matches("./").to_owned()),
            SecretRef::Env(_) => None,
        })
        .collect()
}

fn below(root: &Path, folder: &Path, prefix: &str, found: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let reading = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let inside = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if name.starts_with('.') || check_path(&inside).is_err() {
            continue;
        }
        // A link that leads out of the folder is not followed.
        let Some(real) = fs::canonicalize(&path).ok().filter(|real| real.starts_with(root)) else { continue };
        if real.is_file() {
            found.insert(inside);
            if found.len() > MAX_FILES {
                bail!("{} has more than {MAX_FILES} files", root.display());
            }
        } else if real.is_dir() && !is_link(&path) && !is_foreign(&path, &name) {
            below(root, &path, &inside, found)?;
        }
    }
    Ok(())
}

/// A folder that is a link could lead in a circle.
fn is_link(path: &PathBuf) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_symlink())
}

/// What builds leave behind, and bundles of their own.
fn is_foreign(path: &Path, name: &str) -> bool {
    name == "target" || name == "node_modules" || path.join(SETTINGS).is_file()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tempfile::TempDir;

    use super::*;

    const AGENT: &str = "dgh 1\n\nimport { Topic } from \"lib/words.dgh\"\n\nagent desk {\n  outcome done\n  start hello\n  node hello {\n    ask \"Hello?\"\n    \
         when bye: \"They say goodbye\" -> end done\n  }\n}\n";

    fn folder() -> TempDir {
        let folder = TempDir::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("agent.dgh", AGENT);
        write("lib/words.dgh", "dgh 1\n\nenum Topic { sales, service }\n");
        write("README.md", "# Desk\n");
        write("token", "hush");
        write(".env", "HUSH=1");
        write(".dgh/calls/1.log", "x");
        write("target/x", "x");
        write("other/dgh.toml", "");
        write("other/agent.dgh", AGENT);
        folder
    }

    fn paths(folder: &TempDir) -> Vec<String> {
        let project = Project::one(folder.path()).unwrap();
        of_project(&project, &project.compile()).unwrap().into_keys().collect()
    }

    #[test]
    fn a_bundle_is_its_folder_without_secrets_and_what_is_hidden() {
        let folder = folder();
        fs::write(folder.path().join("dgh.toml"), "[profiles.dev.secrets]\nT = \"file:token\"\n").unwrap();
        assert_eq!(paths(&folder), ["README.md", "agent.dgh", "dgh.toml", "lib/words.dgh"]);
    }

    #[test]
    fn without_settings_it_is_what_the_program_names() {
        let folder = folder();
        assert_eq!(paths(&folder), ["agent.dgh", "lib/words.dgh"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_not_followed() {
        let (folder, outside) = (folder(), TempDir::new().unwrap());
        fs::write(folder.path().join("dgh.toml"), "").unwrap();
        fs::write(outside.path().join("private.txt"), "x").unwrap();
        let link = |from: PathBuf, to: &str| {
            std::os::unix::fs::symlink(from, folder.path().join(to)).unwrap();
        };
        link(outside.path().join("private.txt"), "a.txt");
        link(folder.path().to_path_buf(), "circle");
        link(folder.path().join("README.md"), "b.md");
        assert_eq!(paths(&folder), ["README.md", "agent.dgh", "b.md", "dgh.toml", "lib/words.dgh", "token"]);
    }
}
