//! A reply: what the model says and wants, and the one decision when it is closed.

use std::sync::Arc;

use dgh_ir::{Decider, Rendered};
use serde_json::Value as Json;

use crate::call::Call;
use crate::collect::Noted;
use crate::effect::{Effect, Record};
use crate::event::{ReplyId, Usage};
use crate::failure::Failure;
use crate::functions::{CONFIRM, GO, NOTE, UNCLEAR};
use crate::private::{mask_digits, mask_whole};
use crate::reply::Purpose;
use crate::state::{Cause, EndedBy, Owes, Phase, Reply, Said, Timer, ToolWish, Waits};
use crate::tools::ROUNDS;
use crate::visible::{Found, Raised};

/// After a `go` the stream is read for notes this long.
const GRACE_MS: i64 = 300;
/// Tools of one reply; more is a model that has lost its way.
const MOST_TOOLS: usize = 16;

impl Call {
    /// A sentence: spoken when it is complete and no `go` has arrived.
    pub(crate) fn reply_sentence(&mut self, id: ReplyId, text: &str) {
        let may_fail = self.state.turn.as_ref().is_some_and(|turn| !turn.filled) && self.may_fail_collect();
        let Some(reply) = self.current(id) else { return };
        if reply.go.is_some() || reply.muted || reply.purpose == Purpose::Extract {
            return;
        }
        reply.spoke = true;
        // Words that ask once more must not be followed at once by words that give up.
        if may_fail && reply.purpose != Purpose::Tell {
            return reply.withheld.push(text.to_owned());
        }
        self.speak_sentence(id, text);
    }

    fn speak_sentence(&mut self, id: ReplyId, text: &str) {
        let masked = self.mask(text.trim());
        let interruptible = self.interruptible();
        let text = text.trim().to_owned();
        let muted = Vec::new();
        self.speak(Rendered { text, masked, muted }, false, interruptible, Some(id));
    }

    /// The reply does not end the `collect`: what it said is spoken.
    fn speak_withheld(&mut self, reply: &Reply) {
        if !reply.muted {
            for text in &reply.withheld {
                self.speak_sentence(reply.id, text);
            }
        }
    }

    /// A function call: kept until the reply is closed. What is not on the card is refused.
    pub(crate) fn reply_call(&mut self, id: ReplyId, call: String, name: String, arguments: Json) {
        if self.current(id).is_none() {
            return;
        }
        match name.as_str() {
            GO => self.wants_to_go(id, &arguments),
            NOTE => self.wants_to_note(id, arguments),
            CONFIRM => {
                let answer = read_answer(&arguments);
                let Some(reply) = self.current(id) else { return };
                match answer {
                    Some(answer) if reply.offered.confirm => reply.confirm = Some(answer),
                    Some(_) => self.refuse("there is no read-back to confirm".into()),
                    None => self.refuse("`confirm` takes yes or no".into()),
                }
            }
            UNCLEAR => {
                let Some(reply) = self.current(id) else { return };
                if reply.offered.unclear {
                    reply.unclear = true;
                } else {
                    self.refuse("`unclear` cannot be said here".into());
                }
            }
            _ => {
                let Some(reply) = self.current(id) else { return };
                if reply.tools.len() >= MOST_TOOLS {
                    self.refuse(format!("`{name}` is one tool too many for one reply"));
                } else if reply.offered.tools.contains(&name) {
                    reply.tools.push(ToolWish { id: call, name, arguments });
                } else {
                    self.refuse(format!("`{name}` cannot be used here"));
                }
            }
        }
    }

    /// A reply is over. Usage counts even for one that nobody listens to any longer.
    pub(crate) fn reply_closed(&mut self, id: ReplyId, failure: Option<String>, usage: Usage) {
        self.state.counts.micro_usd = self.state.counts.micro_usd.saturating_add(usage.micro_usd);
        if self.current(id).is_some() {
            self.close_reply(failure);
        }
        self.check_cost();
    }

    /// Decides, once.
    pub(crate) fn close_reply(&mut self, failure: Option<String>) {
        let Some(reply) = self.state.reply.take() else { return };
        self.state.timers.remove(&Timer::Grace);
        match reply.purpose {
            Purpose::Tell => {
                self.go_on(Waits::Reply(reply.id));
                if let Some(failure) = failure.filter(|_| !reply.spoke) {
                    self.fail(&Failure(failure));
                }
            }
            Purpose::Extract => {
                self.state.timers.remove(&Timer::Extract);
                let noted = self.apply_notes(&reply.notes, self.is_unsure());
                self.mask_turn(&noted);
                self.hung_up();
            }
            Purpose::Turn | Purpose::Opening | Purpose::AfterTools | Purpose::Resume => {
                self.decide(&reply, failure);
            }
        }
    }

    /// Stops listening to the reply that is being made. A `tell` is a step: it goes on.
    pub(crate) fn stop_reply(&mut self) {
        let Some(reply) = self.state.reply.take() else { return };
        self.state.timers.remove(&Timer::Grace);
        self.emit(Effect::CancelReply { reply: reply.id });
        self.go_on(Waits::Reply(reply.id));
        self.mask_turn(&Noted::default());
    }

    /// The caller spoke again before the reply was closed: what it said is kept, what it wanted
    /// is decided as far as it got.
    pub(crate) fn interrupt_reply(&mut self) {
        let Some(mut reply) = self.state.reply.take() else { return };
        self.state.timers.remove(&Timer::Grace);
        self.emit(Effect::CancelReply { reply: reply.id });
        reply.tools.clear();
        let noted = self.apply_notes(&reply.notes, self.is_unsure());
        if let Some(yes) = reply.confirm {
            self.apply_confirm(yes, &noted);
        }
        self.mask_turn(&noted);
        if let Some(found) = self.chosen(&reply) {
            self.useful();
            self.take(found, Cause::Dialogue, "");
        }
    }

    fn decide(&mut self, reply: &Reply, failure: Option<String>) {
        let noted = self.apply_notes(&reply.notes, self.is_unsure());
        let changed = noted.changed.clone();
        // A no changes something, too: what was read back is open again.
        let answered = reply.confirm.is_some() && self.top().is_some_and(|frame| frame.read_back.is_some());
        let confirmed = match reply.confirm {
            Some(yes) if noted.changed.is_empty() || !yes => self.apply_confirm(yes, &noted),
            _ => false,
        };
        self.mask_turn(&noted);
        if let Some(found) = self.chosen(reply) {
            self.speak_withheld(reply);
            self.refuse_corrections(&noted, None);
            self.useful();
            return self.take(found, Cause::Dialogue, "");
        }
        if let Some((found, slot)) = self.correction(&noted) {
            self.speak_withheld(reply);
            self.refuse_corrections(&noted, Some(slot));
            self.useful();
            return self.take(found, Cause::Dialogue, "the caller changed a value");
        }
        self.refuse_corrections(&noted, None);
        if let Some(failure) = failure {
            self.speak_withheld(reply);
            return self.fail(&Failure(failure));
        }
        if !reply.notes.is_empty() && !changed.is_empty() || confirmed || !reply.tools.is_empty() {
            self.useful();
        }
        if let Some(turn) = &mut self.state.turn {
            turn.changed |= !changed.is_empty() || answered;
        }
        self.count_filled(&changed, answered);
        let goes_on = self.is_done() || !reply.tools.is_empty() && reply.rounds < ROUNDS;
        let filled = self.state.turn.as_ref().is_none_or(|turn| turn.filled);
        if goes_on || filled || !self.may_fail_collect() {
            self.speak_withheld(reply);
        }
        if self.is_done() {
            return self.close_turn();
        }
        if goes_on {
            return self.start_round(reply);
        }
        if !noted.corrections.is_empty() {
            // Whatever the reply said, it did not know that the value stays.
            self.owe_words();
        }
        if reply.unclear && changed.is_empty() && !answered && !filled {
            self.close_turn_uncounted();
            return self.unclear();
        }
        self.end_turn();
    }

    /// The caller has the floor again: what the turn did not bring is counted.
    fn end_turn(&mut self) {
        let Some(turn) = self.state.turn.take() else { return };
        self.reset_if_nothing_was_wanted();
        if !turn.filled && self.count_try() {
            self.state.spoke = false;
            if self.raise(&Raised::FailedCollect, Cause::Dialogue) {
                return;
            }
        }
        if turn.changed || turn.useful {
            if let Some(frame) = self.top_mut() {
                frame.stalled = 0;
            }
            return;
        }
        let Some(frame) = self.top_mut() else { return };
        frame.stalled += 1;
        let stalled = frame.stalled;
        self.raise(&Raised::Stalled(stalled), Cause::Dialogue);
    }

    /// The turn led somewhere.
    pub(crate) fn close_turn(&mut self) {
        self.mask_turn(&Noted::default());
        self.state.turn = None;
    }

    /// The caller could not be understood: a try, too.
    fn close_turn_uncounted(&mut self) {
        self.state.turn = None;
    }

    /// Caller turns that said nothing usable, in a row.
    pub(crate) fn unclear(&mut self) {
        self.state.counts.unclear += 1;
        self.state.spoke = false;
        let count = self.state.counts.unclear;
        if self.count_try() && self.raise(&Raised::FailedCollect, Cause::Dialogue) {
            return;
        }
        self.raise(&Raised::Unclear(count), Cause::Dialogue);
    }

    /// A turn with a note, a `go` or a tool: silence and unclear turns start anew.
    pub(crate) fn useful(&mut self) {
        self.state.counts.silence = 0;
        self.state.counts.unclear = 0;
        if let Some(turn) = &mut self.state.turn {
            turn.useful = true;
        }
    }

    fn count_filled(&mut self, changed: &[dgh_ir::SlotId], answered: bool) {
        let program = Arc::clone(&self.prepared.program);
        let collect = self.node(&program).and_then(|node| node.collect.as_ref());
        let filled = collect.is_some_and(|collect| changed.iter().any(|s| collect.slots.contains(s)));
        if let Some(turn) = &mut self.state.turn {
            turn.filled |= filled || answered;
        }
    }

    /// A turn in a node where nothing can be noted, chosen or used says what it can by being one.
    fn reset_if_nothing_was_wanted(&mut self) {
        if self.labels().is_empty() && !self.anything_to_note() {
            self.state.counts.silence = 0;
            self.state.counts.unclear = 0;
        }
    }

    fn wants_to_go(&mut self, id: ReplyId, arguments: &Json) {
        let label = arguments.get("label").and_then(Json::as_str).map(str::to_owned);
        let Some(reply) = self.current(id) else { return };
        let Some(label) = label else {
            return self.refuse("`go` takes a label".into());
        };
        if reply.go.is_some() {
            return self
                .record(Record::Refused { message: format!("only the first `go` counts, not `{label}`") });
        }
        let offered = reply.offered.labels.iter().find(|(name, ..)| *name == label);
        let Some((_, frame, dialogue, route)) = offered.cloned() else {
            return self.refuse(format!("`{label}` cannot be chosen here"));
        };
        reply.go = Some((frame, dialogue, route));
        self.after(Timer::Grace, GRACE_MS);
    }

    fn wants_to_note(&mut self, id: ReplyId, arguments: Json) {
        let Some(reply) = self.current(id) else { return };
        match arguments {
            Json::Object(values) if reply.offered.notes => reply.notes.extend(values),
            Json::Object(values) => {
                for name in values.keys() {
                    self.refuse(format!("`{name}` cannot be noted here"));
                }
            }
            _ => self.refuse("`note` takes values by name".into()),
        }
    }

    /// The route that was chosen, if it may still be taken.
    fn chosen(&mut self, reply: &Reply) -> Option<Found> {
        let (frame, dialogue, route) = reply.go?;
        let found = Found { frame, dialogue, route };
        let Some(Decider::When(when)) = self.route(found).map(|route| &route.decider) else {
            return None;
        };
        let label = when.label.clone();
        let guard = when.guard.clone();
        let scope = self.state.frames.get(frame).map_or(0, |frame| frame.scope);
        let holds = guard.is_none_or(|guard| self.holds(scope, &guard).unwrap_or(false));
        if holds && self.visible().contains(&found) {
            return Some(found);
        }
        self.refuse(format!("`{label}` no longer applies"));
        None
    }

    /// The handler for a used value that the caller wants to change; it has the new value from
    /// here on.
    fn correction(&mut self, noted: &Noted) -> Option<(Found, dgh_ir::SlotId)> {
        for (slot, value) in &noted.corrections {
            let Some(found) = self.handler(&Raised::Corrected(*slot)) else { continue };
            let scope = self.scope();
            self.record(Record::Raised { event: self.corrected_name(scope, *slot) });
            if let Some(known) = self.state.slot_mut(scope, *slot) {
                known.used = false;
            }
            let unsure = self.is_unsure();
            self.take_value(scope, *slot, value.clone(), Vec::new(), unsure);
            return Some((found, *slot));
        }
        None
    }

    fn refuse_corrections(&mut self, noted: &Noted, done: Option<dgh_ir::SlotId>) {
        let program = Arc::clone(&self.prepared.program);
        for (slot, _) in noted.corrections.iter().filter(|(slot, _)| Some(*slot) != done) {
            let slots = &program.dialogue(self.dialogue()).slots;
            if let Some(slot) = slots.get(*slot) {
                let name = &slot.name;
                self.refuse(format!("`{name}` is in use and cannot be changed any more"));
                self.state.untold = true;
            }
        }
    }

    fn corrected_name(&self, scope: usize, slot: dgh_ir::SlotId) -> String {
        let dialogue = self.state.scopes.get(scope).map(|scope| scope.dialogue);
        let slots = dialogue.map(|dialogue| &self.prepared.program.dialogue(dialogue).slots);
        let name = slots.and_then(|slots| slots.get(slot)).map_or("", |slot| &slot.name);
        format!("corrected({name})")
    }

    /// What is private in the caller's words is known now: mask them, and let the records go.
    fn mask_turn(&mut self, noted: &Noted) {
        if self.state.held.is_none() {
            return;
        }
        let line = self.state.turn.as_ref().map(|turn| (turn.line, turn.text.clone()));
        if let Some((line, text)) = line {
            let mut masked = self.mask(&text);
            if !noted.private.is_empty() && masked == text {
                masked = mask_whole(&noted.private);
            } else if noted.private.is_empty() && self.awaits_private() {
                masked = mask_digits(&masked);
            }
            if let Some(Said::Caller(said)) = self.state.history.get_mut(line) {
                said.clone_from(&masked);
            }
            let first = self.state.held.iter_mut().flatten().find_map(|record| match record {
                Record::Caller { text } => Some(text),
                _ => None,
            });
            if let Some(text) = first {
                *text = masked;
            }
        }
        self.mask_the_past();
        for record in self.state.held.take().unwrap_or_default() {
            self.emit(Effect::Emit(record));
        }
    }

    /// Whether a private name that speech may bring is still unset.
    fn awaits_private(&self) -> bool {
        let program = &self.prepared.program;
        let (scope, dialogue) = (self.scope(), self.dialogue());
        self.prepared.noteable(dialogue).iter().any(|noteable| {
            self.may_note(program, noteable)
                && self.declared_private(scope, noteable.slot)
                && self.state.slot(scope, noteable.slot).is_some_and(|slot| slot.value.is_none())
        })
    }

    fn is_unsure(&self) -> bool {
        self.state
            .turn
            .as_ref()
            .and_then(|turn| turn.confidence)
            .is_some_and(|percent| percent < crate::collect::UNSURE_BELOW)
    }

    fn current(&mut self, id: ReplyId) -> Option<&mut Reply> {
        self.state.reply.as_mut().filter(|reply| reply.id == id)
    }

    /// The model's words for the end of a call for which nobody wrote any.
    pub(crate) fn end_with_regret(&mut self, by: EndedBy) {
        if !matches!(self.state.phase, Phase::Live | Phase::Holding | Phase::Fresh) {
            return;
        }
        let text = crate::words::sorry(&self.state.language).to_owned();
        self.speak(Rendered { masked: text.clone(), text, muted: Vec::new() }, true, false, None);
        self.state.owes = Owes::Nothing;
        self.finish(None, by);
    }
}

/// `yes`, `no`, however a model writes it.
fn read_answer(arguments: &Json) -> Option<bool> {
    let answer = match arguments {
        Json::Object(fields) => fields.get("answer").or_else(|| fields.values().next())?,
        other => other,
    };
    match answer {
        Json::Bool(answer) => Some(*answer),
        Json::String(text) if text.eq_ignore_ascii_case("yes") => Some(true),
        Json::String(text) if text.eq_ignore_ascii_case("no") => Some(false),
        _ => None,
    }
}
