//! Limits of a call: they end it with words, whatever the conversation is at.

use dgh_ir::{LimitKind, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::call::Call;
use crate::event::Timestamp;
use crate::state::{Cause, EndedBy, Phase, Timer};
use crate::visible::Raised;

/// A call that does not say ends then.
const DURATION_MS: i64 = 30 * 60_000;
/// Caller turns of a call that does not say.
const TURNS: i64 = 200;
/// What a handler of a limit may still take.
const OVERRUN_MS: i64 = 60_000;

impl Call {
    /// Starts the clock; at a hand-over, with what the other agent allows for the whole call.
    pub(crate) fn start_limits(&mut self) {
        let duration = match self.setting("limits", "duration") {
            Some(Value::Duration(ms)) => ms,
            _ => DURATION_MS,
        };
        let at = Timestamp(self.state.start.now.0.saturating_add(duration));
        self.state.timers.insert(Timer::Duration, at);
        self.state.limits_raised.clear();
    }

    /// Raises a limit, once.
    pub(crate) fn limit(&mut self, kind: LimitKind) {
        let live = matches!(self.state.phase, Phase::Live | Phase::Holding);
        if !live || !self.state.limits_raised.insert(kind) {
            return;
        }
        self.state.phase = Phase::Live;
        self.state.spoke = false;
        self.after(Timer::Overrun, OVERRUN_MS);
        if !self.raise(&Raised::Limit(kind), Cause::Limit) {
            self.end_with_regret(EndedBy::Limit);
        }
    }

    /// A handler has not ended the call.
    pub(crate) fn overrun(&mut self) {
        self.end_with_regret(EndedBy::Limit);
    }

    /// Answers whether the call has had all its turns.
    pub(crate) fn check_turns(&mut self) -> bool {
        let most = match self.setting("limits", "turns") {
            Some(Value::Int(turns)) => turns,
            _ => TURNS,
        };
        let over = i64::from(self.state.counts.turns) > most;
        if over && !self.state.limits_raised.contains(&LimitKind::Turns) {
            self.state.waiting = None;
            self.limit(LimitKind::Turns);
        }
        over
    }

    pub(crate) fn check_cost(&mut self) {
        let Some(Value::Money(most, currency)) = self.setting("limits", "cost") else { return };
        // Prices of models are known in dollars; a limit in other money cannot be compared.
        if currency.code() != "USD" {
            return;
        }
        let most = most.checked_mul(Decimal::from(1_000_000)).and_then(|micro| micro.to_u64());
        if most.is_some_and(|most| self.state.counts.micro_usd > most) {
            self.limit(LimitKind::Cost);
        }
    }
}
