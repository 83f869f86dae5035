//! After every fact: do what can be done now, until nothing can. One place says who has the
//! floor.

use std::sync::Arc;

use dgh_ir::NodeKind;

use crate::call::Call;
use crate::failure::Failure;
use crate::state::{Cause, EndedBy, Owes, Phase, Stage, StepsOf, Then, Timer, Waits};
use crate::steps::steps_of;
use crate::visible::Found;

/// What one fact may set off. The checker proves that there is no such cycle; this is for what
/// was not checked.
const MOST_STEPS: u32 = 10_000;

impl Call {
    /// Goes on until something outside has to happen.
    pub(crate) fn settle(&mut self) {
        for left in (0..MOST_STEPS).rev() {
            if left == 0 {
                self.end_with_regret(EndedBy::Error);
            }
            match self.state.phase {
                Phase::Over => {
                    self.state.timers.clear();
                    return;
                }
                Phase::Ending => {
                    if self.sounding_words() {
                        return;
                    }
                    let by = self.state.ended_by.unwrap_or(EndedBy::Agent);
                    self.over(by);
                    return;
                }
                Phase::Holding | Phase::Extracting | Phase::Fresh => return,
                Phase::Live => {}
            }
            if !(self.run_steps() || self.advance()) {
                break;
            }
        }
        self.floor();
    }

    /// One thing that the current node has to do. Answers whether there was one.
    fn advance(&mut self) -> bool {
        if !self.is_live() || !self.is_idle() {
            return false;
        }
        let Some(frame) = self.top() else { return false };
        let (stage, completed) = (frame.stage, frame.completed);
        if stage == Stage::Opening {
            self.open();
            return true;
        }
        if stage == Stage::Steps {
            return false;
        }
        // What cannot be talked over is heard before anything is decided about it.
        if self.must_be_heard() {
            return false;
        }
        if !completed {
            self.complete();
            return true;
        }
        if let Some((frame, dialogue, route)) = self.state.deferred.take() {
            self.take(Found { frame, dialogue, route }, Cause::Dialogue, "the floor is free");
            return true;
        }
        if self.is_done() {
            self.typed_routes();
            return true;
        }
        if self.state.hung_up {
            self.finish(None, EndedBy::Caller);
            return true;
        }
        if self.state.waiting.is_some() {
            self.start_turn();
            return true;
        }
        if self.read_back() {
            return true;
        }
        self.pay_words()
    }

    /// Never silent: the caller who had the last say hears something.
    fn pay_words(&mut self) -> bool {
        match self.state.owes {
            Owes::Nothing => false,
            Owes::Words => {
                self.ask_again();
                true
            }
            Owes::AskedAgain => {
                self.state.owes = Owes::Nothing;
                self.fail(&Failure::new("the model had no words"));
                true
            }
        }
    }

    /// Whether nothing runs: no steps but those that wait for a flow, no reply, no tools of one.
    pub(crate) fn is_idle(&self) -> bool {
        let steps = self.state.activities.last().is_none_or(|a| a.waits == Waits::Flow);
        steps && self.state.reply.is_none() && self.state.round.is_none() && !self.state.transferring
    }

    /// Runs the lists of steps. Answers whether anything was done.
    fn run_steps(&mut self) -> bool {
        let mut done = false;
        let program = Arc::clone(&self.prepared.program);
        while self.is_live() {
            let Some(activity) = self.state.activities.last().cloned() else { break };
            match activity.waits {
                Waits::No => {}
                Waits::Speech if !self.sounding_words() => {}
                Waits::Answer if self.state.reply.is_none() => {}
                _ => break,
            }
            done = true;
            let steps = steps_of(&program, self.state.agent, activity.steps);
            if let Some(step) = steps.get(activity.next) {
                if let Err(failure) = self.step(&activity, &step.kind) {
                    self.step_failed(&activity, &failure);
                }
                continue;
            }
            self.state.activities.pop();
            match activity.then {
                Then::Hooks(next) => self.run_hook(next),
                Then::Open => {
                    if let Some(frame) = self.state.frames.get_mut(activity.frame) {
                        frame.stage = Stage::Opening;
                    }
                }
                Then::Stay => {}
                Then::Arrive(cause) => {
                    if let StepsOf::Route(dialogue, route) = activity.steps {
                        let found = Found { frame: activity.frame, dialogue, route };
                        self.arrive(found, cause);
                    }
                }
            }
        }
        done
    }

    /// The caller has the floor, or has it no longer.
    fn floor(&mut self) {
        if !self.caller_has_floor() {
            self.state.timers.remove(&Timer::Silence);
            return self.wait_aloud();
        }
        self.state.timers.remove(&Timer::Slow);
        if !self.state.timers.contains_key(&Timer::Silence)
            && let Some(ms) = self.silence_after()
        {
            self.after(Timer::Silence, ms);
        }
    }

    /// Whether the caller has the floor: nothing runs, nothing sounds, and the node listens.
    pub fn caller_has_floor(&self) -> bool {
        let program = &self.prepared.program;
        self.is_live()
            && self.is_idle()
            && !self.state.hung_up
            && !self.state.answering.awaits_beep
            && !self.sounding_words()
            && self.top().is_some_and(|frame| frame.stage == Stage::Open)
            && self.node(program).is_some_and(|node| node.kind() == NodeKind::Talks)
    }
}
