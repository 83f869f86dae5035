//! What several tests need.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use dgh_compile::{Compiled, Memory, compile};
use dgh_diag::{Severity, Style, render};
use dgh_engine::Prepared;
use dgh_engine::testing::{self, TestOptions};

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Compiles one file in memory.
pub(crate) fn compile_text(text: &str) -> Compiled {
    compile(&Memory::new([("agent.dgh", text)]), "agent.dgh")
}

/// The findings that a person would have to act on, as they are shown.
pub(crate) fn complaints(compiled: &Compiled) -> String {
    let serious = |d: &&dgh_diag::Diagnostic| matches!(d.severity(), Severity::Error | Severity::Warning);
    let found: Vec<_> = compiled.diagnostics.iter().filter(serious).cloned().collect();
    render(&found, compiled.sources.as_slice(), Style { color: false, unicode: true, width: 100 })
}

/// A fenced block of a page: the words behind the backticks, the text, and its first line.
pub(crate) struct Fence {
    pub(crate) info: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// All fenced blocks of a page.
pub(crate) fn fences(page: &str) -> Vec<Fence> {
    let mut found: Vec<Fence> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            open = !open;
            if open {
                found.push(Fence { info: info.trim().to_owned(), text: String::new(), line: number + 2 });
            }
        } else if let Some(fence) = found.last_mut().filter(|_| open) {
            fence.text.push_str(line);
            fence.text.push('\n');
        }
    }
    found
}

/// Failures of the tests in a program, a line each.
pub(crate) fn failed_tests(compiled: &Compiled) -> String {
    let prepared = Prepared::new(Arc::new(compiled.program.clone()));
    let mut failed = String::new();
    for test in &compiled.tests {
        let outcome = testing::run(&prepared, test, &TestOptions::default());
        if let Some(failure) = outcome.failure {
            let _ = writeln!(failed, "{}: {}\n  {:?}", test.name, failure.message, outcome.dialogue);
        }
    }
    failed
}

/// The files of an example that the compiler reads.
pub(crate) fn example_files(name: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("examples").join(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dgh") {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(file, std::fs::read_to_string(path).unwrap());
        }
    }
    files
}

/// An example, compiled.
pub(crate) fn compile_example(name: &str) -> Compiled {
    let compiled = compile(&Memory::new(example_files(name)), "agent.dgh");
    assert!(!compiled.has_errors(), "{name}:\n{}", complaints(&compiled));
    compiled
}
