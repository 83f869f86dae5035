//! The calls of some time, counted.

use sqlx::FromRow;

use super::Filter;
use crate::{Conn, OrgId, Query, StoreError};

/// The calls of some time, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// Calls.
    pub calls: i64,
    /// Calls that were live.
    pub connected: i64,
    /// Milliseconds that they were live, together.
    pub millis: i64,
    /// What they cost, as far as it is known.
    pub micro_usd: i64,
    /// Calls with trouble in them.
    pub troubled: i64,
    /// By outcome; none: without one.
    pub outcomes: Vec<Bucket>,
    /// By who ended them.
    pub ended_by: Vec<Bucket>,
    /// By agent.
    pub agents: Vec<Bucket>,
    /// By direction.
    pub directions: Vec<Bucket>,
    /// By length, in seconds: the lower end.
    pub durations: Vec<Bucket>,
    /// By hour, counted from the start.
    pub hours: Vec<Bucket>,
}

/// One kind of call, counted.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Bucket {
    /// Which.
    pub name: Option<String>,
    /// How many.
    pub calls: i64,
}

/// Counts the ended calls that a filter finds; hours are counted from its `from`.
pub async fn report(conn: &mut Conn, org: &OrgId, filter: &Filter) -> Result<Day, StoreError> {
    let mut filter = filter.clone();
    filter.states = vec!["ended".to_owned()];
    let mut query = Query::new(
        "SELECT COUNT(*) AS calls, COUNT(live_at) AS connected, \
         CAST(COALESCE(SUM(duration_ms), 0) AS BIGINT) AS millis, \
         CAST(COALESCE(SUM(micro_usd), 0) AS BIGINT) AS micro_usd, \
         COUNT(CASE WHEN troubles > 0 THEN 1 END) AS troubled FROM calls",
    );
    filter.conditions(org, &mut query);
    let (calls, connected, millis, micro_usd, troubled) =
        query.optional(&mut *conn).await?.unwrap_or_default();
    Ok(Day {
        calls,
        connected,
        millis,
        micro_usd,
        troubled,
        outcomes: by(conn, org, &filter, Query::new("SELECT outcome")).await?,
        ended_by: by(conn, org, &filter, Query::new("SELECT ended_by")).await?,
        agents: by(conn, org, &filter, Query::new("SELECT agent")).await?,
        directions: by(conn, org, &filter, Query::new("SELECT direction")).await?,
        durations: by(conn, org, &filter, Query::new(LENGTH)).await?,
        hours: by_hour(conn, org, &filter).await?,
    })
}

/// Lengths of calls, as the reports of call centres cut them.
const LENGTH: &str = "SELECT CASE WHEN live_at IS NULL THEN NULL WHEN duration_ms < 10000 THEN '0' \
    WHEN duration_ms < 30000 THEN '10' WHEN duration_ms < 60000 THEN '30' WHEN duration_ms < 120000 THEN '60' \
    WHEN duration_ms < 180000 THEN '120' ELSE '180' END";

/// Counted by what a query selects, the most frequent first.
async fn by(
    conn: &mut Conn,
    org: &OrgId,
    filter: &Filter,
    mut query: Query,
) -> Result<Vec<Bucket>, StoreError> {
    query.push(" AS name, COUNT(*) AS calls FROM calls");
    filter.conditions(org, &mut query);
    query.push(" GROUP BY 1 ORDER BY 2 DESC, 1");
    query.all(conn).await
}

async fn by_hour(conn: &mut Conn, org: &OrgId, filter: &Filter) -> Result<Vec<Bucket>, StoreError> {
    let mut query = Query::new("SELECT CAST((created_at - CAST(");
    query.bind(filter.from.unwrap_or(0)).push(" AS BIGINT)) / 3600000 AS TEXT)");
    let mut hours = by(conn, org, filter, query).await?;
    hours.sort_by_key(|bucket| bucket.name.as_deref().and_then(|name| name.parse::<i64>().ok()));
    Ok(hours)
}
