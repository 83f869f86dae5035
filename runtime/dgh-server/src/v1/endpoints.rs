//! Endpoints of webhooks: whether anything is sent to them, and what they are sent is signed with.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dgh_platform::access::{Role, Scope};
use dgh_platform::webhooks::{self, RotateError};
use dgh_store::deliveries::{self, EndpointFilter};
use dgh_store::{EndpointId, SecretId, StoreError, audit};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::idempotency::{Begun, Create};
use super::paging::{Page, Paging};
use super::problem::Problem;
use super::take::{Path, Query};
use super::who::Who;
use crate::app::App;

/// The longest that the secret before signs on, in hours.
const LONGEST_OVERLAP: u32 = 24 * 7;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(signing_secrets, rotate))
        .routes(routes!(retire))
}

/// Whether anything is sent to an endpoint: `blocked` for a while, since it kept failing or asked for
/// a pause; `disabled` until somebody enables it, since it answered 410 or somebody disabled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Openness {
    Open,
    Blocked,
    Disabled,
}

/// Where the deliveries of one webhook of an agent go.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Endpoint {
    id: String,
    /// The agent, by its name in addresses.
    agent: String,
    /// The webhook, by its name in the program.
    webhook: String,
    /// Scheme, host and port.
    origin: String,
    state: Openness,
    /// Since when it is disabled.
    disabled_at: Option<i64>,
    disabled_why: Option<String>,
    /// Until when nothing is sent to it.
    blocked_until: Option<i64>,
    /// Failures in a row.
    failures: i64,
    last_error: Option<String>,
    failed_at: Option<i64>,
    /// When it last took a delivery, to a minute.
    delivered_at: Option<i64>,
    /// Deliveries that wait for it.
    waiting: i64,
    created_at: i64,
}

/// Which endpoints.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this agent.
    #[param(nullable = false)]
    agent: Option<String>,
    /// Only those that get nothing now, or only those that do.
    #[param(nullable = false)]
    stopped: Option<bool>,
}

/// A secret that webhooks are signed with that name none of their own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SigningSecret {
    id: String,
    /// Its last letters, to recognise it by.
    ending: String,
    created_at: i64,
    /// Until when it signs; null: until another takes its place.
    retires_at: Option<i64>,
}

/// A signing secret that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeSigningSecret {
    id: String,
    /// The secret itself: `whsec_…`. It is shown here and never again.
    secret: String,
    ending: String,
    created_at: i64,
}

/// A signing secret that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSigningSecret {
    /// For how many hours the one before signs beside it, while receivers change over.
    #[serde(default = "one_day")]
    #[schema(minimum = 0, maximum = 168, default = 24, required = false)]
    overlap_hours: u32,
}

fn one_day() -> u32 {
    24
}

/// Lists endpoints, the oldest first.
#[utoipa::path(
    get, path = "/endpoints", tag = "webhooks",
    security(("key" = ["viewer", "webhooks:read"])),
    params(Which, Paging),
    responses((status = 200, body = Page<Endpoint>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<Endpoint>>, Problem> {
    who.needs(Role::Viewer, Scope::WebhooksRead)?;
    let filter = EndpointFilter { agent: which.agent.as_deref(), stopped: which.stopped };
    let (after, now) = (paging.after.as_deref(), app.now());
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = deliveries::endpoints(&mut conn, &who.org, &filter, after, paging.fetch(), now).await?;
    Ok(Json(paging.page(found, |endpoint| endpoint.id.to_string()).map(|row| Endpoint::of(row, now))))
}

/// Shows an endpoint.
#[utoipa::path(
    get, path = "/endpoints/{endpoint}", tag = "webhooks",
    security(("key" = ["viewer", "webhooks:read"])),
    params(("endpoint" = String, Path, description = "Its id.")),
    responses((status = 200, body = Endpoint)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(endpoint): Path<EndpointId>,
) -> Result<Json<Endpoint>, Problem> {
    who.needs(Role::Viewer, Scope::WebhooksRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = deliveries::endpoint(&mut conn, &who.org, &endpoint).await?;
    Ok(Json(Endpoint::of(found, app.now())))
}

/// Sends to an endpoint again: what waits for it is due now.
#[utoipa::path(
    post, path = "/endpoints/{endpoint}/enable", tag = "webhooks",
    security(("key" = ["editor", "webhooks:write"])),
    params(("endpoint" = String, Path, description = "Its id.")),
    responses((status = 200, body = Endpoint)),
)]
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    who: Who,
    Path(endpoint): Path<EndpointId>,
) -> Result<Json<Endpoint>, Problem> {
    who.needs(Role::Editor, Scope::WebhooksWrite)?;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    if !deliveries::enable(&mut tx, &who.org, &endpoint, now).await? {
        return Err(Problem::not_found("endpoint"));
    }
    let found = deliveries::endpoint(&mut tx, &who.org, &endpoint).await?;
    let detail = json!({ "agent": found.agent, "webhook": found.webhook, "origin": found.origin });
    audit::write(&mut tx, &who.org, &who.actor(), "endpoint.enable", endpoint.as_str(), &detail, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    webhooks::wake(app.db()).await;
    Ok(Json(Endpoint::of(found, now)))
}

/// Sends nothing to an endpoint any more. What is for it is parked until it is enabled again.
#[utoipa::path(
    post, path = "/endpoints/{endpoint}/disable", tag = "webhooks",
    security(("key" = ["editor", "webhooks:write"])),
    params(("endpoint" = String, Path, description = "Its id.")),
    responses((status = 200, body = Endpoint)),
)]
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    who: Who,
    Path(endpoint): Path<EndpointId>,
) -> Result<Json<Endpoint>, Problem> {
    who.needs(Role::Editor, Scope::WebhooksWrite)?;
    let now = app.now();
    let mut tx = app.db().begin().await?;
    // Whose it is, before anything is changed.
    let before = deliveries::endpoint(&mut tx, &who.org, &endpoint).await?;
    deliveries::disable_unscoped(&mut tx, endpoint.as_str(), "somebody disabled it", now).await?;
    let found = deliveries::endpoint(&mut tx, &who.org, &endpoint).await?;
    if before.disabled_at.is_none() {
        let detail = json!({ "agent": found.agent, "webhook": found.webhook, "origin": found.origin });
        audit::write(&mut tx, &who.org, &who.actor(), "endpoint.disable", endpoint.as_str(), &detail, now)
            .await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(Endpoint::of(found, now)))
}

/// Lists the secrets that sign now, the newest first: one, or two while receivers change over.
#[utoipa::path(
    get, path = "/signing-secrets", tag = "webhooks",
    security(("key" = ["viewer", "webhooks:read"])),
    responses((status = 200, body = [SigningSecret])),
)]
pub(crate) async fn signing_secrets(
    State(app): State<Arc<App>>,
    who: Who,
) -> Result<Json<Vec<SigningSecret>>, Problem> {
    who.needs(Role::Viewer, Scope::WebhooksRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = deliveries::signing_secrets(&mut conn, &who.org, app.now()).await?;
    Ok(Json(found.into_iter().map(SigningSecret::from).collect()))
}

/// Makes a signing secret, which signs from now on. It is shown once. The one before signs beside it
/// for a while; two at most sign at once.
#[utoipa::path(
    post, path = "/signing-secrets", tag = "webhooks",
    security(("key" = ["owner", "webhooks:write"])),
    request_body = NewSigningSecret,
    responses((status = 201, body = MadeSigningSecret)),
)]
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    who: Who,
    create: Create<NewSigningSecret>,
) -> Result<Response, Problem> {
    who.needs(Role::Owner, Scope::WebhooksWrite)?;
    let (new, mut once) = match create.begin(&app, &who).await? {
        Begun::Again(answer) => return Ok(answer),
        Begun::First(new, once) => (new, once),
    };
    if new.overlap_hours > LONGEST_OVERLAP {
        return Err(Problem::invalid("overlap_hours", format!("{LONGEST_OVERLAP} hours at most")));
    }
    let (overlap, now) = (Duration::from_secs(u64::from(new.overlap_hours) * 3_600), app.now());
    let made = webhooks::rotate(once.conn(), app.vault(), &who.org, overlap, now).await;
    let made = made.map_err(|error| match error {
        RotateError::TwoAlready => Problem::conflict("two_already", error.to_string())
            .hint("DELETE /api/v1/signing-secrets/ID retires one."),
        RotateError::Store(error) => error.into(),
        RotateError::Vault(error) => Problem::internal(error),
    })?;
    let detail = json!({ "ending": made.ending, "overlap_hours": new.overlap_hours });
    let (org, by, id) = (&who.org, &who.actor(), made.id.as_str());
    audit::write(once.conn(), org, by, "signing_secret.create", id, &detail, now).await?;
    let location = format!("/api/v1/signing-secrets/{id}");
    let answer = MadeSigningSecret {
        id: made.id.to_string(),
        secret: made.secret.expose_secret().to_owned(),
        ending: made.ending.clone(),
        created_at: now,
    };
    once.created(&location, &answer).await
}

/// Retires a signing secret: it signs no more.
#[utoipa::path(
    delete, path = "/signing-secrets/{secret}", tag = "webhooks",
    security(("key" = ["owner", "webhooks:write"])),
    params(("secret" = String, Path, description = "Its id.")),
    responses((status = 204)),
)]
pub(crate) async fn retire(
    State(app): State<Arc<App>>,
    who: Who,
    Path(secret): Path<SecretId>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Owner, Scope::WebhooksWrite)?;
    let mut tx = app.db().begin().await?;
    if !deliveries::retire(&mut tx, &who.org, &secret).await? {
        return Err(Problem::not_found("signing secret"));
    }
    let (by, id) = (&who.actor(), secret.as_str());
    audit::write(&mut tx, &who.org, by, "signing_secret.retire", id, &json!({}), app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Endpoint {
    fn of(row: deliveries::Endpoint, now: i64) -> Self {
        let blocked_until = (row.blocked_until > now).then_some(row.blocked_until);
        let state = match (row.disabled_at, blocked_until) {
            (Some(_), _) => Openness::Disabled,
            (None, Some(_)) => Openness::Blocked,
            (None, None) => Openness::Open,
        };
        Self {
            id: row.id.to_string(),
            agent: row.agent,
            webhook: row.webhook,
            origin: row.origin,
            state,
            disabled_at: row.disabled_at,
            disabled_why: row.disabled_why,
            blocked_until,
            failures: row.failures,
            last_error: row.last_error,
            failed_at: row.failed_at,
            delivered_at: row.delivered_at,
            waiting: row.waiting,
            created_at: row.created_at,
        }
    }
}

impl From<deliveries::SigningSecret> for SigningSecret {
    fn from(row: deliveries::SigningSecret) -> Self {
        Self {
            id: row.id.to_string(),
            ending: row.ending,
            created_at: row.created_at,
            retires_at: row.retires_at,
        }
    }
}
