//! `dgh.lock`: the tools of MCP servers, pinned, so that a check needs no network and a server
//! that changes is noticed.

use dgh_ir::program::McpTool;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The file's name, at the root of a bundle.
pub const NAME: &str = "dgh.lock";

/// The file, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Always 1.
    pub format: u32,
    /// By name of the `mcp` item.
    pub mcp: IndexMap<String, LockedServer>,
}

/// A server and its tools, in the order of their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedServer {
    /// The tools.
    pub tools: Vec<LockedTool>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedTool {
    /// Name.
    pub name: String,
    /// What the server says of it.
    #[serde(default)]
    pub about: String,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
    /// JSON Schema of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<serde_json::Value>,
    /// Whether the server says that it only reads.
    #[serde(default)]
    pub read_only: bool,
}

impl Lock {
    /// Reads the file.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = serde_json::from_str(text).map_err(|e| format!("dgh.lock cannot be read: {e}"))?;
        if lock.format == 1 {
            Ok(lock)
        } else {
            Err(format!("dgh.lock has format {}, and this compiler reads format 1", lock.format))
        }
    }

    /// Its tools by server.
    pub fn tools(&self) -> IndexMap<String, Vec<McpTool>> {
        let tools = |server: &LockedServer| server.tools.iter().map(McpTool::from).collect();
        self.mcp.iter().map(|(name, server)| (name.clone(), tools(server))).collect()
    }

    /// Writes the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl From<&LockedTool> for McpTool {
    fn from(tool: &LockedTool) -> Self {
        Self {
            name: tool.name.clone(),
            about: tool.about.clone(),
            input_schema: tool.input_schema.clone(),
            output_schema: tool.output_schema.clone(),
            read_only: tool.read_only,
        }
    }
}
