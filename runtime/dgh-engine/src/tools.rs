//! Tools: guaranteed ones of steps, and those that a model uses.

use std::fmt::Write as _;
use std::sync::Arc;

use dgh_ir::convert::from_json;
use dgh_ir::mask::placeholder;
use dgh_ir::render::render_json;
use dgh_ir::{Expr, McpId, Method, Program, SlotId, Tool, ToolAction, ToolRef, mask_json};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::call::Call;
use crate::effect::{Effect, Record, ToolName, ToolRequest};
use crate::event::{ToolCallId, ToolFailure};
use crate::failure::Failure;
use crate::reply::{Purpose, ToolExchange};
use crate::state::{Reply, Round, RunningTool, Said, Timer, ToolResultOf, ToolUse, ToolWish, Waits};

/// Rounds of tools in one turn.
pub(crate) const ROUNDS: u32 = 3;

/// What the transport may take on top of a tool's own time before it is given up here.
const SLACK_MS: u64 = 2_000;

/// What a tool is to the engine.
struct Known {
    name: ToolName,
    label: String,
    /// A request that changes nothing: it needs no key and is not missed.
    reads_only: bool,
    result: ToolResultOf,
    total_ms: u64,
}

impl Call {
    /// Starts the tool of a `call` step.
    pub(crate) fn call_tool(
        &mut self,
        scope: usize,
        tool: &ToolRef,
        args: &[(String, Expr)],
        bind: Option<SlotId>,
        timeout_ms: Option<u64>,
        hook: bool,
    ) -> Result<ToolCallId, Failure> {
        let program = Arc::clone(&self.prepared.program);
        let mut from: Vec<SlotId> = args.iter().flat_map(|(_, value)| value.reads()).collect();
        from.sort_unstable();
        from.dedup();
        self.mark_used(scope, &from);
        self.may_send(scope, &from)?;
        let params = declared(&program, tool).map_or(&[][..], |tool| &tool.params);
        let (mut arguments, mut masked) = (Map::new(), Map::new());
        for (name, value) in args {
            let Some(value) = render_json(&program, value, &self.view(scope))? else { continue };
            let private = params.iter().any(|p| p.name == *name && p.ty.private);
            arguments.insert(name.clone(), value.json);
            let shown = if private { placeholder(name).into() } else { value.masked };
            masked.insert(name.clone(), shown);
        }
        self.fill_params(&program, tool, &mut arguments, &mut masked)?;
        let used_by = ToolUse::Step { scope, bind, from, hook };
        self.start_tool(tool, arguments.into(), masked.into(), timeout_ms, used_by)
    }

    /// Starts the tools that a reply asks for, side by side.
    pub(crate) fn start_round(&mut self, reply: &Reply) {
        let mut calls = Vec::with_capacity(reply.tools.len());
        for wish in &reply.tools {
            let ToolWish { id, name, arguments } = wish;
            let mut exchange = ToolExchange {
                id: id.clone(),
                name: name.clone(),
                arguments: arguments.clone(),
                result: Json::Null,
            };
            match self.start_used(name, arguments) {
                Ok(call) => calls.push((call, exchange, false)),
                Err(failure) => {
                    self.record(Record::Refused { message: format!("`{name}`: {}", failure.0) });
                    exchange.result = json!({ "error": failure.0 });
                    calls.push((ToolCallId(0), exchange, true));
                }
            }
        }
        self.state.round = Some(Round { number: reply.rounds + 1, calls });
        self.round_done();
    }

    /// A tool answered, or its time is over.
    pub(crate) fn tool_result(&mut self, call: ToolCallId, result: Result<Json, ToolFailure>) {
        let Some(index) = self.state.tools.iter().position(|tool| tool.call == call) else { return };
        let tool = self.state.tools.remove(index);
        self.state.timers.remove(&Timer::Tool(call));
        let program = Arc::clone(&self.prepared.program);
        let result = result.and_then(|json| self.check_result(&program, tool.result, json));
        let shown = match &result {
            Ok(json) => Ok(mask_result(&program, tool.result, json)),
            Err(failure) => Err(format!("{}: {}", failure.kind, failure.message)),
        };
        self.record(Record::ToolDone { tool: tool.name.clone(), result: shown.clone() });
        let seen = shown.unwrap_or_else(|error| json!({ "error": error }));
        match tool.used_by {
            ToolUse::Left => self.state.history.push(Said::Tools(vec![ToolExchange {
                id: format!("late_{}", call.0),
                name: tool.name,
                arguments: tool.arguments,
                result: seen,
            }])),
            ToolUse::Round => {
                let round = self.state.round.iter_mut().flat_map(|round| &mut round.calls);
                for (_, exchange, done) in round.filter(|(id, ..)| *id == call) {
                    exchange.result = seen.clone();
                    *done = true;
                }
                self.round_done();
            }
            ToolUse::Step { scope, bind, from, hook } => {
                let outcome = result
                    .map_err(|failure| {
                        Failure(format!("{}: {}, {}", tool.name, failure.kind, failure.message))
                    })
                    .and_then(|json| self.keep_result(scope, bind, from, tool.result, &json));
                self.go_on(Waits::Tool(call));
                if let Err(failure) = outcome
                    && !hook
                {
                    self.fail(&failure);
                }
            }
        }
    }

    /// A tool has had all its time.
    pub(crate) fn tool_timeout(&mut self, call: ToolCallId) {
        self.emit(Effect::CancelTool { call });
        let message = "no answer in time".to_owned();
        self.tool_result(call, Err(ToolFailure { kind: "timeout".into(), message }));
    }

    /// The node is left: what only reads is dropped, everything else runs on.
    pub(crate) fn leave_tools(&mut self) {
        self.state.round = None;
        let waited: Vec<ToolCallId> = self
            .state
            .activities
            .iter()
            .filter_map(|activity| match activity.waits {
                Waits::Tool(call) => Some(call),
                _ => None,
            })
            .collect();
        let tools = std::mem::take(&mut self.state.tools);
        for mut tool in tools {
            if waited.contains(&tool.call) {
                self.state.tools.push(tool);
            } else if tool.harmless {
                self.state.timers.remove(&Timer::Tool(tool.call));
                self.emit(Effect::CancelTool { call: tool.call });
            } else {
                tool.used_by = ToolUse::Left;
                self.state.tools.push(tool);
            }
        }
    }

    /// All tools of a round have answered: one more request carries what they said.
    fn round_done(&mut self) {
        let done = |round: &Round| round.calls.iter().all(|(_, _, done)| *done);
        if !self.state.round.as_ref().is_some_and(done) {
            return;
        }
        let Some(round) = self.state.round.take() else { return };
        let exchanges = round.calls.into_iter().map(|(_, exchange, _)| exchange).collect();
        self.state.history.push(Said::Tools(exchanges));
        // A turn that came meanwhile is answered with them.
        if self.state.waiting.is_none() {
            self.state.owes = crate::state::Owes::Words;
            self.request(Purpose::AfterTools, round.number, None);
        }
    }

    fn start_used(&mut self, name: &str, arguments: &Json) -> Result<ToolCallId, Failure> {
        let prepared = Arc::clone(&self.prepared);
        let tool = prepared.agent(self.state.agent).tools.get(name);
        let tool = tool.ok_or_else(|| Failure::new("there is no such tool"))?;
        let mut arguments = match arguments {
            Json::Object(arguments) => arguments.clone(),
            Json::Null => Map::new(),
            _ => return Err(Failure::new("the arguments are no object")),
        };
        let mut masked = arguments.clone();
        if let Some(declared) = declared(&prepared.program, tool) {
            self.check_arguments(&prepared.program, declared, &mut arguments, &mut masked)?;
        }
        self.fill_params(&prepared.program, tool, &mut arguments, &mut masked)?;
        self.start_tool(tool, arguments.into(), masked.into(), None, ToolUse::Round)
    }

    /// Arguments of a model, as the parameters want them. A private one is named by the model,
    /// which never saw it: `"[callback]"`.
    fn check_arguments(
        &self,
        program: &Program,
        tool: &Tool,
        arguments: &mut Map<String, Json>,
        masked: &mut Map<String, Json>,
    ) -> Result<(), Failure> {
        arguments.retain(|name, _| tool.params.iter().any(|param| param.name == *name));
        masked.retain(|name, _| tool.params.iter().any(|param| param.name == *name));
        for param in &tool.params {
            let Some(given) = arguments.get(&param.name).filter(|given| !given.is_null()) else {
                arguments.remove(&param.name);
                masked.remove(&param.name);
                if param.ty.optional || param.default.is_some() {
                    continue;
                }
                return Err(Failure(format!("`{}` is missing", param.name)));
            };
            let named = given.as_str().and_then(|text| self.named_private(text));
            let json = match named {
                Some(value) if param.ty.private => dgh_ir::to_json(&value),
                _ => given.clone(),
            };
            let locale = self.prepared.agent(self.state.agent).locale;
            let value = from_json(program, &param.ty, &json, locale)
                .map_err(|error| Failure(format!("`{}` takes {}", param.name, error.expected)))?;
            let json = dgh_ir::to_json(&value);
            let shown = mask_json(program, &param.ty, &param.name, &json);
            masked.insert(param.name.clone(), shown);
            arguments.insert(param.name.clone(), json);
        }
        Ok(())
    }

    /// The private value that stands behind `[name]` in the current dialogue.
    fn named_private(&self, text: &str) -> Option<dgh_ir::Value> {
        let name = text.trim().strip_prefix('[')?.strip_suffix(']')?;
        let scope = self.scope();
        let dialogue = self.prepared.program.dialogue(self.dialogue());
        let id = dialogue.slot(name)?;
        dialogue.slots.get(id).filter(|slot| slot.ty.private)?;
        self.state.slot(scope, id)?.value.clone()
    }

    /// Parameters with a default that were not given.
    fn fill_params(
        &self,
        program: &Program,
        tool: &ToolRef,
        arguments: &mut Map<String, Json>,
        masked: &mut Map<String, Json>,
    ) -> Result<(), Failure> {
        for param in declared(program, tool).map_or(&[][..], |tool| &tool.params) {
            if arguments.contains_key(&param.name) {
                continue;
            }
            let Some(default) = &param.default else { continue };
            // A default is constant: it sees no names.
            let value = dgh_ir::to_json(&dgh_ir::eval(program, default, &self.view(usize::MAX))?);
            masked.insert(param.name.clone(), mask_json(program, &param.ty, &param.name, &value));
            arguments.insert(param.name.clone(), value);
        }
        Ok(())
    }

    fn start_tool(
        &mut self,
        tool: &ToolRef,
        arguments: Json,
        masked: Json,
        timeout_ms: Option<u64>,
        used_by: ToolUse,
    ) -> Result<ToolCallId, Failure> {
        let program = Arc::clone(&self.prepared.program);
        let known = known(&program, tool).ok_or_else(|| Failure::new("there is no such tool"))?;
        self.state.counts.tools += 1;
        let call = ToolCallId(self.state.counts.tools);
        let key = (!known.reads_only).then(|| self.idempotency_key(&known.label, &arguments));
        self.record(Record::Tool { tool: known.label.clone(), arguments: masked.clone() });
        let total = timeout_ms.unwrap_or(known.total_ms).saturating_add(SLACK_MS);
        self.after(Timer::Tool(call), i64::try_from(total).unwrap_or(i64::MAX));
        self.state.tools.push(RunningTool {
            call,
            name: known.label,
            arguments: masked.clone(),
            result: known.result,
            used_by,
            harmless: known.reads_only,
        });
        self.emit(Effect::CallTool(Box::new(ToolRequest {
            call,
            tool: known.name,
            arguments,
            masked,
            idempotency_key: key,
            timeout_ms,
        })));
        Ok(call)
    }

    /// The same call, visit of a node, tool and arguments give the same key.
    fn idempotency_key(&self, tool: &str, arguments: &Json) -> String {
        let visit = self.top().map_or(0, |frame| frame.visit);
        let text = format!("{}\n{visit}\n{tool}\n{arguments}", self.state.start.call_id);
        let mut key = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            // Writing to a String cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        key
    }

    fn keep_result(
        &mut self,
        scope: usize,
        bind: Option<SlotId>,
        from: Vec<SlotId>,
        result: ToolResultOf,
        json: &Json,
    ) -> Result<(), Failure> {
        let Some(bind) = bind else { return Ok(()) };
        let program = Arc::clone(&self.prepared.program);
        let ty = result_type(&program, result)
            .cloned()
            .unwrap_or_else(|| dgh_ir::Type::of(dgh_ir::Kind::Json).optional());
        let locale = self.prepared.agent(self.state.agent).locale;
        let value = from_json(&program, &ty, json, locale)
            .map_err(|error| Failure(format!("the answer does not fit: expected {}", error.expected)))?;
        if let Some(slot) = self.state.slot_mut(scope, bind) {
            slot.from = from;
        }
        self.bind(scope, bind, value)
    }

    /// An answer of another type than the declared one is no answer, and nothing of it is shown.
    fn check_result(&self, program: &Program, result: ToolResultOf, json: Json) -> Result<Json, ToolFailure> {
        let Some(ty) = result_type(program, result) else { return Ok(json) };
        match from_json(program, ty, &json, self.locale()) {
            Ok(value) => Ok(dgh_ir::to_json(&value)),
            Err(error) => Err(ToolFailure {
                kind: "bad_answer".into(),
                message: format!("it is not {}", error.expected),
            }),
        }
    }
}

/// What a tool of the program is declared to answer.
fn result_type(program: &Program, result: ToolResultOf) -> Option<&dgh_ir::Type> {
    match result {
        ToolResultOf::Tool(id) => program.tools.get(id)?.result.as_ref(),
        ToolResultOf::Any => None,
    }
}

fn mask_result(program: &Program, result: ToolResultOf, json: &Json) -> Json {
    let name = match result {
        ToolResultOf::Tool(id) => program.tools.get(id).map_or("", |tool| &tool.name),
        ToolResultOf::Any => "",
    };
    result_type(program, result).map_or_else(|| json.clone(), |ty| mask_json(program, ty, name, json))
}

/// The declaration of a tool, if it is one of the program.
fn declared<'p>(program: &'p Program, tool: &ToolRef) -> Option<&'p Tool> {
    match tool {
        ToolRef::Tool(id) => program.tools.get(*id),
        _ => None,
    }
}

fn known(program: &Program, tool: &ToolRef) -> Option<Known> {
    match tool {
        ToolRef::Tool(id) => {
            let tool = program.tools.get(*id)?;
            let reads_only = match &tool.action {
                ToolAction::Http(request) => request.method == Method::Get,
                ToolAction::Builtin(_) => true,
                ToolAction::Hole => return None,
            };
            Some(Known {
                name: ToolName::Tool(tool.name.clone()),
                label: tool.name.clone(),
                reads_only,
                result: ToolResultOf::Tool(*id),
                total_ms: tool.timeout_ms.saturating_mul(u64::from(tool.retries) + 1),
            })
        }
        ToolRef::Mcp(server, Some(name)) => {
            let mcp = program.mcps.get(*server)?;
            Some(Known {
                name: ToolName::Mcp(mcp.name.clone(), name.clone()),
                label: format!("{}.{name}", mcp.name),
                reads_only: mcp_reads_only(program, *server, name),
                result: ToolResultOf::Any,
                total_ms: mcp.timeout_ms,
            })
        }
        ToolRef::Knowledge(id) => {
            let knowledge = program.knowledge.get(*id)?;
            Some(Known {
                name: ToolName::Knowledge(program.knowledge_key(*id)?),
                label: knowledge.name.clone(),
                reads_only: true,
                result: ToolResultOf::Any,
                total_ms: dgh_ir::TOOL_TIMEOUT_MS,
            })
        }
        ToolRef::Mcp(_, None) | ToolRef::Hole => None,
    }
}

fn mcp_reads_only(program: &Program, server: McpId, name: &str) -> bool {
    let tools = program.mcps.get(server).and_then(|mcp| mcp.tools.as_ref());
    let tool = tools.and_then(|tools| tools.iter().find(|tool| tool.name == name));
    tool.is_some_and(|tool| tool.read_only)
}
