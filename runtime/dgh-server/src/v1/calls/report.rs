//! The calls of some time, counted: the daily report.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{Role, Scope};
use dgh_store::calls::{self, Bucket};
use serde::Serialize;
use utoipa::ToSchema;

use super::book;
use super::list::Which;
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::Query;
use crate::v1::who::Who;

/// Calls that ended, counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    calls: i64,
    /// Calls whose line stood.
    connected: i64,
    /// Milliseconds that they were live, together.
    live_ms: i64,
    /// Millionths of a US dollar, as far as prices are known.
    cost_micro_usd: i64,
    /// Calls with trouble in them.
    troubled: i64,
    outcomes: Vec<Count>,
    ended_by: Vec<Count>,
    agents: Vec<Count>,
    directions: Vec<Count>,
    /// By length: the lower end, in seconds; null: never connected.
    durations: Vec<Count>,
    /// By hour, counted from `from`.
    hours: Vec<Count>,
}

/// One kind of call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    name: Option<String>,
    calls: i64,
}

/// Counts calls that have ended: for a day, say when it begins and ends with `from` and `until`.
#[utoipa::path(
    get, path = "/reports/calls", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(Which),
    responses((status = 200, body = Report)),
)]
pub(crate) async fn report(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
) -> Result<Json<Report>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let filter = which.filter()?;
    let mut conn = book(&app)?.read().await?;
    let day = calls::report(&mut conn, &who.org, &filter).await?;
    Ok(Json(Report {
        calls: day.calls,
        connected: day.connected,
        live_ms: day.millis,
        cost_micro_usd: day.micro_usd,
        troubled: day.troubled,
        outcomes: counts(day.outcomes),
        ended_by: counts(day.ended_by),
        agents: counts(day.agents),
        directions: counts(day.directions),
        durations: counts(day.durations),
        hours: counts(day.hours),
    }))
}

fn counts(buckets: Vec<Bucket>) -> Vec<Count> {
    buckets.into_iter().map(|Bucket { name, calls }| Count { name, calls }).collect()
}
