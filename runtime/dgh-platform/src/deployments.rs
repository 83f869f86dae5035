//! What is served now, and what takes its place when a file is saved.
//!
//! A reload never takes away what works: a project with errors keeps the agents it had, and whoever
//! serves is told what is wrong. Calls hold the agent that they began with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dgh_compile::Compiled;
use indexmap::IndexMap;

use crate::Project;
use crate::deployment::{self, Agent, Bundle, Loaded, Options};

/// Agents by their names in addresses.
#[derive(Clone, Default)]
pub struct Deployment {
    agents: IndexMap<String, Arc<Agent>>,
    /// Projects whose files have errors now; older agents of theirs may be served.
    pub broken: Vec<String>,
}

impl Deployment {
    /// The agent of this name.
    pub fn get(&self, id: &str) -> Option<&Arc<Agent>> {
        self.agents.get(id)
    }

    /// All agents with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Agent>)> {
        self.agents.iter().map(|(id, agent)| (id.as_str(), agent))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }
}

/// What is told when files were read.
pub enum Told<'a> {
    /// A project is served anew; the first time, or because it changed.
    Serves(&'a Project, &'a [Arc<Agent>]),
    /// It has errors, and what it served before goes on.
    Broken(&'a Project, &'a Compiled),
    /// It cannot be served.
    Unusable(&'a Project, &'a anyhow::Error),
    /// It is gone.
    Gone(&'a str),
}

/// The current deployment of a path.
pub struct Deployments {
    path: PathBuf,
    options: Options,
    current: RwLock<Arc<Deployment>>,
    /// By what [`Project::shown`] says. One reload at a time.
    known: Mutex<HashMap<String, Known>>,
}

/// What is known of a project.
#[derive(Default)]
struct Known {
    bundle: Option<Bundle>,
    folders: Vec<PathBuf>,
    broken: bool,
}

impl Deployments {
    /// Nothing yet of the agents under a path.
    pub fn new(path: &Path, options: Options) -> Self {
        Self { path: path.to_path_buf(), options, current: RwLock::default(), known: Mutex::default() }
    }

    /// What is served now.
    pub fn current(&self) -> Arc<Deployment> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again, and serves what changed. Blocks while it compiles.
    pub fn reload(&self, mut tell: impl FnMut(Told<'_>)) -> anyhow::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let projects = Project::find(&self.path)?;
        let names: Vec<String> = projects.iter().map(Project::shown).collect();
        let gone: Vec<String> = known.keys().filter(|name| !names.contains(name)).cloned().collect();
        known.retain(|name, _| names.contains(name));
        let mut changed = Vec::new();
        for (project, name) in projects.iter().zip(&names) {
            let known = known.entry(name.clone()).or_default();
            let loaded = deployment::load(project, &self.options);
            if known.take(project, &loaded) {
                changed.push((project, loaded));
            }
        }
        let deployment = Arc::new(named(&projects, &names, &known));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = deployment;
        // Whoever hears of it finds it so.
        for name in &gone {
            tell(Told::Gone(name));
        }
        for (project, loaded) in &changed {
            let (result, told) = match loaded {
                Loaded::Ready(bundle) => ("ok", Told::Serves(project, &bundle.agents)),
                Loaded::Broken(compiled) => ("broken", Told::Broken(project, compiled)),
                Loaded::Unusable(error) => ("unusable", Told::Unusable(project, error)),
            };
            metrics::counter!("dgh_reloads_total", "result" => result).increment(1);
            tell(told);
        }
        Ok(())
    }

    /// The folders whose files matter.
    pub fn folders(&self) -> Vec<PathBuf> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<PathBuf> = known.values().flat_map(|known| known.folders.iter().cloned()).collect();
        all.extend(self.path.is_dir().then(|| self.path.clone()));
        all.sort();
        all.dedup();
        all
    }
}

impl Known {
    /// Takes in what was read. Answers whether there is something to tell.
    fn take(&mut self, project: &Project, loaded: &Loaded) -> bool {
        match loaded {
            Loaded::Ready(bundle) => {
                self.folders.clone_from(&bundle.folders);
                let same = self.bundle.as_ref().is_some_and(|old| old.texts == bundle.texts);
                if !same {
                    self.bundle = Some(bundle.clone());
                }
                std::mem::replace(&mut self.broken, false) || !same
            }
            Loaded::Broken(compiled) => {
                self.folders = deployment::folders(project, compiled);
                self.broken = true;
                true
            }
            Loaded::Unusable(_) => {
                self.folders = vec![project.root.clone()];
                self.broken = true;
                true
            }
        }
    }
}

/// Gives every agent a name of its own: its name in the program, with its folder's before it where
/// several have the same.
fn named(projects: &[Project], names: &[String], known: &HashMap<String, Known>) -> Deployment {
    let served = || {
        projects.iter().zip(names).flat_map(|(project, name)| {
            let bundle = known.get(name).and_then(|known| known.bundle.as_ref());
            bundle.into_iter().flat_map(move |bundle| bundle.agents.iter().map(move |agent| (project, agent)))
        })
    };
    let mut count: HashMap<&str, usize> = HashMap::new();
    for (_, agent) in served() {
        *count.entry(&agent.name).or_default() += 1;
    }
    let mut agents: IndexMap<String, Arc<Agent>> = IndexMap::new();
    for (project, agent) in served() {
        let alone = count.get(agent.name.as_str()).is_none_or(|count| *count == 1);
        let base = if alone { agent.name.clone() } else { format!("{}-{}", folder(project), agent.name) };
        let free = |id: &String| !agents.contains_key(id);
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let id = std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base.clone());
        agents.insert(id, Arc::clone(agent));
    }
    let mut broken: Vec<String> =
        known.iter().filter(|(_, known)| known.broken).map(|(name, _)| name.clone()).collect();
    broken.sort();
    Deployment { agents, broken }
}

/// The name of a project's folder, as far as an address takes it.
fn folder(project: &Project) -> String {
    let root = std::fs::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
    let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests;
