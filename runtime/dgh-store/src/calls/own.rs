//! Who owns a call, and how it goes on.

use super::{CallRow, CallState, columns};
use crate::{CallId, Conn, NodeId, OrgId, StoreError};

/// The right to change a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The call.
    pub call: CallId,
    /// Its organisation.
    pub org: OrgId,
    /// The fence that it was got with.
    pub fence: i64,
}

/// What a carrier's socket shows.
#[derive(Debug, Clone, Copy)]
pub struct Ticket<'a> {
    /// SHA-256 of the word.
    pub hash: &'a str,
    /// The carrier.
    pub line: &'a str,
    /// The agent in the address.
    pub agent: &'a str,
}

/// A call of the organisation.
pub async fn get(conn: &mut Conn, org: &OrgId, id: &CallId) -> Result<Option<CallRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM calls WHERE org_id = $1 AND id = $2");
    Ok(sqlx::query_as(sql).bind(org).bind(id).fetch_optional(conn).await?)
}

/// A call, for workers.
pub async fn get_unscoped(conn: &mut Conn, id: &CallId) -> Result<Option<CallRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM calls WHERE id = $1");
    Ok(sqlx::query_as(sql).bind(id).fetch_optional(conn).await?)
}

/// A call by its carrier's name for it. Only behind a checked signature of the carrier.
pub async fn by_carrier_unscoped(
    conn: &mut Conn,
    line: &str,
    carrier_call: &str,
) -> Result<Option<CallRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM calls WHERE line = $1 AND carrier_call = $2");
    Ok(sqlx::query_as(sql).bind(line).bind(carrier_call).fetch_optional(conn).await?)
}

/// Takes a call by its ticket. One socket of many gets it: the ticket is gone with the first.
pub async fn redeem_unscoped(
    conn: &mut Conn,
    ticket: Ticket<'_>,
    node: &NodeId,
    now: i64,
) -> Result<Option<CallRow>, StoreError> {
    let sql = concat!(
        "UPDATE calls SET state = 'connecting', node = $4, fence = fence + 1, due_at = NULL, \
         ticket = NULL, ticket_until = NULL \
         WHERE ticket = $1 AND line = $2 AND agent = $3 AND ticket_until > $5 \
         AND state IN ('created', 'dialing', 'ringing') RETURNING ",
        columns!()
    );
    Ok(sqlx::query_as(sql)
        .bind(ticket.hash)
        .bind(ticket.line)
        .bind(ticket.agent)
        .bind(node)
        .bind(now)
        .fetch_optional(conn)
        .await?)
}

/// Hands out another ticket for a call that nobody has taken: a carrier asked twice.
pub async fn renew_ticket(
    conn: &mut Conn,
    org: &OrgId,
    id: &CallId,
    hash: &str,
    until: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE calls SET ticket = $3, ticket_until = $4, due_at = $4 \
               WHERE org_id = $1 AND id = $2 AND node IS NULL AND state <> 'ended'";
    let done = sqlx::query(sql).bind(org).bind(id).bind(hash).bind(until).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a call that has no owner.
pub async fn take_unowned(
    conn: &mut Conn,
    org: &OrgId,
    id: &CallId,
    node: &NodeId,
) -> Result<Option<Owner>, StoreError> {
    let sql = concat!(
        "UPDATE calls SET node = $3, fence = fence + 1, due_at = NULL \
         WHERE org_id = $1 AND id = $2 AND node IS NULL AND state <> 'ended' RETURNING ",
        columns!()
    );
    let row: Option<CallRow> = sqlx::query_as(sql).bind(org).bind(id).bind(node).fetch_optional(conn).await?;
    Ok(row.map(|row| Owner { call: row.id, org: org.clone(), fence: row.fence }))
}

/// Takes a call whose owner is dead, or that nobody took in time. False: somebody else was first,
/// or the owner is alive after all.
pub async fn adopt_unscoped(
    conn: &mut Conn,
    row: &CallRow,
    node: &NodeId,
    now: i64,
) -> Result<Option<Owner>, StoreError> {
    let sql = "UPDATE calls SET node = $3, fence = fence + 1, due_at = NULL, ticket = NULL, ticket_until = NULL \
               WHERE id = $1 AND fence = $2 AND state <> 'ended' \
               AND (node IS NOT NULL OR due_at <= $4) AND NOT EXISTS \
               (SELECT 1 FROM call_nodes n WHERE n.id = calls.node AND n.lease_until > $4 AND n.id <> $3)";
    let done = sqlx::query(sql).bind(&row.id).bind(row.fence).bind(node).bind(now).execute(conn).await?;
    let owner = || Owner { call: row.id.clone(), org: row.org_id.clone(), fence: row.fence + 1 };
    Ok((done.rows_affected() == 1).then(owner))
}

/// A call goes on. False: the fence is old, or it is further than that already.
pub async fn advance(conn: &mut Conn, owner: &Owner, to: CallState, at: i64) -> Result<bool, StoreError> {
    let sql = match to {
        CallState::Created | CallState::Ended => return Ok(false),
        CallState::Dialing => {
            "UPDATE calls SET state = 'dialing' \
             WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'created' AND $4 >= 0"
        }
        CallState::Ringing => {
            "UPDATE calls SET state = 'ringing', ringing_at = COALESCE(ringing_at, $4) \
             WHERE org_id = $1 AND id = $2 AND fence = $3 AND state IN ('created', 'dialing')"
        }
        CallState::Connecting => {
            "UPDATE calls SET state = 'connecting' WHERE org_id = $1 AND id = $2 AND fence = $3 \
             AND state IN ('created', 'dialing', 'ringing') AND $4 >= 0"
        }
        CallState::Live => {
            "UPDATE calls SET state = 'live', live_at = COALESCE(live_at, $4), due_at = NULL \
             WHERE org_id = $1 AND id = $2 AND fence = $3 AND state NOT IN ('live', 'ended')"
        }
    };
    let done =
        sqlx::query(sql).bind(&owner.org).bind(&owner.call).bind(owner.fence).bind(at).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Where a call is in its dialogue.
pub async fn progress(
    conn: &mut Conn,
    owner: &Owner,
    at_node: Option<&str>,
    turns: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE calls SET at_node = $4, turns = $5 \
               WHERE org_id = $1 AND id = $2 AND fence = $3 AND state <> 'ended'";
    let done = sqlx::query(sql)
        .bind(&owner.org)
        .bind(&owner.call)
        .bind(owner.fence)
        .bind(at_node)
        .bind(turns)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The carrier has a name for the call now.
pub async fn set_carrier_call(
    conn: &mut Conn,
    org: &OrgId,
    id: &CallId,
    carrier_call: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET carrier_call = $3 WHERE org_id = $1 AND id = $2 AND carrier_call IS NULL";
    sqlx::query(sql).bind(org).bind(id).bind(carrier_call).execute(conn).await?;
    Ok(())
}

/// Calls that have to be ended for their owners: dead ones, and those that never came.
pub async fn overdue_unscoped(conn: &mut Conn, now: i64, most: i64) -> Result<Vec<CallRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM calls WHERE state <> 'ended' \
          AND ((node IS NULL AND due_at <= $1) OR (node IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM call_nodes n WHERE n.id = calls.node AND n.lease_until > $1))) \
          ORDER BY created_at, id LIMIT $2"
    );
    Ok(sqlx::query_as(sql).bind(now).bind(most).fetch_all(conn).await?)
}

/// Calls that a node owns.
pub async fn of_node_unscoped(conn: &mut Conn, node: &NodeId) -> Result<Vec<CallRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM calls WHERE node = $1 AND state <> 'ended' ORDER BY created_at, id"
    );
    Ok(sqlx::query_as(sql).bind(node).fetch_all(conn).await?)
}
