//! Lists of calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dgh_platform::access::{Role, Scope};
use dgh_store::CallId;
use dgh_store::calls::{self, Filter, Sort};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{CallItem, book};
use crate::app::App;
use crate::v1::paging::{Page, Paging};
use crate::v1::problem::Problem;
use crate::v1::take::Query;
use crate::v1::who::Who;

/// Words of one parameter.
const MOST_WORDS: usize = 20;

/// Which calls.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of the agent with this name.
    #[param(nullable = false)]
    agent: Option<String>,
    /// Of this release.
    #[param(nullable = false)]
    release: Option<String>,
    /// Created at this time or later.
    #[param(nullable = false)]
    from: Option<i64>,
    /// Created before this time.
    #[param(nullable = false)]
    until: Option<i64>,
    /// In one of these states, with commas between them.
    #[param(nullable = false)]
    state: Option<String>,
    /// With one of these outcomes, with commas between them.
    #[param(nullable = false)]
    outcome: Option<String>,
    /// Ended by one of these, with commas between them.
    #[param(nullable = false)]
    ended_by: Option<String>,
    /// `inbound`, `outbound`.
    #[param(nullable = false)]
    direction: Option<String>,
    /// `phone`, `web`, `chat`.
    #[param(nullable = false)]
    channel: Option<String>,
    /// Live at least so long, in milliseconds.
    #[param(nullable = false)]
    min_duration: Option<i64>,
    /// Live at most so long, in milliseconds.
    #[param(nullable = false)]
    max_duration: Option<i64>,
    /// A part of the number that called.
    #[param(nullable = false)]
    caller: Option<String>,
    /// A part of the number that was called.
    #[param(nullable = false)]
    called: Option<String>,
    /// Tests alone, or none of them.
    #[param(nullable = false)]
    test: Option<bool>,
    /// Of this campaign.
    #[param(nullable = false)]
    campaign: Option<String>,
    /// With all of these tags, with commas between them.
    #[param(nullable = false)]
    tag: Option<String>,
    /// Which learned this: `name:value`, as the call shows it.
    #[param(nullable = false)]
    value: Option<String>,
}

/// Lists calls, the newest first.
#[utoipa::path(
    get, path = "/calls", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    params(Which, Paging),
    responses((status = 200, body = Page<CallItem>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Query(which): Query<Which>,
    paging: Paging,
) -> Result<Json<Page<CallItem>>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let filter = which.filter()?;
    let after = paging.after.as_deref().map(read_key).transpose()?;
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let mut conn = book(&app)?.read().await?;
    let found = calls::list(&mut conn, &who.org, &filter, Sort::Newest, after, paging.fetch()).await?;
    Ok(Json(paging.page(found, |row| format!("{}.{}", row.created_at, row.id)).map(CallItem::from)))
}

impl Which {
    /// What the store is asked.
    pub(super) fn filter(self) -> Result<Filter, Problem> {
        let value = self.value.map(|value| {
            let (name, shown) = value.split_once(':').ok_or_else(|| {
                let told = "a value is written `name:value`";
                Problem::unprocessable("invalid_parameter", told).fault("value", told)
            })?;
            Ok::<_, Problem>((name.to_owned(), shown.to_owned()))
        });
        Ok(Filter {
            agent: self.agent,
            release: self.release,
            from: self.from,
            until: self.until,
            states: words("state", self.state)?,
            outcomes: words("outcome", self.outcome)?,
            ended_by: words("ended_by", self.ended_by)?,
            direction: self.direction,
            channel: self.channel,
            min_duration: self.min_duration,
            max_duration: self.max_duration,
            caller: self.caller,
            called: self.called,
            test: self.test,
            campaign: self.campaign,
            tags: words("tag", self.tag)?,
            values: value.transpose()?.into_iter().collect(),
        })
    }
}

fn words(name: &'static str, text: Option<String>) -> Result<Vec<String>, Problem> {
    let all: Vec<String> = text.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
    if all.len() > MOST_WORDS {
        let told = format!("at most {MOST_WORDS} at a time");
        return Err(Problem::unprocessable("invalid_parameter", told.clone()).fault(name, told));
    }
    Ok(all)
}

fn read_key(key: &str) -> Result<(i64, CallId), Problem> {
    let read = key.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, CallId::parse(id)?)));
    read.ok_or_else(|| {
        let told = "this is no `next` of a page";
        Problem::unprocessable("invalid_parameter", told).fault("after", told)
    })
}
