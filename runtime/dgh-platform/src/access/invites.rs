//! Invitations: made, looked at by whoever holds the link, taken.

use dgh_store::accounts::invites::{self, Invite};
use dgh_store::accounts::{members, orgs, users};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, Db, InviteId, OrgId, StoreError, UserId};
use serde_json::json;

use super::sign_in::{SignedIn, Visitor};
use super::{AccessError, Identity, Role, commit, passwords, sign_in, text, throttle, tokens};

/// How long a link is good: a week.
const GOOD_FOR: i64 = 7 * 24 * 60 * 60 * 1_000;

/// An invitation that was made.
#[derive(Debug, Clone)]
pub struct Invited {
    /// What is known of it.
    pub invite: Invite,
    /// What goes into the link. Nobody sees it again.
    pub token: String,
}

/// Somebody who has no account yet.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What they are called.
    pub name: String,
}

/// Who has become a member.
#[derive(Debug)]
pub enum Accepted {
    /// With a session of their own from now on.
    SignedIn(SignedIn),
    /// In the session that they had.
    Joined(OrgId),
}

/// Invites somebody. An older link for the same address is no good from now on.
pub async fn invite(
    conn: &mut Conn,
    org: &OrgId,
    email: &str,
    role: Role,
    by: &Actor,
    now: i64,
) -> Result<Invited, AccessError> {
    let email = text::email(email)?;
    if let Some(known) = users::by_email_unscoped(conn, &email).await? {
        match members::get(conn, org, &known.user.id).await {
            Ok(_) => return Err(AccessError::AlreadyMember),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    invites::remove_for(conn, org, &email).await?;
    let token = tokens::fresh_token()?;
    let invite = Invite {
        id: InviteId::fresh(),
        org: org.clone(),
        email,
        role,
        invited_by: by.user.as_ref().map(ToString::to_string),
        created_at: now,
        expires_at: now + GOOD_FOR,
        accepted_at: None,
    };
    invites::insert(conn, org, &invite, &tokens::hash(&token)).await?;
    let detail = json!({ "email": invite.email, "role": role });
    audit::write(conn, org, by, "invite.create", invite.id.as_str(), &detail, now).await?;
    Ok(Invited { invite, token })
}

/// What a link leads to: the invitation, the organisation, whether there is an account already.
pub async fn look(db: &Db, token: &str, now: i64) -> Result<(Invite, orgs::Org, bool), AccessError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let invite = find(&mut conn, token, now).await?;
    let org = orgs::get(&mut conn, &invite.org).await?;
    let known = users::by_email_unscoped(&mut conn, &invite.email).await?.is_some();
    Ok((invite, org, known))
}

/// Takes an invitation: as the one who is signed in with the invited address, with the password of its
/// account, or with a new account and its password.
pub async fn accept(
    db: &Db,
    token: &str,
    who: Option<&Identity>,
    new: Option<NewUser>,
    password: Option<String>,
    visitor: &Visitor,
    now: i64,
) -> Result<Accepted, AccessError> {
    let mut conn = db.read().acquire().await.map_err(StoreError::from)?;
    let invite = find(&mut conn, token, now).await?;
    let login = users::by_email_unscoped(&mut conn, &invite.email).await?;
    drop(conn);
    let signed_in = who.and_then(|who| who.user.as_ref());
    match (login, password) {
        (Some(login), _) if signed_in == Some(&login.user.id) => {
            let mut tx = db.begin().await?;
            join(&mut tx, &invite, &login.user.id, &visitor.as_user(&login.user.id), now).await?;
            commit(tx).await?;
            Ok(Accepted::Joined(invite.org))
        }
        (Some(login), Some(password)) => {
            let attempt = throttle::begin(db, &invite.email, visitor.address.as_deref(), now).await?;
            if !passwords::verify(password, Some(login.password)).await? {
                return Err(AccessError::WrongLogin);
            }
            attempt.succeeded(db).await?;
            enter(db, &invite, login.user.id, None, visitor, now).await
        }
        (Some(_), None) => Err(AccessError::SignInFirst),
        (None, password) => {
            let lacks = |field| AccessError::Invalid { field, why: "a new account has one".to_owned() };
            let new = new.ok_or_else(|| lacks("name"))?;
            let password = password.ok_or_else(|| lacks("password"))?;
            let name = text::name(&new.name)?;
            text::password(&password, &invite.email)?;
            let hash = passwords::hash(password).await?;
            let user =
                users::User { id: UserId::fresh(), email: invite.email.clone(), name, created_at: now };
            let id = user.id.clone();
            enter(db, &invite, id, Some((user, hash)), visitor, now).await
        }
    }
}

/// Makes an account if there is none, the membership, and a session.
async fn enter(
    db: &Db,
    invite: &Invite,
    user: UserId,
    account: Option<(users::User, String)>,
    visitor: &Visitor,
    now: i64,
) -> Result<Accepted, AccessError> {
    let mut tx = db.begin().await?;
    if let Some((account, hash)) = account {
        users::insert_unscoped(&mut tx, &account, &hash).await.map_err(|error| match error {
            StoreError::Conflict { .. } => AccessError::SignInFirst,
            other => other.into(),
        })?;
    }
    join(&mut tx, invite, &user, &visitor.as_user(&user), now).await?;
    let signed_in = sign_in::begin(&mut tx, &user, Some(&invite.org), visitor, now).await?;
    commit(tx).await?;
    Ok(Accepted::SignedIn(signed_in))
}

async fn join(
    conn: &mut Conn,
    invite: &Invite,
    user: &UserId,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    // Once: who comes second finds it gone.
    if !invites::accept(conn, &invite.org, &invite.id, user, now).await? {
        return Err(AccessError::InviteGone);
    }
    super::members::add(conn, &invite.org, user, invite.role, now).await?;
    let detail = json!({ "email": invite.email, "role": invite.role });
    audit::write(conn, &invite.org, by, "invite.accept", invite.id.as_str(), &detail, now).await?;
    Ok(())
}

async fn find(conn: &mut Conn, token: &str, now: i64) -> Result<Invite, AccessError> {
    if !tokens::is_token(token) {
        return Err(AccessError::InviteGone);
    }
    invites::find_unscoped(conn, &tokens::hash(token), now).await?.ok_or(AccessError::InviteGone)
}
