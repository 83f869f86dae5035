//! Every program on the pages of the language reference.

use crate::support::{compile_text, complaints, fences, root};

#[test]
fn every_program_of_the_reference_is_clean() {
    let mut wrong = Vec::new();
    let mut programs = 0;
    for entry in std::fs::read_dir(root().join("grammar")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let page = std::fs::read_to_string(&path).unwrap();
        for fence in fences(&page).into_iter().filter(|fence| fence.info == "dgh") {
            programs += 1;
            let found = complaints(&compile_text(&fence.text));
            if !found.is_empty() {
                wrong.push(format!("{}:{}\n{found}", path.display(), fence.line));
            }
        }
    }
    assert!(programs >= 12, "only {programs} programs were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
