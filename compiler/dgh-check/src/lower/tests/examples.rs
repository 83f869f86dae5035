//! The example programs lower to complete programs without a finding.

use dgh_diag::Severity;

use crate::testing::Bundle;

const CLINIC: &str = include_str!("../../../../../examples/clinic/agent.dgh");
const COLLECTIONS: &str = include_str!("../../../../../examples/collections/agent.dgh");
const VERIFY: &str = include_str!("../../../../../examples/collections/verify.dgh");
const LEAD: &str = include_str!("../../../../../examples/lead/agent.dgh");
const FRONT_DESK: &str = include_str!("../../../../../examples/front_desk/agent.dgh");

fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let bundle = Bundle::new(files);
    let checked = bundle.check();
    checked.diagnostics.iter().filter(|d| d.severity() <= Severity::Warning).map(|d| bundle.line(d)).collect()
}

#[test]
fn examples_are_clean() {
    let none: [String; 0] = [];
    assert_eq!(findings(&[("agent.dgh", LEAD)]), none);
    assert_eq!(findings(&[("agent.dgh", FRONT_DESK)]), none);
    assert_eq!(findings(&[("agent.dgh", CLINIC)]), none);
    assert_eq!(findings(&[("agent.dgh", COLLECTIONS), ("verify.dgh", VERIFY)]), none);
    assert_eq!(findings(&[("verify.dgh", VERIFY)]), none);
}

#[test]
fn the_standard_library_is_clean() {
    let none: [String; 0] = [];
    for (path, text) in dgh_stdlib::FILES {
        assert_eq!(findings(&[(path, text)]), none, "{path}");
    }
}

/// The programs in the language reference.
fn programs(text: &str) -> Vec<String> {
    let blocks = text.split("```dgh\n").skip(1).filter_map(|b| b.split("```").next());
    blocks.filter(|b| b.starts_with("dgh 1")).map(str::to_owned).collect()
}

#[test]
fn the_language_reference_is_clean() {
    let none: [String; 0] = [];
    let mut count = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../grammar")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        for program in programs(&std::fs::read_to_string(&path).unwrap()) {
            count += 1;
            assert_eq!(findings(&[("agent.dgh", &program)]), none, "{}:\n{program}", path.display());
        }
    }
    assert!(count >= 10, "only {count} programs found");
}
