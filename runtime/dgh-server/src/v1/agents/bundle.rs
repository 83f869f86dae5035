//! Drafts as files, and contents of files.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::files::{MAX_FILE_BYTES, MAX_FILES, is_sha256};
use dgh_platform::bundles::{self, Content};
use dgh_store::StoreError;
use dgh_store::agents::{self as rows, blobs, bundles as bundle_rows, releases};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use super::etag::{Match, if_match, needed};
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::{self, Body, Path, Query};
use crate::v1::who::Who;

/// Bytes of a draft that is sent whole; what is larger is sent file by file.
const MAX_DRAFT: usize = 24 << 20;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(OpenApiRouter::new().routes(routes!(show, put)).layer(DefaultBodyLimit::max(MAX_DRAFT)))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(get_blob))
                .routes(routes!(put_blob))
                .layer(DefaultBodyLimit::max(MAX_FILE_BYTES)),
        )
        .routes(routes!(check))
}

/// The files of an agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bundle {
    /// The SHA-256 of all of it, which is also its `ETag`.
    hash: String,
    /// By path.
    files: BTreeMap<String, BundleFile>,
}

/// A file of a bundle. Its content: `GET /api/v1/blobs/{sha256}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BundleFile {
    sha256: String,
    /// Bytes.
    size: i64,
}

/// All files of a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    /// By path, with `/`. What is not among them is gone.
    files: BTreeMap<String, FileContent>,
}

/// The content of a file, in one of three ways.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileContent {
    /// As text.
    #[serde(default)]
    #[schema(nullable = false)]
    text: Option<String>,
    /// As bytes in Base64.
    #[serde(default)]
    #[schema(nullable = false)]
    base64: Option<String>,
    /// As what is here already.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$", nullable = false)]
    sha256: Option<String>,
}

/// Which files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Those of this release; without it those of the draft.
    #[param(minimum = 1)]
    release: Option<i64>,
}

/// Shows the files of an agent: of its draft, or of a release.
#[utoipa::path(
    get, path = "/agents/{agent}/bundle", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses."), Which),
    responses((status = 200, body = Bundle, headers(("ETag" = String, description = "The hash.")))),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let agent = rows::find(&mut conn, &who.org, &agent).await?;
    let hash = match which.release {
        Some(number) => releases::find(&mut conn, &who.org, &agent.id, number).await?.bundle,
        None => agent.draft,
    };
    let files = bundle_rows::files(&mut conn, &who.org, &hash).await?;
    let files = files
        .into_iter()
        .map(|file| (file.path, BundleFile { sha256: file.blob, size: file.size }))
        .collect();
    Ok(tagged(Bundle { hash, files }))
}

/// Writes the draft of an agent, all its files at once. `If-Match` names the draft that it replaces.
///
/// A file is sent as text, in Base64, or by the SHA-256 of a content that is here: of another file, of
/// an older draft, or of one that was sent with `POST /api/v1/blobs`.
#[utoipa::path(
    put, path = "/agents/{agent}/bundle", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the draft that was read."),
    ),
    request_body = Draft,
    responses(
        (status = 200, body = Bundle, headers(("ETag" = String, description = "The hash."))),
        (status = 412, description = "The draft was changed; `ETag` says what it is now."),
        (status = 428, description = "`If-Match` is missing."),
    ),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    headers: HeaderMap,
    Body(draft): Body<Draft>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    // Whoever may not see the agent hears nothing of what it needs.
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    rows::find(&mut conn, &who.org, &agent).await?;
    drop(conn);
    let wanted = if_match(&headers)?.ok_or_else(needed)?;
    if draft.files.len() > MAX_FILES {
        return Err(Problem::unprocessable("bad_bundle", format!("a bundle has at most {MAX_FILES} files")));
    }
    let mut sent = BTreeMap::new();
    for (path, file) in draft.files {
        let content = content(file).map_err(|why| Problem::invalid(format!("files.{path}"), why))?;
        sent.insert(path, content);
    }
    let mut tx = app.db().begin().await?;
    let agent = rows::find(&mut tx, &who.org, &agent).await?;
    let was = match wanted {
        Match::Any => agent.draft.clone(),
        Match::This(tag) => tag,
    };
    let put = bundles::put(&mut tx, &who.org, &agent, &was, sent, &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &agent.slug).await;
    let files = put.listing.into_iter();
    let files = files.map(|(path, (sha256, size))| (path, BundleFile { sha256, size })).collect();
    Ok(tagged(Bundle { hash: put.hash, files }))
}

fn content(file: FileContent) -> Result<Content, &'static str> {
    match (file.text, file.base64, file.sha256) {
        (Some(text), None, None) => Ok(Content::Bytes(text.into_bytes())),
        (None, Some(base64), None) => {
            STANDARD.decode(base64).map(Content::Bytes).map_err(|_| "`base64` is no Base64")
        }
        (None, None, Some(sha256)) if is_sha256(&sha256) => Ok(Content::Known(sha256)),
        (None, None, Some(_)) => Err("`sha256` is 64 digits in hexadecimal"),
        _ => Err("a file has one of `text`, `base64` and `sha256`"),
    }
}

fn tagged(bundle: Bundle) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", bundle.hash));
    let mut response = Json(bundle).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Compiles the draft, and changes nothing: what `dgh check --json` prints.
#[utoipa::path(
    post, path = "/agents/{agent}/check", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    responses((status = 200, body = CheckReport)),
)]
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
) -> Result<Json<CheckReport>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let checked = bundles::check(app.db(), &who.org, &agent).await?;
    Ok(Json(CheckReport { draft: checked.draft, errors: checked.errors, report: checked.report }))
}

/// What the compiler says of a draft.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckReport {
    /// The hash of the draft.
    draft: String,
    /// How many errors there are: with none it can be published.
    errors: usize,
    /// The findings, as `dgh check --json` prints them.
    #[schema(value_type = Object)]
    report: Value,
}

/// Shows the content of a file.
#[utoipa::path(
    get, path = "/blobs/{sha256}", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(("sha256" = String, Path, description = "The SHA-256 of the content, in hexadecimal.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(crate) async fn get_blob(
    State(app): State<Arc<App>>,
    who: Who,
    Path(sha256): Path<String>,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let content = blobs::get(&mut conn, &who.org, &sha256).await?;
    // It is somebody's text: no browser shall take it for a page.
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
    ];
    Ok((headers, content).into_response())
}

/// A content that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Blob {
    /// What a draft names it by.
    sha256: String,
    /// Bytes.
    size: usize,
}

/// Keeps the content of a file, for a draft that will name it. The same one twice is one. What no
/// draft names for a day is forgotten.
#[utoipa::path(
    post, path = "/blobs", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Blob)),
)]
pub(crate) async fn put_blob(
    State(app): State<Arc<App>>,
    who: Who,
    request: Request,
) -> Result<Json<Blob>, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let content: Bytes = take::bytes(request, &app).await?;
    let mut tx = app.db().begin().await?;
    let sha256 = bundles::put_blob(&mut tx, &who.org, &content, app.now()).await?;
    commit(tx).await?;
    Ok(Json(Blob { sha256, size: content.len() }))
}
