//! Checks the mocks of the profiles against the tools that they stand for.

use dgh_diag::{Code, Diagnostic, suggest};
use dgh_ir::{Program, Type, from_json};
use serde_json::Value as Json;

use crate::manifest::{Manifest, MockCase};

/// The name under which transfers are mocked.
pub const TRANSFER: &str = "transfer";

/// How a mocked transfer can end.
pub const TRANSFER_ANSWERS: &[&str] = &["answered", "busy", "no_answer", "declined", "failed", "unsupported"];

/// Findings about all mocks of all profiles.
pub(crate) fn check(program: &Program, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (name, cases) in manifest.profiles.values().flat_map(|profile| &profile.mocks) {
        match Target::find(program, name) {
            Some(target) => {
                findings.extend(cases.iter().filter_map(|case| target.complaint(program, name, case)));
            }
            None => findings.extend(cases.first().map(|case| unknown(program, name, case))),
        }
    }
    findings
}

enum Target<'a> {
    Tool(Option<&'a Type>, Vec<&'a str>),
    Transfer,
    /// An MCP tool or knowledge: any text or JSON.
    Anything,
}

impl<'a> Target<'a> {
    fn find(program: &'a Program, name: &str) -> Option<Self> {
        if name == TRANSFER {
            return Some(Self::Transfer);
        }
        if let Some((_, tool)) = program.tools.iter().find(|(_, tool)| tool.name == name) {
            let params = tool.params.iter().map(|p| p.name.as_str()).collect();
            return Some(Self::Tool(tool.result.as_ref(), params));
        }
        let server = name.split_once('.').map(|(server, _)| server);
        let mcp = program.mcps.iter().any(|(_, mcp)| Some(mcp.name.as_str()) == server);
        let knowledge = program.knowledge.iter().any(|(_, knowledge)| knowledge.name == name);
        (mcp || knowledge).then_some(Self::Anything)
    }

    fn complaint(&self, program: &Program, name: &str, case: &MockCase) -> Option<Diagnostic> {
        let finding = |message: String| Diagnostic::new(Code::BadMock, case.place, message);
        match self {
            Self::Anything => None,
            Self::Transfer => match &case.answer {
                Ok(Json::String(word)) if TRANSFER_ANSWERS.contains(&word.as_str()) => None,
                _ => Some(finding("a mocked transfer has another answer".to_owned()).with_hint(format!(
                    "`answer` is {}.",
                    suggest::any_of(&suggest::quoted(TRANSFER_ANSWERS))
                ))),
            },
            Self::Tool(result, params) => {
                if let Some(unknown) = case.when.keys().find(|key| !params.contains(&key.as_str())) {
                    let near = suggest::closest(unknown, params.iter().copied());
                    let hint = match near {
                        Some(near) => format!("Did you mean `{near}`?"),
                        None => format!("It has {}.", suggest::any_of(&suggest::quoted(params))),
                    };
                    let message = format!("the tool `{name}` has no parameter `{unknown}`");
                    return Some(finding(message).with_hint(hint));
                }
                let (Ok(answer), Some(ty)) = (&case.answer, result) else { return None };
                // A text with a parameter in it has no value yet.
                if has_parameter(answer) {
                    return None;
                }
                let error = from_json(program, ty, answer, chrono_tz::UTC).err()?;
                Some(finding(format!("this is no answer of `{name}`: {error}")))
            }
        }
    }
}

fn unknown(program: &Program, name: &str, case: &MockCase) -> Diagnostic {
    let known: Vec<&str> = program.tools.iter().map(|(_, tool)| tool.name.as_str()).collect();
    let finding = Diagnostic::new(Code::BadMock, case.place, format!("there is no tool `{name}` to mock"));
    match suggest::closest(name, known.iter().copied().chain([TRANSFER])) {
        Some(near) => finding.with_hint(format!("Did you mean `{near}`?")),
        None => finding,
    }
}

fn has_parameter(answer: &Json) -> bool {
    match answer {
        Json::String(text) => text.contains("{{"),
        Json::Array(items) => items.iter().any(has_parameter),
        Json::Object(fields) => fields.values().any(has_parameter),
        _ => false,
    }
}
