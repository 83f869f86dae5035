//! Gemini, streamed. <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>

use std::collections::VecDeque;
use std::sync::Arc;

use dgh_engine::event::Usage;
use dgh_engine::reply::{Model, ReplyRequest};
use dgh_net::header::HeaderName;
use dgh_net::{Client, Secrets};
use futures::stream::BoxStream;
use serde_json::{Map, Value as Json, json};

use crate::llm::{Delta, Llm, LlmError, LlmErrorKind};
use crate::prompt::{Called, Prompt, Turn};
use crate::settings::Settings;
use crate::sse::Frame;
use crate::wire::{self, Endpoint, Protocol, at};

/// Since Gemini 3 a call in the history needs the signature that came with it. It is not kept (the
/// call may have been another provider's); the API takes this word for one.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// A model behind this API.
pub struct Google {
    endpoint: Endpoint,
    generation: Map<String, Json>,
    signs: bool,
}

impl Google {
    /// Settings: `model`, `url`, and perhaps `temperature`, `max_tokens`, `thinking`.
    pub fn new(model: &Model, client: Client, secrets: &dyn Secrets) -> Result<Self, LlmError> {
        let settings = Settings::of(model);
        let name = settings.required("model")?;
        let mut generation = Map::new();
        if let Some(temperature) = settings.number("temperature", 0.0, 2.0)? {
            generation.insert("temperature".into(), temperature);
        }
        if let Some(most) = settings.whole("max_tokens", 1, 1_000_000)? {
            generation.insert("maxOutputTokens".into(), most.into());
        }
        if let Some(budget) = settings.whole("thinking", 0, 1_000_000)? {
            generation.insert("thinkingConfig".into(), json!({ "thinkingBudget": budget }));
        }
        let mut url = settings
            .url(&["models", &format!("{}:streamGenerateContent", name.trim_start_matches("models/"))])?;
        url.query_pairs_mut().append_pair("alt", "sse");
        let key = settings.key(secrets)?.map(|key| (HeaderName::from_static("x-goog-api-key"), "", key));
        let signs = name.trim_start_matches("models/").starts_with("gemini-3");
        let endpoint = Endpoint { provider: model.provider.clone(), client, url, headers: Vec::new(), key };
        Ok(Self { endpoint, generation, signs })
    }

    fn body(&self, request: &ReplyRequest) -> Json {
        let prompt = Prompt::of(request);
        let mut body = Map::new();
        if !prompt.system.is_empty() {
            body.insert("systemInstruction".into(), json!({ "parts": [{ "text": prompt.system }] }));
        }
        body.insert("contents".into(), self.contents(prompt.turns));
        if !request.functions.is_empty() {
            let declared = request.functions.iter().map(|f| {
                json!({ "name": f.name, "description": f.description, "parametersJsonSchema": f.parameters })
            });
            body.insert("tools".into(), json!([{ "functionDeclarations": declared.collect::<Vec<_>>() }]));
            let mode = if request.may_call { "AUTO" } else { "NONE" };
            body.insert("toolConfig".into(), json!({ "functionCallingConfig": { "mode": mode } }));
        }
        if !self.generation.is_empty() {
            body.insert("generationConfig".into(), Json::Object(self.generation.clone()));
        }
        Json::Object(body)
    }

    fn contents(&self, turns: Vec<Turn>) -> Json {
        let mut contents = Vec::new();
        for turn in turns {
            match turn {
                Turn::User(parts) => {
                    let parts: Vec<_> = parts.iter().map(|p| json!({ "text": p })).collect();
                    contents.push(json!({ "role": "user", "parts": parts }));
                }
                Turn::Assistant(text) => {
                    contents.push(json!({ "role": "model", "parts": [{ "text": text }] }));
                }
                Turn::Tools(called) => {
                    let calls: Vec<_> =
                        called.iter().enumerate().map(|(i, c)| self.call(c, i == 0)).collect();
                    let results: Vec<_> = called.iter().map(result).collect();
                    contents.push(json!({ "role": "model", "parts": calls }));
                    // A turn of results holds nothing else; the card follows as a turn of its own.
                    contents.push(json!({ "role": "user", "parts": results }));
                }
            }
        }
        Json::Array(contents)
    }

    fn call(&self, called: &Called, first: bool) -> Json {
        let mut part = Map::new();
        part.insert("functionCall".into(), json!({ "name": called.name, "args": called.arguments }));
        // Of calls made at once only the first one is signed.
        if self.signs && first {
            part.insert("thoughtSignature".into(), NO_SIGNATURE.into());
        }
        Json::Object(part)
    }
}

impl Llm for Google {
    fn stream(&self, request: Arc<ReplyRequest>) -> BoxStream<'static, Result<Delta, LlmError>> {
        self.endpoint.ask(&self.body(&request), Reader::default())
    }
}

fn result(called: &Called) -> Json {
    let response = match &called.result {
        object @ Json::Object(_) => object.clone(),
        other => json!({ "result": other }),
    };
    json!({ "functionResponse": { "name": called.name, "response": response } })
}

/// Reads one answer.
#[derive(Default)]
struct Reader {
    calls: u32,
    finished: bool,
}

impl Protocol for Reader {
    fn frame(&mut self, frame: &Frame, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if frame.data.trim().is_empty() {
            return Ok(());
        }
        let chunk = wire::json(frame)?;
        if let Some(error) = chunk.get("error").filter(|e| !e.is_null()) {
            return Err(wire::streamed_error(error));
        }
        let used = at(&chunk, "/usageMetadata");
        if used.is_object() {
            out.push_back(Delta::Usage(read_usage(used)));
        }
        if let Some(reason) = at(&chunk, "/promptFeedback/blockReason").as_str() {
            return Err(LlmError::new(
                LlmErrorKind::Blocked,
                format!("the provider refuses the request: {reason}"),
            ));
        }
        let candidate = at(&chunk, "/candidates/0");
        for part in at(candidate, "/content/parts").as_array().into_iter().flatten() {
            self.part(part, out)?;
        }
        match at(candidate, "/finishReason").as_str() {
            None | Some("FINISH_REASON_UNSPECIFIED") => {}
            Some("STOP" | "MAX_TOKENS") => self.finished = true,
            Some(reason @ ("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL")) => {
                return Err(LlmError::new(
                    LlmErrorKind::BadAnswer,
                    format!("the model failed to call a function: {reason}"),
                ));
            }
            Some(reason @ ("OTHER" | "LANGUAGE")) => {
                return Err(LlmError::new(LlmErrorKind::Unavailable, format!("the model stopped: {reason}")));
            }
            Some(reason) => {
                return Err(LlmError::new(
                    LlmErrorKind::Blocked,
                    format!("the provider stopped the answer: {reason}"),
                ));
            }
        }
        Ok(())
    }

    /// Usage may follow the last words, and nothing tells the last event: the stream just ends.
    fn is_over(&self) -> bool {
        false
    }

    fn end(&mut self, _: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if self.finished { Ok(()) } else { Err(wire::cut_off()) }
    }
}

impl Reader {
    fn part(&mut self, part: &Json, out: &mut VecDeque<Delta>) -> Result<(), LlmError> {
        if at(part, "/thought") == true {
            return Ok(());
        }
        if let Some(text) = at(part, "/text").as_str().filter(|t| !t.is_empty()) {
            out.push_back(Delta::Text(text.to_owned()));
        }
        let call = at(part, "/functionCall");
        if call.is_object() {
            let name = at(call, "/name").as_str().filter(|n| !n.is_empty());
            let name =
                name.ok_or_else(|| LlmError::new(LlmErrorKind::BadAnswer, "a function call has no name"))?;
            let arguments = match at(call, "/args") {
                Json::Null => Json::Object(Map::new()),
                object @ Json::Object(_) => object.clone(),
                _ => {
                    return Err(LlmError::new(
                        LlmErrorKind::BadAnswer,
                        format!("the arguments of `{name}` are not an object"),
                    ));
                }
            };
            let id = at(call, "/id").as_str().filter(|id| !id.is_empty());
            let id = id.map_or_else(|| format!("call_{}", self.calls), str::to_owned);
            self.calls += 1;
            out.push_back(Delta::Call { id, name: name.to_owned(), arguments });
        }
        Ok(())
    }
}

fn read_usage(usage: &Json) -> Usage {
    let tokens =
        |name: &str| usage.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Usage {
        input_tokens: tokens("promptTokenCount"),
        cached_tokens: tokens("cachedContentTokenCount"),
        output_tokens: tokens("candidatesTokenCount").saturating_add(tokens("thoughtsTokenCount")),
        micro_usd: 0,
    }
}

#[cfg(test)]
mod tests;
