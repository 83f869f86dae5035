//! Which agent is meant, in which profile, and with which inputs it starts.

use anyhow::{Context as _, bail};
use dgh_compile::Compiled;
use dgh_compile::manifest::Profile;
use dgh_diag::suggest;
use dgh_engine::StartError;
use dgh_ir::program::{Agent, AgentId, SlotKind};
use dgh_ir::{Program, from_json};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// The agents of the entry file; those it imports are not its own.
pub fn own_agents(program: &Program) -> impl Iterator<Item = (AgentId, &Agent)> {
    program.agents.iter().take(program.own_agents as usize)
}

/// The agent of the entry file with this name, or its only one.
pub fn own_agent<'a>(compiled: &'a Compiled, name: Option<&str>) -> anyhow::Result<(AgentId, &'a Agent)> {
    let own: Vec<_> = own_agents(&compiled.program).collect();
    let names = || own.iter().map(|(_, a)| format!("`{}`", a.name)).collect::<Vec<_>>().join(", ");
    match (name, own.as_slice()) {
        (_, []) => bail!("the file has no agent"),
        (None, [only]) => Ok(*only),
        (None, _) => bail!("the file has several agents; name one with --agent: {}", names()),
        (Some(name), all) => {
            let found = all.iter().find(|(_, a)| a.name == name).copied();
            found.with_context(|| format!("there is no agent `{name}`; the file has {}", names()))
        }
    }
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

/// Inputs of the profile, and over them those that were given.
pub fn inputs(
    program: &Program,
    agent: &Agent,
    profile: Option<&Profile>,
    given: impl IntoIterator<Item = (String, Json)>,
) -> anyhow::Result<IndexMap<String, Json>> {
    let mut all = profile.map(|p| p.inputs.clone()).unwrap_or_default();
    all.retain(|name, _| agent.dialogue.slot(name).is_some());
    for (name, value) in given {
        let inputs = agent.dialogue.slots.iter().filter(|(_, slot)| slot.kind == SlotKind::Input);
        let slot = agent.dialogue.slot(&name).with_context(|| {
            let known = known_names(&name, inputs.map(|(_, slot)| slot.name.as_str()));
            format!("agent `{}` has no input `{name}`{known}", agent.name)
        })?;
        let ty = &agent.dialogue.slots[slot].ty;
        let fits = |json: &Json| from_json(program, ty, json, agent.locale()).is_ok();
        // What is typed is a text, or JSON where a text does not fit: true, 4, a list.
        let as_json =
            value.as_str().filter(|_| !fits(&value)).and_then(|text| serde_json::from_str(text).ok());
        let value = as_json.filter(fits).unwrap_or(value);
        all.insert(name, value);
    }
    Ok(all)
}

/// What is wrong with inputs that were given: the name of each, and why. JSON of their types, as a
/// program sends it; nothing is guessed.
pub fn faults(
    program: &Program,
    agent: &Agent,
    inputs: &[crate::deployment::Input],
    given: &[(String, Json)],
) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (name, value) in given {
        if !inputs.iter().any(|input| input.name == *name) {
            let known = known_names(name, inputs.iter().map(|input| input.name.as_str()));
            faults.push((name.clone(), format!("the agent has no such input{known}")));
            continue;
        }
        let Some(slot) = agent.dialogue.slot(name).and_then(|slot| agent.dialogue.slots.get(slot)) else {
            continue;
        };
        // What is wrong with a value says what fits, and never the value.
        if let Err(error) = from_json(program, &slot.ty, value, agent.locale()) {
            faults.push((name.clone(), format!("it takes {}", error.expected)));
        }
    }
    let missing = inputs.iter().filter(|input| input.required);
    for input in missing.filter(|input| given.iter().all(|(name, _)| *name != input.name)) {
        faults.push((input.name.clone(), "it is missing".to_owned()));
    }
    faults
}

/// An error of a start, with what helps when it is about inputs.
pub fn hint_inputs(error: StartError, agent: &str) -> anyhow::Error {
    let inputs = matches!(error, StartError::MissingInput(_) | StartError::BadInput { .. });
    let error = anyhow::Error::from(error);
    if inputs {
        return error.context(format!(
            "agent `{agent}` cannot start; give inputs with --input NAME=VALUE or under [profiles.dev.inputs] of dgh.toml"
        ));
    }
    error
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
