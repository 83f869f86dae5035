//! Organisations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use dgh_platform::access::{self, Role, Scope};
use dgh_store::StoreError;
use dgh_store::accounts::orgs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::idempotency::{Begun, Create};
use super::problem::Problem;
use super::rights;
use super::take::Body;
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show, update)).routes(routes!(list, create))
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Org {
    id: String,
    /// What people call it.
    name: String,
    created_at: i64,
}

/// An organisation of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnOrg {
    #[serde(flatten)]
    org: Org,
    #[schema(schema_with = rights::role)]
    role: Role,
}

/// The organisations of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnOrgs {
    /// All of them.
    items: Vec<OwnOrg>,
}

/// What it is called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgName {
    /// The name.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    name: String,
}

/// Shows the organisation of the key or session.
#[utoipa::path(
    get, path = "/org", tag = "orgs",
    security(("key" = ["viewer", "org:read"])),
    responses((status = 200, body = Org)),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, who: Who) -> Result<Json<Org>, Problem> {
    who.needs(Role::Viewer, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    Ok(Json(orgs::get(&mut conn, &who.org).await?.into()))
}

/// Gives the organisation another name.
#[utoipa::path(
    patch, path = "/org", tag = "orgs",
    security(("key" = ["owner", "org:write"])),
    request_body = OrgName,
    responses((status = 200, body = Org)),
)]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    who: Who,
    Body(new): Body<OrgName>,
) -> Result<Json<Org>, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let mut tx = app.db().begin().await?;
    access::rename_org(&mut tx, &who.org, &new.name, &who.actor(), app.now()).await?;
    let org = orgs::get(&mut tx, &who.org).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(org.into()))
}

/// Lists the organisations of whoever is signed in.
#[utoipa::path(
    get, path = "/orgs", tag = "orgs",
    security(("session" = ["viewer"])),
    responses((status = 200, body = OwnOrgs)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, who: Who) -> Result<Json<OwnOrgs>, Problem> {
    let (user, _) = who.person()?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = orgs::of_user(&mut conn, user).await?.into_iter();
    let items = found.map(|own| OwnOrg { org: own.org.into(), role: own.role }).collect();
    Ok(Json(OwnOrgs { items }))
}

/// Makes another organisation, whose owner is whoever is signed in. Owners of one may make another.
#[utoipa::path(
    post, path = "/orgs", tag = "orgs",
    security(("session" = ["owner"])),
    request_body = OrgName,
    responses((status = 201, body = Org)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<OrgName>,
) -> Result<Response, Problem> {
    let (user, _) = who.person()?;
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    let org = access::new_org(once.conn(), &new.name, user, &who.actor(), app.now()).await?;
    once.created("/api/v1/org", &Org::from(org)).await
}

impl From<orgs::Org> for Org {
    fn from(org: orgs::Org) -> Self {
        Self { id: org.id.to_string(), name: org.name, created_at: org.created_at }
    }
}
