//! The page of a call.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{Role, Scope};
use dgh_platform::calls::book::Line;
use dgh_store::{CallId, calls};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::files::File;
use super::{CallItem, book, row};
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::Path;
use crate::v1::who::Who;

/// Everything that is known of a call, but for what was said in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Call {
    #[serde(flatten)]
    about: CallItem,
    tags: Vec<String>,
    /// What was learned; private values as `[name]`.
    values: BTreeMap<String, String>,
    usage: Vec<Used>,
    /// Times of its turns, in microseconds: the median and the 95th percentile.
    #[schema(value_type = Object)]
    timings: Value,
    files: Vec<File>,
}

/// What a provider did for the call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Used {
    /// `llm`, `stt`, `tts`, `realtime`, `carrier`.
    part: String,
    provider: String,
    model: String,
    requests: i64,
    input_tokens: i64,
    cached_tokens: i64,
    output_tokens: i64,
    characters: i64,
    millis: i64,
    /// Null: no price is known.
    cost_micro_usd: Option<i64>,
}

/// Lines of a call: what happened, in order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lines {
    #[schema(value_type = Vec<Object>)]
    items: Vec<Line>,
}

/// Shows a call.
#[utoipa::path(
    get, path = "/calls/{call}", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = Call)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
) -> Result<Json<Call>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let mut conn = book(&app)?.read().await?;
    let row = calls::get(&mut conn, &who.org, &id).await?.ok_or_else(|| Problem::not_found("call"))?;
    let timings = row.timings.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Ok(Json(Call {
        tags: calls::tags_of(&mut conn, &who.org, &id).await?,
        values: calls::values_of(&mut conn, &who.org, &id).await?.into_iter().collect(),
        usage: calls::usage_of(&mut conn, &who.org, &id).await?.into_iter().map(Used::from).collect(),
        timings: timings.unwrap_or(Value::Null),
        files: File::of_call(&app, &mut conn, &who.org, &id).await?,
        about: row.into(),
    }))
}

/// Shows who said what in a call, so far or to its end.
#[utoipa::path(
    get, path = "/calls/{call}/transcript", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = Object)),
)]
pub(crate) async fn transcript(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
) -> Result<Json<Value>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let book = book(&app)?;
    let row = row(book, &who.org, &id).await?;
    let empty = || serde_json::json!({ "call": row.id, "agent": row.agent, "turns": [] });
    Ok(Json(book.transcript(&row).await?.unwrap_or_else(empty)))
}

/// Shows what happened in a call: words, nodes, routes with their reasons, tools, values, times.
#[utoipa::path(
    get, path = "/calls/{call}/lines", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = Lines)),
)]
pub(crate) async fn lines(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
) -> Result<Json<Lines>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let book = book(&app)?;
    let row = row(book, &who.org, &id).await?;
    Ok(Json(Lines { items: book.lines(&row).await? }))
}

/// Downloads the log of a call, sealed as it is kept: `dgh replay` opens it where its key is.
#[utoipa::path(
    get, path = "/calls/{call}/log", tag = "calls",
    security(("key" = ["editor", "calls:read"])),
    params(("call" = String, Path, description = "Its id.")),
    responses((status = 200, content_type = "application/octet-stream", body = String)),
)]
pub(crate) async fn log(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<CallId>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::CallsRead)?;
    let book = book(&app)?;
    let row = row(book, &who.org, &id).await?;
    let bytes = book.sealed_log(&row).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.log\"")),
    ];
    Ok((headers, bytes).into_response())
}

impl From<calls::Usage> for Used {
    fn from(usage: calls::Usage) -> Self {
        Self {
            part: usage.part,
            provider: usage.provider,
            model: usage.model,
            requests: usage.requests,
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            characters: usage.characters,
            millis: usage.millis,
            cost_micro_usd: usage.micro_usd,
        }
    }
}
