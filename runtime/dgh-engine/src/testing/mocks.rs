//! What tools and transfers answer in a test.

use dgh_ir::test::{Mock, MockAnswer, MockWhat, TestCase};
use dgh_ir::{Program, ToolRef, Value};
use serde_json::Value as Json;

use crate::effect::{ToolName, ToolRequest};
use crate::event::{ToolFailure, TransferFailureEvent};

/// The mocks of a test. A tool that is mocked several times answers in that order, and goes on
/// with the last.
#[derive(Debug, Clone)]
pub(super) struct Mocks {
    answers: Vec<(Mock, Option<ToolName>)>,
    calls: Vec<ToolName>,
    transfers: usize,
}

/// How a transfer ends: answered, or why not.
pub type TransferEnd = Result<(), TransferFailureEvent>;

/// Kinds of failure that a test may name; anything else is the message of a `mock` failure.
const KINDS: &[&str] = &["timeout", "network", "status", "too_large", "bad_answer", "refused"];

impl Mocks {
    pub(super) fn new(program: &Program, case: &TestCase) -> Self {
        let named = |mock: &Mock| {
            let name = match &mock.what {
                MockWhat::Tool(tool) => tool_name(program, tool),
                MockWhat::Knowledge(id) => tool_name(program, &ToolRef::Knowledge(*id)),
                MockWhat::Transfer | MockWhat::Hole => None,
            };
            (mock.clone(), name)
        };
        Self { answers: case.mocks.iter().map(named).collect(), calls: Vec::new(), transfers: 0 }
    }

    /// The answer of a tool; none: it is not mocked.
    pub(super) fn answer(&mut self, request: &ToolRequest) -> Option<Result<Json, ToolFailure>> {
        self.calls.push(request.tool.clone());
        let call = self.called(&request.tool);
        let answers: Vec<&Mock> = self
            .answers
            .iter()
            .filter(|(_, name)| name.as_ref() == Some(&request.tool))
            .map(|(mock, _)| mock)
            .collect();
        let mock = answers.get(call - 1).or(answers.last())?;
        Some(match &mock.answer {
            MockAnswer::Value(value) => Ok(dgh_ir::to_json(value)),
            MockAnswer::Error(error) => {
                let known = KINDS.contains(&error.as_str());
                let kind = if known { error.clone() } else { "mock".into() };
                Err(ToolFailure { kind, message: error.clone() })
            }
        })
    }

    /// Whether a test says what a tool answers.
    pub(super) fn has(&self, tool: &ToolName) -> bool {
        self.answers.iter().any(|(_, name)| name.as_ref() == Some(tool))
    }

    /// How often a tool was called.
    pub(super) fn called(&self, tool: &ToolName) -> usize {
        self.calls.iter().filter(|called| *called == tool).count()
    }

    /// How a transfer ends; none: it is not mocked.
    pub(super) fn transfer(&mut self) -> Option<TransferEnd> {
        let answers: Vec<&MockAnswer> = self
            .answers
            .iter()
            .filter(|(mock, _)| mock.what == MockWhat::Transfer)
            .map(|(mock, _)| &mock.answer)
            .collect();
        let answer = answers.get(self.transfers).or(answers.last())?;
        self.transfers += 1;
        let word = match answer {
            MockAnswer::Value(Value::Case(word) | Value::Text(word)) | MockAnswer::Error(word) => word,
            MockAnswer::Value(_) => return Some(Err(TransferFailureEvent::Failed)),
        };
        Some(match word.as_str() {
            "answered" => Ok(()),
            "busy" => Err(TransferFailureEvent::Busy),
            "no_answer" => Err(TransferFailureEvent::NoAnswer),
            "declined" => Err(TransferFailureEvent::Declined),
            "unsupported" => Err(TransferFailureEvent::Unsupported),
            _ => Err(TransferFailureEvent::Failed),
        })
    }
}

/// What a tool is called by the names of the program.
pub(super) fn tool_name(program: &Program, tool: &ToolRef) -> Option<ToolName> {
    Some(match tool {
        ToolRef::Tool(id) => ToolName::Tool(program.tools.get(*id)?.name.clone()),
        ToolRef::Mcp(server, name) => ToolName::Mcp(program.mcps.get(*server)?.name.clone(), name.clone()?),
        ToolRef::Knowledge(id) => ToolName::Knowledge(program.knowledge_key(*id)?),
        ToolRef::Hole => return None,
    })
}

/// How a message calls a tool.
pub(super) fn label(tool: &ToolName) -> String {
    match tool {
        ToolName::Tool(name) | ToolName::Knowledge(name) => name.clone(),
        ToolName::Mcp(server, name) => format!("{server}.{name}"),
    }
}
