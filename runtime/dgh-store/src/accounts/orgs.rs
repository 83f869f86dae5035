//! Organisations. Whatever is kept belongs to one.

use sqlx::FromRow;

use super::Role;
use crate::{Conn, OrgId, StoreError, UserId};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: i64,
}

/// An organisation, and what a user is in it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OrgOfUser {
    /// Which.
    #[sqlx(flatten)]
    pub org: Org,
    /// As what.
    #[sqlx(try_from = "String")]
    pub role: Role,
}

/// Makes one.
pub async fn insert(conn: &mut Conn, org: &Org) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO orgs (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(org.id.as_str())
        .bind(&org.name)
        .bind(org.created_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// One of them.
pub async fn get(conn: &mut Conn, org: &OrgId) -> Result<Org, StoreError> {
    let found = sqlx::query_as("SELECT id, name, created_at FROM orgs WHERE id = $1")
        .bind(org.as_str())
        .fetch_optional(conn)
        .await?;
    found.ok_or(StoreError::not_found("organisation"))
}

/// Another name for it.
pub async fn rename(conn: &mut Conn, org: &OrgId, name: &str) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE orgs SET name = $2 WHERE id = $1")
        .bind(org.as_str())
        .bind(name)
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::not_found("organisation")) } else { Ok(()) }
}

/// The first one: it was there when the server first started, and what lies on its disk is its own.
pub async fn first_unscoped(conn: &mut Conn) -> Result<Option<Org>, StoreError> {
    let first = sqlx::query_as("SELECT id, name, created_at FROM orgs ORDER BY id LIMIT 1");
    Ok(first.fetch_optional(conn).await?)
}

/// The organisations of a user, with the role in each.
pub async fn of_user(conn: &mut Conn, user: &UserId) -> Result<Vec<OrgOfUser>, StoreError> {
    let all = sqlx::query_as(
        "SELECT orgs.id, orgs.name, orgs.created_at, members.role FROM members
         JOIN orgs ON orgs.id = members.org_id WHERE members.user_id = $1 ORDER BY orgs.id",
    )
    .bind(user.as_str())
    .fetch_all(conn)
    .await?;
    Ok(all)
}
