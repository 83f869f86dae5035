//! Processes that own calls. Their heartbeat is the lease of all of their calls.

use serde::Serialize;
use sqlx::{FromRow, Row as _};

use crate::{Conn, NodeId, StoreError};

/// A process that owns calls.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Node {
    /// Its id, new with every start.
    pub id: NodeId,
    /// For people.
    pub name: String,
    /// When it started.
    pub started_at: i64,
    /// Until when others leave its calls alone.
    pub lease_until: i64,
}

/// A node begins to own calls.
pub async fn join_unscoped(conn: &mut Conn, node: &Node) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_nodes (id, name, started_at, lease_until) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until";
    sqlx::query(sql)
        .bind(&node.id)
        .bind(&node.name)
        .bind(node.started_at)
        .bind(node.lease_until)
        .execute(conn)
        .await?;
    Ok(())
}

/// The node is alive. False: it was taken for dead, and has to join again.
pub async fn beat_unscoped(conn: &mut Conn, node: &NodeId, until: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE call_nodes SET lease_until = $2 WHERE id = $1";
    Ok(sqlx::query(sql).bind(node).bind(until).execute(conn).await?.rows_affected() == 1)
}

/// The node stops. What it still owns is overdue at once.
pub async fn leave_unscoped(conn: &mut Conn, node: &NodeId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM call_nodes WHERE id = $1").bind(node).execute(conn).await?;
    Ok(())
}

/// Forgets nodes that died and own nothing any more.
pub async fn forget_dead_unscoped(conn: &mut Conn, before: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM call_nodes WHERE lease_until < $1 AND NOT EXISTS \
               (SELECT 1 FROM calls c WHERE c.node = call_nodes.id AND c.state <> 'ended')";
    Ok(sqlx::query(sql).bind(before).execute(conn).await?.rows_affected())
}

/// All nodes, the oldest first.
pub async fn nodes_unscoped(conn: &mut Conn) -> Result<Vec<Node>, StoreError> {
    let sql = "SELECT id, name, started_at, lease_until FROM call_nodes ORDER BY started_at, id";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// A key that all nodes share: the sealed one that is given, unless another was first.
pub async fn shared_key_unscoped(
    conn: &mut Conn,
    name: &str,
    sealed: &str,
    now: i64,
) -> Result<String, StoreError> {
    let sql =
        "INSERT INTO call_keys (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    sqlx::query(sql).bind(name).bind(sealed).bind(now).execute(&mut *conn).await?;
    let row = sqlx::query("SELECT sealed FROM call_keys WHERE name = $1").bind(name).fetch_one(conn).await?;
    Ok(row.try_get("sealed")?)
}
