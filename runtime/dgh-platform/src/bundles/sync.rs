//! Agents from a folder on disk: what is saved there is a draft, and published when it compiles.
//!
//! The folder is the truth for its agents, and writes them as everybody else does. A save never takes
//! away what works: with errors in it the last release goes on. An agent whose files are gone is put
//! away; its releases stay.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use dgh_compile::Compiled;
use dgh_store::agents::{self, Agent as Row, releases, traffic};
use dgh_store::audit::Actor;
use dgh_store::{Conn, OrgId, StoreError};

use super::agents::{Agents, Version};
use super::drafts::{self, About, Content, MAX_SLUG, NewAgent};
use super::error::BundleError;
use super::files::{self, Listing};
use super::folder;
use super::profiles;
use super::publish::{Wish, blocking, publish};
use crate::deployment::{self, Loaded, Options};
use crate::{Agent, Project};

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

/// A folder whose agents are served, for an organisation.
pub struct Folder {
    agents: Arc<Agents>,
    org: OrgId,
    path: PathBuf,
    /// By what [`Project::shown`] says. One sync at a time.
    known: tokio::sync::Mutex<HashMap<String, Known>>,
    folders: Mutex<Vec<PathBuf>>,
}

/// What is known of a project.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Names of its agents in the program, when it last compiled.
    parts: Vec<String>,
    texts: Option<u64>,
    folders: Vec<PathBuf>,
    broken: bool,
}

/// A project that was read.
struct Read {
    project: Project,
    shown: String,
    loaded: Loaded,
    /// The files of its bundle, of one that can be served.
    files: BTreeMap<String, Vec<u8>>,
    /// The profile that it is served in.
    profile: String,
}

impl Folder {
    /// Nothing yet of the agents under a path.
    pub fn new(agents: Arc<Agents>, org: OrgId, path: &Path) -> Arc<Self> {
        let (known, folders) = (tokio::sync::Mutex::default(), Mutex::default());
        Arc::new(Self { agents, org, path: path.to_path_buf(), known, folders })
    }

    /// Reads the files again, and serves what changed. Answers how many projects can be served.
    pub async fn sync(&self, mut tell: impl FnMut(Told<'_>)) -> anyhow::Result<usize> {
        let mut known = self.known.lock().await;
        let (path, options) = (self.path.clone(), self.agents.options().clone());
        let mut all = blocking(move || read(&path, &options)).await??;
        let gone: Vec<String> =
            known.keys().filter(|name| all.iter().all(|read| read.shown != **name)).cloned().collect();
        known.retain(|name, _| !gone.contains(name));
        let mut changed = Vec::new();
        for (index, read) in all.iter().enumerate() {
            if known.entry(read.shown.clone()).or_default().take(read) {
                changed.push(index);
            }
        }
        *self.folders.lock().unwrap_or_else(PoisonError::into_inner) = folders(&self.path, &known);
        let names = named(&all, &known);
        self.write(&mut all, &names, &mut known).await?;
        self.put_away(&names, &known).await?;
        let mut broken: Vec<String> =
            known.iter().filter(|(_, known)| known.broken).map(|(name, _)| name.clone()).collect();
        broken.sort();
        self.agents.set_broken(broken);
        // Whoever hears of it finds it so.
        for name in &gone {
            tell(Told::Gone(name));
        }
        for index in changed {
            let Some(read) = all.get(index) else { continue };
            let (result, told) = match &read.loaded {
                Loaded::Ready(bundle) => ("ok", Told::Serves(&read.project, &bundle.agents)),
                Loaded::Broken(compiled) => ("broken", Told::Broken(&read.project, compiled)),
                Loaded::Unusable(error) => ("unusable", Told::Unusable(&read.project, error)),
            };
            metrics::counter!("dgh_reloads_total", "result" => result).increment(1);
            tell(told);
        }
        Ok(all.iter().filter(|read| matches!(read.loaded, Loaded::Ready(_))).count())
    }

    /// The folders whose files matter.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the drafts of what compiles, and publishes them. What cannot be is unusable from then on.
    async fn write(
        &self,
        all: &mut [Read],
        names: &[(String, String, String)],
        known: &mut HashMap<String, Known>,
    ) -> Result<(), BundleError> {
        for read in all.iter_mut() {
            if !matches!(read.loaded, Loaded::Ready(_)) {
                continue;
            }
            let own = names.iter().filter(|(shown, ..)| *shown == read.shown);
            for (_, part, slug) in own {
                match self.write_one(read, part, slug).await {
                    Ok(()) => {}
                    Err(error @ BundleError::Store(StoreError::Unavailable(_))) => return Err(error),
                    Err(error) => {
                        if let Some(known) = known.get_mut(&read.shown) {
                            known.broken = true;
                        }
                        read.loaded = Loaded::Unusable(error.into());
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn write_one(&self, read: &Read, part: &str, slug: &str) -> Result<(), BundleError> {
        let platform = self.agents.platform();
        let (by, now) = (Actor::server(), platform.now());
        let mut tx = platform.db.begin().await?;
        let mut row = self.row(&mut tx, read, part, slug, now).await?;
        self.agents.set_folder(&row.id, &read.project.root);
        let listing: Listing = read
            .files
            .iter()
            .map(|(path, bytes)| {
                (path.clone(), (files::sha256(bytes), i64::try_from(bytes.len()).unwrap_or(i64::MAX)))
            })
            .collect();
        if files::hash(&listing) != row.draft {
            let content = |(path, bytes): (&String, &Vec<u8>)| (path.clone(), Content::Bytes(bytes.clone()));
            let sent = read.files.iter().map(content).collect();
            let written = drafts::put(&mut tx, &self.org, &row, &row.draft, sent, &by, now).await?;
            row.draft.clone_from(&written.hash);
        }
        let serves = self.serves(&mut tx, &row, read).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if serves {
            return Ok(());
        }
        let wish = Wish {
            draft: Some(row.draft),
            note: String::new(),
            profile: Some(read.profile.clone()),
            percent: 100,
            trusted: true,
        };
        publish(&platform.db, &self.org, slug, wish, &by, now).await?;
        Ok(())
    }

    /// The row of an agent of the folder, made or taken out again when it is not there.
    async fn row(
        &self,
        conn: &mut Conn,
        read: &Read,
        part: &str,
        slug: &str,
        now: i64,
    ) -> Result<Row, BundleError> {
        profiles::make(conn, &self.org, &read.profile, now).await?;
        let by = Actor::server();
        let entry = Some(read.project.entry.clone());
        match agents::find(conn, &self.org, slug).await {
            Ok(row) => {
                let same =
                    row.entry == entry && row.part.as_deref() == Some(part) && row.profile == read.profile;
                if same && row.source == "folder" {
                    return Ok(row);
                }
                if row.source != "folder" {
                    let mut row = row;
                    "folder".clone_into(&mut row.source);
                    agents::set_about(conn, &self.org, &row, now).await?;
                }
                let about = About {
                    name: None,
                    entry: Some(entry),
                    part: Some(Some(part.to_owned())),
                    profile: Some(read.profile.clone()),
                };
                drafts::describe(conn, &self.org, slug, about, &by, now).await
            }
            Err(StoreError::NotFound { .. }) => {
                let new = NewAgent {
                    slug: slug.to_owned(),
                    name: Some(part.to_owned()),
                    entry,
                    part: Some(part.to_owned()),
                    profile: read.profile.clone(),
                    source: "folder",
                };
                drafts::create(conn, &self.org, new, &by, now).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the draft is what answers in its profile already.
    async fn serves(&self, conn: &mut Conn, row: &Row, read: &Read) -> Result<bool, BundleError> {
        let shares = traffic::of(conn, &self.org, &row.id, &read.profile).await?;
        let [share] = shares.as_slice() else { return Ok(false) };
        let release = releases::find_by_id(conn, &self.org, &share.release).await?;
        Ok(release.bundle == row.draft
            && release.trusted == 1
            && release.compiler == env!("CARGO_PKG_VERSION")
            && Some(&release.entry) == row.entry.as_ref()
            && Some(&release.part) == row.part.as_ref())
    }

    /// Puts agents away whose files are gone. As long as a project was never understood, nobody knows
    /// which agents it has.
    async fn put_away(
        &self,
        names: &[(String, String, String)],
        known: &HashMap<String, Known>,
    ) -> Result<(), BundleError> {
        if known.values().any(|known| known.broken && known.parts.is_empty()) {
            return Ok(());
        }
        let platform = self.agents.platform();
        let mut tx = platform.db.begin().await?;
        let mut after: Option<String> = None;
        loop {
            let rows = agents::list(&mut tx, &self.org, after.as_deref(), PAGE).await?;
            for row in rows.iter().filter(|row| row.source == "folder") {
                if !names.iter().any(|(_, _, slug)| *slug == row.slug) {
                    drafts::archive(&mut tx, &self.org, &row.slug, &Actor::server(), platform.now()).await?;
                }
            }
            match rows.last() {
                Some(last) if i64::try_from(rows.len()) == Ok(PAGE) => after = Some(last.slug.clone()),
                _ => break,
            }
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Prepares what is served, so that the first call does not wait for it.
    pub async fn warm(&self, slug: &str) -> Result<Arc<Agent>, BundleError> {
        self.agents.resolve(&self.org, slug, &Version::Production, Some(slug)).await
    }
}

/// Agents of a page.
const PAGE: i64 = 200;

/// Reads and compiles everything under a path. Blocks.
fn read(path: &Path, options: &Options) -> anyhow::Result<Vec<Read>> {
    let projects = Project::find(path)?;
    Ok(projects.into_iter().map(|project| read_one(project, options)).collect())
}

fn read_one(project: Project, options: &Options) -> Read {
    let shown = project.shown();
    let compiled = project.compile();
    let profile =
        compiled.manifest.as_ref().and_then(|manifest| manifest.profile(options.profile.as_deref()));
    let profile = profile.map(|(name, _)| name.to_owned()).or_else(|| options.profile.clone());
    let profile = profile.unwrap_or_else(|| profiles::DEV.to_owned());
    let files = folder::of_project(&project, &compiled);
    let loaded = match (deployment::load(&project, compiled, options), &files) {
        (Loaded::Ready(_), Err(error)) => Loaded::Unusable(anyhow::anyhow!("{error:#}")),
        (loaded, _) => loaded,
    };
    Read { project, shown, loaded, files: files.unwrap_or_default(), profile }
}

impl Known {
    /// Takes in what was read. Answers whether there is something to tell.
    fn take(&mut self, read: &Read) -> bool {
        match &read.loaded {
            Loaded::Ready(bundle) => {
                self.folders.clone_from(&bundle.folders);
                self.parts = bundle.agents.iter().map(|agent| agent.name.clone()).collect();
                let same = self.texts.replace(bundle.texts) == Some(bundle.texts);
                std::mem::replace(&mut self.broken, false) || !same
            }
            Loaded::Broken(compiled) => {
                self.folders = deployment::folders(&read.project, compiled);
                self.broken = true;
                true
            }
            Loaded::Unusable(_) => {
                self.folders = vec![read.project.root.clone()];
                self.broken = true;
                true
            }
        }
    }
}

fn folders(path: &Path, known: &HashMap<String, Known>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = known.values().flat_map(|known| known.folders.iter().cloned()).collect();
    all.extend(path.is_dir().then(|| path.to_path_buf()));
    all.sort();
    all.dedup();
    all
}

/// Gives every agent a name of its own: its name in the program, with its folder's before it where
/// several have the same. Project, name in the program, name in addresses.
fn named(all: &[Read], known: &HashMap<String, Known>) -> Vec<(String, String, String)> {
    let parts: Vec<(&Read, &String)> = all
        .iter()
        .flat_map(|read| {
            let parts = known.get(&read.shown).map(|known| known.parts.as_slice()).unwrap_or_default();
            parts.iter().map(move |part| (read, part))
        })
        .collect();
    let mut names: Vec<(String, String, String)> = Vec::new();
    for (read, part) in &parts {
        let alone = parts.iter().filter(|(_, other)| other == part).count() == 1;
        let base = if alone { (*part).clone() } else { format!("{}-{part}", folder_name(&read.project)) };
        let base = slug(&base);
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let free = |slug: &String| !names.iter().any(|(_, _, taken)| taken == slug);
        let slug = std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base.clone());
        names.push((read.shown.clone(), (*part).clone(), slug));
    }
    names
}

/// As far as an address takes it, with room for a number.
fn slug(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    name.chars().map(|c| if fits(c) { c } else { '_' }).take(MAX_SLUG - 6).collect()
}

fn folder_name(project: &Project) -> String {
    let root = std::fs::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
    root.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
