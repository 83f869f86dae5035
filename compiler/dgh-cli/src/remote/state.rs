//! What a folder remembers of the server it was pushed to or pulled from, so that nobody's changes
//! are overwritten: `.dgh/remote.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Draft;

/// What both sides had when they last met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The address of the server.
    pub server: String,
    /// The agent's name there.
    pub agent: String,
    /// The hash of the draft.
    pub hash: String,
    /// The SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

impl State {
    /// What a folder remembers; nothing: it was never there. What cannot be read is as good as nothing.
    pub fn read(root: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(place(root)).ok()?).ok()
    }

    /// Remembers that both sides have this.
    pub fn write(root: &Path, server: &str, agent: &str, draft: &Draft) -> anyhow::Result<()> {
        let path = place(root);
        let writing = || format!("cannot write {}", path.display());
        let folder = root.join(".dgh");
        fs::create_dir_all(&folder).with_context(writing)?;
        let ignored = folder.join(".gitignore");
        if !ignored.exists() {
            fs::write(ignored, "*\n").with_context(writing)?;
        }
        let state = Self {
            server: server.to_owned(),
            agent: agent.to_owned(),
            hash: draft.hash.clone(),
            files: draft.files.clone(),
        };
        fs::write(&path, serde_json::to_vec_pretty(&state)?).with_context(writing)
    }
}

fn place(root: &Path) -> PathBuf {
    root.join(".dgh/remote.json")
}
