//! Chat completions of OpenAI, streamed, and of everybody who speaks like them: Groq, OpenRouter,
//! Ollama, vLLM, llama.cpp. <https://platform.openai.com/docs/api-reference/chat-streaming>
//!
//! The servers differ in small things, which are read generously: calls without an index or an id,
//! arguments as an object, no `[DONE]`, usage in odd places, thinking within the text.

use std::collections::VecDeque;
use std::sync::Arc;

use dgh_engine::event::Usage;
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_net::header::AUTHORIZATION;
use dgh_net::{Client, Secrets};
use futures::stream::BoxStream;
use serde_json::{Map, Value as Json, json};

use crate::llm::{Delta, Llm, LlmError, LlmErrorKind};
use crate::prompt::{Called, Prompt, Turn};
use crate::settings::Settings;
use crate::sse::Frame;
use crate::think::Thoughts;
use crate::wire::{self, Endpoint, Protocol, at};

/// A model behind an API of this kind.
pub struct OpenAi {
    endpoint: Endpoint,
    /// `model`, `temperature`, …: what every request repeats.
    fixed: Map<String, Json>,
}

impl OpenAi {
    /// Settings: `model`, `url`, and perhaps `temperature`, `top_p`, `max_tokens`, `reasoning`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, LlmError> {
        let settings = Settings::of(model);
        let url = settings.url(&["chat", "completions"])?;
        let mut fixed = Map::new();
        fixed.insert("model".into(), settings.required("model")?.into());
        let numbers = [
            ("temperature", settings.number("temperature", 0.0, 2.0)?),
            ("top_p", settings.number("top_p", 0.0, 1.0)?),
        ];
        fixed.extend(numbers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        if let Some(most) = settings.whole("max_tokens", 1, 1_000_000)? {
            // OpenAI's own models refuse the old name, many other servers do not know the new one.
            let own = url.host_str().is_some_and(|h| h == "api.openai.com" || h.ends_with(".api.openai.com"));
            fixed.insert(if own { "max_completion_tokens" } else { "max_tokens" }.into(), most.into());
        }
        if let Some(effort) = settings.text("reasoning")? {
            fixed.insert("reasoning_effort".into(), effort.into());
        }
        let key = settings.key(secrets)?.map(|key| (AUTHORIZATION, "Bearer ", key));
        let endpoint = Endpoint { provider: model.provider.clone(), client, url, headers: Vec::new(), key };
        Ok(Self { endpoint, fixed })
    }

    fn body(&self, request: &ReplyRequest) -> Json {
        let mut body = self.fixed.clone();
        body.insert("messages".into(), messages(Prompt::of(request)));
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({ "include_usage": true }));
        if !request.functions.is_empty() {
            let tools = request.functions.iter().map(|f| {
                json!({ "type": "function", "function": { "name": f.name, "description": f.description, "parameters": f.parameters } })
            });
            body.insert("tools".into(), tools.collect());
            body.insert("tool_choice".into(), if request.may_call { "auto" } else { "none" }.into());
        }
        Json::Object(body)
    }
}

impl Llm for OpenAi {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        self.endpoint.ask(&self.body(&request), Reader::default())
    }
}

fn messages(prompt: Prompt) -> Json {
    let mut messages = Vec::new();
    if !prompt.system.is_empty() {
        messages.push(json!({ "role": "system", "content": prompt.system }));
    }
    for turn in prompt.turns {
        match turn {
            Turn::User(parts) => messages.push(json!({ "role": "user", "content": parts.join("\n\n") })),
            Turn::Assistant(text) => messages.push(json!({ "role": "assistant", "content": text })),
            Turn::Tools(called) => {
                let calls: Vec<_> = called.iter().map(call).collect();
                messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls }));
                messages.extend(
                    called.iter().map(
                        |c| json!({ "role": "tool", "tool_call_id": c.id, "content": text_of(&c.result) }),
                    ),
                );
            }
        }
    }
    Json::Array(messages)
}

fn call(called: &Called) -> Json {
    json!({
        "id": called.id,
        "type": "function",
        "function": { "name": called.name, "arguments": called.arguments.to_string() },
    })
}

fn text_of(result: &Json) -> String {
    match result {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads one answer.
#[derive(Default)]
struct Reader {
    thoughts: Thoughts,
    calls: Vec<PartialCall>,
    usage: Option<Usage>,
    finished: bool,
    done: bool,
}

#[derive(Default)]
struct PartialCall {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    sent: bool,
}

impl Protocol for Reader {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if frame.data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        if frame.data.trim().is_empty() {
            return Ok(());
        }
        let chunk = wire::json(frame)?;
        if let Some(error) = chunk.get("error").filter(|e| !e.is_null()) {
            return Err(wire::streamed_error(error));
        }
        let usage = [at(&chunk, "/usage"), at(&chunk, "/x_groq/usage")].into_iter().find(|u| u.is_object());
        if let Some(usage) = usage {
            let usage = read_usage(usage);
            self.usage = Some(usage);
            out.push_back(Delta::Usage(usage));
        }
        let choice = at(&chunk, "/choices/0");
        self.delta(at(choice, "/delta"), out)?;
        match at(choice, "/finish_reason").as_str() {
            None => {}
            Some("content_filter") => {
                return Err(LlmError::new(LlmErrorKind::Blocked, "the provider's filter stopped the answer"));
            }
            Some("error") => {
                return Err(LlmError::new(LlmErrorKind::Unavailable, "the model failed in its answer"));
            }
            Some(_) => {
                self.finished = true;
                out.extend(self.thoughts.finish().map(Delta::Text));
                self.send_calls(self.calls.len(), out)?;
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.done
    }

    fn end(&mut self, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if !self.finished && !self.done {
            return Err(wire::cut_off());
        }
        out.extend(self.thoughts.finish().map(Delta::Text));
        self.send_calls(self.calls.len(), out)
    }
}

impl Reader {
    fn delta(&mut self, delta: &Json, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        for field in ["content", "refusal"] {
            if let Some(text) = delta.get(field).and_then(Json::as_str).filter(|t| !t.is_empty()) {
                out.extend(self.thoughts.push(text).map(Delta::Text));
            }
        }
        for piece in at(delta, "/tool_calls").as_array().into_iter().flatten() {
            self.call_piece(piece);
        }
        // A call is complete when the next one begins. A `go` should not wait so long: an object
        // that reads as a whole cannot get any longer.
        let complete = self.calls.len().saturating_sub(1);
        self.send_calls(complete, out)?;
        let last =
            self.calls.last_mut().filter(|c| !c.sent && !c.name.is_empty() && c.arguments.ends_with('}'));
        if let Some(last) = last
            && let Ok(Json::Object(arguments)) = serde_json::from_str(&last.arguments)
            && !arguments.is_empty()
        {
            last.send(complete, Json::Object(arguments), out);
        }
        Ok(())
    }

    fn call_piece(&mut self, piece: &Json) {
        let index = at(piece, "/index").as_u64();
        let id = at(piece, "/id").as_str().filter(|id| !id.is_empty());
        let function = at(piece, "/function");
        let name = at(function, "/name").as_str().filter(|name| !name.is_empty());
        let known = match index {
            Some(_) => self.calls.iter_mut().rev().find(|c| c.index == index),
            // Without an index a new name begins a new call.
            None if name.is_some() => None,
            None => self.calls.last_mut(),
        };
        // Some servers number every call 0 and tell them apart by id.
        let known = known.filter(|c| id.is_none_or(|id| c.id.is_empty() || c.id == id));
        let call = if let Some(call) = known {
            call
        } else {
            self.calls.push(PartialCall { index, ..PartialCall::default() });
            let Some(call) = self.calls.last_mut() else { return };
            call
        };
        if let Some(id) = id {
            id.clone_into(&mut call.id);
        }
        if let Some(name) = name.filter(|_| call.name.is_empty()) {
            name.clone_into(&mut call.name);
        }
        match at(function, "/arguments") {
            Json::String(text) => call.arguments.push_str(text),
            object @ Json::Object(_) => call.arguments = object.to_string(),
            _ => {}
        }
    }

    fn send_calls(&mut self, count: usize, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        for (index, call) in self.calls.iter_mut().enumerate().take(count).filter(|(_, c)| !c.sent) {
            if call.name.is_empty() {
                return Err(LlmError::new(LlmErrorKind::BadAnswer, "a function call has no name"));
            }
            let arguments = wire::arguments(&call.name, &call.arguments)?;
            call.send(index, arguments, out);
        }
        Ok(())
    }
}

impl PartialCall {
    fn send(&mut self, index: usize, arguments: Json, out: &mut VecDeque<Delta>) {
        self.sent = true;
        let id = if self.id.is_empty() { format!("call_{index}") } else { self.id.clone() };
        out.push_back(Delta::Call { id, name: self.name.clone(), arguments });
    }
}

fn read_usage(usage: &Json) -> Usage {
    let tokens = |value: &Json| value.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Usage {
        input_tokens: tokens(at(usage, "/prompt_tokens")),
        cached_tokens: tokens(at(usage, "/prompt_tokens_details/cached_tokens")),
        output_tokens: tokens(at(usage, "/completion_tokens")),
        // OpenRouter tells the price, in dollars.
        micro_usd: at(usage, "/cost").as_f64().filter(|c| *c >= 0.0).map_or(0, micro),
    }
}

#[allow(clippy::cast_sign_loss, reason = "only called for amounts from 0; `as` saturates")]
fn micro(dollars: f64) -> u64 {
    (dollars * 1_000_000.0).round() as u64
}

#[cfg(test)]
mod tests;
