//! Creates calls, and counts who has a place.
//!
//! A place is a row: a call that has not ended and whose owner is alive, or whose owner is still
//! awaited. So none can be left over, whoever dies.

use sqlx::{FromRow, Row as _};

use super::CallState;
use crate::{CallId, Conn, NodeId, OrgId, StoreError};

/// A call that is wanted.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Its id.
    pub id: CallId,
    /// The agent's name in addresses.
    pub agent: String,
    /// `published`, `draft`, `folder`.
    pub version: String,
    /// The release.
    pub release: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// Its revision.
    pub profile_revision: Option<i64>,
    /// Content hash of the program.
    pub program: String,
    /// `inbound`, `outbound`.
    pub direction: &'static str,
    /// `phone`, `web`, `chat`.
    pub channel: &'static str,
    /// `webrtc`, or the carrier.
    pub line: String,
    /// Whether it is a test.
    pub test: bool,
    /// The campaign.
    pub campaign: Option<String>,
    /// Who calls.
    pub caller: Option<String>,
    /// Who is called.
    pub called: Option<String>,
    /// Inputs, sealed.
    pub inputs: Option<String>,
    /// Who owns it from the start; none: somebody takes it before `due_at`.
    pub node: Option<NodeId>,
    /// By when somebody must have taken it.
    pub due_at: Option<i64>,
    /// SHA-256 of the word that admits its sound, and until when.
    pub ticket: Option<(String, i64)>,
    /// The carrier's name of the call: told twice, created once.
    pub carrier_call: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// How many calls may go on where no row says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Of an organisation.
    pub org: Option<i64>,
    /// Of one agent.
    pub agent: Option<i64>,
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The organisation.
    Org,
    /// The agent.
    Agent,
    /// The campaign.
    Campaign,
}

/// A limit, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Limit {
    /// `agent`, `campaign`.
    pub scope: String,
    /// Of which.
    pub name: String,
    /// Calls at a time.
    pub max_calls: i64,
}

/// What became of a wanted call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    New,
    /// It was there before: this is its id.
    Already(CallId),
    /// There are as many as there may be.
    Full {
        /// Of what.
        scope: Scope,
        /// How many.
        max: i64,
    },
}

/// Creates a call, if there is a place for it.
pub async fn create(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewCall,
    limits: Limits,
    now: i64,
) -> Result<Created, StoreError> {
    let own = enter(conn, org).await?;
    if let Some(carrier_call) = &new.carrier_call
        && let Some(id) = of_carrier(conn, org, &new.line, carrier_call).await?
    {
        return Ok(Created::Already(id));
    }
    if let Some((scope, max)) = full(conn, org, new, own.or(limits.org), limits.agent, now).await? {
        return Ok(Created::Full { scope, max });
    }
    insert(conn, org, new, now).await?;
    Ok(Created::New)
}

/// Sets or removes the limit of an agent or a campaign.
pub async fn set_limit(
    conn: &mut Conn,
    org: &OrgId,
    scope: &str,
    name: &str,
    max: Option<i64>,
) -> Result<(), StoreError> {
    let Some(max) = max else {
        let sql = "DELETE FROM call_limits WHERE org_id = $1 AND scope = $2 AND name = $3";
        sqlx::query(sql).bind(org).bind(scope).bind(name).execute(conn).await?;
        return Ok(());
    };
    let sql = "INSERT INTO call_limits (org_id, scope, name, max_calls) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (org_id, scope, name) DO UPDATE SET max_calls = excluded.max_calls";
    sqlx::query(sql).bind(org).bind(scope).bind(name).bind(max).execute(conn).await?;
    Ok(())
}

/// Sets or removes the limit of the organisation.
pub async fn set_org_limit(conn: &mut Conn, org: &OrgId, max: Option<i64>) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_gates (org_id, max_calls) VALUES ($1, $2) \
               ON CONFLICT (org_id) DO UPDATE SET max_calls = excluded.max_calls";
    sqlx::query(sql).bind(org).bind(max).execute(conn).await?;
    Ok(())
}

/// The limits of an organisation: its own, those of agents and campaigns, and how many calls go on.
pub async fn usage_of_limits(
    conn: &mut Conn,
    org: &OrgId,
    now: i64,
) -> Result<(Option<i64>, Vec<Limit>, i64), StoreError> {
    let own = sqlx::query("SELECT max_calls FROM call_gates WHERE org_id = $1")
        .bind(org)
        .fetch_optional(&mut *conn)
        .await?;
    let own = own.map(|row| row.try_get::<Option<i64>, _>("max_calls")).transpose()?.flatten();
    let sql = "SELECT scope, name, max_calls FROM call_limits WHERE org_id = $1 ORDER BY scope, name";
    let all = sqlx::query_as(sql).bind(org).fetch_all(&mut *conn).await?;
    let going = count(conn, org, "", None, now).await?.0;
    Ok((own, all, going))
}

/// Takes the organisation's turn; others wait until this transaction is over. Answers its limit.
async fn enter(conn: &mut Conn, org: &OrgId) -> Result<Option<i64>, StoreError> {
    let sql = "INSERT INTO call_gates (org_id, turns) VALUES ($1, 1) \
               ON CONFLICT (org_id) DO UPDATE SET turns = call_gates.turns + 1 RETURNING max_calls";
    Ok(sqlx::query(sql).bind(org).fetch_one(conn).await?.try_get("max_calls")?)
}

async fn of_carrier(
    conn: &mut Conn,
    org: &OrgId,
    line: &str,
    carrier_call: &str,
) -> Result<Option<CallId>, StoreError> {
    let sql = "SELECT id FROM calls WHERE org_id = $1 AND line = $2 AND carrier_call = $3";
    let row = sqlx::query(sql).bind(org).bind(line).bind(carrier_call).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

async fn full(
    conn: &mut Conn,
    org: &OrgId,
    new: &NewCall,
    of_org: Option<i64>,
    of_agent: Option<i64>,
    now: i64,
) -> Result<Option<(Scope, i64)>, StoreError> {
    let sql = "SELECT scope, name, max_calls FROM call_limits WHERE org_id = $1 \
               AND ((scope = 'agent' AND name = $2) OR (scope = 'campaign' AND name = $3))";
    let rows: Vec<Limit> = sqlx::query_as(sql)
        .bind(org)
        .bind(&new.agent)
        .bind(new.campaign.as_deref().unwrap_or_default())
        .fetch_all(&mut *conn)
        .await?;
    let own = |scope: &str| rows.iter().find(|row| row.scope == scope).map(|row| row.max_calls);
    let of_campaign = new.campaign.as_ref().and_then(|_| own("campaign"));
    let (in_org, of_this_agent, in_campaign) =
        count(conn, org, &new.agent, new.campaign.as_deref(), now).await?;
    let checked = [
        (Scope::Org, of_org, in_org),
        (Scope::Agent, own("agent").or(of_agent), of_this_agent),
        (Scope::Campaign, of_campaign, in_campaign),
    ];
    let over = checked
        .into_iter()
        .find_map(|(scope, max, used)| max.filter(|max| used >= *max).map(|max| (scope, max)));
    Ok(over)
}

/// Calls that have a place: of the organisation, of the agent, of the campaign.
async fn count(
    conn: &mut Conn,
    org: &OrgId,
    agent: &str,
    campaign: Option<&str>,
    now: i64,
) -> Result<(i64, i64, i64), StoreError> {
    let sql = "SELECT COUNT(*) AS in_org, \
               COUNT(CASE WHEN c.agent = $2 THEN 1 END) AS of_agent, \
               COUNT(CASE WHEN c.campaign = $3 THEN 1 END) AS in_campaign \
               FROM calls c LEFT JOIN call_nodes n ON n.id = c.node \
               WHERE c.org_id = $1 AND c.state <> 'ended' \
               AND ((c.node IS NULL AND c.due_at > $4) OR n.lease_until > $4)";
    let row = sqlx::query(sql)
        .bind(org)
        .bind(agent)
        .bind(campaign.unwrap_or_default())
        .bind(now)
        .fetch_one(conn)
        .await?;
    Ok((row.try_get("in_org")?, row.try_get("of_agent")?, row.try_get("in_campaign")?))
}

async fn insert(conn: &mut Conn, org: &OrgId, new: &NewCall, now: i64) -> Result<(), StoreError> {
    let state = if new.node.is_some() { CallState::Connecting } else { CallState::Created };
    let sql = "INSERT INTO calls (id, org_id, agent, version, release, profile, profile_revision, program, \
               direction, channel, line, test, campaign, caller, called, inputs, state, node, fence, due_at, \
               ticket, ticket_until, carrier_call, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
               $20, $21, $22, $23, $24)";
    sqlx::query(sql)
        .bind(&new.id)
        .bind(org)
        .bind(&new.agent)
        .bind(&new.version)
        .bind(new.release.as_deref())
        .bind(new.profile.as_deref())
        .bind(new.profile_revision)
        .bind(&new.program)
        .bind(new.direction)
        .bind(new.channel)
        .bind(&new.line)
        .bind(i64::from(new.test))
        .bind(new.campaign.as_deref())
        .bind(new.caller.as_deref())
        .bind(new.called.as_deref())
        .bind(new.inputs.as_deref())
        .bind(state.name())
        .bind(new.node.as_ref())
        .bind(i64::from(new.node.is_some()))
        .bind(new.due_at)
        .bind(new.ticket.as_ref().map(|(hash, _)| hash.as_str()))
        .bind(new.ticket.as_ref().map(|(_, until)| *until))
        .bind(new.carrier_call.as_deref())
        .bind(now)
        .execute(&mut *conn)
        .await?;
    for tag in &new.tags {
        let sql = "INSERT INTO call_tags (call_id, org_id, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(&new.id).bind(org).bind(tag).execute(&mut *conn).await?;
    }
    Ok(())
}
