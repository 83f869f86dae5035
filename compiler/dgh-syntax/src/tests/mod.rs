#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod answers;
mod errors;
mod laws;
mod mutate;
mod views;

use std::path::PathBuf;

/// The example programs.
pub(crate) fn programs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples"), &mut found);
    found.sort();
    assert!(found.len() >= 5, "the examples are not where they should be");
    found
}

fn collect(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "dgh") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}
