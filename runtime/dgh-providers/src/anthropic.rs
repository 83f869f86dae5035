//! The messages API of Anthropic, streamed. <https://docs.anthropic.com/en/api/messages-streaming>
//!
//! What stays the same from reply to reply is marked for the provider's cache: functions and
//! persona, and the history up to the card.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dgh_engine::event::Usage;
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_net::header::{HeaderName, HeaderValue};
use dgh_net::{Client, Secrets};
use futures::stream::BoxStream;
use serde_json::{Map, Value as Json, json};

use crate::llm::{Delta, Llm, LlmError, LlmErrorKind};
use crate::prompt::{Prompt, Turn};
use crate::settings::Settings;
use crate::sse::Frame;
use crate::wire::{self, Endpoint, Protocol, at};

/// Version of the API.
const VERSION: &str = "2023-06-01";
/// Tokens of an answer when the agent does not say: the API wants a number.
const MAX_TOKENS: u32 = 1_024;

/// A model behind this API.
pub struct Anthropic {
    endpoint: Endpoint,
    fixed: Map<String, Json>,
}

impl Anthropic {
    /// Settings: `model`, `url`, and perhaps `temperature`, `max_tokens`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, LlmError> {
        let settings = Settings::of(model);
        let mut fixed = Map::new();
        fixed.insert("model".into(), settings.required("model")?.into());
        fixed.insert(
            "max_tokens".into(),
            settings.whole("max_tokens", 1, 1_000_000)?.unwrap_or(MAX_TOKENS).into(),
        );
        if let Some(temperature) = settings.number("temperature", 0.0, 1.0)? {
            fixed.insert("temperature".into(), temperature);
        }
        let endpoint = Endpoint {
            provider: model.provider.clone(),
            client,
            url: settings.url(&["messages"])?,
            headers: vec![(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(VERSION))],
            key: settings.key(secrets)?.map(|key| (HeaderName::from_static("x-api-key"), "", key)),
        };
        Ok(Self { endpoint, fixed })
    }

    fn body(&self, request: &ReplyRequest) -> Json {
        let prompt = Prompt::of(request);
        let mut body = self.fixed.clone();
        body.insert("stream".into(), true.into());
        let mut tools: Vec<_> = request
            .functions
            .iter()
            .map(|f| json!({ "name": f.name, "description": f.description, "input_schema": f.parameters }))
            .collect();
        // Functions stand before the persona in the cached prefix, so one mark covers both.
        if prompt.system.is_empty() {
            if let Some(last) = tools.last_mut() {
                cached(last);
            }
        } else {
            let mut system = json!({ "type": "text", "text": prompt.system });
            cached(&mut system);
            body.insert("system".into(), json!([system]));
        }
        if !tools.is_empty() {
            body.insert("tools".into(), Json::Array(tools));
            body.insert(
                "tool_choice".into(),
                json!({ "type": if request.may_call { "auto" } else { "none" } }),
            );
        }
        body.insert("messages".into(), messages(prompt.turns));
        Json::Object(body)
    }
}

impl Llm for Anthropic {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        self.endpoint.ask(&self.body(&request), Reader::default())
    }
}

fn cached(block: &mut Json) {
    if let Json::Object(block) = block {
        block.insert("cache_control".into(), json!({ "type": "ephemeral" }));
    }
}

fn messages(turns: Vec<Turn>) -> Json {
    let mut messages: Vec<(&str, Vec<Json>)> = Vec::new();
    let mut add = |role: &'static str, blocks: Vec<Json>| match messages.last_mut() {
        // The results of tools and the card behind them are one message of the user.
        Some((last, known)) if *last == role => known.extend(blocks),
        _ => messages.push((role, blocks)),
    };
    for turn in turns {
        match turn {
            Turn::User(parts) => {
                add("user", parts.iter().map(|p| json!({ "type": "text", "text": p })).collect());
            }
            Turn::Assistant(text) => add("assistant", vec![json!({ "type": "text", "text": text })]),
            Turn::Tools(called) => {
                add("assistant", called.iter().map(|c| json!({ "type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments })).collect());
                let result = |c: &crate::prompt::Called| {
                    let content = c.result.as_str().map_or_else(|| c.result.to_string(), str::to_owned);
                    json!({ "type": "tool_result", "tool_use_id": c.id, "content": content })
                };
                add("user", called.iter().map(result).collect());
            }
        }
    }
    mark_history(&mut messages);
    messages.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect()
}

/// The card is the last block and changes; all before it is the same next time.
fn mark_history(messages: &mut [(&str, Vec<Json>)]) {
    let Some(((_, last), before)) = messages.split_last_mut() else { return };
    let stable = match last.as_mut_slice() {
        [.., stable, _card] => Some(stable),
        _ => before.last_mut().and_then(|(_, blocks)| blocks.last_mut()),
    };
    if let Some(block) = stable {
        cached(block);
    }
}

/// Reads one answer.
#[derive(Default)]
struct Reader {
    calls: BTreeMap<u64, PartialCall>,
    usage: Usage,
    stopped: bool,
}

struct PartialCall {
    id: String,
    name: String,
    arguments: String,
}

impl Protocol for Reader {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if frame.data.trim().is_empty() {
            return Ok(());
        }
        let event = wire::json(frame)?;
        let index = at(&event, "/index").as_u64().unwrap_or(0);
        match at(&event, "/type").as_str().unwrap_or_default() {
            "message_start" => self.read_usage(at(&event, "/message/usage"), out),
            "content_block_start" => {
                let block = at(&event, "/content_block");
                match at(block, "/type").as_str() {
                    Some("tool_use") => self.begin_call(index, block)?,
                    Some("text") => speak(at(block, "/text"), out),
                    _ => {}
                }
            }
            "content_block_delta" => {
                let delta = at(&event, "/delta");
                match at(delta, "/type").as_str() {
                    Some("text_delta") => speak(at(delta, "/text"), out),
                    Some("input_json_delta") => {
                        if let (Some(call), Some(piece)) =
                            (self.calls.get_mut(&index), at(delta, "/partial_json").as_str())
                        {
                            call.arguments.push_str(piece);
                        }
                    }
                    // Thinking and signatures are not spoken.
                    _ => {}
                }
            }
            "content_block_stop" => {
                if let Some(call) = self.calls.remove(&index) {
                    let arguments = wire::arguments(&call.name, &call.arguments)?;
                    out.push_back(Delta::Call { id: call.id, name: call.name, arguments });
                }
            }
            "message_delta" => {
                self.read_usage(at(&event, "/usage"), out);
                if at(&event, "/delta/stop_reason") == "refusal" {
                    return Err(LlmError::new(LlmErrorKind::Blocked, "the provider stopped the answer"));
                }
            }
            "message_stop" => self.stopped = true,
            "error" => return Err(wire::streamed_error(at(&event, "/error"))),
            // Pings, and what later versions add.
            _ => {}
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.stopped
    }

    fn end(&mut self, _: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if self.stopped && self.calls.is_empty() { Ok(()) } else { Err(wire::cut_off()) }
    }
}

impl Reader {
    fn begin_call(&mut self, index: u64, block: &Json) -> Result<(), LlmError> {
        let name = at(block, "/name").as_str().filter(|n| !n.is_empty());
        let name = name
            .ok_or_else(|| LlmError::new(LlmErrorKind::BadAnswer, "a function call has no name"))?
            .to_owned();
        let id = at(block, "/id").as_str().map_or_else(|| format!("call_{index}"), str::to_owned);
        // Arguments come in pieces; a server that sends them at once puts them here.
        let whole = at(block, "/input").as_object().filter(|o| !o.is_empty());
        let arguments = whole.map_or_else(String::new, |_| at(block, "/input").to_string());
        self.calls.insert(index, PartialCall { id, name, arguments });
        Ok(())
    }

    fn read_usage(&mut self, usage: &Json, out: &mut VecDeque<Delta>) {
        let tokens = |name: &str| usage.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok());
        let cached = tokens("cache_read_input_tokens");
        if let Some(fresh) = tokens("input_tokens") {
            // Unlike others, the API counts what came from the cache apart.
            let written = tokens("cache_creation_input_tokens").unwrap_or(0);
            self.usage.input_tokens = fresh.saturating_add(cached.unwrap_or(0)).saturating_add(written);
            self.usage.cached_tokens = cached.unwrap_or(0);
        }
        if let Some(written) = tokens("output_tokens") {
            self.usage.output_tokens = written;
        }
        out.push_back(Delta::Usage(self.usage));
    }
}

fn speak(text: &Json, out: &mut VecDeque<Delta>) {
    if let Some(text) = text.as_str().filter(|t| !t.is_empty()) {
        out.push_back(Delta::Text(text.to_owned()));
    }
}

#[cfg(test)]
mod tests;
