//! What an expression of a call may see.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use dgh_ir::{Builtin, EvalError, Expr, Program, Purpose, Rendered, SlotId, Template, Value};

use crate::call::Call;
use crate::event::{AnsweredBy, Timestamp};
use crate::failure::Failure;
use crate::state::{Scope, State};

/// The slots of one scope and the facts of the call.
pub(crate) struct View<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a State,
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) zone: Tz,
}

impl dgh_ir::Scope for View<'_> {
    fn slot(&self, id: SlotId) -> Option<&Value> {
        self.scope?.slots.get(id.0 as usize)?.value.as_ref()
    }

    fn slot_name(&self, id: SlotId) -> &str {
        let slots = self.scope.map(|scope| &self.program.dialogue(scope.dialogue).slots);
        slots.and_then(|slots| slots.get(id)).map_or("?", |slot| &slot.name)
    }

    fn builtin(&self, name: Builtin) -> Value {
        let state = self.state;
        let text = |text: &Option<String>| text.clone().map_or(Value::None, Value::Text);
        match name {
            Builtin::Now => Value::DateTime(local(state.now, self.zone)),
            Builtin::CallerPhone => text(&state.start.caller.phone),
            Builtin::CallerLanguage => Value::Text(state.language.clone()),
            Builtin::CallId => Value::Text(state.start.call_id.clone()),
            Builtin::CallOutcome => state.outcome.clone().map_or(Value::None, Value::Case),
            Builtin::CallEndedBy => state.ended_by.map_or(Value::None, |by| Value::Case(by.name().into())),
            Builtin::CallDuration => Value::Duration(state.now.0 - state.start.now.0),
            Builtin::CallAnsweredBy => Value::Case(answered_by(state.answering.who).into()),
            Builtin::CallTranscriptUrl => text(&state.start.transcript_url),
            Builtin::CallRecordingUrl => text(&state.start.recording_url),
            // Written after the call, by whoever delivers what needs it.
            Builtin::CallSummary => Value::None,
        }
    }

    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        self.state.start.env.get(name).map(|value| Cow::Borrowed(value.as_str()))
    }

    fn language(&self) -> &str {
        &self.state.language
    }
}

impl Call {
    /// What the expressions of a scope see.
    pub(crate) fn view(&self, scope: usize) -> View<'_> {
        View {
            program: &self.prepared.program,
            state: &self.state,
            scope: self.state.scopes.get(scope),
            zone: self.prepared.agent(self.state.agent).locale.zone,
        }
    }

    pub(crate) fn eval(&self, scope: usize, expr: &Expr) -> Result<Value, Failure> {
        Ok(dgh_ir::eval(&self.prepared.program, expr, &self.view(scope))?)
    }

    pub(crate) fn holds(&self, scope: usize, expr: &Expr) -> Result<bool, Failure> {
        Ok(dgh_ir::holds(&self.prepared.program, expr, &self.view(scope))?)
    }

    /// Words to be spoken, or written in a chat.
    pub(crate) fn words(&self, scope: usize, expr: &Expr) -> Result<Rendered, Failure> {
        let program = &self.prepared.program;
        Ok(dgh_ir::render_expr(program, expr, None, &self.view(scope), self.sounding())?)
    }

    pub(crate) fn template(
        &self,
        scope: usize,
        template: &Template,
        purpose: Purpose,
    ) -> Result<Rendered, Failure> {
        Ok(dgh_ir::render(&self.prepared.program, template, &self.view(scope), purpose)?)
    }

    /// What words of the agent are for.
    pub(crate) fn sounding(&self) -> Purpose {
        if self.is_chat() { Purpose::Writing } else { Purpose::Speech }
    }

    /// Local time of the agent.
    pub(crate) fn local_now(&self) -> NaiveDateTime {
        local(self.state.now, self.prepared.agent(self.state.agent).locale.zone)
    }
}

/// The case of `call.answered_by`.
fn answered_by(who: AnsweredBy) -> &'static str {
    match who {
        AnsweredBy::Human => "human",
        AnsweredBy::Voicemail => "voicemail",
        AnsweredBy::Screening => "screening",
        AnsweredBy::Unknown => "unknown",
    }
}

fn local(at: Timestamp, zone: Tz) -> NaiveDateTime {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&zone).naive_local()
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        Self(error.to_string())
    }
}
