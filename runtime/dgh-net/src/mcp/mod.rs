//! Tools of MCP servers, over streamable HTTP through the guarded client, and over the standard
//! streams of a process that is started.
//!
//! A session is opened when it is first needed and kept; one that was lost is opened anew for the
//! next call. A call is never sent twice.

mod endpoint;
mod failure;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use dgh_ir::McpTool;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock, Implementation,
    PaginatedRequestParams,
};
use rmcp::service::RunningService;
use rmcp::transport::child_process::TokioChildProcess;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Map, Value as Json};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::client::{Client, MAX_ANSWER_BYTES};
use crate::error::{NetError, NetErrorKind};

pub use endpoint::Endpoint;
use endpoint::Transport;

/// Time to open a session, with the start of a process.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time to list all tools.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(30);
/// Tools of one server that are listed.
pub const MAX_TOOLS: usize = 1_000;
/// Bytes of one message of a server over HTTP; one that sends more loses the connection. Over
/// standard streams the library reads 16 MiB. The answer inside is bounded by [`MAX_ANSWER_BYTES`].
const MAX_MESSAGE_BYTES: usize = 4 * MAX_ANSWER_BYTES;
/// Time in which a session is closed in order; a process that takes longer is killed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(8);
/// Variables of the environment that a server's process gets: what it needs to run, and no key.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SystemRoot",
];

type Service = RunningService<RoleClient, ClientConfig>;
type Place = Arc<Mutex<Option<Arc<Service>>>>;

/// The sessions of a profile.
pub struct Servers {
    client: Client,
    open: Mutex<HashMap<String, Place>>,
}

impl Servers {
    /// No session yet.
    pub fn new(client: Client) -> Self {
        Self { client, open: Mutex::default() }
    }

    /// Calls a tool. What it answers in a structured form, else its text.
    pub async fn call(
        &self,
        endpoint: &Endpoint,
        tool: &str,
        arguments: Map<String, Json>,
    ) -> Result<Json, NetError> {
        let session = self.session(endpoint).await?;
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        // Dropping the future tells the server that the answer is not wanted any more.
        let answer = tokio::time::timeout(endpoint.timeout, session.call_tool(params)).await;
        let answer = answer.map_err(|_| {
            let limit = endpoint.timeout.as_millis();
            NetError::new(
                NetErrorKind::Timeout,
                format!("`{tool}` of `{}` did not answer within {limit} ms", endpoint.name),
            )
        })?;
        result(endpoint, tool, answer.map_err(|e| failure::of_service(endpoint, &e))?)
    }

    /// All tools of a server, in the order of their names: what `dgh lock` pins.
    pub async fn list(&self, endpoint: &Endpoint) -> Result<Vec<McpTool>, NetError> {
        let session = self.session(endpoint).await?;
        let all = async {
            let mut tools = Vec::new();
            let mut cursor = None;
            loop {
                let page = PaginatedRequestParams::default().with_cursor(cursor);
                let page =
                    session.list_tools(Some(page)).await.map_err(|e| failure::of_service(endpoint, &e))?;
                tools.extend(page.tools.into_iter().map(pinned));
                cursor = page.next_cursor;
                if tools.len() > MAX_TOOLS {
                    let message = format!("`{}` has more than {MAX_TOOLS} tools", endpoint.name);
                    return Err(NetError::new(NetErrorKind::TooLarge, message));
                }
                if cursor.is_none() {
                    return Ok(tools);
                }
            }
        };
        let late = |_| {
            NetError::new(
                NetErrorKind::Timeout,
                format!("`{}` did not list its tools in time", endpoint.name),
            )
        };
        let mut tools = tokio::time::timeout(LIST_TIMEOUT, all).await.map_err(late)??;
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tools)
    }

    /// Closes all sessions and ends the processes.
    pub async fn close(&self) {
        let places: Vec<_> = self.open.lock().await.drain().map(|(_, place)| place).collect();
        let closing = places.into_iter().map(|place| async move {
            // Whoever still calls keeps the session; it is closed when the last one lets go of it.
            if let Some(mut session) = place.lock().await.take().and_then(Arc::into_inner) {
                let _ = session.close_with_timeout(CLOSE_TIMEOUT).await;
            }
        });
        futures::future::join_all(closing).await;
    }

    async fn session(&self, endpoint: &Endpoint) -> Result<Arc<Service>, NetError> {
        let place = Arc::clone(self.open.lock().await.entry(endpoint.key()).or_default());
        let mut place = place.lock().await;
        if let Some(session) = place.as_ref().filter(|s| !s.is_closed() && !s.is_transport_closed()) {
            return Ok(Arc::clone(session));
        }
        let late = |_| {
            NetError::new(
                NetErrorKind::Timeout,
                format!("`{}` did not open a session in time", endpoint.name),
            )
        };
        let session = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(endpoint)).await.map_err(late)??;
        let session = Arc::new(session);
        *place = Some(Arc::clone(&session));
        Ok(session)
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Service, NetError> {
        let opened = match &endpoint.transport {
            Transport::Http { url, headers } => {
                self.client.check(url)?;
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                config.custom_headers = headers.clone();
                config.max_sse_event_size = MAX_MESSAGE_BYTES;
                let transport = StreamableHttpClientTransport::with_client(self.client.inner(), config);
                us().serve(transport).await
            }
            Transport::Process { program, arguments } => {
                self.client.policy().check_commands(&endpoint.name)?;
                let mut command = Command::new(program);
                command.args(arguments).env_clear().kill_on_drop(true);
                command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
                let (process, _) =
                    TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().map_err(|e| {
                        NetError::new(
                            NetErrorKind::Setup,
                            format!(
                                "`{}`: the command `{program}` does not start: {}",
                                endpoint.name,
                                e.kind()
                            ),
                        )
                    })?;
                us().serve(process).await
            }
        };
        opened.map_err(|e| failure::of_start(endpoint, &e))
    }
}

/// What we tell a server of ourselves. We offer nothing: no sampling, no roots, no questions back.
fn us() -> ClientConfig {
    ClientConfig::new(ClientCapabilities::default(), Implementation::new("dgh", env!("CARGO_PKG_VERSION")))
}

fn pinned(tool: rmcp::model::Tool) -> McpTool {
    let about = tool.description.map(|d| d.trim().to_owned()).filter(|d| !d.is_empty());
    let read_only = tool.annotations.as_ref().and_then(|a| a.read_only_hint).unwrap_or(false);
    McpTool {
        about: about.or(tool.title).unwrap_or_else(|| tool.name.replace('_', " ")),
        name: tool.name.into_owned(),
        input_schema: Json::Object((*tool.input_schema).clone()),
        output_schema: tool.output_schema.map(|schema| Json::Object((*schema).clone())),
        read_only,
    }
}

fn result(endpoint: &Endpoint, tool: &str, result: CallToolResult) -> Result<Json, NetError> {
    let text = || {
        let parts = result.content.iter().map(|block| match block {
            ContentBlock::Text(text) => text.text.as_str(),
            ContentBlock::Image(_) => "[an image]",
            ContentBlock::Audio(_) => "[a sound]",
            _ => "[a file]",
        });
        parts.collect::<Vec<_>>().join("\n")
    };
    if result.is_error == Some(true) {
        let said = failure::short(&text());
        return Err(NetError::new(
            NetErrorKind::Status,
            format!("`{tool}` of `{}` failed: {said}", endpoint.name),
        ));
    }
    let json = match &result.structured_content {
        Some(json) if !json.is_null() => json.clone(),
        _ => Json::String(text()),
    };
    // What goes to a model and a log is as small as other answers.
    if json.to_string().len() > MAX_ANSWER_BYTES {
        let message =
            format!("the answer of `{tool}` of `{}` is longer than {MAX_ANSWER_BYTES} bytes", endpoint.name);
        return Err(NetError::new(NetErrorKind::TooLarge, message));
    }
    Ok(json)
}

#[cfg(test)]
mod tests;
