//! From rows to an agent that can take calls.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use dgh_compile::Manifest;
use dgh_compile::manifest::Profile as BundleProfile;
use dgh_ir::{Program, wire};
use dgh_net::Secrets;
use dgh_store::agents::profiles::Profile;
use dgh_store::agents::releases::Release;
use dgh_store::agents::{Agent as Row, blobs, bundles, releases};
use dgh_store::{Conn, Db, OrgId};
use tempfile::NamedTempFile;

use super::error::{BundleError, Findings};
use super::profiles::Settings;
use super::publish::{blocking, compile, texts};
use super::source::part_of;
use crate::deployment::{Ingredients, Options, Pinned, nothing};
use crate::secrets::{ProfileSecrets, WithFallback};
use crate::{Agent, Knowledge, Project, models};

/// What is to be loaded.
pub(super) struct Wanted {
    pub(super) db: Db,
    pub(super) org: OrgId,
    pub(super) row: Row,
    /// None: the draft.
    pub(super) release: Option<Release>,
    pub(super) profile: Profile,
    pub(super) secrets: Arc<ProfileSecrets>,
    /// Where its files stand on this machine, for an agent of the operator's own.
    pub(super) root: Option<PathBuf>,
    pub(super) trusted: bool,
}

/// Loads and prepares it. Files of recordings are kept in `cache`.
pub(super) async fn load(
    conn: &mut Conn,
    wanted: Wanted,
    cache: &Path,
    options: &Options,
) -> Result<Agent, BundleError> {
    let Wanted { db, org, row, release, profile, secrets, root, trusted } = wanted;
    let bundle = release.as_ref().map_or(row.draft.clone(), |release| release.bundle.clone());
    let files = texts(conn, &org, &bundle).await?;
    let (program, manifest, entry, part) = match &release {
        Some(release) => {
            let bytes = releases::program(conn, &org, &release.id).await?;
            let read = blocking(move || wire::from_bytes(&bytes)).await?;
            let program: Program = read.map_err(BundleError::system)?;
            (program, files.manifest(), release.entry.clone(), release.part.clone())
        }
        None => {
            let (entry, compiled) = compile(files, row.entry.clone(), None).await?;
            if compiled.has_errors() {
                return Err(BundleError::Findings(Box::new(Findings::of(&compiled))));
            }
            let part = part_of(&compiled.program, row.part.as_deref())?;
            (compiled.program, compiled.manifest, entry, part)
        }
    };
    let knowledge = knowledge(conn, &db, &org, (&bundle, release.as_ref()), &program).await?;
    let recordings = recordings(conn, &org, &bundle, manifest.as_ref(), cache).await?;
    let settings = Settings::of(&profile)?;
    let mut here =
        manifest.as_ref().and_then(|m| m.profiles.get(&profile.name).cloned()).unwrap_or_else(nothing);
    here.env.extend(settings.env);
    let project = root.map(|root| Project { root, entry: entry.clone(), named: true });
    let pinned = Pinned {
        org,
        agent: row.id,
        slug: row.slug.clone(),
        release: release.as_ref().map(|release| (release.id.clone(), release.number)),
        bundle,
        profile: profile.name,
        profile_revision: profile.revision,
    };
    let ingredients = Ingredients {
        program: Arc::new(program),
        shown: project.as_ref().map_or_else(|| row.slug.clone(), Project::shown),
        part,
        entry,
        pinned: Some(pinned),
        secrets: secrets_of(secrets, trusted, project.as_ref(), &here),
        profile: here,
        defaults: settings.models,
        recordings,
        knowledge: Arc::new(knowledge),
        trusted,
    };
    let options = options.clone();
    blocking(move || ingredients.prepare(&options)).await?.map_err(BundleError::Unusable)
}

/// What it knows: a release, what it was published with; a draft, the files of its bundle.
async fn knowledge(
    conn: &mut Conn,
    db: &Db,
    org: &OrgId,
    (bundle, release): (&str, Option<&Release>),
    program: &Program,
) -> Result<Knowledge, BundleError> {
    if program.knowledge.iter().next().is_none() {
        return Ok(Knowledge::default());
    }
    match release {
        Some(release) => Ok(crate::knowledge::published(conn, db, org, &release.id, program).await?),
        None => {
            let files = crate::knowledge::files_of(conn, org, bundle, program).await?;
            let program = program.clone();
            let read = blocking(move || Knowledge::of_files(&files, &program, |_| false)).await?;
            read.map_err(BundleError::Unusable)
        }
    }
}

/// Secrets of the store; behind them, for what the operator wrote, those of the environment.
fn secrets_of(
    stored: Arc<ProfileSecrets>,
    trusted: bool,
    project: Option<&Project>,
    profile: &BundleProfile,
) -> Arc<dyn Secrets> {
    if !trusted {
        return stored;
    }
    let nowhere = Project { root: PathBuf::new(), entry: String::new(), named: true };
    let then = models::secrets(project.unwrap_or(&nowhere), Some(profile));
    Arc::new(WithFallback { first: stored, then })
}

/// The files of the recordings, on this disk.
async fn recordings(
    conn: &mut Conn,
    org: &OrgId,
    bundle: &str,
    manifest: Option<&Manifest>,
    cache: &Path,
) -> Result<HashMap<String, PathBuf>, BundleError> {
    let mut found = HashMap::new();
    let Some(manifest) = manifest.filter(|manifest| !manifest.recordings.is_empty()) else {
        return Ok(found);
    };
    let files = bundles::files(conn, org, bundle).await?;
    for (name, recording) in &manifest.recordings {
        let Some(file) = files.iter().find(|file| file.path == recording.file) else { continue };
        let path = cache.join(org.as_str()).join(&file.blob);
        if !path.exists() {
            let content = blobs::get(conn, org, &file.blob).await?;
            let to = path.clone();
            blocking(move || keep(&to, &content)).await?.map_err(BundleError::System)?;
        }
        found.insert(name.clone(), path);
    }
    Ok(found)
}

/// Writes a file that is there whole or not at all.
fn keep(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(writing)?;
    let mut file = NamedTempFile::new_in(folder).with_context(writing)?;
    file.write_all(content).with_context(writing)?;
    file.persist(path).with_context(writing)?;
    Ok(())
}
