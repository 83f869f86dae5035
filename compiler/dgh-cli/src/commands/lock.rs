//! `dgh lock`: pins the tools of MCP servers.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use dgh_compile::lock::{self, Lock, LockedServer, LockedTool};
use dgh_diag::{Code, Severity};
use dgh_ir::program::McpTool;
use dgh_net::Toolbox;

use super::check::report_errors;
use crate::Outcome;
use crate::args;
use crate::ui;
use dgh_platform::Project;
use dgh_platform::agents::profile;
use dgh_platform::models;

pub fn run(args: &args::Lock) -> anyhow::Result<Outcome> {
    let project = Project::one(&args.path)?;
    let mut compiled = project.compile();
    // A tool that the old lock does not have is what this command is for.
    compiled.diagnostics.retain(|d| d.code != Code::UnknownMcpTool || d.severity() != Severity::Error);
    if !report_errors(&project, &compiled)? {
        return Ok(Outcome::Findings);
    }
    let profile = profile(&compiled, args.profile.as_deref())?;
    let (client, secrets) = (models::client(profile, None)?, models::secrets(&project, profile));
    let env = profile.map(|p| p.env.clone()).unwrap_or_default();
    let program = Arc::new(compiled.program);
    if program.mcps.is_empty() {
        bail!("{} names no MCP server, so there is nothing to pin", project.shown());
    }
    let tools = Toolbox::new(Arc::clone(&program), client, secrets, env, dgh_ir::Locale::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut found = Lock { format: 1, mcp: indexmap::IndexMap::new() };
    for (_, server) in program.mcps.iter() {
        let listed = runtime.block_on(tools.list_mcp(&server.name));
        let mut tools =
            listed.with_context(|| format!("the MCP server `{}` does not answer", server.name))?;
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        ui::note(format!("{}: {} tools", server.name, tools.len()));
        found
            .mcp
            .insert(server.name.clone(), LockedServer { tools: tools.into_iter().map(locked).collect() });
    }
    runtime.block_on(tools.close());
    found.mcp.sort_keys();
    let (path, text) = (project.path(lock::NAME), found.to_text());
    if args.check {
        let old = fs::read_to_string(&path).unwrap_or_default();
        let same = Lock::parse(&old).is_ok_and(|old| old == found);
        ui::line(if same {
            "the servers have the tools of dgh.lock"
        } else {
            "the servers' tools are not those of dgh.lock"
        })?;
        return Ok(Outcome::of(!same));
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    ui::line(format!("{} {}", ui::paint(ui::GOOD, "wrote"), path.display()))?;
    Ok(Outcome::Clean)
}

fn locked(tool: McpTool) -> LockedTool {
    LockedTool {
        name: tool.name,
        about: tool.about,
        input_schema: tool.input_schema,
        output_schema: tool.output_schema,
        read_only: tool.read_only,
    }
}
