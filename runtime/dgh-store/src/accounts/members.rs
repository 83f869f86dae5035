//! Who belongs to an organisation, and as what.

use sqlx::FromRow;

use super::Role;
use crate::{Conn, OrgId, StoreError, UserId};

/// A user in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Member {
    /// Who.
    #[sqlx(rename = "id")]
    pub user: UserId,
    /// Where mail goes, and what they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Since when.
    pub created_at: i64,
}

/// Adds one. Whoever is one already is a conflict.
pub async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    user: &UserId,
    role: Role,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO members (org_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)")
        .bind(org.as_str())
        .bind(user.as_str())
        .bind(role.word())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of them, by the ids of the users.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    let all = sqlx::query_as(
        "SELECT users.id, users.email, users.name, members.role, members.created_at FROM members
         JOIN users ON users.id = members.user_id
         WHERE members.org_id = $1 AND members.user_id > $2 ORDER BY members.user_id LIMIT $3",
    )
    .bind(org.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// One of them.
pub async fn get(conn: &mut Conn, org: &OrgId, user: &UserId) -> Result<Member, StoreError> {
    let found = sqlx::query_as(
        "SELECT users.id, users.email, users.name, members.role, members.created_at FROM members
         JOIN users ON users.id = members.user_id WHERE members.org_id = $1 AND members.user_id = $2",
    )
    .bind(org.as_str())
    .bind(user.as_str())
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("member"))
}

/// Another role. The last owner stays one: then nothing is changed, and the answer is false.
pub async fn set_role(conn: &mut Conn, org: &OrgId, user: &UserId, role: Role) -> Result<bool, StoreError> {
    if role != Role::Owner && is_last_owner(conn, org, user).await? {
        return Ok(false);
    }
    sqlx::query("UPDATE members SET role = $3 WHERE org_id = $1 AND user_id = $2")
        .bind(org.as_str())
        .bind(user.as_str())
        .bind(role.word())
        .execute(conn)
        .await?;
    Ok(true)
}

/// Ends a membership. The last owner stays: then nothing is changed, and the answer is false.
pub async fn remove(conn: &mut Conn, org: &OrgId, user: &UserId) -> Result<bool, StoreError> {
    if is_last_owner(conn, org, user).await? {
        return Ok(false);
    }
    sqlx::query("DELETE FROM members WHERE org_id = $1 AND user_id = $2")
        .bind(org.as_str())
        .bind(user.as_str())
        .execute(conn)
        .await?;
    Ok(true)
}

/// Whether nobody else is an owner. Two owners who leave at the same time wait for each other here:
/// the row of the organisation is written first, which locks it until the transaction ends.
async fn is_last_owner(conn: &mut Conn, org: &OrgId, user: &UserId) -> Result<bool, StoreError> {
    sqlx::query("UPDATE orgs SET name = name WHERE id = $1").bind(org.as_str()).execute(&mut *conn).await?;
    let owners: Vec<UserId> =
        sqlx::query_scalar("SELECT user_id FROM members WHERE org_id = $1 AND role = 'owner'")
            .bind(org.as_str())
            .fetch_all(conn)
            .await?;
    Ok(owners == [user.clone()])
}
