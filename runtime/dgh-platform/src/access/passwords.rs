//! Passwords: argon2id, on a blocking thread, a few at a time.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use dgh_store::accounts::{orgs, sessions, users};
use dgh_store::audit::{self, Actor};
use dgh_store::{Db, OrgId, SessionId, StoreError, UserId};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{AccessError, commit, text, throttle, tokens};

/// Hashes at the same time: each takes 19 MiB and some 50 ms of a core, and calls need both.
const AT_ONCE: usize = 2;
/// What a password of nobody is compared with, so that it takes as long as one of somebody.
static NOBODY: LazyLock<Result<String, AccessError>> = LazyLock::new(|| hash_now("nobody's password"));
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// What is kept of a password.
pub(super) async fn hash(password: String) -> Result<String, AccessError> {
    blocking(move || hash_now(&password)).await?
}

/// Whether this is the password of a hash; of no hash: no, as slowly.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<bool, AccessError> {
    blocking(move || match hash {
        Some(hash) => Ok(verify_now(&password, &hash)),
        None => match &*NOBODY {
            Ok(nobody) => {
                verify_now(&password, nobody);
                Ok(false)
            }
            Err(error) => Err(AccessError::System(error.to_string())),
        },
    })
    .await?
}

/// A person in a session.
#[derive(Debug, Clone, Copy)]
pub struct OwnPlace<'a> {
    /// Whose things the session shows.
    pub org: &'a OrgId,
    /// Who.
    pub user: &'a UserId,
    /// Where.
    pub session: &'a SessionId,
}

/// Another password. All other sessions of the user end.
pub async fn change_password(
    db: &Db,
    place: &OwnPlace<'_>,
    current: String,
    new: String,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    let OwnPlace { org, user, session } = *place;
    let known = check_own(db, user, current, by, now).await?;
    text::password(&new, &known.email)?;
    let hash = hash(new).await?;
    let mut tx = db.begin().await?;
    users::set_password_unscoped(&mut tx, user, &hash, now).await?;
    let ended = sessions::remove_others(&mut tx, user, Some(session)).await?;
    let detail = json!({ "sessions_ended": ended });
    audit::write(&mut tx, org, by, "user.password", user.as_str(), &detail, now).await?;
    Ok(commit(tx).await?)
}

/// Another name or address of a user. The address is what they sign in with: it takes the password.
pub async fn update_user(
    db: &Db,
    user: &UserId,
    org: &OrgId,
    name: Option<String>,
    email: Option<(String, String)>,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    let name = name.map(|name| text::name(&name)).transpose()?;
    let email = match email {
        Some((email, password)) => {
            let email = text::email(&email)?;
            check_own(db, user, password, by, now).await?;
            Some(email)
        }
        None => None,
    };
    let mut tx = db.begin().await?;
    if let Some(name) = &name {
        users::rename_unscoped(&mut tx, user, name).await?;
    }
    if let Some(email) = &email {
        users::set_email_unscoped(&mut tx, user, email).await.map_err(|error| match error {
            StoreError::Conflict { .. } => AccessError::EmailTaken,
            other => other.into(),
        })?;
    }
    let detail = json!({ "name": name, "email": email });
    audit::write(&mut tx, org, by, "user.update", user.as_str(), &detail, now).await?;
    Ok(commit(tx).await?)
}

/// A new password for whoever lost theirs, by whoever holds the machine. All sessions end.
pub async fn reset_password_unscoped(db: &Db, email: &str, now: i64) -> Result<String, AccessError> {
    let email = text::email(email)?;
    let password = tokens::fresh_password()?;
    let hash = hash(password.clone()).await?;
    let mut tx = db.begin().await?;
    let login = users::by_email_unscoped(&mut tx, &email).await?;
    let user = login.ok_or(StoreError::not_found("user"))?.user;
    users::set_password_unscoped(&mut tx, &user.id, &hash, now).await?;
    sessions::remove_others(&mut tx, &user.id, None).await?;
    throttle::forget(&mut tx, &email).await?;
    for place in orgs::of_user(&mut tx, &user.id).await? {
        let by = Actor::server();
        audit::write(&mut tx, &place.org.id, &by, "user.password_reset", user.id.as_str(), &json!({}), now)
            .await?;
    }
    commit(tx).await?;
    Ok(password)
}

/// The user, when this is their password. Guesses count as those of signing in.
async fn check_own(
    db: &Db,
    user: &UserId,
    password: String,
    by: &Actor,
    now: i64,
) -> Result<users::User, AccessError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let known = users::get_unscoped(&mut conn, user).await?;
    let hash = users::password_unscoped(&mut conn, user).await?;
    drop(conn);
    let attempt = throttle::begin(db, &known.email, by.address.as_deref(), now).await?;
    if !verify(password, Some(hash)).await? {
        return Err(AccessError::WrongPassword);
    }
    attempt.succeeded(db).await?;
    Ok(known)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccessError> {
    let failed = |error: String| AccessError::System(error);
    let turn = TURNS.acquire().await.map_err(|error| failed(error.to_string()))?;
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()));
    drop(turn);
    done
}

fn hash_now(password: &str) -> Result<String, AccessError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| AccessError::System(error.to_string()))
}

fn verify_now(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_and_recognised() {
        let kept = hash("correct horse".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!verify("correct house".to_owned(), Some(kept)).await.unwrap());
        assert!(!verify("nobody's password".to_owned(), None).await.unwrap(), "nobody has no password");
    }
}
