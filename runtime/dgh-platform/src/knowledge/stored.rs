//! Knowledge of agents that are in the database.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dgh_compile::World;
use dgh_ir::Program;
use dgh_store::agents::{blobs, bundles};
use dgh_store::knowledge as rows;
use dgh_store::{Conn, Db, OrgId, ReleaseId, StoreError};
use indexmap::IndexMap;

use super::Knowledge;

/// Files of a bundle, by path.
#[derive(Debug, Default)]
pub struct Files(pub(super) BTreeMap<String, Vec<u8>>);

impl World for Files {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.get(path).cloned())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// Passages of a document that models get as a whole: far more than any of them follows.
const MOST: i64 = 10_000;

/// What a release was published with.
pub(crate) async fn published(
    conn: &mut Conn,
    db: &Db,
    org: &OrgId,
    release: &ReleaseId,
    program: &Program,
) -> Result<Knowledge, StoreError> {
    let full: Vec<String> = program
        .knowledge
        .iter()
        .filter(|(_, knowledge)| knowledge.full)
        .filter_map(|(id, _)| program.knowledge_key(id))
        .collect();
    let mut texts: IndexMap<String, String> = IndexMap::new();
    for source in rows::of_release(conn, org, release).await? {
        if !full.contains(&source.knowledge) {
            continue;
        }
        let text = texts.entry(source.knowledge).or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}# {}", if text.is_empty() { "" } else { "\n" }, source.source);
        let mut place = String::new();
        for passage in rows::passages(conn, org, &source.document, 1, MOST).await? {
            if passage.place != place {
                let _ = writeln!(text, "## {}", passage.place);
                place = passage.place;
            }
            let _ = writeln!(text, "{}\n", passage.text);
        }
    }
    let whole = texts.into_iter().map(|(key, text)| (key, text.into())).collect();
    Ok(Knowledge::of_release((db.clone(), org.clone(), release.clone()), whole))
}

/// The files of a bundle that the knowledge of a program names.
pub async fn files_of(
    conn: &mut Conn,
    org: &OrgId,
    bundle: &str,
    program: &Program,
) -> Result<Files, StoreError> {
    let mut files = BTreeMap::new();
    for file in bundles::files(conn, org, bundle).await? {
        if program.knowledge.iter().any(|(_, knowledge)| knowledge.files.contains(&file.path)) {
            files.insert(file.path, blobs::get(conn, org, &file.blob).await?);
        }
    }
    Ok(Files(files))
}
