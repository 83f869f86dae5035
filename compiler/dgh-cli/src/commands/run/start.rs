//! From the arguments of `dgh run` to a call that can begin.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::{NaiveDateTime, TimeZone as _, Utc};
use dgh_compile::Compiled;
use dgh_compile::manifest::Profile;
use dgh_diag::suggest;
use dgh_engine::event::{AnsweredBy, Event, Timestamp};
use dgh_engine::log::{Log, LoggedCall, ProgramRef, seal};
use dgh_engine::{CallStart, Caller, Direction, Prepared, StartError};
use dgh_ir::program::{Agent, Channel, SlotKind};
use dgh_ir::{from_json, wire};
use dgh_net::Toolbox;
use serde_json::Value as Json;

use crate::args::Run;
use crate::commands::check::report_errors;
use crate::commands::graph::own_agent;
use crate::models::{self, Server};
use crate::project::Project;
use crate::session::{Clock, Mocks, Session, Tools};

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
    let (_, agent) = own_agent(&compiled, args.agent.as_deref())?;
    let profile = profile(&compiled, args.profile.as_deref())?;
    let now = time(args, agent)?;

    let outbound = agent.groups.contains_key("outbound");
    let channel = if agent.channels.contains(&Channel::Phone) { Channel::Phone } else { Channel::Web };
    let mut call_start = CallStart::new("terminal", channel, now);
    call_start.direction = if outbound { Direction::Outbound } else { Direction::Inbound };
    call_start.caller = Caller { phone: args.caller.clone(), language: None };
    call_start.env = profile.map(|p| p.env.clone()).unwrap_or_default();
    call_start.inputs = inputs(args, &compiled, agent, profile)?;
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
    let real = Toolbox::new(Arc::clone(&program), client, secrets, env, agent.locale());
    let tools = Tools::new(Arc::clone(&program), agent.locale(), mocks, real);
    let notes = notes(&project, agent, &chosen);
    let source = ProgramRef { path: project.shown(), hash: wire::content_hash(&program) };
    let call = LoggedCall::new(Prepared::new(program), &agent.name, call_start);
    let call = call.map_err(|error| hint_inputs(error, agent))?.with_program(source);
    let first = if outbound { vec![Event::AnsweredBy { who: AnsweredBy::Human }] } else { Vec::new() };
    Ok(Some(Started { session: Session::new(call, Clock::new(now), registry, tools), first, notes }))
}

/// The profile that a command works with.
pub fn profile<'a>(compiled: &'a Compiled, name: Option<&str>) -> anyhow::Result<Option<&'a Profile>> {
    let found = compiled.manifest.as_ref().and_then(|m| m.profile(name)).map(|(_, profile)| profile);
    match (found, name) {
        (None, Some(name)) => {
            let known = compiled.manifest.iter().flat_map(|m| m.profiles.keys());
            bail!("dgh.toml has no profile `{name}`{}", known_names(name, known.map(String::as_str)))
        }
        (found, _) => Ok(found),
    }
}

/// A log as it is written: encrypted, so that a file that lies around tells nothing.
pub fn sealed(log: &Log) -> anyhow::Result<Vec<u8>> {
    let key = crate::keys::log_key()?;
    Ok(seal(log, &key, &crate::keys::fresh_nonce()?)?)
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

/// Inputs of the profile, and over them those of the command line.
fn inputs(
    args: &Run,
    compiled: &Compiled,
    agent: &Agent,
    profile: Option<&Profile>,
) -> anyhow::Result<indexmap::IndexMap<String, Json>> {
    let mut all = profile.map(|p| p.inputs.clone()).unwrap_or_default();
    all.retain(|name, _| agent.dialogue.slot(name).is_some());
    for input in &args.inputs {
        let (name, text) = input.split_once('=').with_context(|| format!("`{input}` is not NAME=VALUE"))?;
        let inputs = agent.dialogue.slots.iter().filter(|(_, slot)| slot.kind == SlotKind::Input);
        let slot = agent.dialogue.slot(name).with_context(|| {
            let known = known_names(name, inputs.map(|(_, slot)| slot.name.as_str()));
            format!("agent `{}` has no input `{name}`{known}", agent.name)
        })?;
        let ty = &agent.dialogue.slots[slot].ty;
        // What is typed is a text, or JSON where a text does not fit: true, 4, a list.
        let as_text = Json::String(text.to_owned());
        let as_json = serde_json::from_str(text).ok();
        let fits = |json: &Json| from_json(&compiled.program, ty, json, agent.locale()).is_ok();
        let value = as_json.filter(|json| !fits(&as_text) && fits(json)).unwrap_or(as_text);
        all.insert(name.to_owned(), value);
    }
    Ok(all)
}

/// What a name could have been: the nearest, or all of them.
fn known_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match suggest::closest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; it has none".to_owned(),
        None => format!("; it has {}", suggest::all_of(&suggest::quoted(&known))),
    }
}

fn hint_inputs(error: StartError, agent: &Agent) -> anyhow::Error {
    let inputs = matches!(error, StartError::MissingInput(_) | StartError::BadInput { .. });
    let error = anyhow::Error::from(error);
    if inputs {
        return error.context(format!(
            "agent `{}` cannot start; give inputs with --input NAME=VALUE or under [profiles.dev.inputs] of dgh.toml",
            agent.name
        ));
    }
    error
}
