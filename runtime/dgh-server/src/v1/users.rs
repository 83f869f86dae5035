//! What a user changes about themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dgh_platform::access::{self, OwnPlace};
use dgh_store::StoreError;
use dgh_store::accounts::users;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::take::Body;
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show, update)).routes(routes!(password))
}

/// Whoever is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: String,
    email: String,
    name: String,
    created_at: i64,
}

/// What a user changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserUpdate {
    /// What they are called.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// What they sign in with. It takes the password.
    #[serde(default)]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The password, for another address.
    #[serde(default)]
    #[schema(max_length = 256)]
    password: Option<String>,
}

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordUpdate {
    /// The one that is good until now.
    #[schema(max_length = 256)]
    current: String,
    /// The one that is good from now on.
    #[schema(min_length = 12, max_length = 256)]
    new: String,
}

/// Shows whoever is signed in.
#[utoipa::path(
    get, path = "/user", tag = "user",
    security(("session" = ["viewer"])),
    responses((status = 200, body = User)),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, who: Who) -> Result<Json<User>, Problem> {
    let (user, _) = who.person()?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    Ok(Json(users::get_unscoped(&mut conn, user).await?.into()))
}

/// Changes the name or the address of whoever is signed in.
#[utoipa::path(
    patch, path = "/user", tag = "user",
    security(("session" = ["viewer"])),
    request_body = UserUpdate,
    responses((status = 200, body = User)),
)]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    who: Who,
    Body(update): Body<UserUpdate>,
) -> Result<Json<User>, Problem> {
    let (user, _) = who.person()?;
    let email = match (update.email, update.password) {
        (Some(email), Some(password)) => Some((email, password)),
        (Some(_), None) => return Err(Problem::invalid("password", "another address takes the password")),
        (None, _) => None,
    };
    access::update_user(app.db(), user, &who.org, update.name, email, &who.actor(), app.now()).await?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    Ok(Json(users::get_unscoped(&mut conn, user).await?.into()))
}

/// Changes the password. All other sessions end.
#[utoipa::path(
    put, path = "/user/password", tag = "user",
    security(("session" = ["viewer"])),
    request_body = PasswordUpdate,
    responses((status = 204)),
)]
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    who: Who,
    Body(PasswordUpdate { current, new }): Body<PasswordUpdate>,
) -> Result<StatusCode, Problem> {
    let (user, session) = who.person()?;
    let place = OwnPlace { org: &who.org, user, session };
    access::change_password(app.db(), &place, current, new, &who.actor(), app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<users::User> for User {
    fn from(user: users::User) -> Self {
        Self { id: user.id.to_string(), email: user.email, name: user.name, created_at: user.created_at }
    }
}
