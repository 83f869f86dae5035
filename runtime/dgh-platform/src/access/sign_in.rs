//! Signing in and out.

use dgh_store::accounts::{orgs, sessions, users};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, Db, OrgId, SessionId, StoreError, UserId};
use serde_json::json;

use super::{AccessError, Identity, commit, passwords, text, throttle, tokens};

/// How long a session stays when nobody uses it: a week.
pub(super) const IDLE: i64 = 7 * 24 * 60 * 60 * 1_000;
/// How long it stays at most: a month.
const LONGEST: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Letters of a browser's name that are kept.
const BROWSER: usize = 200;
/// How the audit log names it.
pub const SIGN_IN_ACTION: &str = "session.begin";

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the cookie, and nothing else.
    pub token: String,
    /// Who asks from now on.
    pub identity: Identity,
    /// Seconds that the cookie is good for.
    pub seconds: i64,
}

/// From where somebody comes who is not known yet.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The address.
    pub address: Option<String>,
    /// The name of the browser or program.
    pub browser: Option<String>,
}

impl Visitor {
    /// As the audit log names them when they are known.
    pub(super) fn as_user(&self, user: &UserId) -> Actor {
        Actor { user: Some(user.clone()), key: None, address: self.address.clone() }
    }
}

/// Begins a session for whoever knows the password.
pub async fn sign_in(
    db: &Db,
    email: &str,
    password: String,
    visitor: &Visitor,
    now: i64,
) -> Result<SignedIn, AccessError> {
    let email = email.trim().to_lowercase();
    let attempt = throttle::begin(db, &email, visitor.address.as_deref(), now).await?;
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let login = users::by_email_unscoped(&mut conn, &email).await?;
    drop(conn);
    // The account that is not there is asked for its password too.
    let (user, hash) = login.map(|login| (login.user, login.password)).unzip();
    let too_long = password.len() > 4 * text::LONGEST_PASSWORD;
    let good = !too_long && passwords::verify(password, hash).await?;
    let Some(user) = user.filter(|_| good) else {
        return Err(AccessError::WrongLogin);
    };
    attempt.succeeded(db).await?;
    let mut tx = db.begin().await?;
    let signed_in = begin(&mut tx, &user.id, None, visitor, now).await?;
    commit(tx).await?;
    Ok(signed_in)
}

/// Begins a session in an organisation, or in the first of a user.
pub(super) async fn begin(
    conn: &mut Conn,
    user: &UserId,
    org: Option<&OrgId>,
    visitor: &Visitor,
    now: i64,
) -> Result<SignedIn, AccessError> {
    let mut places = orgs::of_user(conn, user).await?.into_iter();
    let place = places.find(|place| org.is_none_or(|org| place.org.id == *org));
    let place = place.ok_or(AccessError::NoOrganisation)?;
    let session = sessions::Session {
        id: SessionId::fresh(),
        user: user.clone(),
        org: place.org.id.clone(),
        created_at: now,
        seen_at: now,
        expires_at: now + IDLE,
        ends_at: now + LONGEST,
        address: visitor.address.clone(),
        browser: visitor.browser.as_ref().map(|text| shown(text)),
    };
    let token = tokens::fresh_token()?;
    sessions::insert_unscoped(conn, &session, &tokens::hash(&token)).await?;
    let by = visitor.as_user(user);
    audit::write(conn, &place.org.id, &by, SIGN_IN_ACTION, session.id.as_str(), &json!({}), now).await?;
    let identity = Identity {
        org: place.org.id,
        user: Some(user.clone()),
        key: None,
        session: Some(session.id),
        role: place.role,
        scopes: super::Scopes::ALL,
    };
    Ok(SignedIn { token, identity, seconds: LONGEST / 1_000 })
}

/// A name of a browser as it is kept.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(BROWSER).collect()
}

/// Ends a session of a user.
pub async fn sign_out(
    db: &Db,
    org: &OrgId,
    user: &UserId,
    session: &SessionId,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    let mut tx = db.begin().await?;
    sessions::remove(&mut tx, user, session).await?;
    audit::write(&mut tx, org, by, "session.end", session.as_str(), &json!({}), now).await?;
    Ok(commit(tx).await?)
}

/// Shows another organisation of the user.
pub async fn switch_org(db: &Db, user: &UserId, session: &SessionId, org: &OrgId) -> Result<(), AccessError> {
    let mut tx = db.begin().await?;
    let places = orgs::of_user(&mut tx, user).await?;
    if !places.iter().any(|place| place.org.id == *org) {
        return Err(StoreError::not_found("organisation").into());
    }
    sessions::switch_unscoped(&mut tx, session, org).await?;
    Ok(commit(tx).await?)
}
