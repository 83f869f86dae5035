//! Publishing: a draft is compiled, kept as a release, and answers from then on.

use std::sync::Arc;

use dgh_compile::Compiled;
use dgh_ir::{Needs, Program, wire};
use dgh_store::agents::releases::{self, Release};
use dgh_store::agents::traffic::{self, Share};
use dgh_store::agents::{self, Agent, bundles, secrets};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, Db, OrgId, ReleaseId};
use serde_json::{Value as Json, json};

use super::drafts::author;
use super::error::{BundleError, Findings};
use super::profiles::{self, Settings};
use super::source::{Texts, part_of};
use super::traffic as split;
use crate::knowledge::{self, Gathered, Gathering};
use crate::models;

/// Letters of a note.
const MAX_NOTE: usize = 2_000;
/// The channel on which nodes hear that agents, profiles or secrets changed.
pub(super) const CHANNEL: &str = "dgh_agents";

/// What somebody wants to be published.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The hash of the draft that they looked at; none: whatever it is.
    pub draft: Option<String>,
    /// What they say of it.
    pub note: String,
    /// Where it answers; none: where the agent's own name is answered.
    pub profile: Option<String>,
    /// How many of a hundred callers it answers. 0: it is kept, and answers nobody yet.
    pub percent: i64,
    /// Whether it comes from a folder of this machine's operator.
    pub trusted: bool,
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// The release.
    pub release: Release,
    /// Who answers in its profile now.
    pub traffic: Vec<Share>,
    /// What the compiler says that is no error, as JSON.
    pub report: Json,
    /// Secrets that it names and the profile does not have.
    pub missing_secrets: Vec<String>,
}

/// What a draft would become.
pub struct Checked {
    /// As `dgh check --json` prints it.
    pub report: Json,
    /// How many errors there are.
    pub errors: usize,
    /// The hash of the draft.
    pub draft: String,
}

/// Compiles a draft and changes nothing.
pub async fn check(db: &Db, org: &OrgId, slug: &str) -> Result<Checked, BundleError> {
    let mut conn = db.read().acquire().await.map_err(dgh_store::StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    let last = last_program(&mut conn, org, &agent, &agent.profile).await?;
    let texts = texts(&mut conn, org, &agent.draft).await?;
    drop(conn);
    let (_, compiled) = compile(texts, agent.entry.clone(), last).await?;
    let Findings { report, errors } = Findings::of(&compiled);
    Ok(Checked { report, errors, draft: agent.draft })
}

/// A draft that compiled, and is not published yet.
pub struct Compilation {
    agent: Agent,
    wish: Wish,
    profile: String,
    entry: String,
    part: String,
    compiled: Compiled,
    program: Vec<u8>,
    hash: String,
    documents: Vec<Gathered>,
}

/// Publishes a draft. Nothing of it happens when the draft has errors, or changes in the meantime.
pub async fn publish(
    db: &Db,
    org: &OrgId,
    slug: &str,
    wish: Wish,
    by: &Actor,
    now: i64,
) -> Result<Published, BundleError> {
    let compilation = compile_draft(db, org, slug, wish).await?;
    let mut tx = db.begin().await?;
    let published = compilation.publish(&mut tx, org, by, now).await?;
    tx.commit().await.map_err(dgh_store::StoreError::from)?;
    hint(db, org, slug).await;
    Ok(published)
}

/// The first half of publishing, which takes long and writes nothing.
pub async fn compile_draft(db: &Db, org: &OrgId, slug: &str, wish: Wish) -> Result<Compilation, BundleError> {
    if wish.note.chars().count() > MAX_NOTE {
        return Err(BundleError::invalid("note", format!("a note has at most {MAX_NOTE} characters")));
    }
    if !(0..=100).contains(&wish.percent) {
        return Err(BundleError::invalid("percent", "a share is 0 to 100"));
    }
    let mut conn = db.read().acquire().await.map_err(dgh_store::StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    if wish.draft.as_ref().is_some_and(|draft| *draft != agent.draft) {
        return Err(BundleError::Stale { current: agent.draft });
    }
    let profile = wish.profile.clone().unwrap_or_else(|| agent.profile.clone());
    // Whoever saves a file while they work on an agent renames nodes as they like.
    let last = if wish.trusted { None } else { last_program(&mut conn, org, &agent, &profile).await? };
    let files = texts(&mut conn, org, &agent.draft).await?;
    drop(conn);
    let (entry, compiled) = compile(files, agent.entry.clone(), last).await?;
    if compiled.has_errors() {
        return Err(BundleError::Findings(Box::new(Findings::of(&compiled))));
    }
    let part = part_of(&compiled.program, agent.part.as_deref())?;
    let (compiled, program, hash) = blocking(move || {
        let (program, hash) = (wire::to_bytes(&compiled.program), wire::content_hash(&compiled.program));
        (compiled, program, hash)
    })
    .await?;
    let documents = documents(db, org, &agent.draft, (&compiled, &profile), wish.trusted).await?;
    Ok(Compilation { agent, wish, profile, entry, part, compiled, program, hash, documents })
}

impl Compilation {
    /// The second half: the release, its traffic and what is written down of it, in one transaction.
    pub async fn publish(
        self,
        conn: &mut Conn,
        org: &OrgId,
        by: &Actor,
        now: i64,
    ) -> Result<Published, BundleError> {
        let Self { agent, wish, profile, entry, part, compiled, program, hash, documents } = self;
        // Somebody may have written a draft while this one compiled.
        let current = agents::find(conn, org, &agent.slug).await?.draft;
        if current != agent.draft {
            return Err(BundleError::Stale { current });
        }
        let found = profiles::find_or_make(conn, org, &profile, now).await?;
        let missing_secrets = provided(conn, org, &compiled, &found, &wish).await?;
        let release = Release {
            id: ReleaseId::fresh(),
            agent: agent.id.clone(),
            number: agents::next_release(conn, org, &agent.id, now).await?,
            bundle: agent.draft.clone(),
            entry,
            part,
            program_hash: hash,
            compiler: env!("CARGO_PKG_VERSION").to_owned(),
            profile: profile.clone(),
            profile_revision: found.revision,
            trusted: i64::from(wish.trusted),
            author: author(by),
            note: wish.note,
            created_at: now,
        };
        releases::insert(conn, org, &release, &program).await?;
        knowledge::keep(conn, org, &release.id, &documents, now).await?;
        let detail = json!({
            "slug": agent.slug, "release": release.number, "profile": profile, "percent": wish.percent,
            "bundle": release.bundle, "note": release.note,
        });
        audit::write(conn, org, by, "agent.publish", agent.id.as_str(), &detail, now).await?;
        let before = traffic::of(conn, org, &agent.id, &profile).await?;
        let traffic = match wish.percent {
            0 => before,
            percent => {
                let shares = split::with(&before, release.number, percent)?;
                split::set(conn, org, &agent, &profile, &shares, by, now).await?
            }
        };
        let report = Findings::of(&compiled).report;
        Ok(Published { release, traffic, report, missing_secrets })
    }
}

/// The documents of its knowledge, read. That takes long, so no transaction waits for it.
async fn documents(
    db: &Db,
    org: &OrgId,
    bundle: &str,
    (compiled, profile): (&Compiled, &str),
    trusted: bool,
) -> Result<Vec<Gathered>, BundleError> {
    if compiled.program.knowledge.iter().next().is_none() {
        return Ok(Vec::new());
    }
    let mut conn = db.read().acquire().await.map_err(dgh_store::StoreError::from)?;
    let of_bundle = compiled.manifest.as_ref().and_then(|manifest| manifest.profiles.get(profile));
    let mut env = of_bundle.map(|profile| profile.env.clone()).unwrap_or_default();
    match dgh_store::agents::profiles::find(&mut conn, org, profile).await {
        Ok(found) => env.extend(Settings::of(&found)?.env),
        Err(dgh_store::StoreError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let allowed =
        of_bundle.filter(|_| trusted).map(|profile| profile.allow_private.clone()).unwrap_or_default();
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    let client = models::guarded(&allowed, None).map_err(BundleError::Unusable)?;
    let what = Gathering { org, bundle, program: &compiled.program, env: &env, client: &client };
    knowledge::gather(&mut conn, what).await.map_err(BundleError::Unusable)
}

/// Tells the nodes that something of an agent or a profile changed. They would find it anyway, with
/// the next call.
pub async fn hint(db: &Db, org: &OrgId, what: &str) {
    if let Err(error) = db.notify(CHANNEL, &format!("{org} {what}")).await {
        tracing::debug!(%error, "nobody was told of a change");
    }
}

/// Refuses a profile that lacks values. Answers which secrets it lacks: they may be set later.
async fn provided(
    conn: &mut Conn,
    org: &OrgId,
    compiled: &Compiled,
    profile: &dgh_store::agents::profiles::Profile,
    wish: &Wish,
) -> Result<Vec<String>, BundleError> {
    let needs = Needs::of(&compiled.program);
    let settings = Settings::of(profile)?;
    let of_bundle = compiled.manifest.as_ref().and_then(|manifest| manifest.profiles.get(&profile.name));
    let has = |name: &String| {
        settings.env.contains_key(name) || of_bundle.is_some_and(|profile| profile.env.contains_key(name))
    };
    let lacking: Vec<String> =
        needs.env.iter().filter(|name| !has(name)).map(|n| format!("`env.{n}`")).collect();
    if !lacking.is_empty() {
        let why = format!(
            "the profile `{}` has no {}; set it there, or under `[profiles.{}.env]` of dgh.toml",
            profile.name,
            lacking.join(", "),
            profile.name
        );
        return Err(BundleError::invalid("profile", why));
    }
    if wish.trusted {
        return Ok(Vec::new());
    }
    let sealed = secrets::sealed(conn, org, &profile.id).await?;
    let is_set = |name: &String| sealed.iter().any(|secret| secret.name == *name);
    Ok(needs.secrets.into_iter().filter(|name| !is_set(name)).collect())
}

/// The program that answers most callers in a profile now.
async fn last_program(
    conn: &mut Conn,
    org: &OrgId,
    agent: &Agent,
    profile: &str,
) -> Result<Option<Arc<Program>>, BundleError> {
    let shares = traffic::of(conn, org, &agent.id, profile).await?;
    let Some(most) = shares.iter().max_by_key(|share| (share.percent, share.number)) else { return Ok(None) };
    let bytes = releases::program(conn, org, &most.release).await?;
    let read = blocking(move || wire::from_bytes(&bytes)).await?;
    // A program that this version cannot read any more is no reason to refuse a new one.
    Ok(read.map_err(|error| tracing::warn!(%error, "the last release cannot be read")).ok().map(Arc::new))
}

/// The files of a bundle that the compiler reads, and the names of all.
pub(super) async fn texts(conn: &mut Conn, org: &OrgId, bundle: &str) -> Result<Texts, BundleError> {
    let texts = bundles::texts(conn, org, bundle).await?.into_iter().collect();
    let paths = bundles::files(conn, org, bundle).await?.into_iter().map(|file| file.path).collect();
    Ok(Texts { texts, paths })
}

pub(super) async fn compile(
    texts: Texts,
    entry: Option<String>,
    last: Option<Arc<Program>>,
) -> Result<(String, Compiled), BundleError> {
    let entry = texts.entry(entry.as_deref())?;
    let named = entry.clone();
    Ok((entry, blocking(move || texts.compile(&named, last.as_deref())).await?))
}

/// What takes long does not hold up others.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BundleError> {
    tokio::task::spawn_blocking(work).await.map_err(BundleError::system)
}
