//! Members of the organisation.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{self, Role, Scope};
use dgh_store::accounts::members;
use dgh_store::{StoreError, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Page, Paging};
use super::problem::Problem;
use super::rights;
use super::take::{Body, Path, Query};
use super::who::Who;
use crate::app::App;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, update, remove))
}

/// A member of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The user.
    user: String,
    /// What they sign in with.
    email: String,
    /// What they are called.
    name: String,
    #[schema(schema_with = rights::role)]
    role: Role,
    /// When they became one.
    created_at: i64,
}

/// What a member becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberUpdate {
    #[schema(schema_with = rights::role)]
    role: Role,
}

/// What went with a member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedMember {
    /// Keys that were revoked.
    keys_revoked: usize,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Removal {
    /// Keep the keys that they made. They know them.
    #[serde(default)]
    #[param(nullable = false, required = false)]
    keep_keys: bool,
}

/// Lists the members.
#[utoipa::path(
    get, path = "/members", tag = "members",
    security(("key" = ["viewer", "org:read"])),
    params(Paging),
    responses((status = 200, body = Page<Member>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Member>>, Problem> {
    who.needs(Role::Viewer, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = members::list(&mut conn, &who.org, paging.after.as_deref(), paging.fetch()).await?;
    Ok(Json(paging.page(found, |member| member.user.to_string()).map(Member::from)))
}

/// Shows a member.
#[utoipa::path(
    get, path = "/members/{user}", tag = "members",
    security(("key" = ["viewer", "org:read"])),
    params(("user" = String, Path, description = "The id of the user.")),
    responses((status = 200, body = Member)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(user): Path<UserId>,
) -> Result<Json<Member>, Problem> {
    who.needs(Role::Viewer, Scope::OrgRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    Ok(Json(members::get(&mut conn, &who.org, &user).await?.into()))
}

/// Gives a member another role. The last owner stays one.
#[utoipa::path(
    patch, path = "/members/{user}", tag = "members",
    security(("key" = ["owner", "org:write"])),
    params(("user" = String, Path, description = "The id of the user.")),
    request_body = MemberUpdate,
    responses((status = 200, body = Member)),
)]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    who: Who,
    Path(user): Path<UserId>,
    Body(update): Body<MemberUpdate>,
) -> Result<Json<Member>, Problem> {
    who.needs(Role::Owner, Scope::OrgWrite)?;
    let mut tx = app.db().begin().await?;
    access::set_role(&mut tx, &who.org, &user, update.role, &who.actor(), app.now()).await?;
    let member = members::get(&mut tx, &who.org, &user).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(member.into()))
}

/// Removes a member, or leaves. Keys that they made are revoked, sessions end. The last owner stays.
#[utoipa::path(
    delete, path = "/members/{user}", tag = "members",
    security(("key" = ["owner", "org:write"])),
    params(("user" = String, Path, description = "The id of the user."), Removal),
    responses((status = 200, body = RemovedMember)),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path(user): Path<UserId>,
    Query(removal): Query<Removal>,
) -> Result<Json<RemovedMember>, Problem> {
    // Everybody may leave; only an owner decides what becomes of keys.
    if who.user.as_ref() != Some(&user) || removal.keep_keys {
        who.needs(Role::Owner, Scope::OrgWrite)?;
    }
    let mut tx = app.db().begin().await?;
    let removed =
        access::remove_member(&mut tx, &who.org, &user, removal.keep_keys, &who.actor(), app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(RemovedMember { keys_revoked: removed.keys }))
}

impl From<members::Member> for Member {
    fn from(member: members::Member) -> Self {
        let members::Member { user, email, name, role, created_at } = member;
        Self { user: user.to_string(), email, name, role, created_at }
    }
}
