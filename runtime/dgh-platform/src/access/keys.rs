//! Making keys and taking them back.

use dgh_store::accounts::keys::{self, ApiKey};
use dgh_store::audit::{self, Actor};
use dgh_store::{ApiKeyId, Conn, OrgId, StoreError, UserId};
use serde_json::json;

use super::{AccessError, Identity, Role, Scopes, text, tokens};

/// The last moment that a date of four digits can say: 9999-12-31, 23:59:59.999.
const LATEST: i64 = 253_402_300_799_999;

/// A key that somebody wants.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// With which parts.
    pub scopes: Scopes,
    /// Until when; none: until it is taken back.
    pub expires_at: Option<i64>,
}

/// A key that was made.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// What is known of it.
    pub key: ApiKey,
    /// Itself. Nobody sees it again.
    pub secret: String,
}

/// Makes a key that can do at most what its maker can.
pub async fn make_key(
    conn: &mut Conn,
    maker: &Identity,
    new: NewKey,
    by: &Actor,
    now: i64,
) -> Result<MadeKey, AccessError> {
    if new.role > maker.role || !maker.scopes.hold(new.scopes) {
        return Err(AccessError::MoreThanOwn);
    }
    // What a key makes goes when the maker of the key goes.
    let made_by = match (&maker.user, &maker.key) {
        (Some(user), _) => Some(user.clone()),
        (None, Some(key)) => keys::get(conn, &maker.org, key).await?.created_by,
        (None, None) => None,
    };
    insert(conn, &maker.org, new, made_by, by, now).await
}

/// Makes a key for an organisation.
pub(super) async fn insert(
    conn: &mut Conn,
    org: &OrgId,
    new: NewKey,
    made_by: Option<UserId>,
    by: &Actor,
    now: i64,
) -> Result<MadeKey, AccessError> {
    if new.expires_at.is_some_and(|expires| expires <= now) {
        return Err(AccessError::Invalid { field: "expires_at", why: "this is over already".to_owned() });
    }
    if new.expires_at.is_some_and(|expires| expires > LATEST) {
        let why = "this is no time; a key that does not expire has none".to_owned();
        return Err(AccessError::Invalid { field: "expires_at", why });
    }
    let secret = tokens::fresh_key()?;
    let key = ApiKey {
        id: ApiKeyId::fresh(),
        org: org.clone(),
        name: text::name(&new.name)?,
        prefix: tokens::prefix(&secret),
        role: new.role,
        scopes: new.scopes,
        created_by: made_by,
        created_at: now,
        expires_at: new.expires_at,
        used_at: None,
        revoked_at: None,
    };
    keys::insert(conn, org, &key, &tokens::hash(&secret)).await?;
    let detail = json!({
        "name": key.name, "role": key.role, "scopes": key.scopes.to_string(), "expires_at": key.expires_at,
    });
    audit::write(conn, org, by, "api_key.create", key.id.as_str(), &detail, now).await?;
    Ok(MadeKey { key, secret })
}

/// Takes a key back: from now on it opens nothing. Twice is no fault.
pub async fn revoke_key(
    conn: &mut Conn,
    org: &OrgId,
    key: &ApiKeyId,
    by: &Actor,
    now: i64,
) -> Result<(), StoreError> {
    let known = keys::get(conn, org, key).await?;
    if keys::revoke(conn, org, key, now).await? {
        audit::write(conn, org, by, "api_key.revoke", key.as_str(), &json!({ "name": known.name }), now)
            .await?;
    }
    Ok(())
}
