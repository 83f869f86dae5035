//! Organisations and their members.

use dgh_store::accounts::{keys, members, orgs, sessions};
use dgh_store::audit::{self, Actor};
use dgh_store::{Conn, OrgId, StoreError, UserId};
use serde_json::json;

use super::{AccessError, Role, text};

/// What went with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Keys that they had made.
    pub keys: usize,
}

/// Another organisation; its maker is its owner.
pub async fn new_org(
    conn: &mut Conn,
    name: &str,
    owner: &UserId,
    by: &Actor,
    now: i64,
) -> Result<orgs::Org, AccessError> {
    let org = orgs::Org { id: OrgId::fresh(), name: text::name(name)?, created_at: now };
    orgs::insert(conn, &org).await?;
    members::insert(conn, &org.id, owner, Role::Owner, now).await?;
    audit::write(conn, &org.id, by, "org.create", org.id.as_str(), &json!({ "name": org.name }), now).await?;
    Ok(org)
}

/// Another name for an organisation.
pub async fn rename_org(
    conn: &mut Conn,
    org: &OrgId,
    name: &str,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    let name = text::name(name)?;
    orgs::rename(conn, org, &name).await?;
    audit::write(conn, org, by, "org.update", org.as_str(), &json!({ "name": name }), now).await?;
    Ok(())
}

/// Another role for a member.
pub async fn set_role(
    conn: &mut Conn,
    org: &OrgId,
    user: &UserId,
    role: Role,
    by: &Actor,
    now: i64,
) -> Result<(), AccessError> {
    let known = members::get(conn, org, user).await?;
    if !members::set_role(conn, org, user, role).await? {
        return Err(AccessError::LastOwner);
    }
    let detail = json!({ "from": known.role, "to": role });
    audit::write(conn, org, by, "member.update", user.as_str(), &detail, now).await?;
    Ok(())
}

/// Ends a membership. The keys that they made go with them, as they know them, unless somebody takes
/// that on.
pub async fn remove_member(
    conn: &mut Conn,
    org: &OrgId,
    user: &UserId,
    keep_keys: bool,
    by: &Actor,
    now: i64,
) -> Result<Removed, AccessError> {
    let known = members::get(conn, org, user).await?;
    if !members::remove(conn, org, user).await? {
        return Err(AccessError::LastOwner);
    }
    sessions::remove_in(conn, org, user).await?;
    let revoked = if keep_keys { Vec::new() } else { keys::revoke_of(conn, org, user, now).await? };
    let detail = json!({ "email": known.email, "role": known.role, "keys_revoked": revoked });
    audit::write(conn, org, by, "member.remove", user.as_str(), &detail, now).await?;
    Ok(Removed { keys: revoked.len() })
}

/// Makes somebody a member.
pub(super) async fn add(
    conn: &mut Conn,
    org: &OrgId,
    user: &UserId,
    role: Role,
    now: i64,
) -> Result<(), AccessError> {
    members::insert(conn, org, user, role, now).await.map_err(|error| match error {
        StoreError::Conflict { .. } => AccessError::AlreadyMember,
        other => other.into(),
    })
}
