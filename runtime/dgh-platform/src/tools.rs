//! Tools of a call: the mocks of the profile first, then the real ones.

use std::sync::Arc;

use dgh_compile::mocks::TRANSFER;
use dgh_engine::effect::{ToolName, ToolRequest};
use dgh_engine::event::{Timestamp, ToolFailure, TransferFailureEvent};
use dgh_ir::{Locale, Program, from_json, to_json};
use dgh_net::Toolbox;
use dgh_voice::call::CallTools;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

use crate::knowledge::{Knowledge, name_of};
use crate::mocks::{Answer, Mocks};

/// What answers when a tool is called.
pub struct Tools {
    program: Arc<Program>,
    locale: Locale,
    mocks: Option<Mocks>,
    real: Arc<Toolbox>,
    knowledge: Arc<Knowledge>,
}

impl Tools {
    /// Mocks, if any, before the real tools.
    pub fn new(
        program: Arc<Program>,
        locale: Locale,
        mocks: Option<Mocks>,
        real: Arc<Toolbox>,
        knowledge: Arc<Knowledge>,
    ) -> Self {
        Self { program, locale, mocks, real, knowledge }
    }

    /// The answer of a mock, if there is one.
    pub fn mock(&mut self, name: &str, arguments: &Json) -> Option<Answer> {
        self.mocks.as_mut()?.answer(name, arguments)
    }

    /// How the mock says that a transfer ends: none is "answered". None at all: it is not mocked.
    pub fn transfer(&mut self, number: &str) -> Option<Option<TransferFailureEvent>> {
        let answer = self.mock(TRANSFER, &json!({ "number": number }))?;
        let Ok(how) = answer.result else { return Some(None) };
        Some(match how.as_str() {
            Some("busy") => Some(TransferFailureEvent::Busy),
            Some("no_answer") => Some(TransferFailureEvent::NoAnswer),
            Some("declined") => Some(TransferFailureEvent::Declined),
            Some("failed") => Some(TransferFailureEvent::Failed),
            Some("unsupported") => Some(TransferFailureEvent::Unsupported),
            _ => None,
        })
    }

    /// Calls a tool.
    pub fn call(
        &mut self,
        request: &ToolRequest,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        let name = match &request.tool {
            ToolName::Tool(tool) => tool.clone(),
            ToolName::Mcp(server, tool) => format!("{server}.{tool}"),
            ToolName::Knowledge(key) => name_of(key).to_owned(),
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
        let (arguments, timeout) = (&request.arguments, request.timeout_ms);
        let answer = match &request.tool {
            ToolName::Tool(name) => {
                self.real.call(name, arguments, request.idempotency_key.as_deref(), timeout, now.0)
            }
            ToolName::Mcp(server, tool) => self.real.call_mcp(server, tool, arguments, timeout),
            ToolName::Knowledge(key) => {
                let question = arguments.get("query").and_then(Json::as_str).unwrap_or_default();
                return self.knowledge.search(key, question);
            }
        };
        answer.map(|answer| answer.map_err(|error| failure(error.kind.name(), error.to_string()))).boxed()
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

impl CallTools for Tools {
    fn call(
        &mut self,
        request: &ToolRequest,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<Json, ToolFailure>> {
        Tools::call(self, request, now)
    }
}

fn failure(kind: &str, message: String) -> ToolFailure {
    ToolFailure { kind: kind.to_owned(), message }
}
