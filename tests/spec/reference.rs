//! Every program on the pages of the language reference.

use crate::support::{compile_text, complaints, failed_tests, fences, root};

#[test]
fn every_program_of_the_reference_is_clean_and_passes_its_tests() {
    let mut wrong = Vec::new();
    let mut programs = 0;
    let pages = std::fs::read_dir(root().join("grammar")).unwrap().map(|entry| entry.unwrap().path());
    for path in pages.chain([root().join("README.md")]) {
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let page = std::fs::read_to_string(&path).unwrap();
        for fence in fences(&page).into_iter().filter(|fence| fence.info == "dgh") {
            programs += 1;
            let compiled = compile_text(&fence.text);
            let found = complaints(&compiled) + &failed_tests(&compiled);
            if !found.is_empty() {
                wrong.push(format!("{}:{}\n{found}", path.display(), fence.line));
            }
        }
    }
    assert!(programs >= 12, "only {programs} programs were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
