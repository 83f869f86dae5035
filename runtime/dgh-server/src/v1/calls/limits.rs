//! How many calls may go on, and how long their files are kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dgh_platform::access::{Role, Scope};
use dgh_store::{StoreError, artifacts, audit, calls};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::book;
use crate::app::App;
use crate::v1::problem::Problem;
use crate::v1::take::Body;
use crate::v1::who::Who;

/// Calls at a time, at most.
const MOST_CALLS: i64 = 100_000;
/// Days, at most: ten years.
const MOST_DAYS: i64 = 3_650;
/// Longest name.
const MOST_NAME: usize = 100;

/// How many calls may go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Calls that go on now.
    going: i64,
    items: Vec<Limit>,
}

/// How many calls of something may go on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    scope: LimitScope,
    /// Which agent, or the id of which campaign; not for the organisation.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Calls at a time; null: no limit of its own.
    #[schema(minimum = 0, maximum = 100_000)]
    max: Option<i64>,
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LimitScope {
    /// The organisation.
    Org,
    /// An agent.
    Agent,
    /// A campaign.
    Campaign,
}

/// How long something of calls is kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The agent; null: all that have no rule of their own.
    #[serde(default)]
    #[schema(max_length = 100)]
    agent: Option<String>,
    kind: RuleKind,
    /// Days; null: for ever, or as long as the rule for all agents says.
    #[schema(minimum = 0, maximum = 3650)]
    days: Option<i64>,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleKind {
    /// The sound.
    Recording,
    /// The words.
    Transcript,
    /// The sealed log.
    Log,
    /// All that is known of the call, when its files are gone.
    Call,
}

/// Rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rules {
    items: Vec<Rule>,
}

/// Shows how many calls may go on, and how many do.
#[utoipa::path(
    get, path = "/call-limits", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    responses((status = 200, body = Limits)),
)]
pub(crate) async fn limits(State(app): State<Arc<App>>, who: Who) -> Result<Json<Limits>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let mut conn = book(&app)?.read().await?;
    let (own, all, going) = calls::usage_of_limits(&mut conn, &who.org, app.now()).await?;
    let own = own.map(|max| Limit { scope: LimitScope::Org, name: None, max: Some(max) });
    let rest = all.into_iter().map(|limit| Limit {
        scope: if limit.scope == "agent" { LimitScope::Agent } else { LimitScope::Campaign },
        name: Some(limit.name),
        max: Some(limit.max_calls),
    });
    Ok(Json(Limits { going, items: own.into_iter().chain(rest).collect() }))
}

/// Sets or removes a limit. Calls that go on are not ended.
#[utoipa::path(
    put, path = "/call-limit", tag = "calls",
    security(("key" = ["owner", "calls:write"])),
    request_body = Limit,
    responses((status = 204)),
)]
pub(crate) async fn set_limit(
    State(app): State<Arc<App>>,
    who: Who,
    Body(limit): Body<Limit>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Owner, Scope::CallsWrite)?;
    if limit.max.is_some_and(|max| !(0..=MOST_CALLS).contains(&max)) {
        return Err(Problem::invalid("max", format!("0 to {MOST_CALLS} calls, or null")));
    }
    let mut tx = app.db().begin().await?;
    match (limit.scope, &limit.name) {
        (LimitScope::Org, None) => calls::set_org_limit(&mut tx, &who.org, limit.max).await?,
        (LimitScope::Org, Some(_)) => {
            return Err(Problem::invalid("name", "the limit of the organisation has no name"));
        }
        (scope, Some(name)) if !name.is_empty() && name.chars().count() <= MOST_NAME => {
            let scope = if scope == LimitScope::Agent { "agent" } else { "campaign" };
            calls::set_limit(&mut tx, &who.org, scope, name, limit.max).await?;
        }
        _ => return Err(Problem::invalid("name", format!("it has 1 to {MOST_NAME} characters"))),
    }
    let detail = json!(limit);
    audit::write(&mut tx, &who.org, &who.actor(), "call.limit", who.org.as_str(), &detail, app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows how long files of calls are kept.
#[utoipa::path(
    get, path = "/retention", tag = "calls",
    security(("key" = ["viewer", "calls:read"])),
    responses((status = 200, body = Rules)),
)]
pub(crate) async fn rules(State(app): State<Arc<App>>, who: Who) -> Result<Json<Rules>, Problem> {
    who.needs(Role::Viewer, Scope::CallsRead)?;
    let mut conn = book(&app)?.read().await?;
    let rows = artifacts::rules(&mut conn, &who.org).await?;
    let items = rows.into_iter().filter_map(|row| {
        let kind = [RuleKind::Recording, RuleKind::Transcript, RuleKind::Log, RuleKind::Call];
        let kind = kind.into_iter().find(|kind| kind.name() == row.kind)?;
        Some(Rule { agent: (!row.agent.is_empty()).then_some(row.agent), kind, days: Some(row.days) })
    });
    Ok(Json(Rules { items: items.collect() }))
}

/// Sets or removes a rule, also for what is there: files whose time is over go within a minute.
#[utoipa::path(
    put, path = "/retention-rule", tag = "calls",
    security(("key" = ["owner", "calls:write"])),
    request_body = Rule,
    responses((status = 204)),
)]
pub(crate) async fn set_rule(
    State(app): State<Arc<App>>,
    who: Who,
    Body(rule): Body<Rule>,
) -> Result<StatusCode, Problem> {
    who.needs(Role::Owner, Scope::CallsWrite)?;
    if rule.days.is_some_and(|days| !(0..=MOST_DAYS).contains(&days)) {
        return Err(Problem::invalid("days", format!("0 to {MOST_DAYS} days, or null")));
    }
    if rule.agent.as_ref().is_some_and(|agent| agent.is_empty() || agent.chars().count() > MOST_NAME) {
        return Err(Problem::invalid("agent", format!("it has 1 to {MOST_NAME} characters")));
    }
    let mut tx = app.db().begin().await?;
    let agent = rule.agent.as_deref().unwrap_or_default();
    artifacts::set_rule(&mut tx, &who.org, agent, rule.kind.name(), rule.days).await?;
    let detail = json!(rule);
    audit::write(&mut tx, &who.org, &who.actor(), "call.retention", who.org.as_str(), &detail, app.now())
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl RuleKind {
    fn name(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Transcript => "transcript",
            Self::Log => "log",
            Self::Call => "call",
        }
    }
}
