//! Documents of an agent, as they stand: those of the draft, and of a release; and a page of the web that
//! is read again.

use dgh_compile::World as _;
use dgh_store::agents::{self, releases};
use dgh_store::audit::{self, Actor};
use dgh_store::knowledge::{self as rows, Source};
use dgh_store::{Db, OrgId, StoreError};
use indexmap::IndexMap;
use serde_json::json;

use super::error::BundleError;
use super::publish::{blocking, compile, texts};
use crate::deployment::Options;
use crate::knowledge::{self, Kind};
use crate::models;

/// A document of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftDocument {
    /// The key of its knowledge.
    pub knowledge: String,
    /// Where it comes from.
    pub kind: Kind,
    /// The path, or the address as far as the program says it.
    pub source: String,
    /// How many passages it has, or why it cannot be read; none: it is read when the draft is published.
    pub read: Option<Result<usize, String>>,
}

/// The documents of a draft. Its files are read now, where that was not done before.
pub async fn draft_documents(db: &Db, org: &OrgId, slug: &str) -> Result<Vec<DraftDocument>, BundleError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    let texts = texts(&mut conn, org, &agent.draft).await?;
    let (_, compiled) = compile(texts, agent.entry.clone(), None).await?;
    let files = knowledge::files_of(&mut conn, org, &agent.draft, &compiled.program).await?;
    drop(conn);
    let read = move || {
        let language = knowledge::language_of(&compiled.program);
        let all = knowledge::sources(&compiled.program, &IndexMap::new()).into_iter();
        let documents = all.map(|source| {
            let read = (source.kind == Kind::File).then(|| {
                let content = files.read(&source.source).unwrap_or_default();
                let document = knowledge::read_file(&source.source, content, &language);
                document.map(|document| document.passages.len()).map_err(|why| format!("{why:#}"))
            });
            DraftDocument { knowledge: source.knowledge, kind: source.kind, source: source.source, read }
        });
        documents.collect()
    };
    blocking(read).await
}

/// The documents of a release.
pub async fn release_documents(
    db: &Db,
    org: &OrgId,
    slug: &str,
    number: i64,
) -> Result<Vec<Source>, BundleError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    let release = releases::find(&mut conn, org, &agent.id, number).await?;
    Ok(rows::of_release(&mut conn, org, &release.id).await?)
}

/// Reads a page of the web again that a release searches. From the next question on what it holds now is
/// found.
pub async fn read_again(
    db: &Db,
    org: &OrgId,
    (slug, number, url): (&str, i64, &str),
    options: &Options,
    by: &Actor,
    now: i64,
) -> Result<Vec<Source>, BundleError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let agent = agents::find(&mut conn, org, slug).await?;
    let release = releases::find(&mut conn, org, &agent.id, number).await?;
    let sources = rows::of_release(&mut conn, org, &release.id).await?;
    let Some(known) = sources.iter().find(|source| source.kind == "url" && source.source == url) else {
        return Err(BundleError::invalid("url", "the release has no such page"));
    };
    let program = dgh_ir::wire::from_bytes(&releases::program(&mut conn, org, &release.id).await?);
    let program = program.map_err(BundleError::system)?;
    drop(conn);
    let is_whole = |key: &str| {
        let full = program.knowledge.iter().filter(|(_, knowledge)| knowledge.full);
        full.filter_map(|(id, _)| program.knowledge_key(id)).any(|of| of == key)
    };
    if sources.iter().any(|source| source.source == url && is_whole(&source.knowledge)) {
        let why = "models get it as a whole (`mode: full`): publish again";
        return Err(BundleError::invalid("url", why));
    }
    let allowed: Vec<&str> = options.allow_private.iter().map(String::as_str).collect();
    let client = models::guarded(&allowed, None).map_err(BundleError::Unusable)?;
    let language = knowledge::language_of(&program);
    let document = knowledge::fetched(&client, url, &language).await.map_err(BundleError::Unusable)?;
    let mut tx = db.begin().await?;
    let id = knowledge::keep_document(&mut tx, org, &document, now).await?;
    rows::swap(&mut tx, org, &release.id, url, &id, now).await?;
    let detail = json!({
        "slug": agent.slug, "release": number, "url": url, "changed": id != known.document,
        "passages": document.passages.len(),
    });
    audit::write(&mut tx, org, by, "agent.document", agent.id.as_str(), &detail, now).await?;
    let sources = rows::of_release(&mut tx, org, &release.id).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(sources)
}
