//! From the arguments of `dgh run` to a call that can begin.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{NaiveDateTime, TimeZone as _, Utc};
use dgh_engine::event::{AnsweredBy, Event, Timestamp};
use dgh_engine::log::{Log, LoggedCall, ProgramRef, seal};
use dgh_engine::{CallStart, Caller, Direction, Prepared};
use dgh_ir::program::{Agent, Channel};
use dgh_ir::wire;
use dgh_net::Toolbox;
use dgh_platform::models::{self, Server};
use dgh_platform::{Knowledge, Mocks, Project, Tools, agents};
use serde_json::Value as Json;

use crate::args::Run;
use crate::commands::check::report_errors;
use crate::session::{Clock, Session};

/// A call, and what is said about it first.
pub struct Started {
    pub session: Session,
    /// What happens before the first word: somebody picks up.
    pub first: Vec<Event>,
    pub notes: Vec<String>,
}

/// Makes the call; none when the program has errors, which were printed.
pub fn start(args: &Run) -> anyhow::Result<Option<Started>> {
    let project = Project::one(&args.path)?;
    let compiled = project.compile();
    if !report_errors(&project, &compiled)? {
        return Ok(None);
    }
    let (_, agent) = agents::own_agent(&compiled, args.agent.as_deref())?;
    let profile = agents::profile(&compiled, args.profile.as_deref())?;
    let now = time(args, agent)?;

    let outbound = agent.groups.contains_key("outbound");
    let channel = if agent.channels.contains(&Channel::Phone) { Channel::Phone } else { Channel::Web };
    let mut call_start = CallStart::new("terminal", channel, now);
    call_start.direction = if outbound { Direction::Outbound } else { Direction::Inbound };
    call_start.caller = Caller { phone: args.caller.clone(), language: None };
    call_start.env = profile.map(|p| p.env.clone()).unwrap_or_default();
    call_start.inputs = agents::inputs(&compiled.program, agent, profile, inputs(args)?)?;
    let server = Server { url: args.llm_url.as_deref(), timeout: args.llm_timeout };
    let chosen = models::choose(&compiled.program, &args.llm, server)?;
    call_start.models = chosen.list.clone();
    let secrets = models::secrets(&project, profile);
    let client = models::client(profile, args.llm_url.as_deref())?;
    let registry = models::registry(&client, &secrets, &chosen);
    if let Some(model) = chosen.list.first() {
        // A key that is missing is told before the call.
        registry.llm(model)?;
    }

    let program = Arc::new(compiled.program.clone());
    let mocks = profile.filter(|_| !args.no_mocks).map(|profile| Mocks::new(&profile.mocks));
    let env = call_start.env.clone();
    let real = Arc::new(Toolbox::new(Arc::clone(&program), client, secrets, env, agent.locale()));
    let mocked =
        |name: &str| !args.no_mocks && profile.is_some_and(|profile| profile.mocks.contains_key(name));
    let knowledge = Arc::new(Knowledge::of_files(&project, &program, mocked)?);
    call_start.knowledge.clone_from(knowledge.whole());
    let tools = Tools::new(Arc::clone(&program), agent.locale(), mocks, real, knowledge);
    let notes = notes(&project, agent, &chosen);
    let source = ProgramRef { path: project.shown(), hash: wire::content_hash(&program) };
    let call = LoggedCall::new(Prepared::new(program), &agent.name, call_start);
    let call = call.map_err(|error| agents::hint_inputs(error, &agent.name))?.with_program(source);
    let first = if outbound { vec![Event::AnsweredBy { who: AnsweredBy::Human }] } else { Vec::new() };
    Ok(Some(Started { session: Session::new(call, Clock::new(now), registry, tools), first, notes }))
}

/// A log as it is written: encrypted, so that a file that lies around tells nothing.
pub fn sealed(log: &Log) -> anyhow::Result<Vec<u8>> {
    let key = dgh_platform::keys::log_key()?;
    Ok(seal(log, &key, &dgh_platform::keys::fresh_nonce()?)?)
}

fn notes(project: &Project, agent: &Agent, chosen: &models::Chosen) -> Vec<String> {
    let mut notes = vec![format!("{} · {} · {}", project.shown(), agent.name, chosen.name)];
    notes.extend(chosen.notice.clone());
    notes.push(":help for commands, an empty line is silence, :quit leaves".to_owned());
    notes.push(String::new());
    notes
}

fn time(args: &Run, agent: &Agent) -> anyhow::Result<Timestamp> {
    let Some(text) = &args.now else { return Ok(Timestamp(Utc::now().timestamp_millis())) };
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
    let local = local.with_context(|| format!("`{text}` is no time; write it as 2026-03-02T10:00"))?;
    let there = agent.locale().zone.from_local_datetime(&local).earliest();
    let there = there.with_context(|| format!("{text} does not exist in {}", agent.time_zone))?;
    Ok(Timestamp(there.timestamp_millis()))
}

/// Inputs of the command line.
fn inputs(args: &Run) -> anyhow::Result<Vec<(String, Json)>> {
    let read = |input: &String| {
        let (name, text) = input.split_once('=').with_context(|| format!("`{input}` is not NAME=VALUE"))?;
        Ok((name.to_owned(), Json::from(text)))
    };
    args.inputs.iter().map(read).collect()
}
