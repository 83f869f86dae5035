//! Programs from their source, for tests of what the language means.

use std::sync::Arc;

use dgh_compile::Memory;
use dgh_ir::test::TestCase;

use crate::prepared::Prepared;
use crate::start::CallStart;
use crate::testing::{ScriptedCall, TestOptions, TestOutcome, run};

/// A program and its tests.
pub(crate) struct Compiled {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) tests: Vec<TestCase>,
}

/// Compiles files; the first is the entry. Errors of the compiler fail the test.
pub(crate) fn compile(files: &[(&str, &str)]) -> Compiled {
    let world = Memory::new(files.iter().map(|(path, text)| (*path, *text)));
    let compiled = dgh_compile::compile(&world, files[0].0);
    let errors: Vec<_> = compiled
        .diagnostics
        .iter()
        .filter(|d| d.severity() == dgh_diag::Severity::Error)
        .map(|d| format!("{}: {}", d.code, d.message))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Compiled { prepared: Prepared::new(Arc::new(compiled.program)), tests: compiled.tests }
}

/// An agent `a` with these members, and tests.
pub(crate) fn agent(members: &str, rest: &str) -> Compiled {
    let text = format!("dgh 1\n\nagent a {{\n{members}\n}}\n{rest}");
    compile(&[("agent.dgh", &text)])
}

impl Compiled {
    /// Runs all tests; one that fails shows the dialogue.
    pub(crate) fn pass(&self) -> Vec<TestOutcome> {
        assert!(!self.tests.is_empty(), "there are no tests");
        self.tests.iter().map(|case| self.pass_one(case)).collect()
    }

    fn pass_one(&self, case: &TestCase) -> TestOutcome {
        let outcome = run(&self.prepared, case, &TestOptions::default());
        let failure = outcome.failure.as_ref().map(|failure| &failure.message);
        assert!(
            outcome.passed || outcome.skipped.is_some(),
            "{}: {}\n{:#?}",
            case.name,
            failure.map_or("", String::as_str),
            outcome.dialogue
        );
        outcome
    }

    /// Why the only test fails.
    pub(crate) fn failure(&self) -> String {
        let outcome = run(&self.prepared, &self.tests[0], &TestOptions::default());
        outcome.failure.map(|failure| failure.message).unwrap_or_default()
    }

    /// A call of the first agent.
    pub(crate) fn call(&self, start: CallStart) -> ScriptedCall {
        let agent = dgh_ir::AgentId(0);
        ScriptedCall::recorded(Arc::clone(&self.prepared), agent, start).unwrap()
    }
}

impl Compiled {
    /// The first test passes, the second fails with this.
    pub(crate) fn fails_second(&self, message: &str) {
        self.pass_one(&self.tests[0]);
        let outcome = run(&self.prepared, &self.tests[1], &TestOptions::default());
        assert_eq!(outcome.failure.map(|failure| failure.message).as_deref(), Some(message));
    }
}
