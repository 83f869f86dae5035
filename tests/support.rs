//! What several tests need.

use std::path::PathBuf;

use dgh_compile::{Compiled, Memory, compile};
use dgh_diag::{Severity, Style, render};

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
