//! Finds calls.

use sqlx::Row as _;

use super::{CallRow, columns};
use crate::{CallId, Conn, OrgId, Query, StoreError};

/// Which calls are meant. What is none is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of the agent with this name.
    pub agent: Option<String>,
    /// Of this release.
    pub release: Option<String>,
    /// Created at this time or later.
    pub from: Option<i64>,
    /// Created before this time.
    pub until: Option<i64>,
    /// In one of these states.
    pub states: Vec<String>,
    /// With one of these outcomes.
    pub outcomes: Vec<String>,
    /// Ended by one of these.
    pub ended_by: Vec<String>,
    /// `inbound`, `outbound`.
    pub direction: Option<String>,
    /// `phone`, `web`, `chat`.
    pub channel: Option<String>,
    /// Live at least so long, in milliseconds.
    pub min_duration: Option<i64>,
    /// Live at most so long, in milliseconds.
    pub max_duration: Option<i64>,
    /// Digits or letters of who calls.
    pub caller: Option<String>,
    /// Digits or letters of who is called.
    pub called: Option<String>,
    /// Tests, or none of them.
    pub test: Option<bool>,
    /// Of the campaign.
    pub campaign: Option<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// With all of these values.
    pub values: Vec<(String, String)>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// Calls of the organisation, in order, behind a call that was created then.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    filter: &Filter,
    sort: Sort,
    after: Option<(i64, &CallId)>,
    most: i64,
) -> Result<Vec<CallRow>, StoreError> {
    let mut query = Query::new(concat!("SELECT ", columns!(), " FROM calls"));
    filter.conditions(org, &mut query);
    if let Some((at, id)) = after {
        let (behind, with) = match sort {
            Sort::Newest => (" AND (created_at < ", " AND id < "),
            Sort::Oldest => (" AND (created_at > ", " AND id > "),
        };
        query.push(behind).bind(at).push(" OR (created_at = ").bind(at).push(with).bind(id).push("))");
    }
    query.push(match sort {
        Sort::Newest => " ORDER BY created_at DESC, id DESC LIMIT ",
        Sort::Oldest => " ORDER BY created_at, id LIMIT ",
    });
    query.bind(most);
    query.all(conn).await
}

/// The tags of a call.
pub async fn tags_of(conn: &mut Conn, org: &OrgId, call: &CallId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT tag FROM call_tags WHERE org_id = $1 AND call_id = $2 ORDER BY tag";
    let rows = sqlx::query(sql).bind(org).bind(call).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| row.try_get("tag")).collect::<Result<_, _>>()?)
}

impl Filter {
    /// Adds ` WHERE …`.
    pub(super) fn conditions(&self, org: &OrgId, query: &mut Query) {
        query.push(" WHERE org_id = ").bind(org);
        let texts = [
            (&self.agent, " AND agent = "),
            (&self.release, " AND release = "),
            (&self.direction, " AND direction = "),
            (&self.channel, " AND channel = "),
            (&self.campaign, " AND campaign = "),
        ];
        for (value, condition) in texts {
            if let Some(value) = value {
                query.push(condition).bind(value);
            }
        }
        let numbers = [
            (self.from, " AND created_at >= "),
            (self.until, " AND created_at < "),
            (self.min_duration, " AND duration_ms >= "),
            (self.max_duration, " AND duration_ms <= "),
            (self.test.map(i64::from), " AND test = "),
        ];
        for (value, condition) in numbers {
            if let Some(value) = value {
                query.push(condition).bind(value);
            }
        }
        for (value, condition) in [(&self.caller, " AND caller LIKE "), (&self.called, " AND called LIKE ")] {
            if let Some(value) = value {
                query.push(condition).bind(format!("%{}%", like(value))).push(" ESCAPE '!'");
            }
        }
        let lists = [
            (&self.states, " AND state IN ("),
            (&self.outcomes, " AND outcome IN ("),
            (&self.ended_by, " AND ended_by IN ("),
        ];
        for (values, condition) in lists {
            if !values.is_empty() {
                query.push(condition).bind_all(values).push(")");
            }
        }
        for tag in &self.tags {
            query.push(" AND EXISTS (SELECT 1 FROM call_tags t WHERE t.call_id = calls.id AND t.tag = ");
            query.bind(tag).push(")");
        }
        for (name, shown) in &self.values {
            query.push(" AND EXISTS (SELECT 1 FROM call_values v WHERE v.call_id = calls.id AND v.name = ");
            query.bind(name).push(" AND v.shown = ").bind(shown).push(")");
        }
    }
}

/// What stands for itself in a pattern.
fn like(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '%' | '_' | '!').then_some('!').into_iter().chain([c])).collect()
}
