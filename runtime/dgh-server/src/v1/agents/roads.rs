//! Routes: numbers and triggers that lead to agents.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::{self, RouteKind};
use dgh_store::agents::routes as rows;
use dgh_store::{RouteId, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use crate::app::App;
use crate::v1::idempotency::{Begun, Create};
use crate::v1::paging::{Page, Paging};
use crate::v1::problem::Problem;
use crate::v1::take::Path;
use crate::v1::who::Who;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// What leads to an agent besides its own name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Route {
    id: String,
    /// `number`, `trigger`.
    kind: String,
    /// The number in E.164, or the name of the trigger.
    address: String,
    /// The agent's name in addresses.
    agent: String,
    /// The profile in which it is answered.
    profile: String,
    /// The one release that answers; null: those that answer in the profile.
    release: Option<i64>,
    created_at: i64,
}

/// A route that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoute {
    #[schema(schema_with = kind)]
    kind: RouteKind,
    /// The number in E.164 (`+14155550100`), or the name of the trigger.
    #[schema(min_length = 1, max_length = 64)]
    address: String,
    /// The agent's name in addresses.
    #[schema(min_length = 1, max_length = 64)]
    agent: String,
    /// The profile in which it is answered; without it where the agent's own name is.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    profile: Option<String>,
    /// The one release that answers; without it those that answer in the profile.
    #[serde(default)]
    #[schema(minimum = 1)]
    release: Option<i64>,
}

fn kind() -> utoipa::openapi::schema::Schema {
    let words = [RouteKind::Number, RouteKind::Trigger].map(RouteKind::word);
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(words))
        .build()
        .into()
}

/// Lists the routes, in the order in which they were made.
#[utoipa::path(
    get, path = "/routes", tag = "agents",
    security(("key" = ["viewer", "agents:read"])),
    params(Paging),
    responses((status = 200, body = Page<Route>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Route>>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = rows::list(&mut conn, &who.org, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |route| route.id.to_string()).map(Route::from)))
}

/// Lets a number or a trigger lead to an agent.
#[utoipa::path(
    post, path = "/routes", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    request_body = NewRoute,
    responses((status = 201, body = Route)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<NewRoute>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    let NewRoute { kind, address, agent, profile, release } = new;
    let new = bundles::NewRoute { kind, address, agent, profile, release };
    let made = bundles::add_route(once.conn(), &who.org, new, &who.actor(), app.now()).await?;
    let location = format!("/api/v1/routes/{}", made.id);
    once.created(&location, &Route::from(made)).await
}

/// Removes a route: nothing leads on from there any more.
#[utoipa::path(
    delete, path = "/routes/{route}", tag = "agents",
    security(("key" = ["editor", "agents:write"])),
    params(("route" = String, Path, description = "Its id.")),
    responses((status = 204)),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path(route): Path<RouteId>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let mut tx = app.db().begin().await?;
    bundles::remove_route(&mut tx, &who.org, &route, &who.actor(), app.now()).await?;
    commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<rows::Route> for Route {
    fn from(route: rows::Route) -> Self {
        Self {
            id: route.id.to_string(),
            kind: route.kind,
            address: route.address,
            agent: route.slug,
            profile: route.profile,
            release: route.number,
            created_at: route.created_at,
        }
    }
}
