//! Invitations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{self, Accepted, NewUser, Role, Scope};
use dgh_store::accounts::invites;
use dgh_store::audit;
use dgh_store::{InviteId, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::cookie;
use super::idempotency::{Begun, Create};
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::rights;
use super::take::{Body, Path};
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(remove))
        .routes(routes!(look))
        .routes(routes!(accept))
}

/// An invitation that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invite {
    id: String,
    /// Who is meant.
    email: String,
    #[schema(schema_with = rights::role)]
    role: Role,
    /// The user who invited.
    invited_by: Option<String>,
    created_at: i64,
    /// Until when the link is good.
    expires_at: i64,
}

/// An invitation that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeInvite {
    /// What to send to them. It is shown here and never again.
    link: String,
    #[serde(flatten)]
    about: Invite,
}

/// An invitation that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvite {
    /// Who is meant.
    #[schema(max_length = 254, pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$")]
    email: String,
    #[schema(schema_with = rights::role)]
    role: Role,
}

/// What the link leads to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteToken {
    /// What stands behind `#invite=` in the link.
    #[schema(max_length = 100)]
    token: String,
}

/// An invitation, for whoever holds the link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenInvite {
    /// The name of the organisation.
    org: String,
    /// Who is meant.
    email: String,
    #[schema(schema_with = rights::role)]
    role: Role,
    /// Whether there is an account for this address: then its password accepts.
    account: bool,
    /// Until when the link is good.
    expires_at: i64,
}

/// How an invitation is accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// What stands behind `#invite=` in the link.
    #[schema(max_length = 100)]
    token: String,
    /// What a new account is called.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// The password of the account, or that of a new one. Not needed by who is signed in with it.
    #[serde(default)]
    #[schema(max_length = 256)]
    password: Option<String>,
}

/// The organisation that was joined.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Joined {
    /// Its id.
    org: String,
}

/// Lists the invitations that are open.
#[utoipa::path(
    get, path = "/invites", tag = "invites",
    security(("key" = ["owner", "org:read"])),
    params(Paging),
    responses((status = 200, body = Page<Invite>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Invite>>, Problem> {
    who.needs(Role::Owner, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found =
        invites::list(&mut conn, &who.org, paging.after.as_deref(), paging.fetch(), app.now()).await?;
    Ok(Json(paging.page(found, |invite| invite.id.to_string()).map(Invite::from)))
}

/// Invites somebody: makes a link that is good once, for a week. Nothing is sent.
#[utoipa::path(
    post, path = "/invites", tag = "invites",
    security(("key" = ["owner", "org:write"])),
    request_body = NewInvite,
    responses((status = 201, body = MadeInvite)),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<NewInvite>,
) -> Result<Response, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    let made = access::invite(once.conn(), &who.org, &new.email, new.role, &who.actor(), app.now()).await?;
    let location = format!("/api/v1/invites/{}", made.invite.id);
    // Behind the `#`: it goes to no server, and into no log on the way.
    let link = format!("{}login#invite={}", app.settings.own_url(app.listens), made.token);
    once.created(&location, &MadeInvite { link, about: made.invite.into() }).await
}

/// Takes an invitation back.
#[utoipa::path(
    delete, path = "/invites/{invite}", tag = "invites",
    security(("key" = ["owner", "org:write"])),
    params(("invite" = String, Path, description = "Its id.")),
    responses((status = 204)),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path(invite): Path<InviteId>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let (by, now) = (who.actor(), app.now());
    let mut tx = app.db().begin().await?;
    let removed = invites::remove(&mut tx, &who.org, &invite).await?;
    let detail = json!({ "email": removed.email });
    audit::write(&mut tx, &who.org, &by, "invite.remove", invite.as_str(), &detail, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows an invitation to whoever holds its link.
#[utoipa::path(
    post, path = "/invites/look", tag = "invites",
    security(()),
    request_body = InviteToken,
    responses((status = 200, body = OpenInvite)),
)]
pub(crate) async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(InviteToken { token }): Body<InviteToken>,
) -> Result<Json<OpenInvite>, Problem> {
    app.limits.stranger(&caller)?;
    let (invite, org, account) = access::look(app.db(), &token, app.now()).await?;
    Ok(Json(OpenInvite {
        org: org.name,
        email: invite.email,
        role: invite.role,
        account,
        expires_at: invite.expires_at,
    }))
}

/// Accepts an invitation: with a new account, with the password of one, or as who is signed in.
#[utoipa::path(
    post, path = "/invites/accept", tag = "invites",
    security(()),
    request_body = Acceptance,
    responses((status = 200, body = Joined)),
)]
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    who: Option<Who>,
    caller: Caller,
    Body(acceptance): Body<Acceptance>,
) -> Result<Response, Problem> {
    app.limits.stranger(&caller)?;
    let Acceptance { token, name, password } = acceptance;
    let identity = who.as_ref().map(Who::identity);
    let new = name.map(|name| NewUser { name });
    let accepted =
        access::accept(app.db(), &token, identity.as_ref(), new, password, &caller.visitor(), app.now())
            .await?;
    match accepted {
        Accepted::Joined(org) => Ok(Json(Joined { org: org.to_string() }).into_response()),
        Accepted::SignedIn(session) => {
            let body = Json(Joined { org: session.identity.org.to_string() });
            let mut response = body.into_response();
            let public = app.settings.public_url.as_ref();
            if let Some(cookie) = cookie::set(&session.token, session.seconds, public) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
    }
}

impl From<invites::Invite> for Invite {
    fn from(invite: invites::Invite) -> Self {
        Self {
            id: invite.id.to_string(),
            email: invite.email,
            role: invite.role,
            invited_by: invite.invited_by,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
        }
    }
}
