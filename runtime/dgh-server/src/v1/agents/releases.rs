//! Releases: publishing, looking back, comparing, going back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use dgh_ir::diff::Change;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::{self, Side, Wish};
use dgh_store::StoreError;
use dgh_store::agents::{self as rows, releases};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use super::traffic::{Share, Traffic};
use crate::app::App;
use crate::v1::idempotency::{Begun, Create};
use crate::v1::paging::{Page, Paging};
use crate::v1::problem::Problem;
use crate::v1::take::{Body, Path};
use crate::v1::who::Who;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, publish))
        .routes(routes!(show))
        .routes(routes!(serve))
        .routes(routes!(diff))
}

/// A release: what was published. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Release {
    id: String,
    /// Its number among those of the agent.
    number: i64,
    /// The hash of its files.
    bundle: String,
    /// The file that was compiled.
    entry: String,
    /// The name of the agent in it.
    part: String,
    /// The SHA-256 of the compiled program.
    program: String,
    /// The version of the compiler.
    compiler: String,
    /// The profile that it was published to.
    profile: String,
    /// Its revision then.
    profile_revision: i64,
    /// Who published it: `user:…`, `key:…`; null: the server.
    author: Option<String>,
    /// What they said of it.
    note: String,
    created_at: i64,
}

/// A release that was just published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedRelease {
    #[serde(flatten)]
    release: Release,
    /// Who answers in its profile now.
    traffic: Vec<Share>,
    /// Secrets that it names and the profile does not have yet.
    missing_secrets: Vec<String>,
    /// What the compiler says besides, as `dgh check --json` prints it.
    #[schema(value_type = Object)]
    report: Value,
}

/// What is to be published.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRelease {
    /// The hash of the draft that was looked at: another one is not published. Without it whatever
    /// the draft is.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    draft: Option<String>,
    /// What to say of it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
    /// Where it answers; without it where the agent's own name is answered.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    profile: Option<String>,
    /// How many of a hundred callers it answers. 0: it is kept, and answers nobody yet.
    #[serde(default = "all")]
    #[schema(minimum = 0, maximum = 100, default = 100)]
    percent: i64,
}

fn all() -> i64 {
    100
}

/// Lists the releases of an agent, the newest first.
#[utoipa::path(
    get, path = "/agents/{agent}/releases", tag = "releases",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses."), Paging),
    responses((status = 200, body = Page<Release>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    paging: Paging,
) -> Result<Json<Page<Release>>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let before = match paging.after.as_deref().map(str::parse::<i64>) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => {
            let told = "this is no `next` of a page";
            return Err(Problem::unprocessable("invalid_parameter", told).fault("after", told));
        }
    };
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let agent = rows::find(&mut conn, &who.org, &agent).await?;
    let found = releases::list(&mut conn, &who.org, &agent.id, before, paging.fetch()).await?;
    Ok(Json(paging.page(found, |release| release.number.to_string()).map(Release::from)))
}

/// Publishes the draft: compiles it, keeps the program, and lets it answer. A draft with errors is
/// refused, and nothing changes; each error is told with its place.
#[utoipa::path(
    post, path = "/agents/{agent}/releases", tag = "releases",
    security(("key" = ["editor", "agents:write"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    request_body = NewRelease,
    responses(
        (status = 201, body = PublishedRelease),
        (status = 412, description = "The draft is another one than `draft`; `ETag` says what it is now."),
    ),
)]
pub(crate) async fn publish(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    create: Create<NewRelease>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    if let Some(answer) = create.answered(&app, &who).await? {
        return Ok(answer);
    }
    let NewRelease { draft, note, profile, percent } = create.wanted().clone();
    let wish = Wish { draft, note, profile, percent, trusted: false };
    // Compiling takes long, so it goes before the transaction.
    let compilation = bundles::compile_draft(app.db(), &who.org, &agent, wish).await?;
    let mut once = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(_, once) => once,
    };
    let published = compilation.publish(once.conn(), &who.org, &who.actor(), app.now()).await?;
    let location = format!("/api/v1/agents/{agent}/releases/{}", published.release.number);
    let body = PublishedRelease {
        release: published.release.into(),
        traffic: published.traffic.into_iter().map(Share::from).collect(),
        missing_secrets: published.missing_secrets,
        report: published.report,
    };
    let answer = once.created(&location, &body).await?;
    bundles::hint(app.db(), &who.org, &agent).await;
    Ok(answer)
}

/// Shows a release.
#[utoipa::path(
    get, path = "/agents/{agent}/releases/{number}", tag = "releases",
    security(("key" = ["viewer", "agents:read"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("number" = i64, Path, description = "The number of the release.", minimum = 1),
    ),
    responses((status = 200, body = Release)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, number)): Path<(String, i64)>,
) -> Result<Json<Release>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let agent = rows::find(&mut conn, &who.org, &agent).await?;
    Ok(Json(releases::find(&mut conn, &who.org, &agent.id, number).await?.into()))
}

/// Where a release is to answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serving {
    /// In which profile; without it where the agent's own name is answered.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    profile: Option<String>,
    /// How many of a hundred callers it answers; the others keep the rest in their proportion.
    #[serde(default = "all")]
    #[schema(minimum = 1, maximum = 100, default = 100)]
    percent: i64,
}

/// Lets a release answer: the way back to an earlier one, or on to a newer one.
#[utoipa::path(
    post, path = "/agents/{agent}/releases/{number}/serve", tag = "releases",
    security(("key" = ["editor", "agents:write"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("number" = i64, Path, description = "The number of the release.", minimum = 1),
    ),
    request_body = Serving,
    responses((status = 200, body = Traffic)),
)]
pub(crate) async fn serve(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, number)): Path<(String, i64)>,
    Body(serving): Body<Serving>,
) -> Result<Json<Traffic>, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let mut tx = app.db().begin().await?;
    let found = rows::find(&mut tx, &who.org, &agent).await?;
    let profile = serving.profile.unwrap_or(found.profile);
    let to = (profile.as_str(), serving.percent);
    let shares = bundles::serve(&mut tx, &who.org, &agent, number, to, &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &agent).await;
    Ok(Json(Traffic { profile, shares: shares.into_iter().map(Share::from).collect() }))
}

/// What is different, and whom it breaks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Differences {
    /// Whether it breaks somebody outside: who starts calls, who receives webhooks.
    breaks: bool,
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

/// Tells what one release does differently from another: behaviour, inputs, outcomes, webhooks, tools;
/// and whom that breaks. `3...4`, `4...draft`.
#[utoipa::path(
    get, path = "/agents/{agent}/releases/{range}/diff", tag = "releases",
    security(("key" = ["viewer", "agents:read"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("range" = String, Path, description = "Two numbers, or a number and `draft`, with `...` between them."),
    ),
    responses((status = 200, body = Differences)),
)]
pub(crate) async fn diff(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, range)): Path<(String, String)>,
) -> Result<Json<Differences>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let (a, b) = range
        .split_once("...")
        .and_then(|(a, b)| Some((side(a)?, side(b)?)))
        .ok_or_else(|| Problem::not_found("range of releases").hint("Write 3...4, or 4...draft."))?;
    let found = bundles::compare(app.db(), &who.org, &agent, a, b).await?;
    Ok(Json(Differences { breaks: found.breaks(), changes: found.changes }))
}

fn side(text: &str) -> Option<Side> {
    if text == "draft" { Some(Side::Draft) } else { text.parse().ok().map(Side::Release) }
}

impl From<releases::Release> for Release {
    fn from(release: releases::Release) -> Self {
        Self {
            id: release.id.to_string(),
            number: release.number,
            bundle: release.bundle,
            entry: release.entry,
            part: release.part,
            program: release.program_hash,
            compiler: release.compiler,
            profile: release.profile,
            profile_revision: release.profile_revision,
            author: release.author,
            note: release.note,
            created_at: release.created_at,
        }
    }
}
