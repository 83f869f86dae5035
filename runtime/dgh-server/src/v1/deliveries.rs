//! Deliveries of webhooks: what waits, what arrived, what did not, and sending it again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dgh_platform::access::{Role, Scope};
use dgh_platform::webhooks;
use dgh_store::deliveries::{self, DeliveryState, Failed, Filter};
use dgh_store::{DeliveryId, StoreError, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Page, Paging};
use super::problem::Problem;
use super::take::{Body, Path, Query};
use super::who::Who;
use crate::app::App;

/// Attempts that are shown of one delivery, the newest.
const ATTEMPTS: i64 = 100;
/// Dead letters that are sent again at a time.
const AT_A_TIME: i64 = 1_000;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(replay_all))
        .routes(routes!(show))
        .routes(routes!(replay))
}

/// Where a delivery stands: `pending` is sent when it is due, `parked` waits for somebody to set
/// something up, `dead` was given up or refused for good, `simulated` is of a test call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Pending,
    Parked,
    Delivered,
    Dead,
    Simulated,
}

/// A webhook that is delivered about a call. Its id is what the receiver sees as `webhook-id`, the
/// same in every attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    id: String,
    state: Standing,
    /// The agent, by its name in addresses.
    agent: String,
    /// The profile whose secrets are used.
    profile: Option<String>,
    /// The webhook, by its name in the program.
    webhook: String,
    /// `call.started`, `call.answered`, `call.transferred`, `call.failed`, `call.ended`, `review.done`.
    event: String,
    /// The call that it is about.
    call: Option<String>,
    endpoint: String,
    /// Scheme, host and port that it goes to.
    origin: String,
    /// What a parked one waits for: `secret:NAME`, or `endpoint` when that is disabled.
    parked_for: Option<String>,
    /// Attempts so far.
    attempts: i64,
    /// When it is tried next.
    due_at: Option<i64>,
    /// The status of the last answer.
    status: Option<i64>,
    /// What went wrong last.
    error: Option<String>,
    created_at: i64,
    /// When it was delivered or given up.
    done_at: Option<i64>,
}

/// A delivery with its body and its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: Delivery,
    /// The body, private values as `[name]`.
    #[schema(value_type = Value)]
    body: Value,
    /// Attempts that failed, the newest first.
    failed_attempts: Vec<FailedAttempt>,
}

/// An attempt that failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedAttempt {
    /// Its number, from 1.
    number: i64,
    at: i64,
    /// How long it took, in milliseconds.
    took_ms: i64,
    /// The status, if there was an answer.
    status: Option<i64>,
    error: String,
}

/// Which deliveries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// In this state.
    #[param(nullable = false, inline)]
    state: Option<Standing>,
    /// Of this agent.
    #[param(nullable = false)]
    agent: Option<String>,
    /// Of this webhook.
    #[param(nullable = false)]
    webhook: Option<String>,
    /// Of this event.
    #[param(nullable = false)]
    event: Option<String>,
    /// About this call.
    #[param(nullable = false)]
    call: Option<String>,
    /// To this endpoint.
    #[param(nullable = false)]
    endpoint: Option<String>,
    /// Whose last answer had this status.
    #[param(nullable = false)]
    status: Option<i64>,
    /// Made at this time or later, in milliseconds since 1970.
    #[param(nullable = false)]
    from: Option<i64>,
    /// Made before this time.
    #[param(nullable = false)]
    to: Option<i64>,
    /// With this in the id, the call, the origin or the error.
    #[param(nullable = false)]
    search: Option<String>,
}

/// Which dead letters are sent again. What is not said does not matter: `{}` is all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Replay {
    /// Of this agent.
    #[schema(required = false)]
    agent: Option<String>,
    /// Of this webhook.
    #[schema(required = false)]
    webhook: Option<String>,
    /// Of this event.
    #[schema(required = false)]
    event: Option<String>,
    /// About this call.
    #[schema(required = false)]
    call: Option<String>,
    /// To this endpoint.
    #[schema(required = false)]
    endpoint: Option<String>,
    /// Whose last answer had this status.
    #[schema(required = false)]
    status: Option<i64>,
    /// Made at this time or later, in milliseconds since 1970.
    #[schema(required = false)]
    from: Option<i64>,
    /// Made before this time.
    #[schema(required = false)]
    to: Option<i64>,
    /// With this in the id, the call, the origin or the error.
    #[schema(required = false)]
    search: Option<String>,
}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// How many deliveries.
    replayed: u64,
    /// Whether there may be more of them: ask again.
    more: bool,
}

/// Lists deliveries, the newest first.
#[utoipa::path(
    get, path = "/deliveries", tag = "webhooks",
    security(("key" = ["viewer", "webhooks:read"])),
    params(Which, Paging),
    responses((status = 200, body = Page<Delivery>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<Delivery>>, Problem> {
    who.needs(Role::Viewer, Scope::WebhooksRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let after = paging.after.as_deref();
    let found = deliveries::list(&mut conn, &who.org, &which.filter(), after, paging.fetch()).await?;
    Ok(Json(paging.page(found, |delivery| delivery.id.to_string()).map(Delivery::from)))
}

/// Shows a delivery, its body and what went wrong so far.
#[utoipa::path(
    get, path = "/deliveries/{delivery}", tag = "webhooks",
    security(("key" = ["viewer", "webhooks:read"])),
    params(("delivery" = String, Path, description = "Its id.")),
    responses((status = 200, body = DeliveryDetail)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(delivery): Path<DeliveryId>,
) -> Result<Json<DeliveryDetail>, Problem> {
    who.needs(Role::Viewer, Scope::WebhooksRead)?;
    let mut conn = app.db().read().acquire().await.map_err(StoreError::from)?;
    let found = deliveries::get(&mut conn, &who.org, &delivery).await?;
    let attempts = deliveries::attempts(&mut conn, &who.org, &delivery, ATTEMPTS).await?;
    let body = found.shown.as_deref().and_then(|shown| serde_json::from_str(shown).ok());
    Ok(Json(DeliveryDetail {
        body: body.unwrap_or_default(),
        delivery: found.into(),
        failed_attempts: attempts.into_iter().map(FailedAttempt::from).collect(),
    }))
}

/// Sends a delivery again, with the same id: one that is dead, delivered or parked.
#[utoipa::path(
    post, path = "/deliveries/{delivery}/replay", tag = "webhooks",
    security(("key" = ["editor", "webhooks:write"])),
    params(("delivery" = String, Path, description = "Its id.")),
    responses((status = 202, body = Delivery)),
)]
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    who: Who,
    Path(delivery): Path<DeliveryId>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    who.needs(Role::Editor, Scope::WebhooksWrite)?;
    let mut tx = app.db().begin().await?;
    let before = deliveries::get(&mut tx, &who.org, &delivery).await?;
    if !deliveries::replay(&mut tx, &who.org, &delivery, app.now()).await? {
        let detail = format!("the delivery is {}: it cannot be sent again", before.state);
        return Err(Problem::conflict("not_replayable", detail));
    }
    let detail = json!({ "webhook": before.webhook, "was": before.state });
    audit::write(&mut tx, &who.org, &who.actor(), "delivery.replay", delivery.as_str(), &detail, app.now())
        .await?;
    let now = deliveries::get(&mut tx, &who.org, &delivery).await?;
    tx.commit().await.map_err(StoreError::from)?;
    webhooks::wake(app.db()).await;
    Ok((StatusCode::ACCEPTED, Json(now.into())))
}

/// Sends dead letters again, with their ids, the oldest first: at most 1,000 at a time.
#[utoipa::path(
    post, path = "/deliveries/replay", tag = "webhooks",
    security(("key" = ["editor", "webhooks:write"])),
    request_body = Replay,
    responses((status = 202, body = Replayed)),
)]
pub(crate) async fn replay_all(
    State(app): State<Arc<App>>,
    who: Who,
    Body(replay): Body<Replay>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    who.needs(Role::Editor, Scope::WebhooksWrite)?;
    let mut tx = app.db().begin().await?;
    let replayed = deliveries::replay_all(&mut tx, &who.org, &replay.filter(), AT_A_TIME, app.now()).await?;
    if replayed > 0 {
        let detail = json!({ "count": replayed, "agent": replay.agent, "webhook": replay.webhook });
        let subject = replay.endpoint.as_deref().unwrap_or("deliveries");
        audit::write(&mut tx, &who.org, &who.actor(), "delivery.replay_all", subject, &detail, app.now())
            .await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    webhooks::wake(app.db()).await;
    let more = replayed >= AT_A_TIME.unsigned_abs();
    Ok((StatusCode::ACCEPTED, Json(Replayed { replayed, more })))
}

impl Which {
    fn filter(&self) -> Filter<'_> {
        Filter {
            state: self.state.map(DeliveryState::from),
            agent: self.agent.as_deref(),
            webhook: self.webhook.as_deref(),
            event: self.event.as_deref(),
            call: self.call.as_deref(),
            endpoint: self.endpoint.as_deref(),
            status: self.status,
            since: self.from,
            until: self.to,
            search: self.search.as_deref(),
        }
    }
}

impl Replay {
    fn filter(&self) -> Filter<'_> {
        Filter {
            state: None,
            agent: self.agent.as_deref(),
            webhook: self.webhook.as_deref(),
            event: self.event.as_deref(),
            call: self.call.as_deref(),
            endpoint: self.endpoint.as_deref(),
            status: self.status,
            since: self.from,
            until: self.to,
            search: self.search.as_deref(),
        }
    }
}

impl From<Standing> for DeliveryState {
    fn from(state: Standing) -> Self {
        match state {
            Standing::Pending => Self::Pending,
            Standing::Parked => Self::Parked,
            Standing::Delivered => Self::Delivered,
            Standing::Dead => Self::Dead,
            Standing::Simulated => Self::Simulated,
        }
    }
}

impl From<DeliveryState> for Standing {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Parked => Self::Parked,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Dead => Self::Dead,
            DeliveryState::Simulated => Self::Simulated,
        }
    }
}

impl From<deliveries::Delivery> for Delivery {
    fn from(row: deliveries::Delivery) -> Self {
        Self {
            id: row.id.to_string(),
            // Nothing else is ever written.
            state: DeliveryState::parse(&row.state).map_or(Standing::Dead, Standing::from),
            agent: row.agent,
            profile: row.profile,
            webhook: row.webhook,
            event: row.event,
            call: row.call_id,
            endpoint: row.endpoint_id.to_string(),
            origin: row.origin,
            parked_for: row.parked_for,
            attempts: row.attempts,
            due_at: row.due_at,
            status: row.status,
            error: row.error,
            created_at: row.created_at,
            done_at: row.done_at,
        }
    }
}

impl From<Failed> for FailedAttempt {
    fn from(row: Failed) -> Self {
        Self { number: row.number, at: row.at, took_ms: row.took_ms, status: row.status, error: row.error }
    }
}
