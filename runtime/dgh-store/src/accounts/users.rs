//! People who sign in. A user is of no organisation; members tie them to some.

use sqlx::FromRow;

use crate::{Conn, StoreError, UserId};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// When they came.
    pub created_at: i64,
}

/// A user, and what their password is compared with.
#[derive(Debug, Clone, FromRow)]
pub struct Login {
    /// Who.
    #[sqlx(flatten)]
    pub user: User,
    /// The hash.
    pub password: String,
}

/// Adds one, with the hash of a password.
pub async fn insert_unscoped(conn: &mut Conn, user: &User, password: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO users (id, email, name, password, password_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(user.id.as_str())
    .bind(&user.email)
    .bind(&user.name)
    .bind(password)
    .bind(user.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// One of them.
pub async fn get_unscoped(conn: &mut Conn, user: &UserId) -> Result<User, StoreError> {
    let found = sqlx::query_as("SELECT id, email, name, created_at FROM users WHERE id = $1")
        .bind(user.as_str())
        .fetch_optional(conn)
        .await?;
    found.ok_or(StoreError::not_found("user"))
}

/// The user of an address, and the hash of the password.
pub async fn by_email_unscoped(conn: &mut Conn, email: &str) -> Result<Option<Login>, StoreError> {
    let found = sqlx::query_as("SELECT id, email, name, created_at, password FROM users WHERE email = $1")
        .bind(email)
        .fetch_optional(conn)
        .await?;
    Ok(found)
}

/// The hash of a password.
pub async fn password_unscoped(conn: &mut Conn, user: &UserId) -> Result<String, StoreError> {
    let found = sqlx::query_scalar("SELECT password FROM users WHERE id = $1")
        .bind(user.as_str())
        .fetch_optional(conn)
        .await?;
    found.ok_or(StoreError::not_found("user"))
}

/// Another password.
pub async fn set_password_unscoped(
    conn: &mut Conn,
    user: &UserId,
    password: &str,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET password = $2, password_at = $3 WHERE id = $1")
        .bind(user.as_str())
        .bind(password)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Another name.
pub async fn rename_unscoped(conn: &mut Conn, user: &UserId, name: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET name = $2 WHERE id = $1")
        .bind(user.as_str())
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Another address. One that somebody has is a conflict.
pub async fn set_email_unscoped(conn: &mut Conn, user: &UserId, email: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET email = $2 WHERE id = $1")
        .bind(user.as_str())
        .bind(email)
        .execute(conn)
        .await?;
    Ok(())
}
