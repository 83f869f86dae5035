//! Which releases answer for an agent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles;
use dgh_store::StoreError;
use dgh_store::agents::{self as rows, traffic};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::{Body, Path};
use crate::v1::who::Who;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show, put))
}

/// Who answers in a profile.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Traffic {
    pub(super) profile: String,
    /// The newest release first. Their shares make 100; none: nobody answers.
    pub(super) shares: Vec<Share>,
}

/// A release and its share. The same caller meets the same release as long as the shares stay.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    /// The number of the release.
    #[schema(minimum = 1)]
    release: i64,
    /// How many of a hundred callers it answers.
    #[schema(minimum = 1, maximum = 100)]
    percent: i64,
}

/// Who is to answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrafficBody {
    /// They make 100; none: nobody answers.
    #[schema(max_items = 10)]
    shares: Vec<Share>,
}

/// Shows who answers for an agent in a profile.
#[utoipa::path(
    get, path = "/agents/{agent}/traffic/{profile}", tag = "releases",
    security(("key" = ["viewer", "agents:read"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("profile" = String, Path, description = "The name of the profile."),
    ),
    responses((status = 200, body = Traffic)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, profile)): Path<(String, String)>,
) -> Result<Json<Traffic>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let agent = rows::find(&mut conn, &who.org, &agent).await?;
    let shares = traffic::of(&mut conn, &who.org, &agent.id, &profile).await?;
    Ok(Json(Traffic { profile, shares: shares.into_iter().map(Share::from).collect() }))
}

/// Sets who answers for an agent in a profile.
#[utoipa::path(
    put, path = "/agents/{agent}/traffic/{profile}", tag = "releases",
    security(("key" = ["editor", "agents:write"])),
    params(
        ("agent" = String, Path, description = "Its name in addresses."),
        ("profile" = String, Path, description = "The name of the profile."),
    ),
    request_body = TrafficBody,
    responses((status = 200, body = Traffic)),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    who: Who,
    Path((agent, profile)): Path<(String, String)>,
    Body(body): Body<TrafficBody>,
) -> Result<Json<Traffic>, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let shares: Vec<_> = body.shares.iter().map(|share| (share.release, share.percent)).collect();
    let mut tx = app.db().begin().await?;
    let shares =
        bundles::set_shares(&mut tx, &who.org, &agent, &profile, &shares, &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &agent).await;
    Ok(Json(Traffic { profile, shares: shares.into_iter().map(Share::from).collect() }))
}

/// Shares of all profiles, profile by profile.
pub(super) fn by_profile(shares: Vec<traffic::Share>) -> Vec<Traffic> {
    let mut all: Vec<Traffic> = Vec::new();
    for share in shares {
        match all.last_mut().filter(|traffic| traffic.profile == share.profile) {
            Some(traffic) => traffic.shares.push(share.into()),
            None => all.push(Traffic { profile: share.profile.clone(), shares: vec![share.into()] }),
        }
    }
    all
}

impl From<traffic::Share> for Share {
    fn from(share: traffic::Share) -> Self {
        Self { release: share.number, percent: share.percent }
    }
}
