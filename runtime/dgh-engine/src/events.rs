//! Events: raised, handled, recorded.

use std::cmp::Ordering;

use dgh_ir::Target;

use crate::call::Call;
use crate::effect::Record;
use crate::failure::Failure;
use crate::state::{Cause, EndedBy, Phase};
use crate::visible::Raised;

/// An `on error` arrow is taken this often without a caller turn between.
const ERROR_ARROWS: u32 = 2;

impl Call {
    /// Raises an event. Answers whether something handles it.
    pub(crate) fn raise(&mut self, raised: &Raised, cause: Cause) -> bool {
        let Some(found) = self.handler(raised) else { return false };
        self.record(Record::Raised { event: raised.name() });
        self.take(found, cause, &raised.name());
        true
    }

    /// Something failed: `error`.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        if matches!(self.state.phase, Phase::Ending | Phase::Over | Phase::Extracting) {
            return;
        }
        let raised = Raised::Error(failure.0.clone());
        self.record(Record::Raised { event: raised.name() });
        let errors = self.state.counts.errors;
        let found = match errors.cmp(&ERROR_ARROWS) {
            Ordering::Less => self.handler(&raised),
            Ordering::Equal => self.last_handler(&raised),
            Ordering::Greater => None,
        };
        self.state.counts.errors += 1;
        let Some(found) = found else {
            return self.end_with_regret(EndedBy::Error);
        };
        let ends = self.route(found).is_some_and(|r| matches!(r.target, Some(Target::End(_))));
        let cause = if ends || errors >= ERROR_ARROWS { Cause::Error } else { Cause::Dialogue };
        self.take(found, cause, "something failed");
    }
}
