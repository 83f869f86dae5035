//! The tools of one program in one profile, by their names: what a driver of calls needs.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dgh_ir::{Builtin, Locale, McpServer, McpTool, Program, Scope, SlotId, Value};
use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::client::Client;
use crate::error::NetError;
use crate::secrets::Secrets;
use crate::tool::{Call, Tools, What, refused};

/// The tools of a program.
pub struct Toolbox {
    program: Arc<Program>,
    tools: Tools,
    env: IndexMap<String, String>,
    locale: Locale,
}

impl Toolbox {
    /// The tools of a program, with the `env` of a profile, zone and country of an agent.
    pub fn new(
        program: Arc<Program>,
        client: Client,
        secrets: Arc<dyn Secrets>,
        env: IndexMap<String, String>,
        locale: Locale,
    ) -> Self {
        Self { program, tools: Tools::new(client, secrets), env, locale }
    }

    /// Calls a tool of the program. The time is in milliseconds since 1970 (UTC).
    pub fn call(
        &self,
        tool: &str,
        arguments: &Json,
        idempotency_key: Option<&str>,
        timeout_ms: Option<u64>,
        now_ms: i64,
    ) -> BoxFuture<'static, Result<Json, NetError>> {
        let Some((_, found)) = self.program.tools.iter().find(|(_, t)| t.name == tool) else {
            return failed(format!("there is no tool `{tool}`"));
        };
        self.start(What::Tool(found), arguments, idempotency_key, timeout_ms, now_ms)
    }

    /// Calls a tool of an MCP server of the program.
    pub fn call_mcp(
        &self,
        server: &str,
        tool: &str,
        arguments: &Json,
        timeout_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Json, NetError>> {
        match self.server(server) {
            Ok(found) => self.start(What::Mcp(found, tool), arguments, None, timeout_ms, 0),
            Err(error) => Box::pin(futures::future::ready(Err(error))),
        }
    }

    /// All tools that an MCP server of the program has, allowed or not: what `dgh lock` pins.
    pub fn list_mcp(&self, server: &str) -> BoxFuture<'static, Result<Vec<McpTool>, NetError>> {
        match self.server(server) {
            Ok(found) => self.tools.list(&self.program, found, &self.facts(0)),
            Err(error) => Box::pin(futures::future::ready(Err(error))),
        }
    }

    /// Closes the sessions of MCP servers and ends the ones that were started.
    pub async fn close(&self) {
        self.tools.close().await;
    }

    fn start(
        &self,
        what: What<'_>,
        arguments: &Json,
        idempotency_key: Option<&str>,
        timeout_ms: Option<u64>,
        now_ms: i64,
    ) -> BoxFuture<'static, Result<Json, NetError>> {
        self.tools.start(Call {
            program: &self.program,
            what,
            arguments,
            facts: &self.facts(now_ms),
            locale: self.locale,
            now: time(now_ms),
            idempotency_key,
            timeout: timeout_ms.map(Duration::from_millis),
        })
    }

    fn server(&self, name: &str) -> Result<&McpServer, NetError> {
        let found = self.program.mcps.iter().find(|(_, server)| server.name == name);
        found.map(|(_, server)| server).ok_or_else(|| refused(format!("there is no MCP server `{name}`")))
    }

    fn facts(&self, now_ms: i64) -> Facts<'_> {
        Facts { env: &self.env, now: time(now_ms).with_timezone(&self.locale.zone).naive_local() }
    }
}

/// What a tool may read beside its parameters.
struct Facts<'a> {
    env: &'a IndexMap<String, String>,
    now: chrono::NaiveDateTime,
}

impl Scope for Facts<'_> {
    fn slot(&self, _: SlotId) -> Option<&Value> {
        None
    }

    fn slot_name(&self, _: SlotId) -> &'static str {
        "?"
    }

    fn builtin(&self, name: Builtin) -> Value {
        match name {
            Builtin::Now => Value::DateTime(self.now),
            _ => Value::None,
        }
    }

    fn env(&self, name: &str) -> Option<Cow<'_, str>> {
        self.env.get(name).map(|value| value.as_str().into())
    }

    fn language(&self) -> &'static str {
        "en"
    }
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::UNIX_EPOCH)
}

fn failed(message: String) -> BoxFuture<'static, Result<Json, NetError>> {
    Box::pin(futures::future::ready(Err(refused(message))))
}
