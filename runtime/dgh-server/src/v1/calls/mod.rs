//! Calls: found, shown, watched, steered, counted.

mod create;
mod csv;
mod files;
mod limits;
mod list;
mod live;
mod report;
mod show;
mod steer;

use std::sync::Arc;

use axum::http::StatusCode;
use dgh_platform::calls::book::{Book, PageError};
use dgh_store::calls::CallRow;
use dgh_store::{CallId, OrgId, calls};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use crate::app::App;

pub(crate) use create::hashed;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(csv::export))
        .routes(routes!(report::report))
        .routes(routes!(show::show))
        .routes(routes!(show::transcript))
        .routes(routes!(show::lines))
        .routes(routes!(show::log))
        .routes(routes!(live::events))
        .routes(routes!(live::socket))
        .routes(routes!(steer::command))
        .routes(routes!(steer::result))
        .routes(routes!(files::list))
        .routes(routes!(files::open, files::remove))
        .routes(routes!(files::share, files::unshare))
        .routes(routes!(files::signed))
        .routes(routes!(files::shared))
        .routes(routes!(limits::limits))
        .routes(routes!(limits::set_limit))
        .routes(routes!(limits::rules))
        .routes(routes!(limits::set_rule))
        .routes(routes!(create::create))
}

/// A call, for lists.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallItem {
    id: String,
    /// The agent's name in addresses.
    agent: String,
    /// `published`, `draft`, `folder`.
    version: String,
    release: Option<String>,
    profile: Option<String>,
    profile_revision: Option<i64>,
    /// `created`, `dialing`, `ringing`, `connecting`, `live`, `ended`.
    state: String,
    /// `inbound`, `outbound`.
    direction: String,
    /// `phone`, `web`, `chat`.
    channel: String,
    /// `webrtc`, or the carrier.
    line: String,
    test: bool,
    campaign: Option<String>,
    caller: Option<String>,
    called: Option<String>,
    created_at: i64,
    ringing_at: Option<i64>,
    live_at: Option<i64>,
    ended_at: Option<i64>,
    /// How long it was live, in milliseconds.
    duration_ms: Option<i64>,
    outcome: Option<String>,
    /// `agent`, `caller`, `transfer`, `limit`, `error`, `not_connected`, `operator`, `lost`.
    ended_by: Option<String>,
    /// What went wrong.
    why: Option<String>,
    /// `human`, `voicemail`, `screening`, `unknown`.
    answered_by: Option<String>,
    language: Option<String>,
    /// The node it is in, or ended in.
    node: Option<String>,
    /// Turns of the caller.
    turns: i64,
    /// Millionths of a US dollar, as far as prices are known.
    cost_micro_usd: Option<i64>,
    /// What went wrong in it, counted.
    troubles: i64,
}

impl From<CallRow> for CallItem {
    fn from(row: CallRow) -> Self {
        Self {
            id: row.id.to_string(),
            agent: row.agent,
            version: row.version,
            release: row.release,
            profile: row.profile,
            profile_revision: row.profile_revision,
            state: row.state,
            direction: row.direction,
            channel: row.channel,
            line: row.line,
            test: row.test == 1,
            campaign: row.campaign,
            caller: row.caller,
            called: row.called,
            created_at: row.created_at,
            ringing_at: row.ringing_at,
            live_at: row.live_at,
            ended_at: row.ended_at,
            duration_ms: row.duration_ms,
            outcome: row.outcome,
            ended_by: row.ended_by,
            why: row.why,
            answered_by: row.answered_by,
            language: row.language,
            node: row.at_node,
            turns: row.turns,
            cost_micro_usd: row.micro_usd,
            troubles: row.troubles,
        }
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Store(error) => error.into(),
            PageError::Away(_) => {
                Self::new(StatusCode::NOT_FOUND, "log_gone", "the log of the call is not here")
                    .hint("Its time was over and it was deleted, or its node has not stored it yet.")
            }
            PageError::Sealed(error) => Self::internal(error),
        }
    }
}

/// The book of calls.
fn book(app: &App) -> Result<&Arc<Book>, Problem> {
    app.calls
        .book()
        .ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_book", "this server keeps no calls"))
}

/// A call of the organisation.
async fn row(book: &Book, org: &OrgId, id: &CallId) -> Result<CallRow, Problem> {
    let mut conn = book.read().await?;
    calls::get(&mut conn, org, id).await?.ok_or_else(|| Problem::not_found("call"))
}
