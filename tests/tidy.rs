//! The house rules: who may depend on whom, where each package lives, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::support::root;

/// What each crate may use of the others, besides itself. A dependency that is not here is a
/// decision: make it, and write it down.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dgh-diag", &[]),
    ("dgh-ir", &[]),
    ("dgh-stdlib", &[]),
    ("dgh-syntax", &["dgh-diag"]),
    ("dgh-fmt", &["dgh-diag", "dgh-syntax"]),
    ("dgh-check", &["dgh-diag", "dgh-syntax", "dgh-ir"]),
    ("dgh-compile", &["dgh-diag", "dgh-syntax", "dgh-check", "dgh-ir", "dgh-stdlib"]),
    ("dgh-engine", &["dgh-ir"]),
    ("dgh-knowledge", &[]),
    ("dgh-net", &["dgh-ir"]),
    ("dgh-providers", &["dgh-ir", "dgh-engine", "dgh-net"]),
    ("dgh-voice", &["dgh-ir", "dgh-engine", "dgh-providers"]),
    ("dgh-transport", &["dgh-engine", "dgh-voice"]),
    ("dgh-bench", &["dgh-ir", "dgh-platform", "dgh-store"]),
    ("dgh-store", &[]),
    (
        "dgh-platform",
        &[
            "dgh-diag",
            "dgh-compile",
            "dgh-ir",
            "dgh-engine",
            "dgh-net",
            "dgh-providers",
            "dgh-voice",
            "dgh-knowledge",
            "dgh-store",
            "dgh-stdlib",
        ],
    ),
    ("dgh-server", &["dgh-ir", "dgh-engine", "dgh-platform", "dgh-transport", "dgh-store"]),
    (
        "dgh-cli",
        &[
            "dgh-diag",
            "dgh-syntax",
            "dgh-fmt",
            "dgh-check",
            "dgh-ir",
            "dgh-compile",
            "dgh-stdlib",
            "dgh-engine",
            "dgh-net",
            "dgh-providers",
            "dgh-store",
            "dgh-platform",
            "dgh-server",
        ],
    ),
];

/// Where a package of others may be used: one home, so that it can be replaced in one place.
const HOMES: &[(&str, &[&str])] = &[
    ("logos", &["dgh-syntax"]),
    ("pest", &["dgh-syntax"]),
    ("pest_derive", &["dgh-syntax"]),
    ("rowan", &["dgh-syntax"]),
    ("miette", &["dgh-diag"]),
    ("petgraph", &["dgh-ir", "dgh-check"]),
    ("reqwest", &["dgh-net"]),
    ("rmcp", &["dgh-net"]),
    (
        "tokio",
        &[
            "dgh-cli",
            "dgh-net",
            "dgh-providers",
            "dgh-voice",
            "dgh-transport",
            "dgh-store",
            "dgh-platform",
            "dgh-server",
            "dgh-bench",
        ],
    ),
    ("pdf-extract", &["dgh-knowledge"]),
    ("html2text", &["dgh-knowledge"]),
    ("text-splitter", &["dgh-knowledge"]),
    ("tokio-tungstenite", &["dgh-net", "dgh-bench"]),
    ("webrtc", &["dgh-transport"]),
    ("rtc", &["dgh-transport"]),
    ("opus", &["dgh-voice"]),
    ("axum", &["dgh-server"]),
    ("utoipa", &["dgh-server"]),
    ("utoipa-axum", &["dgh-server"]),
    ("sqlx", &["dgh-store"]),
    ("object_store", &["dgh-platform"]),
    ("argon2", &["dgh-platform"]),
    ("notify", &["dgh-platform"]),
    ("metrics-exporter-prometheus", &["dgh-server"]),
];

/// Lines that a source file may have; a longer one holds more than one idea.
const LINES: usize = 700;

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    for (name, uses) in dependencies() {
        let Some(may) = allowed.get(name.as_str()) else {
            assert_eq!(name, "dgh-tests", "`{name}` is not in the table of this test");
            continue;
        };
        for other in uses.iter().filter(|other| other.starts_with("dgh-")) {
            assert!(may.contains(&other.as_str()), "`{name}` must not use `{other}`");
        }
    }
}

#[test]
fn each_package_has_one_home() {
    let homes: BTreeMap<_, _> = HOMES.iter().copied().collect();
    for (name, uses) in dependencies() {
        for package in uses {
            if let Some(home) = homes.get(package.as_str()) {
                assert!(home.contains(&name.as_str()), "`{package}` lives in {home:?}, and `{name}` uses it");
            }
        }
    }
}

#[test]
fn source_files_hold_one_idea() {
    let mut long = Vec::new();
    for file in files(&root(), "rs") {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        if lines > LINES {
            long.push(format!("{}: {lines} lines", file.display()));
        }
    }
    assert!(long.is_empty(), "files over {LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn every_folder_has_a_map() {
    let mut lacking = Vec::new();
    for folder in ["compiler", "runtime", "stdlib", "examples", "grammar", "tests", "editors"] {
        let folder = root().join(folder);
        let inside = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let crates =
            inside.filter(|path| path.join("Cargo.toml").is_file() || path.join("dgh.toml").is_file());
        for place in crates.chain([folder.clone()]) {
            if !place.join("README.md").is_file() {
                lacking.push(place.display().to_string());
            }
        }
    }
    assert!(lacking.is_empty(), "without a README.md:\n{}", lacking.join("\n"));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in files(&root(), "md") {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in links(&text) {
            let path = page.parent().unwrap().join(target.split('#').next().unwrap());
            if !target.contains("://") && !target.starts_with('#') && !path.exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links to nowhere:\n{}", broken.join("\n"));
}

/// Targets of `[text](target)` outside of fences.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](").filter(|_| !fenced) {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            // In code between backticks `a](b)` is no link; none of our pages has that.
            found.push(target.to_owned());
            rest = after;
        }
    }
    found
}

/// The crates of the workspace and what they depend on, tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let uses = |package: &Json| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|d| d["kind"].is_null()).map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    };
    packages.iter().map(|p| (p["name"].as_str().unwrap().to_owned(), uses(p))).collect()
}

/// All files of the repository with an ending.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                found.extend(files(&path, ending));
            }
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
