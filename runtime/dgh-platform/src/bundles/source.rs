//! From the files of a kept bundle to a compiled program.

use std::collections::{BTreeMap, BTreeSet};

use dgh_compile::{Compiled, Manifest, Options, World, manifest};
use dgh_diag::FileId;
use dgh_ir::Program;

use super::error::BundleError;
use super::files::{SETTINGS, entry_among};
use crate::agents::own_agents;

/// The files of a bundle: all paths, and the texts of those that the compiler reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    pub(super) texts: BTreeMap<String, Vec<u8>>,
    pub(super) paths: BTreeSet<String>,
}

impl World for Texts {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        match self.texts.get(path) {
            Some(text) => Ok(Some(text.clone())),
            None if self.paths.contains(path) => Err("it is no `.dgh` file".to_owned()),
            None => Ok(None),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
}

impl Texts {
    /// What `dgh.toml` says, whatever is wrong with it.
    pub(super) fn manifest(&self) -> Option<Manifest> {
        let text = String::from_utf8_lossy(self.texts.get(SETTINGS)?);
        Some(manifest::read(FileId(0), &text).0)
    }

    /// The file that is compiled.
    pub(super) fn entry(&self, wanted: Option<&str>) -> Result<String, BundleError> {
        if let Some(entry) = wanted {
            return Ok(entry.to_owned());
        }
        let named = self.manifest().and_then(|manifest| manifest.entry);
        entry_among(named, self.paths.iter().map(String::as_str)).ok_or_else(|| {
            let why = if self.paths.is_empty() {
                "the bundle is empty: it needs an agent.dgh"
            } else {
                "the bundle does not say what is compiled: call the file agent.dgh, or name it as `entry` in dgh.toml"
            };
            BundleError::Unusable(anyhow::anyhow!(why))
        })
    }

    /// Compiles. Blocks for some milliseconds.
    pub(super) fn compile(&self, entry: &str, last_release: Option<&Program>) -> Compiled {
        dgh_compile::compile_with(self, entry, Options { last_release })
    }
}

/// The agent of a program that is meant: the named one, or the only one.
pub(super) fn part_of(program: &Program, wanted: Option<&str>) -> Result<String, BundleError> {
    let own: Vec<&str> = own_agents(program).map(|(_, agent)| agent.name.as_str()).collect();
    match (wanted, own.as_slice()) {
        (_, []) => Err(BundleError::Unusable(anyhow::anyhow!("the file has no agent"))),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(wanted), all) if all.contains(&wanted) => Ok(wanted.to_owned()),
        (wanted, all) => {
            let names = all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let why = match wanted {
                Some(wanted) => format!("the file has no agent `{wanted}`; it has {names}"),
                None => format!("the file has several agents; say which `part` is meant: {names}"),
            };
            Err(BundleError::Unusable(anyhow::Error::msg(why)))
        }
    }
}
