//! Formatting is only formatting: whatever a program looked like, it is the same program after.

use dgh_compile::compile;
use dgh_ir::wire::to_bytes;

use crate::support::{compile_text, fences, root};

/// All programs of one file in the repository: pages of the reference, pages of the codes.
fn programs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["grammar", "compiler/dgh-diag/codes"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") {
                let page = std::fs::read_to_string(&path).unwrap();
                for fence in fences(&page).into_iter().filter(|f| f.info.starts_with("dgh")) {
                    found.push((format!("{}:{}", path.display(), fence.line), fence.text));
                }
            }
        }
    }
    assert!(found.len() > 200, "only {} programs were found", found.len());
    found
}

/// Every gap of spaces one space, every line end doubled, every indentation gone.
fn untidy(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(line.trim());
        out.push_str("\n\n\n");
    }
    out
}

#[test]
fn formatting_keeps_the_program() {
    for (place, text) in programs() {
        let given = untidy(&text);
        let formatted = dgh_fmt::format(&given).text;
        assert_eq!(
            to_bytes(&compile_text(&given).program),
            to_bytes(&compile_text(&formatted).program),
            "{place}\n{formatted}"
        );
        assert!(!dgh_fmt::format(&formatted).changed, "{place}");
    }
}

#[test]
fn the_examples_keep_their_programs() {
    for name in ["clinic", "collections", "front_desk", "lead"] {
        let folder = root().join("examples").join(name);
        let mut given = Vec::new();
        let mut formatted = Vec::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let is_source = path.extension().is_some_and(|e| e == "dgh");
            let text = if is_source { untidy(&text) } else { text };
            let new = if is_source { dgh_fmt::format(&text).text } else { text.clone() };
            given.push((file.clone(), text));
            formatted.push((file, new));
        }
        let program =
            |files| compile(&dgh_compile::Memory::new::<String, String>(files), "agent.dgh").program;
        assert_eq!(to_bytes(&program(given)), to_bytes(&program(formatted)), "{name}");
    }
}

#[test]
fn what_the_repository_shows_is_formatted() {
    let mut untidy = Vec::new();
    for folder in ["stdlib", "examples", "compiler/dgh-cli/templates"] {
        for path in crate::tidy::files(&root().join(folder), "dgh") {
            if dgh_fmt::format(&std::fs::read_to_string(&path).unwrap()).changed {
                untidy.push(path.display().to_string());
            }
        }
    }
    untidy.extend(
        programs().into_iter().filter(|(_, text)| dgh_fmt::format(text).changed).map(|(place, _)| place),
    );
    assert!(untidy.is_empty(), "`dgh fmt` changes\n{}", untidy.join("\n"));
}
