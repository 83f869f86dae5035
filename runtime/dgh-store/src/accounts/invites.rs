//! Invitations: a link that makes somebody a member, once, until it expires.

use sqlx::FromRow;

use super::Role;
use crate::{Conn, InviteId, OrgId, StoreError, UserId};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Invite {
    /// Its id, which opens nothing.
    pub id: InviteId,
    /// Whose member they become.
    #[sqlx(rename = "org_id")]
    pub org: OrgId,
    /// Who is meant, in lower case.
    pub email: String,
    /// As what.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// By whom.
    pub invited_by: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// Until when the link is good.
    pub expires_at: i64,
    /// When it was taken.
    pub accepted_at: Option<i64>,
}

/// Makes one. `token` is the hash of the token in the link.
pub async fn insert(conn: &mut Conn, org: &OrgId, invite: &Invite, token: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO invites (id, org_id, token, email, role, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(invite.id.as_str())
    .bind(org.as_str())
    .bind(token)
    .bind(&invite.email)
    .bind(invite.role.word())
    .bind(invite.invited_by.as_deref())
    .bind(invite.created_at)
    .bind(invite.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The one of a token, when it is still good.
pub async fn find_unscoped(conn: &mut Conn, token: &str, now: i64) -> Result<Option<Invite>, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, org_id, email, role, invited_by, created_at, expires_at, accepted_at FROM invites
         WHERE token = $1 AND accepted_at IS NULL AND expires_at > $2",
    )
    .bind(token)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Takes it. False: somebody was faster, or it is over.
pub async fn accept(
    conn: &mut Conn,
    org: &OrgId,
    invite: &InviteId,
    user: &UserId,
    now: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE invites SET accepted_at = $4, accepted_by = $3
         WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND expires_at > $4",
    )
    .bind(org.as_str())
    .bind(invite.as_str())
    .bind(user.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A page of those that are open, the newest first.
pub async fn list(
    conn: &mut Conn,
    org: &OrgId,
    after: Option<&str>,
    limit: i64,
    now: i64,
) -> Result<Vec<Invite>, StoreError> {
    let all = sqlx::query_as(
        "SELECT id, org_id, email, role, invited_by, created_at, expires_at, accepted_at FROM invites
         WHERE org_id = $1 AND accepted_at IS NULL AND expires_at > $2 AND ($3 = '' OR id < $3)
         ORDER BY id DESC LIMIT $4",
    )
    .bind(org.as_str())
    .bind(now)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Takes an open one back.
pub async fn remove(conn: &mut Conn, org: &OrgId, invite: &InviteId) -> Result<Invite, StoreError> {
    let found = sqlx::query_as(
        "DELETE FROM invites WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL
         RETURNING id, org_id, email, role, invited_by, created_at, expires_at, accepted_at",
    )
    .bind(org.as_str())
    .bind(invite.as_str())
    .fetch_optional(conn)
    .await?;
    found.ok_or(StoreError::not_found("invitation"))
}

/// Takes back the open ones for an address.
pub async fn remove_for(conn: &mut Conn, org: &OrgId, email: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invites WHERE org_id = $1 AND email = $2 AND accepted_at IS NULL")
        .bind(org.as_str())
        .bind(email)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets links that are over.
pub async fn tidy_unscoped(conn: &mut Conn, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invites WHERE accepted_at IS NULL AND expires_at <= $1")
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
