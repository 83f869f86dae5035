//! Agents that can take calls: compiled, with all that their calls share.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use dgh_compile::Compiled;
use dgh_compile::manifest::Profile;
use dgh_engine::log::{LoggedCall, ProgramRef};
use dgh_engine::{CallStart, Prepared};
use dgh_ir::program::{Channel, SlotKind};
use dgh_ir::{Locale, Program, wire};
use dgh_net::{Secrets, Toolbox};
use dgh_voice::call::Recordings;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use crate::choice::{self, Chosen, Wanted};
use crate::{Mocks, Project, Tools, agents, models, recordings};

/// An agent that can take calls. Calls in progress keep the one they began with.
pub struct Agent {
    /// Name in the program.
    pub name: String,
    /// Where it comes from.
    pub project: Project,
    /// Providers.
    pub chosen: Chosen,
    /// What its calls take at their start.
    pub inputs: Vec<Input>,
    /// Where it can be reached.
    pub channels: Vec<Channel>,
    /// Whether it calls, and is not called.
    pub outbound: bool,
    /// Language tags, the first one first.
    pub languages: Vec<String>,
    prepared: Arc<Prepared>,
    program: ProgramRef,
    profile: Option<Profile>,
    locale: Locale,
    toolbox: Arc<Toolbox>,
    secrets: Arc<dyn Secrets>,
    recordings: Arc<Recordings>,
}

/// An input of an agent, for a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: Option<String>,
    /// Whether a call cannot start without it.
    pub required: bool,
}

/// How agents are served.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--profile`
    pub profile: Option<String>,
    /// Providers.
    pub wanted: Wanted,
    /// Use the real tools instead of the mocks of the profile.
    pub no_mocks: bool,
}

/// What became of one project.
pub enum Loaded {
    /// Its agents can take calls.
    Ready(Bundle),
    /// It has errors.
    Broken(Box<Compiled>),
    /// It cannot be served: why.
    Unusable(anyhow::Error),
}

/// A project whose agents can take calls.
#[derive(Clone)]
pub struct Bundle {
    /// Its agents.
    pub agents: Vec<Arc<Agent>>,
    /// A number that changes when any of its texts does.
    pub texts: u64,
    /// Folders that hold its files.
    pub folders: Vec<PathBuf>,
}

/// Compiles a project and prepares its agents.
pub fn load(project: &Project, options: &Options) -> Loaded {
    let compiled = project.compile();
    if compiled.has_errors() {
        return Loaded::Broken(Box::new(compiled));
    }
    match prepare(project, compiled, options) {
        Ok(bundle) => Loaded::Ready(bundle),
        Err(error) => Loaded::Unusable(error),
    }
}

/// The folders that hold the files of a project.
pub fn folders(project: &Project, compiled: &Compiled) -> Vec<PathBuf> {
    let recordings = compiled.manifest.iter().flat_map(|m| m.recordings.values().map(|r| r.file.as_str()));
    let files = compiled.sources.iter().map(|(path, _)| path.as_str()).chain(recordings);
    // Those of the standard library are nowhere on disk.
    let mut all: Vec<PathBuf> = files
        .filter_map(|path| project.root.join(path).parent().map(Path::to_path_buf))
        .chain([project.root.clone()])
        .filter(|folder| folder.is_dir())
        .collect();
    all.sort();
    all.dedup();
    all
}

fn prepare(project: &Project, compiled: Compiled, options: &Options) -> anyhow::Result<Bundle> {
    let profile = agents::profile(&compiled, options.profile.as_deref())?.cloned();
    let mut hasher = DefaultHasher::new();
    compiled.sources.hash(&mut hasher);
    let (texts, folders) = (hasher.finish(), folders(project, &compiled));
    let secrets = models::secrets(project, profile.as_ref());
    let client = models::client(profile.as_ref(), options.wanted.llm_url.as_deref())?;
    let recordings = recordings::of(project, compiled.manifest.as_ref());
    let program = Arc::new(compiled.program);
    let prepared = Prepared::new(Arc::clone(&program));
    let source = ProgramRef { path: project.shown(), hash: wire::content_hash(&program) };
    let env = profile.as_ref().map(|p| p.env.clone()).unwrap_or_default();
    let mut ready = Vec::new();
    for (_, agent) in agents::own_agents(&program) {
        let locale = agent.locale();
        let toolbox =
            Toolbox::new(Arc::clone(&program), client.clone(), Arc::clone(&secrets), env.clone(), locale);
        ready.push(Arc::new(Agent {
            name: agent.name.clone(),
            project: project.clone(),
            chosen: choice::choose(&program, agent, &options.wanted, &client, &secrets)?,
            inputs: inputs(&program, &agent.name, profile.as_ref()),
            channels: agent.channels.clone(),
            outbound: agent.groups.contains_key("outbound"),
            languages: agent.languages.clone(),
            prepared: Arc::clone(&prepared),
            program: source.clone(),
            profile: profile.clone().map(|mut profile| {
                if options.no_mocks {
                    profile.mocks.clear();
                }
                profile
            }),
            locale,
            toolbox: Arc::new(toolbox),
            secrets: Arc::clone(&secrets),
            recordings: Arc::clone(&recordings),
        }));
    }
    if ready.is_empty() {
        bail!("{} has no agent", project.shown());
    }
    Ok(Bundle { agents: ready, texts, folders })
}

fn inputs(program: &Program, agent: &str, profile: Option<&Profile>) -> Vec<Input> {
    let Some(agent) = program.agent(agent).and_then(|id| program.agents.get(id)) else { return Vec::new() };
    let given = |name: &str| profile.is_some_and(|p| p.inputs.contains_key(name));
    let slots = agent.dialogue.slots.iter().filter(|(_, slot)| slot.kind == SlotKind::Input);
    slots
        .map(|(_, slot)| Input {
            name: slot.name.clone(),
            about: slot.about.clone(),
            required: slot.default.is_none() && !slot.ty.optional && !given(&slot.name),
        })
        .collect()
}

impl Agent {
    /// A call that can begin. `start` names the call; env, inputs and models are filled in here.
    pub fn call(
        &self,
        mut start: CallStart,
        given: impl IntoIterator<Item = (String, Json)>,
    ) -> anyhow::Result<LoggedCall> {
        let program = self.prepared.program();
        start.env = self.profile.as_ref().map(|p| p.env.clone()).unwrap_or_default();
        start.models.clone_from(&self.chosen.llm);
        let agent = program.agent(&self.name).and_then(|id| program.agents.get(id));
        let Some(agent) = agent else { bail!("there is no agent `{}`", self.name) };
        start.inputs = agents::inputs(program, agent, self.profile.as_ref(), given)?;
        let call = LoggedCall::new(Arc::clone(&self.prepared), &self.name, start);
        let call = call.map_err(|error| agents::hint_inputs(error, &self.name))?;
        Ok(call.with_program(self.program.clone()))
    }

    /// The tools of one call.
    pub fn tools(&self) -> Tools {
        let none = IndexMap::new();
        let mocks = Mocks::new(self.profile.as_ref().map_or(&none, |p| &p.mocks));
        Tools::new(Arc::clone(self.prepared.program()), self.locale, Some(mocks), Arc::clone(&self.toolbox))
    }

    /// Its recordings.
    pub fn recordings(&self) -> Arc<Recordings> {
        Arc::clone(&self.recordings)
    }

    /// Secrets of its profile, and of the environment.
    pub fn secrets(&self) -> &dyn Secrets {
        &*self.secrets
    }

    /// The content hash of its program.
    pub fn hash(&self) -> &str {
        &self.program.hash
    }
}
