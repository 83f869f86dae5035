//! Files of a call. They are private: opened with a key or a session, by a link that is signed and soon
//! over, or by a public one that can be taken back.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::book::ByteRange;
use dgh_platform::keys;
use dgh_store::artifacts::{self, Artifact};
use dgh_store::{ArtifactId, CallId, Conn, OrgId, StoreError, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{book, hashed};
use crate::app::App;
use crate::v1::caller::Caller;
use crate::v1::idempotency::{Begun, Create};
use crate::v1::problem::Problem;
use crate::v1::take::{Path, Query};
use crate::v1::who::Who;

/// How long a signed link is good: as long as a page is open.
const GOOD_FOR: i64 = 15 * 60 * 1_000;
/// What signatures of links are for.
const PURPOSE: &str = "call-file";

/// A file of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct File {
    /// `recording`, `transcript`, `log`.
    kind: String,
    media_type: String,
    /// Null while it is not stored yet.
    bytes: Option<i64>,
    created_at: i64,
    /// When it will be deleted; null: it is kept.
    delete_at: Option<i64>,
    /// Opens it without a key, for a quarter of an hour.
    url: String,
}

/// Files of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Files {
    items: Vec<File>,
}

/// What a signed link says.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Signed {
    /// Until when it is good.
    until: i64,
    /// That we said so.
    #[param(max_length = 200)]
    signature: String,
}

/// Nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A link that anybody may open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shared {
    /// It is shown once.
    url: String,
}

/// Lists the files of a call.
#[utoipa::path(
    get, path = "/calls/{call}/files", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "The id of the call.")),
    responses((status = 200, body = Files)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
) -> Result<Json<Files>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let book = book(&app)?;
    super::row(book, &who.org, &id).await?;
    let mut conn = book.read().await?;
    Ok(Json(Files { items: File::of_call(&app, &mut conn, &who.org, &id).await? }))
}

/// Opens a file of a call, or a range of it.
#[utoipa::path(
    get, path = "/calls/{call}/files/{kind}", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(
        ("call" = String, Path, description = "The id of the call."),
        ("kind" = String, Path, description = "`recording`, `transcript`, `log`."),
    ),
    responses((status = 200, content_type = "application/octet-stream", body = String), (status = 206)),
)]
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    who: Who,
    Path((id, kind)): Path<(CallId, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let file = find(&app, &who.org, &id, &kind).await?;
    if file.kind == dgh_platform::calls::book::LOG {
        who.needs(Role::Editor, Scope::CallsRead)?;
    }
    serve(&app, &file, &headers).await
}

/// Deletes a file of a call.
#[utoipa::path(
    delete, path = "/calls/{call}/files/{kind}", tag = "calls",
    security(("key" = ["editor", "calls:write"])),
    params(
        ("call" = String, Path, description = "The id of the call."),
        ("kind" = String, Path, description = "`recording`, `transcript`, `log`."),
    ),
    responses((status = 202, description = "It is gone within a minute.")),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path((id, kind)): Path<(CallId, String)>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::CallsWrite)?;
    let file = find(&app, &who.org, &id, &kind).await?;
    let mut tx = app.db().begin().await?;
    let now = app.now();
    artifacts::delete_soon(&mut tx, &who.org, &file.id, now).await?;
    artifacts::revoke_links(&mut tx, &who.org, &file.id, now).await?;
    let detail = json!({ "kind": kind });
    audit::write(&mut tx, &who.org, &who.actor(), "call.file.delete", id.as_str(), &detail, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::ACCEPTED)
}

/// Makes a link that opens a file for anybody, until it is taken back.
#[utoipa::path(
    post, path = "/calls/{call}/files/{kind}/link", tag = "calls",
    security(("key" = ["editor", "calls:write"])),
    params(
        ("call" = String, Path, description = "The id of the call."),
        ("kind" = String, Path, description = "`recording`, `transcript`."),
    ),
    request_body = Nothing,
    responses((status = 201, body = Shared)),
)]
pub(crate) async fn share(
    State(app): State<Arc<App>>,
    who: Who,
    Path((id, kind)): Path<(CallId, String)>,
    create: Create<Nothing>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::CallsWrite)?;
    let file = find(&app, &who.org, &id, &kind).await?;
    if file.kind == dgh_platform::calls::book::LOG {
        return Err(Problem::unprocessable("not_shared", "a log is not for everybody"));
    }
    let mut once = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(Nothing {}, once) => once,
    };
    let word = keys::secret_name().map_err(Problem::internal)?;
    let (now, by) = (app.now(), who.user.as_ref().map(ToString::to_string));
    artifacts::link(once.conn(), &who.org, &file.id, &hashed(&word), by.as_deref(), now).await?;
    let detail = json!({ "kind": kind });
    audit::write(once.conn(), &who.org, &who.actor(), "call.file.share", id.as_str(), &detail, now).await?;
    let url = format!("{}api/v1/shared/{word}", app.settings.own_url(app.listens));
    let location = url.clone();
    once.created(&location, &Shared { url }).await
}

/// Takes all public links of a file back.
#[utoipa::path(
    delete, path = "/calls/{call}/files/{kind}/link", tag = "calls",
    security(("key" = ["editor", "calls:write"])),
    params(
        ("call" = String, Path, description = "The id of the call."),
        ("kind" = String, Path, description = "`recording`, `transcript`."),
    ),
    responses((status = 204)),
)]
pub(crate) async fn unshare(
    State(app): State<Arc<App>>,
    who: Who,
    Path((id, kind)): Path<(CallId, String)>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::CallsWrite)?;
    let file = find(&app, &who.org, &id, &kind).await?;
    let (mut tx, now) = (app.db().begin().await?, app.now());
    let links = artifacts::revoke_links(&mut tx, &who.org, &file.id, now).await?;
    let detail = json!({ "kind": kind, "links": links });
    audit::write(&mut tx, &who.org, &who.actor(), "call.file.unshare", id.as_str(), &detail, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Opens a file by a signed link.
#[utoipa::path(
    get, path = "/files/{file}", tag = "calls",
    security(()),
    params(("file" = String, Path, description = "Its id."), Signed),
    responses((status = 200, content_type = "application/octet-stream", body = String), (status = 206)),
)]
pub(crate) async fn signed(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ArtifactId>,
    Query(Signed { until, signature }): Query<Signed>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let good = until > app.now() && app.vault().verify(PURPOSE, &message(&id, until), &signature);
    if !good {
        app.limits.stranger(&caller)?;
        return Err(Problem::forbidden("bad_link", "this link is not good, or not any more"));
    }
    let mut conn = book(&app)?.read().await?;
    let file = artifacts::get_unscoped(&mut conn, &id).await?.ok_or_else(|| Problem::not_found("file"))?;
    drop(conn);
    serve(&app, &file, &headers).await
}

/// Opens a file by a public link.
#[utoipa::path(
    get, path = "/shared/{word}", tag = "calls",
    security(()),
    params(("word" = String, Path, description = "The word of the link.")),
    responses((status = 200, content_type = "application/octet-stream", body = String), (status = 206)),
)]
pub(crate) async fn shared(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(word): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut conn = book(&app)?.read().await?;
    let found = artifacts::by_link_unscoped(&mut conn, &hashed(&word)).await?;
    drop(conn);
    let Some(file) = found else {
        app.limits.stranger(&caller)?;
        return Err(Problem::not_found("file"));
    };
    serve(&app, &file, &headers).await
}

impl File {
    /// The files of a call, with links.
    pub(super) async fn of_call(
        app: &App,
        conn: &mut Conn,
        org: &OrgId,
        call: &CallId,
    ) -> Result<Vec<Self>, StoreError> {
        let until = app.now() + GOOD_FOR;
        let own = app.settings.own_url(app.listens);
        let files = artifacts::of_call(conn, org, call).await?;
        // The sealed log is for those who may replay it.
        let files = files.into_iter().filter(|file| file.kind != dgh_platform::calls::book::LOG);
        Ok(files
            .map(|file| {
                let signature = app.vault().sign(PURPOSE, &message(&file.id, until));
                Self {
                    url: format!("{own}api/v1/files/{}?until={until}&signature={signature}", file.id),
                    kind: file.kind,
                    media_type: file.media_type,
                    bytes: file.bytes,
                    created_at: file.created_at,
                    delete_at: file.delete_at,
                }
            })
            .collect())
    }
}

async fn find(app: &App, org: &OrgId, call: &CallId, kind: &str) -> Result<Artifact, Problem> {
    let mut conn = book(app)?.read().await?;
    let all = artifacts::of_call(&mut conn, org, call).await?;
    all.into_iter().find(|file| file.kind == kind).ok_or_else(|| Problem::not_found("file"))
}

async fn serve(app: &App, file: &Artifact, headers: &HeaderMap) -> Result<Response, Problem> {
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(ByteRange::read);
    let partial = asked.is_some();
    let opened = book(app)?.files().open(file, asked).await.map_err(|error| {
        tracing::warn!(file = file.path, error = format!("{error:#}"), "a file cannot be opened");
        Problem::new(StatusCode::NOT_FOUND, "file_away", "the file is not here").retry_after(5)
    })?;
    let length = opened.range.end.saturating_sub(opened.range.start);
    let mut response = Body::from_stream(opened.bytes).into_response();
    let media = HeaderValue::from_str(&file.media_type);
    let set = [
        (header::CONTENT_TYPE, media.unwrap_or(HeaderValue::from_static("application/octet-stream"))),
        (header::CONTENT_LENGTH, length.into()),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    for (name, value) in set {
        response.headers_mut().insert(name, value);
    }
    if partial {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = opened.range.end.saturating_sub(1);
        let range = format!("bytes {}-{last}/{}", opened.range.start, opened.size);
        if let Ok(range) = HeaderValue::from_str(&range) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    Ok(response)
}

fn message(id: &ArtifactId, until: i64) -> Vec<u8> {
    format!("{id} {until}").into_bytes()
}
