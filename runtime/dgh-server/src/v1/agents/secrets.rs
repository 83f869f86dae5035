//! Secrets of profiles. They are set, replaced and removed; nobody reads one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::profiles::{self, DEFAULTS};
use dgh_platform::{bundles, secrets};
use dgh_store::agents::{profiles as profile_rows, secrets as rows};
use dgh_store::{Conn, OrgId, StoreError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use crate::app::App;
use crate::v1::paging::{Page, Paging};
use crate::v1::problem::Problem;
use crate::v1::take::{Body, Path};
use crate::v1::who::Who;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// What may be told of a secret: not itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Secret {
    name: String,
    /// How often it was set.
    version: i64,
    created_at: i64,
    updated_at: i64,
    /// Who set it last: the id of a user or a key.
    updated_by: Option<String>,
}

/// A secret that is set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretBody {
    /// The secret itself. It is sealed, and never shown again.
    #[schema(min_length = 1, max_length = 32768, format = Password)]
    value: String,
}

/// A secret that was set.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetSecret {
    name: String,
    /// How often it was set.
    version: i64,
}

/// Lists the names of the secrets of a profile.
#[utoipa::path(
    get, path = "/profiles/{profile}/secrets", tag = "profiles",
    security(("key" = ["viewer", "secrets:read"])),
    params(("profile" = String, Path, description = "The name of the profile."), Paging),
    responses((status = 200, body = Page<Secret>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Path(profile): Path<String>,
    paging: Paging,
) -> Result<Json<Page<Secret>>, Problem> {
    who.needs(Role::Viewer, Scope::SecretsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let Some(profile) = known(&mut conn, &who.org, &profile).await? else {
        return Ok(Json(Page { items: Vec::new(), next: None }));
    };
    let found = rows::list(&mut conn, &who.org, &profile.id, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |secret| secret.name.clone()).map(Secret::from)))
}

/// Sets a secret of a profile, or sets it anew. Requests use the new one from then on, also in calls
/// that go on.
#[utoipa::path(
    put, path = "/profiles/{profile}/secrets/{name}", tag = "profiles",
    security(("key" = ["editor", "secrets:write"])),
    params(
        ("profile" = String, Path, description = "The name of the profile."),
        ("name" = String, Path, description = "The name: letters, digits and `_`."),
    ),
    request_body = SecretBody,
    responses((status = 200, body = SetSecret)),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    who: Who,
    Path((profile, name)): Path<(String, String)>,
    Body(body): Body<SecretBody>,
) -> Result<Json<SetSecret>, Problem> {
    who.needs(Role::Editor, Scope::SecretsWrite)?;
    let value = SecretString::from(body.value);
    let mut tx = app.db().begin().await?;
    let to = (profile.as_str(), name.as_str());
    let version = secrets::set(&mut tx, app.vault(), &who.org, to, &value, &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &profile).await;
    Ok(Json(SetSecret { name, version }))
}

/// Removes a secret of a profile.
#[utoipa::path(
    delete, path = "/profiles/{profile}/secrets/{name}", tag = "profiles",
    security(("key" = ["editor", "secrets:write"])),
    params(
        ("profile" = String, Path, description = "The name of the profile."),
        ("name" = String, Path, description = "The name of the secret."),
    ),
    responses((status = 204)),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path((profile, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::SecretsWrite)?;
    let mut tx = app.db().begin().await?;
    let found = profiles::find_or_make(&mut tx, &who.org, &profile, app.now()).await?;
    secrets::remove(&mut tx, &who.org, (&found, &name), &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &profile).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A profile; none: one of those that are always there, and that nobody has used yet.
async fn known(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
) -> Result<Option<profile_rows::Profile>, StoreError> {
    match profile_rows::find(conn, org, name).await {
        Err(StoreError::NotFound { .. }) if DEFAULTS.contains(&name) => Ok(None),
        found => found.map(Some),
    }
}

impl From<rows::Secret> for Secret {
    fn from(secret: rows::Secret) -> Self {
        Self {
            name: secret.name,
            version: secret.version,
            created_at: secret.created_at,
            updated_at: secret.updated_at,
            updated_by: secret.updated_by,
        }
    }
}
