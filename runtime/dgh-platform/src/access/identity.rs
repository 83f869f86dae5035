//! Who asks: the holder of a key, or of a session.

use dgh_store::accounts::{keys, sessions};
use dgh_store::audit::Actor;
use dgh_store::{ApiKeyId, Db, OrgId, SessionId, StoreError, UserId};

use super::{Role, Scopes, sign_in, tokens};

/// A key counts as used again after so long: reads must not become writes.
const USED_AGAIN: i64 = 60 * 1_000;
/// And a session.
const SEEN_AGAIN: i64 = 5 * 60 * 1_000;

/// Who asks, and for which organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whose things they may see.
    pub org: OrgId,
    /// The person; of a key the one who made it is not meant.
    pub user: Option<UserId>,
    /// The key.
    pub key: Option<ApiKeyId>,
    /// The session.
    pub session: Option<SessionId>,
    /// What they may do.
    pub role: Role,
    /// And with which parts. A session's are all.
    pub scopes: Scopes,
}

/// What somebody shows.
#[derive(Debug, Clone, Copy)]
pub enum Presented<'a> {
    /// `dgh_…`
    Key(&'a str),
    /// The token of a session.
    Session(&'a str),
}

impl Identity {
    /// As the audit log names them.
    pub fn actor(&self, address: Option<String>) -> Actor {
        Actor { user: self.user.clone(), key: self.key.clone(), address }
    }
}

/// Who this is; nobody when what they show is no good (any more).
pub async fn identify(db: &Db, shown: Presented<'_>, now: i64) -> Result<Option<Identity>, StoreError> {
    match shown {
        Presented::Key(key) if tokens::is_key(key) => by_key(db, key, now).await,
        Presented::Session(token) if tokens::is_token(token) => by_session(db, token, now).await,
        _ => Ok(None),
    }
}

async fn by_key(db: &Db, key: &str, now: i64) -> Result<Option<Identity>, StoreError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let Some(known) = keys::find_unscoped(&mut conn, &tokens::hash(key), now).await? else {
        return Ok(None);
    };
    drop(conn);
    if known.used_at.is_none_or(|used| now - used > USED_AGAIN) {
        let (db, id) = (db.clone(), known.id.clone());
        later(async move {
            let mut tx = db.begin().await?;
            keys::touch_unscoped(&mut tx, &id, now).await?;
            super::commit(tx).await
        });
    }
    Ok(Some(Identity {
        org: known.org,
        user: None,
        key: Some(known.id),
        session: None,
        role: known.role,
        scopes: known.scopes,
    }))
}

async fn by_session(db: &Db, token: &str, now: i64) -> Result<Option<Identity>, StoreError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let Some(known) = sessions::find_unscoped(&mut conn, &tokens::hash(token), now).await? else {
        return Ok(None);
    };
    drop(conn);
    let sessions::SignedIn { session, role } = known;
    if now - session.seen_at > SEEN_AGAIN {
        let (db, id) = (db.clone(), session.id.clone());
        let expires = (now + sign_in::IDLE).min(session.ends_at);
        later(async move {
            let mut tx = db.begin().await?;
            sessions::touch_unscoped(&mut tx, &id, now, expires).await?;
            super::commit(tx).await
        });
    }
    Ok(Some(Identity {
        org: session.org,
        user: Some(session.user),
        key: None,
        session: Some(session.id),
        role,
        scopes: Scopes::ALL,
    }))
}

/// Nobody waits for it, and it is no harm when it fails.
fn later(work: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = work.await {
            tracing::debug!(%error, "a use was not written down");
        }
    });
}
