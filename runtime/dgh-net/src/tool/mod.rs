//! Tools: what an agent does during a call. [`Tools::start`] is the one way to run one, whatever
//! it is: a request, a tool of an MCP server, or one that is built in.

mod answer;
pub(crate) mod auth;
pub(crate) mod request;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dgh_ir::{
    Builtin, Locale, McpServer, McpTool, Method, Probe, Program, Scope, SlotId, Tool, ToolAction, Type,
    Value, eval, from_json,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value as Json;

use crate::builtin;
use crate::client::Client;
use crate::error::{NetError, NetErrorKind};
use crate::mcp::Servers;
use crate::retry::{self, Pause};
use crate::secrets::Secrets;

pub use answer::MAX_RESULT_BYTES;
pub use request::Prepared;

/// Runs tools. One for each profile; keeps tokens and MCP sessions from call to call.
#[derive(Clone)]
pub struct Tools {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    secrets: Arc<dyn Secrets>,
    tokens: auth::Tokens,
    servers: Servers,
    pause: Pause,
}

/// One use of a tool.
pub struct Call<'a> {
    /// The program that declares it.
    pub program: &'a Program,
    /// What is called.
    pub what: What<'a>,
    /// Arguments by parameter name, as JSON of the declared types.
    pub arguments: &'a Json,
    /// `env`, `now`, `call.id` and the like; its slots are not looked at.
    pub facts: &'a dyn Scope,
    /// Zone and country in which the answer is read.
    pub locale: Locale,
    /// The time.
    pub now: DateTime<Utc>,
    /// Sent with every request but a GET, so that a repetition does no harm.
    pub idempotency_key: Option<&'a str>,
    /// Time for everything, retries too; none: as the tool says for each attempt.
    pub timeout: Option<Duration>,
}

/// What is called.
#[derive(Clone, Copy)]
pub enum What<'a> {
    /// A tool of the program.
    Tool(&'a Tool),
    /// A tool of an MCP server, by its name there.
    Mcp(&'a McpServer, &'a str),
}

impl Tools {
    /// Tools that ask through this client, with secrets from here.
    pub fn new(client: Client, secrets: Arc<dyn Secrets>) -> Self {
        Self::with_pause(client, secrets, retry::sleep())
    }

    /// The same, with pauses of another making.
    pub fn with_pause(client: Client, secrets: Arc<dyn Secrets>, pause: Pause) -> Self {
        let servers = Servers::new(client.clone());
        Self { inner: Arc::new(Inner { client, secrets, tokens: auth::Tokens::default(), servers, pause }) }
    }

    /// Runs a tool. Everything of the program is read before this returns; the rest is up to the
    /// future. Dropping it drops the request.
    ///
    /// The answer is JSON of the declared type; null for a tool that declares none.
    pub fn start(&self, call: Call<'_>) -> BoxFuture<'static, Result<Json, NetError>> {
        let work = match call.what {
            What::Tool(tool) => self.tool(tool, &call),
            What::Mcp(server, name) => self.mcp(server, name, &call),
        };
        let Some(limit) = call.timeout else { return work };
        async move {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                Err(NetError::new(
                    NetErrorKind::Timeout,
                    format!("no answer within {} ms", limit.as_millis()),
                ))
            })
        }
        .boxed()
    }

    /// Closes the sessions of MCP servers and ends the ones that were started.
    pub async fn close(&self) {
        self.inner.servers.close().await;
    }

    fn tool(&self, tool: &Tool, call: &Call<'_>) -> BoxFuture<'static, Result<Json, NetError>> {
        let values = match arguments(call, tool) {
            Ok(values) => values,
            Err(error) => return ready(Err(error)),
        };
        match &tool.action {
            ToolAction::Http(http) => {
                let scope = ToolScope { tool, values: &values, facts: call.facts };
                let prepared = Prepared::new(call.program, http, &scope, self.inner.secrets.as_ref());
                let reader = answer::Reader::new(
                    call.program,
                    tool.result.as_ref(),
                    http.result.as_deref(),
                    call.locale,
                );
                match (prepared, reader) {
                    (Ok(prepared), Ok(reader)) => self.http(tool, prepared, reader, call),
                    (Err(error), _) | (_, Err(error)) => ready(Err(error)),
                }
            }
            ToolAction::Builtin(name) => {
                let result = builtin::run(name, &named(tool, values), call.now);
                ready(
                    result.and_then(|json| {
                        answer::check(call.program, tool.result.as_ref(), &json, call.locale)
                    }),
                )
            }
            ToolAction::Hole => ready(Err(refused(format!("`{}` did not compile", tool.name)))),
        }
    }

    fn http(
        &self,
        tool: &Tool,
        mut prepared: Prepared,
        reader: answer::Reader,
        call: &Call<'_>,
    ) -> BoxFuture<'static, Result<Json, NetError>> {
        let reads_only = prepared.method == Method::Get;
        if let Some(key) = call.idempotency_key.filter(|_| !reads_only) {
            prepared.idempotency_key(key);
        }
        let attempts = if reads_only || tool.idempotent { tool.retries.saturating_add(1) } else { 1 };
        let timeout = Duration::from_millis(tool.timeout_ms);
        let inner = Arc::clone(&self.inner);
        async move {
            let mut attempt = 1;
            loop {
                let error = match inner.attempt(&prepared, timeout).await.and_then(|body| reader.read(&body))
                {
                    Ok(json) => return Ok(json),
                    Err(error) => error,
                };
                let pause = retry::delay(attempt, error.retry_after)
                    .filter(|_| error.is_transient() && attempt < attempts);
                let Some(pause) = pause else { return Err(error) };
                (inner.pause)(pause).await;
                attempt += 1;
            }
        }
        .boxed()
    }

    fn mcp(
        &self,
        server: &McpServer,
        name: &str,
        call: &Call<'_>,
    ) -> BoxFuture<'static, Result<Json, NetError>> {
        if server.allow.as_ref().is_some_and(|allowed| !allowed.iter().any(|a| a == name)) {
            return ready(Err(refused(format!("`{}` does not allow `{name}`", server.name))));
        }
        let Json::Object(arguments) = call.arguments.clone() else {
            return ready(Err(refused(format!("the arguments of `{name}` are not an object"))));
        };
        let endpoint =
            match crate::mcp::Endpoint::new(call.program, server, call.facts, self.inner.secrets.as_ref()) {
                Ok(endpoint) => endpoint,
                Err(error) => return ready(Err(error)),
            };
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        async move {
            let endpoint = inner.authorised(endpoint).await?;
            inner.servers.call(&endpoint, &name, arguments).await
        }
        .boxed()
    }

    /// All tools of an MCP server: what `dgh lock` pins.
    pub fn list(
        &self,
        program: &Program,
        server: &McpServer,
        facts: &dyn Scope,
    ) -> BoxFuture<'static, Result<Vec<McpTool>, NetError>> {
        let endpoint = crate::mcp::Endpoint::new(program, server, facts, self.inner.secrets.as_ref());
        let inner = Arc::clone(&self.inner);
        async move {
            let endpoint = inner.authorised(endpoint?).await?;
            inner.servers.list(&endpoint).await
        }
        .boxed()
    }
}

impl Inner {
    /// Asks once. With a token that is no longer good, twice: with a fresh one.
    async fn attempt(&self, prepared: &Prepared, timeout: Duration) -> Result<bytes::Bytes, NetError> {
        let attempt = async {
            let Some(grant) = &prepared.grant else {
                return self.client.send(prepared.request(timeout, None)?).await?.success();
            };
            let token = self.tokens.get(&self.client, grant, timeout).await?;
            let answer = self.client.send(prepared.request(timeout, Some(&token))?).await?;
            if answer.status != 401 {
                return answer.success();
            }
            self.tokens.forget(grant, &token).await;
            let token = self.tokens.get(&self.client, grant, timeout).await?;
            self.client.send(prepared.request(timeout, Some(&token))?).await?.success()
        };
        // Every request has this limit of its own; together they have it once.
        let answer = tokio::time::timeout(timeout, attempt).await;
        let late = || {
            NetError::new(
                NetErrorKind::Timeout,
                format!("{} did not answer within {} ms", prepared.host(), timeout.as_millis()),
            )
        };
        Ok(answer.unwrap_or_else(|_| Err(late()))?.body)
    }
}

impl Inner {
    async fn authorised(&self, endpoint: crate::mcp::Endpoint) -> Result<crate::mcp::Endpoint, NetError> {
        match endpoint.grant.clone() {
            None => Ok(endpoint),
            Some(grant) => {
                let token = self.tokens.get(&self.client, &grant, crate::client::REQUEST_TIMEOUT).await?;
                endpoint.with_token(&token)
            }
        }
    }
}

/// The parameters of a tool and the facts of the call.
struct ToolScope<'a> {
    tool: &'a Tool,
    values: &'a [Option<Value>],
    facts: &'a dyn Scope,
}

impl Scope for ToolScope<'_> {
    fn slot(&self, id: SlotId) -> Option<&Value> {
        self.values.get(id.0 as usize)?.as_ref()
    }

    fn slot_name(&self, id: SlotId) -> &str {
        self.tool.params.get(id.0 as usize).map_or("?", |p| &p.name)
    }

    fn builtin(&self, name: Builtin) -> Value {
        self.facts.builtin(name)
    }

    fn env(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.facts.env(name)
    }

    fn language(&self) -> &str {
        self.facts.language()
    }

    fn probe(&self, probe: &Probe) -> Value {
        self.facts.probe(probe)
    }
}

/// The arguments as values, with defaults, checked against the types of the parameters.
fn arguments(call: &Call<'_>, tool: &Tool) -> Result<Vec<Option<Value>>, NetError> {
    let given: HashMap<&str, &Json> = match call.arguments {
        Json::Object(given) => given.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Json::Null => HashMap::new(),
        _ => return Err(refused(format!("the arguments of `{}` are not an object", tool.name))),
    };
    let mut values = Vec::with_capacity(tool.params.len());
    for param in &tool.params {
        let value = match given.get(param.name.as_str()).filter(|v| !v.is_null()) {
            Some(json) => {
                let value = from_json(call.program, &param.ty, json, call.locale);
                Some(value.map_err(|e| refused(format!("`{}` of `{}`: {e}", param.name, tool.name)))?)
            }
            None => match &param.default {
                Some(default) => {
                    let scope = ToolScope { tool, values: &values, facts: call.facts };
                    Some(
                        eval(call.program, default, &scope)
                            .map_err(|e| refused(format!("`{}` of `{}`: {e}", param.name, tool.name)))?,
                    )
                }
                None if param.ty.optional => Some(Value::None),
                None => return Err(refused(format!("`{}` of `{}` is missing", param.name, tool.name))),
            },
        };
        values.push(value);
    }
    Ok(values)
}

fn named(tool: &Tool, values: Vec<Option<Value>>) -> HashMap<String, Value> {
    let pairs = tool.params.iter().zip(values);
    pairs.filter_map(|(param, value)| Some((param.name.clone(), value?))).collect()
}

fn ready(result: Result<Json, NetError>) -> BoxFuture<'static, Result<Json, NetError>> {
    futures::future::ready(result).boxed()
}

pub(crate) fn refused(message: String) -> NetError {
    NetError::new(NetErrorKind::Refused, message)
}

/// The declared type of a tool's answer, for who wants to check one of its own making.
pub fn check_answer(
    program: &Program,
    ty: Option<&Type>,
    json: &Json,
    locale: Locale,
) -> Result<Json, NetError> {
    answer::check(program, ty, json, locale)
}

#[cfg(test)]
mod tests;
