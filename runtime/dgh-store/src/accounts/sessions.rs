//! People who are signed in. A session is found by the hash of the token in its cookie, and is good
//! as long as its user is a member of the organisation that it shows.

use sqlx::FromRow;

use super::Role;
use crate::{Conn, OrgId, SessionId, StoreError, UserId};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Session {
    /// Its id, which opens nothing.
    pub id: SessionId,
    /// Whose.
    #[sqlx(rename = "user_id")]
    pub user: UserId,
    /// Whose things it shows.
    #[sqlx(rename = "org_id")]
    pub org: OrgId,
    /// Since when.
    pub created_at: i64,
    /// When it was used last, to some minutes.
    pub seen_at: i64,
    /// When it ends if nobody uses it.
    pub expires_at: i64,
    /// When it ends at the latest.
    pub ends_at: i64,
    /// Where it was begun.
    pub address: Option<String>,
    /// With what.
    pub browser: Option<String>,
}

/// A session, and what its user is in the organisation.
#[derive(Debug, Clone, FromRow)]
pub struct SignedIn {
    /// Which.
    #[sqlx(flatten)]
    pub session: Session,
    /// As what.
    #[sqlx(try_from = "String")]
    pub role: Role,
}

/// Begins one. `token` is the hash of the token.
pub async fn insert_unscoped(conn: &mut Conn, session: &Session, token: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sessions (id, token, user_id, org_id, created_at, seen_at, expires_at, ends_at, address, browser)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(session.id.as_str())
    .bind(token)
    .bind(session.user.as_str())
    .bind(session.org.as_str())
    .bind(session.created_at)
    .bind(session.seen_at)
    .bind(session.expires_at)
    .bind(session.ends_at)
    .bind(session.address.as_deref())
    .bind(session.browser.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// The session of a token and its role, when it is still good.
pub async fn find_unscoped(conn: &mut Conn, token: &str, now: i64) -> Result<Option<SignedIn>, StoreError> {
    let found = sqlx::query_as(
        "SELECT sessions.id, sessions.user_id, sessions.org_id, sessions.created_at, seen_at, expires_at, ends_at,
                address, browser, role
         FROM sessions JOIN members ON members.org_id = sessions.org_id AND members.user_id = sessions.user_id
         WHERE token = $1 AND expires_at > $2",
    )
    .bind(token)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// It was used: it ends later.
pub async fn touch_unscoped(
    conn: &mut Conn,
    session: &SessionId,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1 AND seen_at < $2")
        .bind(session.as_str())
        .bind(now)
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Shows another organisation from now on.
pub async fn switch_unscoped(conn: &mut Conn, session: &SessionId, org: &OrgId) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET org_id = $2 WHERE id = $1")
        .bind(session.as_str())
        .bind(org.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Those of a user that are still good, the newest first.
pub async fn of_user(
    conn: &mut Conn,
    user: &UserId,
    after: Option<&str>,
    limit: i64,
    now: i64,
) -> Result<Vec<Session>, StoreError> {
    let all = sqlx::query_as(
        "SELECT id, user_id, org_id, created_at, seen_at, expires_at, ends_at, address, browser FROM sessions
         WHERE user_id = $1 AND expires_at > $2 AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(user.as_str())
    .bind(now)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(all)
}

/// Ends one of a user's.
pub async fn remove(conn: &mut Conn, user: &UserId, session: &SessionId) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
        .bind(session.as_str())
        .bind(user.as_str())
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::not_found("session")) } else { Ok(()) }
}

/// Ends all of a user's but this one. Answers how many.
pub async fn remove_others(
    conn: &mut Conn,
    user: &UserId,
    but: Option<&SessionId>,
) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
        .bind(user.as_str())
        .bind(but.map(SessionId::as_str).unwrap_or_default())
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Ends those of a user in an organisation.
pub async fn remove_in(conn: &mut Conn, org: &OrgId, user: &UserId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE org_id = $1 AND user_id = $2")
        .bind(org.as_str())
        .bind(user.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets what is over.
pub async fn tidy_unscoped(conn: &mut Conn, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(conn).await?;
    Ok(())
}
