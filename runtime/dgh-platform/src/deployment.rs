//! Agents that can take calls: compiled, with all that their calls share.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use dgh_compile::Compiled;
use dgh_compile::manifest::Profile;
use dgh_diag::{FileId, Place, Span};
use dgh_engine::log::{LoggedCall, ProgramRef};
use dgh_engine::{CallStart, Prepared};
use dgh_ir::program::{self, Channel, SlotKind};
use dgh_ir::{Locale, Program, wire};
use dgh_net::{Client, Secrets, Toolbox};
use dgh_store::{AgentId, OrgId, ReleaseId};
use dgh_voice::call::Recordings;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use crate::bundles::profiles::DefaultModels;
use crate::choice::{self, Chosen, Reach, Wanted};
use crate::knowledge::{Knowledge, name_of};
use crate::{Mocks, Project, Tools, agents, models, recordings};

/// An agent that can take calls. Calls in progress keep the one they began with.
pub struct Agent {
    /// Name in the program.
    pub name: String,
    /// The file that was compiled.
    pub entry: String,
    /// What it is in the database; none: it was read from a folder, for a test.
    pub pinned: Option<Pinned>,
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
    /// `tags:` of the agent.
    pub tags: Vec<String>,
    prepared: Arc<Prepared>,
    program: ProgramRef,
    profile: Profile,
    locale: Locale,
    toolbox: Arc<Toolbox>,
    client: Client,
    secrets: Arc<dyn Secrets>,
    recordings: Arc<Recordings>,
    knowledge: Arc<Knowledge>,
}

/// What a call of an agent runs, so that it can be told later, and found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Whose it is.
    pub org: OrgId,
    /// The agent.
    pub agent: AgentId,
    /// Its name in addresses.
    pub slug: String,
    /// The release and its number; none: the draft.
    pub release: Option<(ReleaseId, i64)>,
    /// The hash of the bundle.
    pub bundle: String,
    /// The profile in which it runs.
    pub profile: String,
    /// Its revision.
    pub profile_revision: i64,
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
    /// Hosts and networks that are not public and that every agent may ask.
    pub allow_private: Vec<String>,
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

/// Prepares the agents of a compiled project.
pub fn load(project: &Project, compiled: Compiled, options: &Options) -> Loaded {
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
    let recordings = compiled.manifest.iter().flat_map(|manifest| &manifest.recordings);
    let recordings: HashMap<String, PathBuf> =
        recordings.map(|(name, recording)| (name.clone(), project.root.join(&recording.file))).collect();
    let program = Arc::new(compiled.program);
    let mocked =
        |name: &str| !options.no_mocks && profile.as_ref().is_some_and(|p| p.mocks.contains_key(name));
    let knowledge = Arc::new(Knowledge::of_files(project, &program, mocked)?);
    let mut ready = Vec::new();
    for (_, agent) in agents::own_agents(&program) {
        let agent = Ingredients {
            program: Arc::clone(&program),
            part: agent.name.clone(),
            entry: project.entry.clone(),
            shown: project.shown(),
            pinned: None,
            profile: profile.clone().unwrap_or_else(nothing),
            defaults: DefaultModels::default(),
            secrets: models::secrets(project, profile.as_ref()),
            recordings: recordings.clone(),
            knowledge: Arc::clone(&knowledge),
            trusted: true,
        };
        ready.push(Arc::new(agent.prepare(options)?));
    }
    if ready.is_empty() {
        bail!("{} has no agent", project.shown());
    }
    Ok(Bundle { agents: ready, texts, folders })
}

/// A profile that says nothing.
pub(crate) fn nothing() -> Profile {
    Profile {
        env: IndexMap::new(),
        secrets: IndexMap::new(),
        allow_private: Vec::new(),
        inputs: IndexMap::new(),
        mocks: IndexMap::new(),
        place: Place { file: FileId(0), span: Span::at(0) },
    }
}

/// What an agent is made of.
pub(crate) struct Ingredients {
    pub(crate) program: Arc<Program>,
    /// Its name in the program.
    pub(crate) part: String,
    pub(crate) entry: String,
    /// What logs call the program.
    pub(crate) shown: String,
    pub(crate) pinned: Option<Pinned>,
    pub(crate) profile: Profile,
    /// For agents that name no models.
    pub(crate) defaults: DefaultModels,
    pub(crate) secrets: Arc<dyn Secrets>,
    /// Files of recordings by name.
    pub(crate) recordings: HashMap<String, PathBuf>,
    pub(crate) knowledge: Arc<Knowledge>,
    /// Whether it comes from this machine's operator: it may start commands, and ask what its own
    /// settings allow.
    pub(crate) trusted: bool,
}

impl Ingredients {
    /// The agent.
    pub(crate) fn prepare(self, options: &Options) -> anyhow::Result<Agent> {
        let found = self.program.agent(&self.part).and_then(|id| self.program.agents.get(id));
        let Some(agent) = found else { bail!("the program has no agent `{}`", self.part) };
        let url = options.wanted.llm_url.as_deref();
        let own: &[String] = if self.trusted { &self.profile.allow_private } else { &[] };
        let allowed: Vec<&str> = own.iter().chain(&options.allow_private).map(String::as_str).collect();
        let reach = if self.trusted {
            Reach { client: models::client_for(&allowed, url)?, near: models::near()? }
        } else {
            let client = models::guarded(&allowed, url)?;
            Reach { near: client.clone(), client }
        };
        let env = self.profile.env.clone();
        let locale = agent.locale();
        let toolbox = Toolbox::new(
            Arc::clone(&self.program),
            reach.client.clone(),
            Arc::clone(&self.secrets),
            env,
            locale,
        );
        let mut profile = self.profile;
        if !self.trusted {
            profile.allow_private.clear();
        }
        if options.no_mocks {
            profile.mocks.clear();
        }
        Ok(Agent {
            chosen: choice::choose(
                &self.program,
                agent,
                &options.wanted,
                &self.defaults,
                &reach,
                &self.secrets,
            )?,
            inputs: inputs(agent, &profile),
            channels: agent.channels.clone(),
            outbound: agent.groups.contains_key("outbound"),
            languages: agent.languages.clone(),
            tags: agent.tags.clone(),
            prepared: Prepared::new(Arc::clone(&self.program)),
            program: ProgramRef { path: self.shown, hash: wire::content_hash(&self.program) },
            name: self.part,
            entry: self.entry,
            pinned: self.pinned,
            profile,
            locale,
            toolbox: Arc::new(toolbox),
            client: reach.client,
            secrets: self.secrets,
            recordings: recordings::of(self.recordings),
            knowledge: self.knowledge,
        })
    }
}

fn inputs(agent: &program::Agent, profile: &Profile) -> Vec<Input> {
    let given = |name: &str| profile.inputs.contains_key(name);
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
        start.env = self.profile.env.clone();
        start.models.clone_from(&self.chosen.llm);
        let whole = self.knowledge.whole().iter();
        let whole = whole.filter(|(key, _)| !self.profile.mocks.contains_key(name_of(key)));
        start.knowledge = whole.map(|(key, text)| (key.clone(), Arc::clone(text))).collect();
        let agent = program.agent(&self.name).and_then(|id| program.agents.get(id));
        let Some(agent) = agent else { bail!("there is no agent `{}`", self.name) };
        start.inputs = agents::inputs(program, agent, Some(&self.profile), given)?;
        let call = LoggedCall::new(Arc::clone(&self.prepared), &self.name, start);
        let call = call.map_err(|error| agents::hint_inputs(error, &self.name))?;
        Ok(call.with_program(self.program.clone()))
    }

    /// The tools of one call.
    pub fn tools(&self) -> Tools {
        let mocks = Mocks::new(&self.profile.mocks);
        let (program, real) = (Arc::clone(self.prepared.program()), Arc::clone(&self.toolbox));
        Tools::new(program, self.locale, Some(mocks), real, Arc::clone(&self.knowledge))
    }

    /// Its knowledge.
    pub fn knowledge(&self) -> &Arc<Knowledge> {
        &self.knowledge
    }

    /// What is wrong with inputs that were given: the name of each, and why.
    pub fn faults(&self, given: &[(String, Json)]) -> Vec<(String, String)> {
        let program = self.prepared.program();
        let agent = program.agent(&self.name).and_then(|id| program.agents.get(id));
        agent.map_or_else(Vec::new, |agent| agents::faults(program, agent, &self.inputs, given))
    }

    /// The guarded client of what it asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its program, prepared for calls.
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.prepared
    }

    /// Its recordings.
    pub fn recordings(&self) -> Arc<Recordings> {
        Arc::clone(&self.recordings)
    }

    /// Secrets of its profile, and of the environment.
    pub fn secrets(&self) -> &dyn Secrets {
        &*self.secrets
    }

    /// Private addresses that its profile lets it ask, if that is the operator's own.
    pub fn allow_private(&self) -> &[String] {
        &self.profile.allow_private
    }

    /// What its tools are called with.
    #[cfg(test)]
    pub(crate) fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// The content hash of its program.
    pub fn hash(&self) -> &str {
        &self.program.hash
    }
}
