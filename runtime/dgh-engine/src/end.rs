//! Ends: always with words, and with what has to be delivered.

use std::sync::Arc;

use dgh_ir::render::render_json;
use dgh_ir::request;
use dgh_ir::{CallEvent, Expr, ExprKind, HttpRequest, Rendered, SlotId};

use crate::call::Call;
use crate::effect::{Effect, Record};
use crate::event::AnsweredBy;
use crate::prepared::declared;
use crate::reply;
use crate::state::{Cause, EndedBy, Owes, Phase, State, Timer};
use crate::visible::Raised;
use crate::words;

/// The last request after a hang-up may take this long.
const EXTRACT_MS: i64 = 5_000;
/// The last words have been played by then, whatever the driver says: this, and more for each
/// byte.
const DRAIN_MS: i64 = 15_000;
const DRAIN_MS_PER_BYTE: i64 = 120;
/// How long a call that an operator ends may take for its last words.
pub const LAST_WORDS_MS: i64 = 8_000;

impl Call {
    /// Ends the call when the last words have been played.
    pub(crate) fn finish(&mut self, outcome: Option<String>, by: EndedBy) {
        if matches!(self.state.phase, Phase::Ending | Phase::Over) {
            return;
        }
        self.stop_reply();
        self.leave_tools();
        self.close_turn();
        self.state.activities.clear();
        self.state.waiting = None;
        self.state.owes = Owes::Nothing;
        self.state.outcome = outcome;
        self.state.ended_by = Some(by);
        if !self.state.spoke && self.is_heard() {
            let text = words::goodbye(&self.state.language).to_owned();
            let rendered = Rendered { masked: text.clone(), text, muted: Vec::new() };
            self.speak(rendered, true, true, None);
        }
        self.state.phase = Phase::Ending;
        self.state.timers.clear();
        let bytes: usize = self.state.speech.iter().map(|utterance| utterance.text.len()).sum();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.after(Timer::Drain, DRAIN_MS.saturating_add(bytes.saturating_mul(DRAIN_MS_PER_BYTE)));
    }

    /// An operator ends the call. What sounds is cut short, whatever it is; words that are the last
    /// ones already go on. Either way the call is over soon.
    pub(crate) fn stop(&mut self) {
        match self.state.phase {
            Phase::Over => return,
            Phase::Extracting => {
                self.stop_reply();
                self.hung_up();
            }
            Phase::Live | Phase::Holding if !self.state.hung_up => {
                self.drop_speech();
                if self.is_heard() {
                    let text = words::stopped(&self.state.language).to_owned();
                    let rendered = Rendered { masked: text.clone(), text, muted: Vec::new() };
                    self.speak(rendered, true, false, None);
                }
                self.finish(None, EndedBy::Operator);
            }
            Phase::Fresh | Phase::Live | Phase::Holding | Phase::Ending => {}
        }
        self.after(Timer::LastWords, LAST_WORDS_MS);
    }

    /// The last words have had their time.
    pub(crate) fn out_of_words(&mut self) {
        self.drop_speech();
        let by = if self.state.hung_up { EndedBy::Caller } else { EndedBy::Operator };
        self.over(self.state.ended_by.unwrap_or(by));
    }

    /// Whether a person is there to hear last words.
    fn is_heard(&self) -> bool {
        let State { hung_up, transferred, answering, .. } = &self.state;
        !hung_up && !transferred && answering.who != AnsweredBy::Voicemail
    }

    /// The caller hung up. What they said last is read once more, then the call ends.
    pub(crate) fn hangup(&mut self) {
        match self.state.phase {
            Phase::Over | Phase::Extracting => return,
            Phase::Ending => {
                self.state.hung_up = true;
                return self.flush_speech();
            }
            Phase::Fresh | Phase::Holding | Phase::Live => {}
        }
        self.state.hung_up = true;
        self.flush_speech();
        self.state.keys.clear();
        for timer in [Timer::Silence, Timer::Slow, Timer::Keypad, Timer::Hold, Timer::Beep] {
            self.state.timers.remove(&timer);
        }
        let waiting = self.state.waiting.take();
        let replying = self.state.turn.is_some() && self.state.reply.is_some();
        let unanswered = waiting.is_some() || replying || self.state.round.is_some();
        if let Some(reply) = self.state.reply.take() {
            self.emit(Effect::CancelReply { reply: reply.id });
        }
        self.state.round = None;
        self.state.timers.remove(&Timer::Grace);
        self.state.phase = Phase::Live;
        if !unanswered || !self.anything_to_note() {
            self.close_turn();
            return self.hung_up();
        }
        if let Some(waiting) = waiting {
            self.close_turn();
            self.state.waiting = Some(waiting);
            self.hear_turn();
        }
        self.state.phase = Phase::Extracting;
        self.request(reply::Purpose::Extract, 0, None);
        self.after(Timer::Extract, EXTRACT_MS);
    }

    /// The caller is gone and nothing is left to learn.
    pub(crate) fn hung_up(&mut self) {
        self.close_turn();
        self.state.phase = Phase::Live;
        self.state.timers.remove(&Timer::Extract);
        if !self.raise(&Raised::Hangup, Cause::Hangup) {
            self.finish(None, EndedBy::Caller);
        }
        self.settle();
    }

    /// The call is over.
    pub(crate) fn over(&mut self, by: EndedBy) {
        if self.state.phase == Phase::Over {
            return;
        }
        if let Some(reply) = self.state.reply.take() {
            self.emit(Effect::CancelReply { reply: reply.id });
        }
        self.close_turn();
        self.flush_speech();
        self.state.ended_by = Some(by);
        self.state.phase = Phase::Over;
        self.state.activities.clear();
        self.state.timers.clear();
        if by == EndedBy::NotConnected {
            self.webhooks(CallEvent::Failed);
        }
        self.record(Record::Ended { outcome: self.state.outcome.clone(), ended_by: by.name().into() });
        self.webhooks(CallEvent::Ended);
        self.emit(Effect::End);
    }

    /// The agent's webhooks of an event.
    pub(crate) fn webhooks(&mut self, event: CallEvent) {
        let program = Arc::clone(&self.prepared.program);
        for (_, webhook) in declared(&program, self.state.agent).webhooks.iter() {
            if !webhook.events.contains(&event) {
                continue;
            }
            let guard = webhook.guard.as_ref();
            if !guard.is_none_or(|guard| self.holds(0, guard).unwrap_or(false)) {
                continue;
            }
            if self.may_deliver(&reads(&webhook.request)).is_err() {
                continue;
            }
            let envelope = request::envelope(&program, &webhook.request, &self.view(0));
            let body = webhook.request.body.as_ref();
            let body = body.map(|body| render_json(&program, body, &self.view(0))).transpose();
            let (envelope, body) = match (envelope, body) {
                (Ok(envelope), Ok(body)) => (Box::new(envelope), body.flatten()),
                (Err(error), _) => {
                    self.not_rendered(&webhook.name, &error);
                    continue;
                }
                (_, Err(error)) => {
                    self.not_rendered(&webhook.name, &error);
                    continue;
                }
            };
            self.record(Record::Webhook { name: webhook.name.clone(), event: event.name().into() });
            self.emit(Effect::Webhook {
                name: webhook.name.clone(),
                event,
                envelope,
                sign: webhook.sign.as_ref().and_then(secret_name),
                masked: body.as_ref().map(|body| body.masked.clone()),
                body: body.map(|body| body.json),
            });
        }
    }

    fn not_rendered(&mut self, webhook: &str, error: &dyn std::fmt::Display) {
        self.record(Record::Raised { event: format!("error: webhook `{webhook}`: {error}") });
    }
}

/// The slots that a request reads.
fn reads(request: &HttpRequest) -> Vec<SlotId> {
    let mut reads = Vec::new();
    request.each_expr(&mut |expr| reads.extend(expr.reads()));
    reads
}

fn secret_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Secret(name) => Some(name.clone()),
        _ => None,
    }
}
