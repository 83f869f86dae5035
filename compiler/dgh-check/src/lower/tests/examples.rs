//! The example programs lower to complete programs without a finding.

use crate::testing::Bundle;

const CLINIC: &str = include_str!("../../../../../examples/clinic/agent.dgh");
const COLLECTIONS: &str = include_str!("../../../../../examples/collections/agent.dgh");
const VERIFY: &str = include_str!("../../../../../examples/collections/verify.dgh");
const LEAD: &str = include_str!("../../../../../examples/lead/agent.dgh");
const FRONT_DESK: &str = include_str!("../../../../../examples/front_desk/agent.dgh");

fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let bundle = Bundle::new(files);
    let checked = bundle.check();
    checked.diagnostics.iter().filter(|d| d.code != dgh_diag::Code::NoConfig && d.code != dgh_diag::Code::NotLocked).map(|d| bundle.line(d)).collect()
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
