//! API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dgh_platform::access::{self, NewKey, Role, Scope};
use dgh_store::accounts::keys;
use dgh_store::{ApiKeyId, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::idempotency::{Begun, Create};
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::rights;
use super::take::Path;
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, revoke))
}

/// An API key. It opens what its role and its scopes say, in its organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    id: String,
    /// What it is for.
    name: String,
    /// Its first letters, to recognise it by.
    prefix: String,
    #[schema(schema_with = rights::role)]
    role: Role,
    #[schema(schema_with = rights::scopes)]
    scopes: Vec<Scope>,
    /// The user who made it, or who made the key that made it.
    created_by: Option<String>,
    created_at: i64,
    /// Until when it is good; null: until it is revoked.
    expires_at: Option<i64>,
    /// When it was used last, to a minute.
    used_at: Option<i64>,
    /// When it was taken back; it opens nothing any more.
    revoked_at: Option<i64>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeApiKey {
    /// The key itself: `dgh_…`. It is shown here and never again.
    key: String,
    #[serde(flatten)]
    about: ApiKey,
}

/// A key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    /// What it is for.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    )]
    name: String,
    /// What it may do, at most what you may.
    #[schema(schema_with = rights::role)]
    role: Role,
    /// The parts of the product it is for; without it all of them that are yours.
    #[serde(default)]
    #[schema(schema_with = rights::scopes, required = false)]
    scopes: Option<Vec<Scope>>,
    /// Until when it is good, in milliseconds since 1970; without it until it is revoked.
    #[serde(default)]
    expires_at: Option<i64>,
}

/// Lists the keys of the organisation, revoked ones too, the newest first.
#[utoipa::path(
    get, path = "/api-keys", tag = "api-keys",
    security(("key" = ["owner", "org:read"])),
    params(Paging),
    responses((status = 200, body = Page<ApiKey>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<ApiKey>>, Problem> {
    who.needs(Role::Owner, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = keys::list(&mut conn, &who.org, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |key| key.id.to_string()).map(ApiKey::from)))
}

/// Makes a key. It is shown once.
#[utoipa::path(
    post, path = "/api-keys", tag = "api-keys",
    security(("key" = ["owner", "org:write"])),
    request_body = NewApiKey,
    responses((status = 201, body = MadeApiKey)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<NewApiKey>,
) -> Result<Response, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    let scopes = match new.scopes {
        Some(scopes) if scopes.is_empty() => {
            return Err(Problem::invalid("scopes", "a key has one scope at least"));
        }
        Some(scopes) => scopes.into_iter().collect(),
        None => who.scopes,
    };
    let new = NewKey { name: new.name, role: new.role, scopes, expires_at: new.expires_at };
    let made = access::make_key(once.conn(), &who.identity(), new, &who.actor(), app.now()).await?;
    let location = format!("/api/v1/api-keys/{}", made.key.id);
    once.created(&location, &MadeApiKey { key: made.secret, about: made.key.into() }).await
}

/// Shows a key, without itself.
#[utoipa::path(
    get, path = "/api-keys/{key}", tag = "api-keys",
    security(("key" = ["owner", "org:read"])),
    params(("key" = String, Path, description = "Its id.")),
    responses((status = 200, body = ApiKey)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(key): Path<ApiKeyId>,
) -> Result<Json<ApiKey>, Problem> {
    who.needs(Role::Owner, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    Ok(Json(keys::get(&mut conn, &who.org, &key).await?.into()))
}

/// Revokes a key: from now on it opens nothing. Twice is no fault.
#[utoipa::path(
    delete, path = "/api-keys/{key}", tag = "api-keys",
    security(("key" = ["owner", "org:write"])),
    params(("key" = String, Path, description = "Its id.")),
    responses((status = 204)),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    who: Who,
    Path(key): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let mut tx = app.db().begin().await?;
    access::revoke_key(&mut tx, &who.org, &key, &who.actor(), app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<keys::ApiKey> for ApiKey {
    fn from(key: keys::ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            prefix: key.prefix,
            role: key.role,
            scopes: key.scopes.iter().collect(),
            created_by: key.created_by.map(|user| user.to_string()),
            created_at: key.created_at,
            expires_at: key.expires_at,
            used_at: key.used_at,
            revoked_at: key.revoked_at,
        }
    }
}
