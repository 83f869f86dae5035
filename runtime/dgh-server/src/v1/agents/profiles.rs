//! Profiles: where agents run.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dgh_platform::access::{Role, Scope};
use dgh_platform::bundles::profiles::{self, DEFAULTS, DefaultModels, Settings};
use dgh_platform::bundles::{self, BundleError};
use dgh_store::StoreError;
use dgh_store::agents::profiles as rows;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::commit;
use super::etag::{Match, if_match};
use crate::app::App;
use crate::v1::paging::{Page, Paging};
use crate::v1::problem::Problem;
use crate::v1::take::{Body, Path};
use crate::v1::who::Who;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// A profile. `dev`, `staging` and `production` are always there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    name: String,
    /// The number of its newest revision, which is also its `ETag`. Calls pin one.
    revision: i64,
    /// Values of `env.NAME`; they go before those of the bundle's `dgh.toml`.
    env: BTreeMap<String, String>,
    models: Models,
    created_at: i64,
    updated_at: i64,
}

/// What a profile is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileBody {
    /// Values of `env.NAME`; they go before those of the bundle's `dgh.toml`.
    #[serde(default)]
    #[schema(required = false)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    #[schema(required = false)]
    models: Models,
}

/// Models for agents that name none: `openai/gpt-4.1-mini`, in order of fallback.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Models {
    /// Language models.
    #[schema(max_items = 10)]
    llm: Vec<String>,
    /// Recognisers.
    #[schema(max_items = 10)]
    stt: Vec<String>,
    /// Voices.
    #[schema(max_items = 10)]
    tts: Vec<String>,
}

/// Lists the profiles, by name.
#[utoipa::path(
    get, path = "/profiles", tag = "profiles",
    security(("key" = ["viewer", "agents:read"])),
    params(Paging),
    responses((status = 200, body = Page<Profile>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
) -> Result<Json<Page<Profile>>, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    let mut tx = app.db().begin().await?;
    profiles::make_defaults(&mut tx, &who.org, app.now()).await?;
    let found = rows::list(&mut tx, &who.org, paging.after.as_deref(), paging.fetch()).await?;
    commit(tx).await?;
    let page = paging.page(found, |profile| profile.name.clone());
    let items = page.items.into_iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: page.next }))
}

/// Shows a profile. Its secrets are another matter: nobody sees them.
#[utoipa::path(
    get, path = "/profiles/{profile}", tag = "profiles",
    security(("key" = ["viewer", "agents:read"])),
    params(("profile" = String, Path, description = "Its name.")),
    responses((status = 200, body = Profile, headers(("ETag" = String, description = "The revision.")))),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(profile): Path<String>,
) -> Result<Response, Problem> {
    who.needs(Role::Viewer, Scope::AgentsRead)?;
    if DEFAULTS.contains(&profile.as_str()) {
        let mut tx = app.db().begin().await?;
        let found = profiles::find_or_make(&mut tx, &who.org, &profile, app.now()).await?;
        commit(tx).await?;
        return tagged(found);
    }
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    tagged(rows::find(&mut conn, &who.org, &profile).await?)
}

/// Writes a profile, all of it, and makes it when it is not there. Each change is a revision; calls
/// that go on keep theirs. With `If-Match`, only over that revision.
#[utoipa::path(
    put, path = "/profiles/{profile}", tag = "profiles",
    security(("key" = ["editor", "agents:write"])),
    params(
        ("profile" = String, Path, description = "Its name."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the profile that was read."),
    ),
    request_body = ProfileBody,
    responses(
        (status = 200, body = Profile, headers(("ETag" = String, description = "The revision."))),
        (status = 412, description = "The profile was changed; `ETag` says what it is now."),
    ),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    who: Who,
    Path(profile): Path<String>,
    headers: HeaderMap,
    Body(body): Body<ProfileBody>,
) -> Result<Response, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let was = match if_match(&headers)? {
        None | Some(Match::Any) => None,
        // A tag that is no revision is one that never was.
        Some(Match::This(tag)) => Some(tag.parse().unwrap_or(-1)),
    };
    let Models { llm, stt, tts } = body.models;
    let settings = Settings { env: body.env.into_iter().collect(), models: DefaultModels { llm, stt, tts } };
    let mut tx = app.db().begin().await?;
    let put = profiles::put(&mut tx, &who.org, &profile, was, &settings, &who.actor(), app.now()).await?;
    commit(tx).await?;
    bundles::hint(app.db(), &who.org, &profile).await;
    tagged(put)
}

/// Removes a profile in which nothing is answered, with its secrets.
#[utoipa::path(
    delete, path = "/profiles/{profile}", tag = "profiles",
    security(("key" = ["editor", "agents:write"])),
    params(("profile" = String, Path, description = "Its name.")),
    responses((status = 204), (status = 409, description = "Agents are answered in it, or it is always there.")),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path(profile): Path<String>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Editor, Scope::AgentsWrite)?;
    let mut tx = app.db().begin().await?;
    profiles::remove(&mut tx, &who.org, &profile, &who.actor(), app.now()).await?;
    commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn tagged(profile: rows::Profile) -> Result<Response, Problem> {
    let tag = HeaderValue::from_str(&format!("\"{}\"", profile.revision)).map_err(Problem::internal)?;
    Ok(([(header::ETAG, tag)], Json(shown(profile)?)).into_response())
}

fn shown(profile: rows::Profile) -> Result<Profile, BundleError> {
    let Settings { env, models } = Settings::of(&profile)?;
    let DefaultModels { llm, stt, tts } = models;
    Ok(Profile {
        name: profile.name,
        revision: profile.revision,
        env: env.into_iter().collect(),
        models: Models { llm, stt, tts },
        created_at: profile.created_at,
        updated_at: profile.updated_at,
    })
}
