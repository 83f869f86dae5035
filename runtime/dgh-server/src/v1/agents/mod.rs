//! Agents: drafts, releases, traffic, what leads to them, and the profiles they run in.

mod bundle;
mod etag;
mod problems;
mod profiles;
mod releases;
mod roads;
mod secrets;
mod traffic;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::{self, About, BundleError, NewAgent};
use dgh_store::StoreError;
use dgh_store::agents::{self as rows, traffic as shares};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::idempotency::{Begun, Create};
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::take::{Body, Path};
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, describe, archive))
        .merge(bundle::routes())
        .merge(releases::routes())
        .merge(traffic::routes())
        .merge(roads::routes())
        .merge(profiles::routes())
        .merge(secrets::routes())
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agent {
    id: String,
    /// Its name in addresses.
    slug: String,
    /// Its name for people.
    name: String,
    /// The file that is compiled; null: what the bundle says.
    entry: Option<String>,
    /// The agent of the file that is meant; null: its only one.
    part: Option<String>,
    /// The profile in which its own name is answered.
    profile: String,
    /// Who writes it: `api`, `folder`, `example`.
    source: String,
    /// The hash of its draft, which is also the `ETag` of the bundle.
    draft: String,
    /// Who wrote the draft: `user:…`, `key:…`; null: the server.
    draft_by: Option<String>,
    draft_at: i64,
    /// How many releases it has: the number of the newest.
    releases: i64,
    created_at: i64,
    updated_at: i64,
}

/// An agent, and who answers for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentInFull {
    #[serde(flatten)]
    agent: Agent,
    /// Which releases answer, profile by profile.
    traffic: Vec<traffic::Traffic>,
}

/// An agent that is wanted. Its draft is empty at first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAgentBody {
    /// Its name in addresses.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    slug: String,
    /// Its name for people; the other one without it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// The file that is compiled; without it what the bundle says.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 240)]
    entry: Option<String>,
    /// The agent of the file that is meant, where it has several.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    part: Option<String>,
    /// The profile in which its own name is answered; `production` without it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    profile: Option<String>,
}

/// What is to be said of an agent. What is left out stays; null goes back to what the bundle says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "left out and null are two wishes")]
pub(crate) struct AboutBody {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 240)]
    entry: Option<Option<String>>,
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    part: Option<Option<String>>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    profile: Option<String>,
}

/// Tells null from nothing.
#[allow(clippy::option_option, reason = "left out and null are two wishes")]
fn or_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

/// Lists the agents, by their names in addresses.
#[utoipa::path(
    get, path = "/agents", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(Paging),
    responses((status = 200, body = Page<Agent>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Agent>>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = rows::list(&mut conn, &who.org, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |agent| agent.slug.clone()).map(Agent::from)))
}

/// Makes an agent. One of this name that was put away is taken out again, with its releases.
#[utoipa::path(
    post, path = "/agents", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    request_body = NewAgentBody,
    responses((status = 201, body = Agent)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<NewAgentBody>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    let NewAgentBody { slug, name, entry, part, profile } = new;
    let profile = profile.unwrap_or_else(|| bundles::profiles::PRODUCTION.to_owned());
    let new = NewAgent { slug, name, entry, part, profile, source: "api" };
    let made = bundles::create(once.conn(), &who.org, new, &who.actor(), app.now()).await?;
    let location = format!("/api/v1/agents/{}", made.slug);
    once.created(&location, &Agent::from(made)).await
}

/// Shows an agent, and who answers for it.
#[utoipa::path(
    get, path = "/agents/{agent}", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    responses((status = 200, body = AgentInFull)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
) -> Result<Json<AgentInFull>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let agent = rows::find(&mut conn, &who.org, &agent).await?;
    let shares = shares::all(&mut conn, &who.org, &agent.id).await?;
    Ok(Json(AgentInFull { agent: agent.into(), traffic: traffic::by_profile(shares) }))
}

/// Changes what is said of an agent. Its draft is another matter: `PUT …/bundle`.
#[utoipa::path(
    patch, path = "/agents/{agent}", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    request_body = AboutBody,
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn describe(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
    Body(about): Body<AboutBody>,
) -> Result<Json<Agent>, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let AboutBody { name, entry, part, profile } = about;
    let about = About { name, entry, part, profile };
    let mut tx = app.db().begin().await?;
    let agent = bundles::describe(&mut tx, &who.org, &agent, about, &who.actor(), app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(agent.into()))
}

/// Puts an agent away. Nothing leads to it any more; its releases stay, and calls that go on go on.
#[utoipa::path(
    delete, path = "/agents/{agent}", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    params(("agent" = String, Path, description = "Its name in addresses.")),
    responses((status = 204)),
)]
pub(crate) async fn archive(
    State(app): State<Arc<App>>,
    who: Who,
    Path(agent): Path<String>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let mut tx = app.db().begin().await?;
    bundles::archive(&mut tx, &who.org, &agent, &who.actor(), app.now()).await?;
    commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Commits.
async fn commit(tx: dgh_store::Tx) -> Result<(), BundleError> {
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

impl From<rows::Agent> for Agent {
    fn from(agent: rows::Agent) -> Self {
        Self {
            id: agent.id.to_string(),
            slug: agent.slug,
            name: agent.name,
            entry: agent.entry,
            part: agent.part,
            profile: agent.profile,
            source: agent.source,
            draft: agent.draft,
            draft_by: agent.draft_by,
            draft_at: agent.draft_at,
            releases: agent.releases,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
        }
    }
}
