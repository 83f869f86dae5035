//! Runs `test` blocks in virtual time: no network, no clock, the same result every time.

pub(crate) mod dummy;
mod expect;
mod line;
mod live;
mod mocks;
mod model;
mod runner;
mod scene;

use std::collections::BTreeSet;
use std::sync::Arc;

use dgh_ir::Origin;
use dgh_ir::test::TestCase;
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::effect::Record;
use crate::prepared::Prepared;

pub use line::ScriptedCall;
pub use live::{HOLDS_FROM, Live, LiveReply, MOST_TURNS};
pub use mocks::TransferEnd;
pub use scene::Scene;

/// Knowledge that a test does not mock.
pub trait Searches: std::fmt::Debug + Send + Sync {
    /// What is found in the knowledge with this key; none: it is not there.
    fn search(&self, key: &str, question: &str) -> Option<Json>;
    /// The texts of the knowledge that is given as a whole, by key.
    fn whole(&self) -> &IndexMap<String, Arc<str>>;
}

/// What a test may rely on beside its own lines.
#[derive(Debug, Clone, Default)]
pub struct TestOptions {
    /// `env` of the profile. Names that neither it nor the test sets get a made-up value.
    pub env: IndexMap<String, String>,
    /// Where knowledge is searched that the test does not mock.
    pub knowledge: Option<Arc<dyn Searches>>,
    /// With a model: whether it is asked what it would do on every scripted turn.
    pub compare: bool,
}

/// What became of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestOutcome {
    /// It passed. A test that was skipped neither passed nor failed.
    pub passed: bool,
    /// Why it was not run: it needs a model.
    pub skipped: Option<String>,
    /// Why it failed.
    pub failure: Option<TestFailure>,
    /// Turns on which the model does something else than the script says; only with a model.
    pub differences: Vec<Difference>,
    /// Steps of the engine that it took.
    pub events: usize,
    /// The call as it went, masked.
    pub dialogue: Vec<Record>,
    /// Nodes that were entered, in order: dialogue and node.
    pub visited: Vec<(String, String)>,
    /// Routes that were taken: dialogue and index.
    pub routes: BTreeSet<(String, u32)>,
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFailure {
    /// The line of the test, or the test itself.
    pub origin: Origin,
    /// What was expected and what happened.
    pub message: String,
}

/// A turn on which a model does something else than the script says.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The line of the test.
    pub origin: Origin,
    /// What the script says.
    pub expected: String,
    /// What the model did.
    pub got: String,
}

/// Runs a test.
pub fn run(prepared: &Arc<Prepared>, case: &TestCase, options: &TestOptions) -> TestOutcome {
    runner::run(prepared, case, options, None)
}

/// Runs a test with a model: simulated callers and judges are asked, and with
/// [`TestOptions::compare`] every scripted turn is compared with what the model would do.
pub fn run_live(
    prepared: &Arc<Prepared>,
    case: &TestCase,
    options: &TestOptions,
    model: &mut dyn Live,
) -> TestOutcome {
    runner::run(prepared, case, options, Some(model))
}
