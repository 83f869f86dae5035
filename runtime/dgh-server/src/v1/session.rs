//! Signing in and out, and what one is signed in as.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{self, Role, Scope};
use dgh_store::accounts::{orgs, sessions, users};
use dgh_store::{OrgId, SessionId, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::cookie;
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::rights;
use super::take::{Body, Path};
use super::who::Who;
use crate::app::App;
use crate::guard;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show, sign_in, switch, sign_out))
        .routes(routes!(list))
        .routes(routes!(end))
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// The organisation whose things are shown.
    org: SessionOrg,
    /// The user; null with a key.
    user: Option<SessionUser>,
    /// The id of the key; null with a session.
    key: Option<String>,
    #[schema(schema_with = rights::role)]
    role: Role,
    #[schema(schema_with = rights::scopes)]
    scopes: Vec<Scope>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionOrg {
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionUser {
    id: String,
    email: String,
    name: String,
}

/// What one signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The address of mail.
    #[schema(max_length = 254)]
    email: String,
    /// The password.
    #[schema(max_length = 256)]
    password: String,
}

/// Which organisation is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionUpdate {
    /// The id of one that the user is a member of.
    org: String,
}

/// A place where the user is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    created_at: i64,
    /// When it was used last, to some minutes.
    seen_at: i64,
    /// When it ends if nobody uses it.
    expires_at: i64,
    /// Where it was begun.
    address: Option<String>,
    /// With what.
    browser: Option<String>,
}

/// Shows who asks: the user or the key, its organisation, its rights.
#[utoipa::path(
    get, path = "/session", tag = "session",
    security(("key" = ["viewer"])),
    responses((status = 200, body = Session)),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, who: Who) -> Result<Json<Session>, Problem> {
    Ok(Json(describe(&app, &who).await?))
}

/// Signs in: answers with a cookie.
#[utoipa::path(
    post, path = "/session", tag = "session",
    security(()),
    request_body = SignIn,
    responses((status = 200, body = Session)),
)]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: axum::http::HeaderMap,
    Body(SignIn { email, password }): Body<SignIn>,
) -> Result<Response, Problem> {
    app.limits.stranger(&caller)?;
    // A page of others must not sign anybody in either: as whom it pleases.
    if headers.contains_key(header::ORIGIN) && !guard::is_own_page(&headers, app.settings.public_url.as_ref())
    {
        return Err(Problem::forbidden("foreign_origin", "a page from elsewhere may not do this"));
    }
    let signed_in = access::sign_in(app.db(), &email, password, &caller.visitor(), app.now()).await?;
    let who = Who::new(signed_in.identity, &caller);
    let mut response = Json(describe(&app, &who).await?).into_response();
    if let Some(cookie) = cookie::set(&signed_in.token, signed_in.seconds, app.settings.public_url.as_ref()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Shows another organisation of the user from now on.
#[utoipa::path(
    patch, path = "/session", tag = "session",
    security(("session" = ["viewer"])),
    request_body = SessionUpdate,
    responses((status = 200, body = Session)),
)]
pub(crate) async fn switch(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut who: Who,
    Body(SessionUpdate { org }): Body<SessionUpdate>,
) -> Result<Json<Session>, Problem> {
    let (user, session) = who.person()?;
    let org = OrgId::parse(&org).ok_or_else(|| Problem::not_found("organisation"))?;
    access::switch_org(app.db(), user, session, &org).await?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let places = orgs::of_user(&mut conn, user).await?;
    drop(conn);
    let role = places.into_iter().find(|place| place.org.id == org).map(|place| place.role);
    who = Who::new(access::Identity { org, role: role.unwrap_or(Role::Viewer), ..who.identity() }, &caller);
    Ok(Json(describe(&app, &who).await?))
}

/// Signs out.
#[utoipa::path(
    delete, path = "/session", tag = "session",
    security(("session" = ["viewer"])),
    responses((status = 204)),
)]
pub(crate) async fn sign_out(State(app): State<Arc<App>>, who: Who) -> Result<Response, Problem> {
    let (user, session) = who.person()?;
    access::sign_out(app.db(), &who.org, user, session, &who.actor(), app.now()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::clear(app.settings.public_url.as_ref()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Lists where the user is signed in, the newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "session",
    security(("session" = ["viewer"])),
    params(Paging),
    responses((status = 200, body = Page<Place>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Place>>, Problem> {
    let (user, current) = who.person()?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found =
        sessions::of_user(&mut conn, user, paging.after.as_deref(), paging.fetch(), app.now()).await?;
    let page = paging.page(found, |session| session.id.to_string());
    Ok(Json(page.map(|session| Place {
        current: session.id == *current,
        id: session.id.to_string(),
        created_at: session.created_at,
        seen_at: session.seen_at,
        expires_at: session.expires_at,
        address: session.address,
        browser: session.browser,
    })))
}

/// Ends one of the user's sessions.
#[utoipa::path(
    delete, path = "/sessions/{session}", tag = "session",
    security(("session" = ["viewer"])),
    params(("session" = String, Path, description = "Its id.")),
    responses((status = 204)),
)]
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    who: Who,
    Path(session): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let (user, _) = who.person()?;
    access::sign_out(app.db(), &who.org, user, &session, &who.actor(), app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn describe(app: &App, who: &Who) -> Result<Session, Problem> {
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let org = orgs::get(&mut conn, &who.org).await?;
    let user = match &who.user {
        Some(user) => Some(users::get_unscoped(&mut conn, user).await?),
        None => None,
    };
    Ok(Session {
        org: SessionOrg { id: org.id.to_string(), name: org.name },
        user: user.map(|user| SessionUser { id: user.id.to_string(), email: user.email, name: user.name }),
        key: who.key.as_ref().map(ToString::to_string),
        role: who.role,
        scopes: who.scopes.iter().collect(),
    })
}
