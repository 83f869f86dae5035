//! The one way from a name to an agent that can take calls.
//!
//! What a name leads to is asked of the database each time: that is a handful of rows by their keys.
//! What is found is prepared once for each release, profile revision and change of secrets, and kept
//! while it is asked for. Calls hold the one that they began with.

use std::collections::HashMap;
use std::ops::DerefMut;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use dgh_net::Secrets;
use dgh_store::accounts::orgs;
use dgh_store::agents::profiles::Profile;
use dgh_store::agents::releases::{self, Release};
use dgh_store::agents::sweep::sweep_unscoped;
use dgh_store::agents::{self, Agent as Row, routes, traffic};
use dgh_store::{AgentId, Conn, OrgId, ProfileId, ReleaseId, StoreError};
use tokio::sync::OnceCell;

use super::error::BundleError;
use super::load::{Wanted, load};
use super::profiles::{self, DEV};
use super::publish::CHANNEL;
use super::routes::RouteKind;
use super::traffic::pick;
use crate::secrets::ProfileSecrets;
use crate::{Agent, Options, Platform};

/// Prepared agents that are kept. Each is its program, some hundred KiB for a large one.
const MAX_KEPT: usize = 256;
/// Profiles whose secrets are kept, sealed.
const MAX_PROFILES: usize = 1_024;
/// How long a change of a secret takes at most until calls that go on know it.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Milliseconds between two looks for files that nobody names.
const SWEEP_EVERY: i64 = 3_600_000;
/// Milliseconds for which a draft that was replaced is kept: a week.
const DRAFTS_KEPT: i64 = 7 * 24 * 3_600_000;
/// Milliseconds for which a content waits for a draft that names it: a day.
const BLOBS_KEPT: i64 = 24 * 3_600_000;
/// Files of recordings, in the data folder.
const CACHE_FOLDER: &str = "cache";

/// Which state of an agent is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// The draft, in `dev`.
    Draft,
    /// What callers meet: in `production`, or in the profile of the folder that the agent comes from.
    Production,
    /// What answers in a profile.
    Profile(String),
    /// One release, in the profile that callers meet.
    Release(i64),
}

/// An agent that answers callers, and its name in addresses.
pub type Live = (String, Arc<Agent>);

/// The agents of all organisations.
pub struct Agents {
    platform: Arc<Platform>,
    options: Options,
    kept: Mutex<Kept>,
    secrets: Mutex<HashMap<ProfileId, Arc<ProfileSecrets>>>,
    /// Where agents stand on this machine that are read from a folder.
    folders: RwLock<HashMap<AgentId, PathBuf>>,
    /// Projects of the folder whose files have errors now.
    broken: RwLock<Vec<String>>,
}

/// What an agent is prepared for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    what: What,
    profile: ProfileId,
    revision: i64,
    secrets: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Release(ReleaseId),
    Draft { agent: AgentId, bundle: String, entry: Option<String>, part: Option<String> },
}

#[derive(Default)]
struct Kept {
    agents: HashMap<Key, Slot>,
    clock: u64,
}

/// Whoever asks first prepares it; the others wait for that.
struct Slot {
    agent: Arc<OnceCell<Arc<Agent>>>,
    used: u64,
}

impl Agents {
    /// None prepared yet.
    pub fn new(platform: Arc<Platform>, options: Options) -> Arc<Self> {
        Arc::new(Self {
            platform,
            options,
            kept: Mutex::default(),
            secrets: Mutex::default(),
            folders: RwLock::default(),
            broken: RwLock::default(),
        })
    }

    /// What everything shares.
    pub fn platform(&self) -> &Arc<Platform> {
        &self.platform
    }

    /// How agents are served here.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The organisation of this installation: the first that was made.
    pub async fn home(&self) -> Result<OrgId, BundleError> {
        let mut conn = self.reader().await?;
        let first = orgs::first_unscoped(&mut conn).await?;
        Ok(first.ok_or(StoreError::not_found("organisation"))?.id)
    }

    /// The agent that a name leads to. `key` names the caller: the same one meets the same release
    /// as long as the shares stay.
    pub async fn resolve(
        &self,
        org: &OrgId,
        slug: &str,
        version: &Version,
        key: Option<&str>,
    ) -> Result<Arc<Agent>, BundleError> {
        let mut conn = self.reader().await?;
        let row = agents::find(&mut conn, org, slug).await?;
        let profile = match version {
            Version::Draft => DEV,
            Version::Profile(name) => name,
            Version::Production | Version::Release(_) => &row.profile,
        };
        let profile = self.profile(&mut conn, org, profile).await?;
        let release = match version {
            Version::Draft => None,
            Version::Release(number) => Some(releases::find(&mut conn, org, &row.id, *number).await?),
            Version::Production | Version::Profile(_) => {
                Some(answers(&mut conn, org, &row, &profile.name, key).await?)
            }
        };
        self.prepared(&mut conn, org, row, release, profile).await
    }

    /// The agent that a number or a trigger leads to.
    pub async fn resolve_route(
        &self,
        org: &OrgId,
        kind: RouteKind,
        address: &str,
        key: Option<&str>,
    ) -> Result<Arc<Agent>, BundleError> {
        let mut conn = self.reader().await?;
        let route = routes::find(&mut conn, org, kind.word(), address).await?;
        let route = route.ok_or(StoreError::not_found("route"))?;
        let row = agents::find_by_id(&mut conn, org, &route.agent).await?;
        let profile = self.profile(&mut conn, org, &route.profile).await?;
        let release = match &route.release {
            Some(id) => releases::find_by_id(&mut conn, org, id).await?,
            None => answers(&mut conn, org, &row, &profile.name, key).await?,
        };
        self.prepared(&mut conn, org, row, Some(release), profile).await
    }

    /// The agent of a release in a profile, as a call pinned them; also when it was put away since.
    pub async fn pinned(
        &self,
        org: &OrgId,
        release: &ReleaseId,
        profile: &str,
    ) -> Result<Arc<Agent>, BundleError> {
        let mut conn = self.reader().await?;
        let release = releases::find_by_id(&mut conn, org, release).await?;
        let row = agents::find_by_id(&mut conn, org, &release.agent).await?;
        let profile = self.profile(&mut conn, org, profile).await?;
        self.prepared(&mut conn, org, row, Some(release), profile).await
    }

    /// Agents of an organisation that answer callers, by name. One that cannot be prepared here is
    /// left out, and told to the log.
    pub async fn live(&self, org: &OrgId) -> Result<Vec<Live>, BundleError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let rows = {
                let mut conn = self.reader().await?;
                agents::list(&mut conn, org, after.as_deref(), PAGE).await?
            };
            for row in &rows {
                match self.resolve(org, &row.slug, &Version::Production, Some(&row.slug)).await {
                    Ok(agent) => found.push((row.slug.clone(), agent)),
                    Err(BundleError::NoRelease { .. }) => {}
                    Err(error) => tracing::warn!(agent = row.slug, %error, "an agent cannot be served"),
                }
            }
            match rows.last() {
                Some(last) if i64::try_from(rows.len()) == Ok(PAGE) => after = Some(last.slug.clone()),
                _ => return Ok(found),
            }
        }
    }

    /// The secrets of a profile, which follow what is set.
    pub async fn secrets(&self, org: &OrgId, profile: &str) -> Result<Arc<dyn Secrets>, BundleError> {
        let mut conn = self.reader().await?;
        let profile = self.profile(&mut conn, org, profile).await?;
        Ok(self.secrets_of(&mut conn, org, &profile).await?)
    }

    /// Keeps the secrets of calls that go on as they are in the database, and forgets files that nobody
    /// names any more. Never ends; one task for a process.
    pub async fn keep_up(&self) {
        let db = &self.platform.db;
        let mut hints = db.listen(CHANNEL);
        let mut swept = i64::MIN;
        loop {
            // A hint may be lost: after a while it is looked anyway.
            let _ = tokio::time::timeout(LOOK_AGAIN, hints.recv()).await;
            if let Err(error) = self.refresh().await {
                tracing::debug!(%error, "secrets were not looked for");
            }
            let now = self.platform.now();
            if now.saturating_sub(swept) >= SWEEP_EVERY {
                swept = now;
                match self.sweep(now).await {
                    Ok((bundles, blobs)) => tracing::debug!(bundles, blobs, "swept"),
                    Err(error) => tracing::debug!(%error, "nothing was swept"),
                }
            }
        }
    }

    /// Looks whether secrets changed that calls hold.
    async fn refresh(&self) -> Result<(), StoreError> {
        let held: Vec<Arc<ProfileSecrets>> = {
            let all = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            all.values().filter(|secrets| Arc::strong_count(secrets) > 1).cloned().collect()
        };
        let mut conn = self.platform.db.read().acquire().await.map_err(StoreError::from)?;
        for secrets in held {
            secrets.look_again(&mut conn).await?;
        }
        Ok(())
    }

    async fn sweep(&self, now: i64) -> Result<(u64, u64), StoreError> {
        let mut tx = self.platform.db.begin().await?;
        let gone = sweep_unscoped(&mut tx, now - DRAFTS_KEPT, now - BLOBS_KEPT).await?;
        dgh_store::knowledge::sweep_unscoped(&mut tx, now - DRAFTS_KEPT).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(gone)
    }

    /// Projects of the folder whose files have errors now; older releases of theirs may answer.
    pub fn broken(&self) -> Vec<String> {
        self.broken.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_broken(&self, broken: Vec<String>) {
        *self.broken.write().unwrap_or_else(PoisonError::into_inner) = broken;
    }

    /// An agent's files stand here, on this machine.
    pub(super) fn set_folder(&self, agent: &AgentId, root: &Path) {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.insert(agent.clone(), root.to_path_buf());
    }

    async fn prepared(
        &self,
        conn: &mut Conn,
        org: &OrgId,
        row: Row,
        release: Option<Release>,
        profile: Profile,
    ) -> Result<Arc<Agent>, BundleError> {
        let what = match &release {
            Some(release) => What::Release(release.id.clone()),
            None => What::Draft {
                agent: row.id.clone(),
                bundle: row.draft.clone(),
                entry: row.entry.clone(),
                part: row.part.clone(),
            },
        };
        let (id, revision) = (profile.id.clone(), profile.revision);
        let key = Key { what, profile: id, revision, secrets: profile.secrets };
        // Also for agents that are kept: calls that go on with them use the same secrets.
        let secrets = self.secrets_of(conn, org, &profile).await?;
        let cell = self.kept().slot(key.clone());
        if let Some(agent) = cell.get() {
            return Ok(Arc::clone(agent));
        }
        let trusted = match &release {
            Some(release) => release.trusted == 1,
            None => releases::is_trusted(conn, org, &row.id, &row.draft).await?,
        };
        let root = {
            let folders = self.folders.read().unwrap_or_else(PoisonError::into_inner);
            folders.get(&row.id).filter(|_| trusted).cloned()
        };
        let db = self.platform.db.clone();
        let wanted = Wanted { db, org: org.clone(), row, release, profile, secrets, root, trusted };
        let cache = self.platform.data.join(CACHE_FOLDER);
        let work = async { load(conn, wanted, &cache, &self.options).await.map(Arc::new) };
        let made = cell.get_or_try_init(|| work).await.cloned();
        if made.is_err() {
            // What stood in the way may be gone the next time.
            self.kept().agents.remove(&key);
        }
        made
    }

    async fn secrets_of(
        &self,
        conn: &mut Conn,
        org: &OrgId,
        profile: &Profile,
    ) -> Result<Arc<ProfileSecrets>, StoreError> {
        let secrets = {
            let mut all = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MAX_PROFILES && !all.contains_key(&profile.id) {
                // Calls that go on hold their own.
                all.retain(|_, secrets| Arc::strong_count(secrets) > 1);
            }
            let fresh = || ProfileSecrets::new(self.platform.vault.clone(), org.clone(), profile.id.clone());
            Arc::clone(all.entry(profile.id.clone()).or_insert_with(fresh))
        };
        secrets.refresh(conn, profile.secrets).await?;
        Ok(secrets)
    }

    /// A profile; one of the defaults is made when nobody has used it yet.
    async fn profile(&self, conn: &mut Conn, org: &OrgId, name: &str) -> Result<Profile, BundleError> {
        match dgh_store::agents::profiles::find(conn, org, name).await {
            Err(StoreError::NotFound { .. }) if profiles::DEFAULTS.contains(&name) => {
                let mut tx = self.platform.db.begin().await?;
                let made = profiles::find_or_make(&mut tx, org, name, self.platform.now()).await?;
                tx.commit().await.map_err(StoreError::from)?;
                Ok(made)
            }
            found => Ok(found?),
        }
    }

    async fn reader(&self) -> Result<impl DerefMut<Target = Conn> + Send, BundleError> {
        Ok(self.platform.db.read().acquire().await.map_err(StoreError::from)?)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Agents of a page.
const PAGE: i64 = 200;

/// The release that answers a caller.
async fn answers(
    conn: &mut Conn,
    org: &OrgId,
    row: &Row,
    profile: &str,
    key: Option<&str>,
) -> Result<Release, BundleError> {
    let shares = traffic::of(conn, org, &row.id, profile).await?;
    let share = pick(&shares, row.id.as_str(), key)
        .ok_or_else(|| BundleError::NoRelease { slug: row.slug.clone(), profile: profile.to_owned() })?;
    Ok(releases::find_by_id(conn, org, &share.release).await?)
}

impl Kept {
    /// The place of an agent. The one that was asked for the longest ago makes room.
    fn slot(&mut self, key: Key) -> Arc<OnceCell<Arc<Agent>>> {
        self.clock += 1;
        if self.agents.len() >= MAX_KEPT && !self.agents.contains_key(&key) {
            let oldest = self.agents.iter().min_by_key(|(_, slot)| slot.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.agents.remove(&oldest);
            }
        }
        let clock = self.clock;
        let slot = self.agents.entry(key).or_insert_with(|| Slot { agent: Arc::default(), used: clock });
        slot.used = clock;
        Arc::clone(&slot.agent)
    }
}
