//! The first organisation, its owner and a key: there from the first start on.

use dgh_store::accounts::{members, orgs, users};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, UserId};
use serde_json::json;

use super::keys::{self, NewKey};
use super::{AccessError, Role, Scopes, passwords, text, tokens};

/// What is told once, at the first start.
#[derive(Debug, Clone)]
pub struct FirstOwner {
    /// Whose everything is.
    pub org: OrgId,
    /// What to sign in with.
    pub email: String,
    /// And the password.
    pub password: String,
    /// A key that may do everything.
    pub key: String,
}

/// Makes them. A password is made up when none is given.
pub async fn first_owner(
    conn: &mut Conn,
    email: &str,
    password: Option<String>,
    now: i64,
) -> Result<FirstOwner, AccessError> {
    let email = text::email(email)?;
    let password = match password {
        Some(password) => {
            text::password(&password, &email)?;
            password
        }
        None => tokens::fresh_password()?,
    };
    let hash = passwords::hash(password.clone()).await?;
    let org = orgs::Org { id: OrgId::fresh(), name: "Home".to_owned(), created_at: now };
    orgs::insert(conn, &org).await?;
    let user =
        users::User { id: UserId::fresh(), email: email.clone(), name: "Owner".to_owned(), created_at: now };
    users::insert_unscoped(conn, &user, &hash).await?;
    members::insert(conn, &org.id, &user.id, Role::Owner, now).await?;
    let by = Actor::server();
    let new =
        NewKey { name: "First key".to_owned(), role: Role::Owner, scopes: Scopes::ALL, expires_at: None };
    let made = keys::insert(conn, &org.id, new, Some(user.id.clone()), &by, now).await?;
    let detail = json!({ "name": org.name, "owner": user.id });
    audit::write(conn, &org.id, &by, "org.create", org.id.as_str(), &detail, now).await?;
    Ok(FirstOwner { org: org.id, email, password, key: made.secret })
}
