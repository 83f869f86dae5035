//! Drafts: made, written by one `put`, put away.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dgh_store::agents::{self, Agent, blobs, bundles};
use dgh_store::audit::{self, Actor};
use dgh_store::{AgentId, Conn, OrgId};
use serde_json::json;

use super::error::BundleError;
use super::files::{self, Listing, MAX_FILE_BYTES};
use super::profiles;

/// Letters of a name in addresses.
pub(super) const MAX_SLUG: usize = 64;
/// Letters of a name for people.
const MAX_NAME: usize = 120;

/// An agent that somebody wants.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// Its name in addresses.
    pub slug: String,
    /// Its name for people; the other one when there is none.
    pub name: Option<String>,
    /// The file that is compiled.
    pub entry: Option<String>,
    /// The agent of the file that is meant.
    pub part: Option<String>,
    /// The profile in which its own name is answered.
    pub profile: String,
    /// Who writes it: `api`, `folder`, `example`.
    pub source: &'static str,
}

/// A content that was sent, or is here already.
#[derive(Debug, Clone)]
pub enum Content {
    /// As it is.
    Bytes(Vec<u8>),
    /// By its SHA-256.
    Known(String),
}

/// A draft that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The hash of its bundle: what the next one has to name.
    pub hash: String,
    /// Its files.
    pub listing: Listing,
    /// Whether it is another one than before.
    pub changed: bool,
}

/// Makes an agent with an empty draft. One of this name that was put away is taken out again, with
/// its releases.
pub async fn create(
    conn: &mut Conn,
    org: &OrgId,
    new: NewAgent,
    by: &Actor,
    now: i64,
) -> Result<Agent, BundleError> {
    check_slug(&new.slug)?;
    let name = new.name.unwrap_or_else(|| new.slug.clone());
    check_about(&name, new.entry.as_deref(), new.part.as_deref())?;
    profiles::find_or_make(conn, org, &new.profile, now).await?;
    let empty = files::hash(&Listing::new());
    bundles::insert(conn, org, &empty, &[], now).await?;
    let mut agent = match agents::find_any(conn, org, &new.slug).await? {
        Some(agent) if agent.archived_at.is_none() => {
            return Err(BundleError::Taken(format!("there is an agent `{}`", new.slug)));
        }
        Some(agent) => {
            agents::set_archived(conn, org, &agent.id, false, now).await?;
            agents::set_draft(conn, org, &agent.id, (&agent.draft, &empty), None, now).await?;
            Agent { draft: empty, archived_at: None, ..agent }
        }
        None => {
            let agent = Agent {
                id: AgentId::fresh(),
                slug: new.slug,
                name: name.clone(),
                entry: None,
                part: None,
                profile: new.profile.clone(),
                source: new.source.to_owned(),
                draft: empty,
                draft_by: None,
                draft_at: now,
                releases: 0,
                created_at: now,
                updated_at: now,
                archived_at: None,
            };
            agents::insert(conn, org, &agent).await?;
            agent
        }
    };
    agent.name = name;
    agent.entry = new.entry;
    agent.part = new.part;
    agent.profile = new.profile;
    new.source.clone_into(&mut agent.source);
    agents::set_about(conn, org, &agent, now).await?;
    let detail = json!({ "slug": agent.slug, "name": agent.name, "source": agent.source });
    audit::write(conn, org, by, "agent.create", agent.id.as_str(), &detail, now).await?;
    Ok(agent)
}

/// Writes the draft of an agent, all of its files at once. `was` is the hash of what is replaced.
pub async fn put(
    conn: &mut Conn,
    org: &OrgId,
    agent: &Agent,
    was: &str,
    sent: BTreeMap<String, Content>,
    by: &Actor,
    now: i64,
) -> Result<Put, BundleError> {
    // Whoever is late hears it before anything is kept.
    if agent.draft != was {
        return Err(BundleError::Stale { current: agent.draft.clone() });
    }
    let listing = keep(conn, org, sent, now).await?;
    let hash = files::hash(&listing);
    if hash == agent.draft {
        return Ok(Put { hash, listing, changed: false });
    }
    let rows: Vec<bundles::File> = listing
        .iter()
        .map(|(path, (blob, size))| bundles::File { path: path.clone(), blob: blob.clone(), size: *size })
        .collect();
    bundles::insert(conn, org, &hash, &rows, now).await?;
    let author = author(by);
    if !agents::set_draft(conn, org, &agent.id, (was, &hash), author.as_deref(), now).await? {
        let current = agents::find_by_id(conn, org, &agent.id).await?.draft;
        return Err(BundleError::Stale { current });
    }
    let detail = json!({ "slug": agent.slug, "was": was, "is": hash, "files": listing.len() });
    audit::write(conn, org, by, "agent.draft", agent.id.as_str(), &detail, now).await?;
    Ok(Put { hash, listing, changed: true })
}

/// Keeps what was sent, and checks that the rest is here.
async fn keep(
    conn: &mut Conn,
    org: &OrgId,
    sent: BTreeMap<String, Content>,
    now: i64,
) -> Result<Listing, BundleError> {
    // What can be told without the database is told first.
    let size = |content: &Content| match content {
        Content::Bytes(bytes) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        Content::Known(_) => 0,
    };
    let first: Listing =
        sent.iter().map(|(path, content)| (path.clone(), (String::new(), size(content)))).collect();
    files::check_listing(&first).map_err(BundleError::BadBundle)?;
    let known: BTreeSet<&str> = sent
        .values()
        .filter_map(|content| match content {
            Content::Known(sha256) => Some(sha256.as_str()),
            Content::Bytes(_) => None,
        })
        .collect();
    let sizes: HashMap<String, i64> = blobs::sizes(conn, org, &known).await?.into_iter().collect();
    let missing: Vec<String> =
        known.iter().filter(|sha256| !sizes.contains_key(**sha256)).map(|s| (*s).to_owned()).collect();
    if !missing.is_empty() {
        return Err(BundleError::Missing(missing));
    }
    let mut listing = Listing::new();
    for (path, content) in sent {
        let entry = match content {
            Content::Known(sha256) => {
                let size = sizes.get(&sha256).copied().unwrap_or(0);
                (sha256, size)
            }
            Content::Bytes(bytes) => {
                let sha256 = files::sha256(&bytes);
                blobs::put(conn, org, &sha256, &bytes, now).await?;
                (sha256, i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            }
        };
        listing.insert(path, entry);
    }
    files::check_listing(&listing).map_err(BundleError::BadBundle)?;
    Ok(listing)
}

/// Keeps a content that a draft will name. Answers its SHA-256.
pub async fn put_blob(conn: &mut Conn, org: &OrgId, content: &[u8], now: i64) -> Result<String, BundleError> {
    if content.len() > MAX_FILE_BYTES {
        return Err(BundleError::BadBundle(format!("a file has at most {MAX_FILE_BYTES} bytes")));
    }
    let sha256 = files::sha256(content);
    blobs::put(conn, org, &sha256, content, now).await?;
    Ok(sha256)
}

/// What somebody wants to be said of an agent; none: it stays as it is.
#[derive(Debug, Clone, Default)]
#[allow(clippy::option_option, reason = "left out and taken back are two wishes")]
pub struct About {
    /// Its name for people.
    pub name: Option<String>,
    /// The file that is compiled; some of none: what the bundle says.
    pub entry: Option<Option<String>>,
    /// The agent of the file that is meant; some of none: its only one.
    pub part: Option<Option<String>>,
    /// The profile in which its own name is answered.
    pub profile: Option<String>,
}

/// Changes what is said of an agent.
pub async fn describe(
    conn: &mut Conn,
    org: &OrgId,
    slug: &str,
    about: About,
    by: &Actor,
    now: i64,
) -> Result<Agent, BundleError> {
    let mut agent = agents::find(conn, org, slug).await?;
    agent.name = about.name.unwrap_or(agent.name);
    agent.entry = about.entry.unwrap_or(agent.entry);
    agent.part = about.part.unwrap_or(agent.part);
    if let Some(profile) = about.profile {
        profiles::find_or_make(conn, org, &profile, now).await?;
        agent.profile = profile;
    }
    check_about(&agent.name, agent.entry.as_deref(), agent.part.as_deref())?;
    agents::set_about(conn, org, &agent, now).await?;
    agent.updated_at = now;
    let detail = json!({
        "slug": agent.slug, "name": agent.name, "entry": agent.entry, "part": agent.part, "profile": agent.profile,
    });
    audit::write(conn, org, by, "agent.update", agent.id.as_str(), &detail, now).await?;
    Ok(agent)
}

/// Puts an agent away. Its releases stay, and calls that go on go on.
pub async fn archive(
    conn: &mut Conn,
    org: &OrgId,
    slug: &str,
    by: &Actor,
    now: i64,
) -> Result<Agent, BundleError> {
    let agent = agents::find(conn, org, slug).await?;
    agents::set_archived(conn, org, &agent.id, true, now).await?;
    audit::write(conn, org, by, "agent.archive", agent.id.as_str(), &json!({ "slug": agent.slug }), now)
        .await?;
    Ok(agent)
}

/// Who did it, as rows name them.
pub(super) fn author(by: &Actor) -> Option<String> {
    let user = by.user.as_ref().map(|user| format!("user:{user}"));
    user.or_else(|| by.key.as_ref().map(|key| format!("key:{key}")))
}

fn check_slug(slug: &str) -> Result<(), BundleError> {
    let fits = slug.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if slug.is_empty() || slug.len() > MAX_SLUG || !fits {
        let why = format!("a name in addresses has 1 to {MAX_SLUG} letters, digits, `_` and `-`");
        return Err(BundleError::invalid("slug", why));
    }
    Ok(())
}

fn check_about(name: &str, entry: Option<&str>, part: Option<&str>) -> Result<(), BundleError> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(BundleError::invalid(
            "name",
            format!("a name has 1 to {MAX_NAME} characters on one line"),
        ));
    }
    if let Some(entry) = entry {
        files::check_path(entry).map_err(|why| BundleError::invalid("entry", why))?;
    }
    let is_name = |part: &str| !part.is_empty() && part.len() <= 200 && !part.chars().any(char::is_control);
    if part.is_some_and(|part| !is_name(part)) {
        return Err(BundleError::invalid("part", "this is no name of an agent"));
    }
    Ok(())
}
