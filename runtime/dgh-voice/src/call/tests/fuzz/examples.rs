//! The examples and their tests.

use std::sync::Arc;

use dgh_compile::Memory;
use dgh_engine::Prepared;
use dgh_engine::testing::Scene;
use dgh_ir::test::TestCase;

/// A test of an example.
pub(super) struct Case {
    example: &'static str,
    pub(super) prepared: Arc<Prepared>,
    pub(super) agent: String,
    pub(super) test: Arc<TestCase>,
    pub(super) scene: Scene,
}

impl Case {
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.example, self.test.name)
    }
}

macro_rules! text {
    ($path:literal) => {
        include_str!(concat!("../../../../../../examples/", $path))
    };
}

/// The tests of an example that need no model.
pub(super) fn cases(example: &str) -> Vec<Case> {
    let (example, files): (_, &[(&str, &str)]) = match example {
        "clinic" => ("clinic", &[("agent.dgh", text!("clinic/agent.dgh"))]),
        "lead" => ("lead", &[("agent.dgh", text!("lead/agent.dgh")), ("faq.pdf", "")]),
        "collections" => (
            "collections",
            &[("agent.dgh", text!("collections/agent.dgh")), ("verify.dgh", text!("collections/verify.dgh"))],
        ),
        _ => ("front_desk", &[("agent.dgh", text!("front_desk/agent.dgh"))]),
    };
    let world = Memory::new(files.iter().map(|(path, text)| (*path, (*text).to_owned())));
    let compiled = dgh_compile::compile(&world, "agent.dgh");
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let prepared = Prepared::new(Arc::new(compiled.program));
    let mut cases = Vec::new();
    for test in compiled.tests {
        let test = Arc::new(test);
        if let Some(scene) = Scene::new(Arc::clone(&prepared), Arc::clone(&test)) {
            let agent = prepared.program().agents.get(test.agent).unwrap().name.clone();
            cases.push(Case { example, prepared: Arc::clone(&prepared), agent, test, scene });
        }
    }
    assert!(!cases.is_empty(), "{example} has tests");
    cases
}
