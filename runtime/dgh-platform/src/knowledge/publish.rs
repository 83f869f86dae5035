//! Documents of a release: read before it is published, kept with it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dgh_ir::Program;
use dgh_knowledge::{CUTTER, Document, Format, MAX_BYTES, Shelf, open};
use dgh_net::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use dgh_net::{Client, Method, Request};
use dgh_store::agents::{blobs, bundles};
use dgh_store::knowledge::{self as rows, Passage};
use dgh_store::{Conn, DocumentId, OrgId, ReleaseId, StoreError};
use indexmap::IndexMap;
use url::Url;

use super::{Kind, Source, check_budget, language_of, read_file, sources};

/// Time for one page of the web.
const PAGE_TIME: Duration = Duration::from_secs(20);
/// Documents of one program.
const MAX_DOCUMENTS: usize = 200;

/// A document that was read.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Where it comes from.
    pub source: Source,
    /// What it holds.
    pub document: Arc<Document>,
}

/// What a release is about to be published with.
pub struct Gathering<'a> {
    /// Whose it is.
    pub org: &'a OrgId,
    /// The hash of the bundle.
    pub bundle: &'a str,
    /// The program.
    pub program: &'a Program,
    /// `env` of the profile.
    pub env: &'a IndexMap<String, String>,
    /// Who asks for pages of the web.
    pub client: &'a Client,
}

/// Reads all documents that a program names. One that cannot be read stands in the way: it is named.
pub async fn gather(conn: &mut Conn, what: Gathering<'_>) -> anyhow::Result<Vec<Gathered>> {
    let all = sources(what.program, what.env);
    if all.len() > MAX_DOCUMENTS {
        bail!("the knowledge of an agent has at most {MAX_DOCUMENTS} documents, and this has {}", all.len());
    }
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let language = language_of(what.program);
    let files = bundles::files(conn, what.org, what.bundle).await?;
    let mut gathered = Vec::new();
    for source in all {
        let document = match source.kind {
            Kind::File => {
                let content = match files.iter().find(|file| file.path == source.source) {
                    Some(file) => Some(blobs::get(conn, what.org, &file.blob).await?),
                    None => None,
                };
                let (path, language) = (source.source.clone(), language.clone());
                tokio::task::spawn_blocking(move || read_file(&path, content, &language)).await??
            }
            Kind::Url => fetched(what.client, &source.source, &language).await?,
        };
        gathered.push(Gathered { source, document });
    }
    let mut shelves: IndexMap<String, Shelf> = IndexMap::new();
    for one in gathered.iter().filter(|one| one.source.full) {
        let shelf = shelves.entry(one.source.knowledge.clone()).or_default();
        shelf.add(one.source.source.clone(), Arc::clone(&one.document));
    }
    let whole = shelves.into_iter().map(|(key, shelf)| (key, shelf.whole().into())).collect();
    check_budget(what.program, &whole).map_err(anyhow::Error::msg)?;
    Ok(gathered)
}

/// Reads a page of the web, or a document that stands there.
pub async fn fetched(client: &Client, address: &str, language: &str) -> anyhow::Result<Arc<Document>> {
    let url = Url::parse(address).with_context(|| format!("`{address}` is no address of a page"))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/html, text/*, application/pdf, */*;q=0.1"));
    let (path, method) = (url.path().to_owned(), Method::GET);
    let request = Request { method, url, headers, body: None, timeout: PAGE_TIME, max_bytes: MAX_BYTES };
    let answer = client.send(request).await.with_context(|| format!("{address} cannot be read"))?;
    if !(200..300).contains(&answer.status) {
        bail!("{address} cannot be read: its server answers {}", answer.status);
    }
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some(format) = Format::of_answer(kind, &path) else {
        bail!(
            "{address} is no page and no document: {}",
            kind.unwrap_or("its server does not say what it is")
        );
    };
    let (body, language) = (answer.body.to_vec(), language.to_owned());
    let read = tokio::task::spawn_blocking(move || open(format, body, &language)).await?;
    read.map_err(|error| anyhow::anyhow!("{address} {error}"))
}

/// Keeps a document; one that was cut before is not cut again.
pub async fn keep_document(
    conn: &mut Conn,
    org: &OrgId,
    document: &Document,
    now: i64,
) -> Result<DocumentId, StoreError> {
    let texts = document.passages.iter().zip(&document.terms);
    let passages: Vec<Passage> = texts
        .map(|(passage, terms)| Passage {
            number: passage.number,
            place: passage.place.clone(),
            text: passage.text.clone(),
            terms: terms.join(" "),
        })
        .collect();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let row = rows::Document {
        id: DocumentId::fresh(),
        sha256: document.sha256.clone(),
        format: document.format.name().to_owned(),
        language: document.language.clone(),
        cutter: CUTTER,
        passages: count(passages.len()),
        words: count(document.terms.iter().map(Vec::len).sum()),
        created_at: now,
    };
    Ok(rows::keep(conn, org, &row, &passages).await?.id)
}

/// Keeps what a release was published with.
pub async fn keep(
    conn: &mut Conn,
    org: &OrgId,
    release: &ReleaseId,
    gathered: &[Gathered],
    now: i64,
) -> Result<(), StoreError> {
    for (position, Gathered { source, document }) in gathered.iter().enumerate() {
        let id = keep_document(conn, org, document, now).await?;
        let kind = match source.kind {
            Kind::File => "file",
            Kind::Url => "url",
        };
        let place = (source.knowledge.as_str(), i64::try_from(position).unwrap_or(i64::MAX));
        rows::put_source(conn, org, release, place, (kind, &source.source), &id, now).await?;
    }
    Ok(())
}
