//! Tools of a call in text: the mocks of the profile first, then the real ones.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use dgh_engine::effect::{ToolName, ToolRequest};
use dgh_engine::event::{Timestamp, ToolFailure};
use dgh_ir::{Builtin, Locale, Program, Scope, SlotId, Value, from_json, to_json};
use dgh_net::{Call, NetError, Tools as Real, What};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::mocks::{Answer, Mocks};

/// What answers when a tool is called.
pub struct Tools {
    program: Arc<Program>,
    locale: Locale,
    mocks: Option<Mocks>,
    real: Real,
    env: IndexMap<String, String>,
}

impl Tools {
    /// Mocks, if any, before the real tools.
    pub fn new(
        program: Arc<Program>,
        locale: Locale,
        mocks: Option<Mocks>,
        real: Real,
        env: IndexMap<String, String>,
    ) -> Self {
        Self { program, locale, mocks, real, env }
    }

    /// The answer of a mock, if there is one.
    pub fn mock(&mut self, name: &str, arguments: &Json) -> Option<Answer> {
        self.mocks.as_mut()?.answer(name, arguments)
    }

    /// Calls a tool.
    pub fn call(&mut self, request: &ToolRequest, now: Timestamp) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let name = match &request.tool {
            ToolName::Tool(tool) => tool.clone(),
            ToolName::Mcp(server, tool) => format!("{server}.{tool}"),
            ToolName::Knowledge(name) => name.clone(),
        };
        let Some(answer) = self.mock(&name, &request.arguments) else { return self.real(request, now) };
        let result = answer.result.map_err(|message| failure("mock", message));
        let result = result.and_then(|json| self.fitting(&name, json));
        async move {
            tokio::time::sleep(answer.delay).await;
            result
        }
        .boxed()
    }

    fn real(&self, request: &ToolRequest, now: Timestamp) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let program = Arc::clone(&self.program);
        let find = |name: &str| program.tools.iter().find(|(_, tool)| tool.name == name).map(|(_, tool)| tool);
        let server = |name: &str| program.mcps.iter().find(|(_, mcp)| mcp.name == name).map(|(_, mcp)| mcp);
        let what = match &request.tool {
            ToolName::Tool(name) => find(name).map(What::Tool),
            ToolName::Mcp(name, tool) => server(name).map(|server| What::Mcp(server, tool)),
            ToolName::Knowledge(name) => {
                let message = format!("`{name}` cannot be searched here; mock it in dgh.toml");
                return async move { Err(failure("refused", message)) }.boxed();
            }
        };
        let Some(what) = what else {
            return async { Err(failure("refused", "the program has no such tool".to_owned())) }.boxed();
        };
        let now = DateTime::from_timestamp_millis(now.0).unwrap_or_else(Utc::now);
        let facts = Facts { env: &self.env, now: now.with_timezone(&self.locale.zone).naive_local() };
        let call = Call {
            program: &program,
            what,
            arguments: &request.arguments,
            facts: &facts,
            locale: self.locale,
            now,
            idempotency_key: request.idempotency_key.as_deref(),
            timeout: request.timeout_ms.map(Duration::from_millis),
        };
        self.real.start(call).map(|answer| answer.map_err(|error| net_failure(&error))).boxed()
    }

    /// An answer as the engine takes it: checked against the tool's type, like a real one.
    fn fitting(&self, name: &str, json: Json) -> Result<Json, ToolFailure> {
        let tool = self.program.tools.iter().find(|(_, tool)| tool.name == name).map(|(_, tool)| tool);
        let Some(ty) = tool.and_then(|tool| tool.result.as_ref()) else { return Ok(json) };
        match from_json(&self.program, ty, &json, self.locale) {
            Ok(value) => Ok(to_json(&value)),
            Err(error) => Err(failure("bad_answer", error.to_string())),
        }
    }
}

/// What a request may read beside the arguments of its tool.
pub struct Facts<'a> {
    /// `env` of the profile.
    pub env: &'a IndexMap<String, String>,
    /// Local time of the agent.
    pub now: NaiveDateTime,
}

impl Scope for Facts<'_> {
    fn slot(&self, _: SlotId) -> Option<&Value> {
        None
    }

    fn slot_name(&self, _: SlotId) -> &'static str {
        "?"
    }

    fn language(&self) -> &'static str {
        "en"
    }

    fn builtin(&self, name: Builtin) -> Value {
        if name == Builtin::Now { Value::DateTime(self.now) } else { Value::None }
    }

    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        self.env.get(name).map(|value| Cow::Borrowed(value.as_str()))
    }
}

fn failure(kind: &str, message: String) -> ToolFailure {
    ToolFailure { kind: kind.to_owned(), message }
}

fn net_failure(error: &NetError) -> ToolFailure {
    failure(error.kind.name(), error.to_string())
}
